"""The page of the programming interface lists every call, and each can be tried."""

from __future__ import annotations

import pytest
from playwright.sync_api import Dialog, expect

from appliance.api.rest.table import ROUTES
from appliance.phonebook import Contact
from tests.web.browser import Web
from tests.web.views import View
from webui.pages.interface import calls


def test_every_call_is_there_and_can_be_tried_unless_it_takes_a_file_or_never_ends() -> None:
    found = {each.name: each for group in calls().values() for each in group}
    assert set(found) == {route.name for route in ROUTES}
    endless = {route.name for route in ROUTES if "text/event-stream" in route.media}
    files = {route.name for route in ROUTES if route.form is not None and route.body is None}
    assert endless
    assert files
    assert {each.name for each in found.values() if not each.tried} == endless | files


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


@pytest.mark.realtime
def test_what_changes_something_is_tried_after_a_question_with_the_rights_of_who_looks(
    box: Web, view: View
) -> None:
    name = f"nina-{view.id}"
    box.add_user(name)
    page = view.page(box, name)
    page.goto("/interface")
    call = page.locator("#createContact")
    view.press(call.locator("summary"))
    expect(call).to_contain_text(view.said("Add a contact"))
    expect(call).to_contain_text(view.said("Needs the scope {scope}.", scope="send"))
    area, answer = call.get_by_label("JSON"), call.locator("form pre")
    area.fill(f'{{"number": "4711", "last_name": "{name}"}}')
    asked: list[str] = []

    def no(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.dismiss()

    page.once("dialog", no)
    view.press(view.button(call, "Try it"))
    expect(answer).to_be_hidden()
    assert ["POST /contacts" in each for each in asked] == [True]
    page.on("dialog", lambda dialog: dialog.accept())
    view.press(view.button(call, "Try it"))
    expect(answer).to_contain_text("201 application/json")
    assert name in [each.last_name for each in box.served.box.settings.items(Contact).values()]
    area.fill("no JSON")
    view.press(view.button(call, "Try it"))
    expect(answer).to_contain_text("400 application/problem+json")
    # Nobody's rights grow by this page.
    call = page.locator("#createUser")
    view.press(call.locator("summary"))
    view.press(view.button(call, "Try it"))
    expect(call.locator("form pre")).to_contain_text('"code": "not_permitted"')
