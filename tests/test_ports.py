"""The ports of tests: free, reserved, outside the system's ephemeral range."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests import ports


def only(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    """Nothing but ``port`` is looked at."""
    monkeypatch.setattr(ports, "_FIRST", port)
    monkeypatch.setattr(ports, "_LAST", port + 2)
    monkeypatch.setattr(ports, "_TRIES", 20)


def test_a_port_is_claimed_for_this_process_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    first = ports.free_ports(2)
    for port in (first, first + 1):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind(("127.0.0.1", port))
        program = (
            "from tests import ports\n"
            f"ports._FIRST, ports._LAST, ports._TRIES = {port}, {port + 2}, 20\nports.free_port()\n"
        )
        again = subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=False,
            cwd=Path(__file__).parents[1],
        )
        assert "RuntimeError: no 1 free ports" in again.stderr
    only(monkeypatch, first)
    with pytest.raises(RuntimeError, match="no 1 free ports"):
        ports.free_port()


def test_no_port_is_one_that_the_system_gives_away() -> None:
    low, high = map(int, ports._EPHEMERAL.read_text().split())
    assert not [port for port in (ports.free_port() for _ in range(20)) if low <= port <= high]


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM], ids=["UDP", "TCP"])
def test_a_port_that_is_taken_is_not_given(monkeypatch: pytest.MonkeyPatch, kind: socket.SocketKind) -> None:
    port = ports.free_port()
    ports._taken.discard(port)
    only(monkeypatch, port)
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind(("127.0.0.1", port))
        with pytest.raises(RuntimeError):
            ports.free_port()
    assert ports.free_port() == port


def test_a_udp_port_that_is_bound_is_told_from_one_that_is_not() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
        assert ports.is_bound(port)
    assert not ports.is_bound(ports.free_port())
