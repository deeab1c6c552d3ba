"""Faxes the pages with each renderer, and reads the known lines in the results."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageChops, ImageStat

from appliance.documents.options import PageFormat, RenderOptions, Source
from appliance.documents.render import render
from appliance.t4.coding import decode, encode
from appliance.t4.page import Coding, Raster, Resolution
from bench.legibility.canvas import HEIGHT, WIDTH, Canvas, Line
from bench.legibility.designs import DESIGNS
from bench.legibility.scans import SCANS

_MARGIN = 1.6  # margin around a line that is cut out, points
_FINE = Resolution.FINE
_THRESHOLD = 128


@dataclass(frozen=True, slots=True)
class Read:
    """One page by one renderer: number of known words that were found, octets in MMR."""

    found: int
    words: int
    octets: int


@dataclass(frozen=True, slots=True)
class Measured:
    name: str
    ours: Read
    gs: Read
    poppler: Read
    standard: Read  # ours at 204 x 98


def measure(scratch: Path, only: str = "") -> Iterator[Measured]:
    """Each page of the bench whose name contains ``only``."""
    for name, content, pdf, lines in pages_of_the_bench(scratch):
        if only not in name:
            continue
        yield Measured(
            name,
            ours=_read(_ours(content, scratch, _FINE), lines, scratch),
            gs=_read(_ghostscript(pdf, scratch), lines, scratch),
            poppler=_read(_poppler(pdf, scratch), lines, scratch),
            standard=_read(_ours(content, scratch, Resolution.STANDARD), lines, scratch),
        )


def pages_of_the_bench(scratch: Path) -> Iterator[tuple[str, Path, Path, list[Line]]]:
    """Name, file for us, PDF of the same for the others, known lines."""
    for name, design in DESIGNS.items():
        canvas = Canvas(name)
        design(canvas)
        path = scratch / f"{name}.pdf"
        path.write_bytes(canvas.pdf())
        yield name, path, path, [line for line in canvas.lines() if line.words]
    for name, scan in SCANS.items():
        canvas = Canvas(scan.design)
        DESIGNS[scan.design](canvas)
        path, pdf = scratch / f"{name}.{scan.kind.lower()}", scratch / f"{name}.pdf"
        path.write_bytes(scan.file(canvas))
        with Image.open(path) as image:
            image.save(pdf, "PDF", resolution=image.width / (WIDTH / 72))
        yield name, path, pdf, [line for line in canvas.lines() if line.words]


def _ours(content: Path, scratch: Path, resolution: Resolution) -> Raster:
    target = scratch / f"ours-{content.stem}-{resolution.name}"
    document = render([Source(content)], target, RenderOptions(PageFormat(resolution)), workers=1)
    return decode(document.coded_page(0))


def _ghostscript(pdf: Path, scratch: Path) -> Raster:
    out = scratch / "gs.tif"
    command = [
        "gs",
        "-q",
        "-dSAFER",
        "-dBATCH",
        "-dNOPAUSE",
        "-sDEVICE=tiffg4",
        "-r204x196",
        f"-sOutputFile={out}",
        pdf,
    ]
    subprocess.run([str(each) for each in command], check=True, stdout=subprocess.DEVNULL)
    with Image.open(out) as image:
        return _raster(image.convert("L"))


def _poppler(pdf: Path, scratch: Path) -> Raster:
    command = ["pdftoppm", "-gray", "-rx", "204", "-ry", "196", "-singlefile", pdf, scratch / "poppler"]
    subprocess.run([str(each) for each in command], check=True)
    with Image.open(scratch / "poppler.pgm") as image:
        return _raster(image)


def _raster(grey: Image.Image) -> Raster:
    ink = grey.point([255 if value < _THRESHOLD else 0 for value in range(256)]).convert("1")
    return Raster(ink.width, ink.height, ink.tobytes(), _FINE)


def _read(raster: Raster, lines: list[Line], scratch: Path) -> Read:
    page = ImageChops.invert(Image.frombytes("1", (raster.width, raster.rows), raster.data).convert("L"))
    across, down = raster.width / (215 / 25.4 * 72), raster.rows / HEIGHT
    left = (raster.width - WIDTH * across) / 2 if raster.width == 1728 else 0.0  # an A4 page is centred
    if raster.width != 1728:
        across = raster.width / WIDTH
    names = []
    for number, line in enumerate(lines):
        box = (
            left + (line.left - _MARGIN) * across,
            (line.top - _MARGIN) * down,
            left + (line.right + _MARGIN) * across,
            (line.below + _MARGIN) * down,
        )
        piece = page.crop(tuple(round(value) for value in box))  # type: ignore[arg-type]
        if ImageStat.Stat(piece).mean[0] < 128:
            piece = ImageChops.invert(piece)
        squared = (piece.width * 2, round(piece.height * 2 * (across / down)))
        canvas = Image.new("L", (squared[0] + 40, squared[1] + 40), 255)
        canvas.paste(piece.resize(squared, Image.Resampling.BICUBIC), (20, 20))
        name = scratch / f"line-{number}.png"
        canvas.save(name)
        names.append(str(name))
    found = _tesseract(names, scratch)
    octets = len(encode(raster, Coding.MMR).data)
    hits = sum(_hits(line.words, text) for line, text in zip(lines, found, strict=True))
    return Read(hits, sum(len(line.words.split()) for line in lines), octets)


def _tesseract(names: list[str], scratch: Path) -> list[str]:
    """The text that Tesseract reads in each of these pictures of one line."""
    listed = scratch / "lines.txt"
    listed.write_text("\n".join(names))
    command = ["tesseract", str(listed), "-", "--psm", "7", "-l", "eng"]
    done = subprocess.run(
        command, capture_output=True, check=True, env={"OMP_THREAD_LIMIT": "1", "PATH": "/usr/bin:/bin"}
    )
    texts = done.stdout.decode(errors="replace").split("\f")
    return [*texts, *[""] * len(names)][: len(names)]


def _hits(words: str, text: str) -> int:
    """How many of ``words`` are in ``text``; each occurrence counts for one."""
    left = [_plain(word) for word in text.split()]
    hits = 0
    for word in map(_plain, words.split()):
        if word in left:
            left.remove(word)
            hits += 1
    return hits


def _plain(word: str) -> str:
    return "".join(letter for letter in word.lower() if letter.isalnum())


Report = Callable[[str], None]


def report(scratch: Path, say: Report, only: str = "") -> list[Measured]:
    """Measures, and reports a line for each page and one for all."""
    say(f"  {'page':<26}{'ours':>16}{'standard':>16}{'gs tiffg4':>17}{'pdftoppm':>16}")
    measured = []
    for each in measure(scratch, only):
        measured.append(each)
        say(
            f"  {each.name:<26}"
            + "".join(_cell(read) for read in (each.ours, each.standard, each.gs, each.poppler))
        )
    for title, words in (("all, words found", True), ("all, octets", False)):
        sums = []
        for part in ("ours", "standard", "gs", "poppler"):
            reads: list[Read] = [getattr(each, part) for each in measured]
            share = sum(read.found for read in reads) / max(1, sum(read.words for read in reads))
            sums.append(f"{share:16.3f}" if words else f"{sum(read.octets for read in reads):16,}")
        say(f"  {title:<26}" + "".join(sums))
    return measured


def _cell(read: Read) -> str:
    return f"{read.found / max(1, read.words):7.2f} {read.octets:8,}"
