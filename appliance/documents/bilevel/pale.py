"""Scans whose ink is pale everywhere (carbon copies, faded thermal paper): their contrast is stretched.

A page with anything dark on it, however little, is not changed, nor is a nearly empty one.
"""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

from appliance.documents.bilevel import _bilevel
from appliance.documents.drawing import Pixels

# Levels of grey: the darkest that paper may be, and the least and most that pale ink differs from it. Less is
# the other side shining through; more is readable as it is.
_PAPER = 150
_LEAST, _MOST = 22, 60
# How much darker than the paper the darkest ink becomes.
_DEPTH = 80
# Shares of the page: the darkest part that counts as the ink, and the least that is paper.
_INK_SHARE, _PAPER_SHARE = 0.002, 0.7
# The dark ink of a quarter of the page, from a third of its height on, shows that most are not pale.
_GLANCE_BELOW, _GLANCE_ROWS = 3, 4
# Levels around the most frequent one that are paper as well.
_PAPER_SPREAD = 8
_LEVELS = 256


def strengthened(image: Image.Image) -> Image.Image:
    """``image`` (mode L or RGB) with stronger contrast if its ink is pale, else ``image`` itself."""
    found = [_levels(image.getchannel(band).histogram()) for band in image.getbands()]
    depths = [paper - ink for paper, ink in found]
    if any(paper < _PAPER or depth >= _MOST for (paper, _), depth in zip(found, depths, strict=True)):
        return image
    if max(depths) < _LEAST:
        return image
    gain = _DEPTH / max(depths)
    table = [_stretched(level, paper, gain) for paper, _ in found for level in range(_LEVELS)]
    return image.point(table)


def strengthened_scan(size: tuple[int, int], grey: Pixels, coloured: Pixels | None) -> Image.Image | None:
    """A scanned page of a PDF with stronger ink; None when it is not pale.  ``grey`` has one channel."""
    width, rows = size
    part = memoryview(grey.page)[rows // _GLANCE_BELOW * grey.stride :]
    dark = _bilevel.levels(part, grey.stride, width, max(1, rows // _GLANCE_ROWS))[: _PAPER - _MOST]
    if sum(dark) > _INK_SHARE * width * rows:
        return None
    paper, ink = _levels(_bilevel.levels(grey.page, grey.stride, *size))
    if not _LEAST // 2 <= paper - ink < _MOST:
        return None  # like most; saves examining their colours
    if coloured is None:
        luma = Image.frombytes("L", size, bytes(grey.page), "raw", "L", grey.stride, 1)
    else:
        luma = Image.frombytes("RGB", size, bytes(coloured.page), "raw", "BGRX", coloured.stride, 1)
    made = strengthened(luma)
    return None if made is luma else made


def _levels(histogram: Sequence[int]) -> tuple[int, int]:
    """The levels of the paper and of the darkest ink; both 0 when too little of the picture is paper."""
    pixels = sum(histogram)
    paper = max(range(_LEVELS), key=histogram.__getitem__)
    around = histogram[max(0, paper - _PAPER_SPREAD) : paper + _PAPER_SPREAD + 1]
    if sum(around) < _PAPER_SHARE * pixels:
        return 0, 0
    seen = 0
    for level, count in enumerate(histogram):
        seen += count
        if seen > _INK_SHARE * pixels:
            return paper, level
    return paper, paper


def _stretched(level: int, paper: int, gain: float) -> int:
    return max(0, min(_LEVELS - 1, round(paper - (paper - level) * gain)))
