"""A day of an office on a fast practice line: nothing lost, nothing twice, memory and disk level.

Twelve hours with 10,000 faxes out and a thousand in, twenty times as fast as an office's clock, and a few
minutes of such an office, both with ``-m full``: ``test_burst`` and ``test_kill_mixed`` always run.
FAXBOX_FAXES and FAXBOX_HOUR_S are for others in another time.  The judges are the far ends, the
webhook's receiver and what the clients were answered; the box is asked last.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import re
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

import pytest

from appliance.causes import RECEIVED
from appliance.lines.causes import LINE_FULL
from appliance.spool.folders import DOCUMENTS, RENDERED
from appliance.spool.identity import DATABASE_NAME
from bench import marked
from bench.burst import Arrivals
from bench.running import Client, Running, pss_mib, running
from tests.deliver.making import Hook, hook_server

# An office's hour passes in so many seconds.
HOUR_S = float(os.environ.get("FAXBOX_HOUR_S") or 180.0)
# How busy each hour is, beside the others: the morning's post, lunch, the afternoon, a quiet evening.
HOURS = (4, 9, 12, 11, 6, 5, 10, 12, 9, 5, 2, 1)
FAXES, SMALL = int(os.environ.get("FAXBOX_FAXES") or 10_000), 40
# Of the faxes, one in so many goes to several numbers, is cancelled at once, is told to a webhook.
BROADCAST, CANCELLED, TOLD = 25, 50, 4
SEVERAL = ("9990", "9998", "9997")
# One comes in for so many that go out.
IN_FOR_OUT = 10
# Faxes that have not ended at most: an office whose lines cannot keep up waits, and so do we.
BACKLOG = 120
SETTINGS = {
    "practice.speed": "10",
    "practice.calls_at_once": "40",
    "practice.wait_s": "0.2",
    "sending.max_tries": "50",
    "api.private_urls": "true",
    "storage.documents_days": "0",
}
# The box's own process after 10,000 faxes, MB (10^6 octets), and how much it may grow after the first hour.
OWN_MB, LEVEL_MB = 100.0, 40.0
FINISH_S = 400.0


@dataclass
class Sent:
    """A fax that the box accepted: its mark, its numbers and pages, and its ids."""

    mark: int
    numbers: tuple[str, ...]
    pages: int
    ids: tuple[int, ...]
    told: bool = False
    cancelled: bool = False  # the box said yes


@dataclass(frozen=True, slots=True)
class Look:
    """At the end of an hour: memory of the box's own process and of all, what the data folder holds, MB."""

    hour: int
    ended: int
    own_mb: float
    all_mb: float
    disk_mb: float
    seconds: float


@dataclass
class Day:
    box: Running
    hook: Hook
    sent: list[Sent] = field(default_factory=list)
    callers: list[str] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    answers: Counter[int] = field(default_factory=Counter)
    begun: float = field(default_factory=time.monotonic)


@pytest.mark.full
@pytest.mark.timeout(900)
def test_a_few_minutes_of_an_office_lose_nothing_and_send_nothing_twice(tmp_path: Path) -> None:
    _office(tmp_path, SMALL, hours=(1,), hour_s=5.0)


@pytest.mark.full
@pytest.mark.timeout(3 * 3600)
def test_twelve_hours_of_an_office_lose_nothing_send_nothing_twice_and_stay_level(tmp_path: Path) -> None:
    day = _office(tmp_path, FAXES, HOURS, HOUR_S)
    assert day.looks[-1].own_mb < OWN_MB
    assert day.looks[-1].own_mb - day.looks[0].own_mb < LEVEL_MB


