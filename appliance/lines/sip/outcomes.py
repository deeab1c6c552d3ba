"""Maps SIP status codes to causes, and causes to the status of a refusal."""

from __future__ import annotations

from appliance.causes import Cause
from appliance.lines.causes import (
    BUSY,
    LINE_FAULT,
    LINE_FULL,
    LINE_STOPPED,
    NO_ANSWER,
    NUMBER_INVALID,
    NUMBER_NOT_IN_SERVICE,
)
from appliance.lines.sip import causes
from appliance.lines.sip.codes import BUSY_HERE, DECLINE, NOT_FOUND, TEMPORARILY_UNAVAILABLE
from appliance.lines.sip.errors import SipOrderError

# Error codes of pjproject: too many calls, and the range of the operating system's errors (network
# unreachable and the like).
TOO_MANY, FIRST_OS_ERROR, LAST_OS_ERROR = 70010, 120000, 169999
# The status of a refusal by cause; 603 (decline) for causes that are not disclosed.
_REFUSALS = {
    LINE_FULL.code: BUSY_HERE,
    BUSY.code: BUSY_HERE,
    NUMBER_NOT_IN_SERVICE.code: NOT_FOUND,
    LINE_STOPPED.code: TEMPORARILY_UNAVAILABLE,
}

# RFC 3261 21 and the practice of carriers.  Other codes have the cause of their class, below.
_BY_STATUS: dict[int, Cause] = {
    400: causes.SIP_REFUSED,
    401: causes.SIP_WRONG_PASSWORD,
    402: causes.SIP_FORBIDDEN,
    403: causes.SIP_FORBIDDEN,
    404: NUMBER_NOT_IN_SERVICE,
    405: causes.SIP_REFUSED,
    406: causes.SIP_MEDIA_REFUSED,
    407: causes.SIP_WRONG_PASSWORD,
    408: causes.SIP_TIMED_OUT,
    410: NUMBER_NOT_IN_SERVICE,
    415: causes.SIP_MEDIA_REFUSED,
    416: NUMBER_INVALID,
    433: causes.SIP_ANONYMOUS_REFUSED,  # RFC 5079
    480: causes.SIP_UNAVAILABLE,
    484: NUMBER_INVALID,
    485: NUMBER_INVALID,
    486: BUSY,
    487: causes.SIP_TIMED_OUT,  # somebody beyond the trunk ended it, unless we did
    488: causes.SIP_MEDIA_REFUSED,
    503: causes.SIP_OVERLOADED,
    504: causes.SIP_TIMED_OUT,
    600: BUSY,
    603: causes.SIP_DECLINED,
    604: NUMBER_NOT_IN_SERVICE,
    606: causes.SIP_MEDIA_REFUSED,
}
_BY_CLASS: dict[int, Cause] = {
    3: causes.SIP_REDIRECTED,
    4: causes.SIP_REFUSED,
    5: causes.SIP_FAILED,
    6: causes.SIP_DECLINED,
}
# How pjproject's words for a failed transport name a certificate that it does not accept.
CERTIFICATE_ERROR = "PJSIP_TLS_ECERTVERIF"
# A proxy passes a 503 on as a 500, since it can take calls itself (RFC 3261 16.7); kamailio leaves the
# phrase of the 503, and drops its Reason.
_PHRASE_OF_503 = "service unavailable"

