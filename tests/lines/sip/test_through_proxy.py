"""Far ends behind a proxy (kamailio): the fax arrives whatever the reaction to T.38."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from appliance import causes
from tests.lines.sip.kamailio import KAMAILIO, PASSWORD, USER, Kamailio
from tests.lines.sip.media import AudioFar, DeadT38
from tests.lines.sip.rig import Box, Outcome, send
from tests.lines.sip.sipp import SIPP, Sipp, Step, called, expect, respond
from tests.lines.sip.test_behaviours import BYE, answer
from tests.lines.sip.test_far_ends import FIRST_TONES_S, first_tones_s, takes_audio, takes_t38
from tests.softmodem.stations import FaxMachine

pytestmark = [
    pytest.mark.skipif(
        SIPP is None or KAMAILIO is None, reason="sipp (sip-tester) or kamailio is not installed"
    ),
    pytest.mark.realtime,
]
REGISTERS_S = 60


async def fax_through(
    folder: Path, proxy: Kamailio, box: Box, name: str, far: AudioFar, *steps: Step
) -> Outcome:
    """A fax over a trunk that registers with the proxy; the far end behind it plays these steps."""
    sipp = Sipp(folder, name, called(*answer(far.port), *steps, *BYE), proxy.outside)
    await sipp.start()
    line = await box.line(
        name, f"127.0.0.1:{proxy.port}", username=USER, password=PASSWORD, t38_calling_s=0.5
    )
    async with asyncio.timeout(REGISTERS_S):
        while not line.state().usable:
            await asyncio.sleep(0.05)
    far.start()
    outcome = await send(line)
    assert await sipp.finish() == ""
    assert await far.finish() == "OK"
    await line.stop()
    return outcome


async def behind_proxy(folder: Path, name: str, box: Box) -> Outcome:
    folder.mkdir()
    far = AudioFar(FaxMachine(receive=folder / "got.tif"), 8)
    nothing = DeadT38(no_signal=True)
    nothing.start()
    steps = {
        "nothing": [expect("INVITE")],  # the proxy says 100, and nobody says more
        "refused": [expect("INVITE"), respond(488, tag=False), expect("ACK")],
        "dead": [*takes_t38(nothing.port), *takes_audio(far.port)],
    }
    proxy = Kamailio(folder)
    await proxy.start()
    try:
        return await fax_through(folder, proxy, box, name, far, *steps[name])
    finally:
        await proxy.stop()
        await nothing.finish()


WAYS = ["nothing", "refused", "dead"]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """Each way at the same time, through a kamailio of its own."""

    async def run() -> dict[str, Outcome]:
        folder = tmp_path_factory.mktemp("proxies")
        async with Box() as box:
            found = await asyncio.gather(*(behind_proxy(folder / name, name, box) for name in WAYS))
        return dict(zip(WAYS, found, strict=True))

    return asyncio.run(run())


@pytest.mark.parametrize("name", WAYS)
def test_fax_behind_a_proxy_is_not_stranded_by_t38(outcomes: dict[str, Outcome], name: str) -> None:
    outcome = outcomes[name]
    assert outcome.result.cause is causes.DELIVERED, outcome.words()
    assert outcome.media()[-1] == "g711"
    assert first_tones_s(outcome) < FIRST_TONES_S
