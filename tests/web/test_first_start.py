"""From an empty box to a test fax: screens and clicks as stated in docs/web.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from appliance.settings import secrets
from appliance.settings.accounts import User
from appliance.spool.settings import StorageSettings
from appliance.station import StationSettings
from tests.web.browser import PASSWORD, web
from tests.web.test_sending import letter
from tests.web.views import View

pytestmark = pytest.mark.realtime

DOCUMENT = Path(__file__).parents[2] / "docs/web.md"


class Counted:
    """A visitor whose screens are counted, and what they do there."""

    def __init__(self, page: Page, view: View) -> None:
        self.page = page
        self.view = view
        self.actions = 0
        self.screens: list[str] = []

    def see(self, title: str) -> None:
        """Another screen is there, with this heading."""
        expect(self.page.get_by_role("heading", level=1)).to_have_text(self.view.said(title))
        self.screens.append(title)

    def click(self, what: Locator) -> None:
        self.view.press(what)
        self.actions += 1

    def type(self, field: Locator, text: str) -> None:
        field.fill(text)
        self.actions += 1

    def choose(self, field: Locator, file: Path) -> None:
        """A file of the visitor's machine."""
        field.set_input_files(file)
        self.actions += 1


def _documented(row: str) -> list[int]:
    """The numbers of a row of the table in docs/web.md."""
    found = re.search(rf"^\| {row} \|(.*)\|$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    assert found, row
    return [int(cell) for cell in found[1].split("|")]


def test_an_empty_box_is_set_up_and_its_test_fax_seen(tmp_path: Path, browser: Browser, view: View) -> None:
    with web(tmp_path, browser) as new:
        store = new.served.box.settings
        code = secrets.new_setup_code(store)
        page = view.page(new, "")
        visitor = Counted(page, view)
        page.goto("/")
        visitor.see("Welcome")
        for name, value in (("code", code), ("name", "ada"), ("password", PASSWORD), ("again", PASSWORD)):
            page.locator(f"[name={name}]").fill(value)
        visitor.click(view.button(page, "Make the account"))

        visitor.see("Who you are")
        page.locator("[name='station.name']").fill("Dr. Lovelace")
        page.locator("[name='station.station_id']").fill("+49 30 1234567")
        page.locator("[name='numbers.region']").select_option("DE")
        if view.phone:  # off by itself, and not a step of its own
            page.locator("[name='storage.encrypt']").check()
        key = f"{new.served.box.data.name}.key"
        expect(page.locator("#encrypt-help")).to_contain_text(key)  # where to make a copy of it
        expect(page.locator("[name='practice.enabled']")).to_be_checked()
        # What the other side will see is drawn while it is typed.
        expect(page.locator("#seen-name")).to_have_text("Dr. Lovelace")
        visitor.click(view.button(page, "Save and go on"))

        visitor.see("The line")
        visitor.click(view.link(page, "Leave this out"))
        visitor.see("Received faxes")
        visitor.click(view.button(page, "Save and go on"))
        visitor.see("A test fax")
        visitor.click(view.button(page, "Send the test fax"))

        page.wait_for_url("**/faxes/*")
        expect(page.get_by_role("heading", level=1)).to_have_text("9990")
        visitor.screens.append("9990")
        expect(page.locator("#state .state")).to_contain_text(view.said("Sent"))
        # Each page of it was watched, and is there to look at.
        expect(page.locator("#steps li").filter(has_text=re.compile("1"))).not_to_have_count(0)
        expect(page.locator("#sheets img").first).to_be_visible()

        assert [user.name for user in store.items(User).values()] == ["ada"]
        assert store.section(StationSettings).station_id == "+49 30 1234567"
        assert store.section(StorageSettings).encrypt is view.phone
        assert [len(visitor.screens), visitor.actions] == _documented("First start")

        page.goto("/")
        sender = Counted(page, view)
        sender.see("Send a fax")
        sender.choose(page.locator("#choose"), letter(tmp_path))
        sender.type(page.locator("#to-input"), "9990")
        sender.click(page.locator("#send button.main"))
        page.wait_for_url("**/faxes/*")
        expect(page.get_by_role("heading", level=1)).to_have_text("9990")
        sender.screens.append("9990")
        expect(page.locator("#state .state")).to_contain_text(view.said("Sent"))
        assert [len(sender.screens), sender.actions] == _documented("A fax")
        new.close_windows()
