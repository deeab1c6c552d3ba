"""Reads the fields of a foreign style's requests, whose clients send numbers as texts and texts as numbers.

Pure; an invalid field raises ``ProblemError``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus

from appliance.api.causes import REQUEST_INVALID
from appliance.api.problems import Flaw, ProblemError
from appliance.causes import Cause
from appliance.lines.causes import NUMBER_INVALID
from appliance.settings.units import ID_MAX
from appliance.spool.model import DAY_S

# Characters of a name, a title, a one-line field.
LINE_LIMIT = 200
# The latest schedule, seconds ahead: a later one is a mistake.
FARTHEST_S = 100 * 366 * DAY_S


def refused(cause: Cause, field: str, problem: str) -> ProblemError:
    """A problem with one field."""
    return ProblemError(cause, f"{field}: {problem}", (Flaw(field, problem),))


# What a form has where a list of numbers is meant, decoded.
_NUMBERS = re.compile(r"[0-9+*#,;\spwext:=()./-]+", re.IGNORECASE)
# A plus sign that was not encoded in a form means a blank: at the beginning, behind a separator when that was
# not encoded either, or when the number before has its own.  No country's code begins with 0.
_LOST_PLUS = re.compile(r"(?:^|[,;\n]|%0A|%2B[^+]{1,60}(?:%2C|%3B))\+[1-9][0-9 +%()./-]{5,}", re.IGNORECASE)


def require_plus(form: str) -> None:
    """Raises ProblemError for a number in an urlencoded form that has lost its plus sign, since without it
    the number may be another one, of this country.
    """
    for field in form.split("&"):
        name, _, value = field.partition("=")
        if _LOST_PLUS.search(value) and _NUMBERS.fullmatch(unquote_plus(value)):
            raise refused(NUMBER_INVALID, unquote_plus(name), "a plus sign is written as %2B in a form")


def number(fields: Mapping[str, Any], name: str, *, least: int = 0) -> int | None:
    """A field with a whole number, as number or text; None when it is not given.

    Raises ProblemError for anything else, and for a number below ``least`` or above ID_MAX.
    """
    value = fields.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdecimal():
        value = int(value.strip()[:20])
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= ID_MAX:
        raise refused(REQUEST_INVALID, name, "a whole number is needed")
    return value


def text(fields: Mapping[str, Any], name: str, limit: int = LINE_LIMIT) -> str:
    """A text field, empty when it is not given; a number is converted to text.  Raises ProblemError."""
    value = fields.get(name)
    if value is None:
        return ""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise refused(REQUEST_INVALID, name, "a text is needed")
    if len(value) > limit:
        raise refused(REQUEST_INVALID, name, f"at most {limit} characters")
    return value.strip()
