"""Word processor files, spreadsheets and slides, through LibreOffice where it is installed."""

from __future__ import annotations

import contextlib
import ctypes
import io
import re
import signal
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePath

import olefile
import pypdfium2
from pypdfium2 import raw

from appliance.documents import causes
from appliance.documents.bounded import Bounds, Typeset
from appliance.documents.errors import DocumentError, fault_of
from appliance.documents.foreign import (
    IMPORT_FILTERS,
    compound_name,
    imported_compound,
    imported_suffix,
)
from appliance.documents.kinds import OFFICE_SUFFIXES
from appliance.documents.labels import NOTATION
from appliance.documents.office.binary_parts import (
    is_locked,
    table_of,
    unseen_in_doc,
    unseen_in_ppt,
    unseen_in_xls,
)
from appliance.documents.office.confined import Bench, find_program
from appliance.documents.office.parts import (
    LARGEST_PART,
    LOOKED_INTO,
    PICTURES,
    not_drawn,
    pictures_in_rtf,
    pictures_of,
    unseen,
    unseen_in_rtf,
)
from appliance.documents.office.pictures import LARGEST, is_readable
from appliance.documents.office.values import with_values
from appliance.documents.options import Paper
from appliance.documents.signs import font_of, named_in
from appliance.documents.sniff import table_suffix
from appliance.documents.typeset.source import TypesetSource
from appliance.documents.workshop import Workshop
from appliance.documents.zipped import read_entry, unzipped
from appliance.remarks import (
    COLUMN_NARROW,
    CONTENT_CUT,
    GLYPHS_MISSING,
    IMPORTED,
    PART_LEFT_OUT,
    PICTURE_LOST,
    PICTURES_LEFT_OUT,
    Remark,
)

