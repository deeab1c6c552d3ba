"""Starts the process of the exchange: by a fork while the box starts, or as a program of its own.

A fork is quick and shares the memory of the modules loaded so far.  It is only safe while the box has one
thread, so an exchange that is started again is a new program.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

_log = logging.getLogger(__name__)

_SOFTWARE_FAULT = 70  # sysexits.h: EX_SOFTWARE


class ChildProcess(Protocol):
    """The methods of a process that ``Exchange`` uses; ``subprocess.Popen`` has them."""

    pid: int

    def kill(self) -> None:
        """Ends the process at once (SIGKILL)."""

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, negative for a signal.  Raises TimeoutExpired after ``timeout`` seconds."""


@dataclass(slots=True)
class Launched:
    """The process, and our end of its channel."""

    process: ChildProcess
    sock: socket.socket


class ForkedProcess:
    """A forked child process."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._pidfd = os.pidfd_open(pid)
        self._code: int | None = None

    def kill(self) -> None:
        """Kills it; does nothing when it has ended."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> int:
        """Waits for its end, ``timeout`` seconds at most; returns the exit code, negative for a signal.

        Raises subprocess.TimeoutExpired.
        """
        if self._code is None:
            if not select.select([self._pidfd], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("exchange", timeout or 0.0)
            self._code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
            os.close(self._pidfd)
        return self._code


def spawn(level: int) -> Launched:
    """Starts the exchange as a new program; ``level`` is its log level.  Raises OSError."""
    ours, theirs = socket.socketpair()
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "appliance.exchange.process", str(theirs.fileno()), str(level)],
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.DEVNULL,
        )
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
    return Launched(process, ours)


def fork(level: int) -> Launched:
    """Forks the exchange off this process, which must have one thread and no files open.  Raises OSError."""
    from appliance.exchange import process  # noqa: PLC0415 - for the child, and for us as its memory is shared

    # Exempt present objects from garbage collection in both processes: it would copy shared memory pages.
    gc.collect()
    gc.freeze()
    ours, theirs = socket.socketpair()
    try:
        pid = os.fork()
    except OSError:
        ours.close()
        theirs.close()
        raise
    if pid == 0:
        _live(process.live, theirs, level)
    theirs.close()
    return Launched(ForkedProcess(pid), ours)


def _live(live: Callable[[int, int], None], channel: socket.socket, level: int) -> None:
    """Runs the forked child to its end.  Does not return."""
    code = _SOFTWARE_FAULT
    try:
        for name in os.listdir("/proc/self/fd"):
            if int(name) not in (0, 1, 2, channel.fileno()):
                with contextlib.suppress(OSError):
                    os.close(int(name))
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        live(channel.detach(), level)
        code = 0
    except BaseException:
        _log.exception("the program that carries the calls failed")
    finally:
        os._exit(code)
