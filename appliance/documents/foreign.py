"""Recognises formats that cannot be faxed, with their names and advice.  Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from appliance.documents.first_octets import GZIP, PLACED_METAFILE

if TYPE_CHECKING:
    import olefile

ZIP = b"PK\3\4"
_ZIP_EMPTY = b"PK\5\6"
# A local file header (APPNOTE 4.3.7): its octets before the name, and the places of sizes and lengths.
_LOCAL_OCTETS, _PACKED_AT, _NAME_LENGTH_AT, _EXTRA_LENGTH_AT, _FLAGS_AT = 30, 18, 26, 28, 6
_SIZES_BEHIND = 0x08  # a flag: the sizes follow the content
_MOST_ENTRIES = 3000

_AS_PDF = "export it as a PDF from its program and send that"
_AS_PICTURE = "save it as PNG or PDF and send that"
_UNPACK = "unpack it and send the files in it"
_WHERE_IT_LEADS = "save as a PDF what it leads to and send that"
_FILLED_IN = "open it with its form, print that as a PDF and send that"
_NOT_SEEN = "a fax has pages only"
# First octets of files, and what they are; none that a text may begin with.
_BEGINNINGS: tuple[tuple[bytes, str, str], ...] = (
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (b"Rar!\x1a\x07", "a RAR archive", _UNPACK),
    (GZIP + b"\x08", "a gzip archive", _UNPACK),
    (b"\xfd7zXZ\0", "an XZ archive", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive", _UNPACK),
    (b"MSCF\0\0\0\0", "a CAB archive", _UNPACK),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL picture", _AS_PICTURE),
    (b"\xff\x0a", "a JPEG XL picture", _AS_PICTURE),
    (b"8BPS\0", "a Photoshop picture", _AS_PICTURE),
    (b"\0\0\1\0", "an icon", _AS_PICTURE),
    (b"P7\nWIDTH ", "a picture (PAM)", _AS_PICTURE),
    (b"DDS \x7c\0\0\0", "a picture (DDS)", _AS_PICTURE),
    (b"\x8bJNG\r\n\x1a\n", "a picture (JNG)", _AS_PICTURE),
    (b"\x8aMNG\r\n\x1a\n", "a film (MNG)", _NOT_SEEN),
    (b"SDPX\0\0", "a picture of a film (DPX)", _AS_PICTURE),
    (b"XPDS\0", "a picture of a film (DPX)", _AS_PICTURE),
    (b"SIMPLE  =                    T", "measurements (FITS)", _AS_PICTURE),
    (b"#?RADIANCE\n", "a picture (Radiance)", _AS_PICTURE),
    (b"\x01\xda\0", "a picture (SGI)", _AS_PICTURE),
    (b"\x01\xda\x01", "a picture (SGI)", _AS_PICTURE),
    (b"\x59\xa6\x6a\x95", "a picture (Sun raster)", _AS_PICTURE),
    (b"v/1\x01", "a picture (OpenEXR)", _AS_PICTURE),
    (b"\x80\x2a\x5f\xd7", "a picture of a film (Cineon)", _AS_PICTURE),
    (b"\xd7\x5f\x2a\x80", "a picture of a film (Cineon)", _AS_PICTURE),
    (b"id=ImageMagick ", "a picture (MIFF)", _AS_PICTURE),
    (b"\xab\1", "a picture (VIFF)", _AS_PICTURE),
    (b"EP*\0", "a document of Microsoft Document Imaging (MDI)", "save it as TIFF or PDF and send that"),
    (bytes.fromhex("e4525c7b8cd8a74daeb15378d02996d3"), "a OneNote section", _AS_PDF),
    (b"bplist00", "a file of Apple's (a property list or web archive)", _AS_PDF),
    (b"\0\5\x16\7", "what macOS keeps beside a file, not the file", "send the file whose name lacks the ._"),
    (b"\x4c\0\0\0\x01\x14\x02\0", "a shortcut of Windows, not the file", "send the file to which it leads"),
    (b"%FDF-1.", "the entries of a PDF form (FDF), not the form", _FILLED_IN),
    (b"AutoCAD Binary DXF\r\n", "an AutoCAD drawing (DXF)", _AS_PDF),
    (b"\x1b@", "printer data (ESC/P)", _AS_PDF),
    (b"\x1bE", "printer data (PCL)", _AS_PDF),
    (b"\x1b%-12345X", "printer data (PJL)", _AS_PDF),
    (b") HP-PCL XL", "printer data (PCL XL)", _AS_PDF),
    (b"\x7fELF", "a program", _NOT_SEEN),
    (b"OggS\0", "a sound or film (Ogg)", _NOT_SEEN),
    (b"fLaC\0", "a sound (FLAC)", _NOT_SEEN),
    (b"#!AMR", "a sound (AMR)", _NOT_SEEN),
    (b"\x1a\x45\xdf\xa3", "a film (Matroska)", _NOT_SEEN),
    (b"SQLite format 3\0", "a database", _AS_PDF),
    (b"!BDN", "a mailbox of Outlook's (PST)", "save the e-mails as MSG and send those"),
)
# The same for what needs more than its first octets.
_PATTERNS: tuple[tuple[re.Pattern[bytes], str, str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), name, advice)
    for pattern, name, advice in (
        (rb"BZh[1-9]1AY&SY", "a bzip2 archive", _UNPACK),
        (rb".{257}ustar[\0 ]", "a tar archive", _UNPACK),
        (rb"ID3[\x02-\x04]|\xff[\xf2\xf3\xfa\xfb][\x10-\xef]", "a sound (MP3)", _NOT_SEEN),
        (rb"\0.{3}ftyp(?:M4A|M4B)", "a sound", _NOT_SEEN),
        (rb"\0.{3}(?:ftyp|moov|mdat)", "a film", _NOT_SEEN),
        (rb"RIFF.{4}WAVE", "a sound (WAV)", _NOT_SEEN),
        (rb"RIFF.{4}AVI ", "a film (AVI)", _NOT_SEEN),
        (rb".{128}DICM", "pictures of a medical device (DICOM)", _AS_PDF),
        (rb"AC10\d\d\0", "an AutoCAD drawing", _AS_PDF),
        (rb"\x1b(?:&[akl]|\([0-9s]|\*[bprt])[0-9]", "printer data (PCL)", _AS_PDF),
        (rb"\s*(?:\^XA[\s^]|~[A-Z]{2}[^\n]{0,80}\^XA)", "data of a label printer (ZPL)", _AS_PDF),
        (rb"(?:\x1b%-?\d[AB])?\s*IN;\s*(?:[A-Z]{2}[\d,.-]*;\s*){3}", "data of a plotter (HP-GL)", _AS_PDF),
        (
            rb"\s*(?:/\*.{0,400}?\*/\s*)?#define \w{1,60}_?width \d+\s+#define ",
            "a picture (XBM)",
            _AS_PICTURE,
        ),
        (rb"P[Ff]\s\d{1,6}\s\d{1,6}\s-?\d{1,4}\.\d", "a picture (PFM)", _AS_PICTURE),
        # PICT 2 begins with 512 octets of anything, its length and frame; XWD with the length of its header.
        (rb".{522}\0\x11\x02\xff\x0c\0", "a picture of a Macintosh (PICT)", _AS_PICTURE),
        (rb"\0\0..\0{3}\x07\0{3}[\0-\x02]\0{3}[\x01-\x20]", "a picture of a screen (XWD)", _AS_PICTURE),
        # A TGA has no mark: no or one table of colours, kind, origin, size, bits of a pixel.
        (
            rb".(?:\0[\x02\x03\x0a\x0b]\0{5}|\x01[\x01\x09]\0\0..[\x0f\x10\x18\x20]).{4}(?:[^\0].|.[^\0]){2}"
            rb"[\x08\x0f\x10\x18\x20][\0-\x3f]",
            "a picture (TGA)",
            _AS_PICTURE,
        ),
        (rb"/\* XPM \*/\s+static (?:const )?char ?\*", "a picture (XPM)", _AS_PICTURE),
        (rb"MZ.{0,60}\0", "a program", _NOT_SEEN),
        (
            rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]{0,200}>\s*)?<xfdf\s",
            "the entries of a PDF form (XFDF), not the form",
            _FILLED_IN,
        ),
        (
            rb"<\?xml.{0,400}<plist.{0,100}<dict>\s*<key>URL</key>",
            "a shortcut to a web page, not the page",
            _WHERE_IT_LEADS,
        ),
        (rb"\s*\[InternetShortcut\]\s", "a shortcut to a web page, not the page", _WHERE_IT_LEADS),
        (rb"\s*\{[^{}]{0,2000}\"doc_id\"", "a link to a document of Google's", _WHERE_IT_LEADS),
    )
)
# A WBMP: its kind, no fixed header, its width and height in seven bits an octet.
_WBMP = re.compile(rb"\0\0([\x81-\xff][\0-\x7f]|[\x01-\x7f])([\x81-\xff][\0-\x7f]|[\x01-\x7f])")
# What a ZIP file is, by the names of its entries; an Office file has one of the first.
_OFFICE_PARTS = re.compile(r"word/document\d*\.xml|xl/workbook\.(?:xml|bin)|ppt/presentation\.xml")
_OFFICE_FOLDERS = ("word/", "xl/", "ppt/")
_PACKAGE = "[Content_Types].xml"
_OF_PROGRAMS = frozenset({_PACKAGE, "META-INF/MANIFEST.MF", "AndroidManifest.xml"})
_ODF = re.compile(
    rb"mimetypeapplication/vnd\.(?:oasis\.opendocument\.(?:text|spreadsheet|presentation|graphics)"
    rb"|sun\.xml\.(?:writer|calc|impress|draw))"
)
# The parts of one that was packed anew, or by OpenOffice 1, which name no type.
_ODF_CONTENT, _ODF_BESIDE = "content.xml", frozenset({"styles.xml", "meta.xml", "META-INF/manifest.xml"})
_EPUB, _EPUB_LIST = b"mimetypeapplication/epub+zip", "META-INF/container.xml"
_XPS = re.compile(r".*\.fdseq(?:/|$)", re.IGNORECASE)
_IWORK = re.compile(r"(?:[^/]+/)?(?:Index/.*\.iwa|Index\.zip|index\.apxl|index\.xml\.gz)$", re.IGNORECASE)
_DXF = re.compile(
    rb"(?:\s*999\r?\n[^\n]{0,200}\n){0,20}\s*0\r?\nSECTION\r?\n\s*2\r?\n"
    rb"(?:HEADER|TABLES|BLOCKS|ENTITIES)\s"
)
# What LibreOffice draws of other programs, by the suffix that it needs: files by their beginnings, and
# compound files ([MS-CFB]) by their streams.
_IMPORTED: tuple[tuple[re.Pattern[bytes], str], ...] = (
    (re.compile(re.escape(PLACED_METAFILE) + rb"|\x01\0\x09\0\0[\x01\x03]"), ".wmf"),
    (re.compile(rb"\x01\0\0\0.{36} EMF", re.DOTALL), ".emf"),
    (re.compile(rb"[\x31\x32]\xbe\0\0"), ".wri"),
    (re.compile(rb"\xffWPC.{5}[\x0a\x2c]", re.DOTALL), ".wpd"),
    (re.compile(rb"\x9b\xa5\x21\0|\xdb\xa5\x2d\0"), ".ww2"),
    (re.compile(rb"\0\0(?:\x02\0[\x04\x06]\x04\x06\0|\x1a\0[\0-\x05]\x10\x04\0)"), ".123"),
    (_DXF, ".dxf"),
)
_VISIO = "visio/"
_IMPORTED_STREAMS = {
    "VisioDocument": ".vsd",
    "Quill": ".pub",
    "MatOST": ".wps",
    "StarWriterDocument": ".sdw",
    "StarCalcDocument": ".sdc",
    "StarDrawDocument3": ".sda",
    "StarDrawDocument": ".sda",
}
# The same of those whose stream has a common name: Works since 5.0, Publisher before 98.
_CONTENTS, _BY_CONTENTS = "CONTENTS", {b"CHNKWKS": ".wps", b"CHNKINK": ".wps", b"\xe8\xac": ".pub"}
# LibreOffice's filter for each; without its name, a file that is damaged would be opened as a text of codes.
IMPORT_FILTERS = {
    ".wri": "MS_Write",
    ".wpd": "WordPerfect",
    ".ww2": "MS WinWord 5",
    ".123": "WPS_Lotus_Calc",
    ".vsd": "Visio Document",
    ".pub": "Publisher Document",
    ".wps": "MS_Works",
    ".sdw": "StarOffice_Writer",
    ".sdc": "StarOffice_Calc",
    ".sda": "StarOffice_Draw",
}


def imported_suffix(content: bytes) -> str:
    """The suffix of a file of another program that LibreOffice draws, but for compound files; else empty."""
    if content.startswith(ZIP):
        return ".vsdx" if any(entry.startswith(_VISIO) for entry in entries(content)) else ""
    return next((suffix for pattern, suffix in _IMPORTED if pattern.match(content)), "")


def imported_compound(ole: olefile.OleFileIO) -> str:
    """The same for a compound file."""
    found = next((suffix for stream, suffix in _IMPORTED_STREAMS.items() if ole.exists(stream)), "")
    if found or not ole.exists(_CONTENTS):
        return found
    beginning = bytes(ole.openstream(_CONTENTS).read(max(map(len, _BY_CONTENTS))))
    return next((suffix for mark, suffix in _BY_CONTENTS.items() if beginning.startswith(mark)), "")


def foreign_name(content: bytes) -> str:
    """The name of a known kind that cannot be faxed, with advice; empty for anything else."""
    for mark, name, advice in _BEGINNINGS:
        if content.startswith(mark):
            return f"{name}: {advice}"
    for pattern, name, advice in _PATTERNS:
        if pattern.match(content):
            return f"{name}: {advice}"
    if content.startswith((ZIP, _ZIP_EMPTY)):
        return _zipped(content)
    return f"a picture (WBMP): {_AS_PICTURE}" if _is_wireless_bitmap(content) else ""


def _is_wireless_bitmap(content: bytes) -> bool:
    """Whether a file is as long as the picture of one bit a pixel that it says to be (WAP-237, 4.5)."""
    header = _WBMP.match(content)
    if header is None:
        return False
    width, height = (
        (side[0] & 0x7F) << 7 | side[1] if len(side) > 1 else side[0] for side in header.groups()
    )
    return len(content) == header.end() + (width + 7) // 8 * height


def is_office_package(content: bytes) -> bool:
    """Whether a ZIP file is of Word, Excel, PowerPoint or OpenDocument; its beginning is enough."""
    if _ODF.match(content, _LOCAL_OCTETS):
        return True
    package, folder, odf, beside = False, False, False, False
    for entry in entries(content):
        if _OFFICE_PARTS.match(entry):
            return True
        package |= entry == _PACKAGE
        folder |= entry.startswith(_OFFICE_FOLDERS)
        odf |= entry == _ODF_CONTENT
        beside |= entry in _ODF_BESIDE
    return (package and folder) or (odf and beside)


def is_iwork(content: bytes) -> bool:
    """Whether a file is of Apple's Pages, Numbers or Keynote."""
    return content.startswith(ZIP) and any(map(_IWORK.match, entries(content)))


