"""The hardware test in the browser: selection, progress, questions, the signed report."""

from __future__ import annotations

import itertools

import pytest
from playwright.sync_api import expect

from appliance.hardware import power_cut
from tests.web.browser import Web

pytestmark = [pytest.mark.realtime, pytest.mark.full]

_RECORDS = 3


def test_parts_are_tried_and_told_in_german_on_a_phone_with_their_report(box: Web) -> None:
    page = box.page(language="de", phone=True)
    page.goto("/settings")
    page.get_by_role("link", name="Hardwaretest").click()
    for part in page.locator("[name=parts]").all():
        part.set_checked(part.input_value() in ("box", "printer"))
    page.get_by_role("button", name="Test starten").click()
    expect(page.locator("#sum")).to_contain_text("Alles, was geprüft wurde, funktioniert.")
    results = page.locator("#results > li")
    expect(results).to_have_count(2)
    expect(results.filter(has_text="Die Box läuft und nimmt Faxe an.")).to_contain_text("Funktioniert")
    expect(results.filter(has_text="Nicht geprüft")).to_contain_text("kein Drucker ist genannt (--printer)")
    with page.expect_download() as saved:
        page.get_by_role("link", name="Bericht (PDF)").click()
    assert saved.value.path().read_bytes().startswith(b"%PDF")


def test_somebody_who_stands_before_the_box_is_asked_and_may_stop(box: Web) -> None:
    """The check after a power cut asks what the screen showed."""
    data = box.served.box.data
    list(itertools.islice(power_cut.write(data), _RECORDS))
    page = box.page()
    page.goto("/hardware-test")
    for part in page.locator("[name=parts]").all():
        part.uncheck()
    page.get_by_role("button", name="Start the test").click()
    expect(page.locator("#start .problem")).to_have_text("Choose at least one part.")
    page.get_by_label("Power cut").check()
    page.get_by_label("I stand before the box").check()
    page.get_by_role("button", name="Start the test").click()
    expect(page.locator("#question strong")).to_contain_text("Which number did the screen show last")
    expect(page.get_by_label("What you read")).to_be_focused()
    page.get_by_role("button", name="Stop the test").click()
    expect(page.locator("#sum")).to_contain_text("Something does not work.")
    page.get_by_role("button", name="Start the test").click()
    expect(page.get_by_label("What you read")).to_be_focused()
    page.keyboard.type(str(_RECORDS - 1))
    page.keyboard.press("Enter")
    expect(page.locator("#sum")).to_contain_text("Everything that was tried works.")
    expect(page.locator("#results > li")).to_contain_text(f"{_RECORDS} records whole")
