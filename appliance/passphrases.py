"""Passphrases that people choose: their length, and the key derived from one."""

from __future__ import annotations

import hashlib

# Shorter ones are guessed within days on one graphics card.
PASSPHRASE_MIN, PASSPHRASE_MAX = 10, 200
# scrypt, RFC 7914: 32 MiB and some 100 ms on a small board, for each guess of a thief.
_SCRYPT_N, _SCRYPT_R, _SCRYPT_P = 1 << 15, 8, 1
_SCRYPT_MEMORY = 64 << 20


def key_from(passphrase: bytes, salt: bytes, octets: int) -> bytes:
    """Derives a key of ``octets`` octets from ``passphrase`` (UTF-8) and ``salt``."""
    return hashlib.scrypt(
        passphrase,
        salt=salt,
        n=_SCRYPT_N,
        r=_SCRYPT_R,
        p=_SCRYPT_P,
        maxmem=_SCRYPT_MEMORY,
        dklen=octets,
    )
