"""CUPS' option strings and what they say about a fax.  Pure; all input is untrusted."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import unquote

from appliance.numbering.dial_on import BEHIND, numbers_apart
from appliance.spool.options import Quality

# Limits above what any print dialogue writes: options, and characters.
MOST_OPTIONS = 200
LONGEST_VALUE = 1024
MOST_NUMBERS = 100
# Of every print job: characters of a person's and a computer's name, of a title; documents.
NAME_LIMIT, TITLE_LIMIT, MOST_DOCUMENTS = 100, 200, 200
# Separates recipients; a comma is a pause while dialling.
SEPARATOR = ";"
# A job title that names a number: the word "fax" at its start, then a number.
_TITLE = re.compile(rf"^\s*fax[ :]*([+0-9][0-9 ()./-]{{2,}}{BEHIND})", re.IGNORECASE)
# A number as people write it, with pauses; anything else is not taken for one.
_NUMBER = re.compile(rf"[+0-9*#(][0-9*#+ ()./,wWpP-]{{1,62}}{BEHIND}", re.IGNORECASE)
# The name of a scanned file that names a number: "+" or the word "fax", digits alone, and an underscore.
# Devices and computers write dates, counters and "(2)" into names: anything less plain is not taken for one.
_FILE_NAME = re.compile(r"(?:(?=\+)|fax[ _]?)(\+?[0-9]{3,30}(?:;\+?[0-9]{3,30})*)_", re.ASCII | re.IGNORECASE)
_URI_SCHEMES = ("tel:", "fax:")
# The names of the option with the number, the usual one first (macOS, driverless-fax, cupsd ≥ 2.4.3).
PHONE = ("phone", "FaxNumber")
PREFIX = "faxPrefix"
_NO_NUMBER = frozenset({"", "none"})
# A flag that looks like the rest of a number: ``lp -o phone=030 1234`` without quotes is cut at the space.
_REST = re.compile(r"[0-9()./+-]+")


def parse_options(text: str) -> dict[str, str]:
    """CUPS' options as ``cupsParseOptions`` reads them: ``name=value name='a b' name={…} flag noflag``.

    The first value of a name counts.  Never raises: what cannot be parsed is left out.
    """
    found: dict[str, str] = {}
    place, end = 0, len(text)
    while place < end and len(found) < MOST_OPTIONS:
        while place < end and text[place].isspace():
            place += 1
        start = place
        while place < end and not text[place].isspace() and text[place] != "=":
            place += 1
        name = text[start:place]
        if place < end and text[place] == "=":
            value, place = _value(text, place + 1)
        elif name.lower().startswith("no") and len(name) > 2:
            name, value = name[2:], "false"
        else:
            value = "true"
        if name and len(value) <= LONGEST_VALUE:
            found.setdefault(name, value)
    return found


def _value(text: str, place: int) -> tuple[str, int]:
    """The value that begins at ``place``, without quotes and escapes, and the place after it."""
    made: list[str] = []
    quote, depth, end = "", 0, len(text)
    while place < end:
        letter = text[place]
        if letter == "\\" and place + 1 < end:
            made.append(text[place + 1])
            place += 2
            continue
        if quote:
            quote = "" if letter == quote else quote
            if quote or depth:
                made.append(letter)
        elif letter in "'\"":
            quote = letter
            if depth:
                made.append(letter)
        elif letter == "{":
            depth += 1
            made.append(letter)
        elif letter == "}" and depth:
            depth -= 1
            made.append(letter)
        elif letter.isspace() and not depth:
            break
        else:
            made.append(letter)
        place += 1
    return "".join(made), place


@dataclass(frozen=True, slots=True)
class FaxOptions:
    """What a print job says about its fax.  ``numbers`` as written; ``at``: local unless it has a zone,
    None: now.

    ``silent``: it names no number at all, not even an invalid one.  ``no_time``: what it names as the time
    of sending, and is none.
    """

    numbers: tuple[str, ...] = ()
    silent: bool = False
    cover: str | None = None  # None: the usual; "": none; else a template's name, "standard" the box's own
    quality: Quality | None = None
    at: datetime | None = None
    no_time: str = ""


def read_fax_options(
    options: Mapping[str, str], title: str, destinations: Sequence[str] = (), now: datetime | None = None
) -> FaxOptions:
    """What the options, the job title and IPP's ``destination-uris`` say.

    The first of option, URIs and title that is not empty decides, even if it holds no valid number.
    """
    numbers = _numbers(options, title, destinations)
    time = _plain(options.get("FaxTime", ""))
    at = _time(time, now or datetime.now())
    return FaxOptions(
        numbers=numbers or (),
        silent=numbers is None,
        cover=_cover(options.get("FaxCover", "")),
        quality=_quality(options.get("FaxQuality", "")),
        at=at,
        no_time=time if at is None else "",
    )


def _numbers(options: Mapping[str, str], title: str, destinations: Sequence[str]) -> tuple[str, ...] | None:
    """The valid numbers; None when none is named."""
    prefix = _plain(options.get(PREFIX, ""))
    for name in PHONE:
        written = _plain(options.get(name, ""))
        if written and any(_REST.fullmatch(name) for name in options):
            return ()
        if written:
            return all_numbers([prefix + each for each in numbers_apart(written, commas=False)])
    if destinations:
        return all_numbers([number_of_uri(each) for each in destinations])
    return number_of_title(title) or None


def number_of_title(title: str) -> tuple[str, ...]:
    """The number that a job title names; empty when it names none."""
    found = _TITLE.match(title)
    return all_numbers([found.group(1).strip()]) if found else ()


def numbers_of_file_name(name: str) -> tuple[str, ...]:
    """The numbers that a scanned file's name begins with, such as ``+4930123456_letter.pdf``."""
    found = _FILE_NAME.match(name)
    return all_numbers(found.group(1).split(SEPARATOR)) if found else ()