def is_epub(content: bytes) -> bool:
    """Whether a file is an electronic book."""
    return content.startswith(_EPUB, _LOCAL_OCTETS) or (
        content.startswith(ZIP) and _EPUB_LIST in entries(content)
    )


def is_xps(content: bytes) -> bool:
    """Whether a file is an XPS document."""
    return content.startswith(ZIP) and any(map(_XPS.match, entries(content)))


def entries(content: bytes) -> Iterator[str]:
    """The names in a ZIP file, at most the first 3000, as far as its beginning shows them."""
    at = 0
    for _ in range(_MOST_ENTRIES):
        header = content[at : at + _LOCAL_OCTETS]
        if len(header) < _LOCAL_OCTETS or not header.startswith(ZIP):
            return
        length = int.from_bytes(header[_NAME_LENGTH_AT : _NAME_LENGTH_AT + 2], "little")
        extra = int.from_bytes(header[_EXTRA_LENGTH_AT : _EXTRA_LENGTH_AT + 2], "little")
        packed = int.from_bytes(header[_PACKED_AT : _PACKED_AT + 4], "little")
        start = at + _LOCAL_OCTETS
        yield content[start : start + length].decode("utf-8", "replace")
        at = start + length + extra + packed
        if header[_FLAGS_AT] & _SIZES_BEHIND and not packed:
            at = content.find(ZIP, at)
            if at < 0:
                return


def compound_name(ole: olefile.OleFileIO) -> str:
    """The kind of a compound file that no program of ours draws."""
    name = "a plan of Microsoft Project" if ole.exists("Props12") else "a file of another program"
    return f"{name}: {_AS_PDF}"


def _zipped(content: bytes) -> str:
    """What a ZIP file is that no program of ours draws."""
    of_program = content.startswith(b"mimetype", _LOCAL_OCTETS) or not _OF_PROGRAMS.isdisjoint(
        entries(content)
    )
    return f"a file of another program: {_AS_PDF}" if of_program else f"a ZIP archive: {_UNPACK}"
