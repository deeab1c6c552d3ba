"""SIP's answers in our table of causes: one row per status code that means something of its own."""

from __future__ import annotations

from appliance import causes
from appliance.causes import Cause

# RFC 3261 21 and what carriers make of it.  A code that is not here falls to its class below.
_BY_STATUS: dict[int, Cause] = {
    400: causes.SIP_REFUSED,
    401: causes.SIP_WRONG_PASSWORD,
    402: causes.SIP_FORBIDDEN,
    403: causes.SIP_FORBIDDEN,
    404: causes.NUMBER_NOT_IN_SERVICE,
    405: causes.SIP_REFUSED,
    406: causes.SIP_MEDIA_REFUSED,
    407: causes.SIP_WRONG_PASSWORD,
    408: causes.SIP_NO_REPLY,
    410: causes.NUMBER_NOT_IN_SERVICE,
    415: causes.SIP_MEDIA_REFUSED,
    416: causes.NUMBER_INVALID,
    480: causes.SIP_UNAVAILABLE,
    484: causes.NUMBER_INVALID,
    485: causes.NUMBER_INVALID,
    486: causes.BUSY,
    487: causes.NO_ANSWER,
    488: causes.SIP_MEDIA_REFUSED,
    502: causes.SIP_UNREACHABLE,
    503: causes.SIP_OVERLOADED,
    504: causes.SIP_NO_REPLY,
    600: causes.BUSY,
    603: causes.SIP_DECLINED,
    604: causes.NUMBER_NOT_IN_SERVICE,
    606: causes.SIP_MEDIA_REFUSED,
}
_BY_CLASS: dict[int, Cause] = {
    3: causes.SIP_REDIRECTED,
    4: causes.SIP_REFUSED,
    5: causes.SIP_FAILED,
    6: causes.SIP_DECLINED,
}


def cause_of_status(code: int, *, ours: bool = False) -> Cause:
    """What a refused INVITE ended in.

    ``ours`` says that the code was made up on our side: pjproject reports a transport that failed as
    503 and a request that nobody answered as 408.
    """
    if ours:
        return causes.SIP_NO_REPLY if code == 408 else causes.SIP_UNREACHABLE
    return _BY_STATUS.get(code) or _BY_CLASS.get(code // 100, causes.SIP_FAILED)
