"""The spool's data model: what a job, an attempt, a received fax, an event and a delivery are.

A *submission* is what somebody handed in: one document, one set of options, one or more recipients.
Each recipient is a *job* of its own (its own number, state, attempts and end); a submission with
several is what people call a broadcast.  Jobs and received faxes draw their ids from one ascending
sequence, so that an id names one fax, whichever way it went.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from appliance.causes import Cause, cause_of
from appliance.remarks import Remark, Rule

DAY_S = 86_400.0
# Folder of the data folder with packets of calls; bounded by who writes them.
PACKETS = "packets"


class JobState(Enum):
    """Where a job is."""

    HELD = "held"  # waits for its owner's word: not handed in yet, or prepared with something lost
    PREPARING = "preparing"  # accepted; its document is being turned into fax pages
    WAITING = "waiting"  # ready; will be tried at ``next_try_at``
    SENDING = "sending"  # an attempt is running
    DELIVERED = "delivered"  # the last page was confirmed
    FAILED = "failed"  # given up; ``cause`` says why
    CANCELLED = "cancelled"  # its owner ended it
    UNKNOWN = "unknown"  # cut off between its last page and the confirmation

    @property
    def ended(self) -> bool:
        return self in ENDED


ENDED = frozenset({JobState.DELIVERED, JobState.FAILED, JobState.CANCELLED, JobState.UNKNOWN})
ACTIVE = frozenset(JobState) - ENDED

# The only changes of state there are.  Anything else raises IllegalTransitionError and changes
# nothing.  An ended job never comes back: a resend is a new job that names the old one; the one
# exception is UNKNOWN, which the owner's rule or the owner may send again or settle.
TRANSITIONS: Mapping[JobState, frozenset[JobState]] = {
    JobState.HELD: frozenset({JobState.PREPARING, JobState.WAITING, JobState.CANCELLED}),
    JobState.PREPARING: frozenset({JobState.WAITING, JobState.HELD, JobState.FAILED, JobState.CANCELLED}),
    JobState.WAITING: frozenset({JobState.SENDING, JobState.FAILED, JobState.CANCELLED}),
    JobState.SENDING: frozenset(
        {JobState.WAITING, JobState.DELIVERED, JobState.FAILED, JobState.CANCELLED, JobState.UNKNOWN}
    ),
    JobState.DELIVERED: frozenset(),
    JobState.FAILED: frozenset(),
    JobState.CANCELLED: frozenset(),
    JobState.UNKNOWN: frozenset({JobState.WAITING, JobState.DELIVERED, JobState.FAILED}),
}

# The bound of each state, seconds: no job stays longer (see ``dispatch.deadlines``, which acts).
HELD_LIMIT_S = 30 * DAY_S  # an unreleased draft is cancelled after a month
PREPARING_LIMIT_S = 3_600.0  # at least, else the job's lifetime; one rendering has a limit of its own
LIFETIME_LIMIT_S = DAY_S  # default time to deliver, from the time it was scheduled for
SENDING_LIMIT_S = 2 * 3_600.0  # 200 pages of a minute at 2400 bit/s do not fit; no sane call is longer
RECEIVING_LIMIT_S = 4 * 3_600.0  # of a received fax whose call's end never came


class Reach(Enum):
    """Where a number leads."""

    PRACTICE = "practice"  # the practice line, never outside
    INTERNAL = "internal"  # an extension
    DOMESTIC = "domestic"  # or unknown: dialled as written
    ABROAD = "abroad"

    @property
    def outside(self) -> bool:
        """Costs money: the daily limits count it."""
        return self in (Reach.DOMESTIC, Reach.ABROAD)


class Priority(Enum):
    """Smaller goes first."""

    HIGH = 0
    NORMAL = 1
    LOW = 2


class Resume(Enum):
    """What a later attempt sends when earlier pages were confirmed."""

    REST = "rest"
    ALL = "all"


class UnknownRule(Enum):
    """What becomes of a job caught between its last page and the confirmation."""

    ASK = "ask"  # stay unknown until a person decides
    RESEND = "resend"  # send again: may arrive twice
    ASSUME_DELIVERED = "assume_delivered"  # may never have arrived


class Quality(Enum):
    STANDARD = "standard"  # 204 × 98
    FINE = "fine"  # 204 × 196
    SUPERFINE = "superfine"  # 204 × 391
    R300 = "300"
    R400 = "400"


@dataclass(frozen=True, slots=True)
class Cover:
    """A cover page; ``template`` names one of the box's templates, empty for the box's own page."""

    template: str = ""
    subject: str = ""
    from_name: str = ""
    to_name: str = ""
    message: str = ""
    to_company: str = ""


@dataclass(frozen=True, slots=True)
class SendOptions:
    """How a submission is to be sent.  None or empty: as the box's settings say."""

    quality: Quality | None = None
    cover: Cover | None = None  # None: the sender's usual one, if there is any
    no_cover: bool = False  # no cover page, not even the usual one
    header: str | None = None  # text of the header line; "" for none, None for the box's own
    station_id: str = ""  # TSI, up to 20 of digits, + and space
    caller_number: str = ""  # caller id to show, must be one the owner may use
    caller_name: str = ""
    sub_address: str = ""  # SUB
    password: str = ""  # PWD
    ecm: bool | None = None
    max_bit_rate: int | None = None  # bits a second
    lines: tuple[str, ...] = ()  # only these lines, in this order
    max_tries: int | None = None
    resume: Resume | None = None
    unknown_rule: UnknownRule | None = None
    treatment: str = ""  # "text", "photo": how grey becomes black and white; empty: automatic
    when_lost: Rule | None = None  # something of the document is not on the pages
    bad_files: Rule = Rule.REFUSE  # one of several files cannot be faxed: send or hold what is left


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file as it was handed in, stored under the data folder."""

    name: str  # as the client called it; never used as a path
    media_type: str
    path: str  # relative to the data folder
    octets: int
    pages: tuple[str, ...] = ()  # selections such as "1-5", all when empty
    digest: str = ""  # SHA-256 of the content, hexadecimal


@dataclass(frozen=True, slots=True)
class Document:
    """Stored source files, in order, that one or more submissions send."""

    id: int
    uuid: str
    owner: str
    name: str
    description: str
    created_at: float
    files: tuple[SourceFile, ...]
    listed: bool  # made on its own (and listed), not along with a submission


@dataclass(frozen=True, slots=True)
class Recipient:
    """Where a job goes.  ``number`` is normalised, ``given`` as it was written."""

    number: str
    given: str = ""
    name: str = ""
    reach: Reach = Reach.DOMESTIC
    company: str = ""


@dataclass(frozen=True, slots=True)
class NewSubmission:
    """Something to accept.  ``document_id`` must exist; one job is made for each recipient."""

    owner: str
    recipients: tuple[Recipient, ...]
    document_id: int
    options: SendOptions = field(default_factory=SendOptions)
    key: str = ""  # name of the API key used, empty for the web pages and the print queue
    origin: str = "rest"  # the door: rest, ifax, ictfax, web, print, email
    scheduled_at: float | None = None  # None: now
    lifetime_s: float = LIFETIME_LIMIT_S  # how long after that it may still be tried
    priority: Priority = Priority.NORMAL
    idempotency_key: str = ""  # of this owner; a repeat answers the first one's jobs
    idempotency_digest: str = ""  # digest of the request, so that a reuse for another one is refused
    tag: str = ""  # the client's own word, for filters and reports
    metadata: Mapping[str, Any] = field(default_factory=dict)  # JSON, handed back as it came
    callback_url: str = ""
    held: bool = False  # make the jobs HELD
    resent_from: int | None = None  # id of the job that this one repeats


@dataclass(frozen=True, slots=True)
class Submission:
    id: int
    uuid: str
    owner: str
    key: str
    origin: str
    created_at: float
    document_id: int
    options: SendOptions
    tag: str
    metadata: Mapping[str, Any]
    callback_url: str
    job_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Job:
    """One fax to one recipient."""

    id: int
    uuid: str
    submission_id: int
    owner: str
    key: str
    origin: str
    number: str  # normalised
    given: str
    name: str
    reach: Reach
    state: JobState
    priority: Priority
    tag: str
    created_at: float
    scheduled_at: float
    next_try_at: float  # when WAITING
    expires_at: float  # no attempt begins after
    deadline: float  # the bound of the present state; infinity when ended
    ended_at: float | None
    tries: int
    rendered_path: str  # folder of fax pages relative to the data folder, empty before
    pages: int | None  # None before it is rendered
    pages_confirmed: int  # pages the far end has confirmed and that need not be sent again
    line: str  # of the last attempt
    remote_id: str  # CSI of the last attempt
    seconds_on_line: float  # all attempts together
    cause_code: str  # how it ended, or how the last attempt did; empty before the first
    cancel_requested: bool
    resent_from: int | None
    options: SendOptions
    metadata: Mapping[str, Any]
    callback_url: str
    company: str = ""  # of the recipient
    remarks: tuple[Remark, ...] = ()  # what of its document the pages do not show, or show otherwise

    @property
    def cause(self) -> Cause | None:
        return cause_of(self.cause_code) if self.cause_code else None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call for a job.  ``last_page_at``: from then on the far end may have confirmed all of it."""

    id: int
    job_id: int
    number: int  # 1, 2, …
    line: str
    line_kind: str
    started_at: float
    ended_at: float | None
    first_page: int  # from 0
    pages_confirmed: int  # in this call
    last_page_at: float | None
    cause_code: str
    seconds: float
    trace_path: str  # relative to the data folder, empty for none
    facts: Mapping[str, Any]  # carrier, ECM, remote id, retrainings, bad rows…

    @property
    def cause(self) -> Cause | None:
        return cause_of(self.cause_code) if self.cause_code else None


