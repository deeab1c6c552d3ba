"""Commands to a modem, one at a time, and their answers: the layer between bytes and the DCE.

No I/O.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from appliance.lines.modem.lexer import CAN, DataKind, EndOfData, Lexer, Octets, TextLine
from appliance.lines.modem.results import Result, result_of

# V.250 5.4.1 sets no length of command lines; all modems accept 256 characters with CR.
MAX_COMMAND_CHARACTERS = 250


@dataclass(frozen=True, slots=True)
class Reply:
    """A result code; ``line``: its text."""

    result: Result
    line: str


@dataclass(frozen=True, slots=True)
class Information:
    """A line that is not a result: an answer to a query, caller identification."""

    line: str


@dataclass(frozen=True, slots=True)
class DataReceived:
    """Data between CONNECT and the end of data."""

    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ReceivedEnd:
    """The end of data; a result follows."""


@dataclass(frozen=True, slots=True)
class Silence:
    """The command had no answer within its limit."""


PortEvent = Reply | Information | DataReceived | ReceivedEnd | Silence


class CommandPort:
    """A modem's command and data stream as seen by its DTE.

    ``trace(now, direction, text)`` gets each command and line ("to", "from"), for the call's trace.
    """

    def __init__(
        self, *, bare_dle: bool = False, trace: Callable[[float, str, str], None] | None = None
    ) -> None:
        self._lexer = Lexer(bare_dle=bare_dle)
        self._out: deque[Iterator[bytes]] = deque()
        self._piece = b""  # the rest of a piece that was partly taken
        self.discards = 0  # number of ``discard_output``: the transport should drop its output, too
        self._command = ""
        self._deadline: float | None = None
        self._events: deque[PortEvent] = deque()
        self._trace = trace

    # -- to the modem --------------------------------------------------------------------------

    def command(
        self, text: str, now: float, *, within: float | None, opens: DataKind = DataKind.NONE
    ) -> None:
        """Writes ``AT`` + text.  ``within`` seconds until ``Silence`` is reported, None: never.

        ``opens``: what a CONNECT in answer to it brings.  Raises ValueError for a command that is not
        plain text of a bounded length: what comes from an owner was to be checked before.
        """
        if len(text) > MAX_COMMAND_CHARACTERS or not text.isascii() or not (text.isprintable() or not text):
            raise ValueError(f"not a modem command: {text!r}")
        self._command = f"AT{text}"
        self._lexer.expect(opens)
        self._note(now, "to", self._command)
        self._write(self._command.encode("ascii") + b"\r")
        self.await_reply(now, within)

    def await_reply(self, now: float, within: float | None) -> None:
        """(Re)starts the limit for the next answer."""
        self._deadline = None if within is None else now + within

    def write(self, data: bytes) -> None:
        """Writes octets unchanged; they must be stuffed already."""
        self._write(data)

    def abort(self, now: float, *, within: float) -> None:
        """Sends CAN, which ends reception or another command (T.31 8.3.2).

        The next command must wait for the answer: modems ignore what follows in the same write.
        """
        self._note(now, "to", "<CAN>")
        self._write(bytes([CAN]))
        self.await_reply(now, within)

    def discard_output(self) -> None:
        """Drops output that the transport has not taken yet."""
        self._clear()
        self.discards += 1

    def _clear(self) -> None:
        self._out.clear()
        self._piece = b""

    def write_stream(self, pieces: Iterator[bytes]) -> None:
        """Writes octets, already stuffed, that are made when the transport takes them."""
        self._out.append(pieces)

    @property
    def unwritten(self) -> bool:
        """Whether there is output that the transport has not taken yet."""
        return bool(self._piece or self._out)

    def take_output(self, limit: int = 1 << 30) -> bytes:
        """The next octets for the modem, at most ``limit``."""
        taken: list[bytes] = []
        while limit > 0:
            if not self._piece:
                if not self._out:
                    break
                piece = next(self._out[0], None)
                if piece is None:
                    self._out.popleft()
                    continue
                self._piece = piece
            taken.append(self._piece[:limit])
            self._piece = self._piece[limit:]
            limit -= len(taken[-1])
        return b"".join(taken)

    def _write(self, data: bytes) -> None:
        self._out.append(iter((data,)))

    # -- from the modem ------------------------------------------------------------------------

    def receive(self, data: bytes, now: float) -> None:
        """Takes bytes from the modem."""
        for token in self._lexer.feed(data):
            match token:
                case TextLine(text):
                    self._line(text, now)
                case Octets(octets):
                    self._events.append(DataReceived(octets))
                case EndOfData():
                    self._events.append(ReceivedEnd())

    def _line(self, text: str, now: float) -> None:
        if self._command and text.upper() == self._command.upper():
            return  # echo, until ATE0 has worked
        self._note(now, "from", text)
        result = result_of(text)
        self._events.append(Information(text) if result is None else Reply(result, text))

    def lost_end(self) -> str:
        """The result that the data ended with, when DLE ETX never came; '' for none."""
        return self._lexer.lost_end()

    def close_data(self) -> None:
        """Ends the data state: the following octets are text."""
        self._lexer.expect(DataKind.NONE)

    def take_event(self) -> PortEvent | None:
        """The next event, oldest first; None when there is none."""
        return self._events.popleft() if self._events else None

    # -- time ----------------------------------------------------------------------------------

    def next_deadline(self) -> float | None:
        """When the answer to the command is overdue, seconds; None without a limit."""
        return self._deadline

    def handle_timer(self, now: float) -> None:
        """Reports ``Silence`` when the answer is overdue."""
        if self._deadline is not None and now >= self._deadline:
            self._deadline = None
            self._events.append(Silence())

    def _note(self, now: float, direction: str, text: str) -> None:
        if self._trace is not None:
            self._trace(now, direction, text)
