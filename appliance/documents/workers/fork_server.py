"""The fork server: a process with everything imported, which forks a worker for each job.

Importing the libraries takes longer than rendering ten pages; forking a process that has done so takes a
few milliseconds.  The fork server is started without files and with only the allocator's settings in its
environment, reads no document, and ends with the process that started it; a worker ends with the fork
server.

A request is one message with open files: the worker's channel (the job comes in on it, reports go out), a
pipe for the exit status, then the job's own files.  The answer is the worker's process id and a pidfd, by
which it can be killed even if the id has been reused.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import select
import selectors
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from appliance import limited

_log = logging.getLogger(__name__)

MOST_FILES = 200  # in one request; the kernel's limit is 253 (SCM_MAX_FD)
_ANSWER_SECONDS = 20.0  # for the fork server to fork
# For the fork server to start, seconds: its imports alone take a minute from a slow card on a busy board, and
# one that is given up starts from the beginning.
_START_SECONDS = 180.0
# A longer wait for a process is logged, seconds.
LATE_S = 10.0
# A fork server without work for so long ends, seconds: it holds 75 MB, and starting another one takes the
# next document a second.
IDLE_S = 300.0
_STATUS = struct.Struct("=i")  # waitpid's status
_PID = struct.Struct("=i")

# For glibc's allocator (mallopt(3)), octets.  A page's pixels come from memory that was used before, not each
# time from the kernel, which would cost a worker a third of its time.  The first is glibc's maximum; larger
# pictures, and what exceeds the second, are returned at once.  Memory from the kernel comes in large pages
# where it has them (transparent huge pages).
_ALLOCATOR = {
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(128 << 20),
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
}

# The configuration that selects the machine's fonts, for fontconfig (fonts-conf(5)).
_FONTS = Path(__file__).with_name("fonts.conf")


class ForkServerError(RuntimeError):
    """The fork server does not start or does not answer, so there is no worker."""


@dataclass(slots=True)
class Worker:
    """A worker process: ``channel`` carries its job and its reports."""

    channel: socket.socket
    _pid: int
    _pidfd: int
    _status: int
    _code: int | None = None

    def kill(self) -> None:
        """Kills the worker; nothing happens when it has ended already."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def processor_seconds(self) -> float:
        """The processor time that the worker has used, without its children, in seconds; 0.0 once it has
        ended.
        """
        try:
            # The CPU clock of another process (clock_getcpuclockid(3)): its id and CPUCLOCK_SCHED.
            return time.clock_gettime(~self._pid << 3 | 2)
        except OSError:
            return 0.0

    def wait(self, seconds: float) -> int | None:
        """Its exit code, negative for a signal as in `subprocess`; None if it still runs after
        ``seconds``.
        """
        if self._code is None and select.select([self._status], [], [], seconds)[0]:
            octets = os.read(self._status, _STATUS.size)
            # No status: the fork server is gone, and the worker with it.
            self._code = os.waitstatus_to_exitcode(_STATUS.unpack(octets)[0]) if octets else -signal.SIGKILL
        return self._code

    def close(self) -> None:
        """Kills the worker if it still runs, waits until it has ended, and closes its files."""
        if self._code is None:
            self.kill()
            # By its pidfd: the fork server, which reports the status, may hang.
            if not select.select([self._pidfd], [], [], _ANSWER_SECONDS)[0]:
                _log.warning("a document worker is not gone %.0f s after it was killed", _ANSWER_SECONDS)
        self.channel.close()
        for descriptor in (self._pidfd, self._status):
            os.close(descriptor)


