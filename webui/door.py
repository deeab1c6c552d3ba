"""Passes a request to its page, within the limits of every door."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlsplit

import bottle

from appliance import language
from appliance.api import request
from appliance.api.auth import Caller
from appliance.api.causes import NOT_SIGNED_IN, PAGE_STALE
from appliance.api.context import COOKIE, LOOK_AGAIN_S, SAFE, Context, session_cookie
from appliance.api.door import Door, WsgiApplication, problem_behind
from appliance.api.problems import ProblemError, problem_of
from appliance.services.causes import NOT_PERMITTED
from appliance.settings.accounts import User
from webui.files import FILES
from webui.pages import ALL
from webui.visit import Page, Response, Visit, go

# Only what the box itself serves, no inline script or style, no frames.
CONTENT_SECURITY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "worker-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY,
    "X-Frame-Options": "DENY",
    # With no-referrer, browsers would send "Origin: null" with our own forms, too.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
}
# For addresses with a digest of the content, which never changes.
_FOR_GOOD = "public, max-age=31536000, immutable"


class PageDoor(Door):
    """The bottle application; its own errors are shown as a page."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context

    def default_error_handler(self, error: Any) -> bytes:
        """The page for a request that failed (Bottle's hook)."""
        visit = Visit(self._context, bottle.request.environ, _caller(self._context, bottle.request.environ))
        return write(error, _problem_page(visit, problem_behind(error)))


def make_webui(context: Context) -> WsgiApplication:
    """The web pages as a WSGI application."""
    door = PageDoor(context)
    door.route("/static/<version>/<name>", "GET", _file)
    for page in ALL:
        door.route(page.path, page.method, _runner(context, page))
    made: WsgiApplication = door
    return made


def _runner(context: Context, page: Page) -> Callable[..., bytes]:
    def run(**arguments: str) -> bytes:
        environ = bottle.request.environ
        caller = _caller(context, environ)
        visit = Visit(context, environ, caller, arguments)
        _speak_to(visit)
        try:
            answer = _answer(visit, page)
        except Exception as error:
            answer = _refused(visit, problem_of(error))
        return write(bottle.response, answer)

    return run


def _answer(visit: Visit, page: Page) -> Response:
    if page.method == "POST":
        require_own_site(visit.environ)
    if page.open:
        return page.show(visit)
    if visit.caller is None:
        raise ProblemError(NOT_SIGNED_IN)
    limiter, settings, began = visit.context.limiter, visit.context.settings, time.monotonic()
    with limiter.request(visit.caller.who, settings, began):
        if page.scopes and not visit.may(*page.scopes):
            raise ProblemError(NOT_PERMITTED)
        answer = page.show(visit)
    long = page.method in SAFE and time.monotonic() - began >= LOOK_AGAIN_S
    if long and not visit.context.still(session_cookie(visit.environ), visit.caller):
        raise ProblemError(NOT_SIGNED_IN)
    return answer


def _caller(context: Context, environ: request.Environ) -> Caller | None:
    """The signed-in user, None without; pages are for people, so only the cookie counts."""
    try:
        found = context.caller({**environ, "REQUEST_METHOD": "GET"}, session_cookie(environ))
    except ProblemError:
        return None
    return found if found.session_id else None


def _speak_to(visit: Visit) -> None:
    """Sets the language: the reader's choice, else the browser's."""
    chosen = visit.user.language if visit.user is not None else ""
    if chosen:
        language.speak(language.choose("", chosen))


def require_own_site(environ: request.Environ) -> None:
    """Checks that a form that begins a session was sent from a page of ours.  Raises ProblemError.

    Browsers tell where a form was (Sec-Fetch-Site, Origin); a client that tells nothing is no browser, so
    it sends no one's cookies.
    """
    if environ.get("HTTP_SEC_FETCH_SITE", "same-origin") not in ("same-origin", "none"):
        raise ProblemError(PAGE_STALE)
    origin = str(environ.get("HTTP_ORIGIN", ""))
    if origin and urlsplit(origin).netloc != environ.get("HTTP_HOST"):
        raise ProblemError(PAGE_STALE)


def _refused(visit: Visit, problem: ProblemError) -> Response:
    if problem.cause is NOT_SIGNED_IN and visit.environ.get("REQUEST_METHOD") == "GET":
        if not visit.box.settings.items(User):
            return go("/first-start")
        query = visit.environ.get("QUERY_STRING", "")
        return go("/sign-in?to=" + quote(visit.path + (f"?{query}" if query else ""), safe=""))
    return _problem_page(visit, problem)


def _problem_page(visit: Visit, problem: ProblemError) -> Response:
    return visit.page("problem.html", status=int(problem.status), problem=problem)


def write(response: Any, answer: Response) -> bytes:
    """Sets ``response`` to ``answer`` and returns its content."""
    response.status = answer.status
    response.content_type = answer.media_type
    for name, value in {**HEADERS, **answer.headers}.items():
        response.set_header(name, value)
    response.set_header("Content-Language", language.spoken())
    if answer.cookie is not None:
        token, seconds = answer.cookie
        secure = bottle.request.environ.get("wsgi.url_scheme") == "https"
        response.set_cookie(
            COOKIE, token, path="/", httponly=True, samesite="lax", secure=secure, max_age=seconds
        )
    return answer.content


def _file(version: str, name: str) -> bytes:
    file = FILES.get(name)
    response = bottle.response
    if file is None:
        raise bottle.HTTPError(404)
    response.content_type = file.media_type
    response.set_header("Vary", "Accept-Encoding")
    response.set_header("Content-Security-Policy", CONTENT_SECURITY)
    # An address of an earlier version, before an update: the new content is not cached under it.
    response.set_header("Cache-Control", _FOR_GOOD if FILES.prefix.endswith(version) else "no-store")
    if "gzip" in bottle.request.environ.get("HTTP_ACCEPT_ENCODING", ""):
        response.set_header("Content-Encoding", "gzip")
        return file.packed
    return file.content
