"""Deadline and end of a call by its signalling, without a call."""

from __future__ import annotations

import pytest

from appliance.causes import CANCELLED, DELIVERED, Cause, Retry
from appliance.lines.causes import BUSY, CALL_TOO_LONG, LINE_FAULT, NO_ANSWER
from appliance.lines.sip import causes
from appliance.lines.sip.call_course import CANCEL_LIMIT_S, MAX_CALL_S, PROGRESS_LIMIT_S, CallCourse
from appliance.lines.sip.events import CallEnded, Signalled
from appliance.lines.sip.session_timer import SessionTimer
from appliance.t30.causes import (
    HUNG_UP_BEFORE_PAGES,
    HUNG_UP_DURING_PAGE,
    LAST_PAGE_UNCONFIRMED,
    NO_FAX_ANSWERED,
)
from appliance.t30.parameters import CallResult

STARTED = 100.0
RING_S = 60.0
TRYING, RINGS = Signalled(False, "SIP/2.0 100 Trying"), Signalled(False, "SIP/2.0 180 Ringing")


def course(*heard: Signalled, calls: bool = True) -> CallCourse:
    made = CallCourse(calls=calls, started=STARTED)
    for each in heard:
        made.signalled(each)
    return made


@pytest.mark.parametrize(
    ("heard", "after_s", "cause"),
    [
        ((), RING_S, causes.SIP_NO_REPLY),
        ((Signalled(True, "INVITE sip:1@x SIP/2.0"),), RING_S, causes.SIP_NO_REPLY),
        ((TRYING,), PROGRESS_LIMIT_S, causes.SIP_NO_PROGRESS),
        ((TRYING, RINGS), RING_S, NO_ANSWER),
    ],
    ids=["nothing", "our own INVITE", "100 alone", "it rings"],
)
def test_a_trunk_that_says_little_is_given_up_sooner_than_a_number_that_rings(
    heard: tuple[Signalled, ...], after_s: float, cause: Cause
) -> None:
    made = course(*heard)
    assert made.deadline(RING_S) == STARTED + after_s
    assert made.cause_of_timeout() is cause


def test_an_answered_call_has_a_long_deadline_and_a_cancelled_one_a_short() -> None:
    made = course(RINGS)
    made.connected_at = STARTED + 5
    assert made.deadline(RING_S) == STARTED + 5 + MAX_CALL_S
    assert made.cause_of_timeout() is CALL_TOO_LONG
    made.cancelled_at = STARTED + 9
    assert made.deadline(RING_S) == STARTED + 9 + CANCEL_LIMIT_S
    assert made.cause_of_timeout() is CANCELLED


@pytest.mark.parametrize(
    ("ended", "answered", "cause"),
    [
        (None, False, LINE_FAULT),
        (CallEnded(486, "Busy Here", ours=False), False, BUSY),
        (
            CallEnded(408, "Request Timeout", ours=False),
            False,
            NO_ANSWER,
        ),  # the network lets nobody ring for ever
        (CallEnded(487, "Request Terminated", ours=False), False, NO_ANSWER),
        (CallEnded(480, "Gone", ours=False, reason_of=("q.850", 18)), False, NO_ANSWER),
        (CallEnded(408, "Request Timeout", ours=True), False, causes.SIP_NO_REPLY),  # made up on our side
        (CallEnded(503, "Connection reset by peer", ours=True), False, causes.SIP_CONNECTION_LOST),
        (CallEnded(200, "OK", ours=False), True, causes.SIP_HUNG_UP_EARLY),
        (CallEnded(200, "OK", ours=False, reason_of=("q.850", 17)), True, BUSY),
    ],
)
def test_end_is_read_by_how_far_the_call_had_come(
    ended: CallEnded | None, answered: bool, cause: Cause
) -> None:
    made = course(RINGS)
    made.ended = ended
    made.connected_at = STARTED + 5 if answered else None
    assert made.cause_of_end() is cause


@pytest.mark.parametrize("code", [200, 487], ids=["BYE before its ACK", "CANCEL"])
def test_caller_who_does_not_wait_is_said_to_have_hung_up(code: int) -> None:
    made = course(Signalled(False, "INVITE sip:30@x SIP/2.0"), calls=False)
    made.ended = CallEnded(code, "", ours=False)
    assert made.cause_of_end() is causes.SIP_HUNG_UP_EARLY


