"""Which faxes a list holds, which of them a person may see, and a walk through a list of any length."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from appliance.spool.model import Job, JobState, Received

Fax = TypeVar("Fax", Job, Received)


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs to list; empty or None: any.  Newest first; ``before_id``: those with smaller ids."""

    owner: str = ""
    states: frozenset[JobState] = frozenset()
    number: str = ""
    tag: str = ""
    origin: str = ""
    without_number: bool = False  # only those not ended that nobody gave a number
    erased: bool = True  # those whose content was erased, too
    text: str = ""  # words of three or more letters in number, name, company, tag or subject
    submission_id: int | None = None
    metadata: tuple[tuple[str, str], ...] = ()  # all of these names with these values
    since: float | None = None  # created at or after
    until: float | None = None  # created before
    before_id: int | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Sight:
    """Which received faxes a person may see: those assigned to ``owners``, those to numbers that begin with
    one of ``dialled``, and with ``unassigned`` those that are assigned to nobody.
    """

    owners: tuple[str, ...]
    dialled: tuple[str, ...] = ()
    unassigned: bool = False

    def covers(self, fax: Received) -> bool:
        """Whether this person may see ``fax``."""
        return (
            fax.owner in self.owners
            or (self.unassigned and not fax.owner)
            or any(fax.dialled.startswith(number) for number in self.dialled)
        )


@dataclass(frozen=True, slots=True)
class ReceivedFilter:
    """Which received faxes to list; newest first; ``before_id``: those with smaller ids."""

    owner: str | None = None  # theirs, and those that were given to nobody
    sight: Sight | None = None  # those that this reader may see; in place of ``owner``
    read: bool | None = None
    text: str = ""  # words of three or more letters in number, name or station id
    caller: str = ""
    dialled: str = ""
    since: float | None = None
    until: float | None = None
    before_id: int | None = None
    empty: bool = False  # calls that brought no page, too
    limit: int = 50


Filter = TypeVar("Filter", JobFilter, ReceivedFilter)


def every(search: Callable[[Filter], list[Fax]], wanted: Filter) -> Iterator[Fax]:
    """All faxes that ``search`` finds, newest first, read ``wanted.limit`` at a time."""
    while True:
        found = search(wanted)
        yield from found
        if len(found) < wanted.limit:
            return
        wanted = replace(wanted, before_id=found[-1].id)
