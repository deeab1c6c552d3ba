"""The disk of a running box becomes read-only or runs out of inodes: clear refusals, nothing lost.

The box lies on a file system of its own in memory.  Without the right to mount one there is nothing to
test on.
"""

from __future__ import annotations

import contextlib
import errno
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

from appliance.causes import Cause
from appliance.daemon.arguments import EXIT_STORAGE, EXIT_UNUSABLE
from appliance.spool.causes import STORAGE_FAILED, STORAGE_FULL, STORAGE_READ_ONLY
from appliance.spool.identity import DATABASE_NAME
from appliance.spool.room import FILES_KEPT
from bench import marked
from bench.running import Client, Running, running
from tests.load.faulty import FaultyDisk

SETTINGS = {
    "practice.speed": "10",
    "practice.wait_s": "0.2",
    "storage.reserve_mb": "20",
    "storage.warn_mb": "20",
}
FINISH_S = 90.0  # only for hangs


def run(*command: str) -> bool:
    return not subprocess.run(command, check=False, capture_output=True).returncode


@contextlib.contextmanager
def disk(place: Path, *mount: str) -> Iterator[Path]:
    """A file system of its own."""
    place.mkdir(exist_ok=True)
    if not run("mount", *mount, str(place)):
        pytest.skip("a file system of its own may not be mounted here")
    try:
        yield place
    finally:
        # All that the box has started must have let go, or what is mounted next is the same once more.
        until(lambda: run("umount", str(place)), "the file system is still in use")


def hand_in(client: Client) -> tuple[int, str, int]:
    """Status, code of the refusal, id of the fax."""
    reply = client.send("9990", "a.tif", marked.document(1), quality="standard")
    if reply.status == HTTPStatus.CREATED:
        return reply.status, "", reply.json["faxes"][0]["id"]
    return reply.status, str(reply.json["code"]), 0


def until(done: object, what: str) -> None:
    end = time.monotonic() + FINISH_S
    while not done():  # type: ignore[operator]
        assert time.monotonic() < end, what
        time.sleep(0.2)


def sound(box: Running) -> bool:
    with contextlib.closing(sqlite3.connect(box.data / DATABASE_NAME)) as database:
        return bool(database.execute("PRAGMA integrity_check").fetchone()[0] == "ok")


@pytest.mark.full
def test_a_disk_that_fails_is_named_and_nothing_that_was_accepted_is_lost(tmp_path: Path) -> None:
    """ext4 turns itself read-only under a running box, as it does at the first error of a dying card."""
    log = tmp_path / "serve.log"
    with card(tmp_path) as place, running(place / "box", SETTINGS, log) as box:
        client = box.client()
        accepted = [hand_in(client)[2] for _ in range(3)]
        (held,) = client.send("9990", "a.tif", marked.document(1), quality="standard", hold="true").json[
            "faxes"
        ]
        assert run("mount", "-o", "remount,abort", str(place))
        for _ in range(3):
            assert hand_in(client)[:2] == (HTTPStatus.INSUFFICIENT_STORAGE, "storage_read_only")
        until(lambda: not client.ask("GET", "/health").json["accepting"], "health never said so")
        assert client.ask("GET", "/health").json["problem"]["code"] == "storage_read_only"
        for path in ("/faxes", f"/faxes/{held['id']}", "/received", "/status"):
            assert client.ask("GET", path).status == HTTPStatus.OK, "what is there can be read"
        client.close()
        assert box.process.poll() is None
    run("fsck.ext4", "-p", str(tmp_path / "card.img"))
    with card(tmp_path) as place, running(place / "box", SETTINGS, log) as box:
        client = box.client()
        assert client.ask("POST", f"/faxes/{held['id']}/release").status == HTTPStatus.OK
        until(lambda: not client.unfinished(), "a fax is still under way")
        states = [client.ask("GET", f"/faxes/{fax}").json["state"] for fax in [*accepted, held["id"]]]
        assert set(states) <= {"delivered", "unknown"}
        assert states[-1] == "delivered"
        assert sound(box)
        client.close()
    assert "Traceback" not in log.read_text()


