"""What a received page's file says of its fax, so that the index can be made again from the files."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from appliance import at_rest
from appliance.t4.tiff import FaxTiff


@dataclass(frozen=True, slots=True)
class PageFacts:
    """Of a page, and of the call that brought it, as far as it was known then.  ``page`` counts from 0."""

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

    def text(self) -> str:
        """For the file (TIFF ImageDescription), ASCII."""
        return json.dumps(asdict(self))


def read_facts(path: Path) -> tuple[PageFacts, int, int, str] | None:
    """The facts of a page's file, its width, rows and resolution; None when it says none.

    Raises OSError, TiffError, PageError.
    """
    with FaxTiff(at_rest.open_file(path)) as tiff:
        text = tiff.description(0)
        page = tiff.page(0)
    try:
        facts = PageFacts(**json.loads(text))
    except (ValueError, TypeError):
        return None
    return facts, page.width, page.rows, page.resolution.name
