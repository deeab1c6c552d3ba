"""Two workers together stay within the memory that a small machine has for them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from appliance.documents.options import Source
from appliance.documents.render import render
from tests.documents.making import A4, pdf, save

MOST_KB = 400 << 10
SOURCES = 12  # so many that there are two workers, and that what each source keeps adds up
SAMPLE_SECONDS = 0.03


def _coloured() -> bytes:
    return pdf([(*A4, "0.3 0.5 0.8 rg 50 50 400 700 re f 1 g BT /F 12 Tf 60 710 Td (white on blue) Tj ET")])


def _wide_grey() -> bytes:
    return save(Image.new("I;16", (5000, 6000), 3000), "TIFF", compression="tiff_deflate")


@pytest.mark.full
@pytest.mark.parametrize("content", [_coloured, _wide_grey])
def test_two_workers_stay_under_400_mb_together(content: Callable[[], bytes], tmp_path: Path) -> None:
    path = tmp_path / "source"
    path.write_bytes(content())
    most, ended = [0], threading.Event()

    def watch() -> None:
        while not ended.wait(SAMPLE_SECONDS):
            most[0] = max(most[0], sum(map(_pss_kb, _workers())))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        made = render([Source(path)] * SOURCES, tmp_path / "fax", workers=2)
    finally:
        ended.set()
        watcher.join()
    assert made.total == SOURCES
    assert 0 < most[0] < MOST_KB


def _workers() -> Iterator[int]:
    """This process's fork server and what it has forked."""
    for child in _children("self"):
        if b"appliance.documents.fork_server" in _octets(f"/proc/{child}/cmdline"):
            yield child
            yield from _children(str(child))


def _children(process: str) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        found += map(int, _octets(str(task)).split())
    return found


def _pss_kb(process: int) -> int:
    for line in _octets(f"/proc/{process}/smaps_rollup").splitlines():
        if line.startswith(b"Pss:"):
            return int(line.split()[1])
    return 0


def _octets(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:  # the process is gone
        return b""
