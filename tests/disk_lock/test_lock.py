"""The lock of the disk from its owner's request to the next start, on a real file system, without systemd."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from appliance.disk_lock import fscrypt, lock_file, owner, root, sticks
from appliance.disk_lock.lock_file import LockFileError, OpenedBy, WrongKeyError
from appliance.disk_lock.owner import Action, LockRequest, LockStep, Reason
from tests.disk_lock.conftest import mount, remove_key

PASSPHRASE, OTHER = "correct horse battery", "quite another phrase"


def carry_out(request: LockRequest) -> owner.LockState:
    """Does what the image does with a request of the box."""
    owner.ask(request)
    assert owner.state().step is LockStep.WORKING
    taken = owner.take_request()
    assert taken == request
    assert owner.state().step is LockStep.WORKING  # all the time
    root.carry_out(taken)
    return owner.state()


def switch_off(kept: Path) -> None:
    """The kernel forgets its keys, and what is in memory is gone."""
    lock = owner.lock_of_the_disk()
    assert lock is not None
    remove_key(owner.DISK, bytes.fromhex(lock.identifier))
    for file in (owner.PROGRESS, root.MARK, owner.OPENED):
        file.unlink(missing_ok=True)
    assert owner.locked()


def test_a_passphrase_opens_the_disk_at_the_next_start_and_nothing_else_does(image: Path) -> None:
    assert owner.state() == owner.LockState(True)
    state = carry_out(LockRequest(Action.LOCK, OpenedBy.PASSPHRASE, PASSPHRASE))
    assert (state.opened_by, state.step) == (OpenedBy.PASSPHRASE, LockStep.DONE)
    assert (image / "fax.tif").read_bytes() == b"page"
    switch_off(image)
    assert not root.start()
    assert root.MARK.exists()
    assert not (image / "fax.tif").exists()
    with pytest.raises(WrongKeyError):
        owner.open_with(b"correct horse batterz")
    assert owner.locked()
    owner.open_with(PASSPHRASE.encode())
    root.disk_opened()
    assert not owner.locked()
    assert not root.MARK.exists()
    assert (image / "fax.tif").read_bytes() == b"page"


def test_the_boxs_own_user_opens_it_without_root(image: Path) -> None:
    carry_out(LockRequest(Action.LOCK, OpenedBy.PASSPHRASE, PASSPHRASE))
    switch_off(image)
    for folder in owner.LOCK.parents:
        if folder.stat().st_uid == 0 and folder.stat().st_mode & 0o001 == 0:
            folder.chmod(folder.stat().st_mode | 0o001)
    owner.LOCK.chmod(0o644)
    child = os.fork()
    if not child:
        os.setgid(65534)
        os.setuid(65534)
        owner.open_with(PASSPHRASE.encode())
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert not owner.locked()


def test_another_passphrase_needs_the_present_one_and_the_old_one_is_void(image: Path) -> None:
    carry_out(LockRequest(Action.LOCK, OpenedBy.PASSPHRASE, PASSPHRASE))
    refused = carry_out(LockRequest(Action.LOCK, OpenedBy.PASSPHRASE, OTHER, present="something else"))
    assert (refused.step, refused.reason) == (LockStep.FAILED, Reason.PASSPHRASE_WRONG)
    done = carry_out(LockRequest(Action.LOCK, OpenedBy.PASSPHRASE, OTHER, present=PASSPHRASE))
    assert done.step is LockStep.DONE
    switch_off(image)
    with pytest.raises(WrongKeyError):
        owner.open_with(PASSPHRASE.encode())
    owner.open_with(OTHER.encode())
    assert (image / "fax.tif").read_bytes() == b"page"


def test_the_encryption_is_taken_away_again(image: Path) -> None:
    carry_out(LockRequest(Action.LOCK, OpenedBy.PASSPHRASE, PASSPHRASE))
    state = carry_out(LockRequest(Action.UNLOCK))
    assert (state.opened_by, state.step) == (None, LockStep.DONE)
    assert fscrypt.policy_of(image) is None
    assert (image / "fax.tif").read_bytes() == b"page"
    assert owner.lock_of_the_disk() is None
    assert root.start()


def test_a_change_that_a_power_cut_has_interrupted_is_ended_at_the_next_start(
    image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved: list[Path] = []
    move = root.folders.move

    def cut_off(folder: Path, wanted: bytes | None) -> None:
        if moved:
            raise KeyboardInterrupt  # the power goes with the second folder
        moved.append(folder)
        move(folder, wanted)

    with monkeypatch.context() as patched:
        patched.setattr(root.folders, "move", cut_off)
        with pytest.raises(KeyboardInterrupt):
            carry_out(LockRequest(Action.LOCK, OpenedBy.PASSPHRASE, PASSPHRASE))
    switch_off(image)
    assert not root.start()
    owner.open_with(PASSPHRASE.encode())
    root.disk_opened()
    kept = [root.KEPT / each.relative_to("/") for each in root.FOLDERS]
    assert all(fscrypt.policy_of(each) is not None for each in kept)
    assert (image / "fax.tif").read_bytes() == b"page"


@pytest.fixture
def stick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stick that is plugged in."""
    device = tmp_path / "stick.img"
    device.touch()
    os.truncate(device, 8 << 20)
    subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", str(device)], check=True)
    monkeypatch.setattr(sticks, "_OPTIONS", "loop,nodev,nosuid,noexec")
    monkeypatch.setattr(sticks, "plugged_in", lambda: [device])
    return device