def _office(tmp_path: Path, faxes: int, hours: tuple[int, ...], hour_s: float) -> Day:
    data = tmp_path / "box"
    with hook_server(Hook()) as hook:
        with running(data, SETTINGS) as box:
            arrivals = Arrivals(data, tmp_path / "kept")
            day = Day(box, hook)
            stop = threading.Event()
            people = [
                threading.Thread(target=work, args=(day, stop), daemon=True) for work in (_caller, _looker)
            ]
            for person in people:
                person.start()
            for hour, busy in enumerate(hours):
                _hour(day, faxes * busy // sum(hours), hour_s)
                _look(day, hour)
            stop.set()
            for person in people:
                person.join(60)
            with contextlib.closing(box.client()) as client:
                _until(lambda: not client.unfinished() and not _pending(data))
                _until(lambda: _practice_calls(data).keys() >= set(day.callers))
                _look(day, len(hours))
                wrong = _judge(day, client)
            arrivals.close()
        wrong += _judge_pages(day, arrivals)
        wrong += _judge_webhooks(day)
        before = _size_mb(data)
        cancelled = sum(len(sent.ids) for sent in day.sent if sent.mark % CANCELLED == 1)
        with running(data):  # the night: a start deletes what has expired
            # Pages that were being made when their fax was cancelled are swept an hour later.
            _until(lambda: len(_sources(data)) <= cancelled)
        print(f"{len(day.sent)} faxes out, {len(day.callers)} in, {before:.1f} → {_size_mb(data):.1f} MB")
    assert wrong == []
    assert "Traceback" not in (data / "serve.log").read_text()
    return day


# -- the office ----------------------------------------------------------------------------------------


def _hour(day: Day, faxes: int, hour_s: float) -> None:
    """Hands ``faxes`` faxes in, spread over the hour."""
    begun = time.monotonic()
    with contextlib.closing(day.box.client()) as client:
        for count in range(faxes):
            wait = begun + hour_s * count / faxes - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            if count % 20 == 0:
                _until(lambda: client.unfinished() < BACKLOG)
            _send(day, client)


def _send(day: Day, client: Client) -> None:
    mark = len(day.sent)
    chance = random.Random(mark)
    numbers, pages = ("9990",), 1
    if mark % BROADCAST == 0:
        numbers = SEVERAL
    elif chance.random() < 0.05:
        numbers, pages = ("9993",), 2
    elif chance.random() < 0.04:
        numbers = ("9995",)
    told = mark % TOLD == 0
    fields = {"callback_url": day.hook.url} if told else {}
    content = marked.document(mark, pages)
    reply = client.send(",".join(numbers), f"{mark}.tif", content, quality="standard", **fields)
    if reply.status != HTTPStatus.CREATED:
        day.refused.append(f"fax {mark}: {reply.status} {reply.content[:200]!r}")
        return
    sent = Sent(mark, numbers, pages, tuple(fax["id"] for fax in reply.json["faxes"]), told)
    day.sent.append(sent)
    if mark % CANCELLED == 1:
        said = [client.ask("POST", f"/faxes/{job}/cancel").status for job in sent.ids]
        sent.cancelled = all(status == HTTPStatus.OK for status in said)


def _caller(day: Day, stop: threading.Event) -> None:
    """Has a fax come in for every so many that went out."""
    with contextlib.closing(day.box.client()) as client:
        while not stop.wait(0.1):
            if len(day.sent) < IN_FOR_OUT * (len(day.callers) + 1):
                continue
            caller = f"8{len(day.callers):09}"
            reply = client.ask("POST", "/practice/receive", {"caller": caller})
            if reply.status < HTTPStatus.BAD_REQUEST:
                day.callers.append(caller)


def _looker(day: Day, stop: threading.Event) -> None:
    """People who look: lists, a search, the journal, what came in."""
    paths = ("/faxes?limit=20", "/received?limit=20", "/faxes?q=9998&limit=20", "/status", "/deliveries")
    with contextlib.closing(day.box.client()) as client:
        count = 0
        while not stop.wait(0.25):
            with contextlib.suppress(OSError, http.client.HTTPException):
                day.answers[client.ask("GET", paths[count % len(paths)]).status] += 1
            count += 1


def _look(day: Day, hour: int) -> None:
    mb = (1 << 20) / 1e6
    with contextlib.closing(day.box.client()) as client:
        ended = sum(len(sent.ids) for sent in day.sent) - client.unfinished()
    own, everything = pss_mib(day.box.process.pid) * mb, day.box.memory_mib() * mb
    look = Look(hour, ended, own, everything, _size_mb(day.box.data), time.monotonic() - day.begun)
    day.looks.append(look)
    print(look, flush=True)


# -- the judges ----------------------------------------------------------------------------------------


def _judge(day: Day, client: Client) -> list[str]:
    """What the box says: every fax that was accepted has ended as it should, what came in is there whole."""
    wrong = list(day.refused)
    states: Counter[str] = Counter()
    for sent in day.sent:
        for job in sent.ids:
            state = client.ask("GET", f"/faxes/{job}").json["state"]
            states[state] += 1
            if state != "delivered" and not (sent.mark % CANCELLED == 1 and state == "cancelled"):
                wrong.append(f"fax {sent.mark} is {state}")
            if state == "delivered" and sent.cancelled and len(sent.ids) == 1:
                states["cancelled too late"] += 1
    ends = _practice_calls(day.box.data)
    for caller in day.callers:
        found = client.ask("GET", f"/received?caller={caller}").json["received"]
        # Who finds all channels taken hears the engaged tone, and has sent nothing.
        due = ["complete"] if ends[caller] == RECEIVED.code else []
        if [fax["state"] for fax in found] != due or ends[caller] not in (RECEIVED.code, LINE_FULL.code):
            wrong.append(f"from {caller}, {ends[caller]}: {[fax['state'] for fax in found]}")
    print(f"out {dict(states)}; in {dict(Counter(ends.values()))}; people were answered {dict(day.answers)}")
    if set(day.answers) != {HTTPStatus.OK}:
        wrong.append(f"people were answered {dict(day.answers)}")
    return wrong


def _judge_pages(day: Day, arrivals: Arrivals) -> list[str]:
    """What lies at the far ends: each page of each fax once, more often only where a call broke."""
    wrong, pages = [], arrivals.pages()
    calls = _calls(day.box.data)
    for sent in day.sent:
        for number, job in zip(sent.numbers, sent.ids, strict=True):
            for page in range(sent.pages):
                came = pages.pop((number, sent.mark, page), 0)
                said = f"page {page + 1} of fax {sent.mark} came {came} times in {calls[job]} calls"
                lost = came == 0 and sent.mark % CANCELLED != 1
                if lost or came > max(1, calls[job]):
                    wrong.append(said)
                elif came > 1:
                    print(said)
    strangers = {what: count for what, count in pages.items() if what[1] >= 0}
    return wrong + [f"{what} arrived {count} times" for what, count in strangers.items()]


def _judge_webhooks(day: Day) -> list[str]:
    """Each fax that should be told was told, under one delivery's id."""
    told: dict[int, set[int]] = {}
    for body in day.hook.bodies:
        said = json.loads(body)
        told.setdefault(said["fax"]["id"], set()).add(said["delivery"])
    return [
        f"fax {sent.mark} was told under {told.get(job)}"
        for sent in day.sent
        for job in sent.ids
        if sent.told and len(told.get(job, ())) != 1
    ]


def _calls(data: Path) -> Counter[int]:
    with contextlib.closing(sqlite3.connect(data / DATABASE_NAME)) as database:
        return Counter(dict(database.execute("SELECT job_id, COUNT(*) FROM attempt GROUP BY job_id")))


def _practice_calls(data: Path) -> dict[str, str]:
    """How each call from the practice machine ended, by caller, as the log says it."""
    said = re.compile(r"a practice call from (\d+) ended: (\w+)")
    return dict(said.findall((data / "serve.log").read_text()))


def _pending(data: Path) -> int:
    with contextlib.closing(sqlite3.connect(data / DATABASE_NAME)) as database:
        query = (
            "SELECT (SELECT COUNT(*) FROM outbox WHERE state = 'pending')"
            " + (SELECT COUNT(*) FROM received WHERE state = 'receiving')"
        )
        return int(database.execute(query).fetchone()[0])


def _sources(data: Path) -> list[Path]:
    """Documents as they were handed in, and fax pages made of them."""
    return [path for folder in (DOCUMENTS, RENDERED) for path in (data / folder).glob("*")]


def _size_mb(data: Path) -> float:
    sizes = []
    for folder, _, names in os.walk(data):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                sizes.append((Path(folder) / name).lstat().st_blocks * 512)
    return sum(sizes) / 1e6


def _until(condition: Callable[[], bool]) -> None:
    """Waits for what comes by itself; only a hang takes as long as the limit."""
    end = time.monotonic() + FINISH_S
    while not condition():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.2)
