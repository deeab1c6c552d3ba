"""Collections (PDF portfolios, ISO 32000-1 12.3.5): the files in one are the document, its page is a cover.
Runs inside the worker process only.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from itertools import islice

import pypdfium2

from appliance.documents.drawing import PageDrawer
from appliance.documents.joined import DEEPEST, Joined, Opener, Opening
from appliance.documents.pdf.source import PdfSource
from appliance.documents.workshop import Workshop
from appliance.remarks import FILE_LEFT_OUT, SCREEN_ONLY, Remark

_MOST_FILES = 200
# Words of the cover that Adobe's program makes, in any language.
_OF_ADOBE = ("acrobat", "adobe reader")


def open_portfolio(source: PdfSource, workshop: Workshop, open_source: Opener) -> PageDrawer:
    """``source``, or the files in it if it is a collection and one of them can be faxed."""
    collection = source.collection()
    if collection is None or workshop.depth >= DEEPEST:
        return source
    opening = Opening(workshop, open_source)
    opening.open_each(_files(collection))
    if (more := collection.count_attachments() - _MOST_FILES) > 0:
        opening.left_out.append(Remark(FILE_LEFT_OUT, detail=f"{more} more files"))
    if not opening.drawers:
        return source
    if _is_made_cover(collection):
        source.close()
        return Joined(
            opening.drawers, [*opening.left_out, Remark(SCREEN_ONLY, detail="the portfolio's cover")]
        )
    source.files_follow()
    return Joined([source, *opening.drawers], opening.left_out)


def _files(collection: pypdfium2.PdfDocument) -> Iterator[tuple[bytes, str, str]]:
    for number in islice(range(collection.count_attachments()), _MOST_FILES):
        name, content = f"file {number + 1}", b""
        with contextlib.suppress(pypdfium2.PdfiumError):
            attachment = collection.get_attachment(number)
            name = attachment.get_name() or name
            content = bytes(attachment.get_data())
        yield content, name, ""


def _is_made_cover(collection: pypdfium2.PdfDocument) -> bool:
    """Whether the only page says how to see the files."""
    if len(collection) != 1:
        return False
    try:
        text = collection[0].get_textpage().get_text_range().lower()
    except pypdfium2.PdfiumError:
        return False  # drawing it says what is wrong with it
    return any(words in text for words in _OF_ADOBE)
