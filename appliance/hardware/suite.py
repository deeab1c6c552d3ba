"""Runs ``hardware-tests/`` with pytest in this process, and collects the results."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

import pytest

from appliance.hardware.folder import FILE_PREFIX, parts, suite_folder
from appliance.hardware.rig import BrokenError, Rig

_LONGEST_REASON = 2000  # characters
# In brackets after the name of a test that had nothing to test.
NOTHING_THERE = "none"

RIG: pytest.StashKey[Rig] = pytest.StashKey()


class SuiteOutcome(Enum):
    """How a test ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class SuiteResult:
    """The result of one test.  ``sentence`` says what must hold; ``reason`` why it does not, or why it was
    skipped.
    """

    part: str
    test: str
    sentence: str
    outcome: SuiteOutcome
    reason: str = ""
    advice: str = ""
    measured: str = ""
    seconds: float = 0.0

    def view(self) -> dict[str, Any]:
        """As JSON."""
        return {**asdict(self), "outcome": self.outcome.value, "seconds": round(self.seconds, 1)}


def parametrize(
    metafunc: pytest.Metafunc, name: str, values: Sequence[Any], ids: Sequence[str], *, none: str
) -> None:
    """Runs the test once for each of ``values``; without any it is skipped for the reason ``none``."""
    if not values:
        blank = [None] * len(name.split(","))
        skip = pytest.mark.skip(reason=none)
        metafunc.parametrize(name, [pytest.param(*blank, marks=skip, id=NOTHING_THERE)])
    else:
        metafunc.parametrize(name, values, ids=ids)


def run(
    rig: Rig, only: Sequence[str] = (), tell: Callable[[SuiteResult], None] = lambda _: None
) -> list[SuiteResult]:
    """Tests all parts, or those in ``only``; ``tell`` gets each result at once.  Raises SuiteMissingError.

    A suite that cannot be run is a failed test, so that no report is green by mistake.
    """
    folder = suite_folder()
    files = [str(folder / f"{FILE_PREFIX}{part}.py") for part in only or parts()]
    collector = _Collector(rig, tell)
    # Ignores other installed plugins (timeouts, parallel workers).
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    words = ["-c", str(folder / "pytest.ini"), "--rootdir", str(folder), "-p", "no:terminal", "-s"]
    code = pytest.main([*words, "-p", "no:cacheprovider", *files], plugins=[collector])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) or not collector.results:
        stopped = code == pytest.ExitCode.INTERRUPTED
        reason = "the run was stopped" if stopped else f"pytest ended with {int(code)}"
        collector.add(SuiteResult("suite", "run", "The tests can be run.", SuiteOutcome.FAILED, reason))
    return collector.results


class _Collector:
    """The pytest plugin that collects results."""

    def __init__(self, rig: Rig, tell: Callable[[SuiteResult], None]) -> None:
        self._rig = rig
        self._tell = tell
        self.results: list[SuiteResult] = []

    def add(self, result: SuiteResult) -> None:
        self.results.append(result)
        self._tell(result)

    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[RIG] = self._rig

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.add(
                SuiteResult(
                    "suite",
                    report.nodeid,
                    "The tests can be read.",
                    SuiteOutcome.FAILED,
                    str(report.longrepr)[-_LONGEST_REASON:],
                )
            )

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
        report: pytest.TestReport = yield  # type: ignore[assignment]
        if report.when == "call" or not report.passed:
            self.add(_result(item, call, report))
        return report  # type: ignore[return-value]


def _result(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> SuiteResult:
    outcome, reason, advice = SuiteOutcome.PASSED, "", ""
    if report.skipped:
        outcome = SuiteOutcome.SKIPPED
        reason = str(call.excinfo.value) if call.excinfo is not None else ""
    elif report.failed:
        outcome = SuiteOutcome.FAILED
        error = call.excinfo.value if call.excinfo is not None else None
        if isinstance(error, BrokenError):
            reason, advice = error.sentence, error.advice
        else:  # a bug of the test, or an unknown kind of box
            reason = f"{type(error).__name__}: {error}"
    function = getattr(item, "function", None)
    return SuiteResult(
        part=item.path.stem.removeprefix(FILE_PREFIX),
        test=item.name.removeprefix(FILE_PREFIX),
        sentence=" ".join((inspect.getdoc(function) or item.name).split()),
        outcome=outcome,
        reason=reason[:_LONGEST_REASON],
        advice=advice,
        measured=str(dict(item.user_properties).get("measured", "")),
        seconds=max(0.0, call.stop - call.start),
    )
