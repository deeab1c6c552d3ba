"""``Notes``: notes that people write on faxes, for everyone who may see the fax."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from appliance import at_rest
from appliance.services.causes import STATE_FORBIDS, TOO_MANY_NOTES
from appliance.services.rules import Clock, RefusedError
from appliance.spool import notes
from appliance.spool.model import Job, Note, Received
from appliance.spool.store import Spool
from appliance.spool.transaction import Tx


@dataclass(frozen=True, slots=True)
class Notes:
    """Reads, writes and removes the notes on a fax; the caller has checked who may see the fax."""

    spool: Spool
    clock: Clock

    def of(self, fax: Job | Received) -> list[Note]:
        """The notes on a fax, oldest first."""
        return self.spool.read(notes.of_fax, fax.id)

    def counts(self, fax_ids: Sequence[int]) -> dict[int, int]:
        """How many notes each of these faxes has; those without any are left out."""
        return self.spool.read(notes.counts, fax_ids)

    def get(self, fax: Job | Received, note_id: int) -> Note:
        """Raises NotFoundError."""
        return self.spool.read(notes.get, fax.id, note_id)

    def add(self, fax: Job | Received, who: str, text: str) -> Note:
        """Adds a note to a fax; searches find the fax by its words, unless the box encrypts stored data.

        Raises RefusedError for a fax that is erased or has the most notes.
        """
        if fax.erased_at is not None:
            raise RefusedError(STATE_FORBIDS, "the fax was erased")
        stored = at_rest.seal_text(self.spool.data, text)

        def write(tx: Tx) -> Note:
            made = notes.add(tx, fax.id, who, stored, self.clock())
            self._tell(tx, fax)
            return made

        try:
            return self.spool.do(write)
        except notes.TooManyNotesError:
            raise RefusedError(TOO_MANY_NOTES, f"at most {notes.MOST_NOTES}") from None

    def remove(self, fax: Job | Received, note_id: int) -> None:
        """Raises NotFoundError."""

        def write(tx: Tx) -> None:
            notes.get(tx.db, fax.id, note_id)
            notes.remove(tx, note_id)
            self._tell(tx, fax)

        self.spool.do(write)

    def _tell(self, tx: Tx, fax: Job | Received) -> None:
        kind = "job.changed" if isinstance(fax, Job) else "received.changed"
        tx.emit(self.clock(), kind, fax.id, fax.owner, notes=len(notes.of_fax(tx.db, fax.id)))
