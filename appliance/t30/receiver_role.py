"""What the receiver's roles share: their responses, and the commands that arrive in any state."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Protocol

from appliance.causes import RECEIVED, Cause
from appliance.t30 import causes
from appliance.t30 import timers as limits
from appliance.t30.fields import Facilities
from appliance.t30.frames import Fcf, FrameError, HdlcFrame, PartialPage
from appliance.t30.parameters import Role
from appliance.t30.roles import NO_DATA, Burst, EventData, LineStimulus, StationRole, Stimulus, Timer
from appliance.t30.station import Station

# There is no operator for a procedure interrupt, and documents are not told apart: these commands are handled
# as the plain ones (T.30 5.3.6.1.6).
SAME_AS: dict[Stimulus, Fcf] = {
    Fcf.PRI_MPS: Fcf.MPS,
    Fcf.PRI_EOM: Fcf.EOM,
    Fcf.PRI_EOP: Fcf.EOP,
    Fcf.EOS: Fcf.EOM,
}


class Replies:
    """Sends responses, and repeats the last one."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self.last: Fcf | None = None
        self._frames: tuple[HdlcFrame, ...] = ()
        self._then: Callable[[], None] = station.listen
        self._repeats = 0

    @property
    def any(self) -> bool:
        """Whether a response was sent since identification began."""
        return bool(self._frames)

    def forget(self) -> None:
        """Forgets the last response, as identification begins."""
        self.last = None
        self._frames = ()

    def say(self, reply: Fcf, then: Callable[[], None], fif: bytes = b"") -> None:
        """Sends a response; ``then`` runs when it has left the line."""
        self._station.timers.stop(Timer.T1, Timer.T2, Timer.T4)
        self.last, self._then, self._repeats = reply, then, 0
        self._frames = (HdlcFrame(reply, fif),)
        self._station.say(self._frames, then)

    def repeat(self, state: Enum) -> None:
        """Repeats the last response; ``state`` is the role's, for the trace."""
        station = self._station
        self._repeats += 1
        if not self._frames:
            station.note("ignored", state=state.value, what="a command before DCS")
        elif self._repeats > limits.REPEATS_LIMIT:
            left = station.part.cause_when_left()
            station.finish(RECEIVED if left is RECEIVED else causes.PROTOCOL_GARBAGE)
        else:
            station.timers.stop(Timer.T2, Timer.T4)
            station.say(self._frames, self._then)


class ReceiverPhaseB(Protocol):
    """What the other roles need of phase B, where the call goes back to."""

    tries: int

    @property
    def polls_in_vain(self) -> bool:
        """Whether we poll and no DCS has come."""

    def page_confirmed(self) -> None:
        """To be called when a page is confirmed."""

    def offer(self) -> Facilities:
        """The content of our DIS."""

    def chosen(self, burst: Burst) -> None:
        """Handles a DCS, in any state: checks it and goes on to the training check."""

    def polled_with(self, fif: bytes, burst: Burst) -> None:
        """Handles a DTC with this FIF: checks SEP and PWD, then hands the call to the sender."""

    def expect_command(self) -> None:
        """Waits for DCS, after DIS, DTC, FTT, RTN or RTP."""

    def expect_command_after_eom(self) -> None:
        """After EOM: the transmitter waits for our DIS, which is sent when T2 ends (T.30 5.4.3.1)."""


class ReceiverBase:
    """What the roles share."""

    identification: ReceiverPhaseB

    def __init__(self, station: Station) -> None:
        self.station = station
        self.replies = Replies(station)
        self.end: Fcf | None = None  # the last post-message command
        self.last_block: tuple[int, int] | None = None  # page and block of the last MCF with ECM
        self.failed: Cause | None = None  # set when a page was lost for good
        self.garbled = 0  # bursts without a command since the last one with a command

    def train_again(self, reply: Fcf) -> None:
        """Sends FTT, RTN or RTP: the transmitter is to send a DCS and train again."""
        self.identification.tries = 1
        self.replies.say(reply, self.identification.expect_command)

    def is_last_command(self, burst: Burst) -> bool:
        """Whether this post-message command repeats the one that we answered last."""
        fcf = burst.command
        if fcf is not Fcf.PPS:
            return fcf is Fcf.EOR or (fcf is not None and SAME_AS.get(fcf, fcf) is self.end)
        try:
            part = PartialPage.decode(burst.fif(Fcf.PPS) or b"")
        except FrameError:
            return False
        return (part.page, part.block) == self.last_block

    def cause_between_pages(self) -> Cause:
        """The cause when the far end disconnects while no page is under way."""
        if self.station.record.pages_received or self.end is not None or self.last_block is not None:
            return causes.SENDER_GAVE_UP
        if self.identification.polls_in_vain:
            return causes.POLL_REFUSED
        return causes.NO_PAGES_CAME if self.station.listener.understood else causes.NO_SENDER_HEARD


class ReceivingRole(StationRole):
    """Base of the receiver's roles."""

    def __init__(self, receiver: ReceiverBase, state: Enum) -> None:
        super().__init__(state, receiver.station.note)
        self.station = receiver.station
        self._receiver = receiver

    def take(self, stimulus: Stimulus, fact: EventData = NO_DATA) -> None:
        """Handles a stimulus; the tables have the plain commands only (``SAME_AS``).

        Garbled bursts without end prolong no wait.
        """
        receiver = self._receiver
        if stimulus in (LineStimulus.GARBLED, LineStimulus.UNKNOWN):
            receiver.garbled += 1
            if receiver.garbled > limits.GARBLED_LIMIT:
                return
        elif isinstance(stimulus, Fcf):
            receiver.garbled = 0
        super().take(SAME_AS.get(stimulus, stimulus), fact)

    def _dcs(self, fact: EventData) -> None:
        """The transmitter's choice: the training check follows."""
        self._receiver.identification.chosen(fact.burst)

    def _dtc(self, fact: EventData) -> None:
        """The caller polls."""
        if self.station.parameters.role is Role.CALLS:
            self.station.note("ignored", state=self.state.value, what="DTC")
            return
        self._receiver.identification.polled_with(fact.burst.fif(Fcf.DTC) or b"", fact.burst)

    def _command_again(self, fact: EventData) -> None:
        """The last command again: repeats the response; any other command is ignored."""
        if self._receiver.is_last_command(fact.burst):
            self._repeat_reply(fact)
        else:
            what = fact.burst.command
            self.station.note("ignored", state=self.state.value, what=what.name if what else "")

    def _repeat_reply(self, _: EventData) -> None:
        """Repeats the last response."""
        self._receiver.replies.repeat(self.state)

    def cause_when_left(self) -> Cause:
        return self._receiver.cause_between_pages()
