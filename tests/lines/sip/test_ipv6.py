"""SIP, T.38 and tones over IPv6: the box calls itself on ::1."""

from __future__ import annotations

import asyncio
import socket

import pytest

from appliance import causes
from appliance.lines.sip.settings import MediaChoice
from tests.lines.sip.rig import Box, Outcome, send


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True


pytestmark = [pytest.mark.realtime, pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")]


@pytest.mark.parametrize(("media", "kind"), [(MediaChoice.T38_ONLY, "t38"), (MediaChoice.G711_ONLY, "g711")])
def test_a_fax_is_sent_and_received_over_ipv6(media: MediaChoice, kind: str) -> None:
    async def run() -> tuple[Outcome, Outcome, str]:
        box = Box(bind="::1")
        await box.start()
        try:
            line = await box.line("six", f"[::1]:{box.port}", peers=("::1",), media=media, t38_calling_s=0.5)
            sent = await send(line, "+49305550100")
            return sent, await box.expected("+49305550100"), box.knocks[0].line
        finally:
            await box.stop()

    sent, received, line = asyncio.run(run())
    assert sent.result.cause is causes.DELIVERED, sent.words()
    assert received.result.cause is causes.RECEIVED, received.words()
    assert sent.media()[-1] == kind
    assert line == "six"
    offers = [str(dict(each.fields)["sdp"]) for each in sent.progress if each.event == "sip_sent"]
    assert all("c=IN IP6 ::1" in sdp for sdp in offers if sdp)


@pytest.mark.parametrize(
    ("bind", "server", "words"),
    [
        (
            "127.0.0.1",
            "[2001:db8::1]:5060",
            "2001:db8::1 is an address of IPv6, and SIP speaks IPv4 here",
        ),
        ("::1", "192.0.2.1", "192.0.2.1 is an address of IPv4, and SIP speaks IPv6 here"),
    ],
)
def test_trunk_of_the_other_kind_is_refused_in_words(bind: str, server: str, words: str) -> None:
    async def run() -> tuple[bool, str]:
        box = Box(bind=bind)
        await box.start()
        try:
            state = (await box.line("other", server)).state()
            return state.usable, state.last_error
        finally:
            await box.stop()

    usable, error = asyncio.run(run())
    assert not usable
    assert words in error
