"""PDFs that pdfium does not open, or not all pages of, written anew by qpdf, which mends what can be mended.

Tables of cross-references that are wrong pdfium mends itself; qpdf also puts up with objects that never end,
page trees that name what is not there, and other things before the header than there may be.
"""

from __future__ import annotations

import io

# A file without its end was cut off: pages would be missing, or white, and nobody would know.
_END, _END_WITHIN = b"%%EOF", 4096
# A file of so many octets is mended at most: both its old and its new form are in memory meanwhile.
LARGEST = 60 << 20


def mended(content: bytes) -> bytes | None:
    """``content`` written anew, without its encryption; None when that cannot be done."""
    import pikepdf  # noqa: PLC0415 (slow, for few documents)

    if len(content) > LARGEST or _END not in content[-_END_WITHIN:]:
        return None
    out = io.BytesIO()
    try:
        with pikepdf.open(io.BytesIO(content), suppress_warnings=True) as document:
            declared = int(document.Root.Pages.get("/Count", 0))
            if len(document.pages) < max(1, declared):
                return None
            document.save(out)
    except (pikepdf.PdfError, pikepdf.PasswordError, ValueError, RuntimeError, TypeError, AttributeError):
        return None
    return out.getvalue()
