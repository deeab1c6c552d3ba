"""A small PDF writer that records the words it wrote and their positions."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path

import pypdfium2
from PIL import Image
from pypdfium2 import raw

WIDTH, HEIGHT = 595.0, 842.0  # A4, points
Colour = tuple[float, float, float]
BLACK: Colour = (0, 0, 0)
WHITE: Colour = (1, 1, 1)

FONTS = {
    "sans": "Helvetica",
    "bold": "Helvetica-Bold",
    "serif": "Times-Roman",
    "italic": "Times-Italic",
    "mono": "Courier",
}


@dataclass(frozen=True, slots=True)
class Line:
    """Known words and their position, in points from the top left."""

    words: str
    left: float
    top: float
    right: float
    below: float


@dataclass
class Canvas:
    """Coordinates are points from the top left; ``colour`` is red, green, blue from 0 to 1."""

    name: str
    content: list[str] = field(default_factory=list)
    pictures: list[Image.Image] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    opacities: set[float] = field(default_factory=set)

    def text(
        self,
        x: float,
        y: float,
        words: str,
        size: float = 10,
        colour: Colour = BLACK,
        font: str = "sans",
        opacity: float = 1,
    ) -> None:
        """Writes ``words`` with their baseline at ``y``, and records them."""
        self.opacities.add(opacity)
        escaped = words.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
        red, green, blue = colour
        self.content.append(
            f"q /O{round(opacity * 100)} gs {red:.3f} {green:.3f} {blue:.3f} rg BT /{font} {size} Tf "
            f"{x:.2f} {HEIGHT - y:.2f} Td ({escaped}) Tj ET Q"
        )
        self.known.append(words)

    def area(self, x: float, y: float, width: float, height: float, colour: Colour) -> None:
        red, green, blue = colour
        self.content.append(
            f"{red:.3f} {green:.3f} {blue:.3f} rg {x:.2f} {HEIGHT - y - height:.2f} {width:.2f} {height:.2f} re f"
        )

    def frame(
        self, x: float, y: float, width: float, height: float, colour: Colour = BLACK, thick: float = 0.8
    ) -> None:
        red, green, blue = colour
        self.content.append(
            f"{red:.3f} {green:.3f} {blue:.3f} RG {thick} w {x:.2f} {HEIGHT - y - height:.2f} "
            f"{width:.2f} {height:.2f} re S"
        )

    def path(
        self,
        points: list[tuple[float, float]],
        colour: Colour = BLACK,
        thick: float = 0.8,
        fill: bool = False,
    ) -> None:
        red, green, blue = colour
        steps = [f"{x:.2f} {HEIGHT - y:.2f} {'l' if n else 'm'}" for n, (x, y) in enumerate(points)]
        how = f"{red:.3f} {green:.3f} {blue:.3f} {'rg' if fill else 'RG'} {thick} w"
        self.content.append(f"{how} {' '.join(steps)} {'f' if fill else 'S'}")

    def picture(self, image: Image.Image, x: float, y: float, width: float, height: float) -> None:
        self.content.append(
            f"q {width:.2f} 0 0 {height:.2f} {x:.2f} {HEIGHT - y - height:.2f} cm /I{len(self.pictures)} Do Q"
        )
        self.pictures.append(image)

    def pdf(self) -> bytes:
        """The page as a PDF file."""
        fonts = "".join(
            f"/{name} <</Type/Font/Subtype/Type1/BaseFont/{base}>>" for name, base in FONTS.items()
        )
        states = "".join(f"/O{round(o * 100)} <</ca {o}>>" for o in sorted(self.opacities))
        names = "".join(f"/I{number} {5 + number} 0 R" for number in range(len(self.pictures)))
        content = "\n".join(self.content).encode("latin-1")
        objects = [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Count 1/Kids[3 0 R]>>",
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {WIDTH:.0f} {HEIGHT:.0f}]/Contents 4 0 R"
            f"/Resources<</Font<<{fonts}>>/ExtGState<<{states}>>/XObject<<{names}>>>>>>".encode(),
            b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
            *map(_picture_object, self.pictures),
        ]
        out = bytearray(b"%PDF-1.4\n")
        offsets = []
        for number, body in enumerate(objects, 1):
            offsets.append(len(out))
            out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
        start = len(out)
        out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
        out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
        out += b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
        return bytes(out)

    def lines(self) -> list[Line]:
        """The positions of the words, as pdfium measures them."""
        document = pypdfium2.PdfDocument(self.pdf())
        page = document[0]
        found = []
        texts = [each for each in page.get_objects() if each.type == raw.FPDF_PAGEOBJ_TEXT]
        for words, each in zip(self.known, texts, strict=True):
            left, low, right, high = each.get_bounds()
            found.append(Line(words, left, HEIGHT - high, right, HEIGHT - low))
        document.close()
        return found


def _picture_object(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.convert("RGB").save(out, "JPEG", quality=85)
    return (
        b"<</Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceRGB/BitsPerComponent 8"
        b"/Filter/DCTDecode/Length %d>>stream\n%s\nendstream" % (*image.size, out.tell(), out.getvalue())
    )


def portrait() -> Image.Image:
    """A photograph of a person: NASA's portrait of the astronaut Eileen Collins, in the public domain."""
    return Image.open(Path(__file__).with_name("portrait.jpg")).convert("RGB")
