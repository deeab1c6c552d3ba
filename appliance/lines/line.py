"""The interface of all lines: placing calls, deciding on incoming calls, reporting the state.

Lines run on one asyncio event loop and must not block it.  A line makes the DCE and the ``FaxCall`` of a
call; the caller provides ``CallParameters`` and a ``CallOwner`` (``appliance.t30.conversation``).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

from appliance.causes import Cause
from appliance.language import marked
from appliance.t30.conversation import CallOwner
from appliance.t30.parameters import CallParameters, CallResult

# Sentences of a line's state that several kinds of line have.
STOPPED = marked("The line is stopped.")
NOT_OPENED = marked("The line could not be opened.")


class LineKind(Enum):
    """What a line consists of."""

    T38 = "t38"  # SIP with T.38
    G711 = "g711"  # SIP with fax tones in audio
    MODEM = "modem"  # class-1 modem on a telephone line
    PRACTICE = "practice"  # a fax machine within the box


@dataclass(frozen=True, slots=True)
class LineState:
    """The state of a line, for people and for the dispatcher."""

    usable: bool  # a call may be placed now or when a running one ends
    calls: int  # running calls
    capacity: int  # most calls at once
    sentence: str  # for people: "Registered with sip.example.net since 10:04."
    last_error: str = ""


# Called with each packet of a call's medium: seconds since the call was connected, whether we send it,
# octets.  Called on the loop's thread, must not block.
Tap = Callable[[float, bool, bytes], None]


@dataclass(frozen=True, slots=True)
class KeepPackets:
    """Where to write a call's packets at its end, as pcap; unless ``always`` only if the call failed."""

    path: Path
    always: bool


@dataclass(frozen=True, slots=True)
class OutgoingCall:
    """A call to place.

    ``number`` is what to dial, normalised (E.164 with +, or as the line's rules require); a SIP line
    also takes a ``sip:`` address.  ``caller_number`` and ``caller_name`` are shown to the called party
    and are never a login name.
    """

    number: str
    parameters: CallParameters
    caller_number: str = ""
    caller_name: str = ""
    withhold: bool = False  # show neither of them
    ring_s: float = 60.0  # how long to wait for an answer, seconds
    attempt: int = 1  # number of the job's try; the behaviour of some practice numbers depends on it
    audio: bool = False  # fax tones in audio from the start, on a trunk that also has T.38
    packets: KeepPackets | None = None
    confirmations: Path | None = None  # file for the exchange's notes of confirmed pages


@dataclass(frozen=True, slots=True)
class IncomingCall:
    """An incoming call, before it is answered."""

    line: str
    dialled: str  # number dialled (DID), empty when the line does not know it
    caller: str  # calling number, empty when withheld or unknown
    caller_name: str = ""


@dataclass(frozen=True, slots=True)
class Accept:
    """Answer the call.  ``owner`` receives its end as ``Ended``."""

    parameters: CallParameters
    owner: CallOwner
    tap: Tap | None = None
    packets: KeepPackets | None = None


@dataclass(frozen=True, slots=True)
class Refuse:
    """Do not answer; the line signals the refusal as well as it can."""

    cause: Cause


# Decides on a call, at once or by an awaitable when another process decides.
IncomingHandler = Callable[[IncomingCall], Accept | Refuse | Awaitable[Accept | Refuse]]


async def decided(decision: Accept | Refuse | Awaitable[Accept | Refuse]) -> Accept | Refuse:
    """The decision of an ``IncomingHandler``, awaited if necessary."""
    return decision if isinstance(decision, Accept | Refuse) else await decision


class Line(Protocol):
    """A line that carries fax calls."""

    @property
    def name(self) -> str:
        """The name in the settings."""
        ...

    @property
    def kind(self) -> LineKind:
        """What carries its calls."""
        ...

    def state(self) -> LineState:
        """The state now."""
        ...

    async def start(self, on_incoming: IncomingHandler) -> None:
        """Opens the line.  A device or trunk that is down is no error: ``state`` reports it."""

    async def stop(self) -> None:
        """Ends all calls within a time limit, and closes every socket, thread and device."""

    async def place(self, call: OutgoingCall, owner: CallOwner, tap: Tap | None = None) -> CallResult:
        """Carries a call to its end.  Faults of the far end or the line are in the result, not raised."""