@contextlib.contextmanager
def card(tmp_path: Path) -> Iterator[Path]:
    """A card of its own, ext4, that becomes read-only at its first error."""
    image = tmp_path / "card.img"
    if not image.exists():
        with image.open("wb") as file:
            file.truncate(150_000_000)
        if not run("mkfs.ext4", "-q", str(image)):
            pytest.skip("mkfs.ext4 (e2fsprogs) is not here")
    with disk(tmp_path / "disk", "-o", "loop,errors=remount-ro", str(image)) as place:
        yield place


def fill(place: Path) -> None:
    with contextlib.suppress(OSError), (place / "fill").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


@pytest.mark.realtime
@pytest.mark.parametrize("read_only", [True, False], ids=["read-only", "full"])
def test_what_is_on_a_disk_that_takes_nothing_more_can_be_saved(tmp_path: Path, read_only: bool) -> None:
    """By the pages and by the command, while the box runs; and by the command when it was stopped."""
    phrase = tmp_path / "phrase"
    phrase.write_text("nine white horses")
    saving = ("--received", "--passphrase-file", str(phrase))
    with card(tmp_path) as place:
        with running(place / "box", SETTINGS, tmp_path / "serve.log") as box:
            client = box.client()
            client.ask("POST", "/practice/receive", {"caller": "4711"})
            until(lambda: _received(client), "nothing came in")
            fill(place)
            if read_only:
                assert run("mount", "-o", "remount,abort", str(place))
            pdf = client.ask("GET", f"/received/{_received(client)[0]['id']}/pdf")
            assert pdf.content.startswith(b"%PDF"), pdf
            wanted = {"passphrase": "nine white horses", "received": True}
            by_page = client.ask("POST", "/backup", wanted)
            assert by_page.status == HTTPStatus.OK, by_page
            done = faxbox("backup", str(tmp_path / "while it runs"), *saving, data=place / "box")
            assert not done.returncode, done.stderr
            client.close()
        done = faxbox("backup", str(tmp_path / "stopped"), *saving, data=place / "box")
        assert not done.returncode, done.stderr
    (tmp_path / "by page").write_bytes(by_page.content)
    for name in ("by page", "while it runs", "stopped"):
        restored = ("restore", str(tmp_path / name), "--passphrase-file", str(phrase))
        assert faxbox(*restored, data=tmp_path / f"box from {name}").stdout.endswith(" 1 received faxes.\n")
    assert "Traceback" not in (tmp_path / "serve.log").read_text()


@pytest.mark.realtime
@pytest.mark.parametrize(
    ("error", "part", "cause"),
    [
        (errno.EIO, "spool.sqlite3", "storage_failed"),
        (errno.EIO, "/documents/", "storage_failed"),
        (errno.EDQUOT, "/box/", "storage_full"),
        (errno.EROFS, "/box/", "storage_read_only"),
    ],
    ids=lambda value: errno.errorcode.get(value, "") if isinstance(value, int) else value.strip("/"),
)
def test_an_error_of_the_disk_is_told_as_that_and_the_next_fax_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int, part: str, cause: str
) -> None:
    log, card = tmp_path / "serve.log", FaultyDisk(tmp_path, monkeypatch)
    with running(tmp_path / "box", SETTINGS, log) as box:
        client = box.client()
        card.fail(error, part)
        assert hand_in(client)[:2] == (HTTPStatus.INSUFFICIENT_STORAGE, cause)
        card.heal()
        assert hand_in(client)[0] == HTTPStatus.CREATED
        until(lambda: not client.unfinished(), "a fax is still under way")
        assert sound(box)
        client.close()
    assert "Traceback" not in log.read_text()


@pytest.mark.parametrize(
    ("error", "cause"), [(errno.EIO, STORAGE_FAILED), (errno.EDQUOT, STORAGE_FULL)], ids=["EIO", "EDQUOT"]
)
def test_a_start_that_meets_an_error_of_the_disk_calls_no_index_damaged_and_may_be_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int, cause: Cause
) -> None:
    log, card = tmp_path / "serve.log", FaultyDisk(tmp_path, monkeypatch)
    with running(tmp_path / "box", SETTINGS, log) as box:
        assert hand_in(box.client())[0] == HTTPStatus.CREATED
        box.process.kill()
    card.fail(error, "/box/")
    done = faxbox("serve", "--http", "127.0.0.1:0", data=tmp_path / "box")
    assert (done.returncode, cause.sentence in done.stderr) == (EXIT_STORAGE, True), done.stderr
    assert "rebuild" not in done.stderr


