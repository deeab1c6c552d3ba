"""Open pages during a restart of the box: they show it, go on, and lose no input."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from appliance.configuration import open_settings
from appliance.lines.practice.settings import PracticeSettings
from appliance.phonebook import Contact
from appliance.settings import secrets
from appliance.settings.accounts import Scope, UserRole
from tests.ports import free_port
from tests.web.browser import DESKTOP, LOCALES, OWNER, PASSWORD, PHONE, noticed, window
from tests.web.furnished import picture
from tests.web.views import View

pytestmark = pytest.mark.realtime

HANG_S = 240.0
AWAY = "The box does not answer."
BACK = "The box is back."


@dataclass
class Service:
    """A box as a process of its own, always at the same address."""

    data: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Returns when it is ready."""
        command = [sys.executable, "-m", "appliance.cli", "serve", "--data", str(self.data)]
        self.process = subprocess.Popen(
            [*command, "--http", f"127.0.0.1:{self.port}"], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        assert any("ready" in line for line in self.process.stdout)

    def stop(self) -> None:
        if self.process is None:
            return
        self.process.terminate()
        self.process.wait(HANG_S)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process = None

    def post(self, path: str, body: object, token: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=HANG_S)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        with contextlib.closing(connection):
            connection.request("POST", f"/api/v1{path}", json.dumps(body), headers)
            return connection.getresponse().status


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    made = Service(tmp_path / "data")
    yield made
    made.stop()


def sign_in(browser: Browser, service: Service, view: View) -> Page:
    page = window(
        browser,
        base_url=f"http://127.0.0.1:{service.port}",
        locale=LOCALES[view.language],
        viewport=PHONE if view.phone else DESKTOP,
        has_touch=view.phone,
    ).new_page()
    page.goto("/sign-in")
    page.locator("[name=name]").fill(OWNER)
    page.locator("[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("header summary")).to_have_text(OWNER)
    return page


def begin_contact(page: Page, name: str) -> None:
    """A form that is half filled."""
    page.goto("/settings/contacts/new")
    page.locator("[name=last_name]").fill(name)


def test_open_pages_outlive_a_restart_of_the_box_with_what_is_typed_into_them(
    service: Service, browser: Browser, tmp_path: Path, view: View
) -> None:
    store = open_settings(service.data)
    secrets.add_user(store, OWNER, PASSWORD, role=UserRole.ADMIN)
    _, token = secrets.add_key(store, "desk", scopes=(Scope.ADMIN,))
    store.change(PracticeSettings, {"speed": 10.0, "wait_s": 0.1})
    letter = tmp_path / "letter.tiff"
    letter.write_bytes(picture())
    service.start()

    other = view.opposite
    desk, elsewhere = sign_in(browser, service, view), sign_in(browser, service, other)
    begin_contact(elsewhere, "Noether")
    inbox, contact = desk.context.new_page(), desk.context.new_page()
    inbox.goto("/received")
    inbox.evaluate("window.same = true")
    begin_contact(contact, "Lovelace")
    desk.goto("/")
    desk.locator("#choose").set_input_files(letter)
    expect(desk.locator("#pages img").first).to_be_visible()
    view.field(desk, "With a cover page").check()
    expect(desk.locator("#paper")).to_have_attribute("aria-busy", "false")

    service.stop()
    opened = ((inbox, view), (contact, view), (desk, view), (elsewhere, other))
    for page, reader in opened:
        expect(page.locator("#notices")).to_contain_text(reader.said(AWAY))
    # Whoever goes on all the same loses nothing.
    contact.locator("[name=number]").fill("+49 30 4711")
    view.press(view.button(contact, "Add"))
    expect(contact.get_by_role("alert")).to_contain_text(view.said(AWAY))
    view.field(desk, "Subject").fill("Written while it was away")
    expect(desk.get_by_role("alert")).to_contain_text(view.said(AWAY))

    service.start()
    for page, reader in opened:
        noticed(page, reader.said(BACK))
        expect(page.locator("#notices")).not_to_contain_text(reader.said(AWAY))
    view.press(view.button(contact, "Add"))
    contact.wait_for_url("**/settings/contacts")
    expect(elsewhere.locator("[name=last_name]")).to_have_value("Noether")
    elsewhere.locator("[name=number]").fill("+49 30 4712")
    other.press(other.button(elsewhere, "Add"))
    elsewhere.wait_for_url("**/settings/contacts")
    assert {each.last_name for each in open_settings(service.data).items(Contact).values()} == {
        "Lovelace",
        "Noether",
    }
    # The draft has what was written meanwhile.
    expect(desk.get_by_role("alert")).to_be_hidden()
    expect(desk.locator("#paper")).to_have_attribute("aria-busy", "false")
    desk.reload()
    expect(view.field(desk, "Subject")).to_have_value("Written while it was away")
    # The list goes on by itself.
    call = {
        "caller": "+4930999",
        "files": [{"name": "a.tiff", "content": base64.b64encode(picture()).decode()}],
    }
    assert service.post("/practice/receive", call, token) == 202
    expect(inbox.locator(".rows > li")).to_contain_text("+4930999")
    assert inbox.evaluate("window.same") is True
    for page in (desk, elsewhere):
        page.context.close()
