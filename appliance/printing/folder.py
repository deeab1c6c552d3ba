"""``PrintFolder``: hands in the jobs that CUPS left in the print folder as faxes, each exactly once.

A job's idempotency key in the spool is its UUID: killed between handing in and deleting the entries, the box
hands in again and gets the same fax.  A job without a valid number waits for a person; one that may not be
sent at all stays in the folder under the suffix ``.refused`` and is noted in the journal.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from appliance.box import Box
from appliance.causes import in_words
from appliance.documents.options import clean_line
from appliance.durable import TooLargeError
from appliance.language import said
from appliance.printing.cups_backend import ENTRY_SUFFIX, LARGEST, PART_SUFFIX
from appliance.printing.document_numbers import ExaminedDocument, examined, problem_with
from appliance.printing.entries import BackendEntry, CupsJob, EntryError, print_jobs, read_entry
from appliance.printing.options import read_fax_options
from appliance.printing.people import owner_of
from appliance.printing.resting import Resting
from appliance.printing.settings import PrintingSettings
from appliance.printing.wake import Wake
from appliance.services.faxes import Request
from appliance.services.rules import RefusedError, To
from appliance.spool.errors import SpoolClosedError
from appliance.spool.model import DAY_S, SourceFile
from appliance.spool.options import Cover, SendOptions
from appliance.station import StationSettings

_log = logging.getLogger(__name__)

PRINT_ORIGIN = "print"
REFUSED_SUFFIX = ".refused"
# Key of a fax's metadata: why a document that names a number waits for a person.
PROBLEM = "print_problem"
# Why a job cannot be a fax.
NOT_CONVERTED = (
    "CUPS could not convert the document: it is damaged, protected against printing, or of a kind that CUPS "
    "does not know."
)
CUT_OFF = "The document's end, or one of the job's files, never came."
# Time between two looks at the folder where no backend signals, and while something is expected, seconds.
LOOK_EVERY_S = 0.25
# The same where backends signal, or nothing is set up, seconds.
REST_S = 5.0
# The same while the folder cannot be read, seconds.
TROUBLE_WAIT_S = 30.0
# The longest time between two files of one job, seconds: a filter may take minutes for each.
INCOMPLETE_S = 300.0
# How long refused jobs and remains of killed backends are kept, seconds.
REFUSED_KEPT_S = 28 * DAY_S
PART_KEPT_S = 3_600.0
# The most entries read at one look.
AT_ONCE = 500


class PrintFolder:
    """A service of the daemon: one thread that watches the print folder."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._wake = Wake()
        self._resting = Resting()  # entries and jobs that failed
        self._thread = threading.Thread(target=self._run, name="print-folder", daemon=True)

    def start(self) -> None:
        """Starts its thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ends its thread; returns when that has ended."""
        self._wake.end()
        self._thread.join()
        self._wake.close()

    def _run(self) -> None:
        seen, waiting, swept, wait_s = -1, False, float("-inf"), LOOK_EVERY_S
        while self._wake.wait(self._box.settings.section(PrintingSettings).folder, wait_s):
            wait_s = REST_S
            folder = self._box.settings.section(PrintingSettings).folder
            try:
                changed = Path(folder).stat().st_mtime_ns if folder else -1
            except OSError:
                continue  # not set up
            if waiting or (folder and not self._wake.hears):
                wait_s = LOOK_EVERY_S
            if time.monotonic() - swept >= PART_KEPT_S and folder:
                swept = time.monotonic()
                self._sweep(Path(folder))
            elif changed == seen and not waiting and not self._resting.any_rested():
                continue
            seen = changed
            try:
                waiting = folder != "" and self.take(Path(folder))
                wait_s = LOOK_EVERY_S if waiting else wait_s
            except SpoolClosedError:
                return
            except OSError as error:
                _log.error("printed documents wait in %s: %s", folder, error)
                waiting, wait_s = True, TROUBLE_WAIT_S
            except Exception:  # a bug must not end printing
                _log.exception("the print folder")
                waiting, wait_s = True, TROUBLE_WAIT_S

    def take(self, folder: Path) -> bool:
        """Hands in every job that is complete; returns whether incomplete ones are left.

        Each is handled on its own: one that fails rests for a while, the others go on.
        Raises SpoolClosedError, and OSError when the folder cannot be read.
        """
        names = sorted(path for path in folder.iterdir() if path.suffix == ENTRY_SUFFIX)[: AT_ONCE + 1]
        entries: list[BackendEntry] = []
        for path in names[:AT_ONCE]:
            if self._resting.rests(path):
                continue
            with self._resting.by_itself(path, "a printed document"):
                try:
                    entries.append(read_entry(path))
                except EntryError as error:
                    self._set_aside(path, str(error))
                except FileNotFoundError:
                    continue  # somebody removed it
        jobs = print_jobs(entries)
        left = len(names) > AT_ONCE
        for job in jobs:
            with self._resting.by_itself(job.first.job, "a printed document"):
                left = self._deal_with(job) or left
        self._resting.keep({*names, *(job.first.job for job in jobs)})
        return left

    def _deal_with(self, job: CupsJob) -> bool:
        """Hands in a job that is complete; returns whether parts of it are still missing."""
        if self._resting.rests(job.first.job):
            return False
        if self._has(job):
            _delete(job)
        elif job.complete:
            self._hand_in(job)
        elif self._box.clock() - job.written_at > INCOMPLETE_S:
            self._refuse(job, CUT_OFF)
        else:
            return True
        return False

    def _has(self, job: CupsJob) -> bool:
        """Whether it is a fax already: a box killed while deleting entries finds the last of them."""
        first = job.first
        try:
            owner = owner_of(self._box, first.user, first.computer)
        except RefusedError:
            return False
        return self._box.faxes.handed_in(owner, _key(first), first.job) is not None

    # -- one job -------------------------------------------------------------------------------

    def _hand_in(self, job: CupsJob) -> None:
        first = job.first
        documents = job.documents
        if not documents:
            self._refuse(job, NOT_CONVERTED)
            return
        files: list[SourceFile] = []
        try:
            owner = owner_of(self._box, first.user, first.computer)
            (entry, part), *others = documents
            with examined(self._box, entry.pieces(part)) as looked:
                request = self._request(owner, job, looked)
                files.append(self._stored(first, looked.pieces))
            files += [self._stored(first, entry.pieces(part)) for entry, part in others]
            made = self._box.faxes.submit(replace(request, files=tuple(files)))
            ids = ", ".join(str(each.id) for each in made.jobs)
            _log.info("printed by %s on %s: fax %s", first.user, first.computer or "?", ids)
        except RefusedError as error:
            self._box.documents.discard_files(files)
            self._refuse(job, in_words(error.cause.sentence, error.detail))
        except TooLargeError as error:
            self._box.documents.discard_files(files)
            self._refuse(job, f"The document is too large for a fax: {error}.")
        except BaseException:
            self._box.documents.discard_files(files)
            raise
        else:
            _delete(job)

    def _stored(self, entry: BackendEntry, pieces: Iterator[bytes]) -> SourceFile:
        name = (entry.title or "document") + ".pdf"
        return self._box.documents.store_file(pieces, name=name, media_type="application/pdf", limit=LARGEST)

    def _request(self, owner: str, job: CupsJob, looked: ExaminedDocument) -> Request:
        first = job.first
        zone = self._box.settings.section(StationSettings).zone
        now = datetime.fromtimestamp(self._box.clock(), zone)
        asked = read_fax_options(first.options, first.title, first.destinations, now.replace(tzinfo=None))
        if asked.silent:
            asked = replace(asked, numbers=looked.numbers)
        problem = problem_with(self._box, asked.numbers, asked.cover or "")
        problem = problem or (looked.problem if asked.silent else "")
        if asked.no_time and not problem:
            problem = said("{text} is no time of sending.").format(text=clean_line(asked.no_time))
        to = () if problem else tuple(To(number) for number in asked.numbers)
        metadata = {"print_title": first.title, "print_queue": first.queue}
        if problem:
            metadata[PROBLEM] = problem
        cover = Cover(template=asked.cover) if asked.cover and not problem else None
        options = SendOptions(cover=cover, no_cover=asked.cover == "", quality=asked.quality)
        return Request(
            owner=owner,
            to=to,
            without_number=not to,
            origin=PRINT_ORIGIN,
            options=options,
            scheduled_at=asked.at.replace(tzinfo=asked.at.tzinfo or zone).timestamp() if asked.at else None,
            idempotency_key=_key(first),
            idempotency_digest=first.job,
            from_user=first.user,
            from_computer=first.computer,
            metadata=metadata,
        )

    # -- refused jobs --------------------------------------------------------------------------

    def _refuse(self, job: CupsJob, said: str) -> None:
        first = job.first
        for entry in job.all:
            self._set_aside(entry.path, said)
        self._box.history.audit(
            f"{PRINT_ORIGIN}:{first.user}",  # a name that a computer gave, and nobody proved
            "print.refused",
            object=first.title[:100],
            address=first.computer,
            detail=said[:300],
        )

    def _set_aside(self, path: Path, why: str) -> None:
        _log.warning("a printed document is not faxed (%s): %s", path.name, why)
        path.rename(path.with_suffix(REFUSED_SUFFIX))

    def _sweep(self, folder: Path) -> None:
        today = self._box.age_clock.now()
        for suffix, kept_s in ((PART_SUFFIX, PART_KEPT_S), (REFUSED_SUFFIX, REFUSED_KEPT_S)):
            for path in folder.glob(f"*{suffix}"):
                try:
                    if path.lstat().st_mtime < today - kept_s:
                        path.unlink()
                except OSError as error:
                    _log.warning("%s stays: %s", path, error)


def _key(entry: BackendEntry) -> str:
    """The job's idempotency key in the spool."""
    return f"{PRINT_ORIGIN}:{entry.job}"


def _delete(job: CupsJob) -> None:
    for entry in job.all:
        entry.path.unlink(missing_ok=True)
