"""A person in an imported or exported file, and the error for unusable files."""

from __future__ import annotations

import codecs
from dataclasses import dataclass

from appliance.causes import Cause, CauseError
from appliance.content_lines import OLD_ENCODING
from appliance.phonebook.causes import CONTACTS_UNREADABLE
from appliance.settings.units import MB

# Largest file of contacts, octets; most of it are photographs in vCards.
FILE_LIMIT = 8 * MB
# Most people in a file: as many as can be planned and written within a few seconds.
CARDS_LIMIT = 5000
# Most groups that one person is put into by a file.
GROUPS_LIMIT = 20


class BookError(CauseError):
    """The user's mistake: a file without contacts."""

    def __init__(self, detail: str, cause: Cause = CONTACTS_UNREADABLE) -> None:
        super().__init__(cause, detail)


@dataclass(frozen=True, slots=True)
class Card:
    """A person in a file.  ``line`` is the line where the entry begins, from 1."""

    line: int
    number: str = ""
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    email: str = ""
    notes: str = ""
    groups: tuple[str, ...] = ()


def decoded(content: bytes) -> str:
    """The text of a file:  UTF-8 or UTF-16 by its byte order mark, else UTF-8, else Windows' old encoding."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode(OLD_ENCODING, "replace")


def split(text: str, separator: str = ";") -> list[str]:
    """The parts between separators; a backslash escapes a separator (RFC 6350 3.4)."""
    parts = [""]
    letters = iter(text)
    for letter in letters:
        if letter == "\\":
            following = next(letters, "\\")
            parts[-1] += "\n" if following in "nN" else following
        elif letter == separator:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]


def group_names(names: list[str]) -> tuple[str, ...]:
    """Each name once, at most GROUPS_LIMIT."""
    return tuple(dict.fromkeys(name for name in names if name))[:GROUPS_LIMIT]
