"""Encryption of the image's data, unlocked at the start by a passphrase or a USB stick.

The kernel encrypts the folders (fscrypt); this package makes and wraps the key, moves folders into and out
of encryption, and hands the key to the kernel.  Only the image has it (docs/image.md); on other machines an
encrypted disk is better.
"""
