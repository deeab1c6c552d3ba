"""Registrars that refuse, fail, or ask for what the box does not have: what the owner reads; what follows.

The registrar is a socket; it checks digests by itself (RFC 2617, RFC 8760).
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import pytest

from appliance.lines.sip import causes, messages
from appliance.lines.sip import line as line_module
from appliance.lines.sip import our_media as our_media_module
from appliance.lines.sip import standing as standing_module
from appliance.lines.sip.events import RegistrationChanged
from appliance.lines.sip.standing import (
    ASK_RESTING_S,
    FIRST_REST_S,
    MAX_PAUSE_S,
    MAX_REST_S,
    Standing,
    registration_words,
)
from tests.lines.sip.rig import Box, send
from tests.lines.sip.test_standing import until

USER, PASSWORD = "acct", "sesame"
FORBIDDEN = ("403 Forbidden", "")
REGISTERED = ("200 OK", "Contact: {contact};expires=300\r\n")
HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}

# What the registrar answers, from the number of the request (1 is the first) and its credentials (or ""):
# the status, and its headers.
Script = Callable[[int, str], tuple[str, str]]


def challenge(
    parameters: str = 'qop="auth"', *, scheme: str = "Digest", nonce: str = "n1"
) -> tuple[str, str]:
    return (
        "401 Unauthorized",
        f'WWW-Authenticate: {scheme} realm="here", nonce="{nonce}", {parameters}\r\n',
    )


def is_right(credentials: str) -> bool:
    """Whether user name and password are in these credentials for a REGISTER."""
    found = {name: value.strip('"') for name, value in re.findall(r'(\w+)=("[^"]*"|[^,\s]+)', credentials)}

    def digest(*parts: str) -> str:
        return HASHES[found.get("algorithm", "MD5").upper()](":".join(parts).encode()).hexdigest()

    secret, asked = digest(USER, found["realm"], PASSWORD), digest("REGISTER", found["uri"])
    middle = [found[name] for name in ("nc", "cnonce", "qop")] if "qop" in found else []
    return found["response"] == digest(secret, found["nonce"], *middle, asked)


def asking(*challenges: tuple[str, str]) -> Script:
    """A registrar that takes the right credentials only."""

    def script(number: int, credentials: str) -> tuple[str, str]:
        if not credentials:
            return challenges[0][0], "".join(each[1] for each in challenges)
        return REGISTERED if is_right(credentials) else FORBIDDEN

    return script


def at_first(*answers: tuple[str, str]) -> Script:
    """A registrar that gives these answers first, and then takes the registration."""
    return lambda number, _: answers[number - 1] if number <= len(answers) else REGISTERED


def always(answer: tuple[str, str]) -> Script:
    return lambda number, credentials: answer


class Registrar(asyncio.DatagramProtocol):
    """Answers REGISTER and INVITE by its script."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.requests = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        text = data.decode("latin-1")
        if not text.startswith(("REGISTER ", "INVITE ")):
            return
        self.requests += 1
        found = messages.headers(text)
        status, extra = self.script(self.requests, messages.first(found, "authorization"))
        kept = [
            line
            for line in text.split("\r\n")
            if line.partition(":")[0] in ("Via", "From", "Call-ID", "CSeq")
        ]
        to = f"To: {messages.first(found, 'to')};tag=registrar"
        extra = extra.format(contact=messages.first(found, "contact"))
        lines = [f"SIP/2.0 {status}", *kept, to, f"{extra}Content-Length: 0\r\n\r\n"]
        self.transport.sendto("\r\n".join(lines).encode(), addr)


@dataclass
class Told:
    """What is known of a trunk after a while."""

    usable: bool
    sentence: str
    last_error: str
    requests: int


CANNOT_ANSWER = causes.SIP_AUTHENTICATION.sentence.removesuffix(".")
WRONG_PASSWORD = "The trunk does not accept the user name or password"
TOO_BRIEF = "423 Interval Too Brief"


def stale(number: int, _: str) -> tuple[str, str]:
    return challenge('qop="auth", stale=TRUE', nonce=f"n{number}")


