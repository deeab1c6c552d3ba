"""What holds for all tests."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

from appliance.language import ENGLISH, speak

# The same examples everywhere, whatever the machine has to do besides: no example has a time limit, and a
# run can fail only for what it tests.  FAXBOX_SWEEP=1 looks for other examples each time.
settings.register_profile(
    "faxbox",
    deadline=None,
    derandomize=os.environ.get("FAXBOX_SWEEP") != "1",
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("faxbox")


@pytest.fixture(autouse=True)
def english_reader() -> None:
    """Each test begins with a reader of English, whomever the one before it spoke to in this thread."""
    speak(ENGLISH)


# These wait longest for lines, servers and browsers: a worker that begins with one leaves no long tail.
LONGEST_FIRST = (
    "tests/lines/sip/",
    "tests/load/",
    "tests/interop/",
    "tests/web/",
    "tests/printing/",
    "tests/lines/",
    "tests/commands/",
    "tests/exchange/",
    "tests/api",
    "tests/documents/",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, the rest as it was collected."""

    def place(item: pytest.Item) -> int:
        return next(
            (at for at, folder in enumerate(LONGEST_FIRST) if item.nodeid.startswith(folder)),
            len(LONGEST_FIRST),
        )

    items.sort(key=place)
