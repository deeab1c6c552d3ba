"""The messages between the box and the exchange, and their channel.

Messages are pickles of plain data.  That is safe because both ends are this program, of one version and run
by one user, and the channel is a socket pair that nobody else can open.  The messages of a call are those of
``appliance.t30.conversation``, with the number of the call.
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
# Longest time between two ``LinesAre`` of the exchange, seconds; they also show that it is alive.
SIGN_OF_LIFE_S = 5.0
# How long calls and lines may take to end when the box has gone, seconds.  It is enough for the last command
# of a fax and its confirmation (1.5 s of V.21 each).
FAREWELL_S = 4.5


@dataclass(frozen=True, slots=True)
class LineSpec:
    """What a line is made from.

    ``arrivals``: folder in which practice machines keep received faxes.  ``learned``: file for what calls
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
    """Makes a line and opens it.  Answered by ``LineOpened``."""

    spec: LineSpec


@dataclass(frozen=True, slots=True)
class CloseLine:
    """Ends the calls of a line and closes it.  Answered by ``LineClosed``."""

    line: str


@dataclass(frozen=True, slots=True)
class UseZone:
    """Sets the time zone of the times of day in the states of lines (``zone.set_zone``)."""

    name: str


@dataclass(frozen=True, slots=True)
class PlaceCall:
    """Places a call.  Its messages have this ``number`` from then on."""

    number: int
    line: str
    call: OutgoingCall


@dataclass(frozen=True, slots=True)
class PracticeCallIn:
    """Has a practice machine call the box with this TIFF file.  Of its messages only ``Ended`` is sent."""

    number: int
    line: str
    tiff: Path
    caller: str
    dialled: str


@dataclass(frozen=True, slots=True)
class CancelCall:
    """Ends a call, because its owner cancelled it."""

    number: int


@dataclass(frozen=True, slots=True)
class TakeCall:
    """Reply to ``CallOffered``: answer the call."""

    number: int
    parameters: CallParameters
    packets: KeepPackets | None


@dataclass(frozen=True, slots=True)
class RefuseCall:
    """Reply to ``CallOffered``: refuse the call."""

    number: int
    refusal: Refuse


# -- from the exchange -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LineOpened:
    """Reply to ``OpenLine``: the line is open, or could not be opened."""

    line: str


@dataclass(frozen=True, slots=True)
class LineClosed:
    """Reply to ``CloseLine``: the line is closed, its calls have ended."""

    line: str


@dataclass(frozen=True, slots=True)
class LinesAre:
    """The states of the lines: sent upon changes, and regularly as a sign of life."""

    states: Mapping[str, LineState]
    pacing: Mapping[str, Pacing]


@dataclass(frozen=True, slots=True)
class CallOffered:
    """An incoming call.  Answered by ``TakeCall`` or ``RefuseCall``."""

    number: int
    incoming: IncomingCall


# -- both ways ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OfCall:
    """A message of the call with this number, to or from its owner."""

    number: int
    message: FromCall | ToCall


FromBox = (
    OpenLine | CloseLine | UseZone | PlaceCall | PracticeCallIn | CancelCall | TakeCall | RefuseCall | OfCall
)
FromExchange = LineOpened | LineClosed | LinesAre | CallOffered | OfCall


class Channel:
    """One end of the socket pair, on the running loop."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def over(cls, sock: socket.socket) -> Channel:
        """A channel over ``sock``, which it closes."""
        return cls(*await asyncio.open_unix_connection(sock=sock))

    def send(self, message: FromBox | FromExchange) -> None:
        """Sends a message.  Does not wait; does nothing when the other end is gone."""
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
        """Closes the channel."""
        self._writer.close()
