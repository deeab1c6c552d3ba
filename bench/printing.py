"""Printing to fax: the times from ``lp`` to an accepted fax and to its pages, against CUPS alone and gs.

The same PDF goes in turn to the queue ``Fax``, to a queue with the same description whose backend only copies
the document into a folder, and to one whose backend converts it to a fax TIFF with Ghostscript, as older fax
servers do.  All times count from the start of ``lp``.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.commands.demo_document import write_demo_pdf
from appliance.printing.ppd import ppd
from bench.running import Client, running
from tests.printing.cupsd import Cups, running_cupsd

JOBS = 7
# Time limit for hangs, and the interval of checks, which is also the error of the times, seconds.
LIMIT_S = 120.0
LOOK_EVERY_S = 0.005
_TO = "9990"
_BACKENDS = {
    "kept": 'cat "${6:--}" > "$to.part"',
    "gs": 'gs -q -dSAFER -dBATCH -dNOPAUSE -sDEVICE=tiffg4 -r204x196 -sOutputFile="$to.part" "${6:--}"',
}


@dataclass(frozen=True, slots=True)
class Printed:
    """Medians in seconds since the start of ``lp``.

    ``accepted_s``: the fax is stored durably; ``ready_s``: its pages are made; ``kept_s``: CUPS alone, with
    a backend that only copies the document; ``gs_s``: with one that makes pages.
    """

    jobs: int
    accepted_s: float
    ready_s: float
    kept_s: float
    gs_s: float


def measure(scratch: Path, jobs: int = JOBS) -> Printed:
    document = scratch / "letter.pdf"
    write_demo_pdf(document)
    with running_cupsd() as cups:
        folder = cups.root / "print"
        with running(scratch / "printing", {"printing.folder": str(folder)}) as box:
            _install(cups, box.data)
            for name, program in _BACKENDS.items():
                _add_queue(cups, name, program, scratch)
            client = box.client()
            taken: dict[str, list[float]] = {"accepted": [], "ready": [], "kept": [], "gs": []}
            for number in range(jobs + 1):
                accepted_s, ready_s = _fax(cups, client, document, f"letter {number}")
                found = {"accepted": accepted_s, "ready": ready_s}
                for name in _BACKENDS:
                    found[name] = _peer(cups, name, document)
                if number:  # the first of each kind starts processes that remain, and does not count
                    for name, seconds in found.items():
                        taken[name].append(seconds)
    medians = {name: statistics.median(times) for name, times in taken.items()}
    return Printed(jobs, medians["accepted"], medians["ready"], medians["kept"], medians["gs"])


def _install(cups: Cups, data: Path) -> None:
    words = ["printing", "install", "--data", str(data), "--backends", str(cups.backends)]
    subprocess.run(
        [sys.executable, "-m", "appliance.cli", *words],
        env={**os.environ, "CUPS_SERVER": cups.server},
        check=True,
        capture_output=True,
        timeout=LIMIT_S,
    )


def _add_queue(cups: Cups, name: str, program: str, scratch: Path) -> None:
    backend = cups.backends / name
    made = cups.root / name
    backend.write_text(
        f'#!/bin/sh\n[ $# = 0 ] && exit 0\nto="{made}-$1"\n{program} && mv "$to.part" "$to.done"\n'
    )
    backend.chmod(0o700)  # as the owner of this cupsd
    description = scratch / f"{name}.ppd"
    description.write_bytes(ppd(name, fax=False))
    cups.run("lpadmin", "-p", name, "-E", "-v", f"{name}:/", "-P", str(description))


def _fax(cups: Cups, client: Client, document: Path, title: str) -> tuple[float, float]:
    """Seconds until the fax is accepted, and until its pages are made."""

    def fax() -> dict[str, Any] | None:
        listed = client.ask("GET", "/faxes?limit=5").json["faxes"]
        return next((each for each in listed if each["metadata"].get("print_title") == title), None)

    def ready() -> bool:
        found = fax()
        return found is not None and bool(found["pages"])

    begun = time.perf_counter()
    cups.lp("-d", "Fax", "-o", f"phone={_TO}", "-t", title, str(document))
    accepted_s = _until(fax, begun)
    return accepted_s, _until(ready, begun)


def _peer(cups: Cups, name: str, document: Path) -> float:
    begun = time.perf_counter()
    job = cups.lp("-d", name, str(document)).rpartition("-")[2]
    return _until((cups.root / f"{name}-{job}.done").exists, begun)


def _until(found: Callable[[], object], begun: float) -> float:
    """Seconds from ``begun`` until ``found`` is true.  Raises RuntimeError when it never is."""
    while not found():
        if time.perf_counter() - begun > LIMIT_S:
            raise RuntimeError("what was printed did not arrive")
        time.sleep(LOOK_EVERY_S)
    return time.perf_counter() - begun
