"""Every deletion can be undone or asks first: checked for every call and on every page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from html.parser import HTMLParser
from pathlib import Path

import pytest
from playwright.sync_api import expect

import webui
from appliance.api.rest.table import ROUTES
from appliance.settings.accounts import UserRole
from tests.web.browser import Web
from tests.web.furnished import furnish
from tests.web.pages import PAGES

pytestmark = pytest.mark.realtime

SCRIPTS = Path(webui.__file__).parent / "static"
TEMPLATES = Path(webui.__file__).parent / "templates"
DOCUMENT = Path(webui.__file__).parents[1] / "docs" / "web.md"


class How(Enum):
    """What keeps a press of a button from doing harm."""

    UNDO = "can be undone for ten seconds"
    ASKS = "asks once"
    PASSWORD = "wants the password"
    GIVES = "takes nothing away: it adds, or changes what the form shows and can change again"
    ELSEWHERE = "not on the pages"


# Every call that changes something, by its name in the interface.
TAKEN_BACK = {
    How.UNDO: "deleteReceived eraseFax deleteFaxNote deleteReceivedNote dropPreview",
    How.ASKS: "cancelFax settleFax deleteFaxWithoutNumber restoreBackup takeUpdate makeCertificate"
    " giveCertificate deleteContact deleteGroup deleteCoverTemplate deleteLineSettings deleteRoute"
    " deleteJunkRule deleteFavouritePrinter deleteUser deleteKey endSession endOtherSessions"
    " endSessionsOf dropAppOf forgetDestination lockDisk unlockDisk",
    How.PASSWORD: "changeOwnPassword useApp dropApp",
    How.ELSEWHERE: "eraseReceived eraseNumber createDocument createOffer deleteOffer signIn setUp"
    " changeFavouritePrinter newAppSecret practiceReceive createFaxWithoutNumber",
    How.GIVES: "createFax retryFax releaseFax resendFax giveNumbers createPreview changePreview addToPreview"
    " changeReceived forwardReceived mailReceived printReceived forwardFax mailFax createFaxNote"
    " createReceivedNote makeBackup importContacts orderRoutes orderLines createContact changeContact"
    " createGroup changeGroup createCoverTemplate changeCoverTemplate createLineSettings"
    " changeLineSettings createRoute changeRoute createFavouritePrinter createJunkRule changeJunkRule"
    " previewCover changeSelf createUser changeUser createKey changeKey repeatDelivery testWebhook"
    " testMail collectMail startHardwareTest answerHardwareTest stopHardwareTest"
    " lookedAtFailed",
}
HOW = {name: how for how, names in TAKEN_BACK.items() for name in names.split()}
# Settings are forms that show what they change.
_SETTINGS = "/settings/"


def how_of(method: str, path: str) -> How | None:
    """What is said of the call to this address; None when there is no such call."""
    if path.startswith(_SETTINGS):
        return How.GIVES
    for route in ROUTES:
        if route.method == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", route.path), path):
            return HOW[route.name]
    return None


@dataclass(frozen=True, slots=True)
class Press:
    """A form or button of a page that calls the interface."""

    page: str
    method: str
    path: str
    asks: bool
    password: bool


class _Presses(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self._page = page
        self._form: tuple[str, str, bool] | None = None
        self._password = False
        self.found: list[Press] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        asks = bool(given.get("data-ask"))
        if tag == "form" and given.get("data-api"):
            method, _space, path = str(given["data-api"]).partition(" ")
            self._form, self._password = (method, path, asks), False
        elif tag == "input" and given.get("type") == "password":
            self._password = True
        elif given.get("data-post"):
            self.found.append(Press(self._page, "POST", f"/faxes/1/{given['data-post']}", asks, False))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self._form is not None:
            self.found.append(Press(self._page, *self._form, self._password))
            self._form = None


_CALL = re.compile(
    r'(?:call\(|parting\(|\[)\s*"(POST|PUT|PATCH|DELETE)",\s*[`"](/[^`"]*)[`"]'
    r'|open\("(POST)", "/api/v1(/\w+)"\)'
)


def script_calls() -> Iterator[tuple[str, str, str]]:
    """Script, method and address of each call that is written in a script."""
    for script in sorted(SCRIPTS.glob("*.js")):
        for match in _CALL.finditer(script.read_text(encoding="utf-8")):
            method, path = match.group(1) or match.group(3), match.group(2) or match.group(4)
            for api in ("received", "faxes") if "${api}" in path else ("",):
                address = re.sub(r"\$\{[^}]*\}", "1", path.replace("${api}", api))
                yield script.name, method, address


def test_of_every_call_of_the_interface_it_is_said_how_it_is_taken_back() -> None:
    names = {route.name for route in ROUTES if route.method != "GET" and not route.path.startswith(_SETTINGS)}
    assert names - set(HOW) == set(), "say how these are taken back"
    assert set(HOW) - names == set(), "there are no such calls"


def test_what_deletes_never_counts_as_harmless() -> None:
    harmless = {route.name for route in ROUTES if route.method == "DELETE" and HOW[route.name] is How.GIVES}
    assert harmless == set()


def test_the_document_has_the_same_table() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| ([^|]+?) \| ((?:`\w+`(?:, )?)+) \|$", text, re.MULTILINE))
    written = {how: set(re.findall(r"`(\w+)`", names)) for how, names in rows.items()}
    for how in (How.UNDO, How.ASKS, How.PASSWORD):
        assert written[how.value] == set(TAKEN_BACK[how].split()), how.value


def test_scripts_ask_or_offer_undo_for_what_takes_something_away() -> None:
    wrong = []
    for script, method, path in script_calls():
        if path.endswith("/1") and path.startswith("/faxes/1/"):
            continue  # what a button of the page says, which is looked at with the pages
        how, text = how_of(method, path), (SCRIPTS / script).read_text(encoding="utf-8")
        if how in (None, How.ELSEWHERE):
            wrong.append(f"{script}: {method} {path}: {how}")
        if how is How.ASKS and "confirm(" not in text:
            wrong.append(f"{script}: {method} {path} asks nothing")
        if how is How.UNDO and "undo: true" not in text:
            wrong.append(f"{script}: {method} {path} cannot be undone")
    assert wrong == []


def test_every_form_and_button_that_takes_something_away_asks_first(box: Web) -> None:
    there = furnish(box)
    box.served.ask("POST", "/favourite-printers", {"contact_id": 1})
    box.page()  # a second session
    page = box.page()
    more = [
        "/settings/users/2",
        *(f"/settings/{name}/1" for name in ("keys", "contacts", "groups", "covers", "routes", "junk")),
    ]
    found: list[Press] = []
    for path in [*(each.path for each in PAGES if each.who == "admin"), *more]:
        presses = _Presses(path)
        presses.feed(page.request.get(there.path(path)).text())
        found += presses.found
    wrong = []
    for press in found:
        how = how_of(press.method, press.path)
        if how in (None, How.UNDO, How.ELSEWHERE):
            wrong.append(f"{press}: {how}")
        if how is How.ASKS and not press.asks and press.path != "/certificate":
            wrong.append(f"{press} asks nothing")
        if how is How.PASSWORD and not press.password:
            wrong.append(f"{press} wants no password")
    assert wrong == []
    seen = {press.path.split("/")[1] for press in found if how_of(press.method, press.path) is How.ASKS}
    assert seen >= {"me", "users", "needs-number", "favourite-printers", "contacts", "routes"}
    # Both ask where there is one to replace; this box has none.
    source = (TEMPLATES / "network.html").read_text(encoding="utf-8")
    assert source.count("{% if certificate %} data-ask=") == 2


def test_who_says_no_to_the_question_has_changed_nothing(box: Web) -> None:
    box.add_user("olga", UserRole.USER)
    box.page("olga")
    page = box.page("olga")
    page.goto("/account")
    asked: list[str] = []

    def no(dialog: object) -> None:
        asked.append(dialog.message)  # type: ignore[attr-defined]
        dialog.dismiss()  # type: ignore[attr-defined]

    page.on("dialog", no)
    page.get_by_role("button", name="Sign out everywhere else").click()
    assert asked == ["Sign out everywhere but here?"]
    page.reload()
    expect(page.get_by_role("button", name="Sign out everywhere else")).to_be_visible()
