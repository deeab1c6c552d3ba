"""The WSGI application: passes each request to its door by the beginning of its path.

``make_application`` lists all doors (``appliance/api/door.py``).  A path that belongs to no door, and errors
outside of a handler, are answered with a problem document.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from appliance import language
from appliance.api.causes import NOT_FOUND
from appliance.api.context import Context
from appliance.api.door import StartResponse, WsgiApplication
from appliance.api.ictfax.door import IctfaxDoor
from appliance.api.ifax.door import IfaxDoor
from appliance.api.ipp.door import IppDoor
from appliance.api.problems import MEDIA_TYPE, ProblemError
from appliance.api.rest.door import make_rest
from appliance.api.rest.routes import PREFIX

MakeDoor = Callable[[Context], WsgiApplication]

# Headers of every answer: no type guessing, no frames, no caching.
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class Application:
    """The doors by their prefixes; the longest matching prefix takes the request."""

    def __init__(self, doors: Mapping[str, WsgiApplication]) -> None:
        self._doors = sorted(doors.items(), key=lambda item: -len(item[0]))

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO") or "/"
        language.speak(language.choose(str(environ.get("HTTP_ACCEPT_LANGUAGE", ""))))
        for prefix, door in self._doors:
            if path == prefix or path.startswith(prefix + "/"):
                environ["SCRIPT_NAME"] = prefix
                environ["PATH_INFO"] = path[len(prefix) :] or "/"
                return door(environ, _with_headers(start_response))
        return answer_problem(ProblemError(NOT_FOUND), environ, _with_headers(start_response))


def answer_problem(
    problem: ProblemError, environ: dict[str, Any], start_response: StartResponse
) -> Iterable[bytes]:
    """A problem document as a complete WSGI answer."""
    body = problem.body()
    headers = {"Content-Type": MEDIA_TYPE, "Content-Length": str(len(body)), **problem.all_headers()}
    start_response(f"{int(problem.status)} {problem.status.phrase}", list(headers.items()))
    return [] if environ.get("REQUEST_METHOD") == "HEAD" else [body]


def _with_headers(start_response: StartResponse) -> StartResponse:
    def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        present = {name.lower() for name, _ in headers}
        more = [(name, value) for name, value in HEADERS.items() if name.lower() not in present]
        return start_response(status, headers + more, exc_info)

    return start


def make_application(context: Context, more: Mapping[str, MakeDoor] | None = None) -> Application:
    """All doors of the box, and ``more`` by their prefixes; an empty prefix takes all other paths."""
    doors: dict[str, MakeDoor] = {
        PREFIX: make_rest,
        "/v1": IfaxDoor,
        "/ipp": IppDoor,
        "/ictfax/api": IctfaxDoor,
        "/api": IctfaxDoor,  # that system's own base path, for clients whose path cannot be changed
        **(more or {}),
    }
    return Application({prefix: make(context) for prefix, make in doors.items()})
