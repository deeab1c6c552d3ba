"""``Faxes``: hands in faxes to send, and finds and changes them for their owners."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from appliance import at_rest
from appliance.documents.causes import DOCUMENT_GONE
from appliance.language import one_line
from appliance.records import record, shared
from appliance.services.causes import NOT_PERMITTED
from appliance.services.documents import Documents
from appliance.services.rules import Clock, RefusedError, Rules, To, require_owned
from appliance.spool import accepting, decisions, jobs, stats
from appliance.spool.errors import NotFoundError
from appliance.spool.filters import JobFilter
from appliance.spool.model import (
    NO_NUMBER,
    Attempt,
    Handed,
    Job,
    JobState,
    NewSubmission,
    SourceFile,
    Submission,
)
from appliance.spool.options import SendOptions, UnknownRule
from appliance.spool.settings import SendingSettings
from appliance.spool.store import Spool


@record
class Request(Handed):
    """A fax that a door hands in: ``files`` (stored with ``Documents.store_file``) or ``document_id``.

    ``owner`` is the user or key account it runs under; ``key`` the API key's name, for its quota.  A
    document that came ``without_number`` is kept until ``Faxes.give_numbers`` sets one.
    """

    to: tuple[To, ...]
    files: tuple[SourceFile, ...] = ()
    document_id: int | None = None
    scheduled_at: float | None = None  # Unix time; None: now
    lifetime_s: float | None = None  # None: as the settings say
    idempotency_key: str = ""
    idempotency_digest: str = ""
    held: bool = False  # its pages are made only once it is released
    hold: bool = False  # its pages are made; it is sent once it is released
    without_number: bool = False


@dataclass(frozen=True, slots=True)
class Submitted:
    """A result of `Faxes.submit`.  ``repeated``: the same request came before, and these are its jobs."""

    submission_id: int
    uuid: str
    jobs: tuple[Job, ...]
    repeated: bool


@dataclass(frozen=True, slots=True)
class Faxes:
    """Takes faxes to send, finds, reschedules, releases and cancels them, and sends them again.

    With an ``owner`` a method finds only that owner's faxes, with None everybody's.
    """

    spool: Spool
    rules: Rules
    documents: Documents
    clock: Clock

    # -- handing in ----------------------------------------------------------------------------

    def submit(self, request: Request) -> Submitted:
        """Accepts a fax to each recipient; it is on disk when this returns.

        Missing options get the owner's defaults: tag, caller id, station id, cover page.  A request that came
        before gets the faxes that it made then, whatever quota, rules or space say by now.

        Raises RefusedError (number, quota, document gone, a number to show or a cover template that is not
        the owner's to use), IdempotencyError, DiskFullError, NotFoundError for an unknown document,
        ValueError without recipients or document.
        """
        earlier = self.handed_in(request.owner, request.idempotency_key, request.idempotency_digest)
        if earlier is not None:
            self.documents.discard_files(request.files)
            return earlier
        rules = self.rules
        rules.require_room()
        if not rules.accounts.may_send(request.owner):
            raise RefusedError(NOT_PERMITTED)
        if bool(request.to) == request.without_number or (request.held and request.without_number):
            raise ValueError("a fax has recipients, or comes without a number on purpose")
        if (request.document_id is None) == (not request.files):
            raise ValueError("a fax has either files or a stored document")
        recipients = rules.recipients(request.to, request.options.lines) or (NO_NUMBER,)
        request = replace(
            request,
            options=rules.completed(request.owner, request.options),
            tag=one_line(request.tag) or rules.accounts.usual_tag(request.owner),
            from_user=one_line(request.from_user),
            from_computer=one_line(request.from_computer),
        )
        rules.require_quota(request.owner, request.key, len(recipients))
        sending = rules.settings.section(SendingSettings)
        lifetime = request.lifetime_s if request.lifetime_s is not None else sending.lifetime_hours * 3600
        new = NewSubmission(
            **{**shared(request, Handed), "options": self._stored(request.options)},
            recipients=recipients,
            document_id=request.document_id or 0,
            scheduled_at=request.scheduled_at,
            lifetime_s=lifetime,
            idempotency_key=request.idempotency_key,
            idempotency_digest=request.idempotency_digest,
            held=request.held,
            hold=request.hold,
        )
        accepted, made = self.spool.do(accepting.accept_with_files, new, request.files, self.clock())
        if accepted.repeated:
            self.documents.discard_files(request.files)
        return Submitted(accepted.submission_id, accepted.uuid, made, accepted.repeated)

    def _stored(self, options: SendOptions) -> SendOptions:
        """The options for the index: the cover page's message is encrypted if documents are."""
        if options.cover is None:
            return options
        message = at_rest.seal_text(self.spool.data, options.cover.message)
        return replace(options, cover=replace(options.cover, message=message))

    def handed_in(self, owner: str, idempotency_key: str, digest: str) -> Submitted | None:
        """The earlier submission of ``owner`` with this key; None when there is none, or without a key.

        Raises IdempotencyError when its request had another ``digest``.
        """
        if not idempotency_key:
            return None
        found = self.spool.read(accepting.handed_in, owner, idempotency_key, digest)
        if found is None:
            return None
        made = tuple(self.get(job_id) for job_id in found.job_ids)
        return Submitted(found.submission_id, found.uuid, made, repeated=True)

    def resend(
        self,
        job_id: int,
        *,
        number: str | None = None,
        owner: str | None = None,
        origin: str = "rest",
        key: str = "",
        idempotency_key: str = "",
    ) -> Job:
        """Sends a fax again as a new job, to the same number or another.

        A repeated ``idempotency_key`` returns the same job.  Raises RefusedError when its document is
        gone or the number is not dialled.
        """
        old = self.get(job_id, owner)
        kept = shared(old, Handed) | {
            "options": self.rules.options_again(old),
            "key": key or old.key,
            "origin": origin,
            "resent_from": old.id,
        }
        request = Request(
            **kept,
            to=(To(number) if number else To(old.given, old.name, old.company),),
            document_id=self.submission(old).document_id,
            idempotency_key=idempotency_key,
            idempotency_digest=f"{old.id} to {number or ''}" if idempotency_key else "",
        )
        if number is not None and request.options.cover is not None:
            cover = replace(request.options.cover, to_name="", to_company="")
            request = replace(request, options=replace(request.options, cover=cover))
        try:
            return self.submit(request).jobs[0]
        except NotFoundError:
            raise RefusedError(DOCUMENT_GONE) from None

    def give_numbers(
        self, job_id: int, to: Sequence[To], owner: str | None = None, *, scheduled_at: float | None = None
    ) -> list[Job]:
        """Sets the recipients of a document that came without a number, and hands it in.

        The first recipient gets the existing job, each further one a new one.  Raises
        RefusedError (number, quota), IllegalTransitionError when it has a number.
        """
        job = self.get(job_id, owner)
        self.rules.require_room()
        recipients = self.rules.recipients(to, job.options.lines)
        self.rules.require_quota(job.owner, job.key)
        return self.spool.do(
            accepting.give_numbers, job_id, recipients, self.clock(), scheduled_at=scheduled_at
        )

    # -- reading -------------------------------------------------------------------------------

    def get(self, job_id: int, owner: str | None = None) -> Job:
        """Raises NotFoundError."""
        return require_owned(self.spool.read(jobs.get, job_id), owner, "fax")

    def search(self, wanted: JobFilter) -> list[Job]:
        """The jobs that match, newest first; page on with ``before_id``."""
        return self.spool.read(jobs.search, wanted)

    def with_attempts(self, job_id: int, owner: str | None = None) -> tuple[Job, list[Attempt]]:
        """A job and its calls, first to last, in one consistent read.  Raises NotFoundError."""
        job, attempts = self.spool.read(jobs.with_attempts, job_id)
        require_owned(job, owner, "fax")
        return job, attempts

    def attempts(self, job_id: int, owner: str | None = None) -> list[Attempt]:
        """The calls of a job, first to last.  Raises NotFoundError."""
        return self.with_attempts(job_id, owner)[1]

    def submission(self, job: Job) -> Submission:
        """The submission of the job."""
        return self.spool.read(jobs.get_submission, job.submission_id)

    def resends(self, job_id: int) -> list[Job]:
        """The jobs that resend ``job_id``, first to last."""
        return self.spool.read(jobs.resends, job_id)

    def counts(self, owner: str | None) -> dict[str, int]:
        """How many faxes of ``owner`` (None: of anybody) are in each state, by the state's word."""
        return self.spool.read(stats.by_state, owner)

    def counts_of(self, submission_ids: Sequence[int]) -> dict[JobState, int]:
        """How many faxes of these submissions are in each state."""
        found = self.spool.read(stats.by_state_of, submission_ids)
        return {JobState(word): count for word, count in found.items()}

    # -- what owners do ------------------------------------------------------------------------

    def cancel(self, job_id: int, owner: str | None = None) -> Job:
        """Ends a job; a running call is ended within seconds (its state is SENDING until then)."""
        self.get(job_id, owner)
        return self.spool.do(decisions.cancel, job_id, self.clock())

    def retry(self, job_id: int, owner: str | None = None, *, at: float | None = None) -> Job:
        """Tries a waiting job at Unix time ``at``; None: at once."""
        self.get(job_id, owner)
        now = self.clock()
        return self.spool.do(decisions.reschedule, job_id, now if at is None else at, now)

    def hold(self, job_id: int, owner: str | None = None) -> Job:
        """Holds a job that is not yet in a call until ``release``.  Raises IllegalTransitionError."""
        self.get(job_id, owner)
        return self.spool.do(accepting.hold, job_id, self.clock())

    def release(self, job_id: int, owner: str | None = None, scheduled_at: float | None = None) -> Job:
        """Releases a held job."""
        job = self.get(job_id, owner)
        self.rules.require_room()
        self.rules.require_quota(job.owner, job.key)
        return self.spool.do(accepting.release, job_id, self.clock(), scheduled_at)

    def rewrite_held(self, job_id: int, to: To, document_id: int, handed: Handed) -> Job:
        """Changes a held job's recipient and document, and its options and metadata to those of ``handed``.

        Raises RefusedError (number), IllegalTransitionError unless it is held without pages and alone.
        """
        recipient = self.rules.recipient(to, handed.options.lines)
        stored = replace(handed, options=self._stored(handed.options))
        return self.spool.do(accepting.rewrite_held, job_id, recipient, document_id, handed=stored)

    def settle_unknown(self, job_id: int, rule: UnknownRule, owner: str | None = None) -> Job:
        """Applies ``rule`` to a job whose delivery is unknown."""
        self.get(job_id, owner)
        return self.spool.do(decisions.settle_unknown, job_id, rule, self.clock())
