"""Data about the fax within each file of a received page, from which the index can be rebuilt."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from appliance import at_rest
from appliance.durable import NotAFileError
from appliance.spool.model import ReceivedPageFile
from appliance.t4.tiff import FaxTiff


@dataclass(frozen=True, slots=True)
class PageFacts:
    """Data of a page and of its call, as known when the page was stored.  ``page`` counts from 0."""

    fax: str  # uuid
    page: int
    line: str
    line_kind: str
    caller: str
    caller_name: str
    dialled: str
    started_at: float
    stored_at: float
    bad_rows: int
    longest_bad_run: int
    last: bool = False  # with this page the fax is whole; earlier versions did not write it

    def text(self) -> str:
        """The facts as ASCII text for the file (TIFF ImageDescription)."""
        return json.dumps(asdict(self))


def open_page(data: Path, page: ReceivedPageFile) -> BinaryIO:
    """Opens the file of a received page in the data folder.

    Raises OSError (NotAFileError also for a page of another fax, or another page), TiffError.
    """
    path = data / page.path
    file = at_rest.open_file(path)
    try:
        # A page file names its fax, so that a file in the place of another is not shown as that page.
        facts = _facts(FaxTiff(file).description(0))
        if facts is not None and not (path.name.startswith(facts.fax) and facts.page == page.number):
            raise NotAFileError(f"{path.name} is page {facts.page + 1} of another fax, or another page")
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file


def read_facts(path: Path) -> tuple[PageFacts, int, int, str] | None:
    """The data within a page's file, its width, rows and resolution; None for a file without such data.

    Raises OSError, TiffError, PageError.
    """
    with FaxTiff(at_rest.open_file(path)) as tiff:
        text = tiff.description(0)
        page = tiff.page(0)
    facts = _facts(text)
    return None if facts is None else (facts, page.width, page.rows, page.resolution.name)


def _facts(text: str) -> PageFacts | None:
    try:
        return PageFacts(**json.loads(text))
    except (ValueError, TypeError):
        return None
