"""A backup is saved in a browser and restored in a browser on an empty box."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route, expect

from appliance.settings.accounts import UserRole
from appliance.spool.filters import ReceivedFilter
from tests.web.browser import OWNER, PASSWORD, Web, web
from tests.web.furnished import furnish
from tests.web.views import View

pytestmark = pytest.mark.realtime
PHRASE = "nine white horses"


def test_a_box_is_saved_in_a_browser_and_an_empty_box_has_it_all_again(
    tmp_path: Path, browser: Browser, view: View, module_box: Web
) -> None:
    box = module_box
    if not box.served.box.inbox.search(ReceivedFilter()):
        furnish(box)
    page = view.page(box)
    page.goto("/settings")
    view.press(view.link(page, "Backup and restore"))
    making = page.locator("#backup")
    view.field(making, "Passphrase").fill(PHRASE)
    view.field(making, "Once more").fill("nine white cows")
    view.field(making, "Received faxes, too").check()
    view.press(making.get_by_role("button"))
    expect(making.get_by_role("alert")).to_contain_text(view.said("The two passphrases are not the same."))
    view.field(making, "Once more").fill(PHRASE)
    with page.expect_download() as saved:
        view.press(making.get_by_role("button"))
    file = tmp_path / saved.value.suggested_filename
    saved.value.save_as(file)
    cut = tmp_path / "cut.faxbackup"
    cut.write_bytes(file.read_bytes()[:-100])

    with web(tmp_path / "new", browser) as empty:
        empty.add_user("eve", UserRole.ADMIN)
        page = view.page(empty, "eve")
        page.on("dialog", lambda dialog: dialog.accept())
        page.goto("/setup")
        view.press(view.link(page, "Restore a backup instead"))
        form = page.locator("#restore")
        for each, phrase, words in (
            (file, "another passphrase", "This is not the passphrase of this backup."),
            (cut, PHRASE, "This is not a complete backup of a faxbox."),
        ):
            view.field(form, "The backup").set_input_files(each)
            view.field(form, "Its passphrase").fill(phrase)
            view.press(view.button(form, "Restore"))
            expect(form.get_by_role("alert")).to_contain_text(view.said(words))
        view.field(form, "The backup").set_input_files(file)
        view.field(form, "Its passphrase").fill(PHRASE)
        view.press(view.button(form, "Restore"))
        expect(page.locator("#restored")).to_contain_text(view.said("Restored."))
        view.press(view.link(page, "Sign in"))
        page.locator("[name=name]").fill(OWNER)
        page.locator("[name=password]").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.locator("header summary")).to_have_text(OWNER)
        page.goto("/received")
        expect(page.get_by_role("listitem").filter(has_text="+49301234").first).to_be_visible()
        empty.close_windows()


def test_a_backup_that_is_made_or_on_its_way_to_the_box_is_seen(box: Web, view: View) -> None:
    page = view.page(box)
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto("/backup")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/api/v1/backup", hold)
    making = page.locator("#backup")
    view.field(making, "Passphrase").fill(PHRASE)
    view.field(making, "Once more").fill(PHRASE)
    view.press(making.get_by_role("button"))
    told = "The backup is being made; with many faxes this takes minutes …"
    expect(making.get_by_text(view.said(told))).to_be_visible()
    with page.expect_download():
        held[0].continue_()
    expect(making.get_by_text(view.said(told))).to_be_hidden()
    network = page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 200_000}
    network.send("Network.emulateNetworkConditions", slow)
    form = page.locator("#restore")
    file = {"name": "monday.faxbackup", "mimeType": "application/octet-stream", "buffer": b"x" * 1_000_000}
    view.field(form, "The backup").set_input_files(file)
    view.field(form, "Its passphrase").fill(PHRASE)
    view.press(view.button(form, "Restore"))
    expect(form.get_by_text("monday.faxbackup")).to_be_visible()
    page.wait_for_function(
        "() => (({ value }) => value > 0 && value < 100)(document.querySelector('#restore progress'))"
    )
    network.send("Network.emulateNetworkConditions", {**slow, "uploadThroughput": -1})
    expect(form.get_by_role("alert")).to_be_visible()
    expect(form.get_by_text("monday.faxbackup")).to_be_hidden()
