"""The cost of encryption at rest: times for writing and reading files, plain and encrypted in turn."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from appliance import at_rest

# Sizes in octets: a page of a fax, a document, a long document.
SIZES = (30_000, 300_000, 10_000_000)
TURNS = 15


@dataclass(frozen=True, slots=True)
class Cost:
    """Medians in seconds for one file of ``octets``: writing it to the disk, and reading it."""

    octets: int
    plain_write_s: float
    sealed_write_s: float
    plain_read_s: float
    sealed_read_s: float


def measure(scratch: Path, turns: int = TURNS) -> list[Cost]:
    plain, sealed = scratch / "plain", scratch / "sealed"
    plain.mkdir()
    sealed.mkdir()
    at_rest.lock_folder(sealed, os.urandom(32))
    try:
        return [_cost(plain, sealed, octets, turns) for octets in SIZES]
    finally:
        at_rest.unlock_folder(sealed)


def _cost(plain: Path, sealed: Path, octets: int, turns: int) -> Cost:
    content = os.urandom(octets)
    times: dict[tuple[Path, str], list[float]] = {}
    for turn in range(turns):
        for folder in (plain, sealed):
            path = folder / f"{octets}-{turn}"
            with _timed(times.setdefault((folder, "write"), [])):
                at_rest.write_file(path, content)
            with _timed(times.setdefault((folder, "read"), [])):
                if at_rest.read_bytes(path) != content:
                    raise RuntimeError(f"{path} is not what was written")
            path.unlink()
    median = {key: statistics.median(taken) for key, taken in times.items()}
    return Cost(
        octets,
        median[plain, "write"],
        median[sealed, "write"],
        median[plain, "read"],
        median[sealed, "read"],
    )


@contextmanager
def _timed(taken: list[float]) -> Iterator[None]:
    begun = time.perf_counter()
    yield
    taken.append(time.perf_counter() - begun)
