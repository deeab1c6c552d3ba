"""The encryption of the disk over the interface; the part that root runs is tested in tests/disk_lock."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from appliance.disk_lock import fscrypt, lock_file, owner, sticks
from appliance.disk_lock.lock_file import OpenedBy
from appliance.settings.accounts import Scope
from tests.api.served import Served

PASSPHRASE = "nine white horses"
WISH = {"opened_by": "passphrase", "passphrase": PASSPHRASE}


@pytest.fixture(name="wanted")
def _wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine made from the image; the path of the file with the box's requests to root."""
    monkeypatch.setattr(owner, "is_image", lambda: True)
    for name in ("WANTED", "PROGRESS", "LOCK"):
        monkeypatch.setattr(owner, name, tmp_path / name.lower())
    monkeypatch.setattr(sticks, "plugged_in", list)
    return owner.WANTED


def locked(by: OpenedBy = OpenedBy.PASSPHRASE) -> None:
    key = bytes(fscrypt.KEY_OCTETS)
    lock_file.write(owner.LOCK, lock_file.make(b"i" * 16, key, by, PASSPHRASE.encode()))


def test_a_request_to_encrypt_is_stored_for_root_privately_and_a_second_one_is_refused(
    served: Served, wanted: Path
) -> None:
    assert served.ask("GET", "/disk-lock").json["opened_by"] is None
    answer = served.ask("POST", "/disk-lock", WISH)
    assert (answer.status, answer.json["step"]) == (202, "working")
    assert json.loads(wanted.read_text())["passphrase"] == PASSPHRASE
    assert wanted.stat().st_mode & 0o077 == 0
    assert served.ask("DELETE", "/disk-lock").json["code"] == "disk_lock_under_way"
    log = served.ask("GET", "/audit").json
    assert PASSPHRASE not in json.dumps(log)


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"opened_by": "passphrase"}, "passphrase"),
        ({"opened_by": "passphrase", "passphrase": "short"}, "passphrase"),
        ({"opened_by": "a word"}, "opened_by"),
    ],
)
def test_an_invalid_request_to_encrypt_is_refused_with_the_field(
    served: Served, wanted: Path, wish: dict[str, str], field: str
) -> None:
    answer = served.ask("POST", "/disk-lock", wish)
    assert (answer.status, answer.json["errors"][0]["path"]) == (400, field)
    assert not wanted.exists()


def test_another_passphrase_needs_the_present_one(served: Served, wanted: Path) -> None:
    locked()
    assert served.ask("GET", "/disk-lock").json["opened_by"] == "passphrase"
    refused = served.ask("POST", "/disk-lock", {**WISH, "present": "something else"})
    assert (refused.status, refused.json["errors"][0]["path"]) == (400, "present")
    assert not wanted.exists()
    assert served.ask("POST", "/disk-lock", {**WISH, "present": PASSPHRASE}).status == 202


def test_only_administrators_see_and_change_the_encryption_of_the_disk(served: Served, wanted: Path) -> None:
    token = served.key("receiver-of-disk", Scope.SEND, Scope.RECEIVE)
    for method, body in (("GET", None), ("POST", WISH), ("DELETE", None)):
        assert served.ask(method, "/disk-lock", body, token=token).status == 403
    assert not wanted.exists()


def test_a_machine_that_is_not_the_image_is_advised_to_use_luks(served: Served) -> None:
    assert served.ask("GET", "/disk-lock").json["possible"] is False
    answer = served.ask("POST", "/disk-lock", WISH)
    assert (answer.status, answer.json["code"]) == (409, "disk_not_lockable")
    assert "LUKS" in answer.json["advice"]
