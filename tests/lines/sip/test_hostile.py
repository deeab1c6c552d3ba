"""Attacks of peers and strangers during calls: the box survives and accepts the next fax.

One box in a process of its own, so that a crash of the C library is seen, and all attacks on it at the same
time.  Seeded; the sweep (FAXBOX_SWEEP=1) sends ten times as much.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import socket
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from appliance.lines.practice.machine import MachineResult
from appliance.lines.sip.witnesses import speaks_t38
from appliance.t38 import ifp
from appliance.t38.ifp import DataField, DataPacket, DataType, FieldType, Indicator, IndicatorPacket
from tests.lines.sip.box_process import HANGS_S, BoxProcess, During, RawCall, send_fax
from tests.lines.sip.media import T38Far
from tests.lines.sip.sipp import audio, image, sdp
from tests.lines.sip.test_fuzz import SDP_LINES

pytestmark = pytest.mark.realtime

SWEEP = os.environ.get("FAXBOX_SWEEP") == "1"
TIMES = 10 if SWEEP else 1
# What somebody who has connected may take to say something (config_site.h), and time for a busy machine.
SILENCE_S = 10.0
# Connections that are opened, and files that the box may have open then.
CROWD, MAX_FILES = 480, 400
# The crowd's own work may hold a call in real time up on a busy machine; a box that is shut out stays so.
ATTEMPTS = 3


@dataclass
class Attacked:
    """What was seen of a box under attack."""

    faxes: dict[str, MachineResult | None] = field(default_factory=dict)
    answers: list[str] = field(default_factory=list)  # first lines of what the box said to rubbish in SDP
    asked: list[int] = field(default_factory=list)  # offers of T.38 that it made, by call
    files: int = 0  # that it had open in the crowd
    silent_closed: dict[str, bool] = field(default_factory=dict)
    ended: int | None = None  # what the process ended with, None when it lived
    left: dict[str, int] = field(default_factory=dict)
    log: str = ""


# -- what strangers and peers do -------------------------------------------------------------------


async def throw_at_ports(port: int) -> None:
    """A stranger's datagrams of every size at the ports of a call's T.38, RTP and RTCP."""
    dice = random.Random(3)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.setblocking(False)
        for _ in range(2000 * TIMES):
            size = dice.choice([0, 1, 3, 12, 60, 172, 400, 2048, 60000])
            to = port + dice.choice([0, 0, 0, 1, -1, 500])
            with contextlib.suppress(OSError):
                stranger.sendto(dice.randbytes(size), ("127.0.0.1", to))
            await asyncio.sleep(0.003)


async def go_mad(call: RawCall, far: T38Far, port: int) -> None:
    """The far end's own UDPTL goes mad."""
    dice = random.Random(4)
    for _ in range(500 * TIMES):
        octets = dice.randbytes(dice.choice([1, 4, 6, 20, 300, 2000]))
        if dice.random() < 0.5:  # a sequence number near the true ones, and IFP that begins well
            octets = bytes([0, dice.randrange(256), 1, dice.randrange(32)]) + octets
        far.send_raw(octets, port)
        await asyncio.sleep(0.01)
    call.hang_up()


# FCFs of a called machine as T.38 carries them, first bit of the line first (T.30 5.3.6.1).
DCN, MCF = 0x5F, 0x31


def hang_ups(first: int, count: int) -> list[bytes]:
    """DCN (T.30 5.3.6.1.7) as a T.38 gateway says it, in UDPTL of these sequence numbers: all is in order."""
    return spoken_in_t38(DCN, first, count)


def spoken_in_t38(fcf: int, first: int, count: int) -> list[bytes]:
    """A frame without content, again and again, in ``count`` datagrams numbered from ``first`` on."""
    frame = bytes([0xFF, 0xC8, fcf])
    packets = [
        ifp.encode(IndicatorPacket(Indicator.V21_PREAMBLE), 0),
        ifp.encode(
            DataPacket(
                DataType.V21,
                (DataField(FieldType.HDLC_DATA, frame), DataField(FieldType.HDLC_FCS_OK_SIG_END)),
            ),
            0,
        ),
    ]
    return [
        (number & 0xFFFF).to_bytes(2, "big") + bytes([len(packet)]) + packet + bytes([0, 0])
        for number, packet in ((first + at, packets[at % 2]) for at in range(count))
    ]


async def forge_hang_ups(far: T38Far, port: int) -> None:
    """Once the far end has spoken, others say all the time that it hangs up, with each number that is due:

    from the far end's host but another port, from another host, and to the ports beside.
    """
    while not far.spoken:
        await asyncio.sleep(0.01)
    with contextlib.ExitStack() as held:
        strangers = []
        for host in ("127.0.0.1", "127.0.0.2"):
            strangers.append(held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)))
            strangers[-1].bind((host, 0))
            strangers[-1].setblocking(False)
        while True:
            first = far.spoken
            for forged in hang_ups(first, 20):
                for stranger in strangers:
                    for to in (port, port + 1):
                        with contextlib.suppress(OSError):
                            stranger.sendto(forged, ("127.0.0.1", to))
            await asyncio.sleep(0.1)


