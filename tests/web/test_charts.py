"""Charts: they match the faxes, by the box's local days; foreign text is escaped."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from appliance.exchange.zone import set_zone
from appliance.lines.causes import BUSY
from appliance.station import StationSettings
from tests.api.served import SYSTEM_ZONE
from tests.web.browser import Web
from tests.web.furnished import EVIL, picture
from webui.charts import columns, round_up
from webui.reader import Reader

pytestmark = pytest.mark.realtime
BERLIN = ZoneInfo("Europe/Berlin")


def _ended(box: Web, like: int, count: int, **changes: Any) -> None:
    """``count`` further faxes as the one of id ``like``, but for ``changes``."""

    def write(tx: Any) -> None:
        row = dict(tx.db.execute("SELECT * FROM job WHERE id = ?", (like,)).fetchone())
        for _ in range(count):
            new = {**row, **changes, "id": None, "uuid": str(uuid.uuid4())}
            new["id"] = tx.db.execute("SELECT MAX(id) FROM job").fetchone()[0] + 1
            marks = ", ".join("?" * len(new))
            tx.db.execute(f"INSERT INTO job ({', '.join(new)}) VALUES ({marks})", tuple(new.values()))

    box.served.box.spool.do(write)


def test_charts_count_what_ended_on_the_box_s_own_days(box: Web) -> None:
    served = box.served
    served.box.settings.change(StationSettings, {"time_zone": "Europe/Berlin"})
    made = served.form("/faxes", [("to", "9990")], [("a.tiff", picture())])
    fax = made.json["faxes"][0]["id"]
    assert served.ended(fax)["state"] == "delivered"
    day = datetime.fromtimestamp(served.box.clock(), BERLIN).date() - timedelta(days=1)
    # A quarter past midnight there, the day before in Greenwich.
    early = datetime(day.year, day.month, day.day, 0, 15, tzinfo=BERLIN).timestamp()
    _ended(box, fax, 3, ended_at=early, pages_confirmed=2, seconds_on_line=60.0, line=EVIL)
    _ended(box, fax, 2, ended_at=early, state="failed", cause=BUSY.code, number=EVIL, pages_confirmed=0)
    _ended(box, fax, 9, ended_at=early, state="cancelled")

    said = served.ask("GET", "/statistics?days=7").json
    assert len(said["days"]) == 7
    (then,) = [each for each in said["days"] if each["day"] == day.isoformat()]
    assert then["sent"] == {"faxes": 3, "pages": 6, "seconds": 180.0}
    assert said["hours"][0]["sent"]["faxes"] >= 3
    assert {"name": EVIL[:64], "faxes": 3, "delivered": 3} in [
        {**each, "name": each["name"][:64]} for each in said["lines"]
    ]
    assert said["causes"] == [{"code": BUSY.code, "faxes": 2}]

    page = box.page()
    page.goto("/charts?days=7")
    expect(page.locator(".chart")).to_have_count(4)
    assert page.evaluate("window.bad") is None
    page.locator(".chart").first.locator("summary").click()
    row = page.locator(".chart").first.locator("tbody tr").first
    expect(row.locator("td").first).to_have_text("3")
    expect(page.get_by_role("row", name="The number is busy.")).to_contain_text("100 %")
    # Each bar is as tall as its number of the highest mark.
    bar = page.locator(".chart").first.locator("svg[role=img] rect.series-0").first
    assert float(bar.get_attribute("height") or 0) == pytest.approx(3 / 5 * (140 - 16), abs=0.2)


def test_bars_stand_on_each_other_and_the_mark_is_a_round_number() -> None:
    drawn = columns(["a", "b"], [[3, 4], [0, 0]], ["a", "b"])
    lower, upper = drawn.bars
    assert upper.y + upper.height == pytest.approx(lower.y, abs=0.2)
    assert [round_up(each) for each in (0, 1, 3, 7, 11, 100, 101)] == [1, 1, 5, 10, 20, 100, 200]


@pytest.fixture
def in_berlin(box: Web) -> Iterator[None]:
    """The machine's own time zone is Berlin's, and the box follows it."""
    box.served.box.settings.change(StationSettings, {"time_zone": ""})
    box.served.wait(lambda: os.environ.get("TZ") == SYSTEM_ZONE)
    os.environ["TZ"] = "Europe/Berlin"
    time.tzset()
    yield
    set_zone("")


@pytest.mark.usefixtures("in_berlin")
def test_in_the_machine_s_time_zone_a_page_writes_winter_and_summer_as_the_clock_on_the_wall_showed(
    box: Web,
) -> None:
    """Also where the zone is not among the settings: not today's distance from Greenwich all year."""
    served = box.served
    writer = Reader(served.server.context, {}, None).writer()
    for month in (1, 7):
        noon = datetime(2026, month, 15, 12, 0, tzinfo=BERLIN).timestamp()
        assert "12:00" in writer.date_time(noon), f"month {month}"
