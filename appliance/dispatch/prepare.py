"""``Preparer``: renders accepted documents as fax pages, one after the other, in a thread of its own.

The rendering runs in the limited worker processes of ``appliance.documents``.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import sqlite3
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from appliance import at_rest
from appliance.box import Box
from appliance.causes import Retry, Side
from appliance.dispatch.causes import DOCUMENT_REMARKED
from appliance.dispatch.making import render_options, sources
from appliance.documents.causes import DOCUMENT_GONE
from appliance.documents.errors import DocumentError, WorkerDiedError
from appliance.documents.options import Limits, RenderOptions, Source, options_to_json
from appliance.documents.render import render
from appliance.documents.rendered import RenderedDocument
from appliance.durable import DiskFullError
from appliance.net.settings import ApiSettings
from appliance.remarks import FILE_AT_FAULT, FILE_LEFT_OUT, Remark, Rule, strictest, verdict
from appliance.services.rules import RefusedError, To
from appliance.spool import documents, jobs, preparing
from appliance.spool.errors import NotFoundError, SpoolClosedError, SpoolFailedError
from appliance.spool.folders import RENDERED
from appliance.spool.model import Event, Job, SourceFile, TransientEvent
from appliance.spool.settings import SendingSettings

_log = logging.getLogger(__name__)

# Longest time between two searches for work, seconds, besides those after events.
LOOK_AROUND_S = 30.0
# Wait before another try when storage of the box failed, seconds.
AGAIN_S = 20.0
# Waits before further tries when the worker was killed from outside (out of memory), seconds.  After them the
# document has failed: if it does not fit once other work has ended, it does not fit at all.
AGAIN_KILLED_S = (20.0, 60.0)
# Rendered documents remembered for sharing: one document may be submitted for many recipients one by one.
RECENT = 64
_WAKING = frozenset({"job.accepted", "job.preparing"})


@dataclass(frozen=True, slots=True)
class _Made:
    """Rendered pages that other jobs may share: their folder within the data folder, and its digest."""

    path: str
    digest: bytes


class Preparer:
    """Renders the documents of accepted jobs.  To be started once the spool was recovered.

    ``stop`` waits for the document that is being rendered.
    """

    def __init__(self, box: Box) -> None:
        self._box = box
        self._wake = threading.Condition()
        self._stopping = False
        self._busy: set[int] = set()  # jobs that are being prepared or wait for another try
        self._later: list[tuple[float, list[Job]]] = []  # that wait, with the monotonic time
        self._killed: dict[int, int] = {}  # by the first of the jobs: workers killed in succession
        self._recent: dict[str, _Made] = {}  # recently rendered pages, by the digest of ``_same_pages``
        self._thread = threading.Thread(target=self._run, name="prepare", daemon=True)

    def start(self) -> None:
        """Starts its thread."""
        self._box.spool.hub.call(self._heard)
        self._thread.start()

    def stop(self) -> None:
        """Ends its thread; returns when that has ended."""
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        self._thread.join()

    def _heard(self, item: Event | TransientEvent) -> None:
        if item.kind in _WAKING:
            with self._wake:
                self._wake.notify()

    def _run(self) -> None:
        while True:
            with self._wake:
                if self._stopping:
                    return
                wait_s = self._take_up()
                try:
                    together = self._box.spool.read(preparing.next_to_prepare, self._busy)
                except SpoolClosedError:
                    return
                except sqlite3.Error as error:  # a failing disk must not end this thread
                    _log.error("the faxes to prepare could not be read: %s", error)
                    together = []
                if not together:
                    self._wake.wait(wait_s)
                    continue
                self._busy.update(job.id for job in together)
            try:
                again_s = self._prepare(together)
            except SpoolClosedError:
                return
            except (DiskFullError, SpoolFailedError) as error:
                _log.error("job %d waits to be prepared: %s", together[0].id, error)
                again_s = AGAIN_S
            except Exception:
                _log.exception("preparing job %d failed", together[0].id)
                again_s = AGAIN_S
            # No thread waits for it: where none can be started, this one would end.
            if again_s is None:
                self._killed.pop(together[0].id, None)
            with self._wake:
                self._later.append((time.monotonic() + (again_s or 0.0), together))

    def _take_up(self) -> float:
        """Lets the jobs whose wait is over be prepared; returns the seconds until there may be others."""
        now = time.monotonic()
        for _, together in (due := [each for each in self._later if each[0] <= now]):
            self._busy.difference_update(job.id for job in together)
        self._later = [each for each in self._later if each not in due]
        return min([LOOK_AROUND_S, *(at - now for at, _ in self._later)])

    def _prepare(self, together: list[Job]) -> float | None:
        """Renders the pages that these jobs share; returns the seconds until another try, None when done."""
        spool, job = self._box.spool, together[0]
        job_ids = [each.id for each in together]
        made = self._made(job)
        if made is not None:
            now, path = self._box.clock(), job.options.made
            spool.do(preparing.prepared, job_ids, path, made.total, now, remarks=made.remarks)
            return None
        try:
            options = self._options(job)
            files = self._files(job)
            same = self._same_pages(files, options)
            recent = self._still_whole(same)
            if recent and spool.do(preparing.share_pages, job_ids, recent, self._box.clock()):
                return None
            path = f"{RENDERED}/{job.uuid}"
            target = self._box.data / path
            # Pages left by a crash between rendering and its record.
            shutil.rmtree(target, ignore_errors=True)
            left_out: list[Remark] = []
            document = _render(
                sources(self._box.data, files),
                target,
                options,
                limits=Limits(pages=self._box.settings.section(ApiSettings).pages_per_fax),
                bad_files=job.options.bad_files or Rule.REFUSE,
                left_out=left_out,
            )
        except RefusedError as refused:
            spool.do(preparing.unpreparable, job_ids, refused.cause, self._box.clock())
        except NotFoundError:
            spool.do(preparing.unpreparable, job_ids, DOCUMENT_GONE, self._box.clock())
        except DocumentError as error:
            again_s = self._again(job, error)
            if again_s is not None:
                _log.warning("job %d is prepared again in %.0f s: %s", job.id, again_s, error)
                return again_s
            _log.info("job %d cannot be prepared: %s", job.id, error)
            spool.do(preparing.unpreparable, job_ids, error.cause, self._box.clock(), _named(error, files))
        else:
            remarks = (*left_out, *document.remarks)
            if not remarks:
                self._remember(same, path)
            self._rendered(job, job_ids, path, document.total, remarks)
        return None

    def _rendered(
        self, job: Job, job_ids: list[int], path: str, total: int, remarks: tuple[Remark, ...]
    ) -> None:
        """Records the pages in ``path``, unless the remarks on them refuse the fax."""
        spool, now = self._box.spool, self._box.clock()
        rule = self._rule(job, remarks)
        if rule is Rule.REFUSE:
            shutil.rmtree(self._box.data / path, ignore_errors=True)
            spool.do(preparing.unpreparable, job_ids, DOCUMENT_REMARKED, now, remarks)
            return
        hold = DOCUMENT_REMARKED if rule is Rule.HOLD else None
        if not spool.do(preparing.prepared, job_ids, path, total, now, remarks=remarks, hold=hold):
            # The jobs were cancelled, and perhaps deleted, during rendering.
            at_rest.shred(self._box.data / path)

    def _again(self, job: Job, error: DocumentError) -> float | None:
        """Seconds until another try after this error; None when the document has failed."""
        if error.cause.retry is Retry.LATER:  # not the fault of the document
            return AGAIN_S
        if not isinstance(error, WorkerDiedError) or not error.killed:
            return None
        times = self._killed.get(job.id, 0)
        self._killed[job.id] = times + 1
        return AGAIN_KILLED_S[times] if times < len(AGAIN_KILLED_S) else None

    def _rule(self, job: Job, remarks: Sequence[Remark]) -> Rule:
        """Whether to send, hold or refuse a fax with these remarks, by its options and the settings."""
        sending = self._box.settings.section(SendingSettings)
        lost = job.options.when_lost or sending.when_lost
        files = [remark for remark in remarks if remark.kind is FILE_LEFT_OUT]
        others = [remark for remark in remarks if remark.kind is not FILE_LEFT_OUT]
        of_files = verdict(files, lost=job.options.bad_files or lost, noted=lost)
        return strictest((of_files, verdict(others, lost=lost, noted=sending.when_noted)))

    def _files(self, job: Job) -> tuple[SourceFile, ...]:
        spool = self._box.spool
        submission = spool.read(jobs.get_submission, job.submission_id)
        return spool.read(documents.get, submission.document_id).files

    @staticmethod
    def _same_pages(files: Sequence[SourceFile], options: RenderOptions) -> str:
        """A digest of everything that the pages depend on: equal for jobs with the same pages."""
        header = options.header
        if header is not None:  # its time is printed to the minute
            header = replace(header, moment=header.moment.replace(second=0, microsecond=0))
        # The same content may be stored at several places.
        content = [asdict(replace(file, path="")) for file in files]
        made_from = json.dumps([content, options_to_json(replace(options, header=header))])
        return hashlib.sha256(made_from.encode()).hexdigest()

    def _remember(self, same: str, path: str) -> None:
        made = _Made(path, _digest_of(self._box.data / path))
        with self._wake:
            self._recent[same] = made
            if len(self._recent) > RECENT:
                self._recent.pop(next(iter(self._recent)))

    def _still_whole(self, same: str) -> str:
        """The folder of recently rendered pages with this digest; empty without any, or if damaged."""
        with self._wake:
            made = self._recent.get(same)
        if made is None:
            return ""
        try:
            if _digest_of(self._box.data / made.path) == made.digest:
                return made.path
        except OSError as error:
            _log.info("pages are made anew: %s", error)
        with self._wake:
            self._recent.pop(same, None)
        return ""

    def _options(self, job: Job) -> RenderOptions:
        # Pages show the time when they are due, not that of rendering, which may be hours earlier.
        due = max(job.scheduled_at, self._box.clock())
        to = To(job.given, job.name, job.company)
        return render_options(self._box, job.owner, job.options, to, due)

    def _made(self, job: Job) -> RenderedDocument | None:
        """The pages of the preview that the sender approved, if they are for this job and still there."""
        options = job.options
        if not options.made or (options.cover is not None and options.made_for != job.given):
            return None
        try:
            return RenderedDocument.open(self._box.data / options.made)
        except (OSError, ValueError):
            return None


def _digest_of(folder: Path) -> bytes:
    """SHA-256 of the names and contents of all files in ``folder``.  Raises OSError."""
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        with path.open("rb") as file:
            digest.update(f"{path.name}\0{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return digest.digest()


def _render(
    files: Sequence[Source],
    target: Path,
    options: RenderOptions,
    *,
    limits: Limits,
    bad_files: Rule,
    left_out: list[Remark],
) -> RenderedDocument:
    """Renders ``files``; those that cannot be faxed go to ``left_out``, unless ``bad_files`` refuses them.

    Raises DocumentError as ``render`` does, and when no file would be left and there is no cover page.
    """
    kept = list(files)
    while True:
        try:
            return render(kept, target, options, limits=limits)
        except DocumentError as error:
            alone = len(kept) == 1 and options.cover is None
            if bad_files is Rule.REFUSE or error.source is None or error.cause.side is not Side.USER or alone:
                error.source = files.index(kept[error.source]) if error.source is not None else None
                raise
            bad = kept.pop(error.source)
            left_out.append(Remark(FILE_LEFT_OUT, file=bad.name, detail=error.cause.sentence))


def _named(error: DocumentError, files: Sequence[SourceFile]) -> tuple[Remark, ...]:
    """A remark that names the file at fault, if the error tells."""
    if error.source is None or error.source >= len(files):
        return ()
    return (Remark(FILE_AT_FAULT, file=files[error.source].name, detail=error.detail),)
