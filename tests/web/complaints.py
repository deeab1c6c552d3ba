"""Errors that browsers reported: violations of the pages' CSP, errors of scripts and of the console.

Each window of each test is listened to.  The browser's own reports (``report-uri``) come besides: they tell
of workers, too, which no window hears.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from typing import Any

from playwright.sync_api import BrowserContext, ConsoleMessage, Page

from appliance.api.context import Context
from appliance.api.door import StartResponse, WsgiApplication
from webui.door import make_webui

REPORT_PATH = "/what-was-forbidden"
# A box that was stopped, an address that must not open: the tests that make these look at the answers.
_ANSWERS = "Failed to load resource"
_HANG_S = 240.0
_heard: list[str] = []


def heard() -> list[str]:
    """All since it was asked last."""
    found = list(_heard)
    _heard.clear()
    return found


def heard_of(page: Page, *words: str) -> None:
    """Waits for a complaint with each of these."""
    found: list[str] = []
    end = time.monotonic() + _HANG_S
    while not all(any(word in each for each in found) for word in words):
        assert time.monotonic() < end, found
        page.wait_for_timeout(20)
        found += heard()


def listen(context: BrowserContext) -> None:
    """To every page that the window will ever have."""

    def console(message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(_ANSWERS):
            _heard.append(f"{message.location.get('url', '')}: {message.text}")

    context.on("console", console)
    context.on("weberror", lambda error: _heard.append(f"{error.page and error.page.url}: {error.error}"))


def reported(context: Context) -> WsgiApplication:
    """The web pages; their browsers tell what the rules forbade."""
    pages = make_webui(context)

    def application(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == REPORT_PATH:
            report = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))["csp-report"]
            _heard.append(
                f"{report['document-uri']}: {report['effective-directive']} {report['blocked-uri']}"
            )
            start_response("204 No Content", [])
            return []

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            rules = "Content-Security-Policy"
            more = [
                (name, f"{value}; report-uri {REPORT_PATH}" if name == rules else value)
                for name, value in headers
            ]
            return start_response(status, more, exc_info)

        return pages(environ, start)

    return application
