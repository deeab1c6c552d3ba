"""Encodes and decodes IPP messages (RFC 8010 3), with limits on everything that a peer chooses.

``Decoder`` takes a request's octets piece by piece; the document follows the attributes.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone

from appliance.ipp.model import (
    Attributes,
    Content,
    DotsPerInch,
    Group,
    GroupTag,
    Message,
    Range,
    Spoken,
    Tag,
    Value,
)

# Most octets of a message before its document; a print request has some hundred.
ATTRIBUTES_LIMIT = 256 * 1024
# Most values of one message, and depth of collections (media-col has two levels).
MOST_VALUES = 5_000
DEEPEST = 8
# RFC 8010 3.1.1: version, operation or status, request id.
_HEAD = struct.Struct(">BBHi")
_LENGTH = struct.Struct(">H")
# RFC 8011 5.1.15: units of a resolution.
_PER_INCH, _PER_CM = 3, 4
_CM_PER_INCH = 2.54
# Tags below this begin a group; others are tags of values (RFC 8010 3.5).
_FIRST_VALUE_TAG = 0x10
_TEXTS = frozenset(
    {
        Tag.TEXT,
        Tag.NAME,
        Tag.KEYWORD,
        Tag.URI,
        Tag.URI_SCHEME,
        Tag.CHARSET,
        Tag.LANGUAGE,
        Tag.MIME_TYPE,
        Tag.MEMBER_NAME,
    }
)
_LONGEST_VALUE = 0x7FFF  # RFC 8010 3.1.4: lengths are signed shorts
_LEAST_INTEGER, _MOST_INTEGER = -(1 << 31), (1 << 31) - 1


class MessageError(ValueError):
    """These octets are not an IPP message; the message says why.

    ``head``: version, code and request id, if they could be read, for the answer.
    """

    def __init__(self, why: str, head: Message | None = None) -> None:
        super().__init__(why)
        self.head = head


class Decoder:
    """Reads one message.  Feed it octets until ``message`` is set; ``rest`` has the octets after it."""

    def __init__(self) -> None:
        self.message: Message | None = None
        self.rest = b""
        self._buffer = bytearray()
        self._place = _HEAD.size
        self._count = 0
        self._groups: list[tuple[int, dict[str, list[Value]]]] = []
        self._name = ""
        # Open collections: the members so far, and the name of the next member.
        self._open: list[tuple[dict[str, list[Value]], str]] = []

    def feed(self, octets: bytes) -> None:
        """Takes further octets.  Raises MessageError."""
        if self.message is not None:
            self.rest += octets
            return
        self._buffer += octets
        while self.message is None and self._step():
            if self._place > ATTRIBUTES_LIMIT:
                raise self._error("the attributes are too long")
        if self.message is None and len(self._buffer) > ATTRIBUTES_LIMIT:
            raise self._error("the attributes are too long")

    def end(self) -> Message:
        """The message, after its last octet.  Raises MessageError when it is incomplete."""
        if self.message is None:
            raise self._error("the message broke off")
        return self.message

    @property
    def head(self) -> Message | None:
        """Version, code and request id, once they have arrived."""
        if len(self._buffer) < _HEAD.size:
            return None
        major, minor, code, request_id = _HEAD.unpack_from(self._buffer)
        return Message((major, minor), code, request_id)

    def _error(self, why: str) -> MessageError:
        return MessageError(why, self.head)

    def _step(self) -> bool:
        """Reads one tag with its data; False when some of that has not arrived yet."""
        buffer, place = self._buffer, self._place
        if len(buffer) <= place:
            return False
        tag = buffer[place]
        if tag == GroupTag.END:
            self._finish(place + 1)
            return True
        if tag < _FIRST_VALUE_TAG:
            if self._open:
                raise self._error("a collection has no end")
            self._groups.append((tag, {}))
            self._name = ""
            self._place = place + 1
            return True
        name_at = place + 1
        name_end = self._end_of(name_at)
        end = self._end_of(name_end) if name_end else None
        if name_end is None or end is None:
            return False
        name = bytes(buffer[name_at + _LENGTH.size : name_end])
        content = bytes(buffer[name_end + _LENGTH.size : end])
        self._place = end
        self._count += 1
        if self._count > MOST_VALUES:
            raise self._error("there are too many values")
        self._take(tag, _text(name, self._error("a name is not UTF-8")), content)
        return True

    def _end_of(self, place: int) -> int | None:
        """The end of the counted octets at ``place``; None when they have not all arrived."""
        if len(self._buffer) < place + _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack_from(self._buffer, place)
        if length > _LONGEST_VALUE:
            raise self._error("a length is negative")
        end = place + _LENGTH.size + int(length)
        return end if len(self._buffer) >= end else None

    def _finish(self, end: int) -> None:
        if self._open:
            raise self._error("a collection has no end")
        head = self.head
        assert head is not None
        groups = tuple(
            Group(tag, {name: tuple(values) for name, values in found.items()}) for tag, found in self._groups
        )
        self.message = Message(head.version, head.code, head.request_id, groups)
        self.rest = bytes(self._buffer[end:])
        self._buffer.clear()

    def _take(self, tag: int, name: str, content: bytes) -> None:
        if self._open:
            self._take_member(tag, name, content)
            return
        if not self._groups:
            raise self._error("a value stands before the first group")
        attributes = self._groups[-1][1]
        if name:
            if name in attributes:
                raise self._error(f"the attribute {name[:64]} is there twice")
            self._name = name
            attributes[name] = []
        elif not self._name:
            raise self._error("a value has no name")
        if tag == Tag.COLLECTION:
            self._open.append(({}, ""))
        else:
            attributes[self._name].append(self._value(tag, content))

    def _take_member(self, tag: int, name: str, content: bytes) -> None:
        members, member = self._open[-1]
        if name:
            raise self._error("a member of a collection has a name of its own")
        if tag == Tag.MEMBER_NAME:
            member = _text(content, self._error("a name is not UTF-8"))
            if not member or member in members:
                raise self._error("a member of a collection is there twice, or has no name")
            members[member] = []
            self._open[-1] = (members, member)
        elif tag == Tag.END_COLLECTION:
            self._close(members)
        elif not member:
            raise self._error("a member of a collection has no name")
        elif tag == Tag.COLLECTION:
            if len(self._open) >= DEEPEST:
                raise self._error("collections are nested too deeply")
            self._open.append(({}, ""))
        else:
            members[member].append(self._value(tag, content))

    def _close(self, members: dict[str, list[Value]]) -> None:
        self._open.pop()
        whole = Value(Tag.COLLECTION, {name: tuple(values) for name, values in members.items()})
        if self._open:
            outer, member = self._open[-1]
            outer[member].append(whole)
        else:
            self._groups[-1][1][self._name].append(whole)

    def _value(self, tag: int, octets: bytes) -> Value:
        if tag in (Tag.MEMBER_NAME, Tag.END_COLLECTION):
            raise self._error("a part of a collection stands outside of one")
        try:
            return Value(tag, _content(tag, octets))
        except (ValueError, struct.error, OverflowError):
            raise self._error(f"a value of the kind {tag:#04x} cannot be read") from None


def _text(octets: bytes, error: MessageError) -> str:
    try:
        return octets.decode()
    except UnicodeDecodeError:
        raise error from None


def _content(tag: int, octets: bytes) -> Content:
    """The value of one tag.  Raises ValueError, struct.error, OverflowError."""
    if tag < Tag.INTEGER:
        return None  # out of band: RFC 8010 3.8
    if tag in _TEXTS:
        return octets.decode()
    match tag:
        case Tag.INTEGER | Tag.ENUM:
            return int(struct.unpack(">i", octets)[0])
        case Tag.BOOLEAN:
            (given,) = struct.unpack(">B", octets)
            return bool(given)
        case Tag.DATE_TIME:
            return _moment(octets)
        case Tag.RESOLUTION:
            across, down, unit = struct.unpack(">iiB", octets)
            per_inch = _CM_PER_INCH if unit == _PER_CM else 1.0
            return DotsPerInch(round(across * per_inch), round(down * per_inch))
        case Tag.RANGE:
            return Range(*struct.unpack(">ii", octets))
        case Tag.TEXT_WITH_LANGUAGE | Tag.NAME_WITH_LANGUAGE:
            (length,) = _LENGTH.unpack_from(octets)
            language = octets[2 : 2 + length]
            (rest,) = _LENGTH.unpack_from(octets, 2 + length)
            if len(octets) != 4 + length + rest:
                raise ValueError("the lengths do not fit")
            return Spoken(language.decode(), octets[4 + length :].decode())
    return octets


def _moment(octets: bytes) -> datetime:
    """RFC 2579 DateAndTime."""
    year, month, day, hour, minute, second, tenth = struct.unpack(">HBBBBBB", octets[:8])
    sign, hours, minutes = struct.unpack(">cBB", octets[8:])
    away = timedelta(hours=hours, minutes=minutes)
    zone = timezone(-away if sign == b"-" else away)
    return datetime(year, month, day, hour, minute, min(second, 59), min(tenth, 9) * 100_000, zone)


# -- to octets -------------------------------------------------------------------------------------


def encode(message: Message) -> bytes:
    """The message's octets.  Raises ValueError or struct.error for invalid values, which are a bug of
    ours.
    """
    made = bytearray(_HEAD.pack(*message.version, message.code, message.request_id))
    for group in message.groups:
        made.append(group.tag)
        _put_attributes(made, group.attributes)
    made.append(GroupTag.END)
    return bytes(made)


def _put_attributes(made: bytearray, attributes: Attributes) -> None:
    for name, values in attributes.items():
        written = name
        for value in values:
            _put(made, value, written)
            written = ""


def _put(made: bytearray, value: Value, name: str) -> None:
    if isinstance(value.content, dict) and value.tag == Tag.COLLECTION:
        _put_raw(made, Tag.COLLECTION, name, b"")
        for member, values in value.content.items():
            _put_raw(made, Tag.MEMBER_NAME, "", member.encode())
            for each in values:
                _put(made, each, "")
        _put_raw(made, Tag.END_COLLECTION, "", b"")
    else:
        _put_raw(made, value.tag, name, _octets(value.content, value.tag))


def _put_raw(made: bytearray, tag: int, name: str, content: bytes) -> None:
    raw = name.encode()
    if len(content) > _LONGEST_VALUE:
        raise ValueError(f"a value of {len(content)} octets")
    made += bytes([tag]) + _LENGTH.pack(len(raw)) + raw + _LENGTH.pack(len(content)) + content


def _octets(content: Content, tag: int) -> bytes:
    match content:
        case None:
            return b""
        case bytes():
            return content
        case str():
            return content.encode()
        case bool():
            return bytes([content])
        case int():
            return struct.pack(">i", content)
        case Range(least, most):
            return struct.pack(">ii", least, most)
        case DotsPerInch(across, down):
            return struct.pack(">iiB", across, down, _PER_INCH)
        case Spoken(language, text):
            raw, said = language.encode(), text.encode()
            return _LENGTH.pack(len(raw)) + raw + _LENGTH.pack(len(said)) + said
        case datetime():
            return _octets_of_moment(content)
    raise ValueError(f"a value of the kind {tag:#04x}")


def _octets_of_moment(at: datetime) -> bytes:
    away = at.utcoffset() or timedelta()
    minutes = int(abs(away).total_seconds()) // 60
    sign = b"-" if away < timedelta() else b"+"
    tenth = at.microsecond // 100_000
    return struct.pack(
        ">HBBBBBBcBB",
        at.year,
        at.month,
        at.day,
        at.hour,
        at.minute,
        at.second,
        tenth,
        sign,
        *divmod(minutes, 60),
    )


# -- short ways to write values ----------------------------------------------------------------------


def integers(*numbers: int) -> Sequence[Value]:
    """Values of the syntax integer, limited to the range of 32 bits."""
    return tuple(Value(Tag.INTEGER, min(max(number, _LEAST_INTEGER), _MOST_INTEGER)) for number in numbers)


def enums(*numbers: int) -> Sequence[Value]:
    """Values of the syntax enum."""
    return tuple(Value(Tag.ENUM, number) for number in numbers)


def keywords(*words: str) -> Sequence[Value]:
    """Values of the syntax keyword."""
    return tuple(Value(Tag.KEYWORD, word) for word in words)


def uris(*addresses: str) -> Sequence[Value]:
    """Values of the syntax uri."""
    return tuple(Value(Tag.URI, address) for address in addresses)


def text(said: str, limit: int = 1023) -> Sequence[Value]:
    """A text of at most ``limit`` octets: RFC 8011 5.1.2."""
    return (Value(Tag.TEXT, _shortened(said, limit)),)


def name(said: str, limit: int = 255) -> Sequence[Value]:
    """A name of at most ``limit`` octets: RFC 8011 5.1.3."""
    return (Value(Tag.NAME, _shortened(said, limit)),)


def boolean(yes: bool) -> Sequence[Value]:
    """A value of the syntax boolean."""
    return (Value(Tag.BOOLEAN, yes),)


def moment(at: float) -> Sequence[Value]:
    """A Unix time, as a value of the syntax dateTime."""
    return (Value(Tag.DATE_TIME, datetime.fromtimestamp(at, UTC)),)


NO_VALUE: Sequence[Value] = (Value(Tag.NO_VALUE, None),)


def _shortened(said: str, limit: int) -> str:
    return said.encode()[:limit].decode(errors="ignore")
