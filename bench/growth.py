"""The growth of the box's process over a long run: its memory by the number of faxes.

A few clients hand in one-page faxes to a fast practice machine, one after the other as room is made, as an
office does that never closes.
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
# It ends after so long, whatever the machine has managed, seconds.
LIMIT_S = 1200.0
# Between two looks at the memory, faxes.
EVERY = 250
# Faxes that are under way at once, and handed in by one request.
UNDER_WAY, TOGETHER = 60, 15
SETTINGS = {"practice.speed": "10", "practice.calls_at_once": "40", "practice.wait_s": "0.2"}
# Between two looks at how many are under way, seconds.
LOOK_S = 0.5
FINISH_S = 120.0


@dataclass(frozen=True, slots=True)
class Look:
    """After ``faxes`` faxes have ended: memory of the box's own process and of all its processes, MiB."""

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
