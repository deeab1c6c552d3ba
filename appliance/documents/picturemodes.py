"""Every mode of picture that Pillow knows as grey or colours on white paper."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

from PIL import Image

from appliance.t4 import tiff_tags as tags

# Wide grey uses so many of its levels: 12 bits in 16 are usual for X-rays and microscopes.
_WIDE_TOPS = (1.0, 255.0, 1023.0, 4095.0, 16383.0, 65535.0)
_WHITE = 255
# Of a PNG: octets before its first piece, and around what each holds (length, name, checksum).
_SIGNATURE_OCTETS, _AROUND_OCTETS = 8, 12
# A bilevel TIFF without the tag that says which bit is black has more paper than ink.
_PAPER_SHARE = 0.5


def on_paper(image: Image.Image) -> Image.Image:
    """``image`` in mode 1, L or RGB, 0 black, what is transparent on white.  Raises what Pillow raises."""
    image.load()
    if image.mode == "1":
        return _right_way_round(image)
    if image.mode.startswith(("I", "F")):
        return _wide_grey(image)
    if image.mode == "LAB":
        return image.getchannel("L")  # lightness is what a fax shows of it
    if image.mode in {"LA", "PA", "RGBA", "La", "RGBa"} or "transparency" in image.info:
        layered = image.convert("RGBA")
        paper = Image.new("RGBA", layered.size, (255, 255, 255, 255))
        return Image.alpha_composite(paper, layered).convert("RGB")
    return image if image.mode in {"L", "RGB"} else image.convert("RGB")


def _right_way_round(image: Image.Image) -> Image.Image:
    says = image.format != "TIFF" or tags.PHOTOMETRIC in getattr(image, "tag_v2", {})
    if says:
        return image
    white = image.histogram()[255]
    return image if white >= _PAPER_SHARE * image.width * image.height else image.point(lambda bit: 255 - bit)


# Pixels of wide grey that are brought to 8 bits at a time: as numbers with a point each takes four octets.
_STRIP_PIXELS = 1 << 20


def _wide_grey(image: Image.Image) -> Image.Image:
    """16 or 32 bit grey: what is used of it as 8 bits."""
    high = max(_highest(strip) for _, strip in _strips(image))
    top = next((top for top in _WIDE_TOPS if high <= top), max(high, 1.0))
    white_is_zero = getattr(image, "tag_v2", {}).get(tags.PHOTOMETRIC) == tags.WHITE_IS_ZERO
    grey = Image.new("L", image.size)
    for upper, strip in _strips(image):
        tones = strip.point(lambda value: value * (255.0 / top) + 0).convert("L")
        grey.paste(tones.point(lambda value: 255 - value) if white_is_zero else tones, (0, upper))
    return grey


def _strips(image: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    """First rows and pieces of ``image`` in mode F."""
    step = max(1, _STRIP_PIXELS // image.width)
    for upper in range(0, image.height, step):
        yield upper, image.crop((0, upper, image.width, min(upper + step, image.height))).convert("F")


def _highest(strip: Image.Image) -> float:
    _, high = strip.getextrema()
    if not isinstance(high, float):
        raise ValueError("a picture without a range of grey")
    return high


def is_white_on_nothing(image: Image.Image, shown: Image.Image) -> bool:
    """Whether all of ``image`` that can be seen is as white as the paper under it, as in ``shown``."""
    if shown.mode not in {"L", "RGB"} or "A" not in image.getbands():
        return False
    seen = image.getchannel("A").getextrema()[1]
    return bool(seen) and all(low == high == _WHITE for low, high in _extremes(shown))


def _extremes(image: Image.Image) -> list[tuple[int, int]]:
    found: Any = image.getextrema()
    return [found] if image.mode == "L" else list(found)


def png_is_whole(content: bytes) -> bool:
    """Whether each piece of the pixels has its checksum (PNG 3, 5.3); a cut is found as it is decoded."""
    at = _SIGNATURE_OCTETS
    view = memoryview(content)
    while at + _AROUND_OCTETS <= len(content):
        length = int.from_bytes(view[at : at + 4], "big")
        end = at + 8 + length
        kind = bytes(view[at + 4 : at + 8])
        if kind == b"IDAT" and end + 4 <= len(content):
            if zlib.crc32(view[at + 4 : end]) != int.from_bytes(view[end : end + 4], "big"):
                return False
        elif kind == b"IEND":
            return True
        at = end + 4
    return True
