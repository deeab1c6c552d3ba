"""Backup and restore in one encrypted file (docs/backup.md).

``sealed`` encrypts, ``archive`` puts entries one after the other, ``contents`` says what they are.
"""
