"""The PDF that ``faxbox demo`` sends: a letter, a photograph, a form and a page of small print.

Drawn here, so that the demonstration needs no file from anywhere; the photograph is a landscape
computed from gradients and noise (grey tones throughout, as a photograph has).
"""

from __future__ import annotations

import io
import itertools
import random
import textwrap
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFilter

PAGES = 4
# A4 in PDF points.
_WIDTH, _HEIGHT = 595, 842
_MARGIN = 60
# The photograph in pixels: 150 a PDF inch, more than a fax can show.
_PHOTO = (990, 660)
_SEED = 20

_LETTER = (
    "Dear reader,",
    "This page left a program as a PDF, became a page of black and white dots, was compressed as the ITU"
    " prescribed in 1980, and crossed a network as packets that pretend to be a telephone line. On the"
    " other side a fax machine that has nothing in common with this program but the Recommendations put"
    " it together again. Were the two pictures not the same in every dot, the sending command would say so.",
    "Before the first dot travelled the machines talked for a few seconds. The one that was called said"
    " who it is and what it can do (CSI and DIS). The one that calls chose from it (DCS) and sent a second"
    " and a half of zeros at the chosen speed (TCF). They arrived unharmed, and it was confirmed (CFR).",
    "Then each page went out in frames of 256 octets, each with a check sum, and after each page came the"
    " question whether all of it is there (PPS). Frames that a bad line damages are asked for again (PPR)."
    " Only when the other machine says that it has everything (MCF) does the next page begin.",
    "A fax counts as delivered when its last page was confirmed so, and not before.",
    "Yours faithfully,",
    "the sending machine",
)
_FIELDS = ("Name", "Company", "Street", "Postcode and town", "Telephone", "Fax")
_ORDER = (
    ("3", "Thermal paper, 210 mm x 30 m", "4.90", "14.70"),
    ("1", "Toner cartridge, black", "61.00", "61.00"),
    ("2", "Telephone cable, 3 m", "5.25", "10.50"),
    ("1", "Line splitter", "7.80", "7.80"),
)
_SIGNATURE = "1.2 w 340 136 m 352 170 360 120 372 150 c 380 170 386 126 398 146 c 420 150 430 138 452 148 c S"
_SMALL_PRINT = (
    "The sender warrants that every dot of this page was black or white when it left. Grey is a matter of"
    " opinion and of the distance from which one looks. Letters of this size are the honest test of a fax:"
    " at standard resolution the middle bar of the e fills in, at fine it can be read, at superfine it"
    " looks printed. "
)


def write_demo_pdf(path: Path) -> None:
    """Writes the demonstration's PDF.  Raises OSError."""
    pdf = _Pdf()
    pdf.page(_letter())
    pdf.page(_photograph_page(), image=_photograph())
    pdf.page(_form())
    pdf.page(_small_print())
    path.write_bytes(pdf.finish())


# -- the pages ---------------------------------------------------------------------------------


def _letter() -> str:
    parts = [_text(_MARGIN, 760, "Bold", 20, "A letter by fax"), _line(_MARGIN, 748, _WIDTH - _MARGIN, 748)]
    y = 715.0
    for paragraph in _LETTER:
        for row in textwrap.wrap(paragraph, 86):
            parts.append(_text(_MARGIN, y, "Roman", 11.5, row))
            y -= 16
        y -= 9
    return "\n".join(parts)


def _photograph_page() -> str:
    width = _WIDTH - 2 * _MARGIN
    height = width * _PHOTO[1] / _PHOTO[0]
    return "\n".join(
        (
            _text(_MARGIN, 760, "Bold", 20, "A photograph"),
            f"q {width} 0 0 {height:.1f} {_MARGIN} {730 - height:.1f} cm /Photo Do Q",
            _text(_MARGIN, 708 - height, "Roman", 11.5, "Grey tones become a halftone of black and white"),
            _text(_MARGIN, 692 - height, "Roman", 11.5, "dots that still compresses; text stays crisp."),
        )
    )


