"""Unpacks a winmail.dat of Outlook ([MS-OXTNEF]): text, files, an enclosed message.

Pure; every octet is untrusted.  Each step consumes octets, so the time is limited by the length of the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from appliance.documents.mail.headers import when
from appliance.documents.mail.outlook_items import Property, said_by, time_in
from appliance.documents.text.plain import codepage

SIGNATURE = bytes.fromhex("789f3e22")
_KEY_OCTETS, _CHECKSUM_OCTETS = 2, 2
# An attribute's level (2.1.3.1), and the octets of an empty one; fewer at the end are ignored.
_LEVELS, _LEAST_OCTETS = frozenset({1, 2}), 11
# Names of attributes (2.1.3.2): the lower half of their identifiers.
_CODEPAGE, _BODY, _PROPERTIES = 0x9007, 0x800C, 0x9003
_SUBJECT_LINE, _CLASS = 0x8004, 0x8008
_NEXT_FILE, _FILE_NAME, _FILE_CONTENT, _FILE_PROPERTIES = 0x9002, 0x8010, 0x800F, 0x9005
# Properties ([MS-OXPROPS]).
_TEXT, _RTF, _HTML, _HTML_CODEPAGE = 0x1000, 0x1009, 0x1013, 0x3FDE
_CONTENT, _SHORT_NAME, _LONG_NAME, _CONTENT_ID = 0x3701, 0x3704, 0x3707, 0x3712
# Those of the heading of a message, which an enclosed one has here alone.
_HEADING = {"From": 0x0C1A, "To": 0x0E04, "Cc": 0x0E03, "Subject": 0x0037}
_SENT, _ITEM_CLASS = 0x0039, 0x001A
# Types of properties ([MS-OXCDATA] 2.11.1): of variable length, and the octets of the others (2.1.3.4).
_OBJECT, _STRING, _WIDE, _TIME, _BINARY = 0x000D, 0x001E, 0x001F, 0x0040, 0x0102
_VARIABLE = frozenset({_OBJECT, _STRING, _WIDE, _BINARY})
_WIDTHS = {
    **dict.fromkeys((0x0002, 0x0003, 0x0004, 0x000A, 0x000B), 4),
    **dict.fromkeys((0x0005, 0x0006, 0x0007, 0x0014, _TIME), 8),
    0x0048: 16,
}
_SEVERAL, _NAMED = 0x1000, 0x8000  # marks in a type and an identifier
_CLASS_OCTETS = 16  # before an object's content: what it is
_MOST_FILES = 100
# Properties of one object, each with its type and value.
_Found = dict[Property, tuple[int, bytes]]


class TnefError(ValueError):
    """The file is truncated or not a winmail.dat."""


@dataclass(slots=True)
class TnefFile:
    """A file in a winmail.dat."""

    name: str = ""
    content: bytes = b""
    content_id: str = ""


@dataclass(slots=True)
class Unpacked:
    """A winmail.dat: ``plain``, ``html`` and ``rtf`` (compressed) are its text, as far as it has them,
    ``heading`` who wrote it, to whom, when and about what, and ``item`` what an appointment, a task or a
    contact says besides.
    """

    files: list[TnefFile]
    heading: dict[str, str] = field(default_factory=dict)
    item: dict[str, str] = field(default_factory=dict)
    plain: str = ""
    html: str = ""
    rtf: bytes = b""


def unpacked(octets: bytes) -> Unpacked:
    """The contents of a winmail.dat.  Raises TnefError."""
    reader = _Reader(octets)
    if reader.take(len(SIGNATURE)) != SIGNATURE:
        raise TnefError("another signature")
    reader.take(_KEY_OCTETS)
    made = Unpacked([])
    charset, item_class = "cp1252", ""
    while reader.left >= _LEAST_OCTETS and any(reader.rest):  # some programs pad it with zeros
        if reader.number(1) not in _LEVELS:
            raise TnefError("neither of the message nor of a file")
        name, _ = reader.number(2), reader.number(2)
        value = reader.take(reader.number(4))
        reader.take(min(_CHECKSUM_OCTETS, reader.left))  # the last one may be missing
        match name:
            case _ if name == _CODEPAGE:
                charset = codepage(int.from_bytes(value[:4], "little"))
            case _ if name == _BODY:
                made.plain = _words(value, charset)
            case _ if name == _SUBJECT_LINE:
                made.heading.setdefault("Subject", _words(value, charset))
            case _ if name == _CLASS:
                item_class = _words(value, charset)
            case _ if name == _PROPERTIES:
                found = dict(_properties(value))
                _take_text(made, found, charset)
                _take_heading(made, found, charset)
                _take_item(made, found, item_class, charset)
            case _ if name == _NEXT_FILE and len(made.files) < _MOST_FILES:
                made.files.append(TnefFile())
            case _ if name in {_FILE_NAME, _FILE_CONTENT, _FILE_PROPERTIES} and made.files:
                _take_file(made.files[-1], name, value, charset)
    return made


def _take_text(made: Unpacked, found: _Found, charset: str) -> None:
    said = found.get((b"", _HTML_CODEPAGE))
    of_page = codepage(int.from_bytes(said[1], "little")) if said is not None else charset
    if (b"", _TEXT) in found:
        made.plain = _text_of(found[b"", _TEXT], of_page)
    if (b"", _HTML) in found:
        made.html = _text_of(found[b"", _HTML], of_page)
    if (b"", _RTF) in found:
        made.rtf = found[b"", _RTF][1]


def _take_item(made: Unpacked, found: _Found, item_class: str, charset: str) -> None:
    def value(which: Property) -> str:
        kind, octets = found.get(which, (_STRING, b""))
        return time_in(which, octets) if kind == _TIME else _text_of((kind, octets), charset)

    said = found.get((b"", _ITEM_CLASS))
    made.item = said_by(_text_of(said, charset) if said is not None else item_class, value)


def _take_heading(made: Unpacked, found: _Found, charset: str) -> None:
    for name, identifier in _HEADING.items():
        if (b"", identifier) in found:
            made.heading[name] = _text_of(found[b"", identifier], charset)
    if (b"", _SENT) in found:
        made.heading["Date"] = when(found[b"", _SENT][1])


def _take_file(file: TnefFile, name: int, value: bytes, charset: str) -> None:
    if name == _FILE_NAME:
        file.name = file.name or _words(value, charset)
    elif name == _FILE_CONTENT:
        file.content = value
    else:
        found = dict(_properties(value))
        for each in (_LONG_NAME, _SHORT_NAME):
            if (b"", each) in found:
                file.name = _text_of(found[b"", each], charset)
                break
        if (b"", _CONTENT_ID) in found:
            file.content_id = _text_of(found[b"", _CONTENT_ID], charset).strip("<>")
        if (b"", _CONTENT) in found and not file.content:
            kind, content = found[b"", _CONTENT]
            file.content = content[_CLASS_OCTETS:] if kind == _OBJECT else content


def _properties(octets: bytes) -> Iterator[tuple[Property, tuple[int, bytes]]]:
    """Set and number, and type and value, of each property (2.1.3.4), up to where they are damaged."""
    reader = _Reader(octets)
    try:
        for _ in range(min(reader.number(4), len(octets))):
            kind, identifier = reader.number(2), reader.number(2)
            belongs_to = b""
            if identifier >= _NAMED:
                belongs_to = reader.take(_CLASS_OCTETS)
                if reader.number(4):
                    reader.padded(reader.number(4))
                else:
                    identifier = reader.number(4)
            several = kind & _SEVERAL
            kind &= ~_SEVERAL
            count = reader.number(4) if several or kind in _VARIABLE else 1
            value = b""
            for _ in range(min(count, len(octets))):
                value = reader.padded(reader.number(4)) if kind in _VARIABLE else reader.take(_width(kind))
            yield (belongs_to, identifier), (kind, value)
    except TnefError:
        return


def _width(kind: int) -> int:
    if kind not in _WIDTHS:
        raise TnefError(f"a property of type {kind:#x}")
    return _WIDTHS[kind]


def _text_of(value: tuple[int, bytes], charset: str) -> str:
    kind, octets = value
    return octets.decode("utf-16-le", "replace").rstrip("\0") if kind == _WIDE else _words(octets, charset)


def _words(octets: bytes, charset: str) -> str:
    try:
        return octets.decode(charset, "replace").rstrip("\0")
    except LookupError:
        return octets.decode("cp1252", "replace").rstrip("\0")


class _Reader:
    """Takes octets from the front.  Raises TnefError where there are none left."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._octets) - self._at

    @property
    def rest(self) -> memoryview:
        return memoryview(self._octets)[self._at :]

    def take(self, count: int) -> bytes:
        taken = self._octets[self._at : self._at + count]
        if len(taken) != count:
            raise TnefError("it is cut off")
        self._at += count
        return taken

    def number(self, octets: int) -> int:
        return int.from_bytes(self.take(octets), "little")

    def padded(self, count: int) -> bytes:
        """Takes ``count`` octets and the padding to a multiple of four."""
        taken = self.take(count)
        self._at += -count % 4
        return taken