class _ForkServer:
    """This process's fork server, started when first needed and again when it has died."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0

    def worker(self, files: Sequence[int]) -> Worker:
        with self._lock:
            for attempt in (1, 2):
                try:
                    return self._ask(files)
                except OSError as error:
                    how = f"{error}; {self._stop()}"
                    if attempt == 2:
                        raise ForkServerError(how) from error
                    _log.warning("the server of document workers is started again: %s", how)
        raise AssertionError

    def warm(self) -> None:
        with self._lock:
            self._started()

    def _started(self) -> socket.socket:
        if self._socket is not None and self._owner != os.getpid():
            self._socket.close()  # we are a fork of the process that it belongs to
            self._socket = self._process = None
        if self._process is not None and self._process.poll() is not None:
            self._stop()  # it ended for lack of work
        if self._socket is None:
            ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self._process = subprocess.Popen(
                # -I: neither the environment nor the current directory affects imports.
                [
                    sys.executable,
                    "-I",
                    "-B",
                    "-m",
                    "appliance.documents.workers.fork_server",
                    str(its.fileno()),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={"LANG": "C.UTF-8", "FONTCONFIG_FILE": str(_FONTS), **_ALLOCATOR},
                pass_fds=[its.fileno()],
                start_new_session=True,
            )
            its.close()
            ours.settimeout(_START_SECONDS)
            self._socket, self._owner = ours, os.getpid()
        return self._socket

    def _ask(self, files: Sequence[int]) -> Worker:
        requests = self._started()
        ours, its = socket.socketpair()
        status, tell = os.pipe2(os.O_CLOEXEC)
        try:
            socket.send_fds(requests, [b"w"], [its.fileno(), tell, *files])
            limit = requests.gettimeout()
            if not select.select([requests], [], [], LATE_S)[0]:
                _log.warning("waiting for the server of document workers, at most %.0f s", limit)
            message, pidfds, _, _ = socket.recv_fds(requests, _PID.size, 1)
            if len(message) != _PID.size or len(pidfds) != 1:
                raise OSError("the fork server has gone")
            requests.settimeout(_ANSWER_SECONDS)
        except OSError:
            ours.close()
            os.close(status)
            raise
        finally:
            its.close()
            os.close(tell)
        return Worker(ours, _PID.unpack(message)[0], pidfds[0], status)

    def stop(self) -> None:
        with self._lock:
            self._stop()

    def _stop(self) -> str:
        """Ends the fork server; returns how it ended, for the log."""
        code = None
        if self._socket is not None:
            self._socket.close()
        if self._process is not None:
            code = self._process.poll()
            self._process.kill()
            self._process.wait()
        self._socket = self._process = None
        return "it ran" if code is None else f"it had ended with {code}"


_fork_server = _ForkServer()


def start_worker(files: Sequence[int]) -> Worker:
    """A new worker with ``files`` open.  Raises ForkServerError, ValueError beyond `MOST_FILES`."""
    if len(files) > MOST_FILES:
        raise ValueError(f"{len(files)} files for one worker")
    return _fork_server.worker(files)


def warm() -> None:
    """Starts the fork server ahead of the first document."""
    _fork_server.warm()


def stop_fork_server() -> None:
    """Ends the fork server and all workers.  The next document starts another."""
    _fork_server.stop()


def serve(requests: socket.socket, idle_s: float = IDLE_S) -> None:
    """Forks a worker for each request until the other end closes or is silent for ``idle_s`` seconds."""

    from appliance.documents.workers import pre_start  # noqa: PLC0415 (imports are the purpose)

    pre_start.warm_up()
    gc.collect()
    # Workers get free memory from the kernel, in large pages; of what is free here, each would make a copy.
    limited.give_memory_back()
    gc.freeze()  # workers share this memory as long as nothing writes to it
    own = os.getpid()
    selector = selectors.DefaultSelector()
    selector.register(requests, selectors.EVENT_READ, None)
    while True:
        ready = selector.select(idle_s)
        if not ready and len(selector.get_map()) == 1:
            return  # no worker runs: only the requests are watched
        for key, _ in ready:
            if key.data is not None:
                pid, tell = key.data
                selector.unregister(key.fd)
                os.close(key.fd)
                with contextlib.suppress(OSError):
                    os.write(tell, _STATUS.pack(os.waitpid(pid, 0)[1]))
                os.close(tell)
                continue
            message, files, _, _ = socket.recv_fds(requests, 1, MOST_FILES + 2)
            if not message:
                return
            channel, tell, *rest = files
            pid = os.fork()
            if pid == 0:
                _be_worker(own, channel, rest)
            for descriptor in (channel, *rest):
                os.close(descriptor)
            pidfd = os.pidfd_open(pid)
            selector.register(pidfd, selectors.EVENT_READ, (pid, tell))
            socket.send_fds(requests, [_PID.pack(pid)], [pidfd])


def _be_worker(parent: int, channel: int, files: list[int]) -> None:
    """The rest of a worker's life.  Does not return."""
    from appliance.documents.workers import worker  # noqa: PLC0415 (imported already)

    code = 70  # EX_SOFTWARE
    try:
        keep = {0, 1, 2, channel, *files}
        for name in os.listdir("/proc/self/fd"):
            if int(name) not in keep:
                with contextlib.suppress(OSError):
                    os.close(int(name))
        code = worker.work(parent, channel, files)
    finally:
        os._exit(code)


def main() -> int:
    """The fork server's process; its one argument is the descriptor of its socket."""
    # The box ends this process by closing its socket; programs that workers run inherit that.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    with contextlib.suppress(OSError):  # the other end closed
        serve(socket.socket(fileno=int(sys.argv[1])))
    return 0


if __name__ == "__main__":
    sys.exit(main())
