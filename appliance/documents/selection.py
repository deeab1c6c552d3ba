"""Page selections as people write them: ``1-5,2``, ``3-``, ``-2``, ``7-5``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from appliance.documents.causes import DOCUMENT_PAGES_INVALID, DOCUMENT_PAGES_MISSING
from appliance.documents.errors import DocumentError

_PART = re.compile(r"(?P<single>[0-9]{1,9})|(?P<first>[0-9]{0,9})\s*[-–]\s*(?P<last>[0-9]{0,9})")
_LONGEST = 2000  # characters; a longer selection is a mistake or an attack
MOST_PAGES = 100_000  # of a selection, repeats counted


@dataclass(frozen=True, slots=True)
class ChosenPages:
    """``pages`` (from 0) in the order and as often as chosen; ``shortened``: a range that would go on, as
    written, empty when none would.
    """

    pages: list[int]
    shortened: str = ""


def parse_pages(selection: str, count: int) -> ChosenPages:
    """What ``selection`` takes out of ``count`` pages.

    Empty means all.  ``3-`` runs to the end, ``-3`` from the beginning, ``5-3`` backwards.  A range that ends
    behind the last page ends with it: programs that do not know the count write ``1-99``.  Raises
    DocumentError: DOCUMENT_PAGES_INVALID when it cannot be parsed, DOCUMENT_PAGES_MISSING for a page
    that does not exist, and a range that begins with one.
    """
    if not selection.strip():
        return ChosenPages(list(range(count)))
    if len(selection) > _LONGEST:
        raise DocumentError(DOCUMENT_PAGES_INVALID, f"{len(selection)} characters")
    pages: list[int] = []
    shortened = ""
    for part in re.split(r"[,;]", selection):
        match = _PART.fullmatch(part.strip())
        if match is None or (match["single"] is None and not (match["first"] or match["last"])):
            raise DocumentError(DOCUMENT_PAGES_INVALID, repr(part.strip()[:40]))
        if match["single"]:
            first = last = int(match["single"])
        else:
            first, last = int(match["first"] or 1), int(match["last"] or count)
            if not match["last"] and first > count:
                last = first  # "9-" of 4 pages: page 9 does not exist
            if 1 <= first <= count < last:
                last, shortened = count, shortened or part.strip()
        for page in (first, last):
            if not 1 <= page <= count:
                raise DocumentError(DOCUMENT_PAGES_MISSING, f"page {page} of {count}")
        step = 1 if last >= first else -1
        pages.extend(range(first - 1, last - 1 + step, step))
        if len(pages) > MOST_PAGES:
            raise DocumentError(DOCUMENT_PAGES_INVALID, f"more than {MOST_PAGES} pages")
    return ChosenPages(pages, shortened)
