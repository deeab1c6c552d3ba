"""Failures of the trunk do not count against the called number.

kamailio is the trunk, sipp is what answers behind it.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from appliance.dispatch.rules import is_quarantined, quarantine
from appliance.lines.sip import causes
from appliance.spool.remembered import Destination
from appliance.spool.settings import SendingSettings
from tests.lines.sip.kamailio import KAMAILIO, PASSWORD, USER, Kamailio
from tests.lines.sip.rig import Box, Outcome, send
from tests.lines.sip.sipp import SIPP, Sipp, Step, called, expect, respond
from tests.lines.sip.test_through_proxy import REGISTERS_S

pytestmark = [
    pytest.mark.skipif(
        SIPP is None or KAMAILIO is None, reason="sipp (sip-tester) or kamailio is not installed"
    ),
    pytest.mark.realtime,
]
SENDING = SendingSettings()
NOW = 1e9
UNALLOCATED = "Reason: Q.850;cause=1\n"
# What answers a call, and whether that is the number's doing.  A number that is busy, or at which nobody
# answers, is a living one.
REFUSED: dict[str, tuple[tuple[int, str], bool]] = {
    "forbidden": ((403, ""), False),
    "not_found": ((404, ""), True),
    "too_slow": ((408, ""), False),
    "unavailable": ((480, ""), False),
    "busy": ((486, ""), False),
    "not_here": ((488, ""), False),
    "broken": ((500, ""), False),
    "overloaded": ((503, ""), False),
    "no_circuit_in_a_503": ((503, "Reason: Q.850;cause=34\n"), False),
    "unallocated": ((500, UNALLOCATED), True),
    "no_circuit": ((500, "Reason: Q.850;cause=34\n"), False),
}


# Nothing more than 100, until the box gives up after half a minute: in the table of ``bench.far_ends`` alone.
TRYING = "trying_and_nothing_more"


def steps_of(name: str) -> list[Step]:
    if name == TRYING:
        given_up = [expect("CANCEL"), respond(200, "OK", tag=False)]
        return [expect("INVITE", save=True), respond(100, tag=False), *given_up]
    (code, extra), _ = REFUSED[name]
    return [expect("INVITE", save=True), respond(code, extra=extra), expect("ACK")]


async def call(folder: Path, box: Box, name: str) -> Outcome:
    folder.mkdir()
    proxy = Kamailio(folder)
    await proxy.start()
    sipp = Sipp(folder, name, called(*steps_of(name)), proxy.outside)
    await sipp.start()
    try:
        line = await box.line(name, f"127.0.0.1:{proxy.port}", username=USER, password=PASSWORD)
        async with asyncio.timeout(REGISTERS_S):
            while not line.state().usable:
                await asyncio.sleep(0.05)
        outcome = await send(line)
        assert await sipp.finish() == ""
        await line.stop()
        return outcome
    finally:
        await proxy.stop()


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """Each answer at the same time, through a kamailio of its own."""

    async def run() -> dict[str, Outcome]:
        folder = tmp_path_factory.mktemp("blame")
        async with Box() as box:
            found = await asyncio.gather(*(call(folder / name, box, name) for name in REFUSED))
        return dict(zip(REFUSED, found, strict=True))

    return asyncio.run(run())


def test_proxy_that_makes_a_500_of_a_503_does_not_hide_what_it_was(outcomes: dict[str, Outcome]) -> None:
    for name in ("overloaded", "no_circuit_in_a_503", "no_circuit"):
        assert outcomes[name].result.cause is causes.SIP_OVERLOADED, name
    assert outcomes["broken"].result.cause is causes.SIP_FAILED


def test_time_out_beyond_the_trunk_is_not_said_to_be_the_trunk_s_silence(
    outcomes: dict[str, Outcome],
) -> None:
    assert outcomes["too_slow"].result.cause is causes.SIP_TIMED_OUT


@pytest.mark.parametrize("name", REFUSED)
def test_a_number_is_quarantined_only_for_causes_of_its_own(outcomes: dict[str, Outcome], name: str) -> None:
    outcome = outcomes[name]
    known: Destination | None = None
    for _ in range(SENDING.quarantine_after):
        assert not is_quarantined(known, NOW)
        medium = (outcome.media() or [""])[-1]
        failures, until = quarantine(known, outcome.result.cause, SENDING, NOW, medium)
        known = Destination("x", failures, until, {}, NOW)
    assert is_quarantined(known, NOW) is REFUSED[name][1], outcome.result.cause
