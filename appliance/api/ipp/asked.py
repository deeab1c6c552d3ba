"""What a print job's attributes say about its fax.  Pure; all attributes are untrusted.

PWG 5100.15: ``destination-uris`` with digits before and after, ``cover-sheet-info``, ``retry-info``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import Enum

from appliance.api.ipp.words import IppError, Status
from appliance.documents.options import clean_line
from appliance.ipp import codec
from appliance.ipp.model import Attributes, Range, Value
from appliance.language import said
from appliance.printing.options import MOST_NUMBERS, all_numbers, number_of_title, number_of_uri
from appliance.spool.options import Cover, Quality

# Characters of one text on a cover page.
TEXT_LIMIT = 1000
# PWG 5100.15 7.2: digits to dial before and after the number.
_DIALLED = re.compile(r"[0-9*#+,;pwPW ()./-]{0,64}")
# RFC 8011 5.2.13: draft, normal, high.
_QUALITIES = {3: Quality.STANDARD, 5: Quality.SUPERFINE}
_MOST_TRIES = 20
# PWG 5100.15 7.1.7: how often a fax is tried again by default, and the wait between tries, seconds.
USUAL_RETRIES = 3
LEAST_INTERVAL_S, MOST_INTERVAL_S = 60, 3600
_MOST_RANGES = 100  # of one job
LARGEST = (1 << 31) - 1  # of IPP's numbers; of a page range: the last page
# Attributes with one value, which is the default.
ONLY = {
    "finishings": codec.enums(3),
    "multiple-document-handling": codec.keywords("single-document"),
    "number-up": codec.integers(1),
    # With face-up output, CUPS and others print the last page first.
    "output-bin": codec.keywords("face-down"),
    "print-content-optimize": codec.keywords("auto"),
    "print-rendering-intent": codec.keywords("auto"),
    "sides": codec.keywords("one-sided"),
}
# RFC 8011 5.2.2: sent at once; held until somebody releases it.
NO_HOLD, INDEFINITE = "no-hold", "indefinite"
# The job's attributes that are honoured, and those that concern only paper and are accepted and ignored.
OBEYED = (
    *ONLY,
    "copies",
    "cover-sheet-info",
    "destination-uris",
    "job-hold-until",
    "job-hold-until-time",
    "job-name",
    "media",
    "media-col",
    "orientation-requested",
    "page-ranges",
    "print-color-mode",
    "print-quality",
    "print-scaling",
    "printer-resolution",
    "retry-info",
)
# The honoured values of attributes that have few.
_VALUES: Mapping[str, frozenset[object]] = {
    "copies": frozenset({1}),
    "job-hold-until": frozenset({NO_HOLD, INDEFINITE}),
    "orientation-requested": frozenset({3, 4, 5, 6}),
    "print-quality": frozenset({3, 4, 5}),
    **{name: frozenset(value.content for value in values) for name, values in ONLY.items()},
}


# Fields that earlier versions did not have.
_LATER = ("hold", "at")


@dataclass(frozen=True, slots=True)
class RequestedFax:
    """``numbers`` empty: a person must name the recipient.  ``unsupported``: attributes not honoured.

    ``silent``: the job names no number at all, not even an invalid one.  ``problem``: why a person must
    look first.
    """

    numbers: tuple[str, ...] = ()
    silent: bool = False
    problem: str = ""
    cover: Cover | None = None
    quality: Quality | None = None
    max_tries: int | None = None
    retry_waits: tuple[float, ...] | None = None
    pages: tuple[str, ...] = ()  # of each document; empty: all
    hold: bool = False  # until somebody releases it
    at: float | None = None  # Unix time of sending; None: now
    unsupported: Attributes = field(default_factory=dict)

    def as_octets(self) -> bytes:
        """The same octets for the same request in every version: repeated jobs are known after an update."""
        facts = asdict(self)
        for name in _LATER:
            if not facts[name]:
                del facts[name]
        return json.dumps(facts, default=_plain, sort_keys=True).encode()


def _plain(value: object) -> object:
    return value.value if isinstance(value, Enum) else str(value)


def read_asked(job: Attributes, title: str, own: Sequence[str] | None = None) -> RequestedFax:
    """What the job's attributes and title say.  ``own``: the numbers of a printer with fixed recipients.

    Raises IppError for page ranges that are none.
    """
    unsupported = {name: values for name, values in job.items() if not _is_obeyed(name, values)}
    if own is not None:
        numbers = tuple(own)
    else:
        numbers, flawed = _numbers(job, title)
        if flawed:
            unsupported["destination-uris"] = job["destination-uris"]
    quality = _first(job, "print-quality")
    retries = _number_in(job, "number-of-retries", 0, _MOST_TRIES - 1)
    interval = _number_in(job, "retry-interval", LEAST_INTERVAL_S, MOST_INTERVAL_S)
    return RequestedFax(
        numbers=numbers,
        silent=own is None and not numbers and "destination-uris" not in job,
        cover=_cover(_collection(job, "cover-sheet-info")),
        quality=_QUALITIES.get(quality.content) if quality and isinstance(quality.content, int) else None,
        max_tries=retries + 1 if retries is not None else None,
        retry_waits=(float(interval),) * (USUAL_RETRIES if retries is None else retries)
        if interval
        else None,
        pages=_pages(job.get("page-ranges", ())),
        hold=any(each.content == INDEFINITE for each in job.get("job-hold-until", ())),
        at=_time(_first(job, "job-hold-until-time")),
        unsupported=unsupported,
    )


def _is_obeyed(name: str, values: Sequence[Value]) -> bool:
    if name == "job-hold-until-time":
        return _time(values[0]) is not None
    few = _VALUES.get(name)
    if few is None:
        return name in OBEYED
    return all(isinstance(each.content, int | str) and each.content in few for each in values)


def _numbers(job: Attributes, title: str) -> tuple[tuple[str, ...], bool]:
    """The numbers, and whether a destination was invalid: then there are no numbers at all."""
    destinations = job.get("destination-uris", ())
    if not destinations:
        return number_of_title(title), False
    found = [_number(each.content) for each in destinations[: MOST_NUMBERS + 1]]
    numbers = all_numbers([each for each in found if each])
    return (numbers, False) if numbers and all(found) and len(found) <= MOST_NUMBERS else ((), True)


def _number(destination: object) -> str:
    """The number of one destination, empty when it has none that can be dialled."""
    if not isinstance(destination, Mapping):
        return ""
    uri = _text(destination, "destination-uri")
    before, after = _text(destination, "pre-dial-string"), _text(destination, "post-dial-string")
    if not uri.lower().startswith(("tel:", "fax:")) or _text(destination, "t33-subaddress"):
        return ""
    if not (_DIALLED.fullmatch(before) and _DIALLED.fullmatch(after)):
        return ""
    if after and after[0] not in ",;pwPW":
        after = f",{after}"  # dialled after the answer
    number = number_of_uri(uri)
    if after:
        number = number.partition(";")[0]  # replaces an extension in the URI
    return before.rstrip(" ,") + number + after


def _pages(ranges: Sequence[Value]) -> tuple[str, ...]:
    """The chosen pages; CUPS writes the largest number for the last page.

    Raises IppError: without a range that is none (RFC 8011 5.2.7) all pages would go out.
    """
    if len(ranges) > _MOST_RANGES:
        raise IppError(Status.BAD_REQUEST, said("There are too many page ranges."))
    found = []
    for value in ranges:
        pages = value.content
        if not isinstance(pages, Range) or not 1 <= pages.least <= pages.most:
            raise IppError(Status.BAD_REQUEST, said("A page range of the request is none."))
        found.append(f"{pages.least}-{'' if pages.most == LARGEST else pages.most}")
    return tuple(found)


def _time(value: Value | None) -> float | None:
    """The Unix time of a value of the syntax dateTime, None for others."""
    return value.content.timestamp() if value is not None and isinstance(value.content, datetime) else None


def _cover(info: Attributes) -> Cover | None:
    if not info:
        return None
    return Cover(
        subject=_text(info, "subject"),
        from_name=_text(info, "from-name"),
        to_name=_text(info, "to-name"),
        to_company=_text(info, "organization-name"),
        message=_text(info, "message"),
    )


def _number_in(job: Attributes, name: str, least: int, most: int) -> int | None:
    """A number of ``retry-info`` limited to ``least`` and ``most``, None when the job has none."""
    value = _first(_collection(job, "retry-info"), name)
    if value is None or type(value.content) is not int:
        return None
    return min(max(value.content, least), most)


def _collection(attributes: Attributes, name: str) -> Attributes:
    value = _first(attributes, name)
    return value.content if value is not None and isinstance(value.content, Mapping) else {}


def _first(attributes: Attributes, name: str) -> Value | None:
    values = attributes.get(name)
    return values[0] if values else None


def _text(attributes: Mapping[str, Sequence[Value]], name: str) -> str:
    value = _first(attributes, name)
    return clean_line(value.text)[:TEXT_LIMIT] if value is not None else ""
