"""One SIP call on the asyncio side, from its INVITE to a result.

The SIP thread owns the call and its media switch, this side the media.  Events arrive in one queue, so
that nothing depends on the timing of the threads.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time

from appliance.causes import Cause
from appliance.lines.causes import LINE_FAULT
from appliance.lines.sip import messages
from appliance.lines.sip.call_course import CallCourse
from appliance.lines.sip.call_media import CallMedia, DialledOn, MediaFacts, MediaTerms
from appliance.lines.sip.call_orders import CallOrders
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
from appliance.lines.sip.media_orders import GiveUp, StayOnAudio, UseAudio, UseT38
from appliance.lines.sip.ports import MediaPorts
from appliance.lines.sip.session import body_of
from appliance.t30.conversation import CallOwner
from appliance.t30.parameters import CallParameters, CallResult, Phase, Progress, Role

_log = logging.getLogger(__name__)

# After a fax has ended the peer may take this long to confirm our BYE; then the call is dropped, seconds.
BYE_LIMIT_S = 6.0
# When the peer hung up the media report their result at once; this limit is for a bug of ours.
RESULT_LIMIT_S = 2.0
# From the INVITE that we accept to the ACK: RFC 3261 17.2.1, timer H.
ACK_LIMIT_S = 34.0


class CarriedCall:
    """Runs one call from its INVITE to the end of its BYE; ``run`` gives the result.

    ``deliver`` is where the SIP thread's events go (on the event loop).
    """

    def __init__(
        self,
        parameters: CallParameters,
        owner: CallOwner,
        ports: MediaPorts,
        terms: MediaTerms,
    ) -> None:
        self._owner = owner
        self._ports = ports
        self.calls = parameters.role is Role.CALLS
        self._events: asyncio.Queue[CallEvent | CallResult | DialledOn | None] = asyncio.Queue()
        self.started = time.monotonic()
        self._course = CallCourse(calls=self.calls, started=self.started)
        self._media = CallMedia(parameters, owner, ports, self, terms, started=self.started)
        self._cause: Cause | None = None

    @property
    def facts(self) -> MediaFacts:
        """The facts about the call's media so far."""
        return self._media.facts

    @property
    def ended(self) -> CallEnded | None:
        """How the signalling ended; None while it has not."""
        return self._course.ended

    @property
    def left_ringing(self) -> PendingInvite | None:
        """Our INVITE whose connection was lost while the number rang, perhaps; None when there is none."""
        return self._course.left_ringing

    def deliver(self, event: CallEvent) -> None:
        """Takes an event of the SIP thread.  On the event loop."""
        self._events.put_nowait(event)

    def result(self, result: CallResult | DialledOn) -> None:
        """Takes the result of the fax, or the end of the digits dialled after the answer."""
        self._events.put_nowait(result)

    def note(self, event: str, **fields: str | float | bool) -> None:
        """Takes a progress event for the call's trace."""
        at = time.monotonic() - self.started
        self._owner.say(Progress(at, event, tuple(fields.items())))

    def unanswered(self, now: float, seconds: float) -> bool:
        """Whether a call of ours has had no answer at all for this long."""
        return self.calls and not self._course.spoken_to and now >= self.started + seconds

    def begin_with(self, message: str) -> None:
        """Puts the received INVITE at the beginning of the call's account."""
        self.note("sip_received", line=messages.start_line(message), sdp=body_of(message))

    async def run(self, signalling: CallOrders, *, ring_s: float) -> CallResult:
        """Carries the call to its end.  Faults of the peer or the network are in the result, not raised.

        ``ring_s``: how long it may take to be answered.
        """
        self._media.use_signalling(signalling)
        self._owner.on_cancel(self._cancel)
        result: CallResult | None = None
        try:
            result = await self._until_result(ring_s)
        except Exception:
            _log.exception("a SIP call failed")
            self._cause = LINE_FAULT
        finally:
            await self._media.stop()
            if self._course.ended is None:
                signalling.end()
                await self._await_end(BYE_LIMIT_S)
            self._ports.close()
        self._media.count_packets()
        if result is None:
            result = CallResult(self._cause or self._course.cause_of_end(), phase=Phase.A)
        result = self._course.judged(
            result,
            no_packets=self._media.no_packets,
            t38_silent=self._media.t38_silent,
            doubted=self._media.contradicted,
        )
        self._owner.off_cancel(self._cancel)
        self._media.let_go()
        del self._owner
        return result

    async def _until_result(self, ring_s: float) -> CallResult | None:
        while True:
            limit = self._course.deadline(ring_s)
            try:
                async with asyncio.timeout(max(0.0, limit - time.monotonic())):
                    event = await self._events.get()
            except TimeoutError:
                self._cause = self._course.cause_of_timeout()
                return None
            if event is None:
                continue  # the deadline has changed
            if isinstance(event, DialledOn):
                await self._media.begin_after_dialling()
                continue
            if isinstance(event, CallResult):
                return event
            result = await self._handle(event)
            if result is not None or self._cause is not None or self._course.ended is not None:
                return result

    async def _handle(self, event: CallEvent) -> CallResult | None:
        media = self._media
        match event:
            case Signalled(sent, line, sdp):
                self.note("sip_sent" if sent else "sip_received", line=line, sdp=sdp)
                self._course.signalled(event)
                if sent and line.startswith("INVITE ") and "m=image" in sdp:
                    media.t38_offered()
            case Ringing(code):
                self.note("ringing", code=code)
            case PendingInvite():
                self._course.pending = event
            case EarlyMedia(audio):
                await media.hear_early(audio)
            case Connected():
                self._course.connected_at = time.monotonic()
                media.connected(self._course.connected_at)
                self.note("connected")
            case Ordered(GiveUp(cause)):
                self._cause = cause
            case Ordered(UseAudio() as order):
                await media.use_audio(order)
            case Ordered(StayOnAudio(code)):
                await media.stay_on_audio(code)
            case Ordered(UseT38() as order):
                await media.use_t38(order)
            case CallEnded():
                self._course.ended = event
                media.call_ended()
                self.note("sip_ended", code=event.code, reason=event.reason, ours=event.ours)
                return await self._hung_up()
        return None

    async def _hung_up(self) -> CallResult | None:
        """The peer has hung up: waits for the result of a running fax."""
        if self._media.hang_up():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RESULT_LIMIT_S):
                    while True:
                        event = await self._events.get()
                        if isinstance(event, CallResult):
                            return event
        return None

    def _cancel(self) -> None:
        """The owner ends the call: DCN when a fax is under way, else BYE or CANCEL at once."""
        self._course.cancelled_at = time.monotonic()
        self._media.cancel()
        self._events.put_nowait(None)

    async def _await_end(self, limit_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                while True:
                    event = await self._events.get()
                    if isinstance(event, Signalled):
                        self.note("sip_sent" if event.sent else "sip_received", line=event.line, sdp="")
                    elif isinstance(event, CallEnded):
                        return
