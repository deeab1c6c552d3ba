"""The spool's data model: what a job, an attempt, a received fax and an event are.

A *submission* is one request: one document, one set of options, one or more recipients.  Each recipient
is a *job* of its own (its own number, state, attempts and end); a submission with several recipients is a
broadcast.  Jobs and received faxes draw their ids from one ascending sequence, so that an id names one
fax, sent or received.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Annotated, Any

from appliance import at_rest
from appliance.causes import Cause, cause_of
from appliance.records import (
    BOUND,
    CAUSE,
    FROM_ONE,
    PRESENT,
    REMARKS,
    URL,
    WORD,
    Moment,
    ValueKind,
    fact,
    hidden,
    record,
)
from appliance.remarks import Remark
from appliance.spool.options import OPTIONS, SendOptions

DAY_S = 86_400.0
LIFETIME_LIMIT_S = DAY_S  # default time to deliver, from the time it was scheduled for
_BOTH = ("submission", "job")
# Folder of the data folder with packets of calls; the exchange bounds its size.
PACKETS = "packets"
NOTE_LIMIT = 2000  # characters
# A text that is encrypted where documents are.
SEALED = ValueKind("text", read=at_rest.open_text)


class JobState(Enum):
    """Where a job is."""

    HELD = "held"  # waits for its owner: not released yet, or prepared with something lost
    PREPARING = "preparing"  # accepted; its document is being turned into fax pages
    NEEDS_NUMBER = "needs_number"  # prepared; it has no number yet
    WAITING = "waiting"  # ready; will be tried at ``next_try_at``
    SENDING = "sending"  # an attempt is running
    DELIVERED = "delivered"  # the last page was confirmed
    FAILED = "failed"  # given up; ``cause`` says why
    CANCELLED = "cancelled"  # its owner ended it
    UNKNOWN = "unknown"  # cut off between its last page and the confirmation

    @property
    def ended(self) -> bool:
        """Whether the job is over: it changes no more, but for an UNKNOWN one."""
        return self in ENDED


ENDED = frozenset({JobState.DELIVERED, JobState.FAILED, JobState.CANCELLED, JobState.UNKNOWN})


class Reach(Enum):
    """Where a number leads."""

    PRACTICE = "practice"  # the practice line, never outside
    INTERNAL = "internal"  # an extension
    DOMESTIC = "domestic"  # or unknown: dialled as written
    ABROAD = "abroad"

    @property
    def outside(self) -> bool:
        """Whether it costs money and counts for the daily limits."""
        return self in (Reach.DOMESTIC, Reach.ABROAD)


class Priority(Enum):
    """Smaller goes first."""

    HIGH = 0
    NORMAL = 1
    LOW = 2


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A submitted file, stored under the data folder."""

    name: str  # as the client called it; never used as a path
    media_type: str
    path: str  # relative to the data folder
    octets: int
    pages: tuple[str, ...] = ()  # selections such as "1-5", all when empty
    digest: str = ""  # SHA-256 of the content, hexadecimal
    turn: int = 0  # quarters clockwise
    treatment: str = ""  # as in SendOptions, of these pages alone
    lightness: int = 0  # steps lighter; below 0 darker


def _files_of(text: str) -> tuple[SourceFile, ...]:
    return tuple(SourceFile(**{**file, "pages": tuple(file["pages"])}) for file in json.loads(text))


FILES = ValueKind(
    "files",
    read=_files_of,
    write=lambda files: json.dumps([asdict(file) for file in files]),
    show=lambda files: [
        {"name": file.name, "media_type": file.media_type, "octets": file.octets} for file in files
    ],
)


@record
class Document:
    """Stored source files, in order, that one or more submissions send."""

    id: int = fact(least=1)
    uuid: str = fact(limit=36)
    owner: str = fact(limit=64)
    name: str = fact(limit=255)
    description: str = fact(limit=2000)
    created_at: Moment = fact()
    files: Annotated[tuple[SourceFile, ...], FILES] = fact()
    listed: bool = hidden()  # made on its own (and listed), not along with a submission


@dataclass(frozen=True, slots=True)
class Recipient:
    """Where a job goes.  ``number`` is normalised, ``given`` as it was written."""

    number: str
    given: str = ""
    name: str = ""
    reach: Reach = Reach.DOMESTIC
    company: str = ""


# The recipient of a document without a number; ``accepting.give_numbers`` gives it later.
NO_NUMBER = Recipient("")