def test_caller_whose_ack_never_comes_is_no_number_that_rang() -> None:
    made = course(Signalled(False, "INVITE sip:30@x SIP/2.0"), Signalled(True, "SIP/2.0 200 OK"), calls=False)
    assert made.cause_of_timeout() is causes.SIP_NO_REPLY
    # The SIP library ends it first, and what it tells is the answer to its BYE.
    made.ended = CallEnded(408, "Request Timeout", ours=False)
    assert made.cause_of_end() is causes.SIP_NO_REPLY


def test_number_is_not_blamed_for_media_that_never_came() -> None:
    made = course(RINGS)
    silent = CallResult(NO_FAX_ANSWERED)
    assert made.judged(silent, no_packets=True, t38_silent=False).cause is causes.SIP_NO_MEDIA
    assert made.judged(silent, no_packets=False, t38_silent=True).cause is causes.SIP_T38_SILENT
    assert made.judged(silent, no_packets=False, t38_silent=False) is silent
    made.ended = CallEnded(200, "OK", ours=False, reason_of=("q.850", 17))
    hung_up = CallResult(HUNG_UP_BEFORE_PAGES)
    assert made.judged(hung_up, no_packets=False, t38_silent=False).cause is BUSY


def test_confirmation_that_was_contradicted_is_no_delivery() -> None:
    made = course(RINGS)
    confirmed, failed = CallResult(DELIVERED), CallResult(NO_FAX_ANSWERED)
    doubted = made.judged(confirmed, no_packets=False, t38_silent=False, doubted=True)
    assert doubted.cause is causes.SIP_CONFIRMATION_DOUBTED
    assert doubted.cause.retry is Retry.ASK  # and settled so, though every page was confirmed
    assert made.judged(confirmed, no_packets=False, t38_silent=False) is confirmed
    assert made.judged(failed, no_packets=False, t38_silent=False, doubted=True) is failed


def test_trunk_that_has_said_nothing_was_not_lost_but_never_reached() -> None:
    made = course()
    made.ended = CallEnded(503, "Connection refused", ours=True)
    assert made.cause_of_end() is causes.SIP_UNREACHABLE
    assert made.left_ringing is None


@pytest.mark.parametrize(
    ("fax", "told"),
    [
        (HUNG_UP_DURING_PAGE, causes.SIP_SESSION_EXPIRED),
        (NO_FAX_ANSWERED, causes.SIP_SESSION_EXPIRED),
        (LAST_PAGE_UNCONFIRMED, LAST_PAGE_UNCONFIRMED),
        (DELIVERED, DELIVERED),
    ],
)
def test_call_that_the_stack_ends_for_its_session_is_not_said_to_be_hung_up(fax: Cause, told: Cause) -> None:
    made = course(RINGS)
    made.connected_at = STARTED + 3
    made.ended = CallEnded(408, "No session refresh received.", False)
    assert made.cause_of_end() is causes.SIP_SESSION_EXPIRED
    assert made.judged(CallResult(fax), no_packets=False, t38_silent=False).cause is told


def test_session_is_refreshed_by_us_only_when_nobody_else_has() -> None:
    timer = SessionTimer()
    ok = "SIP/2.0 200 OK\r\nCSeq: 1 INVITE\r\nx: 90;refresher=uas\r\n\r\n"
    timer.follow(ok, 100.0)
    timer.follow(ok.replace("INVITE", "BYE").replace("90", "5"), 101.0)
    timer.follow(ok.replace("200", "180").replace("90", "5"), 101.0)
    assert not timer.take_due(153.0)
    timer.follow(ok.replace("INVITE", "UPDATE").replace("x:", "Session-Expires:"), 140.0)
    assert not timer.take_due(193.0)
    assert timer.take_due(195.0)
    assert not timer.take_due(196.0)  # once
    timer.follow(ok, 200.0)
    timer.follow("SIP/2.0 200 OK\r\nCSeq: 2 INVITE\r\n\r\n", 210.0)
    assert not timer.take_due(9999.0)  # the other side keeps no timer any more
