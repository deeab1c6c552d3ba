"""The same pages as scanners, phone cameras and screens produce them."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from dataclasses import dataclass

import pypdfium2
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from bench.legibility.canvas import Canvas

_POINTS = 72.0


def _drawn(page: Canvas, dpi: int) -> Image.Image:
    document = pypdfium2.PdfDocument(page.pdf())
    image = document[0].render(scale=dpi / _POINTS).to_pil().convert("RGB")
    document.close()
    return image


def _grain(image: Image.Image, strength: int, seed: int) -> Image.Image:
    """Adds sensor noise of up to ``strength`` levels either way."""
    dice = random.Random(seed)
    noise = Image.frombytes("L", image.size, dice.randbytes(image.width * image.height))
    up = noise.point([value * strength // 255 for value in range(256)]).convert("RGB")
    down = (
        ImageChops.offset(noise, 97, 31)
        .point([value * strength // 255 for value in range(256)])
        .convert("RGB")
    )
    return ImageChops.subtract(ImageChops.add(image, up), down)


def _paper(image: Image.Image, colour: tuple[int, int, int]) -> Image.Image:
    return ImageChops.multiply(image, Image.new("RGB", image.size, colour))


def _shadow(image: Image.Image, darkest: int) -> Image.Image:
    """Adds a hand's shadow, darker towards the lower left."""
    side = Image.linear_gradient("L").rotate(90).resize(image.size)
    down = Image.linear_gradient("L").rotate(180).resize(image.size)
    light = Image.blend(side, down, 0.3).point(
        [darkest + value * (255 - darkest) // 255 for value in range(256)]
    )
    return ImageChops.multiply(image, light.convert("RGB"))


def recycled(page: Canvas) -> Image.Image:
    return _grain(_paper(_drawn(page, 200).filter(ImageFilter.GaussianBlur(0.7)), (198, 190, 172)), 14, 1)


def grey_paper(page: Canvas) -> Image.Image:
    return _grain(
        _paper(_drawn(page, 200).filter(ImageFilter.GaussianBlur(0.6)), (205, 205, 205)), 10, 2
    ).convert("L")


def telephone(page: Canvas) -> Image.Image:
    return _grain(
        _shadow(_paper(_drawn(page, 170).filter(ImageFilter.GaussianBlur(0.8)), (236, 228, 214)), 110), 12, 3
    )


def lamp(page: Canvas) -> Image.Image:
    """Photographed under a lamp: warm in the middle, dark in the corners."""
    image = _paper(_drawn(page, 170).filter(ImageFilter.GaussianBlur(0.9)), (255, 226, 178))
    ring = (
        Image.radial_gradient("L")
        .resize(image.size)
        .point([255 - value * 150 // 255 for value in range(256)])
    )
    return _grain(ImageChops.multiply(image, ring.convert("RGB")), 16, 4)


def pencil(page: Canvas) -> Image.Image:
    image = _drawn(page, 200).point([150 + value * 105 // 255 for value in range(256)] * 3)
    draw = ImageDraw.Draw(image)
    for y in range(60, image.height, 78):
        draw.line((0, y, image.width, y), (215, 222, 235), 2)
    return _grain(_paper(image.filter(ImageFilter.GaussianBlur(0.7)), (240, 236, 226)), 12, 5)


def screen(page: Canvas) -> Image.Image:
    return _drawn(page, 130)


def scanner(page: Canvas) -> Image.Image:
    return _grain(_paper(_drawn(page, 150).filter(ImageFilter.GaussianBlur(0.5)), (250, 249, 246)), 6, 6)


def bad_copy(page: Canvas) -> Image.Image:
    image = _drawn(page, 200).convert("L").filter(ImageFilter.GaussianBlur(0.8))
    image = image.point([70 + value * 165 // 255 for value in range(256)])
    dice, draw = random.Random(7), ImageDraw.Draw(image)
    for _ in range(2500):
        x, y, size = dice.randrange(image.width), dice.randrange(image.height), dice.randrange(2)
        draw.rectangle((x, y, x + size, y + size), dice.randrange(40, 160))
    return image


def faded(page: Canvas) -> Image.Image:
    """A thermal receipt after a year."""
    image = _drawn(page, 200).convert("L").point([165 + value * 80 // 255 for value in range(256)])
    return _grain(image.convert("RGB").filter(ImageFilter.GaussianBlur(0.6)), 10, 8)


@dataclass(frozen=True, slots=True)
class Scan:
    """A design as a picture file of ``kind`` (Pillow's name)."""

    design: str
    how: Callable[[Canvas], Image.Image]
    kind: str

    def file(self, page: Canvas) -> bytes:
        image = self.how(page)
        out = io.BytesIO()
        dpi = image.width / (page_width_points() / _POINTS)
        options = {"quality": 80} if self.kind == "JPEG" else {}
        image.save(out, self.kind, dpi=(dpi, dpi), **options)
        return out.getvalue()


def page_width_points() -> float:
    return 595.0


SCANS: dict[str, Scan] = {
    "recycled paper": Scan("letter", recycled, "PNG"),
    "grey paper": Scan("small_print", grey_paper, "PNG"),
    "telephone": Scan("letter", telephone, "JPEG"),
    "telephone of an invoice": Scan("invoice", telephone, "JPEG"),
    "under a lamp": Scan("stamp", lamp, "JPEG"),
    "pencil": Scan("letter", pencil, "JPEG"),
    "dark screen": Scan("night", screen, "PNG"),
    "screen": Scan("price_list", screen, "PNG"),
    "scanned invoice": Scan("invoice", scanner, "JPEG"),
    "scanned highlighter": Scan("highlighter", scanner, "JPEG"),
    "scanned form": Scan("form", scanner, "JPEG"),
    "scanned card": Scan("card", scanner, "JPEG"),
    "scanned newsletter": Scan("newsletter", scanner, "JPEG"),
    "bad copy": Scan("letter", bad_copy, "PNG"),
    "faded receipt": Scan("zebra", faded, "JPEG"),
}
