"""The fork server: a process with everything imported, which forks a worker for each job.

Importing the libraries takes longer than rendering ten pages; forking a process that has done so takes a
few milliseconds.  A worker then needs some 20 ms more until it has copied the memory that it writes to; so
spare ones, that have done so, wait for the next job while there is none.

The fork server is started without files and with only the allocator's settings in its
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
# A fork server without work for so long forks spare workers, seconds: in a row of documents it leaves the
# processors to those.
REST_S = 0.2
_NICE = 10  # of workers: packets of running calls come first
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


def serve(requests: socket.socket, idle_s: float = IDLE_S, rest_s: float = REST_S) -> None:
    """Starts a worker for each request until the other end closes or is silent for ``idle_s`` seconds.

    After ``rest_s`` seconds of rest it forks spare workers; those that are still spare so long after others
    went to work end, which leaves the memory to those.
    """
    from appliance.documents.workers import pre_start  # noqa: PLC0415 (imports are the purpose)
    from appliance.documents.workers.places import places_here  # noqa: PLC0415 (only this process needs it)

    pre_start.warm_up()
    gc.collect()
    # Workers get free memory from the kernel, in large pages; of what is free here, each would make a copy.
    limited.give_memory_back()
    gc.freeze()  # workers share this memory as long as nothing writes to it
    workers = _Workers(requests, places_here())
    continues = True
    while continues:
        resting = not workers.at_work()
        unready = workers.lacks_spares() if resting else workers.has_spares()
        ready = workers.selector.select(rest_s if unready else idle_s)
        if ready:
            continues = all(workers.take(key.data) for key, _ in ready)
        elif unready and resting:
            workers.fork(warm=True)
        elif unready:
            workers.end_spares()
        else:
            continues = not resting


@dataclass(slots=True, eq=False)
class _Forked:
    """A worker as the fork server knows it.  ``jobs``: brings it the files of its job; ``tell``: takes its
    exit status, None for a spare one.
    """

    pid: int
    pidfd: int
    jobs: socket.socket
    tell: int | None = None

    def give(self, files: Sequence[int]) -> bool:
        """Gives it its job, once; returns whether it still runs."""
        try:
            socket.send_fds(self.jobs, [b"w"], files)
        except OSError:
            return False
        return True


class _Workers:
    """The workers of the fork server: those at work, and up to ``most_spare`` that were forked before their
    jobs came.
    """

    def __init__(self, requests: socket.socket, most_spare: int) -> None:
        self.selector = selectors.DefaultSelector()
        self.selector.register(requests, selectors.EVENT_READ)
        self._requests, self._most_spare = requests, most_spare
        self._spare: list[_Forked] = []

    def at_work(self) -> int:
        """The number of workers with a job."""
        return len(self.selector.get_map()) - 1 - len(self._spare)

    def has_spares(self) -> bool:
        return bool(self._spare)

    def lacks_spares(self) -> bool:
        return len(self._spare) < self._most_spare

    def fork(self, *, warm: bool) -> _Forked:
        """Adds a spare worker.  ``warm``: it makes itself ready for the first page of its job, too."""
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        own, pid = os.getpid(), os.fork()
        if pid == 0:
            _be_worker(own, its, warm=warm)
        its.close()
        worker = _Forked(pid, os.pidfd_open(pid), ours)
        self._spare.append(worker)
        self.selector.register(worker.pidfd, selectors.EVENT_READ, worker)
        return worker

    def take(self, of: _Forked | None) -> bool:
        """Handles a request, or that the worker ``of`` has ended; returns whether more requests may come."""
        if of is None:
            return self._start()
        self.selector.unregister(of.pidfd)
        os.close(of.pidfd)
        status = _STATUS.pack(os.waitpid(of.pid, 0)[1])
        of.jobs.close()
        if of in self._spare:
            self._spare.remove(of)
            self._most_spare -= 1  # the kernel took its memory
        if of.tell is not None:
            with contextlib.suppress(OSError):
                os.write(of.tell, status)
            os.close(of.tell)
        return True

    def _start(self) -> bool:
        message, files, _, _ = socket.recv_fds(self._requests, 1, MOST_FILES + 2)
        if not message:
            return False
        channel, tell, *rest = files
        worker = next((each for each in self._spare if each.give([channel, *rest])), None)
        if worker is None:
            worker = self.fork(warm=False)
            worker.give([channel, *rest])
        self._spare.remove(worker)
        worker.tell = tell
        for descriptor in (channel, *rest):
            os.close(descriptor)
        socket.send_fds(self._requests, [_PID.pack(worker.pid)], [worker.pidfd])
        return True

    def end_spares(self) -> None:
        for worker in self._spare:
            signal.pidfd_send_signal(worker.pidfd, signal.SIGKILL)
        self._spare.clear()


def _be_worker(parent: int, jobs: socket.socket, *, warm: bool) -> None:
    """The rest of a worker's life.  Does not return."""
    from appliance.documents.workers import pre_start, worker  # noqa: PLC0415 (imported already)

    code = 70  # EX_SOFTWARE
    try:
        keep = {0, 1, 2, jobs.fileno()}
        for name in os.listdir("/proc/self/fd"):
            if int(name) not in keep:
                with contextlib.suppress(OSError):
                    os.close(int(name))
        os.nice(_NICE)
        limited.end_first()
        if warm:
            pre_start.warm_up_worker()
        message, files, _, _ = socket.recv_fds(jobs, 1, MOST_FILES + 1)
        jobs.close()
        # No message: the fork server has ended.
        code = worker.work(parent, files[0], files[1:]) if message else 0
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
