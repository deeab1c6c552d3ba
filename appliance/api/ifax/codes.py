"""The box's causes in the iFax style's terms: response statuses, fax codes, call results.

Three vocabularies.  A *response status* is the result of a request, a *fax code* (-30xx) names an error in a
request or its document, and a fax that failed on the line has the name and number of the call's end in
Q.850 (table 1), spelled as in common telephone switches.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from http import HTTPStatus

from appliance.api.problems import ProblemError, status_of
from appliance.causes import Cause, Side, by_code


class IfaxStatus(IntEnum):
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

_FAX_CODES = by_code(
    {
        FaxCode.INVALID_NUMBER: "number_invalid",
        FaxCode.NO_BALANCE: "quota_spent",
        FaxCode.NO_IMAGE: (
            "document_gone document_pages_missing url_not_allowed url_unreachable url_refused url_timed_out"
            " url_untrusted"
        ),
        FaxCode.EMPTY: "document_empty",
        FaxCode.TOO_LARGE: (
            "document_too_large document_too_many_pages request_too_large too_many_files document_memory "
            "document_worker_killed document_timed_out"
        ),
        FaxCode.INVALID_FORMAT: (
            "document_unsupported document_mislabelled document_encrypted document_damaged "
            "document_worker_died"
        ),
        FaxCode.NOT_PERMITTED: "not_permitted number_not_allowed number_emergency number_quarantined",
        FaxCode.TOO_MANY_RECIPIENTS: "too_many_recipients",
        FaxCode.INVALID_KEY: "not_signed_in sign_in_refused",
        FaxCode.RATE_LIMIT: "too_many_requests sign_in_paused",
    }
)

_STATUSES = by_code(
    {
        IfaxStatus.AUTHENTICATION_FAILED: "not_signed_in sign_in_refused",
        IfaxStatus.INSUFFICIENT_BALANCE: "quota_spent",
        IfaxStatus.NOT_FOUND: "not_found",
        IfaxStatus.GENERAL_ERROR: (
            "not_permitted state_forbids method_not_allowed too_many_requests sign_in_paused"
        ),
    }
)

_HTTP: dict[IfaxStatus, HTTPStatus] = {
    IfaxStatus.GENERAL_ERROR: HTTPStatus.BAD_REQUEST,
    IfaxStatus.INVALID_PARAMETERS: HTTPStatus.BAD_REQUEST,
    IfaxStatus.AUTHENTICATION_FAILED: HTTPStatus.UNAUTHORIZED,
    IfaxStatus.INSUFFICIENT_BALANCE: HTTPStatus.PAYMENT_REQUIRED,
    IfaxStatus.NOT_FOUND: HTTPStatus.NOT_FOUND,
}
# These keep their HTTP status, which tells the client to wait, or that its method is wrong.
_KEEP_HTTP = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.METHOD_NOT_ALLOWED})


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refused request in this style's terms; ``code`` None when no fax code fits."""

    http: HTTPStatus
    status: IfaxStatus
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
        status = IfaxStatus.GENERAL_ERROR
    else:
        status = _STATUSES.get(cause.code, IfaxStatus.INVALID_PARAMETERS)
        if http not in _KEEP_HTTP:
            http = _HTTP[status]
    code = fax_code(cause)
    message = MESSAGES[code] if code is not None else cause.sentence
    return Refusal(http, status, message, code)


@dataclass(frozen=True, slots=True)
class EndCode:
    """How a call ended: a name and a number, which is 0 only for success."""

    name: str
    number: int


DELIVERED = EndCode("NORMAL_CLEARING", 0)
CANCELLED = EndCode("ORIGINATOR_CANCEL", 487)
# A fax that has not ended: no error so far.
UNDER_WAY = EndCode("", 0)
_UNSPECIFIED = EndCode("NORMAL_UNSPECIFIED", 31)
_TEMPORARY = EndCode("NORMAL_TEMPORARY_FAILURE", 41)
_OUT_OF_ORDER = EndCode("NETWORK_OUT_OF_ORDER", 38)
_TIMER = EndCode("RECOVERY_ON_TIMER_EXPIRE", 102)
_INTERWORKING = EndCode("INTERWORKING", 127)
_INCOMPATIBLE = EndCode("INCOMPATIBLE_DESTINATION", 88)

_CALL_ENDS = by_code(
    {
        DELIVERED: "delivered received",
        CANCELLED: "cancelled",
        EndCode("USER_BUSY", 17): "busy",
        EndCode("NO_ANSWER", 19): "no_answer",
        EndCode("NO_USER_RESPONSE", 18): "sip_unavailable",
        EndCode("UNALLOCATED_NUMBER", 1): "number_not_in_service",
        EndCode("CALL_REJECTED", 21): "sip_declined not_receiving shared_line",
        EndCode("NUMBER_CHANGED", 22): "sip_redirected",
        EndCode("OUTGOING_CALL_BARRED", 52): (
            "sip_forbidden sip_wrong_password daily_limit sender_disabled modem_dial_blocked"
        ),
        EndCode("BEARERCAPABILITY_NOTAVAIL", 58): "sip_media_refused sip_t38_refused",
        EndCode("SWITCH_CONGESTION", 42): "sip_overloaded",
        EndCode("NORMAL_CIRCUIT_CONGESTION", 34): "line_full",
        _OUT_OF_ORDER: "no_line no_dial_tone sip_unreachable sip_connection_lost sip_failed sip_refused",
        _TIMER: (
            "expired call_too_long sip_no_reply sip_no_progress sip_timed_out unknown_delivery "
            "last_page_unconfirmed page_unconfirmed training_unanswered receiver_went_silent"
        ),
        _INCOMPATIBLE: (
            "no_fax_answered voice_answered cannot_receive nothing_in_common sip_no_media sip_hung_up_early"
        ),
    }
)
_BY_SIDE: dict[Side, EndCode] = {
    Side.NONE: _UNSPECIFIED,
    Side.OURS: _TEMPORARY,
    Side.THEIRS: _UNSPECIFIED,
    Side.LINE: _INTERWORKING,
    Side.USER: _UNSPECIFIED,
}


def end_of(cause: Cause | None) -> EndCode:
    """The end of a fax with ``cause``: its fax code if it has one, else the call's end."""
    if cause is None:
        return _UNSPECIFIED
    code = fax_code(cause)
    if code is not None:
        return EndCode(MESSAGES[code], int(code))
    return _CALL_ENDS.get(cause.code) or _BY_SIDE[cause.side]
