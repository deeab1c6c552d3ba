"""Sending one page without ECM, and what pages with and without ECM share (T.30 phases C and D)."""

from __future__ import annotations

from typing import ClassVar

from appliance.causes import DELIVERED, Cause
from appliance.t4.bits import reverse_bits
from appliance.t4.coding import minimum_row_bits, with_fill
from appliance.t4.page import CodedPage, Coding
from appliance.t30 import causes
from appliance.t30 import timers as limits
from appliance.t30.asking import AskingRole
from appliance.t30.conversation import EndPermitted, PageDelivered
from appliance.t30.dce import Modulation, SendImage
from appliance.t30.frames import Fcf, HdlcFrame
from appliance.t30.link import Link
from appliance.t30.negotiation import FormatError
from appliance.t30.parameters import Phase
from appliance.t30.roles import EventData, LineStimulus, Reaction, Stimulus, Table, Timer, go
from appliance.t30.sender_role import SenderBase
from appliance.t30.states import ReceiverState, SenderState


class PageTransfer(AskingRole):
    """Sends one page and handles the response to it; ``last`` when no other page follows."""

    def __init__(
        self, sender: SenderBase, state: SenderState, link: Link, page: CodedPage, *, last: bool
    ) -> None:
        super().__init__(sender.station, state, sender.answers)
        self._sender = sender
        self._desk = sender.desk
        self._link = link
        self._page = page
        self._last = last
        self._answered_in = state
        self._end: Fcf | None = None  # post-message command, None before it is known
        self._long_train = False  # after CTR

    def _send(self) -> None:
        """Sends the data of the page."""
        raise NotImplementedError

    def _say_end(self, end: Fcf) -> None:
        """Sends the post-message command."""
        raise NotImplementedError

    # -- phase C -----------------------------------------------------------------------------------

    def begin(self) -> None:
        """Begins phase C."""
        station, page, settings = self.station, self._page, self._link.settings
        station.part = self
        station.phase = Phase.C
        self._desk.times_sent += 1
        station.note(
            "page_sending",
            page=self._number,
            rows=page.rows,
            octets=len(page.data),
            coding=page.coding.value,
            rate=settings.carrier.bit_rate,
            ecm=settings.ecm,
        )
        if not self._last:
            self._desk.ask(self._desk.index + 1)
        self._send()

    @property
    def _number(self) -> int:
        """The number of this page, from 1."""
        return self._desk.index + 1

    def _short_train(self) -> bool:
        """Whether to use short training: V.17 after a good TCF (T.30 5.3.6.1.2 note), not after CTR."""
        return self._link.settings.carrier.modulation is Modulation.V17 and not self._long_train

    def _end_page(self, _: EventData | None = None) -> None:
        """The page was sent: sends the post-message command, once it is known."""
        end = self._what_follows()
        if end is None:
            self.state = SenderState.NEEDS_NEXT
            if not self.station.timers.runs(Timer.PAGE):
                self.station.timers.start(Timer.PAGE, limits.NEXT_PAGE_WAIT_S)
            return
        self._close_page(end)

    def _end_page_late(self, _: EventData) -> None:
        """The next page is not ready, or not permitted: EOM, so that phase B gives it more time."""
        self._close_page(Fcf.EOM)

    def page_delivered(self, event: PageDelivered) -> None:
        if self._desk.delivered(event):
            self._page_may_be_ready()

    def end_permitted(self, event: EndPermitted) -> None:
        self._desk.permission(event.refused)
        self._page_may_be_ready()

    def _page_may_be_ready(self) -> None:
        if self.state is SenderState.NEEDS_NEXT and not self.station.talks:
            self.take(LineStimulus.PAGE)

    def _what_follows(self) -> Fcf | None:
        """The post-message command, None while it depends on a page that has not been delivered."""
        if self._last:
            return Fcf.EOM if self._sender.poll_wanted else Fcf.EOP
        following = self._desk.following
        if following is None:
            return None
        if following.page is None:
            return Fcf.EOP
        if not self._desk.may_begin(following):
            return None if self._desk.refused is None else Fcf.EOM  # the current page can still be confirmed
        if self._desk.index + 1 in self.station.parameters.documents_begin:
            return Fcf.EOM
        try:
            return Fcf.MPS if self._link.serves(following.page) else Fcf.EOM
        except FormatError:
            return Fcf.EOM

    def _close_page(self, end: Fcf) -> None:
        station = self.station
        station.timers.stop(Timer.PAGE)
        station.phase = Phase.D
        self._end = end
        station.record.last_page_out |= self._last
        self.state = self._answered_in  # at once: whoever leaves now still hears the answer
        self._say_end(end)

    # -- phase D -----------------------------------------------------------------------------------

    def _page_confirmed(self, _: EventData) -> None:
        """MCF: the next page, phase B after EOM, DCN after EOP."""
        self._next_page(train=False)

    def _page_confirmed_poor(self, fact: EventData) -> None:
        """RTP: the page is accepted; training precedes the next one (T.30 5.3.6.1.6).

        Between two blocks of a page it refuses it: whoever trains anew begins a page anew.
        """
        self.station.note("rtp", page=self._number)
        if self._end is None:
            self._page_refused(fact)
            return
        if self._end is Fcf.EOP:
            self._heard_from()
            self.station.record.pages_sent += 1
            self.station.finish(causes.LAST_PAGE_POOR)
            return
        self._next_page(train=True)

    def _next_page(self, *, train: bool) -> None:
        station, desk, ground = self.station, self._desk, self._link.ground
        self._heard_from()
        station.record.pages_sent += 1
        station.note("page_confirmed", page=self._number)
        desk.confirmed()
        if self._end is Fcf.EOP:
            station.finish(DELIVERED if desk.all_confirmed else desk.failure)
        elif desk.refused is not None:
            station.finish(desk.refused)
        elif self._end is Fcf.EOM:
            self._sender.identification.await_dis(ground)
        elif train:
            self._sender.identification.retrain(self._sender.below(ground) or ground)
        else:
            self._sender.send(self._link)

    def _page_refused(self, _: EventData) -> None:
        """RTN: the page is sent again after training at the next lower rate.

        T.30 figure 5-2 ends the call when it is the last page; whether to send that again is a parameter of
        the call (``resend_last_page``).
        """
        station = self.station
        self._heard_from()
        station.note("rtn", page=self._number)
        last = self._end is Fcf.EOP and not station.parameters.resend_last_page
        if last or self._desk.times_sent >= limits.PAGE_ROUNDS:
            station.finish(causes.PAGE_REFUSED)
            return
        ground = self._sender.below(self._link.ground) or self._link.ground
        if self._end is Fcf.EOM:
            self._sender.identification.await_dis(ground)
        else:
            self._sender.identification.retrain(ground)

    def _interrupt_positive(self, fact: EventData) -> None:
        """PIP: page or block is accepted, and an operator asks to speak.  The call goes on: there is none."""
        self.station.note("pip", page=self._number)
        if self._end is Fcf.EOP:
            self.station.record.pages_sent += 1
            self.station.finish(causes.OPERATOR_WANTED)
        else:
            self._page_confirmed(fact)

    def _interrupt_negative(self, _: EventData) -> None:
        """PIN: the page is refused, and an operator asks to speak: the call ends."""
        self.station.note("pin", page=self._number)
        self.station.finish(causes.OPERATOR_WANTED)

    def _wait_on(self, _: EventData) -> None:
        """A garbled response: T4 runs on."""

    def _began_anew(self, fact: EventData) -> None:
        """DIS instead of a response: the receiver is back in phase B, the page is trained for and sent again.

        T.30 does not provide for it.  Receivers in wide use do so after one command that a lost packet
        damaged, discard the page, and hang up at the next command.
        """
        station = self.station
        self._heard_from()
        station.note("began_anew", page=self._number)
        if self._desk.times_sent >= limits.PAGE_ROUNDS:
            station.finish(self._cause_unanswered())
            return
        self._sender.identification.dis_in_place_of_answer(self._link.ground, fact)

    def _invalid_response(self, _: EventData) -> None:
        """An undefined response with a correct FCS: DCN (T.30 5.4.2, TSB-85)."""
        self.station.finish(self._cause_unanswered())

    def _heard_from(self) -> None:
        """A response arrived."""
        self.station.timers.stop(Timer.T4)

    # -- the end -----------------------------------------------------------------------------------

    def _last_page_is_out(self) -> bool:
        return self._last and self._end is not None

    def _cause_unanswered(self) -> Cause:
        if self._last_page_is_out():
            return causes.LAST_PAGE_UNCONFIRMED
        return self._by_what_was_heard(causes.PAGE_UNCONFIRMED)

    @property
    def has_ended_page(self) -> bool:
        return self._end is not None

    def cause_when_left(self) -> Cause:
        phase = self.station.phase
        if phase is Phase.C:
            return causes.HUNG_UP_DURING_PAGE
        if phase is Phase.D and self._last_page_is_out():
            return causes.LAST_PAGE_UNCONFIRMED
        return causes.HUNG_UP_AFTER_PAGE

    # -- parts of the tables of both kinds of pages --------------------------------------------------

    _NEEDS_NEXT: ClassVar[dict[Stimulus, Reaction]] = {
        LineStimulus.PAGE: go(_end_page, SenderState.POST, SenderState.PPS),
        Timer.PAGE: go(_end_page_late, SenderState.POST, SenderState.PPS),
    }
    _AFTER_PAGE: ClassVar[dict[Stimulus, Reaction]] = {
        Fcf.PIP: go(
            _interrupt_positive, SenderState.POST, SenderState.PPS, SenderState.NEEDS_NEXT, SenderState.DIS
        ),
        Fcf.PIN: go(_interrupt_negative),
    }
    _AFTER_COMMAND: ClassVar[dict[Stimulus, Reaction]] = {
        Fcf.CRP: go(AskingRole._repeat),
        Fcf.DIS: go(_began_anew, SenderState.NEEDS_PAGE, SenderState.CFR, ReceiverState.COMMAND),
        Timer.T4: go(AskingRole._repeat),
    }
    _REFUSED_OR_POOR: ClassVar[dict[Stimulus, Reaction]] = {
        Fcf.RTP: go(_page_confirmed_poor, SenderState.NEEDS_PAGE, SenderState.CFR, SenderState.DIS),
        Fcf.RTN: go(_page_refused, SenderState.NEEDS_PAGE, SenderState.CFR, SenderState.DIS),
        LineStimulus.UNKNOWN: go(_invalid_response),
        LineStimulus.GARBLED: go(_wait_on),
    }


class PlainPage(PageTransfer):
    """Sends a page without ECM."""

    def __init__(self, sender: SenderBase, link: Link, page: CodedPage, *, last: bool) -> None:
        super().__init__(sender, SenderState.POST, link, page, last=last)

    def _send(self) -> None:
        page, settings = self._page, self._link.settings
        data = page.data
        row_bits = minimum_row_bits(settings.scan_ms, settings.carrier.bit_rate)
        if row_bits and page.coding is not Coding.MMR:
            data = with_fill(data, row_bits)
        order = SendImage(settings.carrier, self._short_train(), reverse_bits(data))
        self.station.send(order, self._end_page)

    def _say_end(self, end: Fcf) -> None:
        self._command(HdlcFrame(end), SenderState.POST)

    TABLE: ClassVar[Table] = {
        SenderState.NEEDS_NEXT: PageTransfer._NEEDS_NEXT,
        SenderState.POST: {
            Fcf.MCF: go(
                PageTransfer._page_confirmed, SenderState.POST, SenderState.NEEDS_NEXT, SenderState.DIS
            ),
            **PageTransfer._REFUSED_OR_POOR,
            **PageTransfer._AFTER_PAGE,
            **PageTransfer._AFTER_COMMAND,
        },
    }
