"""Documents without a number: entering one sends them; they can be discarded."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from appliance.services.faxes import Request
from tests.web.browser import Web
from tests.web.furnished import picture
from tests.web.views import View

pytestmark = pytest.mark.realtime


def test_a_waiting_document_says_what_it_is_why_it_waits_and_when_it_goes_out(box: Web, view: View) -> None:
    served, page = box.served, view.page(box)
    metadata = {"print_title": "Offer 4711", "print_problem": "10pm is no time of sending."}
    request = Request(
        owner="ada",
        to=(),
        without_number=True,
        files=(served.box.documents.store_file(picture(), name="a.tiff", media_type="image/tiff"),),
        origin="print",
        scheduled_at=datetime(2099, 2, 3, 8, tzinfo=UTC).timestamp(),
        metadata=metadata,
    )
    made = served.box.faxes.submit(request).jobs[0]
    page.goto("/waiting")
    row = page.locator("li.ask")
    expect(row.locator("b")).to_have_text("Offer 4711")
    for control in ("input", "button.main", "button.plain"):
        expect(row.locator(control)).to_have_accessible_description("Offer 4711")
    page.goto("/sent")
    expect(page.locator(f'input[value="{made.id}"]')).to_have_accessible_name(re.compile("Offer 4711"))
    page.goto(f"/faxes/{made.id}")
    expect(page.locator("h1")).to_have_text("Offer 4711")
    expect(page).to_have_title(re.compile("Offer 4711"))
    page.goto("/waiting")
    for words in ("10pm is no time of sending.", "2099"):
        expect(row).to_contain_text(words)
    served.box.faxes.cancel(made.id)


def test_a_waiting_document_is_given_its_number_and_another_is_deleted_after_a_question(
    box: Web, view: View
) -> None:
    served, said = box.served, view.said
    page = view.page(box)
    page.goto("/waiting")
    expect(page.locator(".nothing")).to_be_visible()
    for tag in ("first", "second"):
        reply = served.form("/needs-number", [("tag", tag)], [("scan.tiff", picture())])
        assert reply.status == 201, reply.content
    # Each appears without the page being loaded again, and on the first page as something to do.
    rows = page.locator("li.ask")
    expect(rows).to_have_count(2)
    first, second = (rows.filter(has_text=tag) for tag in ("first", "second"))
    number = view.field(first, "Fax number")
    expect(number).to_be_enabled()
    number.fill("no number")
    view.press(view.button(first, "Send"))
    expect(first.locator(".problem")).to_be_visible()
    page.once("dialog", lambda asked: asked.dismiss())
    view.press(view.button(second, "Throw away"))
    expect(second).to_be_visible()
    page.once("dialog", lambda asked: asked.accept())
    view.press(view.button(second, "Throw away"))
    expect(rows).to_have_count(1)
    page.goto("/")
    view.press(page.locator("#needs a[href='/waiting']"))
    view.field(first, "Fax number").fill("9990")
    view.press(view.button(first, "Send"))
    page.wait_for_url("**/faxes/*")
    expect(page.locator("#state .state")).to_contain_text(said("Sent"))
    page.goto("/waiting")
    expect(rows).to_have_count(0)
