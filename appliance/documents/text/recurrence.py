"""Recurrences and durations of invitations (RFC 5545 3.3.10 and 3.3.6) in words.  Pure.

What is not understood whole stays as it is written: half of a rule would be another rule.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from appliance.documents import labels as words
from appliance.documents.labels import Labels, put

# Interval, numbers of days and places in a month: no calendar needs more digits.
_NUMBER = re.compile(r"[1-9]\d{0,3}")
_DAY = re.compile(r"([+-]?\d{1,2})?([A-Z]{2})")
_DURATION = re.compile(
    r"\+?P(?:(?P<W>\d{1,4})W|(?:(?P<D>\d{1,4})D)?(?:T(?=\d)(?:(?P<H>\d{1,4})H)?(?:(?P<M>\d{1,4})M)?(?:(?P<S>\d{1,5})S)?)?)"
)
_UNITS = MappingProxyType({"W": "WEEKLY", "D": "DAILY", "H": "HOURLY", "M": "MINUTELY", "S": "SECONDLY"})
_NOT_SAID = frozenset({"WKST"})  # the week begins on: counts for intervals only, and is everybody's own


class _NotUnderstoodError(ValueError):
    """A part of a rule that these words do not have."""


def duration_in_words(value: str, labels: Labels) -> str:
    """A duration such as ``P1DT2H``; unchanged when it is none."""
    found = _DURATION.fullmatch(value.strip().upper())
    spans = (
        {} if found is None else {unit: int(number) for unit, number in found.groupdict().items() if number}
    )
    told = [_span(_UNITS[unit], number, labels) for unit, number in spans.items() if number]
    return " ".join(told) or value


def recurrence_in_words(value: str, labels: Labels, moment: Callable[[str], str]) -> str:
    """A rule such as ``FREQ=WEEKLY;BYDAY=MO``; ``moment`` puts a point of time into words.  Unchanged when a
    part of it is not understood.
    """
    pairs = [part.partition("=") for part in value.upper().split(";") if part.strip()]
    parts = {name.strip(): content.strip() for name, _, content in pairs}
    if len(parts) < len(pairs):
        return value
    for name in _NOT_SAID:
        parts.pop(name, None)
    try:
        told = [_how_often(parts.pop("FREQ", ""), parts.pop("INTERVAL", "1"), labels)]
        told += [say(parts.pop(name), labels) for name, say in _PARTS.items() if name in parts]
        if "UNTIL" in parts:
            told.append(put(words.UNTIL, labels).format(moment=moment(parts.pop("UNTIL"))))
    except _NotUnderstoodError:
        return value
    return value if parts else ", ".join(told)


def _how_often(frequency: str, interval: str, labels: Labels) -> str:
    if frequency not in words.SPANS:
        raise _NotUnderstoodError
    number = _number(interval)
    if number == 1:
        return put(words.EACH[frequency], labels)
    return put(words.EVERY, labels).format(span=_span(frequency, number, labels))


def _span(frequency: str, number: int, labels: Labels) -> str:
    one, many = words.SPANS[frequency]
    return put(one if number == 1 else many, labels).format(number=number)


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise _NotUnderstoodError
    return int(text)


def _known(table: Mapping[str, str], key: str, labels: Labels) -> str:
    if key not in table:
        raise _NotUnderstoodError
    return put(table[key], labels)


def _days(value: str, labels: Labels) -> str:
    """``MO,-1FR``: on Monday, the last Friday."""
    told = []
    for each in value.split(","):
        found = _DAY.fullmatch(each.strip())
        if found is None:
            raise _NotUnderstoodError
        day = _known(words.WEEKDAYS, found[2], labels)
        if found[1]:
            place = _known(words.PLACES, str(int(found[1])), labels)
            day = put(words.PLACED_DAY, labels).format(place=place, day=day)
        told.append(day)
    return put(words.ON_DAYS, labels).format(days=", ".join(told))


def _days_of_month(value: str, labels: Labels) -> str:
    if value == "-1":
        return put(words.ON_LAST_DAY, labels)
    days = ", ".join(str(_number(each.strip())) for each in value.split(","))
    return put(words.ON_DAYS_OF_MONTH, labels).format(days=days)


def _months(value: str, labels: Labels) -> str:
    months = ", ".join(_known(words.MONTHS, each.strip().lstrip("0"), labels) for each in value.split(","))
    return put(words.IN_MONTHS, labels).format(months=months)


def _of_these(value: str, labels: Labels) -> str:
    """BYSETPOS: of all days that the rule names in a month, the last."""
    places = ", ".join(_known(words.PLACES, each.strip().lstrip("+"), labels) for each in value.split(","))
    return put(words.OF_THESE, labels).format(places=places)


def _times(value: str, labels: Labels) -> str:
    return put(words.TIMES, labels).format(number=_number(value))


# In the order in which they are told.
_PARTS: Mapping[str, Callable[[str, Labels], str]] = MappingProxyType(
    {
        "BYDAY": _days,
        "BYMONTHDAY": _days_of_month,
        "BYMONTH": _months,
        "BYSETPOS": _of_these,
        "COUNT": _times,
    }
)
