"""Invitations (iCalendar, RFC 5545) and visiting cards (vCard, RFC 6350) as readable text.  Pure."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from appliance.content_lines import ContentLine, content_lines
from appliance.documents.labels import (
    ANSWERS,
    CARD,
    EVENT,
    IN_ENGLISH,
    METHODS,
    STATES,
    WITH_PICTURE,
    Labels,
    put,
)
from appliance.documents.text.recurrence import duration_in_words, recurrence_in_words

_MARK = re.compile(r"\s*BEGIN:(?:VCALENDAR|VCARD)\s", re.IGNORECASE)
_MOMENT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(?:\d\d)?(Z?))?")
_WHOLE_DAY = re.compile(r"\d{8}")
_ESCAPED = re.compile(r"\\([nN,;:\\])")
_ADDRESS = re.compile(r"(?:mailto|tel):", re.IGNORECASE)
_EVENTS = frozenset({"VEVENT", "VTODO", "VJOURNAL"})
_TIMES = frozenset({"DTSTART", "DTEND", "DUE", "EXDATE", "RDATE", "BDAY", "ANNIVERSARY"})
_DAYS = frozenset({"BDAY", "ANNIVERSARY"})
_PEOPLE = frozenset({"ORGANIZER", "ATTENDEE"})
_IN_FIELDS = frozenset({"ORG", "ADR", "N"})  # several values with semicolons between
# Words beside a telephone number that say nothing of it.
_NO_KINDS = frozenset({"voice", "internet", "pref", "quoted-printable"})
_LABEL_WIDTH = 12


@dataclass(slots=True)
class _Part:
    """An event or a card: its lines, without those of nested parts."""

    kind: str
    lines: list[ContentLine] = field(default_factory=list)

    def all(self, name: str) -> list[ContentLine]:
        return [line for line in self.lines if line.name == name]

    def text(self, name: str) -> str:
        return next((_text(line, IN_ENGLISH) for line in self.all(name)), "")


def in_words(content: str, labels: Labels = IN_ENGLISH) -> str:
    """An invitation or a visiting card as lines of text; empty for anything else."""
    if not _MARK.match(content.lstrip("\ufeff")):
        return ""
    method, parts = "", []
    for part in _parts(content.lstrip("\ufeff")):
        if part.kind == "VCALENDAR":
            method = put(METHODS.get(part.text("METHOD").upper(), ""), labels)
        else:
            parts.append(part)
    told = (_card(part, labels) if part.kind == "VCARD" else _event(part, method, labels) for part in parts)
    return "\n\n".join(filter(None, told))


def _parts(content: str) -> Iterator[_Part]:
    """Each calendar, event and card, the outer ones first."""
    found: list[_Part] = []
    open_: list[_Part] = []
    for line in content_lines(content):
        if line.name == "BEGIN":
            open_.append(_Part(line.value.strip().upper()))
            found.append(open_[-1])
        elif line.name == "END":
            del open_[-1:]
        elif open_:
            open_[-1].lines.append(line)
    yield from (part for part in found if part.kind in _EVENTS | {"VCALENDAR", "VCARD"})


def _event(event: _Part, method: str, labels: Labels) -> str:
    title = " ".join(filter(None, (f"{method}:" if method else "", event.text("SUMMARY"))))
    event.lines = [_with_last_day(event, line) for line in event.lines]
    return _listed(event, title, EVENT, event.text("DESCRIPTION"), labels)


def _with_last_day(event: _Part, line: ContentLine) -> ContentLine:
    """The end of whole days is the day after them (RFC 5545 3.6.1); people read it as the last one."""
    begin, end = event.text("DTSTART"), line.value.strip()
    if line.name != "DTEND" or not _WHOLE_DAY.fullmatch(end):
        return line
    with contextlib.suppress(ValueError, OverflowError):
        last = f"{datetime.strptime(end, '%Y%m%d') - timedelta(days=1):%Y%m%d}"
        return replace(line, value=max(last, begin.replace("-", "")))
    return line


def _card(card: _Part, labels: Labels) -> str:
    title = card.text("FN") or card.text("N")
    picture = card.all("PHOTO") or card.all("LOGO")
    behind = put(WITH_PICTURE, labels) if picture else ""
    return _listed(card, title, CARD, behind, labels)


def _listed(part: _Part, title: str, names: Mapping[str, str], behind: str, labels: Labels) -> str:
    width = max(_LABEL_WIDTH, *(len(put(label, labels)) + 1 for label in names.values()))
    rows = [
        f"{put(label, labels) + ':':<{width}} {text.replace(chr(10), chr(10) + ' ' * (width + 1))}"
        for name, label in names.items()
        for line in part.all(name)
        if (text := _text(line, labels))
    ]
    return "\n".join([*filter(None, [title]), *rows, *(["", behind] if behind else [])])


def _text(line: ContentLine, labels: Labels) -> str:
    value = line.value
    if line.name in _TIMES:
        return ", ".join(_period(line, each.strip(), labels) for each in value.split(","))
    if line.name == "DURATION":
        return duration_in_words(value, labels)
    if line.name == "RRULE":
        return recurrence_in_words(value, labels, lambda moment: _moment(line, moment))
    if line.name == "STATUS":
        return put(STATES.get(value.strip().upper(), _plain(value)), labels)
    if line.name in _PEOPLE:
        return _person(line, labels)
    if line.name in _IN_FIELDS:
        fields = (_plain(each).strip() for each in re.split(r"(?<!\\);", value))
        return ", ".join(filter(None, fields))
    text = _plain(_ADDRESS.sub("", value)).strip()
    kinds = [kind for kind in line.words("TYPE") if kind not in _NO_KINDS]
    return f"{text} ({', '.join(kinds)})" if line.name == "TEL" and text and kinds else text


def _person(line: ContentLine, labels: Labels) -> str:
    """Name, address, and what they answer."""
    name, address = line.parameters.get("CN", ""), _ADDRESS.sub("", line.value).strip()
    who = f"{name} <{address}>" if name and address and name != address else name or address
    answer = put(ANSWERS.get(line.parameters.get("PARTSTAT", "").upper(), ""), labels)
    return f"{who} ({answer})" if who and answer else who


def _period(line: ContentLine, value: str, labels: Labels) -> str:
    """A point of time, or one with an end or a duration (RFC 5545 3.3.9)."""
    start, _, end = value.partition("/")
    if not end:
        return _moment(line, start)
    return f"{_moment(line, start)} – {_moment(line, duration_in_words(end, labels))}"


def _moment(line: ContentLine, value: str) -> str:
    found = _MOMENT.match(value.replace("-", "", 2) if line.name in _DAYS else value)
    if found is None:
        return _plain(value)
    year, month, day, hour, minute, universal = found.groups()
    if hour is None:
        return f"{year}-{month}-{day}"
    zone = "UTC" if universal else line.parameters.get("TZID", "")
    return f"{year}-{month}-{day} {hour}:{minute}{f' ({zone})' if zone else ''}"


def _plain(value: str) -> str:
    return _ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], value)
