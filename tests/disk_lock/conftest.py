"""A file system that can encrypt, mounted for one test."""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.disk_lock import fscrypt, owner, root, sticks

SIZE = 64 << 20
# FS_IOC_REMOVE_ENCRYPTION_KEY; struct fscrypt_remove_key_arg: a specifier (by identifier), flags, reserved.
_REMOVE_KEY, _REMOVE, _BY_IDENTIFIER = 0xC0406618, struct.Struct("=I4x32sI20x"), 2


def remove_key(folder: Path, identifier: bytes) -> None:
    """Removes a key from the file system; open files stay readable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.ioctl(descriptor, _REMOVE_KEY, bytearray(_REMOVE.pack(_BY_IDENTIFIER, identifier, 0)))
    finally:
        os.close(descriptor)


def mount(device: Path, point: Path, *more: str) -> None:
    point.mkdir()
    done = subprocess.run(
        ["mount", *more, str(device), str(point)], stderr=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"this machine does not mount files: {done.stderr.strip()}")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Mounted as the image mounts its data."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    image, point = tmp_path / "disk.img", tmp_path / "disk"
    image.touch()
    os.truncate(image, SIZE)
    subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", "-O", "encrypt", str(image)], check=True)
    mount(image, point, "-o", "loop,data=journal,nodev,nosuid,noexec")
    try:
        if not fscrypt.possible(point):
            pytest.skip("the kernel of this machine does not encrypt folders")
        yield point
    finally:
        subprocess.run(["umount", "--lazy", str(point)], check=True)


@pytest.fixture
def image(disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine made from the image, without systemd; the folder that it keeps."""
    run = tmp_path / "run"
    for folder in (run / "faxbox", run / "faxbox-image"):
        folder.mkdir(parents=True)
    monkeypatch.setattr(owner, "DISK", disk)
    monkeypatch.setattr(owner, "FOLDER", disk / "disk-lock")
    monkeypatch.setattr(owner, "LOCK", disk / "disk-lock/lock.json")
    monkeypatch.setattr(owner, "WANTED", run / "faxbox/disk-lock.json")
    monkeypatch.setattr(owner, "OPENED", run / "faxbox/disk-opened")
    monkeypatch.setattr(owner, "PROGRESS", run / "faxbox-image/disk-lock.json")
    monkeypatch.setattr(root, "MARK", run / "faxbox-image/locked")
    monkeypatch.setattr(root, "KEPT", disk / "keep")
    monkeypatch.setattr(root, "FIREWALL", Path("/bin/true"))
    monkeypatch.setattr(root, "STICK_S", 0.0)
    monkeypatch.setattr(root, "_GROUP", "root")
    monkeypatch.setattr(root, "_systemctl", lambda word, *units: None)
    # The folders themselves are mounted nowhere: nobody of this machine's own may be touched.
    monkeypatch.setattr(root, "_mount_anew", lambda folder: None)
    monkeypatch.setattr(sticks, "plugged_in", list)
    kept = disk / "keep/var/lib/faxbox"
    for folder in root.FOLDERS:
        (disk / "keep" / folder.relative_to("/")).mkdir(parents=True)
    (kept / "fax.tif").write_bytes(b"page")
    return kept
