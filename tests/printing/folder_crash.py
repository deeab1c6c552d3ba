"""The box is killed at each step of taking a print folder, and started again.

``python -m tests.printing.folder_crash TEMPLATE TRIED``: for each step a copy of TEMPLATE (``box``,
``print``) is made, one process dies at that step and the next one ends its work; a line of JSON says what
there is then.
A step is anything that changes files.  The last line is of a first process that lived.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import sys
from pathlib import Path

from appliance.configuration import open_box
from appliance.printing.folder import PrintFolder
from appliance.spool.filters import JobFilter
from tests.killed_at import die_at, lived


def work(root: Path, dies_at: int) -> None:
    box = open_box(root / "box")
    die_at(dies_at)
    PrintFolder(box).take(root / "print")
    if not dies_at:
        faxes = sorted(str(job.metadata["print_title"]) for job in box.faxes.search(JobFilter()))
        left = sorted(path.suffix for path in (root / "print").iterdir())
        os.write(1, json.dumps({"faxes": faxes, "left": left}).encode() + b"\n")


def main() -> None:
    template, tried = Path(sys.argv[1]), Path(sys.argv[2])
    for dies_at in itertools.count(1):
        shutil.copytree(template, tried)
        all_done = lived(work, tried, dies_at)
        lived(work, tried, 0)
        shutil.rmtree(tried)
        if all_done:
            return


if __name__ == "__main__":
    main()
