"""A box with encryption at rest, seen by somebody who has its folder."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance import at_rest
from appliance.box import Box
from appliance.configuration import open_box, open_settings
from appliance.spool import identity, vault
from appliance.spool.filters import JobFilter
from appliance.spool.settings import StorageSettings
from tests.api.served import Served, serving
from tests.daemon.keeping import keeper_of
from tests.daemon.test_index_gone import FAXBOX, receive, serve

WORD = "Xylophonquartett"
MESSAGE = "Glockenspielorchester"


def holding(data: Path, *words: str) -> set[str]:
    """Files of the folder in which one of these words stands, coded as a fax page or not."""
    return {
        path.name
        for path in data.rglob("*")
        if path.is_file() and any(word.encode() in path.read_bytes() for word in words)
    }


def plain_files(data: Path) -> set[str]:
    """Files with content of faxes that are not encrypted."""
    return {
        str(path.relative_to(data))
        for folder in vault.SEALED_FOLDERS
        for path in (data / folder).rglob("*")
        if path.is_file() and not path.read_bytes().startswith(b"FAXSEAL1")
    }


def send(served: Served, what: str = "") -> int:
    files = [{"name": "letter.txt", "content": base64.b64encode(f"{WORD} {what}\n".encode() * 9).decode()}]
    cover = {"subject": "figures", "message": MESSAGE}
    made = served.ask("POST", "/faxes", {"to": ["9990"], "files": files, "cover": cover})
    assert made.status == 201, made.content
    fax_id: int = made.json["faxes"][0]["id"]
    assert served.ended(fax_id)["state"] == "delivered"
    return fax_id


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A box that stored faxes before encryption was switched on."""
    folder = tmp_path_factory.mktemp("encrypted") / "data"
    with serving(folder) as box:
        send(box)
        assert holding(folder, WORD)
        assert holding(folder, MESSAGE)
        for path in folder.rglob("*"):
            if path.is_file():
                os.utime(path, (1.0, time.time() - 2 * vault.QUIET_S))
        assert box.ask("PATCH", "/settings/storage", {"encrypt": True}).status == 200
        keeper_of(box.box).follow_encryption()
        yield box


def test_no_word_of_what_is_stored_can_be_found_in_the_folder(served: Served) -> None:
    data, before = served.box.data, served.box.faxes.search(JobFilter())[-1].id
    assert holding(data, WORD, MESSAGE) == set(), "what was stored before"
    fax_id = send(served)
    assert holding(data, WORD, MESSAGE) == set(), "what was stored since"
    assert plain_files(data) == set()
    for number in (before, fax_id):
        assert served.ask("GET", f"/faxes/{number}/document").content.startswith(b"%PDF")
        assert served.ask("GET", f"/faxes/{number}/pages/1").content.startswith(b"\x89PNG")
    again = served.ask("POST", f"/faxes/{before}/resend", {})
    assert again.status == 201, again.content
    assert served.ended(again.json["id"])["state"] == "delivered"


def test_a_received_fax_is_encrypted_and_can_be_had(served: Served) -> None:
    assert served.ask("POST", "/practice/receive", {"caller": "5551234"}).status == 202
    served.wait(lambda: bool(served.ask("GET", "/received").json["received"]))
    served.wait(lambda: served.ask("GET", "/received").json["received"][0]["state"] == "complete")
    fax = served.ask("GET", "/received").json["received"][0]
    assert plain_files(served.box.data) == set()
    assert served.ask("GET", f"/received/{fax['id']}/pdf").content.startswith(b"%PDF")
    assert served.ask("GET", f"/received/{fax['id']}/tiff").content.startswith(b"II")


def test_a_changed_page_is_noticed_and_named(served: Served) -> None:
    fax_id = send(served, "changed")
    folder = served.box.data / served.box.faxes.get(fax_id).rendered_path
    pages = folder / "pages-0.mmr"
    changed = bytearray(pages.read_bytes())
    changed[-20] ^= 4
    pages.write_bytes(changed)
    answer = served.ask("GET", f"/faxes/{fax_id}/pages/1")
    assert (answer.status, answer.json["detail"]) == (
        410,
        "page 1 cannot be read: pages-0.mmr was changed or damaged on the disk",
    )


def test_erasing_a_fax_destroys_the_keys_of_its_files(served: Served, tmp_path: Path) -> None:
    fax_id = send(served, "erased")
    folder = served.box.data / served.box.faxes.get(fax_id).rendered_path
    kept = tmp_path / "what the disk keeps"
    kept.hardlink_to(folder / "pages-0.mmr")
    assert served.ask("POST", f"/faxes/{fax_id}/erase", {}).status == 200
    assert kept.read_bytes()[: at_rest.HEADER_OCTETS] == bytes(at_rest.HEADER_OCTETS)


