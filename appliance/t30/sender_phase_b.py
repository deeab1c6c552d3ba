"""The transmitting side in phases A and B: from the receiver's DIS or DTC to its CFR."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

from appliance import causes
from appliance.causes import Cause
from appliance.t4.page import CodedPage
from appliance.t30 import timers as limits
from appliance.t30.asking import Answers, Kind
from appliance.t30.conversation import EndPermitted, PageDelivered
from appliance.t30.dce import Carrier
from appliance.t30.fields import Facilities, Settings
from appliance.t30.frames import RESPONSES, Fcf, HdlcFrame, decode_ident, encode_ident
from appliance.t30.ladder import below, rungs
from appliance.t30.negotiation import Common, FormatError, in_common, settings_for
from appliance.t30.pages import KnownPage, PageDesk
from appliance.t30.parameters import Accepts, Phase
from appliance.t30.states import ReceiverState, SenderState
from appliance.t30.station import (
    NO_DATA,
    EventData,
    LineStimulus,
    Station,
    StationRole,
    Stimulus,
    Table,
    Timer,
    go,
)
from appliance.t30.tcf import tcf_octets

# States in which a command waits for its answer, and what counts as one.
_ASKING = frozenset(
    {
        SenderState.CFR,
        SenderState.POST,
        SenderState.PPS,
        SenderState.RR,
        SenderState.CTR,
        SenderState.ERR,
    }
)
_ANSWERS: frozenset[Stimulus] = RESPONSES | {Fcf.CRP, LineStimulus.GARBLED}


class SenderPhaseB(StationRole):
    """Finds out what the receiver takes, chooses, trains.

    ``polls`` is called with the far end's DIS when there is (or remains) a poll to make, and hands the
    call to the receiving part.
    """

    def __init__(self, station: Station, polls: Callable[[Facilities], None]) -> None:
        super().__init__(station, SenderState.CALLING)
        self._polls = polls
        self._poll_wanted = station.parameters.poll
        self._permitted = not station.parameters.asks_to_end_last_page
        self._asked_permission = False
        self._refused: Cause | None = None  # why the last page may not be sent
        self._desk = PageDesk(station)
        self._index = 0  # page to send
        self._last_confirmed = False  # the page before ``_index`` was the last
        self._common: Common | None = None
        self._far_sub = self._far_sid = False
        self._carrier: Carrier | None = None  # rung in use
        self._settings: Settings | None = None  # of the last DCS
        self._rounds = 0  # of DIS without a page
        # The command under way
        self._again: Callable[[], None] = self._nothing_to_repeat
        self._tries = 0
        self._answers = Answers()

    def _send_page(self) -> None:
        """Trained: phase C."""
        raise NotImplementedError

    def _cause_of_silence(self) -> Cause:
        """How the call has ended when a command was given three times for nothing."""
        raise NotImplementedError

    # -- identification ----------------------------------------------------------------------------

    def call(self) -> None:
        """A calling station's start: CNG, and a DIS is waited for."""
        station = self.station
        # Asked for as the best of receivers takes it, so that it is here when the far end has said what it
        # takes: some hang up after a quarter of a minute of silence.  With none, there is only to poll.
        own = station.parameters.capabilities
        self._desk.expects(Accepts(own.codings, own.resolutions, own.width, own.length))
        self._desk.ask(0)
        station.sound_cng()
        station.set(Timer.T0, limits.T0_S)

    def answer_poll(self, wanted: Facilities) -> None:
        """An answering station's start, once the caller has sent DTC."""
        self._begin(wanted)

    def _somebody_there(self, _: EventData) -> None:
        """A fax machine speaks: T1 from here (T.30 5.4.3.1)."""
        if self.station.runs(Timer.T0):
            self.station.clear(Timer.T0)
            self.station.set(Timer.T1, limits.T1_S)

    def _nobody(self, _: EventData) -> None:
        """Nothing was heard within T0, or nothing understood within T1: DCN."""
        silent = self.station.phase is Phase.A
        self.station.finish(causes.NO_FAX_ANSWERED if silent else causes.HUNG_UP_AFTER_PAGE)

    def _dis(self, fact: EventData) -> None:
        """The far end's identification (T.30 5.3.6.1.1)."""
        station = self.station
        station.clear(Timer.T0, Timer.T1)
        station.x = True
        station.phase = Phase.B
        theirs = Facilities.decode(fact.burst.fif(Fcf.DIS) or b"")
        csi = fact.burst.fif(Fcf.CSI)
        if csi is not None:
            station.remote_id = decode_ident(csi)
            station.note("remote_id", id=station.remote_id)
        station.note("dis", facilities=theirs.describe())
        self._rounds += 1
        if self._rounds > limits.PHASE_B_ROUNDS:
            station.finish(causes.PROTOCOL_GARBAGE)
        elif self._poll_wanted and self._nothing_to_send():
            self._poll_wanted = False
            self._polls(theirs)
        elif not theirs.receives:
            station.finish(causes.CANNOT_RECEIVE)
        else:
            self._begin(theirs)

    def _nothing_to_send(self) -> bool:
        """All pages confirmed, or there never was one."""
        if self._index:
            return self._last_confirmed
        known = self._desk.get(0)
        return known is not None and known.page is None

    def _dtc(self, fact: EventData) -> None:
        """A polling station asks for the next document."""
        self._begin(Facilities.decode(fact.burst.fif(Fcf.DTC) or b""))

    def _begin(self, theirs: Facilities) -> None:
        station = self.station
        station.phase = Phase.B
        parameters = station.parameters
        common = in_common(parameters.capabilities, theirs, parameters.first_carrier)
        if not common.carriers:
            station.finish(causes.NOTHING_IN_COMMON)
            return
        self._far_sub, self._far_sid = theirs.sub, theirs.pwd
        # A rate that failed earlier in this call is not tried again.
        reached = rungs(frozenset(common.carriers), self._carrier)
        self._common = common
        self._carrier = reached[0]
        self._desk.accepts(common.accepts, self._fits)
        self._desk.ask(self._index)
        self.state = SenderState.NEEDS_PAGE
        known = self._desk.get(self._index)
        if known is None or not self._may_begin(known):
            station.set(Timer.PAGE, limits.PAGE_WAIT_S)
            station.listen()
        self._train_when_quiet()

    # -- the page to begin with ------------------------------------------------------------------

    def page_delivered(self, event: PageDelivered) -> None:
        if self._desk.delivered(event):
            first = self._desk.get(0)
            if first is not None and self._index == 0:
                self._may_begin(first)  # a single page needs permission before DCS
            self._page_may_be_ready()

    def end_permitted(self, event: EndPermitted) -> None:
        self._refused = event.refused
        self._permitted = event.refused is None
        self._page_may_be_ready()

    def _fits(self, page: CodedPage) -> bool:
        """Whether the receiver takes a page as it is."""
        assert self._common is not None
        assert self._carrier is not None
        try:
            settings_for(page, self._common, self._carrier)
        except FormatError:
            return False
        return True

    def _page_may_be_ready(self) -> None:
        waits = self.state in (SenderState.NEEDS_PAGE, SenderState.NEEDS_NEXT)
        if waits and not self.station.talks:
            self.take(LineStimulus.PAGE)

    def _may_begin(self, known: KnownPage) -> bool:
        """Whether a page that is here may be sent; the last one needs permission, which is asked for once.

        It is asked for where the far end can be kept waiting: before DCS, or before the command that ends
        the page before, which is EOM when the answer takes long.
        """
        if self._permitted or not known.last or known.page is None:
            return True
        if not self._asked_permission:
            self._asked_permission = True
            self.station.ask_to_end_last_page()
        return False

    def _page_too_late(self, _: EventData) -> None:
        """The box did not prepare the page, or did not permit the last one, in time: DCN."""
        self.station.finish(self._cause_of_lateness())

    def _cause_of_lateness(self) -> Cause:
        return causes.PAGE_UNAVAILABLE if self._desk.get(self._index) is None else causes.BOX_STALLED

    def _train_when_quiet(self, _: EventData | None = None) -> None:
        """DCS and TCF, as soon as the page is there and the line is free."""
        station = self.station
        known = self._desk.get(self._index)
        if self._refused is not None and not station.talks:
            station.finish(self._refused)
            return
        if known is None or not self._may_begin(known) or station.heard is not None or station.talks:
            return
        station.clear(Timer.PAGE)
        if known.page is None:
            station.finish(self._desk.failure)
            return
        assert self._common is not None
        assert self._carrier is not None
        try:
            self._settings = settings_for(known.page, self._common, self._carrier)
        except FormatError as error:
            station.note("page_format", reason=str(error))
            station.finish(causes.PAGE_FORMAT)
            return
        station.note("dcs", settings=self._settings.describe())
        station.ecm_used, station.carrier_used = self._settings.ecm, self._carrier
        self._try(self._train, Kind.TRAINING)

    # -- training ----------------------------------------------------------------------------------

    def _train(self) -> None:
        assert self._settings is not None
        parameters, settings = self.station.parameters, self._settings
        frames = []
        sub = bool(parameters.sub_address) and self._far_sub
        sid = bool(parameters.password) and self._far_sid
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
        fif = replace(settings, sub=sub, sid=sid).encode()
        frames.append(HdlcFrame(Fcf.DCS, fif))
        carrier, seconds = settings.carrier, self.station.pace.tcf_s
        self.station.say(
            tuple(frames),
            lambda: self.station.send_tcf(
                carrier, tcf_octets(carrier, seconds), lambda: self._await(SenderState.CFR)
            ),
        )

    def _ftt(self, _: EventData) -> None:
        """FTT: DCS again, at the nominal pace or one rung down; DCN at the bottom."""
        self.station.clear(Timer.T4)
        if self.station.slow_down() or self._step_down():
            self._retrain()
        else:
            self.station.finish(causes.TRAINING_FAILED)

    def _retrain(self) -> None:
        self.station.note("retrain")
        self.station.phase = Phase.B
        self.state = SenderState.NEEDS_PAGE
        self._train_when_quiet()

    def _step_down(self) -> bool:
        """One rung down.  False at the bottom, where the rate stays."""
        assert self._carrier is not None
        assert self._common is not None
        lower = below(self._carrier, self._common.carriers)
        self.station.retrainings += 1
        if lower is None:
            return False
        self._carrier = lower
        self.station.note("step_down", rate=lower.bit_rate, modulation=lower.modulation.value)
        return True

    def _cfr(self, _: EventData) -> None:
        """CFR: the page."""
        self.station.clear(Timer.T4)
        self.station.note("trained", rate=self._carrier.bit_rate if self._carrier else 0)
        self._rounds = 0
        self._send_page()

    # -- commands and their repeats ----------------------------------------------------------------

    def take(self, stimulus: Stimulus, fact: EventData = NO_DATA) -> None:
        """An answer that may be an earlier command's does not count: this command is said again."""
        if self.state in _ASKING and stimulus in _ANSWERS:
            known = stimulus in self.TABLE[self.state]
            if not self._answers.heard(fact.burst.began) and known and stimulus is not LineStimulus.GARBLED:
                self.station.note("answer_owed", name=stimulus.name)
                self.station.clear(Timer.T4)
                self._again()
                return
        super().take(stimulus, fact)

    def _try(self, command: Callable[[], None], kind: Kind) -> None:
        """Gives a command for the first time."""
        self._again, self._tries = command, 1
        self._answers.new_command(kind)
        command()

    def _repeat(self, _: EventData) -> None:
        """No valid response: the same again, three times in all (T.30 5.4.3)."""
        if self._tries >= limits.TRIES:
            self.station.finish(self._cause_of_silence())
            return
        self._tries += 1
        self.station.clear(Timer.T4)
        self.station.slow_down()
        self._again()

    def _await(self, state: SenderState) -> None:
        self.state = state
        self._answers.sent(self.station.now)
        self.station.set(Timer.T4, limits.T4_S)
        self.station.listen()

    def _command(self, frame: HdlcFrame, state: SenderState) -> None:
        kind = Kind.RATE if state is SenderState.CTR else Kind.MESSAGE
        self._try(lambda: self.station.say((frame,), lambda: self._await(state)), kind)

    def _nothing_to_repeat(self) -> None:
        """Before the first command."""

    # -- what each state does -----------------------------------------------------------------------

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
        SenderState.CFR: {
            Fcf.CFR: go(_cfr, SenderState.NEEDS_NEXT, SenderState.POST, SenderState.PPS),
            Fcf.FTT: go(_ftt, SenderState.NEEDS_PAGE, SenderState.CFR),
            Fcf.DIS: go(_repeat),
            Fcf.DTC: go(_repeat),
            Fcf.CRP: go(_repeat),
            Timer.T4: go(_repeat),
        },
        SenderState.DIS: {
            Fcf.DIS: go(_dis, SenderState.NEEDS_PAGE, SenderState.CFR, ReceiverState.COMMAND),
            Fcf.DTC: go(_dtc, SenderState.NEEDS_PAGE, SenderState.CFR),
            Timer.T1: go(_nobody),
        },
    }
