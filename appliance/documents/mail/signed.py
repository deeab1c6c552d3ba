"""Reads the content of signed messages (S/MIME, RFC 8551 3.5.2; CMS, RFC 5652).  Pure.

The signature is not checked: a fax shows what was written, and proves nothing about the author.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass

_OID, _OCTETS, _SEQUENCE, _CONTENT = 0x06, 0x04, 0x30, 0xA0
_OCTETS_IN_PIECES = 0x24
_SIGNED = bytes.fromhex("2a864886f70d010702")
# Content types of encrypted messages: enveloped data, and authenticated enveloped data.
_ENCRYPTED = (bytes.fromhex("2a864886f70d010703"), bytes.fromhex("2a864886f70d0109100117"))
_HEAD = 32  # octets that show the type
# How the outermost element begins in base64; an armour may stand before it.
_ARMOUR = re.compile(rb"\s{0,100}(?:-----BEGIN [A-Z0-9 ]{1,40}-----\s{1,10})?(?=MI[A-Q][A-Za-z0-9+/])")
_DEEPEST = 12
_END = b"\0\0"  # of an element of indefinite length (X.690 8.1.5)


@dataclass(frozen=True, slots=True)
class _Element:
    tag: int
    body: bytes
    end: int  # where the next one begins


class _DamagedError(ValueError):
    """Not an element of ASN.1 in BER, or truncated."""


def signed_content(message: bytes) -> bytes | None:
    """The MIME entity in a signed message; None when it is of another kind, damaged or empty."""
    try:
        kind, content = _content_info(_binary(message, len(message)))
        if kind != _SIGNED:
            return None
        parts = list(_elements(_only(content, _SEQUENCE).body))
        within = next(part for part in parts if part.tag == _SEQUENCE)
        _, octets = _content_info_body(within.body)
        return _joined(octets, 0) or None
    except (_DamagedError, StopIteration, IndexError):
        return None


def is_signed(message: bytes) -> bool:
    """Whether the message is signed with its content inside; its beginning is enough."""
    return _begins_with(message, (_SIGNED,))


def is_encrypted(message: bytes) -> bool:
    """Whether the message is encrypted; its beginning is enough."""
    return _begins_with(message, _ENCRYPTED)


def _begins_with(message: bytes, types: tuple[bytes, ...]) -> bool:
    head = _binary(message, _HEAD)
    return head[:1] == b"\x30" and any(bytes([_OID, len(name)]) + name in head[:_HEAD] for name in types)


def _binary(message: bytes, octets: int) -> bytes:
    """The message, decoded if it is in base64 or PEM (RFC 7468), as far as ``octets`` of it need it."""
    armour = _ARMOUR.match(message)
    if armour is None:
        return message
    coded = b"".join(message[armour.end() : armour.end() + 2 * octets].partition(b"-----")[0].split())
    try:
        return binascii.a2b_base64(coded[: len(coded) // 4 * 4])
    except binascii.Error:
        return message


def _content_info(message: bytes) -> tuple[bytes, bytes]:
    return _content_info_body(_only(message, _SEQUENCE).body)


def _content_info_body(body: bytes) -> tuple[bytes, bytes]:
    """The type of a content and the content (RFC 5652 3 and 5.2)."""
    parts = list(_elements(body))[:2]
    if [part.tag for part in parts] != [_OID, _CONTENT]:
        raise _DamagedError
    return parts[0].body, parts[1].body


def _only(octets: bytes, tag: int) -> _Element:
    found = next(_elements(octets))
    if found.tag != tag:
        raise _DamagedError
    return found


def _joined(octets: bytes, depth: int) -> bytes:
    """An octet string, which may be in pieces."""
    if depth > _DEEPEST:
        raise _DamagedError
    pieces = []
    for element in _elements(octets):
        if element.tag == _OCTETS:
            pieces.append(element.body)
        elif element.tag == _OCTETS_IN_PIECES:
            pieces.append(_joined(element.body, depth + 1))
    return b"".join(pieces)


def _elements(octets: bytes) -> Iterator[_Element]:
    at = 0
    while at < len(octets) and octets[at : at + 2] != _END:
        element = _element(octets, at, 0)
        yield element
        at = element.end


def _element(octets: bytes, at: int, depth: int) -> _Element:
    """The element at ``at`` (X.690 8.1); the tags used here take one octet."""
    if at + 2 > len(octets) or depth > _DEEPEST:
        raise _DamagedError
    tag, length, start = octets[at], octets[at + 1], at + 2
    if length == 0x80:
        inner = start
        while octets[inner : inner + 2] != _END:
            inner = _element(octets, inner, depth + 1).end
        return _Element(tag, octets[start:inner], inner + 2)
    if length > 0x80:
        count = length & 0x7F
        length, start = int.from_bytes(octets[start : start + count], "big"), start + count
    if start + length > len(octets):
        raise _DamagedError
    return _Element(tag, octets[start : start + length], start + length)
