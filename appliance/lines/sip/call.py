"""One SIP call on the asyncio side: what the signalling orders becomes sockets, media and a result.

The SIP thread owns the call and its media switch; here live the media.  Events come in one queue, so
that nothing here depends on which thread was faster.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from appliance.causes import CANCELLED, Cause, Side
from appliance.dial_on import DialOn
from appliance.lines.causes import BUSY, CALL_TOO_LONG, LINE_FAULT, NO_ANSWER, NUMBER_NOT_IN_SERVICE
from appliance.lines.datagram_driver import DatagramDriver, Judge, Pacing, SideDoor, T38Endpoint
from appliance.lines.g711.cadences import NetworkTone
from appliance.lines.g711.call_progress import NetworkEar
from appliance.lines.g711.codec import Law
from appliance.lines.g711.dialling_on import DialsOn
from appliance.lines.g711.fax import AudioWait, ToneFaxCall
from appliance.lines.g711.rtp import RtpSession
from appliance.lines.line import LineKind, Tap
from appliance.lines.sip import causes, messages
from appliance.lines.sip.codes import NO_PROPER_ANSWER
from appliance.lines.sip.events import CallEvent, Connected, EarlyMedia, Ended, Ordered, Ringing, Signalled
from appliance.lines.sip.media_orders import GiveUp, StayOnAudio, UseAudio, UseT38
from appliance.lines.sip.outcomes import cause_of_reason, cause_of_status
from appliance.lines.sip.session import body_of
from appliance.lines.sip.trunk_memory import UdptlWay
from appliance.lines.sip.witnesses import is_udptl, speaks_rtp, speaks_t38
from appliance.t30.causes import HUNG_UP_BEFORE_PAGES, NO_FAX_ANSWERED, NO_SENDER_HEARD
from appliance.t30.conversation import CallOwner, FromCall
from appliance.t30.parameters import CallParameters, CallResult, Phase, Progress, Role
from appliance.t38.fax import T38FaxCall
from appliance.t38.sdp import UDP_EC

_log = logging.getLogger(__name__)

# After a fax has ended the peer may take this long to confirm our BYE; then we forget the call.
BYE_LIMIT_S = 6.0
# After a cancel: DCN must be out and the call down by then (a burst with preamble takes some 2 s).
CANCEL_LIMIT_S = 8.0
# When the peer hung up, media tell their result at once; this is for a bug of ours.
RESULT_LIMIT_S = 2.0
# From the INVITE that we accept to the ACK: RFC 3261 17.2.1, timer H.
ACK_LIMIT_S = 34.0
# A trunk that has taken the call over (100) and then says nothing more is given up after so long: no number
# that rings is told of later, and one that says nothing at all has as long (RFC 3261 17.1.1.2, timer B).
PROGRESS_LIMIT_S = 32.0
# T.38 through which nothing of a fax has come for so long is dead.  A machine that is called sounds CED
# within 3 s of a switch at the slowest gateways seen, and repeats DIS every 4.5 s at the latest (T.30
# 5.4.3.1, T4); one that calls answers our CED and DIS, which take 5 s themselves.
T38_SILENT_CALLING_S, T38_SILENT_ANSWERING_S = 7.0, 10.0
# What such a call would be blamed on if nobody looked at what it went over.
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
# What the network says in tones.
_BY_TONE = {
    NetworkTone.BUSY: BUSY,
    NetworkTone.CONGESTION: causes.SIP_OVERLOADED,
    NetworkTone.NO_CIRCUIT: causes.SIP_OVERLOADED,
    NetworkTone.NO_SUCH_NUMBER: NUMBER_NOT_IN_SERVICE,
}
# No call lasts longer: a day of pages is a loop somewhere.
MAX_CALL_S = 6 * 3600.0


class Signalling(Protocol):
    """The SIP thread's side of a call, as orders that return at once."""

    def end(self, code: int = 0) -> None: ...

    def ask_t38(self) -> None: ...

    def page_in_audio(self) -> None: ...

    def page_in_t38(self) -> None: ...

    def t38_is_silent(self) -> None: ...


@dataclass(slots=True)
class MediaPorts:
    """The sockets of a call: one for T.38, one for G.711.  Closed with the call."""

    udptl: socket.socket
    rtp: socket.socket

    def close(self) -> None:
        self.udptl.close()
        self.rtp.close()


