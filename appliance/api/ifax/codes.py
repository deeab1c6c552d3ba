"""The box's causes in the iFax style's terms: response statuses, fax codes, call results.

Three vocabularies.  A *response status* is the result of a request, a *fax code* (-30xx) names an error in a
request or its document, and a fax that failed on the line has the name and number of the call's end in
Q.850 (table 1), spelled as in common telephone switches.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from http import HTTPStatus

from appliance import causes
from appliance.api.causes import (
    METHOD_NOT_ALLOWED,
    NOT_FOUND,
    NOT_SIGNED_IN,
    REQUEST_TOO_LARGE,
    SIGN_IN_REFUSED,
    TOO_MANY_REQUESTS,
)
from appliance.api.problems import ProblemError, status_of
from appliance.causes import Cause, Side
from appliance.dispatch.causes import DAILY_LIMIT, NO_LINE, NOT_RECEIVING, NUMBER_QUARANTINED, SENDER_DISABLED
from appliance.documents.causes import (
    DOCUMENT_DAMAGED,
    DOCUMENT_EMPTY,
    DOCUMENT_ENCRYPTED,
    DOCUMENT_GONE,
    DOCUMENT_MEMORY,
    DOCUMENT_MISLABELLED,
    DOCUMENT_PAGES_MISSING,
    DOCUMENT_TIMED_OUT,
    DOCUMENT_TOO_LARGE,
    DOCUMENT_TOO_MANY_PAGES,
    DOCUMENT_UNSUPPORTED,
    DOCUMENT_WORKER_DIED,
    DOCUMENT_WORKER_KILLED,
)
from appliance.lines.causes import (
    BUSY,
    CALL_TOO_LONG,
    LINE_FULL,
    NO_ANSWER,
    NUMBER_EMERGENCY,
    NUMBER_INVALID,
    NUMBER_NOT_ALLOWED,
    NUMBER_NOT_IN_SERVICE,
)
from appliance.lines.modem.causes import MODEM_DIAL_BLOCKED, NO_DIAL_TONE, SHARED_LINE, VOICE_ANSWERED
from appliance.lines.sip.causes import (
    SIP_DECLINED,
    SIP_FAILED,
    SIP_FORBIDDEN,
    SIP_HUNG_UP_EARLY,
    SIP_MEDIA_REFUSED,
    SIP_NO_MEDIA,
    SIP_NO_PROGRESS,
    SIP_NO_REPLY,
    SIP_OVERLOADED,
    SIP_REDIRECTED,
    SIP_REFUSED,
    SIP_T38_REFUSED,
    SIP_TIMED_OUT,
    SIP_UNAVAILABLE,
    SIP_UNREACHABLE,
    SIP_WRONG_PASSWORD,
)
from appliance.net.causes import URL_NOT_ALLOWED, URL_REFUSED_US, URL_TIMED_OUT, URL_UNREACHABLE
from appliance.services.causes import (
    NOT_PERMITTED,
    QUOTA_SPENT,
    STATE_FORBIDS,
    TOO_MANY_FILES,
    TOO_MANY_RECIPIENTS,
)
from appliance.spool.causes import EXPIRED, UNKNOWN_DELIVERY
from appliance.t30.causes import (
    CANNOT_RECEIVE,
    LAST_PAGE_UNCONFIRMED,
    NO_FAX_ANSWERED,
    NOTHING_IN_COMMON,
    PAGE_UNCONFIRMED,
    TRAINING_UNANSWERED,
)


class Status(IntEnum):
    """``status`` in an answer."""

    SUCCESS = 1
    STARTED = 0
    GENERAL_ERROR = -1
    INVALID_PARAMETERS = -2
    AUTHENTICATION_FAILED = -3
    INSUFFICIENT_BALANCE = -4
    NOT_FOUND = -5


class FaxCode(IntEnum):
    """``code`` of a fax, and of a refused request."""

    SUCCESS = 0
    INVALID_NUMBER = -3001
    NO_BALANCE = -3002
    NO_IMAGE = -3003
    EMPTY = -3004
    TOO_LARGE = -3005
    INVALID_FORMAT = -3006
    NOT_PERMITTED = -3007
    TOO_MANY_RECIPIENTS = -3008
    INVALID_KEY = -3009
    RATE_LIMIT = -3010


MESSAGES: dict[FaxCode, str] = {
    FaxCode.SUCCESS: "Success",
    FaxCode.INVALID_NUMBER: "Invalid fax number",
    FaxCode.NO_BALANCE: "Insufficient account balance",
    FaxCode.NO_IMAGE: "Image does not exist",
    FaxCode.EMPTY: "TIFF file is empty",
    FaxCode.TOO_LARGE: "File size exceeds maximum limit",
    FaxCode.INVALID_FORMAT: "Invalid file format",
    FaxCode.NOT_PERMITTED: "No permission for this action",
    FaxCode.TOO_MANY_RECIPIENTS: "Recipient limit exceeded",
    FaxCode.INVALID_KEY: "Invalid API key",
    FaxCode.RATE_LIMIT: "Rate limit exceeded",
}

_FAX_CODES: dict[str, FaxCode] = {
    cause.code: code
    for code, found in {
        FaxCode.INVALID_NUMBER: (NUMBER_INVALID,),
        FaxCode.NO_BALANCE: (QUOTA_SPENT,),
        FaxCode.NO_IMAGE: (
            DOCUMENT_GONE,
            DOCUMENT_PAGES_MISSING,
            URL_NOT_ALLOWED,
            URL_UNREACHABLE,
            URL_REFUSED_US,
            URL_TIMED_OUT,
        ),
        FaxCode.EMPTY: (DOCUMENT_EMPTY,),
        FaxCode.TOO_LARGE: (
            DOCUMENT_TOO_LARGE,
            DOCUMENT_TOO_MANY_PAGES,
            REQUEST_TOO_LARGE,
            TOO_MANY_FILES,
            DOCUMENT_MEMORY,
            DOCUMENT_WORKER_KILLED,
            DOCUMENT_TIMED_OUT,
        ),
        FaxCode.INVALID_FORMAT: (
            DOCUMENT_UNSUPPORTED,
            DOCUMENT_MISLABELLED,
            DOCUMENT_ENCRYPTED,
            DOCUMENT_DAMAGED,
            DOCUMENT_WORKER_DIED,
        ),
        FaxCode.NOT_PERMITTED: (
            NOT_PERMITTED,
            NUMBER_NOT_ALLOWED,
            NUMBER_EMERGENCY,
            NUMBER_QUARANTINED,
        ),
        FaxCode.TOO_MANY_RECIPIENTS: (TOO_MANY_RECIPIENTS,),
        FaxCode.INVALID_KEY: (NOT_SIGNED_IN, SIGN_IN_REFUSED),
        FaxCode.RATE_LIMIT: (TOO_MANY_REQUESTS,),
    }.items()
    for cause in found
}

_STATUSES: dict[str, Status] = {
    NOT_SIGNED_IN.code: Status.AUTHENTICATION_FAILED,
    SIGN_IN_REFUSED.code: Status.AUTHENTICATION_FAILED,
    QUOTA_SPENT.code: Status.INSUFFICIENT_BALANCE,
    NOT_FOUND.code: Status.NOT_FOUND,
    NOT_PERMITTED.code: Status.GENERAL_ERROR,
    STATE_FORBIDS.code: Status.GENERAL_ERROR,
    METHOD_NOT_ALLOWED.code: Status.GENERAL_ERROR,
    TOO_MANY_REQUESTS.code: Status.GENERAL_ERROR,
}

_HTTP: dict[Status, HTTPStatus] = {
    Status.GENERAL_ERROR: HTTPStatus.BAD_REQUEST,
    Status.INVALID_PARAMETERS: HTTPStatus.BAD_REQUEST,
    Status.AUTHENTICATION_FAILED: HTTPStatus.UNAUTHORIZED,
    Status.INSUFFICIENT_BALANCE: HTTPStatus.PAYMENT_REQUIRED,
    Status.NOT_FOUND: HTTPStatus.NOT_FOUND,
}
# These keep their HTTP status, which tells the client to wait, or that its method is wrong.
_KEEP_HTTP = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.METHOD_NOT_ALLOWED})


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refused request in this style's terms; ``code`` None when no fax code fits."""

    http: HTTPStatus
    status: Status
    message: str
    code: FaxCode | None


