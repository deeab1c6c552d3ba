"""What the network says in tones, early or after the answer, is the cause: busy, congestion, no number."""

from __future__ import annotations

import asyncio
import math
import re
import struct
from pathlib import Path

import pytest

from appliance import causes
from appliance.causes import Cause
from appliance.lines.g711.call_progress import NetworkEar, NetworkTone
from appliance.t30.parameters import Progress
from tests.lines.sip.media import NetworkVoice
from tests.lines.sip.rig import Box, Outcome, send
from tests.lines.sip.sipp import SIPP, Sipp, Step, audio, called, expect, pause, respond, sdp
from tests.lines.sip.test_behaviours import BYE
from tests.ports import free_port

RATE = 8000
NO_FREQUENCIES: tuple[float, ...] = ()


def tones(*parts: tuple[tuple[float, ...], float], level: float = 6000.0) -> bytes:
    """16-bit samples of these frequencies, each group for so many ms; none of them is silence."""
    samples: list[int] = []
    for frequencies, ms in parts:
        for at in range(int(RATE * ms / 1000)):
            value = sum(level * math.sin(2 * math.pi * each * at / RATE) for each in frequencies)
            samples.append(round(value))
    return struct.pack(f"<{len(samples)}h", *samples)


def pulsed(*frequencies: float, ms: float, times: int = 8) -> bytes:
    return tones((NO_FREQUENCIES, 300)) + tones((frequencies, ms), (NO_FREQUENCIES, ms)) * times


def notes(*parts: tuple[float, float]) -> bytes:
    pause_ms = ((NO_FREQUENCIES, 10.0),)
    played = [part for frequency, ms in parts for part in (((frequency,), ms), *pause_ms)]
    return tones((NO_FREQUENCIES, 500.0), *played, (NO_FREQUENCIES, 1500.0))


def what_is_heard(samples: bytes) -> list[NetworkTone]:
    heard: list[NetworkTone] = []
    ear = NetworkEar(heard.append)
    for at in range(0, len(samples), 320):
        ear.hear(samples[at : at + 320])
    return heard


SPECIAL = notes((950, 330), (1400, 330), (1800, 330))


@pytest.mark.parametrize(
    ("samples", "meant"),
    [
        (pulsed(425, ms=500), NetworkTone.BUSY),
        (pulsed(425, ms=480), NetworkTone.BUSY),
        (pulsed(400, ms=375), NetworkTone.BUSY),  # Britain
        (pulsed(440, ms=500), NetworkTone.BUSY),  # France
        (pulsed(450, ms=500), NetworkTone.BUSY),
        (pulsed(480, 620, ms=500), NetworkTone.BUSY),  # North America
        (pulsed(425, ms=240, times=16), NetworkTone.CONGESTION),
        (pulsed(480, 620, ms=250, times=16), NetworkTone.CONGESTION),
        (SPECIAL, NetworkTone.NO_SUCH_NUMBER),
        (notes((985.2, 380), (1370.6, 274), (1776.7, 380)), NetworkTone.NO_SUCH_NUMBER),
        (notes((913.8, 274), (1370.6, 274), (1776.7, 380)), NetworkTone.NO_SUCH_NUMBER),
        (notes((985.2, 380), (1428.5, 380), (1776.7, 380)), NetworkTone.NO_CIRCUIT),
        (notes((913.8, 274), (1428.5, 380), (1776.7, 380)), NetworkTone.NO_CIRCUIT),
    ],
)
def test_tones_of_the_networks_are_known(samples: bytes, meant: NetworkTone) -> None:
    assert what_is_heard(samples) == [meant]


@pytest.mark.parametrize(
    "samples",
    [
        tones(((2100,), 3000), (NO_FREQUENCIES, 75), ((1650,), 1000)),  # CED
        tones(((1100,), 500), (NO_FREQUENCIES, 3000)) * 3,  # CNG
        tones(((425,), 1000), (NO_FREQUENCIES, 4000)) * 3,  # it rings
        tones(((440, 480), 2000), (NO_FREQUENCIES, 4000)) * 2,
        tones(((425,), 8000)),  # a dial tone
        pulsed(425, ms=500, times=1),
        bytes(2 * RATE * 5),
    ],
)
def test_nothing_else_is_taken_for_one(samples: bytes) -> None:
    assert what_is_heard(samples) == []


async def call(folder: Path, samples: bytes, *steps: Step) -> Outcome:
    """A call to a far end whose audio is these samples, from the moment that the box's port is known."""
    voice = NetworkVoice(samples)

    def watch(progress: Progress) -> None:
        port = re.search(r"m=audio (\d+)", str(dict(progress.fields).get("sdp", "")))
        if progress.event == "sip_sent" and port is not None:
            loop.call_soon(voice.start, int(port[1]))

    loop = asyncio.get_running_loop()
    text = called(*steps).replace("m=audio 6000 ", f"m=audio {voice.port} ")
    sipp = Sipp(folder, "tones", text, free_port())
    await sipp.start()
    async with Box() as box:
        line = await box.line("tones", f"127.0.0.1:{sipp.port}", t38_calling_s=0)
        outcome = await send(line, watch=watch)
        words = await sipp.finish()
        await line.stop()
        await voice.finish()
        assert words == ""
        return outcome


EARLY = [
    expect("INVITE", save=True),
    respond(183, "Session Progress", sdp(audio())),
    expect("CANCEL"),
    respond(200, "OK", tag=False),
    pause(50),
]
ANSWERED = [expect("INVITE", save=True), respond(200, "OK", sdp(audio())), expect("ACK"), *BYE]


@pytest.mark.skipif(SIPP is None, reason="sipp is not installed (sip-tester)")
@pytest.mark.realtime
@pytest.mark.parametrize("when", ["early", "answered"])
@pytest.mark.parametrize(
    ("samples", "cause"),
    [
        (pulsed(425, ms=480), causes.BUSY),
        (pulsed(425, ms=240, times=16), causes.SIP_OVERLOADED),
        (SPECIAL, causes.NUMBER_NOT_IN_SERVICE),
    ],
)
def test_tone_of_the_network_is_the_cause_of_the_call(
    tmp_path: Path, samples: bytes, cause: Cause, when: str
) -> None:
    outcome = asyncio.run(call(tmp_path, samples, *(EARLY if when == "early" else ANSWERED)))
    assert outcome.result.cause is cause, outcome.words()
    assert "network_tone" in outcome.words()
    assert outcome.seconds < 20
