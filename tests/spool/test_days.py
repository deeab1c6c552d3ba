"""Days of the usage counters, in nights when the clocks change."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from appliance.spool import ledger

HOUR_S = 3600
# Two days that hold a change of the clock, in the night or at midnight, which then is missing or comes twice.
CHANGES = [
    ("Europe/Berlin", "2026-03-28"),
    ("Europe/Berlin", "2026-10-24"),
    ("America/New_York", "2026-11-01"),
    ("America/Santiago", "2026-09-05"),
    ("America/Santiago", "2026-04-04"),
    ("Africa/Cairo", "2026-04-23"),
    ("Africa/Cairo", "2026-10-29"),
    ("Australia/Lord_Howe", "2026-04-04"),
    ("UTC", "2026-12-31"),
]


@pytest.fixture(name="zone", params=CHANGES, ids="-".join)
def _zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, str]]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", request.param[0])
        time.tzset()
        yield request.param
    time.tzset()


def test_the_next_day_begins_with_the_next_day_also_where_clocks_change(zone: tuple[str, str]) -> None:
    name, first = zone
    begin = datetime.fromisoformat(first).replace(tzinfo=ZoneInfo(name)).timestamp()
    for quarter in range(50 * 4):
        now = begin + quarter * HOUR_S / 4
        due = ledger.next_day(now)
        assert ledger.day_of(due) > ledger.day_of(now)
        # Not a day too late: a minute before it was the old day.
        assert ledger.day_of(due - 60) == ledger.day_of(now), (datetime.fromtimestamp(now), due - now)
