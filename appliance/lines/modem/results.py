"""Parses lines of a modem: result codes, rings, caller identification.

Modems spell the results of V.250 and T.31 differently, which is tolerated; a line that is not a known result
is information and never counts as success.
"""

from __future__ import annotations

import re
from enum import Enum


class Result(Enum):
    """V.250 5.7.1, T.31 8.1, and what call progress detection adds."""

    OK = "OK"
    CONNECT = "CONNECT"
    RING = "RING"
    NO_CARRIER = "NO CARRIER"
    ERROR = "ERROR"
    NO_DIALTONE = "NO DIALTONE"
    BUSY = "BUSY"
    NO_ANSWER = "NO ANSWER"
    FCERROR = "+FCERROR"  # a signal other than the one ordered (T.31 8.3.4)
    V21_HEARD = "+FRH:3"  # adaptive reception: V.21 came instead, CONNECT follows (T.31 8.5.1)
    VOICE = "VOICE"  # speech detected
    RINGING = "RINGING"  # ringback detected
    BLOCKED = "BLACKLISTED"  # the modem itself refuses to dial (approval rules on repeated calls)


_WORDS = {
    "OK": Result.OK,
    "CONNECT": Result.CONNECT,
    "RING": Result.RING,
    "NO CARRIER": Result.NO_CARRIER,
    "ERROR": Result.ERROR,
    "+CME ERROR": Result.ERROR,
    "NO DIALTONE": Result.NO_DIALTONE,
    "NO DIAL TONE": Result.NO_DIALTONE,
    "BUSY": Result.BUSY,
    "LINE IN USE": Result.NO_DIALTONE,  # another telephone on the line is off hook
    "NO ANSWER": Result.NO_ANSWER,
    "+FCERROR": Result.FCERROR,
    "+FC ERROR": Result.FCERROR,
    "FCERROR": Result.FCERROR,
    "+F4": Result.FCERROR,  # numeric form of some firmware
    "+FRH:3": Result.V21_HEARD,
    "+FRH: 3": Result.V21_HEARD,
    "+FRH=3": Result.V21_HEARD,
    "VOICE": Result.VOICE,
    "VCON": Result.VOICE,
    "RINGING": Result.RINGING,
    "RRING": Result.RINGING,
}
# Some say for how long, as 02:00 or seconds.
_BLOCKED = re.compile(r"(DELAYED|BLACKLISTED|DIAL LOCKED)( [0-9:]+)?")
# V.253's +VDR=1: before RING, the duration (0.1 s) of ringing current on and off.
_CADENCE = re.compile(r"(DRON|DROF)\s*=\s*([0-9]{1,4})", re.IGNORECASE)
_DISTINCTIVE = re.compile(r"RING[ :]?([1-9A-E])\b")
# Caller identification: +VCID=1 and #CID=1 (V.253 10.1.4 and variants of makers).
_OWN_FIELDS = {"CALLER NUMBER": "NMBR", "CALLER NAME": "NAME"}  # ZyXEL's words for them
_CALLER = re.compile(
    rf"(NMBR|NAME|MESG|DDN_NMBR|DATE|TIME|{'|'.join(_OWN_FIELDS)})\s*[=:]\s*(.*)", re.IGNORECASE
)
# The network's unformatted message in hexadecimal octets (V.253's +VCID=2, from some firmware unrequested).
_RAW_CALLER = re.compile(r"(?:MESG\s*[=:]\s*)?((?:04|80)(?:[0-9A-F]{2}){2,257})", re.IGNORECASE)
# ETSI EN 300 659-3 5.2, Bellcore GR-30: a message of parameters; the older one with date and number only.
_SINGLE_DATA, _DATE_OCTETS = 0x04, 8
_PARAMETERS = {0x02: "NMBR", 0x03: "DDN_NMBR", 0x07: "NAME"}
_WITHHELD = frozenset(
    {
        "P",
        "O",
        "PRIVATE",
        "OUT OF AREA",
        "UNKNOWN",
        "WITHHELD",
        "ANONYMOUS",
        "UNAVAILABLE",
        "BLOCKED",
        "<NONE>",
        "-",
    }
)
MAX_CALLER_CHARACTERS = 40


def result_of(line: str) -> Result | None:
    """The result in a line, None for information."""
    text = " ".join(line.upper().split())
    if text in _WORDS:
        return _WORDS[text]
    if text.startswith("CONNECT "):
        return Result.CONNECT
    if text.startswith("+CME ERROR"):
        return Result.ERROR
    if _DISTINCTIVE.fullmatch(text):
        return Result.RING
    return Result.BLOCKED if _BLOCKED.fullmatch(text) else None


def ring_kind(line: str) -> str:
    """The distinctive ring of a RING line: '1' to '9' or 'A' to 'E', '' for an ordinary one."""
    found = _DISTINCTIVE.fullmatch(" ".join(line.upper().split()))
    return found.group(1) if found else ""


def cadence(line: str) -> tuple[bool, float] | None:
    """A line about ringing current as (on, seconds), None for any other line."""
    found = _CADENCE.fullmatch(line.strip())
    return (found.group(1).upper() == "DRON", int(found.group(2)) / 10) if found else None


def caller_field(line: str) -> tuple[str, str] | None:
    """A caller identification line as (field, value), None for any other line.

    A number or name that is withheld gives an empty value; the text is bounded.
    """
    found = _CALLER.fullmatch(line.strip())
    if found is None:
        return None
    value = found.group(2).strip()[:MAX_CALLER_CHARACTERS]
    name = found.group(1).upper()
    return _OWN_FIELDS.get(name, name), "" if value.upper() in _WITHHELD else value


def raw_caller_fields(line: str) -> list[tuple[str, str]]:
    """Fields of a caller identification message in hexadecimal; empty for any other line.

    Also empty for a truncated message or a wrong checksum.
    """
    found = _RAW_CALLER.fullmatch("".join(line.split()))
    if found is None:
        return []
    octets = bytes.fromhex(found.group(1))
    end = 2 + octets[1]
    # With the checksum, if the modem includes it, the sum of all octets is zero modulo 256.
    if len(octets) < end or (len(octets) > end and sum(octets[: end + 1]) % 256):
        return []
    body = octets[2:end]
    if octets[0] == _SINGLE_DATA:
        return [("NMBR", _text(body[_DATE_OCTETS:]))]
    fields = []
    while len(body) >= 2 and len(body) >= 2 + body[1]:
        name, value, body = _PARAMETERS.get(body[0]), body[2 : 2 + body[1]], body[2 + body[1] :]
        if name is not None:
            fields.append((name, _text(value)))
    return fields


def _text(octets: bytes) -> str:
    text = "".join(chr(o & 0x7F) for o in octets if 0x20 <= o & 0x7F < 0x7F).strip()[:MAX_CALLER_CHARACTERS]
    return "" if text.upper() in _WITHHELD else text
