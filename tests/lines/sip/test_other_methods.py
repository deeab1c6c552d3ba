"""Requests within a call that are not of the call: answered by RFC 3261 and RFC 6086; the call goes on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from tests.lines.sip.box_process import RawCall
from tests.lines.sip.rig import Box
from tests.lines.sip.sipp import audio, sdp

pytestmark = pytest.mark.realtime

# Method, its headers, whether it has a body, and the status that answers it.
REQUESTS = (
    ("INFO", "", False, 200),
    ("INFO", "", True, 415),
    ("INFO", "Info-Package: floor\r\n", True, 469),
    ("OPTIONS", "", False, 200),
    ("NOTIFY", "Event: presence\r\nSubscription-State: active\r\n", False, 405),
    ("BENOTIFY", "", False, 501),
)


@contextlib.asynccontextmanager
async def caller() -> AsyncIterator[RawCall]:
    """A caller of a box, who ends the call."""
    async with Box() as box:
        await box.line("in", "127.0.0.1:9", peers=("127.0.0.1",), register=False)
        with contextlib.closing(RawCall(box.port, "other")) as call:
            yield call
            call.hang_up()
            await call.until_over()


def test_requests_that_are_not_of_the_call_are_answered_and_the_call_goes_on() -> None:
    async def run() -> None:
        async with caller() as call:
            assert (await call.open(sdp(audio()))).startswith("SIP/2.0 200")
            for method, extra, has_body, status in REQUESTS:
                cseq = call.send(method, "v=0\r\n" if has_body else "", extra=extra)
                answer = await call.final(cseq)
                assert answer.startswith(f"SIP/2.0 {status} "), (method, extra, answer)
                assert status != 405 or "\r\nAllow:" in answer

    asyncio.run(run())


def test_call_with_credentials_of_a_foreign_scheme_is_taken() -> None:
    async def run() -> str:
        async with caller() as call:
            extra = "Authorization: Bearer abc\r\nProxy-Authorization: Basic\r\n eDp5\r\n"
            return await call.final(call.send("INVITE", sdp(audio()), extra=extra))

    assert asyncio.run(run()).startswith("SIP/2.0 200 ")
