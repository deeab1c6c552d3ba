"""The lines of vCards (2.1, RFC 2426, RFC 6350) and calendars (RFC 5545): unfolded, with their parameters."""

from __future__ import annotations

import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass

# The encoding of programs before Unicode.
OLD_ENCODING = "windows-1252"
_LINE_END = re.compile(r"\r\n|\n|\r")
# Name and parameters, before the colon and the value; a parameter in quotation marks may have colons.
_HEAD = re.compile(r'(?:[\w-]{1,60}\.)?([\w-]{1,60})((?:;(?:[^":;]|"[^"]*")*)*):')
_PARAMETER = re.compile(r';([^;"=]*)(?:=((?:"[^"]*"|[^;"])*))?')
_QUOTED_PRINTABLE = "quoted-printable"
# Names of character sets that a 2.1 card may give; any other is read as OLD_ENCODING.
_CHARSET = re.compile(r"utf-8|us-ascii|iso-8859-\d{1,2}|windows-125\d", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ContentLine:
    """One line: its number from 1, its name and those of its parameters in capitals, and its value."""

    number: int
    name: str
    parameters: dict[str, str]
    value: str

    def words(self, parameter: str) -> list[str]:
        """A parameter's words in small letters: ``TYPE=work,fax``."""
        words = self.parameters.get(parameter, "").split(",")
        return [word.strip().lower() for word in words if word.strip()]


def content_lines(text: str) -> Iterator[ContentLine]:
    """The lines of ``text`` that are such lines, joined where they were folded, quoted-printable decoded."""
    for number, line in _unfolded(text):
        head = _HEAD.match(line)
        if head is not None:
            yield _read(number, head[1].upper(), head[2], line[head.end() :])


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


def _read(number: int, name: str, written: str, value: str) -> ContentLine:
    found: dict[str, list[str]] = {}
    for key, given in _PARAMETER.findall(written):
        # 2.1 omits the names of parameters:  TEL;WORK;FAX.
        known, words = (key.strip().upper(), given.replace('"', "")) if given else ("TYPE", key)
        found.setdefault(known, []).append(words)
    parameters = {known: ",".join(words) for known, words in found.items()}
    line = ContentLine(number, name, parameters, value)
    if _QUOTED_PRINTABLE in (*line.words("ENCODING"), *line.words("TYPE")):
        charset = next(iter(line.words("CHARSET")), "utf-8")
        return ContentLine(number, name, parameters, _unquoted(value, charset))
    return line


def _unquoted(value: str, charset: str) -> str:
    octets = quopri.decodestring(value.encode("utf-8", "replace"))
    try:
        return octets.decode(charset if _CHARSET.fullmatch(charset) else OLD_ENCODING)
    except (UnicodeDecodeError, LookupError):
        return octets.decode(OLD_ENCODING, "replace")
