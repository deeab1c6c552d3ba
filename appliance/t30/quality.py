"""The quality of a page received without ECM decides on MCF, RTP or RTN."""

from __future__ import annotations

from enum import Enum
from typing import Protocol

from appliance.t4.page import Resolution


class Rows(Protocol):
    """What the tolerant decoder found out about a page."""

    @property
    def rows(self) -> int:
        """Rows of the page, bad ones included."""

    @property
    def bad_rows(self) -> int:
        """Rows that were not decoded."""

    @property
    def longest_bad_run(self) -> int:
        """Most bad rows in succession."""

    @property
    def ended_with_rtc(self) -> bool:
        """Whether the page ended with RTC."""

    @property
    def ends_with_row(self) -> bool:
        """Whether nothing follows the last complete row."""


class Verdict(Enum):
    """The quality of a page, and the response that belongs to it."""

    GOOD = "good"  # MCF
    POOR = "poor"  # RTP: the page is kept, train again
    BAD = "bad"  # RTN: the page is to be sent again


# T.30 leaves the limits to the manufacturer; TSB-85 expects 4.9 % to be accepted and 15.1 % to be refused.
POOR_SHARE = 0.05  # share of bad rows; more than this is RTP
BAD_SHARE = 0.10  # more than this is RTN
# With ECM the frames of a page are right whatever its rows are, and no RTN can ask for it again.  With more
# bad rows than this share the page is not confirmed: its sender must know that it cannot be read.
UNREADABLE_SHARE = 0.5
# Height of a gap that loses a line of text, whatever its share of the page, inches.
BAD_RUN_INCH = 0.25


def judge(rows: Rows, resolution: Resolution, *, complete: bool = False) -> Verdict:
    """The verdict on a page.

    A page without RTC is cut short and BAD, however good its rows are, unless every octet that was sent has
    arrived (``complete``) and the last one ended a row: then its sender does not send RTC.
    """
    ended = rows.ended_with_rtc or (complete and rows.ends_with_row)
    if not ended or rows.rows == 0:
        return Verdict.BAD
    share = rows.bad_rows / rows.rows
    if share > BAD_SHARE or rows.longest_bad_run >= BAD_RUN_INCH * resolution.y_dpi:
        return Verdict.BAD
    return Verdict.POOR if share > POOR_SHARE else Verdict.GOOD


def unreadable(rows: Rows) -> bool:
    """Whether a page with ECM cannot be read, although every frame of its data arrived."""
    return rows.bad_rows > UNREADABLE_SHARE * rows.rows or not rows.rows
