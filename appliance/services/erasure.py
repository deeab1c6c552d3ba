"""``Erasure``: permanently erases faxes, for every door."""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass

from appliance import at_rest
from appliance.services.faxes import Faxes
from appliance.services.inbox import Inbox
from appliance.services.rules import Clock, RefusedError, Rules
from appliance.spool import erasure
from appliance.spool.erasure import Erased
from appliance.spool.model import DAY_S
from appliance.spool.store import Spool

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Erasure:
    """Permanently erases faxes and their files.  A fax that is under way is never erased."""

    spool: Spool
    faxes: Faxes
    inbox: Inbox
    rules: Rules
    clock: Clock

    def fax(self, job_id: int, owner: str | None = None) -> None:
        """Erases a sent fax.  Raises NotFoundError, IllegalTransitionError for one that is under way."""
        self.faxes.get(job_id, owner)
        self.spool.do(erasure.erase_job, job_id, self.clock())
        self.finish()

    def received(self, received_id: int, owner: str | None = None) -> None:
        """Erases a received fax, deleted before or not.  Raises NotFoundError, IllegalTransitionError."""
        self.inbox.get(received_id, owner, deleted=True)
        self.spool.do(erasure.erase_received, received_id, self.clock())
        self.finish()

    def number(self, number: str) -> Erased:
        """Erases everything about a number except faxes under way, whose number is ``left``.

        ``number``: in any spelling.
        """
        faxes = received = left = 0
        for form in self._forms(number):
            while True:
                done = self.spool.do(erasure.erase_number, form, self.clock())
                faxes, received = faxes + done.faxes, received + done.received
                if not (done.faxes or done.received):
                    break
            left += done.left
        self.finish()
        return Erased(faxes, received, left)

    def _forms(self, written: str) -> set[str]:
        """The forms of a number that the index may contain: as written, and normalised."""
        with contextlib.suppress(RefusedError):  # callers may have numbers that are not dialled
            return {written, self.rules.number(written).dial}
        return {written}

    def due(self, keep_days: dict[str, float], now: float) -> int:
        """Erases expired faxes, by the rules and by ``keep_days`` of users; returns their number.

        ``now``: the time that ages are counted from.
        """
        count = 0
        while found := self.spool.read(erasure.due_received, now):
            for received_id in found:
                self.spool.do(erasure.erase_received, received_id, now)
            count += len(found)
        for owner, days in keep_days.items():
            while found := self.spool.read(erasure.due_jobs, owner, now - days * DAY_S, now):
                for job_id in found:
                    self.spool.do(erasure.erase_job, job_id, now)
                count += len(found)
        if count:
            self.finish()
        else:
            self.shred()
        return count

    def finish(self) -> None:
        """Destroys the files of erased faxes, and the copies and logs of the index that still contain
        them.
        """
        self.shred()
        self.spool.forget_past()

    def shred(self) -> None:
        """Overwrites and deletes the files of erased faxes; failures are tried again later."""
        for path in self.spool.read(erasure.to_shred):
            try:
                at_rest.shred(self.spool.data / path)
            except OSError as error:
                _log.error("%s could not be erased and is tried again: %s", path, error)
                continue
            self.spool.do(erasure.shredded, path)