class ReceivedState(Enum):
    RECEIVING = "receiving"
    COMPLETE = "complete"
    PARTIAL = "partial"  # the call broke off; the confirmed pages are here


@dataclass(frozen=True, slots=True)
class ReceivedPageFile:
    """A page of a received fax."""

    number: int  # from 0
    path: str  # TIFF, relative to the data folder
    width: int
    rows: int
    resolution: str  # name of t4.page.Resolution
    bad_rows: int
    longest_bad_run: int
    stored_at: float


@dataclass(frozen=True, slots=True)
class Received:
    """A fax that came in."""

    id: int
    uuid: str
    owner: str  # whom routing gave it to, empty for everyone
    line: str
    line_kind: str
    caller: str
    caller_name: str
    dialled: str
    tsi: str
    sub_address: str
    state: ReceivedState
    started_at: float
    ended_at: float | None
    pages: int
    bad_rows: int
    cause_code: str
    read: bool
    deleted_at: float | None
    trace_path: str
    facts: Mapping[str, Any]

    @property
    def cause(self) -> Cause | None:
        return cause_of(self.cause_code) if self.cause_code else None


@dataclass(frozen=True, slots=True)
class Event:
    """A line of the append-only log.

    ``kind`` is a stable word: ``job.accepted``, ``job.waiting``, ``job.sending``, ``job.page``,
    ``job.delivered``, ``job.failed``, ``job.cancelled``, ``job.unknown``, ``received.started``,
    ``received.page``, ``received.complete``, ``received.partial``, ``received.changed``,
    ``outbox.done``, ``outbox.failed``, ``line.state``, ``box.started``, ``box.disk``.
    """

    id: int
    at: float
    kind: str
    fax_id: int | None
    owner: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class News:
    """Something that passes and is not kept."""

    at: float
    kind: str
    fax_id: int | None
    owner: str
    data: Mapping[str, Any]


