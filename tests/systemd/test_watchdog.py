"""The watchdog of a whole box: it stops exactly when a part hangs; each part in turn.

The limits are shorter than a box's, so that nobody waits for minutes; what hangs hangs for real.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance.daemon import main, watchdog
from appliance.daemon.watchdog import ServiceWatchdog
from appliance.exchange.process import NAME
from bench import burst
from bench.running import running
from tests.api.served import Served, serving

HANG_S = 120.0
# Seconds: what systemd waits, how old a proof may be, how often it is tried, how long calls may be silent.
SYSTEMD_S, LIMIT_S, EVERY_S, SILENCE_S = 1.0, 1.0, 0.1, 2.0

pytestmark = pytest.mark.realtime


@dataclass
class Watched:
    """A box, and the socket on which systemd would hear of it."""

    served: Served
    notices: socket.socket

    def falls_silent(self) -> None:
        """Returns once there was no proof of life for three times as long as systemd waits."""
        self.notices.settimeout(3 * SYSTEMD_S)
        end = time.monotonic() + HANG_S
        while time.monotonic() < end:
            try:
                self.notices.recv(4096)
            except TimeoutError:
                return
        raise AssertionError("it went on proving that it lives")

    def lives(self) -> None:
        """Returns at the next proof of life."""
        self.notices.settimeout(HANG_S)
        while self.notices.recv(4096) != b"WATCHDOG=1":
            pass


@pytest.fixture(name="watched", scope="module")
def _watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    folder = tmp_path_factory.mktemp("watched")
    with (
        pytest.MonkeyPatch.context() as patch,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices,
    ):
        notices.bind(str(folder / "notify"))
        patch.setenv("NOTIFY_SOCKET", str(folder / "notify"))
        patch.setenv("WATCHDOG_USEC", str(int(SYSTEMD_S * 1e6)))
        patch.setattr(
            main, "ServiceWatchdog", functools.partial(ServiceWatchdog, every_s=EVERY_S, limit_s=LIMIT_S)
        )
        patch.setattr(watchdog, "SILENCE_S", SILENCE_S)
        with serving(folder / "box") as served:
            yield Watched(served, notices)


@contextmanager
def the_spools_writer_hangs(served: Served) -> Iterator[None]:
    release = threading.Event()
    served.box.spool.write(lambda _: bool(release.wait(HANG_S)))
    try:
        yield
    finally:
        release.set()


@contextmanager
def http_hangs(served: Served) -> Iterator[None]:
    """Its own loop, which takes connections and hands them to the threads."""
    release, server = threading.Event(), served.server._server
    usual = server.process_conn

    def hang(connection: object) -> None:
        release.wait(HANG_S)
        usual(connection)

    server.process_conn = hang  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        server.process_conn = usual  # type: ignore[method-assign]
        release.set()


@contextmanager
def the_dispatchers_loop_hangs(served: Served) -> Iterator[None]:
    release = threading.Event()
    served.core.loop.call_soon_threadsafe(release.wait, HANG_S)
    try:
        yield
    finally:
        release.set()


@contextmanager
def the_packet_loop_hangs(served: Served) -> Iterator[None]:
    pid = exchange_pid()
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):  # the box has put another in its place meanwhile
            os.kill(pid, signal.SIGCONT)


def exchange_pid() -> int:
    """Of the process that carries the calls."""
    for task in Path("/proc/self/task").iterdir():
        for child in (task / "children").read_text().split():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
                if Path(f"/proc/{child}/comm").read_text().strip() == NAME:
                    return int(child)
    raise AssertionError("there is no such process")


@pytest.mark.parametrize(
    "hanging",
    [the_spools_writer_hangs, http_hangs, the_dispatchers_loop_hangs, the_packet_loop_hangs],
    ids=lambda hanging: hanging.__name__,
)
def test_a_part_that_hangs_silences_the_box_until_it_goes_on(
    watched: Watched, hanging: Callable[[Served], AbstractContextManager[None]]
) -> None:
    watched.lives()
    with hanging(watched.served):
        watched.falls_silent()
    watched.lives()


# Thirty calls at once, three times as fast as real ones: more than the processors of a small machine can do.
CALLS, FAXES, SPEED = 30, 400, 3
# systemd's patience is a sixth of the unit's here; the box's own limits are those of every box.
PATIENCE_S = 20.0


@pytest.mark.full
@pytest.mark.timeout(1200)
def test_a_box_with_thirty_calls_is_not_shot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notices.bind(str(tmp_path / "notify"))
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    monkeypatch.setenv("WATCHDOG_USEC", str(int(PATIENCE_S * 1e6)))
    proofs: list[float] = []

    def listen() -> None:
        while (notice := notices.recv(4096)) != b"STOPPING=1":
            if notice in (b"READY=1", b"WATCHDOG=1"):
                proofs.append(time.monotonic())

    listener = threading.Thread(target=listen)
    listener.start()
    line = {"practice.speed": str(SPEED), "practice.calls_at_once": str(CALLS), "practice.wait_s": "0.5"}
    with running(tmp_path / "box", line) as box:
        result = burst.measure(box, FAXES, tmp_path / "kept", 1000.0)
        proofs.append(time.monotonic())
    listener.join(HANG_S)
    notices.close()
    assert result.wrong == ()
    longest = max(later - earlier for earlier, later in itertools.pairwise(proofs))
    print(f"{len(proofs)} proofs in {result.all_s:.0f} s, the longest wait {longest:.1f} s")
    assert longest < PATIENCE_S
