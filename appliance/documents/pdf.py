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
from appliance.documents.pdftext import FONT_OBJECTS, font_objects, hidden
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
    offsets: dict[int, int] = {}
    font = _INFO + 1
    first_page = font + FONT_OBJECTS if texts else font
    words = b"/Font<</W %d 0 R>>" % font if texts else b""

    def begin(number: int) -> None:
        offsets[number] = file.tell()
        file.write(b"%d 0 obj\n" % number)

    file.write(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    count = 0
    for page in pages:
        coded = encode(page, Coding.MMR) if isinstance(page, Raster) else recode(page, Coding.MMR)
        first = first_page + count * _OBJECTS_PER_PAGE
        width = coded.width / PIXELS_PER_MM[coded.resolution.x_dpi] * _POINTS_PER_MM
        height = max(coded.rows, 1) / ROWS_PER_MM[coded.resolution.y_dpi] * _POINTS_PER_MM
        begin(first)
        file.write(
            b"<</Type/Page/Parent %d 0 R/MediaBox[0 0 %.2f %.2f]/Contents %d 0 R"
            b"/Resources<</XObject<</F %d 0 R>>%s>>>>\nendobj\n"
            % (_PAGES, width, height, first + 1, first + 2, words)
        )
        content = b"q %.2f 0 0 %.2f 0 0 cm /F Do Q" % (width, height)
        if count < len(texts):
            content += hidden(texts[count], width, height)
        begin(first + 1)
        file.write(b"<</Length %d>>stream\n%s\nendstream\nendobj\n" % (len(content), content))
        begin(first + 2)
        file.write(
            b"<</Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceGray/BitsPerComponent 1"
            b"/Filter/CCITTFaxDecode/DecodeParms<</K -1/Columns %d/Rows %d>>/Length %d>>stream\n"
            % (coded.width, max(coded.rows, 1), coded.width, coded.rows, len(coded.data))
        )
        file.write(coded.data)
        file.write(b"\nendstream\nendobj\n")
        count += 1
    if not count:
        raise ValueError("a PDF without pages")
    for number, body in enumerate(font_objects(font) if texts else (), font):
        begin(number)
        file.write(body + b"\nendobj\n")
    begin(_CATALOG)
    file.write(b"<</Type/Catalog/Pages %d 0 R>>\nendobj\n" % _PAGES)
    begin(_PAGES)
    file.write(b"<</Type/Pages/Count %d/Kids[" % count)
    for index in range(count):
        file.write(b"%d 0 R " % (first_page + index * _OBJECTS_PER_PAGE))
    file.write(b"]>>\nendobj\n")
    begin(_INFO)
    file.write(b"<</Producer(faxbox)/Title<FEFF%s>" % title.encode("utf-16-be", "replace").hex().encode())
    if created is not None:
        file.write(b"/CreationDate(%s)" % _date(created))
    file.write(b">>\nendobj\n")
    start = file.tell()
    file.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(offsets) + 1))
    for number in range(1, len(offsets) + 1):
        file.write(b"%010d 00000 n \n" % offsets[number])
    file.write(
        b"trailer\n<</Size %d/Root %d 0 R/Info %d 0 R>>\nstartxref\n%d\n%%%%EOF\n"
        % (len(offsets) + 1, _CATALOG, _INFO, start)
    )
    return count


def _date(moment: datetime) -> bytes:
    zone = moment.strftime("%z")
    text = moment.strftime("D:%Y%m%d%H%M%S") + (f"{zone[:3]}'{zone[3:5]}'" if zone else "")
    return text.encode("ascii")
