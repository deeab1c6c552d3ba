"""The fork server ends when idle, and is started again for the next document."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.documents.workers import fork_server

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
