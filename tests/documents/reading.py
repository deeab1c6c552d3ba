"""Whether a page has given words on it: the words are drawn with Pillow alone and looked for, dot by dot.

Exact only on pages of square dots (300 or 400 dpi), where nothing was scaled after drawing.
"""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFont

FOLDER = "/usr/share/fonts/truetype/dejavu/"
PIXELS_PER_MM = 300 / 25.4
BLACK_BELOW = 168  # of 255: darker is black in text


def says(page: Image.Image, words: str, *, em_mm: float = 4.4, bold: bool = False) -> bool:
    """``page``: mode 1, 0 black, 300 dpi."""
    return where(page, words, em_mm=em_mm, bold=bold) is not None


def where(page: Image.Image, words: str, *, em_mm: float = 4.4, bold: bool = False) -> tuple[int, int] | None:
    """Where the words begin (x, y), None when they are not there."""
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    em = round(em_mm * PIXELS_PER_MM)
    face = ImageFont.truetype(FOLDER + name, em, layout_engine=ImageFont.Layout.BASIC)
    canvas = Image.new("L", (int(face.getlength(words)) + 40, 2 * em), 255)
    ImageDraw.Draw(canvas).text((10, 4), words, fill=0, font=face)
    drawn = canvas.point(lambda grey: 255 if grey < BLACK_BELOW else 0)
    box = drawn.getbbox()
    assert box is not None
    pattern = _rows(drawn.crop(box))
    lines = _rows(page.convert("L").point(lambda grey: 0 if grey > 127 else 255))
    middle = max(range(len(pattern)), key=lambda row: pattern[row].count(b"\xff"))
    for y in range(middle, len(lines) - len(pattern) + middle + 1):
        x = lines[y].find(pattern[middle])
        while x >= 0:
            if all(lines[y - middle + row][x : x + len(dots)] == dots for row, dots in enumerate(pattern)):
                return x, y - middle
            x = lines[y].find(pattern[middle], x + 1)
    return None


def _rows(image: Image.Image) -> list[bytes]:
    octets = image.tobytes()
    return [octets[row * image.width : (row + 1) * image.width] for row in range(image.height)]
