"""Loads fonts, tables and libraries once in the fork server, by using them, so that no worker has to.

pdfium searches the machine's fonts when the first of PDF's standard fonts is drawn, which takes longer than
several pages; each worker forked afterwards has them.
"""

from __future__ import annotations

from PIL import Image

from appliance import limited
from appliance.documents.options import Paper, RenderOptions, Treatment
from appliance.documents.pdf.drawing import free_pixels
from appliance.documents.pdf.source import PdfSource
from appliance.documents.text.plain import COLUMNS, text_html, text_style
from appliance.documents.typeset.typesetting import typeset
from appliance.documents.workers.worker import draw_page
from appliance.t4.coding import encode
from appliance.t4.page import Coding

# ISO 32000-1 9.6.2.2: the fonts that a PDF may name without embedding them.
_FONTS = [
    "Helvetica",
    "Helvetica-Bold",
    "Helvetica-Oblique",
    "Helvetica-BoldOblique",
    "Times-Roman",
    "Times-Bold",
    "Times-Italic",
    "Times-BoldItalic",
    "Courier",
    "Courier-Bold",
    "Courier-Oblique",
    "Courier-BoldOblique",
    "Symbol",
    "ZapfDingbats",
]

# A word in each script, so that its fonts are looked up once.
_SCRIPTS = "Ag Ωя שלום سلام हिन्दी বাংলা தமிழ் ไทย 日本語 한국어 ქართული ☎ 😀"

# A page as in an e-mail.
_PAGE = (
    f"<style>p {{ color: #222 }}</style><h1>Ag</h1><p>{_SCRIPTS} <b>Ag</b> <i>Ag</i>"
    '<table border="1"><tr><td style="padding: 1px">Ag</table>'
)

_LINES = [f"BT /F{number} 9 Tf 5 {4 + 9 * number} Td (Ag) Tj ET" for number in range(len(_FONTS))]


def warm_up() -> None:
    """Draws and codes a small page with each standard font, as for a fax, and sets a word in each script."""
    _draw_specimen()
    for paper in Paper:
        typeset(text_html(_SCRIPTS, 1), paper, style=text_style(paper, COLUMNS), most_pages=1, foreign=False)
    typeset(_PAGE, Paper.A4, most_pages=1)
    Image.preinit()  # imports what reads the usual kinds


def warm_up_worker() -> None:
    """Draws that page once more in a process that was forked meanwhile: what it writes to is copied, and code
    is mapped, before its job comes.
    """
    _draw_specimen()
    limited.give_memory_back()


def _draw_specimen() -> None:
    source = PdfSource(_specimen())
    page, _, _ = draw_page(source, 0, RenderOptions(), treatment=Treatment.AUTO, header=None, count=(1, 1))
    encode(page, Coding.MMR)
    source.close()
    free_pixels()


def _specimen() -> bytes:
    """Type on a tint, so that it is drawn in all ways."""
    content = f"1 0.9 0.8 rg 5 5 50 50 re f 0 g {' '.join(_LINES)}".encode()
    fonts = " ".join(
        f"/F{number} <</Type/Font/Subtype/Type1/BaseFont/{name}>>" for number, name in enumerate(_FONTS)
    )
    objects = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count 1/Kids[3 0 R]>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 150 150]/Contents 4 0 R/Resources<</Font<<%s>>>>>>"
        % fonts.encode(),
        b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
    )
    # Without a cross-reference table: pdfium then searches for the objects itself.
    bodies = b"".join(b"%d 0 obj %s endobj\n" % each for each in enumerate(objects, 1))
    return b"%PDF-1.4\n" + bodies + b"trailer <</Root 1 0 R>>\n%%EOF\n"
