"""Documents of Apple's Pages, Numbers and Keynote, by their preview.  Runs inside the worker process only."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence

from PIL import Image

from appliance.documents.causes import DOCUMENT_DAMAGED, DOCUMENT_UNSUPPORTED
from appliance.documents.drawing import Bitmap, Drawing, PageDrawer
from appliance.documents.errors import DocumentError, fault_of
from appliance.documents.geometry import Layout, PageSize
from appliance.remarks import PREVIEW_ONLY, Remark

# The previews in such a file, the best first: up to 2013 all pages, since then the first page.
_PREVIEWS = ("QuickLook/Preview.pdf", "preview.pdf", "preview.jpg", "QuickLook/Thumbnail.jpg")
_LARGEST = 60 << 20  # octets of a preview


def preview_of(content: bytes) -> tuple[str, bytes]:
    """The name and content of the preview.  Raises DocumentError: DOCUMENT_DAMAGED;
    DOCUMENT_UNSUPPORTED when there is none.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            there = {entry.filename: entry for entry in archive.infolist()}
            found = (
                (preview, entry)
                for preview in _PREVIEWS
                for name, entry in there.items()
                if preview in (name, name.partition("/")[2]) and 0 < entry.file_size <= _LARGEST
            )
            for preview, entry in found:
                with archive.open(entry) as file:
                    return preview, file.read(_LARGEST)
    except MemoryError:
        raise
    except Exception as error:  # the library raises anything on damaged files
        raise DocumentError(DOCUMENT_DAMAGED, f"its preview: {fault_of(error)}") from None
    said = "a document of Apple's Pages, Numbers or Keynote without a preview: export it as a PDF"
    raise DocumentError(DOCUMENT_UNSUPPORTED, said)


class Previewed:
    """The pages of a preview, with the remark that it is one."""

    def __init__(self, drawer: PageDrawer) -> None:
        self._drawer = drawer
        self.count = drawer.count

    def size(self, index: int) -> PageSize:
        return self._drawer.size(index)

    def draw(self, index: int, layout: Layout) -> Image.Image | Drawing | Bitmap:
        return self._drawer.draw(index, layout)

    def remarks(self, index: int | None) -> Sequence[Remark]:
        own = [Remark(PREVIEW_ONLY)] if index is None else []
        return [*own, *self._drawer.remarks(index)]
