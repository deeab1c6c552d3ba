"""A delivery in the outbox: what is told or handed on when something happened to a fax."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any


class OutboxState(Enum):
    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"  # the timetable is exhausted
    DROPPED = "dropped"  # a person or the settings took it out


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A delivery to make: ``kind`` picks who makes it, ``target`` is where, ``payload`` what (JSON).

    ``timetable``: seconds to wait after each failed try; when it is used up the delivery has failed.
    """

    kind: str  # webhook, email, printer, folder…
    target: str
    payload: Mapping[str, Any]
    timetable: tuple[float, ...]
    fax_id: int | None = None
    owner: str = ""
    not_before: float = 0.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery in the outbox; its times are Unix time; ``timetable`` is that of ``NewDelivery``."""

    id: int
    kind: str
    target: str
    payload: Mapping[str, Any]
    timetable: tuple[float, ...]
    fax_id: int | None
    owner: str
    state: OutboxState
    tries: int
    next_try_at: float
    created_at: float
    ended_at: float | None
    last_error: str


@dataclass(frozen=True, slots=True)
class DeliveryTry:
    """One try of a delivery, from 1; ``at`` is Unix time, ``detail`` what was answered."""

    number: int
    at: float
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Which deliveries to list; empty or None: any.  Newest first; ``before_id`` pages on."""

    kind: str = ""
    owner: str = ""
    states: frozenset[OutboxState] = frozenset()
    fax_id: int | None = None
    before_id: int | None = None
    limit: int = 50