PROGRAM = "soffice.bin"
# A small letter takes 2 s of a processor, one of 100 pages 4 s.
_BOUNDS = Bounds(cpu_seconds=45, wall_seconds=55.0)
_RUN_SECONDS = 50.0
# LibreOffice's exit code after it has looked for extensions (EXITHELPER_NORMAL_RESTART): to be started again.
_START_AGAIN = 81
# In the file beside its program: of which build the extensions in a profile are.
_BUILD = re.compile(r"^buildid=(.+)$", re.MULTILINE)
# Where fontconfig looks for fonts of a user's own, below HOME.
_FONTS = ".local/share/fonts"
# How many pictures of a file are checked, and the octets of the largest of them.
_MOST_PICTURES = 100
_LONGEST_FONT_NAME = 200  # octets
# LibreOffice's library for formulas, from a separate package.
_FORMULA_EDITOR = "libsmlo.so"
_SHEETS = frozenset(
    {".123", ".sxc", ".stc", ".xls", ".xlsx", ".xlsm", ".xlsb", ".ods", ".ots", ".fods", ".xml"}
)
_TEXTS = frozenset(
    {".doc", ".docx", ".docm", ".dot", ".dotx", ".odt", ".ott", ".fodt", ".rtf"}
    | {".wpd", ".ww2", ".sxw", ".stw"}
)
_NO_MEMORY = b"bad_alloc"  # how LibreOffice ends when the kernel refuses it more memory
_BLANKS = re.compile(r"\s+")
# Letters that a font may lack: not those of Europe, which all of ours have, and none for private use, which
# fonts of signs fill as they like.
_RARE, _MOST_RARE = re.compile(r"[^\W\u0000-\u052f\ue000-\uf8ff]|[\u2600-\u2bff\U0001f000-\U0001faff]"), 5000
# Letters for private use, and fonts of ours that have none of those that symbol fonts have: they draw boxes.
_PRIVATE = re.compile(r"[\ue000-\uf8ff]")
_OF_LETTERS = re.compile(r"(?:[A-Z]{6}\+)?(?:Noto|DejaVu|Liberation|Carlito|Caladea|WenQuanYi)")
_NO_VALUE = re.compile(r"(?<!\S)#NAME\?(?!\S)")
_NO_ROOM = re.compile(r"(?<!\S)#{3,}(?!\S)")
_ENCRYPTED_STREAM = "EncryptedPackage"  # [MS-OFFCRYPTO] 1.3.2
# Where a WordPerfect document says how it is encrypted (its prefix area), and that it is not.
_WORDPERFECT, _WORDPERFECT_KEY, _NO_KEY = ".wpd", slice(12, 14), bytes(2)
# The streams with the content of the older formats ([MS-DOC], [MS-XLS], [MS-PPT]).
_WORKBOOK, _DOCUMENT, _SLIDES = "Workbook", "WordDocument", "PowerPoint Document"
_USER = "Current User"
_STREAMS = (_DOCUMENT, _WORKBOOK, "Book", _SLIDES)
# LibreOffice's profile: no macros, no links, nothing from outside, since documents may refer to anything.
_PROFILE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
{items}
</oor:items>
"""
_SECURITY = "/org.openoffice.Office.Common/Security/Scripting"
_SETTINGS = (
    (_SECURITY, "BlockUntrustedRefererLinks", "true"),
    (_SECURITY, "DisableActiveContent", "true"),
    (_SECURITY, "DisableMacrosExecution", "true"),
    (_SECURITY, "MacroSecurityLevel", "3"),
    ("/org.openoffice.Office.Writer/Content/Update", "Link", "0"),
    ("/org.openoffice.Office.Calc/Content/Update", "Link", "2"),
    ("/org.openoffice.Setup/Office", "ooSetupInstCompleted", "true"),
    ("/org.openoffice.Setup/Product", "ooSetupLastVersion", "99.0"),
)
# The locale of numbers and dates whose format is left to the machine, as that of Excel's usual date.
_NOTATION = ("/org.openoffice.Setup/L10N", "ooSetupSystemLocale")
_EXTERNAL = re.compile(
    rb'relationships/image"[^>]{0,2000}TargetMode="External"|TargetMode="External"[^>]{0,2000}relationships/image"'
    rb'|<draw:image[^>]{0,500}xlink:href="(?:https?|ftp|file):',
)
_SCANNED = re.compile(r"\.rels$|^content\.xml$")


def open_office(content: bytes, name: str, workshop: Workshop) -> TypesetSource:
    """The pages that LibreOffice makes of ``content``.

    Raises DocumentError: OFFICE_NOT_INSTALLED, DOCUMENT_ENCRYPTED, DOCUMENT_MEMORY, DOCUMENT_DAMAGED,
    DOCUMENT_TIMED_OUT, DOCUMENT_UNSUPPORTED.
    """
    program = find_program(PROGRAM)
    if program is None:
        raise DocumentError(causes.OFFICE_NOT_INSTALLED, name)
    workshop.need_to_be_alone("LibreOffice")
    formulas = PurePath(program).with_name(_FORMULA_EDITOR)
    remarks = (
        tuple(_look_inside(content, formulas=Path(formulas).exists())) if content.startswith(b"PK") else ()
    )
    imported = imported_suffix(content)
    if content.startswith(olefile.MAGIC):
        imported, found = _check_compound(content)
        remarks = tuple(found)
    if imported == _WORDPERFECT and content[_WORDPERFECT_KEY] != _NO_KEY:
        raise DocumentError(causes.DOCUMENT_ENCRYPTED)
    if imported:
        remarks += (Remark(IMPORTED),)
    suffix = imported or PurePath(name).suffix.lower()
    if content.lstrip().startswith(b"{\\rtf"):
        suffix = ".rtf"
        lost = sum(not is_readable("", picture) for picture in pictures_in_rtf(content))
        remarks = tuple(unseen_in_rtf(content))
        if lost:
            remarks += (Remark(PICTURE_LOST, detail=f"{lost} of the document"),)
    elif not content.startswith((b"PK", olefile.MAGIC)) and not imported:
        suffix = table_suffix(content) or ".xml"
    elif suffix.removeprefix(".") not in OFFICE_SUFFIXES and not imported:
        suffix = ".docx" if content.startswith(b"PK") else ".doc"

    if content.startswith(b"PK") or suffix == ".rtf":
        content = with_values(content)

    try:
        made = workshop.once(
            "office", suffix.encode() + content, lambda: _convert(program, content, suffix, workshop), _BOUNDS
        )
    except DocumentError as error:
        if (
            error.cause is causes.DOCUMENT_DAMAGED
            and content.startswith(olefile.MAGIC)
            and _is_locked(content)
        ):
            raise DocumentError(causes.DOCUMENT_ENCRYPTED) from None
        raise
    return TypesetSource(Typeset(made.pdf, remarks + made.remarks))


def _look_inside(content: bytes, *, formulas: bool) -> Iterator[Remark]:
    """Remarks on a ZIP file by its entries, before it is unpacked.  Raises DocumentError."""
    with unzipped(content) as archive:
        entries = archive.infolist()
        texts = {
            entry.filename: _beginning(archive, entry)
            for entry in entries
            if _SCANNED.search(entry.filename)
            or entry.filename == "META-INF/manifest.xml"
            or LOOKED_INTO.match(entry.filename)
        }
        names = [entry.filename for entry in entries]
        shown, missing = pictures_of(names, texts)
        pictures = [entry for entry in entries if PICTURES.match(entry.filename) or entry.filename in shown][
            :_MOST_PICTURES
        ]
        lost = sum(_is_picture_lost(archive, entry) for entry in pictures)
    if b"encryption-data" in texts.get("META-INF/manifest.xml", b""):
        raise DocumentError(causes.DOCUMENT_ENCRYPTED)
    outside = sum(len(_EXTERNAL.findall(text)) for text in texts.values())
    if outside:
        yield Remark(PICTURES_LEFT_OUT, detail=f"{outside} addresses")
    lost += missing
    if lost:
        yield Remark(PICTURE_LOST, detail=f"{lost} of the document")
    yield from not_drawn(names, texts, formulas=formulas)
    yield from unseen(names, texts)


def _beginning(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    with archive.open(entry) as file:
        return file.read(LARGEST_PART)


def _is_picture_lost(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bool:
    """Whether a picture of an Office file is known to be damaged."""
    if not 0 < entry.file_size <= LARGEST:
        return entry.file_size == 0
    content = read_entry(archive, entry)
    return content is None or not is_readable(entry.filename, content)


def _is_locked(content: bytes) -> bool:
    """Whether a compound file needs a password; LibreOffice knows Excel's default one."""
    with olefile.OleFileIO(io.BytesIO(content)) as ole:
        user, document, workbook = (
            bytes(ole.openstream(name).read(LARGEST_PART)) if ole.exists(name) else b""
            for name in (_USER, _DOCUMENT, _WORKBOOK)
        )
    return is_locked(document, workbook, user)


