"""The error check of all browser tests detects errors."""

from __future__ import annotations

import pytest

from tests.web import complaints
from tests.web.browser import Web
from tests.web.complaints import heard_of

pytestmark = pytest.mark.realtime

# Each as a stranger's text would, if it were ever taken for a part of the page.
FORBIDDEN = {
    "a script in the page": (
        "script-src",
        "let a = document.createElement('script'); a.text = 'window.bad = 1'; document.body.append(a)",
    ),
    "a picture from another host": ("img-src", "new Image().src = 'http://127.0.0.2:9/x.png'"),
    "a style in the page": ("style-src", "document.body.setAttribute('style', 'color: red')"),
    "a frame": (
        "frame-src",
        "const made = document.createElement('iframe'); made.src = '/about'; document.body.append(made)",
    ),
    "news to another host": ("connect-src", "fetch('http://127.0.0.2:9/').catch(() => null)"),
}


def test_whatever_the_rules_of_a_page_forbid_is_heard_from_its_window_and_from_its_browser(box: Web) -> None:
    page = box.page("")
    page.goto("/sign-in")
    for directive, script in FORBIDDEN.values():
        page.evaluate(script)
        heard_of(page, directive, "Content Security Policy")
    assert page.evaluate("window.bad") is None
    box.close_windows()
    complaints.heard()


def test_an_error_of_a_script_is_heard(box: Web) -> None:
    page = box.page("")
    page.goto("/sign-in")
    page.evaluate("setTimeout(() => { throw new Error('a slip of ours'); })")
    heard_of(page, "a slip of ours")
