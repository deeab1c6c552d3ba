"""What holds for all tests."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

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


# What takes the whole machine: never two at once.
LOADS = "tests/load/"
# These wait longest for lines, servers and browsers: a worker that begins with one leaves no long tail.
LONGEST_FIRST = (
    LOADS,
    "tests/lines/sip/",
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


class _Scheduling(LoadFileScheduling):
    """A file goes to one worker as a whole, and all loads to the same one."""

    def _split_scope(self, nodeid: str) -> str:
        return LOADS if nodeid.startswith(LOADS) else super()._split_scope(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    """The same for every run with several workers that share files."""
    return _Scheduling(config, log) if config.getoption("dist") == "loadfile" else None
