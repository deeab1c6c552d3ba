"""Far ends with every reaction to T.38 that can receive over G.711: sipp signals, spandsp is the machine.

Each cell is delivered, or ends in the true cause within its bound; all calls run at the same time.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from appliance.causes import DELIVERED, RECEIVED
from appliance.lines.sip import causes
from appliance.t30.parameters import Progress
from tests.lines.g711.far_end import page, tiff_of
from tests.lines.sip.media import AudioFar, DeadT38, Ear, T38Far
from tests.lines.sip.rig import Box, Outcome, send
from tests.lines.sip.sipp import (
    Sipp,
    Step,
    audio,
    called,
    caller_request,
    expect,
    image,
    needs_sipp,
    pause,
    respond,
    sdp,
)
from tests.lines.sip.test_behaviours import ANSWERED, BYE, Ran, Stage, answer, invite, switch
from tests.softmodem.stations import FaxMachine

pytestmark = [
    needs_sipp,
    pytest.mark.realtime,
]

# From the answer to the first try in tones where T.38 is dead, as the project promises.
FIRST_TONES_S = 15.0

# Where the far end does not go back to audio, T.38 gets a second chance before the call ends.
SECOND_CHANCE_S = 25.0

Cell = Callable[[Stage], Awaitable[None]]
CELLS: dict[str, Cell] = {}


def cell(function: Cell) -> Cell:
    CELLS[function.__name__] = function
    return function


def receiver(stage: Stage, name: str, payload: int = 8) -> AudioFar:
    """A fax machine that is called, on the audio of the call from its beginning to its end."""
    return AudioFar(FaxMachine(receive=stage.folder / f"{name}.tif"), payload)


def takes_t38(port: int) -> list[Step]:
    """The box asks for T.38 and gets it."""
    return [expect("INVITE"), respond(200, "OK", sdp(image(port), version=2), tag=False), expect("ACK")]


def takes_audio(port: int, payloads: str = "8 0") -> list[Step]:
    """The box goes back to audio, and gets it."""
    body = sdp(audio(port, payloads), version=3)
    return [expect("INVITE"), respond(200, "OK", body, tag=False), expect("ACK")]


def dead(name: str, *, no_signal: bool, asked_by_peer: bool) -> None:
    """T.38 is agreed and dead, while the machine is plainly heard in the audio before."""

    async def run(stage: Stage) -> None:
        far, nothing = receiver(stage, name), DeadT38(no_signal=no_signal)
        nothing.start()
        body = sdp(image(nothing.port), version=2)
        agreed = [pause(300), *switch(body)] if asked_by_peer else takes_t38(nothing.port)
        await stage.we_call(name, *answer(far.port), *agreed, *takes_audio(far.port), *BYE, far=far)
        await nothing.finish()

    CELLS[name] = run


dead("t38_agreed_and_silent", no_signal=False, asked_by_peer=False)
dead("t38_agreed_and_no_signal", no_signal=True, asked_by_peer=False)
dead("t38_of_the_peer_and_no_signal", no_signal=True, asked_by_peer=True)


@cell
async def t38_dead_and_no_way_back(stage: Stage) -> None:
    """The far end does not go back: the next call begins in audio."""
    nothing = DeadT38(no_signal=True)
    nothing.start()
    await stage.we_call(
        "t38_dead_and_no_way_back",
        *answer(),
        *takes_t38(nothing.port),
        expect("INVITE"),
        respond(488, "Not Acceptable Here", tag=False),
        expect("ACK"),
        *BYE,
        t38_calling_s=0.5,
    )
    await nothing.finish()


@cell
async def machine_is_slow_and_stays_in_t38(stage: Stage) -> None:
    """Nobody sounds for ten seconds, and the gateway refuses to go back: the fax goes over T.38 all the
    same."""
    far = T38Far(receive=stage.folder / "slow.tif", begins_after_s=9.0)
    await stage.we_call(
        "machine_is_slow_and_stays_in_t38",
        *answer(),
        *takes_t38(far.port),
        expect("INVITE"),
        respond(488, "Not Acceptable Here", tag=False),
        expect("ACK"),
        *BYE,
        far=far,
        t38_calling_s=0.5,
    )


def unanswered(name: str, *steps: Step) -> None:
    """Our offer of T.38 comes to nothing in some other way than a proper refusal."""

    async def run(stage: Stage) -> None:
        far = receiver(stage, name)
        await stage.we_call(
            name, *answer(far.port), expect("INVITE"), *steps, *BYE, far=far, t38_calling_s=0.5
        )

    CELLS[name] = run


unanswered("offer_gets_408", respond(408, tag=False), expect("ACK"))
unanswered("offer_gets_481", respond(481, tag=False), expect("ACK"))
unanswered("offer_gets_100_alone", respond(100, tag=False))
unanswered("offer_gets_500", respond(500, tag=False), expect("ACK"))


unanswered("offer_gets_nothing")


@cell
async def offer_that_failed_is_not_made_again(stage: Stage) -> None:
    """The second call over a trunk that answered our offer with 481 goes as tones without one, after a
    restart of the line too."""
    name = "offer_that_failed_is_not_made_again"
    first, second = receiver(stage, "first"), receiver(stage, "second")
    offers = [expect("INVITE"), respond(481, tag=False), expect("ACK")]
    settings: dict[str, Any] = {"t38_calling_s": 0.5, "learned": stage.folder / f"{name}.json"}
    sipp, line = await stage.called(name, *answer(first.port), *offers, *BYE, **settings)
    first.start()
    assert (await send(line)).result.cause is DELIVERED
    assert await sipp.finish() == ""
    await first.finish()
    await line.stop()
    again = Sipp(stage.folder, f"{name}_again", called(*answer(second.port), *BYE), sipp.port)
    await again.start()
    line = await stage.box.line(f"{name}_again", f"127.0.0.1:{sipp.port}", **settings)
    second.start()
    outcome = await send(line)
    words, facts = await again.finish(), line.last_facts
    await line.stop()
    stage.ran[name] = Ran(outcome, words, await second.finish(), again.messages(), facts)


@cell
async def offer_is_answered_late(stage: Stage) -> None:
    """Tones have begun when T.38 is agreed after all: T.38 carries the fax."""
    far = T38Far(receive=stage.folder / "late.tif")
    await stage.we_call(
        "offer_is_answered_late",
        *answer(),
        expect("INVITE"),
        respond(100, tag=False),
        pause(6000),
        respond(200, "OK", sdp(image(far.port), version=2), tag=False),
        expect("ACK"),
        *BYE,
        far=far,
        t38_calling_s=0.5,
    )


@cell
async def peer_goes_back_to_audio(stage: Stage) -> None:
    """It asked for T.38 and thinks better of it before the machines have spoken."""
    far, nothing = receiver(stage, "back"), DeadT38(no_signal=True)
    nothing.start()
    await stage.we_call(
        "peer_goes_back_to_audio",
        *answer(far.port),
        pause(300),
        *switch(sdp(image(nothing.port), version=2)),
        pause(2000),
        *switch(sdp(audio(far.port), version=3), 102),
        *BYE,
        far=far,
    )
    await nothing.finish()


@cell
async def offer_gets_another_codec_and_port(stage: Stage) -> None:
    far = receiver(stage, "codec", payload=0)
    await stage.we_call(
        "offer_gets_another_codec_and_port",
        expect("INVITE", save=True),
        respond(200, "OK", sdp(audio(6000, "8"))),
        expect("ACK"),
        expect("INVITE"),
        respond(200, "OK", sdp(audio(far.port, "0"), version=2), tag=False),
        expect("ACK"),
        *BYE,
        far=far,
        t38_calling_s=0.5,
    )


@cell
async def offer_gets_no_media(stage: Stage) -> None:
    """200 with the image line off leaves the call without media: we ask for audio again."""
    far = receiver(stage, "off")
    await stage.we_call(
        "offer_gets_no_media",
        *answer(far.port),
        expect("INVITE"),
        respond(200, "OK", sdp(image(0), version=2), tag=False),
        expect("ACK"),
        *takes_audio(far.port),
        *BYE,
        far=far,
        t38_calling_s=0.5,
    )


@cell
async def udptl_from_another_port(stage: Stage) -> None:
    mouth = Ear()
    far = T38Far(receive=stage.folder / "another.tif", speaks_from=mouth.sock)
    await stage.we_call(
        "udptl_from_another_port",
        *answer(),
        pause(300),
        *switch(sdp(image(far.port), version=2)),
        *BYE,
        far=far,
    )
    mouth.sock.close()


@cell
async def udptl_on_the_port_of_the_audio(stage: Stage) -> None:
    ear = Ear()
    far = T38Far(receive=stage.folder / "astray.tif", speaks_from=ear.sock, speaks_to=ear.source)
    await stage.we_call(
        "udptl_on_the_port_of_the_audio",
        *answer(ear.port),
        pause(300),
        *switch(sdp(image(far.port), version=2)),
        *BYE,
        far=far,
    )
    ear.sock.close()


@cell
async def udptl_from_another_host(stage: Stage) -> None:
    """What the SDP names is silent: the fax comes from behind a NAT, and a stranger was there before it."""
    name = "udptl_from_another_host"
    far, silent = T38Far(receive=stage.folder / "nat.tif", host="127.0.0.2"), Ear()
    sipp, line = await stage.called(
        name, *answer(), pause(300), *switch(sdp(image(silent.port), version=2)), *BYE
    )
    loop = asyncio.get_running_loop()

    def watch(progress: Progress) -> None:
        port = re.search(r"m=image (\d+)", str(dict(progress.fields).get("sdp", "")))
        if progress.event == "sip_sent" and port is not None:
            loop.call_soon(speak, int(port[1]))

    def speak(port: int) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.bind(("127.0.0.3", 0))
            stranger.sendto(bytes.fromhex("000001000000"), ("127.0.0.1", port))
        far.begin(port)

    outcome = await send(line, watch=watch)
    words, facts = await sipp.finish(), line.last_facts
    await line.stop()
    silent.sock.close()
    stage.ran[name] = Ran(outcome, words, await far.finish(), sipp.messages(), facts)


def bound(sock: socket.socket, port: int) -> bool:
    try:
        sock.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True


async def odd_port_is_spoken_to_at_once_in_the_next_call(stage: Stage) -> None:
    """The gateway that sent its UDPTL from another port hears nothing but on that one: the next call begins
    there."""
    name = "odd_port_is_spoken_to_at_once_in_the_next_call"
    mouth = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    first = T38Far(receive=stage.folder / "first_odd.tif", speaks_from=mouth)
    offset = next(each for each in range(1, 1000) if bound(mouth, first.port - each))
    sipp, line = await stage.called(
        name, *answer(), pause(300), *switch(sdp(image(first.port), version=2)), *BYE
    )
    first.start()
    assert (await send(line)).result.cause is DELIVERED
    assert await sipp.finish() == ""
    await first.finish()
    mouth.close()
    second = T38Far(receive=stage.folder / "second_odd.tif")
    steps = [*answer(), pause(300), *switch(sdp(image(second.port + offset), version=2)), *BYE]
    again = Sipp(stage.folder, f"{name}_again", called(*steps), sipp.port)
    await again.start()
    second.start()
    outcome = await send(line)
    words, facts = await again.finish(), line.last_facts
    await line.stop()
    stage.ran[name] = Ran(outcome, words, await second.finish(), again.messages(), facts)


# -- they call ------------------------------------------------------------------------------------


def caller_of(name: str, number: int, *steps: Step, nothing: DeadT38 | None = None) -> None:
    async def run(stage: Stage) -> None:
        user = f"55502{number:02}"
        machine = FaxMachine(calls="1", send=tiff_of(stage.folder, [page(60)], name))
        far = AudioFar(machine, 8)
        if nothing is not None:
            nothing.start()
        body = sdp(audio(far.port, "8"))
        back = [Step(step.xml.replace("AUDIO_PORT", str(far.port))) for step in steps]
        await stage.they_call(
            name,
            user,
            invite(body, user),
            *ANSWERED,
            caller_request("ACK", 1, user=user),
            expect("INVITE"),
            *back,
            *BYE,
            far=far,
        )
        if nothing is not None:
            await nothing.finish()

    CELLS[name] = run


caller_of("caller_says_100_alone", 1, respond(100, tag=False))
caller_of("caller_says_481", 2, respond(481, tag=False), expect("ACK"))


@cell
async def caller_agrees_to_t38_that_is_dead(stage: Stage) -> None:
    nothing = DeadT38(no_signal=True)
    steps = [
        respond(200, "OK", sdp(image(nothing.port), version=2), tag=False),
        expect("ACK"),
        expect("INVITE"),
        respond(200, "OK", sdp(audio("AUDIO_PORT", "8"), version=3), tag=False),
        expect("ACK"),
    ]
    caller_of("caller_agrees_to_t38_that_is_dead", 3, *steps, nothing=nothing)
    await CELLS.pop("caller_agrees_to_t38_that_is_dead")(stage)


async def run_cells(folder: Path, cells: Iterable[Cell]) -> dict[str, Ran]:
    """Each of these cells, once, all at the same time."""
    box = Box()
    stage = Stage(folder, box)
    await box.start()
    await box.line("inbound", "127.0.0.1:9")
    try:
        async with asyncio.TaskGroup() as group:
            for one in cells:
                group.create_task(one(stage))
    finally:
        await box.stop()
    return stage.ran


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ran]:
    return asyncio.run(run_cells(tmp_path_factory.mktemp("far_ends"), CELLS.values()))


def test_every_cell_stands_in_the_table_of_the_docs() -> None:
    table = (Path(__file__).parents[3] / "docs" / "far-ends.md").read_text()
    missing = [name for name in (*IN_TONES, *IN_T38, *FROM_CALLERS) if f"| {words_of(name)} |" not in table]
    assert not missing


def words_of(name: str) -> str:
    return name.replace("_", " ").replace("t38", "T.38").replace("udptl", "UDPTL")


def first_tones_s(outcome: Outcome) -> float:
    """From the answer to the first try in tones."""
    at = {each.event: each.at for each in outcome.progress if each.event == "connected"}
    tones = [
        each.at for each in outcome.progress if each.event == "media" and dict(each.fields)["kind"] == "g711"
    ]
    return tones[0] - at["connected"]


IN_TONES = [
    "t38_agreed_and_silent",
    "t38_agreed_and_no_signal",
    "t38_of_the_peer_and_no_signal",
    "offer_gets_408",
    "offer_gets_481",
    "offer_gets_100_alone",
    "offer_gets_500",
    "offer_gets_nothing",
    "offer_that_failed_is_not_made_again",
    "peer_goes_back_to_audio",
    "offer_gets_another_codec_and_port",
    "offer_gets_no_media",
]


@pytest.mark.parametrize("name", IN_TONES)
def test_fax_that_t38_would_strand_goes_as_tones_in_the_same_call(ran: dict[str, Ran], name: str) -> None:
    one = ran[name]
    assert one.outcome.result.cause is DELIVERED, (one.outcome.words(), one.sipp)
    assert one.outcome.media()[-1] == "g711"
    assert first_tones_s(one.outcome) < FIRST_TONES_S
    assert one.far == "OK"
    assert one.sipp == ""


IN_T38 = [
    "machine_is_slow_and_stays_in_t38",
    "offer_is_answered_late",
    "udptl_from_another_port",
    "udptl_from_another_host",
    "udptl_on_the_port_of_the_audio",
]


@pytest.mark.parametrize("name", IN_T38)
def test_t38_that_comes_late_or_from_elsewhere_carries_the_fax(ran: dict[str, Ran], name: str) -> None:
    one = ran[name]
    assert one.outcome.result.cause is DELIVERED, (one.outcome.words(), one.sipp)
    assert one.outcome.media()[-1] == "t38"
    assert one.far.ok  # type: ignore[attr-defined]
    assert one.sipp == ""


@pytest.mark.full  # while a far end is slow the box tries the odd port too, where the first one does not hear
def test_an_odd_port_of_udptl_is_spoken_to_at_once_in_the_next_call(tmp_path: Path) -> None:
    (one,) = asyncio.run(run_cells(tmp_path, (odd_port_is_spoken_to_at_once_in_the_next_call,))).values()
    assert one.outcome.result.cause is DELIVERED, (one.outcome.words(), one.sipp)
    assert one.outcome.media()[-1] == "t38"
    assert one.sipp == ""


def test_dead_t38_without_a_way_back_is_blamed_on_t38(ran: dict[str, Ran]) -> None:
    one = ran["t38_dead_and_no_way_back"]
    assert one.outcome.result.cause is causes.SIP_T38_SILENT, one.outcome.words()
    assert one.outcome.seconds < SECOND_CHANCE_S
    assert one.sipp == ""


FROM_CALLERS = [
    "caller_says_100_alone",
    "caller_says_481",
    "caller_agrees_to_t38_that_is_dead",
]


@pytest.mark.parametrize("name", FROM_CALLERS)
def test_caller_whose_t38_comes_to_nothing_is_heard_in_tones(ran: dict[str, Ran], name: str) -> None:
    one = ran[name]
    assert one.outcome.result.cause is RECEIVED, (one.outcome.words(), one.sipp)
    assert one.outcome.media()[-1] == "g711"
    assert first_tones_s(one.outcome) < FIRST_TONES_S
    assert [raster.data for raster in one.outcome.store.rasters()] == [page(60).data]
    assert one.sipp == ""


@pytest.mark.parametrize("name", FROM_CALLERS)
def test_account_of_a_call_that_came_in_begins_with_its_invite(ran: dict[str, Ran], name: str) -> None:
    first = ran[name].outcome.progress[0]
    assert (first.event, str(dict(first.fields)["line"])[:7]) == ("sip_received", "INVITE ")
    assert "m=audio" in str(dict(first.fields)["sdp"])
