"""Entries of the print folder: files of one line of JSON, then the documents of a job, one after the other.

CUPS passes all files of a job, banner pages included, to one run of a backend as consecutive PDFs; here they
are separated.  Written by ``cups_backend.hand_over``.  Whoever can write to the folder is not trusted: a
link, a device, a long or malformed first line is an ``EntryError``.
"""

from __future__ import annotations

import errno
import json
import mmap
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from appliance.documents.options import clean_line
from appliance.printing.options import MOST_DOCUMENTS, NAME_LIMIT, PHONE, PREFIX, TITLE_LIMIT, parse_options

# Octets of the first line: ten texts of 16,384 characters, escaped; no job has more.
HEAD_LIMIT = 1 << 18
_PDF = b"%PDF-"
# The end mark of a PDF stands within so many last octets (ISO 32000-1 Annex H, note 18: 1024; some programs
# and devices add to it or pad the last block).
_END_WITHIN = 8192
# ISO 32000-1 7.5.5: the last line of one PDF, then the first of the next.
_SEAM = re.compile(rb"%%EOF[\r\n]{1,2}(?=%PDF-1)")


class EntryError(Exception):
    """This file is not a valid entry; the message says why."""


@dataclass(frozen=True, slots=True)
class BackendEntry:
    """What one run of the backend wrote.  ``documents``: how many the job has, 0 when CUPS did not say."""

    path: Path
    job: str
    documents: int
    starter: str  # the run of cupsd that started the backend
    user: str
    computer: str
    title: str
    queue: str
    options: Mapping[str, str]
    destinations: tuple[str, ...]
    banners: tuple[bool, bool]  # whether the job's first and last documents are banner pages
    pdf: bool
    whole: bool  # the end mark is there; a filter that was killed leaves less
    parts: tuple[tuple[int, int], ...]  # first octet of each document in the file, and the one after its last
    written_at: float  # Unix time

    def pieces(self, part: tuple[int, int], size: int = 1 << 16) -> Iterator[bytes]:
        """The octets of one of ``parts``.  Raises EntryError, OSError."""
        place, end = part
        descriptor, _ = _open(self.path)
        with open(descriptor, "rb") as file:
            file.seek(place)
            while place < end and (piece := file.read(min(size, end - place))):
                place += len(piece)
                yield piece


def _open(path: Path) -> tuple[int, os.stat_result]:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):  # a link; a socket
            raise EntryError("it is not a plain file of its own") from None
        raise
    state = os.fstat(descriptor)
    if not stat.S_ISREG(state.st_mode) or state.st_nlink != 1:
        os.close(descriptor)
        raise EntryError("it is not a plain file of its own")
    return descriptor, state


def has_pdf_end(descriptor: int, size: int) -> bool:
    """Whether the end mark of a PDF stands at the end of a file of ``size`` octets."""
    return b"%%EOF" in os.pread(descriptor, _END_WITHIN, max(size - _END_WITHIN, 0))


def read_entry(path: Path) -> BackendEntry:
    """The entry in the file ``path``.  Raises EntryError, OSError."""
    descriptor, state = _open(path)
    with open(descriptor, "rb") as file:
        head = file.readline(HEAD_LIMIT + 1)
        pdf, parts = _parts(file.fileno(), len(head), state.st_size)
        whole = not pdf or has_pdf_end(file.fileno(), state.st_size)
    if not head.endswith(b"\n") or len(head) > HEAD_LIMIT:
        raise EntryError("its first line is missing or too long")
    try:
        facts = json.loads(head)
    except (ValueError, RecursionError) as error:
        raise EntryError(f"its first line is not JSON: {error}") from None
    if not isinstance(facts, dict):
        raise EntryError("its first line is not an object")
    cups = facts.get("cups")
    cups = cups if isinstance(cups, dict) else {}
    destinations = tuple(each for each in _list(cups, "destination-uris") if isinstance(each, str) and each)
    # A cupsd that was killed meanwhile did not answer the backend; it passed the options before.
    options = parse_options(_text(facts, "options"))
    uuid, computer = (
        clean_line(_first(cups, name) or options.get(name, ""))[:NAME_LIMIT]
        for name in ("job-uuid", "job-originating-host-name")
    )
    if destinations and not any(_first(cups, name) for name in PHONE):
        # CUPS 2.4.3 and newer write the first destination among the options, with whatever stands in it.
        options = {name: value for name, value in options.items() if name not in (*PHONE, PREFIX)}
    return BackendEntry(
        path=path,
        job=uuid or path.stem,
        documents=_documents(cups),
        starter=_text(facts, "starter"),
        user=clean_line(_text(facts, "user"))[:NAME_LIMIT],
        computer=computer,
        title=clean_line(_text(facts, "title"))[:TITLE_LIMIT],
        queue=clean_line(_text(facts, "queue"))[:NAME_LIMIT],
        options=options,
        destinations=destinations,
        banners=_banners(cups) or (facts.get("banner") is True, False),
        pdf=pdf,
        whole=whole,
        parts=parts,
        written_at=state.st_mtime,
    )


