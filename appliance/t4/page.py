"""Data types of fax pages: codings, resolutions, widths, rasters and coded pages.

Pixels are packed eight to an octet, leftmost pixel in the most significant bit, each row padded to
whole octets; a set bit is black (TIFF's WhiteIsZero, the sense of T.4).  Coded data keeps the first
bit of the line in the most significant bit (TIFF FillOrder 1); octets are reversed before they are sent.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum


class Coding(Enum):
    """How a page is compressed (T.4 clause 4, T.6)."""

    MH = "MH"  # T.4 one-dimensional
    MR = "MR"  # T.4 two-dimensional
    MMR = "MMR"  # T.6


class Resolution(Enum):
    """Pixels per inch (across, down) of the Group 3 resolutions (T.30 table 2, bits 15, 41 to 43).

    The metric R8 family is written in the usual inch figures: 8 pel/mm = 203.2, 3.85 line/mm = 97.8.
    """

    STANDARD = (204, 98)
    FINE = (204, 196)
    SUPERFINE = (204, 391)
    R300 = (300, 300)
    R400 = (400, 400)
    R16_15 = (408, 391)  # R16 × 15.4 line/mm

    @property
    def x_dpi(self) -> int:
        """Pixels per inch across."""
        return self.value[0]

    @property
    def y_dpi(self) -> int:
        """Rows per inch."""
        return self.value[1]


class PaperWidth(Enum):
    """Recording widths (T.30 table 2, bits 17 and 18)."""

    A4 = "A4"  # 215 mm: also Letter and Legal
    B4 = "B4"  # 255 mm
    A3 = "A3"  # 303 mm


class PaperLength(Enum):
    """Recording lengths (T.30 table 2, bits 19 and 20)."""

    A4 = "A4"  # 297 mm
    B4 = "B4"  # 364 mm
    UNLIMITED = "unlimited"


# Pixels in a scan line, by recording width and pixels across an inch: T.4 clause 2 and its Annex A
# table, T.30 table 2 note 22.
SCAN_LINE_PIXELS: dict[PaperWidth, dict[int, int]] = {
    PaperWidth.A4: {204: 1728, 300: 2592, 400: 3456, 408: 3456},
    PaperWidth.B4: {204: 2048, 300: 3072, 400: 4096, 408: 4096},
    PaperWidth.A3: {204: 2432, 300: 3648, 400: 4864, 408: 4864},
}


@dataclass(frozen=True, slots=True)
class Raster:
    """A bilevel page of ``width`` × ``rows`` pixels; ``data`` has ``rows`` times ``row_octets`` octets.

    ValueError when they do not fit together.
    """

    width: int
    rows: int
    data: bytes = field(repr=False)
    resolution: Resolution = Resolution.FINE

    def __post_init__(self) -> None:
        if self.width <= 0 or self.rows < 0:
            raise ValueError(f"a raster of {self.width} x {self.rows} pixels")
        if len(self.data) != self.rows * self.row_octets:
            raise ValueError(f"{len(self.data)} octets for {self.width} x {self.rows} pixels")

    @property
    def row_octets(self) -> int:
        """Octets of one row."""
        return (self.width + 7) // 8


@dataclass(frozen=True, slots=True)
class CodedPage:
    """A coded page as it is sent, without fill: MH and MR with EOLs and RTC, MMR with EOFB.

    ``width`` is in pixels.
    """

    coding: Coding
    resolution: Resolution
    width: int
    rows: int
    data: bytes = field(repr=False)
