"""What a file is, by its content."""

from __future__ import annotations

from enum import Enum
from pathlib import PurePath

from appliance.causes import DOCUMENT_EMPTY, DOCUMENT_MISLABELLED, DOCUMENT_UNSUPPORTED
from appliance.documents.errors import DocumentError


class Kind(Enum):
    PDF = "pdf"
    TIFF = "tiff"
    PNG = "png"
    JPEG = "jpeg"
    WEBP = "webp"
    HEIC = "heic"
    TEXT = "text"


_SUFFIXES = {
    ".pdf": Kind.PDF,
    ".tif": Kind.TIFF,
    ".tiff": Kind.TIFF,
    ".png": Kind.PNG,
    ".jpg": Kind.JPEG,
    ".jpeg": Kind.JPEG,
    ".webp": Kind.WEBP,
    ".heic": Kind.HEIC,
    ".heif": Kind.HEIC,
    ".txt": Kind.TEXT,
    ".text": Kind.TEXT,
}

# A PDF's header may stand anywhere in the first 1024 octets (ISO 32000-1 Annex H, note 13).
_PDF_HEADER_WITHIN = 1024

# ISO/IEC 23008-12: the brands of still pictures coded in HEVC.
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"hevc", b"hevx"}

# Share of control characters (other than white space) from which a file is no longer text.
_MOST_CONTROLS = 0.01


def sniff(content: bytes, name: str = "") -> Kind:
    """The kind of ``content``.

    Raises DocumentError: DOCUMENT_EMPTY; DOCUMENT_UNSUPPORTED; DOCUMENT_MISLABELLED when ``name`` has
    the suffix of a kind that we take and the content is of none.
    """
    if not content.strip(b"\0 \t\r\n\f"):
        raise DocumentError(DOCUMENT_EMPTY, f"{len(content)} octets")
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return Kind.PNG
    if content.startswith(b"\xff\xd8\xff"):
        return Kind.JPEG
    if content.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):  # BigTIFF too
        return Kind.TIFF
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return Kind.WEBP
    if content[4:8] == b"ftyp" and content[8:12] in _HEIC_BRANDS:
        return Kind.HEIC
    if b"%PDF-" in content[:_PDF_HEADER_WITHIN]:
        return Kind.PDF
    if _is_text(content):
        return Kind.TEXT
    promised = _SUFFIXES.get(PurePath(name).suffix.lower())
    if promised is not None:
        raise DocumentError(DOCUMENT_MISLABELLED, f"named as {promised.value}, begins {content[:8].hex()}")
    raise DocumentError(DOCUMENT_UNSUPPORTED, f"begins {content[:8].hex()}")


def _is_text(content: bytes) -> bool:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    controls = sum(text.count(chr(code)) for code in range(32) if code not in {9, 10, 12, 13})
    return controls <= len(text) * _MOST_CONTROLS and "\0" not in text
