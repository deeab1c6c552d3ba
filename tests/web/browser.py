"""Debian's Chromium, a real box with a fast practice line, and pages whose errors are recorded."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect, sync_playwright

from appliance.settings import secrets
from appliance.settings.accounts import User, UserRole
from tests.api.served import Served, serving
from tests.web import complaints

# Chromium without its windows: a page in a new window of it takes an eighth of the processor time.
CHROMIUM = "/usr/bin/chromium-headless-shell"
# As root it has no sandbox; the rest keeps it from asking its maker for anything.
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESKTOP = {"width": 1280, "height": 860}
PHONE = {"width": 390, "height": 844}
LOCALES = {"en": "en-GB", "de": "de-DE"}
# Only for hangs: a busy machine is no fault of a page.
PATIENCE_MS = 240_000
expect.set_options(timeout=PATIENCE_MS)
OWNER, PASSWORD = "ada", "correct horse battery"
# What short notices said: they go by themselves.
_REMEMBER_NOTICES = """
window.faxboxSaid = [];
document.addEventListener("DOMContentLoaded", () => {
  const place = document.getElementById("notices");
  const keep = new MutationObserver(() => window.faxboxSaid.push(place.textContent));
  if (place) keep.observe(place, { childList: true });
});
"""


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=list(_ARGUMENTS), timeout=PATIENCE_MS
        )
        try:
            yield browser
        finally:
            browser.close()


def window(browser: Browser, **more: Any) -> BrowserContext:
    """A browser of its own (cookies, storage), whose complaints are heard."""
    # Which Chromium with windows allows by itself when a button was pressed.
    context = browser.new_context(permissions=["clipboard-write"], **more)
    context.set_default_timeout(PATIENCE_MS)
    context.add_init_script(_REMEMBER_NOTICES)
    complaints.listen(context)
    return context


def noticed(page: Page, text: str) -> None:
    """Waits for a short notice with ``text``, which may be gone again by now."""
    page.wait_for_function("text => window.faxboxSaid.some((said) => said.includes(text))", arg=text)


def stop_clock(page: Page) -> None:
    """Timers of the page go on by ``page.clock`` alone: nothing is over too early on a busy machine."""
    page.clock.install(time=0)
    page.clock.pause_at(3600)


@dataclass
class Web:
    """A box with pages and a browser."""

    served: Served
    browser: Browser
    contexts: list[BrowserContext] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.served.port}"

    def add_user(self, name: str, role: UserRole = UserRole.USER, **more: Any) -> int:
        """A user with PASSWORD, made at the first call."""
        store = self.served.box.settings
        known = {user.name: user_id for user_id, user in store.items(User).items()}
        user_id = known.get(name) or secrets.add_user(store, name, PASSWORD, role=role)
        if more:
            store.update(User, user_id, more)
        return user_id

    def window(
        self,
        *,
        phone: bool = False,
        viewport: ViewportSize | None = None,
        language: str = "en",
        theme: str = "light",
        **more: Any,
    ) -> BrowserContext:
        """A browser of its own (cookies, storage)."""
        context = window(
            self.browser,
            base_url=self.url,
            viewport=viewport or (PHONE if phone else DESKTOP),
            has_touch=phone,
            locale=LOCALES[language],
            color_scheme=theme,
            **more,
        )
        self.contexts.append(context)
        return context

    def page(self, name: str = OWNER, **more: Any) -> Page:
        """A page of a new window, signed in as ``name`` (nobody when empty)."""
        context = self.window(**more)
        if name:
            user_id = self.add_user(name, UserRole.ADMIN if name == OWNER else UserRole.USER)
            token = self.served.server.context.sessions.begin(user_id, self.served.box.clock(), 3600)
            context.add_cookies([{"name": "faxbox", "value": token, "url": self.url}])
        return context.new_page()

    def close_windows(self) -> None:
        for context in self.contexts:
            context.close()
        self.contexts.clear()


@contextlib.contextmanager
def web(data: Path, browser: Browser) -> Iterator[Web]:
    """A new box, to whose pages browsers report what was forbidden there."""
    with serving(data, doors={"": complaints.reported}) as served:
        made = Web(served, browser)
        try:
            yield made
        finally:
            for context in made.contexts:
                context.close()
