"""Through a real registrar and proxy: kamailio in between, an independent far end behind it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance import causes
from appliance.lines.line import IncomingCall
from appliance.lines.sip.causes import SIP_CERTIFICATE
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

pytestmark = [
    pytest.mark.realtime,
    pytest.mark.skipif(
        SIPP is None or KAMAILIO is None, reason="sipp or kamailio is not installed (sip-tester, kamailio)"
    ),
]


async def until_usable(line: SipLine, seconds: float = 60.0) -> None:
    for _ in range(int(seconds * 20)):
        if line.state().usable:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(line.state())


@dataclass
class Both:
    """A fax out and one in, over one registered trunk."""

    sentence: str
    out: Outcome
    out_words: str
    out_messages: str
    came_in: Outcome
    in_words: str
    in_messages: str
    knock: IncomingCall


async def call_out(folder: Path, proxy: Kamailio, line: SipLine, we_ask: bool) -> tuple[Outcome, str, str]:
    far = T38Far(receive=folder / "out.tif")
    far.start()
    if we_ask:
        to_t38 = [
            expect("INVITE"),
            respond(200, "OK", sdp(image(far.port)), tag=False),
            expect("ACK"),
            pause(300),
            request("OPTIONS", 101),
            expect_status(200),
            request("UPDATE", 102),
            expect_status(200),
        ]
    else:
        to_t38 = [
            pause(300),
            request("INVITE", 101, sdp(image(far.port), version=2)),
            expect_status(100, optional=True),
            expect_status(200),
            request("ACK", 101),
        ]
    sipp = Sipp(
        folder,
        "out",
        called(
            expect("INVITE", save=True),
            respond(180),
            pause(300),
            respond(200, "OK", sdp(audio())),
            expect("ACK"),
            *to_t38,
            expect("BYE"),
            respond(200, "OK", tag=False),
        ),
        proxy.outside,
    )
    await sipp.start()
    await asyncio.sleep(0.5)
    outcome = await send(line, caller_number="+49301234567", caller_name="Practice Dr. Example")
    words = await sipp.finish()
    await far.finish()
    return outcome, words, sipp.messages()


async def call_in(folder: Path, proxy: Kamailio, box: Box, user: str) -> tuple[Outcome, str, str]:
    far = T38Far(calls=True, send=tiff_of(folder, [page(60)], "in"))
    far.start()
    steps = [
        caller_request("INVITE", 1, sdp(audio()), first=True, user=user),
        expect_status(100, optional=True),
        expect_status(200, save=True),
        caller_request("ACK", 1, user=user),
        pause(300),
        caller_request("INVITE", 2, sdp(image(far.port), version=2), user=user),
        expect_status(100, optional=True),
        expect_status(200, save=True),
        caller_request("ACK", 2, user=user),
        expect("BYE"),
        respond(200, "OK", tag=False),
    ]
    sipp = Sipp(folder, "in", calling(*steps), proxy.calling, f"127.0.0.1:{proxy.port}")
    await sipp.start()
    words = await sipp.finish()
    outcome = await asyncio.wait_for(box.expected(user), 30)
    await far.finish()
    return outcome, words, sipp.messages()


async def both_ways(folder: Path, box: Box, transport: Transport) -> Both:
    folder.mkdir()
    tls = transport is Transport.TLS
    proxy = Kamailio(folder, tls=tls)
    user = USER + transport.value
    we_ask = transport is Transport.UDP
    await proxy.start()
    try:
        line = await box.line(
            transport.value,
            f"127.0.0.1:{proxy.tls_port if tls else proxy.port}",
            transport=transport,
            register=True,
            username=user,
            password=PASSWORD,
            identity=Identity.ASSERTED,
            ca_file=str(proxy.certificate) if tls else "",
            t38_calling_s=0.5 if we_ask else 6.0,
        )
        await until_usable(line)
        sentence = line.state().sentence
        (out, out_words, out_messages), (came_in, in_words, in_messages) = await asyncio.gather(
            call_out(folder, proxy, line, we_ask), call_in(folder, proxy, box, user)
        )
        knock = next(each for each in box.knocks if each.dialled == user)
        await line.stop()
        return Both(sentence, out, out_words, out_messages, came_in, in_words, in_messages, knock)
    finally:
        await proxy.stop()


TRANSPORTS = [each for each in Transport if each is not Transport.TLS or HAS_TLS]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> dict[Transport, Both]:
    """Every transport at the same time, each through a kamailio of its own."""

    async def run() -> dict[Transport, Both]:
        folder = tmp_path_factory.mktemp("kamailio")
        box = Box()  # a trunk over TCP or TLS needs no port of the box's own
        await box.start()
        try:
            tasks = [both_ways(folder / each.value, box, each) for each in TRANSPORTS]
            return dict(zip(TRANSPORTS, await asyncio.gather(*tasks), strict=True))
        finally:
            await box.stop()

    return asyncio.run(run())


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_fax_goes_out_over_a_registered_trunk(ran: dict[Transport, Both], transport: Transport) -> None:
    both = ran[transport]
    assert both.sentence.startswith("Registered with")
    assert both.out.result.cause is causes.DELIVERED, both.out.words()
    assert both.out_words == ""


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_fax_comes_in_over_a_registered_trunk(ran: dict[Transport, Both], transport: Transport) -> None:
    both = ran[transport]
    assert both.came_in.result.cause is causes.RECEIVED, both.came_in.words()
    assert both.in_words == ""
    assert both.knock.caller == "49301112"
    assert both.knock.caller_name == "Peer"
    assert both.knock.line == transport.value


def test_called_party_sees_the_number_of_the_owners_choice(ran: dict[Transport, Both]) -> None:
    invite = next(each for each in heard_by_peer(ran[Transport.UDP].out_messages) if "INVITE sip:" in each)
    assert 'From: "Practice Dr. Example" <sip:+49301234567@127.0.0.1' in invite
    assert 'P-Asserted-Identity: "Practice Dr. Example" <sip:+49301234567@127.0.0.1' in invite


def heard_by_peer(log: str) -> list[str]:
    """The messages that reached sipp, out of its message file."""
    parts = log.split("-----------------------------------------------")
    return [part.partition("bytes")[2] for part in parts if " message received " in part]


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_login_is_in_no_header_of_a_call_that_we_make(
    ran: dict[Transport, Both], transport: Transport
) -> None:
    """Neither requests nor answers name it: Contact, From, Via, SDP, whatever."""
    heard = heard_by_peer(ran[transport].out_messages)
    wanted = ["INVITE sip:", "ACK sip:", "BYE sip:", "SIP/2.0 200"]
    if transport is Transport.UDP:
        wanted.append(" OPTIONS")
        wanted.append(" UPDATE")
        assert sum("INVITE sip:" in each for each in heard) == 2
    for words in wanted:
        assert any(words in each for each in heard), words
    assert [each for each in heard if USER + transport.value in each] == []


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_login_is_not_told_to_a_caller(ran: dict[Transport, Both], transport: Transport) -> None:
    """A caller that was given the login by the proxy's address book sees it only where it wrote it itself."""
    heard = heard_by_peer(ran[transport].in_messages)
    contacts = [line for each in heard for line in each.splitlines() if line.startswith("Contact:")]
    assert contacts
    assert not any(USER in line for line in contacts)


def test_wrong_password_is_said_in_words(tmp_path: Path) -> None:
    async def run() -> None:
        proxy, box = Kamailio(tmp_path), Box()
        await proxy.start()
        await box.start()
        try:
            line = await box.line(
                "provider", f"127.0.0.1:{proxy.port}", register=True, username=USER, password="guessed"
            )
            for _ in range(1200):
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
                "provider",
                f"127.0.0.1:{proxy.tls_port}",
                transport=Transport.TLS,
                register=True,
                username=USER,
                password=PASSWORD,
            )
            for _ in range(1200):
                if line.state().last_error:
                    break
                await asyncio.sleep(0.05)
            assert not line.state().usable
            assert line.state().last_error.startswith(SIP_CERTIFICATE.sentence.removesuffix("."))
            assert (await send(line)).result.cause is SIP_CERTIFICATE
        finally:
            await box.stop()
            await proxy.stop()

    asyncio.run(run())
