"""Received faxes: they appear without reload, can be read and deleted with undo, and are private."""

from __future__ import annotations

import base64
import itertools
import re
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from appliance.settings.accounts import UserRole
from tests.web.browser import OWNER, Web, noticed, stop_clock
from tests.web.furnished import picture
from tests.web.views import View

pytestmark = pytest.mark.realtime

_numbers = itertools.count(1)


@pytest.fixture
def faxed(box: Web) -> int:
    """A fax that has come in, to number 5550 and so on."""
    return _fax(box)


def _fax(box: Web, dialled: str = "5550") -> int:
    return _fax_of(box, f"+4930{next(_numbers):06d}", dialled)


def _fax_of(box: Web, caller: str, dialled: str = "5550") -> int:
    """A fax that has come in from ``caller``, the newest."""
    content = base64.b64encode(picture()).decode()
    before = {each["id"] for each in box.served.ask("GET", "/received").json["received"]}
    call = {"caller": caller, "dialled": dialled, "files": [{"name": "a.tiff", "content": content}]}
    assert box.served.ask("POST", "/practice/receive", call).status == 202

    def come() -> list[dict[str, object]]:
        listed: list[dict[str, object]] = box.served.ask("GET", f"/received?caller={caller[1:]}").json[
            "received"
        ]
        listed += box.served.ask("GET", f"/received?caller=%2B{caller[1:]}").json["received"]
        return [each for each in listed if each["state"] == "complete" and each["id"] not in before]

    box.served.wait(lambda: bool(come()))
    return int(str(come()[0]["id"]))


def rows(page: Page, fax_id: int) -> int:
    return page.locator(f".rows > li[data-id='{fax_id}']:visible").count()


def test_a_fax_comes_in_and_appears_without_the_page_being_loaded_again(box: Web, view: View) -> None:
    page = view.page(box)
    page.goto("/received")
    page.evaluate("window.same = true")
    fax_id = _fax(box)
    expect(page.locator(f".rows > li[data-id='{fax_id}'].unread")).to_be_visible()
    expect(page.locator("nav .count")).to_be_visible()
    assert page.evaluate("window.same") is True
    view.press(page.locator(f".rows > li[data-id='{fax_id}'] a"))
    expect(page.locator(".sheets img").first).to_be_visible()
    expect(page.locator(f".rows > li[data-id='{fax_id}'].unread")).to_have_count(0)


def test_a_fax_that_somebody_else_deletes_leaves_the_page_of_who_reads_it(
    box: Web, faxed: int, view: View
) -> None:
    page = view.page(box)
    page.goto(f"/received/{faxed}")
    expect(page.locator(".sheets img").first).to_be_visible()
    assert box.served.ask("DELETE", f"/received/{faxed}").status == 204
    expect(page.locator("#notices")).to_contain_text(
        view.said("This fax is not here any more; somebody has deleted it, or it is no longer yours.")
    )
    expect(page.locator(".sheets")).to_have_count(0)
    expect(page.locator(f".rows > li[data-id='{faxed}']")).to_have_count(0)
    assert page.url == f"{box.url}/received"


def test_many_are_deleted_at_once_and_come_back_with_undo(box: Web, faxed: int, view: View) -> None:
    other = _fax(box)
    page = view.page(box)
    stop_clock(page)  # the ten seconds of "Undo" are over when the test says so
    page.goto("/received")
    for fax_id in (faxed, other):
        page.locator(f".rows > li[data-id='{fax_id}'] input").check()
    view.press(view.button(page, "Delete"))
    assert rows(page, faxed) == 0
    view.press(view.button(page, "Undo"))
    expect(page.locator(f".rows > li[data-id='{faxed}']")).to_be_visible()
    view.press(view.button(page, "Delete"))
    page.clock.fast_forward(11_000)
    box.served.wait(lambda: box.served.ask("GET", f"/received/{other}").status == 404)
    page.reload()
    assert rows(page, other) == 0


def test_one_that_somebody_else_deleted_meanwhile_does_not_keep_the_others_from_being_deleted(
    box: Web, faxed: int
) -> None:
    newest = _fax(box)
    page = box.page()
    stop_clock(page)
    page.goto("/received")
    for fax_id in (faxed, newest):
        page.locator(f".rows > li[data-id='{fax_id}'] input").check()
    page.get_by_role("button", name="Delete", exact=True).click()
    assert box.served.ask("DELETE", f"/received/{newest}").status == 204
    page.clock.fast_forward(11_000)
    box.served.wait(lambda: box.served.ask("GET", f"/received/{faxed}").status == 404)
    expect(page.locator("#notices")).not_to_contain_text("There is nothing here")


