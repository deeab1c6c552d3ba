"""The kinds of files that can be faxed, and which of them a file's name or declared type promises."""

from __future__ import annotations

from enum import Enum
from pathlib import PurePath


class Kind(Enum):
    """The kinds of files that can be faxed."""

    PDF = "pdf"
    TIFF = "tiff"
    PNG = "png"
    JPEG = "jpeg"
    WEBP = "webp"
    HEIC = "heic"
    AVIF = "avif"
    GIF = "gif"
    BMP = "bmp"
    JPEG_2000 = "JPEG 2000"
    PCX = "pcx"
    DCX = "dcx"  # several PCX
    PNM = "pnm"  # PBM, PGM, PPM
    FAX = "fax codes"  # T.4 or T.6 without a container, and CALS
    RASTER = "raster"  # of printers: PWG raster, URF
    TEXT = "text"
    HTML = "html"
    SVG = "svg"
    RTF = "rtf"
    OFFICE = "office"  # DOC(X), XLS(X), PPT(X), ODT, ODS, ODP
    IWORK = "document of Apple's"  # Pages, Numbers, Keynote
    EPUB = "electronic book"
    XPS = "xps"
    DJVU = "djvu"
    POSTSCRIPT = "postscript"
    EMAIL = "e-mail"  # RFC 5322: EML
    MSG = "Outlook message"
    TNEF = "winmail.dat"
    DICOM = "document in DICOM"  # of a medical device
    SIGNED = "signed file"  # P7M: a file within its signature


