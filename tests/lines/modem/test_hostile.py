"""Arbitrary output of a modem: no exception, no endless loop, bounded memory, and the call ends."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.lines.modem.answering import AnswerRules
from appliance.lines.modem.conversation import Conversation
from appliance.lines.modem.fax import ModemCall, ModemFax
from appliance.lines.modem.identify import Interrogation, Modem
from appliance.lines.modem.lexer import stuff
from appliance.lines.modem.quirks import TABLE, Quirks
from appliance.lines.modem.ring_monitor import RingMonitor
from appliance.t30.fcs import with_fcs
from appliance.t30.memory import MemoryPages, MemoryStore
from appliance.t30.parameters import CallParameters, Role
from tests.softmodem.fixtures import sample_page

MANY = 2000 if os.environ.get("FAXBOX_SWEEP") == "1" else 120
PAGE = sample_page(1, rows=40)
END = b"\x10\x03"

WORDS = [
    b"OK",
    b"CONNECT",
    b"NO CARRIER",
    b"ERROR",
    b"+FCERROR",
    b"+FRH:3",
    b"BUSY",
    b"NO DIALTONE",
    b"RING",
    b"RING 2",
    b"NMBR = 123",
    b"NO ANSWER",
    b"VOICE",
    b"BLACKLISTED",
    b"LINE IN USE",
    b"0,1,1.0",
    b"3,24,48,72,96,145,146",
    b"spandsp",
    b"CONNECT 9600",
    b"RINGING",
]
# DIS, DCS, CFR, FTT, MCF, RTN, PPS-EOP, EOP, MPS, DCN, CRP, DTC, and codes that do not exist.
CODES = [0x80, 0x83, 0x84, 0x44, 0x8C, 0x4C, 0xBF, 0x2F, 0x4F, 0xFB, 0x1A, 0x81, 0x00, 0xFF]
frames = st.builds(
    lambda control, code, rest, good: (
        b"\xff"
        + bytes([control])
        + stuff(with_fcs(b"\xff" + bytes([control, code]) + rest)[2:] if good else bytes([code]) + rest)
        + END
    ),
    st.sampled_from([0x03, 0x13]),
    st.sampled_from(CODES),
    st.binary(max_size=30),
    st.booleans(),
)
pieces = st.one_of(
    st.sampled_from(WORDS).map(lambda w: b"\r\n" + w + b"\r\n"),
    frames,
    st.sampled_from([END, b"\x10", b"\r\n", b"\x18", b"\x11\x13", bytes(200), b"\x7e" * 50, b"\xff" * 400]),
    st.binary(max_size=60),
)
# A step: bytes of the modem's, and the time that then passes (0: none; None: up to the next deadline).
steps = st.lists(
    st.tuples(pieces, st.one_of(st.none(), st.sampled_from([0.0, 0.05, 0.3, 1.0, 6.0]))), max_size=60
)
rows = st.sampled_from([Quirks(), *(row.quirks for row in TABLE)])


Driver = ModemFax | Interrogation | RingMonitor | Conversation
Script = list[tuple[bytes, float | None]]


def exhaust(driver: Driver, now: float) -> None:
    """Lets a driver act at one moment; more than a few hundred rounds would be a loop."""
    for _ in range(500):
        driver.take_bytes(1 << 20)
        due = driver.next_deadline()
        if due is None or due > now:
            return
        driver.handle_timer(now)
    raise AssertionError("it never comes to rest")


def connect(fax: ModemFax) -> float:
    """A modem that behaves until the call is up."""
    now = 100.0
    fax.start(now)
    for _ in range(60):
        command = fax.take_bytes()
        if command.startswith((b"ATD", b"ATA")):
            fax.receive_bytes(b"\r\nCONNECT\r\n", now)
            return now
        if command.startswith(b"AT"):
            fax.receive_bytes(b"\r\nOK\r\n", now)
        else:
            now = fax.next_deadline() or now
            fax.handle_timer(now)
    raise AssertionError("it never dials")


def play(driver: Driver, script: Script, *, begun: float | None = None) -> float:
    """Lets the modem say all of the script; ``begun``: the driver is up and running since then."""
    now = 100.0 if begun is None else begun
    if begun is None:
        driver.start(now)
    exhaust(driver, now)
    for data, pause in script:
        driver.receive_bytes(data, now)
        exhaust(driver, now)
        due = driver.next_deadline()
        now = max(now, due if due is not None else now) if pause is None else now + pause
        exhaust(driver, now)
    return now


@given(script=steps, quirks=rows, calls=st.booleans(), up=st.booleans())
@settings(max_examples=MANY, deadline=None)
def test_a_call_ends_whatever_the_modem_says_and_then_says_no_more(
    script: Script, quirks: Quirks, calls: bool, up: bool
) -> None:
    store = MemoryStore()
    fax = ModemFax(
        CallParameters(Role.CALLS if calls else Role.ANSWERS, station_id="1"),
        MemoryPages([PAGE]),
        store,
        ModemCall(modem=Modem(quirks=quirks), number="5" if calls else None),
    )
    now = play(fax, script, begun=connect(fax) if up else None)
    begun = now
    for _ in range(2000):
        due = fax.next_deadline()
        if fax.result is not None or due is None:
            break
        now = max(now, due)
        exhaust(fax, now)
    assert fax.result is not None, "the modem is silent, and the call goes on for ever"
    assert now - begun < 900
    assert not fax.unwritten
    fax.receive_bytes(b"\r\nOK\r\n", now)  # what comes late does no harm
    fax.cancel(now)


@given(script=steps, quirks=rows, at=st.integers(0, 30))
@settings(max_examples=MANY // 2, deadline=None)
def test_cancelling_or_losing_the_port_ends_a_call_at_any_moment(
    script: Script, quirks: Quirks, at: int
) -> None:
    for lose in (False, True):
        fax = ModemFax(
            CallParameters(Role.CALLS),
            MemoryPages([PAGE]),
            MemoryStore(),
            ModemCall(modem=Modem(quirks=quirks), number="5"),
        )
        now = play(fax, script[:at], begun=connect(fax))
        if fax.result is not None:
            continue
        if lose:
            fax.device_lost(now)
        else:
            fax.cancel(now)
        begun = now
        for _ in range(500):
            due = fax.next_deadline()
            if fax.result is not None or due is None:
                break
            now = max(now, due)
            exhaust(fax, now)
        assert fax.result is not None
        assert now - begun < 40


@given(script=steps)
@settings(max_examples=MANY, deadline=None)
def test_idle_and_asked_modems_may_say_what_they_like(script: Script) -> None:
    play(RingMonitor(Modem(caller_id=True), AnswerRules(rings=1)), script)
    play(Interrogation(), script)
    play(Conversation(["I", "DT;", "H0"]), script)


@pytest.mark.parametrize("calls", [True, False])
def test_a_flood_without_end_is_neither_kept_nor_believed(calls: bool) -> None:
    fax = ModemFax(
        CallParameters(Role.CALLS if calls else Role.ANSWERS),
        MemoryPages([PAGE]),
        MemoryStore(),
        ModemCall(number="5" if calls else None),
    )
    now = connect(fax)
    for _ in range(400):
        now += 0.02
        fax.receive_bytes(b"\xff" * 4096, now)
        exhaust(fax, now)
    while fax.result is None:
        due = fax.next_deadline()
        assert due is not None
        now = max(now, due)
        exhaust(fax, now)
    assert fax.result.cause.code not in ("delivered", "received")