def _check_compound(content: bytes) -> tuple[str, list[Remark]]:
    """The suffix of a compound file of another program, and remarks.  Raises DocumentError for one without a
    document.
    """
    try:
        with olefile.OleFileIO(io.BytesIO(content)) as ole:
            if ole.exists(_ENCRYPTED_STREAM):
                raise DocumentError(causes.DOCUMENT_ENCRYPTED)
            if any(map(ole.exists, _STREAMS)):
                return "", list(_unseen(ole))
            imported = imported_compound(ole)
            if not imported and (ole.parsing_issues or not ole.listdir()):
                raise DocumentError(causes.DOCUMENT_DAMAGED, "the list of what is in the file")
            if not imported:
                raise DocumentError(causes.DOCUMENT_UNSUPPORTED, compound_name(ole))
            return imported, []
    except (DocumentError, MemoryError):
        raise
    except Exception as error:  # the library raises anything on damaged files
        raise DocumentError(causes.DOCUMENT_DAMAGED, fault_of(error)) from None


def _unseen(ole: olefile.OleFileIO) -> Iterator[Remark]:
    """Remarks on what a document of the older formats contains besides its pages."""

    def stream(name: str) -> bytes:
        return bytes(ole.openstream(name).read(LARGEST_PART)) if ole.exists(name) else b""

    yield from unseen_in_xls(stream(_WORKBOOK))
    yield from unseen_in_ppt(stream(_SLIDES))
    document = stream(_DOCUMENT)
    yield from unseen_in_doc(document, stream(table_of(document)))


def _convert(program: str, content: bytes, suffix: str, workshop: Workshop) -> Typeset:
    with Bench(workshop) as bench:
        profile = bench.folder / "profile" / "user"
        profile.mkdir(parents=True)
        items = "\n".join(
            f'<item oor:path="{path}"><prop oor:name="{key}" oor:op="fuse">'
            f"<value>{value}</value></prop></item>"
            for path, key, value in (*_SETTINGS, (*_NOTATION, workshop.labels.get(NOTATION, "")))
        )
        (profile / "registrymodifications.xcu").write_text(_PROFILE.format(items=items), encoding="utf-8")
        _look_for_no_extensions(profile / "extensions", program)
        _write_signs(bench.folder / _FONTS, content)
        source = bench.folder / f"document{suffix}"
        source.write_bytes(content)
        command = [
            program,
            f"-env:UserInstallation={profile.parent.as_uri()}",
            "--headless",
            "--nologo",
            "--norestore",
            "--nolockcheck",
            "--nodefault",
            *([f"--infilter={IMPORT_FILTERS[suffix]}"] if suffix in IMPORT_FILTERS else []),
            "--convert-to",
            "pdf",
            "--outdir",
            str(bench.folder),
            str(source),
        ]
        code = bench.run(command, _RUN_SECONDS)
        if code == _START_AGAIN:
            code = bench.run(command, _RUN_SECONDS)
        if code == -signal.SIGKILL:
            raise DocumentError(causes.DOCUMENT_TIMED_OUT, "LibreOffice")
        if code != 0 and _NO_MEMORY in bench.complaints():
            raise MemoryError("LibreOffice")
        made = bench.folder / "document.pdf"
        pdf = made.read_bytes() if made.is_file() else b""
    if not pdf.startswith(b"%PDF-"):
        raise DocumentError(causes.DOCUMENT_DAMAGED, f"LibreOffice made no PDF of it (exit code {code})")
    return Typeset(pdf, tuple(_cut(pdf, suffix, workshop.paper)))


