"""The receiving side in phases A and B: DIS or DTC, then DCS and the training check."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

from appliance.causes import Cause
from appliance.t30 import causes
from appliance.t30 import timers as limits
from appliance.t30.dce import Carrier, Expect, SendCed
from appliance.t30.fields import Facilities, FieldError, Settings
from appliance.t30.frames import Fcf, HdlcFrame, decode_ident, encode_ident
from appliance.t30.ladder import LADDER
from appliance.t30.negotiation import offer, refusal
from appliance.t30.parameters import Phase, Role
from appliance.t30.receiver_page import PageReception
from appliance.t30.receiver_role import ReceiverBase, ReceivingRole
from appliance.t30.roles import NO_DATA, Burst, EventData, LineStimulus, Table, Timer, go
from appliance.t30.states import ReceiverState, SenderState
from appliance.t30.tcf import TcfJudge


class ReceiverIdentification(ReceivingRole):
    """Sends DIS or DTC, and accepts or refuses the DCS that follows.

    ``is_polled`` is called with the content of the caller's DTC when it asks for our pages.
    """

    def __init__(self, receiver: ReceiverBase, is_polled: Callable[[Facilities], None]) -> None:
        super().__init__(receiver, ReceiverState.COMMAND)
        self._is_polled = is_polled
        self._offers_pages = False
        self._poll: tuple[HdlcFrame, ...] | None = None  # our DTC and its optional frames, None without poll
        self.tries = 0
        self._t1_restarts = 0
        self._rounds = 0  # DCS received since the last page
        self._lowest: Carrier | None = None  # the lowest rate of these
        self._same_rate_rounds = 0  # and how many came since it was first tried

    @property
    def polls_in_vain(self) -> bool:
        """Whether we poll and no DCS has come."""
        return self._poll is not None and not self._rounds

    def page_confirmed(self) -> None:
        """To be called when a page is confirmed."""
        self._rounds = self._same_rate_rounds = 0
        self._lowest = None

    # -- identification ----------------------------------------------------------------------------

    def answer(self, *, offers_pages: bool) -> None:
        """Starts an answering station: CED, then DIS, repeated until a command comes or T1 ends."""
        self._offers_pages = offers_pages
        self.station.send(SendCed(), self._begin_identification)

    def poll(self, theirs: Facilities) -> None:
        """Polls, from a calling station: DTC (T.30 5.3.6.1.2).  ``theirs`` is the far end's DIS."""
        station, parameters = self.station, self.station.parameters
        station.part = self
        if not theirs.transmits:
            station.finish(causes.NOTHING_TO_POLL)
            return
        if (parameters.password and not theirs.pwd) or (parameters.selective_polling and not theirs.sep):
            station.finish(causes.CANNOT_TAKE_PASSWORD)
            return
        frames = []
        if parameters.nsf:
            frames.append(HdlcFrame(Fcf.NSC, parameters.nsf))
        if parameters.station_id:
            frames.append(HdlcFrame(Fcf.CIG, encode_ident(parameters.station_id)))
        if parameters.password:
            frames.append(HdlcFrame(Fcf.PWD, encode_ident(parameters.password)))
        if parameters.selective_polling:
            frames.append(HdlcFrame(Fcf.SEP, encode_ident(parameters.selective_polling)))
        frames.append(HdlcFrame(Fcf.DTC, self._dtc_field().encode()))
        self._poll = tuple(frames)
        self.tries = 1
        station.note("polling")
        station.say(self._poll, self.expect_command)

    def offer(self) -> Facilities:
        """The content of our DIS."""
        parameters = self.station.parameters
        return offer(
            parameters.capabilities,
            transmits=self._offers_pages,
            sub=parameters.accepts_sub_address,
            sep=self._offers_pages and bool(parameters.selective_polling or any(parameters.on_offer)),
        )

    def _dtc_field(self) -> Facilities:
        """The content of our DTC: bits 47 and 50 mean that SEP and PWD accompany it (table 2)."""
        parameters = self.station.parameters
        return replace(
            offer(parameters.capabilities, sep=bool(parameters.selective_polling)),
            pwd=bool(parameters.password),
        )

    def _begin_identification(self) -> None:
        self.tries = 0
        self._receiver.replies.forget()
        self._t1_restarts = 0
        self.station.timers.start(Timer.T1, limits.T1_S)
        self._identify()

    def _identify(self) -> None:
        """Sends NSF, CSI and DIS (T.30 5.3.6.1.1)."""
        station, parameters = self.station, self.station.parameters
        station.phase = Phase.B
        self.tries += 1
        frames = []
        if parameters.nsf:
            frames.append(HdlcFrame(Fcf.NSF, parameters.nsf))
        if parameters.station_id:
            frames.append(HdlcFrame(Fcf.CSI, encode_ident(parameters.station_id)))
        frames.append(HdlcFrame(Fcf.DIS, self.offer().encode()))
        station.say(tuple(frames), self.expect_command)

    def _begin(self) -> None:
        self.station.part = self
        self.state = ReceiverState.COMMAND

    def expect_command(self) -> None:
        """Waits for DCS, after DIS, DTC, FTT, RTN or RTP."""
        self._begin()
        self.station.timers.start(Timer.T4, limits.T4_S)
        self.station.listen()

    def expect_command_after_eom(self) -> None:
        """After EOM: the transmitter waits for our DIS, which is sent when T2 ends (T.30 5.4.3.1)."""
        self._begin()
        self.station.phase = Phase.B
        self.station.timers.start(Timer.T2, limits.T2_S)
        self.station.listen()

    def _after_eom(self, _: EventData) -> None:
        """Phase B again: DIS, or DTC when polling."""
        if self._poll is None:
            self._begin_identification()
        else:
            self.tries = 1
            self._receiver.replies.forget()
            self.station.say(self._poll, self.expect_command)

    def _ask_again(self, _: EventData) -> None:
        """Nothing within T4: repeats DIS until T1 ends, DTC three times in all, a response not at all."""
        station = self.station
        if self._receiver.replies.last in (Fcf.FTT, Fcf.RTN, Fcf.RTP):
            # The transmitter is to send a DCS.  If it did not receive our response it repeats its own
            # command.
            if self.tries < limits.TRIES:
                self.tries += 1
                station.timers.start(Timer.T4, limits.T4_S)
            else:
                station.finish(causes.PAGE_NEVER_CAME)
        elif self._poll is None:
            self._identify()
        elif self.tries >= limits.TRIES:
            self._nobody(NO_DATA)
        else:
            self.tries += 1
            station.say(self._poll, self.expect_command)

    def _somebody_calls(self, _: EventData) -> None:
        """CNG: a fax machine has only just begun to call, so T1 starts again (T.30 5.4.3.1)."""
        if self.station.timers.runs(Timer.T1) and self._t1_restarts < limits.T1_RESTARTS:
            self._t1_restarts += 1
            self.station.timers.start(Timer.T1, limits.T1_S)

    def _garbled_command(self, _: EventData) -> None:
        """A garbled DCS: T4 starts again, for its TCF follows before DIS may be repeated."""
        if self.station.timers.runs(Timer.T4):
            self.station.timers.start(Timer.T4, limits.T4_S)

    def _dis_again(self, fact: EventData) -> None:
        """The polled station did not receive our DTC; or a caller polls by sending a DIS (TSB-85)."""
        station = self.station
        fif = fact.burst.fif(Fcf.DIS) or b""
        if self._poll is not None:
            self._ask_again(fact)
        elif station.parameters.role is Role.ANSWERS and fif != self.offer().encode():
            station.x = True
            self.polled_with(fif, fact.burst)
        else:
            station.note("ignored", state=self.state.value, what="DIS")  # an echo of ours

    def _repeat_what_was_said(self, fact: EventData) -> None:
        """CRP: repeats the last response, or DIS or DTC."""
        if self._receiver.replies.any:
            self._repeat_reply(fact)
        else:
            self._ask_again(fact)

    def _nobody(self, _: EventData) -> None:
        """Nobody answered: DCN."""
        if self._poll is not None:
            self.station.finish(causes.POLL_REFUSED)
        elif self._rounds or self.station.record.pages_received:
            self.station.finish(causes.PAGE_NEVER_CAME)
        else:
            self.station.finish(causes.NO_SENDER_HEARD)

    # -- being polled ------------------------------------------------------------------------------

    def polled_with(self, fif: bytes, burst: Burst) -> None:
        """Handles a DTC with this FIF: checks SEP and PWD, then hands the call to the sender."""
        station = self.station
        self._learn_id(burst, Fcf.CIG)
        station.timers.stop(Timer.T1, Timer.T4, Timer.T2)
        if not self._offers_pages or not self._named_right(burst):
            station.finish(causes.NOTHING_ON_OFFER)
        elif not self._password_right(burst):
            station.finish(causes.PASSWORD_WRONG)
        else:
            self._is_polled(Facilities.decode(fif))

    def _learn_id(self, burst: Burst, fcf: Fcf) -> None:
        fif = burst.fif(fcf)
        if fif is not None:
            self.station.record.remote_id = decode_ident(fif)
            self.station.note("remote_id", id=self.station.record.remote_id)

    def _named_right(self, burst: Burst) -> bool:
        """Whether SEP names a document on offer; one without a name is for every caller."""
        station, sep = self.station, burst.fif(Fcf.SEP)
        if sep is not None:
            station.record.selective_polling = decode_ident(sep)
            station.note("selective_polling", sep=station.record.selective_polling)
        parameters = station.parameters
        if parameters.on_offer:
            return station.record.selective_polling in parameters.on_offer
        name = parameters.selective_polling
        return not name or station.record.selective_polling == name

    def _password_right(self, burst: Burst) -> bool:
        required = self.station.parameters.required_password
        given = [burst.fif(Fcf.PWD), burst.fif(Fcf.SID)]
        return not required or required in [decode_ident(fif) for fif in given if fif is not None]

    # -- the transmitter's choice ------------------------------------------------------------------

    def chosen(self, burst: Burst) -> None:
        """Handles a DCS, in any state: checks it and goes on to the training check."""
        station = self.station
        station.timers.stop(Timer.T1, Timer.T2, Timer.T4)
        station.phase = Phase.B
        self._learn_id(burst, Fcf.TSI)
        sub = burst.fif(Fcf.SUB)
        if sub is not None and station.parameters.accepts_sub_address:
            station.record.sub_address = decode_ident(sub)
            station.note("sub_address", sub=station.record.sub_address)
        try:
            settings = Settings.decode(burst.fif(Fcf.DCS) or b"")
        except FieldError as error:
            station.note("dcs_refused", reason=str(error))
            station.finish(causes.BAD_COMMAND)
            return
        station.note("dcs", settings=settings.describe())
        reason = refusal(settings, Facilities.decode(self.offer().encode()))
        if reason is not None:
            station.note("dcs_refused", reason=reason)
            station.finish(causes.BAD_COMMAND)
            return
        if self._poll is None and not self._password_right(burst):
            station.finish(causes.PASSWORD_WRONG)
            return
        if self._leads_nowhere(settings.carrier):
            station.finish(self._cause_of_rounds())
            return
        station.record.carrier, station.record.ecm = settings.carrier, settings.ecm
        self._receiver.last_block = None  # the page that was under way is dropped
        TrainingCheck(self._receiver, settings).begin()

    def _leads_nowhere(self, carrier: Carrier) -> bool:
        """Counts a DCS with this carrier.  Whether there were too many without a page in between."""
        self._rounds += 1
        self._same_rate_rounds += 1
        if self._lowest is None or LADDER.index(carrier) > LADDER.index(self._lowest):
            self._lowest, self._same_rate_rounds = carrier, 1
        return self._rounds > limits.PHASE_B_ROUNDS or self._same_rate_rounds > limits.SAME_RATE_ROUNDS

    def _cause_of_rounds(self) -> Cause:
        """The cause when DCS comes again and again: what we answered last was in vain."""
        match self._receiver.replies.last:
            case Fcf.CFR:
                return causes.PROTOCOL_GARBAGE
            case Fcf.RTN:
                return causes.PAGE_KEPT_DAMAGED
            case _:
                return causes.TRAINING_NOT_RECEIVED

    TABLE: ClassVar[Table] = {
        ReceiverState.COMMAND: {
            Fcf.DCS: go(ReceivingRole._dcs, ReceiverState.TCF),
            Fcf.DTC: go(ReceivingRole._dtc, SenderState.NEEDS_PAGE, SenderState.CFR),
            Fcf.DIS: go(_dis_again, SenderState.NEEDS_PAGE, SenderState.CFR),
            LineStimulus.GARBLED: go(_garbled_command),
            LineStimulus.CNG: go(_somebody_calls),
            Fcf.MPS: go(ReceivingRole._command_again),
            Fcf.EOM: go(ReceivingRole._command_again),
            Fcf.EOP: go(ReceivingRole._command_again),
            Fcf.PPS: go(ReceivingRole._command_again),
            Fcf.EOR: go(ReceivingRole._command_again),
            Fcf.RR: go(ReceivingRole._repeat_reply),
            Fcf.CRP: go(_repeat_what_was_said),
            Timer.T4: go(_ask_again),
            Timer.T2: go(_after_eom),
            Timer.T1: go(_nobody),
        },
    }


