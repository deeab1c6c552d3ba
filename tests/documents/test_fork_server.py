"""The fork server ends when idle, is started again for the next document, and has spare workers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.documents.workers import fork_server
from appliance.documents.workers.places import places_here

PROJECT = Path(__file__).parents[2]
HANG_S = 60.0
# Serves with next to no patience; ends when ``serve`` returns by itself, though its client is still there.
_IMPATIENT = """
import socket
import pytest

from appliance.documents.workers import fork_server
ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
fork_server.serve(its, idle_s=0.05)
"""


def test_the_fork_server_ends_when_no_document_comes() -> None:
    subprocess.run([sys.executable, "-c", _IMPATIENT], check=True, cwd=PROJECT, timeout=HANG_S)


def test_a_fork_server_that_has_ended_is_started_again_for_the_next_document() -> None:
    server = fork_server._ForkServer()
    try:
        server.warm()
        first = server._process
        assert first is not None
        first.kill()  # as if it had gone by itself
        first.wait()
        server.worker([]).close()
        assert server._process is not None
        assert server._process.pid != first.pid
    finally:
        server.stop()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_to_all_processes_of_the_box_leave_the_fork_server_to_it(number: signal.Signals) -> None:
    """A document under way is stopped by the box, or taken up again after its next start."""
    server = fork_server._ForkServer()
    try:
        server.worker([]).close()  # it runs
        assert server._process is not None
        server._process.send_signal(number)
        with pytest.raises(subprocess.TimeoutExpired):
            server._process.wait(1.0)
    finally:
        server.stop()


def test_a_fork_server_that_starts_slowly_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fork_server, "_ANSWER_SECONDS", 0.01)  # no Python starts as quickly
    server = fork_server._ForkServer()
    try:
        server.worker([]).close()
    finally:
        server.stop()


def test_a_stuck_fork_server_and_its_workers_are_ended_and_it_is_started_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    server = fork_server._ForkServer()
    try:
        first = server.worker([])
        assert server._process is not None
        stuck = server._process.pid
        os.kill(stuck, signal.SIGSTOP)
        first.close()  # does not wait for the stuck one to say how it ended
        assert server._socket is not None
        server._socket.settimeout(0.2)
        monkeypatch.setattr(fork_server, "LATE_S", 0.1)
        server.worker([]).close()
        assert server._process.pid != stuck
    finally:
        server.stop()
    assert "waiting for the server of document workers" in caplog.text
    assert "started again: timed out; it ran" in caplog.text


@pytest.fixture
def resting() -> Iterator[tuple[fork_server._ForkServer, set[int]]]:
    """A fork server that has had nothing to do, and its spare workers."""
    server = fork_server._ForkServer()
    try:
        server.worker([]).close()
        assert until(lambda: len(forked_by(server)) == places_here())
        yield server, forked_by(server)
    finally:
        server.stop()


def forked_by(server: fork_server._ForkServer) -> set[int]:
    assert server._process is not None
    pid = server._process.pid
    return set(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def until(done: Callable[[], bool]) -> bool:
    """Waits until ``done``; returns whether it was within HANG_S."""
    end = time.monotonic() + HANG_S
    while not (is_done := done()) and time.monotonic() < end:
        time.sleep(0.01)
    return is_done


def test_a_document_after_a_rest_has_a_worker_that_was_forked_before(
    resting: tuple[fork_server._ForkServer, set[int]],
) -> None:
    server, spare = resting
    worker = server.worker([])
    assert worker._pid in spare
    worker.close()


def test_spare_workers_leave_the_memory_to_a_long_document(
    resting: tuple[fork_server._ForkServer, set[int]],
) -> None:
    server, _ = resting
    worker = server.worker([])  # its job never comes
    assert until(lambda: forked_by(server) == {worker._pid})
    worker.close()


def test_a_spare_worker_that_was_killed_is_not_replaced_and_the_next_document_is_made(
    resting: tuple[fork_server._ForkServer, set[int]],
) -> None:
    server, spare = resting
    for pid in spare:
        os.kill(pid, signal.SIGKILL)
    assert until(lambda: not forked_by(server))
    worker = server.worker([])
    worker.close()
    time.sleep(2 * fork_server.REST_S)
    assert not forked_by(server)


def test_spare_workers_end_with_the_fork_server(resting: tuple[fork_server._ForkServer, set[int]]) -> None:
    server, spare = resting
    server.stop()
    assert until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in spare))
