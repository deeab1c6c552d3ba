"""An update of the image over the interface; the test does root's part on the same files."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest

from appliance import image_update
from appliance.settings.accounts import ApiKey, Scope
from tests.api.served import Served

BUNDLE = os.urandom(300_000)


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The image's file with the progress of an update."""
    install = tmp_path / "install"
    install.touch()
    monkeypatch.setattr(image_update, "INSTALL", install)
    monkeypatch.setattr(image_update, "STATE", tmp_path / "update.json")
    return image_update.STATE


@pytest.fixture(autouse=True)
def _nothing_left(served: Served) -> None:
    handed_over(served).unlink(missing_ok=True)


def handed_over(served: Served) -> Path:
    return served.box.data / image_update.FOLDER / image_update.HANDED_OVER


def hand_in(served: Served, content: bytes = BUNDLE, **more: str) -> tuple[int, str]:
    answer = served.ask(
        "POST", "/update", content, headers={"Content-Type": "application/octet-stream", **more}
    )
    return answer.status, answer.json.get("code", answer.json.get("step"))


def test_an_update_lies_whole_where_the_image_looks_and_another_has_to_wait(
    served: Served, state: Path
) -> None:
    assert served.ask("GET", "/update").json["step"] == "none"
    assert hand_in(served) == (202, "installing")
    assert handed_over(served).read_bytes() == BUNDLE
    assert handed_over(served).stat().st_mode & 0o777 == 0o600
    assert hand_in(served) == (409, "update_under_way")
    state.write_text(json.dumps({"step": "starting"}))
    handed_over(served).unlink()
    assert hand_in(served) == (409, "update_under_way")


def test_a_refused_update_is_told_with_its_reason_and_the_next_one_is_taken(
    served: Served, state: Path
) -> None:
    state.write_text(json.dumps({"step": "refused", "detail": "Verify error", "refusal": 12}))
    found = served.ask("GET", "/update").json
    assert (found["step"], found["detail"]) == ("refused", "Verify error")
    assert found["refusal"]["code"] == "update_not_signed"
    # What an image of before writes.
    state.write_text(json.dumps({"step": "refused", "detail": "Verify error"}))
    assert served.ask("GET", "/update").json["refusal"]["code"] == "update_refused"
    assert hand_in(served) == (202, "installing")


@pytest.mark.usefixtures("state")
def test_an_update_of_who_is_no_administrator_any_more_is_not_taken(served: Served) -> None:
    token = served.key("updater", Scope.ADMIN)
    head = (
        f"POST /api/v1/update HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/octet-stream\r\nContent-Length: {len(BUNDLE)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", served.port), timeout=60) as sock:
        sock.sendall(head.encode() + BUNDLE[:-1])
        served.wait(lambda: any(handed_over(served).parent.glob("*")))
        key_id = next(i for i, key in served.box.settings.items(ApiKey).items() if key.name == "updater")
        served.box.settings.update(ApiKey, key_id, {"scopes": ("send",)})
        sock.sendall(BUNDLE[-1:])
        assert sock.recv(65536).startswith(b"HTTP/1.1 403 ")
    assert not any(handed_over(served).parent.glob("*"))


@pytest.mark.parametrize("said", ["", "{", "[]", '{"step": 7}', '{"step": "gone"}', "\\x00"], ids=repr)
def test_a_damaged_file_of_the_image_reads_as_no_update(served: Served, state: Path, said: str) -> None:
    state.write_text(said)
    assert served.ask("GET", "/update").json["step"] == "none"


@pytest.mark.usefixtures("state")
def test_what_breaks_off_or_is_too_large_leaves_nothing_behind(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_update, "LARGEST", 1000)
    assert hand_in(served) == (413, "request_too_large")
    monkeypatch.setattr(image_update, "SPARE", 1 << 60)
    assert hand_in(served, b"x") == (507, "storage_full")
    assert not handed_over(served).exists()


def test_a_machine_that_is_no_image_says_how_it_is_updated(served: Served) -> None:
    assert served.ask("GET", "/update").json["possible"] is False
    assert hand_in(served) == (409, "not_an_image")
    assert not handed_over(served).exists()


@pytest.mark.usefixtures("state")
def test_only_an_administrator_may_update_the_image(served: Served) -> None:
    key = served.key("sender", Scope.SEND, Scope.RECEIVE)
    for method in ("GET", "POST"):
        assert served.ask(method, "/update", token=key).status == 403
