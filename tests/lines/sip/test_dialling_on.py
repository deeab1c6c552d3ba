"""Digits behind a number reach the far end after the answer: as telephone-events, or else as tones."""

from __future__ import annotations

import asyncio
import audioop
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from appliance import causes
from appliance.lines.g711.dialling_on import dtmf
from appliance.numbering.dial_on import PAUSE_S
from appliance.spandsp import open_spandsp
from appliance.t30.parameters import Progress
from tests.lines.sip.media import T38Far
from tests.lines.sip.rig import Box, Outcome, send
from tests.lines.sip.sipp import (
    Sipp,
    Step,
    called,
    expect,
    expect_status,
    image,
    needs_sipp,
    pause,
    request,
    respond,
    sdp,
)
from tests.lines.sip.test_behaviours import BYE
from tests.ports import free_port

KEYS = "0123456789*#"
EVENTS = 101
NUMBER, DIGITS = "+49305551234,,4*2,7#", "4*27#"
T38_AFTER_S = 1.0  # when we ask for T.38, from the end of the digits on
STALL_S = 4.0  # of the machine, while it dials


def keys_in(samples: bytes) -> str:
    """The DTMF in 16-bit samples, as spandsp's receiver hears it."""
    ffi, library = open_spandsp(
        """
        void *dtmf_rx_init(void *s, void *callback, void *user);
        int dtmf_rx(void *s, const int16_t *samples, int count);
        size_t dtmf_rx_get(void *s, char *digits, int most);
        int dtmf_rx_free(void *s);
        """
    )
    state = ffi.gc(library.dtmf_rx_init(ffi.NULL, ffi.NULL, ffi.NULL), library.dtmf_rx_free)
    library.dtmf_rx(state, ffi.from_buffer("int16_t[]", samples), len(samples) // 2)
    digits = ffi.new("char[]", 64)
    count = library.dtmf_rx_get(state, digits, 63)
    return bytes(ffi.buffer(digits))[:count].decode()


@dataclass
class Heard:
    """What came to the port of the audio."""

    at: list[float]
    datagrams: list[bytes]

    def events(self) -> list[tuple[float, int, str]]:
        """Each telephone-event once: when it began, its RTP time, its key."""
        found: dict[int, tuple[float, int, str]] = {}
        for at, datagram in zip(self.at, self.datagrams, strict=True):
            if datagram[1] & 0x7F == EVENTS:
                stamp = int.from_bytes(datagram[4:8], "big")
                found.setdefault(stamp, (at, stamp, KEYS[datagram[12]]))
        return list(found.values())

    def keys(self) -> str:
        return "".join(key for _, _, key in self.events())

    def speech(self) -> bytes:
        return b"".join(
            audioop.alaw2lin(datagram[12:], 2) for datagram in self.datagrams if datagram[1] & 0x7F == 8
        )


async def listen(sock: socket.socket, heard: Heard) -> None:
    loop = asyncio.get_running_loop()
    while True:
        datagram = await loop.sock_recv(sock, 2048)
        heard.at.append(loop.time())
        heard.datagrams.append(datagram)


@contextlib.asynccontextmanager
async def audio_port() -> AsyncIterator[tuple[int, Heard]]:
    """The far end's port for audio, and what comes to it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.bind(("127.0.0.1", 0))
        heard = Heard([], [])
        listening = asyncio.create_task(listen(sock, heard))
        yield sock.getsockname()[1], heard
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening


def audio_line(port: int, *, events: bool) -> str:
    formats = f"8 {EVENTS}" if events else "8"
    names = f"a=rtpmap:{EVENTS} telephone-event/8000\r\n" if events else ""
    return f"m=audio {port} RTP/AVP {formats}\r\na=rtpmap:8 PCMA/8000\r\n{names}"


@dataclass
class Dialled:
    """What came of a call: for us, at the port of the audio, in sipp's eyes, and all messages."""

    outcome: Outcome
    heard: Heard
    words: str
    messages: str

    def is_delivered(self) -> bool:
        return self.outcome.result.cause is causes.DELIVERED


async def call_and_dial(
    box: Box,
    folder: Path,
    then: Callable[[int, int], list[Step]],
    *,
    events: bool = True,
    watch: Callable[[Progress], None] = lambda _: None,
    t38_calling_s: float = T38_AFTER_S,
) -> Dialled:
    """A call that is answered in audio; ``then`` gives the steps after that, from the ports of audio and
    T.38.
    """
    far = T38Far(receive=folder / "got.tif")
    far.start()
    async with audio_port() as (port, heard):
        answered = [
            expect("INVITE", save=True),
            respond(200, "OK", sdp(audio_line(port, events=events))),
            expect("ACK"),
        ]
        sipp = Sipp(folder, "menu", called(*answered, *then(port, far.port), *BYE), free_port())
        await sipp.start()
        line = await box.line(folder.name, f"127.0.0.1:{sipp.port}", t38_calling_s=t38_calling_s)
        outcome = await send(line, NUMBER, watch=watch)
        words = await sipp.finish()
        await far.finish()
        return Dialled(outcome, heard, words, sipp.messages())


def we_ask(_: int, t38: int) -> list[Step]:
    """The box asks for T.38 and gets it."""
    return [expect("INVITE"), respond(200, "OK", sdp(image(t38), version=2), tag=False), expect("ACK")]


def they_ask(_: int, t38: int) -> list[Step]:
    """The far end asks for T.38 while digits are dialled, and as it is told (RFC 3261 14.1) again."""
    offer = sdp(image(t38), version=2)
    steps = [pause(300)]
    for cseq in (101, 102):
        steps += [
            request("INVITE", cseq, offer),
            expect_status(100, optional=True),
            expect_status(491),
            request("ACK", cseq, steps_back=3),
            pause(1500),
        ]
    return [
        *steps,
        pause(6000),
        request("INVITE", 103, offer),
        expect_status(100, optional=True),
        expect_status(200),
        request("ACK", 103),
    ]


def they_ask_once(_: int, t38: int) -> list[Step]:
    """The far end asks for T.38 while digits are dialled, and leaves it to us from then on."""
    return [
        pause(300),
        request("INVITE", 101, sdp(image(t38), version=2)),
        expect_status(100, optional=True),
        expect_status(491),
        request("ACK", 101, steps_back=3),
        *we_ask(_, t38),
    ]


def they_refresh(port: int, t38: int) -> list[Step]:
    """The far end describes its audio again, as proxies do that let the media go past them."""
    return [
        request("INVITE", 101, sdp(audio_line(port, events=True), version=2)),
        expect_status(100, optional=True),
        expect_status(200),
        request("ACK", 101),
        expect("INVITE"),
        respond(200, "OK", sdp(image(t38), version=3), tag=False),
        expect("ACK"),
    ]


# Calls at the same time: what the far end does, and how.
CALLS: dict[str, tuple[Callable[[int, int], list[Step]], dict[str, Any]]] = {
    "events": (we_ask, {}),
    "tones": (we_ask, {"events": False}),
    "they-ask": (they_ask, {"t38_calling_s": 20.0}),
    "they-ask-once": (they_ask_once, {}),
    "they-refresh": (they_refresh, {}),
}


@pytest.fixture(scope="module")
def dialled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Dialled]:
    folder = tmp_path_factory.mktemp("calls")

    async def all_at_once() -> list[Dialled]:
        async with Box() as box:
            calls = []
            for name, (then, how) in CALLS.items():
                (folder / name).mkdir()
                calls.append(call_and_dial(box, folder / name, then, **how))
            return await asyncio.gather(*calls)

    return dict(zip(CALLS, asyncio.run(all_at_once()), strict=True))


