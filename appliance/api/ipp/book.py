"""``JobBook``: the ids of print jobs, and which faxes each became.

A file of a few hundred rows in the data folder.  A job's row is written before its documents are handed in
under its UUID: whenever the box is killed, the row finds the faxes again.

A client that got no answer prints again, and so does CUPS when it died while it followed a fax to its end.
Such a job is recognised by its digest: the repetition becomes the same faxes.  CUPS says nothing that tells
it from a second print on purpose, to the same number, before the first one ended: that is the same fax, too.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from enum import Enum
from pathlib import Path
from uuid import uuid4

from appliance import durable
from appliance.api.ipp.asked import RequestedFax
from appliance.box import Box
from appliance.services.faxes import Submitted
from appliance.spool.errors import IdempotencyError
from appliance.spool.model import Job, JobState, SourceFile

_log = logging.getLogger(__name__)

BOOK_FILE = "ipp-jobs.json"
# Jobs that are remembered: more than clients ask about; the faxes themselves are in the box's own lists.
REMEMBERED = 500
# The longest wait for a job's next document, seconds; told to clients as multiple-operation-time-out.
DOCUMENT_WAIT_S = 300.0
# The most jobs that wait for documents: of all clients, and of one address.
MOST_OPEN, MOST_OPEN_EACH = 100, 20
# The time within which a client without an answer prints again, seconds.
REPEATED_S = 900.0
_LARGEST_ID = (1 << 31) - 1
# The identifier in the trailer of a PDF file (ISO 32000-1 14.4), as programs write it; its longest, octets.
_PDF_ID = re.compile(rb"/ID\s{0,4}\[\s{0,4}<[0-9A-Fa-f]{32}>\s{0,4}<[0-9A-Fa-f]{32}>\s{0,4}\]")
_PDF_ID_OCTETS = 100


class NoFaxReason(Enum):
    """Why a job became no fax."""

    CANCELED = "canceled"
    LATE = "late"  # the rest of the document did not come
    REFUSED = "refused"  # the client was told why


@dataclass(frozen=True, slots=True)
class PrintJob:
    """A print job.  ``ended``: why it became no fax, empty for others."""

    id: int
    uuid: str
    printer: str  # its path
    owner: str
    person: str
    computer: str
    name: str
    created_at: float  # Unix time
    ended: str = ""  # a value of Ended
    digest: str = ""  # of the handed-in documents and options
    answered: bool = False  # the client got the answer
    followed: bool = False  # it has asked about the job since
    end_told: bool = False  # and learnt how it ended

    @property
    def key(self) -> str:
        """The idempotency key under which it is handed in."""
        return f"ipp:{self.uuid}"


class DocumentDigest:
    """A SHA-256 of documents as they come in, without the identifiers of PDF files.

    CUPS' filters write a new identifier each time that they convert the same document.
    """

    def __init__(self) -> None:
        self._sum = hashlib.sha256()
        self._held = b""

    def update(self, piece: bytes) -> None:
        """Adds the next octets."""
        held = self._held + piece
        cut = max(0, len(held) - _PDF_ID_OCTETS)
        for found in _PDF_ID.finditer(held):
            if found.start() < cut < found.end():
                cut = found.start()
        self._sum.update(_PDF_ID.sub(b"", held[:cut]))
        self._held = held[cut:]

    def hexdigest(self) -> str:
        """The digest of everything so far."""
        whole = self._sum.copy()
        whole.update(_PDF_ID.sub(b"", self._held))
        return whole.hexdigest()


@dataclass(slots=True)
class OpenJob:
    """A job that waits for documents."""

    asked: RequestedFax
    files: list[SourceFile] = field(default_factory=list)
    digest: DocumentDigest = field(default_factory=DocumentDigest)
    busy: bool = False  # a document is being received
    cancelled: bool = False
    touched: float = field(default_factory=time.monotonic)


class TooManyOpenError(Exception):
    """Too many jobs wait for documents."""


class JobBook:
    """The print jobs that are remembered.  Thread-safe."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._path: Path = box.data / BOOK_FILE
        self._lock = threading.RLock()
        self._rows: OrderedDict[int, PrintJob] = OrderedDict()
        self._open: dict[int, OpenJob] = {}
        self._read()
        self._of_earlier_runs = frozenset(self._rows)

    def _read(self) -> None:
        try:
            for row in json.loads(self._path.read_bytes())[-REMEMBERED:]:
                job = PrintJob(**row)
                self._rows[job.id] = job
        except FileNotFoundError:
            return
        except (OSError, ValueError, TypeError) as error:
            _log.warning("the list of network print jobs is lost (%s); the faxes are not", error)
            self._rows.clear()

    def _write(self) -> None:
        while len(self._rows) > REMEMBERED:
            gone = next((each for each in self._rows if each not in self._open), None)
            if gone is None:
                break
            del self._rows[gone]
        durable.write_file(self._path, json.dumps([asdict(row) for row in self._rows.values()]).encode())

    def begin(
        self, asked: RequestedFax, *, printer: str, owner: str, person: str, computer: str, name: str
    ) -> PrintJob:
        """A new job, open for documents.  Raises TooManyOpenError, DiskFullError, OSError."""
        with self._lock:
            self.give_up_old()
            from_here = sum(self._rows[each].computer == computer for each in self._open)
            if len(self._open) >= MOST_OPEN or from_here >= MOST_OPEN_EACH:
                raise TooManyOpenError
            number = next(reversed(self._rows), 0) % _LARGEST_ID + 1
            job = PrintJob(number, str(uuid4()), printer, owner, person, computer, name, self._box.clock())
            self._rows[number] = job
            self._open[number] = OpenJob(asked)
            self._write()
            return job

    def get(self, number: int) -> PrintJob | None:
        """The print job of this number; None when it is not known."""
        with self._lock:
            self.give_up_old()
            return self._rows.get(number)

    def newest_first(self) -> Iterator[PrintJob]:
        """All known print jobs."""
        with self._lock:
            self.give_up_old()
            rows = list(reversed(self._rows.values()))
        yield from rows

    def open_job(self, number: int) -> OpenJob | None:
        """The state of a job that waits for documents, None for others."""
        with self._lock:
            return self._open.get(number)

    def take(self, number: int) -> OpenJob | None:
        """The open job, reserved for one document; None when it is not open or is busy."""
        with self._lock:
            found = self._open.get(number)
            if found is None or found.busy:
                return None
            found.busy = True
            return found

    def give_back(self, number: int) -> None:
        """Ends the reservation: the document is complete, or broke off."""
        with self._lock:
            found = self._open.get(number)
            if found is not None:
                found.busy, found.touched = False, time.monotonic()

    def about_to_hand_in(self, number: int, digest: str, *, goes_by_itself: bool) -> PrintJob:
        """The job as it is to be handed in: with the UUID of an earlier one if it repeats that.

        ``goes_by_itself``: no person has to name its recipient.  Raises DiskFullError, OSError.
        """
        with self._lock:
            job = replace(self._rows[number], digest=digest)
            earlier = next(
                (each for each in self._rows.values() if self._is_repeated(each, job, goes_by_itself)), None
            )
            if earlier is not None:
                _log.info("print job %s is %s again, whose end its client did not learn", number, earlier.id)
                job = replace(job, uuid=earlier.uuid)
                del self._rows[earlier.id]
            self._rows[number] = job
            self._write()
            return job

    def _is_repeated(self, earlier: PrintJob, job: PrintJob, goes_by_itself: bool) -> bool:
        def facts(each: PrintJob) -> tuple[str, ...]:
            return each.digest, each.printer, each.owner, each.person, each.computer, each.name

        if earlier.ended or earlier.end_told or facts(earlier) != facts(job):
            return False
        made = self.handed_in(earlier)
        if made is None:
            return False
        if not earlier.answered:
            return earlier.id in self._of_earlier_runs and job.created_at - earlier.created_at <= REPEATED_S
        # A document that waits for its number may be for another one than the earlier got: a person decides.
        return (
            goes_by_itself
            and earlier.followed
            and any(_goes_or_went(fax, job.created_at) for fax in made.jobs)
        )

    def answered(self, number: int, *, ended: bool) -> None:
        """Notes that the client got an answer about a job that was handed in; ``ended``: it says so.

        By answers after the first one the client follows the job.  Raises DiskFullError, OSError.
        """
        with self._lock:
            job = self._rows.get(number)
            if job is None or not job.digest:
                return
            told = replace(
                job,
                answered=True,
                followed=job.answered or job.followed,
                end_told=(job.answered and ended) or job.end_told,
            )
            if told != job:
                self._rows[number] = told
                self._write()

    def close(self, number: int) -> None:
        """Notes that the job was handed in."""
        with self._lock:
            self._open.pop(number, None)

    def end(self, number: int, ended: NoFaxReason) -> None:
        """Ends a job without a fax; its files are deleted."""
        with self._lock:
            found = self._open.get(number)
            if found is not None and found.busy:
                found.cancelled = True  # the request that brings its document ends it
                return
            self._open.pop(number, None)
            self._rows[number] = replace(self._rows[number], ended=ended.value)
            self._write()
        if found is not None:
            self._box.documents.discard_files(found.files)

    def give_up_old(self) -> None:
        """Ends open jobs whose next document did not come in time."""
        now = time.monotonic()
        with self._lock:
            late = [
                number
                for number, each in self._open.items()
                if not each.busy and now - each.touched > DOCUMENT_WAIT_S
            ]
            for number in late:
                self.end(number, NoFaxReason.LATE)

    def handed_in(self, job: PrintJob) -> Submitted | None:
        """The faxes that the job became; None when it is open, or ended without."""
        try:
            return self._box.faxes.handed_in(job.owner, job.key, job.uuid)
        except IdempotencyError:
            return None


def _goes_or_went(fax: Job, now: float) -> bool:
    """Whether to send the same once more would be to send it twice: it is on its way, or has just arrived."""
    if fax.cancel_requested:
        return False
    if fax.state in (JobState.DELIVERED, JobState.UNKNOWN):
        return now - (fax.ended_at or now) <= REPEATED_S
    return fax.state in (JobState.PREPARING, JobState.WAITING, JobState.SENDING)