def _write_signs(fonts: Path, content: bytes) -> None:
    """Writes the fonts of signs that a document names."""
    named = set() if content.startswith(b"PK") else set(named_in(content))
    if content.startswith(b"PK"):
        with unzipped(content) as archive:
            for entry in archive.infolist():
                if entry.filename.endswith(".xml") and entry.file_size <= LARGEST_PART:
                    named |= set(named_in(read_entry(archive, entry) or b""))
    for family in named:
        fonts.mkdir(parents=True, exist_ok=True)
        (fonts / f"{family}.ttf").write_bytes(font_of(family))


def _look_for_no_extensions(extensions: Path, program: str) -> None:
    """Writes what LibreOffice writes after looking for extensions, before it has to be started again."""
    for kind in ("bundled", "shared"):
        folder = extensions / kind
        folder.mkdir(parents=True)
        (folder / "lastsynchronized").write_text("1", encoding="ascii")
    with contextlib.suppress(OSError):  # it is started twice then
        if build := _BUILD.search(Path(program).with_name("versionrc").read_text(encoding="utf-8")):
            (extensions / "buildid").write_text(build[1], encoding="utf-8")


def _cut(pdf: bytes, suffix: str, paper: Paper) -> Iterator[Remark]:
    """Remarks on each page with letters that no font has, numbers shown as ``###``, or words of a text beyond
    the sheet.
    """
    rare: dict[int, set[str]] = {}
    with contextlib.closing(pypdfium2.PdfDocument(pdf)) as document:
        for number in range(len(document)):
            page = document[number]
            width, height = page.get_size()
            with contextlib.closing(page.get_textpage()) as text:
                words = text.get_text_range()
                unknown = set(_unknown_signs(text)) if _PRIVATE.search(words) else set()
                on_sheet = text.get_text_bounded(0, 0, width, height) if suffix in _TEXTS else words
            page.close()
            rare[number + 1] = unknown.union(_RARE.findall(words))
            if suffix in _SHEETS and _NO_VALUE.search(words):
                yield Remark(PART_LEFT_OUT, number + 1, detail="the value of a formula (#NAME?)")
            if suffix in _SHEETS and _NO_ROOM.search(words):
                yield Remark(COLUMN_NARROW, number + 1)
            if len(_BLANKS.sub("", on_sheet)) < len(_BLANKS.sub("", words)):
                yield Remark(CONTENT_CUT, number + 1)
    letters = sorted(set().union(*rare.values()))[:_MOST_RARE]
    if not letters:
        return
    from appliance.documents.typeset.typesetting import letter_named, without_glyph  # noqa: PLC0415 (WeasyPrint)

    missing = without_glyph(" ".join(letters), paper)
    for page_number, found in rare.items():
        if lacking := sorted(found & missing):
            yield Remark(GLYPHS_MISSING, page_number, detail=", ".join(map(letter_named, lacking)))


def _unknown_signs(text: pypdfium2.PdfTextPage) -> Iterator[str]:
    """Letters for private use that are drawn in a font of ours."""
    name = ctypes.create_string_buffer(_LONGEST_FONT_NAME)
    for index in range(text.count_chars()):
        letter = chr(raw.FPDFText_GetUnicode(text, index))
        if _PRIVATE.match(letter):
            raw.FPDFText_GetFontInfo(text, index, name, _LONGEST_FONT_NAME, None)
            if _OF_LETTERS.match(name.value.decode("utf-8", "replace")):
                yield letter
