"""A modem on hook: rings, callers, and calls that are not ours."""

from __future__ import annotations

import pytest

from appliance.lines.modem.answering import AnswerRules
from appliance.lines.modem.identify import Modem
from appliance.lines.modem.ring_monitor import (
    PING_EVERY_S,
    PING_S,
    RING_GAP_S,
    CallerId,
    RingAction,
    RingMonitor,
)

TELLS = Modem(caller_id=True, distinctive_ring=True)


class Idle:
    """A ring_monitor behind a modem that says OK to each command; ``says`` is what it says unasked."""

    def __init__(self, rules: AnswerRules, modem: Modem = TELLS) -> None:
        self.bell = RingMonitor(modem, rules)
        self.now = 10.0
        self.asked: list[str] = []
        self.bell.start(self.now)
        self.settle()

    def settle(self) -> None:
        while command := self.bell.take_bytes():
            self.asked.append(command.decode().strip())
            self.bell.receive_bytes(b"\r\nOK\r\n", self.now)

    def says(self, *lines: str) -> RingAction:
        for line in lines:
            self.bell.receive_bytes(f"\r\n{line}\r\n".encode(), self.now)
        self.settle()
        return self.bell.verdict

    def passes(self, seconds: float) -> None:
        until = self.now + seconds
        while (due := self.bell.next_deadline()) is not None and due <= until:
            self.now = max(self.now, due)
            self.bell.handle_timer(self.now)
            self.settle()
        self.now = until


def test_the_ring_monitor_sets_the_modem_up_before_it_is_ready() -> None:
    idle = Idle(AnswerRules(kinds=frozenset({"2"})))
    assert idle.asked == ["ATE0V1Q0", "AT&D2", "ATS0=0", "AT+FCLASS=0", "AT+VCID=1", "AT+VDR=1,5"]
    assert idle.bell.ready


def test_the_callers_number_comes_after_the_first_ring() -> None:
    idle = Idle(AnswerRules(rings=2))
    assert idle.says("RING") is RingAction.NOTHING
    assert not idle.bell.ready
    idle.says("DATE = 1123", "TIME = 0611", "NMBR = 0301234567", "NAME = SMITH", "DDN_NMBR = 77")
    idle.passes(5.0)
    assert idle.says("RING") is RingAction.ANSWER
    assert idle.bell.caller == CallerId("0301234567", "SMITH", "77", "")


def test_a_caller_who_gives_up_is_forgotten() -> None:
    idle = Idle(AnswerRules(rings=2))
    idle.says("RING", "NMBR = 1")
    idle.passes(RING_GAP_S + 0.1)
    assert idle.bell.ready
    assert idle.says("RING") is RingAction.NOTHING  # the first ring of another call
    assert idle.bell.caller == CallerId()


def test_what_was_told_of_a_call_that_never_rang_is_not_told_of_the_next() -> None:
    idle = Idle(AnswerRules(rings=1))
    idle.says("NMBR = 1")
    idle.passes(RING_GAP_S + 60.0)
    assert idle.says("RING") is RingAction.ANSWER
    assert idle.bell.caller == CallerId()


def test_the_callers_number_may_come_before_the_first_ring_and_unformatted() -> None:
    idle = Idle(AnswerRules(rings=1))
    idle.says("800602040301" + "33")
    idle.passes(2.0)
    assert idle.says("RING") is RingAction.ANSWER
    assert idle.bell.caller.number == ""  # the message is longer than what came
    idle.passes(RING_GAP_S + 1)
    octets = b"\x80\x06\x02\x040301"
    idle.says((octets + bytes([-sum(octets) % 256])).hex())
    idle.passes(2.0)
    idle.says("RING")
    assert idle.bell.caller.number == "0301"


def test_a_withheld_number_is_empty() -> None:
    idle = Idle(AnswerRules(rings=1))
    assert idle.says("NMBR = P", "RING") is RingAction.ANSWER
    assert idle.bell.caller.number == ""


@pytest.mark.parametrize(
    ("ring", "verdict"),
    [("RING 2", RingAction.ANSWER), ("RING 1", RingAction.NOTHING), ("RING", RingAction.NOTHING)],
)
def test_only_the_ring_that_is_the_faxes_is_answered(ring: str, verdict: RingAction) -> None:
    idle = Idle(AnswerRules(rings=1, kinds=frozenset({"2"})))
    assert idle.says(ring) is verdict


@pytest.mark.parametrize(
    ("cadence", "verdict"),
    [
        (["DROF=38", "DRON=14"], RingAction.NOTHING),
        (["DROF=38", "DRON=8", "DROF=4", "DRON=8"], RingAction.ANSWER),
        (["DRON=8", "DROF=4", "DRON=8"], RingAction.ANSWER),
        (["DROF=38", "DRON=3", "DROF=2", "DRON=3", "DROF=2", "DRON=4"], RingAction.NOTHING),
        ([], RingAction.NOTHING),
    ],
)
def test_a_ring_told_by_its_cadence_counts_its_bursts(cadence: list[str], verdict: RingAction) -> None:
    idle = Idle(AnswerRules(rings=2, kinds=frozenset({"2"})))
    assert idle.says(*cadence, "RING") is RingAction.NOTHING
    idle.passes(5.0)
    assert idle.says("DROF=38", *cadence, "RING") is verdict


def test_a_line_that_only_sends_never_answers() -> None:
    idle = Idle(AnswerRules(answer=False))
    for _ in range(30):
        assert idle.says("RING") is RingAction.NOTHING
        idle.passes(5.0)
    assert not any(command in ("ATA", "AT") for command in idle.asked)


def test_a_call_left_alone_is_asked_about_once() -> None:
    idle = Idle(AnswerRules(rings=1))
    assert idle.says("RING") is RingAction.ANSWER
    idle.bell.leave_alone()
    assert idle.says("RING") is RingAction.NOTHING
    idle.passes(RING_GAP_S + 0.1)
    assert idle.says("RING") is RingAction.ANSWER  # another call


def test_an_idle_modem_is_asked_whether_it_lives_but_never_while_it_rings() -> None:
    idle = Idle(AnswerRules(rings=20))
    idle.passes(PING_EVERY_S + 0.1)
    assert idle.asked[-1] == "AT"
    asked = len(idle.asked)
    for _ in range(20):
        idle.says("RING")
        idle.passes(5.0)
    assert len(idle.asked) == asked


def test_silence_twice_is_a_wedged_modem() -> None:
    bell = RingMonitor(TELLS, AnswerRules())
    now = 0.0
    bell.start(now)
    for _ in range(10):
        bell.take_bytes()
        now = bell.next_deadline() or now
        bell.handle_timer(now)
        if bell.verdict is RingAction.WEDGED:
            break
    assert bell.verdict is RingAction.WEDGED
    assert now <= 3 * PING_S


@pytest.mark.parametrize("rings", [0, -1, 21])
def test_rings_that_nobody_waits_for_are_refused(rings: int) -> None:
    with pytest.raises(ValueError, match="rings"):
        AnswerRules(rings=rings)
