"""A receptionist without a mouse: sends a fax, reads one, writes on it, adds to the phone book."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Browser, expect

from appliance.phonebook import Contact
from appliance.settings import secrets
from appliance.settings.accounts import UserRole
from appliance.spool.filters import ReceivedFilter
from tests.web.browser import OWNER, PASSWORD, Web, web
from tests.web.furnished import picture
from tests.web.keyboard import Keyboard
from tests.web.views import VIEWS, View

pytestmark = pytest.mark.realtime


def come_in(box: Web, dialled: str = "") -> int:
    """A fax that has come in."""
    inbox = box.served.box.inbox
    known = {fax.id for fax in inbox.search(ReceivedFilter())}
    content = base64.b64encode(picture()).decode()
    call = {"caller": "+49307777", "dialled": dialled, "files": [{"name": "a.tiff", "content": content}]}
    assert box.served.ask("POST", "/practice/receive", call).status == 202

    def new() -> list[int]:
        found = inbox.search(ReceivedFilter())
        return [fax.id for fax in found if fax.id not in known and fax.state.value == "complete"]

    box.served.wait(lambda: bool(new()))
    return new()[0]


def test_a_day_s_work_goes_by_keyboard_alone_and_every_stop_is_seen(
    box: Web, tmp_path: Path, view: View
) -> None:
    document = tmp_path / "letter.tiff"
    document.write_bytes(picture())
    page = view.page(box, "kim")
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
    assert stops > 15, "each page of the preview has its buttons, too"
    user.to(page.locator("#send button.main"))
    user.press("Enter")
    page.wait_for_url("**/faxes/*")
    expect(page.locator("#state .state.good")).to_be_visible()
    user.around()

    # One that comes in: found with the list's keys, looked at, a note written on it.
    user.to(page.locator("nav a[href='/received']"))
    user.press("Enter")
    page.wait_for_url("**/received")
    received = come_in(box)
    expect(page.locator(f".rows > li[data-id='{received}']")).to_be_visible()
    user.press("j")
    assert user.page.evaluate("document.activeElement.getAttribute('href')") == f"/received/{received}"
    user.press("Enter")
    page.wait_for_url(f"**/received/{received}")
    user.to(view.button(page, "Larger"))
    user.press("Enter")
    expect(page.locator(".sheets")).to_have_attribute("style", "--zoom: 1.25;")
    user.around()
    user.to(page.locator("#notes-count"))
    user.press("Enter")
    user.to(page.locator("#new-note textarea"))
    user.type("Ring back")
    user.to(view.button(page, "Add the note"))
    user.press("Enter")
    expect(page.locator("#notes li")).to_contain_text("Ring back")

    # Somebody new in the phone book.
    user.to(page.locator("nav a[href='/settings/contacts']"))
    user.press("Enter")
    page.wait_for_url("**/settings/contacts")
    user.to(view.link(page, "Add"))
    user.press("Enter")
    page.wait_for_url("**/settings/contacts/new")
    user.around()
    user.to(page.locator("[name=number]"))
    user.type("+49 30 4711")
    user.to(page.locator("[name=last_name]"))
    user.type(f"Lovelace {view.id}")
    user.press("Enter")
    page.wait_for_url("**/settings/contacts")
    user.around()
    assert f"Lovelace {view.id}" in [
        each.last_name for each in box.served.box.settings.items(Contact).values()
    ]
    assert user.faults == []


def test_in_a_low_window_no_bar_hides_where_the_keyboard_is(box: Web) -> None:
    page = box.page(viewport={"width": 640, "height": 430})  # 1280 x 860 at 200 %
    page.goto("/")
    user = Keyboard(page)
    assert user.around() > 10
    assert user.faults == []


def test_what_waits_what_is_undone_and_what_an_owner_does_goes_by_keyboard_alone(
    box: Web, tmp_path: Path, view: View
) -> None:
    served, name = box.served, f"olga-{view.id}"
    box.add_user(name, UserRole.ADMIN)
    page = view.page(box, name)
    user = Keyboard(page)

    # A document without a number gets one, and goes once more to another.
    served.form("/needs-number", [], [("scan.tiff", picture())])
    page.goto("/waiting")
    number = page.locator("li.ask [name=to]").first
    expect(number).to_be_enabled()
    user.to(number)
    user.type("9990")
    user.press("Enter")
    page.wait_for_url("**/faxes/*")
    expect(page.locator("#state .state.good")).to_be_visible()
    first = page.url
    user.press("r")
    user.press("Control+a")
    user.type("9991")
    user.press("Enter")
    page.wait_for_url(lambda address: "/faxes/" in address and address != first)

    # One that is held is cancelled.
    held = served.form("/faxes", [("to", "9990"), ("hold", "true")], [("a.tiff", picture())]).json["faxes"][
        0
    ]["id"]
    page.goto(f"/faxes/{held}")
    page.once("dialog", lambda asked: asked.accept())
    user.to(page.get_by_role("button", name=view.said("Cancel")))
    user.press("Enter")
    expect(page.locator("#state .state")).to_contain_text(view.said("Cancelled"))

    # Two that came are deleted, and come back.
    came = [come_in(box), come_in(box)]
    page.goto("/received")
    for _ in came:
        user.press("j")
        user.press("x")
    user.to(view.button(page, "Delete"))
    user.press("Enter")
    for fax_id in came:
        expect(page.locator(f".rows > li[data-id='{fax_id}']")).to_be_hidden()
    user.press("z")
    for fax_id in came:
        expect(page.locator(f".rows > li[data-id='{fax_id}']")).to_be_visible()

    # A file for the phone book is looked at, and taken.
    people = tmp_path / "people.csv"
    fax_number = f"+49 30 778{VIEWS.index(view)}"
    people.write_text(f"number;name\n{fax_number};Zuse {view.id}\n")
    page.goto("/settings/contacts/import")
    with page.expect_file_chooser() as chooser:
        user.to(page.locator("#choose [name=file]"))
        user.press("Enter")
    chooser.value.set_files(people)
    user.to(view.button(page, "Look at it"))
    user.press("Enter")
    expect(page.locator("#import-now")).to_be_visible()
    user.to(page.locator("#import-now"))
    user.press("Enter")
    page.wait_for_url("**/settings/contacts")
    assert fax_number in [each.number for each in served.box.settings.items(Contact).values()]

    # All is saved in a file.
    page.goto("/backup")
    for field in ("passphrase", "again"):
        user.to(page.locator(f"#backup [name={field}]"))
        user.type("nine white horses")
    with page.expect_download():
        user.press("Enter")

    # Every other window is signed out, and an app is for the password.
    other = view.page(box, name)
    other.goto("/account")
    page.goto("/account")
    page.once("dialog", lambda asked: asked.accept())
    user.to(view.button(page, "Sign out everywhere else"))
    user.press("Enter")
    expect(view.button(page, "Sign out everywhere else")).to_have_count(0)
    other.reload()
    expect(view.field(other, "Password")).to_be_visible()
    page.goto("/account/app")
    secret = str(page.locator("input[name=secret]").input_value())
    user.to(page.locator("[name=code]"))
    user.type(pyotp.TOTP(secret).now())
    user.to(page.locator("[name=password]"))
    user.type(PASSWORD)
    user.press("Enter")
    expect(page.get_by_role("heading", name=view.said("Keep these codes"))).to_be_visible()
    assert user.faults == []


def test_an_empty_box_is_set_up_sends_keeps_a_draft_and_is_restored_by_keyboard_alone(
    tmp_path: Path, browser: Browser, view: View
) -> None:
    document = tmp_path / "letter.tiff"
    document.write_bytes(picture())
    with web(tmp_path / "box", browser) as new:
        code = secrets.new_setup_code(new.served.box.settings)
        page = view.page(new, "")
        page.on("dialog", lambda dialog: dialog.accept())
        user = Keyboard(page)

        # From the code to a test fax that was seen.
        page.goto("/")
        for field, text in (("code", code), ("name", OWNER), ("password", PASSWORD), ("again", PASSWORD)):
            user.to(page.locator(f"[name={field}]"))
            user.type(text)
        user.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text(view.said("Who you are"))
        user.to(page.locator("[name='station.name']"))
        user.type("Dr. Lovelace")
        user.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text(view.said("The line"))
        user.to(view.link(page, "Leave this out"))
        user.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text(view.said("Received faxes"))
        user.to(view.button(page, "Save and go on"))
        user.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text(view.said("A test fax"))
        user.to(view.button(page, "Send the test fax"))
        user.press("Enter")
        page.wait_for_url("**/faxes/*")
        expect(page.locator("#state .state.good")).to_be_visible()
        sheets = page.locator("#sheets .sheets")
        user.to(view.button(page, "Two side by side"))
        user.press("Enter")
        expect(sheets).to_have_class(re.compile(r"\btwo-up\b"))
        user.press("2")
        expect(sheets).not_to_have_class(re.compile(r"\btwo-up\b"))

        # A draft is there again.
        page.goto("/")
        user.type("9991")
        user.press("Enter")
        with page.expect_file_chooser() as chooser:
            user.to(page.locator("#choose"))
            user.press("Enter")
        chooser.value.set_files(document)
        expect(page.locator("#paper")).to_have_attribute("aria-busy", "false")
        expect(page.locator("#pages img")).to_have_count(1)
        page.reload()
        expect(page.locator("#pages img")).to_have_count(1)
        expect(page.locator(".chosen")).to_contain_text("9991")

        # Saved, and handed in again.
        page.goto("/backup")
        for field in ("passphrase", "again"):
            user.to(page.locator(f"#backup [name={field}]"))
            user.type("nine white horses")
        with page.expect_download() as saved:
            user.press("Enter")
        file = tmp_path / "saved.faxbackup"
        saved.value.save_as(file)
        with page.expect_file_chooser() as chooser:
            user.to(page.locator("#restore [name=backup]"))
            user.press("Enter")
        chooser.value.set_files(file)
        user.to(page.locator("#restore [name=passphrase]"))
        user.type("nine white horses")
        user.press("Enter")
        expect(page.locator("#restored")).to_contain_text(view.said("Restored."))
        user.to(view.link(page.locator("#restored"), "Sign in"))
        user.press("Enter")
        expect(page.locator("#send")).to_be_visible()  # the account is the same, and still signed in
        assert user.faults == []
        new.close_windows()


def test_a_reader_goes_through_what_is_theirs_by_keyboard_alone(box: Web, view: View) -> None:
    name = f"rita-{view.id}"
    box.add_user(name, UserRole.READER, reads_numbers=["7701"])
    theirs, other = come_in(box, "7701"), come_in(box, "5501")
    page = view.page(box, name)
    user = Keyboard(page)
    page.goto("/")
    page.wait_for_url("**/received")
    expect(page.locator(f".rows > li[data-id='{theirs}']")).to_be_visible()
    expect(page.locator(f".rows > li[data-id='{other}']")).to_have_count(0)
    user.around()
    user.press("j")
    user.press("Enter")
    page.wait_for_url(f"**/received/{theirs}")
    expect(page.locator(".sheets img").first).to_be_visible()
    user.around()
    # Put back among the unread.
    user.to(page.locator("#more summary"))
    user.press("Enter")
    user.to(view.button(page.locator("#more"), "Mark as unread"))
    user.press("Enter")
    expect(page.locator(f".rows > li[data-id='{theirs}'].unread")).to_be_attached()
    assert user.faults == []
