"""What the receiver's roles share: their responses, and the commands that arrive in any state."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING

from appliance.causes import Cause
from appliance.t30 import causes
from appliance.t30 import timers as limits
from appliance.t30.frames import Fcf, HdlcFrame
from appliance.t30.parameters import Role
from appliance.t30.roles import EventData, StationRole, Timer
from appliance.t30.station import Station

if TYPE_CHECKING:
    from appliance.t30.receiver import Receiver


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
        self._station.clear(Timer.T1, Timer.T2, Timer.T4)
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
            station.finish(causes.PROTOCOL_GARBAGE)
        else:
            station.clear(Timer.T2, Timer.T4)
            station.say(self._frames, self._then)


class ReceivingRole(StationRole):
    """Base of the receiver's roles."""

    def __init__(self, receiver: Receiver, state: Enum) -> None:
        super().__init__(state, receiver.station.note)
        self.station = receiver.station
        self._receiver = receiver

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
