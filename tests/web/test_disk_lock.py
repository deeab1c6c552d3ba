"""The encryption of the disk in the browser: request, and unlocking at a start; the test does root's part."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from appliance.api.bare_server import BareServer
from appliance.api.tls import FOLDER, make_certificate
from appliance.daemon.locked import certificate_in
from appliance.disk_lock import fscrypt, lock_file, owner, sticks
from appliance.disk_lock.lock_file import OpenedBy, WrongKeyError
from appliance.disk_lock.owner import LockStep, Reason
from tests.web.browser import Web, window
from webui.locked import make_locked

pytestmark = pytest.mark.realtime
PASSPHRASE = "nine white horses"


@dataclass
class Locked:
    """A box whose disk waits: its pages in the clear and over TLS, and what was typed."""

    url: str = ""
    secure_url: str = ""
    typed: list[str] = field(default_factory=list)

    def open_with(self, secret: bytes) -> None:
        self.typed.append(secret.decode())
        if secret.decode() != PASSPHRASE:
            raise WrongKeyError


@pytest.fixture(params=[OpenedBy.PASSPHRASE], ids=str)
def locked(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Locked]:
    box = Locked()
    make_certificate(tmp_path / FOLDER, ["127.0.0.1"])
    plain, secure = (socket.create_server(("127.0.0.1", 0)) for _ in range(2))
    box.url, box.secure_url = (
        f"{scheme}://127.0.0.1:{each.getsockname()[1]}/"
        for scheme, each in (("http", plain), ("https", secure))
    )
    application = make_locked(request.param, box.open_with, secure.getsockname()[1])
    context = certificate_in(tmp_path / FOLDER)
    servers = [BareServer(application, plain, None), BareServer(application, secure, context)]
    for server in servers:
        server.start()
    yield box
    for server in servers:
        server.stop()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = window(browser, ignore_https_errors=True)
    yield context.new_page()
    context.close()


def test_the_passphrase_is_asked_for_wherever_one_goes_and_a_wrong_one_is_said(
    locked: Locked, page: Page
) -> None:
    page.goto(f"{locked.url}received?x=1")
    expect(page.get_by_role("heading")).to_have_text("The disk is locked")
    page.get_by_role("link", name="Type it over an encrypted connection").click()
    page.wait_for_url(locked.secure_url)
    expect(page.get_by_text("may read along")).to_have_count(0)
    field = page.locator("[name=passphrase]")
    expect(field).to_be_focused()
    page.keyboard.type("not that one")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("This is not the passphrase.")
    expect(field).to_be_focused()  # what is typed before is lost
    page.keyboard.type(PASSPHRASE)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_count(0)
    assert locked.typed == ["not that one", PASSPHRASE]


@pytest.mark.parametrize("locked", [OpenedBy.STICK], indirect=True, ids=str)
def test_where_a_stick_opens_the_disk_the_page_asks_for_it_in_the_readers_language(
    locked: Locked, browser: Browser
) -> None:
    context = window(browser, locale="de-DE")
    page = context.new_page()
    page.goto(locked.url)
    expect(page.locator("main")).to_contain_text("Stecken Sie den USB-Stick")
    expect(page.get_by_role("textbox")).to_have_count(0)
    context.close()


def test_a_form_of_another_site_does_not_open_the_disk_and_programs_get_the_reason(
    locked: Locked, page: Page
) -> None:
    form = {"passphrase": PASSPHRASE}
    answer = page.request.post(locked.url, form=form, headers={"Origin": "http://elsewhere.example"})
    assert answer.status == 403
    assert locked.typed == []
    for path, method in (("api/v1/faxes", "POST"), ("api/v1/lines", "DELETE"), ("ipp/print", "POST")):
        answer = page.request.fetch(locked.url + path, method=method)
        assert (answer.status, answer.json()["code"]) == (503, "disk_locked")
    health = page.request.get(f"{locked.url}api/v1/health")
    assert (health.status, health.json()["status"]) == (503, "locked")


@pytest.fixture
def image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The box of the module as if it were made from the image."""
    monkeypatch.setattr(owner, "is_image", lambda: True)
    for name in ("WANTED", "PROGRESS", "LOCK"):
        monkeypatch.setattr(owner, name, tmp_path / name.lower())
    monkeypatch.setattr(sticks, "plugged_in", list)
    return tmp_path


def carry_out(box: Web) -> owner.LockRequest:
    """What root does, as far as the pages see it."""
    box.served.wait(owner.WANTED.exists)
    request = owner.take_request()
    assert request is not None
    key = bytes(fscrypt.KEY_OCTETS)
    secret = request.passphrase.encode() or bytes(32)
    lock_file.write(owner.LOCK, lock_file.make(b"i" * 16, key, request.opened_by, secret))
    owner.tell(LockStep.DONE)
    return request


def test_the_disk_is_encrypted_in_the_set_up_and_the_next_step_follows(box: Web, image: Path) -> None:
    page = box.page()
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto("/setup")
    expect(page.get_by_label("Encrypt what is stored")).to_have_count(0)
    page.get_by_role("link", name="Encryption").click()
    page.locator("[name=passphrase]").fill(PASSPHRASE)
    page.get_by_label("Once more").fill("nine black horses")
    page.get_by_role("button", name="Encrypt the disk").click()
    expect(page.get_by_role("alert")).to_contain_text("not the same")
    page.get_by_label("Once more").fill(PASSPHRASE)
    page.get_by_role("button", name="Encrypt the disk").click()
    expect(page.locator("#lock-working")).to_be_visible()
    assert carry_out(box).passphrase == PASSPHRASE
    page.wait_for_url("**/setup/line")
    page.goto("/disk-lock")
    expect(page.locator("#lock-state")).to_contain_text("a passphrase opens it")


def test_a_stick_takes_no_passphrase_and_what_went_wrong_is_said_in_words(box: Web, image: Path) -> None:
    page = box.page()
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto("/disk-lock")
    page.get_by_label("A USB stick with a key").check()
    expect(page.locator("[name=passphrase]")).to_be_hidden()
    page.get_by_role("button", name="Encrypt the disk").click()
    box.served.wait(owner.WANTED.exists)
    request = owner.take_request()
    assert request is not None
    assert (request.opened_by, request.passphrase) == (OpenedBy.STICK, "")
    owner.tell(LockStep.FAILED, Reason.NO_STICK)
    expect(page.get_by_role("alert").first).to_contain_text("There is no USB stick.")
    expect(page.locator("#lock-state")).to_contain_text("not encrypted")