# Suffixes of Office files.
OFFICE_SUFFIXES = frozenset(
    {"doc", "docx", "docm", "dot", "dotx", "odt", "ott", "fodt", "xls", "xlsx", "xlsm", "xlsb", "ods", "ots"}
    | {"fods", "ppt", "pptx", "pptm", "pps", "ppsx", "odp", "otp", "fodp", "odg", "otg", "fodg"}
    | {"sxw", "stw", "sxc", "stc", "sxi", "sti", "sxd", "std"}
)  # fmt: skip
# Suffixes of other programs' files that LibreOffice draws.
_IMPORTED = frozenset(
    {"vsd", "vsdx", "vsdm", "pub", "wps", "wri", "emf", "wmf", "dxf", "wpd", "wk1", "wk3", "wk4", "wks"}
    | {"123", "sdw", "sdc", "sda", "sdd"}
)
# The kind that a name's suffix, or a declared type, promises.
_SUFFIXES = {
    "pdf": Kind.PDF,
    "tif": Kind.TIFF,
    "tiff": Kind.TIFF,
    "png": Kind.PNG,
    "jpg": Kind.JPEG,
    "jpeg": Kind.JPEG,
    "jpe": Kind.JPEG,
    "jfif": Kind.JPEG,
    "webp": Kind.WEBP,
    "heic": Kind.HEIC,
    "heif": Kind.HEIC,
    "avif": Kind.AVIF,
    "gif": Kind.GIF,
    "bmp": Kind.BMP,
    "dib": Kind.BMP,
    "jp2": Kind.JPEG_2000,
    "j2k": Kind.JPEG_2000,
    "jpx": Kind.JPEG_2000,
    "pcx": Kind.PCX,
    "dcx": Kind.DCX,
    "pnm": Kind.PNM,
    "pbm": Kind.PNM,
    "pgm": Kind.PNM,
    "ppm": Kind.PNM,
    "g3": Kind.FAX,
    "g4": Kind.FAX,
    "fax": Kind.FAX,
    "cal": Kind.FAX,
    "cals": Kind.FAX,
    "pwg": Kind.RASTER,
    "urf": Kind.RASTER,
    "txt": Kind.TEXT,
    "text": Kind.TEXT,
    "csv": Kind.TEXT,
    "tsv": Kind.TEXT,
    "tab": Kind.TEXT,
    "md": Kind.TEXT,
    "log": Kind.TEXT,
    "json": Kind.TEXT,
    "xml": Kind.TEXT,
    "ics": Kind.TEXT,
    "vcf": Kind.TEXT,
    "htm": Kind.HTML,
    "html": Kind.HTML,
    "xhtml": Kind.HTML,
    "xht": Kind.HTML,
    "svg": Kind.SVG,
    "svgz": Kind.SVG,
    "pages": Kind.IWORK,
    "numbers": Kind.IWORK,
    "rtf": Kind.RTF,
    "epub": Kind.EPUB,
    "xps": Kind.XPS,
    "oxps": Kind.XPS,
    "djvu": Kind.DJVU,
    "djv": Kind.DJVU,
    "ps": Kind.POSTSCRIPT,
    "eps": Kind.POSTSCRIPT,
    "eml": Kind.EMAIL,
    "mht": Kind.EMAIL,
    "mhtml": Kind.EMAIL,
    "mbox": Kind.EMAIL,
    "msg": Kind.MSG,
    "oft": Kind.MSG,
} | dict.fromkeys(OFFICE_SUFFIXES | _IMPORTED, Kind.OFFICE)
_TYPES = {
    "application/pdf": Kind.PDF,
    "image/tiff": Kind.TIFF,
    "image/png": Kind.PNG,
    "image/jpeg": Kind.JPEG,
    "image/webp": Kind.WEBP,
    "image/heic": Kind.HEIC,
    "image/heif": Kind.HEIC,
    "image/avif": Kind.AVIF,
    "image/gif": Kind.GIF,
    "image/bmp": Kind.BMP,
    "image/x-ms-bmp": Kind.BMP,
    "image/jp2": Kind.JPEG_2000,
    "image/x-pcx": Kind.PCX,
    "image/vnd.zbrush.pcx": Kind.PCX,
    "image/x-portable-anymap": Kind.PNM,
    "image/x-portable-bitmap": Kind.PNM,
    "image/x-portable-graymap": Kind.PNM,
    "image/x-portable-pixmap": Kind.PNM,
    "image/g3fax": Kind.FAX,
    "image/pwg-raster": Kind.RASTER,
    "image/urf": Kind.RASTER,
    "text/html": Kind.HTML,
    "application/xhtml+xml": Kind.HTML,
    "image/svg+xml": Kind.SVG,
    "application/rtf": Kind.RTF,
    "text/rtf": Kind.RTF,
    "application/postscript": Kind.POSTSCRIPT,
    "application/epub+zip": Kind.EPUB,
    "application/oxps": Kind.XPS,
    "application/vnd.ms-xpsdocument": Kind.XPS,
    "image/vnd.djvu": Kind.DJVU,
    "message/rfc822": Kind.EMAIL,
    "application/vnd.ms-outlook": Kind.MSG,
    "application/ms-tnef": Kind.TNEF,
    "application/vnd.ms-tnef": Kind.TNEF,
    "application/msword": Kind.OFFICE,
    "application/vnd.ms-excel": Kind.OFFICE,
    "application/vnd.ms-powerpoint": Kind.OFFICE,
}
_OFFICE_TYPES = ("application/vnd.openxmlformats-officedocument", "application/vnd.oasis.opendocument")


def plain_type(media_type: str) -> str:
    """A media type without its parameters, in small letters."""
    return media_type.partition(";")[0].strip().lower()


def promised_kind(name: str, media_type: str) -> Kind | None:
    """The kind that was meant: by the name, else by the type, which programs often invent."""
    said = plain_type(media_type)
    by_type = Kind.OFFICE if said.startswith(_OFFICE_TYPES) else _TYPES.get(said)
    return _SUFFIXES.get(PurePath(name).suffix.lower().removeprefix("."), by_type)


# Names and types of tables in text.  Web pages of offices call such tables .xls, since Excel opens them.
_TABLES = frozenset({".csv", ".tsv", ".tab", ".xls"})
_XHTML = frozenset({".xhtml", ".xht"})
_TABLE_TYPES = frozenset({"text/csv", "application/csv", "text/tab-separated-values"})


def promises_table(name: str, media_type: str) -> bool:
    """Whether a text was meant to be a table."""
    return PurePath(name).suffix.lower() in _TABLES or plain_type(media_type) in _TABLE_TYPES


def promises_xhtml(name: str, media_type: str) -> bool:
    """Whether a web page was meant to be read as XML, as browsers read it by its name or type."""
    return PurePath(name).suffix.lower() in _XHTML or plain_type(media_type) == "application/xhtml+xml"
