"""The box under systemd: passed sockets, readiness, watchdog, journal.

systemd's part is played from its documentation (sd_notify(3), sd_listen_fds(3), the journal's protocol):
real sockets and a real process.
"""

from __future__ import annotations

import http.client
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.daemon import service_manager
from appliance.daemon.watchdog import ServiceWatchdog

PROJECT = Path(__file__).parents[2]
HANG_S = 120.0
# As the exec in the child's own shell does it: LISTEN_PID is the process's own number.
_START = """
import os, sys
os.environ["LISTEN_PID"] = str(os.getpid())
os.execv(sys.executable, [sys.executable, "-m", "appliance.cli", *sys.argv[1:]])
"""


class Started:
    """A box started as systemd does."""

    def __init__(self, data: Path, watchdog_s: float) -> None:
        self._notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        address = data.parent / f"notify-{data.name}"
        self._notices.bind(str(address))
        self.sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
        self.ports = [each.getsockname()[1] for each in self.sockets]
        self.process = subprocess.Popen(
            [sys.executable, "-c", _START, "serve", "--data", str(data), "--http", "systemd"],
            cwd=PROJECT,
            env={
                **os.environ,
                "LISTEN_FDS": "2",
                "NOTIFY_SOCKET": str(address),
                "WATCHDOG_USEC": str(int(watchdog_s * 1e6)),
            },
            stdout=subprocess.DEVNULL,
            preexec_fn=self._hand_down,  # noqa: PLW1509 (two dup2, nothing else)
            close_fds=False,
        )

    def _hand_down(self) -> None:
        spare = [os.dup(each.fileno()) for each in self.sockets]  # out of the way of 3 and 4
        high = [os.dup2(number, 100 + at) for at, number in enumerate(spare)]
        for at, number in enumerate(high):
            os.dup2(number, 3 + at, inheritable=True)

    def notice(self, limit_s: float = HANG_S) -> str:
        self._notices.settimeout(limit_s)
        return self._notices.recv(4096).decode()

    def until(self, wanted: str) -> None:
        while self.notice() != wanted:
            pass

    def notices_within(self, seconds: float) -> list[str]:
        end, found = time.monotonic() + seconds, []
        while (left := end - time.monotonic()) > 0:
            try:
                found.append(self.notice(left))
            except TimeoutError:
                break
        return found

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait(HANG_S)
        for each in (*self.sockets, self._notices):
            each.close()


@pytest.fixture(name="started", scope="module")
def _started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    started = Started(tmp_path_factory.mktemp("box"), watchdog_s=2.0)
    try:
        started.until("READY=1")
        yield started
    finally:
        started.close()


@pytest.mark.realtime
@pytest.mark.parametrize("which", [0, 1])
def test_the_box_answers_on_each_socket_that_it_was_handed(started: Started, which: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", started.ports[which], timeout=HANG_S)
    connection.request("GET", "/api/v1/health")
    assert json.loads(connection.getresponse().read())["status"] in ("ok", "warning")


@pytest.mark.realtime
def test_proofs_of_life_go_on_coming(started: Started) -> None:
    for _ in range(3):
        started.until("WATCHDOG=1")


@pytest.mark.realtime
def test_a_box_that_stands_still_sends_no_proof(started: Started) -> None:
    started.process.send_signal(signal.SIGSTOP)
    started.notices_within(0.2)
    assert started.notices_within(3.0) == []
    started.process.send_signal(signal.SIGCONT)
    started.until("WATCHDOG=1")


@pytest.mark.realtime
def test_a_stop_is_told_and_clean(started: Started) -> None:
    started.process.send_signal(signal.SIGTERM)
    started.until("STOPPING=1")
    assert started.process.wait(HANG_S) == 0


def test_a_part_that_hangs_is_missing_and_the_others_are_not() -> None:
    release = threading.Event()
    watchdog = ServiceWatchdog(
        {"hangs": lambda: release.wait(HANG_S), "lives": lambda: None}, every_s=0.01, limit_s=0.3
    )
    watchdog.start()
    end = time.monotonic() + HANG_S
    while watchdog.missing() != ["hangs"]:
        assert time.monotonic() < end
        time.sleep(0.01)
    release.set()
    while watchdog.missing():
        assert time.monotonic() < end
        time.sleep(0.01)
    watchdog.stop()


def test_a_part_that_fails_is_missing_until_it_works_again() -> None:
    broken = [True]

    def proof() -> None:
        if broken[0]:
            raise OSError("no")

    watchdog = ServiceWatchdog({"part": proof}, every_s=0.01, limit_s=0.2)
    watchdog.start()
    end = time.monotonic() + HANG_S
    while watchdog.missing() != ["part"]:
        assert time.monotonic() < end
        time.sleep(0.01)
    broken[0] = False
    while watchdog.missing():
        assert time.monotonic() < end
        time.sleep(0.01)
    watchdog.stop()


def test_sockets_meant_for_another_process_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LISTEN_PID", "1")
    monkeypatch.setenv("LISTEN_FDS", "2")
    assert service_manager.inherited_sockets() == []
    assert "LISTEN_PID" not in os.environ


def test_a_log_record_is_a_journal_entry_with_its_fields(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    journal.bind(str(tmp_path / "journal"))
    monkeypatch.setattr(service_manager, "JOURNAL_SOCKET", str(tmp_path / "journal"))
    log = logging.Logger("faxbox.test")
    log.addHandler(service_manager.JournalHandler())
    log.warning("two\nlines")
    entry = journal.recv(1 << 16)
    assert b"PRIORITY=4\n" in entry
    assert b"FAXBOX_PART=faxbox.test\n" in entry
    assert b"MESSAGE\n" + (9).to_bytes(8, "little") + b"two\nlines\n" in entry
    journal.close()
