"""Documents made for the tests, and ways to look at fax pages."""

from __future__ import annotations

import functools
import io
import math
import random
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from appliance.t4.coding import decode
from appliance.t4.page import CodedPage, Raster

A4 = (595.28, 841.89)
LETTER = (612.0, 792.0)
LEGAL = (612.0, 1008.0)
A3 = (841.89, 1190.55)
B4 = (728.5, 1031.81)


def pdf(pages: Sequence[tuple[float, float, str]], *, extra: bytes = b"", kids: str | None = None) -> bytes:
    """A PDF with these pages (width and height in points, content stream) and Helvetica as /F."""
    objects: list[bytes] = []
    count = len(pages)
    names = " ".join(f"{4 + 2 * i} 0 R" for i in range(count)) if kids is None else kids
    objects.append(b"<</Type/Catalog/Pages 2 0 R>>")
    objects.append(f"<</Type/Pages/Count {count}/Kids[{names}]>>".encode())
    objects.append(b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>")
    for index, (width, height, content) in enumerate(pages):
        objects.append(
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {width} {height}]/Contents {5 + 2 * index} 0 R"
            f"/Resources<</Font<</F 3 0 R>>>>>>".encode()
        )
        body = content.encode("latin-1")
        objects.append(b"<</Length %d>>stream\n%s\nendstream" % (len(body), body))
    out = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    out += extra
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    for offset in offsets:
        out += b"%010d 00000 n \n" % offset
    out += b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)


def words(width: float, height: float, size: float = 11) -> str:
    """A content stream full of text."""
    lines = [
        f"(Line {number}: the quick brown fox jumps over the lazy dog 0123456789) Tj T*"
        for number in range(int((height - 110) / size / 1.3))
    ]
    return "\n".join([f"BT /F {size} Tf {size * 1.3} TL 50 {height - 60} Td", *lines, "ET"])


def edge_marks(width: float, height: float, inset: float = 1.0, side: float = 8.0) -> str:
    """Black squares ``side`` points wide, ``inset`` points from the middle of each edge."""
    squares = [
        (inset, height / 2),
        (width - inset - side, height / 2),
        (width / 2, inset),
        (width / 2, height - inset - side),
    ]
    return "\n".join(f"{x:.2f} {y:.2f} {side} {side} re f" for x, y in squares)


def photograph(width: int, height: int, seed: int = 1) -> Image.Image:
    """An imitation of a photograph: soft shapes of all tones with a little grain."""
    return _photograph(width, height, seed).copy()


@functools.lru_cache(maxsize=8)  # octets are few, the time for them is not
def _photograph(width: int, height: int, seed: int) -> Image.Image:
    rng = random.Random(seed)
    waves = [
        (rng.uniform(0.5, 6), rng.uniform(0.5, 6), rng.uniform(0, 6.3), rng.uniform(10, 40)) for _ in range(9)
    ]
    columns, rows = width // 8 + 1, height // 8 + 1
    small = Image.new("L", (columns, rows))
    levels = []
    for y in range(rows):
        lines = [(6.3 * fx / columns, 6.3 * fy * y / rows + p, a) for fx, fy, p, a in waves]
        for x in range(columns):
            tone = 128 + sum([a * math.sin(f * x + p) for f, p, a in lines]) + rng.gauss(0, 4)
            levels.append(max(0, min(255, round(tone))))
    small.putdata(levels)
    return small.resize((width, height), Image.Resampling.BICUBIC)


def save(image: Image.Image, format_: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, format_, **options)
    return out.getvalue()


def write(directory: Path, name: str, content: bytes) -> Path:
    path = directory / name
    path.write_bytes(content)
    return path


def picture(page: CodedPage | Raster) -> Image.Image:
    """A fax page as an image: mode L, 0 is black."""
    raster = page if isinstance(page, Raster) else decode(page)
    image = Image.frombytes("1", (raster.width, raster.rows), raster.data)
    return ImageChops.invert(image.convert("L"))


def ink(image: Image.Image) -> tuple[int, int, int, int]:
    """The box (left, top, right, bottom) around everything that is not white."""
    box = ImageChops.invert(image).getbbox()
    assert box is not None, "a white page"
    return box


def likeness(one: Image.Image, other: Image.Image, block: int = 16) -> float:
    """Correlation of the local blackness of two pages, 1 for alike."""
    size = (max(1, one.width // block), max(1, one.height // block))
    a, b = (image.convert("L").resize(size, Image.Resampling.BOX).tobytes() for image in (one, other))
    mean_a, mean_b = sum(a) / len(a), sum(b) / len(b)
    cross = sum((x - mean_a) * (y - mean_b) for x, y in zip(a, b, strict=True))
    spread_a, spread_b = sum((x - mean_a) ** 2 for x in a), sum((y - mean_b) ** 2 for y in b)
    return float(cross / math.sqrt(spread_a * spread_b)) if spread_a and spread_b else float(a == b)


def need(tool: str) -> str:
    """The path of an independent program; the test is skipped where it is not installed."""
    found = shutil.which(tool)
    if found is None:
        pytest.skip(f"{tool} is not installed")
    return found


def run(*arguments: object) -> bytes:
    return subprocess.run([str(a) for a in arguments], check=True, capture_output=True, timeout=120).stdout
