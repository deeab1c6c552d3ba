"""The page of a box whose disk waits for its passphrase or its USB stick, before the box can start."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import bottle

from appliance import language
from appliance.api.causes import DISK_LOCKED, NOT_FOUND
from appliance.api.door import Door, WsgiApplication, problem_behind
from appliance.api.problems import ProblemError
from appliance.api.request import read_form
from appliance.disk_lock.lock_file import OpenedBy, WrongKeyError
from appliance.passphrases import PASSPHRASE_MAX
from webui import drawing
from webui.door import require_own_site, write
from webui.files import FILES
from webui.visit import Response, go

# Time after a wrong passphrase until the next one is tried, seconds.
WRONG_S = 1.0


class LockedDoor(Door):
    """Pages; requests to the interfaces are answered with one problem document."""

    def default_error_handler(self, error: Any) -> bytes:
        """The page for a request that failed, or for an address that is unknown while the disk is locked."""
        unknown = error.status_code in (404, 405)
        problem = ProblemError(DISK_LOCKED) if unknown else problem_behind(error)
        return self.say(problem, bottle.response)  # bottle has used the error's own status already


def make_locked(
    opened_by: OpenedBy, open_with: Callable[[bytes], None], secure: int | None
) -> WsgiApplication:
    """The locked page as a WSGI application.

    ``open_with``: takes the passphrase, raises WrongKeyError.  ``secure``: the port with TLS, None
    without.
    """
    door = LockedDoor()
    turn = threading.Lock()

    def show() -> bytes:
        language.speak(language.choose(bottle.request.get_header("Accept-Language", "")))
        return _page(opened_by, secure)

    def try_it() -> bytes:
        language.speak(language.choose(bottle.request.get_header("Accept-Language", "")))
        try:
            require_own_site(bottle.request.environ)
            given = read_form(bottle.request.environ).get("passphrase", [""])[-1][:PASSPHRASE_MAX]
        except ProblemError as problem:
            return door.say(problem, bottle.response)
        with turn:
            try:
                open_with(given.encode())
            except WrongKeyError:
                time.sleep(WRONG_S)
                return _page(opened_by, secure, wrong=True)
        return write(bottle.response, go("/"))

    def file(version: str, name: str) -> bytes:
        found = FILES.get(name)
        if found is None or not FILES.prefix.endswith(version):
            return door.say(ProblemError(NOT_FOUND), bottle.response)
        return write(bottle.response, Response(found.content, media_type=found.media_type))

    def health() -> bytes:
        problem = ProblemError(DISK_LOCKED)
        said = {"status": "locked", "accepting": False, "problem": problem.document()}
        return write(bottle.response, Response(json.dumps(said).encode(), 503, "application/json"))

    door.route("/", "GET", show)
    door.route("/", "POST", try_it)
    door.route("/static/<version>/<name>", "GET", file)
    door.route("/api/v1/health", "GET", health)
    door.route("/<path:path>", "GET", lambda path: write(bottle.response, go("/")))
    made: WsgiApplication = door
    return made


def _page(opened_by: OpenedBy, secure: int | None, *, wrong: bool = False) -> bytes:
    encrypted = bottle.request.urlparts.scheme == "https"
    host = bottle.request.urlparts.hostname or ""
    content = drawing.draw_without_box(
        "locked.html",
        {
            "by_stick": opened_by is OpenedBy.STICK,
            "wrong": wrong,
            "secure": "" if encrypted or secure is None else f"https://{host}:{secure}/",
            "most": PASSPHRASE_MAX,
        },
    )
    return write(bottle.response, Response(content.encode(), 401 if wrong else 200))