@record
class Handed:
    """Fields that a request sets and that do not change afterwards.

    Requests, submissions and jobs have them; the columns are in the submission's table, some in the job's,
    too.
    """

    owner: str = fact("whose it is", limit=64, tables=_BOTH)
    key: str = fact("the key that was used", default="", kw_only=True, limit=64, tables=_BOTH)
    # rest, ifax, ictfax, print, scan, email
    origin: str = fact("the door it came through", default="rest", kw_only=True, limit=20, tables=_BOTH)
    priority: Priority = fact(default=Priority.NORMAL, kw_only=True, tables=("job",), asked=True)
    tag: str = fact(
        "a word of yours, to filter by", default="", kw_only=True, limit=100, tables=_BOTH, asked=True
    )
    resent_from: int | None = fact(
        "the fax that this one repeats", default=None, kw_only=True, tables=("job",)
    )
    options: Annotated[SendOptions, OPTIONS] = hidden(
        default_factory=SendOptions, kw_only=True, tables=("submission",)
    )
    metadata: Mapping[str, Any] = fact(
        "kept, and given back as it came",
        default_factory=dict,
        kw_only=True,
        tables=("submission",),
        asked=True,
    )
    callback_url: Annotated[str, URL] = fact(
        "told with a POST when the fax ends",
        default="",
        kw_only=True,
        limit=2000,
        tables=("submission",),
        asked=True,
    )
    # Of a document that came by print, scan or e-mail: who sent it from where, as that system names them.
    from_user: str = fact(
        "the person it came from", default="", kw_only=True, limit=100, tables=("submission",), asked=True
    )
    from_computer: str = fact(
        "the computer it came from", default="", kw_only=True, limit=100, tables=("submission",), asked=True
    )


@record
class NewSubmission(Handed):
    """Something to accept.  ``document_id`` must exist; one job is made for each recipient.

    ``NO_NUMBER`` alone is the recipient of a document that came without one.
    """

    recipients: tuple[Recipient, ...]
    document_id: int
    scheduled_at: float | None = None  # None: now
    lifetime_s: float = LIFETIME_LIMIT_S  # how long after that it may still be tried
    idempotency_key: str = ""  # of this owner; a repeat answers the first one's jobs
    idempotency_digest: str = ""  # digest of the request, so that a reuse for another one is refused
    held: bool = False  # make the jobs HELD
    hold: bool = False  # make their pages, then they are HELD


@dataclass(frozen=True, slots=True)
class Submission:
    """What one request submitted."""

    id: int
    uuid: str
    owner: str
    document_id: int
    job_ids: tuple[int, ...]


class WithCause:
    """A record that knows how it ended."""

    __slots__ = ()
    cause_code: str

    @property
    def cause(self) -> Cause | None:
        """How the record ended, or its last attempt; None before."""
        return cause_of(self.cause_code) if self.cause_code else None


@record
class Job(WithCause, Handed):
    """One fax to one recipient."""

    id: int = fact(least=1)
    uuid: str = fact(limit=36)
    submission_id: int = fact("faxes that were handed in together have the same", least=1)
    number: str = fact("as it is dialled; empty: it needs one", within="to", limit=64)
    given: str = fact("as it was written", within="to", limit=64)
    name: str = fact(within="to")
    company: str = fact(within="to", default="", kw_only=True)
    reach: Reach = hidden()
    state: JobState = fact()
    created_at: Moment = fact()
    scheduled_at: Moment = fact()
    next_try_at: Moment = fact("when it waits: until then", when=lambda job: job.state is JobState.WAITING)
    expires_at: Moment = fact("no try begins after this")
    deadline: Annotated[float, BOUND] = hidden()  # of the present state; infinity when ended
    ended_at: Moment | None = fact()
    tries: int = fact()
    rendered_path: str = hidden()  # folder of fax pages relative to the data folder, empty before
    pages: int | None = fact("null until they are prepared")
    # Those that need not be sent again.
    pages_confirmed: int = fact("the far machine has these")
    line: str = fact("of the last try", limit=64)
    remote_id: str = fact("what the far machine calls itself", limit=64)
    seconds_on_line: float = fact("all tries together")
    # How it ended, or how the last attempt did; empty before the first.
    cause_code: Annotated[str, CAUSE] = fact(name="result", column="cause")
    cancel_requested: bool = fact()
    remarks: Annotated[tuple[Remark, ...], REMARKS] = fact(
        "what of its document the pages do not show, or show otherwise", default=(), kw_only=True
    )

    erased_at: Moment | None = fact("its content was erased for good", default=None, kw_only=True)
    hold: bool = hidden(default=False, kw_only=True)  # it is HELD when its pages are made

    @property
    def practice(self) -> bool:
        """Whether the job goes to the practice line and not outside."""
        return self.reach is Reach.PRACTICE


