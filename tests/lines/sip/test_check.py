"""The check of a trunk: its report on trunks with T.38, without it, and on failing ones."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from appliance.lines.sip import causes
from appliance.lines.sip.check import check_trunk
from appliance.lines.sip.check_report import TrunkReport
from appliance.lines.sip.settings import MediaChoice
from tests.lines.sip.media import AudioFar, T38Far
from tests.lines.sip.rig import Box
from tests.lines.sip.sipp import (
    Sipp,
    Step,
    audio,
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
from tests.ports import free_port
from tests.softmodem.stations import FaxMachine

pytestmark = [
    pytest.mark.realtime,
    needs_sipp,
]
BYE = [expect("BYE"), respond(200, "OK", tag=False)]


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, TrunkReport]:
    folder = tmp_path_factory.mktemp("check")

    async def one(box: Box, name: str, *steps: Step, **settings: object) -> tuple[str, TrunkReport]:
        sipp = Sipp(folder, name, called(*steps), free_port())
        await sipp.start()
        line = await box.line(name, f"127.0.0.1:{sipp.port}", **settings)
        report = await check_trunk(line, "+49305550100")
        assert await sipp.finish() == ""
        return name, report

    async def run() -> dict[str, TrunkReport]:
        box = Box()
        await box.start()
        far = T38Far(receive=folder / "t38.tif")
        far.start()
        tones = AudioFar(FaxMachine(receive=Path(folder / "tones.tif")), 8)
        tones.start()
        as_set = AudioFar(FaxMachine(receive=Path(folder / "as_set.tif")), 8)
        as_set.start()
        answer, tone_answer, set_answer = (
            [expect("INVITE", save=True), respond(200, "OK", sdp(media)), expect("ACK")]
            for media in (audio(), audio(tones.port), audio(as_set.port))
        )
        try:
            return dict(
                await asyncio.gather(
                    one(
                        box,
                        "with T.38",
                        *answer,
                        pause(300),
                        request("INVITE", 101, sdp(image(far.port), version=2)),
                        expect_status(100, optional=True),
                        expect_status(200),
                        request("ACK", 101),
                        *BYE,
                    ),
                    one(
                        box,
                        "without",
                        *tone_answer,
                        expect("INVITE"),
                        respond(488, tag=False),
                        expect("ACK"),
                        *BYE,
                        t38_calling_s=0.5,
                    ),
                    one(box, "tones as set", *set_answer, *BYE, media=MediaChoice.G711_ONLY),
                    one(box, "forbidden", expect("INVITE", save=True), respond(403), expect("ACK")),
                )
            )
        finally:
            await far.finish()
            await tones.finish()
            await as_set.finish()
            await box.stop()

    return asyncio.run(run())


def _text(found: Iterable[str]) -> str:
    return "\n".join(map(str, found))


def test_the_check_of_a_trunk_with_t38_finds_it_usable_without_advice(
    reports: dict[str, TrunkReport],
) -> None:
    report = reports["with T.38"]
    assert report.usable
    assert report.t38
    (after,) = re.findall(r"T.38 works: the trunk asked for it, ([\d.]+) s after", _text(report.findings))
    assert float(after) > 0
    assert "t38UDPRedundancy" in _text(report.findings)
    (came,) = re.findall(r"(\d+) packets came in, 0 missing", _text(report.findings))
    assert int(came) > 50
    assert report.advice == ()


def test_the_check_of_a_trunk_without_t38_advises_to_ask_the_provider(
    reports: dict[str, TrunkReport],
) -> None:
    report = reports["without"]
    assert report.usable
    assert not report.t38
    assert "T.38 was refused (488); the fax went as tones" in _text(report.findings)
    assert any("Ask the provider" in str(each) for each in report.advice)


def test_trunk_that_is_set_to_tones_is_not_told_to_ask_for_t38(reports: dict[str, TrunkReport]) -> None:
    report = reports["tones as set"]
    assert report.usable
    assert not report.t38
    assert not any("T.38" in str(each) for each in report.advice)
    assert any("media setting (g711)" in str(each) for each in report.findings), report.findings


def test_the_check_of_a_trunk_that_refuses_the_call_names_cause_and_advice(
    reports: dict[str, TrunkReport],
) -> None:
    report = reports["forbidden"]
    assert not report.usable
    assert causes.SIP_FORBIDDEN.sentence in map(str, report.findings)
    assert causes.SIP_FORBIDDEN.advice in map(str, report.advice)
