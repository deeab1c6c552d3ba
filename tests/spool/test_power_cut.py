"""A power cut at every fsync loses nothing that was promised.

At each boundary the disk is taken as if only what was fsynced had stayed, as if everything had, and
with torn writes in between (one draw each; ten with FAXBOX_SWEEP=1).
"""

from __future__ import annotations

import os
import random
import shutil
import sys
from pathlib import Path

import pytest

from appliance.configuration import open_box
from appliance.daemon.main import recover
from appliance.settings import secrets
from appliance.spool import outbox
from appliance.spool.delivery import OutboxState
from appliance.spool.filters import ReceivedFilter
from appliance.spool.model import JobState, ReceivedState
from appliance.spool.retention import sweep_parts
from appliance.station import StationSettings
from appliance.t4.tiff import FaxTiff
from tests.spool.power_cut import Disk, calls, record, told
from tests.spool.power_cut_worker import START

DRAWS = 10 if os.environ.get("FAXBOX_SWEEP") else 1

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")


def check(folder: Path, promises: list[str]) -> None:
    """Starts a box on what survived and holds it to what was promised."""
    box = open_box(folder, clock=lambda: START + 1)
    try:
        sweep_parts(folder)
        assert box.spool.read(lambda db: db.execute("PRAGMA integrity_check").fetchone()[0]) == "ok"
        recover(box)
        kept = {}
        for line in promises:
            word, *rest = line.split()
            kept[word, *rest[:1]] = rest
        for word, *rest in [line.split() for line in promises]:
            number = int(rest[0]) if rest and rest[0].isdigit() else 0
            match word:
                case "key":
                    assert secrets.find_key(box.settings, rest[0]) is not None
                case "named":
                    later = [line for line in promises if line.startswith("named")][-1]
                    names = {"second"} if later == "named second" else {"first", "second"}
                    assert box.settings.section(StationSettings).name in names
                case "accepted":
                    job = box.faxes.get(number)
                    submission_files = box.documents.get(
                        box.spool.read(
                            lambda db, job=job: db.execute(
                                "SELECT document_id FROM submission WHERE id = ?", (job.submission_id,)
                            ).fetchone()[0]
                        )
                    ).files
                    assert (folder / submission_files[0].path).read_bytes() == b"Hello " * 1000
                case "confirmed":
                    assert box.faxes.get(number).pages_confirmed >= int(rest[1])
                case "last":
                    assert box.faxes.get(number).state in (JobState.UNKNOWN, JobState.DELIVERED)
                case "delivered":
                    assert box.faxes.get(number).state is JobState.DELIVERED
                case "tried":
                    assert box.faxes.get(number).cause_code == "busy"
                case "cancelled":
                    assert box.faxes.get(number).state is JobState.CANCELLED
                case "page":
                    (fax,) = box.inbox.search(ReceivedFilter())
                    file = box.inbox.pages(fax.id)[number]
                    with FaxTiff(folder / file.path) as tiff:
                        assert tiff.raster(0).data == bytes([number + 1]) * (216 * 4)
                case "received":
                    (fax,) = box.inbox.search(ReceivedFilter())
                    assert fax.state is ReceivedState.COMPLETE
                case "outbox":
                    assert box.spool.read(outbox.get, number)
                case "done":
                    assert box.spool.read(outbox.get, number).state is OutboxState.DONE
        # Whatever a row names is there, promised or not.
        for fax in box.inbox.search(ReceivedFilter(empty=True)):
            for page in box.inbox.pages(fax.id):
                with FaxTiff(folder / page.path) as tiff:
                    assert len(tiff) == 1
    finally:
        box.close()


def test_what_was_promised_survives_a_power_cut_at_every_fsync(tmp_path: Path) -> None:
    data, trace = tmp_path / "data", tmp_path / "trace"
    data.mkdir()
    worker = [sys.executable, "-m", "tests.spool.power_cut_worker", str(data)]
    record(worker, trace, Path(__file__).parents[2])

    disk, promises, cuts = Disk(data), [], 0
    chance = random.Random(7)
    for call in calls(trace):
        line = told(call)
        if line is not None:
            promises += line.splitlines()
        if not disk.play(call):
            continue
        cuts += 1
        for draw in range(DRAWS + 2):
            folder = tmp_path / f"cut-{cuts}-{draw}"
            disk.survivors(folder, chance if draw >= 2 else None, everything=draw == 1)
            try:
                check(folder, promises)
            except BaseException as error:
                error.add_note(f"cut {cuts}, draw {draw}, after {promises[-1:]} and {call.name}")
                raise
            shutil.rmtree(folder)
    assert promises[-1] == "closed"
    assert cuts > 40
