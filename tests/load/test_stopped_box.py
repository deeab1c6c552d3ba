"""The box's main process is stopped during calls (SIGSTOP), as by a stalling card or swapping.

The exchange goes on without it.  Calls of three pages are begun one after the other, so that one stop meets
calls in every phase; what the far ends then hold is compared with what the box says.  One stop of the
longest always; 2, 5, 10 and 20 s again and again with FAXBOX_SWEEP=1 or ``-m full``.
"""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from http import HTTPStatus
from pathlib import Path

import pytest

from bench import marked
from bench.burst import Arrivals
from bench.running import Client, Running, running

SETTINGS = {"practice.speed": "1", "practice.calls_at_once": "24", "practice.wait_s": "0.2"}
PAGES = 3
# Calls begin so far apart, seconds: a call of three such pages takes about 35 s.
APART_S = 2.5
FINISH_S = 240.0


@pytest.mark.realtime
@pytest.mark.timeout(2 * FINISH_S)
def test_a_box_held_up_for_20_s_in_its_calls_loses_no_page(tmp_path: Path) -> None:
    assert _stopped(tmp_path, [20.0], calls=4) == 4


@pytest.mark.full
@pytest.mark.timeout(20 * FINISH_S)
def test_a_box_held_up_again_and_again_loses_no_page(tmp_path: Path) -> None:
    """Over fifty meetings of a stop with a phase of a call."""
    met = 0
    for seconds in (2.0, 5.0, 10.0, 20.0):
        (folder := tmp_path / f"{seconds:g}").mkdir()
        met += _stopped(folder, [seconds], calls=14)
    assert met == 56


def _stopped(folder: Path, stops: list[float], calls: int) -> int:
    data = folder / "box"
    with running(data, SETTINGS) as box:
        arrivals = Arrivals(data, folder / "kept")
        client = box.client()
        made: dict[int, int] = {}
        for fax in range(calls):
            made[fax] = _send(client, fax)
            time.sleep(APART_S)
        for seconds in stops:
            _hold(box, seconds)
        end = time.monotonic() + FINISH_S
        while client.unfinished() and time.monotonic() < end:
            time.sleep(0.2)
        found = {fax: client.ask("GET", f"/faxes/{job}").json for fax, job in made.items()}
        client.close()
    arrivals.close()
    pages = arrivals.pages()
    told = {
        fax: [(attempt["result"]["code"], attempt["seconds"]) for attempt in seen["attempts"]]
        for fax, seen in found.items()
    }
    assert Counter(seen["state"] for seen in found.values()) == {"delivered": calls}, told
    assert {len(attempts) for attempts in told.values()} == {1}, [t for t in told.items() if len(t[1]) > 1]
    for fax in made:
        assert [pages["9990", fax, page] for page in range(PAGES)] == [1] * PAGES, (fax, told[fax])
    return calls * len(stops)


def _send(client: Client, fax: int) -> int:
    reply = client.send("9990", f"{fax}.tif", marked.document(fax, PAGES), quality="standard")
    assert reply.status == HTTPStatus.CREATED, reply.json
    return int(reply.json["faxes"][0]["id"])


def _hold(box: Running, seconds: float) -> None:
    os.kill(box.process.pid, signal.SIGSTOP)
    try:
        time.sleep(seconds)
    finally:
        os.kill(box.process.pid, signal.SIGCONT)
