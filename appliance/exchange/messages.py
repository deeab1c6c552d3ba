"""What the box and its exchange tell each other, and the channel that carries it.

Both ends are this program, of one version, run by one user; the channel is a socket pair that nobody
else can open.  So messages are pickles: what they carry is plain data all the way down.  A call's own
messages are those of ``appliance.t30.conversation``, with the call's number.
"""

from __future__ import annotations

import asyncio
import pickle
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from appliance.lines.datagram_driver import Pacing
from appliance.lines.line import IncomingCall, KeepPackets, LineState, OutgoingCall, Refuse
from appliance.lines.practice.settings import PracticeSettings
from appliance.lines.settings import LineSettings
from appliance.lines.sip.settings import SipSettings
from appliance.t30.conversation import FromCall, ToCall
from appliance.t30.parameters import CallParameters

_LENGTH = struct.Struct("!I")
# The exchange says ``LinesAre`` at least so often, seconds, as a sign of life.
SIGN_OF_LIFE_S = 5.0
# The box is gone: so long, seconds, for calls to end with DCN and for lines to let go.  The last command of a
# fax and its confirmation (1.5 s of V.21 each) fit in.
FAREWELL_S = 4.5


@dataclass(frozen=True, slots=True)
class LineSpec:
    """What a line is made from.

    ``arrivals``: where the practice machines keep what they receive.  ``learned``: the file for what calls
    show of a trunk, None to keep nothing.
    """

    name: str
    settings: LineSettings | PracticeSettings
    sip: SipSettings
    arrivals: Path
    learned: Path | None = None


# -- from the box ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OpenLine:
    """Make this line and open it.  Answered by ``LineOpened``."""

    spec: LineSpec


@dataclass(frozen=True, slots=True)
class CloseLine:
    """End its calls and close it.  Answered by ``LineClosed``."""

    line: str


@dataclass(frozen=True, slots=True)
class PlaceCall:
    """Place a call.  It is the conversation with this number from here on."""

    number: int
    line: str
    call: OutgoingCall


@dataclass(frozen=True, slots=True)
class PracticeCallIn:
    """Have a practice machine call us with this TIFF file.  Of its conversation only ``Ended`` is said."""

    number: int
    line: str
    tiff: Path
    caller: str
    dialled: str


@dataclass(frozen=True, slots=True)
class CancelCall:
    """The owner ends the call."""

    number: int


@dataclass(frozen=True, slots=True)
class TakeCall:
    """Answer to ``CallOffered``: take it."""

    number: int
    parameters: CallParameters
    packets: KeepPackets | None


@dataclass(frozen=True, slots=True)
class RefuseCall:
    """Answer to ``CallOffered``: do not."""

    number: int
    refusal: Refuse


# -- from the exchange -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LineOpened:
    """The line is open."""

    line: str


@dataclass(frozen=True, slots=True)
class LineClosed:
    """The line is closed, its calls have ended."""

    line: str


@dataclass(frozen=True, slots=True)
class LinesAre:
    """How the lines are: sent when that changed, and now and then as a sign of life."""

    states: Mapping[str, LineState]
    pacing: Mapping[str, Pacing]


@dataclass(frozen=True, slots=True)
class CallOffered:
    """A call that comes in.  Answered by ``TakeCall`` or ``RefuseCall``."""

    number: int
    incoming: IncomingCall


# -- both ways ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OfCall:
    """A message of the conversation with this number."""

    number: int
    message: FromCall | ToCall


FromBox = OpenLine | CloseLine | PlaceCall | PracticeCallIn | CancelCall | TakeCall | RefuseCall | OfCall
FromExchange = LineOpened | LineClosed | LinesAre | CallOffered | OfCall


class Channel:
    """One end of the socket pair, on the running loop."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def over(cls, sock: socket.socket) -> Channel:
        """Takes the socket over."""
        return cls(*await asyncio.open_unix_connection(sock=sock))

    def send(self, message: FromBox | FromExchange) -> None:
        """Never waits; to an end that is gone, nothing happens."""
        if self._writer.is_closing():
            return
        body = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
        self._writer.write(_LENGTH.pack(len(body)) + body)

    async def receive(self) -> FromBox | FromExchange | None:
        """The next message; None when the other end is gone."""
        try:
            (length,) = _LENGTH.unpack(await self._reader.readexactly(_LENGTH.size))
            message: FromBox | FromExchange = pickle.loads(await self._reader.readexactly(length))
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        return message

    def close(self) -> None:
        self._writer.close()
