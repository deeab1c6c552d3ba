"""The time that ages are told by: no more of it has passed than the box has really seen pass.

A clock may be wrong for hours: a board without a battery, a time server that is mistaken.  Whatever else
goes by such a clock can be put right afterwards; what was erased as too old cannot.  So who erases asks here.
A jump ahead counts only once it has stood for days in which the box ran.
"""

from __future__ import annotations

import ctypes
import json
import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from appliance import durable
from appliance.spool import events
from appliance.spool.model import DAY_S, SpoolFailedError
from appliance.spool.store import Spool, Tx

_log = logging.getLogger(__name__)

# A clock that differs by less is followed, seconds: ages are counted in days.
FOLLOWED_S = 3_600.0
# A jump ahead is believed after it has stood for so long while the box ran: a wrong clock is noticed by then.
# A time server's word makes that shorter, and not none: it may be wrong, too.  Seconds.
STOOD_S = 7 * DAY_S
STOOD_SYNCHRONISED_S = 3 * DAY_S
# What was seen is written down so often, seconds.
WRITTEN_EVERY_S = 600.0
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# adjtimex(2): the error that an unsynchronised clock may have, microseconds; systemd draws the same line.
_SYNCHRONISED_ERROR_US = 16_000_000


@dataclass(frozen=True, slots=True)
class Doubt:
    """A jump ahead of ``by_s`` that has stood for ``stood_s``, seconds."""

    by_s: float
    stood_s: float = 0.0


@dataclass(frozen=True, slots=True)
class SeenTime:
    """What the box knows of the time.

    ``seen``: Unix time as far as it has been seen to pass.  ``behind_s``: how long the clock has shown less.
    """

    seen: float
    doubts: tuple[Doubt, ...] = ()
    behind_s: float = 0.0

    @property
    def doubted_s(self) -> float:
        """How far the clock is ahead of what is believed."""
        return sum(doubt.by_s for doubt in self.doubts)

    def look(self, now: float, ran_s: float, *, synchronised: bool) -> SeenTime:
        """The clock shows ``now``, ``ran_s`` seconds of the machine's running after the last look."""
        stood = ran_s * (STOOD_S / STOOD_SYNCHRONISED_S if synchronised else 1.0)
        seen = self.seen + ran_s
        doubts = [replace(doubt, stood_s=doubt.stood_s + stood) for doubt in self.doubts]
        off = now - seen - self.doubted_s
        if off > FOLLOWED_S:
            doubts.append(Doubt(off))
        elif off < -FOLLOWED_S:
            doubts, off = _taken_back(doubts, off)
        if abs(off) <= FOLLOWED_S:
            seen += off
        seen += sum(doubt.by_s for doubt in doubts if doubt.stood_s >= STOOD_S)
        kept = tuple(doubt for doubt in doubts if doubt.stood_s < STOOD_S)
        if off >= -FOLLOWED_S:
            return SeenTime(seen, kept)
        behind = self.behind_s + stood
        return SeenTime(now) if behind >= STOOD_S else SeenTime(seen, kept, behind)


def _taken_back(doubts: list[Doubt], off: float) -> tuple[list[Doubt], float]:
    """A clock that was set back by ``-off`` takes back what it jumped, the newest first.

    Returns the doubts that are left, and how far the clock is still off.
    """
    left = list(doubts)
    while left and off < 0:
        last = left.pop()
        if last.by_s + off > FOLLOWED_S:
            return [*left, replace(last, by_s=last.by_s + off)], 0.0
        off += last.by_s
    return left, off


