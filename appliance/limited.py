"""Limits that a process of the box puts on itself before it touches what strangers made."""

from __future__ import annotations

import contextlib
import resource
from pathlib import Path

_OOM_SCORE = Path("/proc/self/oom_score_adj")
# proc(5): the highest, "end this one first".
_FIRST_TO_GO = "1000"


def lower(limit: int, soft: int, hard: int | None = None) -> None:
    """Sets a limit (``resource.RLIMIT_…``) of this process and its children.

    Where whoever started the box allows less (``ulimit``), that stands: only root may raise it again.
    """
    _, allowed = resource.getrlimit(limit)
    if allowed == resource.RLIM_INFINITY:
        resource.setrlimit(limit, (soft, soft if hard is None else hard))
    else:
        resource.setrlimit(limit, (min(soft, allowed), min(soft if hard is None else hard, allowed)))


def data_octets() -> int:
    """What counts for RLIMIT_DATA of this process: private memory that it may write, touched or not."""
    # proc(5), statm, the sixth: data and stack, which counts apart and is small.
    return int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()


def end_first() -> None:
    """When memory runs out, the kernel ends this process before any other: its work can be done again."""
    with contextlib.suppress(OSError):  # no /proc, or not this kernel
        _OOM_SCORE.write_text(_FIRST_TO_GO)
