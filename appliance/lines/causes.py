"""The causes that calls on any kind of line may end with, and those of numbers that are not dialled."""

from __future__ import annotations

from appliance.causes import Retry, Side, declare, user_mistake

BUSY = declare(
    "busy",
    Side.THEIRS,
    Retry.SOON,
    "The number is busy.",
    "Call the other side if it stays busy for hours.",
)
NO_ANSWER = declare(
    "no_answer",
    Side.THEIRS,
    Retry.SOON,
    "Nobody answered: the number rang until the waiting time was over.",
    "Check the number; the receiving machine may be switched off or out of paper.",
)
NUMBER_NOT_IN_SERVICE = user_mistake(
    "number_not_in_service",
    "The number does not exist or is not in service.",
    "Check the number for a typing error.",
)
LINE_STOPPED = declare(
    "line_stopped",
    Side.OURS,
    Retry.SOON,
    "The call was ended because the box stopped this line.",
    "Send it again when the line is up.",
)
LINE_FULL = declare(
    "line_full",
    Side.OURS,
    Retry.OTHER_LINE,
    "All channels of the line were taken.",
    "It goes as soon as a channel is free; where that happens often, more channels or another line help.",
)
CALL_TOO_LONG = declare(
    "call_too_long",
    Side.LINE,
    Retry.LATER,
    "The call was ended because it took longer than a fax can take.",
    "Send fewer pages at a time; look at the account of the call if it happens again.",
)
LINE_FAULT = declare(
    "line_fault",
    Side.OURS,
    Retry.OTHER_LINE,
    "The program that carries this line failed during the call.",
    "Restart the box if it happens again, and report the account of the call to the makers.",
)
NUMBER_INVALID = user_mistake(
    "number_invalid",
    "This is not a telephone number that can be dialled.",
    "Write the number with its area code, or with + and the country code.",
)
NUMBER_EMERGENCY = user_mistake(
    "number_emergency",
    "The box never dials emergency numbers.",
    "Write the number with its country code. An extension that looks like one must be among those that the"
    " owner named (numbers.internal).",
)
NUMBER_NOT_ALLOWED = user_mistake(
    "number_not_allowed",
    "The box's rules do not allow faxes to this number.",
    "Check the number, or ask the owner of the box to allow it.",
)
