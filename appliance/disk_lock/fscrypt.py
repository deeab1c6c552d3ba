"""The kernel's encryption of folders: keys and policies, by ioctls of a file system.

Source:  Linux, Documentation/filesystems/fscrypt.rst and include/uapi/linux/fscrypt.h.  Only policies of
version 2.  Without its key a folder can be listed and emptied, but neither names nor content can be read.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import struct
from collections.abc import Iterator
from pathlib import Path

# Octets of the key from which all others are derived.
KEY_OCTETS = 64
IDENTIFIER_OCTETS = 16

# _IOR('f', 19, 12 octets), _IOWR('f', 22, 9), _IOWR('f', 23, 80), _IOWR('f', 24, 64), _IOWR('f', 26, 128)
_SET_POLICY = 0x800C6613
_GET_POLICY_EX = 0xC0096616
_ADD_KEY = 0xC0506617
_GET_KEY_STATUS = 0xC080661A

_VERSION_2 = 2
_CONTENTS_AES_256_XTS, _NAMES_AES_256_CTS = 1, 4
_PAD_NAMES_32 = 3
_BY_IDENTIFIER = 2
_PRESENT = 2  # FSCRYPT_KEY_STATUS_PRESENT

# struct fscrypt_policy_v2: version, two modes, flags, log2 of the data unit, reserved, identifier.
_POLICY = struct.Struct("=BBBBB3x16s")
# struct fscrypt_get_policy_ex_arg: the size of the policy, then the policy.
_POLICY_ASKED = struct.Struct("=Q24s")
# struct fscrypt_key_specifier: type, reserved, a union of 32 octets.
_SPECIFIER = struct.Struct("=I4x32s")
# struct fscrypt_add_key_arg: specifier, size of the key, id of one in a keyring, reserved; then the key.
_ADD = struct.Struct("=40sII32x64s")
# struct fscrypt_get_key_status_arg: specifier, reserved; status, flags, users, reserved.
_STATUS = struct.Struct("=40s24xIII52x")


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _specifier(identifier: bytes) -> bytes:
    return _SPECIFIER.pack(_BY_IDENTIFIER, identifier)


def possible(folder: Path) -> bool:
    """Whether the file system of ``folder`` can encrypt."""
    try:
        policy_of(folder)
    except OSError:
        return False
    return True


def policy_of(folder: Path) -> bytes | None:
    """The identifier of the key that ``folder`` is encrypted with; None when it is not encrypted.

    Raises OSError when the file system cannot encrypt, or for another version of policy.
    """
    asked = bytearray(_POLICY_ASKED.pack(_POLICY.size, b""))
    with _opened(folder) as descriptor:
        try:
            fcntl.ioctl(descriptor, _GET_POLICY_EX, asked)
        except OSError as error:
            if error.errno == errno.ENODATA:
                return None
            raise
    _, policy = _POLICY_ASKED.unpack(asked)
    version, *_, identifier = _POLICY.unpack(policy)
    if version != _VERSION_2:
        raise OSError(errno.EINVAL, "encrypted by a policy of an old version", str(folder))
    found: bytes = identifier
    return found


def encrypt(folder: Path, identifier: bytes) -> None:
    """Makes the empty ``folder`` encrypt its content with a key that the kernel has.  Raises OSError."""
    policy = _POLICY.pack(_VERSION_2, _CONTENTS_AES_256_XTS, _NAMES_AES_256_CTS, _PAD_NAMES_32, 0, identifier)
    with _opened(folder) as descriptor:
        fcntl.ioctl(descriptor, _SET_POLICY, policy)


def add_key(folder: Path, key: bytes) -> bytes:
    """Adds a key (``KEY_OCTETS``) to the file system of ``folder`` until it is unmounted.

    Returns the key's identifier.  Raises OSError.
    """
    if len(key) != KEY_OCTETS:
        raise ValueError("not a key")
    asked = bytearray(_ADD.pack(_specifier(b""), KEY_OCTETS, 0, key))
    with _opened(folder) as descriptor:
        fcntl.ioctl(descriptor, _ADD_KEY, asked)
    specifier, *_ = _ADD.unpack(asked)
    _, union = _SPECIFIER.unpack(specifier)
    identifier: bytes = union[:IDENTIFIER_OCTETS]
    return identifier


def has_key(folder: Path, identifier: bytes) -> bool:
    """Whether the file system of ``folder`` has the key."""
    asked = bytearray(_STATUS.pack(_specifier(identifier), 0, 0, 0))
    with _opened(folder) as descriptor:
        fcntl.ioctl(descriptor, _GET_KEY_STATUS, asked)
    _, status, *_ = _STATUS.unpack(asked)
    return bool(status == _PRESENT)


def locked(folder: Path) -> bool:
    """Whether ``folder`` is encrypted and the kernel lacks its key.  False where nothing can be encrypted."""
    try:
        identifier = policy_of(folder)
        return identifier is not None and not has_key(folder, identifier)
    except OSError:
        return False
