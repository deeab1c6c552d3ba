"""Plain types of what the box remembers beside the faxes: who did what, usage, destinations, offers."""

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
    """What was used in some time; ``seconds`` on the line."""

    calls: int = 0
    pages: int = 0
    seconds: float = 0.0


@record
class Destination:
    """What was learned about a number; the dispatcher defines what ``profile`` holds."""

    number: str = fact(limit=64)
    failures: int = fact("dead calls in a row")
    quarantined_until: Moment | None = fact()
    profile: Mapping[str, Any] = fact("what was learned")
    updated_at: Moment = fact()


@dataclass(frozen=True, slots=True)
class Program:
    """A stored document under a name, ready to be sent (an idea of the ICTFax style interface)."""

    id: int
    owner: str
    name: str
    document_id: int
    created_at: float


class NameTakenError(ValueError):
    """There is an offer of this name."""


class TooManyError(ValueError):
    """There are as many offers as there may be."""


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
    """What ended in a slot of time that begins at Unix time ``at``."""

    at: int
    faxes: int
    pages: int
    seconds: float  # on the line


@dataclass(frozen=True, slots=True)
class Success:
    """Faxes to send by something: ``delivered`` of ``faxes`` that ended otherwise than cancelled."""

    name: str
    faxes: int
    delivered: int
    pages: int = 0


@dataclass(frozen=True, slots=True)
class Statistics:
    """Sums of what ended within some time."""

    sent: list[Slot]  # delivered
    received: list[Slot]
    lines: list[Success]
    causes: list[tuple[str, int]]  # of faxes that failed or of which nobody knows: code, how many
    destinations: list[Success]  # by number, those with the most faxes
