"""Finds USB sticks, and reads and writes the key in a file on one.  Needs root."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

KEY_FILE = "faxbox.key"
_BLOCK = Path("/sys/class/block")
_DEVICES = Path("/dev")
# The disk from which the box runs, as the image names it.
_OWN_DISK = Path("/run/faxbox-image/disk")
_KEY_FILE_OCTETS = 4096  # at most, of the key's file
# The only file systems that are mounted, because sticks are untrusted.
_FILE_SYSTEMS = "vfat,exfat,ext4"
_OPTIONS = "nodev,nosuid,noexec"


class StickError(Exception):
    """Writing to the stick failed."""


class NoStickError(StickError):
    """No stick is plugged in."""


class SeveralSticksError(StickError):
    """More than one possible place for the key is plugged in."""


class KeyThereError(StickError):
    """The stick already has a key, perhaps another box's."""


def plugged_in() -> list[Path]:
    """The devices on USB sticks that may have a file system: partitions, and sticks without partitions."""
    own = os.path.realpath(_OWN_DISK)
    found: list[Path] = []
    with contextlib.suppress(OSError):
        for entry in sorted(_BLOCK.iterdir()):
            device = Path(os.path.realpath(entry))
            whole = device if not (device / "partition").exists() else device.parent
            if "/usb" not in str(device) or str(_DEVICES / whole.name) == own:
                continue
            parts = any((inner / "partition").exists() for inner in device.iterdir() if inner.is_dir())
            if not parts:
                found.append(_DEVICES / device.name)
    return found


def keys_found() -> Iterator[bytes]:
    """The keys on the sticks that are plugged in."""
    for device in plugged_in():
        with contextlib.suppress(OSError, ValueError), _mounted(device, "ro") as folder:
            file = folder / KEY_FILE
            if file.is_file():
                with file.open("rb") as opened:
                    yield bytes.fromhex(opened.read(_KEY_FILE_OCTETS).decode("ascii").strip())


def write_key(key: bytes) -> None:
    """Writes the key to the plugged-in stick, and reads it back.

    Raises NoStickError, SeveralSticksError, KeyThereError; StickError when it cannot be written.
    """
    places = plugged_in()
    if len(places) != 1:
        raise SeveralSticksError if places else NoStickError
    try:
        with _mounted(places[0], "rw") as folder:
            file = folder / KEY_FILE
            if file.exists():
                raise KeyThereError
            with file.open("x", encoding="ascii") as opened:
                opened.write(key.hex() + "\n")
                opened.flush()
                os.fsync(opened.fileno())
    except OSError as error:
        raise StickError(error.strerror) from None
    if key not in keys_found():
        raise StickError("what was written cannot be read back")


@contextlib.contextmanager
def _mounted(device: Path, how: str) -> Iterator[Path]:
    """Mounts a device within the block.  Raises OSError when it has no known file system."""
    with tempfile.TemporaryDirectory(dir="/run") as point:
        command = ["mount", "-t", _FILE_SYSTEMS, "-o", f"{how},{_OPTIONS}", str(device), point]
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            raise OSError(0, done.stderr.strip())
        try:
            yield Path(point)
        finally:
            subprocess.run(["umount", point], check=False)