def all_numbers(written: Sequence[str]) -> tuple[str, ...]:
    """All numbers, or none if one is invalid: such a list waits for a person."""
    numbers = [number_of_uri(each) for each in written]
    if len(numbers) > MOST_NUMBERS or not all(_NUMBER.fullmatch(each) for each in numbers):
        return ()
    return tuple(dict.fromkeys(numbers))


def number_of_uri(uri: str) -> str:
    """The number of a ``tel:`` or ``fax:`` URI (RFC 3966), of its parameters only the extension.

    Other texts are returned unchanged.
    """
    for scheme in _URI_SCHEMES:
        if uri.lower().startswith(scheme):
            number, *parameters = unquote(uri[len(scheme) :]).split(";")
            extension = [each for each in parameters if each.lower().startswith("ext=")]
            return ";".join([number, *extension])
    return uri


def _plain(value: str) -> str:
    """A value without the prefix of a PPD's custom option."""
    value = value.strip()
    if value.startswith("Custom."):
        value = value[len("Custom.") :].strip()
    return "" if value.lower() in _NO_NUMBER else value


def _cover(value: str) -> str | None:
    value = _plain(value) if value.lower() != "none" else "none"
    if not value or value.lower() == "usual":
        return None
    return {"none": "", "false": "", "no": "", "true": "standard", "yes": "standard"}.get(
        value.lower(), value
    )[:64]


def _quality(value: str) -> Quality | None:
    try:
        return Quality(value.lower())
    except ValueError:
        return None


def _time(value: str, now: datetime) -> datetime | None:
    """``22:30`` (the next one) or ``2026-12-01T08:00``, also with a zone; None when it is neither."""
    found = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", value)
    if found:
        at = now.replace(hour=int(found[1]), minute=int(found[2]), second=0, microsecond=0)
        return at if at > now else at + timedelta(days=1)
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None
