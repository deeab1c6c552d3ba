"""The causes of failures of SIP trunks and of calls over them."""

from __future__ import annotations

from appliance.causes import Retry, Side, declare

SIP_WRONG_PASSWORD = declare(
    "sip_wrong_password",
    Side.USER,
    Retry.OTHER_LINE,
    "The SIP trunk does not accept the box's user name or password.",
    "Check the trunk's user name and password in the settings.",
)
SIP_AUTHENTICATION = declare(
    "sip_authentication",
    Side.LINE,
    Retry.OTHER_LINE,
    "The SIP trunk asks for user name and password in a way that the box cannot answer.",
    "Ask the provider for digest authentication with MD5, SHA-256 or SHA-512-256, or for calls without a"
    " password from the address of the box.",
)
SIP_FORBIDDEN = declare(
    "sip_forbidden",
    Side.LINE,
    Retry.OTHER_LINE,
    "The SIP trunk does not allow this call.",
    "Check with the provider: credit, allowed destinations, and the caller number that is sent.",
)
SIP_UNAVAILABLE = declare(
    "sip_unavailable",
    Side.THEIRS,
    Retry.SOON,
    "The number cannot be reached at the moment.",
    "Check the number if it stays so.",
)
SIP_DECLINED = declare(
    "sip_declined",
    Side.THEIRS,
    Retry.LATER,
    "The other side declined the call.",
    "Ask the receiver whether calls from your number are blocked.",
)
SIP_REDIRECTED = declare(
    "sip_redirected",
    Side.THEIRS,
    Retry.NO,
    "The number has been redirected to another one, which the box does not follow by itself.",
    "Ask the receiver for the new fax number.",
)
SIP_MEDIA_REFUSED = declare(
    "sip_media_refused",
    Side.LINE,
    Retry.OTHER_LINE,
    "The trunk and the box found no kind of fax transmission that both allow.",
    "Allow both T.38 and G.711 for this trunk, and ask the provider what it supports.",
)
SIP_T38_REFUSED = declare(
    "sip_t38_refused",
    Side.LINE,
    Retry.OTHER_LINE,
    "The other side does not take T.38, and this trunk may use nothing else.",
    "Allow G.711 for this trunk, or ask the provider to switch T.38 on.",
)
SIP_OVERLOADED = declare(
    "sip_overloaded",
    Side.LINE,
    Retry.OTHER_LINE,
    "The SIP trunk says that it cannot take calls now.",
    "Ask the provider if it lasts.",
)
SIP_FAILED = declare(
    "sip_failed",
    Side.LINE,
    Retry.OTHER_LINE,
    "The SIP trunk reported a fault of its own.",
    "Ask the provider if it lasts.",
)
SIP_REFUSED = declare(
    "sip_refused",
    Side.LINE,
    Retry.OTHER_LINE,
    "The SIP trunk did not accept the call.",
    "Look at the account of the call for the trunk's answer, and ask the provider about it.",
)
SIP_NO_REPLY = declare(
    "sip_no_reply",
    Side.LINE,
    Retry.OTHER_LINE,
    "The SIP trunk did not answer.",
    "Check the network and the trunk's server name; a firewall may be in the way.",
)
SIP_NO_PROGRESS = declare(
    "sip_no_progress",
    Side.LINE,
    Retry.OTHER_LINE,
    "The SIP trunk began to place the call and then said nothing more: the number never rang.",
    "Ask the provider what became of the call if it lasts.",
)
SIP_TIMED_OUT = declare(
    "sip_timed_out",
    Side.LINE,
    Retry.OTHER_LINE,
    "The SIP trunk reported that nothing beyond it answered the call in time.",
    "Check the number, and ask the provider if it lasts.",
)
SIP_UNREACHABLE = declare(
    "sip_unreachable",
    Side.LINE,
    Retry.OTHER_LINE,
    "The SIP trunk cannot be reached over the network.",
    "Check the network cable, the trunk's server name and its port.",
)
SIP_CONNECTION_LOST = declare(
    "sip_connection_lost",
    Side.LINE,
    Retry.OTHER_LINE,
    "The connection to the SIP trunk was lost while the call was being set up.",
    "If it happens often, look at the router, which may close connections, and ask the provider.",
)
SIP_SESSION_EXPIRED = declare(
    "sip_session_expired",
    Side.LINE,
    Retry.SOON,
    "The call was ended because the SIP trunk did not refresh its session in time.",
    "If it happens often, set the trunk's session_s to a longer time, and ask the provider.",
)
SIP_CERTIFICATE = declare(
    "sip_certificate",
    Side.LINE,
    Retry.OTHER_LINE,
    "The SIP trunk's certificate is not valid: expired, of another name, or signed by nobody who is trusted.",
    "Check the trunk's server name and the box's clock; a certificate of the provider's own belongs in"
    " ca_file.",
)
SIP_MISCONFIGURED = declare(
    "sip_misconfigured",
    Side.USER,
    Retry.OTHER_LINE,
    "The SIP trunk's settings cannot be used.",
    "Look at the trunk's last error on the lines page and correct its settings.",
)
SIP_ANONYMOUS_REFUSED = declare(
    "sip_anonymous_refused",
    Side.THEIRS,
    Retry.NO,
    "The other side takes no calls from callers who withhold their number.",
    "Send it again with your number shown, or set a caller number for the line.",
)
SIP_FROM_REFUSED = declare(
    "sip_from_refused",
    Side.LINE,
    Retry.OTHER_LINE,
    "The trunk took the user name and password when the box signed in, but not for a call from this number.",
    "Set from_user_is_account for the trunk, and identity so that the caller number is still shown.",
)
SIP_T38_SILENT = declare(
    "sip_t38_silent",
    Side.LINE,
    Retry.OTHER_LINE,
    "The other side agreed to T.38, but nothing of a fax came through it.",
    "If it happens often, ask the provider about T.38, or set the trunk's media to g711.",
)
SIP_NO_MEDIA = declare(
    "sip_no_media",
    Side.LINE,
    Retry.OTHER_LINE,
    "The call was answered, but nothing was heard of the other side.",
    "A router or firewall may keep the packets away: check the public address and the port range.",
)
SIP_HUNG_UP_EARLY = declare(
    "sip_hung_up_early",
    Side.THEIRS,
    Retry.LATER,
    "The other side hung up before any fax machine was heard.",
    "Check the number; it may be a telephone.",
)
SIP_CONFIRMATION_DOUBTED = declare(
    "sip_confirmation_doubted",
    Side.LINE,
    Retry.ASK,
    "The last page was confirmed, but other packets in the receiver's name did not agree with that:"
    " somebody else may have sent into the call.",
    "Ask the receiver whether the fax arrived. If it happens again, have the packets between the box and the"
    " provider protected: a network of its own, or a VPN.",
)
