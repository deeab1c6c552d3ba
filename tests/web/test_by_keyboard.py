"""A receptionist without a mouse: sends a fax, reads one, writes on it, adds to the phone book."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from playwright.sync_api import expect

from appliance.phonebook import Contact
from appliance.spool.model import ReceivedFilter
from tests.web.browser import Web
from tests.web.furnished import picture
from tests.web.keyboard import Keyboard

pytestmark = pytest.mark.realtime

WORDS = {
    "en": {
        "received": "Received",
        "book": "Phone book",
        "add": "Add",
        "larger": "Larger",
        "note": "Add the note",
    },
    "de": {
        "received": "Empfangen",
        "book": "Telefonbuch",
        "add": "Hinzufügen",
        "larger": "Größer",
        "note": "Notiz hinzufügen",
    },
}


def come_in(box: Web) -> int:
    """A fax that has come in."""
    inbox = box.served.box.inbox
    known = {fax.id for fax in inbox.search(ReceivedFilter())}
    content = base64.b64encode(picture()).decode()
    call = {"caller": "+49307777", "files": [{"name": "a.tiff", "content": content}]}
    assert box.served.ask("POST", "/practice/receive", call).status == 202

    def new() -> list[int]:
        found = inbox.search(ReceivedFilter())
        return [fax.id for fax in found if fax.id not in known and fax.state.value == "complete"]

    box.served.wait(lambda: bool(new()))
    return new()[0]


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_day_s_work_goes_by_keyboard_alone_and_every_stop_is_seen(
    box: Web, tmp_path: Path, language: str
) -> None:
    words = WORDS[language]
    document = tmp_path / "letter.tiff"
    document.write_bytes(picture())
    received = come_in(box)
    page = box.page("kim", language=language)
    user = Keyboard(page)

    # A fax: number, file, Send.
    page.goto("/")
    user.type("9990")
    user.press("Enter")
    expect(page.locator(".chosen li")).to_have_count(1)
    with page.expect_file_chooser() as chooser:
        user.to(page.locator("#choose"))
        user.press("Enter")
    chooser.value.set_files(document)
    expect(page.locator("#pages img").first).to_be_visible()
    stops = user.around()
    assert stops > 20, "each page of the preview has its buttons, too"
    user.to(page.locator("#send button.main"))
    user.press("Enter")
    page.wait_for_url("**/faxes/*")
    expect(page.locator("#state .state.good")).to_be_visible()
    user.around()

    # One that came: found with the list's keys, looked at, a note written on it.
    user.to(page.locator("nav").get_by_role("link", name=words["received"]))
    user.press("Enter")
    page.wait_for_url("**/received")
    user.press("j")
    assert user.page.evaluate("document.activeElement.getAttribute('href')") == f"/received/{received}"
    user.press("Enter")
    page.wait_for_url(f"**/received/{received}")
    user.to(page.get_by_role("button", name=words["larger"]))
    user.press("Enter")
    expect(page.locator(".sheets")).to_have_attribute("style", "--zoom: 1.25;")
    user.around()
    user.to(page.locator("#new-note textarea"))
    user.type("Ring back")
    user.to(page.get_by_role("button", name=words["note"]))
    user.press("Enter")
    expect(page.locator("#notes li")).to_contain_text("Ring back")

    # Somebody new in the phone book.
    user.to(page.locator("nav").get_by_role("link", name=words["book"]))
    user.press("Enter")
    page.wait_for_url("**/settings/contacts")
    user.to(page.get_by_role("link", name=words["add"], exact=True))
    user.press("Enter")
    page.wait_for_url("**/settings/contacts/new")
    user.around()
    user.to(page.locator("[name=number]"))
    user.type("+49 30 4711")
    user.to(page.locator("[name=last_name]"))
    user.type(f"Lovelace {language}")
    user.press("Enter")
    page.wait_for_url("**/settings/contacts")
    user.around()
    assert f"Lovelace {language}" in [
        each.last_name for each in box.served.box.settings.items(Contact).values()
    ]
    assert user.faults == []
