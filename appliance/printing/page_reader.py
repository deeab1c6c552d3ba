"""Reads fax numbers from page one of a PDF, and covers their tags with white; a process of its own.

``document_numbers`` starts it, because a document may crash pdfium or keep it busy.  Standard input is the
PDF file, standard output a file for the answer: one line of JSON with the lists ``tags`` and ``lines``, then,
if there was a tag, the PDF without it.

A tag is ``@@FAX: +49 30 123456@@``; a line is ``Fax-Nr.: +49 30 123456`` to its end, or to the gap before the
next column.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import resource
import sys
from collections.abc import Iterator

import pypdfium2
from pypdfium2 import raw

from appliance import limited

# The most characters of the page, and candidates on it, that are looked at.
MOST_CHARACTERS, MOST_FOUND = 50_000, 20
_TAG = re.compile(r"@@\s{0,9}FAX\s{0,9}:\s{0,9}([^@\n]{0,200}?)\s{0,9}@@", re.IGNORECASE)
_LINE = re.compile(
    r"(?<!\w)(?:Tele)?fax(?:[- ]?(?:nr|nummer|no|number)\b\.?)[ \t]{0,9}:[ \t]{0,9}([^\t\n]{1,200})",
    re.IGNORECASE,
)
# Put where a gap is wider than the type is high: between two columns.
_COLUMN = "\t"
# Margin of what is covered around a tag, points: letters may reach beyond their boxes.
_EDGE = 1.5
# Limits of the process: seconds of processor time, octets of address space, octets of the answer.
_CPU_S, _MEMORY_OCTETS, _ANSWER_OCTETS = 10, 768 << 20, 200 << 20


def confine() -> None:
    """Gives up what reading does not need, for good: resources and privileges."""
    limited.control(limited.END_WITH_PARENT, limited.NO_NEW_PRIVILEGES)
    for limit, most in (
        (resource.RLIMIT_AS, _MEMORY_OCTETS),
        (resource.RLIMIT_CPU, _CPU_S),
        (resource.RLIMIT_FSIZE, _ANSWER_OCTETS),
        (resource.RLIMIT_CORE, 0),
    ):
        limited.lower(limit, most)
    limited.end_first()
    os.nice(10)  # packets of running calls come first


def main() -> int:
    """Reads and answers; returns the exit code."""
    confine()
    content = sys.stdin.buffer.read()
    try:
        document = pypdfium2.PdfDocument(content)
        page = document[0]
    except (pypdfium2.PdfiumError, IndexError):
        tags, lines = [], []  # the renderer will report what is wrong with it
    else:
        letters = page.get_textpage()
        text, places = _text(letters)
        found = [match for match, _ in zip(_TAG.finditer(text), range(MOST_FOUND), strict=False)]
        tags = [match[1].replace(_COLUMN, " ").strip() for match in found]
        lines = [match[1].strip() for match, _ in zip(_LINE.finditer(text), range(MOST_FOUND), strict=False)]
        for match in found:
            _cut_out(page, letters, places[match.start()], places[match.end() - 1])
        if found:
            page.gen_content()
    sys.stdout.buffer.write(json.dumps({"tags": tags, "lines": lines}).encode() + b"\n")
    if tags:
        document.save(sys.stdout.buffer)
    sys.stdout.buffer.flush()
    return 0


def _text(letters: pypdfium2.PdfTextPage) -> tuple[str, list[int]]:
    """The page's text with columns separated, and for each character its index in pdfium."""
    text, places = [], []
    for place, letter in _letters(letters):
        text.append(letter)
        places.append(place)
    return "".join(text), places


def _letters(letters: pypdfium2.PdfTextPage) -> Iterator[tuple[int, str]]:
    last: raw.FS_RECTF | None = None
    for place in range(min(letters.count_chars(), MOST_CHARACTERS)):
        code = raw.FPDFText_GetUnicode(letters, place)
        letter = chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else " "
        if letter in "\r\n":
            yield place, "\n"
            last = None
            continue
        if letter.isspace():
            yield place, " "
            continue
        box = _box(letters, place)
        if last is not None and box is not None and box.left - last.right > last.top - last.bottom:
            yield place, _COLUMN
        yield place, letter
        last = box or last


def _box(letters: pypdfium2.PdfTextPage, place: int) -> raw.FS_RECTF | None:
    """The box of a character at the full height of its font."""
    box = raw.FS_RECTF()
    return box if raw.FPDFText_GetLooseCharBox(letters, place, ctypes.byref(box)) else None


def _cut_out(page: pypdfium2.PdfPage, letters: pypdfium2.PdfTextPage, first: int, last: int) -> None:
    """Covers these characters with white, line by line."""
    for number in range(min(letters.count_rects(first, last - first + 1), MOST_CHARACTERS)):
        left, bottom, right, top = letters.get_rect(number)
        white = raw.FPDFPageObj_CreateNewRect(
            left - _EDGE, bottom - _EDGE, right - left + 2 * _EDGE, top - bottom + 2 * _EDGE
        )
        raw.FPDFPageObj_SetFillColor(white, 255, 255, 255, 255)
        raw.FPDFPath_SetDrawMode(white, raw.FPDF_FILLMODE_WINDING, False)
        raw.FPDFPage_InsertObject(page, white)


if __name__ == "__main__":
    sys.exit(main())
