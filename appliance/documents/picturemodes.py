"""Every mode of picture that Pillow knows as grey or colours on white paper."""

from __future__ import annotations

from collections.abc import Iterator

from PIL import Image

from appliance.t4 import tiff_tags as tags

# Wide grey uses so many of its levels: 12 bits in 16 are usual for X-rays and microscopes.
_WIDE_TOPS = (1.0, 255.0, 1023.0, 4095.0, 16383.0, 65535.0)
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
