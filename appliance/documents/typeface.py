"""Type for header lines and confirmations: fonts, wrapping, and drawing at fax resolutions."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

# Debian's fonts-dejavu-core: Latin, Greek, Cyrillic, Arabic, Hebrew and many symbols.
_FONT_FOLDER = Path("/usr/share/fonts/truetype/dejavu")
REGULAR, BOLD, MONOSPACED = "DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSansMono.ttf"


@lru_cache(maxsize=32)
def font(face: str, pixels: int) -> Font:
    """``face`` at ``pixels`` per em; Pillow's own face when the package is not installed."""
    try:
        return ImageFont.truetype(str(_FONT_FOLDER / face), pixels, layout_engine=ImageFont.Layout.BASIC)
    except OSError:
        return ImageFont.load_default(pixels)


def wrap_pixels(text: str, face: Font, limit: int) -> list[str]:
    """``text`` in lines at most ``limit`` pixels wide; a word that is wider is broken."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.expandtabs().split(" "):
            candidate = f"{line} {word}" if line else word
            if face.getlength(candidate) <= limit:
                line = candidate
                continue
            if line:
                lines.append(line)
            line = word
            while face.getlength(line) > limit and len(line) > 1:
                cut = _fitting(line, face, limit)
                lines.append(line[:cut])
                line = line[cut:]
        lines.append(line)
    return lines


def _fitting(word: str, face: Font, limit: int) -> int:
    low, high = 1, len(word)
    while low < high:
        middle = (low + high + 1) // 2
        if face.getlength(word[:middle]) <= limit:
            low = middle
        else:
            high = middle - 1
    return low


def fit(text: str, face: Font, limit: int) -> str:
    """``text``, shortened with an ellipsis when wider than ``limit`` pixels."""
    if face.getlength(text) <= limit:
        return text
    return text[: _fitting(text, face, max(1, limit - int(face.getlength("…"))))].rstrip() + "…"


class Sheet:
    """A white sheet to draw on in square pixels, later scaled to a fax resolution."""

    def __init__(self, width: int, height: int) -> None:
        self.image = Image.new("L", (width, height), 255)
        self._draw = ImageDraw.Draw(self.image)

    def text(self, x: int, y: int, text: str, face: Font) -> None:
        """Draws ``text`` with its upper left corner at (``x``, ``y``)."""
        self._draw.text((x, y), text, fill=0, font=face)

    def line(self, x0: int, y0: int, x1: int, y1: int, thickness: int) -> None:
        """Draws a horizontal or vertical line."""
        self._draw.rectangle((x0, y0, x1, y1 + thickness - 1), fill=0)

    def at(self, width: int, rows: int) -> Image.Image:
        """The sheet scaled to ``width`` by ``rows`` pixels of grey."""
        if self.image.size == (width, rows):
            return self.image
        return self.image.resize((width, rows), Image.Resampling.BOX)
