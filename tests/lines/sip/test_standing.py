"""The state of a trunk and its evidence: responses, silence, rests, and their wording."""

from __future__ import annotations

import asyncio
import pickle
import socket
from pathlib import Path

import pytest

from appliance.causes import Cause
from appliance.language import say
from appliance.lines.causes import BUSY, LINE_FAULT, LINE_FULL
from appliance.lines.line import Refuse
from appliance.lines.sip import admission, causes
from appliance.lines.sip import line as line_module
from appliance.lines.sip import standing as standing_module
from appliance.lines.sip.errors import SipOrderError
from appliance.lines.sip.events import RegistrationChanged
from appliance.lines.sip.line import SipLine
from appliance.lines.sip.outcomes import FIRST_OS_ERROR, TOO_MANY, cause_of_order_error
from appliance.lines.sip.settings import SipSettings, SipTrunk
from appliance.lines.sip.stack import SipStack
from appliance.lines.sip.standing import FIRST_REST_S, MAX_REST_S, Standing, sentence, with_status
from tests.lines.sip.rig import Box, send
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

NOON = "12:00"


def standing(*, registers: bool = False) -> Standing:
    return Standing("sip.example.net", registers=registers, clock=lambda: NOON)


def test_trunk_is_not_ready_before_it_has_answered_anything() -> None:
    trunk = standing()
    usable, words = trunk.condition(0.0)
    assert usable  # the first fax finds out
    assert words.startswith("Not proven yet")
    trunk.answered(1.0)
    assert trunk.condition(2.0) == (
        True,
        "Ready for calls over sip.example.net (without registration): it answered at 12:00.",
    )


def test_trunk_that_does_not_answer_rests_and_is_asked_until_it_does() -> None:
    trunk = standing()
    trunk.answered(0.0)
    trunk.fell_silent(100.0, 68.0)
    usable, words = trunk.condition(100.0)
    assert not usable
    assert "has not answered since 12:00" in words
    assert trunk.wants_to_ask(100.0, 0)
    assert not trunk.wants_to_ask(101.0, 0)
    assert trunk.condition(100.0 + FIRST_REST_S)[0]  # tried again, even where it answers no OPTIONS
    trunk.answered(111.0)
    assert trunk.condition(111.0)[0]
    assert not trunk.wants_to_ask(200.0, 0)


def test_rests_grow_within_reason_and_begin_anew_after_an_answer() -> None:
    trunk = standing()
    now, rests = 0.0, []
    for _ in range(8):
        trunk.fell_silent(now, now - 32.0)
        rest = next(step for step in range(10, 2000, 10) if trunk.condition(now + step)[0])
        rests.append(rest)
        now += rest
    assert rests[0] == FIRST_REST_S
    assert rests[-1] == MAX_REST_S
    trunk.answered(now)
    trunk.fell_silent(now + 33.0, now + 1.0)
    now += 33.0
    assert trunk.condition(now + FIRST_REST_S)[0]


@pytest.mark.parametrize("registers", [False, True])
def test_trunk_that_answers_everything_but_calls_rests_all_the_same(registers: bool) -> None:
    trunk = standing(registers=registers)
    accepted = RegistrationChanged(True, 200, "OK", "192.0.2.1:5060")
    trunk.registration_changed(accepted, 0.0)
    assert trunk.wants_to_ask(14.0, 0, unanswered=True)  # the call that began at 10.0 gets no answer
    trunk.answered(14.1)
    trunk.fell_silent(42.0, 10.0)
    trunk.registration_changed(accepted, 43.0)
    usable, words = trunk.condition(43.0)
    assert not usable
    assert words.startswith("sip.example.net answers, but no call since 12:00")
    assert trunk.condition(42.0 + FIRST_REST_S)[0]
    trunk.answered(100.0)
    trunk.fell_silent(132.0, 99.0)
    assert not trunk.condition(132.0 + FIRST_REST_S)[0]  # twice as long
    trunk.call_answered(200.0)
    assert trunk.condition(200.0)[0]


def test_a_silent_trunk_is_no_longer_shown_as_registered() -> None:
    trunk = standing(registers=True)
    assert trunk.condition(0.0) == (False, "Registering with sip.example.net.")
    accepted = RegistrationChanged(True, 200, "OK", "192.0.2.1:5060")
    trunk.registration_changed(accepted, 0.0)
    assert trunk.registered
    assert trunk.condition(1.0) == (True, "Registered with sip.example.net since 12:00.")
    trunk.fell_silent(34.0, 2.0)
    usable, words = trunk.condition(3.0)
    assert not usable
    assert not trunk.registered
    assert "but it has not answered since" in words
    assert trunk.wants_to_ask(3.0, 0)
    trunk.registration_changed(accepted, 4.0)
    assert trunk.condition(5.0)[0]


