"""Received pages as a PDF that contains each page's own T.6 data, bit for bit.

Written straight to the file, one page at a time (ISO 32000-1 7.4.6 CCITTFaxDecode); only the offsets for the
cross-reference table are kept in memory.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO

from appliance.documents.geometry import MM_PER_INCH, PIXELS_PER_MM, ROWS_PER_MM
from appliance.documents.invisible_text import FONT_OBJECTS, font_objects, hidden
from appliance.t4.coding import encode, recode
from appliance.t4.page import CodedPage, Coding, Raster

_POINTS_PER_MM = 72 / MM_PER_INCH
_CATALOG, _PAGES, _INFO = 1, 2, 3
_OBJECTS_PER_PAGE = 3


def write_pdf(
    path: Path,
    pages: Iterable[CodedPage | Raster],
    *,
    title: str = "",
    created: datetime | None = None,
    texts: Sequence[str] = (),
) -> int:
    """Writes ``pages`` to a PDF at ``path`` and returns how many there were.

    ``texts`` is the text of each page, as far as it is known; it can be searched and copied.

    Pages have the size that their pixels have on paper.  The file is complete and on disk before it gets
    its name.  Raises PageError for a page whose coded data are damaged, ValueError when there is no
    page, OSError.
    """
    scratch = path.with_name(f".{path.name}.part")
    try:
        with scratch.open("wb") as file:
            count = _write(file, pages, title, created, texts)
            file.flush()
            os.fsync(file.fileno())
        scratch.rename(path)
    finally:
        scratch.unlink(missing_ok=True)
    return count


def _write(
    file: IO[bytes],
    pages: Iterable[CodedPage | Raster],
    title: str,
    created: datetime | None,
    texts: Sequence[str],
) -> int:
    font = _INFO + 1
    first_page = font + FONT_OBJECTS if texts else font
    words = b"/Font<</W %d 0 R>>" % font if texts else b""
    objects = _Objects(file)
    numbers: list[int] = []
    for page in pages:
        coded = encode(page, Coding.MMR) if isinstance(page, Raster) else recode(page, Coding.MMR)
        text = texts[len(numbers)] if len(numbers) < len(texts) else None
        numbers.append(first_page + len(numbers) * _OBJECTS_PER_PAGE)
        _write_page(objects, numbers[-1], coded, text, words)
    if not numbers:
        raise ValueError("a PDF without pages")
    for number, body in enumerate(font_objects(font) if texts else (), font):
        objects.write(number, body)
    objects.write(_CATALOG, b"<</Type/Catalog/Pages %d 0 R>>" % _PAGES)
    kids = b"".join(b"%d 0 R " % number for number in numbers)
    objects.write(_PAGES, b"<</Type/Pages/Count %d/Kids[" % len(numbers), kids, b"]>>")
    named = title.encode("utf-16-be", "replace").hex().encode()
    day = b"/CreationDate(%s)" % _date(created) if created is not None else b""
    objects.write(_INFO, b"<</Producer(faxbox)/Title<FEFF%s>" % named, day, b">>")
    objects.end()
    return len(numbers)


def _write_page(objects: _Objects, number: int, page: CodedPage, text: str | None, words: bytes) -> None:
    """Three objects from ``number`` on; ``words``: the resource that draws ``text`` unseen."""
    width = page.width / PIXELS_PER_MM[page.resolution.x_dpi] * _POINTS_PER_MM
    height = max(page.rows, 1) / ROWS_PER_MM[page.resolution.y_dpi] * _POINTS_PER_MM
    objects.write(
        number,
        b"<</Type/Page/Parent %d 0 R/MediaBox[0 0 %.2f %.2f]/Contents %d 0 R"
        b"/Resources<</XObject<</F %d 0 R>>%s>>>>" % (_PAGES, width, height, number + 1, number + 2, words),
    )
    content = b"q %.2f 0 0 %.2f 0 0 cm /F Do Q" % (width, height)
    if text is not None:
        content += hidden(text, width, height)
    objects.write(number + 1, b"<</Length %d>>stream\n" % len(content), content, b"\nendstream")
    objects.write(
        number + 2,
        b"<</Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceGray/BitsPerComponent 1"
        b"/Filter/CCITTFaxDecode/DecodeParms<</K -1/Columns %d/Rows %d>>/Length %d>>stream\n"
        % (page.width, max(page.rows, 1), page.width, page.rows, len(page.data)),
        page.data,
        b"\nendstream",
    )


class _Objects:
    """The objects of a file, numbered without gaps, written in any order (ISO 32000-1 7.5)."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._offsets: dict[int, int] = {}
        file.write(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")

    def write(self, number: int, *parts: bytes) -> None:
        self._offsets[number] = self._file.tell()
        self._file.writelines((b"%d 0 obj\n" % number, *parts, b"\nendobj\n"))

    def end(self) -> None:
        """Writes the table of offsets, and the trailer."""
        start, count = self._file.tell(), len(self._offsets) + 1
        self._file.write(b"xref\n0 %d\n0000000000 65535 f \n" % count)
        self._file.writelines(b"%010d 00000 n \n" % self._offsets[number] for number in range(1, count))
        self._file.write(
            b"trailer\n<</Size %d/Root %d 0 R/Info %d 0 R>>\nstartxref\n%d\n%%%%EOF\n"
            % (count, _CATALOG, _INFO, start)
        )


def _date(moment: datetime) -> bytes:
    zone = moment.strftime("%z")
    text = moment.strftime("D:%Y%m%d%H%M%S") + (f"{zone[:3]}'{zone[3:5]}'" if zone else "")
    return text.encode("ascii")
