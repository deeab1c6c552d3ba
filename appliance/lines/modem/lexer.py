"""Bytes from a modem to tokens: result lines, and data between CONNECT and DLE ETX, in any split.

The stream has two grammars and no marker of its own between them: text lines ended by CR or LF
(V.250 5.7.1), and after the CONNECT of a reception command octets with DLE doubled, ended by DLE ETX
(T.31 8.3.2, Annex A).  The sender of a command sets which data its CONNECT begins.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

DLE = 0x10
ETX = 0x03
SUB = 0x1A  # DLE SUB stands for two DLE (T.31 8.5.3, +FDD)
CAN = 0x18
XON = 0x11
XOFF = 0x13
_CR, _LF = 0x0D, 0x0A
# What follows DLE when a modem also escapes the software flow control octets (V.253 table 17; some
# class-1 firmware does it unasked).
_ESCAPED = {DLE: bytes([DLE]), SUB: bytes([DLE, DLE]), 0x51: bytes([XON]), 0x53: bytes([XOFF])}

# Longest line, octets; the rest is dropped, so that a device cannot fill the memory.  V.250 sets no limit;
# the longest answers seen are ATI lines of a few hundred characters.
MAX_LINE_OCTETS = 1024


class DataKind(Enum):
    """The data that follows the CONNECT of the command in progress."""

    NONE = "none"  # no data: CONNECT is a result only
    FRAME = "frame"  # one HDLC frame (+FRH)
    STREAM = "stream"  # octets of the carrier (+FRM)


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line of text without its ends and control characters; never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class Octets:
    """Received data, unstuffed."""

    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class EndOfData:
    """DLE ETX."""


Token = TextLine | Octets | EndOfData

# Results that may stand where a frame should begin: the second CONNECT of a modem that had queued
# frames, or the far end hanging up between CONNECT and the frame.  A frame begins with FF, these with CR.
_IN_PLACE_OF_FRAME = tuple(
    b"\r\n" + text + b"\r\n" for text in (b"CONNECT", b"NO CARRIER", b"OK", b"ERROR", b"+FCERROR")
)
# Results after which a modem has left the data state although DLE ETX never came.
_AFTER_LOST_END = tuple(b"\r\n" + text + b"\r\n" for text in (b"NO CARRIER", b"OK", b"ERROR"))
_TAIL = max(map(len, _AFTER_LOST_END))


class Lexer:
    """Splits what a modem sends.  ``expect`` is to be called before each command is written."""

    def __init__(self, *, bare_dle: bool = False) -> None:
        """``bare_dle``: the modem does not double DLE in frames; DLE before an unknown octet is data."""
        self._bare_dle = bare_dle
        self._next_kind = DataKind.NONE
        self._reading = DataKind.NONE
        self._line = bytearray()
        self._escaped = False
        self._skip_lf = False
        self._head: bytearray | None = None  # first octets in place of a frame, while they may be a result
        self._tail = b""

    def expect(self, kind: DataKind) -> None:
        """Sets the data that the next CONNECT begins, and ends a data state; call it before a command."""
        self._next_kind = kind
        self._leave_data()

    def lost_end(self) -> str:
        """The result that ends the data read so far without DLE ETX, '' when there is none.

        For the silence after the last octet: within a page the same octets may be picture.
        """
        for text in _AFTER_LOST_END:
            if self._tail.endswith(text):
                return text.decode().strip()
        return ""

    def feed(self, data: bytes) -> list[Token]:
        """Takes the next bytes from the modem."""
        tokens: list[Token] = []
        position = 0
        while position < len(data):
            if self._reading is DataKind.NONE:
                position = self._feed_line(data, position, tokens)
            else:
                position = self._feed_data(data, position, tokens)
        return tokens

    # -- text ----------------------------------------------------------------------------------

    def _feed_line(self, data: bytes, position: int, tokens: list[Token]) -> int:
        while position < len(data):
            octet = data[position]
            position += 1
            if octet not in (_CR, _LF):
                if len(self._line) < MAX_LINE_OCTETS:
                    self._line.append(octet)
                continue
            # DLE ETX of an abort, XON and line noise may precede a result on its line.
            text = bytes(o for o in self._line if 0x20 <= o < 0x7F).decode("ascii").strip()
            self._line.clear()
            if not text:
                continue
            tokens.append(TextLine(text))
            if self._next_kind is not DataKind.NONE and is_connect(text):
                self._enter_data(self._next_kind)
                self._skip_lf = octet == _CR
                return position
        return position

    # -- data ----------------------------------------------------------------------------------

    def _enter_data(self, kind: DataKind) -> None:
        self._reading = kind
        self._escaped = False
        self._tail = b""
        self._line.clear()
        self._head = bytearray() if kind is DataKind.FRAME else None

    def _leave_data(self) -> None:
        self._reading = DataKind.NONE
        self._head = None
        self._skip_lf = False

    def _feed_data(self, data: bytes, position: int, tokens: list[Token]) -> int:
        if self._skip_lf:
            self._skip_lf = False
            if data[position] == _LF:
                return position + 1
        if self._head is not None:
            self._head.append(data[position])
            head = bytes(self._head)
            if head in _IN_PLACE_OF_FRAME:
                tokens.append(TextLine(head.decode("ascii").strip()))
                if is_connect(tokens[-1].text):  # type: ignore[union-attr]
                    self._head = bytearray()
                else:
                    self._leave_data()
            elif not any(text.startswith(head) for text in _IN_PLACE_OF_FRAME):
                self._head = None
                self._unstuff(head, tokens)
            return position + 1
        return position + self._unstuff(data[position:], tokens)

    def _unstuff(self, data: bytes, tokens: list[Token]) -> int:
        """Unstuffs up to the end of the data state; gives the number of octets used."""
        out = bytearray()
        used = len(data)
        end = False
        position = 0
        while position < len(data):
            if not self._escaped:
                next_dle = data.find(DLE, position)
                if next_dle < 0:
                    out += data[position:]
                    break
                out += data[position:next_dle]
                self._escaped = True
                position = next_dle + 1
                continue
            octet = data[position]
            position += 1
            self._escaped = False
            if octet == ETX:
                used, end = position, True
                break
            if octet in _ESCAPED:
                out += _ESCAPED[octet]
            elif self._bare_dle:
                out += bytes([DLE, octet])
            # Anything else after DLE is to be dropped with it (T.31 Annex A).
        if out:
            self._tail = (self._tail + bytes(out[-_TAIL:]))[-_TAIL:]
            tokens.append(Octets(bytes(out)))
        if end:
            self._leave_data()
            tokens.append(EndOfData())
        return used


def is_connect(text: str) -> bool:
    """Whether a line is the result CONNECT (some modems add a rate)."""
    return text.upper().split(" ", 1)[0] == "CONNECT"


def stuff(data: bytes) -> bytes:
    """Octets as they are written to the modem: DLE doubled (T.31 Annex A)."""
    return data.replace(b"\x10", b"\x10\x10")