# The script, and the beginning of what the owner reads; empty where the trunk is registered in the end.
SCRIPTS: dict[str, tuple[Script, str]] = {
    "sha_256": (asking(challenge('qop="auth", algorithm=SHA-256')), ""),
    "both_qualities": (asking(challenge('qop="auth-int,auth"')), ""),
    "digest_beside_bearer": (asking(challenge("scope=x", scheme="Bearer"), challenge()), ""),
    "digest_beside_md5_sess": (asking(challenge('qop="auth", algorithm=MD5-sess'), challenge()), ""),
    "md5_sess": (asking(challenge('qop="auth", algorithm=MD5-sess')), f"{CANNOT_ANSWER}: MD5-sess (401 "),
    "auth_int": (asking(challenge('qop="auth-int"')), f"{CANNOT_ANSWER}: auth-int (401 "),
    "bearer": (asking(challenge("scope=x", scheme="Bearer")), f"{CANNOT_ANSWER}: Bearer (401 "),
    "stale_for_ever": (stale, f"{CANNOT_ANSWER}: stale (401 "),
    "without_challenge": (always(("401 Unauthorized", "")), f"{CANNOT_ANSWER}: no challenge (401 "),
    "wrong_password": (always(challenge()), f"{WRONG_PASSWORD} (401 Unauthorized)."),
    "too_brief": (at_first((TOO_BRIEF, "Min-Expires: 1800\r\n")), ""),
    "too_brief_for_ever": (always((TOO_BRIEF, "Min-Expires: 1800\r\n")), "The trunk refused the reg"),
    "longest_of_times": (always((TOO_BRIEF, "Min-Expires: 4294967295\r\n")), "The trunk refused the reg"),
    "fault": (
        always(("503 Full", "Retry-After: 3\r\n")),
        "The trunk reported a fault of its own (503 Full).",
    ),
    "keeps_nothing": (always(("200 OK", "Contact: {contact};expires=0\r\n")), "The trunk takes the reg"),
    "keeps_no_contact": (
        always(("200 OK", "Contact: {contact}\r\nExpires: 0\r\n")),
        "The trunk takes the reg",
    ),
    "keeps_it_for_a_second": (
        always(("200 OK", "Contact: {contact};expires=1\r\n")),
        "The trunk takes the reg",
    ),
    "keeps_it_for_4_s": (
        always(("200 OK", "Contact: {contact}\r\nExpires: 4\r\n")),
        "The trunk takes the reg",
    ),
    "keeps_it_for_5_s": (always(("200 OK", "Contact: {contact};expires=5\r\n")), ""),
    "keeps_it_for_a_second_at_first": (at_first(("200 OK", "Contact: {contact};expires=1\r\n")), ""),
    "keeps_nothing_at_first": (at_first(("200 OK", "Contact: {contact};expires=0\r\n")), ""),
    "forbidden_once": (at_first(FORBIDDEN), ""),
    "unknown_once": (at_first(("404 Not Found", "")), ""),
    "wrong_password_once": (at_first(challenge(), challenge()), ""),
    "moved_once": (at_first(("302 Moved", "Contact: <sip:127.0.0.1:9>\r\n")), ""),
}


@pytest.fixture(scope="module")
def told() -> dict[str, Told]:
    """Every registrar at the same time; a refused registration is tried again after a second."""

    async def run() -> dict[str, Told]:
        loop = asyncio.get_running_loop()
        registrars: dict[str, Registrar] = {}
        async with Box() as box:
            lines = {}
            for name, (script, _) in SCRIPTS.items():
                transport, registrars[name] = await loop.create_datagram_endpoint(
                    lambda script=script: Registrar(script),  # type: ignore[misc]
                    local_addr=("127.0.0.1", 0),
                )
                server = f"127.0.0.1:{transport.get_extra_info('sockname')[1]}"
                lines[name] = await box.line(name, server, register=True, username=USER, password=PASSWORD)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(20):
                    while not all(lines[name].state().usable for name in SCRIPTS if not SCRIPTS[name][1]):
                        await asyncio.sleep(0.1)
            await asyncio.sleep(2)
            states = {name: line.state() for name, line in lines.items()}
            return {
                name: Told(state.usable, state.sentence, state.last_error, registrars[name].requests)
                for name, state in states.items()
            }

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(standing_module, "FIRST_REST_S", 1.0)
        patch.setattr(standing_module, "MAX_REST_S", 2.0)
        patch.setattr(line_module, "LOOK_AFTER_S", 0.1)
        return asyncio.run(run())


@pytest.mark.realtime
@pytest.mark.parametrize("name", SCRIPTS)
def test_what_is_told_of_a_registrar_is_true(told: dict[str, Told], name: str) -> None:
    words, found = SCRIPTS[name][1], told[name]
    assert found.last_error.startswith(words) if words else not found.last_error, found
    assert found.usable is not bool(words), found
    assert found.sentence.startswith("Not registered with" if words else "Registered with"), found


@pytest.mark.realtime
def test_no_registrar_is_asked_without_end(told: dict[str, Told]) -> None:
    assert max(each.requests for each in told.values()) < 100, {n: each.requests for n, each in told.items()}


@pytest.mark.realtime
def test_registrar_that_says_when_to_come_again_is_asked_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing_module, "ASK_RESTING_S", 1.0)
    monkeypatch.setattr(line_module, "LOOK_AFTER_S", 0.1)
    asked_at: list[float] = []

    def script(number: int, _: str) -> tuple[str, str]:
        asked_at.append(time.monotonic())
        return ("503 Full", "Retry-After: 7\r\n") if number == 1 else REGISTERED

    async def run() -> None:
        async with Box() as box:
            transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: Registrar(script), local_addr=("127.0.0.1", 0)
            )
            server = f"127.0.0.1:{transport.get_extra_info('sockname')[1]}"
            line = await box.line("full", server, register=True, username=USER, password=PASSWORD)
            async with asyncio.timeout(15):
                while not line.state().usable:
                    await asyncio.sleep(0.1)

    asyncio.run(run())
    assert 7.0 <= asked_at[1] - asked_at[0] < 12.0


