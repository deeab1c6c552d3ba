"""A document that cannot be submitted waits alone: others are not delayed, and it is not lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.box import Box
from appliance.printing.cups_backend import ENTRY_SUFFIX
from appliance.printing.folder import PrintFolder
from appliance.printing.queues import make_folder
from appliance.printing.resting import FIRST_REST_S, LONGEST_REST_S, Resting
from appliance.printing.scans import Scans
from appliance.printing.settings import ScanSettings
from appliance.services.faxes import Faxes, Request, Submitted
from appliance.spool.errors import SpoolFailedError
from appliance.spool.filters import JobFilter
from tests.deliver.making import make_box

PDF = b"%PDF-1.4\nnot much of one\n%%EOF\n"
TROUBLES = [ValueError("a bug"), OSError("a file that cannot be read"), SpoolFailedError("a row")]


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    made = make_box(tmp_path / "box")
    yield made
    made.close()


class Trouble:
    """While it is there, a document of the title ``bad`` cannot be handed in."""

    def __init__(self, error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
        self.there, self.met, submit = True, 0, Faxes.submit

        def tried(faxes: Faxes, request: Request) -> Submitted:
            if self.there and request.metadata["print_title"] == "bad":
                self.met += 1
                raise error
            return submit(faxes, request)

        monkeypatch.setattr(Faxes, "submit", tried)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def titles(box: Box) -> list[str]:
    return sorted(str(job.metadata["print_title"]) for job in box.faxes.search(JobFilter()))


@pytest.mark.parametrize("error", TROUBLES, ids=lambda error: type(error).__name__)
def test_a_print_job_that_cannot_be_handed_in_keeps_no_other_and_is_taken_later(
    box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    folder = tmp_path / "print"
    make_folder(folder)
    for number, title in enumerate(["bad", "second", "third"]):
        head = json.dumps({"cups": {"job-uuid": [title]}, "title": title}).encode()
        (folder / f"{number}{ENTRY_SUFFIX}").write_bytes(head + b"\n" + PDF)
    prints, clock, trouble = PrintFolder(box), Clock(), Trouble(error, monkeypatch)
    monkeypatch.setattr(prints, "_resting", Resting(clock))

    prints.take(folder)
    assert titles(box) == ["second", "third"]
    prints.take(folder)
    assert trouble.met == 1, "it rests"

    trouble.there = False
    clock.now += FIRST_REST_S
    prints.take(folder)
    prints.take(folder)
    assert titles(box) == ["bad", "second", "third"]
    assert list(folder.glob(f"*{ENTRY_SUFFIX}")) == []


@pytest.mark.parametrize("error", TROUBLES, ids=lambda error: type(error).__name__)
def test_a_scan_that_cannot_be_handed_in_keeps_no_other_and_is_taken_later(
    box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    folder = tmp_path / "scans"
    folder.mkdir()
    box.settings.change(ScanSettings, {"folder": str(folder)})
    scans, clock, trouble = Scans(box), Clock(), Trouble(error, monkeypatch)
    monkeypatch.setattr(scans, "_resting", Resting(clock))
    (folder / "bad").write_bytes(PDF)
    for now in (0.0, 100.0, 101.0):
        scans.look(folder, now)
    (folder / "second").write_bytes(PDF)
    for now in (102.0, 202.0):
        scans.look(folder, now)
    assert titles(box) == ["second"]
    met = trouble.met
    scans.look(folder, 203.0)
    assert trouble.met == met, "it rests"

    trouble.there = False
    clock.now += LONGEST_REST_S
    scans.look(folder, 204.0)
    assert titles(box) == ["bad", "second"]


def test_a_bug_is_met_less_and_less_often_and_a_full_disk_every_half_minute() -> None:
    clock = Clock()
    resting = Resting(clock)
    assert [resting.failed("bug", longer=True) for _ in range(3)] == [30.0, 60.0, 120.0]
    assert [resting.failed("disk", longer=False) for _ in range(3)] == [30.0] * 3
    assert not resting.any_rested()
    clock.now += 30.0
    assert (resting.any_rested(), resting.rests("bug"), resting.rests("disk")) == (True, True, False)
    resting.keep({"bug"})
    assert not resting.any_rested()
