"""``Scans``: hands in the files of the scan folder as faxes, each exactly once.

A file's idempotency key in the spool is the id under which it was taken (``scan_files``): killed at any
moment, the box finds it in ``taken`` again, hands it in again and gets the same fax.  It stays there until
its pages are made; a file that cannot be read or may not be sent is moved to ``refused`` with the reason.
"""

from __future__ import annotations

import logging
import pwd
import threading
import time
from pathlib import Path

from appliance.box import Box
from appliance.causes import Cause, in_words
from appliance.documents.options import Limits
from appliance.language import said, speak
from appliance.printing.document_numbers import ExaminedDocument, examined, problem_with
from appliance.printing.folder import PROBLEM
from appliance.printing.options import NAME_LIMIT, numbers_of_file_name
from appliance.printing.resting import Resting
from appliance.printing.scan_files import (
    Claim,
    FileState,
    ScanError,
    ScanFiles,
    has_writer,
    is_cut_off,
    open_plain,
)
from appliance.printing.settings import ScanSettings
from appliance.services.faxes import Request
from appliance.services.rules import RefusedError, To
from appliance.settings.accounts import User, language_for
from appliance.spool.errors import NotFoundError, SpoolClosedError
from appliance.spool.model import DAY_S, Job, JobState, SourceFile

_log = logging.getLogger(__name__)

SCAN_ORIGIN = "scan"
# Time between two looks at the folder, seconds.
LOOK_EVERY_S = 1.0
# The same while the folder cannot be used, seconds.
TROUBLE_WAIT_S = 30.0
# How long a PDF without its end is waited for, seconds: devices send while they scan.
CUT_OFF_WAIT_S = 300.0
# How long refused files are kept, days.
REFUSED_KEPT_DAYS = 28
SWEEP_EVERY_S = 3600.0
# Octets of one file: the renderer's limit.
LARGEST = Limits().file_octets


