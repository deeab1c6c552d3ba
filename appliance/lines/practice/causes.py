"""The causes of failures of the practice line."""

from __future__ import annotations

from appliance.causes import Retry, Side, declare

PRACTICE_UNAVAILABLE = declare(
    "practice_unavailable",
    Side.OURS,
    Retry.LATER,
    "The practice machine could not be started.",
    "Check that the package libspandsp2 is installed; the log says what went wrong.",
)
