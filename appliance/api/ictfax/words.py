"""Refusals in this style's form, and reading the fields of its requests.  Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from appliance.api.causes import REQUEST_INVALID
from appliance.api.foreign_fields import FARTHEST_S, number, refused
from appliance.api.problems import DETAIL_LIMIT, Flaw, ProblemError, status_of
from appliance.documents import causes
from appliance.services.causes import STATE_FORBIDS

# Characters of a longer text.
TEXT_LIMIT = 2000
# Characters of a number with its punctuation.
NUMBER_LIMIT = 64
# The most calls of one fax; the box's own setting allows no more.
MOST_TRIES = 50
# Entries of a list in one answer: by default, and at most.
LIST_LIMIT = 1000

_STATUS: dict[str, HTTPStatus] = {
    causes.DOCUMENT_EMPTY.code: HTTPStatus.LENGTH_REQUIRED,
    causes.DOCUMENT_UNSUPPORTED.code: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    causes.DOCUMENT_MISLABELLED.code: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    # That system answers Locked when the state of a transmission forbids the call.
    STATE_FORBIDS.code: HTTPStatus.LOCKED,
    causes.DOCUMENT_GONE.code: HTTPStatus.NOT_FOUND,
}


class MissingError(ProblemError):
    """A required id is not given: 412."""

    def __init__(self, field: str) -> None:
        super().__init__(REQUEST_INVALID, f"{field} is missing", (Flaw(field, "this field is needed"),))


def http_of(problem: ProblemError) -> HTTPStatus:
    """The HTTP status of a refusal.

    A request that was understood and cannot be done is 417 here, where others use 422 or 409.
    """
    if isinstance(problem, MissingError):
        return HTTPStatus.PRECONDITION_FAILED
    found = _STATUS.get(problem.cause.code) or status_of(problem.cause)
    if found in (HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.CONFLICT):
        return HTTPStatus.EXPECTATION_FAILED
    return found


def error_document(problem: ProblemError) -> dict[str, Any]:
    """The body of a refusal."""
    detail = problem.detail[:DETAIL_LIMIT]
    message = f"{problem.cause.sentence} ({detail})" if detail else problem.cause.sentence
    return {
        "error": {
            "code": int(http_of(problem)),
            "message": message,
            "reason": problem.cause.code,
            "advice": problem.cause.advice,
        }
    }


def needed_id(fields: Mapping[str, Any], name: str) -> int:
    """A required id.  Raises MissingError; 0 means none in that system's forms."""
    found = number(fields, name)
    if not found:
        raise MissingError(name)
    return found


def read_time(fields: Mapping[str, Any], now: float) -> float:
    """The time a transmission is scheduled for, Unix time: ``delay`` in seconds, or ``timestamp``.

    Raises MissingError, ProblemError.
    """
    for name, start in (("delay", now), ("timestamp", 0.0)):
        value = fields.get(name)
        if value is None or value == "":
            continue
        try:
            seconds = float(value) if not isinstance(value, bool) else math.nan
        except (TypeError, ValueError, OverflowError):
            seconds = math.nan
        if not math.isfinite(seconds) or seconds < 0 or start + seconds > now + FARTHEST_S:
            raise refused(REQUEST_INVALID, name, "seconds are needed, at most a hundred years ahead")
        return max(now, start + seconds)
    raise MissingError("delay or timestamp")
