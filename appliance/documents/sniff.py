"""Decides of which kind a file is, by its content; the only place that does, for every door.

Recognised content decides.  The name and the declared type only say what was meant: text where something else
was promised (a letter.pdf that contains a server's error page) is an error.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import PurePath
from typing import Literal

from appliance.documents import causes, first_octets
from appliance.documents.dicom import encapsulates
from appliance.documents.errors import DocumentError
from appliance.documents.foreign import (
    ZIP,
    foreign_name,
    imported_suffix,
    is_epub,
    is_iwork,
    is_office_package,
    is_xps,
)
from appliance.documents.kinds import Kind, plain_type, promised_kind
from appliance.documents.mail import tnef
from appliance.documents.mail.signed import is_encrypted, is_signed
from appliance.documents.pictures.fax_codes import is_group3
from appliance.documents.text.plain import (
    UNLIKELY,
    WINDOWS,
    as_printed,
    charset_of,
    controls_in,
    decode,
    is_readable,
)
from appliance.documents.text.tables import rows_in

# Names and types under which programs also store web pages, RTF and e-mails, since Office opens them.
_LOOSE_SUFFIXES = frozenset({".doc", ".xls", ".dot"})
_LOOSE_TYPES = frozenset({"application/msword", "application/vnd.ms-excel"})
# Kinds that are text; one in place of another is not a contradiction.
_TEXTUAL = frozenset({Kind.TEXT, Kind.HTML, Kind.SVG, Kind.RTF, Kind.POSTSCRIPT, Kind.EMAIL})

# A PDF's header may be anywhere in the first 1024 octets (ISO 32000-1 Annex H, note 13), or say PostScript
# first (note 14); in files that promise to be PDFs it may be further down, after lines of a server or e-mail.
_PDF_HEADER_WITHIN, _PROMISED_PDF_HEADER_WITHIN = 1024, 64 << 10
_PDF_AT_START = re.compile(rb"(?:\xef\xbb\xbf)?[\0\s]{0,1000}%PDF-|%!PS-Adobe-\d\.\d PDF-\d\.\d")
_PDF_BEHIND = re.compile(rb"%PDF-[12]\.\d")
_OBJECT = re.compile(rb"\b\d{1,10}\s{1,10}\d{1,5}\s{1,10}obj\b")
_PDF_WITHIN = re.compile(rb"[\r\n]%PDF-[12]\.\d[^%]{0,20}%?[^<>]{0,200}?\d+ 0 obj\b")
# The beginning of a PDF whose header is missing.
_PDF_BODY = re.compile(rb"\s*(?:%[^\r\n]{0,80}[\r\n]+)?\d{1,10} \d{1,5} obj\b")
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")  # [MS-CFB] 2.2
# A stream that only Outlook's messages have ([MS-OXMSG] 2.4), by its name in the directory.
_MSG_STREAM = "__properties_version1.0".encode("utf-16-le")
# A printer's prologue (PJL) or a spooler's mark may come first.
_POSTSCRIPT = re.compile(
    rb"(?:\xef\xbb\xbf)?\s{0,1000}\x04?(?:\x1b%-12345X(?:@PJL[^\n]{0,200}\n){0,50})?%!PS|\xc5\xd0\xd3\xc6"
)
_RTF = re.compile(rb"(?:\xef\xbb\xbf)?\s{0,1000}\{\\rtf[\d\\]")
_HTML = re.compile(
    r"\s*(?:<\?xml[^>]{0,300}\?>\s*|<!--.{0,2000}?-->\s*){0,5}<(?:!doctype\s+html|html|head|body)\b",
    re.IGNORECASE | re.DOTALL,
)
_SVG = re.compile(
    r"\s*(?:<\?xml[^>]{0,300}\?>\s*|<!--.{0,2000}?-->\s*|<!doctype\s+svg[^>\[]{0,500}(?:\[[^\]]{0,8000}\]\s*)?>\s*){0,5}"
    r"<(?:[\w.-]{1,40}:)?svg\b",
    re.IGNORECASE | re.DOTALL,
)
# HTML without its outer elements, if no name says that it is plain text.
_PAGE_PART = re.compile(r"\s*<(?:meta|title|style|link|table|div|center|font)\b[^<>]{0,1000}>", re.IGNORECASE)
# Tables and marks that identify a page which a program stored for Word or Excel.
_FOR_OFFICE = re.compile(r"urn:schemas-microsoft-com:office|<tr\b.{0,5000}?<tr\b", re.IGNORECASE | re.DOTALL)
# Word's and Excel's XML of 2003, and OpenDocument in one XML file.
_OFFICE_XML = re.compile(
    r"\s*<\?xml[^>]{0,300}\?>\s*(?:<!--.{0,2000}?-->\s*){0,5}"
    r"(?:<\?mso-application\s+progid=[\"'](?:Word\.Document|Excel\.Sheet)|<office:document\b)",
    re.DOTALL,
)
# Tables in symbolic link format (SYLK) and data interchange format (DIF): their first records, by suffix.
_TABLES = {
    ".slk": re.compile(rb"ID;P[^\r\n]{0,200}[\r\n]{1,2}(?:P;[PFES]|[FBO];[A-Z]|C;[XYK]|NN;|NE;)"),
    ".dif": re.compile(rb"TABLE\r?\n0,1\r?\n\""),
}
_TAG = re.compile(r"<(?:p|div|table|br|b|span|h[1-6]|ul|a|img|font|center|meta|style)\b[^<>]{0,1000}>", re.I)
# RFC 5322: a header block.  People write "From: … To: … Subject: …" above a memo, too; these fields only
# programs write.
_HEADER = re.compile(
    r"(?:From [^\n]{0,200}\n)?((?:[!-9;-~]{1,76}:[^\n]{0,998}\n(?:[ \t][^\n]{0,998}\n){0,200}){2,400})"
)
# A first field followed by others or a blank line: enough for a file that is declared an e-mail.
_FIRST_FIELD = re.compile(
    r"(?:From [^\n]{0,200}\n)?[A-Za-z][A-Za-z0-9-]{1,75}:[^\n]{0,998}\n(?=[ \t\n]|[!-9;-~]{1,76}:)"
)
_SENDER = re.compile(r"(?m)^From:", re.IGNORECASE)
_PROGRAM = re.compile(
    r"(?m)^(?:MIME-Version|Message-ID|Received:\s{1,10}(?:from|by|via|with|id|for|\()|Return-Path:|DKIM-Signature:)",
    re.IGNORECASE,
)

_IN_PARTS = re.compile(r"(?m)^Content-Type:\s{0,10}multipart/", re.IGNORECASE)

_WEBP = re.compile(first_octets.RIFF + rb".{4}WEBP", re.DOTALL)
# ISO/IEC 23008-12: the brands of still pictures coded in HEVC.
_HEIC = re.compile(rb".{4}ftyp(?:hei[cxms]|m[is]f1|hev[cx])(?!.{0,48}avif)", re.DOTALL)

# The same for AV1 (the AVIF specification, 6), among the first.
_AVIF = re.compile(rb"\0.{3}ftyp(?:avi[fs]|m[is]f1.{0,32}avi[fs])", re.DOTALL)
# A BMP: its length, four zeros, and where its pixels begin.
_BMP = re.compile(rb"BM.{4}\0{4}.{3}\0", re.DOTALL)
# A PCX: its version, that it is packed, and the bits of a sample; a PNM: its kind and size.
_PCX = re.compile(rb"\x0a[\0\x02-\x05]\x01[\x01\x02\x04\x08]")
_PNM = re.compile(rb"P[1-6]\s*\n(?:#[^\n]{0,200}\n){0,20}\d{1,6}\s+\d{1,6}\s")

# A DjVu of one page or several.
_DJVU = re.compile(rb"AT&TFORM.{4}DJV[UM]", re.DOTALL)

# Number of first characters by which kinds of text are told apart.
_BEGINNING = 16_384


def sniff(content: bytes, name: str = "", media_type: str = "") -> Kind:
    """The kind of ``content``; the beginning of a long file is enough.

    Raises DocumentError: DOCUMENT_EMPTY; DOCUMENT_ENCRYPTED; DOCUMENT_UNSUPPORTED; DOCUMENT_MISLABELLED when
    the content is not what ``name`` or ``media_type`` promise.
    """
    if not content.strip(b"\0 \t\r\n\f"):
        raise DocumentError(causes.DOCUMENT_EMPTY, f"{len(content)} octets")
    if has_no_directory(content):
        raise DocumentError(causes.DOCUMENT_EMPTY, "a TIFF without pages")
    if is_encrypted(content):
        raise DocumentError(causes.DOCUMENT_ENCRYPTED, "by S/MIME")
    promised = promised_kind(name, media_type)
    if promised is Kind.PDF and (
        _PDF_WITHIN.search(content, 0, _PROMISED_PDF_HEADER_WITHIN) or _PDF_BODY.match(content)
    ):
        return Kind.PDF
    found = next((kind for fits, kind in _MARKS if fits(content)), None)
    if found is None and promised is Kind.SVG and content.startswith(first_octets.GZIP):
        return Kind.SVG
    foreign = foreign_name(content) if found is None else ""
    if found is None and not foreign:
        found = _by_words(content, charset_of(media_type), promised)
    if found is None and not foreign and (promised is Kind.FAX or is_group3(content)):
        return Kind.FAX
    if found in {None, Kind.TEXT} and _has_pdf_behind(content, found, promised):
        return Kind.PDF
    if found is None:
        what = foreign or f"begins {content[:8].hex()}"
        if promised is not None:
            raise DocumentError(causes.DOCUMENT_MISLABELLED, f"{_meant(promised, name)}, {what}")
        raise DocumentError(causes.DOCUMENT_UNSUPPORTED, what)
    if found is Kind.EMAIL and promised is Kind.MSG:
        return found  # other programs than Outlook also name their messages .msg
    is_amiss = found in _TEXTUAL and promised is not None and promised not in _TEXTUAL
    if is_amiss and not _is_for_office(content, found, name, media_type):
        raise DocumentError(causes.DOCUMENT_MISLABELLED, f"{_meant(promised, name)}, it is {found.value}")
    return found


def _has_pdf_behind(content: bytes, found: Kind | None, promised: Kind | None) -> bool:
    """Whether a PDF begins after something else; in a text at the beginning of a line, if no PDF is promised.

    A text may quote a PDF's header; a PDF has objects, too.  ZIP files store PDFs as they are.
    """
    within = _PROMISED_PDF_HEADER_WITHIN if promised is Kind.PDF else _PDF_HEADER_WITHIN
    header = _PDF_BEHIND.search(content, 0, within)
    if header is None or content.startswith(ZIP) or not _OBJECT.search(content, header.end()):
        return False
    lines = found is Kind.TEXT and promised is not Kind.PDF
    return not lines or content[header.start() - 1 : header.start()] in {b"\n", b"\r"}


def _is_for_office(content: bytes, found: Kind, name: str, media_type: str) -> bool:
    """Whether Word or Excel opens a file of kind ``found`` although its name is that of their own kind."""
    suffix, said = PurePath(name).suffix.lower(), plain_type(media_type)
    if suffix not in _LOOSE_SUFFIXES and not (not suffix and said in _LOOSE_TYPES):
        return False
    if found is Kind.TEXT:
        return suffix == ".xls" and bool(
            rows_in(as_printed(decode(content[:_BEGINNING].rpartition(b"\n")[0])[0]))
        )
    if found is Kind.HTML:
        return _FOR_OFFICE.search(decode(content[:_BEGINNING])[0]) is not None
    return found in {Kind.RTF, Kind.EMAIL}


def has_no_directory(content: bytes) -> bool:
    """Whether this is a TIFF without a page: its first directory is missing or empty.

    TIFF 6.0 section 2; BigTIFF has longer fields.  A directory beyond the end of ``content`` may exist.
    """
    order: Literal["little", "big"] = "little" if content.startswith(b"II") else "big"
    if content.startswith(first_octets.TIFF):
        width, where, count = 4, 4, 2
    elif content.startswith(first_octets.BIG_TIFF):
        width, where, count = 8, 8, 8
    else:
        return False
    start = int.from_bytes(content[where : where + width], order)
    entries = content[start : start + count]
    return start == 0 or (len(entries) == count and int.from_bytes(entries, order) == 0)


def _meant(promised: Kind | None, name: str) -> str:
    return f"{name or 'the type'} promises {promised.value if promised else 'something else'}"


def _is_message(content: bytes) -> bool:
    """Whether a file is a message of Outlook's; other compound files may hold such a message."""
    if not content.startswith(_OLE) or _MSG_STREAM not in content:
        return False
    import olefile  # noqa: PLC0415 (few documents are of this kind)

    try:
        with olefile.OleFileIO(io.BytesIO(content)) as ole:
            return bool(ole.exists(_MSG_STREAM.decode("utf-16-le")))
    except Exception:  # the beginning of a long file, or a damaged one
        return True


