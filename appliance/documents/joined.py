"""Several documents drawn as one: the files of an e-mail, the chapters of a book.  Runs inside the worker
process only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from PIL import Image

from appliance.causes import Cause
from appliance.documents.causes import DOCUMENT_EMPTY, DOCUMENT_UNSUPPORTED
from appliance.documents.drawing import Bitmap, Drawing, PageDrawer
from appliance.documents.errors import DocumentError
from appliance.documents.geometry import Layout, PageSize
from appliance.documents.workshop import Workshop
from appliance.remarks import FILE_LEFT_OUT, Remark

# The type of ``sources.open_source``, which is passed in because it uses the modules that open documents
# within documents.
Opener = Callable[[bytes, str, str, Workshop, str | None], PageDrawer]
# Depth of documents within documents: a forwarded e-mail, and one forwarded with that.
DEEPEST = 4
# A file of more octets is put in a file of its own, where it can be read again, and not kept in memory.
_LARGEST_KEPT = 256 << 10
# Why a file without content is left out: an empty one, a mere link, an object that only its program reads.
_NO_CONTENT = "it came without content that can be read"


class Joined:
    """Several documents as one, in order; ``left_out``: remarks on those that cannot be faxed."""

    def __init__(self, drawers: Sequence[PageDrawer], left_out: Sequence[Remark]) -> None:
        self._places = [(drawer, page) for drawer in drawers for page in range(drawer.count)]
        self._drawers = drawers
        self._left_out = left_out
        self.count = len(self._places)

    def size(self, index: int) -> PageSize:
        drawer, page = self._places[index]
        return drawer.size(page)

    def draw(self, index: int, layout: Layout) -> Image.Image | Drawing | Bitmap:
        drawer, page = self._places[index]
        return drawer.draw(page, layout)

    def remarks(self, index: int | None) -> Sequence[Remark]:
        if index is None:
            return [*self._left_out, *(each for drawer in self._drawers for each in drawer.remarks(None))]
        drawer, page = self._places[index]
        return drawer.remarks(page)


class Opening:
    """Opens the files within a document, one after the other.

    ``drawers`` are of those that were opened, ``left_out`` the remarks on the others, ``refused`` is the
    cause of the last of these.
    """

    def __init__(self, workshop: Workshop, open_source: Opener) -> None:
        self._workshop = workshop
        self._open = open_source
        self.drawers: list[PageDrawer] = []
        self.left_out: list[Remark] = []
        self.refused: Cause = DOCUMENT_EMPTY

    def open_each(self, files: Iterable[tuple[bytes, str, str]]) -> None:
        """Opens ``files`` (content, name, declared type); those that cannot be faxed are left out."""
        workshop = self._workshop
        workshop.depth += 1
        try:
            for content, name, media_type in files:
                again = workshop.put_by(content) if len(content) > _LARGEST_KEPT else None
                try:
                    self.drawers.append(self._open(content, name, media_type, workshop, again))
                except DocumentError as error:
                    why = error.cause.sentence
                    if not content:
                        why = _NO_CONTENT
                    elif error.cause is DOCUMENT_UNSUPPORTED:
                        why = f"{why} {error.detail}"
                    self.left_out.append(Remark(FILE_LEFT_OUT, file=name, detail=why))
                    self.refused = error.cause
        finally:
            workshop.depth -= 1