# Q.850 table 1, where a value says more than the status that it comes with.  16 (normal clearing), 31 and 127
# (anything) say nothing.
_BY_Q850: dict[int, Cause] = {
    1: NUMBER_NOT_IN_SERVICE,  # unallocated
    2: causes.SIP_FAILED,  # no route to the transit network
    3: causes.SIP_FAILED,  # no route to the destination
    5: NUMBER_INVALID,  # misdialled trunk prefix
    17: BUSY,
    18: causes.SIP_TIMED_OUT,  # no user responding
    19: NO_ANSWER,  # alerted, no answer
    20: causes.SIP_UNAVAILABLE,  # subscriber absent
    21: causes.SIP_DECLINED,
    22: NUMBER_NOT_IN_SERVICE,  # number changed
    25: causes.SIP_FAILED,  # exchange routing error
    26: NUMBER_NOT_IN_SERVICE,  # non-selected user clearing
    27: causes.SIP_UNAVAILABLE,  # destination out of order
    28: NUMBER_INVALID,  # address incomplete
    29: causes.SIP_REFUSED,  # facility rejected
    34: causes.SIP_OVERLOADED,  # no circuit available
    38: causes.SIP_OVERLOADED,  # network out of order
    41: causes.SIP_OVERLOADED,  # temporary failure
    42: causes.SIP_OVERLOADED,  # congestion
    43: causes.SIP_FAILED,  # access information discarded
    44: causes.SIP_OVERLOADED,  # requested circuit not available
    46: causes.SIP_OVERLOADED,  # precedence call blocked
    47: causes.SIP_OVERLOADED,  # resource unavailable
    49: causes.SIP_OVERLOADED,  # quality of service not available
    50: causes.SIP_FORBIDDEN,  # facility not subscribed
    52: causes.SIP_FORBIDDEN,  # outgoing calls barred
    53: causes.SIP_FORBIDDEN,  # outgoing calls barred within the closed user group
    55: causes.SIP_FORBIDDEN,  # incoming calls barred within the closed user group
    57: causes.SIP_MEDIA_REFUSED,  # bearer capability not authorized
    58: causes.SIP_MEDIA_REFUSED,  # bearer capability not available
    63: causes.SIP_OVERLOADED,  # service not available
    65: causes.SIP_MEDIA_REFUSED,  # bearer capability not implemented
    66: causes.SIP_MEDIA_REFUSED,  # channel type not implemented
    69: causes.SIP_REFUSED,  # facility not implemented
    70: causes.SIP_MEDIA_REFUSED,  # restricted digital information only
    79: causes.SIP_MEDIA_REFUSED,  # service not implemented
    87: causes.SIP_FORBIDDEN,  # not a member of the closed user group
    88: causes.SIP_MEDIA_REFUSED,  # incompatible destination
    102: causes.SIP_TIMED_OUT,  # recovery on timer expiry
    111: causes.SIP_FAILED,  # protocol error
}


def cause_of_reason(reason: tuple[str, int] | None) -> Cause | None:
    """The cause for a Reason header (``messages.reason``); None when it adds nothing to the status."""
    if reason is None:
        return None
    protocol, value = reason
    if protocol == "q.850":
        return _BY_Q850.get(value)
    return cause_of_status(value) if 300 <= value <= 699 else None


def cause_of_status(code: int, phrase: str = "", *, ours: bool = False) -> Cause:
    """The cause of a refused INVITE; ``phrase``: the reason phrase after the code.

    ``ours``: pjproject generated the code: it reports a failed transport as 503 and a request without a
    response as 408.
    """
    if ours:
        if CERTIFICATE_ERROR in phrase:
            return causes.SIP_CERTIFICATE
        return causes.SIP_NO_REPLY if code == 408 else causes.SIP_UNREACHABLE
    if code == 500 and phrase.strip().lower() == _PHRASE_OF_503:
        code = 503
    return _BY_STATUS.get(code) or _BY_CLASS.get(code // 100, causes.SIP_FAILED)


def cause_of_order_error(error: Exception) -> Cause:
    """The cause of a call that the stack could not send."""
    status = error.status if isinstance(error, SipOrderError) else 0
    if status == TOO_MANY:
        return LINE_FULL
    return causes.SIP_UNREACHABLE if FIRST_OS_ERROR <= status <= LAST_OS_ERROR else LINE_FAULT


def status_of_refusal(cause: Cause) -> int:
    """The status with which a call that came in is refused for this cause."""
    return _REFUSALS.get(cause.code, DECLINE)
