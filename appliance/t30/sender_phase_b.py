"""The transmitting side in phases A and B: from the receiver's DIS or DTC to its CFR."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from appliance.causes import Cause
from appliance.t30 import causes
from appliance.t30 import timers as limits
from appliance.t30.asking import AskingRole, CommandKind
from appliance.t30.conversation import EndPermitted, PageDelivered
from appliance.t30.field_bits import LEAST_OCTETS
from appliance.t30.fields import Facilities
from appliance.t30.frames import Fcf, HdlcFrame, decode_ident, encode_ident
from appliance.t30.ladder import rungs
from appliance.t30.link import Ground, Link
from appliance.t30.negotiation import FormatError, in_common
from appliance.t30.parameters import Accepts, Phase
from appliance.t30.roles import EventData, LineStimulus, StationRole, Table, Timer, go
from appliance.t30.sender_role import SenderBase
from appliance.t30.states import ReceiverState, SenderState
from appliance.t30.tcf import tcf_octets


class Identification(StationRole):
    """Takes the receiver's DIS or DTC, and chooses the settings for the page to send."""

    def __init__(self, sender: SenderBase) -> None:
        super().__init__(SenderState.CALLING, sender.station.note)
        self.station = sender.station
        self._sender = sender
        self._desk = sender.desk
        self._ground: Ground | None = None  # None until a DIS was received
        self._rounds = 0  # DIS received since the last training that succeeded

    # -- how it begins -----------------------------------------------------------------------------

    def call(self) -> None:
        """Starts a calling station: CNG, and T0 for a DIS."""
        station = self.station
        # Requested before the DIS, for a receiver that accepts everything, so that it is ready in time: some
        # receivers hang up after 15 s of silence.  If there is no page, the call can only poll.
        own = station.parameters.capabilities
        self._desk.expects(Accepts(own.codings, own.resolutions, own.width, own.length))
        self._desk.ask(0)
        station.sound_cng()
        station.timers.start(Timer.T0, limits.T0_S)

    def begin(self, theirs: Facilities) -> None:
        """Negotiates with the content of the receiver's DIS or DTC, then waits for the page to send."""
        station = self.station
        station.part = self
        station.phase = Phase.B
        parameters = station.parameters
        common = in_common(parameters.capabilities, theirs, parameters.first_carrier)
        if not common.carriers:
            station.finish(causes.NOTHING_IN_COMMON)
            return
        # Rates above one that failed earlier in this call are not tried again.
        reached = rungs(frozenset(common.carriers), self._ground.carrier if self._ground else None)
        self._ground = Ground(common, reached[0], theirs.sub, theirs.pwd)
        self._desk.accepts(common.accepts, self._ground.fits)
        self._desk.ask(self._desk.index)
        self.state = SenderState.NEEDS_PAGE
        known = self._desk.current
        if known is None or not self._desk.may_begin(known):
            station.timers.start(Timer.PAGE, limits.PAGE_WAIT_S)
            station.listen()
        self._train_when_quiet()

    def retrain(self, ground: Ground) -> None:
        """Sends DCS again, at the carrier of ``ground``."""
        self._ground = ground
        self.station.part = self
        self.station.note("retrain")
        self.station.phase = Phase.B
        self.state = SenderState.NEEDS_PAGE
        self._train_when_quiet()

    def await_dis(self, ground: Ground) -> None:
        """Waits for DIS: after EOM both ends are back in phase B, and the receiver transmits first."""
        self._ground = ground
        self.station.part = self
        self.station.phase = Phase.B
        self.state = SenderState.DIS
        self.station.timers.start(Timer.T1, limits.T1_S)
        self.station.listen()

    def dis_in_place_of_answer(self, ground: Ground, fact: EventData) -> None:
        """Handles a DIS that came instead of a response: the receiver is in phase B again."""
        self._ground = ground
        self.station.part = self
        self._dis(fact)

    def trained(self) -> None:
        """To be called upon CFR."""
        self._rounds = 0

    # -- identification ----------------------------------------------------------------------------

    def _somebody_there(self, _: EventData) -> None:
        """V.21 was detected: T1 runs in place of T0 (T.30 5.4.3.1)."""
        if self.station.timers.runs(Timer.T0):
            self.station.timers.stop(Timer.T0)
            self.station.timers.start(Timer.T1, limits.T1_S)

    def _nobody(self, _: EventData) -> None:
        """Nothing detected within T0, or no valid DIS within T1: DCN."""
        in_phase_a = self.station.phase is Phase.A
        self.station.finish(self._cause_in_phase_a() if in_phase_a else causes.RECEIVER_WENT_SILENT)

    def _cause_in_phase_a(self) -> Cause:
        return causes.FAX_NOT_UNDERSTOOD if self.station.listener.hears_fax else causes.NO_FAX_ANSWERED

    def _dis(self, fact: EventData) -> None:
        """The far end's identification (T.30 5.3.6.1.1)."""
        station, fif = self.station, fact.burst.fif(Fcf.DIS) or b""
        if len(fif) < LEAST_OCTETS:
            station.note("ignored", state=self.state.value, what=f"DIS of {len(fif)} octets")
            return
        station.timers.stop(Timer.T0, Timer.T1)
        station.x = True
        station.phase = Phase.B
        theirs = Facilities.decode(fif)
        csi = fact.burst.fif(Fcf.CSI)
        if csi is not None:
            station.record.remote_id = decode_ident(csi)
            station.note("remote_id", id=station.record.remote_id)
        station.note("dis", facilities=theirs.describe())
        self._rounds += 1
        if self._rounds > limits.PHASE_B_ROUNDS:
            station.finish(causes.PROTOCOL_GARBAGE)
        elif self._sender.poll_wanted and self._nothing_to_send():
            self._sender.poll(theirs)
        elif not theirs.receives:
            station.finish(causes.CANNOT_RECEIVE)
        else:
            self.begin(theirs)

    def _nothing_to_send(self) -> bool:
        """Whether all pages are confirmed, or there are none."""
        if self._desk.index:
            return self._desk.all_confirmed
        known = self._desk.current
        return known is not None and known.page is None

    def _dtc(self, fact: EventData) -> None:
        """A polling station asks for the next document."""
        self.begin(Facilities.decode(fact.burst.fif(Fcf.DTC) or b""))

    # -- the page to begin with ------------------------------------------------------------------

    def page_delivered(self, event: PageDelivered) -> None:
        if self._desk.delivered(event):
            first = self._desk.current
            if first is not None and self._desk.index == 0:
                self._desk.may_begin(first)  # a single page needs permission before DCS
            self._page_may_be_ready()

    def end_permitted(self, event: EndPermitted) -> None:
        self._desk.permission(event.refused)
        self._page_may_be_ready()

    def _page_may_be_ready(self) -> None:
        if self.state is SenderState.NEEDS_PAGE and not self.station.talks:
            self.take(LineStimulus.PAGE)

    def _page_too_late(self, _: EventData) -> None:
        """The box did not prepare the page, or did not permit the last one, in time: DCN."""
        self.station.finish(self._desk.cause_of_lateness())

    def _train_when_quiet(self, _: EventData | None = None) -> None:
        """DCS and TCF, as soon as the page is ready and the line is free."""
        station, desk, ground = self.station, self._desk, self._ground
        known = desk.current
        if desk.refused is not None and not station.talks:
            station.finish(desk.refused)
            return
        if ground is None or known is None or not desk.may_begin(known):
            return
        if station.listener.carrier is not None or station.talks:
            return
        station.timers.stop(Timer.PAGE)
        if known.page is None:
            station.finish(desk.failure)
            return
        try:
            link = ground.link(known.page)
        except FormatError as error:
            station.note("page_format", reason=str(error))
            station.finish(causes.PAGE_FORMAT)
            return
        Training(self._sender, link).begin()

    def cause_when_left(self) -> Cause:
        if self.station.phase is Phase.A:
            return self._cause_in_phase_a()
        known = self._desk.current
        if self.state is SenderState.NEEDS_PAGE and (known is None or not self._desk.may_begin(known)):
            return self._desk.cause_of_lateness()  # the far end did not wait for the page
        return self._sender.cause_in_phase_b()

    TABLE: ClassVar[Table] = {
        SenderState.CALLING: {
            Fcf.DIS: go(_dis, SenderState.NEEDS_PAGE, SenderState.CFR, ReceiverState.COMMAND),
            LineStimulus.V21_ON: go(_somebody_there),
            Timer.T0: go(_nobody),
            Timer.T1: go(_nobody),
        },
        SenderState.NEEDS_PAGE: {
            LineStimulus.PAGE: go(_train_when_quiet, SenderState.CFR),
            Fcf.DIS: go(_train_when_quiet, SenderState.CFR),
            Fcf.DTC: go(_train_when_quiet, SenderState.CFR),
            LineStimulus.GARBLED: go(_train_when_quiet, SenderState.CFR),
            LineStimulus.QUIET: go(_train_when_quiet, SenderState.CFR),
            Timer.PAGE: go(_page_too_late),
        },
        SenderState.DIS: {
            Fcf.DIS: go(_dis, SenderState.NEEDS_PAGE, SenderState.CFR, ReceiverState.COMMAND),
            Fcf.DTC: go(_dtc, SenderState.NEEDS_PAGE, SenderState.CFR),
            Timer.T1: go(_nobody),
        },
    }


