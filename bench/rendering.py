"""Pages per second from PDF at fine resolution, ours against ``gs -sDEVICE=tiffg4`` on the same files."""

from __future__ import annotations

import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from appliance.commands.demo_document import write_demo_pdf
from appliance.documents.options import PageFormat, RenderOptions, Source
from appliance.documents.render import render
from appliance.t4.page import Raster, Resolution
from appliance.t4.tiff import FaxTiff
from bench.legibility.measuring import pages_of_the_bench

# Number of runs of each, of which the fastest counts: other load makes both slower, never faster.
RUNS = 3
# Before each run of ours, seconds: documents come to a box at rest, which has spare workers then.
REST_S = 1.0
COPIES = 6  # of the demonstration's pages, for a document that is long enough to measure


@dataclass(frozen=True, slots=True)
class Rendered:
    """One document:  ``one_s`` with one worker process, as gs has, ``ours_s`` with all of them."""

    name: str
    pages: int
    one_s: float
    ours_s: float
    gs_s: float
    ours_octets: int
    gs_octets: int


def measure(pages: list[Raster], scratch: Path) -> list[Rendered]:
    """A document of text, photograph and form, the scanned ``pages`` as a PDF of pictures, and the legibility
    bench: its pages that are drawn, and those that are scans with tones."""
    mixed, scanned = scratch / "mixed.pdf", scratch / "scanned.pdf"
    write_demo_pdf(mixed)
    images = [Image.frombytes("1", (page.width, page.rows), _white_is_one(page)) for page in pages]
    images[0].save(scanned, save_all=True, append_images=images[1:], resolution=200)
    drawn, toned = [], []
    for _, content, pdf, _ in pages_of_the_bench(scratch):
        (drawn if content == pdf else toned).append(pdf)
    return [
        _compare("mixed", [mixed] * COPIES, scratch),
        _compare("scanned", [scanned], scratch),
        _compare("drawn with tones", drawn, scratch),
        _compare("scanned with tones", toned, scratch),
    ]


def _white_is_one(page: Raster) -> bytes:
    return bytes(octet ^ 0xFF for octet in page.data)


def _compare(name: str, files: list[Path], scratch: Path) -> Rendered:
    one_s = min(_ours(files, scratch, 1)[0] for _ in range(RUNS))
    ours_s, pages, octets = min(_ours(files, scratch, None) for _ in range(RUNS))
    gs_s, gs_octets = min(_ghostscript(files, scratch) for _ in range(RUNS))
    return Rendered(name, pages, one_s, ours_s, gs_s, octets, gs_octets)


def _ours(files: list[Path], scratch: Path, workers: int | None) -> tuple[float, int, int]:
    target = scratch / "rendered"
    options = RenderOptions(format=PageFormat(Resolution.FINE))
    time.sleep(REST_S)
    begun = time.perf_counter()
    document = render([Source(file) for file in files], target, options, workers=workers)
    took = time.perf_counter() - begun
    octets = sum(page.octets for page in document.pages)
    shutil.rmtree(target)
    return took, document.total, octets


def _ghostscript(files: list[Path], scratch: Path) -> tuple[float, int]:
    output = scratch / "gs.tif"
    command = [
        "gs",
        "-q",
        "-dSAFER",
        "-dBATCH",
        "-dNOPAUSE",
        "-sDEVICE=tiffg4",
        "-r204x196",
        f"-sOutputFile={output}",
        *map(str, files),
    ]
    begun = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    took = time.perf_counter() - begun
    with FaxTiff(output) as made:
        return took, sum(len(page.data) for page in made if not isinstance(page, Raster))
