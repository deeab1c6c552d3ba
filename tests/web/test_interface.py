"""The page of the programming interface: every call is on it, and what only reads can be tried."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from appliance.api.rest.table import ROUTES
from tests.web.browser import Web
from webui.pages.interface import calls


def test_every_call_is_there_and_only_those_that_read_can_be_tried() -> None:
    found = {each.name: each for group in calls().values() for each in group}
    assert set(found) == {route.name for route in ROUTES}
    assert {each.method for each in found.values() if each.tried} == {"GET"}
    endless = [route.name for route in ROUTES if "text/event-stream" in route.media]
    assert endless
    assert not any(found[name].tried for name in endless)


def test_what_a_call_must_be_given_is_in_its_example() -> None:
    (call,) = (each for group in calls().values() for each in group if each.name == "createReceivedNote")
    assert '"text"' in call.example
    assert [field.name for field in call.fields if field.required] == ["id", "text"]


@pytest.mark.realtime
def test_a_call_is_found_and_tried_with_the_rights_of_who_looks(box: Web) -> None:
    box.add_user("kim")
    page = box.page("kim")
    page.goto("/interface")
    page.get_by_role("searchbox").fill("readfaxtiff")
    expect(page.locator("details[data-words]:visible")).to_have_count(1)
    page.get_by_role("searchbox").fill("listfaxes")
    page.locator("#listFaxes summary").click()
    page.locator("#listFaxes [name=limit]").fill("1")
    page.locator("#listFaxes").get_by_role("button", name="Try it").click()
    answer = page.locator("#listFaxes pre")
    expect(answer).to_contain_text("200 application/json")
    expect(answer).to_contain_text('"faxes": []')
    page.get_by_role("searchbox").fill("listusers")
    page.locator("#listUsers summary").click()
    page.locator("#listUsers").get_by_role("button", name="Try it").click()
    expect(page.locator("#listUsers pre")).to_contain_text('"code": "not_permitted"')