def _begins(*marks: bytes) -> Callable[[bytes], bool]:
    return lambda content: content.startswith(marks)


# The kinds that octets tell, with their tests in the order in which these are made.
_MARKS: tuple[tuple[Callable[[bytes], object], Kind], ...] = (
    (_begins(first_octets.PNG_SIGNATURE), Kind.PNG),
    (_begins(first_octets.JPEG + b"\xff"), Kind.JPEG),
    (_begins(*first_octets.TIFF, *first_octets.BIG_TIFF), Kind.TIFF),
    (_WEBP.match, Kind.WEBP),
    (_HEIC.match, Kind.HEIC),
    (_AVIF.match, Kind.AVIF),
    (_begins(b"GIF87a", b"GIF89a"), Kind.GIF),
    (_BMP.match, Kind.BMP),
    (_begins(*first_octets.JPEG_2000), Kind.JPEG_2000),
    (_PCX.match, Kind.PCX),
    (_begins(first_octets.DCX), Kind.DCX),
    (_PNM.match, Kind.PNM),
    (_begins(first_octets.CALS), Kind.FAX),
    (_begins(first_octets.PWG, first_octets.URF), Kind.RASTER),
    (_PDF_AT_START.match, Kind.PDF),
    (_is_message, Kind.MSG),
    (_begins(_OLE), Kind.OFFICE),
    (lambda content: content.startswith(ZIP) and is_office_package(content), Kind.OFFICE),
    (imported_suffix, Kind.OFFICE),
    (is_iwork, Kind.IWORK),
    (is_epub, Kind.EPUB),
    (is_xps, Kind.XPS),
    (_DJVU.match, Kind.DJVU),
    (encapsulates, Kind.DICOM),
    (is_signed, Kind.SIGNED),
    (_begins(tnef.SIGNATURE), Kind.TNEF),
    (_POSTSCRIPT.match, Kind.POSTSCRIPT),
    (_RTF.match, Kind.RTF),
)


