"""``JobBook``: IPP's numbers of print jobs, and which faxes each became.

It is a file of a few hundred rows in the data folder.  A job's row is written before its documents are
handed in under its UUID: whatever moment the box is killed at, the row finds the faxes again.

A client that got no answer prints once more.  What a box handed in that was killed before it had answered is
known by its digest: the same print again becomes the same faxes.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import uuid4

from appliance import durable
from appliance.api.ipp.asked import AskedFax
from appliance.box import Box
from appliance.services.faxes import Submitted
from appliance.spool.errors import IdempotencyError
from appliance.spool.model import SourceFile

_log = logging.getLogger(__name__)

BOOK_FILE = "ipp-jobs.json"
# Jobs that are remembered: more than clients ask about; the faxes themselves are in the box's own lists.
REMEMBERED = 500
# A job whose next document does not come within this is given up, seconds; clients are told
# (multiple-operation-time-out).
DOCUMENT_WAIT_S = 300.0
# Jobs at once whose documents are still coming: of all clients, and of one address.
MOST_OPEN, MOST_OPEN_EACH = 100, 20
# A client that got no answer prints again within this, seconds.
REPEATED_S = 900.0
_LARGEST_ID = (1 << 31) - 1


class Ended(Enum):
    """Why a job became no fax."""

    CANCELED = "canceled"
    LATE = "late"  # the rest of the document did not come
    REFUSED = "refused"  # its client was told why


@dataclass(frozen=True, slots=True)
class PrintJob:
    """A job as its client knows it.  ``ended``: why it became no fax, empty for others."""

    id: int
    uuid: str
    printer: str  # its path
    owner: str
    person: str
    computer: str
    name: str
    created_at: float  # Unix time
    ended: str = ""  # a value of Ended
    digest: str = ""  # of what was handed in
    answered: bool = False  # its client knows that it was

    @property
    def key(self) -> str:
        """Of the request that hands it in."""
        return f"ipp:{self.uuid}"


@dataclass(slots=True)
class OpenJob:
    """A job whose documents are still coming."""

    asked: AskedFax
    files: list[SourceFile] = field(default_factory=list)
    digest: Any = field(default_factory=hashlib.sha256)  # of the documents
    busy: bool = False  # a document is coming in now
    cancelled: bool = False
    touched: float = field(default_factory=time.monotonic)


class TooManyOpenError(Exception):
    """Too many jobs wait for their documents."""


class JobBook:
    """Thread-safe."""

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
        self, asked: AskedFax, *, printer: str, owner: str, person: str, computer: str, name: str
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
        with self._lock:
            self.give_up_old()
            return self._rows.get(number)

    def newest_first(self) -> Iterator[PrintJob]:
        with self._lock:
            self.give_up_old()
            rows = list(reversed(self._rows.values()))
        yield from rows

    def open_job(self, number: int) -> OpenJob | None:
        """What is known of a job whose documents are still coming."""
        with self._lock:
            return self._open.get(number)

    def take(self, number: int) -> OpenJob | None:
        """The open job, for a document that comes in now; None when not open, or another one is coming."""
        with self._lock:
            found = self._open.get(number)
            if found is None or found.busy:
                return None
            found.busy = True
            return found

    def give_back(self, number: int) -> None:
        """The document is in, or broke off; more may come."""
        with self._lock:
            found = self._open.get(number)
            if found is not None:
                found.busy, found.touched = False, time.monotonic()

    def about_to_hand_in(self, number: int, digest: str) -> PrintJob:
        """The job as it is to be handed in: under the UUID of an earlier one whose repetition it is.

        Raises DiskFullError, OSError.
        """
        with self._lock:
            job = replace(self._rows[number], digest=digest)
            earlier = next((each for each in self._rows.values() if self._is_repeated(each, job)), None)
            if earlier is not None:
                _log.info("print job %s is %s again, whose client got no answer", number, earlier.id)
                job = replace(job, uuid=earlier.uuid)
                del self._rows[earlier.id]
            self._rows[number] = job
            self._write()
            return job

    def _is_repeated(self, earlier: PrintJob, job: PrintJob) -> bool:
        def facts(each: PrintJob) -> tuple[str, ...]:
            return each.digest, each.printer, each.owner, each.person, each.computer, each.name

        return (
            earlier.id in self._of_earlier_runs
            and not (earlier.answered or earlier.ended)
            and facts(earlier) == facts(job)
            and job.created_at - earlier.created_at <= REPEATED_S
            and self.handed_in(earlier) is not None
        )

    def answered(self, number: int) -> None:
        """The client knows that the job was taken.  Raises DiskFullError, OSError."""
        with self._lock:
            job = self._rows.get(number)
            if job is not None and job.digest and not job.answered:
                self._rows[number] = replace(job, answered=True)
                self._write()

    def close(self, number: int) -> None:
        """The job was handed in."""
        with self._lock:
            self._open.pop(number, None)

    def end(self, number: int, ended: Ended) -> None:
        """A job that never becomes a fax; its files are deleted."""
        with self._lock:
            found = self._open.get(number)
            if found is not None and found.busy:
                found.cancelled = True  # whoever brings its document ends it
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
                self.end(number, Ended.LATE)

    def handed_in(self, job: PrintJob) -> Submitted | None:
        """The faxes that the job became; None when it is open, or ended without."""
        try:
            return self._box.faxes.handed_in(job.owner, job.key, job.uuid)
        except IdempotencyError:
            return None
