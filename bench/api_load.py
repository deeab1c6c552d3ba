"""Twenty clients of the REST API during thirty faxes: how late packets are, and how long answers take.

The box and the clients are separate processes; the faxes go over the practice line in real time.  The box
counts its late packets itself, where it sends them (metrics).
"""

from __future__ import annotations

import http.client
import multiprocessing
import random
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.running import Client, Reply, Running, running

CLIENTS = 20
CALLS = 30
SECONDS = 30.0
# Interval of one client's requests, seconds: ten a second are far more than a program or an open web page
# makes, and leave the box time for other work.
THINK_S = 0.1
# Number of processes that the clients share: one interpreter would make them wait for each other.
PROCESSES = 2
LINE = "practice"
CALLS_LIMIT_S = 150.0
REFUSED = http.client.TOO_MANY_REQUESTS
# The clients' requests, in equal parts: mostly reading, some submit faxes.
MIX = (
    "read a fax",
    "read a fax",
    "list faxes",
    "list faxes",
    "page as PNG",
    "hand in a fax",
    "lines",
    "health",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One kind of request: their number and durations, seconds."""

    what: str
    count: int
    median_s: float
    p99_s: float
    worst_s: float


@dataclass(frozen=True, slots=True)
class Load:
    """``errors``: responses with status 500 and above, and missing ones."""

    asked: tuple[Asked, ...]
    requests_per_s: float
    errors: int
    calls: int  # fewest that were up at any time
    steps: int  # times at which packets were due, during the measurement
    late: int  # of them more than udptl.LATE_S late
    worst_s: float
    steps_alone: int  # the same before the first request: lateness that the machine causes itself
    late_alone: int
    worst_alone_s: float
    delivered: int
    cpu_share: float  # of one core: the box and the practice machines


def measure(
    scratch: Path, document: Path, seconds: float = SECONDS, clients: int = CLIENTS, calls: int = CALLS
) -> Load:
    """Starts a box, sends ``calls`` faxes of a long ``document``, and sends requests for ``seconds`` s."""
    settings = {"practice.calls_at_once": str(calls), "practice.speed": "1"}
    with running(scratch / "load", settings) as box:
        client = box.client()
        faxes = _send(client, calls, document.read_bytes())
        # On a slow machine the first calls may end before the last begin.
        _wait(lambda: not client.ask("GET", "/faxes?state=preparing&state=waiting&limit=1").json["faxes"])
        alone = _packets(client)
        time.sleep(seconds / 2)
        before = _packets(client)
        worst_alone_s = client.metric("faxbox_packet_lateness_worst_seconds", line=LINE)
        cpu, begun = box.cpu_s(), time.monotonic()
        samples, errors, least = _ask(box, faxes, seconds, clients)
        took, cpu_s = time.monotonic() - begun, box.cpu_s() - cpu
        after = _packets(client)
        worst_s = client.metric("faxbox_packet_lateness_worst_seconds", line=LINE)
        _wait(lambda: not client.metric("faxbox_line_calls", line=LINE))
        delivered = sum(client.ask("GET", f"/faxes/{fax}").json["state"] == "delivered" for fax in faxes)
        client.close()
    kinds = sorted({what for what, _ in samples})
    asked = [_asked("all", [s for _, s in samples])]
    asked += [_asked(kind, [s for what, s in samples if what == kind]) for kind in kinds]
    return Load(
        asked=tuple(asked),
        requests_per_s=len(samples) / took,
        errors=errors,
        calls=least,
        late_alone=int(before[1] - alone[1]),
        steps_alone=int(before[0] - alone[0]),
        worst_alone_s=worst_alone_s,
        steps=int(after[0] - before[0]),
        late=int(after[1] - before[1]),
        worst_s=worst_s,
        delivered=delivered,
        cpu_share=cpu_s / took,
    )


def _send(client: Client, calls: int, document: bytes) -> list[int]:
    found = []
    for fax in range(calls):
        # Each fax gets a different file: octets after the end of a TIFF file belong to no page.
        reply = client.send("9990", f"{fax}.tif", document + b"%d" % fax, quality="fine")
        found.append(int(reply.json["faxes"][0]["id"]))
    return found


def _packets(client: Client) -> tuple[float, float]:
    steps = client.metric("faxbox_packet_steps_total", line=LINE)
    return steps, client.metric("faxbox_packet_steps_late_total", line=LINE)


def _ask(
    box: Running, faxes: Sequence[int], seconds: float, clients: int
) -> tuple[list[tuple[str, float]], int, int]:
    """The requests of all clients with their durations, the number of errors, and the fewest calls up."""
    share = -(-clients // PROCESSES)
    groups = [list(range(first, min(first + share, clients))) for first in range(0, clients, share)]
    with ProcessPoolExecutor(PROCESSES, mp_context=multiprocessing.get_context("spawn")) as processes:
        running = [
            processes.submit(ask_from_all_sides, box.port, box.token, faxes, group, seconds)
            for group in groups
        ]
        client = box.client()
        least = len(faxes)
        while not all(group.done() for group in running):
            least = min(least, int(client.metric("faxbox_line_calls", line=LINE)))
            time.sleep(0.5)
        client.close()
        answers = [group.result() for group in running]
    return [sample for samples, _ in answers for sample in samples], sum(a[1] for a in answers), least


def ask_from_all_sides(
    port: int, token: str, faxes: Sequence[int], clients: Sequence[int], seconds: float
) -> tuple[list[tuple[str, float]], int]:
    """Runs each of ``clients`` in a thread; returns their samples and the number of errors."""
    with ThreadPoolExecutor(len(clients)) as pool:
        every = list(pool.map(lambda number: _one_client(port, token, faxes, number, seconds), clients))
    return [sample for samples, _ in every for sample in samples], sum(errors for _, errors in every)


def _one_client(
    port: int, token: str, faxes: Sequence[int], number: int, seconds: float
) -> tuple[list[tuple[str, float]], int]:
    chance, client = random.Random(number), Client(port, token)
    samples: list[tuple[str, float]] = []
    errors = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        what = chance.choice(MIX)
        begun = time.monotonic()
        try:
            reply = _request(client, what, chance.choice(faxes), chance)
            errors += reply.status >= http.client.INTERNAL_SERVER_ERROR or reply.status == REFUSED
        except (OSError, http.client.HTTPException):
            errors += 1
        samples.append((what, time.monotonic() - begun))
        time.sleep(chance.uniform(0, 2 * THINK_S))
    client.close()
    return samples, errors


def _request(client: Client, what: str, fax: int, chance: random.Random) -> Reply:
    match what:
        case "read a fax":
            return client.ask("GET", f"/faxes/{fax}")
        case "list faxes":
            return client.ask("GET", "/faxes?limit=50")
        case "page as PNG":
            return client.ask("GET", f"/faxes/{fax}/pages/1?size=small")
        case "hand in a fax":
            # Due in an hour: it is accepted and prepared, but not called.
            later = datetime.fromtimestamp(time.time() + 3600, UTC).isoformat()
            return client.send("9990", "a.txt", b"A letter.\n" * 40, send_at=later)
        case "lines":
            return client.ask("GET", "/lines")
        case _:
            return client.ask("GET", "/health")


def _asked(what: str, times: Sequence[float]) -> Asked:
    ordered = sorted(times)
    p99 = ordered[min(len(ordered) - 1, round(len(ordered) * 0.99))]
    return Asked(what, len(ordered), statistics.median(ordered), p99, ordered[-1])


def _wait(done: Callable[[], bool]) -> None:
    end = time.monotonic() + CALLS_LIMIT_S
    while not done():
        if time.monotonic() > end:
            raise RuntimeError("the calls of the measurement do not come up, or do not end")
        time.sleep(0.1)