class AgeClock:
    """The time of the box whose index is ``spool``.  Thread-safe.

    ``clock`` gives Unix time, ``uptime`` the seconds since the machine's start, ``synchronised`` whether a
    time server keeps the clock.
    """

    def __init__(
        self,
        spool: Spool,
        clock: Callable[[], float] = time.time,
        *,
        uptime: Callable[[], float] | None = None,
        synchronised: Callable[[], bool] | None = None,
    ) -> None:
        self._spool, self._clock = spool, clock
        self._uptime = uptime or _uptime
        self._synchronised = synchronised or clock_synchronised
        self._lock = threading.Lock()
        self._boot = _boot_id()
        try:
            self._time, boot, uptime_s = spool.read(_kept, clock())
        except SpoolFailedError:  # a damaged index starts all the same, and says so
            self._time, boot, uptime_s = SeenTime(clock()), "", 0.0
        # Since another start of the machine nothing was seen.
        self._looked_at = uptime_s if boot == self._boot else self._uptime()
        self._written_at = float("-inf")

    def now(self) -> float:
        """Unix time that ages may be counted from: the clock's, or less."""
        return min(self._look())

    def latest(self) -> float:
        """Unix time that nothing written before is later than, but for what a wrong clock was ahead."""
        return max(self._look())

    @property
    def doubted_s(self) -> float:
        """How far the clock is ahead of the time that ages are told by, seconds."""
        with self._lock:
            return self._time.doubted_s

    def _look(self) -> tuple[float, float]:
        """What the clock shows, and what was seen."""
        with self._lock:
            now, uptime = self._clock(), self._uptime()
            ran_s, self._looked_at = max(0.0, uptime - self._looked_at), uptime
            before = self._time
            self._time = before.look(now, ran_s, synchronised=self._synchronised())
            changed = len(before.doubts) != len(self._time.doubts)
            if changed:
                _log.warning(
                    "the clock is %.1f days ahead of the time that this box has seen pass; nothing is"
                    " erased for that until it has stood",
                    self._time.doubted_s / DAY_S,
                )
            if changed or uptime - self._written_at >= WRITTEN_EVERY_S:
                self._write(uptime)
            return now, self._time.seen

    def _write(self, uptime: float) -> None:
        """A disk that takes no more must keep nobody from making room on it."""
        try:
            self._spool.do(_keep, self._time, self._boot, uptime)
        except (OSError, SpoolFailedError, durable.DiskFullError) as error:
            _log.error("the time that was seen could not be written: %s", error)
        else:
            self._written_at = uptime


def clock_synchronised() -> bool:
    """Whether a time server keeps this machine's clock, as the kernel knows (adjtimex, read only)."""
    state = _Timex()
    libc = ctypes.CDLL(None)
    return bool(libc.adjtimex(ctypes.byref(state)) >= 0 and state.maxerror < _SYNCHRONISED_ERROR_US)


class _Timex(ctypes.Structure):
    """The first fields of ``struct timex``; the rest is room."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("rest", ctypes.c_char * 512),
    )


def _uptime() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _boot_id() -> str:
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return ""


def _kept(db: sqlite3.Connection, now: float) -> tuple[SeenTime, str, float]:
    """What was written down, with the machine's start and running time then.

    Without that: what was written last into the index was seen to come.
    """
    row = db.execute("SELECT seen, doubts, behind_s, boot, uptime_s FROM age_clock").fetchone()
    if row is None:
        return SeenTime(last_written(db) or now), "", 0.0
    doubts = tuple(Doubt(by_s, stood_s) for by_s, stood_s in json.loads(row["doubts"]))
    return SeenTime(row["seen"], doubts, row["behind_s"]), row["boot"], row["uptime_s"]


def last_written(db: sqlite3.Connection) -> float | None:
    """When something was last written into the index; None for an empty one."""
    row = db.execute("SELECT started_at FROM received ORDER BY id DESC LIMIT 1").fetchone()
    moments = [events.last_moment(db), None if row is None else float(row[0])]
    return max((moment for moment in moments if moment is not None), default=None)


def _keep(tx: Tx, time: SeenTime, boot: str, uptime_s: float) -> None:
    doubts = json.dumps([(doubt.by_s, doubt.stood_s) for doubt in time.doubts])
    tx.db.execute(
        "INSERT OR REPLACE INTO age_clock (id, seen, doubts, behind_s, boot, uptime_s)"
        " VALUES (1, ?, ?, ?, ?, ?)",
        (time.seen, doubts, time.behind_s, boot, uptime_s),
    )
