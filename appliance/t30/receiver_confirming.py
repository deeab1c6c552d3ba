"""The receiving side after a complete page: it is stored, then confirmed; after the last one, DCN."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from appliance.causes import RECEIVED, Cause
from appliance.t30 import causes
from appliance.t30 import timers as limits
from appliance.t30.fields import Settings
from appliance.t30.frames import Fcf, HdlcFrame
from appliance.t30.parameters import ReceivedPage
from appliance.t30.receiver_role import ReceiverBase, ReceivingRole
from appliance.t30.roles import EventData, LineStimulus, Table, Timer, go
from appliance.t30.states import ReceiverState

# What may follow a page.
_NEXT = (ReceiverState.PAGE, ReceiverState.COMMAND, ReceiverState.DCN)


class PageConfirmation(ReceivingRole):
    """Has complete pages stored, then answers their post-message commands; ``expect_page`` goes on."""

    def __init__(self, receiver: ReceiverBase, settings: Settings, expect_page: Callable[[], None]) -> None:
        super().__init__(receiver, ReceiverState.STORING)
        self._expect_page = expect_page
        self._settings = settings
        self._verdict = Fcf.MCF  # the response once the page is stored: MCF or RTP
        self._durable = False  # the page is stored
        self._told_busy = False  # RNR was sent for it

    def store(self, page: ReceivedPage, reply: Fcf) -> None:
        """Requests storage of the page; ``reply`` (MCF or RTP) is sent when it is durable."""
        station, settings = self.station, self._settings
        station.part = self
        self.state = ReceiverState.STORING
        self._verdict = reply
        self._durable = self._told_busy = False
        station.timers.start(Timer.STORE, limits.STORE_WAIT_S if settings.ecm else limits.STORE_WAIT_PLAIN_S)
        if settings.ecm:
            station.timers.start(Timer.NOT_READY, limits.NOT_READY_S)
        station.listen()
        station.store(page, last=self._receiver.end is Fcf.EOP and self._receiver.failed is None)

    def _stored(self, fact: EventData) -> None:
        """The page is durable: MCF, at once or when it is asked for again."""
        if not fact.ok:
            self.station.finish(causes.STORE_FAILED)
            return
        self._durable = True
        # Otherwise the answer follows the command that is being repeated, or the RR due after RNR.
        if self.station.listener.carrier is None and not self.station.talks and not self._told_busy:
            self._confirm()

    def _quiet_while_storing(self, _: EventData) -> None:
        """A burst without frames: MCF if the page is durable."""
        if self._durable and not self._told_busy:
            self._confirm()

    def _asked_while_storing(self, _: EventData) -> None:
        """MCF if the page is durable; RNR with ECM; silence without."""
        if self._durable:
            self._confirm()
        elif self._settings.ecm:
            self._not_ready(_)

    def _not_ready(self, _: EventData) -> None:
        """The page is not stored yet: RNR (T.30 A.4.4)."""
        station = self.station
        if station.listener.carrier is not None or station.talks:
            return  # the command is being repeated, or RNR is being sent
        station.timers.stop(Timer.NOT_READY)
        self._told_busy = True
        station.say((HdlcFrame(Fcf.RNR),), station.listen)

    def _store_too_slow(self, _: EventData) -> None:
        """DCN: the page is not confirmed."""
        self.station.finish(causes.STORE_FAILED)

    def _confirm(self) -> None:
        """The page is durable: MCF or RTP."""
        station = self.station
        station.timers.stop(Timer.STORE, Timer.NOT_READY)
        station.record.pages_received += 1
        self._receiver.identification.page_confirmed()
        station.note("page_received", page=station.record.pages_received, reply=self._verdict.name)
        self.close(self._verdict)

    def close(self, reply: Fcf) -> None:
        """Answers the post-message command, and goes on as it requires."""
        receiver = self._receiver
        match receiver.end:
            case Fcf.EOP:
                receiver.replies.say(reply, self._expect_dcn)
            case Fcf.EOM:
                receiver.replies.say(reply, receiver.identification.expect_command_after_eom)
            case _ if reply is Fcf.RTP:
                receiver.train_again(reply)
            case _:
                receiver.replies.say(reply, self._expect_page)

    def _expect_dcn(self) -> None:
        self.station.part = self
        self.state = ReceiverState.DCN
        self.station.timers.start(Timer.T2, limits.AFTER_LAST_PAGE_S)
        self.station.listen()

    def _no_dcn(self, _: EventData) -> None:
        """Neither DCN nor a repeated command within T2: hangs up."""
        self.station.hang_up(self._receiver.failed or RECEIVED)

    def cause_when_left(self) -> Cause:
        if self.state is ReceiverState.DCN:
            return self._receiver.failed or RECEIVED
        return super().cause_when_left()

    TABLE: ClassVar[Table] = {
        ReceiverState.STORING: {
            LineStimulus.STORED: go(_stored, *_NEXT),
            LineStimulus.GARBLED: go(_asked_while_storing, *_NEXT),
            LineStimulus.QUIET: go(_quiet_while_storing, *_NEXT),
            Fcf.RR: go(_asked_while_storing, *_NEXT),
            Fcf.PPS: go(_asked_while_storing, *_NEXT),
            Fcf.MPS: go(_asked_while_storing, *_NEXT),
            Fcf.EOM: go(_asked_while_storing, *_NEXT),
            Fcf.EOP: go(_asked_while_storing, *_NEXT),
            Fcf.CRP: go(_asked_while_storing, *_NEXT),
            Timer.NOT_READY: go(_not_ready),
            Timer.STORE: go(_store_too_slow),
        },
        ReceiverState.DCN: {
            Fcf.EOP: go(ReceivingRole._command_again),
            Fcf.PPS: go(ReceivingRole._command_again),
            Fcf.EOR: go(ReceivingRole._command_again),
            Fcf.RR: go(ReceivingRole._repeat_reply),
            Fcf.CRP: go(ReceivingRole._repeat_reply),
            Timer.T2: go(_no_dcn),
        },
    }
