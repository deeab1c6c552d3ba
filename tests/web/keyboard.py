"""A visitor with a keyboard only: each focused element must be visible and in page order, without traps."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from playwright.sync_api import Locator, Page, expect

# More stops than any page has.
_MOST_STOPS = 200
# Where the keyboard is: its words, whether a ring around it (or around the label that stands for it) is drawn
# within the window, with something of it uncovered, and whether it comes after the stop before.
_LOOK = """() => {
  const here = document.activeElement, before = window.faxboxStop;
  window.faxboxStop = here;
  if (here === document.body) return null;
  const ringed = [here, here.parentElement].find((each) => {
    const style = getComputedStyle(each);
    return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  });
  const box = (ringed ?? here).getBoundingClientRect();
  const inView = box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight &&
    box.right > 0 && box.left < innerWidth;
  // WCAG 2.4.11: a bar that stays in sight must not hide all of it.
  const uncovered = [0.05, 0.5, 0.95].some((part) => {
    const top = document.elementFromPoint(box.left + box.width / 2, box.top + box.height * part);
    return top && ((ringed ?? here).contains(top) || top.contains(here));
  });
  const inOrder = !before?.isConnected || before === document.body || here === before ||
    Boolean(before.compareDocumentPosition(here) & Node.DOCUMENT_POSITION_FOLLOWING);
  const words = here.getAttribute("aria-label") || here.textContent.trim() || here.name || here.id;
  const told = `${here.tagName} ${words}`.slice(0, 80);
  return { words: told, ringed: Boolean(ringed), inView, uncovered, inOrder };
}"""


@dataclass
class Keyboard:
    """What is wrong with the stops on the way is kept in ``faults``."""

    page: Page
    faults: list[str] = field(default_factory=list)

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)

    def tab(self) -> str:
        """To the next stop; its words, empty at the page's end."""
        self.press("Tab")
        seen = self.page.evaluate(_LOOK)
        if seen is None:
            return ""
        for fault in ("ringed", "inView", "uncovered", "inOrder"):
            if not seen[fault]:
                self.faults.append(f"{self.page.url}: {seen['words']}: not {fault}")
        return str(seen["words"])

    def to(self, target: Locator) -> None:
        """On with Tab until the keyboard is at ``target``, which is there."""
        expect(target).to_be_attached()
        for _ in range(_MOST_STOPS):
            if target.evaluate("(each) => each === document.activeElement"):
                return
            self.tab()
        raise AssertionError(f"Tab does not lead to {target}")

    def around(self) -> int:
        """Through the whole page: how many stops until it begins again.  A trap would never end."""
        self.page.evaluate("document.activeElement.blur(), window.faxboxStop = null")
        self.page.locator(".skip").focus()
        self.page.evaluate("window.faxboxStop = document.activeElement")
        for stops in range(1, _MOST_STOPS):
            words = self.tab()
            if not words or re.match("A (To the content|Zum Inhalt)", words):
                # The one step back, from the last stop to the first, is no fault.
                self.faults = [
                    each for each in self.faults if not re.search(r"(To the content|Zum Inhalt)", each)
                ]
                return stops
        raise AssertionError(f"{self.page.url}: the keyboard is caught")
