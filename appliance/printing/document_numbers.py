"""Fax numbers in a printed document: read from page one of a PDF, where the owner allows it.

``page_reader`` reads, in a process of its own with limits; its answer is as untrusted as the document.
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from appliance.box import Box
from appliance.documents.options import Limits, clean_line
from appliance.durable import TooLargeError
from appliance.language import said
from appliance.numbering.dial_on import numbers_apart
from appliance.printing.options import all_numbers
from appliance.printing.settings import InDocument, PrintingSettings
from appliance.services.rules import RefusedError
from appliance.station import StationSettings

_log = logging.getLogger(__name__)

# The program that reads; it loads pdfium, which the box itself does not.  The most candidates looked at.
_READER, MOST_FOUND = Path(__file__).with_name("page_reader.py"), 20
# The longest reading of one page, seconds; ``page_reader`` has limits of its own as well.
_WALL_S = 20.0
LARGEST = Limits().file_octets
# Octets of the answer's first line, and of one piece of the PDF.
_HEAD_LIMIT, _PIECE = 1 << 17, 1 << 16
# ITU-T E.164 6.1: 15 digits of a number, and a few dialled before it.
_MOST_DIGITS = 15 + 4
# A number after "Fax-Nr.:" ends its column; a date beside it is not part of it.
_LINE = re.compile(r"\+?[0-9(][0-9 ()/.-]{2,40}", re.ASCII)
_DATE = re.compile(r"[0-9]{1,2}\.[ ]?[0-9]{1,2}\.[ ]?[0-9]{2}|[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ExaminedDocument:
    """``numbers``: the fax numbers that the document names; ``problem``: why a person must look first.

    ``pieces``: the document's octets, without its tags.
    """

    pieces: Iterator[bytes]
    numbers: tuple[str, ...] = ()
    problem: str = ""


@contextlib.contextmanager
def examined(box: Box, pieces: Iterable[bytes]) -> Iterator[ExaminedDocument]:
    """Looks for fax numbers in a document, as the owner's settings say.

    Raises what ``pieces`` raises, TooLargeError, and OSError when the disk is full.
    """
    where = box.settings.section(PrintingSettings).number_in_document
    if where is InDocument.OFF:
        yield ExaminedDocument(iter(pieces))
        return
    with box.documents.temporary_folder() as folder:
        document, answer = folder / "document", folder / "answer"
        _write(document, pieces)
        tags, lines, start = _read(document, answer)
        numbers, problem = _chosen(box, tags, lines if where is InDocument.LINE else ())
        yield ExaminedDocument(_pieces(answer, start) if tags else _pieces(document, 0), numbers, problem)


def _write(path: Path, pieces: Iterable[bytes]) -> None:
    octets = 0
    with path.open("wb") as file:
        for piece in pieces:
            octets += len(piece)
            if octets > LARGEST:
                raise TooLargeError(f"more than {LARGEST} octets")
            file.write(piece)


def problem_with(box: Box, numbers: Iterable[str], cover: str = "") -> str:
    """Why a person must look first: a number that is not dialled, no such cover template; else empty."""
    try:
        for number in numbers:
            box.rules.number(number)
        box.rules.cover_template(cover)
    except RefusedError as error:
        return clean_line(str(error))
    return ""


def _pieces(path: Path, start: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        while piece := file.read(_PIECE):
            yield piece


def _read(document: Path, answer: Path) -> tuple[tuple[str, ...], tuple[str, ...], int]:
    """The tags and lines of page one, and the offset in ``answer`` of the PDF without its tags."""
    with document.open("rb", buffering=0) as file, answer.open("wb") as target:
        if file.read(5) != b"%PDF-":
            return (), (), 0
        file.seek(0)
        try:
            done = subprocess.run(
                [sys.executable, "-I", str(_READER)],
                stdin=file,
                stdout=target,
                stderr=subprocess.DEVNULL,
                env={},
                cwd="/",
                timeout=_WALL_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            _log.warning("a document was not looked into for a number: it took too long")
            return (), (), 0
    with answer.open("rb") as file:
        head = file.readline(_HEAD_LIMIT)
        start = file.tell()
    try:
        found = json.loads(head)
        tags, lines = (tuple(clean_line(str(each)) for each in found[name]) for name in ("tags", "lines"))
    except (ValueError, KeyError, TypeError, RecursionError):
        _log.warning("a document was not looked into for a number: exit code %s", done.returncode)
        return (), (), 0
    if done.returncode or (tags and answer.stat().st_size == start):
        return (), (), 0
    return tags[:MOST_FOUND], lines[:MOST_FOUND], start


def _chosen(box: Box, tags: Iterable[str], lines: Iterable[str]) -> tuple[tuple[str, ...], str]:
    """The numbers that the document names, if it names one set only; else why that is not clear."""
    candidates: dict[tuple[str, ...], tuple[str, ...]] = {}
    for written in tags:
        numbers = all_numbers(numbers_apart(written, commas=False))
        candidates[_dialled(box, numbers) or (written,)] = numbers
    own = {dialled for each in _own(box) for dialled in _dialled(box, (each,))}
    for written in lines:
        numbers = all_numbers([written]) if _is_plain(written) else ()
        if dialled := _dialled(box, numbers):
            if not own.issuperset(dialled):
                candidates[dialled] = numbers
        elif any(letter.isdigit() for letter in written):
            candidates[(written,)] = ()
    if len(candidates) > 1:
        named = "; ".join(" ".join(dialled) for dialled in candidates)
        return (), clean_line(said("The document names several numbers:") + f" {named}")
    (numbers,) = candidates.values() or ((),)
    if candidates and not numbers:
        ((written, *_),) = candidates
        return (), clean_line(said("What the document names is no number:") + f" {written}")
    return numbers, ""


def _is_plain(written: str) -> bool:
    digits = sum(letter.isdigit() for letter in written)
    return bool(_LINE.fullmatch(written)) and digits <= _MOST_DIGITS and not _DATE.search(written)


def _dialled(box: Box, numbers: Iterable[str]) -> tuple[str, ...]:
    """The numbers as they would be dialled; one that cannot be dialled stays as written."""
    found = []
    for number in numbers:
        try:
            found.append(box.rules.number(number).dial)
        except RefusedError:
            found.append(number)
    return tuple(found)


def _own(box: Box) -> list[str]:
    """The box's own numbers, which stand in letterheads."""
    station = box.settings.section(StationSettings)
    return [each for each in (station.station_id, station.caller_number, *station.further_numbers) if each]
