"""The values that Excel keeps beside its formulas, for functions that are newer than LibreOffice.  Pure.

LibreOffice recalculates a formula whose function it does not know, and shows ``#NAME?``.
"""

from __future__ import annotations

import io
import re
import zipfile

_SHEET = re.compile(r"^xl/worksheets/[^/]+\.xml$")
# A formula with a function that came after Excel 2007 ([MS-XLSX] 2.2.2), and a value behind it.
_NEWER = re.compile(
    rb"<((?:\w{1,20}:)?)f\b[^>]{0,300}>[^<]{0,8192}?_xl(?:fn|ws)\.[^<]{0,8192}</\1f>(?=\s{0,100}<\1v>[^<])"
)
_WORTH_A_LOOK = (b"_xlfn.", b"_xlws.")


def with_values(workbook: bytes) -> bytes:
    """``workbook``, an XLSX, with the values of such formulas in their place.  Raises what zipfile raises."""
    changed: dict[str, bytes] = {}
    with zipfile.ZipFile(io.BytesIO(workbook)) as archive:
        for entry in archive.infolist():
            sheet = archive.read(entry) if _SHEET.match(entry.filename) else b""
            if any(mark in sheet for mark in _WORTH_A_LOOK):
                changed[entry.filename] = _NEWER.sub(b"", sheet)
        if not changed:
            return workbook
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
            for entry in archive.infolist():
                made.writestr(entry.filename, changed.get(entry.filename) or archive.read(entry))
    return out.getvalue()
