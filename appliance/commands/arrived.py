"""Compares what arrived at the far end with what was sent, by page and pixel."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from appliance.documents.pages_pdf import write_pdf
from appliance.t4.coding import decode
from appliance.t4.page import CodedPage, Raster
from appliance.t4.tiff import FaxTiff, write_tiff


class SentPages:
    """Keeps each page, as it was given to the engine, as a TIFF in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True)

    def keep(self, number: int, page: CodedPage) -> None:
        """Writes a page as a TIFF file; ``number`` counts from 0."""
        write_tiff(self._path(number), [page])

    def raster(self, number: int) -> Raster | None:
        """Page ``number`` (from 0) as last sent, None when it was not sent."""
        if not self._path(number).exists():
            return None
        with FaxTiff(self._path(number)) as tiff:
            return tiff.raster(0)

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:04}.tif"


@dataclass(frozen=True, slots=True)
class PagePair:
    """A page that arrived, and how it differs from the sent one."""

    number: int  # from 1
    pixels: int
    different: int  # number of different pixels; -1 when the sizes differ or it was not sent


@dataclass(frozen=True, slots=True)
class Arrived:
    """The far end's copy of a fax."""

    tiff: Path | None
    pdf: Path | None
    pairs: tuple[PagePair, ...]

    @property
    def whole(self) -> bool:
        """Whether every page arrived as it was sent."""
        return bool(self.pairs) and all(pair.different == 0 for pair in self.pairs)

    def sentences(self) -> list[str]:
        """The comparison in words."""
        if self.tiff is None:
            return ["nothing arrived at the far end"]
        lines = []
        for pair in self.pairs:
            if pair.different < 0:
                verdict = "not of the size that was sent"
            elif pair.different:
                verdict = f"{pair.different:,} of {pair.pixels:,} pixels differ from what was sent"
            else:
                verdict = f"all {pair.pixels:,} pixels as sent"
            lines.append(f"page {pair.number} arrived: {verdict}")
        return [*lines, f"what arrived: {self.tiff}", f"      as PDF: {self.pdf}"]


def keep_arrival(tiff: Path | None, sent: SentPages, target: Path) -> Arrived:
    """Copies what arrived to ``target`` as TIFF and PDF, and compares it with what was sent.

    Raises OSError when ``target`` cannot be written.
    """
    if tiff is None:
        return Arrived(None, None, ())
    target.mkdir(parents=True, exist_ok=True)
    with FaxTiff(tiff) as pages:
        pairs = tuple(_pair(each, pages.raster(each), sent.raster(each)) for each in range(len(pages)))
    return keep(tiff, target, "received", pairs)


def compare(tiff: Path, sent: Iterator[CodedPage]) -> tuple[PagePair, ...]:
    """Compares the pages of ``tiff`` with the sent ones, in order."""
    with FaxTiff(tiff) as pages:
        numbered = zip_longest(range(len(pages)), sent)
        return tuple(
            _pair(each, pages.raster(each), None if page is None else decode(page))
            for each, page in numbered
            if each is not None
        )


def keep(tiff: Path, target: Path, name: str, pairs: tuple[PagePair, ...]) -> Arrived:
    """Copies ``tiff`` to folder ``target`` as TIFF and PDF called ``name``."""
    kept, pdf = target / f"{name}.tif", target / f"{name}.pdf"
    shutil.copyfile(tiff, kept)
    with FaxTiff(kept) as pages:
        write_pdf(pdf, pages, title="Received fax")
    return Arrived(kept, pdf, pairs)


def _pair(number: int, arrived: Raster, sent: Raster | None) -> PagePair:
    pixels = arrived.width * arrived.rows
    if sent is None or (sent.width, sent.rows) != (arrived.width, arrived.rows):
        return PagePair(number + 1, pixels, -1)
    changed = int.from_bytes(arrived.data, "big") ^ int.from_bytes(sent.data, "big")
    return PagePair(number + 1, pixels, changed.bit_count())
