"""The four views of the pages in tests: desktop or phone, in English or German.

A flow is written once, with the fixture ``view`` (tests/web/conftest.py), and finds what it presses by the
words of the catalogue.  By default it runs in one of the four, which its name decides; ``-m full`` runs the
other three.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Locator, Page

from appliance.language import ENGLISH, catalogue, codes, say
from tests.web.browser import OWNER, Web


@dataclass(frozen=True, slots=True)
class View:
    """Somebody's screen and language."""

    language: str
    phone: bool

    @property
    def id(self) -> str:
        return f"{self.language}-{'phone' if self.phone else 'desk'}"

    @property
    def opposite(self) -> View:
        """Of somebody else, in both."""
        return next(each for each in VIEWS if each.language != self.language and each.phone is not self.phone)

    def page(self, box: Web, name: str = OWNER, **more: Any) -> Page:
        """A page of a new window, signed in as ``name`` (nobody when empty)."""
        return box.page(name, language=self.language, phone=self.phone, **more)

    def said(self, sentence: str, **places: object) -> str:
        """The English sentence of the catalogue as this reader reads it, its ``places`` filled."""
        other = next(code for code in codes() if code != ENGLISH)
        assert sentence in catalogue(other)._catalog, f"no sentence of the pages: {sentence}"  # type: ignore[attr-defined]
        text = say(sentence, self.language)
        for name, value in places.items():
            text = text.replace(f"%({name})s", str(value)).replace(f"{{{name}}}", str(value))
        return text

    def button(self, page: Page | Locator, sentence: str, *, exact: bool = True, **places: object) -> Locator:
        return page.get_by_role("button", name=self.said(sentence, **places), exact=exact)

    def link(self, page: Page | Locator, sentence: str, **places: object) -> Locator:
        return page.get_by_role("link", name=self.said(sentence, **places), exact=True)

    def field(self, page: Page | Locator, sentence: str, *, exact: bool = False) -> Locator:
        """The field with this label."""
        return page.get_by_label(self.said(sentence), exact=exact)

    def press(self, what: Locator) -> None:
        """With a finger or with the mouse."""
        if self.phone:
            what.tap()
        else:
            what.click()


VIEWS = tuple(View(language, phone) for language in ("en", "de") for phone in (False, True))


def usual(test: str) -> View:
    """The one of the four in which a test runs by default: the same in every process."""
    return VIEWS[zlib.crc32(test.encode()) % len(VIEWS)]
