"""The WSGI application: leads each request to its door by the beginning of its path.

A door is a bottle application; ``DOORS`` names them all.  What no door takes, and what goes wrong
outside of a handler, is answered with a problem document.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import bottle

from appliance.api.context import Context
from appliance.api.problems import MEDIA_TYPE, ProblemError, problem_of
from appliance.causes import METHOD_NOT_ALLOWED, NOT_FOUND, REQUEST_FAULT, REQUEST_INVALID

StartResponse = Callable[..., Any]
WsgiApplication = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]
MakeDoor = Callable[[Context], WsgiApplication]

# Of every answer: nothing here is to be guessed, framed or kept by a cache.
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class Door(bottle.Bottle):  # type: ignore[misc]
    """A bottle application whose own errors (no such address, wrong method) are problem documents."""

    def __init__(self) -> None:
        super().__init__()
        self.config["json.enable"] = False

    def default_error_handler(self, error: Any) -> bytes:
        if error.status_code == 404:
            problem = ProblemError(NOT_FOUND)
        elif error.status_code == 405:
            problem = ProblemError(METHOD_NOT_ALLOWED)
        elif error.status_code < 500:
            problem = ProblemError(REQUEST_INVALID)
        else:
            problem = problem_of(error.exception) if error.exception else ProblemError(REQUEST_FAULT)
        return self.say(problem, error)

    @staticmethod
    def say(problem: ProblemError, response: Any) -> bytes:
        """Makes ``response`` the problem's and returns its body."""
        response.status = int(problem.status)
        response.content_type = MEDIA_TYPE
        for name, value in problem.all_headers().items():
            response.set_header(name, value)
        return problem.body()


class Application:
    """The doors by their prefixes; the longest that fits takes the request."""

    def __init__(self, doors: Mapping[str, WsgiApplication]) -> None:
        self._doors = sorted(doors.items(), key=lambda item: -len(item[0]))

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO") or "/"
        for prefix, door in self._doors:
            if path == prefix or path.startswith(prefix + "/"):
                environ["SCRIPT_NAME"] = prefix
                environ["PATH_INFO"] = path[len(prefix) :] or "/"
                return door(environ, _with_headers(start_response))
        return answer_problem(ProblemError(NOT_FOUND), environ, _with_headers(start_response))


def answer_problem(
    problem: ProblemError, environ: dict[str, Any], start_response: StartResponse
) -> Iterable[bytes]:
    """A problem document as a whole WSGI answer."""
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


def make_application(context: Context) -> Application:
    """All doors of the box."""
    from appliance.api.ictfax.door import make_ictfax  # noqa: PLC0415 (doors import this module)
    from appliance.api.ifax.door import make_ifax  # noqa: PLC0415
    from appliance.api.rest import make_rest  # noqa: PLC0415

    doors: dict[str, MakeDoor] = {
        "/api/v1": make_rest,
        "/v1": make_ifax,
        "/ictfax/api": make_ictfax,
        "/api": make_ictfax,  # that system's own base path, for clients that cannot be told another
    }
    return Application({prefix: make(context) for prefix, make in doors.items()})
