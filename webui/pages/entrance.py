"""Signing in, the first start, signing out."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

from appliance.api.causes import CODE_TOO_LATE, COOKIE_MISSING
from appliance.api.context import session_cookie
from appliance.api.problems import ProblemError, problem_of
from appliance.api.signing_in import HalfWay, SignedIn, begin_session, check_code, check_password, set_up
from appliance.language import said
from appliance.settings.accounts import User
from appliance.settings.fields import SettingError
from appliance.settings.secrets import PASSWORD_MAX, PASSWORD_MIN
from webui.visit import Page, Response, Visit, go

FIRST_PAGE = "/"
# Where the forms are that begin a session.
_BEGINNINGS = ("/sign-in", "/sign-in/code", "/first-start")
_TEXT_LIMIT = 1000

_half_way = HalfWay()


def _own_path(path: str) -> str:
    """``path`` if it is a page of ours, else the first page: no redirects to other sites."""
    ours = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if ours else FIRST_PAGE


def _signed_in(visit: Visit, session: SignedIn, path: str) -> Response:
    """The answer with the new session; ends the one that this browser had, of which it knows no more."""
    before = visit.caller
    if before is not None and before.user_id is not None:
        visit.context.sessions.end(before.user_id, before.session_id)
    return go(path, cookie=(session.token, int(session.ends_at - visit.context.now())))


def show_sign_in(visit: Visit) -> Response:
    """The page to sign in; leads to the first start while there is no user."""
    if not visit.box.settings.items(User):
        return go("/first-start")
    to = _own_path(visit.query.get("to", FIRST_PAGE))
    if visit.caller is not None:
        return go(to)
    problem = ProblemError(COOKIE_MISSING) if _has_just_signed_in(visit) else None
    return visit.page("sign_in.html", to=to, name="", problem=problem)


def _has_just_signed_in(visit: Visit) -> bool:
    """Whether a form that begins a session led here: browsers keep its address as Referer over redirects."""
    came_from = urlsplit(str(visit.environ.get("HTTP_REFERER", "")))
    return came_from.netloc == visit.environ.get("HTTP_HOST") and came_from.path in _BEGINNINGS


def do_sign_in(visit: Visit) -> Response:
    """Checks name and password: signs in, or asks for a code, or says what was wrong."""
    form = visit.form()
    name, to = form.get("name", "")[:_TEXT_LIMIT], _own_path(form.get("to", FIRST_PAGE))
    try:
        password = form.get("password", "")[:_TEXT_LIMIT]
        user_id, user = check_password(visit.context, visit.environ, name, password)
    except ProblemError as problem:
        return visit.page("sign_in.html", status=int(problem.status), to=to, name=name, problem=problem)
    if user.totp_secret:
        word = _half_way.begin(user_id, user, time.monotonic())
        return visit.page("sign_in_code.html", to=to, word=word, problem=None)
    return _signed_in(visit, begin_session(visit.context, visit.environ, user_id), to)


def do_code(visit: Visit) -> Response:
    """Checks the code of an authenticator app, and signs in."""
    form = visit.form()
    word, to = form.get("word", ""), _own_path(form.get("to", FIRST_PAGE))
    user_id = _half_way.user_of(word, visit.box.settings.items(User), time.monotonic())
    if user_id is None:
        problem = ProblemError(CODE_TOO_LATE)
        return visit.page("sign_in.html", status=int(problem.status), to=to, name="", problem=problem)
    try:
        check_code(visit.context, visit.environ, user_id, form.get("code", "")[:_TEXT_LIMIT])
    except ProblemError as problem:
        return visit.page("sign_in_code.html", status=int(problem.status), to=to, word=word, problem=problem)
    _half_way.done(word)
    return _signed_in(visit, begin_session(visit.context, visit.environ, user_id), to)


def show_first_start(visit: Visit) -> Response:
    """The page that makes the first account."""
    if visit.box.settings.items(User):
        return go(FIRST_PAGE)
    return _first_start(visit, {}, None)


def _first_start(visit: Visit, form: dict[str, str], problem: ProblemError | None) -> Response:
    fault = problem.flaws[0].path.rpartition(".")[2] if problem is not None and problem.flaws else ""
    return visit.page(
        "first_start.html",
        status=int(problem.status) if problem is not None else 200,
        code=form.get("code", "")[:40],
        name=form.get("name", "")[:64],
        problem=problem,
        fault=fault,
        least=PASSWORD_MIN,
        most=PASSWORD_MAX,
    )


def do_first_start(visit: Visit) -> Response:
    """Makes the first account with the setup code, and signs it in."""
    form = visit.form()
    try:
        if form.get("password", "") != form.get("again", ""):
            raise SettingError("users.again", said("the two are not the same"))
        session = set_up(
            visit.context,
            visit.environ,
            form.get("code", "")[:_TEXT_LIMIT],
            form.get("name", "")[:_TEXT_LIMIT],
            form.get("password", "")[:_TEXT_LIMIT],
        )
    except (ProblemError, SettingError) as error:
        return _first_start(visit, form, problem_of(error))
    return _signed_in(visit, session, "/setup")


def sign_out(visit: Visit) -> Response:
    """Ends the session, if it has not ended by itself."""
    if visit.caller is not None and visit.caller.user_id is not None:
        visit.context.require_page(session_cookie(visit.environ), visit.form().get("page_token", ""))
        visit.context.sessions.end(visit.caller.user_id, visit.caller.session_id)
    return go("/sign-in", cookie=("", 0))


PAGES = (
    Page("/sign-in", show_sign_in, open=True),
    Page("/sign-in", do_sign_in, method="POST", open=True),
    Page("/sign-in/code", do_code, method="POST", open=True),
    Page("/first-start", show_first_start, open=True),
    Page("/first-start", do_first_start, method="POST", open=True),
    Page("/sign-out", sign_out, method="POST", open=True),
)
