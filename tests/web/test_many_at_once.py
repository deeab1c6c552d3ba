"""Actions on many faxes: forward, save, cancel, delete with undo; content and actions of a row."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Dialog, Page, Route, expect

from appliance.spool.model import JobState
from tests.web.browser import Web, noticed, stop_clock
from tests.web.furnished import picture
from tests.web.test_lists import come, listed, to_the_end
from webui.pages.lists import SHOWN

pytestmark = pytest.mark.realtime


def hand_in(box: Web, **more: str) -> int:
    """A fax to the practice machine; its id."""
    fields = [("to", "9990"), *more.items()]
    reply = box.served.form("/faxes", fields, [("a.tiff", picture())])
    assert reply.status == 201, reply.content
    return int(reply.json["faxes"][0]["id"])


def cancelled(box: Web, count: int) -> list[int]:
    """So many faxes that have ended, with their pages, and took no line."""
    made = [held(box) for _ in range(count)]
    for fax_id in made:
        assert box.served.ask("POST", f"/faxes/{fax_id}/cancel").status == 200
    return made


def held(box: Web) -> int:
    """A fax that is held, with its pages."""
    fax_id = hand_in(box, hold="true")
    box.served.wait(lambda: box.served.box.faxes.get(fax_id).state is JobState.HELD)
    return fax_id


def row(page: Page, fax_id: int) -> str:
    return f".rows > li[data-id='{fax_id}']"


def choose(page: Page, ids: list[int]) -> None:
    for fax_id in ids:
        page.locator(f"{row(page, fax_id)} input").check()


def saved(page: Page, button: str) -> bytes:
    """The file that a button saves."""
    with page.expect_download() as download:
        page.get_by_role("button", name=button, exact=True).click()
    return Path(download.value.path()).read_bytes()


def test_sent_faxes_are_forwarded_and_saved_together(box: Web) -> None:
    ids = cancelled(box, 2)
    page = box.page()
    page.goto("/sent")
    choose(page, ids)
    assert saved(page, "One PDF").startswith(b"%PDF")
    with zipfile.ZipFile(io.BytesIO(saved(page, "ZIP"))) as archive:
        assert sorted(archive.namelist()) == sorted(f"fax-{fax_id}.pdf" for fax_id in ids)
    forward = page.get_by_role("button", name="Forward as fax")
    forward.click()
    expect(page.locator("#bulk-forward [name=to]")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#bulk-forward")).to_be_hidden()
    expect(forward).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.type("12 no number")
    page.keyboard.press("Enter")
    expect(page.locator("#bulk-forward .problem")).to_be_visible()
    expect(page.locator(".bulk")).to_contain_text("2 chosen")
    page.locator("#bulk-forward [name=to]").fill("9991")
    page.keyboard.press("Enter")
    noticed(page, "Forwarded: 2")
    expect(page.locator(".bulk")).to_be_hidden()
    newest = box.served.ask("GET", "/faxes?limit=2").json["faxes"]
    assert [fax["to"]["number"] for fax in newest] == ["9991", "9991"]


def test_a_forwarded_fax_is_no_longer_chosen_when_the_list_was_drawn_again_meanwhile(box: Web) -> None:
    # Else it would be forwarded a second time with the rest, after a refusal.
    first, second = cancelled(box, 2)
    page = box.page()
    page.goto("/sent")
    choose(page, [first, second])
    waiting: list[Route] = []

    def forward(route: Route) -> None:
        if waiting:
            route.fulfill(status=503, json={"title": "no"})
        else:
            waiting.append(route)

    page.route("**/forward", forward)
    page.get_by_role("button", name="Forward as fax").click()
    page.keyboard.type("9991")
    with page.expect_request("**/forward") as asked:
        page.keyboard.press("Enter")
    forwarded = int(asked.value.url.split("/")[-2])
    new = hand_in(box, hold="true")
    expect(page.locator(row(page, new))).to_be_visible()  # drawn again
    waiting[0].continue_()
    expect(page.locator("#bulk-forward .problem")).to_be_visible()
    expect(page.locator(f"{row(page, forwarded)} input")).not_to_be_checked()
    expect(page.locator(f"{row(page, first + second - forwarded)} input")).to_be_checked()


def test_received_faxes_are_forwarded_together(box: Web) -> None:
    ids = come(box, 1)
    page = box.page()
    page.goto("/received")
    choose(page, ids)
    page.get_by_role("button", name="Forward as fax").click()
    page.keyboard.type("9991")
    page.keyboard.press("Enter")
    # Its page is not there: what the box refuses is said, and stays chosen.
    expect(page.locator("#bulk-forward .problem")).to_be_visible()
    expect(page.locator(f"{row(page, ids[0])} input")).to_be_checked()


def test_chosen_faxes_are_cancelled_after_one_question(box: Web) -> None:
    fax_id = held(box)
    page = box.page()
    page.goto("/sent")
    choose(page, [fax_id])
    page.once("dialog", lambda asked: asked.dismiss())
    page.get_by_role("button", name="Cancel", exact=True).click()
    assert box.served.ask("GET", f"/faxes/{fax_id}").json["state"] == "held"
    page.once("dialog", lambda asked: asked.accept())
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.locator(row(page, fax_id))).to_contain_text("Cancelled")


def test_one_that_somebody_else_dealt_with_meanwhile_does_not_keep_the_others_from_it(box: Web) -> None:
    first, second = (hand_in(box, hold="true") for _ in range(2))
    page = box.page()
    page.goto("/sent")
    choose(page, [first, second])

    def accept(asked: Dialog) -> None:
        # The newest is the first of the list.
        assert box.served.ask("POST", f"/faxes/{second}/cancel").status == 200
        asked.accept()

    page.once("dialog", accept)
    page.get_by_role("button", name="Cancel", exact=True).click()
    noticed(page, "The fax is in a state in which this cannot be done.")
    box.served.wait(lambda: box.served.box.faxes.get(first).state is JobState.CANCELLED)


def test_sent_faxes_are_deleted_come_back_with_undo_and_go_when_the_page_is_left(box: Web) -> None:
    ids = cancelled(box, 2)
    page = box.page()
    stop_clock(page)  # the ten seconds of "Undo" are over when the test says so
    page.goto("/sent")
    choose(page, ids)
    page.get_by_role("button", name="Delete").click()
    expect(page.locator(row(page, ids[0]))).to_be_hidden()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(row(page, ids[0]))).to_be_visible()
    page.get_by_role("button", name="Delete").click()
    page.goto("/settings")
    box.served.wait(lambda: all(box.served.box.faxes.get(each).erased_at for each in ids))
    page.goto("/sent")
    for fax_id in ids:
        expect(page.locator(row(page, fax_id))).to_have_count(0)


def test_the_page_of_a_sent_fax_deletes_it_with_a_way_back(box: Web) -> None:
    (fax_id,) = cancelled(box, 1)
    page = box.page()
    stop_clock(page)
    page.goto(f"/faxes/{fax_id}")
    page.get_by_text("About this fax").click()
    expect(page.get_by_text("The list of faxes is kept for")).to_be_visible()
    page.get_by_text("More", exact=True).click()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("heading", name="9990")).to_be_hidden()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", name="9990")).to_be_visible()
    page.get_by_text("More", exact=True).click()
    page.get_by_role("button", name="Delete").click()
    page.clock.fast_forward(11_000)
    page.wait_for_url("**/sent")
    assert box.served.box.faxes.get(fax_id).erased_at


def test_a_menu_at_the_edge_of_a_telephone_opens_to_the_other_side(box: Web) -> None:
    (fax_id,) = cancelled(box, 1)
    page = box.page(phone=True)
    page.goto(f"/faxes/{fax_id}")
    page.locator("#more > summary").tap()
    delete = page.get_by_role("button", name="Delete", exact=True)
    expect(delete).to_be_visible()
    page.wait_for_function(
        "document.querySelector('#more > div').getBoundingClientRect().right <= innerWidth", timeout=5000
    )
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_key_r_on_a_row_of_sent_sends_it_again(box: Web) -> None:
    (fax_id,) = cancelled(box, 1)
    page = box.page()
    page.goto("/sent")
    page.locator(f"{row(page, fax_id)} a").focus()
    page.keyboard.press("r")
    page.wait_for_url(f"**/faxes/{fax_id}?again=yes")
    expect(page.locator("#again input")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(lambda address: f"/faxes/{fax_id}" not in address)
    again = int(page.url.rpartition("/")[2])
    assert box.served.ask("GET", f"/faxes/{again}").json["resent_from"] == fax_id


def test_a_row_says_that_there_are_notes(box: Web) -> None:
    (fax_id,) = cancelled(box, 1)
    page = box.page()
    page.goto("/sent")
    for text, words in (("call back", "1 note"), ("done", "2 notes")):
        assert box.served.ask("POST", f"/faxes/{fax_id}/notes", {"text": text}).status == 201
        expect(page.locator(f"{row(page, fax_id)} .noted")).to_have_text(words)


def test_older_rows_that_are_in_sight_are_as_the_box_has_them(box: Web) -> None:
    ids = come(box, 2 * SHOWN + 5)[::-1]
    page = box.page()
    page.goto("/received")
    to_the_end(page, len(ids))
    oldest = ids[-1]
    page.locator(row(page, oldest)).scroll_into_view_if_needed()
    expect(page.locator(f"{row(page, oldest)}.unread")).to_be_visible()
    # Nobody tells the page that these are otherwise now.
    box.served.box.spool.do(
        lambda tx: tx.db.execute("UPDATE received SET read = 1 WHERE id IN (?, ?)", (oldest, ids[SHOWN + 3]))
    )
    box.served.box.spool.do(lambda tx: tx.db.execute("DELETE FROM received WHERE id = ?", (ids[-2],)))
    (newest,) = come(box, 1)
    expect(page.locator(row(page, newest))).to_be_attached()
    expect(page.locator(f"{row(page, oldest)}:not(.unread)")).to_be_visible()
    expect(page.locator(row(page, ids[-2]))).to_have_count(0)
    page.locator(row(page, ids[SHOWN + 3])).scroll_into_view_if_needed()
    expect(page.locator(f"{row(page, ids[SHOWN + 3])}:not(.unread)")).to_be_visible()
    assert [each for each in listed(page) if each in ids] == [each for each in ids if each != ids[-2]]
