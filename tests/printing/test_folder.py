"""When a printed fax is sent: at the time that the job names, also if its number comes later."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.box import Box
from appliance.printing.cups_backend import ENTRY_SUFFIX
from appliance.printing.folder import PROBLEM, PrintFolder
from appliance.printing.queues import make_folder
from appliance.services.rules import To
from appliance.spool.filters import JobFilter
from appliance.spool.model import Job
from appliance.station import StationSettings
from tests.deliver.making import make_box

AT_EIGHT = 4_073_785_200.0  # 2099-02-03 08:00 in Berlin


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    made = make_box(tmp_path / "box")
    made.settings.change(StationSettings, {"time_zone": "Europe/Berlin"})
    yield made
    made.close()


def printed(box: Box, folder: Path, options: str) -> Job:
    """The fax of a job that was printed with ``options``."""
    make_folder(folder)
    head = json.dumps({"cups": {"job-uuid": ["a job"]}, "title": "a letter", "options": options}).encode()
    (folder / f"1{ENTRY_SUFFIX}").write_bytes(head + b"\n%PDF-1.4\nnot much of one\n%%EOF\n")
    PrintFolder(box).take(folder)
    (job,) = box.faxes.search(JobFilter())
    return job


@pytest.mark.parametrize("time", ["2099-02-03T08:00", "2099-02-03T08:00+01:00", "2099-02-03T07:00Z"])
def test_a_job_goes_at_its_time(box: Box, tmp_path: Path, time: str) -> None:
    job = printed(box, tmp_path / "print", f"phone=+4930123456 FaxTime={time}")
    assert (job.number, job.scheduled_at) == ("+4930123456", AT_EIGHT)


def test_a_job_whose_time_cannot_be_read_waits_for_a_person(box: Box, tmp_path: Path) -> None:
    job = printed(box, tmp_path / "print", "phone=+4930123456 FaxTime=10pm")
    assert (job.number, job.metadata[PROBLEM]) == ("", "10pm is no time of sending.")


def test_a_number_that_comes_later_leaves_the_time_as_it_was(box: Box, tmp_path: Path) -> None:
    job = printed(box, tmp_path / "print", "FaxTime=2099-02-03T08:00")
    assert job.number == ""
    (given,) = box.faxes.give_numbers(job.id, [To("+4930123456")])
    assert given.scheduled_at == AT_EIGHT
    assert given.expires_at > AT_EIGHT


def test_another_time_may_come_with_the_number(box: Box, tmp_path: Path) -> None:
    job = printed(box, tmp_path / "print", "FaxTime=2099-02-03T08:00")
    (given,) = box.faxes.give_numbers(job.id, [To("+4930123456")], scheduled_at=AT_EIGHT - 3600.0)
    assert given.scheduled_at == AT_EIGHT - 3600.0