# -- keys ------------------------------------------------------------------------------------------


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A stopped box that encrypts, with received faxes."""
    folder = tmp_path / "data"
    open_settings(folder).change(StorageSettings, {"encrypt": True})
    box = open_box(folder)
    receive(box)
    box.close()
    at_rest.unlock_folder(folder)
    return folder


def state(data: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (data / "received").iterdir()}


def test_a_lost_key_is_said_and_costs_nothing_when_it_is_back(data: Path) -> None:
    key, before = data.with_name("data.key"), state(data)
    kept = key.read_bytes()
    assert key.stat().st_mode & 0o777 == 0o600
    key.unlink()
    refused = serve(data)
    assert refused.returncode == 78
    assert f"is not in {key}: put it back there" in refused.stderr
    assert "Traceback" not in refused.stderr
    key.write_text("00" * 32 + "\n")
    assert "is not the one that the stored faxes are encrypted with" in serve(data).stderr
    key.write_text("no key")
    assert "cannot be used" in serve(data).stderr
    assert state(data) == before
    key.write_bytes(kept)
    box = open_box(data)
    try:
        assert len(at_rest.read_bytes(data / "received" / min(before))) > 100
    finally:
        box.close()


def test_without_its_key_a_box_that_encrypts_no_more_goes_on(data: Path) -> None:
    before = state(data)
    data.with_name("data.key").unlink()
    open_settings(data).change(StorageSettings, {"encrypt": False})
    box = open_box(data)
    try:
        receive(box, 1)
        assert before.items() <= state(data).items()
    finally:
        box.close()


def test_a_key_in_the_data_folder_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "data"
    open_settings(data).change(StorageSettings, {"encrypt": True, "key_file": str(data / "key")})
    with pytest.raises(vault.KeyLostError, match="lies in the data folder"):
        open_box(data)


def test_the_box_takes_its_key_from_a_passphrase_at_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, said = tmp_path / "data", tmp_path / "passphrase"
    said.write_text("correct horse battery\n")
    monkeypatch.setenv(vault.PASSPHRASE_VARIABLE, str(said))
    open_settings(data).change(StorageSettings, {"encrypt": True})
    box = open_box(data)
    receive(box)
    box.close()
    assert not data.with_name("data.key").exists()
    assert plain_files(data) == set()
    open_box(data).close()
    said.write_text("another passphrase\n")
    with pytest.raises(vault.KeyLostError, match="The passphrase is not the one"):
        open_box(data)
    monkeypatch.delenv(vault.PASSPHRASE_VARIABLE)
    with pytest.raises(vault.KeyLostError, match="none was given"):
        open_box(data)


def test_the_index_is_made_again_from_encrypted_files(data: Path) -> None:
    (data / identity.DATABASE_NAME).unlink()
    done = subprocess.run(
        [*FAXBOX, "spool", "rebuild", "--data", str(data)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 received faxes with 2 pages were added" in done.stdout
    check = subprocess.run([*FAXBOX, "spool", "check", "--data", str(data)], capture_output=True, check=False)
    assert check.returncode == 0


def filled(folder: Path, count: int) -> Box:
    box = open_box(folder)
    for number in range(count):
        box.documents.store_file(f"{WORD} {number}".encode() * 500, name="a.txt", media_type="text/plain")
    return box


# The program, which kills itself before the step to the disk whose number is its first argument.
KILLED_AT_A_STEP = """
import os, signal, sys

left = int(sys.argv.pop(1))

def counted(step):
    def call(*arguments, **more):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return step(*arguments, **more)
    return call

os.fsync, os.rename = counted(os.fsync), counted(os.rename)
from appliance.cli import main
sys.exit(main())
"""
# Steps of one life: some for the start, four for each file, so that each is killed in another phase.
STEPS = range(9, 16)


def test_killed_at_any_step_of_turning_it_on_every_file_is_whole(tmp_path: Path) -> None:
    data, count = tmp_path / "data", 16
    filled(data, count).close()
    wanted = {path.name: path.read_bytes() for path in (data / "documents").iterdir()}
    seen = set()
    for life in range(count):
        steps = STEPS[life % len(STEPS)]
        worker = subprocess.run(
            [sys.executable, "-c", KILLED_AT_A_STEP, str(steps), "spool", "encrypt", "--data", str(data)],
            stdout=subprocess.DEVNULL,
            check=False,
        )
        assert worker.returncode in (0, -signal.SIGKILL)
        at_rest.know(bytes.fromhex(data.with_name("data.key").read_text()))
        for name, content in wanted.items():
            assert at_rest.read_bytes(data / "documents" / name) == content
        seen.add(len([name for name in plain_files(data) if not name.endswith(".part")]))
        if worker.returncode == 0:
            break
    assert holding(data, WORD) == set()
    assert worker.returncode == 0
    assert len(seen) > 2, "it was killed in between"