async def mad_audio(box: BoxProcess) -> None:
    """RTP of a call goes mad."""
    dice = random.Random(5)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.setblocking(False)
        call = RawCall(box.udp, "audio")
        answer = await call.open(sdp(audio(sock.getsockname()[1])))
        port = int(answer.partition("m=audio ")[2].split()[0])
        for number in range(500 * TIMES):
            header = bytes([dice.choice([0x80, 0x9F, 0xBF]), dice.choice([0, 8, 0x88, 101])])
            rest = dice.randbytes(dice.choice([0, 8, 168, 968, 1400]))
            with contextlib.suppress(OSError):
                sock.sendto(header + number.to_bytes(2, "big") + rest, ("127.0.0.1", port))
            await asyncio.sleep(0.01)
        call.hang_up()
        call.close()


def rubbish_sdp(dice: random.Random, port: int) -> str:
    """SDP that may be right, nearly right, or nothing at all."""
    good = sdp(image(port)).split("\r\n")[:-1]
    lines = good if dice.random() < 0.6 else good[:5]
    lines = lines + dice.choices(SDP_LINES, k=dice.randrange(0, 8))
    if dice.random() < 0.3:
        dice.shuffle(lines)
    text = "".join(f"{line}\r\n" for line in lines)
    if dice.random() < 0.5:
        place = dice.randrange(len(text))
        cut = dice.randrange(1, 20)
        spoilt = dice.choice(["", "0", "999999", "-1", "\x00", "=", "\r\n", "é" * 40])
        text = text[:place] + spoilt + text[place + cut :]
    return text


async def pester(call: RawCall, far: T38Far, seed: int) -> None:
    """Re-INVITE and UPDATE with every kind of SDP while a page is under way."""
    dice = random.Random(seed)
    for _ in range(60 * TIMES):
        call.send(dice.choice(["INVITE", "UPDATE"]), rubbish_sdp(dice, far.port))
        await asyncio.sleep(0.05)
    call.hang_up()


async def answer_with_rubbish(box: BoxProcess, number: int) -> int:
    """The box asks for T.38, and the answer is rubbish; how often it asked."""
    dice = random.Random(number)
    call = RawCall(box.udp, f"answer{number}")
    asked = 0
    try:
        await call.open(sdp(audio(9)))
        async with asyncio.timeout(HANGS_S):
            while not call.over:
                text = await call.heard()
                if text.startswith("INVITE "):
                    asked += 1
                    call.respond(text, "200 OK", rubbish_sdp(dice, 9))
                    asyncio.get_running_loop().call_later(1.0, call.hang_up)
    finally:
        call.close()
    return asked


def connect(port: int) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", port), timeout=10)
    sock.setblocking(False)
    return sock


async def is_closed_by_them(sock: socket.socket) -> bool:
    """Whether the box lets go of this connection."""
    with contextlib.suppress(OSError):
        async with asyncio.timeout(HANGS_S):
            while await asyncio.get_running_loop().sock_recv(sock, 4096):
                pass
        return True
    return False


async def pour(port: int, octets: bytes, times: int) -> None:
    """As much of this as the box takes in a moment over one connection."""
    with connect(port) as sock, contextlib.suppress(OSError):
        async with asyncio.timeout(5.0):
            for _ in range(times):
                await asyncio.get_running_loop().sock_sendall(sock, octets)


async def messages_without_end(box: BoxProcess) -> None:
    """A header that never ends, a length of a gigabyte, plain text to TLS, datagrams of 65,000 octets."""
    head = b"OPTIONS sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK1\r\n"
    await asyncio.gather(
        pour(box.tcp, b"X" * 4096, 200),
        pour(box.tcp, head + b"Subject: " + b"y" * 4096, 200),
        pour(box.tcp, head + b"Content-Length: 1000000000\r\n\r\n" + b"z" * 4096, 200),
        pour(box.tcp, head + b"Content-Length: -1\r\n\r\n", 50),
        pour(box.tcp, b"\r\n\r\n", 2000),
        pour(box.tls, head * 20, 50),
        pour(box.tls, random.Random(6).randbytes(4096), 50),
    )
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for fill in (b"\r\nX: y", b"a", b"\x00", b";tag=x", b"\r\n "):
            sock.sendto((head + fill * 65000)[:65000], ("127.0.0.1", box.udp))


async def crowd(box: BoxProcess, folder: Path, seen: Attacked) -> None:
    """After all else: connections silent, half-open and talkative, more than it takes; a fax meanwhile."""
    with contextlib.ExitStack() as held:
        silent = {
            name: held.enter_context(connect(port)) for name, port in (("TCP", box.tcp), ("TLS", box.tls))
        }
        socks = [held.enter_context(socket.socket()) for _ in range(CROWD)]
        for number, sock in enumerate(socks):
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", box.tls if number % 3 else box.tcp))
            if number % 20 == 0:
                await asyncio.sleep(0.05)
        await asyncio.sleep(1.0)
        for number, sock in enumerate(socks[::4]):  # a request, or a ClientHello, that never goes on
            with contextlib.suppress(OSError):  # turned away, or not accepted yet
                sock.send(bytes([22, 3, 1, 2, 0, 1, 0, 1]) if number % 3 else b"INVITE sip:x@127.0.0.1 SI")
        seen.files = len(os.listdir(f"/proc/{box.pid}/fd"))
        for attempt in range(ATTEMPTS):
            fax = seen.faxes["in the crowd"] = await send_fax(box, folder, f"crowd{attempt}")
            if fax is not None and fax.ok:
                break
        closed = await asyncio.gather(*map(is_closed_by_them, silent.values()))
        seen.silent_closed = dict(zip(silent, closed, strict=True))


