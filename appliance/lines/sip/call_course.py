"""The course of a call by its signalling: its deadlines, and the cause of its end.

Without I/O or clock: takes times in seconds of one clock, gives deadlines and causes.
"""

from __future__ import annotations

from dataclasses import replace

from appliance.causes import CANCELLED, DELIVERED, Cause, Side
from appliance.lines.causes import CALL_TOO_LONG, LINE_FAULT, NO_ANSWER
from appliance.lines.sip import causes, messages
from appliance.lines.sip.codes import TIMED_OUT
from appliance.lines.sip.events import CallEnded, PendingInvite, Signalled
from appliance.lines.sip.outcomes import cause_of_reason, cause_of_status
from appliance.t30.causes import (
    HUNG_UP_BEFORE_PAGES,
    LAST_PAGE_UNCONFIRMED,
    NO_FAX_ANSWERED,
    NO_SENDER_HEARD,
)
from appliance.t30.parameters import CallResult

# How a call that came in ends when its caller does not wait: BYE before its ACK reached us, CANCEL.
CALLER_GAVE_UP = frozenset({200, 487})
# After a cancel: DCN must be out and the call down by then (a burst with preamble takes some 2 s).
CANCEL_LIMIT_S = 8.0
# Limit for a trunk that has sent 100 and nothing more, seconds: ringing is signalled earlier; a trunk that
# sends nothing at all has the same limit (RFC 3261 17.1.1.2, timer B).
PROGRESS_LIMIT_S = 32.0
# Longest call, seconds.
MAX_CALL_S = 6 * 3600.0
# Causes of calls without a fax that point to the number, unless the media show that the trunk is at fault.
_BLAMES_THE_NUMBER = frozenset(
    cause.code
    for cause in (
        NO_FAX_ANSWERED,
        NO_SENDER_HEARD,
        HUNG_UP_BEFORE_PAGES,
        causes.SIP_HUNG_UP_EARLY,
    )
)
# Status codes that pjproject makes up where the network failed; others of its own are about the call.
_OUR_CODES = frozenset({0, 408, 502, 503, 504})


class CallCourse:
    """See the module.  ``calls``: the call is ours."""

    def __init__(self, *, calls: bool, started: float) -> None:
        self.calls = calls
        self.started = started
        self.connected_at: float | None = None
        self.cancelled_at: float | None = None
        self.ended: CallEnded | None = None
        self.pending: PendingInvite | None = None
        self.spoken_to = False  # the other side has sent any message
        self._rings = False  # it has sent more than 100 (Trying)

    def signalled(self, message: Signalled) -> None:
        """Takes a SIP message of the call."""
        if not message.sent:
            self.spoken_to = True
            self._rings = self._rings or 100 < messages.status_code(message.line) < 200

    @property
    def left_ringing(self) -> PendingInvite | None:
        """Our INVITE whose connection was lost while the number rang, perhaps; None when there is none."""
        lost = self.ended is not None and self.cause_of_end() is causes.SIP_CONNECTION_LOST
        return self.pending if lost else None

    def deadline(self, ring_s: float) -> float:
        """The time by which it must be answered or ended.  The SIP stack ends calls to a silent trunk."""
        if self.connected_at is not None:
            limit = self.connected_at + MAX_CALL_S
        elif self.calls and self.spoken_to and not self._rings:
            limit = self.started + min(ring_s, PROGRESS_LIMIT_S)
        else:
            limit = self.started + ring_s
        return limit if self.cancelled_at is None else min(limit, self.cancelled_at + CANCEL_LIMIT_S)

    @property
    def _expired(self) -> bool:
        """Whether the stack ended the answered call because its session was not refreshed (RFC 4028 10)."""
        return self.connected_at is not None and self.ended is not None and self.ended.code == TIMED_OUT

    def cause_of_timeout(self) -> Cause:
        """The cause of a call that reached its deadline."""
        if self.cancelled_at is not None:
            return CANCELLED
        if self.connected_at is not None:
            return CALL_TOO_LONG
        if not self.calls:
            return causes.SIP_NO_REPLY  # no ACK to our 200
        # A ringing number is distinguished from a trunk that sends little or nothing.
        if self._rings:
            return NO_ANSWER
        return causes.SIP_NO_PROGRESS if self.spoken_to else causes.SIP_NO_REPLY

    def cause_of_end(self) -> Cause:
        """The cause of a call that ended without the result of a fax."""
        ended = self.ended
        if ended is None:
            return LINE_FAULT
        stated = cause_of_reason(ended.reason_of)
        if self.connected_at is not None:
            return causes.SIP_SESSION_EXPIRED if self._expired else stated or causes.SIP_HUNG_UP_EARLY
        if not self.calls and ended.code in CALLER_GAVE_UP:
            return causes.SIP_HUNG_UP_EARLY
        # The caller sends no status; one that ended its call was made up here.
        ours = (ended.ours or not self.calls) and ended.code in _OUR_CODES
        if ended.unanswerable:
            return causes.SIP_AUTHENTICATION
        cause = stated or cause_of_status(ended.code, ended.reason, ours=ours)
        if cause is causes.SIP_UNREACHABLE and self.spoken_to:
            return causes.SIP_CONNECTION_LOST
        # The network's own limit for a ringing number.
        return NO_ANSWER if cause is causes.SIP_TIMED_OUT and self._rings else cause

    def judged(
        self, result: CallResult, *, no_packets: bool, t38_silent: bool, doubted: bool = False
    ) -> CallResult:
        """A call's result; its cause names trunk or network where those are at fault rather than the number.

        ``no_packets``: a fax ran, and no packet was received.  ``t38_silent``: no fax signal came over T.38.
        ``doubted``: other packets contradicted what was received since our last command.
        """
        if doubted and result.cause is DELIVERED:
            return replace(result, cause=causes.SIP_CONFIRMATION_DOUBTED)
        if self._expired and result.cause.side in (Side.THEIRS, Side.LINE):
            if result.cause is not LAST_PAGE_UNCONFIRMED:
                result = replace(result, cause=causes.SIP_SESSION_EXPIRED)
            return result
        if no_packets and result.cause.side in (Side.THEIRS, Side.LINE):
            result = replace(result, cause=causes.SIP_NO_MEDIA)
        if t38_silent and result.cause.code in _BLAMES_THE_NUMBER:
            result = replace(result, cause=causes.SIP_T38_SILENT)
        # The Reason header of a BYE before any fax signal is more precise than our own cause.
        stated = cause_of_reason(self.ended.reason_of) if self.ended is not None else None
        if stated is not None and result.cause.code in _BLAMES_THE_NUMBER | {causes.SIP_NO_MEDIA.code}:
            result = replace(result, cause=stated)
        return result
