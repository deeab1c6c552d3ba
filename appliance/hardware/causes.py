"""Causes: why a hardware test is not started, answered or reported."""

from __future__ import annotations

from appliance.causes import Retry, Side, declare, user_mistake

HARDWARE_TEST_UNDER_WAY = declare(
    "hardware_test_under_way",
    Side.USER,
    Retry.SOON,
    "A hardware test is under way already.",
    "Wait for its end, or stop it.",
)
HARDWARE_TEST_ASKS_NOTHING = user_mistake(
    "hardware_test_asks_nothing",
    "The hardware test does not wait for an answer.",
    "Look at how far it is.",
)
NO_HARDWARE_REPORT = user_mistake(
    "no_hardware_report",
    "There is no report of a hardware test yet.",
    "Start one, and wait for its end.",
)
