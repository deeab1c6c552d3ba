"""Backup and restore in one encrypted file (docs/backup.md).

``sealed`` encrypts, ``archive`` writes and reads entries, ``contents`` defines what they contain.
"""
