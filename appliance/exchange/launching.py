"""How the exchange's process comes to be: forked from a box that is just starting, or started by itself.

A fork shares the memory of what both have loaded, and is quick.  It is only for a process with one thread,
so an exchange that is started again is a program of its own.
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
    """What ``Exchange`` needs of a process that it has started; as of `subprocess.Popen`."""

    pid: int

    def kill(self) -> None: ...

    def wait(self, timeout: float | None = None) -> int: ...


@dataclass(slots=True)
class Launched:
    """The process, and our end of its channel."""

    process: ChildProcess
    sock: socket.socket


class ForkedProcess:
    """A child that was forked."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._pidfd = os.pidfd_open(pid)
        self._code: int | None = None

    def kill(self) -> None:
        """Ends it at once; nothing when it has ended."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, negative for a signal.  Raises subprocess.TimeoutExpired."""
        if self._code is None:
            if not select.select([self._pidfd], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("exchange", timeout or 0.0)
            self._code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
            os.close(self._pidfd)
        return self._code


def spawn(level: int) -> Launched:
    """Starts the program; it logs from ``level`` on.  Raises OSError."""
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
    """Forks it off this process, which has one thread and has opened nothing yet.  Raises OSError."""
    from appliance.exchange import process  # noqa: PLC0415 - for the child, and for us as its memory is shared

    # What is here now stays: neither collector looks through it, which would copy its pages.
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
    """The rest of the child's life.  Does not return."""
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
