"""The values that Excel and Word keep beside their formulas and fields, for what LibreOffice makes otherwise.
Pure.

LibreOffice recalculates a formula whose function it does not know, and shows ``#NAME?``.  Of a field of Word
that compares (IF) it shows nothing; others it fills from the file's name or properties, or with an error.
"""

from __future__ import annotations

import io
import re
import zipfile

from appliance.documents.zipped import read_entry, unzipped

_SHEET = re.compile(r"^xl/worksheets/[^/]+\.xml$")
# A formula with a function that came after Excel 2007 ([MS-XLSX] 2.2.2), and a value behind it.
_NEWER = re.compile(
    rb"<((?:\w{1,20}:)?)f\b[^>]{0,300}>[^<]{0,8192}?_xl(?:fn|ws)\.[^<]{0,8192}</\1f>(?=\s{0,100}<\1v>[^<])"
)
_TEXT = re.compile(r"^word/[^/]+\.xml$")
# Fields (ISO/IEC 29500-1 17.16.5) whose last result is right.  Not PAGEREF: the pages are LibreOffice's.
_NAMES = (
    rb"(?:IF|REF|SEQ|FILENAME|TITLE|SUBJECT|KEYWORDS|COMMENTS|TEMPLATE|NUMWORDS|NUMCHARS|REVNUM|EDITTIME|MERGEREC"
    rb"|SAVEDATE|PRINTDATE)"
)
# The instructions of a field, within or in an attribute of its element; and in RTF, within any groups.
_FIELD = re.compile(
    rb"(<(?:\w{1,20}:)?(?:instrText\b[^>]{0,300}>|fldSimple\b[^>]{0,300}?\binstr=[\"'])\s{0,100})(?="
    + _NAMES
    + rb"\b)",
    re.IGNORECASE,
)
_FIELD_OF_RTF = re.compile(
    rb"(\\fldinst(?![a-z])(?:[\s{]|\\\*|\\(?!fldinst)[a-z]++-?\d*+){0,60}+)(?=" + _NAMES + rb"(?![\w:]))",
    re.IGNORECASE,
)
# The instruction of fields that only an extension of Word understands: their result is shown.
_AS_IT_IS = rb"\1ADDIN "


def with_values(document: bytes) -> bytes:
    """``document``, of Office in a ZIP file or RTF, in which such formulas and fields are their values.

    Raises DocumentError as `unzipped`.
    """
    if not document.startswith(b"PK"):
        return _FIELD_OF_RTF.sub(_AS_IT_IS, document)
    with unzipped(document) as archive:
        changed: dict[str, bytes] = {}
        for entry in archive.infolist():
            is_text = _SHEET.match(entry.filename) or _TEXT.match(entry.filename)
            part = read_entry(archive, entry) if is_text else None
            if part is not None and (made := _with_values(entry.filename, part)) != part:
                changed[entry.filename] = made
        if not changed:
            return document
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as anew:
            for entry in archive.infolist():
                part = changed.get(entry.filename) or read_entry(archive, entry)
                if part is None:
                    return document  # what is damaged is left to LibreOffice
                anew.writestr(entry.filename, part)
    return out.getvalue()


def _with_values(name: str, part: bytes) -> bytes:
    if _TEXT.match(name):
        return _FIELD.sub(_AS_IT_IS, part)
    return _NEWER.sub(b"", part) if b"_xlfn." in part or b"_xlws." in part else part
