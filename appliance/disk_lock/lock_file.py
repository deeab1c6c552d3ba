"""The lock file: how the disk is unlocked, and its key, encrypted with the owner's passphrase or stick.

It is stored beside the encrypted folders, unencrypted.  Whoever has it and the disk can guess passphrases, as
fast as scrypt allows; the key on a stick cannot be guessed.
"""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from appliance import durable
from appliance.disk_lock.fscrypt import KEY_OCTETS
from appliance.passphrases import key_from

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_SALT_OCTETS = 16
_NONCE_OCTETS = 12  # of AES-GCM
_WRAPPING_OCTETS = 32  # of AES-256
# Octets of the key on a stick, where its file has it in hexadecimal.
STICK_OCTETS = 32
_LARGEST = 1 << 16  # octets of the file
_BOUND = b"faxbox disk key 1"


class OpenedBy(StrEnum):
    """How the owner unlocks the disk."""

    PASSPHRASE = "passphrase"
    STICK = "stick"


class WrongKeyError(Exception):
    """The passphrase or stick is not the one of this disk."""


class LockFileError(OSError):
    """The file is not a valid lock file."""


@dataclass(frozen=True, slots=True)
class Lock:
    """The content of a lock file.

    ``identifier``: the kernel's identifier of the key, in hexadecimal; other octets are in base64.
    ``wanted``: whether the folders are to be encrypted, or decrypted.  ``salt``: for a passphrase.
    """

    identifier: str
    opened_by: OpenedBy
    salt: str
    nonce: str
    wrapped: str
    wanted: bool = True


def read(file: Path) -> Lock | None:
    """The content of the file; None without a file.  Raises LockFileError."""
    try:
        found = json.loads(file.read_bytes()[:_LARGEST])
        texts = {name: str(found[name]) for name in ("salt", "nonce", "wrapped")}
        identifier = bytes.fromhex(found["identifier"]).hex()
        return Lock(identifier, OpenedBy(found["opened_by"]), **texts, wanted=found["wanted"] is True)
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise LockFileError(f"{file} is damaged: {error}") from None


def write(file: Path, lock: Lock) -> None:
    """Writes the file; whenever the power fails, it is the old or the new one.  Raises OSError."""
    durable.write_file(file, json.dumps(asdict(lock)).encode())


def make(identifier: bytes, key: bytes, opened_by: OpenedBy, secret: bytes) -> Lock:
    """Encrypts ``key``.  ``secret``: the passphrase in UTF-8, or the octets of the stick's key."""
    salt = secrets.token_bytes(_SALT_OCTETS)
    nonce = secrets.token_bytes(_NONCE_OCTETS)
    wrapped = _cipher(opened_by, secret, salt).encrypt(nonce, key, _BOUND)
    return Lock(identifier.hex(), opened_by, _text(salt), _text(nonce), _text(wrapped))


def key_of(lock: Lock, secret: bytes) -> bytes:
    """The disk's key.  Raises WrongKeyError."""
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 (costs megabytes)

    try:
        salt, nonce, wrapped = (base64.b64decode(each) for each in (lock.salt, lock.nonce, lock.wrapped))
        key = _cipher(lock.opened_by, secret, salt).decrypt(nonce, wrapped, _BOUND)
    except (InvalidTag, ValueError):
        raise WrongKeyError from None
    if len(key) != KEY_OCTETS:
        raise WrongKeyError
    return key


def _cipher(opened_by: OpenedBy, secret: bytes, salt: bytes) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 (costs megabytes)

    if opened_by is OpenedBy.PASSPHRASE:
        secret = key_from(secret, salt, _WRAPPING_OCTETS)
    return AESGCM(secret)


def _text(octets: bytes) -> str:
    return base64.b64encode(octets).decode()
