"""From an empty box to a test fax that was seen: each screen and click counted, as docs/web.md says."""

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

pytestmark = pytest.mark.realtime

DOCUMENT = Path(__file__).parents[2] / "docs/web.md"
WORDS = {
    "en": {
        "make": "Make the account",
        "on": "Save and go on",
        "skip": "Leave this out",
        "send": "Send the test fax",
        "sent": "Sent",
    },
    "de": {
        "make": "Konto anlegen",
        "on": "Speichern und weiter",
        "skip": "Auslassen",
        "send": "Testfax senden",
        "sent": "Gesendet",
    },
}


class Counted:
    """A visitor whose screens are counted, and what they do there."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.actions = 0
        self.screens: list[str] = []

    def see(self, title: str) -> None:
        """Another screen is there, with this heading."""
        expect(self.page.get_by_role("heading", level=1)).to_have_text(title)
        self.screens.append(title)

    def click(self, what: Locator) -> None:
        what.click()
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


@pytest.mark.parametrize(("language", "phone"), [("en", False), ("de", True)])
def test_an_empty_box_is_set_up_and_its_test_fax_seen(
    tmp_path: Path, browser: Browser, language: str, phone: bool
) -> None:
    words = WORDS[language]
    headings = ("Welcome", "Who you are", "The line", "Received faxes", "A test fax")
    if language == "de":
        headings = ("Willkommen", "Wer Sie sind", "Die Leitung", "Empfangene Faxe", "Ein Testfax")
    with web(tmp_path, browser) as new:
        store = new.served.box.settings
        code = secrets.new_setup_code(store)
        page = new.page("", language=language, phone=phone)
        visitor = Counted(page)
        page.goto("/")
        visitor.see(headings[0])
        for name, value in (("code", code), ("name", "ada"), ("password", PASSWORD), ("again", PASSWORD)):
            page.locator(f"[name={name}]").fill(value)
        visitor.click(page.get_by_role("button", name=words["make"]))

        visitor.see(headings[1])
        page.locator("[name='station.name']").fill("Dr. Lovelace")
        page.locator("[name='station.station_id']").fill("+49 30 1234567")
        page.locator("[name='numbers.region']").select_option("DE")
        if phone:  # off by itself, and not a step of its own
            page.locator("[name='storage.encrypt']").check()
        key = f"{new.served.box.data.name}.key"
        expect(page.locator("#encrypt-help")).to_contain_text(key)  # where to make a copy of it
        expect(page.locator("[name='practice.enabled']")).to_be_checked()
        # What the other side will see is drawn while it is typed.
        expect(page.locator("#seen-name")).to_have_text("Dr. Lovelace")
        visitor.click(page.get_by_role("button", name=words["on"]))

        visitor.see(headings[2])
        visitor.click(page.get_by_role("link", name=words["skip"]))
        visitor.see(headings[3])
        visitor.click(page.get_by_role("button", name=words["on"]))
        visitor.see(headings[4])
        visitor.click(page.get_by_role("button", name=words["send"]))

        page.wait_for_url("**/faxes/*")
        visitor.see("9990")
        expect(page.locator("#state .state")).to_contain_text(words["sent"])
        # Each page of it was watched, and is there to look at.
        expect(page.locator("#steps li").filter(has_text=re.compile("1"))).not_to_have_count(0)
        expect(page.locator("#sheets img").first).to_be_visible()

        assert [user.name for user in store.items(User).values()] == ["ada"]
        assert store.section(StationSettings).station_id == "+49 30 1234567"
        assert store.section(StorageSettings).encrypt is phone
        assert [len(visitor.screens), visitor.actions] == _documented("First start")

        page.goto("/")
        sender = Counted(page)
        sender.see("Send a fax" if language == "en" else "Fax senden")
        sender.choose(page.locator("#choose"), letter(tmp_path))
        sender.type(page.locator("#to-input"), "9990")
        sender.click(page.locator("#send button.main"))
        page.wait_for_url("**/faxes/*")
        sender.see("9990")
        expect(page.locator("#state .state")).to_contain_text(words["sent"])
        assert [len(sender.screens), sender.actions] == _documented("A fax")
        new.close_windows()
