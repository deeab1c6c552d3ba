"""The growth of the box's process over a long run: memory against the number of faxes.

Clients submit one-page faxes to a fast practice machine; some 60 are under way at any time.
"""

from __future__ import annotations

import contextlib
import http.client
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench import marked
from bench.running import Running, pss_mib, running

FAXES = 10_000
# Time limit of the run, seconds.
LIMIT_S = 1200.0
# Faxes between two readings of the memory.
EVERY = 250
# Faxes that are under way at the same time, and that one request submits.
UNDER_WAY, TOGETHER = 60, 15
SETTINGS = {"practice.speed": "10", "practice.calls_at_once": "40", "practice.wait_s": "0.2"}
# Interval of the checks how many are under way, seconds.
LOOK_S = 0.5
FINISH_S = 120.0


@dataclass(frozen=True, slots=True)
class Look:
    """MiB after ``faxes`` faxes have ended: of the box's main process, and of all its processes."""

    seconds: float
    faxes: int
    own_mib: float
    all_mib: float


@dataclass(frozen=True, slots=True)
class Growth:
    looks: tuple[Look, ...]
    accepted: int
    delivered: int


def measure(
    scratch: Path, faxes: int = FAXES, limit_s: float = LIMIT_S, tell: Callable[[Look], object] = print
) -> Growth:
    with running(scratch / "growth", SETTINGS) as box, contextlib.closing(box.client()) as client:
        begun, looks, accepted = time.monotonic(), [], 0
        end = begun + limit_s
        while accepted < faxes and time.monotonic() < end:
            under_way = client.unfinished()
            if accepted - under_way >= EVERY * len(looks):
                looks.append(_look(box, time.monotonic() - begun, accepted - under_way))
                tell(looks[-1])
            if under_way > UNDER_WAY - TOGETHER:
                time.sleep(LOOK_S)
                continue
            reply = client.send(
                ",".join(["9990"] * TOGETHER), "a.tif", marked.document(accepted % marked.MOST)
            )
            if reply.status != http.client.CREATED:
                raise RuntimeError(f"{reply.status} {reply.content[:300]!r}")
            accepted += len(reply.json["faxes"])
        end = time.monotonic() + FINISH_S
        while client.unfinished() and time.monotonic() < end:
            time.sleep(LOOK_S)
        looks.append(_look(box, time.monotonic() - begun, accepted - client.unfinished()))
        tell(looks[-1])
        delivered = int(client.metric("faxbox_jobs_ended", state="delivered"))
    return Growth(tuple(looks), accepted, delivered)


def _look(box: Running, seconds: float, ended: int) -> Look:
    return Look(seconds, ended, pss_mib(box.process.pid), box.memory_mib())
