"""Reads and writes vCards: 4.0 (RFC 6350), 3.0 (RFC 2426) and 2.1 with its quoted-printable.

Of a card only name, company, fax numbers, e-mail address, note and categories are read.
"""

from __future__ import annotations

import quopri
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum

from appliance.content_lines import ContentLine, content_lines
from appliance.phonebook.cards import BookError, Card, group_names, split

# Longest value that is read, characters; photographs are longer.
_VALUE_LIMIT = 16_384
# RFC 6350 3.2: a line has at most 75 octets; longer ones continue in the next line after a blank.
_LINE_OCTETS = 75
_BEGIN = "BEGIN:VCARD"
_URI = re.compile(r"(?:tel|fax|callto|mailto):(?://)?", re.IGNORECASE)


class Version(Enum):
    """Versions of the format."""

    V2_1 = "2.1"
    V3_0 = "3.0"
    V4_0 = "4.0"


@dataclass(slots=True)
class _Open:
    """A card whose end has not been read yet."""

    line: int
    properties: list[ContentLine] = field(default_factory=list)


def looks_so(text: str) -> bool:
    """Whether a file's text is vCards."""
    return text.lstrip()[: len(_BEGIN)].upper() == _BEGIN


def read(text: str) -> Iterator[Card]:
    """The people in a file: one card for each fax number, or one without a number.  Raises BookError."""
    card: _Open | None = None
    inside = 0  # 2.1 has cards within cards (AGENT), which are ignored
    for found in content_lines(text):
        value = found.value.strip().upper()
        if found.name == "BEGIN" and value == "VCARD":
            if card is None:
                card = _Open(found.number)
            else:
                inside += 1
        elif found.name == "END" and value == "VCARD" and card is not None:
            if inside:
                inside -= 1
                continue
            yield from _people(card)
            card = None
        elif card is not None and not inside and len(found.value) <= _VALUE_LIMIT:
            card.properties.append(found)
    if card is not None:
        raise BookError(f"the card that begins in line {card.line} has no end")


def _people(card: _Open) -> Iterator[Card]:
    named: dict[str, ContentLine] = {}
    for each in card.properties:
        if each.value.strip():
            named.setdefault(each.name, each)
    last, first = ([*split(named["N"].value), ""])[:2] if "N" in named else ("", "")
    company = ", ".join(part for part in split(named["ORG"].value) if part) if "ORG" in named else ""
    full = _text(named["FN"]) if "FN" in named else ""
    if not (first or last) and full != company:
        last = full
    groups = [
        name for each in card.properties if each.name == "CATEGORIES" for name in split(each.value, ",")
    ]
    for number in _fax_numbers(card.properties) or [""]:
        yield Card(
            card.line,
            number,
            first,
            last,
            company,
            _URI.sub("", _text(named["EMAIL"]), count=1) if "EMAIL" in named else "",
            _text(named["NOTE"]) if "NOTE" in named else "",
            group_names(groups),
        )


def _text(line: ContentLine) -> str:
    """The whole value; commas and semicolons are part of it."""
    return split(line.value, "")[0]


def _fax_numbers(properties: list[ContentLine]) -> list[str]:
    """The numbers that are marked as fax numbers; else a card's only number, if it has no type."""
    telephones = [each for each in properties if each.name == "TEL" and each.value.strip()]
    found = [each for each in telephones if any("fax" in word for word in each.words("TYPE"))]
    if not found and len(telephones) == 1 and "TYPE" not in telephones[0].parameters:
        found = telephones
    return list(dict.fromkeys(_URI.sub("", _text(each), count=1) for each in found))


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