def fax_code(cause: Cause) -> FaxCode | None:
    """The fax code of a cause about a request, its number or its document; None for other causes."""
    return _FAX_CODES.get(cause.code)


def refusal_of(problem: ProblemError) -> Refusal:
    """The refusal of a request that ended with ``problem``."""
    cause = problem.cause
    http = status_of(cause)
    if http >= HTTPStatus.INTERNAL_SERVER_ERROR:
        status = Status.GENERAL_ERROR
    else:
        status = _STATUSES.get(cause.code, Status.INVALID_PARAMETERS)
        if http not in _KEEP_HTTP:
            http = _HTTP[status]
    code = fax_code(cause)
    message = MESSAGES[code] if code is not None else cause.sentence
    return Refusal(http, status, message, code)


@dataclass(frozen=True, slots=True)
class CallEnd:
    """How a call ended: a name and a number, which is 0 only for success."""

    name: str
    number: int


DELIVERED = CallEnd("NORMAL_CLEARING", 0)
CANCELLED = CallEnd("ORIGINATOR_CANCEL", 487)
# A fax that has not ended: no error so far.
UNDER_WAY = CallEnd("", 0)
_UNSPECIFIED = CallEnd("NORMAL_UNSPECIFIED", 31)
_TEMPORARY = CallEnd("NORMAL_TEMPORARY_FAILURE", 41)
_OUT_OF_ORDER = CallEnd("NETWORK_OUT_OF_ORDER", 38)
_TIMER = CallEnd("RECOVERY_ON_TIMER_EXPIRE", 102)
_INTERWORKING = CallEnd("INTERWORKING", 127)
_INCOMPATIBLE = CallEnd("INCOMPATIBLE_DESTINATION", 88)

