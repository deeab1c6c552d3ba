"""Type for text, cover pages and header lines: fonts, wrapping, and drawing at fax resolutions."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

# Debian's fonts-dejavu-core: Latin, Greek, Cyrillic, Arabic, Hebrew and many signs.
_FONT_FOLDER = Path("/usr/share/fonts/truetype/dejavu")
REGULAR, BOLD, MONOSPACED = "DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSansMono.ttf"

TAB_COLUMNS = 8


@lru_cache(maxsize=32)
def font(face: str, pixels: int) -> Font:
    """``face`` at ``pixels`` an em; Pillow's own face when the package is not there."""
    try:
        return ImageFont.truetype(str(_FONT_FOLDER / face), pixels, layout_engine=ImageFont.Layout.BASIC)
    except OSError:
        return ImageFont.load_default(pixels)


def columns(character: str) -> int:
    """Columns of a monospaced page that ``character`` takes: 0, 1 or 2."""
    if unicodedata.combining(character) or unicodedata.category(character) in {"Cf", "Cc"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def expand_tabs(line: str) -> str:
    """``line`` with its tabs as spaces up to every eighth column."""
    if "\t" not in line:
        return line
    out: list[str] = []
    at = 0
    for character in line:
        if character == "\t":
            spaces = TAB_COLUMNS - at % TAB_COLUMNS
            out.append(" " * spaces)
            at += spaces
        else:
            out.append(character)
            at += columns(character)
    return "".join(out)


def wrap_columns(line: str, limit: int) -> Iterator[str]:
    """``line`` in pieces of at most ``limit`` columns, broken after a space where there is one."""
    if line.isascii() and len(line) <= limit:
        yield line
        return
    start = at = 0
    last_space = -1
    for index, character in enumerate(line):
        taken = columns(character)
        if at + taken > limit:
            cut = last_space + 1 if last_space >= start else index
            yield line[start:cut].rstrip()
            start, last_space = cut, -1
            at = sum(columns(c) for c in line[start:index])
        at += taken
        if character == " ":
            last_space = index
    yield line[start:]


def wrap_pixels(text: str, face: Font, limit: int) -> list[str]:
    """``text`` in lines at most ``limit`` pixels wide; a word that is wider is broken."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in expand_tabs(paragraph).split(" "):
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
    """A white sheet on which to draw in square pixels before it is brought to a fax resolution."""

    def __init__(self, width: int, height: int) -> None:
        self.image = Image.new("L", (width, height), 255)
        self._draw = ImageDraw.Draw(self.image)

    def text(self, x: int, y: int, text: str, face: Font) -> None:
        self._draw.text((x, y), text, fill=0, font=face)

    def line(self, x0: int, y0: int, x1: int, y1: int, thickness: int) -> None:
        self._draw.rectangle((x0, y0, x1, y1 + thickness - 1), fill=0)

    def at(self, width: int, rows: int) -> Image.Image:
        """The sheet as ``width`` by ``rows`` pixels of grey."""
        if self.image.size == (width, rows):
            return self.image
        return self.image.resize((width, rows), Image.Resampling.BOX)
