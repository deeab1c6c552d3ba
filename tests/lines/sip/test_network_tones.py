"""Network tones before or after the answer give the cause: busy, congestion, no such number."""

from __future__ import annotations

import asyncio
import math
import random
import re
import struct
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from appliance.causes import Cause
from appliance.lines import causes
from appliance.lines.g711.cadences import NetworkTone
from appliance.lines.g711.call_progress import NetworkEar
from appliance.lines.sip.causes import SIP_OVERLOADED
from appliance.lines.sip.numbers import DiallingRules, countries
from appliance.t30.parameters import Progress
from tests.lines.sip.media import NetworkVoice
from tests.lines.sip.rig import Box, Outcome, send
from tests.lines.sip.sipp import Sipp, Step, audio, called, expect, needs_sipp, pause, respond, sdp
from tests.lines.sip.test_behaviours import BYE
from tests.ports import free_port

RATE = 8000
NO_FREQUENCIES: tuple[float, ...] = ()


# Frequencies in Hz that sound together (none: silence), and for how many ms.
Part = tuple[tuple[float, ...], float]


@dataclass(frozen=True)
class Tones:
    """What the network plays; its samples are made in the test that hears them, not in the collection."""

    parts: tuple[Part, ...]
    level: float

    def __mul__(self, times: int) -> Tones:
        return replace(self, parts=self.parts * times)

    def samples(self) -> bytes:
        """16 bits each, ``RATE`` in a second."""
        samples: list[int] = []
        for frequencies, ms in self.parts:
            for at in range(int(RATE * ms / 1000)):
                value = sum(self.level * math.sin(2 * math.pi * each * at / RATE) for each in frequencies)
                samples.append(round(value))
        return struct.pack(f"<{len(samples)}h", *samples)


def tones(*parts: Part, level: float = 6000.0) -> Tones:
    return Tones(parts, level)


def pulsed(*frequencies: float, ms: float, times: int = 8) -> Tones:
    return tones((NO_FREQUENCIES, 300.0), *((frequencies, ms), (NO_FREQUENCIES, ms)) * times)


def cadence(*on_off: float, times: int = 4, hz: tuple[float, ...] = (425,), level: float = 6000.0) -> Tones:
    parts = [(NO_FREQUENCIES if at % 2 else hz, float(ms)) for at, ms in enumerate(on_off)]
    return tones((NO_FREQUENCIES, 300.0), *parts * times, level=level)


def notes(*parts: tuple[float, float], gap: float = 10.0) -> Tones:
    pause_ms = ((NO_FREQUENCIES, gap),)
    played = [part for frequency, ms in parts for part in (((frequency,), ms), *pause_ms)]
    return tones((NO_FREQUENCIES, 500.0), *played, (NO_FREQUENCIES, 1500.0))


def what_is_heard(samples: bytes, *countries: str) -> list[NetworkTone]:
    heard: list[NetworkTone] = []
    ear = NetworkEar(heard.append, countries)
    for at in range(0, len(samples), 320):
        ear.hear(samples[at : at + 320])
    return heard


SPECIAL = notes((950, 330), (1400, 330), (1800, 330))