class TrainingCheck(ReceivingRole):
    """Receives the training check that follows a DCS with these ``settings``."""

    def __init__(self, receiver: ReceiverBase, settings: Settings) -> None:
        super().__init__(receiver, ReceiverState.TCF)
        self._settings = settings
        self._judge = TcfJudge(settings.carrier, ecm=settings.ecm)

    def begin(self) -> None:
        """Listens for the training check."""
        self.station.part = self
        self.station.timers.start(Timer.TCF, limits.TCF_WAIT_S)
        self.station.listen_fast(self._settings.carrier, Expect.TCF)

    def _tcf_begins(self, fact: EventData) -> None:
        """Starts to count; a signal at another rate than the DCS's is noted."""
        self._judge = TcfJudge(self._settings.carrier, ecm=self._settings.ecm)
        if fact.carrier is not self._settings.carrier:
            self.station.note("wrong_carrier", carrier=fact.carrier.name if fact.carrier else "")

    def _tcf_octets(self, fact: EventData) -> None:
        """Counts zeros and other octets."""
        if self.station.listener.carrier in (None, self._settings.carrier):
            self._judge.feed(fact.octets)

    def _tcf_octets_lost(self, _: EventData) -> None:
        """Ignored: the training check tests the line, not the network after it."""

    def _tcf_missed(self, _: EventData) -> None:
        """Listens again, until the time for TCF is over."""
        self.station.listen_fast(self._settings.carrier, Expect.TCF)

    def _tcf_over(self, _: EventData) -> None:
        """CFR or FTT."""
        station, good = self.station, self._judge.good
        station.timers.stop(Timer.TCF)
        station.note(
            "tcf",
            good=good,
            octets=self._judge.octets,
            non_zero=self._judge.non_zero,
            longest_run=self._judge.longest_run,
        )
        if good:
            page = PageReception(self._receiver, self._settings)
            self._receiver.replies.say(Fcf.CFR, page.expect)
        else:
            station.record.retrainings += 1
            self._receiver.train_again(Fcf.FTT)

    TABLE: ClassVar[Table] = {
        ReceiverState.TCF: {
            LineStimulus.FAST_ON: go(_tcf_begins),
            LineStimulus.FAST_DATA: go(_tcf_octets),
            LineStimulus.FAST_LOST: go(_tcf_octets_lost),
            LineStimulus.FAST_OFF: go(_tcf_over, ReceiverState.PAGE, ReceiverState.COMMAND),
            LineStimulus.MISSED: go(_tcf_missed),
            Timer.TCF: go(_tcf_over, ReceiverState.PAGE, ReceiverState.COMMAND),
            Fcf.DCS: go(ReceivingRole._dcs, ReceiverState.TCF),
            Fcf.DTC: go(ReceivingRole._dtc, SenderState.NEEDS_PAGE, SenderState.CFR),
        },
    }
