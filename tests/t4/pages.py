"""Pages to code: made from a seed, drawn by hypothesis, and the classic charts when a folder is given."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from hypothesis import strategies as st
from PIL import Image

from appliance.t4.page import Raster, Resolution

SWEEP = os.environ.get("FAXBOX_SWEEP") == "1"


def paint(changes: list[int], width: int) -> bytes:
    """A row from its changing elements, pixel by pixel: slow and plain."""
    places = set(changes)
    black = False
    bits = []
    for position in range(width):
        black ^= position in places
        bits.append("1" if black else "0")
    text = "".join(bits).ljust((width + 7) // 8 * 8, "0")
    return bytes(int(text[at : at + 8], 2) for at in range(0, len(text), 8))


def changes_of(row: bytes, width: int) -> list[int]:
    """Changing elements of a row, pixel by pixel."""
    changes = []
    last = 0
    for position in range(width):
        pixel = row[position >> 3] >> (7 - (position & 7)) & 1
        if pixel != last:
            changes.append(position)
        last = pixel
    return changes


def text_like(
    seed: int, width: int = 1728, rows: int = 200, resolution: Resolution = Resolution.FINE
) -> Raster:
    """Lines of something like letters, with a rule, a grey patch and blank rows between."""
    rng = random.Random(seed)
    data = bytearray()
    strokes: list[int] = []
    for row in range(rows):
        phase = row % 40
        if phase < 12:
            strokes = []
        elif phase in (12, 20, 28):
            strokes = sorted(rng.sample(range(width), min(width, rng.randrange(10, 80))))
        elif phase == 38:
            strokes = [width // 20, width - width // 20]
        else:
            strokes = sorted({min(max(at + rng.choice((-1, 0, 0, 0, 1)), 0), width - 1) for at in strokes})
        painted = bytearray(paint(strokes, width))
        if row % 160 > 140:
            for octet in range(len(painted) // 3, len(painted) // 2):
                painted[octet] = 0x88 >> (row % 4)
        data += painted
    return Raster(width, rows, bytes(data), resolution)


@st.composite
def rasters(draw: st.DrawFn, max_rows: int = 12) -> Raster:
    """Any page, rows often like the row above as on paper."""
    width = draw(st.one_of(st.integers(1, 130), st.sampled_from([1728, 2048, 2432, 2592, 3456, 4864, 5300])))
    edges = st.lists(st.integers(0, width - 1), max_size=24, unique=True).map(sorted)
    changes: list[int] = []
    data = b""
    count = draw(st.integers(1, max_rows))
    for _ in range(count):
        kind = draw(st.sampled_from(["new", "same", "moved", "white", "black", "stripes"]))
        if kind == "new":
            changes = draw(edges)
        elif kind == "moved":
            steps = draw(st.lists(st.integers(-4, 4), min_size=len(changes), max_size=len(changes)))
            changes = sorted({min(max(a + b, 0), width - 1) for a, b in zip(changes, steps, strict=True)})
        elif kind == "white":
            changes = []
        elif kind == "black":
            changes = [0]
        elif kind == "stripes":
            changes = list(range(draw(st.integers(0, 1)), min(width, 64)))
        data += paint(changes, width)
    return Raster(width, count, data, draw(st.sampled_from(list(Resolution))))


def charts() -> list[Path]:
    """The charts in the folder that FAXBOX_CHARTS names; the test is skipped when there are none."""
    folder = os.environ.get("FAXBOX_CHARTS", "")
    found = sorted(Path(folder).glob("*.tif")) if folder else []
    if not found:
        pytest.skip("FAXBOX_CHARTS names no folder of test charts")
    return found


def chart_raster(path: Path) -> Raster:
    """A chart through Pillow, independently of our own TIFF reader."""
    with Image.open(path) as image:
        white_is_set = image.convert("1").tobytes()
        return Raster(image.width, image.height, bytes(255 - octet for octet in white_is_set))