def _form() -> str:
    parts = [_text(_MARGIN, 760, "Bold", 20, "Order form")]
    y = 715.0
    for number, name in enumerate(_FIELDS):
        parts += [_text(_MARGIN, y + 5, "Sans", 9, name), _box(_MARGIN + 110, y - 3, 365, 22)]
        if number < 2:
            parts.append(_text(_MARGIN + 116, y + 4, "Oblique", 13, ("J. Doe", "Doe & Daughters")[number]))
        y -= 30
    y -= 10
    columns = (_MARGIN, _MARGIN + 50, _MARGIN + 330, _MARGIN + 400, _WIDTH - _MARGIN)
    for row, cells in enumerate((("Pieces", "Article", "Each", "Sum"), *_ORDER)):
        for column, cell in enumerate(cells):
            parts.append(_text(columns[column] + 5, y + 6, "Sans" if row == 0 else "Roman", 10, cell))
            parts.append(_box(columns[column], y, columns[column + 1] - columns[column], 20))
        y -= 20
    y -= 25
    for words, ticked in (("Delivery to this address", True), ("Collection", False), ("Invoice", True)):
        parts += [_box(_MARGIN, y, 12, 12), _text(_MARGIN + 20, y + 2, "Roman", 11, words)]
        if ticked:
            parts.append(
                f"1.8 w {_line(_MARGIN + 2, y + 6, _MARGIN + 5, y + 2)} "
                f"{_line(_MARGIN + 5, y + 2, _MARGIN + 11, y + 13)} 0.7 w"
            )
        y -= 22
    parts += [_line(_MARGIN, 130, 260, 130), _text(_MARGIN, 118, "Sans", 8, "Place, date")]
    parts += [_line(330, 130, _WIDTH - _MARGIN, 130), _text(330, 118, "Sans", 8, "Signature")]
    parts.append(_SIGNATURE)
    return "\n".join(parts)


def _small_print() -> str:
    parts = [_text(_MARGIN, 760, "Bold", 20, "Small print")]
    y = 730.0
    for size in (12.0, 10.0, 9.0, 8.0, 7.0, 6.0, 5.0):
        parts.append(_text(_MARGIN, y, "Sans", 7, f"{size:g} points"))
        y -= size * 1.3
        for row in textwrap.wrap(_SMALL_PRINT, int(1010 / size)):
            parts.append(_text(_MARGIN, y, "Roman", size, row))
            y -= size * 1.25
        y -= 12
    for number in range(12):
        x = _MARGIN + number * 40
        parts.append(f"{0.2 + number * 0.15:.2f} w {_line(x, 80, x + 30, 150)}")
    return "\n".join(parts)


