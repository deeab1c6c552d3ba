"""Stimuli, state tables, and the base class of the roles of a station."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, ClassVar

from appliance.causes import Cause
from appliance.t30.conversation import EndPermitted, PageDelivered
from appliance.t30.dce import Carrier
from appliance.t30.frames import OPTIONAL, Fcf, HdlcFrame


class Timer(Enum):
    """The timers; their durations are in ``timers``."""

    T0 = "T0"
    T1 = "T1"
    T2 = "T2"
    T4 = "T4"
    TCF = "wait for TCF"  # no TCF arrives
    BARE_CARRIER = "bare carrier"  # a fast carrier brings no data
    BURST_END = "burst end"  # the carrier does not end after the final frame
    PAGE = "wait for a page"  # a page to send is not delivered
    STORE = "wait for the store"  # a received page is not stored
    NOT_READY = "patience before RNR"  # RNR is to be sent
    IMAGE = "longest page"  # an image carrier does not end
    PAUSE = "longest pause"  # an image carrier brings nothing
    QUIET = "quiet"  # the far end is assumed to transmit, though nothing has arrived yet
    LEAVE = "leave"  # DCN cannot be sent


class LineStimulus(Enum):
    """Stimuli that are neither a command in a burst nor a timer."""

    GARBLED = "garbled burst"
    V21_ON = "V.21 carrier"
    CNG = "CNG"
    QUIET = "end of an empty burst"
    UNKNOWN = "unknown command"  # handled as GARBLED where a table does not have it
    FAST_ON = "fast carrier"
    FAST_DATA = "image octets"
    FAST_LOST = "lost image octets"
    FAST_FRAME = "image frame"
    FAST_OFF = "end of fast carrier"
    MISSED = "missed carrier"
    PAGE = "page delivered"
    STORED = "page stored"


Stimulus = Fcf | LineStimulus | Timer

# No "ignored" event where a table does not have them.
_NOT_NOTED = frozenset({LineStimulus.V21_ON, LineStimulus.CNG, LineStimulus.QUIET})


@dataclass(frozen=True, slots=True)
class Burst:
    """The valid frames of one V.21 burst, in order; ``began`` is when its carrier came up, seconds."""

    frames: tuple[HdlcFrame, ...] = ()
    began: float = 0.0

    @property
    def command(self) -> Fcf | None:
        """Code of the last frame that is a command or response, None when all are optional frames."""
        return next((f.fcf for f in reversed(self.frames) if f.fcf not in OPTIONAL), None)

    def without_dcn(self) -> Burst:
        """The burst without its DCN frames."""
        return Burst(tuple(f for f in self.frames if f.fcf is not Fcf.DCN), self.began)

    def fif(self, fcf: Fcf) -> bytes | None:
        """FIF of the last frame with this code, None when there is none."""
        return next((f.fif for f in reversed(self.frames) if f.fcf is fcf), None)


@dataclass(frozen=True, slots=True)
class EventData:
    """The data of a stimulus."""

    burst: Burst = field(default_factory=Burst)
    carrier: Carrier | None = None
    octets: bytes = b""
    lost: int = 0  # octets
    ok: bool = True


NO_DATA = EventData()


@dataclass(frozen=True, slots=True)
class Reaction:
    """The reaction of a state to a stimulus.

    ``act`` is a method of the role.  ``to`` are the states that it may lead to, at once or when the signal
    that it sends has left the line; the role may always stay in its state.
    """

    act: Callable[[Any, EventData], None]
    to: tuple[Enum, ...] = ()


def go(act: Callable[[Any, EventData], None], *to: Enum) -> Reaction:
    """A ``Reaction``, in the form that the tables use."""
    return Reaction(act, to)


Table = dict[Enum, dict[Stimulus, Reaction]]


class StationRole:
    """Base of the roles of sender and receiver: a state, and a table of the reactions in each state.

    ``note`` is ``Station.note``.
    """

    TABLE: ClassVar[Table]

    def __init__(self, state: Enum, note: Callable[..., None]) -> None:
        self.state = state
        self._note = note

    def take(self, stimulus: Stimulus, fact: EventData = NO_DATA) -> None:
        """Runs the method that the table has for this stimulus; without one, notes it as "ignored"."""
        table = self.TABLE[self.state]
        step = table.get(stimulus)
        if step is None and stimulus is LineStimulus.UNKNOWN:
            step = table.get(LineStimulus.GARBLED)
        if step is None:
            if stimulus not in _NOT_NOTED:
                self._note("ignored", state=self.state.value, what=_word(stimulus))
            return
        step.act(self, fact)

    @property
    def has_ended_page(self) -> bool:
        """Whether a page was sent, and the command that the far end answers with its confirmation."""
        return False

    def cause_when_left(self) -> Cause:
        """The cause of the call's end if the far end disconnects now."""
        raise NotImplementedError

    def page_delivered(self, event: PageDelivered) -> None:
        """Takes a page to send, in any state."""

    def end_permitted(self, event: EndPermitted) -> None:
        """Takes the reply to the request for permission to send the last page, in any state."""


def _word(stimulus: Stimulus) -> str:
    return stimulus.name if isinstance(stimulus, Fcf) else str(stimulus.value)
