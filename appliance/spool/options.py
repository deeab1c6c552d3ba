"""Options of a submission, and their form in the database: JSON with the given ones only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from enum import Enum
from typing import Any

from appliance import at_rest
from appliance.records import ValueKind
from appliance.remarks import Rule
from appliance.t4.page import Resolution


class Resume(Enum):
    """What a later attempt sends when earlier pages were confirmed."""

    REST = "rest"
    ALL = "all"


class UnknownRule(Enum):
    """What to do with a job that was interrupted between its last page and the confirmation."""

    ASK = "ask"  # stay unknown until a person decides
    RESEND = "resend"  # send again: may arrive twice
    ASSUME_DELIVERED = "assume_delivered"  # may never have arrived


class Quality(Enum):
    """The resolutions that a sender chooses from."""

    STANDARD = "standard"  # 204 × 98
    FINE = "fine"  # 204 × 196
    SUPERFINE = "superfine"  # 204 × 391
    R300 = "300"
    R400 = "400"

    @property
    def resolution(self) -> Resolution:
        """The page resolution that it stands for."""
        return Resolution[self.name]


@dataclass(frozen=True, slots=True)
class Cover:
    """A cover page; ``template`` names one of the box's templates, empty for the box's own page."""

    template: str = ""
    subject: str = ""
    from_name: str = ""
    to_name: str = ""
    message: str = ""
    to_company: str = ""


@dataclass(frozen=True, slots=True)
class SendOptions:
    """How a submission is to be sent.  None or empty: as the box's settings say."""

    quality: Quality | None = None
    cover: Cover | None = None  # None: the sender's usual one, if there is any
    no_cover: bool = False  # no cover page, not even the usual one
    header: str | None = None  # text of the header line; "" for none, None for the box's own
    station_id: str = ""  # TSI, up to 20 of digits, + and space
    caller_number: str = ""  # caller id to show, must be one the owner may use
    caller_name: str = ""
    withhold_number: bool = False  # neither caller id nor TSI for this fax
    sub_address: str = ""  # SUB
    password: str = ""  # PWD
    ecm: bool | None = None
    max_bit_rate: int | None = None  # bits a second
    lines: tuple[str, ...] = ()  # only these lines, in this order
    max_tries: int | None = None
    retry_waits: tuple[float, ...] | None = None  # after each failed try, s, in place of the box's timetables
    resume: Resume | None = None
    unknown_rule: UnknownRule | None = None
    treatment: str = ""  # "text", "photo": how grey becomes black and white; empty: automatic
    straighten: bool | None = None  # photographs of pages: every picture, or none; None: as cameras say
    darkness: int = 0  # of the pages, -100 (lighter) to 100 (darker)
    made: str = ""  # folder of pages that were made and seen before, relative to the data folder
    made_for: str = ""  # the number as it was written, when a cover page names it
    when_lost: Rule | None = None  # something of the document is not on the pages
    callback_events: tuple[str, ...] = ()  # what its callback URL is told of; empty: how it ended
    callback_pdf: bool = False  # with the fax as PDF
    bad_files: Rule | None = None  # one of several files cannot be faxed: send or hold what is left


_DEFAULTS = {field.name: field.default for field in fields(SendOptions)}
_ENUMS: dict[str, type[Enum]] = {
    "quality": Quality,
    "resume": Resume,
    "unknown_rule": UnknownRule,
    "when_lost": Rule,
    "bad_files": Rule,
}


def options_json(options: SendOptions) -> str:
    """SendOptions as JSON."""
    given: dict[str, Any] = {}
    for name, default in _DEFAULTS.items():
        value = getattr(options, name)
        if value == default:
            continue
        if isinstance(value, Enum):
            value = value.value
        elif isinstance(value, Cover):
            value = asdict(value)
        given[name] = value
    return json.dumps(given)


def options_of(given: Mapping[str, Any]) -> SendOptions:
    """The options with these values of JSON; those that are not given are as the box's settings say."""
    values = dict(given)
    for name, value in given.items():
        if name in _ENUMS:
            values[name] = _ENUMS[name](value)
        elif name == "cover":
            values[name] = Cover(**value)
        elif isinstance(value, list):
            values[name] = tuple(value)
    return SendOptions(**values)


def options_from_json(text: str) -> SendOptions:
    """The inverse of ``options_json``."""
    options = options_of(json.loads(text))
    if options.cover is None:
        return options
    return replace(options, cover=replace(options.cover, message=at_rest.open_text(options.cover.message)))


OPTIONS = ValueKind("options", read=options_from_json, write=options_json)
