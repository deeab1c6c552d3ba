"""Causes with which the box's rules refuse a request."""

from __future__ import annotations

from appliance.causes import Retry, Side, declare, user_mistake

COVER_TEMPLATE_GONE = user_mistake(
    "cover_template_gone",
    "There is no cover template of this name.",
    "Choose another template, or make one of this name.",
)
CALLER_NOT_ALLOWED = user_mistake(
    "caller_not_allowed",
    "This number is not one that you may show to those you fax.",
    "Leave it out, or ask the owner of the box to add it to the box's numbers or to yours.",
)
QUOTA_SPENT = user_mistake(
    "quota_spent",
    "This user or key has sent as many pages as it may.",
    "Ask the owner of the box to raise the quota, or wait for the next month.",
)
NOT_PERMITTED = user_mistake(
    "not_permitted",
    "This key or user may not do that.",
    "Ask the owner of the box for a key that may.",
)
TOO_BUSY = declare(
    "too_busy",
    Side.OURS,
    Retry.SOON,
    "The box is too busy at this moment.",
    "Try again in a few seconds.",
)
TOO_MANY_FILES = user_mistake(
    "too_many_files",
    "A fax may not have so many files.",
    "Put the files together, or send several faxes.",
)
TOO_MANY_RECIPIENTS = user_mistake(
    "too_many_recipients",
    "A fax may not have so many recipients.",
    "Send it several times, to some of them each.",
)
TOO_MANY_NOTES = user_mistake(
    "too_many_notes",
    "A fax may not have so many notes.",
    "Delete one that is no longer needed.",
)
STATE_FORBIDS = user_mistake(
    "state_forbids",
    "The fax is in a state in which this cannot be done.",
    "Look at its state; a fax that has ended can only be sent again as a new one.",
)
