"""Sums of the last days, by day and by hour of the box's time zone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from appliance.box import Box
from appliance.spool.remembered import Slot, Statistics
from appliance.station import StationSettings

DAYS_MOST = 366
HOURS = 24


@dataclass(frozen=True, slots=True)
class Sum:
    """Faxes, their pages, and seconds on the line."""

    faxes: int = 0
    pages: int = 0
    seconds: float = 0.0

    def with_slot(self, slot: Slot) -> Sum:
        """The sum with ``slot`` added."""
        return Sum(self.faxes + slot.faxes, self.pages + slot.pages, self.seconds + slot.seconds)


@dataclass(frozen=True, slots=True)
class DailyStatistics:
    """The last days: by day, by hour of the day, each sent and received, and sums without a time."""

    days: dict[date, tuple[Sum, Sum]]  # sent and received, oldest first, without gaps
    hours: list[tuple[Sum, Sum]]  # by the hour of the day
    sums: Statistics


def daily_statistics(box: Box, days: int, now: float) -> DailyStatistics:
    """The last ``days`` days, today included; ``now`` is Unix time."""
    time_zone = box.settings.section(StationSettings).zone
    today = _moment(now, time_zone).date()
    first = today - timedelta(days=days - 1)
    since = datetime(first.year, first.month, first.day, tzinfo=time_zone).timestamp()
    sums = box.history.statistics(since, now + 1)
    by_day = {first + timedelta(days=each): [Sum(), Sum()] for each in range(days)}
    by_hour = [[Sum(), Sum()] for _ in range(HOURS)]
    for which, slots in enumerate((sums.sent, sums.received)):
        _add(by_day, by_hour, which, slots, time_zone)
    return DailyStatistics(
        {day: (pair[0], pair[1]) for day, pair in by_day.items()},
        [(pair[0], pair[1]) for pair in by_hour],
        sums,
    )


def _add(
    by_day: dict[date, list[Sum]],
    by_hour: list[list[Sum]],
    which: int,
    slots: Iterable[Slot],
    time_zone: tzinfo | None,
) -> None:
    for slot in slots:
        moment = _moment(slot.at, time_zone)
        if moment.date() in by_day:
            pair = by_day[moment.date()]
            pair[which] = pair[which].with_slot(slot)
        by_hour[moment.hour][which] = by_hour[moment.hour][which].with_slot(slot)


def _moment(at: float, time_zone: tzinfo | None) -> datetime:
    return datetime.fromtimestamp(at, UTC).astimezone(time_zone)
