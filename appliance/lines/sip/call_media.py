"""The media of one SIP call: opens sockets and runs tones, T.38 and the fax, as its signalling orders."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from appliance.causes import CANCELLED, Cause
from appliance.lines.causes import BUSY, NUMBER_NOT_IN_SERVICE
from appliance.lines.datagram_driver import Pacing, SideDoor
from appliance.lines.g711.before_fax import AudioWait
from appliance.lines.g711.cadences import NetworkTone
from appliance.lines.g711.call_progress import NetworkEar
from appliance.lines.g711.codec import Law
from appliance.lines.g711.dialling_on import DialsOn
from appliance.lines.g711.fax import ToneFaxCall
from appliance.lines.g711.rtp import RtpSession
from appliance.lines.line import LineKind, Tap
from appliance.lines.sip import causes
from appliance.lines.sip.call_orders import CallOrders
from appliance.lines.sip.codes import NO_PROPER_ANSWER
from appliance.lines.sip.endpoint_runner import EndpointRunner
from appliance.lines.sip.media_orders import UseAudio, UseT38
from appliance.lines.sip.ports import MediaPorts
from appliance.lines.sip.trunk_memory import UdptlWay
from appliance.lines.sip.witnesses import is_udptl, speaks_rtp, speaks_t38
from appliance.numbering.dial_on import DialOn
from appliance.t30.conversation import CallOwner, FromCall
from appliance.t30.parameters import CallParameters, CallResult, Phase, Progress, Role
from appliance.t38.fax import T38FaxCall
from appliance.t38.sdp import UDP_EC

# T.38 that has carried no fax signal for this long is considered dead.  A machine that is called sends CED
# within 3 s of a switch at the slowest gateways seen, and repeats DIS every 4.5 s at the latest (T.30
# 5.4.3.1, T4); one that calls answers our CED and DIS, which take 5 s themselves.
T38_SILENT_CALLING_S, T38_SILENT_ANSWERING_S = 7.0, 10.0
# How many RTP packets since our last command may be late, or come from a new source, before forgery is
# suspected: half a second.  A forged answer takes more than a second in tones.
RTP_MISHAPS = 25
# The cause of a call that the network ended with a tone.
_BY_TONE: dict[NetworkTone, Cause] = {
    NetworkTone.BUSY: BUSY,
    NetworkTone.CONGESTION: causes.SIP_OVERLOADED,
    NetworkTone.NO_CIRCUIT: causes.SIP_OVERLOADED,
    NetworkTone.NO_SUCH_NUMBER: NUMBER_NOT_IN_SERVICE,
}


@dataclass(frozen=True, slots=True)
class MediaFacts:
    """Facts about the media of a call, for the check of a trunk and the trace."""

    kind: LineKind | None = None  # what carried the fax
    refusal: int = 0  # the status that T.38 was refused with
    offer_failed: bool = False  # our offer of T.38 got no proper answer, or ended the call
    answered_at: float = 0.0  # seconds from the INVITE
    t38_after_s: float | None = None  # from the answer to T.38
    settings: str = ""
    packets: int = 0  # that came in
    lost: int = 0
    udptl: tuple[str, UdptlWay] | None = None  # the host that T.38 was agreed with, and how it sent


@dataclass(frozen=True, slots=True)
class MediaTerms:
    """The parameters that a line gives to the media of a call."""

    tap: Tap | None = None
    pacing: Pacing | None = None  # the line's account of how punctual its T.38 packets leave
    dial_on: Sequence[DialOn] = ()  # what is dialled once the call is answered
    countries: Sequence[str] = ()  # those whose network tones are recognised
    udptl_ways: Mapping[str, UdptlWay] = field(default_factory=dict)  # how hosts sent UDPTL in earlier calls


class DialledOn:
    """Event: the digits after the answer have been dialled."""


class Reports(Protocol):
    """The receiver of reports from the media."""

    def result(self, result: CallResult | DialledOn) -> None:
        """The fax is over, or the digits are out."""

    def note(self, event: str, **fields: str | float | bool) -> None:
        """Something for the call's trace."""


