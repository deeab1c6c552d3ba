"""Plain types of what the box remembers beside the faxes: who did what, usage, destinations, offers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from appliance.spool.model import SourceFile


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what (``action``) to which ``object``, from which ``address``; ``at`` is Unix time."""

    id: int
    at: float
    who: str
    action: str
    object: str
    address: str
    detail: str


@dataclass(frozen=True, slots=True)
class Usage:
    """What was used in some time; ``seconds`` on the line."""

    calls: int = 0
    pages: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Destination:
    """What was learned about a number; the dispatcher defines what ``profile`` holds."""

    number: str
    failures: int  # of the kind that ends in quarantine, in a row
    quarantined_until: float | None
    profile: Mapping[str, Any]
    updated_at: float


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


@dataclass(frozen=True, slots=True)
class Offer:
    """``name``: what a caller sends as SEP, empty for callers that name nothing."""

    id: int
    uuid: str
    owner: str
    name: str
    title: str
    files: tuple[SourceFile, ...]
    rendered_path: str  # folder of fax pages relative to the data folder
    pages: int
    created_at: float
    polled: int  # how often it was fetched whole
    polled_at: float | None


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
