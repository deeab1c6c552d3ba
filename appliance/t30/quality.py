"""Whether a page received without ECM is good enough: MCF, RTP or RTN."""

from __future__ import annotations

from enum import Enum
from typing import Protocol

from appliance.t4.page import Resolution


class Rows(Protocol):
    """What the tolerant decoder knows of a page."""

    @property
    def rows(self) -> int: ...
    @property
    def bad_rows(self) -> int: ...
    @property
    def longest_bad_run(self) -> int: ...
    @property
    def ended_with_rtc(self) -> bool: ...
    @property
    def ends_with_row(self) -> bool: ...


class Verdict(Enum):
    GOOD = "good"  # MCF
    POOR = "poor"  # RTP: kept, but train again
    BAD = "bad"  # RTN: send it again


# T.30 leaves the measure to the maker; TSB-85 has 4.9 % taken and 15.1 % refused.
POOR_SHARE = 0.05  # of the rows; more than this is RTP
BAD_SHARE = 0.10  # more than this is RTN
# A gap that swallows a line of text whatever its share of the page: a quarter of an inch.
BAD_RUN_INCH = 0.25


def judge(rows: Rows, resolution: Resolution, *, complete: bool = False) -> Verdict:
    """MCF, RTP or RTN for the page.

    One that ended without RTC is cut short and never good, however fine its rows are: unless every octet
    that was sent has come (``complete``) and the last of them ended a row.  Then its sender knows no RTC.
    """
    ended = rows.ended_with_rtc or (complete and rows.ends_with_row)
    if not ended or rows.rows == 0:
        return Verdict.BAD
    share = rows.bad_rows / rows.rows
    if share > BAD_SHARE or rows.longest_bad_run >= BAD_RUN_INCH * resolution.y_dpi:
        return Verdict.BAD
    return Verdict.POOR if share > POOR_SHARE else Verdict.GOOD
