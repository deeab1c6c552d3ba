"""A call of pjsua2.  For the SIP thread only.

A callback reports, asks the media switch, and returns.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import pjsua2 as pj

from appliance.lines.sip import messages
from appliance.lines.sip.callbacks import contained
from appliance.lines.sip.codes import (
    DECLINE,
    NOT_ACCEPTABLE_HERE,
    REQUEST_PENDING,
    SERVER_ERROR,
)
from appliance.lines.sip.events import (
    CallEnded,
    CallEvent,
    Connected,
    EarlyMedia,
    Ordered,
    PendingInvite,
    Ringing,
    Signalled,
)
from appliance.lines.sip.media_orders import Reinvite
from appliance.lines.sip.session import audio_of, body_of
from appliance.lines.sip.session_timer import SessionTimer
from appliance.lines.sip.switch import MediaSwitch
from appliance.lines.sip.switch_states import SwitchState
from appliance.lines.sip.switch_table import NOTHING
from appliance.t38.sdp import Description, SdpError, parse_sdp

_log = logging.getLogger(__name__)

# A call this old that the stack does not know any more is gone.
FORGOTTEN_AFTER_S = 5.0
# A client transaction reports its end once or twice: COMPLETED when a final response came over UDP.
_FINAL_STATES = (pj.PJSIP_TSX_STATE_COMPLETED, pj.PJSIP_TSX_STATE_TERMINATED)


@dataclass(eq=False, slots=True)
class CallRef:
    """A reference to a call of the SIP thread, for other threads.

    Only the SIP thread uses its content, and clears it when the call is over.  So call objects are always
    destroyed there: on another thread their destruction would take the stack's locks and block SIP for good.
    """

    call: TrunkCall | None
    ended: CallEnded | None = None


class StackOfCalls(Protocol):
    """The methods of the stack that a call uses."""

    def order(self, ref: CallRef, what: Callable[[TrunkCall], None]) -> None:
        """Has ``what`` done with a call on the SIP thread, unless it is gone.  From any thread."""

    def forget(self, call: TrunkCall) -> None:
        """A call is over: its object may go.  On the SIP thread."""


class TrunkCall(pj.Call):  # type: ignore[misc]
    """A call of the stack with its media switch."""

    def __init__(self, account: pj.Account, stack: StackOfCalls, call_id: int | None = None) -> None:
        if call_id is None:
            super().__init__(account)
        else:
            super().__init__(account, call_id)
        self._stack = stack
        self.ref = CallRef(self)
        self.switch: MediaSwitch | None = None
        self.offer = ""  # SDP of the INVITE that came in, empty when it had none
        self.sink: Callable[[CallEvent], None] = lambda event: None
        self.over = False
        self._confirmed = False
        self._pending_answer: str | None = None
        self._session_timer = SessionTimer()
        self._born = time.monotonic()
        self._invite = ""  # ours, until a response to it came
        self._redirection = ""  # the first line of the 3xx that the INVITE got

    # -- what the asyncio side orders (through the stack's queue) ----------------------------

    def place(self, uri: str, headers: list[tuple[str, str]], local_uri: str) -> None:
        """Sends the INVITE.  Raises pj.Error."""
        prm = _call_parameters()
        for name, value in headers:
            header = pj.SipHeader()
            header.hName, header.hValue = name, value
            prm.txOption.headers.append(header)
        if local_uri:
            prm.txOption.localUri = local_uri
        self.makeCall(uri, prm)

    def accept(self, switch: MediaSwitch, now: float) -> None:
        """Answers an INVITE with 200, or 488 when the switch finds nothing to agree on."""
        if self.over:
            return
        self.switch = switch
        prm = _call_parameters()
        prm.statusCode = 200
        if self.offer:
            answer = switch.answer(_session(self.offer), now)
            if answer is None:
                self.end(NOT_ACCEPTABLE_HERE)
                return
            prm.sdp.wholeSdp = answer
        try:
            self.answer(prm)
        except pj.Error as error:
            _log.info("a call could not be answered: %s", error.info(False))
            self.end(SERVER_ERROR)
            return
        self._obey(now)

    def end(self, code: int = 0, reason: str = "") -> None:
        """BYE, CANCEL or a refusal, whichever fits; nothing when the call is gone already."""
        if self.over:
            return
        prm = _call_parameters()
        prm.statusCode = code
        prm.reason = reason
        try:
            self.hangup(prm)
        except pj.Error as error:
            _log.info("hanging up: %s", error.info(False))

    def put_off(self) -> None:
        """Has the peer make its offer again in a while."""
        prm = _call_parameters()
        prm.statusCode = REQUEST_PENDING
        try:
            self.answer(prm)
        except pj.Error as error:
            _log.info("an offer could not be put off: %s", error.info(False))

    def tell_switch(self, what: Callable[[MediaSwitch, float], None]) -> None:
        """Reports something to the media switch, with the time, and carries out what it orders."""
        if self.switch is not None and not self.over:
            now = time.monotonic()
            what(self.switch, now)
            self._obey(now)

    def drop_if_forgotten(self, now: float) -> None:
        """Ends a call that the stack has given up without saying so (odd peers bring that about)."""
        if self.over or now < self._born + FORGOTTEN_AFTER_S or self.isActive():
            return
        self._is_over(CallEnded(0, "given up by the SIP stack", ours=True))
        self._stack.forget(self)

    def refresh_if_due(self, now: float) -> None:
        """Refreshes a session that neither side has refreshed in time."""
        calm = self.switch is not None and self.switch.state in (SwitchState.AUDIO, SwitchState.T38)
        if not self.over and self._confirmed and calm and self._session_timer.take_due(now):
            _log.info("nobody has refreshed a session: we do")
            try:
                self.reinvite(_call_parameters())
            except pj.Error as error:
                _log.info("a session could not be refreshed: %s", error.info(False))

    def failed(self) -> None:
        """A callback failed: this call cannot be trusted any more."""
        self._stack.order(self.ref, lambda call: call.end(SERVER_ERROR))

    # -- what pjsua2 reports ----------------------------------------------------------------

    @contained
    def onCallState(self, prm: Any) -> None:  # noqa: N802
        """pjsua2's callback: the state of the INVITE changed."""
        info = self.getInfo()
        if info.state == pj.PJSIP_INV_STATE_EARLY:
            self.sink(Ringing(int(info.lastStatusCode)))
        elif info.state == pj.PJSIP_INV_STATE_CONNECTING:
            self._take_answer(prm.e, time.monotonic())
        elif info.state == pj.PJSIP_INV_STATE_CONFIRMED and not self._confirmed:
            self._confirmed = True
            now = time.monotonic()
            self._take_answer(prm.e, now)
            if self.switch is not None:
                if self.switch.state is SwitchState.OFFERING:
                    self.switch.answered(NOTHING, now)  # confirmed without any answer: nothing agreed
                self.sink(Connected())
                self.switch.connected(now)
                self._obey(now)
        elif info.state == pj.PJSIP_INV_STATE_DISCONNECTED and not self.over:
            code, words, ours = int(info.lastStatusCode), str(info.lastReason), True
            retry_after_s = reason = None
            unanswerable = ""
            event = prm.e
            if event.type == pj.PJSIP_EVENT_TSX_STATE and event.body.tsxState.type == pj.PJSIP_EVENT_RX_MSG:
                message = event.body.tsxState.src.rdata.wholeMsg
                ours, retry_after_s = False, messages.retry_after_s(message)
                reason = messages.reason(message)
                unanswerable = messages.unanswerable(code, message)
                if not self._confirmed:
                    # The response that ended an INVITE; its transaction is not reported any more.
                    self.sink(Signalled(False, messages.start_line(message)))
            if self._redirection:  # the stack made a 487 of it
                code, words = (
                    messages.status_code(self._redirection),
                    self._redirection[len("SIP/2.0 302 ") :],
                )
                ours = False
            self._is_over(
                CallEnded(code, words[: messages.MAX_WORDS], ours, retry_after_s, reason, unanswerable)
            )
            # Not here: the object must outlive its own callback.
            self._stack.order(self.ref, self._stack.forget)

    @contained
    def onCallTsxState(self, prm: Any) -> None:  # noqa: N802
        """pjsua2's callback: a message of the call was sent or received."""
        event = prm.e.body.tsxState
        received = event.type == pj.PJSIP_EVENT_RX_MSG
        if received or event.type == pj.PJSIP_EVENT_TX_MSG:
            message = event.src.rdata.wholeMsg if received else event.src.tdata.wholeMsg
            if message:
                self.sink(Signalled(not received, messages.start_line(message), body_of(message)))
                self._session_timer.follow(message, time.monotonic())
        tsx = event.tsx
        if tsx.method != "INVITE" or tsx.role != pj.PJSIP_ROLE_UAC or self.switch is None or self.over:
            return
        code = int(tsx.statusCode)
        if event.type == pj.PJSIP_EVENT_TX_MSG:
            self._invite = event.src.tdata.wholeMsg
        elif received and self._invite:
            if code < 200 and not self._confirmed:
                self.sink(PendingInvite(self._invite, event.src.rdata.srcAddress))
            self._invite = ""
        now = time.monotonic()
        if received and 180 <= code < 300:
            text = body_of(event.src.rdata.wholeMsg)
            session = _session(text)
            # Some announce with media that the box does not have; the answer that counts is the 200's.
            if text and (code >= 200 or audio_of(session) is not None):
                self.switch.answered(session, now)
            early = self.switch.early_audio() if text and code < 200 else None
            if early is not None:
                self.sink(EarlyMedia(early))
        elif code >= 300 and self._confirmed and code not in (401, 407) and tsx.state in _FINAL_STATES:
            # 401 and 407 are answered with credentials by the stack itself; if that fails, the
            # switch's own limit ends the wait.
            retry = messages.retry_after_s(event.src.rdata.wholeMsg) if received else None
            self.switch.refused(code, retry, now)
        self._obey(now)

    @contained
    def onCallRxReinvite(self, prm: Any) -> None:  # noqa: N802
        """pjsua2's callback: the peer sent a re-INVITE; ``onCallRxOffer`` follows unless it has to wait."""
        if self.switch is not None and self.switch.has_to_wait(_session(prm.offer.wholeSdp)):
            prm.isAsync = True  # else there is no refusal but 488
            self._stack.order(self.ref, lambda call: call.put_off())

    @contained
    def onCallRxOffer(self, prm: Any) -> None:  # noqa: N802
        """pjsua2's callback: the peer sent an offer (re-INVITE or UPDATE)."""
        # Re-INVITE or UPDATE with SDP.  Whatever happens here, the peer gets an answer.
        self._pending_answer = None
        prm.statusCode = NOT_ACCEPTABLE_HERE
        if self.switch is None:
            return
        now = time.monotonic()
        session = _session(prm.offer.wholeSdp)
        self._pending_answer = self.switch.answer(session, now)
        if self._pending_answer is not None:
            prm.statusCode = 200
        self._obey(now)

    @contained
    def onCallSdpCreated(self, prm: Any) -> None:  # noqa: N802
        """pjsua2's callback: replaces the SDP that pjsua2 made by ours."""
        if self.switch is None:
            return
        if not prm.remSdp.wholeSdp:
            prm.sdp.wholeSdp = self.switch.offer()
        elif self._pending_answer is not None:
            prm.sdp.wholeSdp, self._pending_answer = self._pending_answer, None

    @contained
    def onCallTransferRequest(self, prm: Any) -> None:  # noqa: N802
        """pjsua2's callback: declines every transfer (REFER)."""
        # A peer that could make us call somewhere else could spend the owner's money.
        prm.statusCode = DECLINE

    @contained
    def onCallReplaceRequest(self, prm: Any) -> None:  # noqa: N802
        """pjsua2's callback: declines every replacement of the call."""
        prm.statusCode = DECLINE

    @contained
    def onCallRedirected(self, prm: Any) -> int:  # noqa: N802
        """pjsua2's callback: stops at every redirection (3xx)."""
        # Never followed: the number that an owner's rules allowed is the number that is called.
        self._redirection = messages.start_line(prm.e.body.tsxState.src.rdata.wholeMsg)
        return int(pj.PJSIP_REDIRECT_STOP)

    # -- inside ---------------------------------------------------------------------------

    def _is_over(self, ended: CallEnded) -> None:
        self.over = True
        if self.switch is not None:
            self.switch.ended()
        self.ref.ended = ended
        self.sink(ended)

    def _take_answer(self, event: Any, now: float) -> None:
        """The peer's answer to our first offer, from the 2xx or the ACK that moved the call on.

        The stack reports the new state before the message that caused it.
        """
        if self.switch is None or self.switch.state is not SwitchState.OFFERING:
            return
        message = ""
        if event.type == pj.PJSIP_EVENT_RX_MSG:
            message = event.body.rxMsg.rdata.wholeMsg
        elif event.type == pj.PJSIP_EVENT_TSX_STATE and event.body.tsxState.type == pj.PJSIP_EVENT_RX_MSG:
            message = event.body.tsxState.src.rdata.wholeMsg
        if message.startswith("ACK ") or messages.status_code(message) // 100 == 2:
            text = body_of(message)
            if text:
                self.switch.answered(_session(text), now)

    def _obey(self, now: float) -> None:
        assert self.switch is not None
        for order in self.switch.take_orders():
            if not isinstance(order, Reinvite):
                self.sink(Ordered(order))
                continue
            try:
                self.reinvite(_call_parameters())
            except pj.Error as error:
                # Another transaction is open just now (the peer's re-INVITE, a refresh): as with 491,
                # wait and ask again.
                _log.info("re-INVITE not possible now: %s", error.info(False))
                self.switch.refused(REQUEST_PENDING, None, now)


def _session(text: str) -> Description:
    """The SDP as read; an unreadable one offers nothing."""
    try:
        return parse_sdp(text)
    except SdpError as error:
        _log.info("SDP not understood: %s", error)
        return NOTHING


def _call_parameters() -> Any:
    """Call parameters without any media of the stack's own."""
    prm = pj.CallOpParam(True)
    prm.opt.audioCount = 0
    prm.opt.videoCount = 0
    prm.opt.textCount = 0
    prm.opt.flag = 0
    return prm