@pytest.mark.parametrize("form_id", ["forward", "by-mail", "on-paper"])
def test_escape_closes_what_a_button_opened_and_the_focus_is_at_its_button_again(
    box: Web, faxed: int, form_id: str
) -> None:
    page = box.page()
    page.goto(f"/received/{faxed}")
    button, form = page.locator(f"[data-open={form_id}]"), page.locator(f"#{form_id}")
    back = button
    if form_id == "on-paper":
        back = page.locator("#more > summary")  # the button is in a menu, which it closes
        back.click()
    button.focus()
    page.keyboard.press("Enter")
    expect(form.locator("input").first).to_be_focused()
    assert button.get_attribute("aria-expanded") == "true"
    page.keyboard.press("Escape")
    expect(form).to_be_hidden()
    expect(back).to_be_focused()
    assert button.get_attribute("aria-expanded") == "false"


def test_a_second_form_takes_the_place_of_the_first(box: Web, faxed: int, view: View) -> None:
    page = view.page(box)
    page.goto(f"/received/{faxed}")
    view.press(view.button(page, "Forward as fax"))
    expect(page.locator("#forward")).to_be_visible()
    view.press(view.button(page, "Send by e-mail"))
    expect(page.locator("#by-mail")).to_be_visible()
    expect(page.locator("#forward")).to_be_hidden()


def test_pages_are_looked_at_and_many_faxes_saved_at_any_size_and_in_any_language(
    box: Web, faxed: int, tmp_path: Path, view: View
) -> None:
    other = _fax(box)
    page, press = view.page(box), view.press

    page.goto("/received")
    for fax_id in (faxed, other):
        press(page.locator(f".rows > li[data-id='{fax_id}'] input"))
    for name, head in ((view.said("One PDF"), b"%PDF-"), ("ZIP", b"PK")):
        with page.expect_download() as saved:
            press(page.get_by_role("button", name=name, exact=True))
        saved.value.save_as(tmp_path / "saved")
        assert (tmp_path / "saved").read_bytes().startswith(head)
    with zipfile.ZipFile(tmp_path / "saved") as archive:
        assert len(archive.namelist()) >= 2

    press(page.locator(f".rows > li[data-id='{faxed}'] a"))
    sheet = page.locator(".sheets img").first
    expect(sheet).to_be_visible()
    sheet.evaluate("(image) => image.decode()")
    before = sheet.bounding_box()
    press(view.button(page, "Larger"))
    after = sheet.bounding_box()
    assert before is not None
    assert after is not None
    assert after["width"] > before["width"] * 1.1
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1")  # its own box scrolls
    press(view.button(page, "Two side by side"))
    expect(page.locator(".sheets")).to_have_class(re.compile(r"\btwo-up\b"))
    press(view.button(page, "Turn"))
    expect(page.locator(".sheets")).to_have_attribute("data-turn", "1")
    page.reload()  # how it was turned is remembered
    expect(page.locator(".sheets")).to_have_attribute("data-turn", "1")