def _received(client: Client) -> list[dict[str, object]]:
    return [each for each in client.ask("GET", "/received").json["received"] if each["state"] == "complete"]


@pytest.mark.realtime
def test_a_disk_without_room_for_more_files_refuses_before_a_fax_is_half_taken(tmp_path: Path) -> None:
    log = tmp_path / "serve.log"
    small = ("-t", "tmpfs", "-o", f"size=200m,nr_inodes={FILES_KEPT + 500}", "tmpfs")
    with disk(tmp_path / "disk", *small) as place, running(place / "box", SETTINGS, log) as box:
        client = box.client()
        assert hand_in(client)[0] == HTTPStatus.CREATED
        crowd = place / "crowd"
        crowd.mkdir()
        with contextlib.suppress(OSError):
            for number in range(FILES_KEPT + 500):
                (crowd / str(number)).touch()
        until(lambda: hand_in(client)[:2] == (HTTPStatus.INSUFFICIENT_STORAGE, "storage_full"), "not refused")
        until(lambda: not client.ask("GET", "/health").json["accepting"], "it was never noticed")
        assert client.ask("GET", "/health").json["problem"]["code"] == "storage_full"
        for path in crowd.iterdir():
            path.unlink()
        until(lambda: hand_in(client)[0] == HTTPStatus.CREATED, "it never came back")
        until(lambda: not client.unfinished(), "a fax is still under way")
        assert sound(box)
        client.close()
    assert "Traceback" not in log.read_text()


def test_a_start_on_a_full_disk_waits_for_room_and_says_so(tmp_path: Path) -> None:
    """It may not end: systemd gives up after five failed starts."""
    log = tmp_path / "serve.log"
    with disk(tmp_path / "disk", "-t", "tmpfs", "-o", "size=60m", "tmpfs") as place:
        with running(place / "box", SETTINGS, log) as box:
            assert hand_in(box.client())[0] == HTTPStatus.CREATED
            box.process.kill()
        with log.open("a") as output:
            fill(place)
            command = [sys.executable, "-m", "appliance.cli", "serve", "--http", "127.0.0.1:0"]
            process = subprocess.Popen([*command, "--data", str(place / "box")], stdout=output, stderr=output)
            try:
                until(lambda: STORAGE_FULL.sentence in log.read_text(), "it does not say why it waits")
                assert process.poll() is None
                (place / "fill").unlink()
                until(lambda: log.read_text().count("faxbox is ready") == 2, "it does not start")
            finally:
                process.terminate()
                process.wait(FINISH_S)


@pytest.mark.parametrize("how", ["never started", "stopped", "killed"])
def test_a_box_does_not_start_on_a_disk_that_is_read_only_and_says_so_and_no_index_is_called_damaged(
    tmp_path: Path, how: str
) -> None:
    with disk(tmp_path / "disk", "-t", "tmpfs", "-o", "size=200m", "tmpfs") as place:
        box = place / "box"
        if how != "never started":
            with running(box, SETTINGS, tmp_path / "serve.log") as before:
                assert hand_in(before.client())[0] == HTTPStatus.CREATED
                if how == "killed":
                    before.process.kill()
        until(lambda: run("mount", "-o", "remount,ro", str(place)), "it cannot become read-only")
        done = faxbox("serve", "--http", "127.0.0.1:0", data=box)
        assert done.returncode == EXIT_UNUSABLE, done.stderr
        assert STORAGE_READ_ONLY.sentence in done.stderr
        assert STORAGE_READ_ONLY.advice in done.stderr
        if how != "never started":
            assert faxbox("spool", "check", data=box).stdout == "The index of the faxes is whole.\n"


def faxbox(*words: str, data: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "appliance.cli", *words, "--data", str(data)],
        capture_output=True,
        text=True,
        check=False,
        timeout=FINISH_S,
    )
