"""Refused requests: a row of the table of causes as a problem document (RFC 9457).

``problem_of`` maps every exception that a handler may raise, so that no door words an error itself.  The
problem's ``type`` is the address where the box explains it.
"""

from __future__ import annotations

import errno
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from appliance.api import causes
from appliance.causes import STOPPING, Cause, CauseError, by_code
from appliance.documents.errors import DocumentError
from appliance.durable import FULL_ERRNOS, DiskFullError, ReadOnlyError, TooLargeError
from appliance.language import ngettext, said
from appliance.services.causes import STATE_FORBIDS
from appliance.settings.fields import SettingError
from appliance.settings.store import UnknownItemError
from appliance.spool.causes import INDEX_DAMAGED, STORAGE_FAILED, STORAGE_FULL, STORAGE_READ_ONLY
from appliance.spool.errors import (
    IdempotencyError,
    IllegalTransitionError,
    NotFoundError,
    SpoolClosedError,
    SpoolDamagedError,
    SpoolFailedError,
)

_log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
# The address that explains a row of the table, relative to any address of the box.
TYPE_PATH = "/api/v1/causes/"
# Characters of a detail, and entries of a list of errors, which may repeat what the client sent.
DETAIL_LIMIT = 500
ERRORS_LIMIT = 20

# The HTTP status of each cause; those not named here are 422: understood, and refused.
_STATUS = by_code(
    {
        HTTPStatus.BAD_REQUEST: "request_invalid",
        HTTPStatus.UNAUTHORIZED: (
            "not_signed_in sign_in_refused setup_code_wrong code_needed code_wrong code_too_late"
        ),
        HTTPStatus.PAYMENT_REQUIRED: "quota_spent",
        HTTPStatus.FORBIDDEN: "page_stale not_permitted",
        HTTPStatus.NOT_FOUND: "not_found no_hardware_report",
        HTTPStatus.METHOD_NOT_ALLOWED: "method_not_allowed",
        HTTPStatus.REQUEST_TIMEOUT: "request_incomplete",
        HTTPStatus.CONFLICT: (
            "state_forbids contacts_changed preview_changed not_an_image still_needed too_many_notes "
            "practice_refused update_under_way disk_not_lockable disk_lock_under_way hardware_test_under_way "
            "hardware_test_asks_nothing"
        ),
        HTTPStatus.GONE: "document_gone",
        HTTPStatus.PRECONDITION_FAILED: "condition_not_met",
        HTTPStatus.LENGTH_REQUIRED: "request_length_missing",
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "request_too_large contacts_too_many document_too_large",
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "media_type_unsupported document_unsupported document_mislabelled",
        HTTPStatus.TOO_MANY_REQUESTS: "too_many_requests sign_in_paused",
        HTTPStatus.INTERNAL_SERVER_ERROR: "request_fault",
        HTTPStatus.SERVICE_UNAVAILABLE: "too_busy disk_locked stopping index_damaged",
        HTTPStatus.INSUFFICIENT_STORAGE: "storage_full storage_read_only storage_failed",
    }
)


def status_of(cause: Cause) -> HTTPStatus:
    """The HTTP status of a request refused with this cause."""
    return _STATUS.get(cause.code, HTTPStatus.UNPROCESSABLE_ENTITY)


@dataclass(frozen=True, slots=True)
class Flaw:
    """One error in a request: its place (``to[0].number``), and what is wrong."""

    path: str
    problem: str


@dataclass(eq=False)
class ProblemError(Exception):
    """Ends a request with a row of the table of causes.  ``retry_after``: seconds, for its header."""

    cause: Cause
    detail: str = ""
    flaws: Sequence[Flaw] = ()
    retry_after: float | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.cause.code}: {self.detail}" if self.detail else self.cause.code

    @property
    def status(self) -> HTTPStatus:
        """The status of HTTP for its cause."""
        return status_of(self.cause)

    def all_headers(self) -> dict[str, str]:
        """The answer's headers, without Content-Type."""
        headers = dict(self.headers)
        if self.retry_after is not None:
            headers["Retry-After"] = str(max(1, round(self.retry_after + 0.5)))
        if self.status is HTTPStatus.UNAUTHORIZED:
            headers.setdefault("WWW-Authenticate", 'Bearer realm="faxbox"')
        return headers

    def document(self) -> dict[str, Any]:
        """The members of the problem document, in the current reader's language."""
        document: dict[str, Any] = {
            "type": TYPE_PATH + self.cause.code,
            "title": said(self.cause.sentence),
            "status": int(self.status),
            "code": self.cause.code,
            "advice": said(self.cause.advice),
        }
        if self.detail:
            document["detail"] = self.detail[:DETAIL_LIMIT]
        if self.flaws:
            document["errors"] = [
                {"path": flaw.path[:DETAIL_LIMIT], "problem": flaw.problem[:DETAIL_LIMIT]}
                for flaw in self.flaws[:ERRORS_LIMIT]
            ]
        return document

    def body(self) -> bytes:
        """The problem document as JSON."""
        return json.dumps(self.document()).encode()


def most_entries(most: int) -> str:
    """How many there may be, for people."""
    sentence = ngettext("at most {number} entry is allowed", "at most {number} entries are allowed", most)
    return sentence.format(number=most)


def too_many(cause: Cause, path: str, most: int) -> ProblemError:
    """Ends a request that has more than ``most`` at ``path``."""
    return ProblemError(cause, f"at most {most}", [Flaw(path, most_entries(most))])


def problem_of(error: Exception) -> ProblemError:
    """The problem that tells the client of ``error``; bugs are logged and described only vaguely."""
    match error:
        case ProblemError():
            return error
        case CauseError() | DocumentError():
            return ProblemError(error.cause, error.detail)
        case NotFoundError() | UnknownItemError():
            return ProblemError(causes.NOT_FOUND, str(error.args[0]) if error.args else "")
        case IllegalTransitionError():
            return ProblemError(STATE_FORBIDS, str(error))
        case IdempotencyError():
            return ProblemError(causes.IDEMPOTENCY_KEY_REUSED)
        case SpoolDamagedError():
            return ProblemError(INDEX_DAMAGED)
        case ReadOnlyError():
            return ProblemError(STORAGE_READ_ONLY)
        case DiskFullError():
            return ProblemError(STORAGE_FULL)
        case OSError(errno=errno.EROFS):
            return ProblemError(STORAGE_READ_ONLY)
        case OSError(errno=number) if number in FULL_ERRNOS:
            return ProblemError(STORAGE_FULL)
        case OSError(errno=errno.EIO) | SpoolFailedError():
            _log.error("a request failed: %s", error)
            return ProblemError(STORAGE_FAILED)
        case TooLargeError():
            return ProblemError(causes.REQUEST_TOO_LARGE, str(error))
        case SpoolClosedError():
            return ProblemError(STOPPING, retry_after=10)
        case SettingError():
            return ProblemError(causes.SETTING_INVALID, str(error), (Flaw(error.path, error.problem),))
    _log.error("a request failed", exc_info=error)
    return ProblemError(causes.REQUEST_FAULT)


def problem_at(error: Exception, path: str) -> ProblemError:
    """``problem_of`` an error caused by one field of the request, which it names."""
    problem = problem_of(error)
    problem.flaws = (Flaw(path, said(problem.cause.sentence)),)
    return problem