@dataclass(frozen=True, slots=True)
class MediaFacts:
    """How the media of a call came about, for the check of a trunk and the line's account."""

    kind: LineKind | None = None  # what carried the fax
    refusal: int = 0  # the status that T.38 was refused with
    offer_failed: bool = False  # our offer of T.38 got no proper answer, or ended the call
    answered_at: float = 0.0  # seconds from the INVITE
    t38_after_s: float | None = None  # from the answer to T.38
    settings: str = ""
    packets: int = 0  # that came in
    lost: int = 0
    udptl: tuple[str, UdptlWay] | None = None  # the host that T.38 was agreed with, and how it sent


class _DialledOn:
    """An event: the digits behind the number are out."""


class CarriedCall:
    """Runs one call from its INVITE to the end of its BYE; ``run`` gives the result.

    ``deliver`` is where the SIP thread's events go (on the event loop); ``pacing`` is the line's account of
    how punctual its T.38 packets leave.  ``dial_on``: what is dialled once the call is answered.
    ``countries``: codes of those whose network may be heard.  ``udptl_ways``: how hosts sent their UDPTL in
    earlier calls.
    """

    def __init__(
        self,
        parameters: CallParameters,
        owner: CallOwner,
        ports: MediaPorts,
        *,
        tap: Tap | None = None,
        pacing: Pacing | None = None,
        dial_on: Sequence[DialOn] = (),
        countries: Sequence[str] = (),
        udptl_ways: Mapping[str, UdptlWay] | None = None,
    ) -> None:
        self._parameters = parameters
        self._owner = owner
        self._ports = ports
        self._tap = tap
        self._pacing = pacing
        self.calls = parameters.role is Role.CALLS
        self._events: asyncio.Queue[CallEvent | CallResult | _DialledOn | None] = asyncio.Queue()
        self._signalling: Signalling | None = None
        self._driver: DatagramDriver | None = None
        self._task: asyncio.Task[None] | None = None
        self._fax: T38FaxCall | ToneFaxCall | None = None
        self._rtp: RtpSession | None = None
        self._audio: UseAudio | None = None
        self._ear = NetworkEar(self._network_says, countries) if self.calls else None
        self._early = False  # nobody has answered yet, and the network is listened to
        self._dial_on = tuple(dial_on)
        self._tones_wait: int | None = None  # tones may begin when the digits are out; the refusal of T.38
        self._spoken_to = False  # the other side has said anything
        self._rings = False  # it has said more than that it tries
        self._udptl_ways = udptl_ways or {}
        self._side: SideDoor | None = None
        self._offering = False  # our offer of T.38 is open
        self._silence: asyncio.TimerHandle | None = None  # of T.38, when it has lasted too long
        self._cause: Cause | None = None
        self._cancelled_at: float | None = None
        self.started = time.monotonic()
        self._connected_at: float | None = None
        self._media_at = self.started
        self._gone = False
        self.facts = MediaFacts()
        self.ended: Ended | None = None

    def deliver(self, event: CallEvent) -> None:
        """An event of the SIP thread.  On the loop only."""
        self._events.put_nowait(event)

    def unanswered(self, now: float, seconds: float) -> bool:
        """Whether a call of ours has been out for so long, and nothing at all has come back."""
        return self.calls and not self._spoken_to and now >= self.started + seconds

    def begin_with(self, message: str) -> None:
        """The INVITE that came in: the account of the call begins with it."""
        self._note("sip_received", line=messages.start_line(message), sdp=body_of(message))

    async def run(self, signalling: Signalling, *, ring_s: float) -> CallResult:
        """Carries the call to its end.  Never raises for what the peer or the network did."""
        self._signalling = signalling
        self._owner.on_cancel(self._cancel)
        result: CallResult | None = None
        try:
            result = await self._until_result(ring_s)
        except Exception:
            _log.exception("a SIP call failed")
            self._cause = LINE_FAULT
        finally:
            await self._stop_media()
            if not self._gone:
                signalling.end()
                await self._await_end(BYE_LIMIT_S)
            self._ports.close()
        self._count_packets()
        result = self._result(result)
        self._let_go()
        return result

    # -- the course of a call --------------------------------------------------------------

    async def _until_result(self, ring_s: float) -> CallResult | None:
        while True:
            limit = self._limit(ring_s)
            if self._cancelled_at is not None:
                limit = min(limit, self._cancelled_at + CANCEL_LIMIT_S)
            try:
                async with asyncio.timeout(max(0.0, limit - time.monotonic())):
                    event = await self._events.get()
            except TimeoutError:
                self._timed_out()
                return None
            if event is None:
                continue  # the limits have changed
            if isinstance(event, _DialledOn):
                await self._begin_after_dialling()
                continue
            if isinstance(event, CallResult):
                return event
            result = await self._heard(event)
            if result is not None or self._cause is not None or self._gone:
                return result

    def _limit(self, ring_s: float) -> float:
        """When it must be answered, or over.  A trunk that says nothing at all is the stack's to give up."""
        if self._connected_at is not None:
            return self._connected_at + MAX_CALL_S
        waits_for_ringing = self.calls and self._spoken_to and not self._rings
        return self.started + (min(ring_s, PROGRESS_LIMIT_S) if waits_for_ringing else ring_s)

    def _timed_out(self) -> None:
        if self._cancelled_at is not None:
            self._cause = CANCELLED
        elif self._connected_at is None:
            self._cause = self._cause_unanswered()
        else:
            self._cause = CALL_TOO_LONG

    def _cause_unanswered(self) -> Cause:
        """A number that rings is another thing than a trunk that says little, or nothing at all."""
        if self._rings or not self.calls:
            return NO_ANSWER
        return causes.SIP_NO_PROGRESS if self._spoken_to else causes.SIP_NO_REPLY

    async def _heard(self, event: CallEvent) -> CallResult | None:
        match event:
            case Signalled(sent, line, sdp):
                self._note("sip_sent" if sent else "sip_received", line=line, sdp=sdp)
                self._spoken_to = self._spoken_to or not sent
                self._rings = self._rings or (not sent and 100 < messages.status_code(line) < 200)
                self._offering = self._offering or (sent and line.startswith("INVITE ") and "m=image" in sdp)
            case Ringing(code):
                self._note("ringing", code=code)
            case EarlyMedia(audio):
                await self._hear_early(audio)
            case Connected():
                self._connected_at = time.monotonic()
                self.facts = replace(self.facts, answered_at=self._connected_at - self.started)
                self._note("connected")
            case Ordered(GiveUp(cause)):
                self._cause = cause
            case Ordered(UseAudio() as order):
                await self._use_audio(order)
            case Ordered(StayOnAudio(code)):
                await self._stay_on_audio(code)
            case Ordered(UseT38() as order):
                await self._use_t38(order)
            case Ended():
                self._gone = True
                self.ended = event
                if self._offering:
                    self.facts = replace(self.facts, offer_failed=True)
                self._note("sip_ended", code=event.code, reason=event.reason, ours=event.ours)
                return await self._hung_up()
        return None

    async def _hear_early(self, audio: UseAudio) -> None:
        """Before the answer: the network may say busy in tones, or that there is no such number."""
        if self._driver is None and self._connected_at is None:
            self._early = True
            self._note("early_audio", payload=audio.payload)
            self._rtp = RtpSession(audio.payload, None if audio.law is None else Law(audio.law))
            await self._wait_in_audio(audio, early=True)

    def _network_says(self, tone: NetworkTone) -> None:
        self._note("network_tone", what=tone.value)
        self._events.put_nowait(CallResult(_BY_TONE[tone], phase=Phase.A))

    async def _use_audio(self, order: UseAudio) -> None:
        self._audio = order
        law = None if order.law is None else Law(order.law)
        if self._rtp is None:
            self._rtp = RtpSession(order.payload, law)
        else:
            self._rtp.use(order.payload, law)
        if isinstance(self._fax, T38FaxCall):
            # Back from T.38: the tones follow (StayOnAudio).
            self._note("back_to_audio")
            return
        early, self._early = self._early, False
        if self._driver is not None and not early:
            self._driver.readdress(order.remote)
            return
        self._note("media", kind="audio", payload=order.payload)
        if self._dial_on:
            self._note("dialling_on", how="in the audio" if order.events is None else "as telephone-events")
            dials = DialsOn(self._rtp, self._dial_on, order.events, self._dialled_on)
            await self._start(dials, self._ports.rtp, order.remote, judge=speaks_rtp, reports=False)
            return
        await self._wait_in_audio(order)

    async def _wait_in_audio(self, order: UseAudio, *, early: bool = False) -> None:
        assert self._rtp is not None
        wait = AudioWait(self._rtp, calls=self.calls, heard=self._fax_heard, ear=self._ear, early=early)
        await self._start(wait, self._ports.rtp, order.remote, judge=speaks_rtp, reports=False)

    def _dialled_on(self) -> None:
        self._events.put_nowait(_DialledOn())

    async def _begin_after_dialling(self) -> None:
        self._dial_on = ()
        self._note("dialled_on")
        if self._tones_wait is not None:
            await self._stay_on_audio(self._tones_wait)
        elif self._audio is not None and self._fax is None:
            await self._wait_in_audio(self._audio)

    def _fax_heard(self, what: str) -> None:
        self._note("fax_heard", what=what)
        if self._ear is not None:
            self._ear.close()
        # After CED the called gateway is about to ask for T.38 itself; V.21 and CNG are the moment.
        if what != "CED" and self._signalling is not None:
            self._signalling.ask_t38()

    async def _stay_on_audio(self, code: int) -> None:
        if isinstance(self._fax, ToneFaxCall) or self._audio is None or self._rtp is None:
            return
        if self._dial_on:
            self._tones_wait = code  # until all digits are out
            return
        failed = code in NO_PROPER_ANSWER
        self._offering = self._offering and failed  # still open, or answered
        self.facts = replace(self.facts, kind=LineKind.G711, refusal=code, offer_failed=failed)
        self._note("media", kind="g711", refusal=code)
        fax = ToneFaxCall(self._parameters, self._rtp, self._tones_say, wake=self._wake, ear=self._ear)
        await self._start(fax, self._ports.rtp, self._audio.remote, judge=speaks_rtp)
        self._begin(fax)

    def _tones_say(self, message: FromCall) -> None:
        if isinstance(message, Progress) and message.event == "dis" and self._ear is not None:
            self._ear.close()
        # Once the machines have agreed (DCS) a switch to T.38 would destroy the fax: the audio stays.
        if isinstance(message, Progress) and message.event == "dcs" and self._signalling is not None:
            self._signalling.page_in_audio()
        self._fax_says(message)

    def _t38_says(self, message: FromCall) -> None:
        # From here on the machines could not begin again in audio.
        if isinstance(message, Progress) and message.event == "dcs" and self._signalling is not None:
            self._signalling.page_in_t38()
        self._fax_says(message)

    def _fax_says(self, message: FromCall) -> None:
        """From the fax, whose clock began with its media."""
        if isinstance(message, Progress):
            message = replace(message, at=message.at + self._media_at - self.started)
        self._owner.say(message)

    async def _use_t38(self, order: UseT38) -> None:
        if isinstance(self._fax, T38FaxCall):
            if self._driver is not None:
                self._driver.readdress(order.remote)
            return
        after = time.monotonic() - (self._connected_at or time.monotonic())
        settings = order.settings
        words = (
            f"version {settings.version}, {UDP_EC[settings.error_correction] or 'no error correction'},"
            f" datagrams of {settings.max_datagram} octets, {settings.max_bit_rate} bit/s,"
            f" {settings.rate_management.value}"
        )
        self._offering = False
        self.facts = replace(
            self.facts, kind=LineKind.T38, refusal=0, offer_failed=False, t38_after_s=after, settings=words
        )
        self._note("media", kind="t38", after_s=round(after, 3), settings=words)
        fax = T38FaxCall(self._parameters, settings, self._t38_says, wake=self._wake)
        way = self._udptl_ways.get(order.remote[0], UdptlWay()) if order.remote else UdptlWay()
        if way.odd:
            self._note("udptl_as_last_time", offset=way.offset, beside_audio=way.beside_audio)
        audio = self._audio.remote if self._audio is not None else None
        side = SideDoor(self._ports.rtp, is_udptl, expected=audio if way.beside_audio else None)
        udptl = self._ports.udptl
        await self._start(fax, udptl, order.remote, judge=speaks_t38, side=side, offset=way.offset)
        self._begin(fax)
        self._look_later()

    def _look_later(self) -> None:
        limit = T38_SILENT_CALLING_S if self.calls else T38_SILENT_ANSWERING_S
        self._silence = asyncio.get_running_loop().call_later(limit, self._look_at_silence)

    def _look_at_silence(self) -> None:
        if isinstance(self._fax, T38FaxCall) and not self._fax.hears_fax and self._signalling is not None:
            self._note("t38_silent")
            self._signalling.t38_is_silent()
            self._look_later()  # where the other side does not go back to audio it has a second chance

    async def _hung_up(self) -> CallResult | None:
        """The peer is gone: a fax under way says what that means for it."""
        if self._fax is None or self._driver is None:
            return None
        self._driver.hang_up()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(RESULT_LIMIT_S):
                while True:
                    event = await self._events.get()
                    if isinstance(event, CallResult):
                        return event
        return None

    # -- media --------------------------------------------------------------------------------

    def _begin(self, fax: T38FaxCall | ToneFaxCall) -> None:
        self._fax = fax
        self._owner.listen(fax.answer)

    async def _start(
        self,
        endpoint: T38Endpoint,
        sock: socket.socket,
        remote: tuple[str, int] | None,
        *,
        judge: Judge,
        side: SideDoor | None = None,
        offset: int = 0,
        reports: bool = True,
    ) -> None:
        await self._stop_media()
        self._fax = None
        self._media_at = time.monotonic()
        self._side = side
        self._driver = DatagramDriver(
            endpoint,
            sock,
            remote,
            tap=self._tap,
            pacing=self._pacing,
            judge=judge,
            side=side,
            offset=offset,
        )
        self._task = asyncio.create_task(self._drive(self._driver, reports=reports))

    async def _drive(self, driver: DatagramDriver, *, reports: bool) -> None:
        try:
            result = await driver.run()
        except Exception:
            _log.exception("the media of a call failed")
            result = CallResult(LINE_FAULT, phase=Phase.A)
        if reports:
            self._events.put_nowait(result)

    async def _stop_media(self) -> None:
        task, driver, self._task, self._driver = self._task, self._driver, None, None
        if driver is not None and driver.signalled is not None and isinstance(self._fax, T38FaxCall):
            aside = self._side is not None and self._side.peer is not None
            if self._fax.hears_fax:
                way = UdptlWay(driver.learned_offset, aside)
                self.facts = replace(self.facts, udptl=(driver.signalled[0], way))
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def _wake(self) -> None:
        if self._driver is not None:
            self._driver.wake()

    # -- ending -------------------------------------------------------------------------------

    def _cancel(self) -> None:
        """The owner ends the call: DCN when a fax is under way, else BYE or CANCEL at once."""
        self._cancelled_at = time.monotonic()
        if self._fax is not None and self._driver is not None:
            self._driver.cancel()
            self._events.put_nowait(None)
        else:
            self._events.put_nowait(CallResult(CANCELLED, phase=Phase.A))

    async def _await_end(self, limit_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                while True:
                    event = await self._events.get()
                    if isinstance(event, Signalled):
                        self._note("sip_sent" if event.sent else "sip_received", line=event.line, sdp="")
                    elif isinstance(event, Ended):
                        self._gone = True
                        return

    def _let_go(self) -> None:
        """Unties what knows each other, so that a call's memory (its pages) is free with the call.

        Else it would wait for Python's collector, which passes when some hundreds of calls are over.
        """
        self._owner.off_cancel(self._cancel)
        self._owner.listen(None)
        self._fax = self._rtp = self._signalling = self._ear = None
        del self._owner  # nobody is told anything more

    def _result(self, result: CallResult | None) -> CallResult:
        if result is None:
            result = CallResult(self._cause or self._cause_of_end(), phase=Phase.A)
        if self._heard_nothing() and result.cause.side in (Side.THEIRS, Side.LINE):
            result = replace(result, cause=causes.SIP_NO_MEDIA)
        silent = isinstance(self._fax, T38FaxCall) and not self._fax.hears_fax
        if silent and result.cause.code in _BLAMES_THE_NUMBER:
            result = replace(result, cause=causes.SIP_T38_SILENT)
        # A BYE that says why, before any fax was heard, knows better than we.
        said = cause_of_reason(self.ended.reason_of) if self.ended is not None else None
        if said is not None and result.cause.code in _BLAMES_THE_NUMBER | {causes.SIP_NO_MEDIA.code}:
            result = replace(result, cause=said)
        return result

    def _count_packets(self) -> None:
        if isinstance(self._fax, T38FaxCall):
            counters = self._fax.counters[1]
            self.facts = replace(self.facts, packets=counters.datagrams, lost=counters.lost)
        elif self._rtp is not None:
            received = self._rtp.received
            self.facts = replace(self.facts, packets=received.packets, lost=received.lost)
        if self.facts.kind is not None:
            self._note("packets", came=self.facts.packets, missing=self.facts.lost)

    def _heard_nothing(self) -> bool:
        """The call was answered, a fax ran, and not one packet came."""
        if isinstance(self._fax, T38FaxCall):
            return self._fax.counters[1].datagrams == 0
        return (
            isinstance(self._fax, ToneFaxCall) and self._rtp is not None and self._rtp.received.packets == 0
        )

    def _cause_of_end(self) -> Cause:
        ended = self.ended
        if ended is None:
            return LINE_FAULT
        said = cause_of_reason(ended.reason_of)
        if self._connected_at is not None:
            return said or causes.SIP_HUNG_UP_EARLY
        ours = ended.ours and ended.code in _OUR_CODES
        cause = said or cause_of_status(ended.code, ended.reason, ours=ours)
        # The network's own patience with a number that rings.
        return NO_ANSWER if cause is causes.SIP_TIMED_OUT and self._rings else cause

    def _note(self, event: str, **fields: str | int | float | bool) -> None:
        at = time.monotonic() - self.started
        self._owner.say(Progress(at, event, tuple(fields.items())))
