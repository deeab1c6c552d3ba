"""A flood of SIP from an address of no trunk during a fax.

The box is a process of its own, so that its memory is its own.  The full size (``make test-full``) is 5,000
requests a second for a minute.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance import causes
from appliance.lines.practice.machine import MachineResult
from appliance.lines.sip.settings import Transport
from tests.lines.sip.box_process import HANGS_S, BoxProcess, send_fax
from tests.lines.sip.media import T38Far
from tests.lines.sip.rig import Box, certificate, send
from tests.lines.sip.sipp import Sipp, called, image, needs_sipp, pause, sdp
from tests.lines.sip.test_behaviours import BYE, answer, switch
from tests.ports import free_port

pytestmark = pytest.mark.realtime

STRANGER = "127.0.0.2"
METHODS = ("INVITE", "MESSAGE", "OPTIONS", "REGISTER", "SUBSCRIBE", "BYE")
MOST_GROWTH = 20 << 20  # octets
# sip_gate.c: what one source is answered at once, and one more every half a minute.
MOST_ANSWERS = 8
PAGE_SIZE = 4096
# Who has not been answered by then is shut out: before a silent connection would be closed.
SHUT_OUT_S = 8.0
# Of the steps of calls, what may be late beyond what the flood's own making costs.
MOST_LATE = 0.02


@dataclass
class Flood:
    """What strangers send, and what they hear."""

    sent: int = 0
    answers: int = 0
    octets_sent: int = 0
    octets_heard: int = 0


def message(method: str, number: int, port: int, *, filling: int = 0) -> bytes:
    body = "v=0\r\n" + "a=x\r\n" * filling
    return (
        f"{method} sip:5550100@127.0.0.1 SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP {STRANGER}:{port};branch=z9hG4bK{number}\r\n"
        f"Max-Forwards: 70\r\nFrom: <sip:a@{STRANGER}>;tag=t{number}\r\nTo: <sip:5550100@127.0.0.1>\r\n"
        f"Call-ID: flood{number}\r\nCSeq: 1 {method}\r\nContact: <sip:a@{STRANGER}>\r\nEvent: presence\r\n"
        f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


@contextlib.contextmanager
def stranger() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((STRANGER, 0))
        sock.setblocking(False)
        yield sock


def flood(port: int, rate: int, seconds: float) -> Flood:
    """So many requests a second, of every kind, some large."""
    seen = Flood()
    with stranger() as sock:
        began = time.monotonic()
        while (now := time.monotonic() - began) < seconds:
            while seen.sent < now * rate:
                method = METHODS[seen.sent % len(METHODS)]
                octets = message(method, seen.sent, sock.getsockname()[1], filling=seen.sent % 3 * 100)
                with contextlib.suppress(BlockingIOError):
                    sock.sendto(octets, ("127.0.0.1", port))
                seen.sent += 1
                seen.octets_sent += len(octets)
            time.sleep(0.002)
            _hear(sock, seen)
        time.sleep(1.0)
        _hear(sock, seen)
    return seen


def _hear(sock: socket.socket, seen: Flood) -> None:
    with contextlib.suppress(BlockingIOError):
        while True:
            seen.octets_heard += len(sock.recv(65535))
            seen.answers += 1


def resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_SIZE


@pytest.mark.parametrize(
    ("rate", "seconds"),
    [
        (1000, 4.0),
        pytest.param(1000, 20.0, marks=pytest.mark.full),
        pytest.param(5000, 60.0, marks=pytest.mark.full),
    ],
)
def test_flood_of_strangers_neither_grows_the_box_nor_echoes_nor_disturbs_a_call(
    tmp_path: Path, rate: int, seconds: float
) -> None:
    async def run() -> tuple[Flood, int, MachineResult | None]:
        box = BoxProcess(tmp_path)
        try:
            await send_fax(box, tmp_path, "warm")  # what a first call takes is not the strangers'
            before = resident(box.pid)
            seen, fax = await asyncio.gather(
                asyncio.to_thread(flood, box.udp, rate, seconds), send_fax(box, tmp_path, "under_way")
            )
            grown = resident(box.pid) - before
            assert box.ended_with() is None
            return seen, grown, fax
        finally:
            box.kill()

    seen, grown, fax = asyncio.run(run())
    print(f"{seen.sent} requests, {seen.answers} answers, grown by {grown >> 10} KiB")
    assert seen.sent >= rate * seconds * 0.9
    assert grown < MOST_GROWTH
    assert 0 < seen.answers <= MOST_ANSWERS
    assert seen.octets_heard < seen.octets_sent / 50
    assert fax is not None
    assert fax.ok, fax


@dataclass(frozen=True, slots=True)
class Paced:
    """How punctual calls were: steps of their timers, how many were more than 10 ms late, the worst, s."""

    faxes: int
    steps: int
    late: int
    worst_s: float

    @property
    def share(self) -> float:
        return self.late / self.steps


async def faxes_beside(folder: Path, rate: int, seconds: float, *, at_the_box: bool) -> tuple[Paced, int]:
    """Faxes over T.38 one after the other beside a flood; how punctual they were, and the flood's answers.

    Without ``at_the_box`` the flood goes to a port where nobody cares: what making it costs this machine.
    The flood is made by a process of its own.
    """
    folder.mkdir()
    faxes = steps = late = 0
    worst_s = 0.0
    async with Box() as box:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nobody:
            nobody.bind(("127.0.0.1", 0))
            port = box.port if at_the_box else nobody.getsockname()[1]
            flooding = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.lines.sip.test_gate", str(port), str(rate), str(seconds)),
                stdout=asyncio.subprocess.PIPE,
                cwd=Path(__file__).parents[3],
            )
            while flooding.returncode is None:
                far = T38Far(receive=folder / f"{faxes}.tif")
                far.start()
                answering = [*answer(), pause(200), *switch(sdp(image(far.port), version=2)), *BYE]
                sipp = Sipp(folder, f"far{faxes}", called(*answering), free_port())
                await sipp.start()
                line = await box.line(f"far{faxes}", f"127.0.0.1:{sipp.port}")
                outcome = await send(line)
                assert outcome.result.cause is causes.DELIVERED, outcome.words()
                faxes, steps, late = faxes + 1, steps + line.pacing.steps, late + line.pacing.late
                worst_s = max(worst_s, line.pacing.worst_s)
                await line.stop()
                await sipp.finish()
                await far.finish()
            said, _ = await flooding.communicate()
            sent, answers = map(int, said.split())
            assert sent >= rate * seconds * 0.9
    return Paced(faxes, steps, late, worst_s), answers


@pytest.mark.full  # two floods, and faxes in real time beside them: on a busy machine they starve each other
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(("rate", "seconds"), [(1000, 20.0), (5000, 60.0)])
@needs_sipp
def test_calls_in_progress_send_no_more_packets_late_because_of_a_flood(
    tmp_path: Path, rate: int, seconds: float
) -> None:
    """Beside the same calls with the same flood, made on the same cores in the same run, sent elsewhere."""
    elsewhere, _ = asyncio.run(faxes_beside(tmp_path / "elsewhere", rate, seconds, at_the_box=False))
    here, answers = asyncio.run(faxes_beside(tmp_path / "here", rate, seconds, at_the_box=True))
    for name, paced in (("elsewhere", elsewhere), ("at the box", here)):
        print(
            f"{rate} a second for {seconds:.0f} s {name}: {paced.faxes} faxes, {paced.late} of"
            f" {paced.steps} steps late ({paced.share:.2%}), worst {paced.worst_s * 1000:.1f} ms"
        )
    assert answers <= MOST_ANSWERS
    assert here.share <= 2 * elsewhere.share + MOST_LATE


def test_stranger_is_told_a_few_times_that_it_may_not_and_then_nothing(tmp_path: Path) -> None:
    async def run() -> None:
        async with Box() as box:
            await box.line("provider", "127.0.0.1:9")
            with stranger() as sock:
                loop = asyncio.get_running_loop()
                for number in range(30):
                    sock.sendto(message("INVITE", number, sock.getsockname()[1]), ("127.0.0.1", box.port))
                    await asyncio.sleep(0.02)
                answers = []
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.5):
                        while True:
                            answers.append((await loop.sock_recv(sock, 65535)).decode())
            assert 1 <= len(answers) <= MOST_ANSWERS
            assert all(answer.startswith("SIP/2.0 403 ") for answer in answers)
            assert not any("faxbox" in answer.lower() for answer in answers)
            assert box.knocks == []

    asyncio.run(run())


SAID_BY_STRANGERS = {
    "a request": message("OPTIONS", 1, 5060),
    "a request without answer": message("ACK", 2, 5060),
    "two requests": message("REGISTER", 3, 5060) + message("INVITE", 4, 5060),
    "a request and a half": message("OPTIONS", 5, 5060) + b"INVITE sip:",
    "more requests than are read": b"".join(message("OPTIONS", number, 5060) for number in range(100)),
    "a response to nothing": message("OPTIONS", 6, 5060).replace(
        b"OPTIONS sip:5550100@127.0.0.1 SIP/2.0", b"SIP/2.0 200 OK"
    ),
}


@pytest.mark.parametrize("tls", [False, True], ids=["tcp", "tls"])
def test_connection_of_a_stranger_is_closed_whatever_it_said(tmp_path: Path, tls: bool) -> None:
    """pjsip closes a connection when its last transaction ends, which strangers never have."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    box = BoxProcess(tmp_path)
    try:
        with contextlib.ExitStack() as held:
            connections = {}
            for name, octets in SAID_BY_STRANGERS.items():
                address = ("127.0.0.1", box.tls if tls else box.tcp)
                sock = socket.create_connection(address, timeout=HANGS_S, source_address=(STRANGER, 0))
                held.callback(sock.close)
                connections[name] = context.wrap_socket(sock) if tls else sock
                connections[name].sendall(octets)
            assert [name for name, sock in connections.items() if not is_closed(sock)] == []
        assert box.finish() == {"calls": 0, "descriptors": 0, "threads": 0}
    finally:
        box.kill()


