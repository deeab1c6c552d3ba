"""Hostile clients during faxes, in turn and together: every fax arrives, other clients are served.

What each bad request is answered with is tested in tests/api/test_hostile.py; here nothing else may be
disturbed: the faxes under way, an honest client, the box's memory.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bench import marked
from bench.burst import Arrivals
from bench.running import Running, running

FAXES = 24
# The box's memory may grow by so much while it is thrown at, MiB: its whole budget for content and workers.
GROWTH_MIB = 250
# For three answers to an honest client, seconds; alone they take milliseconds.  Only a hang takes as long.
HONEST_S = 60.0
FINISH_S = 400.0
_HEAD = "POST /api/v1/faxes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"


def garbage(box: Running, chance: random.Random) -> None:
    with _connected(box) as sock:
        sock.sendall(chance.randbytes(5000))
        sock.recv(1000)


def endless_head(box: Running, chance: random.Random) -> None:
    with _connected(box) as sock:
        for _ in range(200):
            sock.sendall(b"X-%d: " % chance.randrange(10**9) + b"a" * 1000 + b"\r\n")


def slow_head(box: Running, chance: random.Random) -> None:
    with _connected(box) as sock:
        for octet in b"GET /api/v1/health HT":
            sock.sendall(bytes([octet]))
            time.sleep(0.15)


def cut_off(box: Running, chance: random.Random) -> None:
    with _connected(box) as sock:
        head = (
            _HEAD.format(token=box.token) + "Content-Type: application/json\r\nContent-Length: 9000\r\n\r\n"
        )
        sock.sendall(head.encode() + b'{"to": ["9990"], "files": [')


def huge(box: Running, chance: random.Random) -> None:
    with _connected(box) as sock:
        head = (
            _HEAD.format(token=box.token)
            + "Content-Type: application/json\r\nContent-Length: 90000000000\r\n\r\n"
        )
        sock.sendall(head.encode())
        for _ in range(50):
            sock.sendall(bytes(100_000))


def endless_chunks(box: Running, chance: random.Random) -> None:
    with _connected(box) as sock:
        head = (
            _HEAD.format(token=box.token)
            + "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        sock.sendall(head.encode())
        for _ in range(400):
            sock.sendall(b"10000\r\n" + bytes(65536) + b"\r\n")


def bomb_image(box: Running, chance: random.Random) -> None:
    """A PNG that says that it is 60,000 by 60,000 pixels."""
    head = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (60_000).to_bytes(4, "big") * 2 + b"\x08\2\0\0\0" + bytes(4)
    _send(box, "a.png", head + chance.randbytes(2000))


def broken_pdf(box: Running, chance: random.Random) -> None:
    _send(box, "a.pdf", b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 1 0 R>>endobj\n" + chance.randbytes(3000))


def broken_tiff(box: Running, chance: random.Random) -> None:
    content = bytearray(marked.document(1))
    for _ in range(20):
        content[chance.randrange(8, len(content))] = chance.randrange(256)
    _send(box, "a.tif", bytes(content))


def deep_json(box: Running, chance: random.Random) -> None:
    client = box.client()
    kind = {"Content-Type": "application/json"}
    client.ask("POST", "/faxes", b"[" * 100_000, headers=kind)
    client.ask("POST", "/faxes", b'{"to": ["9990"], "files": [{"content": "!!"}]}', headers=kind)
    client.ask("POST", "/faxes", json.dumps({"to": ["9990"] * 5000}).encode(), headers=kind)
    client.close()


def never_reads(box: Running, chance: random.Random) -> None:
    with _connected(box) as sock:
        ask = f"GET /api/v1/openapi.json HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {box.token}\r\n\r\n"
        for _ in range(50):
            sock.sendall(ask.encode())
        time.sleep(1.0)


ATTACKS: tuple[Callable[[Running, random.Random], None], ...] = (
    garbage,
    endless_head,
    slow_head,
    cut_off,
    huge,
    endless_chunks,
    bomb_image,
    broken_pdf,
    broken_tiff,
    deep_json,
    never_reads,
)


@pytest.mark.timeout(2 * FINISH_S)
def test_hostile_requests_of_every_kind_disturb_no_fax_and_no_other_client(tmp_path: Path) -> None:
    settings = {"practice.speed": "10", "practice.calls_at_once": "8"}
    with running(tmp_path / "box", settings) as box:
        arrivals = Arrivals(box.data, tmp_path / "kept")
        client = box.client()
        before_mib = box.memory_mib()
        faxes = [
            client.send("9990", f"{fax}.tif", marked.document(fax), quality="standard").json["faxes"][0]["id"]
            for fax in range(FAXES)
        ]
        stop = threading.Event()
        made = [0] * len(ATTACKS)
        attackers = [
            threading.Thread(target=_attack, args=(box, kind, stop, made)) for kind in range(len(ATTACKS))
        ]
        for attacker in attackers:
            attacker.start()
        slowest_s, most_mib = 0.0, 0.0
        end = time.monotonic() + FINISH_S
        running_faxes = set(faxes)
        while (running_faxes or min(made) < 2) and time.monotonic() < end:
            begun = time.monotonic()
            for fax in list(running_faxes)[:3]:
                if client.ask("GET", f"/faxes/{fax}").json["ended_at"] is not None:
                    running_faxes.discard(fax)
            slowest_s = max(slowest_s, time.monotonic() - begun)
            most_mib = max(most_mib, box.memory_mib())
            time.sleep(0.1)
        stop.set()
        for attacker in attackers:
            attacker.join()
        states = [client.ask("GET", f"/faxes/{fax}").json["state"] for fax in faxes]
        alive = box.process.poll() is None
        arrivals.close()
    log = (box.data / "serve.log").read_text()
    print(f"attacks {made}, slowest honest answers {slowest_s:.2f} s, {before_mib:.0f} → {most_mib:.0f} MiB")
    assert alive
    assert min(made) >= 2
    assert states == ["delivered"] * FAXES
    pages = arrivals.pages()
    assert all(pages["9990", fax, 0] >= 1 for fax in range(FAXES))
    assert slowest_s < HONEST_S
    assert most_mib - before_mib < GROWTH_MIB
    assert "Traceback" not in log


def _attack(box: Running, kind: int, stop: threading.Event, made: list[int]) -> None:
    chance = random.Random(kind)
    while not stop.is_set():
        with contextlib.suppress(OSError, http.client.HTTPException):
            ATTACKS[kind](box, chance)
        made[kind] += 1
        stop.wait(0.2)


@contextlib.contextmanager
def _connected(box: Running):
    with socket.create_connection(("127.0.0.1", box.port), timeout=20) as sock:
        yield sock


def _send(box: Running, name: str, content: bytes) -> None:
    client = box.client()
    client.send("9991", name, content)
    client.close()
