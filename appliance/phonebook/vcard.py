"""Reads and writes vCards: 4.0 (RFC 6350), 3.0 (RFC 2426) and 2.1 with its quoted-printable.

Of a card only name, company, fax numbers, e-mail address, note and categories are read.
"""

from __future__ import annotations

import quopri
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum

from appliance.phonebook.cards import OLD_ENCODING, BookError, Card, group_names, split

# Longest value that is read, characters; photographs are longer.
_VALUE_LIMIT = 16_384
# RFC 6350 3.2: a line has at most 75 octets; longer ones continue in the next line after a blank.
_LINE_OCTETS = 75
_LINE_END = re.compile(r"\r\n|\n|\r")
_PROPERTY = re.compile(r'(?:[A-Za-z0-9-]+\.)?([A-Za-z0-9-]+)((?:;[^:;"]*(?:"[^"]*"[^:;"]*)*)*):')
_PARAMETER = re.compile(r';([^;"=]*)(?:=((?:"[^"]*"|[^;"])*))?')
# Names of character sets that a 2.1 card may give; any other is read as OLD_ENCODING.
_CHARSET = re.compile(r"utf-8|us-ascii|iso-8859-\d{1,2}|windows-125\d", re.IGNORECASE)
_QUOTED_PRINTABLE = "quoted-printable"
_BEGIN = "BEGIN:VCARD"
_URI = re.compile(r"(?:tel|fax|callto|mailto):(?://)?", re.IGNORECASE)


class Version(Enum):
    """Versions of the format."""

    V2_1 = "2.1"
    V3_0 = "3.0"
    V4_0 = "4.0"


@dataclass(slots=True)
class _Property:
    """One line of a card: its name, the words of its parameters by their names, and its value."""

    name: str
    parameters: dict[str, list[str]]
    value: str

    def parts(self, separator: str = ";") -> list[str]:
        return split(self.value, separator)

    @property
    def text(self) -> str:
        """The whole value; commas and semicolons are part of it."""
        return "".join(split(self.value, "\0"))

    @property
    def is_fax(self) -> bool:
        return any("fax" in word for word in self.parameters.get("TYPE", ()))


@dataclass(slots=True)
class _Open:
    """A card whose end has not been read yet."""

    line: int
    properties: list[_Property] = field(default_factory=list)


def looks_so(text: str) -> bool:
    """Whether a file's text is vCards."""
    return text.lstrip()[: len(_BEGIN)].upper() == _BEGIN


def read(text: str) -> Iterator[Card]:
    """The people in a file: one card for each fax number, or one without a number.  Raises BookError."""
    card: _Open | None = None
    inside = 0  # 2.1 has cards within cards (AGENT), which are ignored
    for line, content in _unfolded(text):
        found = _property(content)
        if found is None:
            continue
        value = found.value.strip().upper()
        if found.name == "BEGIN" and value == "VCARD":
            if card is None:
                card = _Open(line)
            else:
                inside += 1
        elif found.name == "END" and value == "VCARD" and card is not None:
            if inside:
                inside -= 1
                continue
            yield from _people(card)
            card = None
        elif card is not None and not inside:
            card.properties.append(found)
    if card is not None:
        raise BookError(f"the card that begins in line {card.line} has no end")


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    """Whole lines, each with the number of its first: joins folded lines (RFC 6350 3.2) and, in
    quoted-printable, those that end in "=".
    """
    parts: list[str] = []
    start = 0
    quoted = False
    for number, line in enumerate(_LINE_END.split(text), 1):
        if parts and quoted and parts[-1].endswith("="):
            parts[-1] = parts[-1][:-1]
            parts.append(line)
        elif parts and line[:1] in (" ", "\t"):
            parts.append(line[1:])
        else:
            if parts:
                yield start, "".join(parts)
            parts, start = [line], number
            quoted = _QUOTED_PRINTABLE in line.partition(":")[0].lower()
    if parts:
        yield start, "".join(parts)


def _property(line: str) -> _Property | None:
    if len(line) > _VALUE_LIMIT:
        return None
    head = _PROPERTY.match(line)
    if head is None:
        return None
    parameters: dict[str, list[str]] = {}
    for name, value in _PARAMETER.findall(head[2]):
        # 2.1 omits the names of parameters:  TEL;WORK;FAX.
        words = value.replace('"', "") if value else name
        known = name.strip().upper() if value else "TYPE"
        parameters.setdefault(known, []).extend(word.strip().lower() for word in words.split(","))
    value = line[head.end() :]
    if _QUOTED_PRINTABLE in (*parameters.get("ENCODING", ()), *parameters.get("TYPE", ())):
        value = _unquoted(value, next(iter(parameters.get("CHARSET", ())), "utf-8"))
    return _Property(head[1].upper(), parameters, value)


