"""Converts Pillow's picture modes to grey or colour on white paper."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from PIL import Image

from appliance.documents.first_octets import JPEG, PNG
from appliance.documents.pictures.jpeg import is_whole
from appliance.t4 import tiff_tags as tags

# The highest level of grey with more than 8 bits: 12 bits in 16 are usual for X-rays and microscopes.
_WIDE_TOPS = (1.0, 255.0, 1023.0, 4095.0, 16383.0, 65535.0)
_WHITE = 255
# Of the four octets of a number in memory, the place of the highest.
_HIGHEST_OCTET = 3 if sys.byteorder == "little" else 0
# Of a PNG, octets: the signature, and length, name and checksum of each chunk.
_SIGNATURE_OCTETS, _AROUND_OCTETS = 8, 12
# In a bilevel TIFF without the tag that says which bit is black, the more frequent one is paper.
_PAPER_SHARE = 0.5
# Pixels of a picture that are worked on at a time: as floating point each takes four octets.
STRIP_PIXELS = 1 << 20
_LAYERED = {"LA", "PA", "RGBA", "La", "RGBa"}


class Decoded(Protocol):
    """The pixels of a picture: Pillow's, or another decoder's in Pillow's modes."""

    @property
    def mode(self) -> str:
        """Pillow's mode."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, pixels."""

    def crop(self, box: tuple[int, int, int, int], /) -> Image.Image:
        """The part between left, upper, and the first pixels outside."""
        ...


Shown = Callable[[Image.Image], Image.Image]


def paper_of(picture: Decoded) -> Shown | None:
    """The function that converts parts of ``picture`` to mode 1, L or RGB: 0 black, transparent parts white.

    None when no conversion is needed.  Raises what Pillow raises.
    """
    mode = picture.mode
    if mode == "1":
        return _negative if _is_negative(picture) else None
    if mode.startswith(("I", "F")):
        return _wide_grey(picture)
    if mode == "LAB":
        return _lightness
    if mode in _LAYERED or "transparency" in getattr(picture, "info", {}):
        return _on_white
    return None if mode in {"L", "RGB"} else _colours


def _negative(part: Image.Image) -> Image.Image:
    return part.point(lambda bit: 255 - bit)


def _lightness(part: Image.Image) -> Image.Image:
    return part.getchannel("L")  # a fax shows lightness only


def _on_white(part: Image.Image) -> Image.Image:
    # Pillow converts grey that is multiplied by its opacity (La) only to plain grey with opacity.
    layered = (part.convert("LA") if part.mode == "La" else part).convert("RGBA")
    paper = Image.new("RGBA", layered.size, (255, 255, 255, 255))
    return Image.alpha_composite(paper, layered).convert("RGB")


def _colours(part: Image.Image) -> Image.Image:
    return part.convert("RGB")


def _is_negative(picture: Decoded) -> bool:
    """Whether black and white are exchanged in a bilevel picture that does not say which is which."""
    if not isinstance(picture, Image.Image) or picture.format != "TIFF":
        return False
    if tags.PHOTOMETRIC in getattr(picture, "tag_v2", {}):
        return False
    return picture.histogram()[255] < _PAPER_SHARE * picture.width * picture.height


def _wide_grey(picture: Decoded) -> Shown:
    """The function that converts 16 or 32 bit grey to 8 bits, scaled by the range in use."""
    ranges = [_range(part.convert("F")) for part in _parts(picture)]
    high = max(high for _, high in ranges)
    top = next((top for top in _WIDE_TOPS if high <= top), max(high, 1.0))
    directory = getattr(picture, "tag_v2", {})
    white_is_zero = directory.get(tags.PHOTOMETRIC) == tags.WHITE_IS_ZERO
    # Pillow reads 32 bits as a number with a sign, whatever the TIFF says.
    no_sign = directory.get(tags.SAMPLE_FORMAT, (tags.UNSIGNED,))[0] == tags.UNSIGNED
    wraps = picture.mode == "I" and no_sign and min(low for low, _ in ranges) < 0

    def shown(part: Image.Image) -> Image.Image:
        if wraps:
            tones = Image.frombytes("L", part.size, part.tobytes()[_HIGHEST_OCTET::4])
        else:
            tones = part.convert("F").point(lambda value: value * (255.0 / top) + 0).convert("L")
        return tones.point(lambda value: 255 - value) if white_is_zero else tones

    return shown


def _parts(picture: Decoded) -> Iterator[Image.Image]:
    """``picture`` in horizontal strips of about STRIP_PIXELS."""
    width, height = picture.size
    step = max(1, STRIP_PIXELS // width)
    for upper in range(0, height, step):
        yield picture.crop((0, upper, width, min(upper + step, height)))


def _range(strip: Image.Image) -> tuple[float, float]:
    low, high = strip.getextrema()
    if not isinstance(low, float) or not isinstance(high, float):
        raise ValueError("a picture without a range of grey")
    return low, high


def is_white_on_nothing(picture: Decoded) -> bool:
    """Whether everything visible in ``picture`` is as white as the paper under it."""
    if not picture.mode.endswith("A") and "transparency" not in getattr(picture, "info", {}):
        return False
    seen, lowest, highest = False, _WHITE, 0
    for part in _parts(picture):
        seen = seen or bool(part.convert("RGBA").getchannel("A").getextrema()[1])
        if not all(low == high == _WHITE for low, high in _extremes(_on_white(part))):
            return False
        under = _extremes(part.convert("RGBA").convert("RGB").convert("L"))[0]
        lowest, highest = min(lowest, under[0]), max(highest, under[1])
    return seen or lowest < highest  # or it has content that is entirely transparent


def _extremes(image: Image.Image) -> list[tuple[int, int]]:
    found: Any = image.getextrema()
    return [found] if image.mode == "L" else list(found)


def png_is_whole(content: bytes) -> bool:
    """Whether each chunk is there to its end, and those of pixels have their checksum (PNG 3, 5.3)."""
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
    return at <= len(content)


def is_damaged(picture: bytes) -> bool:
    """Whether a JPEG or PNG is truncated or has damaged pixels.  It is drawn as far as it can be read."""
    if picture.startswith(JPEG):
        return not is_whole(picture)
    return picture.startswith(PNG) and not (b"IEND" in picture and png_is_whole(picture))
