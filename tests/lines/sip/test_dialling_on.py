"""Digits behind a number reach the far end after the answer: as telephone-events, or else as tones."""

from __future__ import annotations

import asyncio
import audioop
import contextlib
import socket
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance import causes
from appliance.dial_on import PAUSE_S, DialOn
from appliance.lines.g711.dialling_on import dtmf, duration_s
from appliance.spandsp import open_spandsp
from tests.lines.sip.media import T38Far
from tests.lines.sip.rig import Box, Outcome, send
from tests.lines.sip.sipp import SIPP, Sipp, called, expect, image, respond, sdp
from tests.lines.sip.test_behaviours import BYE
from tests.ports import free_port

KEYS = "0123456789*#"
EVENTS = 101
# When we ask for T.38, from the end of the digits as reckoned; each stall of a busy machine makes them later.
T38_AFTER_S = 4.0


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


async def call_and_dial(folder: Path, number: str, *, events: bool) -> tuple[Outcome, Heard, str]:
    far = T38Far(receive=folder / "got.tif")
    far.start()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.bind(("127.0.0.1", 0))
        heard = Heard([], [])
        listening = asyncio.create_task(listen(sock, heard))
        formats = f"8 {EVENTS}" if events else "8"
        names = f"a=rtpmap:{EVENTS} telephone-event/8000\r\n" if events else ""
        audio = f"m=audio {sock.getsockname()[1]} RTP/AVP {formats}\r\na=rtpmap:8 PCMA/8000\r\n{names}"
        sipp = Sipp(
            folder,
            "menu",
            called(
                expect("INVITE", save=True),
                respond(200, "OK", sdp(audio)),
                expect("ACK"),
                expect("INVITE"),
                respond(200, "OK", sdp(image(far.port), version=2), tag=False),
                expect("ACK"),
                *BYE,
            ),
            free_port(),
        )
        await sipp.start()
        async with Box() as box:
            line = await box.line("menu", f"127.0.0.1:{sipp.port}", t38_calling_s=T38_AFTER_S)
            outcome = await send(line, number)
            words = await sipp.finish() or sipp.messages()
            await far.finish()
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listening
            return outcome, heard, words


@pytest.mark.skipif(SIPP is None, reason="sipp is not installed (sip-tester)")
@pytest.mark.realtime
@pytest.mark.parametrize("events", [True, False])
def test_digits_follow_the_answer_and_the_fax_follows_the_digits(tmp_path: Path, events: bool) -> None:
    outcome, heard, messages = asyncio.run(call_and_dial(tmp_path, "+49305551234,,4*2,7#", events=events))
    assert outcome.result.cause is causes.DELIVERED, (outcome.words(), messages)
    assert "INVITE sip:+49305551234@" in messages  # the network is told the number alone
    assert f"a=rtpmap:{EVENTS} telephone-event/8000" in messages
    order = [word for word in outcome.words() if word in ("connected", "dialled_on", "trained")]
    assert order == ["connected", "dialled_on", "trained"]
    if events:
        seen = heard.events()
        assert "".join(key for _, _, key in seen) == "4*27#"
        assert seen[0][0] - heard.at[0] >= 2 * PAUSE_S - 0.1
        assert seen[3][0] - seen[2][0] >= PAUSE_S
        stamps = [stamp for _, stamp, _ in seen]
        assert stamps == sorted(stamps) or max(stamps) - min(stamps) > 1 << 31  # round the clock
        assert keys_in(heard.speech()) == ""  # not in the audio as well
    else:
        assert heard.events() == []
        assert keys_in(heard.speech()) == "4*27#"


@pytest.mark.parametrize("digits", ["0123456789", "*#", "5551234"])
def test_tones_are_those_that_receivers_know(digits: str) -> None:
    assert keys_in(dtmf(digits)) == digits


def test_length_of_dialling_on_is_known_before() -> None:
    assert duration_s([DialOn(2.0, "42"), DialOn(4.0, "1")]) == pytest.approx(6.6)
