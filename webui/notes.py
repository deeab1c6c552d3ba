"""Notes on a fax, as its page shows them."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.spool.model import Job, Received
from webui.visit import Visit


@dataclass(frozen=True, slots=True)
class NoteView:
    """A note; ``removable``: whether the reader may remove it."""

    id: int
    at: float
    writer: str
    text: str
    removable: bool


def notes(visit: Visit, fax: Job | Received) -> list[NoteView]:
    """The notes on a fax as the page shows them."""
    return [
        NoteView(
            note.id,
            note.at,
            note.who.partition(":")[2] or note.who,
            note.text,
            note.who == visit.who.who or visit.may("admin"),
        )
        for note in visit.box.notes.of(fax)
    ]
