"""XPS and DjVu through small programs of Debian's, where they are installed."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from appliance.documents.bounded import Bounds, Typeset
from appliance.documents.causes import DJVU_NOT_INSTALLED, XPS_NOT_INSTALLED
from appliance.documents.errors import DocumentError
from appliance.documents.joined import Joined
from appliance.documents.office.confined import Bench, find_program
from appliance.documents.office.pictures import is_readable
from appliance.documents.pdf.source import PdfSource
from appliance.documents.typeset.source import TypesetSource
from appliance.documents.workshop import Workshop
from appliance.documents.zipped import read_entry, unzipped
from appliance.remarks import CONTENT_DAMAGED, PAGES_MISSING, PICTURE_LOST, Remark

XPS_PROGRAM, DJVU_PROGRAM = "xpstopdf", "ddjvu"
_BOUNDS = Bounds(cpu_seconds=45, wall_seconds=55.0)
_RUN_SECONDS = 50.0
# How the programs end, and what they say, when the kernel refuses them memory.
_NO_MEMORY = re.compile(rb"failed to allocate|[Oo]ut of memory|bad_alloc|memory exhausted")
# XPS (ECMA-388): its documents, their pages, and pictures, by names; long parts come in pieces (10.1.3).
_PIECE = re.compile(r"/\[(\d{1,6})\](?:\.last)?\.piece$", re.IGNORECASE)
_SEQUENCE, _DOCUMENT = re.compile(r"\.fdseq$", re.IGNORECASE), re.compile(r"\.fdoc$", re.IGNORECASE)
_REFERENCE, _PAGE = re.compile(rb"<(?:\w+:)?DocumentReference\b"), re.compile(rb"<(?:\w+:)?PageContent\b")
_PICTURE = re.compile(r"\.(?:png|jpe?g|jpe|tiff?|wdp|hdp|jxr)$", re.IGNORECASE)
_LARGEST_PART, _MOST_DOCUMENTS, _MOST_PICTURES = 4 << 20, 100, 200
_FAILED_PAGE = re.compile(rb"Error (?:getting|rendering) page (\d{1,6})")


def open_xps(content: bytes, workshop: Workshop) -> Joined:
    """The pages that libgxps makes of an XPS file, one of its documents after the other.

    Raises DocumentError: XPS_NOT_INSTALLED, DOCUMENT_DAMAGED, DOCUMENT_MEMORY, DOCUMENT_TIMED_OUT.
    """
    program = find_program(XPS_PROGRAM)
    if program is None:
        raise DocumentError(XPS_NOT_INSTALLED)
    with unzipped(content) as archive:
        documents, pages, lost = _counted(archive)
    drawers: list[PdfSource] = []
    for number in range(1, min(documents, _MOST_DOCUMENTS) + 1):
        command = [program, "-d", str(number)]

        def make(command: Sequence[str] = command) -> Typeset:
            return _convert(command, content, "xps", workshop, _failed_pages)

        key = b"%d " % number + content
        drawers.append(TypesetSource(workshop.once("xps", key, make, _BOUNDS)))
    remarks = [Remark(PICTURE_LOST, detail=f"{lost} of the document")] if lost else []
    made = sum(drawer.count for drawer in drawers)
    if made < pages or documents > _MOST_DOCUMENTS:
        remarks.append(Remark(PAGES_MISSING, detail=f"{made} of {pages} pages"))
    return Joined(drawers, remarks)


def open_djvu(content: bytes, workshop: Workshop) -> TypesetSource:
    """The pages that DjVuLibre makes of a DjVu file.

    Raises DocumentError: DJVU_NOT_INSTALLED, DOCUMENT_DAMAGED, DOCUMENT_MEMORY, DOCUMENT_TIMED_OUT.
    """
    program = find_program(DJVU_PROGRAM)
    if program is None:
        raise DocumentError(DJVU_NOT_INSTALLED)
    command = [program, "-format=pdf", f"-page=1-{workshop.limits.pages + 1}"]

    def make() -> Typeset:
        return _convert(command, content, "djvu", workshop)

    return TypesetSource(workshop.once("djvu", content, make, _BOUNDS))


def _convert(
    command: Sequence[str],
    content: bytes,
    suffix: str,
    workshop: Workshop,
    remarked: Callable[[bytes], Sequence[Remark]] = lambda _: (),
) -> Typeset:
    """The PDF that ``command`` makes of a file; ``remarked``: the remarks on what it said of errors."""
    with Bench(workshop) as bench:
        source, made = bench.folder / f"document.{suffix}", bench.folder / "document.pdf"
        source.write_bytes(content)
        pdf = bench.pdf_of(
            [*command, str(source), str(made)],
            made,
            _RUN_SECONDS,
            Path(command[0]).name,
            lambda run: _NO_MEMORY.search(run.complaints()) is not None,
        )
        return Typeset(pdf, tuple(remarked(bench.complaints())))


def _failed_pages(said: bytes) -> list[Remark]:
    numbers = dict.fromkeys(_FAILED_PAGE.findall(said))
    shown = ", ".join(number.decode() for number in numbers)
    return [Remark(CONTENT_DAMAGED, detail=f"page {shown} of the file")] if shown else []


def _counted(archive: zipfile.ZipFile) -> tuple[int, int, int]:
    """The documents and pages that an XPS file lists, and the pictures that will not be drawn."""
    parts: dict[str, list[zipfile.ZipInfo]] = {}
    for entry in archive.infolist():
        parts.setdefault(_PIECE.sub("", entry.filename), []).append(entry)

    def read(entries: Sequence[zipfile.ZipInfo]) -> bytes:
        return b"".join(archive.read(entry) for entry in entries if entry.file_size <= _LARGEST_PART)

    def count(names: re.Pattern[str], what: re.Pattern[bytes]) -> int:
        return sum(len(what.findall(read(there))) for name, there in parts.items() if names.search(name))

    pictures = [there for name, there in parts.items() if _PICTURE.search(name)][:_MOST_PICTURES]
    lost = sum(len(there) == 1 and not _is_drawn(archive, there[0]) for there in pictures)
    return max(1, count(_SEQUENCE, _REFERENCE)), count(_DOCUMENT, _PAGE), lost


def _is_drawn(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bool:
    """Whether a picture is whole and of a kind that libgxps draws, which JPEG XR is not."""
    content = read_entry(archive, entry)
    return content is not None and is_readable("", content)