_CALL_ENDS: dict[str, CallEnd] = {
    cause.code: end
    for end, found in {
        DELIVERED: (causes.DELIVERED, causes.RECEIVED),
        CANCELLED: (causes.CANCELLED,),
        CallEnd("USER_BUSY", 17): (BUSY,),
        CallEnd("NO_ANSWER", 19): (NO_ANSWER,),
        CallEnd("NO_USER_RESPONSE", 18): (SIP_UNAVAILABLE,),
        CallEnd("UNALLOCATED_NUMBER", 1): (NUMBER_NOT_IN_SERVICE,),
        CallEnd("CALL_REJECTED", 21): (SIP_DECLINED, NOT_RECEIVING, SHARED_LINE),
        CallEnd("NUMBER_CHANGED", 22): (SIP_REDIRECTED,),
        CallEnd("OUTGOING_CALL_BARRED", 52): (
            SIP_FORBIDDEN,
            SIP_WRONG_PASSWORD,
            DAILY_LIMIT,
            SENDER_DISABLED,
            MODEM_DIAL_BLOCKED,
        ),
        CallEnd("BEARERCAPABILITY_NOTAVAIL", 58): (SIP_MEDIA_REFUSED, SIP_T38_REFUSED),
        CallEnd("SWITCH_CONGESTION", 42): (SIP_OVERLOADED,),
        CallEnd("NORMAL_CIRCUIT_CONGESTION", 34): (LINE_FULL,),
        _OUT_OF_ORDER: (
            NO_LINE,
            NO_DIAL_TONE,
            SIP_UNREACHABLE,
            SIP_FAILED,
            SIP_REFUSED,
        ),
        _TIMER: (
            EXPIRED,
            CALL_TOO_LONG,
            SIP_NO_REPLY,
            SIP_NO_PROGRESS,
            SIP_TIMED_OUT,
            UNKNOWN_DELIVERY,
            LAST_PAGE_UNCONFIRMED,
            PAGE_UNCONFIRMED,
            TRAINING_UNANSWERED,
        ),
        _INCOMPATIBLE: (
            NO_FAX_ANSWERED,
            VOICE_ANSWERED,
            CANNOT_RECEIVE,
            NOTHING_IN_COMMON,
            SIP_NO_MEDIA,
            SIP_HUNG_UP_EARLY,
        ),
    }.items()
    for cause in found
}
_BY_SIDE: dict[Side, CallEnd] = {
    Side.NONE: _UNSPECIFIED,
    Side.OURS: _TEMPORARY,
    Side.THEIRS: _UNSPECIFIED,
    Side.LINE: _INTERWORKING,
    Side.USER: _UNSPECIFIED,
}


def end_of(cause: Cause) -> CallEnd:
    """The end of a fax with ``cause``: its fax code if it has one, else the call's end."""
    code = fax_code(cause)
    if code is not None:
        return CallEnd(MESSAGES[code], int(code))
    return _CALL_ENDS.get(cause.code) or _BY_SIDE[cause.side]
