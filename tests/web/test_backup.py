"""A backup that a browser saved, handed in by a browser on an empty box."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from appliance.settings.accounts import Role
from tests.web.browser import OWNER, PASSWORD, Web, web
from tests.web.furnished import furnish

pytestmark = pytest.mark.realtime
PHRASE = "nine white horses"


def test_a_box_is_saved_in_a_browser_and_an_empty_box_has_it_all_again(
    box: Web, tmp_path: Path, browser: Browser
) -> None:
    furnish(box)
    page = box.page()
    page.goto("/settings")
    page.get_by_role("link", name="Backup and restore").click()
    making = page.locator("#backup")
    making.get_by_label("Passphrase").fill(PHRASE)
    making.get_by_label("Once more").fill("nine white cows")
    making.get_by_label("Received faxes, too").check()
    making.get_by_role("button").click()
    expect(making.get_by_role("alert")).to_contain_text("not the same")
    making.get_by_label("Once more").fill(PHRASE)
    with page.expect_download() as saved:
        making.get_by_role("button").click()
    file = tmp_path / saved.value.suggested_filename
    saved.value.save_as(file)
    cut = tmp_path / "cut.faxbackup"
    cut.write_bytes(file.read_bytes()[:-100])

    with web(tmp_path / "new", browser) as empty:
        empty.add_user("eve", Role.ADMIN)
        page = empty.page("eve")
        page.on("dialog", lambda dialog: dialog.accept())
        page.goto("/setup")
        page.get_by_role("link", name="Restore a backup instead").click()
        form = page.locator("#restore")
        for each, phrase, words in (
            (file, "another passphrase", "not the passphrase"),
            (cut, PHRASE, "not a whole backup"),
        ):
            form.get_by_label("The backup").set_input_files(each)
            form.get_by_label("Its passphrase").fill(phrase)
            form.get_by_role("button", name="Restore").click()
            expect(form.get_by_role("alert")).to_contain_text(words)
        form.get_by_label("The backup").set_input_files(file)
        form.get_by_label("Its passphrase").fill(PHRASE)
        form.get_by_role("button", name="Restore").click()
        expect(page.locator("#restored")).to_contain_text("Restored.")
        page.get_by_role("link", name="Sign in").click()
        page.get_by_label("Name or e-mail address").fill(OWNER)
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.locator("header summary")).to_have_text(OWNER)
        page.goto("/received")
        expect(page.get_by_role("listitem").filter(has_text="+49301234").first).to_be_visible()
        empty.close_windows()
