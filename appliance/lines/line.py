"""What every line looks like to those who use it: place a call, be told of one, say how you are.

Lines run on one asyncio event loop; nothing here may block it.  A line makes the DCE and the
``FaxCall`` of a call itself; its owner brings ``CallParameters`` and his end of a owner about pages
(``appliance.t30.conversation``).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

from appliance.causes import Cause
from appliance.t30.conversation import CallOwner
from appliance.t30.parameters import CallParameters, CallResult


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
    caller_number: str = ""
    caller_name: str = ""
    withhold: bool = False  # the called party may see none of them
    ring_s: float = 60.0  # give up when nobody answered by then, seconds
    attempt: int = 1  # which try of its job this is; some practice numbers behave differently by it
    audio: bool = False  # fax tones in audio from the start, where a trunk has T.38 as well
    packets: KeepPackets | None = None
    confirmations: Path | None = None  # where another process notes each page that was confirmed


@dataclass(frozen=True, slots=True)
class IncomingCall:
    """A call that comes in, before it is answered."""

    line: str
    dialled: str  # number dialled (DID), empty when the line cannot know
    caller: str  # calling number, empty when withheld or unknown
    caller_name: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """Take the call.  Its end is said in the owner (``Ended``)."""

    parameters: CallParameters
    owner: CallOwner
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
        """Ends all calls within a bound and closes every socket, thread and device."""

    async def place(self, call: OutgoingCall, owner: CallOwner, tap: Tap | None = None) -> CallResult:
        """Carries one call to its end.  Never raises for what the far end or the line did."""
