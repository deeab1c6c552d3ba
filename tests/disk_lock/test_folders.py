"""Encrypting and decrypting folders, on a real file system of this kernel."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
from pathlib import Path

import pytest

from appliance.disk_lock import folders, fscrypt
from tests.disk_lock.conftest import remove_key
from tests.killed_at import die_at

STEPS_AT_MOST = 60


def furnish(folder: Path) -> dict[str, bytes]:
    (folder / "pages").mkdir(parents=True)
    (folder / "pages/1.tif").write_bytes(b"x" * 100_000)
    (folder / "faxbox.sqlite3").write_bytes(b"rows")
    (folder / "link").symlink_to("pages/1.tif")
    (folder / "pages").chmod(0o710)
    return content(folder)


def move_and_die(folder: Path, wanted: bytes | None, step: int) -> int:
    """Moves the folder in a process that dies at a step; how it ended, as os.waitpid() says it."""
    child = os.fork()
    if not child:
        die_at(step, "subprocess.Popen", "ctypes.dlsym")
        folders.move(folder, wanted)
        os._exit(0)
    return os.waitpid(child, 0)[1]


def content(folder: Path) -> dict[str, bytes]:
    return {str(each.relative_to(folder)): each.read_bytes() for each in folder.rglob("*") if each.is_file()}


def test_a_folder_goes_into_encryption_and_out_again_with_all_that_is_in_it(disk: Path) -> None:
    folder = disk / "faxes"
    before = furnish(folder)
    folder.chmod(0o700)
    os.chown(folder, 12345, 12345)
    identifier = fscrypt.add_key(disk, secrets.token_bytes(fscrypt.KEY_OCTETS))
    for wanted in (identifier, None):
        folders.move(folder, wanted)
        assert fscrypt.policy_of(folder) == wanted
        assert content(folder) == before
        state = folder.stat()
        assert (state.st_mode & 0o777, state.st_uid, state.st_gid) == (0o700, 12345, 12345)
        assert (folder / "pages").stat().st_mode & 0o777 == 0o710
        assert (folder / "link").is_symlink()
        assert sorted(each.name for each in disk.iterdir()) == ["faxes", "lost+found"]


def test_without_its_key_neither_names_nor_content_can_be_read_nor_anything_be_added(disk: Path) -> None:
    folder = disk / "faxes"
    furnish(folder)
    key = secrets.token_bytes(fscrypt.KEY_OCTETS)
    identifier = fscrypt.add_key(disk, key)
    folders.move(folder, identifier)
    remove_key(disk, identifier)
    assert fscrypt.locked(folder)
    assert not {"pages", "faxbox.sqlite3"} & set(os.listdir(folder))
    with pytest.raises(OSError, match="Required key not available"):
        (folder / "new").touch()
    with pytest.raises(OSError, match="Required key not available"):
        next(each for each in folder.iterdir() if each.is_file()).read_bytes()
    fscrypt.add_key(disk, secrets.token_bytes(fscrypt.KEY_OCTETS))  # somebody else's
    assert fscrypt.locked(folder)
    fscrypt.add_key(disk, key)
    assert (folder / "pages/1.tif").exists()


@pytest.mark.parametrize("into", [True, False], ids=["into", "out"])
def test_whatever_instant_the_power_goes_a_folder_is_as_before_or_as_wanted(disk: Path, into: bool) -> None:
    identifier = fscrypt.add_key(disk, secrets.token_bytes(fscrypt.KEY_OCTETS))
    folder = disk / "faxes"
    before = furnish(folder)
    if not into:
        folders.move(folder, identifier)
    wanted = identifier if into else None
    seen = set()
    for step in range(1, STEPS_AT_MOST):
        ended = move_and_die(folder, wanted, step)
        assert content(folder) == before
        seen.add(fscrypt.policy_of(folder) == wanted)
        if ended == 0:
            break
        assert ended == signal.SIGKILL
        folders.clear(folder)
        assert not (disk / "faxes.new").exists()
        if fscrypt.policy_of(folder) == wanted:
            folders.move(folder, None if into else identifier)
    else:
        pytest.fail("it never came to its end")
    assert seen == {True, False}
    assert fscrypt.policy_of(folder) == wanted


def test_no_room_for_a_copy_leaves_all_as_it_was(disk: Path) -> None:
    folder = disk / "faxes"
    before = furnish(folder)
    identifier = fscrypt.add_key(disk, secrets.token_bytes(fscrypt.KEY_OCTETS))
    (disk / "filler").write_bytes(bytes(shutil.disk_usage(disk).free - 50_000))
    with pytest.raises(folders.NoRoomError):
        folders.move(folder, identifier)
    assert (content(folder), fscrypt.policy_of(folder)) == (before, None)


def test_another_file_system_cannot_encrypt(tmp_path: Path) -> None:
    assert not fscrypt.possible(Path("/dev/shm"))
    assert not fscrypt.locked(tmp_path)
