"""The box is killed at each step of taking a scan folder, and started again.

``python -m tests.printing.scan_crash TEMPLATE TRIED``: for each step a copy of TEMPLATE (``box``, ``scans``)
is made, one process dies at that step and the next one ends its work; what there is then is printed as a
line of JSON.  A step is anything that changes files (a rename, a new folder, a deletion, a file opened for
writing), or the end of a look.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import sys
from pathlib import Path

from appliance.configuration import open_box
from appliance.printing.scans import Scans
from appliance.printing.settings import ScanSettings
from appliance.spool.filters import JobFilter
from appliance.spool.model import JobState
from tests.killed_at import die_at, lived


def work(root: Path, dies_at: int) -> None:
    box = open_box(root / "box")
    box.settings.change(ScanSettings, {"folder": str(root / "scans")})
    die_at(dies_at, "looked")
    scans = Scans(box)
    for at in (0.0, 1000.0, 2000.0):
        scans.look(root / "scans", at)
        sys.audit("looked")
        for job in box.faxes.search(JobFilter()):
            if job.state is JobState.PREPARING:
                box.faxes.cancel(job.id)
    if not dies_at:
        end = {
            "faxes": [job.given for job in box.faxes.search(JobFilter())],
            "faxed": len(list((root / "scans").glob("faxed/*/+*"))),
            "refused": len(list((root / "scans").glob("refused/*/*.pdf"))),
            "left": len(list((root / "scans").glob("taken/*"))),
        }
        os.write(1, json.dumps(end).encode() + b"\n")


def main() -> None:
    template, tried = Path(sys.argv[1]), Path(sys.argv[2])
    for dies_at in itertools.count(1):
        shutil.copytree(template / "box", tried / "box")
        shutil.copytree(template / "scans", tried / "scans", copy_function=_copy)
        all_done = lived(work, tried, dies_at)
        lived(work, tried, 0)
        if all_done:
            return
        shutil.rmtree(tried)


def _copy(source: str, target: str) -> None:
    if Path(source).is_fifo():
        os.mkfifo(target)
    else:
        shutil.copyfile(source, target)


if __name__ == "__main__":
    main()
