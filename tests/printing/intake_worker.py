"""A box's print folder in a process of its own, which tests kill.

``python -m tests.printing.intake_worker DATA FOLDER``
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from appliance.configuration import open_box
from appliance.printing.folder import LOOK_EVERY_S, PrintFolder


def main() -> None:
    box = open_box(Path(sys.argv[1]))
    intake = PrintFolder(box)
    print("up", flush=True)
    while True:
        intake.take(Path(sys.argv[2]))
        time.sleep(LOOK_EVERY_S)


if __name__ == "__main__":
    main()
