"""Work that may not end, or may kill its process, done in a child of the worker with limits of its own.

HTML can be written so that laying it out takes for ever, or more memory than there is, in which case the
libraries below Python abort the process.  Only the child dies of that; the worker tries something plainer.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from appliance import limited
from appliance.causes import cause_of
from appliance.documents import _memory
from appliance.documents.errors import DocumentError
from appliance.remarks import Remark, from_json, to_json

_PIECE_OCTETS = 1 << 16
_MOST_OCTETS = 200 << 20  # of the PDF that a child makes
# Octets of memory shared with its worker that a child writes to, so that it gets a copy of its own.
_TOUCHED_OCTETS = 32 << 20
# How the kernel ends a child at its limit of processor time (SIGKILL where both limits are one).
_LIMIT_SIGNALS = frozenset({signal.SIGXCPU, signal.SIGKILL})
# Exit code of a worker, or of its child, that was refused memory (EX_OSERR of sysexits.h).
MEMORY_EXIT = 71


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one child may use: processor and wall time; of memory it has what its worker has left."""

    cpu_seconds: int
    wall_seconds: float


@dataclass(frozen=True, slots=True)
class Typeset:
    """A document as a PDF, and the remarks about it."""

    pdf: bytes
    remarks: tuple[Remark, ...] = ()


class UnboundedError(Exception):
    """The work failed or did not end within its bounds; the message is for the log."""


class FailedWorkError(UnboundedError):
    """The work ended too early: a library failed at its content."""


class OutOfMemoryError(UnboundedError):
    """The work was refused memory."""


def run_bounded(work: Callable[[], Typeset], bounds: Bounds) -> Typeset:
    """Runs ``work`` in a child within ``bounds`` and returns its result.

    Raises DocumentError where ``work`` does, and `UnboundedError` for any other failure of the child.
    """
    reading, writing = os.pipe2(os.O_CLOEXEC)
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _be_child(work, bounds, writing, parent)
    os.close(writing)
    try:
        answer = _read(reading, time.monotonic() + bounds.wall_seconds)
    finally:
        os.close(reading)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)  # it has answered, or is late
        _, status = os.waitpid(child, 0)
    head, _, pdf = answer.partition(b"\n")
    if not head:
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) == MEMORY_EXIT:
            raise OutOfMemoryError("it was refused memory")
        took_too_long = os.WIFSIGNALED(status) and os.WTERMSIG(status) in _LIMIT_SIGNALS
        raise (UnboundedError if took_too_long else FailedWorkError)(f"wait status {status}")
    facts = json.loads(head)
    if "cause" in facts:
        raise DocumentError(cause_of(facts["cause"]), facts["detail"])
    if "memory" in facts:
        raise OutOfMemoryError(facts["memory"])
    if "failed" in facts or len(pdf) != facts["octets"]:
        raise FailedWorkError(facts.get("failed", "cut off"))
    return Typeset(pdf, from_json(facts["remarks"]))


def _read(descriptor: int, deadline: float) -> bytes:
    """Everything until the other end closes.  Raises UnboundedError past ``deadline`` or `_MOST_OCTETS`."""
    pieces: list[bytes] = []
    octets = 0
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([descriptor], [], [], left)[0]:
            raise UnboundedError("too slow by the clock")
        piece = os.read(descriptor, _PIECE_OCTETS)
        if not piece:
            return b"".join(pieces)
        octets += len(piece)
        if octets > _MOST_OCTETS:
            raise UnboundedError("too large a PDF")
        pieces.append(piece)


def _be_child(work: Callable[[], Typeset], bounds: Bounds, writing: int, parent: int) -> None:
    """The rest of the child's life.  Does not return."""
    try:
        limited.control(limited.END_WITH_PARENT)
        if os.getppid() == parent:
            soft, _ = resource.getrlimit(resource.RLIMIT_DATA)
            limited.lower(resource.RLIMIT_DATA, soft - _TOUCHED_OCTETS)
            limited.lower(resource.RLIMIT_CPU, bounds.cpu_seconds)
            with os.fdopen(writing, "wb") as answer:
                answer.write(_answer(work))
    finally:
        os._exit(0)


def _answer(work: Callable[[], Typeset]) -> bytes:
    _memory.forget()
    try:
        made = work()
    except DocumentError as error:
        return json.dumps({"cause": error.cause.code, "detail": error.detail}).encode() + b"\n"
    except MemoryError as error:
        return _wanted_memory(error)
    except BaseException as error:  # libraries raise anything on hostile input
        if _memory.was_refused():
            return _wanted_memory(error)
        return json.dumps({"failed": f"{type(error).__name__}: {error}"[:300]}).encode() + b"\n"
    head = {"octets": len(made.pdf), "remarks": to_json(made.remarks)}
    return json.dumps(head).encode() + b"\n" + made.pdf


def _wanted_memory(error: BaseException) -> bytes:
    return json.dumps({"memory": f"it was refused memory: {error}"[:300]}).encode() + b"\n"