def test_the_list_goes_by_keys_alone(box: Web, faxed: int) -> None:
    newer = _fax(box)
    page = box.page()
    page.goto("/received")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("x")
    expect(page.locator(".bulk")).to_contain_text("1 chosen")
    page.keyboard.press("x")
    page.keyboard.press("/")
    page.keyboard.type("nobody-has-this")
    expect(page.locator(".rows")).to_have_count(0)
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    expect(page.locator(f".rows > li[data-id='{newer}']")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/received/*")


def test_search_finds_a_part_of_the_number(box: Web, faxed: int) -> None:
    caller = box.served.ask("GET", f"/received/{faxed}").json["caller"]
    page = box.page()
    page.goto("/received")
    page.get_by_role("searchbox").fill(caller[-6:])
    expect(page.locator(".rows > li")).to_have_count(1)
    assert rows(page, faxed) == 1
    told = page.get_by_role("search").locator("xpath=following-sibling::*[@role='status']")
    expect(told).to_have_text("1 fax found")
    page.get_by_role("searchbox").fill("nobody has such a name")
    expect(told).to_have_text("Nothing fits.")


@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_a_caller_s_name_is_told_to_its_end(box: Web, faxed: int, phone: bool) -> None:
    """Departments of one hospital differ in their last word."""
    caller = box.served.ask("GET", f"/received/{faxed}").json["caller"]
    entry = {"number": caller, "company": "Universitätsklinikum Schleswig-Holstein, Kiel"}
    assert box.served.ask("POST", "/contacts", entry).status == 201
    called = _fax_of(box, caller)
    page = box.page(phone=phone)
    page.goto("/received")
    name = page.locator(f".rows > li[data-id='{called}'] b")
    expect(name).to_have_text(entry["company"])
    assert name.evaluate(
        "each => each.scrollWidth <= each.clientWidth && each.scrollHeight <= each.clientHeight"
    )


def test_a_reader_sees_fetches_and_guesses_only_what_is_theirs(box: Web, faxed: int, view: View) -> None:
    theirs = _fax(box, "7700")
    user_id = box.add_user("rita", UserRole.READER, reads_numbers=["77"])
    token = box.served.server.context.sessions.begin(user_id, box.served.box.clock(), 600)
    ask = box.served.ask
    listed = [fax["id"] for fax in ask("GET", "/received", token=token).json["received"]]
    assert theirs in listed
    assert faxed not in listed
    paths = ("", "/pages/1", "/pdf", "/tiff", "/events", "/trace", "/deliveries")
    for path in paths:
        assert ask("GET", f"/received/{faxed}{path}", token=token).status == 404, path
        if path in ("", "/pages/1", "/pdf"):
            assert ask("GET", f"/received/{theirs}{path}", token=token).status == 200, path
    assert ask("GET", f"/received-bundle?ids={theirs},{faxed}", token=token).status == 404
    assert ask("DELETE", f"/received/{faxed}", token=token).status == 404
    for path in ("/faxes", "/previews", "/settings", "/users", "/contacts", "/audit"):
        assert ask("GET", path, token=token).status == 403, path
    page = view.page(box, "rita")
    page.goto("/received")
    expect(page.locator(f".rows > li[data-id='{theirs}']")).to_be_visible()
    assert rows(page, faxed) == 0
    for address in (f"/received/{faxed}", f"/happened/{faxed}", "/sent", "/settings"):
        answer = page.goto(address)
        assert answer is not None
        assert answer.status in (403, 404), address


def test_a_key_of_a_reader_sends_nothing_and_reads_no_more_than_they_do(box: Web, faxed: int) -> None:
    box.add_user("rolf", UserRole.READER, reads_numbers=["88"])
    made = box.served.ask("POST", "/keys", {"name": "rolfs", "owner": "rolf", "scopes": ["send", "receive"]})
    token = made.json["token"]
    assert box.served.ask("GET", "/me", token=token).json["scopes"] == ["receive"]
    assert box.served.ask("POST", "/faxes", {"to": ["9990"]}, token=token).status == 403
    assert box.served.ask("GET", f"/received/{faxed}", token=token).status == 404


def test_a_note_is_seen_by_everybody_at_once_found_and_taken_off_with_a_way_back(
    box: Web, faxed: int, view: View
) -> None:
    here, there = view.page(box), view.opposite.page(box)
    # One's own clock: "Undo" is pressed in time on any machine.
    here.clock.install()
    for page in (here, there):
        page.goto(f"/received/{faxed}")
    text = f'Byron {faxed} <img src=x onerror="window.bad=1">'
    here.locator("#notes-count").click()
    here.locator("#new-note textarea").fill(text)
    view.press(view.button(here, "Add the note"))
    for page in (here, there):
        expect(page.locator("#notes li")).to_contain_text(text)
        expect(page.locator("#notes li")).to_contain_text(OWNER)
        assert page.evaluate("window.bad") is None
    expect(here.locator("#new-note textarea")).to_have_value("")
    there.goto(f"/received?q=Byron+{faxed}")
    expect(there.locator(".rows > li")).to_have_count(1)
    here.clock.pause_at(here.evaluate("Date.now() + 3600000") / 1000)
    off = here.locator("#notes li").get_by_role("button")
    view.press(off)
    expect(here.locator("#notes li")).to_be_hidden()
    view.press(view.button(here, "Undo"))
    expect(here.locator("#notes li")).to_be_visible()
    view.press(off)
    here.clock.fast_forward(11_000)
    box.served.wait(lambda: box.served.ask("GET", f"/received/{faxed}/notes").json["notes"] == [])


def test_a_received_fax_is_given_to_a_printer_of_the_box(box: Web, faxed: int) -> None:
    page = box.page()
    page.goto(f"/received/{faxed}")
    page.get_by_text("More", exact=True).click()
    page.get_by_role("button", name="Print at the box").click()
    page.locator("#on-paper").get_by_label("Printer").fill("upstairs")
    page.keyboard.press("Enter")
    noticed(page, "Given to the printer.")
    # A second press would print it twice.
    expect(page.locator("#on-paper")).to_be_hidden()
    expect(page.locator("#more > summary")).to_be_focused()
    deliveries = box.served.ask("GET", f"/received/{faxed}/deliveries").json["deliveries"]
    assert [(each["kind"], each["target"]) for each in deliveries if each["kind"] == "printer"] == [
        ("printer", "upstairs")
    ]
