"""The disk: the time of a durable write, and the speed of writing pages."""

from __future__ import annotations

import os
import shutil
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance import durable
from appliance.hardware.rig import BrokenError, Rig

DURABLE_WRITES, RECORD_OCTETS = 40, 4096
BULK_OCTETS, PIECE_OCTETS = 16 << 20, 1 << 20
# A page is confirmed after several of these, on several lines at once; T.30 allows three seconds (T4).
SLOWEST_WRITE_S, MEDIAN_WRITE_S = 1.5, 0.2
# Slower than any memory card sold today.
LEAST_MB_PER_S = 4.0
_ADVICE = "Use a faster card (class A1 or A2) or an SSD; a card that has become slow is about to fail."


@pytest.fixture
def scratch(rig: Rig) -> Iterator[Path]:
    folder = rig.data / "hardware-test-scratch"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        yield folder
    except OSError as error:
        raise BrokenError(f"The box's folder cannot be written to: {error}.", _ADVICE) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_durable_writes(scratch: Path, measured: Callable[[str], None]) -> None:
    """Durable writes are fast enough for calls."""
    times = []
    for number in range(DURABLE_WRITES):
        begun = time.monotonic()
        durable.write_file(scratch / str(number), os.urandom(RECORD_OCTETS))
        times.append(time.monotonic() - begun)
    median, worst = statistics.median(times), max(times)
    measured(f"median {median * 1000:.0f} ms, worst {worst * 1000:.0f} ms")
    if median > MEDIAN_WRITE_S or worst > SLOWEST_WRITE_S:
        raise BrokenError(f"The disk is too slow: a durable write takes {median * 1000:.0f} ms.", _ADVICE)


def test_bulk(scratch: Path, measured: Callable[[str], None]) -> None:
    """Pages are written fast enough and read back unchanged."""
    piece = os.urandom(PIECE_OCTETS)
    path = scratch / "bulk"
    begun = time.monotonic()
    with path.open("wb") as file:
        for _ in range(BULK_OCTETS // PIECE_OCTETS):
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    speed = BULK_OCTETS / 1e6 / (time.monotonic() - begun)
    measured(f"{speed:.0f} MB/s")
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        whole = all(file.read(PIECE_OCTETS) == piece for _ in range(BULK_OCTETS // PIECE_OCTETS))
    if not whole:
        raise BrokenError("The disk gives back something else than was written.", _ADVICE)
    if speed < LEAST_MB_PER_S:
        raise BrokenError(f"The disk is too slow: {speed:.1f} MB/s.", _ADVICE)
