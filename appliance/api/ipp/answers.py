"""Building answers: the attributes that a client wants, and refusals in IPP's terms."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from appliance.api.causes import REQUEST_TOO_LARGE
from appliance.api.ipp.asked import OBEYED, RequestedFax
from appliance.api.ipp.words import IppError, Status
from appliance.causes import Cause, in_words
from appliance.ipp.model import Attributes, Group, GroupTag, Message, Tag, Value
from appliance.language import ENGLISH, said, spoken
from appliance.services.causes import NOT_PERMITTED, QUOTA_SPENT

_REFUSALS = {
    NOT_PERMITTED.code: Status.FORBIDDEN,
    QUOTA_SPENT.code: Status.ACCOUNT_LIMIT,
    REQUEST_TOO_LARGE.code: Status.TOO_LARGE,
}
# A printer's attributes about one that a job may have (RFC 8011 5.2).
_ABOUT = re.compile(r"-(?:default|supported|ready|database)\Z")
# Job template attributes: what may be asked of a job, without its name; and, of PWG 5100.15, retry-info's.
_TEMPLATE = frozenset(OBEYED) - {"job-name"} | {
    "confirmation-sheet-print",
    "number-of-retries",
    "retry-interval",
    "retry-time-out",
}
# Attributes that are returned only when they are named (PWG 5100.7 6.4).
_ON_DEMAND = frozenset({"media-col-database"})


def limited(found: Mapping[str, Sequence[Value]], wanted: frozenset[str]) -> dict[str, Sequence[Value]]:
    """The attributes that ``requested-attributes`` chooses by name or group (RFC 8011 4.2.5.1, 4.3.4.1)."""
    return {
        name: values
        for name, values in found.items()
        if name in wanted or (name not in _ON_DEMAND and wanted & _groups_of(name))
    }


def _groups_of(name: str) -> frozenset[str]:
    if _ABOUT.sub("", name) in _TEMPLATE:
        return frozenset({"all", "job-template"})
    return frozenset({"all", "printer-description", "job-description"})


def status_for(asked: RequestedFax) -> Status:
    """The status of a success: whether all attributes were honoured."""
    return Status.OK_IGNORED if asked.unsupported else Status.OK


def refused(cause: Cause, detail: str = "") -> IppError:
    """A cause as the error that ends a request."""
    return IppError(_REFUSALS.get(cause.code, Status.NOT_POSSIBLE), in_words(said(cause.sentence), detail))


def refusal(request: Message, error: IppError) -> Message:
    """The answer to a request that ended with ``error``."""
    return answer_to(request, error.status, (), error.unsupported, str(error))


def answer_to(
    request: Message,
    status: Status,
    groups: Sequence[Group] = (),
    unsupported: Attributes | None = None,
    sentence: str = "",
) -> Message:
    """The response to ``request`` with this status; ``sentence`` becomes its status-message (255 octets)."""
    told: dict[str, Sequence[Value]] = {
        "attributes-charset": (Value(Tag.CHARSET, "utf-8"),),
        "attributes-natural-language": (Value(Tag.LANGUAGE, spoken() or ENGLISH),),
    }
    if sentence:
        told["status-message"] = (Value(Tag.TEXT, sentence.encode()[:255].decode(errors="ignore")),)
    made = [Group(GroupTag.OPERATION, told)]
    if unsupported:
        made.append(Group(GroupTag.UNSUPPORTED, unsupported))
    return replace(request, version=_version(request), code=status, groups=(*made, *groups))


def _version(request: Message) -> tuple[int, int]:
    """RFC 8011 4.1.8: the request's version, limited to those we support."""
    return request.version if request.version in ((1, 0), (1, 1), (2, 0)) else (2, 0)
