"""Base of doors: the bottle application behind one prefix of the address space."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import bottle

from appliance.api.causes import METHOD_NOT_ALLOWED, NOT_FOUND, REQUEST_FAULT, REQUEST_INVALID
from appliance.api.problems import MEDIA_TYPE, ProblemError, problem_of

StartResponse = Callable[..., Any]
WsgiApplication = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


class Door(bottle.Bottle):  # type: ignore[misc]
    """A bottle application whose own errors (unknown path, wrong method) become problem documents."""

    def __init__(self) -> None:
        super().__init__()
        self.config["json.enable"] = False

    def default_error_handler(self, error: Any) -> bytes:
        """The body of an answer to a request that failed (Bottle's hook)."""
        return self.say(problem_behind(error), error)

    @staticmethod
    def say(problem: ProblemError, response: Any) -> bytes:
        """Sets ``response``'s status and headers for ``problem`` and returns its body."""
        response.status = int(problem.status)
        response.content_type = MEDIA_TYPE
        for name, value in problem.all_headers().items():
            response.set_header(name, value)
        return problem.body()


def allow(methods: Iterable[str]) -> dict[str, str]:
    """The header that names an address's methods; where there is GET, there is HEAD, too."""
    known = set(methods)
    return {"Allow": ", ".join(sorted(known | ({"HEAD"} if "GET" in known else set())))}


def problem_behind(error: Any) -> ProblemError:
    """The problem for bottle's own error (unknown path, wrong method, an exception in a handler)."""
    if error.status_code == 404:
        return ProblemError(NOT_FOUND)
    if error.status_code == 405:
        return ProblemError(METHOD_NOT_ALLOWED, headers=allow(error.get_header("Allow").split(",")))
    if error.status_code < 500:
        return ProblemError(REQUEST_INVALID)
    return problem_of(error.exception) if error.exception else ProblemError(REQUEST_FAULT)