def test_the_state_of_a_trunk_is_told_in_the_readers_language_also_in_another_process() -> None:
    trunk = standing(registers=True)
    trunk.registration_changed(RegistrationChanged(True, 200, "OK", "192.0.2.1:5060"), 0.0)
    _, words = pickle.loads(pickle.dumps(trunk.condition(1.0)))
    assert say(words, "de") == "Bei sip.example.net registriert seit 12:00."
    trunk.registration_changed(RegistrationChanged(False, 403, "Forbidden", "192.0.2.1:5060"), 2.0)
    told = pickle.loads(pickle.dumps(trunk.last_error))
    assert say(told, "de") == "Der Trunk nimmt Benutzername oder Passwort nicht an (403 Forbidden)."
    assert say(told, "en") == told == "The trunk does not accept the user name or password (403 Forbidden)."


def test_trunk_that_answers_is_asked_now_and_then_where_the_owner_wants_it() -> None:
    trunk = standing()
    assert trunk.wants_to_ask(0.0, 60.0)
    trunk.answered(1.0)
    assert not trunk.wants_to_ask(60.0, 60.0)
    assert trunk.wants_to_ask(61.0, 60.0)
    assert not standing().wants_to_ask(1e6, 0.0)


@pytest.mark.parametrize(
    ("said", "told"), [("unable to resolve", "Unable to resolve."), ("Done.", "Done."), ("", "")]
)
def test_error_texts_of_the_sip_library_become_sentences(said: str, told: str) -> None:
    assert sentence(said) == told


def test_status_of_a_trunk_stands_within_the_sentence() -> None:
    assert with_status(BUSY, 486, "Busy\r\nHere") == "The number is busy (486 BusyHere)."


# -- the same with a real stack -------------------------------------------------------------------


def black_hole() -> socket.socket:
    """A port that takes everything and says nothing."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    return sock


def answer_options(sock: socket.socket) -> bool:
    """Answers one OPTIONS that waits; False when none does."""
    sock.settimeout(0.05)
    try:
        while True:
            data, source = sock.recvfrom(65535)
            if data.startswith(b"OPTIONS "):
                break
    except TimeoutError:
        return False
    kept = (b"Via", b"From", b"To", b"Call-ID", b"CSeq")
    lines = [line for line in data.split(b"\r\n") if line.partition(b":")[0] in kept]
    sock.sendto(b"SIP/2.0 200 OK\r\n" + b"\r\n".join(lines) + b"\r\nContent-Length: 0\r\n\r\n", source)
    return True


async def until(line: SipLine, words: str) -> str:
    """The line's sentence, once it has these words in it."""
    async with asyncio.timeout(60):
        while words not in line.state().sentence:
            await asyncio.sleep(0.05)
    return line.state().sentence


@pytest.mark.realtime
def test_a_server_that_answers_nothing_costs_one_call_and_its_answer_to_options_brings_the_trunk_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(standing_module, "ASK_RESTING_S", 0.5)
    monkeypatch.setattr(line_module, "LOOK_AFTER_S", 0.1)

    async def run() -> None:
        async with Box() as box:
            with black_hole() as hole:
                line = await box.line("hole", f"127.0.0.1:{hole.getsockname()[1]}")
                assert line.state().sentence.startswith("Not proven yet")
                outcome = await send(line, ring_s=2.0)
                assert outcome.result.cause is causes.SIP_NO_REPLY
                assert not line.state().usable
                assert line.state().last_error == causes.SIP_NO_REPLY.sentence
                async with asyncio.timeout(60):
                    while not await asyncio.to_thread(answer_options, hole):
                        pass
                assert "it answered at" in await until(line, "Ready for calls")
                assert line.state().usable

    asyncio.run(run())


@pytest.mark.realtime
def test_trunks_whose_port_is_still_taken_are_opened_once_it_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last exchange ends its calls after its box was killed, and the next box is there already."""
    monkeypatch.setattr(line_module, "OPEN_AGAIN_S", 0.1)

    async def run() -> None:
        with black_hole() as taken:
            port = taken.getsockname()[1]
            stack = SipStack(SipSettings(bind="127.0.0.1", udp_port=port))
            lines = [SipLine(SipTrunk(name=name, server="127.0.0.1:9"), stack) for name in ("one", "two")]
            await asyncio.gather(*(line.start(lambda call: Refuse(BUSY)) for line in lines))
            assert {line.state().sentence for line in lines} == {"SIP is not running."}
            # What was wrong, without pjsua2's function and the place in its source.
            assert {line.state().last_error for line in lines} == {
                "SIP cannot start: Address already in use."
            }
        try:
            for line in lines:
                await until(line, "Not proven yet")
                assert line.state().last_error == ""
        finally:
            for line in lines:
                await line.stop()
        assert stack.ports == {}

    asyncio.run(run())


@pytest.mark.realtime
def test_trunk_that_is_stopped_while_its_port_is_taken_stays_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_module, "OPEN_AGAIN_S", 0.1)

    async def run() -> None:
        with black_hole() as taken:
            stack = SipStack(SipSettings(bind="127.0.0.1", udp_port=taken.getsockname()[1]))
            line = SipLine(SipTrunk(name="one", server="127.0.0.1:9"), stack)
            await line.start(lambda call: Refuse(BUSY))
            await line.stop()
        await asyncio.sleep(0.5)
        assert not line.state().usable
        assert stack.ports == {}

    asyncio.run(run())


@pytest.mark.realtime
def test_trunk_that_answers_options_but_no_call_costs_one_call_and_rests(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The server is there and what is behind it is not: its answers to OPTIONS are no proof for calls."""
    monkeypatch.setattr(line_module, "ASK_IN_CALL_S", 0.2)
    monkeypatch.setattr(line_module, "LOOK_AFTER_S", 0.1)

    async def run() -> None:
        async with Box() as box:
            with black_hole() as hole:
                line = await box.line("deaf", f"127.0.0.1:{hole.getsockname()[1]}")
                call = asyncio.create_task(send(line, ring_s=8.0))
                async with asyncio.timeout(60):
                    while not await asyncio.to_thread(answer_options, hole):
                        assert not call.done()
                assert (await call).result.cause is causes.SIP_NO_REPLY
                assert "answers, but no call since" in line.state().sentence
                assert not line.state().usable

    asyncio.run(run())


