"""Finds the page on a photograph, crops and straightens it.

A camera is seldom right above a sheet: the page is askew, with a table around it. (Shadows are removed when
pages become black and white.) Anything that is not certainly such a photograph is left unchanged: a scan,
whose page fills the picture; a screenshot, which no camera made; a picture with no page, or more than one.

Runs inside the worker process only.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from PIL import Image, ImageDraw, ImageFilter, ImageStat

from appliance.documents.options import Paper

Point = tuple[float, float]
Corners = tuple[Point, Point, Point, Point]  # from the upper left on, clockwise
Size = tuple[int, int]

LOOK_SIDE = 800  # pixels of the reduced picture in which the page is searched
_LEAST_PART = 0.15  # of the picture: a smaller area is not a page that somebody meant to photograph
# A page that fills more of the picture leaves no table around it: a scan, or a page photographed alone.
_MOST_PART = 0.97
# Share of the area between its four corners that a page fills: letters and shadows are holes.
_LEAST_FILLED, _MOST_FILLED = 0.75, 1.05
_MOST_COSINE = 0.5  # of a corner: 60 to 120 degrees
# By how many of 255 levels paper is brighter than the table.
_LEAST_APART = 40.0
# Other bright areas beside the page, in parts of it: a second sheet, letters in a dark band of the page.
_MOST_BESIDE = 0.003
# The table along the sides, of 255 levels: how far the medians of two sides may differ, and of a strip from
# its side's (a shadow does both).  Its grain is about the same all around; else it may belong to the page.
_MOST_UNLIKE, _MOST_UNEVEN = 60.0, 22.0
_MOST_GRAIN, _GRAIN_FREE = 2.0, 3.0  # times that of the smoothest side, and levels that are ignored
_BESIDE = 0.12  # width of the examined border, in parts of the page
_LEAST_STRIP = 50  # pixels: fewer say nothing about the table
# Cut off all around so that the table's edge does not show, in parts of the page.
_TRIMMED = 0.006
# Perspective changes a page's proportions: one of about this shape (short by long) gets the paper's.
_ABOUT_PAPER = (0.6, 0.9)
MOST_SIDE = 3508  # pixels of the result: A4 at 300 dpi

# EXIF tags that only a camera's program writes (CIPA DC-008): exposure time, f-number, focal length.
_EXIF_IFD = 0x8769
_CAMERA_TAGS = (0x829A, 0x829D, 0x920A)


def is_taken(exif: Image.Exif) -> bool:
    """Whether a camera made the picture with these EXIF data.  Raises anything when they are damaged."""
    taken = exif.get_ifd(_EXIF_IFD)
    return any(tag in taken for tag in _CAMERA_TAGS)


def find_page(picture: Image.Image) -> Corners | None:
    """The corners of the page on ``picture``, as shares of its sides; None unless it is certainly a page."""
    grey = picture.convert("L")
    grey.thumbnail((LOOK_SIDE, LOOK_SIDE), Image.Resampling.BOX, reducing_gap=2.0)
    grey = grey.filter(ImageFilter.MedianFilter(3))
    # First within the darker half: the bright half of a page partly in shadow is not the whole page.
    histogram = grey.histogram()
    between = _threshold(histogram)
    for limit, apart in (_threshold(histogram[: between[0] + 1]), between):
        corners = _page_above(grey, limit) if apart >= _LEAST_APART else None
        if corners is not None:
            a, b, c, d = (((x + 0.5) / grey.width, (y + 0.5) / grey.height) for x, y in corners)
            return a, b, c, d
    return None


def _page_above(grey: Image.Image, limit: int) -> Corners | None:
    """The corners of the one page that is brighter than ``limit``, in pixels; None when there is none."""
    area = grey.width * grey.height
    page, *others = _bright_parts(grey, limit)
    corners = page.corners()
    whole = _area(corners)
    if not _LEAST_PART * area <= page.pixels or max(page.pixels, whole) > _MOST_PART * area:
        return None
    if not _LEAST_FILLED * whole <= page.pixels <= _MOST_FILLED * whole or not _is_page_like(corners):
        return None
    if sum(part.pixels for part in others if not _within(part, corners)) > _MOST_BESIDE * whole:
        return None
    return corners if _is_on_one_ground(grey, corners) else None


def flat_size(picture: Size, corners: Corners, paper: Paper) -> Size:
    """The size in pixels, across and down, of the page between ``corners`` of a picture of that size."""
    a, b, c, d = _in_pixels(corners, picture)
    across = max(math.dist(a, b), math.dist(d, c))
    down = max(math.dist(a, d), math.dist(b, c))
    if _ABOUT_PAPER[0] < min(across, down) / max(across, down) < _ABOUT_PAPER[1]:
        shape = paper.value[0] / paper.value[1]
        if across < down:
            down = across / shape
        else:
            across = down / shape
    scale = min(1.0, MOST_SIDE / max(across, down))
    return max(1, round(across * scale)), max(1, round(down * scale))


def flat_page(picture: Image.Image, corners: Corners, size: Size) -> Image.Image:
    """The page between ``corners`` of ``picture`` (mode L), straightened, of that size."""
    numbers = _perspective(_in_pixels(corners, picture.size), size)
    return picture.transform(size, Image.Transform.PERSPECTIVE, numbers, Image.Resampling.BICUBIC)


# -- where the page is -----------------------------------------------------------------------------


@dataclass(slots=True)
class _Part:
    """Connected bright pixels.  ``outer``: the outermost pixel in each diagonal, by corner."""

    pixels: int = 0
    outer: list[tuple[float, Point]] = field(default_factory=lambda: [(-math.inf, (0.0, 0.0))] * 4)

    def take(self, row: int, left: int, right: int) -> None:
        """Adds pixels ``left`` to ``right`` (exclusive) of a row."""
        self.pixels += right - left
        for number, (across, down) in enumerate(((-1, -1), (1, -1), (1, 1), (-1, 1))):
            x = left if across < 0 else right - 1
            self._reach(number, across * x + down * row, (float(x), float(row)))

    def join(self, other: _Part) -> None:
        self.pixels += other.pixels
        for number, (far, point) in enumerate(other.outer):
            self._reach(number, far, point)

    def _reach(self, number: int, far: float, point: Point) -> None:
        if far > self.outer[number][0]:
            self.outer[number] = (far, point)

    def corners(self) -> Corners:
        """The corners, each outermost in its own diagonal if the page is not too far askew."""
        a, b, c, d = (point for _, point in self.outer)
        return a, b, c, d


def _threshold(histogram: Sequence[int]) -> tuple[int, float]:
    """The grey between paper and table, and the distance of their means (Otsu)."""
    count, total = sum(histogram), float(sum(value * each for value, each in enumerate(histogram)))
    best, found, apart = 0.0, 128, 0.0
    below, below_sum = 0, 0.0
    for value, each in enumerate(histogram):
        below += each
        below_sum += value * each
        above = count - below
        if not below or not above:
            continue
        distance = (total - below_sum) / above - below_sum / below
        between = below * above * distance**2
        if between > best:
            best, found, apart = between, value, distance
    return found, apart


def _runs(row: bytes) -> Iterator[tuple[int, int]]:
    """Where runs of bright pixels (255) begin and end in a row of others (0)."""
    end = 0
    while (start := row.find(b"\xff", end)) >= 0:
        end = row.find(b"\0", start)
        if end < 0:
            end = len(row)
        yield start, end


def _bright_parts(grey: Image.Image, limit: int) -> list[_Part]:
    """The connected parts that are brighter than ``limit``, largest first."""
    bright = grey.point(lambda value: 255 if value > limit else 0).tobytes()
    parts: list[_Part] = []
    owner: list[int] = []  # of each label: the label it was joined to, or itself

    def root(label: int) -> int:
        while owner[label] != label:
            owner[label] = owner[owner[label]]
            label = owner[label]
        return label

    above: list[tuple[int, int, int]] = []
    for row in range(grey.height):
        here: list[tuple[int, int, int]] = []
        for left, right in _runs(bright[row * grey.width : (row + 1) * grey.width]):
            touched = {root(label) for start, end, label in above if start < right and left < end}
            if touched:
                label = min(touched)
                for other in touched - {label}:
                    owner[other] = label
                    parts[label].join(parts[other])
            else:
                label = len(parts)
                parts.append(_Part())
                owner.append(label)
            parts[label].take(row, left, right)
            here.append((left, right, label))
        above = here
    whole = [part for label, part in enumerate(parts) if owner[label] == label]
    return sorted(whole, key=lambda part: -part.pixels)


def _in_pixels(corners: Corners, size: Size) -> Corners:
    a, b, c, d = ((x * size[0], y * size[1]) for x, y in corners)
    return a, b, c, d


def _area(corners: Corners) -> float:
    following = (*corners[1:], corners[0])
    doubled = sum(x * v - u * y for (x, y), (u, v) in zip(corners, following, strict=True))
    return max(1.0, abs(doubled) / 2)


def _is_page_like(corners: Corners) -> bool:
    """Whether every corner is about a right angle, within what perspective allows."""
    for number, (x, y) in enumerate(corners):
        (px, py), (nx, ny) = corners[number - 1], corners[(number + 1) % 4]
        sides = math.hypot(px - x, py - y) * math.hypot(nx - x, ny - y)
        if not sides or abs(((px - x) * (nx - x) + (py - y) * (ny - y)) / sides) > _MOST_COSINE:
            return False
    return True


def _within(part: _Part, corners: Corners) -> bool:
    """Whether a part lies inside the page: an island between its letters or pictures."""
    return all(_inside(point, corners) for _, point in part.outer)


def _inside(point: Point, corners: Corners) -> bool:
    x, y = point
    following = (*corners[1:], corners[0])
    return all(
        (u - a) * (y - b) - (v - b) * (x - a) >= 0 for (a, b), (u, v) in zip(corners, following, strict=True)
    )


def _is_on_one_ground(grey: Image.Image, corners: Corners) -> bool:
    """Whether the same background is beside every side: not a dark band of the page along one of them."""
    middle = (sum(x for x, _ in corners) / 4, sum(y for _, y in corners) / 4)

    def farther(point: Point) -> Point:
        grown = 1 + 2 * _BESIDE
        return middle[0] + grown * (point[0] - middle[0]), middle[1] + grown * (point[1] - middle[1])

    edges = grey.filter(ImageFilter.FIND_EDGES)
    middles, grains = [], []
    for number, corner in enumerate(corners):
        following = corners[(number + 1) % 4]
        mask = Image.new("1", grey.size, 0)
        draw = ImageDraw.Draw(mask)
        draw.polygon([corner, following, farther(following), farther(corner)], fill=1)
        draw.line([corner, following], fill=0, width=9)  # the edge itself belongs to both
        strip = ImageStat.Stat(grey, mask)
        if strip.count[0] < _LEAST_STRIP:
            continue  # it reaches the picture's edge
        if strip.stddev[0] > _MOST_UNEVEN:
            return False
        middles.append(strip.median[0])
        grains.append(ImageStat.Stat(edges, mask).mean[0])
    return (
        bool(middles)
        and max(middles) - min(middles) <= _MOST_UNLIKE
        and max(grains) <= _MOST_GRAIN * min(grains) + _GRAIN_FREE
    )


# -- drawing it straight ---------------------------------------------------------------------------


def _perspective(corners: Corners, size: Size) -> tuple[float, ...]:
    """Pillow's eight coefficients: where in the picture each pixel of a page of ``size`` comes from.

    The mapping from the square to the four corners is solved in closed form (Heckbert 1989); a margin is cut.
    """
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = corners
    dx1, dx2, dx3 = x1 - x2, x3 - x2, x0 - x1 + x2 - x3
    dy1, dy2, dy3 = y1 - y2, y3 - y2, y0 - y1 + y2 - y3
    under = dx1 * dy2 - dx2 * dy1
    g = (dx3 * dy2 - dx2 * dy3) / under
    h = (dx1 * dy3 - dx3 * dy1) / under
    a, b = x1 - x0 + g * x1, x3 - x0 + h * x3
    d, e = y1 - y0 + g * y1, y3 - y0 + h * y3
    # u = start + x * step for x from 0 to the width, the same down.
    start, kept = _TRIMMED, 1 - 2 * _TRIMMED
    across, down = kept / size[0], kept / size[1]
    whole = 1 + (g + h) * start
    return (
        a * across / whole,
        b * down / whole,
        (x0 + (a + b) * start) / whole,
        d * across / whole,
        e * down / whole,
        (y0 + (d + e) * start) / whole,
        g * across / whole,
        h * down / whole,
    )