def _by_words(content: bytes, charset: str, promised: Kind | None) -> Kind | None:
    """The kind of text, None when it is no text."""
    beginning = decode(content[:_BEGINNING])[0].lstrip("\ufeff\r\n").replace("\r\n", "\n")
    if promised is Kind.EMAIL and _FIRST_FIELD.match(beginning):
        return Kind.EMAIL
    block = _HEADER.match(beginning)
    if block and ((_SENDER.search(block[1]) and _PROGRAM.search(block[1])) or _IN_PARTS.search(block[1])):
        return Kind.EMAIL  # whatever octets follow
    text, guessed = decode(content, charset)
    text = as_printed(text)
    if "\0" in text and (promised is Kind.HTML or _HTML.match(text[:_BEGINNING].replace("\0", ""))):
        text = text.replace("\0", "")  # browsers leave them out
    if not is_readable(text):
        return None
    if guessed in {WINDOWS, UNLIKELY} and _is_noise(content):
        # A text in an encoding of DOS or East Asia; its remark says what to do.
        is_one = promised is Kind.TEXT and guessed == UNLIKELY and not controls_in(text)
        return Kind.TEXT if is_one else None
    beginning = text[:_BEGINNING].lstrip("\ufeff").replace("\r\n", "\n")
    if _SVG.match(beginning):
        return Kind.SVG
    if _OFFICE_XML.match(beginning) or (promised is not Kind.TEXT and table_suffix(content)):
        return Kind.OFFICE
    if _HTML.match(beginning) or (promised is Kind.HTML and _TAG.search(beginning)):
        return Kind.HTML
    return Kind.HTML if promised is not Kind.TEXT and _PAGE_PART.match(beginning) else Kind.TEXT


def table_suffix(content: bytes) -> str:
    """The suffix of a table in SYLK or DIF, which LibreOffice opens by its name; empty for anything else."""
    return next((suffix for suffix, begins in _TABLES.items() if begins.match(content)), "")


# Octets that are rare in Western European text: those of Windows-1252 that are not letters, quotation marks,
# dashes or the euro sign.
_RARE = bytes(
    sorted(
        {*range(0x81, 0xA0)}
        - {0x82, 0x84, 0x85, 0x8A, 0x8C, 0x8E, *range(0x91, 0x98), 0x9A, 0x9C, 0x9E, 0x9F}
    )
)
_MOST_RARE = 0.02
_MOST_UPPER = 0.9  # share of octets beyond ASCII


def _is_noise(content: bytes) -> bool:
    """Whether octets in an unknown encoding are probably not text."""
    rare = len(content) - len(content.translate(None, _RARE))
    ascii_ = len(content.translate(None, bytes(range(128, 256))))
    return rare > len(content) * _MOST_RARE or ascii_ < len(content) * (1 - _MOST_UPPER)
