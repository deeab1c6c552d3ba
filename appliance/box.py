"""``Box``: the one way into the core for every door (REST, web pages, printing, e-mail).

A door reads what came in, calls a method here, and words the answer; it decides nothing.  All
methods are thread-safe and may block for a disk write, so they are not for the event loop.  With
``owner`` given, a method sees only that owner's faxes: another's are not found.

A method that returns has its effect on disk.  Errors: ``RefusedError`` (the user's mistake or the
box's limits, with a row of the table of causes), ``NotFoundError``, ``IllegalTransitionError`` (the
fax is in a state that does not allow it), ``IdempotencyError``, ``DiskFullError``,
``SpoolClosedError`` (shutting down), ``SettingError``.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from appliance.caller_id_policy import as_station_id, may_show
from appliance.causes import CALLER_NOT_ALLOWED, COVER_TEMPLATE_GONE, DOCUMENT_GONE, QUOTA_SPENT, Cause
from appliance.durable import DiskFullError
from appliance.lines.line import LineKind, LineState
from appliance.numbers import Number, permitted, plan_for, read_number
from appliance.settings.items import STANDARD_COVER, ApiKey, CoverTemplate, LineEntry, User
from appliance.settings.sections import (
    NumberSettings,
    PracticeSettings,
    SendingSettings,
    StationSettings,
    StorageSettings,
)
from appliance.settings.store import SettingsStore
from appliance.spool import documents, events, jobs, ledger, offers, received
from appliance.spool.events import Listener
from appliance.spool.model import (
    Attempt,
    Cover,
    Document,
    Event,
    Job,
    JobFilter,
    JobState,
    NewSubmission,
    NotFoundError,
    Priority,
    Received,
    ReceivedFilter,
    ReceivedPageFile,
    Recipient,
    SendOptions,
    SourceFile,
    SpoolFailedError,
    UnknownRule,
)
from appliance.spool.offers import Offer
from appliance.spool.room import Room, RoomGuard
from appliance.spool.store import FollowUp, Spool

_log = logging.getLogger(__name__)

Clock = Callable[[], float]


class RefusedError(Exception):
    """The box will not do this: ``cause`` is the row that says why, ``detail`` what it was about."""

    def __init__(self, cause: Cause, detail: str = "") -> None:
        super().__init__(f"{cause.sentence} {detail}".strip())
        self.cause = cause
        self.detail = detail


@dataclass(frozen=True, slots=True)
class To:
    """A recipient as somebody wrote it."""

    number: str
    name: str = ""
    company: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """A fax that a door hands in: ``files`` (stored with ``store_file``) or ``document_id``.

    ``owner`` is the user or key account it runs under; ``key`` the API key's name, for its quota.
    """

    owner: str
    to: tuple[To, ...]
    files: tuple[SourceFile, ...] = ()
    document_id: int | None = None
    options: SendOptions = field(default_factory=SendOptions)
    key: str = ""
    origin: str = "rest"
    scheduled_at: float | None = None  # Unix time; None: now
    lifetime_s: float | None = None  # None: as the settings say
    priority: Priority = Priority.NORMAL
    idempotency_key: str = ""
    idempotency_digest: str = ""
    tag: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    callback_url: str = ""
    held: bool = False
    resent_from: int | None = None


@dataclass(frozen=True, slots=True)
class Submitted:
    """``repeated``: the same request came before, these are its jobs."""

    submission_id: int
    uuid: str
    jobs: tuple[Job, ...]
    repeated: bool


@dataclass(frozen=True, slots=True)
class LineReport:
    """A line as people see it."""

    name: str
    kind: LineKind
    state: LineState


@dataclass(frozen=True, slots=True)
class Health:
    """``ok``: faxes are accepted and some line works."""

    ok: bool
    room: Room
    free_octets: int
    started_at: float
    lines: tuple[LineReport, ...]
    jobs: Mapping[JobState, int]  # those not ended
    unread: int


class Box:
    """The settings and the spool in folder ``data``, and what doors may do with them."""

    def __init__(self, data: Path, *, follow_up: FollowUp | None = None, clock: Clock = time.time) -> None:
        self.data = data
        self.clock = clock
        self.settings = SettingsStore(data)
        self.spool = Spool(data, follow_up)
        self.guard = RoomGuard(data)
        self.started_at = clock()
        self._lines_lock = threading.Lock()
        self._lines: tuple[LineReport, ...] = ()
        self._practice_numbers: frozenset[str] = frozenset()
        self._offers: Mapping[str, Offer] = {}
        self.look_at_offers()

    def close(self) -> None:
        self.spool.close()

    # -- handing in ----------------------------------------------------------------------------

    def store_file(
        self,
        content: bytes | Iterable[bytes],
        *,
        name: str,
        media_type: str,
        pages: tuple[str, ...] = (),
        limit: int | None = None,
    ) -> SourceFile:
        """Stores one source file durably, to be named in a request or document.

        Raises DiskFullError, durable.TooLargeError past ``limit`` octets.
        """
        self.require_room(limit or 0)
        return documents.store_file(
            self.spool, content, name=name, media_type=media_type, pages=pages, limit=limit
        )

    def discard_files(self, files: Iterable[SourceFile]) -> None:
        """Deletes stored files that no request came to name (a request that was refused)."""
        documents.discard_files(self.spool, files)

    def submit(self, request: Request) -> Submitted:
        """Accepts a fax: when this returns, it is on disk and will be dealt with.

        What is left out becomes the owner's usual: tag, caller id, station id, cover page.

        Raises RefusedError (number, quota, document gone, a number to show or a cover template that is not
        the owner's to use), IdempotencyError, DiskFullError, NotFoundError for an unknown document,
        ValueError without recipients or document.
        """
        self.require_room()
        if not request.to:
            raise ValueError("a fax without recipients")
        if (request.document_id is None) == (not request.files):
            raise ValueError("a fax has either files or a stored document")
        recipients = tuple(self._recipient(to, request.options.lines) for to in request.to)
        options = self._completed(request.owner, request.options)
        self.require_quota(request.owner, request.key)
        sending = self.settings.section(SendingSettings)
        lifetime = request.lifetime_s if request.lifetime_s is not None else sending.lifetime_hours * 3600
        now = self.clock()
        new = NewSubmission(
            owner=request.owner,
            recipients=recipients,
            document_id=request.document_id or 0,
            options=options,
            key=request.key,
            origin=request.origin,
            scheduled_at=request.scheduled_at,
            lifetime_s=lifetime,
            priority=request.priority,
            idempotency_key=request.idempotency_key,
            idempotency_digest=request.idempotency_digest,
            tag=request.tag or self._usual_tag(request.owner),
            metadata=request.metadata,
            callback_url=request.callback_url,
            held=request.held,
            resent_from=request.resent_from,
        )
        accepted, made = self.spool.do(jobs.accept_with_files, new, request.files, now)
        if accepted.repeated:
            self.discard_files(request.files)
        return Submitted(accepted.submission_id, accepted.uuid, made, accepted.repeated)

    def number(self, written: str, lines: Sequence[str] = ()) -> Number:
        """What a written number means on the line that will carry its call: the first one that may.

        ``lines`` are the names that the sender asked for.  Raises RefusedError for one that is not dialled.
        """
        practice = self._practice_numbers if self.settings.section(PracticeSettings).enabled else frozenset()
        numbers = self.settings.section(NumberSettings)
        found: Number | Cause | None = None
        for entry in self._senders(lines):
            plan = plan_for(numbers, entry)
            read = read_number(written, numbers, practice, plan)
            found = found or read
            if isinstance(read, Cause) or permitted(read.dial, entry.allow, entry.deny, plan):
                found = read
                break
        if found is None:
            found = read_number(written, numbers, practice)
        if isinstance(found, Cause):
            raise RefusedError(found, f"({written[:64]})")
        return found

    def _senders(self, names: Sequence[str]) -> list[LineEntry]:
        """The lines that place calls, in the order in which they are tried, or of these names only."""
        entries = self.settings.items(LineEntry).values()
        senders = sorted(
            (entry for entry in entries if entry.enabled and entry.send), key=lambda entry: entry.position
        )
        if not names:
            return senders
        return sorted(
            (entry for entry in senders if entry.name in names), key=lambda entry: names.index(entry.name)
        )

    def _recipient(self, to: To, lines: Sequence[str]) -> Recipient:
        number = self.number(to.number, lines)
        return Recipient(
            number=number.dial, given=to.number, name=to.name, reach=number.reach, company=to.company
        )

    def shown_number(self, owner: str, wanted: str) -> str | None:
        """``wanted`` as it is shown to others, None when it is no number of the box or of ``owner``."""
        station = self.settings.section(StationSettings)
        known = [station.caller_number, station.station_id, *station.further_numbers]
        known += [line.caller_number for line in self.settings.items(LineEntry).values()]
        user = self.user(owner)
        return may_show(wanted, [*known, user.caller_number] if user is not None else known)

    def user(self, name: str) -> User | None:
        """The user of this name."""
        return next((user for user in self.settings.items(User).values() if user.name == name), None)

    def cover_template(self, name: str) -> CoverTemplate:
        """The template of this name; empty and "standard" are the box's own page.

        Raises RefusedError.
        """
        if name in ("", STANDARD_COVER):
            return CoverTemplate(name=STANDARD_COVER)
        for template in self.settings.items(CoverTemplate).values():
            if template.name == name:
                return template
        raise RefusedError(COVER_TEMPLATE_GONE, f"({name[:64]})")

    def _usual_tag(self, owner: str) -> str:
        user = self.user(owner)
        return user.tag if user is not None else ""

    def usual_cover(self, owner: str) -> str:
        """The template that this owner's faxes have when they name none; empty for no cover page."""
        user = self.user(owner)
        if user is not None:
            return user.cover
        keys = self.settings.items(ApiKey).values()
        return next((key.cover for key in keys if key.account == owner and key.cover), "")

    def options_again(self, job: Job) -> SendOptions:
        """How to send a fax once more: as it was sent, as far as its owner still may."""
        options = job.options
        if self.shown_number(job.owner, options.caller_number) is None:
            options = replace(options, caller_number="")
        if self.shown_number(job.owner, options.station_id) is None:
            options = replace(options, station_id="")
        return replace(options, no_cover=options.cover is None)

    def _completed(self, owner: str, options: SendOptions) -> SendOptions:
        """``options`` with the owner's usual ones where nothing is said.  Raises RefusedError."""
        user = self.user(owner)
        own = user.caller_number if user is not None else ""
        for wanted in filter(None, (options.caller_number, options.station_id)):
            if self.shown_number(owner, wanted) is None:
                raise RefusedError(CALLER_NOT_ALLOWED, f"({wanted[:64]})")
        options = replace(
            options,
            caller_number=self.shown_number(owner, options.caller_number or own) or "",
            station_id=options.station_id or as_station_id(own),
        )
        usual = self.usual_cover(owner)
        cover = options.cover
        if cover is None and usual and not options.no_cover:
            cover = Cover(template=usual)
        elif cover is not None and not cover.template and usual:
            cover = replace(cover, template=usual)
        if cover is not None:
            self.cover_template(cover.template)
        return replace(options, cover=cover)

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

        The same ``idempotency_key`` again answers the same job.  Raises RefusedError when its document is
        gone or the number is not dialled.
        """
        old = self.job(job_id, owner)
        submission = self.spool.read(jobs.get_submission, old.submission_id)
        request = Request(
            owner=old.owner,
            to=(To(number) if number else To(old.given, old.name, old.company),),
            document_id=submission.document_id,
            options=self.options_again(old),
            key=key or old.key,
            origin=origin,
            priority=old.priority,
            tag=old.tag,
            metadata=old.metadata,
            callback_url=old.callback_url,
            resent_from=old.id,
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

    # -- jobs ----------------------------------------------------------------------------------

    def job(self, job_id: int, owner: str | None = None) -> Job:
        """Raises NotFoundError."""
        job = self.spool.read(jobs.get, job_id)
        _require_owned(job, owner)
        return job

    def jobs(self, wanted: JobFilter) -> list[Job]:
        """The jobs that match, newest first; page on with ``before_id``."""
        return self.spool.read(jobs.search, wanted)

    def job_with_attempts(self, job_id: int, owner: str | None = None) -> tuple[Job, list[Attempt]]:
        """A job and its calls, first to last, as they are at one moment.  Raises NotFoundError."""
        job, attempts = self.spool.read(jobs.with_attempts, job_id)
        _require_owned(job, owner)
        return job, attempts

    def attempts(self, job_id: int, owner: str | None = None) -> list[Attempt]:
        """The calls of a job, first to last.  Raises NotFoundError."""
        return self.job_with_attempts(job_id, owner)[1]

    def cancel(self, job_id: int, owner: str | None = None) -> Job:
        """Ends a job; a running call is ended within seconds (its state is SENDING until then)."""
        self.job(job_id, owner)
        return self.spool.do(jobs.cancel, job_id, self.clock())

    def retry_now(self, job_id: int, owner: str | None = None) -> Job:
        """Tries a waiting job at once."""
        return self.reschedule(job_id, self.clock(), owner)

    def reschedule(self, job_id: int, at: float, owner: str | None = None) -> Job:
        """Tries a waiting job at Unix time ``at``."""
        self.job(job_id, owner)
        return self.spool.do(jobs.reschedule, job_id, at, self.clock())

    def release(self, job_id: int, owner: str | None = None, scheduled_at: float | None = None) -> Job:
        """Hands in a held job."""
        job = self.job(job_id, owner)
        self.require_room()
        self.require_quota(job.owner, job.key)
        return self.spool.do(jobs.release, job_id, self.clock(), scheduled_at)

    def settle_unknown(self, job_id: int, rule: UnknownRule, owner: str | None = None) -> Job:
        """Decides what becomes of a job whose delivery is unknown."""
        self.job(job_id, owner)
        return self.spool.do(jobs.settle_unknown, job_id, rule, self.clock())

    # -- received faxes ------------------------------------------------------------------------

    def received(self, received_id: int, owner: str | None = None) -> Received:
        """Raises NotFoundError.  Faxes that were given to nobody are everyone's."""
        fax = self.spool.read(received.get, received_id)
        _require_seen(fax, owner)
        return fax

    def received_with_pages(
        self, received_id: int, owner: str | None = None
    ) -> tuple[Received, list[ReceivedPageFile]]:
        """A received fax and its pages, as they are at one moment; ``path`` is relative to ``data``.

        Raises NotFoundError.
        """
        fax, pages = self.spool.read(received.with_pages, received_id)
        _require_seen(fax, owner)
        return fax, pages

    def received_list(self, wanted: ReceivedFilter) -> list[Received]:
        """The received faxes that match, newest first; page on with ``before_id``."""
        return self.spool.read(received.search, wanted)

    def received_pages(self, received_id: int, owner: str | None = None) -> list[ReceivedPageFile]:
        """The pages of a received fax; ``path`` is relative to ``data``.  Raises NotFoundError."""
        return self.received_with_pages(received_id, owner)[1]

    def mark_read(self, received_id: int, read: bool = True, owner: str | None = None) -> Received:
        self.received(received_id, owner)
        return self.spool.do(received.mark_read, received_id, read, self.clock())

    def delete_received(self, received_id: int, owner: str | None = None) -> None:
        self.received(received_id, owner)
        self.spool.do(received.delete, received_id, self.clock())

    def assign(self, received_id: int, to: str) -> Received:
        """Gives a received fax to a user."""
        return self.spool.do(received.assign, received_id, to, self.clock())

    # -- documents -----------------------------------------------------------------------------

    def document(self, document_id: int, owner: str | None = None) -> Document:
        """Raises NotFoundError."""
        document = self.spool.read(documents.get, document_id)
        if owner is not None and document.owner != owner:
            raise NotFoundError(f"no document {document_id}")
        return document

    def documents(self, owner: str, *, before_id: int | None = None, limit: int = 50) -> list[Document]:
        """Documents that were stored on their own, newest first."""
        return self.spool.read(documents.search, owner, before_id=before_id, limit=limit)

    def create_document(
        self, owner: str, files: Sequence[SourceFile], *, name: str = "", description: str = ""
    ) -> Document:
        """Stores a document to be sent later, perhaps several times."""
        self.require_room()
        return self.spool.do(
            documents.create, owner, files, self.clock(), name=name, description=description, listed=True
        )

    def set_document_files(
        self, document_id: int, files: Sequence[SourceFile], *, append: bool, owner: str | None = None
    ) -> Document:
        """Appends files to a stored document, or replaces its files."""
        self.document(document_id, owner)
        return self.spool.do(documents.set_files, document_id, files, append=append)

    # -- documents on offer --------------------------------------------------------------------

    def offers(self) -> Mapping[str, Offer]:
        """What callers may fetch, by name.  From memory: the loop may ask."""
        return self._offers

    def look_at_offers(self) -> None:
        """After a change of them."""
        self._offers = {offer.name: offer for offer in self.spool.read(offers.every)}

    # -- what happened -------------------------------------------------------------------------

    def listen(self) -> Listener:
        """Events and live progress from now on; use it in a ``with``."""
        return self.spool.hub.listen()

    def events_since(self, event_id: int, owner: str | None = None, limit: int = 500) -> list[Event]:
        """Kept events after ``event_id``, oldest first."""
        return self.spool.read(events.since, event_id, owner=owner, limit=limit)

    def events_of(self, fax_id: int) -> list[Event]:
        """Kept events of one fax, oldest first."""
        return self.spool.read(events.of_fax, fax_id)

    def audit(self, who: str, action: str, *, object: str = "", address: str = "", detail: str = "") -> None:
        """Notes who did what, from where.

        It is done by then: a note that cannot be written (disk full) goes to the log, and must not make
        the client believe that it was refused.
        """
        try:
            self.spool.do(
                ledger.audit, who, action, self.clock(), object=object, address=address, detail=detail
            )
        except (DiskFullError, SpoolFailedError) as error:
            _log.error("not in the audit log (%s): %s, %s %s %s", error, who, action, object, detail)

    # -- limits and health ---------------------------------------------------------------------

    def require_room(self, octets: int = 0) -> None:
        """Raises DiskFullError when ``octets`` more would eat into the reserve."""
        self.guard.require(self.settings.section(StorageSettings).reserve_mb, octets)

    def require_quota(self, owner: str, key: str = "") -> None:
        """Raises RefusedError when the owner's or the key's pages of this month are spent."""
        for scope, quota in self._quotas(owner, key):
            if quota and self.pages_this_month(scope) >= quota:
                raise RefusedError(QUOTA_SPENT, f"({quota} pages a month)")

    def pages_this_month(self, scope: str) -> int:
        """Pages sent this month by ``owner:NAME``, ``key:NAME`` or ``box``."""
        day = ledger.day_of(self.clock())
        return self.spool.read(ledger.usage, scope, f"{day[:7]}-01", day).pages

    def _quotas(self, owner: str, key: str) -> list[tuple[str, int]]:
        quotas = [
            (f"owner:{owner}", user.pages_per_month)
            for user in self.settings.items(User).values()
            if user.name == owner
        ]
        return quotas + [
            (f"key:{key}", entry.pages_per_month)
            for entry in self.settings.items(ApiKey).values()
            if key and entry.name == key
        ]

    def lines(self) -> tuple[LineReport, ...]:
        """The lines in the order they are tried, as they were a moment ago."""
        with self._lines_lock:
            return self._lines

    def health(self) -> Health:
        storage = self.settings.section(StorageSettings)
        room = self.guard.room(storage.reserve_mb, storage.warn_mb)
        lines = self.lines()
        return Health(
            ok=room is not Room.FULL and any(line.state.usable for line in lines),
            room=room,
            free_octets=self.guard.free(),
            started_at=self.started_at,
            lines=lines,
            jobs=self.spool.read(jobs.counts),
            unread=self.spool.read(received.unread),
        )

    # -- for the daemon ------------------------------------------------------------------------

    def show_lines(self, lines: tuple[LineReport, ...]) -> None:
        """The daemon tells how the lines are."""
        with self._lines_lock:
            self._lines = lines

    def set_practice_numbers(self, numbers: Iterable[str]) -> None:
        """The daemon tells which numbers the practice line has."""
        self._practice_numbers = frozenset(numbers)


def _require_owned(job: Job, owner: str | None) -> None:
    if owner is not None and job.owner != owner:
        raise NotFoundError(f"no job {job.id}")


def _require_seen(fax: Received, owner: str | None) -> None:
    if owner is not None and fax.owner not in ("", owner):
        raise NotFoundError(f"no received fax {fax.id}")
