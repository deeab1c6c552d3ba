"""What every line looks like to those who use it: place a call, be told of one, say how you are.

Lines run on one asyncio event loop; nothing here may block it.  A line makes the DCE and the
``FaxCall`` of a call itself; the caller only brings ``CallParameters``, pages and a store.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Protocol

from appliance.causes import Cause
from appliance.t30.parameters import CallParameters, CallResult, PageSource, PageStore, Progress


class LineKind(Enum):
    T38 = "t38"  # SIP with T.38
    G711 = "g711"  # SIP with fax tones in audio
    MODEM = "modem"  # class-1 modem on a telephone line
    PRACTICE = "practice"  # never leaves the box


@dataclass(frozen=True, slots=True)
class LineState:
    """How a line is, for people and for the dispatcher."""

    usable: bool  # a call may be placed now or when a running one ends
    calls: int  # calls up now
    capacity: int  # calls at once
    sentence: str  # "Registered with sip.example.net since 10:04."
    last_error: str = ""


@dataclass(slots=True)
class CancelSwitch:
    """Lets the owner of a call end it: the line registers what to do, ``pull`` does it once."""

    pulled: bool = False
    _actions: list[Callable[[], None]] = field(default_factory=list)

    def on_pull(self, action: Callable[[], None]) -> None:
        """Runs ``action`` when pulled, at once if it already is.  Loop thread only."""
        if self.pulled:
            action()
        else:
            self._actions.append(action)

    def off_pull(self, action: Callable[[], None]) -> None:
        """Forgets an action that ``on_pull`` took, if it is still there."""
        if action in self._actions:
            self._actions.remove(action)

    def pull(self) -> None:
        if self.pulled:
            return
        self.pulled = True
        for action in self._actions:
            action()
        self._actions.clear()


def ignore_progress(_: Progress) -> None:
    """For callers who do not watch."""


# Sees each packet of a call's medium: seconds since the call was connected, whether it leaves, octets.
# Called on the loop's thread, must not block; what a trace is made of.
Tap = Callable[[float, bool, bytes], None]


@dataclass(frozen=True, slots=True)
class KeepPackets:
    """Where a call's packets go at its end, as pcap; unless ``always``, only if it went wrong."""

    path: Path
    always: bool


@dataclass(frozen=True, slots=True)
class OutgoingCall:
    """A call to place.

    ``number`` is what to dial, normalised (E.164 with +, or as the line's rules want it); a SIP line
    takes a ``sip:`` address too.  ``caller_number`` and ``caller_name`` are what the called party
    may see, never a login name.
    """

    number: str
    parameters: CallParameters
    pages: PageSource
    store: PageStore
    progress: Callable[[Progress], None] = ignore_progress
    cancel: CancelSwitch = field(default_factory=CancelSwitch)
    caller_number: str = ""
    caller_name: str = ""
    ring_s: float = 60.0  # give up when nobody answered by then, seconds
    attempt: int = 1  # which try of its job this is; some practice numbers behave differently by it
    tap: Tap | None = None
    packets: KeepPackets | None = None


@dataclass(frozen=True, slots=True)
class IncomingCall:
    """A call that knocks, before it is answered."""

    line: str
    dialled: str  # number dialled (DID), empty when the line cannot know
    caller: str  # calling number, empty when withheld or unknown
    caller_name: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """Take the call."""

    parameters: CallParameters
    pages: PageSource
    store: PageStore
    ended: Callable[[CallResult], None]
    progress: Callable[[Progress], None] = ignore_progress
    cancel: CancelSwitch = field(default_factory=CancelSwitch)
    tap: Tap | None = None
    packets: KeepPackets | None = None


@dataclass(frozen=True, slots=True)
class Refuse:
    """Do not answer: the line refuses as politely as it can."""

    cause: Cause


# Decides at once, or a moment later where somebody in another process must be asked.
IncomingHandler = Callable[[IncomingCall], Answer | Refuse | Awaitable[Answer | Refuse]]


async def decided(decision: Answer | Refuse | Awaitable[Answer | Refuse]) -> Answer | Refuse:
    """What an ``IncomingHandler`` decided, waited for where it must be."""
    return decision if isinstance(decision, Answer | Refuse) else await decision


class Line(Protocol):
    """A line that carries fax calls."""

    @property
    def name(self) -> str: ...

    @property
    def kind(self) -> LineKind: ...

    def state(self) -> LineState: ...

    async def start(self, on_incoming: IncomingHandler) -> None:
        """Opens the line.  A device or trunk that is down is a state, not an error."""

    async def stop(self) -> None:
        """Ends all calls within a bound and lets go of every socket, thread and device."""

    async def place(self, call: OutgoingCall) -> CallResult:
        """Carries one call to its end.  Never raises for what the far end or the line did."""
