"""Through a real registrar and proxy: kamailio in between, an independent far end behind it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from appliance import causes
from appliance.lines.sip.line import SipLine
from appliance.lines.sip.settings import Identity, Transport
from tests.lines.g711.far_end import page, tiff_of
from tests.lines.sip.kamailio import HAS_TLS, KAMAILIO, PASSWORD, USER, Kamailio
from tests.lines.sip.media import T38Far
from tests.lines.sip.rig import Box, Outcome, send
from tests.lines.sip.sipp import (
    SIPP,
    Sipp,
    audio,
    called,
    caller_request,
    calling,
    expect,
    expect_status,
    image,
    pause,
    request,
    respond,
    sdp,
)

pytestmark = pytest.mark.skipif(
    SIPP is None or KAMAILIO is None, reason="sipp or kamailio is not installed (sip-tester, kamailio)"
)


async def until_usable(line: SipLine, seconds: float = 10.0) -> None:
    for _ in range(int(seconds * 20)):
        if line.state().usable:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(line.state())


async def call_out(folder: Path, proxy: Kamailio, line: SipLine) -> tuple[Outcome, str, str]:
    far = T38Far(receive=folder / "out.tif")
    far.start()
    sipp = Sipp(
        folder,
        "out",
        called(
            expect("INVITE", save=True),
            respond(180),
            pause(300),
            respond(200, "OK", sdp(audio())),
            expect("ACK"),
            pause(300),
            request("INVITE", 101, sdp(image(far.port), version=2)),
            expect_status(100, optional=True),
            expect_status(200),
            request("ACK", 101),
            expect("BYE"),
            respond(200, "OK", tag=False),
        ),
        proxy.outside,
    )
    await sipp.start()
    await asyncio.sleep(0.3)
    outcome = await send(line, caller_number="+49301234567", caller_name="Practice Dr. Example")
    words = await sipp.finish()
    await far.finish()
    return outcome, words, sipp.messages()


async def call_in(folder: Path, proxy: Kamailio, box: Box) -> tuple[Outcome, str]:
    far = T38Far(calls=True, send=tiff_of(folder, [page(60)], "in"))
    far.start()
    steps = [
        caller_request("INVITE", 1, sdp(audio()), first=True, user=USER),
        expect_status(100, optional=True),
        expect_status(200, save=True),
        caller_request("ACK", 1, user=USER),
        pause(300),
        caller_request("INVITE", 2, sdp(image(far.port), version=2), user=USER),
        expect_status(100, optional=True),
        expect_status(200, save=True),
        caller_request("ACK", 2, user=USER),
        expect("BYE"),
        respond(200, "OK", tag=False),
    ]
    sipp = Sipp(folder, "in", calling(*steps), proxy.outside, f"127.0.0.1:{proxy.port}")
    await sipp.start()
    words = await sipp.finish()
    outcome = await asyncio.wait_for(box.expected(box.knocks[-1].dialled), 30)
    await far.finish()
    return outcome, words


@pytest.mark.parametrize("transport", list(Transport))
def test_fax_goes_out_and_comes_in_over_a_registered_trunk(tmp_path: Path, transport: Transport) -> None:
    tls = transport is Transport.TLS
    if tls and not HAS_TLS:
        pytest.skip("kamailio-tls-modules is not installed")

    async def run() -> None:
        proxy = Kamailio(tmp_path, tls=tls)
        box = Box(tcp_port=0)
        await proxy.start()
        await box.start()
        try:
            line = await box.line(
                "provider",
                f"127.0.0.1:{proxy.tls_port if tls else proxy.port}",
                transport=transport,
                register=True,
                username=USER,
                password=PASSWORD,
                identity=Identity.ASSERTED,
                ca_file=str(proxy.certificate) if tls else "",
            )
            await until_usable(line)
            assert line.state().sentence.startswith("Registered with")
            outcome, words, messages = await call_out(tmp_path, proxy, line)
            assert outcome.result.cause is causes.DELIVERED, outcome.words()
            assert words == ""
            assert 'From: "Practice Dr. Example" <sip:+49301234567@127.0.0.1' in messages
            assert 'P-Asserted-Identity: "Practice Dr. Example" <sip:+49301234567@127.0.0.1' in messages
            assert f"sip:{USER}@" not in messages.partition("Contact")[0]
            outcome, words = await call_in(tmp_path, proxy, box)
            assert outcome.result.cause is causes.RECEIVED, outcome.words()
            assert words == ""
            assert box.knocks[-1].caller == "49301112"
            assert box.knocks[-1].caller_name == "Peer"
        finally:
            await box.stop()
            await proxy.stop()

    asyncio.run(run())


def test_wrong_password_is_said_in_words(tmp_path: Path) -> None:
    async def run() -> None:
        proxy, box = Kamailio(tmp_path), Box()
        await proxy.start()
        await box.start()
        try:
            line = await box.line(
                "provider", f"127.0.0.1:{proxy.port}", register=True, username=USER, password="guessed"
            )
            for _ in range(100):
                if line.state().last_error:
                    break
                await asyncio.sleep(0.05)
            state = line.state()
            assert not state.usable
            assert state.last_error.startswith("The trunk does not accept the user name or password")
            assert "guessed" not in repr(line.trunk)
        finally:
            await box.stop()
            await proxy.stop()

    asyncio.run(run())


@pytest.mark.skipif(not HAS_TLS, reason="kamailio-tls-modules is not installed")
def test_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    async def run() -> None:
        proxy, box = Kamailio(tmp_path, tls=True), Box()
        await proxy.start()
        await box.start()
        try:
            line = await box.line(
                "provider", f"127.0.0.1:{proxy.tls_port}", transport=Transport.TLS, register=True,
                username=USER, password=PASSWORD,
            )  # fmt: skip
            for _ in range(200):
                if line.state().last_error:
                    break
                await asyncio.sleep(0.05)
            assert not line.state().usable
            assert line.state().last_error
        finally:
            await box.stop()
            await proxy.stop()

    asyncio.run(run())