class Peer:
    """A connection that stays open, with or without TLS, and OPTIONS on it."""

    def __init__(self, address: str, port: int, context: ssl.SSLContext | None) -> None:
        self._address = address
        self._way = {"host": "127.0.0.1", "port": port, "ssl": context, "local_addr": (address, 0)}
        self._number = 0
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self) -> str:
        """The status of the answer; empty when it was turned away."""
        self._number += 1
        octets = message("OPTIONS", self._number, 5060).replace(STRANGER.encode(), self._address.encode())
        try:
            async with asyncio.timeout(SHUT_OUT_S):
                if self._streams is None:
                    self._streams = await asyncio.open_connection(**self._way)  # type: ignore[arg-type]
                reader, writer = self._streams
                writer.write(octets)
                return (await reader.readuntil(b"\r\n\r\n")).decode()[8:11]
        except (OSError, EOFError, TimeoutError):
            self.close()
            return ""

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None


@pytest.mark.parametrize("tls", [False, True], ids=["tcp", "tls"])
def test_no_address_and_no_number_of_strangers_shut_out_other_providers(tmp_path: Path, tls: bool) -> None:
    """Who has said something is kept for ten minutes, and who has not for ten seconds."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

    async def run() -> None:
        async with Box(tcp_port=0, tls_port=0, **certificate(tmp_path)) as box:
            await box.line("providers", "127.0.0.1:9", peers=("127.0.7.1", "127.0.7.2"))
            port = box.stack.ports[Transport.TLS if tls else Transport.TCP]
            greedy = [Peer("127.0.7.1", port, context if tls else None) for _ in range(300)]
            other, late = (Peer(f"127.0.7.{each}", port, context if tls else None) for each in (2, 1))
            with contextlib.ExitStack() as held:
                for each in (*greedy, other, late):
                    held.callback(each.close)
                assert await greedy[0].ask() == "200"
                await asyncio.gather(*(each.ask() for each in greedy[1:]))
                for number in range(400):
                    sock = held.enter_context(socket.socket())
                    sock.setblocking(False)
                    sock.bind((f"127.0.8.{number % 40 + 1}", 0))
                    sock.connect_ex(("127.0.0.1", port))
                await asyncio.sleep(1.0)
                assert [await other.ask(), await other.ask()] == ["200", "200"]
                assert await greedy[0].ask() == "200"  # nor did it lose what it had
                for each in greedy:
                    each.close()
                async with asyncio.timeout(SHUT_OUT_S):
                    while await late.ask() != "200":
                        await asyncio.sleep(0.1)

    asyncio.run(run())


def is_closed(sock: socket.socket) -> bool:
    """Whether the box closes it before it would be due to pjsip's longest timer (600 s)."""
    end = time.monotonic() + HANGS_S
    with contextlib.suppress(ConnectionResetError):
        while sock.recv(4096):
            if time.monotonic() > end:
                return False  # pjsip keeps it alive
    return True


def test_network_of_a_trunk_is_let_in_and_its_neighbours_are_not() -> None:
    async def answer_to(box: Box, address: str) -> str:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind((address, 0))
            sock.setblocking(False)
            text = message("OPTIONS", hash(address) % 10_000, sock.getsockname()[1]).decode()
            sock.sendto(text.replace(STRANGER, address).encode(), ("127.0.0.1", box.port))
            async with asyncio.timeout(30):
                return (await asyncio.get_running_loop().sock_recv(sock, 65535)).decode()[8:11]

    async def run() -> None:
        async with Box() as box:
            await box.line("provider", "127.0.0.1:9", peers=("127.0.9.16/28", "127.0.7.1"))
            addresses = ("127.0.9.16", "127.0.9.31", "127.0.9.15", "127.0.9.32", "127.0.7.1", "127.0.7.2")
            answers = [await answer_to(box, address) for address in addresses]
            assert answers == ["200", "200", "403", "403", "200", "403"]

    asyncio.run(run())


if __name__ == "__main__":  # a flood in a process of its own: PORT RATE SECONDS; prints sent and answered
    _seen = flood(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
    print(_seen.sent, _seen.answers)
