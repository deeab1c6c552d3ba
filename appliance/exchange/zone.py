"""The time zone of a process: the one in the owner's settings, in place of the system's."""

from __future__ import annotations

import os
import time
import zoneinfo
from pathlib import Path

_OF_SYSTEM = os.environ.get("TZ")


def set_zone(name: str) -> None:
    """Makes the local times of this process those of a zone, such as Europe/Berlin; empty: the system's.

    A zone that the system's C library does not have is ignored: it would take UTC for it.
    """
    known = any((Path(folder) / name).is_file() for folder in zoneinfo.TZPATH)
    wanted = name if known else _OF_SYSTEM
    if wanted is None:
        os.environ.pop("TZ", None)
    else:
        os.environ["TZ"] = wanted
    time.tzset()