class Training(AskingRole):
    """Sends DCS and TCF; after CFR pages are sent over the link."""

    def __init__(self, sender: SenderBase, link: Link) -> None:
        super().__init__(sender.station, SenderState.CFR, sender.answers)
        self._sender = sender
        self._link = link

    def begin(self) -> None:
        """Sends DCS and TCF for the first time."""
        station, settings = self.station, self._link.settings
        station.part = self
        station.note("dcs", settings=settings.describe())
        station.record.ecm, station.record.carrier = settings.ecm, settings.carrier
        self._try(self._train, CommandKind.TRAINING)

    def _train(self) -> None:
        parameters, settings, ground = self.station.parameters, self._link.settings, self._link.ground
        frames = []
        sub = bool(parameters.sub_address) and ground.takes_sub
        sid = bool(parameters.password) and ground.takes_password
        if parameters.station_id:
            frames.append(HdlcFrame(Fcf.TSI, encode_ident(parameters.station_id)))
        if sub:
            frames.append(HdlcFrame(Fcf.SUB, encode_ident(parameters.sub_address)))
        elif parameters.sub_address:
            self.station.note("sub_address_omitted", reason="the receiver does not take sub-addresses")
        if sid:
            frames.append(HdlcFrame(Fcf.SID, encode_ident(parameters.password)))
        elif parameters.password:
            self.station.note("password_omitted", reason="the receiver does not take passwords")
        frames.append(HdlcFrame(Fcf.DCS, replace(settings, sub=sub, sid=sid).encode()))
        carrier, seconds = settings.carrier, self.station.pace.tcf_s
        self.station.say(
            tuple(frames),
            lambda: self.station.send_tcf(
                carrier, tcf_octets(carrier, seconds), lambda: self._await(SenderState.CFR)
            ),
        )

    def _cfr(self, _: EventData) -> None:
        """CFR: sends the page."""
        self.station.timers.stop(Timer.T4)
        self.station.note("trained", rate=self._link.settings.carrier.bit_rate)
        self._sender.identification.trained()
        self._sender.send(self._link)

    def _ftt(self, _: EventData) -> None:
        """FTT: DCS again, at nominal times or at the next lower rate; DCN when there is none."""
        self.station.timers.stop(Timer.T4)
        ground = self._link.ground if self.station.slow_down() else self._sender.below(self._link.ground)
        if ground is None:
            self.station.finish(causes.TRAINING_FAILED)
        else:
            self._sender.identification.retrain(ground)

    def page_delivered(self, event: PageDelivered) -> None:
        self._sender.desk.delivered(event)

    def end_permitted(self, event: EndPermitted) -> None:
        self._sender.desk.permission(event.refused)

    def _cause_unanswered(self) -> Cause:
        return self._by_what_was_heard(causes.TRAINING_UNANSWERED)

    def cause_when_left(self) -> Cause:
        return self._sender.cause_in_phase_b()

    TABLE: ClassVar[Table] = {
        SenderState.CFR: {
            Fcf.CFR: go(_cfr, SenderState.NEEDS_NEXT, SenderState.POST, SenderState.PPS),
            Fcf.FTT: go(_ftt, SenderState.NEEDS_PAGE),
            Fcf.DIS: go(AskingRole._repeat),
            Fcf.DTC: go(AskingRole._repeat),
            Fcf.CRP: go(AskingRole._repeat),
            Timer.T4: go(AskingRole._repeat),
        },
    }
