"""Forged packets, with the far end's address, to both ports of a running fax.

The far end is sipp and spandsp.  What is forged has the numbers that are due next, the payload type and the
source identifier of the far end: all but its address and port.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
from pathlib import Path

import pytest

from appliance import causes
from appliance.lines.practice import faults
from appliance.lines.practice.faults import Faults, Swap
from appliance.lines.sip.causes import SIP_CONFIRMATION_DOUBTED
from appliance.t30.causes import PAGE_REFUSED
from appliance.t30.parameters import Progress
from tests.lines.g711.far_end import page, tiff_of
from tests.lines.sip.box_process import RawCall
from tests.lines.sip.media import AudioFar, T38Far
from tests.lines.sip.rig import Box, Outcome, send
from tests.lines.sip.sipp import Sipp, audio, called, expect, image, needs_sipp, pause, respond, sdp
from tests.lines.sip.test_behaviours import BYE, answer, switch
from tests.lines.sip.test_hostile import MCF, hang_ups, spoken_in_t38
from tests.ports import free_port
from tests.softmodem.fixtures import tiff_rasters
from tests.softmodem.stations import FaxMachine

pytestmark = [
    pytest.mark.full,  # a call of tones and thousands of packets beside it; test_hostile has T.38 always
    pytest.mark.realtime,
    needs_sipp,
]

# The far end's host with another port, and another host.
STRANGERS = ("127.0.0.1", "127.0.0.2")
EVERY_S = 0.02
SAMPLES = 160
USER = "5550100"


class Injection:
    """Sends what ``forged`` gives to the port that the box speaks from, and to those beside it."""

    def __init__(self, far: T38Far | AudioFar) -> None:
        self._far = far
        self._dice = random.Random(7)
        self.sent = 0

    async def run(self) -> None:
        """Until it is cancelled, from the first packet of the far end on."""
        while (at := self._box()) is None or not self._has_spoken():
            await asyncio.sleep(0.01)
        with contextlib.ExitStack() as held:
            strangers = [held.enter_context(_socket(host)) for host in STRANGERS]
            while True:
                for octets, port in self._forged(at[1]):
                    for stranger in strangers:
                        with contextlib.suppress(OSError):
                            stranger.sendto(octets, (at[0], port))
                            self.sent += 1
                await asyncio.sleep(EVERY_S)

    def _box(self) -> tuple[str, int] | None:
        return self._far._peer if isinstance(self._far, T38Far) else self._far._remote

    def _has_spoken(self) -> bool:
        return not isinstance(self._far, T38Far) or self._far.spoken > 0

    def _forged(self, port: int) -> list[tuple[bytes, int]]:
        if isinstance(self._far, T38Far):
            return [(octets, to) for octets in hang_ups(self._far.spoken, 8) for to in (port, port + 1)]
        peer = self._far.peer
        forged = []
        for ahead in range(3):
            header = struct.pack(
                "!BBHII",
                0x80,
                8,
                (peer._sequence + ahead) & 0xFFFF,
                (peer._timestamp + ahead * SAMPLES) & 0xFFFFFFFF,
                0x1234,
            )
            forged.append((header + self._dice.randbytes(SAMPLES), port))  # as loud as A-law can be
        goodbye = struct.pack("!BBHI", 0x81, 203, 1, 0x1234)  # RTCP BYE (RFC 3550, 6.6)
        return [*forged, (goodbye, port), (goodbye, port + 1)]


def _socket(host: str) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.bind((host, 0))
    return sock


@contextlib.asynccontextmanager
async def injecting(far: T38Far | AudioFar):
    injection = Injection(far)
    task = asyncio.create_task(injection.run())
    try:
        yield injection
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.mark.parametrize("medium", ["udptl", "rtp"])
def test_fax_that_we_send_arrives_unharmed(tmp_path: Path, medium: str) -> None:
    got = tmp_path / "got.tif"

    async def run() -> tuple[Outcome, int, str]:
        if medium == "udptl":
            far: T38Far | AudioFar = T38Far(receive=got)
            steps = [*answer(), pause(200), *switch(sdp(image(far.port), version=2)), *BYE]
        else:
            far = AudioFar(FaxMachine(receive=got), 8)
            refuse = [expect("INVITE"), respond(488, "Not Acceptable Here", tag=False), expect("ACK")]
            steps = [*answer(far.port), *refuse, *BYE]
        far.start()
        sipp = Sipp(tmp_path, "far", called(*steps), free_port())
        await sipp.start()
        async with Box() as box:
            line = await box.line("far", f"127.0.0.1:{sipp.port}", t38_calling_s=0.5)
            async with injecting(far) as injection:
                outcome = await send(line)
            words = await sipp.finish()
            await far.finish()
            return outcome, injection.sent, words

    outcome, sent, words = asyncio.run(run())
    print(f"{sent} forged packets")
    assert outcome.result.cause is causes.DELIVERED, (outcome.words(), words)
    assert sent > 1000
    assert [pixels for _, _, pixels in tiff_rasters(got)] == [page(60).data]


@pytest.mark.parametrize("numbers", ["due", "ahead", "anew", "none"])
def test_no_confirmation_forged_in_the_far_ends_own_name_is_a_delivery(tmp_path: Path, numbers: str) -> None:
    """The far end refuses the last page, and somebody confirms it from its address, with any numbers."""
    got = tmp_path / "got.tif"

    async def run() -> Outcome:
        far = T38Far(receive=got, faults=Faults(swaps=(Swap(faults.MCF, 1, faults.RTN),)))
        ended = asyncio.Event()

        def watch(progress: Progress) -> None:
            if progress.event == "frame_sent" and ("name", "PPS") in progress.fields:
                ended.set()

        async def confirm() -> None:
            """Once, as the far end's own answer begins: nobody sees more of an attack than that."""
            await ended.wait()
            before = far.spoken
            while far.spoken == before:
                await asyncio.sleep(0.001)
            first = {"due": far.numbered + 1, "ahead": far.numbered + 20, "anew": 40_000}[numbers]
            for forged in spoken_in_t38(MCF, first, 8):
                far.send_raw(forged, far._peer[1] if far._peer else 0)

        far.start()
        sipp = Sipp(
            tmp_path,
            "far",
            called(*answer(), pause(200), *switch(sdp(image(far.port), version=2)), *BYE),
            free_port(),
        )
        await sipp.start()
        async with Box() as box:
            line = await box.line("far", f"127.0.0.1:{sipp.port}", t38_calling_s=0.5)
            attack = asyncio.create_task(confirm()) if numbers != "none" else None
            outcome = await send(line, watch=watch)
            if attack is not None:
                attack.cancel()
            await sipp.finish()
            await far.finish()
            return outcome

    outcome = asyncio.run(run())
    print(outcome.result.cause.code, outcome.words())
    if numbers == "none":
        assert outcome.result.cause is PAGE_REFUSED
        assert "another_voice" not in outcome.words()
    else:
        assert outcome.result.cause is SIP_CONFIRMATION_DOUBTED
        assert "another_voice" in outcome.words()


def test_fax_that_comes_in_as_tones_is_received_unharmed(tmp_path: Path) -> None:
    async def run() -> tuple[Outcome, int]:
        far = AudioFar(FaxMachine(calls="1", send=tiff_of(tmp_path, [page(60)])), 8)
        far.start()
        async with Box() as box:
            await box.line("trunk", "127.0.0.1:9", peers=("127.0.0.1",), t38_answering_s=0.2)
            call = RawCall(box.port, "tones")
            await call.open(sdp(audio(far.port, "8")))
            async with injecting(far) as injection:
                while not (request := await call.heard()).startswith("INVITE "):
                    pass
                call.respond(request, "488 Not Acceptable Here")
                await call.until_over()
                outcome = await box.expected(USER)
            call.close()
            await far.finish()
            return outcome, injection.sent

    outcome, sent = asyncio.run(run())
    print(f"{sent} forged packets")
    assert outcome.result.cause is causes.RECEIVED, outcome.words()
    assert sent > 1000
    assert [raster.data for raster in outcome.store.rasters()] == [page(60).data]
