"""Commands use the running box when there is one: only one process handles an account."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

START_S, CALL_S = 120, 240
NUMBER = "+49305550100"

pytestmark = pytest.mark.realtime


@dataclass
class Registrar:
    """A registrar that accepts everybody but knows no number: each call gets 404."""

    sock: socket.socket
    registered: list[tuple[str, int]] = field(default_factory=list)  # Contact and Expires, in order
    called: list[str] = field(default_factory=list)
    slow_s: float = 0.0  # how long a REGISTER waits for its answer

    @property
    def port(self) -> int:
        return int(self.sock.getsockname()[1])

    def serve(self) -> None:
        with contextlib.suppress(OSError):  # closed: the test is over
            while True:
                data, source = self.sock.recvfrom(65535)
                answer = self._answer(data.decode("latin-1"))
                if answer:
                    # Later answers overtake a slow one: it has a thread of its own.
                    wait_s = self.slow_s if data.startswith(b"REGISTER") else 0.0
                    octets = answer.encode("latin-1")
                    threading.Timer(wait_s, self._send, (octets, source)).start()

    def _send(self, octets: bytes, source: tuple[str, int]) -> None:
        with contextlib.suppress(OSError):  # closed: the test is over
            self.sock.sendto(octets, source)

    def _answer(self, text: str) -> str:
        method = text.partition(" ")[0]
        if method in ("ACK", "SIP/2.0", ""):
            return ""
        kept = [
            line
            for line in text.split("\r\n")
            if line.partition(":")[0] in ("Via", "From", "To", "Call-ID", "CSeq")
        ]
        status, more = "200 OK", []
        if method == "REGISTER":
            contact = re.search(r"Contact: (.*)", text)
            expires = re.search(r"Expires: (\d+)", text)
            more = [f"Contact: {contact[1].strip()};expires=300"] if contact else []
            self.registered.append(
                (contact[1].strip() if contact else "", int(expires[1]) if expires else -1)
            )
        elif method == "INVITE":
            self.called.append(text.partition("\r\n")[0])
            status = "404 Not Found"
        return "\r\n".join([f"SIP/2.0 {status}", *kept, *more, "Content-Length: 0", "", ""])


@pytest.fixture
def registrar() -> Iterator[Registrar]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        made = Registrar(sock)
        threading.Thread(target=made.serve, daemon=True).start()
        yield made
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)


def faxbox(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "appliance.cli", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=CALL_S, check=False)


@contextlib.contextmanager
def box_on(data: Path, registrar: Registrar) -> Iterator[None]:
    line = {
        "name": "trunk",
        "type": "sip",
        "server": f"127.0.0.1:{registrar.port}",
        "username": "acct",
        "password": "secret",
        "country_code": "49",
    }
    settings = {
        "settings": {"sip": {"bind": "127.0.0.1", "udp_port": 0}, "practice": {"speed": 20}},
        "lists": {"lines": {"1": line}},
    }
    file = data.with_suffix(".json")
    file.write_text(json.dumps(settings), encoding="utf-8")
    done = faxbox("config", "import", file, "--data", data)
    assert done.returncode == 0, done.stderr
    serve = [sys.executable, "-m", "appliance.cli", "serve", "--data", str(data), "--http", "127.0.0.1:0"]
    process = subprocess.Popen(serve)
    try:
        begun = time.monotonic()
        while not (registrar.registered and (data / "http.json").exists()):
            assert time.monotonic() - begun < START_S
            time.sleep(0.1)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(START_S)


def test_commands_go_through_the_box_and_its_account_stays_registered(
    tmp_path: Path, registrar: Registrar
) -> None:
    pytest.importorskip("pjsua2")
    letter = tmp_path / "letter.txt"
    letter.write_text("Hello")
    data = tmp_path / "box"
    registrar.slow_s = 1.5  # the check begins while the box is still signing in
    with box_on(data, registrar):
        checked = faxbox("check", "trunk", "trunk", "--to", NUMBER, "--data", data)
        sent = faxbox("send", letter, "--to", NUMBER, "--data", data, "--line", "trunk")
        words = ["--cover", "standard", "--subject", "Our offer"]
        practised = faxbox("send", letter, "--to", "9990", "--data", data, *words)
        listed = json.loads(faxbox("list", "--json", "--data", data).stdout)
        alone = faxbox("send", letter, "--to", "9990", "--data", data, "--direct", "--speed", "20")
        handed = faxbox("send", letter, "--to", "9990", "--data", data, "--no-wait")
        assert len(json.loads(faxbox("list", "--json", "--data", data).stdout)) == len(listed) + 1
        assert {contact for contact, _ in registrar.registered} == {registrar.registered[0][0]}
        assert all(expires > 0 for _, expires in registrar.registered), registrar.registered
    assert checked.returncode == 1, checked.stdout + checked.stderr
    assert "The number does not exist or is not in service." in checked.stdout
    assert "Registered with" in checked.stdout
    assert sent.returncode == 2, sent.stdout + sent.stderr  # the user's: no such number
    assert "number_not_in_service" in sent.stderr
    assert "sent by the box that runs" in sent.stdout
    assert [line.split()[1].partition("@")[0] for line in registrar.called] == [f"sip:{NUMBER}"] * 2
    assert practised.returncode == 0, practised.stdout + practised.stderr
    assert "delivered: 2 of 2 pages confirmed" in practised.stdout, "a cover page and the letter"
    assert listed[0]["to"]["number"] == "9990", "it is in the journal"
    assert "delivered: 1 of 1 pages confirmed" in alone.stdout
    assert handed.returncode == 0, handed.stderr
