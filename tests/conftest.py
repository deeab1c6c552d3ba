"""Fixtures and settings of all tests."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from appliance.language import ENGLISH, speak

# What is collected stays to the end.  Looking through it for garbage takes a sixth of the time of collecting,
# in every worker, and time again whenever a test has made enough objects.
gc.disable()

# Workers run beside each other: tesseract and ImageMagick would spend most of their time on waiting for
# threads of their own that get no processor.
os.environ.setdefault("OMP_THREAD_LIMIT", "1")
# The doctor, which a dozen processes of the tests run, asks apt whether updates wait.
os.environ.setdefault("APT_CONFIG", str(Path(__file__).with_name("apt.conf")))

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
    """Sets the reader's language of this thread to English before each test."""
    speak(ENGLISH)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Makes what a file's tests share anew for a test that is run once more.

    Otherwise calls that all tests of a file look at would fail again by the same outcome.
    """
    if getattr(item, "execution_count", 1) == 1:
        return
    assert isinstance(item, pytest.Function)
    for found in item._fixtureinfo.name2fixturedefs.values():
        if found[-1].scope in {"class", "module"}:
            found[-1].finish(item._request)


# What takes the whole machine: never two at once.
LOADS = "tests/load/"
# Nearly every test here has a running box, makes whole documents, or carries fax after fax through a peer:
# marked realtime, whoever writes another one.  What is left answers in a good minute on two processors.
REAL_TIME = (
    LOADS,
    "tests/api",
    "tests/backup/",
    "tests/commands/",
    "tests/daemon/",
    "tests/deliver/",
    "tests/dispatch/",
    "tests/documents/",
    "tests/doctor/",
    "tests/exchange/",
    "tests/hardware/",
    "tests/interop/",
    "tests/lines/g711/",
    "tests/lines/modem/",
    "tests/spool/test_power_cut.py",
    "tests/t38/test_hostile.py",
    "tests/t38/test_tshark.py",
    "tests/t4/test_hostile.py",
    "tests/web/",
)
# These wait for lines, printers and other programs, and leave the processor to others.
WAITING = (
    "tests/lines/sip/",
    "tests/hardware/",
    "tests/interop/",
    "tests/lines/modem/",
    "tests/lines/",
    "tests/printing/",
    "tests/commands/",
    "tests/exchange/",
    "tests/daemon/",
)
# These keep a processor busy: browsers, a box for each file, LibreOffice and page after page.
COMPUTING = ("tests/web/", "tests/api", "tests/documents/")


def in_turns(files: list[str]) -> list[str]:
    """The files as they begin: the loads, then what waits and what computes by turns, then the small rest.

    Each of the two is spread over the whole time of the other: neither half the workers wait for lines while
    no processor has work, nor does one that begins late wait alone at the end.
    """
    turns: list[tuple[float, str]] = [(0.0, file) for file in files if file.startswith(LOADS)]
    for folders in (WAITING, COMPUTING):
        found = dict.fromkeys(file for folder in folders for file in files if file.startswith(folder))
        turns += [((at + 1) / len(found), file) for at, file in enumerate(found)]
    turns.sort(key=lambda turn: turn[0])
    return list(dict.fromkeys([*(file for _, file in turns), *files]))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Orders the tests so that all workers are busy to the end; full-size ones run only when asked for.

    Not by a ``-m`` in pyproject.toml, which any other ``-m`` replaces.
    """
    for item in items:
        if item.nodeid.startswith(REAL_TIME):
            item.add_marker("realtime")
    if "full" not in config.getoption("markexpr"):
        left = {item for item in items if item.get_closest_marker("full")}
        config.hook.pytest_deselected(items=list(left))
        items[:] = [item for item in items if item not in left]
    files = list(dict.fromkeys(_file(item) for item in items))
    place = {file: at for at, file in enumerate(in_turns(files))}
    items.sort(key=lambda item: place[_file(item)])


def pytest_collection_finish() -> None:
    """Garbage is looked for from here on, among what tests make."""
    gc.freeze()
    gc.enable()


def _file(item: pytest.Item) -> str:
    return item.nodeid.split("::", 1)[0]


class _Scheduling(LoadFileScheduling):
    """A file goes to one worker as a whole, and all loads to the same one."""

    def _split_scope(self, nodeid: str) -> str:
        return LOADS if nodeid.startswith(LOADS) else super()._split_scope(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    """The same for every run with several workers that share files."""
    return _Scheduling(config, log) if config.getoption("dist") == "loadfile" else None
