"""SIP, T.38 and tones over IPv6: the box calls itself on ::1."""

from __future__ import annotations

import asyncio
import socket

import pytest

from appliance import causes
from appliance.lines.sip import admission
from appliance.lines.sip.settings import MediaChoice, SipTrunk
from tests.lines.sip.rig import Box, Outcome, send


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")


@needs_ipv6
@pytest.mark.realtime
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


def test_provider_with_addresses_of_both_kinds_is_sent_media_of_the_kind_that_sip_speaks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def both(name: str) -> set[str]:
        return {f"192.0.2.{number}" for number in range(9)} | {f"2001:db8::{number}" for number in range(9)}

    monkeypatch.setattr(admission, "addresses_of", both)
    known = admission.Admission(SipTrunk(name="provider", server="sip.example.net"))
    asyncio.run(known.look_up())
    assert known.some_address(ipv6=False).startswith("192.0.2.")
    assert known.some_address(ipv6=True).startswith("2001:db8::")


@needs_ipv6
@pytest.mark.realtime
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