def test_a_stick_opens_the_disk_at_each_start_and_when_it_is_plugged_in_later(
    image: Path, stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = carry_out(LockRequest(Action.LOCK, OpenedBy.STICK))
    assert (state.opened_by, state.sticks) == (OpenedBy.STICK, 1)
    switch_off(image)
    assert root.start()
    assert (image / "fax.tif").read_bytes() == b"page"
    switch_off(image)
    monkeypatch.setattr(sticks, "plugged_in", list)
    assert not root.start()
    root.stick_plugged_in()  # not the right one
    assert owner.locked()
    monkeypatch.setattr(sticks, "plugged_in", lambda: [stick])
    root.stick_plugged_in()
    assert not root.MARK.exists()
    assert (image / "fax.tif").read_bytes() == b"page"


@pytest.mark.parametrize(
    ("there", "reason"), [(0, Reason.NO_STICK), (2, Reason.SEVERAL_STICKS)], ids=["none", "two"]
)
def test_it_must_be_clear_which_stick_gets_the_key(
    image: Path, stick: Path, monkeypatch: pytest.MonkeyPatch, there: int, reason: Reason
) -> None:
    monkeypatch.setattr(sticks, "plugged_in", lambda: [stick] * there)
    state = carry_out(LockRequest(Action.LOCK, OpenedBy.STICK))
    assert (state.step, state.reason, state.opened_by) == (LockStep.FAILED, reason, None)
    assert fscrypt.policy_of(image) is None


def test_another_boxs_key_on_the_stick_is_left_alone(image: Path, stick: Path, tmp_path: Path) -> None:
    mount(stick, tmp_path / "point", "-o", "loop")
    (tmp_path / "point" / sticks.KEY_FILE).write_text("00" * 32)
    subprocess.run(["umount", str(tmp_path / "point")], check=True)
    assert carry_out(LockRequest(Action.LOCK, OpenedBy.STICK)).reason is Reason.STICK_HAS_KEY
    assert list(sticks.keys_found()) == [bytes(32)]


@pytest.mark.parametrize(
    "content", [b"", b"zz" * 32, b"\xff" * 64, b"0" * 5000], ids=["empty", "word", "bytes", "long"]
)
def test_a_strangers_stick_opens_nothing_and_breaks_nothing(
    image: Path, stick: Path, tmp_path: Path, content: bytes
) -> None:
    carry_out(LockRequest(Action.LOCK, OpenedBy.PASSPHRASE, PASSPHRASE))
    mount(stick, tmp_path / "point", "-o", "loop")
    (tmp_path / "point" / sticks.KEY_FILE).write_bytes(content)
    subprocess.run(["umount", str(tmp_path / "point")], check=True)
    list(sticks.keys_found())
    stick.write_bytes(content)  # nor what is no file system
    assert list(sticks.keys_found()) == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b'{"identifier": 1}',
        b'{"identifier": "zz", "salt": "", "nonce": "", "wrapped": ""}',
    ],
)
def test_a_damaged_file_is_told_and_not_taken_for_no_lock(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "lock.json"
    file.write_bytes(content)
    with pytest.raises(LockFileError, match="is damaged"):
        lock_file.read(file)


def test_what_is_in_the_file_alone_says_nothing_of_the_key(tmp_path: Path) -> None:
    key = bytes(range(fscrypt.KEY_OCTETS))
    lock = lock_file.make(b"\x01" * 16, key, OpenedBy.PASSPHRASE, PASSPHRASE.encode())
    file = tmp_path / "lock.json"
    lock_file.write(file, lock)
    assert lock_file.read(file) == lock
    assert PASSPHRASE not in file.read_text()
    assert lock_file.key_of(lock, PASSPHRASE.encode()) == key
    changed = json.loads(file.read_text()) | {"wrapped": lock.wrapped[::-1]}
    file.write_text(json.dumps(changed))
    found = lock_file.read(file)
    assert found is not None
    with pytest.raises(WrongKeyError):
        lock_file.key_of(found, PASSPHRASE.encode())
