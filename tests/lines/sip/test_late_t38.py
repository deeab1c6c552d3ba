"""A gateway that requests T.38 after the machines have begun in G.711: refused without harm."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from appliance import causes
from tests.lines.g711.far_end import page, tiff_of
from tests.lines.sip.box_process import RawCall
from tests.lines.sip.media import AudioFar
from tests.lines.sip.rig import Box, Outcome
from tests.lines.sip.sipp import audio, image, sdp
from tests.softmodem.stations import FaxMachine

pytestmark = pytest.mark.realtime

USER = "5550100"
# Asked in the middle of the training check, and again behind it.
LATER_S = (0.5, 4.0)


def test_offer_of_t38_after_dcs_gets_488_and_the_tones_go_on(tmp_path: Path) -> None:
    async def run() -> tuple[Outcome, list[str]]:
        far = AudioFar(FaxMachine(calls="1", send=tiff_of(tmp_path, [page(60)])), 8)
        far.start()
        box = Box()
        agreed = asyncio.Event()
        box.watch = lambda progress: agreed.set() if progress.event == "dcs" else None
        await box.start()
        try:
            await box.line("late", "127.0.0.1:9", peers=("127.0.0.1",), t38_answering_s=0.2)
            call = RawCall(box.port, "late")
            await call.open(sdp(audio(far.port, "8")))
            asking = asyncio.create_task(ask_late(call, agreed))
            outcome = await box.expected(USER)
            answers = await asking
            call.close()
            await far.finish()
            return outcome, answers
        finally:
            await box.stop()

    async def ask_late(call: RawCall, agreed: asyncio.Event) -> list[str]:
        while not (request := await call.heard()).startswith("INVITE "):
            pass
        call.respond(request, "488 Not Acceptable Here")  # the box asked first, too early for this gateway
        await agreed.wait()
        answers = []
        for seconds in LATER_S:
            await asyncio.sleep(seconds)
            answers.append((await call.final(call.send("INVITE", sdp(image(6000), version=2))))[:11])
        await call.until_over()
        return answers

    outcome, answers = asyncio.run(run())
    assert answers == ["SIP/2.0 488", "SIP/2.0 488"]
    assert outcome.result.cause is causes.RECEIVED, outcome.words()
    assert outcome.media() == ["audio", "g711"]
    assert [raster.data for raster in outcome.store.rasters()] == [page(60).data]