@pytest.mark.realtime
def test_machine_that_has_got_an_address_signs_in_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else it waits, up to 10 minutes after failed tries; or calls go to its old address (for 300 s)."""
    monkeypatch.setattr(line_module, "LOOK_AFTER_S", 0.1)
    own = ["127.0.0.1"]

    def own_address(towards: str) -> str:
        assert towards == "127.0.0.1"  # the way to another may be another, or none
        return own[0]

    monkeypatch.setattr(our_media_module, "own_address", own_address)

    async def run() -> list[int]:
        registrar, counted = Registrar(at_first(("503 Full", ""))), []
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: registrar, local_addr=("127.0.0.1", 0))
        server = f"127.0.0.1:{transport.get_extra_info('sockname')[1]}"
        async with Box(bind="0.0.0.0") as box:
            line = await box.line("moved", server, register=True, username=USER, password=PASSWORD)
            await until(line, "Not registered with")
            await asyncio.sleep(0.3)
            # The network comes up; it is gone; it is back as it was; it has another address.
            for address in ("192.0.2.7", "127.0.0.1", "192.0.2.7", "192.0.2.8"):
                own[0] = address
                await asyncio.sleep(0.5)
                counted.append(registrar.requests)
        return counted

    assert asyncio.run(run()) == [2, 2, 3, 4]


@pytest.mark.realtime
def test_call_that_is_asked_for_md5_sess_is_not_told_to_check_its_password() -> None:
    async def run() -> None:
        async with Box() as box:
            registrar = Registrar(always(challenge('qop="auth", algorithm=MD5-sess')))
            transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: registrar, local_addr=("127.0.0.1", 0)
            )
            server = f"127.0.0.1:{transport.get_extra_info('sockname')[1]}"
            line = await box.line("asked", server, username=USER, password=PASSWORD, register=False)
            outcome = await send(line)
            assert outcome.result.cause is causes.SIP_AUTHENTICATION
            assert outcome.last_error.endswith("(401 Unauthorized).")

    asyncio.run(run())


def test_refused_registration_is_tried_again_at_growing_times() -> None:
    trunk = Standing("sip.example.net", registers=True)
    now, waits = 0.0, []
    for _ in range(2000):
        trunk.registration_changed(RegistrationChanged(False, 403, "Forbidden", "192.0.2.1:5060"), now)
        wait = next(step for step in range(10, 700, 10) if trunk.wants_to_ask(now + step, 60.0))
        waits.append(wait)
        now += wait
    assert waits[0] == FIRST_REST_S
    assert waits[-1] == MAX_REST_S
    trunk.registration_changed(RegistrationChanged(True, 200, "OK", "192.0.2.1:5060"), now)
    assert not trunk.wants_to_ask(now + 86400, 60.0)


@pytest.mark.parametrize(
    ("retry_after_s", "wait_s"), [(0.0, ASK_RESTING_S), (120.0, 120.0), (99999.0, MAX_PAUSE_S)]
)
def test_registration_waits_as_long_as_the_registrar_says_within_reason(
    retry_after_s: float, wait_s: float
) -> None:
    trunk = Standing("sip.example.net", registers=True)
    trunk.registration_changed(RegistrationChanged(True, 200, "OK", "192.0.2.1:5060"), 0.0)
    trunk.fell_silent(32.0, called_at=0.5)  # and is asked every few seconds from here on
    trunk.registration_changed(
        RegistrationChanged(False, 500, "Full", "192.0.2.1:5060", retry_after_s=retry_after_s), 33.0
    )
    assert not trunk.wants_to_ask(33.0 + wait_s - 0.1, 60.0)
    assert trunk.wants_to_ask(33.0 + wait_s, 60.0)


def test_trunk_that_was_asked_to_register_and_gave_no_sign_is_asked_again() -> None:
    trunk = Standing("sip.example.net", registers=True)
    trunk.registration_changed(RegistrationChanged(False, 403, "Forbidden", "192.0.2.1:5060"), 0.0)
    assert trunk.wants_to_ask(FIRST_REST_S, 60.0)
    assert not trunk.wants_to_ask(FIRST_REST_S + 1.0, 60.0)
    assert trunk.wants_to_ask(FIRST_REST_S + MAX_REST_S, 60.0)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (RegistrationChanged(False, 503, "Gone"), "The trunk cannot be reached (503 Gone)."),
        (
            RegistrationChanged(False, 408, "Request Timeout"),
            "The trunk does not answer: check its server name, port and transport.",
        ),
        (
            RegistrationChanged(False, 0, "Unable to resolve"),
            "The trunk does not answer (Unable to resolve).",
        ),
        (
            RegistrationChanged(False, 699, "\x01No" + "o" * 500, "x"),
            f"The trunk refused the registration (699 No{'o' * 118}).",
        ),
    ],
)
def test_failed_registration_as_a_sentence(change: RegistrationChanged, told: str) -> None:
    assert registration_words(change) == told