class Room(Enum):
    """How much room the disk has left."""

    PLENTY = "plenty"
    LOW = "low"  # the box warns
    FULL = "full"  # nothing is accepted, no call is answered


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
    number: int
    at: float
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs to list; empty or None: any.  Newest first; ``before_id`` pages on."""

    owner: str = ""
    states: frozenset[JobState] = frozenset()
    number: str = ""
    tag: str = ""
    origin: str = ""
    submission_id: int | None = None
    since: float | None = None  # created at or after
    until: float | None = None  # created before
    before_id: int | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class ReceivedFilter:
    """Which received faxes to list; newest first; ``before_id`` pages on."""

    owner: str | None = None  # theirs, and those that were given to nobody
    read: bool | None = None
    caller: str = ""
    dialled: str = ""
    since: float | None = None
    until: float | None = None
    before_id: int | None = None
    empty: bool = False  # calls that brought no page, too
    limit: int = 50


# -- errors: the user's mistakes and the box's limits, never the far end's -----------------------


class SpoolError(Exception):
    """Base of what the spool raises."""


class NotFoundError(SpoolError):
    """No such job, received fax, document or delivery."""


class IllegalTransitionError(SpoolError):
    """The job is in a state that does not allow this; nothing was changed."""


class IdempotencyError(SpoolError):
    """This idempotency key was used before for a different request."""


class SpoolClosedError(SpoolError):
    """The box is shutting down."""


class SpoolFailedError(SpoolError):
    """The disk or the database refused a write; nothing of this operation was kept."""