def _photograph() -> bytes:
    """A grey landscape as JPEG."""
    width, height = _PHOTO
    chance = random.Random(_SEED)
    sky = Image.linear_gradient("L").resize(_PHOTO).point(lambda grey: 120 + grey * 110 // 255)
    glow = Image.radial_gradient("L").resize((width, width)).point(lambda grey: max(0, 200 - grey))
    sky.paste(255, (width // 4, -height // 4), glow.resize((width, width)).point(lambda grey: grey * 2 // 3))
    picture = sky
    for depth in range(4):
        shade = 170 - depth * 42
        ridge = _ridge(chance, width, height * (40 + 13 * depth) // 100, 60 + 25 * depth)
        mask = Image.new("L", _PHOTO)
        ImageDraw.Draw(mask).polygon([(0, height), *ridge, (width, height)], fill=255)
        ground = Image.linear_gradient("L").resize(_PHOTO)
        ground = ground.point([shade - 20 + grey // 6 for grey in range(256)])
        picture.paste(ground, mask=mask.filter(ImageFilter.GaussianBlur(2 - depth * 0.5)))
    grain = _grain(chance)
    picture = ImageChops.add(picture, grain, scale=1.0, offset=-24)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=88)
    return file.getvalue()


def _ridge(chance: random.Random, width: int, height: int, swing: int) -> list[tuple[int, int]]:
    """A skyline by midpoint displacement."""
    heights = [0.0, 0.0]
    reach = float(swing)
    while len(heights) < 129:
        middle = [(a + b) / 2 + chance.uniform(-reach, reach) for a, b in itertools.pairwise(heights)]
        heights = [each for pair in zip(heights, [*middle, 0.0], strict=True) for each in pair][:-1]
        reach *= 0.55
    step = width / (len(heights) - 1)
    return [(int(number * step), int(height + each)) for number, each in enumerate(heights)]


def _grain(chance: random.Random) -> Image.Image:
    width, height = _PHOTO[0] // 2, _PHOTO[1] // 2
    noise = Image.frombytes("L", (width, height), chance.randbytes(width * height))
    return noise.resize(_PHOTO, Image.Resampling.BILINEAR).point(lambda grey: grey * 48 // 255)


# -- PDF ---------------------------------------------------------------------------------------

_FONTS = {"Roman": "Times-Roman", "Bold": "Helvetica-Bold", "Sans": "Helvetica", "Oblique": "Times-Italic"}


def _text(x: float, y: float, font: str, size: float, words: str) -> str:
    escaped = words.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
    return f"BT /{font} {size:g} Tf {x:g} {y:.1f} Td ({escaped}) Tj ET"


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f"{x1:g} {y1:.1f} m {x2:g} {y2:.1f} l S"


def _box(x: float, y: float, width: float, height: float) -> str:
    return f"0.7 w {x:g} {y:.1f} {width:g} {height:g} re S"


class _Pdf:
    """Just enough of ISO 32000: pages with standard fonts and one JPEG each."""

    def __init__(self) -> None:
        self._objects: list[bytes] = [b"<</Type/Catalog/Pages 2 0 R>>", b""]
        self._pages: list[int] = []
        fonts = "".join(
            f"/{name}<</Type/Font/Subtype/Type1/BaseFont/{base}/Encoding/WinAnsiEncoding>>"
            for name, base in _FONTS.items()
        )
        self._fonts = self._add(f"<<{fonts}>>".encode())

    def page(self, content: str, image: bytes | None = None) -> None:
        resources = f"/Font {self._fonts} 0 R"
        if image is not None:
            number = self._stream(
                f"/Type/XObject/Subtype/Image/Width {_PHOTO[0]}/Height {_PHOTO[1]}/ColorSpace/DeviceGray"
                "/BitsPerComponent 8/Filter/DCTDecode",
                image,
            )
            resources += f"/XObject<</Photo {number} 0 R>>"
        stream = self._stream("", content.encode("latin-1"))
        self._pages.append(
            self._add(
                f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {_WIDTH} {_HEIGHT}]/Resources<<{resources}>>"
                f"/Contents {stream} 0 R>>".encode()
            )
        )

    def finish(self) -> bytes:
        kids = " ".join(f"{page} 0 R" for page in self._pages)
        self._objects[1] = f"<</Type/Pages/Count {len(self._pages)}/Kids[{kids}]>>".encode()
        file = bytearray(b"%PDF-1.4\n")
        offsets = []
        for number, body in enumerate(self._objects, 1):
            offsets.append(len(file))
            file += b"%d 0 obj\n%s\nendobj\n" % (number, body)
        start = len(file)
        file += b"xref\n0 %d\n0000000000 65535 f \n" % (len(offsets) + 1)
        file += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
        file += b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(offsets) + 1, start)
        return bytes(file)

    def _add(self, body: bytes) -> int:
        self._objects.append(body)
        return len(self._objects)

    def _stream(self, facts: str, data: bytes) -> int:
        return self._add(b"<<%s/Length %d>>stream\n%s\nendstream" % (facts.encode(), len(data), data))
