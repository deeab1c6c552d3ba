"""Routing and junk rules in a browser: their order, and simulated calls."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from appliance.deliver.routing import in_order
from appliance.deliver.settings import DeliveryRoute, JunkRule
from tests.web.browser import Web, noticed
from tests.web.views import View

pytestmark = pytest.mark.realtime


@pytest.fixture
def rules(box: Web) -> dict[str, int]:
    store = box.served.box.settings
    for kind in (DeliveryRoute, JunkRule):
        for item_id in store.items(kind):
            store.remove(kind, item_id)
    store.add(JunkRule("toner", caller=("+4999",)))
    box.add_user("bob")
    made = (
        DeliveryRoute("Surgery", dialled=("+493011",), user="bob"),
        DeliveryRoute("Everyone else", emails=("desk@example.com",)),
        DeliveryRoute("Never", caller=("+49",)),
    )
    return {route.name: store.add(route) for route in made}


def _order(box: Web) -> list[str]:
    return [route.name for _, route in in_order(box.served.box.settings.items(DeliveryRoute))]


def test_the_order_is_changed_by_buttons_by_keys_and_by_dragging(box: Web, rules: dict[str, int]) -> None:
    page = box.page()
    page.goto("/settings/routes")
    page.get_by_role("button", name="Never: Up").click()
    noticed(page, "Never is number 2 now.")
    assert _order(box) == ["Surgery", "Never", "Everyone else"]
    page.get_by_role("link", name="Everyone else").focus()
    with page.expect_response("**/routes/order"):
        page.keyboard.press("Alt+ArrowUp")
    expect(page.get_by_role("link", name="Everyone else")).to_be_focused()
    assert _order(box) == ["Surgery", "Everyone else", "Never"]
    rows = page.locator("tbody tr")
    with page.expect_response("**/routes/order"):
        rows.nth(2).drag_to(
            rows.nth(0), target_position={"x": 300, "y": 2}, source_position={"x": 300, "y": 8}
        )
    assert _order(box) == ["Never", "Surgery", "Everyone else"]
    page.reload()
    expect(rows.first).to_contain_text("Never")


def test_a_tried_call_tells_which_rule_takes_it_and_why_others_do_not(
    box: Web, rules: dict[str, int], view: View
) -> None:
    german = view.language == "de"
    page = view.page(box)
    page.goto("/settings/routes")
    view.press(view.link(page, "Try a call"))
    page.locator("[name=caller]").fill("+49 40 777")
    page.locator("[name=dialled]").fill("+49 30 22")
    page.keyboard.press("Enter")
    verdicts = page.locator("#verdict ol").nth(1).get_by_role("listitem")
    expect(verdicts.nth(0)).to_contain_text(
        "Die gewählte Nummer ist eine andere." if german else "The number called is another."
    )
    expect(verdicts.nth(1)).to_contain_text("Sie passt." if german else "It fits.")
    expect(verdicts.nth(2)).to_contain_text("war die letzte" if german else "was the last")
    expect(page.locator("#verdict")).to_contain_text("desk@example.com")
    page.locator("[name=caller]").fill("+4999 1")
    page.keyboard.press("Enter")
    expect(page.locator("#verdict .bad")).to_contain_text("nicht angenommen" if german else "not answered")
