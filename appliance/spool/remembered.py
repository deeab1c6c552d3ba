"""Types of the records beside the faxes: audit log, usage, destinations, offers, sums."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from appliance.records import Moment, fact, hidden, record
from appliance.spool.model import FILES, SourceFile


@record
class AuditEntry:
    """Who did what (``action``) to which ``object``, from which ``address``."""

    id: int = fact(least=1)
    at: Moment = fact()
    who: str = fact()
    action: str = fact(limit=60)
    object: str = fact()
    address: str = fact(limit=60)
    detail: str = fact(limit=2000)


@dataclass(frozen=True, slots=True)
class Usage:
    """Usage in some period; ``seconds``: of calls."""

    calls: int = 0
    pages: int = 0
    seconds: float = 0.0


@record
class Destination:
    """What was learned about a number; the dispatcher defines the content of ``profile``."""

    number: str = fact(limit=64)
    failures: int = fact("dead calls in a row")
    quarantined_until: Moment | None = fact()
    profile: Mapping[str, Any] = fact("what was learned")
    updated_at: Moment = fact()


@dataclass(frozen=True, slots=True)
class Program:
    """A stored document under a name, ready to be sent (of the ICTFax style interface)."""

    id: int
    owner: str
    name: str
    document_id: int
    created_at: float


class NameTakenError(ValueError):
    """An offer of this name exists."""


class TooManyError(ValueError):
    """There are as many offers as allowed."""


@record
class Offer:
    """``name``: what a caller sends as SEP, empty for callers that name nothing."""

    id: int = fact(least=1)
    uuid: str = fact(limit=36)
    owner: str = fact(limit=64)
    name: str = fact(limit=20)
    title: str = fact(limit=255)
    files: Annotated[tuple[SourceFile, ...], FILES] = hidden()
    rendered_path: str = hidden()  # folder of fax pages relative to the data folder
    pages: int = fact(least=1)
    created_at: Moment = fact()
    polled: int = fact("how often it was fetched whole")
    polled_at: Moment | None = fact()


@dataclass(frozen=True, slots=True)
class Slot:
    """Sums over the faxes that ended in a slot of time, which begins at Unix time ``at``."""

    at: int
    faxes: int
    pages: int
    seconds: float  # on the line


@dataclass(frozen=True, slots=True)
class Success:
    """How many (``delivered``) of the ``faxes`` that ended and were not cancelled were delivered, for a
    line or a destination.
    """

    name: str
    faxes: int
    delivered: int
    pages: int = 0


@dataclass(frozen=True, slots=True)
class Statistics:
    """Sums over the faxes that ended within a period."""

    sent: list[Slot]  # delivered
    received: list[Slot]
    lines: list[Success]
    causes: list[tuple[str, int]]  # of faxes that failed or whose result is unknown: code, how many
    destinations: list[Success]  # by number, those with the most faxes
