"""The transmitting side in phases C and D: pages, with and without ECM, and their confirmation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

from appliance import causes
from appliance.causes import Cause
from appliance.t4.bits import reverse_bits
from appliance.t4.coding import minimum_row_bits, with_fill
from appliance.t4.page import Coding
from appliance.t30 import timers as limits
from appliance.t30.dce import Modulation, SendEcm, SendImage
from appliance.t30.ecm import KEEP_RATE_SHARE, PPR_LIMIT, EcmPage
from appliance.t30.fields import Facilities, rate_field
from appliance.t30.frames import Fcf, FrameMap, HdlcFrame, PartialPage
from appliance.t30.negotiation import FormatError, same_format, settings_for
from appliance.t30.parameters import Phase
from appliance.t30.sender_phase_b import SenderPhaseB
from appliance.t30.states import ReceiverState, SenderState
from appliance.t30.station import EventData, LineStimulus, Station, Table, Timer, go


class Sender(SenderPhaseB):
    """Sends the pages of a call."""

    def __init__(self, station: Station, polls: Callable[[Facilities], None]) -> None:
        super().__init__(station, polls)
        self._times_sent = 0  # this page
        self._end: Fcf | None = None  # command that closes the page; None before it is known
        # ECM
        self._ecm: EcmPage | None = None
        self._wanted: frozenset[int] | None = None  # frames of a repeat
        self._pprs = 0
        self._frames_owed = 0  # at this rate: the block's, or those that the last CTC left
        self._missed_first: int | None = None  # frames that the first PPR at this rate asked for
        self._least_missing = 0  # the fewest frames that a PPR for this block asked for
        self._fruitless = 0  # PPRs in a row that did not ask for fewer
        self._fruitful_at = 0.0  # when one last did, or the block began
        self._ctcs = 0  # for this block
        self._long_train = False  # after CTR
        self._rrs = 0
        self._not_ready_since: float | None = None  # the first RNR: T5 runs from here

    # -- phase C -----------------------------------------------------------------------------------

    def _send_page(self) -> None:
        station, settings = self.station, self._settings
        known = self._desk.get(self._index)
        assert settings is not None
        assert known is not None
        assert known.page is not None
        page = known.page
        station.phase = Phase.C
        self._end = None
        self._long_train = False
        self._times_sent += 1
        station.note(
            "page_sending",
            page=self._index + 1,
            rows=page.rows,
            octets=len(page.data),
            coding=page.coding.value,
            rate=settings.carrier.bit_rate,
            ecm=settings.ecm,
        )
        if not known.last:
            self._desk.ask(self._index + 1)
        if settings.ecm:
            self._ecm = EcmPage(reverse_bits(page.data), settings.frame_octets)
            self._first_of_block()
            return
        data = page.data
        row_bits = minimum_row_bits(settings.scan_ms, settings.carrier.bit_rate)
        if row_bits and page.coding is not Coding.MMR:
            data = with_fill(data, row_bits)
        station.send(SendImage(settings.carrier, self._short_train(), reverse_bits(data)), self._end_page)

    def _short_train(self) -> bool:
        """V.17 resynchronises once TCF has been passed (T.30 5.3.6.1.2 note, V.17 5); not after CTR."""
        assert self._settings is not None
        return self._settings.carrier.modulation is Modulation.V17 and not self._long_train

    def _end_page(self, _: EventData | None = None) -> None:
        """The page is out: says what comes next, once that is known."""
        end = self._what_follows()
        if end is None:
            self.state = SenderState.NEEDS_NEXT
            if not self.station.runs(Timer.PAGE):
                self.station.set(Timer.PAGE, limits.NEXT_PAGE_WAIT_S)
            return
        self._close_page(end)

    def _end_page_late(self, _: EventData) -> None:
        """The next page is not ready, or not permitted: EOM leaves phase B's time for it."""
        self._close_page(Fcf.EOM)

    def _what_follows(self) -> Fcf | None:
        """The post-message command, None while the next page is awaited."""
        known = self._desk.get(self._index)
        assert known is not None
        if known.last:
            return Fcf.EOM if self._poll_wanted else Fcf.EOP
        following = self._desk.get(self._index + 1)
        if following is None:
            return None
        if following.page is None:
            return Fcf.EOP
        if not self._may_begin(following):
            return None if self._refused is None else Fcf.EOM  # this page can still be confirmed
        if self._index + 1 in self.station.parameters.documents_begin:
            return Fcf.EOM
        assert self._common is not None
        assert self._carrier is not None
        assert self._settings is not None
        try:
            theirs = settings_for(following.page, self._common, self._carrier)
        except FormatError:
            return Fcf.EOM
        return Fcf.MPS if same_format(self._settings, theirs) else Fcf.EOM

    def _close_page(self, end: Fcf) -> None:
        station = self.station
        station.clear(Timer.PAGE)
        station.phase = Phase.D
        self._end = end
        known = self._desk.get(self._index)
        station.last_page_out |= known is not None and known.last
        if self._ecm is not None and self._settings is not None and self._settings.ecm:
            self._say_pps(end)
        else:
            self._command(HdlcFrame(end), SenderState.POST)

    # -- phase D -----------------------------------------------------------------------------------

    def _page_confirmed(self, _: EventData) -> None:
        """MCF: the next page, phase B after EOM, DCN after EOP."""
        self._next_page(train=False)

    def _page_confirmed_poor(self, _: EventData) -> None:
        """RTP: taken, but train again before the next page (T.30 5.3.6.1.6)."""
        self.station.note("rtp", page=self._index + 1)
        if self._end is Fcf.EOP:
            self._heard_from()
            self.station.pages_sent += 1
            self.station.finish(causes.LAST_PAGE_POOR)
            return
        self._next_page(train=True)

    def _next_page(self, *, train: bool) -> None:
        station = self.station
        self._heard_from()
        station.pages_sent += 1
        station.note("page_confirmed", page=self._index + 1)
        had = self._desk.get(self._index)
        self._last_confirmed = had is not None and had.last
        self._desk.drop(self._index)
        self._index += 1
        self._times_sent = 0
        self._ecm = None
        if self._end is Fcf.EOP:
            station.finish(causes.DELIVERED if self._last_confirmed else self._desk.failure)
        elif self._refused is not None:
            station.finish(self._refused)
        elif self._end is Fcf.EOM:
            self._await_dis()
        elif train:
            self._step_down()
            self._retrain()
        else:
            self._send_page()

    def _await_dis(self) -> None:
        """After EOM both ends are back in phase B, and the receiver speaks first."""
        self.station.phase = Phase.B
        self.state = SenderState.DIS
        self.station.set(Timer.T1, limits.T1_S)
        self.station.listen()

    def _page_refused(self, _: EventData) -> None:
        """RTN: the page goes again after training one rung down.

        T.30 figure 5-2 ends the call when it is the last page; sending that again too is the owner's
        choice.
        """
        station = self.station
        self._heard_from()
        station.note("rtn", page=self._index + 1)
        last = self._end is Fcf.EOP and not station.parameters.resend_last_page
        if last or self._times_sent >= limits.PAGE_ROUNDS:
            station.finish(causes.PAGE_REFUSED)
            return
        self._step_down()
        if self._end is Fcf.EOM:
            self._await_dis()
        else:
            self._retrain()

    def _interrupt_positive(self, fact: EventData) -> None:
        """PIP: the page is good, and an operator wants to speak.  Nobody is here: go on."""
        self.station.note("pip", page=self._index + 1)
        if self._end is Fcf.EOP:
            self.station.pages_sent += 1
            self.station.finish(causes.OPERATOR_WANTED)
        else:
            self._page_confirmed(fact)

    def _interrupt_negative(self, _: EventData) -> None:
        """PIN: the page is bad, and only an operator could help."""
        self.station.note("pin", page=self._index + 1)
        self.station.finish(causes.OPERATOR_WANTED)

    def _wait_on(self, _: EventData) -> None:
        """A response that did not survive: T4 goes on."""

    def _began_anew(self, fact: EventData) -> None:
        """DIS in place of a response: the receiver is back in phase B, and what it had of the page is lost.

        T.30 has no such answer.  Receivers in wide use give it after one command that a lost packet broke,
        and hang up at the next one; so the page goes again from its training on.
        """
        station = self.station
        self._heard_from()
        station.note("began_anew", page=self._index + 1)
        if self._times_sent >= limits.PAGE_ROUNDS:
            station.finish(self._cause_of_unconfirmed())
            return
        self._dis(fact)

    def _invalid_response(self, _: EventData) -> None:
        """A response that does not exist, its FCS right: DCN (T.30 5.4.2, TSB-85)."""
        self.station.finish(self._cause_of_unconfirmed())

    # -- ECM ---------------------------------------------------------------------------------------

    def _first_of_block(self) -> None:
        assert self._ecm is not None
        self._wanted, self._pprs, self._ctcs = None, 0, 0
        self._frames_owed = self._least_missing = self._ecm.frames_in_block
        self._missed_first, self._fruitless, self._fruitful_at = None, 0, self.station.now
        self._send_block()

    def _send_block(self) -> None:
        assert self._ecm is not None
        assert self._settings is not None
        self.station.phase = Phase.C
        frames = self._ecm.frames(self._wanted)
        order = SendEcm(self._settings.carrier, self._short_train(), frames)
        self._long_train = False
        self.station.send(order, self._block_sent)

    def _block_sent(self) -> None:
        assert self._ecm is not None
        self.station.phase = Phase.D
        if not self._ecm.last_block:
            self._say_pps(None)
        elif self._end is not None:
            self._say_pps(self._end)
        else:
            self._end_page()

    def _say_pps(self, end: Fcf | None) -> None:
        assert self._ecm is not None
        sent = self._ecm.frames_in_block if self._wanted is None else len(self._wanted)
        part = PartialPage(end, self.station.pages_sent & 0xFF, self._ecm.block & 0xFF, sent)
        self._command(HdlcFrame(Fcf.PPS, part.encode(self.station.x)), SenderState.PPS)

    def _block_confirmed(self, fact: EventData) -> None:
        """MCF: the next block; behind the last one the page is confirmed."""
        assert self._ecm is not None
        self._heard_from()
        if self._ecm.last_block:
            self._page_confirmed(fact)
            return
        self.station.note("block_confirmed", page=self._index + 1, block=self._ecm.block + 1)
        self._ecm.block += 1
        self._first_of_block()

    def _ppr(self, fact: EventData) -> None:
        """The receiver wants frames again (T.30 A.4.4)."""
        assert self._ecm is not None
        station = self.station
        asked = FrameMap.decode(fact.burst.fif(Fcf.PPR) or b"").wanted
        wanted = frozenset(n for n in asked if n < self._ecm.frames_in_block)
        self._heard_from()
        self._pprs += 1
        # A receiver that asks for nothing that exists waits for an image carrier all the same.
        self._wanted = wanted or frozenset({self._ecm.frames_in_block - 1})
        station.note("ppr", page=self._index + 1, block=self._ecm.block + 1, frames=len(wanted))
        if self._missed_first is None:
            self._missed_first = len(wanted)
        if len(wanted) < self._least_missing:
            self._least_missing, self._fruitless, self._fruitful_at = len(wanted), 0, station.now
        else:
            self._fruitless += 1
        if self._in_vain():
            self._give_block_up()
        elif self._pprs < PPR_LIMIT:
            station.frames_repeated += len(self._wanted)
            self._send_block()
        else:
            self._after_last_ppr(len(wanted))

    def _in_vain(self) -> bool:
        """Whether this block cannot succeed: neither at the rate of its page nor at another one."""
        too_long = self.station.now - self._fruitful_at > limits.FRUITLESS_S and self._ctcs > 0
        return self._fruitless >= limits.FRUITLESS_PPRS or (self._fruitless > 0 and too_long)

    def _give_block_up(self) -> None:
        """EOR: going on to the next page would deliver a fax with a hole, so it ends here."""
        self._command(HdlcFrame(Fcf.EOR, bytes((Fcf.EOP.value | self.station.x,))), SenderState.ERR)

    def _after_last_ppr(self, missing: int) -> None:
        """Four PPRs for one block: CTC at the same rate or a lower one, or EOR (T.30 A.1.3)."""
        assert self._carrier is not None
        assert self._settings is not None
        assert self._missed_first is not None
        through = self._frames_owed - missing
        repeats_came = missing < (self._frames_owed if self._ctcs else self._missed_first)
        keeps_rate = repeats_came and through >= self._frames_owed * KEEP_RATE_SHARE
        # V.27ter that let nothing through even after a CTC: at 2400 a block would take minutes each time.
        in_vain = through == 0 and self._ctcs > 0 and self._carrier.modulation is Modulation.V27TER
        if not keeps_rate and (in_vain or not self._step_down()):
            self._give_block_up()
            return
        if through == 0 and self._ctcs > 0:
            self._step_down()  # the next rung is hardly better than one that let nothing through
        self._settings = replace(self._settings, carrier=self._carrier)
        self.station.carrier_used = self._carrier
        self._frames_owed, self._missed_first = missing, None
        self._ctcs += 1
        self._command(HdlcFrame(Fcf.CTC, rate_field(self._carrier)), SenderState.CTR)

    def _ctr(self, _: EventData) -> None:
        """CTR: the frames that were asked for, at the rate of the CTC, with long training."""
        assert self._wanted is not None
        self.station.clear(Timer.T4)
        self._pprs = 0
        self._long_train = True
        self.station.frames_repeated += len(self._wanted)
        self._send_block()

    def _err(self, _: EventData) -> None:
        """ERR: DCN; the page has a hole."""
        self.station.finish(causes.ECM_GAVE_UP)

    def _rnr(self, _: EventData) -> None:
        """The receiver is not ready: ask again until it is, for T5 (T.30 A.5.4.1)."""
        station = self.station
        station.clear(Timer.T4)
        if self._not_ready_since is None:
            self._not_ready_since = station.now
        self._rrs += 1
        too_long = station.now - self._not_ready_since >= limits.T5_S
        if too_long or self._rrs > limits.RR_LIMIT:
            station.finish(causes.RECEIVER_BUSY_TOO_LONG)
            return
        station.note("receiver_not_ready")
        self._command(HdlcFrame(Fcf.RR), SenderState.RR)

    def _heard_from(self) -> None:
        """A response that is not RNR: nothing is waited for."""
        self.station.clear(Timer.T4)
        self._not_ready_since = None
        self._rrs = 0

    # -- the end -----------------------------------------------------------------------------------

    def _cause_of_silence(self) -> Cause:
        match self.state:
            case SenderState.CFR:
                return causes.TRAINING_UNANSWERED
            case SenderState.CTR | SenderState.ERR:
                return causes.ECM_GAVE_UP
        return self._cause_of_unconfirmed()

    def _cause_of_unconfirmed(self) -> Cause:
        known = self._desk.get(self._index)
        last = known is not None and known.last and self._end is not None
        return causes.LAST_PAGE_UNCONFIRMED if last else causes.PAGE_UNCONFIRMED

    def cause_when_left(self) -> Cause:
        station = self.station
        if station.phase is Phase.A:
            return causes.NO_FAX_ANSWERED
        known = self._desk.get(self._index)
        if self.state is SenderState.NEEDS_PAGE and (known is None or not self._may_begin(known)):
            return self._cause_of_lateness()  # it lost patience with us
        if station.phase is Phase.B and station.pages_sent == 0 and self._times_sent == 0:
            return causes.HUNG_UP_BEFORE_PAGES
        if station.phase is Phase.C:
            return causes.HUNG_UP_DURING_PAGE
        if station.phase is Phase.D and self._cause_of_unconfirmed() is causes.LAST_PAGE_UNCONFIRMED:
            return causes.LAST_PAGE_UNCONFIRMED
        return causes.HUNG_UP_AFTER_PAGE

    # -- what each state does -----------------------------------------------------------------------

    TABLE: ClassVar[Table] = {
        **SenderPhaseB.TABLE,
        SenderState.NEEDS_NEXT: {
            LineStimulus.PAGE: go(_end_page, SenderState.POST, SenderState.PPS),
            Timer.PAGE: go(_end_page_late, SenderState.POST, SenderState.PPS),
        },
        SenderState.POST: {
            Fcf.MCF: go(_page_confirmed, SenderState.POST, SenderState.NEEDS_NEXT, SenderState.DIS),
            Fcf.RTP: go(_page_confirmed_poor, SenderState.NEEDS_PAGE, SenderState.CFR, SenderState.DIS),
            Fcf.RTN: go(_page_refused, SenderState.NEEDS_PAGE, SenderState.CFR, SenderState.DIS),
            Fcf.PIP: go(
                _interrupt_positive,
                SenderState.POST,
                SenderState.PPS,
                SenderState.NEEDS_NEXT,
                SenderState.DIS,
            ),
            Fcf.PIN: go(_interrupt_negative),
            Fcf.CRP: go(SenderPhaseB._repeat),
            Fcf.DIS: go(_began_anew, SenderState.NEEDS_PAGE, SenderState.CFR, ReceiverState.COMMAND),
            LineStimulus.UNKNOWN: go(_invalid_response),
            LineStimulus.GARBLED: go(_wait_on),
            Timer.T4: go(SenderPhaseB._repeat),
        },
        SenderState.PPS: {
            Fcf.MCF: go(_block_confirmed, SenderState.PPS, SenderState.NEEDS_NEXT, SenderState.DIS),
            Fcf.PPR: go(_ppr, SenderState.PPS, SenderState.CTR, SenderState.ERR),
            Fcf.RNR: go(_rnr, SenderState.RR),
            Fcf.RTP: go(_page_confirmed_poor, SenderState.NEEDS_PAGE, SenderState.CFR, SenderState.DIS),
            Fcf.RTN: go(_page_refused, SenderState.NEEDS_PAGE, SenderState.CFR, SenderState.DIS),
            Fcf.PIP: go(
                _interrupt_positive,
                SenderState.POST,
                SenderState.PPS,
                SenderState.NEEDS_NEXT,
                SenderState.DIS,
            ),
            Fcf.PIN: go(_interrupt_negative),
            Fcf.CRP: go(SenderPhaseB._repeat),
            Fcf.DIS: go(_began_anew, SenderState.NEEDS_PAGE, SenderState.CFR, ReceiverState.COMMAND),
            LineStimulus.UNKNOWN: go(_invalid_response),
            LineStimulus.GARBLED: go(_wait_on),
            Timer.T4: go(SenderPhaseB._repeat),
        },
        SenderState.RR: {
            Fcf.MCF: go(_block_confirmed, SenderState.PPS, SenderState.NEEDS_NEXT, SenderState.DIS),
            Fcf.PPR: go(_ppr, SenderState.PPS, SenderState.CTR, SenderState.ERR),
            Fcf.RNR: go(_rnr, SenderState.RR),
            Fcf.ERR: go(_err),
            Fcf.PIP: go(
                _interrupt_positive,
                SenderState.POST,
                SenderState.PPS,
                SenderState.NEEDS_NEXT,
                SenderState.DIS,
            ),
            Fcf.PIN: go(_interrupt_negative),
            Fcf.CRP: go(SenderPhaseB._repeat),
            Fcf.DIS: go(_began_anew, SenderState.NEEDS_PAGE, SenderState.CFR, ReceiverState.COMMAND),
            Timer.T4: go(SenderPhaseB._repeat),
        },
        SenderState.CTR: {
            Fcf.CTR: go(_ctr, SenderState.PPS),
            Fcf.CRP: go(SenderPhaseB._repeat),
            Fcf.DIS: go(_began_anew, SenderState.NEEDS_PAGE, SenderState.CFR, ReceiverState.COMMAND),
            Timer.T4: go(SenderPhaseB._repeat),
        },
        SenderState.ERR: {
            Fcf.ERR: go(_err),
            Fcf.RNR: go(_rnr, SenderState.RR),
            Fcf.CRP: go(SenderPhaseB._repeat),
            Fcf.DIS: go(_began_anew, SenderState.NEEDS_PAGE, SenderState.CFR, ReceiverState.COMMAND),
            Timer.T4: go(SenderPhaseB._repeat),
        },
    }