async def shakes_hands(port: int) -> None:
    """A proper handshake of TLS."""
    context: Any = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    async with asyncio.timeout(HANGS_S):
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


async def attack(box: BoxProcess, folder: Path, seen: Attacked) -> None:
    async def fax(name: str, during: During | None = None) -> None:
        seen.faxes[name] = await send_fax(box, folder, name.replace(" ", "_"), during, seen.answers.append)

    async with asyncio.TaskGroup() as group:
        group.create_task(fax("through rubbish", lambda call, far, port: throw_at_ports(port)))
        group.create_task(fax("through hang-ups", lambda call, far, port: forge_hang_ups(far, port)))
        group.create_task(fax("gone mad", go_mad))
        for seed in range(2):
            group.create_task(fax(f"pestered {seed}", lambda call, far, _, s=seed: pester(call, far, s)))
        group.create_task(mad_audio(box))
        answers = [group.create_task(answer_with_rubbish(box, number)) for number in range(20 * TIMES)]
        group.create_task(messages_without_end(box))
    seen.asked = [each.result() for each in answers]
    await crowd(box, folder, seen)
    await shakes_hands(box.tls)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Attacked:
    folder, seen = tmp_path_factory.mktemp("attacked"), Attacked()
    box = BoxProcess(folder)
    try:
        asyncio.run(attack(box, folder, seen))
        seen.ended = box.ended_with()
        if seen.ended is None:
            seen.left = box.finish()
    finally:
        box.kill()
        seen.log = box.log()
    return seen


def test_the_box_survives_the_attack_and_keeps_no_call_descriptor_or_thread(seen: Attacked) -> None:
    assert seen.ended is None
    assert seen.left == {"calls": 0, "descriptors": 0, "threads": 0}


def test_log_has_no_fault_of_ours_and_no_lines_of_theirs(seen: Attacked) -> None:
    assert all(line.startswith(("INFO ", "WARNING ", "DEBUG ")) for line in seen.log.splitlines())
    assert max(map(len, seen.log.splitlines())) < 400
    assert "Traceback" not in seen.log, seen.log[seen.log.index("Traceback") - 300 :][:3000]
    assert "Assert failed" not in seen.log


def test_a_forged_hang_up_is_one_that_the_box_would_obey() -> None:
    """What the attack sends, when it comes from where it should: else the attack would show nothing."""
    assert speaks_t38(hang_ups(7, 20))


@pytest.mark.parametrize("name", ["through rubbish", "through hang-ups", "in the crowd"])
def test_a_fax_is_delivered_during_each_attack(seen: Attacked, name: str) -> None:
    result = seen.faxes[name]
    assert result is not None
    assert result.ok, result


def test_rubbish_in_a_live_call_is_answered_with_400_415_or_488(seen: Attacked) -> None:
    codes = {text[8:11] for text in seen.answers if text.startswith("SIP/2.0 ")}
    assert "200" in codes
    assert codes & {"400", "415", "488"}


def test_calls_are_made_after_rubbish_in_answer_to_our_offer(seen: Attacked) -> None:
    assert len(seen.asked) == 20 * TIMES
    assert all(seen.asked)


def test_connections_are_limited_and_silent_ones_closed(seen: Attacked) -> None:
    assert seen.files < MAX_FILES, "every connection takes a file"
    assert seen.silent_closed == {"TCP": True, "TLS": True}


def test_a_payload_type_out_of_range_harms_no_memory(tmp_path: Path) -> None:
    """pjproject took the number from a=rtpmap for an index without looking at it."""
    many = "".join(f"a=rtpmap:{number} y/8000\r\n" for number in range(96, 140))

    async def run() -> None:
        box = BoxProcess(tmp_path)
        try:
            for number in (128, 4096, 100_000, 50_000_000, 4_000_000_000):
                lines = f"a=rtpmap:{number} x/8000\r\n{many}"
                for name, body in (("a", sdp(audio() + lines)), ("b", sdp(image(9), audio() + lines))):
                    call = RawCall(box.udp, f"{name}{number}")
                    answer = await call.open(body)
                    assert answer.startswith("SIP/2.0 200"), (number, answer, box.ended_with())
                    assert (await call.final(call.send("UPDATE", body))).startswith("SIP/2.0 200")
                    call.hang_up()
                    call.close()
            assert box.ended_with() is None
        finally:
            box.kill()

    asyncio.run(run())
