"""The octets of a fast transmission after CONNECT, made piece by piece as the port takes them.

A page may have megabytes, and the event loop must not block meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator

from appliance.lines.modem.hdlc import bit_stream_pieces
from appliance.lines.modem.lexer import DLE, ETX, stuff
from appliance.lines.modem.limits import ECM_LEADING_S, ECM_TRAILING_FLAGS
from appliance.t30.dce import SendEcm, SendImage, SendTcf

PIECE_OCTETS = 2048
# Zero insertion adds at most one bit to five (ISO/IEC 13239 4.3.1).
_STUFFING = 1.2


def stuffed_chunks(order: SendTcf | SendImage | SendEcm) -> Iterator[bytes]:
    """The octets of the transmission with DLE doubled, and DLE ETX at the end."""
    for piece in _pieces(order):
        yield stuff(piece)
    yield bytes([DLE, ETX])


def line_octets(order: SendTcf | SendImage | SendEcm) -> int:
    """The most octets that the transmission takes on the line."""
    match order:
        case SendTcf(_, octets):
            return octets
        case SendImage(_, _, data):
            return len(data)
        case SendEcm(_, _, frames):
            inside = sum(len(frame) + 4 for frame in frames)
            return round(inside * _STUFFING) + _leading_flags(order) + ECM_TRAILING_FLAGS


def _pieces(order: SendTcf | SendImage | SendEcm) -> Iterator[bytes]:
    match order:
        case SendTcf(_, octets):
            yield bytes(octets)
        case SendImage(_, _, data):
            for start in range(0, len(data), PIECE_OCTETS):
                yield data[start : start + PIECE_OCTETS]
        case SendEcm(_, _, frames):
            yield from bit_stream_pieces(
                frames, leading_flags=_leading_flags(order), trailing_flags=ECM_TRAILING_FLAGS
            )


def _leading_flags(order: SendEcm) -> int:
    return max(1, round(ECM_LEADING_S * order.carrier.bit_rate / 8))
