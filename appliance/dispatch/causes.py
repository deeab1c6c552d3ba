"""The causes of the dispatcher: why a fax waits or ends without a call, and why a call is not answered."""

from __future__ import annotations

from appliance.causes import Retry, Side, declare, user_mistake

DOCUMENT_REMARKED = user_mistake(
    "document_remarked",
    "Something of the document would not arrive as it is; the remarks say what and on which page.",
    "Look at the pages and send the fax as it is, or correct the document and send it again.",
)
NO_LINE = declare(
    "no_line",
    Side.OURS,
    Retry.LATER,
    "No line that may carry this fax is working.",
    "Look at the lines page: check the trunk, the network or the telephone cable.",
)
NOT_RECEIVING = declare(
    "not_receiving",
    Side.NONE,
    Retry.NO,
    "The call was not answered: the box is set not to receive on this line, or is being shut down.",
    "Nothing to do; change the line's settings if it should receive.",
)
NUMBER_QUARANTINED = declare(
    "number_quarantined",
    Side.THEIRS,
    Retry.NO,
    "This number failed so often in a row that the box stopped dialling it for a while.",
    "Check the number; the owner of the box can lift the pause on the destinations page.",
)
DAILY_LIMIT = declare(
    "daily_limit",
    Side.USER,
    Retry.LATER,
    "The box has placed as many calls today as its owner allows.",
    "The fax goes out when the day is over; the owner can raise the limit if the calls were wanted.",
)
SENDER_DISABLED = declare(
    "sender_disabled",
    Side.USER,
    Retry.LATER,
    "The user or key that handed in this fax is disabled.",
    "Cancel the fax, or enable the user or key again: then it goes out by itself.",
)
TOO_MANY_DRAFTS = user_mistake(
    "too_many_drafts",
    "You have as many drafts as are allowed.",
    "Send or delete one of them.",
)
