"""Why a hardware test is not started, answered or reported."""

from __future__ import annotations

from appliance.causes import Retry, Side, declare

HARDWARE_TEST_UNDER_WAY = declare(
    "hardware_test_under_way",
    Side.USER,
    Retry.SOON,
    "A hardware test is under way already.",
    "Wait for its end, or stop it.",
)
HARDWARE_TEST_ASKS_NOTHING = declare(
    "hardware_test_asks_nothing",
    Side.USER,
    Retry.NO,
    "The hardware test does not wait for an answer.",
    "Look at how far it is.",
)
NO_HARDWARE_REPORT = declare(
    "no_hardware_report",
    Side.USER,
    Retry.NO,
    "There is no report of a hardware test yet.",
    "Start one, and wait for its end.",
)
