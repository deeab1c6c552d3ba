"""The transmitting side: phase B from the receiver's DIS or DTC on, pages, and their confirmation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import ClassVar

from appliance import causes
from appliance.causes import Cause
from appliance.t4.coding import minimum_row_bits, with_fill
from appliance.t4.page import CodedPage, Coding
from appliance.t30 import timers as limits
from appliance.t30.dce import Carrier, Modulation, SendEcm, SendImage
from appliance.t30.ecm import PPR_LIMIT, EcmPage, reverse_bits
from appliance.t30.fields import Facilities, Settings, rate_field
from appliance.t30.frames import Fcf, FrameMap, HdlcFrame, PartialPage, decode_ident, encode_ident
from appliance.t30.ladder import below, rungs
from appliance.t30.negotiation import Common, FormatError, in_common, same_format, settings_for
from appliance.t30.parameters import Accepts, Phase
from appliance.t30.station import Fact, Happening, PageDelivered, Part, Station, Stimulus, Timer
from appliance.t30.tcf import tcf_octets


class S(Enum):
    """What the sender waits for."""

    CALLING = "waits for DIS"
    NEEDS_PAGE = "waits for a page to send"
    CFR = "waits for CFR"
    NEEDS_NEXT = "waits to know what follows the page"
    POST = "waits for the page's confirmation"
    PPS = "waits for the block's confirmation"
    RR = "waits for the receiver to be ready"
    CTR = "waits for CTR"
    ERR = "waits for ERR"
    DIS = "waits for DIS after EOM"


@dataclass
class _Page:
    page: CodedPage | None  # None: cannot be had
    last: bool


class Sender(Part):
    """Sends the pages of a call.

    ``polls`` is called with the far end's DIS when there is (or remains) a poll to make, and hands the
    call to the receiving part.
    """

    TABLE: ClassVar[dict[Enum, dict[Stimulus, str]]] = {
        S.CALLING: {
            Fcf.DIS: "_dis",
            Timer.T1: "_nobody",
        },
        S.NEEDS_PAGE: {
            Happening.PAGE: "_train_when_quiet",
            Fcf.DIS: "_train_when_quiet",
            Fcf.DTC: "_train_when_quiet",
            Happening.GARBLED: "_train_when_quiet",
            Happening.QUIET: "_train_when_quiet",
            Timer.PAGE: "_page_too_late",
        },
        S.CFR: {
            Fcf.CFR: "_cfr",
            Fcf.FTT: "_ftt",
            Fcf.DIS: "_repeat",
            Fcf.DTC: "_repeat",
            Fcf.CRP: "_repeat",
            Timer.T4: "_repeat",
        },
        S.NEEDS_NEXT: {
            Happening.PAGE: "_end_page",
            Timer.PAGE: "_end_page_late",
        },
        S.POST: {
            Fcf.MCF: "_page_confirmed",
            Fcf.RTP: "_page_confirmed_poor",
            Fcf.RTN: "_page_refused",
            Fcf.PIP: "_interrupt_positive",
            Fcf.PIN: "_interrupt_negative",
            Fcf.CRP: "_repeat",
            Happening.UNKNOWN: "_invalid_response",
            Happening.GARBLED: "_wait_on",
            Timer.T4: "_repeat",
        },
        S.PPS: {
            Fcf.MCF: "_block_confirmed",
            Fcf.PPR: "_ppr",
            Fcf.RNR: "_rnr",
            Fcf.RTP: "_page_confirmed_poor",
            Fcf.RTN: "_page_refused",
            Fcf.PIP: "_interrupt_positive",
            Fcf.PIN: "_interrupt_negative",
            Fcf.CRP: "_repeat",
            Happening.UNKNOWN: "_invalid_response",
            Happening.GARBLED: "_wait_on",
            Timer.T4: "_repeat",
        },
        S.RR: {
            Fcf.MCF: "_block_confirmed",
            Fcf.PPR: "_ppr",
            Fcf.RNR: "_rnr",
            Fcf.ERR: "_err",
            Fcf.PIP: "_interrupt_positive",
            Fcf.PIN: "_interrupt_negative",
            Fcf.CRP: "_repeat",
            Timer.T4: "_repeat",
            Timer.T5: "_not_ready_too_long",
        },
        S.CTR: {
            Fcf.CTR: "_ctr",
            Fcf.CRP: "_repeat",
            Timer.T4: "_repeat",
        },
        S.ERR: {
            Fcf.ERR: "_err",
            Fcf.RNR: "_rnr",
            Fcf.CRP: "_repeat",
            Timer.T4: "_repeat",
        },
        S.DIS: {
            Fcf.DIS: "_dis",
            Fcf.DTC: "_dtc",
            Timer.T1: "_nobody",
        },
    }

    def __init__(self, station: Station, polls: Callable[[Facilities], None]) -> None:
        super().__init__(station, S.CALLING)
        self._polls = polls
        self._poll_wanted = station.parameters.poll
        self._common: Common | None = None
        self._far_sub = self._far_sid = False
        self._carrier: Carrier | None = None  # rung in use
        self._settings: Settings | None = None  # of the last DCS
        self._index = 0  # page being sent
        self._pages: dict[int, _Page] = {}
        self._fetching: dict[int, int] = {}  # ticket: page
        self._accepts: Accepts | None = None
        self._rounds = 0  # times this page was sent
        self._phase_b_rounds = 0
        self._end: Fcf | None = None  # command that closes the page; None before it is known
        # ECM
        self._ecm: EcmPage | None = None
        self._wanted: frozenset[int] | None = None
        self._pprs = 0
        self._long_train = False  # after CTR
        self._rrs = 0
        # The command under way
        self._again: Callable[[], None] = self._nothing_to_repeat
        self._tries = 0

    # -- phase A and B -----------------------------------------------------------------------------

    def call(self) -> None:
        """A calling station's start: CNG, and a DIS is waited for."""
        station = self.station
        if self._poll_wanted:
            own = station.parameters.capabilities
            self._accepts = in_common(own, Facilities()).accepts
            self._fetch(0)  # has this call anything to send, or only to poll?
        station.sound_cng()
        station.set(Timer.T1, limits.T1_S)

    def answer_poll(self, wanted: Facilities) -> None:
        """An answering station's start, once the caller has sent DTC."""
        self._begin(wanted)

    def _nobody(self, _: Fact) -> None:
        silent = self.station.phase is Phase.A
        self.station.finish(causes.NO_FAX_ANSWERED if silent else causes.HUNG_UP_AFTER_PAGE)

    def _dis(self, fact: Fact) -> None:
        """The far end's identification (T.30 5.3.6.1.1)."""
        station = self.station
        station.clear(Timer.T1)
        station.x = True
        station.phase = Phase.B
        theirs = Facilities.decode(fact.burst.fif(Fcf.DIS) or b"")
        csi = fact.burst.fif(Fcf.CSI)
        if csi is not None:
            station.remote_id = decode_ident(csi)
            station.note("remote_id", id=station.remote_id)
        station.note("dis", facilities=theirs.describe())
        self._phase_b_rounds += 1
        if self._phase_b_rounds > limits.PHASE_B_ROUNDS:
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
        known = self._pages.get(self._index)
        if known is not None:
            return known.page is None and self._index == 0
        before = self._pages.get(self._index - 1)
        return before is not None and before.last

    def _dtc(self, fact: Fact) -> None:
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
        if common.accepts != self._accepts:
            self._accepts = common.accepts
            self._pages = {n: p for n, p in self._pages.items() if p.page is None and n == 0}
            self._fetching = {}
        self._tries = 0
        self.state = S.NEEDS_PAGE
        self._fetch(self._index)
        if self._index not in self._pages:
            station.set(Timer.PAGE, limits.PAGE_WAIT_S)
            station.listen()
        self._train_when_quiet()

    def _fetch(self, number: int) -> None:
        if number in self._pages or number in self._fetching.values() or self._accepts is None:
            return
        self._fetching[self.station.fetch(number, self._accepts)] = number

    def page_delivered(self, event: PageDelivered) -> None:
        number = self._fetching.pop(event.ticket, None)
        if number is None:
            return  # asked for before the receiver's abilities changed
        self._pages[number] = _Page(event.page, event.last)
        if self.state in (S.NEEDS_PAGE, S.NEEDS_NEXT) and not self.station.talks:
            self.take(Happening.PAGE)

    def _train_when_quiet(self, _: Fact | None = None) -> None:
        """DCS and TCF, as soon as the page is there and the line is free."""
        station = self.station
        known = self._pages.get(self._index)
        if known is None or station.heard is not None or station.talks:
            return
        station.clear(Timer.PAGE)
        if known.page is None:
            station.finish(causes.PAGE_UNAVAILABLE)
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
        self._try(self._train)

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
        carrier = settings.carrier
        self.station.say(
            tuple(frames),
            lambda: self.station.send_tcf(carrier, tcf_octets(carrier), lambda: self._await(S.CFR)),
        )

    # -- commands and their repeats ----------------------------------------------------------------

    def _try(self, command: Callable[[], None]) -> None:
        """Gives a command for the first time."""
        self._again, self._tries = command, 1
        command()

    def _repeat(self, _: Fact) -> None:
        """No valid response: the same again, three times in all (T.30 5.4.3)."""
        if self._tries >= limits.TRIES:
            self.station.finish(self._cause_of_silence())
            return
        self._tries += 1
        self.station.clear(Timer.T4)
        self._again()

    def _await(self, state: S) -> None:
        self.state = state
        self.station.set(Timer.T4, limits.T4_S)
        self.station.listen()

    def _command(self, frame: HdlcFrame, state: S) -> None:
        self._try(lambda: self.station.say((frame,), lambda: self._await(state)))

    def _nothing_to_repeat(self) -> None:
        """Before the first command."""

    def _wait_on(self, _: Fact) -> None:
        """A response that did not survive: T4 goes on."""

    def _invalid_response(self, _: Fact) -> None:
        """A response that does not exist, its FCS right: DCN (T.30 5.4.2, TSB-85)."""
        self.station.finish(self._cause_of_unconfirmed())

    def _cause_of_silence(self) -> Cause:
        match self.state:
            case S.CFR:
                return causes.TRAINING_UNANSWERED
            case S.CTR | S.ERR:
                return causes.ECM_GAVE_UP
        return self._cause_of_unconfirmed()

    def _cause_of_unconfirmed(self) -> Cause:
        known = self._pages.get(self._index)
        last = known is not None and known.last and self._end is not None
        return causes.LAST_PAGE_UNCONFIRMED if last else causes.PAGE_UNCONFIRMED

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

    # -- training ----------------------------------------------------------------------------------

    def _ftt(self, _: Fact) -> None:
        self.station.clear(Timer.T4)
        if self._step_down():
            self._retrain()
        else:
            self.station.finish(causes.TRAINING_FAILED)

    def _retrain(self) -> None:
        self.station.note("retrain")
        self.station.phase = Phase.B
        self.state = S.NEEDS_PAGE
        self._train_when_quiet()

    def _cfr(self, _: Fact) -> None:
        self.station.clear(Timer.T4)
        self.station.note("trained", rate=self._carrier.bit_rate if self._carrier else 0)
        self._long_train = False
        self._phase_b_rounds = 0
        self._send_page()

    # -- phase C -----------------------------------------------------------------------------------

    def _send_page(self) -> None:
        station, settings = self.station, self._settings
        known = self._pages[self._index]
        assert settings is not None
        assert known.page is not None
        page = known.page
        station.phase = Phase.C
        self._end = None
        self._rounds += 1
        station.note(
            "page_sending", page=self._index + 1, rows=page.rows, octets=len(page.data),
            coding=page.coding.value, rate=settings.carrier.bit_rate, ecm=settings.ecm,
        )  # fmt: skip
        if not known.last:
            self._fetch(self._index + 1)
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

    def _end_page(self, _: Fact | None = None) -> None:
        """The page is out: says what comes next, once that is known."""
        end = self._what_follows()
        if end is None:
            self.state = S.NEEDS_NEXT
            if not self.station.runs(Timer.PAGE):
                self.station.set(Timer.PAGE, limits.NEXT_PAGE_WAIT_S)
            return
        self._close_page(end)

    def _end_page_late(self, _: Fact) -> None:
        """The next page is not ready: EOM leaves phase B's time for it."""
        self._close_page(Fcf.EOM)

    def _what_follows(self) -> Fcf | None:
        """The post-message command, None while the next page is awaited."""
        known = self._pages[self._index]
        if known.last:
            return Fcf.EOM if self._poll_wanted else Fcf.EOP
        following = self._pages.get(self._index + 1)
        if following is None:
            return None
        if following.page is None:
            return Fcf.EOP
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
        if self._ecm is not None and self._settings is not None and self._settings.ecm:
            self._say_pps(end)
        else:
            self._command(HdlcFrame(end), S.POST)

    # -- phase D -----------------------------------------------------------------------------------

    def _page_confirmed(self, _: Fact) -> None:
        self._next_page(train=False)

    def _page_confirmed_poor(self, _: Fact) -> None:
        """RTP: taken, but train again before the next page (T.30 5.3.6.1.6)."""
        self.station.note("rtp", page=self._index + 1)
        if self._end is Fcf.EOP:
            self.station.clear(Timer.T4, Timer.T5)
            self.station.pages_sent += 1
            self.station.finish(causes.LAST_PAGE_POOR)
            return
        self._next_page(train=True)

    def _next_page(self, *, train: bool) -> None:
        station = self.station
        station.clear(Timer.T4, Timer.T5)
        station.pages_sent += 1
        station.note("page_confirmed", page=self._index + 1)
        had = self._pages.pop(self._index)
        self._index += 1
        self._rounds = 0
        self._ecm = None
        if self._end is Fcf.EOP:
            station.finish(causes.DELIVERED if had.last else causes.PAGE_UNAVAILABLE)
        elif self._end is Fcf.EOM:
            if had.last:  # only a poll remains
                self._pages[self._index - 1] = had
            self._await_dis()
        elif train:
            self._step_down()
            self._retrain()
        else:
            self._send_page()

    def _await_dis(self) -> None:
        """After EOM both ends are back in phase B, and the receiver speaks first."""
        self.station.phase = Phase.B
        self.state = S.DIS
        self.station.set(Timer.T1, limits.T1_S)
        self.station.listen()

    def _page_refused(self, _: Fact) -> None:
        """RTN: the page goes again after training one rung down.

        T.30 figure 5-2 ends the call when it is the last page; sending that again too is the owner's
        choice.
        """
        station = self.station
        station.clear(Timer.T4, Timer.T5)
        station.note("rtn", page=self._index + 1)
        last = self._end is Fcf.EOP and not station.parameters.resend_last_page
        if last or self._rounds >= limits.PAGE_ROUNDS:
            station.finish(causes.PAGE_REFUSED)
            return
        self._step_down()
        if self._end is Fcf.EOM:
            self._await_dis()
        else:
            self._retrain()

    def _interrupt_positive(self, fact: Fact) -> None:
        """PIP: the page is good, and an operator wants to speak.  Nobody is here: go on."""
        self.station.note("pip", page=self._index + 1)
        if self._end is Fcf.EOP:
            self.station.pages_sent += 1
            self.station.finish(causes.OPERATOR_WANTED)
        else:
            self._page_confirmed(fact)

    def _interrupt_negative(self, _: Fact) -> None:
        """PIN: the page is bad, and only an operator could help."""
        self.station.note("pin", page=self._index + 1)
        self.station.finish(causes.OPERATOR_WANTED)

    # -- ECM ---------------------------------------------------------------------------------------

    def _first_of_block(self) -> None:
        self._wanted, self._pprs = None, 0
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
        self._command(HdlcFrame(Fcf.PPS, part.encode(self.station.x)), S.PPS)

    def _block_confirmed(self, fact: Fact) -> None:
        assert self._ecm is not None
        self.station.clear(Timer.T4, Timer.T5)
        self._rrs = 0
        if self._ecm.last_block:
            self._page_confirmed(fact)
            return
        self.station.note("block_confirmed", page=self._index + 1, block=self._ecm.block + 1)
        self._ecm.block += 1
        self._first_of_block()

    def _ppr(self, fact: Fact) -> None:
        """The receiver wants frames again (T.30 A.4.4)."""
        assert self._ecm is not None
        assert self._carrier is not None
        assert self._settings is not None
        station = self.station
        asked = FrameMap.decode(fact.burst.fif(Fcf.PPR) or b"").wanted
        wanted = frozenset(n for n in asked if n < self._ecm.frames_in_block)
        if not wanted:
            self._repeat(fact)  # asks for nothing that exists
            return
        station.clear(Timer.T4, Timer.T5)
        self._rrs = 0
        self._pprs += 1
        self._wanted = wanted
        station.note("ppr", page=self._index + 1, block=self._ecm.block + 1, frames=len(wanted))
        if self._pprs < PPR_LIMIT:
            station.frames_repeated += len(wanted)
            self._send_block()
        elif self._step_down():
            self._settings = replace(self._settings, carrier=self._carrier)
            station.carrier_used = self._carrier
            self._command(HdlcFrame(Fcf.CTC, rate_field(self._carrier)), S.CTR)
        else:
            # Going on to the next page would deliver a fax with a hole: it ends here.
            self._command(HdlcFrame(Fcf.EOR, bytes((Fcf.EOP.value | station.x,))), S.ERR)

    def _ctr(self, _: Fact) -> None:
        assert self._wanted is not None
        self.station.clear(Timer.T4)
        self._pprs = 0
        self._long_train = True
        self.station.frames_repeated += len(self._wanted)
        self._send_block()

    def _err(self, _: Fact) -> None:
        self.station.finish(causes.ECM_GAVE_UP)

    def _rnr(self, _: Fact) -> None:
        """The receiver is not ready: ask again until it is, for T5 (T.30 A.5.4.1)."""
        station = self.station
        station.clear(Timer.T4)
        if not station.runs(Timer.T5):
            station.set(Timer.T5, limits.T5_S)
        self._rrs += 1
        if self._rrs > limits.RR_LIMIT:
            station.finish(causes.RECEIVER_BUSY_TOO_LONG)
            return
        station.note("receiver_not_ready")
        self._command(HdlcFrame(Fcf.RR), S.RR)

    def _not_ready_too_long(self, _: Fact) -> None:
        self.station.finish(causes.RECEIVER_BUSY_TOO_LONG)

    # -- the end -----------------------------------------------------------------------------------

    def _page_too_late(self, _: Fact) -> None:
        self.station.finish(causes.PAGE_UNAVAILABLE)

    def cause_when_left(self) -> Cause:
        station = self.station
        if station.phase is Phase.A:
            return causes.NO_FAX_ANSWERED
        if self.state is S.NEEDS_PAGE and self._index not in self._pages:
            return causes.PAGE_UNAVAILABLE  # it lost patience with us
        if station.phase is Phase.B and station.pages_sent == 0 and self._rounds == 0:
            return causes.HUNG_UP_BEFORE_PAGES
        if station.phase is Phase.C:
            return causes.HUNG_UP_DURING_PAGE
        if station.phase is Phase.D and self._cause_of_unconfirmed() is causes.LAST_PAGE_UNCONFIRMED:
            return causes.LAST_PAGE_UNCONFIRMED
        return causes.HUNG_UP_AFTER_PAGE
