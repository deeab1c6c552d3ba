"""``kill -9`` on a whole running box during calls both ways, checked at the far ends.

A few kills always, forty with FAXBOX_SWEEP=1.  (tests/dispatch/test_kill.py kills the core hundreds of
times with lines that know the instant of every confirmation; here all is real and seen from outside.)
"""

from __future__ import annotations

import json
import os
import random
import sqlite3
import time
from collections import Counter
from http import HTTPStatus
from pathlib import Path

import pytest

from appliance.spool.identity import DATABASE_NAME
from appliance.t4.tiff import FaxTiff
from bench import marked
from bench.burst import Arrivals
from bench.running import Running, running

KILLS = 40 if os.environ.get("FAXBOX_SWEEP") else 2
FAXES_A_LIFE = 10
CALLERS_A_LIFE = 3
CALLS_AT_ONCE = 8
SETTINGS = {"practice.speed": "10", "practice.calls_at_once": str(CALLS_AT_ONCE), "practice.wait_s": "0.2"}
FINISH_S = 400.0


@pytest.mark.timeout(2 * FINISH_S)
def test_a_box_killed_in_its_calls_loses_nothing_and_sends_nothing_confirmed_twice(tmp_path: Path) -> None:
    data, chance = tmp_path / "box", random.Random(5)
    accepted: dict[int, int] = {}  # the box's id of each fax that it said it had accepted
    arrivals = None
    for _ in range(KILLS):
        with running(data, SETTINGS) as box:
            arrivals = arrivals or Arrivals(data, tmp_path / "kept")
            _load(box, accepted)
            time.sleep(chance.uniform(0.0, 3.0))
            box.process.kill()
            box.process.wait()
        database = sqlite3.connect(data / DATABASE_NAME)
        assert database.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        database.close()
    assert arrivals is not None
    with running(data, SETTINGS) as box:
        client = box.client()
        end = time.monotonic() + FINISH_S
        while client.unfinished() and time.monotonic() < end:
            time.sleep(0.2)
        faxes = {fax: client.ask("GET", f"/faxes/{job}").json for fax, job in accepted.items()}
        assert client.ask("POST", "/practice/receive", {}).status < HTTPStatus.BAD_REQUEST
        while not client.ask("GET", "/received").json["received"] and time.monotonic() < end:
            time.sleep(0.2)
        received = client.ask("GET", "/received?limit=100").json["received"]
        client.close()
    arrivals.close()
    pages = arrivals.pages()
    states = Counter(found["state"] for found in faxes.values())
    print(dict(states), f"{len(received)} received", Counter(fax["state"] for fax in received))
    assert set(states) <= {"delivered", "unknown"}
    # The right to end the last page is asked for before that page is sent, so a call that a kill cut off in
    # its only page may have ended it, for all that the box knows.  No other fax is in doubt.
    assert states["unknown"] <= KILLS * CALLS_AT_ONCE
    assert states["delivered"] >= len(faxes) - KILLS * CALLS_AT_ONCE
    for fax, found in faxes.items():
        times = pages["9990", fax, 0]
        if found["state"] == "delivered":
            # A page that arrived but whose confirmation we never heard, in a call that a kill cut off before
            # its end was signalled, may go again: the far end dropped that call as broken.
            results = [attempt["result"]["code"] for attempt in found["attempts"]]
            # Confirmed once, be it in the farewell of the call that the kill cut off, and never sent again.
            assert [code == "delivered" for code in results] == [False] * (len(results) - 1) + [True], results
            cut_off = results.count("interrupted")
            assert 1 <= times <= 1 + cut_off, f"fax {fax} arrived {times} times"
    assert received
    for row in _received_pages(data):
        with FaxTiff(data / row) as tiff:
            assert tiff.raster(0).rows > 0


def _load(box: Running, accepted: dict[int, int]) -> None:
    client = box.client()
    for _ in range(CALLERS_A_LIFE):
        assert client.ask("POST", "/practice/receive", {}).status < HTTPStatus.BAD_REQUEST
    for _ in range(FAXES_A_LIFE):
        fax = len(accepted)
        reply = client.send("9990", f"{fax}.tif", marked.document(fax), quality="standard")
        assert reply.status == HTTPStatus.CREATED, json.dumps(reply.json)
        accepted[fax] = reply.json["faxes"][0]["id"]
    client.close()


def _received_pages(data: Path) -> list[str]:
    database = sqlite3.connect(data / DATABASE_NAME)
    try:
        return [row[0] for row in database.execute("SELECT path FROM received_page")]
    finally:
        database.close()
