"""Large pictures, decoded in strips, look like pictures decoded as a whole."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from appliance.documents.drawing import Drawing
from appliance.documents.errors import DocumentError
from appliance.documents.geometry import lay_out
from appliance.documents.options import PageFormat
from appliance.documents.pictures import stripwise
from appliance.documents.pictures.stripwise import in_strips
from tests.documents.making import likeness, photograph, save
from tests.documents.opened import opened

GREY = photograph(301, 403)
COLOURS = Image.merge("RGB", [photograph(301, 403, seed) for seed in (1, 2, 3)])
LAYERED = Image.merge("RGBA", [photograph(301, 403, seed) for seed in (1, 2, 3, 4)])
WIDE = GREY.convert("I").point(lambda level: level * 16).convert("I;16")

PICTURES = {
    "PNG grey": save(GREY, "PNG"),
    "PNG colours": save(COLOURS, "PNG"),
    "PNG colours, one transparent": save(COLOURS, "PNG", transparency=(1, 2, 3)),
    "PNG transparent": save(LAYERED, "PNG"),
    "PNG grey, transparent": save(LAYERED.convert("LA"), "PNG"),
    **{
        f"TIFF {compression}": save(COLOURS, "TIFF", compression=compression, strip_size=20_000)
        for compression in ("raw", "tiff_lzw", "tiff_deflate", "packbits", "jpeg")
    },
    "TIFF one strip": save(COLOURS, "TIFF", compression="raw", strip_size=1 << 30),
    "TIFF wide grey": save(WIDE, "TIFF", compression="tiff_deflate", strip_size=20_000),
    "TIFF CMYK": save(COLOURS.convert("CMYK"), "TIFF", compression="tiff_lzw", strip_size=20_000),
    "TIFF transparent": save(LAYERED, "TIFF", compression="tiff_lzw", strip_size=20_000),
}


def drawn(folder: Path, content: bytes) -> Image.Image:
    drawer = opened(folder, content).drawer
    page = drawer.draw(0, lay_out(drawer.size(0), PageFormat()))
    assert isinstance(page, Drawing)
    pixels = page.draw(0, page.rows)
    assert pixels.channels == 4
    return Image.frombytes("RGB", (page.width, page.rows), bytes(pixels.page), "raw", "BGRX", pixels.stride)


@pytest.mark.parametrize("content", PICTURES.values(), ids=PICTURES)
def test_a_picture_in_strips_is_the_picture(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    with Image.open(io.BytesIO(content)) as image:
        whole = image.copy()
    monkeypatch.setattr(stripwise, "LARGE_OCTETS", 100_000)
    monkeypatch.setattr(stripwise, "STRIP_PIXELS", 5_000)
    with Image.open(io.BytesIO(content)) as image:
        strips = in_strips(image, lambda: io.BytesIO(content))
        assert strips is not None
        assert (strips.mode, strips.size) == (whole.mode, whole.size)
        for step in (403, 100, 7):  # again from the top
            for upper in range(0, 403, step):
                box = (0, upper, 301, min(upper + step, 403))
                assert strips.crop(box).tobytes() == whole.crop(box).tobytes()


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize("format_", ["PNG", "TIFF"])
def test_a_picture_in_strips_stands_upright(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format_: str, orientation: int
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = save(COLOURS, format_, exif=exif)
    whole = drawn(tmp_path, content)
    monkeypatch.setattr(stripwise, "LARGE_OCTETS", 100_000)
    assert likeness(whole, drawn(tmp_path, content)) > 0.999


@pytest.mark.parametrize("format_", ["PNG", "TIFF"])
def test_a_large_picture_that_was_cut_off_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format_: str
) -> None:
    monkeypatch.setattr(stripwise, "LARGE_OCTETS", 100_000)
    content = save(COLOURS, format_)
    with pytest.raises(DocumentError):
        drawn(tmp_path, content[: len(content) // 2])
