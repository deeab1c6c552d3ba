"""Thousands of faxes submitted at once over the REST API, and the pages that arrive at the far ends."""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from bench import marked
from bench.running import Client, Running

CLIENTS = 8
# Interval of the checks for new arrivals, seconds: the practice line keeps only the last hundred.
WATCH_S = 0.1
# Of each hundred faxes: practice number, number of faxes that go there, pages of each.
MIX: tuple[tuple[str, int, int], ...] = (
    ("9990", 88, 1),  # receives everything
    ("9993", 4, 2),  # hangs up in page 2, receives the rest in the second call
    ("9995", 3, 1),  # loses packets, damages frames
    ("9997", 1, 1),  # a gateway with real modem signals
    ("9998", 2, 1),  # an old machine without error correction
    ("9991", 2, 1),  # busy
)
BUSY = "9991"


@dataclass(frozen=True, slots=True)
class Burst:
    """``accept_s``: time until each tenth of the faxes was accepted; ``wrong``: the errors."""

    faxes: int
    accept_s: tuple[float, ...]
    slowest_s: float  # of one request
    all_s: float  # from the first request to the last fax's end
    delivered: int
    arrived: int  # pages at the far ends, each the right one for its number
    wrong: tuple[str, ...]
    cpu_s: float
    memory_mib: float  # most at any time


class Arrivals:
    """Copies what the practice machines receive, before the practice line deletes it."""

    def __init__(self, data: Path, keep: Path) -> None:
        self._folder, self._keep = data / "practice", keep
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        keep.mkdir(parents=True, exist_ok=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self._look()

    def _watch(self) -> None:
        while not self._stop.wait(WATCH_S):
            self._look()

    def _look(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            for entry in os.scandir(self._folder):
                target = self._keep / f"{entry.name}-{entry.inode()}"
                with contextlib.suppress(OSError):
                    os.link(entry.path, target)

    def pages(self) -> Counter[tuple[str, int, int]]:
        """How often each (number, fax, page) arrived; an unreadable page is (number, -1, -1)."""
        found: Counter[tuple[str, int, int]] = Counter()
        for path in self._keep.iterdir():
            number = path.name.partition("-")[0]
            with contextlib.suppress(OSError):  # a call that failed before its first page has no picture
                for mark in marked.marks(path):
                    fax, page = mark or (-1, -1)
                    found[number, fax, page] += 1
        return found


def plan(faxes: int) -> list[tuple[str, int]]:
    """(number, pages) of each fax, the kinds spread evenly."""
    kinds = [(number, pages) for number, share, pages in MIX for _ in range(share)]
    # 37 and 100 are coprime: all hundred occur, and neighbours differ.
    return [kinds[fax * 37 % len(kinds)] for fax in range(faxes)]


def measure(box: Running, faxes: int, keep: Path, limit_s: float) -> Burst:
    """Submits ``faxes`` faxes and waits until all have ended, ``limit_s`` seconds at most."""
    sending = plan(faxes)
    documents = [marked.document(fax, pages) for fax, (_, pages) in enumerate(sending)]
    arrivals = Arrivals(box.data, keep)
    cpu, begun = box.cpu_s(), time.monotonic()
    accepted, slowest_s, jobs = _hand_in(box, sending, documents)
    peak_mib, client = 0.0, box.client()
    while client.unfinished() and time.monotonic() - begun < limit_s:
        peak_mib = max(peak_mib, box.memory_mib())
        time.sleep(1.0)
    all_s, cpu_s = time.monotonic() - begun, box.cpu_s() - cpu
    arrivals.close()
    states = _states(client, jobs)
    client.close()
    tenths = [accepted[faxes * tenth // 10] for tenth in range(10)] + [accepted[-1]]
    pages = arrivals.pages()
    return Burst(
        faxes=faxes,
        accept_s=tuple(late - early for early, late in itertools.pairwise(tenths)),
        slowest_s=slowest_s,
        all_s=all_s,
        delivered=sum(state == "delivered" for state in states.values()),
        arrived=sum(pages.values()),
        wrong=tuple(wrong(sending, states, pages)),
        cpu_s=cpu_s,
        memory_mib=peak_mib,
    )


def _hand_in(
    box: Running, sending: Sequence[tuple[str, int]], documents: Sequence[bytes]
) -> tuple[list[float], float, dict[int, int]]:
    """The times at which each was accepted, the slowest response, and the id of each fax in the box."""
    local = threading.local()
    clients: list[Client] = []

    def one(fax: int) -> tuple[float, float, int]:
        if not hasattr(local, "client"):
            local.client = box.client()
            clients.append(local.client)
        asked = time.monotonic()
        reply = local.client.send(sending[fax][0], f"{fax}.tif", documents[fax], quality="standard")
        now = time.monotonic()
        if reply.status != HTTPStatus.CREATED:
            raise RuntimeError(f"fax {fax} was refused: {reply.status} {reply.content[:300]!r}")
        return now, now - asked, int(reply.json["faxes"][0]["id"])

    with ThreadPoolExecutor(CLIENTS) as pool:
        begun = time.monotonic()
        answers = list(pool.map(one, range(len(sending))))
    for client in clients:
        client.close()
    moments = [begun, *sorted(now for now, _, _ in answers)]
    return moments, max(took for _, took, _ in answers), {fax: a[2] for fax, a in enumerate(answers)}


def _states(client: Client, jobs: dict[int, int]) -> dict[int, str]:
    return {fax: client.ask("GET", f"/faxes/{job}").json["state"] for fax, job in jobs.items()}


def wrong(
    sending: Sequence[tuple[str, int]], states: dict[int, str], pages: Counter[tuple[str, int, int]]
) -> list[str]:
    """The deviations from the expected result, as sentences."""
    found = []
    expected: Counter[tuple[str, int, int]] = Counter()
    for fax, (number, count) in enumerate(sending):
        wanted = "failed" if number == BUSY else "delivered"
        if states[fax] != wanted:
            found.append(f"fax {fax} to {number} is {states[fax]}, not {wanted}")
        if number != BUSY:
            expected.update((number, fax, page) for page in range(count))
    for what in expected.keys() | pages.keys():
        if expected[what] != pages[what]:
            number, fax, page = what
            found.append(
                f"page {page + 1} of fax {fax} arrived {pages[what]} times at {number}, not {expected[what]}"
            )
    return sorted(found)