@pytest.mark.realtime
def test_trunk_that_is_asked_proves_itself_before_any_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_module, "LOOK_AFTER_S", 0.1)
    monkeypatch.setattr(line_module, "FIRST_ASK_S", 0.1)

    async def run() -> None:
        async with Box() as box:
            with black_hole() as server:
                line = await box.line("asked", f"127.0.0.1:{server.getsockname()[1]}")
                async with asyncio.timeout(60):
                    while not await asyncio.to_thread(answer_options, server):
                        assert line.state().sentence.startswith("Not proven yet")
                await until(line, "Ready for calls")

    asyncio.run(run())


@pytest.mark.realtime
def test_name_that_is_not_found_is_asked_again_within_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The network comes up after the box: whoever may call is known as soon as its name is."""
    known: dict[str, set[str]] = {}

    async def addresses(name: str) -> set[str]:
        return {name} if name[0].isdigit() else known.get(name, set())

    monkeypatch.setattr(admission, "addresses_of", addresses)

    async def run() -> float:
        async with Box() as box:
            line = await box.line("named", "127.0.0.1:9", peers=("provider.example",))
            assert not line.admits("127.0.9.9")
            await asyncio.sleep(0.5)
            known["provider.example"] = {"127.0.9.9"}
            began = asyncio.get_running_loop().time()
            async with asyncio.timeout(60):
                while not line.admits("127.0.9.9"):
                    await asyncio.sleep(0.05)
            return asyncio.get_running_loop().time() - began

    assert asyncio.run(run()) < 10


@needs_sipp
@pytest.mark.realtime
def test_caller_whose_ack_never_comes_does_not_close_the_trunk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_module, "ACK_LIMIT_S", 0.5)

    async def run() -> None:
        async with Box() as box:
            line = await box.line("in", "127.0.0.1:9", peers=("127.0.0.1",), register=False)
            invite = caller_request("INVITE", 1, sdp(audio()), first=True)
            steps = calling(invite, expect_status(100, optional=True), expect_status(200))
            sipp = Sipp(tmp_path, "no_ack", steps, free_port(), f"127.0.0.1:{box.port}")
            await sipp.start()
            assert await sipp.finish() == ""
            outcome = await asyncio.wait_for(box.expected(box.knocks[0].dialled), 60)
            assert outcome.result.cause is causes.SIP_NO_REPLY
            assert line.state().usable, "it has called: it is there"

    asyncio.run(run())


@needs_sipp
@pytest.mark.realtime
def test_password_that_the_registrar_took_is_not_blamed_for_the_number_in_from(tmp_path: Path) -> None:
    async def run() -> None:
        challenge = 'WWW-Authenticate: Digest realm="sipp", nonce="n{0}", algorithm=MD5\n'
        steps = []
        for number in range(4):
            steps += [expect("INVITE"), respond(401, extra=challenge.format(number)), expect("ACK")]
        sipp = Sipp(tmp_path, "from", called(*steps), free_port())
        await sipp.start()
        async with Box() as box:
            line = await box.line(
                "from", f"127.0.0.1:{sipp.port}", username="acct", password="right", register=False
            )
            accepted = RegistrationChanged(True, 200, "OK", "127.0.0.1:5060")
            line._standing.registration_changed(accepted, 0.0)  # sipp plays no registrar
            outcome = await send(line, caller_number="+49301234")
            assert outcome.result.cause is causes.SIP_FROM_REFUSED
            assert "from_user_is_account" in outcome.result.cause.advice
            assert outcome.last_error.endswith("(401 X).")

    asyncio.run(run())


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (SipOrderError("too many calls", TOO_MANY), LINE_FULL),
        (SipOrderError("network is unreachable", FIRST_OS_ERROR + 101), causes.SIP_UNREACHABLE),
        (SipOrderError("invalid URI", 171039), LINE_FAULT),
        (RuntimeError("a bug"), LINE_FAULT),
    ],
)
def test_a_call_that_the_box_itself_refused_has_a_cause_of_the_box(error: Exception, cause: Cause) -> None:
    assert cause_of_order_error(error) is cause
