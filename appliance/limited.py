"""What a process takes of the machine: limits before it handles untrusted content, memory it returns."""

from __future__ import annotations

import contextlib
import ctypes
import resource
import signal
from pathlib import Path

# Options of a process (linux/prctl.h): it ends with its parent, other processes of its user cannot look into
# it, no program that it runs gets further privileges.
END_WITH_PARENT = 1, signal.SIGKILL
NOT_DUMPABLE = 4, 0
NO_NEW_PRIVILEGES = 38, 1
_OOM_SCORE = Path("/proc/self/oom_score_adj")
# proc(5): the highest, "end this one first".
_FIRST_TO_GO = "1000"
# Seconds of processor time from SIGXCPU, which ends a process at its limit, to SIGKILL.  With no time between
# them Linux sends SIGKILL alone, as the kernel and people do to end a process from outside.
CPU_GRACE_S = 5


def lower(limit: int, soft: int, hard: int | None = None) -> None:
    """Sets a limit (``resource.RLIMIT_…``) of this process and its children.

    A lower limit that was set before (``ulimit``) stays: only root may raise it.
    """
    _, allowed = resource.getrlimit(limit)
    if allowed == resource.RLIM_INFINITY:
        resource.setrlimit(limit, (soft, soft if hard is None else hard))
    else:
        resource.setrlimit(limit, (min(soft, allowed), min(soft if hard is None else hard, allowed)))


def lower_cpu(seconds: int) -> None:
    """Sets the limit of processor time so that it ends in SIGXCPU; a SIGKILL then always comes from
    outside.
    """
    lower(resource.RLIMIT_CPU, seconds, seconds + CPU_GRACE_S)


def control(*options: tuple[int, int]) -> None:
    """Sets these options of this process (prctl(2))."""
    libc = ctypes.CDLL(None)
    for option, value in options:
        libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0)


def data_octets() -> int:
    """Octets of this process that count for RLIMIT_DATA: private writable memory, used or not."""
    # proc(5), statm, the sixth: data and stack, which counts apart and is small.
    return int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()


def end_first() -> None:
    """Makes the kernel end this process first when memory runs out, since its work can be repeated."""
    with contextlib.suppress(OSError):  # no /proc, or not this kernel
        _OOM_SCORE.write_text(_FIRST_TO_GO)


# mallopt(3): pieces of memory from so many octets on come from the system, and go back to it when they are
# freed; and so much free memory at the end of the heap is kept.
_M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD = -3, -1
_SMALL_PIECE_OCTETS = 128 << 10


def keep_no_freed_memory() -> None:
    """From now on gives memory back as soon as it is freed: slower, but a limit can be used to its end.

    Nothing without glibc.
    """
    with contextlib.suppress(AttributeError):
        for option in (_M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD):
            ctypes.CDLL(None).mallopt(option, _SMALL_PIECE_OCTETS)


def give_memory_back() -> None:
    """Gives free memory between the pieces in use to the system (malloc_trim(3)); nothing without glibc."""
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