def _text(facts: Mapping[str, Any], name: str) -> str:
    value = facts.get(name)
    return value if isinstance(value, str) else ""


def _list(facts: Mapping[str, Any], name: str) -> list[Any]:
    value = facts.get(name)
    return value[:MOST_DOCUMENTS] if isinstance(value, list) else []


def _first(facts: Mapping[str, Any], name: str) -> str:
    return next((each for each in _list(facts, name) if isinstance(each, str)), "")


def _documents(cups: Mapping[str, Any]) -> int:
    for name in ("number-of-documents", "document-count"):
        for value in _list(cups, name):
            if type(value) is int and 1 <= value <= MOST_DOCUMENTS:
                return value
    return 0


def _banners(cups: Mapping[str, Any]) -> tuple[bool, bool] | None:
    """Whether a banner page stands before and after the job, None when CUPS did not say."""
    sheets = _list(cups, "job-sheets")
    if not sheets:
        return None
    return sheets[0] != "none", len(sheets) > 1 and sheets[1] != "none"


def _parts(descriptor: int, start: int, end: int) -> tuple[bool, tuple[tuple[int, int], ...]]:
    """Whether it is PDF, and where each document stands; anything else is one document."""
    if end <= start:
        return False, ()
    with mmap.mmap(descriptor, end, access=mmap.ACCESS_READ) as content:
        if content[start : start + len(_PDF)] != _PDF:
            return False, ((start, end),)
        seams = [found.end() for found in islice(_SEAM.finditer(content, start), MOST_DOCUMENTS - 1)]
    return True, tuple(zip([start, *seams], [*seams, end], strict=True))


@dataclass(frozen=True, slots=True)
class CupsJob:
    """The entries of one job: ``present`` one for each file, in order; ``all`` with repeated ones."""

    present: tuple[BackendEntry, ...]
    all: tuple[BackendEntry, ...]

    @property
    def first(self) -> BackendEntry:
        """Its first entry that is present."""
        return self.present[0]

    @property
    def documents(self) -> list[tuple[BackendEntry, tuple[int, int]]]:
        """The documents without banner pages: the entry, and where in it the document stands."""
        every = [(entry, part) for entry in self.present for part in entry.parts]
        before, after = self.first.banners
        return every[int(before) : len(every) - int(after)]

    @property
    def complete(self) -> bool:
        """Whether all files are here and whole; for other formats than PDF that cannot be known."""
        if not all(entry.whole for entry in self.present):
            return False
        parts = sum(len(entry.parts) for entry in self.present)
        return parts >= self.first.documents or not all(entry.pdf for entry in self.present)

    @property
    def written_at(self) -> float:
        """When the newest entry was written, Unix time."""
        return max(entry.written_at for entry in self.all)


def print_jobs(entries: Iterable[BackendEntry]) -> list[CupsJob]:
    """The jobs of ``entries``, the oldest first.

    A restarted cupsd prints an unfinished job again from its first file: the entries of its last run count,
    those of earlier runs are repetitions.
    """
    found = []
    by_job = sorted(entries, key=lambda entry: (entry.job, entry.path.name))
    for _, group in groupby(by_job, key=lambda entry: entry.job):
        every = tuple(group)
        # Incomplete entries of a run count only where there are no complete ones.
        good = [entry for entry in every if entry.parts and entry.whole] or every
        last = tuple(entry for entry in good if entry.starter == good[-1].starter)
        found.append(CupsJob(last, every))
    return sorted(found, key=lambda job: job.first.path.name)
