"""The endless list of faxes: older ones load automatically, and stay when a fax arrives."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Page, Route, expect

from appliance.causes import RECEIVED
from appliance.spool import received
from appliance.spool.model import ReceivedPageFile
from appliance.spool.transaction import Tx
from appliance.t4.page import Resolution
from tests.web.browser import Web
from webui.pages.lists import SHOWN

pytestmark = pytest.mark.realtime

HANG_S = 240.0


def come(box: Web, count: int) -> list[int]:
    """So many faxes that have come in, the oldest first."""

    def all_of_them(tx: Tx) -> list[int]:
        made = []
        for each in range(count):
            now = time.time()
            fax = received.begin(
                tx, f"{time.time_ns()}-{each}", "trunk", "t38", now, caller=f"+4930{each:07}"
            )
            page = ReceivedPageFile(1, "received/none", 1728, 2200, Resolution.FINE.name, 0, 0, now)
            received.add_page(tx, fax.id, page)
            received.finish(tx, fax.id, RECEIVED, complete=True, now=now)
            made.append(fax.id)
        return made

    return box.served.box.spool.do(all_of_them)


def listed(page: Page) -> list[int]:
    found = page.locator(".rows > li").evaluate_all("rows => rows.map((row) => Number(row.dataset.id))")
    return [int(each) for each in found]


def to_the_end(page: Page, count: int) -> None:
    """Scrolls on and on until the list has so many faxes."""
    end = time.monotonic() + HANG_S
    while page.locator(".rows > li").count() < count:
        assert time.monotonic() < end
        page.evaluate("document.querySelector('.next')?.scrollIntoView()")
        page.wait_for_timeout(50)


def test_older_faxes_come_after_a_failed_try_too_and_stay_when_a_fax_comes_in(box: Web) -> None:
    ids = come(box, 2 * SHOWN + 5)[::-1]
    page = box.page()
    tries: list[Route] = []

    def first_fails(route: Route) -> None:
        tries.append(route)
        if len(tries) == 1:
            route.abort()
        else:
            route.continue_()

    page.route("**/received?before=*", first_fails)
    page.goto("/received")
    assert listed(page) == ids[:SHOWN]
    to_the_end(page, len(ids))
    assert listed(page) == ids
    assert len(tries) == 3, "the first came to nothing"
    page.locator(f".rows > li[data-id='{ids[-5]}'] input").check()
    (newest,) = come(box, 1)
    expect(page.locator(f".rows > li[data-id='{newest}']")).to_be_attached()
    assert listed(page) == [newest, *ids]
    expect(page.locator(".bulk")).to_contain_text("1 chosen")
    # Another search is another list.
    page.get_by_role("searchbox").fill("0000103")
    expect(page.locator(".rows > li")).to_have_count(1)
