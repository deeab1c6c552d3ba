"""Transmissions over jobs: one id for all sendings of the same fax.

A transmission has the id of the job that was made first.  A job that ended never starts again; a
transmission that is sent again gets a further job, made as a repeat of the first and marked in its
metadata, and shows as the latest of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from appliance.api.auth import Caller
from appliance.api.ictfax.objects import MARK, ORIGIN
from appliance.api.problems import ProblemError
from appliance.box import Box
from appliance.records import shared
from appliance.services.causes import STATE_FORBIDS
from appliance.services.faxes import Request
from appliance.services.rules import To
from appliance.spool.errors import IllegalTransitionError, NotFoundError
from appliance.spool.filters import JobFilter, every
from appliance.spool.model import Attempt, Handed, Job, JobState

# Jobs searched at once, and at most, to answer one listing.
PAGE = 500
SCAN_LIMIT = 20_000
ENDED_BADLY = frozenset({JobState.FAILED, JobState.CANCELLED, JobState.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Transmission:
    """``root`` gave it its id, ``job`` is its latest sending, ``sendings`` all of them, in order."""

    root: Job
    sendings: tuple[Job, ...]

    @property
    def job(self) -> Job:
        """The newest job of the transmission."""
        return self.sendings[-1]

    @property
    def tries(self) -> int:
        """Calls placed for it so far, over all its jobs."""
        return sum(job.tries for job in self.sendings)


class Transmissions:
    """The transmissions as callers of this style handle them."""

    def __init__(self, box: Box) -> None:
        self._box = box

    def get(self, transmission_id: int, caller: Caller) -> Transmission:
        """The transmission with this id.  Raises NotFoundError, also for further jobs, which have no id."""
        root = self._box.faxes.get(transmission_id, caller.sees)
        if _is_further(root):
            raise NotFoundError(f"no transmission {transmission_id}")
        return self._whole(root)

    def search(self, wanted: JobFilter) -> Iterator[Transmission]:
        """The transmissions that match, newest first, as far as ``SCAN_LIMIT`` jobs back."""
        for job in islice(every(self._box.faxes.search, replace(wanted, limit=PAGE)), SCAN_LIMIT):
            if not _is_further(job):
                yield self._whole(job)

    def _whole(self, root: Job) -> Transmission:
        # Only what ended without success is ever sent again, so nothing else is searched.
        again: list[Job] = []
        if root.origin == ORIGIN and root.state in ENDED_BADLY:
            again = [job for job in self._box.faxes.resends(root.id) if job.metadata.get(MARK) == root.id]
        return Transmission(root, (root, *again))

    def document_of(self, job: Job) -> int:
        """The id of the document that a job sends."""
        return self._box.faxes.submission(job).document_id

    def attempts(self, transmission: Transmission) -> list[Attempt]:
        """All calls, in order."""
        return [call for job in transmission.sendings for call in self._box.faxes.attempts(job.id)]

    # -- what their owners do ------------------------------------------------------------------

    def send(self, transmission: Transmission, caller: Caller, at: float | None = None) -> Job:
        """Sends at once, or at Unix time ``at``; one that failed is sent again.

        Raises ProblemError for one that was delivered, and as ``Box.submit``.
        """
        job = transmission.job
        match job.state:
            case JobState.HELD:
                return self._box.faxes.release(job.id, None, self._box.clock() if at is None else at)
            case JobState.WAITING | JobState.PREPARING:
                return self._sooner(job, at)
            case JobState.SENDING if at is None:
                return job
            case JobState.FAILED | JobState.CANCELLED | JobState.UNKNOWN:
                return self._again(transmission, caller, at=at, held=False)
        raise ProblemError(
            STATE_FORBIDS, f"transmission {transmission.root.id} is {transmission.job.state.value}"
        )

    def _sooner(self, job: Job, at: float | None) -> Job:
        """Moves a waiting job to now or ``at``; changes nothing if its call has just begun."""
        try:
            return self._box.faxes.retry(job.id, at=at)
        except IllegalTransitionError:
            if at is not None:
                raise
            return self._box.faxes.get(job.id)

    def unschedule(self, transmission: Transmission, caller: Caller) -> bool:
        """Takes back a scheduled sending: the transmission waits for ``send`` again.

        False when none was scheduled.
        """
        job = transmission.job
        if job.state not in (JobState.PREPARING, JobState.WAITING) or job.tries:
            return False
        if job.scheduled_at <= self._box.clock():
            return False
        self._box.faxes.cancel(job.id)
        self._again(transmission, caller, at=None, held=True)
        return True

    def _again(self, transmission: Transmission, caller: Caller, *, at: float | None, held: bool) -> Job:
        root, latest = transmission.root, transmission.job
        document_id = self.document_of(latest)
        kept = shared(latest, Handed) | {
            "options": self._box.rules.options_again(latest),
            "key": caller.key or latest.key,
            "origin": ORIGIN,
            "metadata": {**latest.metadata, MARK: root.id},
            "resent_from": root.id,
        }
        request = Request(
            **kept,
            to=(To(latest.given, latest.name, latest.company),),
            document_id=document_id,
            scheduled_at=at,
            held=held,
            # Two simultaneous requests make one further sending.
            idempotency_key=f"transmission {root.id}, sending {len(transmission.sendings) + 1}",
            idempotency_digest="held" if held else "sent",
        )
        return self._box.faxes.submit(request).jobs[0]


def _is_further(job: Job) -> bool:
    return job.origin == ORIGIN and MARK in job.metadata
