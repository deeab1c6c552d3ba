"""What the parts of a station are made of: what may happen, steps in tables, a role with its state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar

from appliance.causes import Cause
from appliance.t30.conversation import EndPermitted, PageDelivered
from appliance.t30.dce import Carrier
from appliance.t30.frames import OPTIONAL, Fcf, HdlcFrame

if TYPE_CHECKING:
    from appliance.t30.station import Station


class Timer(Enum):
    """Timers that may run; the lengths are in ``timers``."""

    T0 = "T0"
    T1 = "T1"
    T2 = "T2"
    T4 = "T4"
    TCF = "wait for TCF"  # a TCF that does not come
    BARE_CARRIER = "bare carrier"  # a fast carrier that brings nothing
    BURST_END = "burst end"  # a carrier that does not fall after the final frame
    PAGE = "wait for a page"  # a page that is not delivered
    STORE = "wait for the store"  # a page that is not stored
    NOT_READY = "patience before RNR"  # time to say RNR
    IMAGE = "longest page"  # an image carrier without end
    QUIET = "quiet"  # the far end talks, though nothing of it has come yet
    LEAVE = "leave"  # DCN that does not get through to the line


class LineStimulus(Enum):
    """Stimuli that are neither a command in a burst nor a timer."""

    GARBLED = "garbled burst"
    V21_ON = "V.21 carrier"  # not noted where a table does not have it
    CNG = "CNG"  # likewise
    QUIET = "end of an empty burst"  # likewise
    UNKNOWN = "unknown command"  # garbled where a table does not have it
    FAST_ON = "fast carrier"
    FAST_DATA = "image octets"
    FAST_LOST = "lost image octets"
    FAST_FRAME = "image frame"
    FAST_OFF = "end of fast carrier"
    MISSED = "missed carrier"
    PAGE = "page delivered"
    STORED = "page stored"


Stimulus = Fcf | LineStimulus | Timer

_NOT_NOTED = frozenset({LineStimulus.V21_ON, LineStimulus.CNG, LineStimulus.QUIET})


@dataclass(frozen=True, slots=True)
class Burst:
    """Good frames of one V.21 burst, in order; ``began`` is when its carrier came up."""

    frames: tuple[HdlcFrame, ...] = ()
    began: float = 0.0

    @property
    def command(self) -> Fcf | None:
        """Code of the last frame that says what to do, None when no frame does."""
        return next((f.fcf for f in reversed(self.frames) if f.fcf not in OPTIONAL), None)

    def without_dcn(self) -> Burst:
        """The other frames."""
        return Burst(tuple(f for f in self.frames if f.fcf is not Fcf.DCN), self.began)

    def fif(self, fcf: Fcf) -> bytes | None:
        """FIF of the last frame with this code, None when there is none."""
        return next((f.fif for f in reversed(self.frames) if f.fcf is fcf), None)


@dataclass(frozen=True, slots=True)
class EventData:
    """What came with a stimulus."""

    burst: Burst = field(default_factory=Burst)
    carrier: Carrier | None = None
    octets: bytes = b""
    lost: int = 0  # octets
    ok: bool = True


NO_DATA = EventData()


@dataclass(frozen=True, slots=True)
class Step:
    """What a state does upon a stimulus.

    ``act`` is a method of the role.  ``to`` are the states that it may lead to, at once or when what it says
    has left the line; its own is always one of them.
    """

    act: Callable[[Any, EventData], None]
    to: tuple[Enum, ...] = ()


def go(act: Callable[[Any, EventData], None], *to: Enum) -> Step:
    """A step, as the tables write it."""
    return Step(act, to)


Table = dict[Enum, dict[Stimulus, Step]]


class StationRole:
    """Sender or receiver: a state, a table, and what to do when the far end leaves."""

    TABLE: ClassVar[Table]

    def __init__(self, station: Station, state: Enum) -> None:
        self.station = station
        self.state = state

    def take(self, stimulus: Stimulus, fact: EventData = NO_DATA) -> None:
        """Runs the method that the table has for this; notes what it has not."""
        table = self.TABLE[self.state]
        step = table.get(stimulus)
        if step is None and stimulus is LineStimulus.UNKNOWN:
            step = table.get(LineStimulus.GARBLED)
        if step is None:
            if stimulus not in _NOT_NOTED:
                self.station.note("ignored", state=self.state.value, what=_word(stimulus))
            return
        step.act(self, fact)

    def cause_when_left(self) -> Cause:
        """How the call has ended when the far end goes now."""
        raise NotImplementedError

    def page_delivered(self, event: PageDelivered) -> None:
        """Pages are kept whatever the state."""

    def end_permitted(self, event: EndPermitted) -> None:
        """So is the permission to end the last one."""


def _word(stimulus: Stimulus) -> str:
    return stimulus.name if isinstance(stimulus, Fcf) else str(stimulus.value)
