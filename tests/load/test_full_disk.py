"""The disk of a running box fills up repeatedly: clear refusals, nothing accepted in part.

The box lies on a file system of its own in memory, which another program eats up while faxes are handed
in, sent, received and told about.  Without the right to mount one there is nothing to test on.
"""

from __future__ import annotations

import base64
import contextlib
import os
import random
import sqlite3
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

from appliance.spool.identity import DATABASE_NAME
from appliance.t4.tiff import FaxTiff
from bench import marked
from bench.running import Running, running
from tests.deliver.making import Hook, hook_server

SIZE_MB = 80
FLOODS = 20 if os.environ.get("FAXBOX_SWEEP") else 2
SETTINGS = {
    "practice.speed": "10",
    "practice.calls_at_once": "6",
    "practice.wait_s": "0.2",
    "storage.reserve_mb": "20",
    "storage.warn_mb": "20",
    "api.private_urls": "true",
    "sending.max_tries": "50",
}
FINISH_S = 180.0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "tmpfs", str(place)]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("a file system of its own may not be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.timeout(900)
def test_a_disk_that_is_full_refuses_clearly_and_loses_nothing(small_disk: Path) -> None:
    chance = random.Random(7)
    log = small_disk.with_name("serve.log")  # on a disk with room, or it could not say what went wrong
    with hook_server(Hook()) as hook, running(small_disk / "box", SETTINGS, log) as box:
        stop = threading.Event()
        answers: Counter[int] = Counter()
        accepted: list[int] = []
        clients = [
            threading.Thread(target=_hand_in, args=(box, hook.url, stop, answers, accepted)),
            threading.Thread(target=_call_in, args=(box, stop, answers)),
        ]
        for client in clients:
            client.start()
        for _ in range(FLOODS):
            time.sleep(chance.uniform(0.5, 2.0))
            refused = answers[HTTPStatus.INSUFFICIENT_STORAGE]
            _flood(
                small_disk / "flood", chance.uniform(1.5, 4.0), lambda before=refused: _more(answers, before)
            )
        time.sleep(1.5)
        stop.set()
        for client in clients:
            client.join()
        client = box.client()
        before = client.send("9990", "a.tif", marked.document(1), quality="standard").status
        end = time.monotonic() + FINISH_S
        while client.unfinished() and time.monotonic() < end:
            time.sleep(0.3)
        states = Counter(client.ask("GET", f"/faxes/{job}").json["state"] for job in accepted)
        client.close()
        alive = box.process.poll() is None
    database = sqlite3.connect(box.data / DATABASE_NAME)
    sound = database.execute("PRAGMA integrity_check").fetchone()[0]
    pages = [row[0] for row in database.execute("SELECT path FROM received_page")]
    open_calls = database.execute("SELECT COUNT(*) FROM received WHERE state = 'receiving'").fetchone()[0]
    told = database.execute("SELECT COUNT(*) FROM outbox WHERE kind = 'webhook'").fetchone()[0]
    handed_in = database.execute("SELECT COUNT(*) FROM job").fetchone()[0]
    database.close()
    print(f"{dict(answers)}; {dict(states)}; {len(pages)} pages came in; {told} webhooks planned")
    assert alive
    assert sound == "ok"
    assert before == HTTPStatus.CREATED  # as soon as there is room
    assert answers[HTTPStatus.INSUFFICIENT_STORAGE] > 0
    assert set(answers) <= {
        HTTPStatus.CREATED,
        HTTPStatus.ACCEPTED,
        HTTPStatus.INSUFFICIENT_STORAGE,
        HTTPStatus.CONFLICT,
    }
    assert sum(states.values()) == len(accepted)
    assert handed_in == len(accepted) + 1  # what was refused was not taken all the same
    assert set(states) <= {"delivered", "unknown"}
    assert told == len(accepted)
    assert open_calls == 0
    for path in pages:
        with FaxTiff(box.data / path) as tiff:
            assert tiff.raster(0).rows > 0
    assert "Traceback" not in log.read_text()


def _more(answers: Counter[int], before: int) -> bool:
    """Whether something was refused for want of room since."""
    return answers[HTTPStatus.INSUFFICIENT_STORAGE] > before


def _flood(path: Path, hold_s: float, met: Callable[[], bool]) -> None:
    """Takes all that is left until somebody has ``met`` that, and gives it back."""
    least, last = time.monotonic() + hold_s, time.monotonic() + FINISH_S
    try:
        with path.open("wb", buffering=0) as file:
            while time.monotonic() < least or (not met() and time.monotonic() < last):
                try:
                    file.write(bytes(1 << 16))
                except OSError:
                    with contextlib.suppress(OSError):
                        file.write(bytes(512))
                    time.sleep(0.01)
    finally:
        path.unlink()


def _hand_in(
    box: Running, hook: str, stop: threading.Event, answers: Counter[int], accepted: list[int]
) -> None:
    with contextlib.closing(box.client()) as client:
        fax = 0
        while not stop.is_set():
            fax += 1
            document = marked.document(fax % marked.MOST)
            reply = client.send("9990", "a.tif", document, quality="standard", callback_url=hook)
            answers[reply.status] += 1
            if reply.status == HTTPStatus.CREATED:
                accepted.append(reply.json["faxes"][0]["id"])
            elif reply.status != HTTPStatus.INSUFFICIENT_STORAGE:
                print(reply.status, reply.content[:300])
            stop.wait(0.1)


def _call_in(box: Running, stop: threading.Event, answers: Counter[int]) -> None:
    content = base64.b64encode(marked.document(1, 2)).decode()
    with contextlib.closing(box.client()) as client:
        while not stop.is_set():
            files = [{"name": "a.tif", "content": content}]
            reply = client.ask("POST", "/practice/receive", {"files": files})
            answers[reply.status] += 1
            stop.wait(0.3)
