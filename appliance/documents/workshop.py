"""Typesets documents without pages of their own into PDFs, once for all workers of a job.

The first worker of a job makes the PDFs, in bounded children, and appends them to a file that all workers of
the job have open; the others find them there.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import struct
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.documents.bounded import (
    Bounds,
    FailedWorkError,
    OutOfMemoryError,
    Typeset,
    UnboundedError,
    run_bounded,
)
from appliance.documents.causes import DOCUMENT_DAMAGED, DOCUMENT_MEMORY, DOCUMENT_TIMED_OUT
from appliance.documents.errors import DocumentError
from appliance.documents.labels import IN_ENGLISH, Labels
from appliance.documents.options import Limits, Paper, Straighten
from appliance.remarks import from_json, to_json

# Most PDFs of one job: an e-mail has a few parts, a hostile one any number.
MOST_TYPESET = 300
# Claims: the number of the next page, by which several workers share the pages of one job.
CLAIM = struct.Struct("=Q")


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a PDF is in the file, with its remarks as JSON."""

    offset: int
    octets: int
    remarks: Sequence[Mapping[str, Any]]


class Workshop:
    """``file``: open for reading and writing; ``known``: its contents, by key.

    ``report`` is called with each addition.  ``scratch`` is a folder for programs that need one.
    ``alone``: no other worker runs, so that no more memory can become free.
    """

    def __init__(
        self,
        file: int,
        scratch: Path,
        paper: Paper,
        limits: Limits,
        *,
        known: Mapping[str, Kept],
        report: Callable[[str, Kept], None],
        labels: Labels = IN_ENGLISH,
        straighten: Straighten = Straighten.NONE,
        alone: bool = True,
    ) -> None:
        self.scratch = scratch
        self.paper = paper
        self.limits = limits
        self.labels = labels
        self.straighten = straighten
        self._alone = alone
        self.depth = 0  # e-mails within e-mails that are being opened
        self.subject = ""  # of the innermost of them
        self._file = file
        self._known = dict(known)
        self._report = report

    def once(
        self, what: str, made_from: bytes, make: Callable[[], Typeset], bounds: Bounds | None
    ) -> Typeset:
        """The result of ``make``, which turns ``made_from`` into a PDF; made at most once for each key.

        It is made in a child within ``bounds``; if ``bounds`` is None, in this process, which is cheaper, for
        input that cannot be costly.

        Raises DocumentError as ``make`` does, and with DOCUMENT_MEMORY, DOCUMENT_TIMED_OUT or
        DOCUMENT_DAMAGED when the child fails; MemoryError as `attempt`.
        """
        try:
            return self.attempt(what, made_from, make, bounds)
        except OutOfMemoryError as error:
            raise DocumentError(DOCUMENT_MEMORY, f"{what}: {error}") from None
        except FailedWorkError as error:
            raise DocumentError(DOCUMENT_DAMAGED, f"{what}: {error}") from None
        except UnboundedError as error:
            raise DocumentError(DOCUMENT_TIMED_OUT, f"{what}: {error}") from None

    def attempt(
        self, what: str, made_from: bytes, make: Callable[[], Typeset], bounds: Bounds | None
    ) -> Typeset:
        """``once``, but raises UnboundedError, so that something plainer can be tried.

        Raises MemoryError, too, when it failed for lack of memory and a worker alone would have more.
        """
        key = f"{what} {hashlib.sha256(made_from).hexdigest()}"
        kept = self._known.get(key)
        if kept is not None:
            return Typeset(os.pread(self._file, kept.octets, kept.offset), from_json(kept.remarks))
        try:
            made = run_bounded(lambda: self._in_child(make), bounds) if bounds is not None else make()
        except OutOfMemoryError as error:
            self.need_to_be_alone(f"{what}: {error}")
            raise
        if len(self._known) < MOST_TYPESET:
            self._known[key] = Kept(self._append(made.pdf), len(made.pdf), to_json(made.remarks))
            self._report(key, self._known[key])
        return made

    def _in_child(self, make: Callable[[], Typeset]) -> Typeset:
        """Runs ``make`` with its temporary files in the scratch folder, because a child does not clean up."""
        tempfile.tempdir = str(self.scratch)
        return make()

    def need_to_be_alone(self, why: str) -> None:
        """Raises MemoryError with ``why`` unless this worker runs alone."""
        if not self._alone:
            raise MemoryError(why)

    def put_by(self, content: bytes) -> str:
        """Writes ``content`` to a file, which is deleted with the scratch folder, and returns its path."""
        with tempfile.NamedTemporaryFile(dir=self.scratch, delete=False) as file:
            file.write(content)
        return file.name

    def _append(self, pdf: bytes) -> int:
        """Appends ``pdf`` to the file; returns its offset."""
        fcntl.lockf(self._file, fcntl.LOCK_EX)
        try:
            offset = os.lseek(self._file, 0, os.SEEK_END)
            written = 0
            while written < len(pdf):
                written += os.pwrite(self._file, pdf[written:], offset + written)
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN)
        return offset
