"""A delivery in the outbox: a message or document that is sent because of an event of a fax."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any

from appliance.records import URL, Moment, ValueKind, fact, hidden, record

SECONDS = ValueKind("list", read=lambda text: tuple(json.loads(text)), write=json.dumps)


class OutboxState(Enum):
    """Where a delivery is."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"  # the timetable is exhausted
    DROPPED = "dropped"  # removed by a person or because of the settings


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A delivery to make: ``kind`` selects the code for it, ``target`` is where, ``payload`` what (JSON).

    ``timetable``: seconds to wait after each failed try; after the last one the delivery has failed.
    """

    kind: str  # webhook, email, printer, folder…
    target: str
    payload: Mapping[str, Any]
    timetable: tuple[float, ...]
    fax_id: int | None = None
    owner: str = ""
    not_before: float = 0.0


@record
class Delivery:
    """A delivery in the outbox; ``timetable`` is that of ``NewDelivery``."""

    id: int = fact(least=1)
    kind: str = fact()
    target: Annotated[str, URL] = fact(
        "whom it is for: an address, a folder; a password in it is not shown", limit=2000
    )
    payload: Mapping[str, Any] = hidden()
    timetable: Annotated[tuple[float, ...], SECONDS] = hidden()
    fax_id: int | None = fact("the fax that it is about")
    owner: str = fact(limit=64)
    state: OutboxState = fact()
    tries: int = hidden()
    next_try_at: Moment = fact(when=lambda delivery: delivery.state is OutboxState.PENDING)
    created_at: Moment = fact()
    ended_at: Moment | None = fact()
    last_error: str = fact(limit=2000)

    @property
    def handed_over(self) -> int:
        """How often it was handed to a program that makes it in its own time, such as CUPS."""
        return int(self.payload.get("handed_over", 0))

    @property
    def repeats(self) -> int:
        """How often a person had it made again after it was done."""
        return int(self.payload.get("repeats", 0))


@record
class DeliveryTry:
    """One try of a delivery; ``detail`` is the target's answer."""

    number: int = fact(least=1)
    at: Moment = fact()
    ok: bool = fact()
    detail: str = fact(limit=2000)


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Which deliveries to list; empty or None: any.  Newest first; ``before_id``: those with smaller ids."""

    kind: str = ""
    owner: str = ""
    states: frozenset[OutboxState] = frozenset()
    fax_id: int | None = None
    before_id: int | None = None
    limit: int = 50
