"""A page shows what happened between its making and the moment it began to hear of events."""

from __future__ import annotations

import base64

import pytest
from playwright.sync_api import Route, expect

from tests.web.browser import Web

pytestmark = pytest.mark.realtime


@pytest.mark.parametrize("windows", [1, 2], ids=["alone", "beside one that hears already"])
def test_what_happened_before_a_page_heard_of_events_is_shown(box: Web, windows: int) -> None:
    file = {"name": "letter.txt", "content": base64.b64encode(b"Dear Bob").decode()}
    fax = {"to": ["9990"], "files": [file], "hold": True}
    [made] = box.served.ask("POST", "/faxes", fax).json["faxes"]
    address = f"/faxes/{made['id']}"
    box.served.wait(lambda: box.served.ask("GET", address).json["state"] == "held")
    page = box.page()
    if windows == 2:
        page.goto(address)
        page = page.context.new_page()
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/live.js", hold)
    page.goto(address, wait_until="commit")
    state = page.locator("#state .state")
    expect(state).to_be_visible()
    while not held:
        page.wait_for_timeout(20)
    before = state.inner_text()
    assert box.served.ask("POST", f"{address}/cancel", {}).status == 200
    box.served.ended(made["id"])
    assert state.inner_text() == before
    for route in held:
        route.continue_()
    expect(state).to_contain_text("Cancelled")
