"""Unpacking compressed documents within a limit: gzip (RFC 1952) and deflate (RFC 1950, 1951)."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Any

from appliance.api.ipp.words import IppError, Status
from appliance.durable import TooLargeError
from appliance.language import said

# Octets unpacked at once.
_PIECE = 1 << 16
# zlib's window bits: 15; plus 32 to detect a gzip or zlib header, negative for data without one.
_WITH_HEAD, _WITHOUT = 15 + 32, -15
# RFC 1950 2.2: the method in a header's first octet.
_DEFLATE = 8


def unpacked(pieces: Iterable[bytes], compression: str, limit: int) -> Iterator[bytes]:
    """The unpacked octets.  Raises IppError for malformed data, TooLargeError past ``limit``."""
    if compression == "none":
        yield from (piece for piece in pieces if piece)
        return
    machine = zlib.decompressobj(_WITH_HEAD)
    begun, total = False, 0
    try:
        for piece in pieces:
            if not begun and piece and compression == "deflate" and piece[0] & 0x0F != _DEFLATE:
                machine = zlib.decompressobj(_WITHOUT)  # RFC 1951 without a header
            begun = begun or bool(piece)
            rest = piece
            while rest:
                if machine.eof:
                    # RFC 1952 2.2: a gzip file may have several members; zeros are padding.
                    rest = rest.lstrip(b"\0") if compression == "gzip" else b""
                    if not rest:
                        break
                    machine = zlib.decompressobj(_WITH_HEAD)
                for made in _made(machine, rest):
                    total += len(made)
                    if total > limit:
                        raise TooLargeError(f"more than {limit} octets")
                    yield made
                rest = machine.unused_data
    except zlib.error:
        raise IppError(Status.COMPRESSION_ERROR, said("The document's compression is damaged.")) from None
    if begun and not machine.eof:
        raise IppError(Status.COMPRESSION_ERROR, said("The document's compression is damaged."))


def _made(machine: Any, piece: bytes) -> Iterator[bytes]:
    """What ``piece`` unpacks to, in small pieces.  Raises zlib.error."""
    rest = piece
    while not machine.eof:
        made = machine.decompress(rest, _PIECE)
        rest = machine.unconsumed_tail
        if made:
            yield made
        elif not rest:
            return
