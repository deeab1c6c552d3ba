"""The causes of failures of class-1 modems and their telephone lines."""

from __future__ import annotations

from appliance.causes import Retry, Side, declare

MODEM_MISSING = declare(
    "modem_missing",
    Side.OURS,
    Retry.OTHER_LINE,
    "The modem is not plugged in, or its port cannot be opened.",
    "Check the modem's cable; `faxbox check modem` says what is found.",
)
MODEM_UNPLUGGED = declare(
    "modem_unplugged",
    Side.OURS,
    Retry.OTHER_LINE,
    "The modem was unplugged or lost its power in the middle of the call.",
    "Plug it in again; the line recovers by itself.",
)
MODEM_SILENT = declare(
    "modem_silent",
    Side.OURS,
    Retry.OTHER_LINE,
    "The modem stopped answering.",
    "It is reset by itself; if this happens often, unplug it for ten seconds or replace it.",
)
MODEM_REFUSED = declare(
    "modem_refused",
    Side.OURS,
    Retry.OTHER_LINE,
    "The modem refused a command that a class-1 fax modem must know.",
    "Run `faxbox check modem`: it says whether this modem can fax at all.",
)
NO_DIAL_TONE = declare(
    "no_dial_tone",
    Side.LINE,
    Retry.OTHER_LINE,
    "There was no dial tone on the telephone line.",
    "Check that the modem is plugged into the telephone socket and that no other telephone is off the"
    " hook; behind some exchanges dialling without waiting for the tone must be switched on.",
)
MODEM_DIAL_BLOCKED = declare(
    "modem_dial_blocked",
    Side.OURS,
    Retry.LATER,
    "The modem itself refuses to dial this number for a while, after too many calls in a row.",
    "Wait; the modem's approval rules ask for a pause between repeated calls.",
)
VOICE_ANSWERED = declare(
    "voice_answered",
    Side.THEIRS,
    Retry.LATER,
    "Somebody answered, but no fax machine.",
    "Check the number; it may be a telephone, or a fax machine that must be switched on by hand.",
)
SHARED_LINE = declare(
    "shared_line",
    Side.NONE,
    Retry.NO,
    "The call was left to the telephone: the rules of this line do not answer such calls.",
    "Nothing to do; change the line's answering rule if faxes should be taken.",
)
