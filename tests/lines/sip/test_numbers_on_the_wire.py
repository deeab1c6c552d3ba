"""Numbers as networks write them, in real INVITEs of sipp: called, calling and dialled numbers."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from appliance.lines.causes import BUSY
from appliance.lines.line import IncomingCall, Refuse
from appliance.lines.sip.numbers import DialFormat
from tests.lines.sip.rig import Box, Outcome, send
from tests.lines.sip.sipp import (
    Sipp,
    audio,
    called,
    caller_request,
    calling,
    expect,
    expect_status,
    needs_sipp,
    respond,
    sdp,
)
from tests.ports import free_port

pytestmark = [
    needs_sipp,
    pytest.mark.realtime,
]

DID = "+49305550102"
CALLER = "+49301112"  # sipp's From has it without the plus
# The user part of the request line, further headers, who was called, who calls.
CALLS: dict[str, tuple[str, str, str, str]] = {
    "parameters_of_a_ported_number": (f"{DID};npdi;rn=+4930", "", DID, CALLER),
    "escaped_blanks": ("%2B49%2030%20555%200102", "", DID, CALLER),
    "escaped_phone_context": ("5550102;phone-context=%2B4930", "", DID, CALLER),
    "phone_context": ("5550102;phone-context=+4930", "", DID, CALLER),
    "kind_of_caller_and_trunk_group": (
        f"{DID};cpc=ordinary;tgrp=tg55;trunk-context=example.net",
        "",
        DID,
        CALLER,
    ),
    "called_party_beside_an_account": ("fax", f"P-Called-Party-ID: <sip:{DID}@example.net>\n", DID, CALLER),
    "diverted_to_an_account": (
        "fax",
        f"Diversion: <sip:{DID}@example.net>;reason=unconditional\n",
        DID,
        CALLER,
    ),
    "history_of_the_call": ("fax", f"History-Info: <sip:{DID}@example.net>;index=1\n", DID, CALLER),
    "caller_asserted_and_private": (
        DID,
        "P-Asserted-Identity: <tel:+4930222>\nPrivacy: id\n",
        DID,
        "",
    ),
    "caller_asserted": (DID, "P-Asserted-Identity: <tel:+49-30-222>\n", DID, "+4930222"),
}


@pytest.fixture(scope="module")
def offered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, IncomingCall]:
    """Each call as the box was offered it, before it refused it."""

    async def run() -> dict[str, IncomingCall]:
        folder = tmp_path_factory.mktemp("numbers")
        found = {}
        async with Box() as box:
            box.decide = lambda call: Refuse(BUSY)
            await box.line("in", "127.0.0.1:9", country_code="49", area_code="30", form=DialFormat.E164)
            for name, (user, headers, _, _) in CALLS.items():
                steps = [
                    caller_request("INVITE", 1, sdp(audio()), first=True, user=user, extra=headers),
                    expect_status(100, optional=True),
                    expect_status(486, save=True),
                    caller_request("ACK", 1, user=user),
                ]
                sipp = Sipp(folder, name, calling(*steps), free_port(), f"127.0.0.1:{box.port}")
                await sipp.start()
                assert await sipp.finish() == "", name
                found[name] = box.knocks.pop()
        return found

    return asyncio.run(run())


@pytest.mark.parametrize("name", CALLS)
def test_who_is_called_and_who_calls_is_found_in_an_invite(
    offered: dict[str, IncomingCall], name: str
) -> None:
    _, _, dialled, caller = CALLS[name]
    assert (offered[name].dialled, offered[name].caller) == (dialled, caller)


@pytest.mark.parametrize("written", ["4930555002", "+4930555002", "0049 30 555002", "030/555002"])
def test_a_trunk_of_e164_is_called_without_plus_however_the_number_was_written(
    tmp_path: Path, written: str
) -> None:
    async def run() -> tuple[Outcome, str]:
        steps = [expect("INVITE", save=True), respond(486), expect("ACK")]
        sipp = Sipp(tmp_path, "busy", called(*steps), free_port())
        await sipp.start()
        async with Box() as box:
            line = await box.line(
                "out",
                f"127.0.0.1:{sipp.port}",
                country_code="49",
                area_code="30",
                form=DialFormat.E164,
            )
            outcome = await send(line, written)
            assert await sipp.finish() == ""
        return outcome, sipp.messages()

    outcome, messages = asyncio.run(run())
    assert outcome.result.cause is BUSY
    assert "INVITE sip:4930555002@" in messages