class Scans:
    """A service of the daemon: one thread that watches the scan folder."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="scan-folder", daemon=True)
        self._seen: dict[
            str, tuple[FileState, float]
        ] = {}  # a file's state, and since when it is so (monotonic)
        self._handed_in: dict[str, tuple[int, ...]] = {}  # a claim's id, and the ids of its jobs
        self._swept = float("-inf")
        self._resting = Resting()  # claims and files that failed

    def start(self) -> None:
        """Starts its thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ends its thread; returns when that has ended."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(LOOK_EVERY_S):
            settings = self._box.settings.section(ScanSettings)
            if not settings.folder:
                continue
            try:
                self.look(Path(settings.folder), time.monotonic())
            except SpoolClosedError:
                return
            except OSError as error:
                _log.error("scanned documents wait in %s: %s", settings.folder, error)
                self._stop.wait(TROUBLE_WAIT_S)
            except Exception:  # a bug must not end scanning
                _log.exception("the scan folder")
                self._stop.wait(TROUBLE_WAIT_S)

    def look(self, folder: Path, now: float) -> None:
        """Takes every file that is complete at the monotonic time ``now``, hands in, and tidies up.

        Each is handled on its own: one that fails rests for a while, the others go on.
        Raises SpoolClosedError, and OSError when the folder cannot be used.
        """
        settings = self._box.settings.section(ScanSettings)
        speak(language_for(self._box.settings.items(User).values(), settings.owner))
        files = ScanFiles(folder)
        claims = list(files.claims())
        for claim in claims:
            with self._resting.by_itself(claim.id, "a scanned document"):
                self._deal_with(files, claim, settings.owner)
        waiting = files.waiting()
        self._seen = {
            name: self._seen[name] if name in self._seen and self._seen[name][0] == look else (look, now)
            for name, look in waiting.items()
        }
        for name, (look, since) in list(self._seen.items()):
            with self._resting.by_itself(name, "a scanned document"):
                if now - since >= settings.settled_s:
                    self._take(files, name, look, now - since, settings.owner)
        self._resting.keep({*self._seen, *(claim.id for claim in claims)})
        if now - self._swept >= SWEEP_EVERY_S:
            self._swept = now
            today = self._box.age_clock.now()
            files.sweep(
                faxed_before=today - settings.keep_days * DAY_S,
                refused_before=today - REFUSED_KEPT_DAYS * DAY_S,
            )

    def _take(self, files: ScanFiles, name: str, look: FileState, unchanged_s: float, owner: str) -> None:
        """Takes a file if it is complete, and hands it in."""
        if self._resting.rests(name) or not self._is_complete(files.folder / name, look, unchanged_s):
            return
        try:
            claim = files.take(name)
        except FileNotFoundError:
            return  # it was removed meanwhile
        del self._seen[name]
        self._deal_with(files, claim, owner)

    def _is_complete(self, path: Path, look: FileState, unchanged_s: float) -> bool:
        try:
            with open_plain(path, LARGEST) as descriptor:
                if has_writer(descriptor) or not look.octets:
                    return False
                return unchanged_s >= CUT_OFF_WAIT_S or not is_cut_off(descriptor)
        except ScanError:
            return True  # it is taken, and then refused
        except FileNotFoundError:
            return False

    # -- one file ------------------------------------------------------------------------------

    def _deal_with(self, files: ScanFiles, claim: Claim, owner: str) -> None:
        """Hands in a claim, or moves it away once its pages are made."""
        if self._resting.rests(claim.id):
            return
        try:
            jobs = self._jobs(claim, owner)
        except RefusedError as error:
            self._refuse(files, claim, _words(error.cause, error.detail))
            return
        except ScanError as error:
            self._refuse(files, claim, str(error))
            return
        if any(job.state is JobState.PREPARING for job in jobs):
            return
        self._handed_in.pop(claim.id, None)
        unreadable = next((job.cause for job in jobs if _is_unreadable(job)), None)
        if unreadable is not None:
            self._refuse(files, claim, _words(unreadable))
            return
        files.done(claim, str(jobs[0].id) if jobs else claim.id)
        if not self._box.settings.section(ScanSettings).keep_days:
            files.sweep(faxed_before=float("inf"), refused_before=0.0)

    def _jobs(self, claim: Claim, owner: str) -> list[Job]:
        """The claim's faxes; hands it in first if that was not done.

        Raises RefusedError, ScanError, DiskFullError.
        """
        if claim.id not in self._handed_in:
            key = f"{SCAN_ORIGIN}:{claim.id}"
            made = self._box.faxes.handed_in(owner, key, claim.id)
            self._handed_in[claim.id] = tuple(
                job.id for job in (made.jobs if made is not None else self._hand_in(claim, owner, key))
            )
        found = []
        for number in self._handed_in[claim.id]:
            try:
                found.append(self._box.faxes.get(number))
            except NotFoundError:
                continue  # erased already
        return found

    def _hand_in(self, claim: Claim, owner: str, key: str) -> tuple[Job, ...]:
        self._box.rules.require_quota(owner)
        files: list[SourceFile] = []
        try:
            person = _person(claim.path)
            with examined(self._box, claim.pieces(LARGEST)) as looked:
                to, problem = self._recipients(claim, looked)
                files.append(
                    self._box.documents.store_file(
                        looked.pieces, name=claim.name, media_type="", limit=LARGEST
                    )
                )
            metadata = {"print_title": claim.name}
            if problem:
                metadata[PROBLEM] = problem
            made = self._box.faxes.submit(
                Request(
                    owner=owner,
                    to=to,
                    without_number=not to,
                    files=tuple(files),
                    origin=SCAN_ORIGIN,
                    idempotency_key=key,
                    idempotency_digest=claim.id,
                    from_user=person,
                    metadata=metadata,
                )
            )
        except BaseException:
            self._box.documents.discard_files(files)
            raise
        _log.info("scanned: %s is fax %s", claim.name, ", ".join(str(each.id) for each in made.jobs))
        return made.jobs

    def _recipients(self, claim: Claim, looked: ExaminedDocument) -> tuple[tuple[To, ...], str]:
        """The recipients, and why a person must look first although a number is named; empty: no need."""
        named = numbers_of_file_name(claim.name)
        numbers = named or looked.numbers
        problem = problem_with(self._box, numbers)
        if problem:
            return (), problem
        return tuple(To(number) for number in numbers), "" if named else looked.problem

    # -- refused files -------------------------------------------------------------------------

    def _refuse(self, files: ScanFiles, claim: Claim, why: str) -> None:
        self._handed_in.pop(claim.id, None)
        where = files.refuse(claim, why)
        _log.warning("a scanned document is not faxed (%s): %s", where, why)
        self._box.history.audit(SCAN_ORIGIN, "scan.refused", object=claim.name[:NAME_LIMIT], detail=why[:300])


def _is_unreadable(job: Job) -> bool:
    return job.state is JobState.FAILED and job.cause is not None and not job.pages and not job.tries


def _words(cause: Cause, detail: str = "") -> str:
    return in_words(said(cause.sentence), detail, said(cause.advice))


def _person(path: Path) -> str:
    """The user who owns the file on this machine; Samba gives a file to the user who signed in."""
    try:
        return pwd.getpwuid(path.lstat().st_uid).pw_name[:NAME_LIMIT]
    except KeyError:
        return ""
