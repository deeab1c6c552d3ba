"""A fax with withheld number: an anonymous From, and a Privacy request to the network."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from appliance.lines.sip.settings import Identity
from tests.lines.sip.rig import Box, send
from tests.lines.sip.sipp import Sipp, called, expect, needs_sipp, respond
from tests.ports import free_port

pytestmark = [
    needs_sipp,
    pytest.mark.realtime,
]
NUMBER = "+4930123450"


def invite(folder: Path, **settings: object) -> str:
    """What the trunk is told of a call that withholds its number."""

    async def run() -> str:
        sipp = Sipp(
            folder, "busy", called(expect("INVITE", save=True), respond(486), expect("ACK")), free_port()
        )
        await sipp.start()
        async with Box() as box:
            line = await box.line("trunk", f"127.0.0.1:{sipp.port}", **settings)
            await send(line, caller_number=NUMBER, caller_name="Ada", withhold=True)
            assert await sipp.finish() == ""
            return sipp.messages().partition("SIP/2.0 486")[0]

    return asyncio.run(run())


def test_number_and_name_are_in_no_header(tmp_path: Path) -> None:
    said = invite(tmp_path)
    assert 'From: "Anonymous" <sip:anonymous@anonymous.invalid>' in said
    assert "Privacy: id" in said
    assert NUMBER not in said
    assert "Ada" not in said


def test_network_is_told_who_pays_where_the_trunk_wants_it(tmp_path: Path) -> None:
    said = invite(tmp_path, identity=Identity.ASSERTED)
    assert "Privacy: id" in said
    assert f"<sip:{NUMBER}@127.0.0.1>" in said.partition("P-Asserted-Identity:")[2].partition("\n")[0]
    assert NUMBER not in said.partition("From:")[2].partition("\n")[0]