class CallMedia:
    """See the module.  One endpoint runs at a time: the wait for a fax, digits, or a fax itself."""

    def __init__(
        self,
        parameters: CallParameters,
        owner: CallOwner,
        ports: MediaPorts,
        reports: Reports,
        terms: MediaTerms,
        *,
        started: float,
    ) -> None:
        self._parameters = parameters
        self._owner = owner
        self._ports = ports
        self._result = reports.result
        self._note = reports.note
        self._runner = EndpointRunner(terms.tap, terms.pacing)
        self._calls = parameters.role is Role.CALLS
        self._signalling: CallOrders | None = None
        self._fax: T38FaxCall | ToneFaxCall | None = None
        self._rtp: RtpSession | None = None
        self._audio: UseAudio | None = None
        self._ear = NetworkEar(self._on_network_tone, terms.countries) if self._calls else None
        self._early = False  # nobody has answered yet, and the network is listened to
        self._dial_on = tuple(terms.dial_on)
        self._udptl_ways = terms.udptl_ways
        self._offering = False  # our offer of T.38 is open
        self._silence: asyncio.TimerHandle | None = None  # of T.38, when it has lasted too long
        self._started = started
        self._connected_at: float | None = None
        self._before_answer = 0  # contradictions when our last command left
        self.facts = MediaFacts()

    # -- inputs of the signalling --------------------------------------------------------------

    def use_signalling(self, signalling: CallOrders) -> None:
        """Sets the target of requests for another medium; to be called first."""
        self._signalling = signalling

    def t38_offered(self) -> None:
        """Our offer of T.38 is out."""
        self._offering = True

    def connected(self, now: float) -> None:
        """The call is answered."""
        self._connected_at = now
        self.facts = replace(self.facts, answered_at=now - self._started)

    def call_ended(self) -> None:
        """The other side, or the network, ended the call."""
        if self._offering:
            self.facts = replace(self.facts, offer_failed=True)

    async def hear_early(self, audio: UseAudio) -> None:
        """Before the answer: the network may say busy in tones, or that there is no such number."""
        if self._runner.driver is None and self._connected_at is None:
            self._early = True
            self._note("early_audio", payload=audio.payload)
            self._rtp = RtpSession(audio.payload, None if audio.law is None else Law(audio.law))
            await self._wait_in_audio(audio, early=True)

    def _on_network_tone(self, tone: NetworkTone) -> None:
        self._note("network_tone", what=tone.value)
        self._result(CallResult(_BY_TONE[tone], phase=Phase.A))

    async def use_audio(self, order: UseAudio) -> None:
        """Audio is agreed: begins, or changes, the wait for a fax in it."""
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
        if self._runner.driver is not None and not early:
            self._runner.driver.peer.signal(order.remote)
            return
        self._note("media", kind="audio", payload=order.payload)
        if self._dial_on:
            self._note("dialling_on", how="in the audio" if order.events is None else "as telephone-events")
            dials = DialsOn(self._rtp, self._dial_on, order.events, self._dialled_on)
            await self._runner.start(dials, self._ports.rtp, order.remote, judge=speaks_rtp)
            return
        await self._wait_in_audio(order)

    async def _wait_in_audio(self, order: UseAudio, *, early: bool = False) -> None:
        assert self._rtp is not None
        wait = AudioWait(self._rtp, calls=self._calls, heard=self._fax_heard, ear=self._ear, early=early)
        await self._runner.start(wait, self._ports.rtp, order.remote, judge=speaks_rtp)

    def _dialled_on(self) -> None:
        self._result(DialledOn())

    async def begin_after_dialling(self) -> None:
        """The digits after the answer were sent: goes on with the fax."""
        self._dial_on = ()
        self._note("dialled_on")
        if self._audio is not None and self._signalling is not None:
            await self._wait_in_audio(self._audio)
            self._signalling.dialled_on()

    def _fax_heard(self, what: str) -> None:
        self._note("fax_heard", what=what)
        if self._ear is not None:
            self._ear.close()
        # After CED the called gateway is about to ask for T.38 itself; V.21 and CNG are the moment.
        if what != "CED" and self._signalling is not None:
            self._signalling.ask_t38()

    async def stay_on_audio(self, code: int) -> None:
        """T.38 was refused with the status ``code``: the fax goes on as tones."""
        if isinstance(self._fax, ToneFaxCall) or self._audio is None or self._rtp is None:
            return
        failed = code in NO_PROPER_ANSWER
        self._offering = self._offering and failed  # still open, or answered
        self.facts = replace(self.facts, kind=LineKind.G711, refusal=code, offer_failed=failed)
        self._note("media", kind="g711", refusal=code)
        fax = ToneFaxCall(
            self._parameters, self._rtp, self._from_tones, wake=self._runner.wake, ear=self._ear
        )
        await self._use_fax(fax)
        rtp, remote = self._ports.rtp, self._audio.remote
        await self._runner.start(fax, rtp, remote, judge=speaks_rtp, result=self._result)

    def _from_tones(self, message: FromCall) -> None:
        if isinstance(message, Progress) and message.event == "dis" and self._ear is not None:
            self._ear.close()
        # Once the machines have agreed (DCS) a switch to T.38 would destroy the fax: the audio stays.
        if isinstance(message, Progress) and message.event == "dcs" and self._signalling is not None:
            self._signalling.page_in_audio()
        self._from_fax(message)

    def _from_t38(self, message: FromCall) -> None:
        # From here on the machines could not begin again in audio.
        if isinstance(message, Progress) and message.event == "dcs" and self._signalling is not None:
            self._signalling.page_in_t38()
        self._from_fax(message)

    def _from_fax(self, message: FromCall) -> None:
        """Passes a message of the fax to the owner; its times count from the start of the fax."""
        if isinstance(message, Progress):
            if message.event == "frame_sent" and ("name", "DCN") not in message.fields:
                self._before_answer = self._contradictions
            message = replace(message, at=message.at + self._runner.began - self._started)
        self._owner.say(message)

    async def use_t38(self, order: UseT38) -> None:
        """T.38 is agreed, or its address changed: begins the fax over it."""
        if isinstance(self._fax, T38FaxCall):
            if self._runner.driver is not None:
                self._runner.driver.peer.signal(order.remote)
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
        fax = T38FaxCall(self._parameters, settings, self._from_t38, wake=self._runner.wake)
        way = self._udptl_ways.get(order.remote[0], UdptlWay()) if order.remote else UdptlWay()
        if way.odd:
            self._note("udptl_as_last_time", offset=way.offset, beside_audio=way.beside_audio)
        audio = self._audio.remote if self._audio is not None else None
        side = SideDoor(self._ports.rtp, is_udptl, expected=audio if way.beside_audio else None)
        await self._use_fax(fax)
        await self._runner.start(
            fax,
            self._ports.udptl,
            order.remote,
            judge=speaks_t38,
            result=self._result,
            side=side,
            offset=way.offset,
        )
        self._watch_silence()

    def _watch_silence(self) -> None:
        limit = T38_SILENT_CALLING_S if self._calls else T38_SILENT_ANSWERING_S
        self._silence = asyncio.get_running_loop().call_later(limit, self._check_silence)

    def _check_silence(self) -> None:
        if self.t38_silent and self._signalling is not None:
            self._note("t38_silent")
            self._signalling.t38_is_silent()
            self._watch_silence()  # where the other side does not go back to audio it has a second chance

    # -- ending -------------------------------------------------------------------------------

    def hang_up(self) -> bool:
        """The peer has hung up.  True when a fax is running: its result follows."""
        if self._fax is None or self._runner.driver is None:
            return False
        self._runner.driver.hang_up()
        return True

    def cancel(self) -> None:
        """Ends the call because its owner cancelled it; a running fax sends DCN first."""
        if self._fax is not None and self._runner.driver is not None:
            self._runner.driver.cancel()
        else:
            self._result(CallResult(CANCELLED, phase=Phase.A))

    def count_packets(self) -> None:
        """Records the counts of received packets in the facts."""
        if isinstance(self._fax, T38FaxCall):
            counters = self._fax.counters[1]
            self.facts = replace(self.facts, packets=counters.datagrams, lost=counters.lost)
        elif self._rtp is not None:
            received = self._rtp.receiver.received
            self.facts = replace(self.facts, packets=received.packets, lost=received.lost)
        if self.facts.kind is not None:
            self._note("packets", came=self.facts.packets, missing=self.facts.lost)
        if self.contradicted:
            self._note("another_voice", packets=self._contradictions - self._before_answer)

    @property
    def no_packets(self) -> bool:
        """The call was answered, a fax ran, and not one packet came."""
        if isinstance(self._fax, T38FaxCall):
            return self._fax.counters[1].datagrams == 0
        return (
            isinstance(self._fax, ToneFaxCall)
            and self._rtp is not None
            and self._rtp.receiver.received.packets == 0
        )

    @property
    def _contradictions(self) -> int:
        """Packets so far that contradict packets that were accepted."""
        if isinstance(self._fax, T38FaxCall):
            return self._fax.contradictions
        return self._rtp.receiver.received.contradictions if self._rtp is not None else 0

    @property
    def contradicted(self) -> bool:
        """Whether packets of the far end's address contradict each other since our last command."""
        few = 0 if isinstance(self._fax, T38FaxCall) else RTP_MISHAPS
        return self._contradictions > self._before_answer + few

    @property
    def t38_silent(self) -> bool:
        """The fax runs over T.38, and nothing of one came in."""
        return isinstance(self._fax, T38FaxCall) and not self._fax.hears_fax

    def let_go(self) -> None:
        """Breaks reference cycles, so that a call's memory (its pages) is released with the call.

        Otherwise it would remain until a garbage collection, some hundreds of calls later.
        """
        self._owner.listen(None)
        self._fax = self._rtp = self._signalling = self._ear = None
        del self._owner, self._result, self._note

    async def _use_fax(self, fax: T38FaxCall | ToneFaxCall) -> None:
        """Stops what runs; the owner's replies go to ``fax`` from now on."""
        await self.stop()
        self._fax = fax
        self._owner.listen(fax.answer)

    async def stop(self) -> None:
        """Ends what runs, without a result."""
        way = self._runner.udptl_way()
        if way is not None and isinstance(self._fax, T38FaxCall) and self._fax.hears_fax:
            self.facts = replace(self.facts, udptl=way)
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None
        await self._runner.stop()
