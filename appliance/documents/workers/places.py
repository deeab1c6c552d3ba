"""How many document workers may run at once in this process, by processors and memory."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

_log = logging.getLogger(__name__)

# A longer wait for a place is logged, each time, seconds.
LATE_S = 20.0
# The most workers at once, on any machine.
MOST_WORKERS = 4
# The share of the machine's memory for all workers together: with 1 GB one worker may have its limit, the
# box and its calls the rest.
MEMORY_SHARE = 0.75

# Memory of the machine for each worker: three times what one alone may take (`Limits.memory_octets`).
_ROOM_OCTETS = 768 << 20


def memory_octets(limits: Path = Path("/sys/fs/cgroup"), groups: Path = Path("/proc/self/cgroup")) -> int:
    """Octets of the machine's memory, or of this process's limit if that is less.

    ``limits``: the tree of control groups (cgroups(7), both versions); ``groups``: the file that names ours.
    """
    found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    with contextlib.suppress(OSError):
        for line in groups.read_text().splitlines():
            _, kinds, name = line.split(":", 2)
            if kinds not in ("", "memory"):
                continue
            root, file = (limits, "memory.max") if not kinds else (limits / kinds, "memory.limit_in_bytes")
            group = root / name.lstrip("/")
            found += [_limit(each / file) for each in (group, *group.parents) if each.is_relative_to(root)]
    return min(found)


def _limit(file: Path) -> int:
    """The limit in ``file``; without one, more than any machine has."""
    try:
        return int(file.read_text())
    except (OSError, ValueError):  # no such group, or "max"
        return sys.maxsize


def places_for(worker_octets: int, processors: int, memory: int) -> int:
    """How many workers of at most ``worker_octets`` may run at once; at least one."""
    return max(1, min(MOST_WORKERS, processors, int(memory * MEMORY_SHARE) // worker_octets))


def places_here() -> int:
    """How many workers may run at once on this machine."""
    return places_for(_ROOM_OCTETS, len(os.sched_getaffinity(0)), memory_octets())


class Places:
    """The places for workers; a worker takes one first, waiting if necessary.  Thread-safe."""

    def __init__(self, total: int) -> None:
        self.total = total
        self._taken = 0
        self._alone = 0  # renderings that wait to be alone: no other begins meanwhile
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def first(self, *, alone: bool) -> Iterator[None]:
        """A place for a rendering's first worker; ``alone``: all places."""
        wanted = self.total if alone else 1
        with self._changed:
            self._alone += alone
            try:
                while not self._changed.wait_for(
                    lambda: self._taken + wanted <= self.total and (alone or not self._alone), LATE_S
                ):
                    _log.warning(
                        "a document waits for its worker: %d of %d places are taken, %d wait to be alone",
                        self._taken,
                        self.total,
                        self._alone,
                    )
            finally:
                self._alone -= alone
            self._taken += wanted
        try:
            yield
        finally:
            self._leave(wanted)

    @contextlib.contextmanager
    def further(self, wanted: int) -> Iterator[int]:
        """Up to ``wanted`` places for further workers, as many as are free now; gives their number."""
        with self._changed:
            got = 0 if self._alone else min(wanted, self.total - self._taken)
            self._taken += got
        try:
            yield got
        finally:
            self._leave(got)

    def _leave(self, places: int) -> None:
        with self._changed:
            self._taken -= places
            self._changed.notify_all()
