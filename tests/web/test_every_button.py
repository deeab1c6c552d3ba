"""Every button of every page is pressed once: each has a visible effect and none fails."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Response
from playwright.sync_api import Error as PlaywrightError

from appliance.settings.accounts import UserRole
from tests.web.browser import OWNER, Web, web
from tests.web.furnished import Furnished, furnish
from tests.web.pages import PAGES, Seen
from tests.web.views import usual

pytestmark = [pytest.mark.realtime, pytest.mark.full]

# Longest that an answer to a press may take.
_HANG_S = 60.0
# Ends the visit, changes the box to TLS, begins what takes minutes, or is there once for each call of the
# interface: these have tests of their own.
_LEFT_OUT = "form[action='/sign-out'] button, #start button, .calls *, form[data-api*='certificate'] button"
# Whether the press was answered: the page changed, a field was asked for, something was printed.
_WATCH = """() => {
  window.faxboxDid = false;
  const did = () => { window.faxboxDid = true; };
  new MutationObserver(did).observe(document, {
    subtree: true, childList: true, attributes: true, characterData: true });
  addEventListener("invalid", did, true);
  addEventListener("focusin", did, true);
  window.print = did;
}"""
# Opens what is folded up, and keeps what can be pressed then; answers its words.
_READY = """left => {
  for (const each of document.querySelectorAll("main details")) each.open = true;
  window.faxboxPressed = [...document.querySelectorAll("button, summary")].filter((each) =>
    each.checkVisibility() && !each.matches(`:disabled, [aria-disabled=true], ${left}`));
  return window.faxboxPressed.map((each) =>
    (each.getAttribute("aria-label") || each.textContent).trim().slice(0, 40));
}"""


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[tuple[Web, Furnished]]:
    with web(tmp_path_factory.mktemp("box"), browser) as made:
        made.add_user(OWNER, UserRole.ADMIN)
        yield made, furnish(made)


class Presser:
    """Presses what is on a page, and hears what came of it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.faults: list[str] = []
        self._answers: list[str] = []
        page.on("dialog", self._asked)
        page.on("download", lambda _: self._answers.append("a file"))
        page.on("response", self._answered)

    def all_of(self, path: str) -> None:
        """Each on a page that is opened anew, until all were pressed."""
        place = 0
        while True:
            self._open(path)
            names = self.page.evaluate(_READY, _LEFT_OUT)
            if place >= len(names):
                return
            self._press(f"{path}: {names[place]}", place)
            place += 1

    def _open(self, path: str) -> None:
        try:
            self.page.goto(path, wait_until="load")
        except PlaywrightError as error:
            # Where the last press led to came in the meantime, in this one's place.
            if "ERR_ABORTED" not in error.message:
                raise
            self.page.wait_for_load_state()
            self.page.goto(path, wait_until="load")

    def _press(self, name: str, place: int) -> None:
        self.page.evaluate(_WATCH)
        self._answers.clear()
        self.page.evaluate("place => window.faxboxPressed[place].click()", place)
        end = time.monotonic() + _HANG_S
        while not (self._answers or self._changed()):
            if time.monotonic() > end:
                self.faults.append(f"{name}: nothing happened")
                return
            self.page.wait_for_timeout(20)

    def _changed(self) -> bool:
        # A page that is on its way has changed, too.
        with contextlib.suppress(Exception):
            return bool(self.page.evaluate("window.faxboxDid ?? true"))
        return True

    def _asked(self, dialog: object) -> None:
        self._answers.append("a question")
        dialog.dismiss()  # type: ignore[attr-defined]

    def _answered(self, response: Response) -> None:
        self._answers.append("an answer")
        if response.status >= 500:
            self.faults.append(f"{response.request.method} {response.url}: {response.status}")


@pytest.mark.parametrize("seen", [each for each in PAGES if each.who == "admin"], ids=lambda each: each.name)
def test_every_button_answers_whoever_presses_it(lived_in: tuple[Web, Furnished], seen: Seen) -> None:
    box, furnished = lived_in
    presser = Presser(usual(seen.name).page(box))
    presser.all_of(furnished.path(seen.path))
    assert presser.faults == []
    box.close_windows()
