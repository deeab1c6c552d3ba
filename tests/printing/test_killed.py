"""kill -9 of backend, cupsd and box at random during printing: no loss, no duplicates."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.configuration import open_box
from appliance.printing import cups_backend
from appliance.printing.cups_backend import ENTRY_SUFFIX, PART_SUFFIX
from appliance.printing.queues import make_folder
from appliance.printing.settings import PrintingSettings
from appliance.spool.filters import JobFilter
from tests.deliver.making import make_box
from tests.printing.cupsd import Cups, running_cupsd
from tests.printing.killing import kill_backend, kill_cupsd, printed
from tests.printing.test_cups import LIMIT_S, pdf, printing, until

pytestmark = [pytest.mark.realtime, pytest.mark.xdist_group("cups")]


class Office:
    """A cupsd, a box's intake, and who kills them."""

    def __init__(self, cups: Cups, data: Path) -> None:
        self.cups, self.data = cups, data
        self.folder = cups.root / "print"
        self.box: subprocess.Popen[bytes] | None = None

    def start_box(self) -> None:
        words = ["-m", "tests.printing.intake_worker", str(self.data), str(self.folder)]
        root = Path(__file__).parents[2]
        self.box = subprocess.Popen([sys.executable, *words], cwd=root)

    def kill_box(self) -> None:
        assert self.box is not None
        self.box.kill()
        self.box.wait()


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with running_cupsd() as cups:
        data = tmp_path / "box"
        box = make_box(data)
        box.settings.change(PrintingSettings, {"folder": str(cups.root / "print")})
        box.close()
        assert printing(cups, data, "install").returncode == 0
        made = Office(cups, data)
        made.start_box()
        yield made
        made.kill_box()


def print_and_kill(office: Office, document: Path, rounds: int) -> None:
    chance = random.Random(9)
    jobs = []
    for number in range(rounds):
        jobs.append(printed(office.cups, f"job {number}", document))
        match chance.randrange(3):
            case 0:
                kill_backend(office.cups, chance)
            case 1:
                kill_cupsd(office.cups)
            case _:
                office.kill_box()
                office.start_box()
    for job in jobs:
        office.cups.ended(job)
    until(lambda: not list(office.folder.glob(f"*{ENTRY_SUFFIX}")), "the box does not take what was printed")
    office.kill_box()
    box = open_box(office.data)
    found = Counter(str(job.metadata["print_title"]) for job in box.faxes.search(JobFilter(limit=1000)))
    box.close()
    wrong = {number: found[f"job {number}"] for number in range(rounds) if found[f"job {number}"] != 1}
    assert wrong == {}


@pytest.mark.parametrize("killed", ["who waits", "who works"])
def test_a_job_is_retried_or_handed_over_whichever_process_of_its_backend_is_killed(
    tmp_path: Path, killed: str
) -> None:
    folder = tmp_path / "print"
    make_folder(folder)
    backend = subprocess.Popen(
        [sys.executable, cups_backend.__file__, "1", "ada", "title", "1", ""],
        env={"DEVICE_URI": f"faxbox:{folder}", "CUPS_SERVER": "/nowhere"},
        stdin=subprocess.PIPE,
    )
    assert backend.stdin is not None
    parts = until(lambda: list(folder.glob(f"*{PART_SUFFIX}")), "it never began")
    worker = int(parts[0].stem.rpartition("-")[2])
    os.kill(worker if killed == "who works" else backend.pid, signal.SIGKILL)
    if killed == "who works":
        assert backend.wait(LIMIT_S) == cups_backend.RETRY
        return
    backend.wait(LIMIT_S)
    with backend.stdin as document:
        document.write(b"%PDF-1.4 %%EOF")
    (entry,) = until(lambda: list(folder.glob(f"*{ENTRY_SUFFIX}")), "it was not handed over")
    assert entry.read_bytes().endswith(b"%PDF-1.4 %%EOF")


def test_a_box_killed_between_hand_over_and_acknowledgement_has_each_job_once(tmp_path: Path) -> None:
    template = tmp_path / "template"
    make_box(template / "box").close()
    folder = template / "print"
    folder.mkdir()
    document = pdf(tmp_path / "a.pdf", 1).read_bytes()
    for number, job in enumerate(["two files", "two files", "one file"]):
        cups = {"job-uuid": [job], "number-of-documents": [job.startswith("two") + 1]}
        head = json.dumps({"cups": cups, "title": job, "starter": "1-1"}).encode()
        (folder / f"{number}{ENTRY_SUFFIX}").write_bytes(head + b"\n" + document)
    done = subprocess.run(
        [sys.executable, "-m", "tests.printing.folder_crash", str(template), str(tmp_path / "tried")],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    ends = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(ends) > 10
    for end in ends:
        assert end == {"faxes": ["one file", "two files"], "left": []}, ends.index(end)


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_killed_a_hundred_times_at_random_each_job_is_one_fax(office: Office, tmp_path: Path) -> None:
    print_and_kill(office, pdf(tmp_path / "a.pdf", 1), 100)
