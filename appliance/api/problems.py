"""Refused requests: a row of the table of causes as a problem document (RFC 9457).

``problem_of`` maps every exception that a handler may raise, so that no door words an error itself.  The
problem's ``type`` is the address where the box explains it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from appliance.api import causes
from appliance.causes import STOPPING, Cause, CauseError
from appliance.documents.causes import (
    DOCUMENT_GONE,
    DOCUMENT_MISLABELLED,
    DOCUMENT_TOO_LARGE,
    DOCUMENT_UNSUPPORTED,
)
from appliance.documents.errors import DocumentError
from appliance.durable import DiskFullError, ReadOnlyError, TooLargeError
from appliance.hardware.causes import HARDWARE_TEST_ASKS_NOTHING, HARDWARE_TEST_UNDER_WAY, NO_HARDWARE_REPORT
from appliance.language import said
from appliance.phonebook.causes import CONTACTS_CHANGED, CONTACTS_TOO_MANY
from appliance.services.causes import NOT_PERMITTED, QUOTA_SPENT, STATE_FORBIDS, TOO_BUSY
from appliance.settings.fields import SettingError
from appliance.settings.store import UnknownItemError
from appliance.spool.causes import INDEX_DAMAGED, STORAGE_FULL, STORAGE_READ_ONLY
from appliance.spool.errors import (
    IdempotencyError,
    IllegalTransitionError,
    NotFoundError,
    SpoolClosedError,
    SpoolDamagedError,
)

_log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
# The address that explains a row of the table, relative to any address of the box.
TYPE_PATH = "/api/v1/causes/"
# Characters of a detail, and entries of a list of errors, which may repeat what the client sent.
DETAIL_LIMIT = 500
ERRORS_LIMIT = 20

# The HTTP status of each cause; those not named here are 422: understood, and refused.
_STATUS: dict[str, HTTPStatus] = {
    causes.REQUEST_INVALID.code: HTTPStatus.BAD_REQUEST,
    causes.REQUEST_TOO_LARGE.code: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    causes.REQUEST_INCOMPLETE.code: HTTPStatus.REQUEST_TIMEOUT,
    causes.REQUEST_LENGTH_MISSING.code: HTTPStatus.LENGTH_REQUIRED,
    causes.MEDIA_TYPE_UNSUPPORTED.code: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    causes.METHOD_NOT_ALLOWED.code: HTTPStatus.METHOD_NOT_ALLOWED,
    causes.NOT_FOUND.code: HTTPStatus.NOT_FOUND,
    causes.NOT_SIGNED_IN.code: HTTPStatus.UNAUTHORIZED,
    causes.SIGN_IN_REFUSED.code: HTTPStatus.UNAUTHORIZED,
    causes.SETUP_CODE_WRONG.code: HTTPStatus.UNAUTHORIZED,
    causes.CODE_NEEDED.code: HTTPStatus.UNAUTHORIZED,
    causes.CODE_WRONG.code: HTTPStatus.UNAUTHORIZED,
    causes.PAGE_STALE.code: HTTPStatus.FORBIDDEN,
    NOT_PERMITTED.code: HTTPStatus.FORBIDDEN,
    causes.TOO_MANY_REQUESTS.code: HTTPStatus.TOO_MANY_REQUESTS,
    TOO_BUSY.code: HTTPStatus.SERVICE_UNAVAILABLE,
    STATE_FORBIDS.code: HTTPStatus.CONFLICT,
    CONTACTS_CHANGED.code: HTTPStatus.CONFLICT,
    CONTACTS_TOO_MANY.code: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    causes.NOT_AN_IMAGE.code: HTTPStatus.CONFLICT,
    causes.UPDATE_UNDER_WAY.code: HTTPStatus.CONFLICT,
    causes.DISK_NOT_LOCKABLE.code: HTTPStatus.CONFLICT,
    causes.DISK_LOCKED.code: HTTPStatus.SERVICE_UNAVAILABLE,
    causes.DISK_LOCK_UNDER_WAY.code: HTTPStatus.CONFLICT,
    HARDWARE_TEST_UNDER_WAY.code: HTTPStatus.CONFLICT,
    HARDWARE_TEST_ASKS_NOTHING.code: HTTPStatus.CONFLICT,
    NO_HARDWARE_REPORT.code: HTTPStatus.NOT_FOUND,
    STOPPING.code: HTTPStatus.SERVICE_UNAVAILABLE,
    causes.REQUEST_FAULT.code: HTTPStatus.INTERNAL_SERVER_ERROR,
    INDEX_DAMAGED.code: HTTPStatus.SERVICE_UNAVAILABLE,
    STORAGE_FULL.code: HTTPStatus.INSUFFICIENT_STORAGE,
    STORAGE_READ_ONLY.code: HTTPStatus.INSUFFICIENT_STORAGE,
    QUOTA_SPENT.code: HTTPStatus.PAYMENT_REQUIRED,
    DOCUMENT_TOO_LARGE.code: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    DOCUMENT_UNSUPPORTED.code: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    DOCUMENT_MISLABELLED.code: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    DOCUMENT_GONE.code: HTTPStatus.GONE,
}


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
        case ReadOnlyError():
            return ProblemError(STORAGE_READ_ONLY)
        case DiskFullError():
            return ProblemError(STORAGE_FULL)
        case TooLargeError():
            return ProblemError(causes.REQUEST_TOO_LARGE, str(error))
        case SpoolDamagedError():
            return ProblemError(INDEX_DAMAGED)
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