def _unquoted(value: str, charset: str) -> str:
    octets = quopri.decodestring(value.encode())
    try:
        return octets.decode(charset if _CHARSET.fullmatch(charset) else OLD_ENCODING)
    except (UnicodeDecodeError, LookupError):
        return octets.decode(OLD_ENCODING, "replace")


def _people(card: _Open) -> Iterator[Card]:
    named: dict[str, _Property] = {}
    for each in card.properties:
        if each.value.strip():
            named.setdefault(each.name, each)
    last, first = ([*named["N"].parts(), ""])[:2] if "N" in named else ("", "")
    company = ", ".join(part for part in named["ORG"].parts() if part) if "ORG" in named else ""
    full = named["FN"].text if "FN" in named else ""
    if not (first or last) and full != company:
        last = full
    groups = [name for each in card.properties if each.name == "CATEGORIES" for name in each.parts(",")]
    for number in _fax_numbers(card.properties) or [""]:
        yield Card(
            card.line,
            number,
            first,
            last,
            company,
            _URI.sub("", named["EMAIL"].text, count=1) if "EMAIL" in named else "",
            named["NOTE"].text if "NOTE" in named else "",
            group_names(groups),
        )


def _fax_numbers(properties: list[_Property]) -> list[str]:
    """The numbers that are marked as fax numbers; else a card's only number, if it has no type."""
    telephones = [each for each in properties if each.name == "TEL" and each.value.strip()]
    found = [each for each in telephones if each.is_fax]
    if not found and len(telephones) == 1 and "TYPE" not in telephones[0].parameters:
        found = telephones
    return list(dict.fromkeys(_URI.sub("", each.text.strip(), count=1) for each in found))


# -- writing ---------------------------------------------------------------------------------------


def write(cards: Iterable[Card], version: Version) -> bytes:
    """The people as vCards."""
    return "".join(_card(card, version) for card in cards).encode()


def _card(card: Card, version: Version) -> str:
    name = " ".join(part for part in (card.first_name, card.last_name) if part)
    lines = [
        "BEGIN:VCARD",
        f"VERSION:{version.value}",
        _line("N", ";".join(map(_escaped, (card.last_name, card.first_name, "", "", ""))), version),
        _line("FN", _escaped(name or card.company or card.number), version),
        _telephone(card.number, version),
    ]
    for word, value in (("ORG", card.company), ("EMAIL", card.email), ("NOTE", card.notes)):
        if value:
            lines.append(_line(word, _escaped(value), version))
    if card.groups:
        lines.append(_line("CATEGORIES", ",".join(_escaped(group) for group in card.groups), version))
    return "".join(line + "\r\n" for line in (*lines, "END:VCARD"))


def _telephone(number: str, version: Version) -> str:
    match version:
        case Version.V2_1:
            return _line("TEL;WORK;FAX", _escaped(number), version)
        case Version.V3_0:
            return _line("TEL;TYPE=WORK,FAX", _escaped(number), version)
        case Version.V4_0:
            # As text: what people write as a number is often no tel: URI (RFC 6350 6.4.1).
            return _line('TEL;VALUE=text;TYPE="work,fax"', _escaped(number), version)


def _escaped(text: str) -> str:
    """RFC 6350 3.4."""
    for plain, written in (("\\", "\\\\"), ("\n", "\\n"), (",", "\\,"), (";", "\\;"), ("\r", "")):
        text = text.replace(plain, written)
    return text


def _line(head: str, value: str, version: Version) -> str:
    if version is Version.V2_1:
        if value.isascii():
            return f"{head}:{value}"
        octets = quopri.encodestring(value.encode()).decode("ascii").replace("\n", "\r\n")
        return f"{head};CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:{octets}"
    return _folded(f"{head}:{value}")


def _folded(line: str) -> str:
    pieces, octets = [""], 0
    for letter in line:
        size = len(letter.encode())
        if octets + size > _LINE_OCTETS:
            pieces.append(" ")
            octets = 1
        pieces[-1] += letter
        octets += size
    return "\r\n".join(pieces)