@record
class Attempt(WithCause):
    """One call for a job.  ``last_page_at``: from then on the far end may have confirmed all of it."""

    id: int = hidden()
    job_id: int = hidden()
    number: int = fact(least=1)
    line: str = fact(limit=64)
    line_kind: str = fact(limit=20)
    started_at: Moment = fact()
    ended_at: Moment | None = fact()
    first_page: Annotated[int, FROM_ONE] = fact("this try began with this page", least=1)
    pages_confirmed: int = fact("in this try")
    last_page_at: float | None = hidden()
    cause_code: Annotated[str, CAUSE] = fact(name="result", column="cause")
    seconds: float = fact()
    trace_path: Annotated[str, PRESENT] = fact("there is an account of the call", name="trace")
    facts: Mapping[str, Any] = fact("what was agreed and measured")


class ReceivedState(Enum):
    """Where a received fax is."""

    RECEIVING = "receiving"
    COMPLETE = "complete"
    PARTIAL = "partial"  # the call broke off; the confirmed pages are here


@record
class ReceivedPageFile:
    """A page of a received fax."""

    number: Annotated[int, FROM_ONE] = fact(least=1)
    path: str = hidden()  # TIFF, relative to the data folder
    width: int = fact()
    rows: int = fact()
    resolution: Annotated[str, WORD] = fact(limit=20)  # name of t4.page.Resolution
    bad_rows: int = fact()
    longest_bad_run: int = fact()
    stored_at: float = hidden()
    last: bool = hidden(default=False)  # with this page the fax is whole


@record
class Received(WithCause):
    """A fax that came in."""

    id: int = fact(least=1)
    uuid: str = fact(limit=36)
    owner: str = fact("whose it is; empty: everyone's", limit=64)
    line: str = fact(limit=64)
    line_kind: str = fact(limit=20)
    caller: str = fact(limit=64)
    caller_name: str = fact("from the shared phone book, or as the network sent it")
    dialled: str = fact(limit=64)
    tsi: str = fact("what the sender's machine calls itself", limit=64)
    sub_address: str = fact(limit=64)
    state: ReceivedState = fact()
    started_at: Moment = fact()
    ended_at: Moment | None = fact()
    pages: int = fact()
    bad_rows: int = fact("damaged on the line")
    cause_code: Annotated[str, CAUSE] = fact(name="result", column="cause")
    read: bool = fact()
    deleted_at: float | None = hidden()
    trace_path: str = hidden()
    facts: Mapping[str, Any] = fact("what was agreed and measured")
    practice: bool = fact("from the practice machine: nobody outside sent it", default=False, kw_only=True)

    erased_at: float | None = hidden(default=None, kw_only=True)
    keep_until: Moment | None = fact("erased then, by a rule or its owner's wish", default=None, kw_only=True)


@record
class Note:
    """A note that somebody wrote on a fax."""

    id: int = fact(least=1)
    fax_id: int = hidden()
    at: Moment = fact()
    who: str = fact("as in the audit log: `user:ada`, `key:shop`", limit=120)
    text: Annotated[str, SEALED] = fact(limit=NOTE_LIMIT)


@dataclass(frozen=True, slots=True)
class Event:
    """A line of the append-only log.

    ``kind`` is a stable word: ``job.accepted``, ``job.waiting``, ``job.sending``, ``job.page``,
    ``job.delivered``, ``job.failed``, ``job.cancelled``, ``job.unknown``, ``job.changed``,
    ``received.started``, ``received.page``, ``received.complete``, ``received.partial``,
    ``received.changed``, ``outbox.done``, ``outbox.failed``, ``outbox.pending`` (to be tried once more),
    ``line.state``, ``box.started``, ``box.disk``, ``box.identify``, ``box.looked``, ``box.clock_set``.
    """

    id: int
    at: float
    kind: str
    fax_id: int | None
    owner: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TransientEvent:
    """An event that listeners get and that is not stored."""

    at: float
    kind: str
    fax_id: int | None
    owner: str
    data: Mapping[str, Any]


class Room(Enum):
    """How much space the disk has left."""

    PLENTY = "plenty"
    LOW = "low"  # the box warns
    FULL = "full"  # nothing is accepted, no call is answered