@pytest.mark.realtime
@needs_sipp
@pytest.mark.parametrize("way", ["events", "tones"])
def test_digits_follow_the_answer_and_the_fax_follows_the_digits(
    dialled: dict[str, Dialled], way: str
) -> None:
    call = dialled[way]
    outcome, heard = call.outcome, call.heard
    assert call.is_delivered(), (outcome.words(), call.words)
    assert "INVITE sip:+49305551234@" in call.messages  # the network is told the number alone
    assert f"a=rtpmap:{EVENTS} telephone-event/8000" in call.messages
    order = [word for word in outcome.words() if word in ("connected", "dialled_on", "trained")]
    assert order == ["connected", "dialled_on", "trained"]
    if way == "events":
        seen = heard.events()
        assert heard.keys() == DIGITS
        assert seen[0][0] - heard.at[0] >= 2 * PAUSE_S - 0.1
        assert seen[3][0] - seen[2][0] >= PAUSE_S
        stamps = [stamp for _, stamp, _ in seen]
        assert stamps == sorted(stamps) or max(stamps) - min(stamps) > 1 << 31  # round the clock
        assert keys_in(heard.speech()) == ""  # not in the audio as well
    else:
        assert heard.events() == []
        assert keys_in(heard.speech()) == DIGITS


@pytest.mark.realtime
@needs_sipp
def test_our_offer_of_t38_waits_for_digits_that_a_busy_machine_sends_late(tmp_path: Path) -> None:
    def stall(what: Progress) -> None:
        if what.event == "dialling_on":
            asyncio.get_running_loop().call_later(1.0, time.sleep, STALL_S)

    async def alone() -> Dialled:
        async with Box() as box:
            return await call_and_dial(box, tmp_path, we_ask, watch=stall)

    call = asyncio.run(alone())
    assert call.heard.keys() == DIGITS
    assert call.is_delivered(), (call.outcome.words(), call.words)


@pytest.mark.realtime
@needs_sipp
@pytest.mark.parametrize("way", ["they-ask", "they-ask-once"])
def test_far_end_that_asks_for_t38_during_the_digits_gets_it_after_them(
    dialled: dict[str, Dialled], way: str
) -> None:
    call = dialled[way]
    assert call.heard.keys() == DIGITS
    assert call.is_delivered(), (call.outcome.words(), call.words)
    assert call.words == "", call.messages


@pytest.mark.realtime
@needs_sipp
def test_audio_that_is_described_again_during_the_digits_keeps_its_events(
    dialled: dict[str, Dialled],
) -> None:
    call = dialled["they-refresh"]
    assert call.heard.keys() == DIGITS
    assert call.is_delivered(), (call.outcome.words(), call.words)
    assert call.messages.count("telephone-event/8000") == 4  # two offers, two answers


@pytest.mark.parametrize("digits", ["0123456789", "*#", "5551234"])
def test_tones_are_those_that_receivers_know(digits: str) -> None:
    assert keys_in(dtmf(digits)) == digits
