"""The receiving side in phases C and D: receives pages, with and without ECM, until they are complete."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import ClassVar

from appliance.causes import Cause
from appliance.t4.page import SCAN_LINE_PIXELS
from appliance.t4.tolerant import ReceivedRows
from appliance.t30 import causes
from appliance.t30 import timers as limits
from appliance.t30.dce import Expect, Modulation
from appliance.t30.ecm import EcmBlock
from appliance.t30.fields import FieldError, Settings
from appliance.t30.frames import Fcf, FrameError, PartialPage, decode_end
from appliance.t30.intake import (
    EcmIntake,
    Intake,
    LineTooLongError,
    PageTooLargeError,
    PlainIntake,
    UnreadablePageError,
)
from appliance.t30.parameters import Phase
from appliance.t30.quality import Verdict, judge
from appliance.t30.receiver_confirming import PageConfirmation
from appliance.t30.receiver_role import SAME_AS, ReceiverBase, ReceivingRole
from appliance.t30.roles import Burst, EventData, LineStimulus, Reaction, Stimulus, Table, Timer, go
from appliance.t30.states import ReceiverState


class PageReception(ReceivingRole):
    """Receives pages with the settings of one DCS, until the next one."""

    def __init__(self, receiver: ReceiverBase, settings: Settings) -> None:
        super().__init__(receiver, ReceiverState.PAGE)
        self._settings = settings
        self._intake: Intake | None = None  # the page under way
        self._page_open = False  # an image carrier was heard since the last reply
        self._astray = False  # and a command that cannot be obeyed
        self._confirmation = PageConfirmation(receiver, settings, self.expect)
        # ECM
        self._long_train = False  # after CTR
        self._carriers = 0  # image carriers since the last reply
        self._missed = False  # a carrier that did not train came since then
        self._pprs = 0
        self._ctcs = 0  # since a block was confirmed or given up
        self._confirmed_data: bytes | None = None  # SHA-256 of the last confirmed block

    # -- phase C -----------------------------------------------------------------------------------

    def expect(self) -> None:
        """Listens for a page, or for more of it."""
        station, settings = self.station, self._settings
        station.part = self
        self.state = ReceiverState.PAGE
        self._page_open = self._astray = False
        self._carriers, self._missed = 0, False
        station.timers.start(Timer.T2, limits.T2_S)
        short = settings.carrier.modulation is Modulation.V17 and not self._long_train
        expect = Expect.FRAMES if settings.ecm else Expect.IMAGE
        station.listen_fast(settings.carrier, expect, short_train=short)

    def _page_begins(self, fact: EventData) -> None:
        """The page begins, or more of it arrives."""
        station, settings = self.station, self._settings
        station.timers.stop(Timer.T2)
        self._carriers += 1
        if self._carriers > limits.PAGE_CARRIERS_LIMIT:
            station.finish(causes.PAGE_TOO_LARGE)
            return
        if fact.carrier is not settings.carrier:
            station.note("wrong_carrier", carrier=fact.carrier.name if fact.carrier else "")
        if self._intake is None:
            self._under_way()
            station.note("page_receiving", page=station.record.pages_received + 1)
        self._long_train = False
        station.phase = Phase.C
        station.timers.start(Timer.IMAGE, limits.IMAGE_LIMIT_S)
        station.timers.start(Timer.PAUSE, limits.PAUSE_LIMIT_S)
        self._page_open, self._astray = True, False
        self.state = ReceiverState.IN_PAGE

    def _stray_image(self, fact: EventData) -> None:
        """Image octets without a carrier event before them: the page begins."""
        self._page_begins(EventData(carrier=self._settings.carrier))
        self._image_octets(fact)

    def _page_missed(self, _: EventData) -> None:
        """Training failed, or the signal was V.21: listens for V.21.

        The page may be under way unheard: the command behind it is waited for, once.
        """
        if not self._missed:
            self._missed = True
            self.station.timers.start(Timer.T2, limits.MISSED_PAGE_S)
        self.station.listen()

    def _image_octets(self, fact: EventData) -> None:
        """Decodes them."""
        self._feed(lambda intake: intake.octets(fact.octets))

    def _image_lost(self, fact: EventData) -> None:
        """A network lost image octets: estimates the rows that were in them."""
        self.station.note("image_lost", octets=fact.lost)
        self._feed(lambda intake: intake.lost(fact.lost))

    def _image_frame(self, fact: EventData) -> None:
        """Keeps a frame with a correct FCS."""
        if fact.ok:
            self._feed(lambda intake: intake.frame(fact.octets))

    def _under_way(self) -> Intake:
        """The page under way, or a new one."""
        if self._intake is None:
            settings = self._settings
            self._intake = (EcmIntake if settings.ecm else PlainIntake)(settings, _width(settings))
        return self._intake

    def _feed(self, act: Callable[[Intake], None]) -> None:
        self.station.timers.start(Timer.PAUSE, limits.PAUSE_LIMIT_S)
        try:
            act(self._under_way())
        except PageTooLargeError:
            self.station.finish(causes.PAGE_TOO_LARGE)
        except LineTooLongError:
            self.station.finish(causes.SCAN_LINE_TOO_LONG)

    def _page_over(self, fact: EventData) -> None:
        """Listens for the post-message command."""
        station = self.station
        if isinstance(self._intake, PlainIntake):
            self._intake.carrier_gone(complete=fact.ok)
        station.timers.stop(Timer.IMAGE, Timer.PAUSE)
        station.phase = Phase.D
        self.state = ReceiverState.POST
        station.timers.start(Timer.T2, limits.T2_S)
        station.listen()

    def _endless(self, _: EventData) -> None:
        """An image carrier longer than any page: the call ends."""
        self.station.finish(causes.PAGE_TOO_LARGE)

    def _paused(self, _: EventData) -> None:
        """An image carrier that brings nothing more: DCN."""
        begun = self._intake is not None and self._intake.begun
        self.station.finish(causes.SCAN_LINE_TOO_LONG if begun else causes.PAGE_NEVER_CAME)

    def _wait_longer(self, _: EventData) -> None:
        """A garbled command: T2 starts again, the command will be repeated."""
        self.station.timers.start(Timer.T2, limits.T2_S)

    def _page_never_came(self, _: EventData) -> None:
        """Nothing within T2: DCN."""
        self.station.finish(causes.PROTOCOL_GARBAGE if self._astray else causes.PAGE_NEVER_CAME)

    def _silent(self, _: EventData) -> None:
        """No command within T2: DCN."""
        self.station.finish(causes.PROTOCOL_GARBAGE if self._astray else causes.SENDER_WENT_SILENT)

    def _lead_nowhere(self, what: str) -> None:
        """Notes a command that cannot be obeyed, and does not answer it."""
        self._astray = True
        self.station.note("ignored", state=self.state.value, what=what)

    # -- phase D -----------------------------------------------------------------------------------

    def _mps(self, fact: EventData) -> None:
        """Judges and stores the page; MCF, RTP or RTN; another page."""
        self._plain_end(Fcf.MPS, fact)

    def _eom(self, fact: EventData) -> None:
        """Judges and stores the page; MCF, RTP or RTN; phase B."""
        self._plain_end(Fcf.EOM, fact)

    def _eop(self, fact: EventData) -> None:
        """Judges and stores the page; MCF, RTP or RTN; the end."""
        self._plain_end(Fcf.EOP, fact)

    def _plain_end(self, end: Fcf, fact: EventData) -> None:
        """Judges a page without ECM and answers its post-message command ``end``."""
        station, intake = self.station, self._intake
        if self._settings.ecm:
            self._lead_nowhere(f"{end.name} with ECM")
            return
        if not self._page_open and self._is_repeat(end, fact.burst):
            self._repeat_reply(fact)
            return
        station.timers.stop(Timer.T2)
        self._receiver.end = end
        rows = intake.finish() if isinstance(intake, PlainIntake) else None
        complete = isinstance(intake, PlainIntake) and intake.complete
        verdict = Verdict.BAD if rows is None else judge(rows, self._settings.resolution, complete=complete)
        self._intake = None
        if rows is not None and rows.too_long:
            station.finish(causes.PAGE_TOO_LARGE)
            return
        self._note_judged(verdict, rows)
        if rows is None or verdict is Verdict.BAD:
            station.record.retrainings += 1
            self._receiver.train_again(Fcf.RTN)
            return
        station.record.bad_rows += rows.bad_rows
        self._confirmation.store(PlainIntake.page(rows), Fcf.MCF if verdict is Verdict.GOOD else Fcf.RTP)

    def _note_judged(self, verdict: Verdict, rows: ReceivedRows | None) -> None:
        self.station.note(
            "page_judged",
            verdict=verdict.value,
            rows=rows.rows if rows else 0,
            bad_rows=rows.bad_rows if rows else 0,
            rtc=bool(rows and rows.ended_with_rtc),
        )

    def _is_repeat(self, end: Fcf, burst: Burst) -> bool:
        """Whether a command repeats the last one because our response was lost."""
        sooner = burst.began - self.station.spoke_at < limits.REPEATED_COMMAND_S
        return sooner and end is self._receiver.end and self._receiver.replies.last in (Fcf.MCF, Fcf.RTP)

    # -- ECM ---------------------------------------------------------------------------------------

    def _pps(self, fact: EventData) -> None:
        """The end of a block: PPR, MCF, or storage of the page (T.30 A.4.3)."""
        station, settings = self.station, self._settings
        if not settings.ecm:
            self._lead_nowhere("PPS without ECM")
            return
        try:
            part = PartialPage.decode(fact.burst.fif(Fcf.PPS) or b"")
        except FrameError as error:
            self._lead_nowhere(str(error))
            return
        again = (part.page, part.block) == self._receiver.last_block
        if again and not self._page_open and self._answered_before(part, fact.burst):
            self._repeat_reply(fact)
            return
        intake = self._ecm_intake()
        if intake.blocks and not (again or intake.broken or self._follows(part)):
            # Its transmitter took a repeated MCF for that of a block that never came: no MCF for the hole.
            self._lead_nowhere(f"block {part.block} out of order")
            return
        station.timers.stop(Timer.T2)
        intake.block.announce(part.frames)
        if intake.block.missing():
            self._ask_for(intake.block)
            return
        digest = sha256(intake.block.data()).digest()
        part_of_page = part.block > 0 or part.end is None
        if again and part_of_page and digest == self._confirmed_data:
            # Not for a page of one block: two blank pages from a transmitter that does not count pages are
            # equal as well, and must remain two.
            intake.forget_block()
            self._repeat_reply(fact)
            return
        self._confirmed_data = digest
        self._receiver.last_block = (part.page, part.block)
        self._pprs = self._ctcs = 0
        intake.close_block()
        self._receiver.end = None if part.end is None else SAME_AS.get(part.end, part.end)
        if self._receiver.end is None:
            self._receiver.replies.say(Fcf.MCF, self.expect)
        elif intake.broken:
            self._intake = None
            self._confirmation.close(Fcf.MCF)
        else:
            self._store_whole(intake)

    def _answered_before(self, part: PartialPage, burst: Burst) -> bool:
        """Whether a PPS with the numbers of the last MCF, and no image before it, repeats the one answered.

        Or it ends a page that never came, of a transmitter that does not count: each is 0, of one block.
        """
        if part.page or part.block or part.end is None or self._receiver.replies.last is not Fcf.MCF:
            return True
        return self._is_repeat(SAME_AS.get(part.end, part.end), burst)

    def _follows(self, part: PartialPage) -> bool:
        """Whether a block is the next one of the page under way (T.30 A.4.3: they are counted modulo 256)."""
        page, block = self._receiver.last_block or (part.page, -1)
        return (part.page, part.block) == (page, (block + 1) & 0xFF)

    def _store_whole(self, intake: EcmIntake) -> None:
        try:
            page = intake.finish()
        except PageTooLargeError:
            self.station.finish(causes.PAGE_TOO_LARGE)
            return
        except UnreadablePageError as error:
            self._note_judged(Verdict.BAD, error.rows)
            self.station.finish(causes.PAGE_UNREADABLE)
            return
        self.station.record.bad_rows += page.bad_rows
        self._intake = None
        self._confirmation.store(page, Fcf.MCF)

    def _ecm_intake(self) -> EcmIntake:
        """The page under way, or a new one when all its frames were lost."""
        intake = self._intake
        if not isinstance(intake, EcmIntake):
            self._intake = intake = EcmIntake(self._settings, _width(self._settings))
        return intake

    def _ask_for(self, block: EcmBlock) -> None:
        station, missing = self.station, len(block.missing())
        self._pprs += 1
        station.record.frames_repeated += missing
        station.note("ppr", page=station.record.pages_received + 1, frames=missing)
        if self._pprs > limits.PPRS_LIMIT:
            station.finish(causes.PROTOCOL_GARBAGE)
        else:
            self._receiver.replies.say(Fcf.PPR, self.expect, block.request().encode())

    def _ctc(self, fact: EventData) -> None:
        """The same block at another rate, with long training (T.30 A.4.3)."""
        station, settings = self.station, self._settings
        try:
            carrier = Settings.decode(fact.burst.fif(Fcf.CTC) or b"").carrier
        except FieldError as error:
            self._lead_nowhere(str(error))
            return
        if not settings.ecm or carrier not in self._receiver.identification.offer().carriers:
            station.note("dcs_refused", reason=f"CTC to {carrier.name}")
            station.finish(causes.BAD_COMMAND)
            return
        self._ctcs += 1
        if self._ctcs > limits.CTC_LIMIT:
            station.finish(causes.PROTOCOL_GARBAGE)
            return
        self._settings = replace(settings, carrier=carrier)
        station.record.carrier = carrier
        station.record.retrainings += 1
        self._long_train = True
        self._receiver.replies.say(Fcf.CTR, self.expect)

    def _eor(self, fact: EventData) -> None:
        """The transmitter gives a block up (T.30 A.4.3): the page has a hole and is not kept."""
        fif = fact.burst.fif(Fcf.EOR) or b""
        try:
            end = decode_end(fif[0]) if fif else None
        except FrameError as error:
            self._lead_nowhere(str(error))
            return
        if not self._settings.ecm:
            self._lead_nowhere("EOR without ECM")
            return
        self._receiver.failed = causes.ECM_GAVE_UP
        self._ecm_intake().give_up_block()
        self._pprs = self._ctcs = 0
        self._receiver.end = None if end is None else SAME_AS.get(end, end)
        if self._receiver.end is None:
            self._receiver.replies.say(Fcf.ERR, self.expect)
        else:
            self._intake = None
            self._confirmation.close(Fcf.ERR)

    # -- the end -----------------------------------------------------------------------------------

    def cause_when_left(self) -> Cause:
        if self.state in (ReceiverState.PAGE, ReceiverState.IN_PAGE):
            return causes.HUNG_UP_DURING_PAGE
        return super().cause_when_left()

    # -- what each state does -----------------------------------------------------------------------

    _POST_MESSAGE: ClassVar[dict[Stimulus, Reaction]] = {
        Fcf.MPS: go(_mps, ReceiverState.STORING, ReceiverState.PAGE, ReceiverState.COMMAND),
        Fcf.EOM: go(_eom, ReceiverState.STORING, ReceiverState.COMMAND),
        Fcf.EOP: go(_eop, ReceiverState.STORING, ReceiverState.COMMAND, ReceiverState.DCN),
        Fcf.PPS: go(
            _pps, ReceiverState.STORING, ReceiverState.PAGE, ReceiverState.COMMAND, ReceiverState.DCN
        ),
        Fcf.EOR: go(_eor, ReceiverState.PAGE, ReceiverState.COMMAND, ReceiverState.DCN),
        Fcf.CTC: go(_ctc, ReceiverState.PAGE),
    }
    TABLE: ClassVar[Table] = {
        ReceiverState.PAGE: {
            **_POST_MESSAGE,
            Fcf.RR: go(ReceivingRole._repeat_reply),
            Fcf.CRP: go(ReceivingRole._repeat_reply),
            LineStimulus.FAST_ON: go(_page_begins, ReceiverState.IN_PAGE),
            LineStimulus.FAST_DATA: go(_stray_image, ReceiverState.IN_PAGE),
            LineStimulus.MISSED: go(_page_missed),
            Fcf.DCS: go(ReceivingRole._dcs, ReceiverState.TCF),
            LineStimulus.GARBLED: go(_wait_longer),
            Timer.T2: go(_page_never_came),
        },
        ReceiverState.IN_PAGE: {
            LineStimulus.FAST_DATA: go(_image_octets),
            LineStimulus.FAST_LOST: go(_image_lost),
            LineStimulus.FAST_FRAME: go(_image_frame),
            LineStimulus.FAST_OFF: go(_page_over, ReceiverState.POST),
            Timer.IMAGE: go(_endless),
            Timer.PAUSE: go(_paused),
        },
        ReceiverState.POST: {
            **_POST_MESSAGE,
            LineStimulus.FAST_ON: go(
                _page_begins, ReceiverState.IN_PAGE
            ),  # again, before any command: a gap on the line
            LineStimulus.GARBLED: go(_wait_longer),
            Fcf.DCS: go(ReceivingRole._dcs, ReceiverState.TCF),
            Timer.T2: go(_silent),
        },
    }


def _width(settings: Settings) -> int:
    return SCAN_LINE_PIXELS[settings.width][settings.resolution.x_dpi]
