"""A file of any length, encrypted with a passphrase, written and read as a stream.

It begins with MAGIC, a salt, and a check of the passphrase.  Chunks of CHUNK octets follow, each sealed with
AES-256-GCM under its number and whether it is the last (the STREAM construction), so that a changed, moved,
missing or truncated chunk is detected before its content is used.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

from appliance.backup.causes import BACKUP_DAMAGED, BACKUP_PASSPHRASE_WRONG
from appliance.causes import CauseError
from appliance.passphrases import key_from

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAGIC = b"FAXBAK1\n"
SALT_OCTETS = 16
CHECK_OCTETS = 16
KEY_OCTETS = 32
CHUNK = 64 * 1024
# Octets that AES-GCM appends.
TAG_OCTETS = 16


class BackupError(CauseError):
    """A backup cannot be read:  ``cause`` is the row with the reason, ``detail`` the place."""


class Sealer:
    """Encrypts octets and writes them to ``target``; without the end, which ``close`` writes, it is
    incomplete.
    """

    def __init__(self, target: BinaryIO, passphrase: str) -> None:
        salt = secrets.token_bytes(SALT_OCTETS)
        key, check = _keys(passphrase, salt)
        self._head = MAGIC + salt + check
        self._target = target
        self._cipher = _aes(key)
        self._number = 0
        self._waiting = bytearray()
        target.write(self._head)

    def write(self, octets: bytes) -> None:
        """Takes octets of the backup; seals and writes whole chunks at once."""
        self._waiting += octets
        while len(self._waiting) > CHUNK:
            self._seal(bytes(self._waiting[:CHUNK]), last=False)
            del self._waiting[:CHUNK]

    def close(self) -> None:
        """Seals and writes the last chunk, without which the backup counts as truncated."""
        self._seal(bytes(self._waiting), last=True)

    def _seal(self, chunk: bytes, *, last: bool) -> None:
        self._target.write(self._cipher.encrypt(_nonce(self._number, last), chunk, self._head))
        self._number += 1


class Opener:
    """Reads what a Sealer wrote.  Raises BackupError as soon as the file turns out to be something else."""

    def __init__(self, source: BinaryIO, passphrase: str) -> None:
        self._head = source.read(len(MAGIC) + SALT_OCTETS + CHECK_OCTETS)
        if not self._head.startswith(MAGIC):
            raise BackupError(BACKUP_DAMAGED, "It does not begin as a backup of a faxbox does.")
        salt, given = self._head[len(MAGIC) : -CHECK_OCTETS], self._head[-CHECK_OCTETS:]
        if len(self._head) < len(MAGIC) + SALT_OCTETS + CHECK_OCTETS:
            raise BackupError(BACKUP_DAMAGED, "It ends within its head.")
        key, check = _keys(passphrase, salt)
        if not hmac.compare_digest(check, given):
            raise BackupError(BACKUP_PASSPHRASE_WRONG)
        self._chunks = self._open_all(source, _aes(key))
        self._ready = b""

    def read(self, count: int) -> bytes:
        """``count`` octets; fewer only at the end.  Raises BackupError."""
        parts = []
        while count:
            if not self._ready:
                self._ready = next(self._chunks, b"")
                if not self._ready:
                    break
            parts.append(self._ready[:count])
            self._ready = self._ready[count:]
            count -= len(parts[-1])
        return b"".join(parts)

    def _open_all(self, source: BinaryIO, cipher: AESGCM) -> Iterator[bytes]:
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 (as in _aes)

        sealed = source.read(CHUNK + TAG_OCTETS)
        number = 0
        while True:
            following = source.read(CHUNK + TAG_OCTETS)
            try:
                chunk = cipher.decrypt(_nonce(number, not following), sealed, self._head)
            except (InvalidTag, ValueError):
                raise BackupError(BACKUP_DAMAGED, "It was cut off or changed.") from None
            if chunk:
                yield chunk
            if not following:
                return
            sealed = following
            number += 1


def _aes(key: bytes) -> AESGCM:
    # Loaded only while needed: it takes megabytes of memory.
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

    return AESGCM(key)


def _keys(passphrase: str, salt: bytes) -> tuple[bytes, bytes]:
    made = key_from(passphrase.encode(), salt, KEY_OCTETS + CHECK_OCTETS)
    return made[:KEY_OCTETS], made[KEY_OCTETS:]


def _nonce(number: int, last: bool) -> bytes:
    """The nonce of a chunk; unique for each key, because the key depends on the file's salt."""
    return number.to_bytes(11, "big") + bytes([last])
