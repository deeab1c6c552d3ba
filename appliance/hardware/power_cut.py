"""The power-cut test: writes records in the way of the spool until the plug is pulled.

A record is begun when the one before it is durable.  So after the cut all records must exist and be complete,
from the first to the last one that was announced; nothing else is promised.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from appliance import durable
from appliance.hardware.rig import BrokenError

FOLDER = "power-cut-drill"
_RECORD_OCTETS = 40_000  # about a page
_ADVICE = "The disk loses what it has confirmed: use another card or SSD, and a better power supply."


def waits_for_check(data: Path) -> bool:
    """Whether a test was begun whose records have not been checked."""
    return (data / FOLDER).is_dir()


def write(data: Path) -> Iterator[int]:
    """Writes records without end; yields the number of each once it is durable.  Raises OSError."""
    folder = data / FOLDER
    folder.mkdir(mode=0o700)
    number = 0
    while True:
        durable.write_file(folder / f"{number:08d}", _content(number))
        yield number
        number += 1


def check(data: Path, seen: int) -> int:
    """Checks that all confirmed records are complete; returns the number of records.

    ``seen`` is the last number that was announced.  Raises BrokenError.
    """
    folder = data / FOLDER
    found = sorted(int(path.name) for path in folder.iterdir() if path.name.isdecimal())
    if found != list(range(len(found))) or len(found) <= seen:
        raise BrokenError(
            f"After the power cut {len(found)} records are there, {seen + 1} were confirmed.", _ADVICE
        )
    for number in found:
        if (folder / f"{number:08d}").read_bytes() != _content(number):
            raise BrokenError(f"Record {number} is damaged after the power cut.", _ADVICE)
    return len(found)


def forget(data: Path) -> None:
    """Deletes the records."""
    shutil.rmtree(data / FOLDER, ignore_errors=True)


def _content(number: int) -> bytes:
    seed = hashlib.sha256(str(number).encode()).digest()
    return (seed * (_RECORD_OCTETS // len(seed) + 1))[:_RECORD_OCTETS]
