"""Sending one page with ECM: blocks, repeats on PPR, CTC and EOR (T.30 Annex A)."""

from __future__ import annotations

from typing import ClassVar

from appliance.causes import Cause
from appliance.t4.bits import reverse_bits
from appliance.t4.page import CodedPage
from appliance.t30 import causes
from appliance.t30 import timers as limits
from appliance.t30.dce import Modulation, SendEcm
from appliance.t30.ecm import KEEP_RATE_SHARE, PPR_LIMIT, EcmPage
from appliance.t30.field_codes import rate_field
from appliance.t30.frames import Fcf, FrameMap, HdlcFrame, PartialPage
from appliance.t30.link import Link
from appliance.t30.parameters import Phase
from appliance.t30.roles import EventData, Table, Timer, go
from appliance.t30.sender_page import PageTransfer
from appliance.t30.sender_role import SenderBase
from appliance.t30.states import SenderState


class EcmPageTransfer(PageTransfer):
    """Sends a page with ECM."""

    def __init__(self, sender: SenderBase, link: Link, page: CodedPage, *, last: bool) -> None:
        super().__init__(sender, SenderState.PPS, link, page, last=last)
        self._ecm = EcmPage(reverse_bits(page.data), link.settings.frame_octets)
        self._wanted: frozenset[int] = frozenset()  # frames to send: all of the block, or those of the PPR
        self._pprs = 0  # at this rate
        self._frames_owed = 0  # frames to deliver at this rate: all of the block, or the rest before CTC
        self._missed_first = 0  # frames that the first PPR at this rate asked for
        self._least_missing = 0  # the fewest frames that a PPR for this block asked for
        self._fruitless = 0  # PPRs in succession that did not ask for fewer
        self._fruitful_at = 0.0  # when one last did, or the block began, seconds
        self._ctcs = 0  # for this block
        self._rrs = 0
        self._not_ready_since: float | None = None  # the first RNR: T5 runs from here

    # -- blocks ------------------------------------------------------------------------------------

    def _send(self) -> None:
        """Sends all frames of the current block."""
        frames = self._ecm.frames_in_block
        self._wanted = frozenset(range(frames))
        self._pprs = self._ctcs = self._fruitless = 0
        self._frames_owed = self._least_missing = frames
        self._fruitful_at = self.station.now
        self._send_block()

    def _send_block(self) -> None:
        self.station.phase = Phase.C
        frames = self._ecm.frames(self._wanted)
        order = SendEcm(self._link.settings.carrier, self._short_train(), frames)
        self._long_train = False
        self.station.send(order, self._block_sent)

    def _block_sent(self) -> None:
        self.station.phase = Phase.D
        if not self._ecm.last_block:
            self._say_pps(None)
        elif self._end is not None:
            self._say_pps(self._end)
        else:
            self._end_page()

    def _say_end(self, end: Fcf) -> None:
        self._say_pps(end)

    def _say_pps(self, end: Fcf | None) -> None:
        block = self._ecm.block & 0xFF
        part = PartialPage(end, self.station.record.pages_sent & 0xFF, block, len(self._wanted))
        self._command(HdlcFrame(Fcf.PPS, part.encode(self.station.x)), SenderState.PPS)

    def _page_confirmed(self, fact: EventData) -> None:
        """MCF: the next block; after the last one the page is confirmed."""
        if self._ecm.last_block:
            super()._page_confirmed(fact)
            return
        self._heard_from()
        self.station.note("block_confirmed", page=self._number, block=self._ecm.block + 1)
        self._ecm.block += 1
        self._send()

    # -- repeats -----------------------------------------------------------------------------------

    def _ppr(self, fact: EventData) -> None:
        """The receiver wants frames again (T.30 A.4.4)."""
        station = self.station
        asked = FrameMap.decode(fact.burst.fif(Fcf.PPR) or b"").wanted
        wanted = frozenset(n for n in asked if n < self._ecm.frames_in_block)
        self._heard_from()
        self._pprs += 1
        # A PPR that asks for no frame of the block: the receiver waits for an image carrier all the same.
        self._wanted = wanted or frozenset({self._ecm.frames_in_block - 1})
        station.note("ppr", page=self._number, block=self._ecm.block + 1, frames=len(wanted))
        if self._pprs == 1:
            self._missed_first = len(wanted)
        if len(wanted) < self._least_missing:
            self._least_missing, self._fruitless, self._fruitful_at = len(wanted), 0, station.now
        else:
            self._fruitless += 1
        if self._in_vain():
            self._give_block_up()
        elif self._pprs < PPR_LIMIT:
            station.record.frames_repeated += len(self._wanted)
            self._send_block()
        else:
            self._after_last_ppr(len(wanted))

    def _in_vain(self) -> bool:
        """Whether repetition has not helped for so long that the block is to be given up."""
        too_long = self.station.now - self._fruitful_at > limits.FRUITLESS_S and self._ctcs > 0
        return self._fruitless >= limits.FRUITLESS_PPRS or (self._fruitless > 0 and too_long)

    def _give_block_up(self) -> None:
        """Sends EOR-EOP: to go on to the next page would deliver an incomplete fax."""
        self._command(HdlcFrame(Fcf.EOR, bytes((Fcf.EOP.value | self.station.x,))), SenderState.ERR)

    def _after_last_ppr(self, missing: int) -> None:
        """Four PPRs for one block: CTC at the same rate or a lower one, or EOR (T.30 A.1.3)."""
        ground = self._link.ground
        through = self._frames_owed - missing
        repeats_came = missing < (self._frames_owed if self._ctcs else self._missed_first)
        if not repeats_came or through < self._frames_owed * KEEP_RATE_SHARE:
            # No frame got through in V.27ter even after a CTC: at 2400 bit/s each attempt would take minutes.
            nothing = through == 0 and self._ctcs > 0
            slow = ground.carrier.modulation is Modulation.V27TER
            lower = None if nothing and slow else self._sender.below(ground)
            if lower is None:
                self._give_block_up()
                return
            # Where no frame got through, the next lower rate is hardly better: skip it.
            ground = (nothing and self._sender.below(lower)) or lower
        self._link = self._link.on(ground)
        self.station.record.carrier = ground.carrier
        self._frames_owed = missing
        self._ctcs += 1
        self._command(HdlcFrame(Fcf.CTC, rate_field(ground.carrier)), SenderState.CTR)

    def _ctr(self, _: EventData) -> None:
        """CTR: the frames that were asked for, at the rate of the CTC, with long training."""
        self.station.timers.stop(Timer.T4)
        self._pprs = 0
        self._long_train = True
        self.station.record.frames_repeated += len(self._wanted)
        self._send_block()

    def _err(self, _: EventData) -> None:
        """ERR: DCN; the page is incomplete."""
        self.station.finish(causes.ECM_GAVE_UP)

    # -- a receiver that is not ready --------------------------------------------------------------

    def _rnr(self, _: EventData) -> None:
        """The receiver is not ready: RR until it is, for T5 at most (T.30 A.5.4.1)."""
        station = self.station
        station.timers.stop(Timer.T4)
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
        """A response other than RNR arrived: T5 no longer runs."""
        super()._heard_from()
        self._not_ready_since = None
        self._rrs = 0

    def _cause_unanswered(self) -> Cause:
        if self.state in (SenderState.CTR, SenderState.ERR):
            return causes.ECM_GAVE_UP
        cause = super()._cause_unanswered()
        was_busy = cause is causes.PAGE_UNCONFIRMED and self.state is SenderState.RR
        return causes.RECEIVER_WENT_SILENT if was_busy else cause

    TABLE: ClassVar[Table] = {
        SenderState.NEEDS_NEXT: PageTransfer._NEEDS_NEXT,
        SenderState.PPS: {
            Fcf.MCF: go(_page_confirmed, SenderState.PPS, SenderState.NEEDS_NEXT, SenderState.DIS),
            Fcf.PPR: go(_ppr, SenderState.PPS, SenderState.CTR, SenderState.ERR),
            Fcf.RNR: go(_rnr, SenderState.RR),
            **PageTransfer._REFUSED_OR_POOR,
            **PageTransfer._AFTER_PAGE,
            **PageTransfer._AFTER_COMMAND,
        },
        SenderState.RR: {
            Fcf.MCF: go(_page_confirmed, SenderState.PPS, SenderState.NEEDS_NEXT, SenderState.DIS),
            Fcf.PPR: go(_ppr, SenderState.PPS, SenderState.CTR, SenderState.ERR),
            Fcf.RNR: go(_rnr, SenderState.RR),
            Fcf.ERR: go(_err),
            **PageTransfer._REFUSED_OR_POOR,
            **PageTransfer._AFTER_PAGE,
            **PageTransfer._AFTER_COMMAND,
        },
        SenderState.CTR: {
            Fcf.CTR: go(_ctr, SenderState.PPS),
            **PageTransfer._AFTER_COMMAND,
        },
        SenderState.ERR: {
            Fcf.ERR: go(_err),
            Fcf.RNR: go(_rnr, SenderState.RR),
            **PageTransfer._AFTER_COMMAND,
        },
    }
