"""The user's own account: password, language, authenticator app, sessions."""

from __future__ import annotations

import re

from markupsafe import Markup

from appliance.api.signing_in import new_app_secret
from appliance.settings.secrets import PASSWORD_MAX, PASSWORD_MIN
from webui.visit import Page, Response, Visit, go

_BROWSERS = ("Edg", "OPR", "Firefox", "Chrome", "Safari", "curl")
_NAMES = {"Edg": "Edge", "OPR": "Opera"}
_SYSTEMS = ("Android", "iPhone", "iPad", "Windows", "Mac OS X", "Linux")


def device(agent: str) -> str:
    """Browser and system in two words, from a User-Agent header."""
    browser = next((_NAMES.get(name, name) for name in _BROWSERS if re.search(rf"\b{name}/", agent)), "")
    system = next((name for name in _SYSTEMS if name in agent), "")
    return ", ".join(part for part in (browser, system.replace("Mac OS X", "Mac")) if part) or agent[:60]


def show(visit: Visit) -> Response:
    """The page of the user's own account."""
    user_id = visit.who.user_id
    assert user_id is not None
    sessions = visit.context.sessions.of_user(user_id, visit.context.now())
    return visit.page(
        "account.html",
        user=visit.user,
        least=PASSWORD_MIN,
        most=PASSWORD_MAX,
        sessions=[(session, device(session.agent)) for session in sessions],
    )


def show_app(visit: Visit) -> Response:
    """The QR code of a new secret for the app."""
    user = visit.user
    if user is None or user.totp_secret:
        return go("/account")
    import segno  # noqa: PLC0415 (and with it XML: for who shows a code)

    secret, address = new_app_secret(user)
    code = segno.make(address, micro=False)
    picture = code.svg_inline(scale=5, border=2, svgclass="code-picture")
    return visit.page("account_app.html", secret=secret, picture=Markup(picture))


PAGES = (
    Page("/account", show),
    Page("/account/app", show_app),
)
