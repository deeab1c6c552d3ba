"""Charts: faxes, success and times of day; each also as a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from appliance.api.causes import NOT_FOUND
from appliance.api.problems import ProblemError
from appliance.api.statistics import Sum, daily_statistics
from appliance.causes import all_causes
from appliance.language import said as _
from appliance.lines.line import LineKind
from webui.charts import Columns, columns
from webui.visit import Page, Response, Visit
from webui.wording import Chip

SPANS = (7, 30, 90, 365)
DEFAULT_SPAN = 30
# Longer periods are drawn by the week, so that a bar stays wide enough.
DAYS_DRAWN = 90
MINUTE_S = 60.0


@dataclass(frozen=True, slots=True)
class Chart:
    """``rows``: a name and the texts of each column.  ``legend``: what the parts of a bar are."""

    title: str
    picture: Columns
    legend: list[str]
    heads: list[str]
    rows: list[tuple[str, list[str]]]


@dataclass(frozen=True, slots=True)
class Share:
    """A row of a list: a share as a bar, percent.  ``practice``: nothing left the box."""

    name: str
    words: list[str]
    percent: int
    practice: bool = False


Days = list[tuple[str, tuple[Sum, Sum]]]


def _weeks(days: dict[date, tuple[Sum, Sum]]) -> dict[date, tuple[Sum, Sum]]:
    """The days summed up by the Monday of their week."""
    made: dict[date, tuple[Sum, Sum]] = {}
    for day, pair in days.items():
        monday = day - timedelta(days=day.weekday())
        before = made.get(monday, (Sum(), Sum()))
        made[monday] = (_both(before[0], pair[0]), _both(before[1], pair[1]))
    return made


def _both(one: Sum, other: Sum) -> Sum:
    return Sum(one.faxes + other.faxes, one.pages + other.pages, one.seconds + other.seconds)


def _chart(visit: Visit, title: str, days: Days, first: str, value: Callable[[Sum], float]) -> Chart:
    write = visit.writer()
    sent, received = _("Sent"), _("Received")
    values = [[value(each) for each in pair] for _name, pair in days]
    rows = [
        (name, [write.number(round(part)) for part in parts])
        for (name, _pair), parts in zip(days, values, strict=True)
    ]
    titles = [f"{name}: {sent} {words[0]}, {received} {words[1]}" for name, words in rows]
    picture = columns([name for name, _pair in days], values, titles)
    shown = [row for row, parts in zip(rows, values, strict=True) if any(parts)]
    return Chart(title, picture, [sent, received], [first, sent, received], shown)


def _shares(visit: Visit, rows: Sequence[tuple[str, int, int]], practice: frozenset[str]) -> list[Share]:
    """The share delivered of each row.  ``practice``: the names with which nothing left the box."""
    write = visit.writer()
    return [
        Share(name, [write.number(good), write.number(count)], round(100 * good / count), name in practice)
        for name, good, count in rows
    ]


def show(visit: Visit) -> Response:
    """The page of charts: faxes by day or week, hour, line, destination and cause."""
    asked = visit.query.get("days", str(DEFAULT_SPAN))
    if asked not in map(str, SPANS):
        raise ProblemError(NOT_FOUND)
    span, write = int(asked), visit.writer()
    found = daily_statistics(visit.box, span, visit.context.now())

    def word(day: date) -> str:
        # Noon in UTC is the same day in most time zones.
        noon = datetime.combine(day, time(12), UTC).timestamp()
        return write.day(noon)

    by_week = span > DAYS_DRAWN
    drawn = _weeks(found.days) if by_week else found.days
    days = [(word(day), pair) for day, pair in drawn.items()]
    first = _("Week from") if by_week else _("Day")
    hours = [(f"{hour:02}", pair) for hour, pair in enumerate(found.hours)]
    causes = {cause.code: _(cause.sentence) for cause in all_causes()}
    practice_lines = frozenset(line.name for line in visit.box.lines() if line.kind is LineKind.PRACTICE)
    failed = sum(count for _code, count in found.sums.causes)
    return visit.page(
        "charts.html",
        spans=[
            Chip(f"/charts?days={each}", _("{count} days").format(count=each), each == span) for each in SPANS
        ],
        charts=[
            _chart(visit, _("Faxes"), days, first, lambda each: each.faxes),
            _chart(visit, _("Pages"), days, first, lambda each: each.pages),
            _chart(visit, _("Minutes on the line"), days, first, lambda each: each.seconds / MINUTE_S),
            _chart(visit, _("Busiest hours"), hours, _("Hour"), lambda each: each.faxes),
        ],
        lines=_shares(
            visit, [(each.name, each.delivered, each.faxes) for each in found.sums.lines], practice_lines
        ),
        destinations=_shares(
            visit,
            [(each.name, each.delivered, each.faxes) for each in found.sums.destinations],
            visit.box.rules.practice_numbers,
        ),
        causes=[
            Share(causes.get(code, code), [write.number(count)], round(100 * count / failed))
            for code, count in found.sums.causes
        ],
    )


PAGES = (Page("/charts", show, scopes=("admin",)),)