@pytest.mark.parametrize(
    ("played", "meant"),
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
def test_tones_of_the_networks_are_known(played: Tones, meant: NetworkTone) -> None:
    assert what_is_heard(played.samples()) == [meant]


# What countries use (ITU-T E.180 Supplement 2, and the tables of widespread exchanges): country code, tone.
BUSY_OF = [
    ("43", cadence(400, 400, hz=(420,), times=6)),
    ("61", cadence(375, 375, times=6)),
    ("55", cadence(250, 250, times=8)),
    ("420", cadence(330, 330, times=6)),
    ("34", cadence(200, 200, times=9)),
    ("358", cadence(300, 300, times=6)),
    ("972", cadence(500, 500, hz=(414,))),
    ("91", cadence(750, 750, hz=(400,))),
    ("52", cadence(250, 250, times=8)),
    ("7", cadence(350, 350, times=6)),
    ("46", cadence(250, 250, times=8)),
    ("65", cadence(750, 750)),
    ("86", cadence(350, 350, hz=(450,), times=6)),
    ("54", cadence(300, 200, times=6)),
    ("66", cadence(500, 500, hz=(400,))),
    ("27", cadence(500, 500, hz=(383, 417))),  # 400 Hz, modulated with 33 Hz
]
CONGESTION_OF = [
    ("43", cadence(200, 200, hz=(420,), times=8)),
    ("32", cadence(167, 167, times=9)),
    ("55", cadence(250, 250, 750, 250)),
    ("86", cadence(700, 700, hz=(450,))),
    ("420", cadence(165, 165, times=9)),
    ("34", cadence(200, 200, 200, 200, 200, 600)),
    ("82", cadence(300, 200, hz=(480, 620), times=6)),
    ("7", cadence(175, 175, times=9)),
    ("46", cadence(250, 750)),
    ("66", cadence(300, 300, hz=(400,), times=6)),
    ("90", cadence(200, 200, 200, 200, 200, 200, 600, 200, hz=(450,))),
    ("44", cadence(400, 350, 225, 525, hz=(400,))),
    ("886", cadence(100, 100, hz=(480, 620), times=14)),
    ("27", cadence(250, 250, hz=(400,), times=8)),
]
NO_NUMBER_OF = [
    ("61", cadence(2500, 500)),
    ("91", cadence(2800, 200, hz=(400,))),
    ("64", cadence(75, 100, 75, 100, 75, 100, 75, 400, hz=(400,))),
    ("32", notes((900, 330), (1400, 330), (1800, 330))),
    ("43", notes((950, 330), (1450, 330), (1850, 330))),
    ("46", notes((950, 332), (1400, 332), (1800, 332), gap=24)),
    ("", notes((1000, 330), (1450, 330), (1850, 330))),  # all that E.180 allows
    ("", notes((900, 330), (1350, 330), (1750, 330), gap=30)),
    ("", notes((950, 330), (1400, 330), (1800, 330), gap=80)),
    ("", notes((950, 260), (1400, 260), (1800, 260))),
]


@pytest.mark.parametrize(
    ("country", "played", "meant"),
    [
        *((country, played, NetworkTone.BUSY) for country, played in BUSY_OF),
        *((country, played, NetworkTone.CONGESTION) for country, played in CONGESTION_OF),
        *((country, played, NetworkTone.NO_SUCH_NUMBER) for country, played in NO_NUMBER_OF),
    ],
    ids=lambda value: "" if isinstance(value, Tones) else str(value),
)
def test_cadences_of_other_countries_are_known(country: str, played: Tones, meant: NetworkTone) -> None:
    assert what_is_heard(played.samples(), country) == [meant]


@pytest.mark.parametrize("level", [300.0, 3000.0, 15000.0])
def test_tone_of_a_line_with_noise_is_known_at_any_level(level: float) -> None:
    noise = random.Random(17)
    clean = memoryview(cadence(240, 240, times=7, level=level).samples()).cast("h")
    heard = [round(each + noise.gauss(0, 20)) for each in clean]
    assert what_is_heard(struct.pack(f"<{len(heard)}h", *heard)) == [NetworkTone.CONGESTION]


@pytest.mark.parametrize(
    ("number", "own", "likely"),
    [("+46812345", "49", ("46", "49")), ("0301234567", "49", ("49",)), ("4711", "", ())],
)
def test_tones_are_those_of_the_country_that_is_called_or_of_the_trunk(
    number: str, own: str, likely: tuple[str, ...]
) -> None:
    assert countries(number, DiallingRules(country_code=own, national_prefix="0")) == likely


@pytest.mark.parametrize(
    "played",
    [
        cadence(400, 200, 400, 2000, hz=(400, 450)),  # it rings in Britain
        cadence(1000, 2000, hz=(400,)),  # in Japan
        cadence(1500, 3000),  # in Spain
        cadence(40, 1960),  # a call that waits
        notes((1800, 330), (1400, 330), (950, 330)),
        notes((950, 330), (1400, 330)),
        tones(((2100,), 3000), (NO_FREQUENCIES, 75), ((1650,), 1000)),  # CED
        tones(((1100,), 500), (NO_FREQUENCIES, 3000)) * 3,  # CNG
        tones(((425,), 1000), (NO_FREQUENCIES, 4000)) * 3,  # it rings
        tones(((440, 480), 2000), (NO_FREQUENCIES, 4000)) * 2,
        tones(((425,), 8000)),  # a dial tone
        pulsed(425, ms=500, times=1),
        tones((NO_FREQUENCIES, 5000.0)),
    ],
)
def test_speech_fax_tones_and_noise_are_not_taken_for_network_tones(played: Tones) -> None:
    assert what_is_heard(played.samples()) == []


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


@needs_sipp
@pytest.mark.realtime
@pytest.mark.parametrize("when", ["early", "answered"])
@pytest.mark.parametrize(
    ("played", "cause"),
    [
        (pulsed(425, ms=480), causes.BUSY),
        (pulsed(425, ms=240, times=16), SIP_OVERLOADED),
        (SPECIAL, causes.NUMBER_NOT_IN_SERVICE),
    ],
)
def test_tone_of_the_network_is_the_cause_of_the_call(
    tmp_path: Path, played: Tones, cause: Cause, when: str
) -> None:
    outcome = asyncio.run(call(tmp_path, played.samples(), *(EARLY if when == "early" else ANSWERED)))
    assert outcome.result.cause is cause, outcome.words()
    assert "network_tone" in outcome.words()
    assert outcome.seconds < 20
