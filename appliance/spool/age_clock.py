"""The time that ages are counted from: it advances only by time that the box has seen pass.

A clock may be wrong for hours: a board without a battery, a wrong time server.  Most effects of that can be
corrected afterwards; an erasure cannot.  So everything that erases by age uses this time.  A jump ahead
counts only after the clock has kept it for days in which the box ran.

A fax that was sent too early cannot be called back either: times that people gave, and the days of quotas,
follow the clock only where its jump has an explanation (``AgeClock.unexplained_s``).
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
from appliance.spool.errors import SpoolFailedError
from appliance.spool.model import DAY_S
from appliance.spool.store import Spool
from appliance.spool.transaction import Tx

_log = logging.getLogger(__name__)

# A smaller difference of the clock is accepted at once, seconds: ages are counted in days.
FOLLOWED_S = 3_600.0
# A jump ahead is accepted after the clock has kept it for this long while the box ran: by then a wrong clock
# is noticed.  A time server makes that shorter, but does not remove it: it may be wrong, too.  Seconds.
STOOD_S = 7 * DAY_S
STOOD_SYNCHRONISED_S = 3 * DAY_S
# The longest time that may have passed while the machine was off, or before a time server was asked, seconds:
# such a jump has an explanation, which is no reason to erase anything.
EXPLAINED_S = 31 * DAY_S
# 2025-01-01: no earlier time can be right, for this program is younger.  A jump from there, as of a board
# that starts in 1970, puts the clock right.
YOUNGER_THAN = 1_735_689_600.0
# The seen time is stored at this interval, seconds.
WRITTEN_EVERY_S = 600.0
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# adjtimex(2): the error that an unsynchronised clock may have, microseconds; systemd draws the same line.
_SYNCHRONISED_ERROR_US = 16_000_000


@dataclass(frozen=True, slots=True)
class Doubt:
    """A jump ahead by ``by_s`` that the clock has kept for ``stood_s``, seconds.

    ``off``: the machine was off at that time, so the time that passed is unknown.
    """

    by_s: float
    stood_s: float = 0.0
    off: bool = False

    def is_explained(self, synchronised: bool) -> bool:
        """Whether that much time may have passed without the box seeing it."""
        return self.by_s <= EXPLAINED_S and (self.off or synchronised)


@dataclass(frozen=True, slots=True)
class SeenTime:
    """The time as the box has seen it.

    ``seen``: Unix time that the box has seen pass.  ``behind_s``: how long the clock has shown less, seconds.
    """

    seen: float
    doubts: tuple[Doubt, ...] = ()
    behind_s: float = 0.0

    @property
    def doubted_s(self) -> float:
        """How far the clock is ahead of the accepted time, seconds."""
        return sum(doubt.by_s for doubt in self.doubts)

    def unexplained_s(self, *, synchronised: bool) -> float:
        """How far the clock jumped ahead without a known reason, seconds."""
        begun, unexplained = self.seen, 0.0
        for doubt in self.doubts:
            if begun >= YOUNGER_THAN and not doubt.is_explained(synchronised):
                unexplained += doubt.by_s
            begun += doubt.by_s
        return unexplained

    def look(self, now: float, ran_s: float, *, synchronised: bool, off: bool = False) -> SeenTime:
        """The seen time when the clock shows ``now``, ``ran_s`` seconds of uptime after the last look.

        ``off``: the machine was off in between.
        """
        stood = ran_s * (STOOD_S / STOOD_SYNCHRONISED_S if synchronised else 1.0)
        seen = self.seen + ran_s
        doubts = [replace(doubt, stood_s=doubt.stood_s + stood) for doubt in self.doubts]
        differs = now - seen - self.doubted_s
        if differs > FOLLOWED_S:
            doubts.append(Doubt(differs, off=off))
        elif differs < -FOLLOWED_S:
            doubts, differs = _taken_back(doubts, differs)
        if abs(differs) <= FOLLOWED_S:
            seen += differs
        seen += sum(doubt.by_s for doubt in doubts if doubt.stood_s >= STOOD_S)
        kept = tuple(doubt for doubt in doubts if doubt.stood_s < STOOD_S)
        if differs >= -FOLLOWED_S:
            return SeenTime(seen, kept)
        behind = self.behind_s + stood
        return SeenTime(now) if behind >= STOOD_S else SeenTime(seen, kept, behind)


@dataclass(frozen=True, slots=True)
class _Look:
    """The seen time at an ``uptime`` of the machine, seconds."""

    time: SeenTime
    uptime: float


def _taken_back(doubts: list[Doubt], off: float) -> tuple[list[Doubt], float]:
    """Reduces doubts by ``-off`` seconds, the newest first, after the clock was set back.

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
            seen, boot, looked_at = spool.read(_kept, clock())
        except SpoolFailedError:  # the box also starts with a damaged index, and reports it
            seen, boot, looked_at = SeenTime(clock()), "", 0.0
        # After another start of the machine, nothing was seen in between.
        off, running_s = boot != self._boot, self._uptime()
        ran_s = 0.0 if off else max(0.0, running_s - looked_at)
        seen = seen.look(clock(), ran_s, synchronised=self._synchronised(), off=off)
        # One object, so that readers do not wait for the thread that stores it.
        self._last = _Look(seen, running_s)
        self._written_at = float("-inf")

    def now(self) -> float:
        """Unix time that ages are counted from: the clock's or an earlier one."""
        return min(self._look())

    def latest(self) -> float:
        """Unix time; nothing written before is later, except what a wrong clock wrote."""
        return max(self._look())

    @property
    def doubted_s(self) -> float:
        """How far the clock is ahead of the time that ages are counted from, seconds."""
        with self._lock:
            return self._last.time.doubted_s

    def unexplained_s(self) -> float:
        """How far the clock jumped ahead without a known reason, seconds.

        Such a jump happened while the machine ran, or is longer than a box is left off; and no time server
        corrected the clock, nor did it begin where no clock is right.
        """
        _, look, synchronised = self._peek()
        return look.time.unexplained_s(synchronised=synchronised)

    def counted(self) -> float:
        """Unix time for the day of quotas and limits: no day is repeated, none begins early.

        The clock's, unless that jumped ahead without a known reason or was set back: then the seen time.
        """
        now, look, synchronised = self._peek()
        unsure = look.time.unexplained_s(synchronised=synchronised) or now < look.time.seen - FOLLOWED_S
        return look.time.seen if unsure else now

    def _peek(self) -> tuple[float, _Look, bool]:
        """The clock's time, the seen time as of now, and whether a time server keeps the clock.

        Never blocks: the spool's writer calls it, too.
        """
        last, synchronised = self._last, self._synchronised()
        now, uptime = self._clock(), self._uptime()
        ran_s = max(0.0, uptime - last.uptime)
        return now, _Look(last.time.look(now, ran_s, synchronised=synchronised), uptime), synchronised

    def _look(self) -> tuple[float, float]:
        """The clock's time and the seen time."""
        with self._lock:
            before = self._last.time
            now, self._last, _ = self._peek()
            time, uptime = self._last.time, self._last.uptime
            changed = len(before.doubts) != len(time.doubts)
            if changed:
                _log.warning(
                    "the clock is %.1f days ahead of the time that this box has seen pass; nothing is"
                    " erased for that until it has stood",
                    time.doubted_s / DAY_S,
                )
            if changed or uptime - self._written_at >= WRITTEN_EVERY_S:
                self._write(time, uptime)
            return now, time.seen

    def _write(self, time: SeenTime, uptime: float) -> None:
        """Stores the seen time; a full disk is no error, so that files can still be deleted from it."""
        try:
            self._spool.do(_keep, time, self._boot, uptime)
        except (OSError, SpoolFailedError, durable.DiskFullError) as error:
            _log.error("the time that was seen could not be written: %s", error)
        else:
            self._written_at = uptime


