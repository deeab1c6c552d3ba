"""Placing a page's content on the fax page: paper, pixels, rows, turning and scaling.

Nothing is ever cut off: what does not fit is scaled down.
"""

from __future__ import annotations

from dataclasses import dataclass

from appliance.documents.options import PageFormat
from appliance.t4.page import SCAN_LINE_PIXELS, PaperLength, PaperWidth, Resolution

MM_PER_INCH = 25.4

# Pixels per millimetre across: T.4 clause 2 gives 1728 pixels in 215 mm (and its multiples); the inch family
# of T.30 table 2 is exact.
PIXELS_PER_MM: dict[int, float] = {
    204: 1728 / 215,
    300: 300 / MM_PER_INCH,
    400: 400 / MM_PER_INCH,
    408: 3456 / 215,
}
# Rows per millimetre down, T.4 clause 2.
ROWS_PER_MM: dict[int, float] = {
    98: 3.85,
    196: 7.7,
    391: 15.4,
    300: 300 / MM_PER_INCH,
    400: 400 / MM_PER_INCH,
}

# Longest page, mm.  A4 and B4 are T.30's recording lengths.  "Unlimited" is a roll, or a machine that
# continues on the next sheet; the limit keeps a hostile page box from using a kilometre of paper, and A3 at
# 400 dpi below the largest page that t4 codes.
LONGEST_MM: dict[PaperLength, float] = {
    PaperLength.A4: 297.0,
    PaperLength.B4: 364.0,
    PaperLength.UNLIMITED: 800.0,
}

# A page at most this much wider than the scan line is scaled down to it: Letter's 215.9 mm on 215 mm, and
# scans that are a little too wide.
WIDTH_TOLERANCE = 1.03

# Shorter pages confuse paper feeds, so they are filled up with white, mm.
SHORTEST_MM = 50.0

# A page box larger than this is not a paper size (PDF's own largest box is 5080 mm).
LARGEST_SIDE_MM = 20_000.0


@dataclass(frozen=True, slots=True)
class PageSize:
    """A page of a document, in millimetres."""

    width: float
    height: float

    def __post_init__(self) -> None:
        if not (0 < self.width <= LARGEST_SIDE_MM and 0 < self.height <= LARGEST_SIDE_MM):
            raise ValueError(f"a page of {self.width} x {self.height} mm")


@dataclass(frozen=True, slots=True)
class Layout:
    """A fax page of ``width`` pixels and ``rows`` rows, with content in a box of it.

    The content fills the box of ``box_width`` by ``box_rows`` from (``left``, ``top``); when
    ``turned``, it is turned a quarter anticlockwise first.
    """

    resolution: Resolution
    paper: PaperWidth
    width: int
    rows: int
    left: int
    top: int
    box_width: int
    box_rows: int
    turned: bool


def line_mm(paper: PaperWidth, resolution: Resolution) -> float:
    """Length of a scan line, mm."""
    return SCAN_LINE_PIXELS[paper][resolution.x_dpi] / PIXELS_PER_MM[resolution.x_dpi]


def most_rows(form: PageFormat) -> int:
    """The most rows a page of this format can have."""
    return int(LONGEST_MM[form.length] * ROWS_PER_MM[form.resolution.y_dpi] + 0.5)


def lay_out(size: PageSize, form: PageFormat, strip_rows: int = 0) -> Layout:
    """Places a page of ``size`` on the smallest paper of ``form`` that holds it.

    With ``strip_rows``, so many rows at the top stay free and the content is scaled down to fit below, on a
    page as long as it would be without.
    """
    resolution = form.resolution
    across, down = PIXELS_PER_MM[resolution.x_dpi], ROWS_PER_MM[resolution.y_dpi]
    narrowest = line_mm(PaperWidth.A4, resolution) * WIDTH_TOLERANCE
    # A wide page is turned when it does not fit as it is; a small one stays upright.
    turned = size.width > size.height and size.width > narrowest
    width_mm, height_mm = (size.height, size.width) if turned else (size.width, size.height)
    paper = _paper(width_mm, form, resolution)
    pixels = SCAN_LINE_PIXELS[paper][resolution.x_dpi]
    longest = LONGEST_MM[form.length]
    scale = min(1.0, pixels / across / width_mm, longest / height_mm)
    rows = max(round(height_mm * scale * down), round(SHORTEST_MM * down))
    if strip_rows:
        scale = min(scale, (rows - strip_rows) / down / height_mm)
    box_width = max(1, min(pixels, round(width_mm * scale * across)))
    box_rows = max(1, min(rows - strip_rows, round(height_mm * scale * down)))
    return Layout(
        resolution, paper, pixels, rows, (pixels - box_width) // 2, strip_rows, box_width, box_rows, turned
    )


def _paper(width_mm: float, form: PageFormat, resolution: Resolution) -> PaperWidth:
    papers = list(PaperWidth)
    papers = papers[: papers.index(form.width) + 1]
    for paper in papers:
        if width_mm <= line_mm(paper, resolution) * WIDTH_TOLERANCE:
            return paper
    return papers[-1]
