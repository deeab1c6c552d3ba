"""Pages for calls over the exchange, and the far fax machines' TIFF files as pixels."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, ImageSequence

from appliance.t4.page import Raster, Resolution


def sample_page(seed: int, *, rows: int = 300, resolution: Resolution = Resolution.FINE) -> Raster:
    """A page of 1728 pixels a row: boxes, ruled lines, text-like speckle; another one for each seed."""
    rng = random.Random(seed)
    width, step = 1728, 216
    lines = []
    words = [sorted(rng.sample(range(80, 1640), 60)) for _ in range(12)]
    for row in range(rows):
        line = bytearray(step)
        if row % 40 < 2:
            line[8:-8] = b"\xff" * (step - 16)
        elif row % 12 < 8:
            for start in words[(row // 12) % 12]:
                if rng.random() < 0.8:
                    line[start // 8] |= 0x80 >> (start % 8)
                    line[start // 8 + 1] |= 0xC0
        lines.append(bytes(line))
    return Raster(width, rows, b"".join(lines), resolution)


@contextmanager
def open_directory() -> Iterator[Path]:
    """A directory that other users may enter, as pytest's own are not."""
    with tempfile.TemporaryDirectory(prefix="faxbox-") as name:
        path = Path(name)
        path.chmod(0o755)
        yield path


def tiff_rasters(path: Path) -> list[tuple[int, int, bytes]]:
    """Width, rows and pixels (1 is black) of each page, read by libtiff through Pillow."""
    pages = []
    with Image.open(path) as image:
        for frame in ImageSequence.Iterator(image):
            bilevel = frame.convert("1")
            pixels = bytes(b ^ 0xFF for b in bilevel.tobytes())
            width, rows = bilevel.size
            pages.append((width, rows, pixels))
    return pages


def write_tiff_g4(path: Path, pages: list[Raster]) -> None:
    """A TIFF that spandsp sends: G4, one strip, resolution in its metric figures."""
    images = []
    for page in pages:
        data = bytes(b ^ 0xFF for b in page.data)
        images.append(Image.frombytes("1", (page.width, page.rows), data))
    x, y = pages[0].resolution.x_dpi, pages[0].resolution.y_dpi
    images[0].save(
        path,
        save_all=True,
        append_images=images[1:],
        compression="group4",
        dpi=(x, y),
        tiffinfo={278: max(p.rows for p in pages)},
    )


def differing(a: Raster | tuple[int, int, bytes], b: Raster | tuple[int, int, bytes]) -> int:
    """Pixels that differ; a row or column that one lacks counts whole."""
    (aw, ar, ad), (bw, br, bd) = ((x.width, x.rows, x.data) if isinstance(x, Raster) else x for x in (a, b))
    if aw != bw:
        return max(aw * ar, bw * br)
    step = (aw + 7) // 8
    rows = min(ar, br)
    same = int.from_bytes(ad[: rows * step], "big") ^ int.from_bytes(bd[: rows * step], "big")
    return same.bit_count() + abs(ar - br) * aw