def clock_synchronised() -> bool:
    """Whether a time server keeps this machine's clock, from the kernel (adjtimex, read only)."""
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
    """The stored time, with the machine's start and uptime at that moment.

    Without one: the time of the newest entry of the index.
    """
    row = db.execute("SELECT seen, doubts, behind_s, boot, uptime_s FROM age_clock").fetchone()
    if row is None:
        return SeenTime(last_written(db) or now), "", 0.0
    doubts = tuple(Doubt(*each) for each in json.loads(row["doubts"]))
    return SeenTime(row["seen"], doubts, row["behind_s"]), row["boot"], row["uptime_s"]


def last_written(db: sqlite3.Connection) -> float | None:
    """Unix time of the newest entry of the index; None for an empty one."""
    row = db.execute("SELECT started_at FROM received ORDER BY id DESC LIMIT 1").fetchone()
    moments = [events.last_event_at(db), None if row is None else float(row[0])]
    return max((moment for moment in moments if moment is not None), default=None)


def _keep(tx: Tx, time: SeenTime, boot: str, uptime_s: float) -> None:
    doubts = json.dumps([(doubt.by_s, doubt.stood_s, doubt.off) for doubt in time.doubts])
    tx.db.execute(
        "INSERT OR REPLACE INTO age_clock (id, seen, doubts, behind_s, boot, uptime_s)"
        " VALUES (1, ?, ?, ?, ?, ?)",
        (time.seen, doubts, time.behind_s, boot, uptime_s),
    )
