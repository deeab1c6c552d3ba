"""The pages of a document for a sending call, in a format that the receiver accepts.

A page that was rendered in an acceptable format is only recoded; otherwise it is rendered again from the
document's files, in the worker, and kept beside the first rendering.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from pathlib import Path

from appliance import at_rest
from appliance.causes import Cause
from appliance.documents.causes import DOCUMENT_DAMAGED, DOCUMENT_STORAGE
from appliance.documents.errors import DocumentError
from appliance.documents.geometry import lay_out
from appliance.documents.options import Limits, PageFormat
from appliance.documents.render import render
from appliance.documents.rendered import RenderedDocument
from appliance.t4.coding import PageError, recode
from appliance.t4.page import CodedPage, Coding, PaperWidth, Resolution
from appliance.t30.parameters import Accepts

_log = logging.getLogger(__name__)

# Resolutions to send when the receiver does not accept the one that was asked for, best first.  Each list
# ends with one that every Group 3 machine accepts (T.30 table 2).
PREFERENCES: dict[Resolution, tuple[Resolution, ...]] = {
    Resolution.STANDARD: (Resolution.STANDARD,),
    Resolution.FINE: (Resolution.FINE, Resolution.STANDARD),
    Resolution.SUPERFINE: (
        Resolution.SUPERFINE,
        Resolution.R16_15,
        Resolution.R300,
        Resolution.R400,
        Resolution.FINE,
        Resolution.STANDARD,
    ),
    Resolution.R300: (Resolution.R300, Resolution.SUPERFINE, Resolution.FINE, Resolution.STANDARD),
    Resolution.R400: (
        Resolution.R400,
        Resolution.R16_15,
        Resolution.R300,
        Resolution.SUPERFINE,
        Resolution.FINE,
        Resolution.STANDARD,
    ),
    Resolution.R16_15: (
        Resolution.R16_15,
        Resolution.R400,
        Resolution.SUPERFINE,
        Resolution.R300,
        Resolution.FINE,
        Resolution.STANDARD,
    ),
}

# Densest first; MMR is acceptable only with ECM, which the engine checks.
_CODINGS = (Coding.MMR, Coding.MR, Coding.MH)

# Pages rendered again at a time: enough to make up for starting a worker, few enough that the first is ready
# while the call is in training.
_CHUNK = 8


class DocumentPages:
    """The pages of a rendered document.

    ``first`` skips the pages before it, for a fax that continues where an earlier call ended.  Pages that are
    rendered again are kept in the document's ``variants``.
    """

    def __init__(self, document: RenderedDocument, *, first: int = 0) -> None:
        self._document = document
        self._first = first
        self._variants_folder = document.directory / "variants"
        self._lock = threading.Lock()  # one rendering at a time
        self._variants: dict[tuple[PageFormat, int], RenderedDocument] = {}

    def get(self, number: int, accepts: Accepts) -> CodedPage | Cause:
        """Page ``number`` in a format of ``accepts``, or why it cannot be had.  Blocks; thread-safe."""
        return self._page(self._first + number, accepts)

    def is_last(self, number: int) -> bool:
        """Whether no page follows ``number``."""
        return self._first + number >= self._document.total - 1

    def _page(self, number: int, accepts: Accepts) -> CodedPage | Cause:
        """The same, with ``number`` counted in the whole document."""
        try:
            if not 0 <= number < len(self._document.pages):
                raise IndexError(f"page {number + 1} of {len(self._document.pages)}")
            form = self._format(accepts)
            if self._fits(number, form):
                return _in_coding(self._document.coded_page(number), accepts)
            with self._lock:
                variant = self._variant(form, number - number % _CHUNK)
            return _in_coding(variant.coded_page(number % _CHUNK), accepts)
        except DocumentError as error:
            _log.warning("page %d cannot be rendered again: %s", number + 1, error)
            return error.cause
        except (PageError, at_rest.SealedError) as error:
            _log.warning("page %d on disk is damaged: %s", number + 1, error)
            return DOCUMENT_DAMAGED
        except Exception:
            _log.exception("page %d cannot be had", number + 1)
            return DOCUMENT_STORAGE

    def _format(self, accepts: Accepts) -> PageFormat:
        """The best format within both what was asked for and what the receiver accepts."""
        asked = self._document.options.format
        wanted = PREFERENCES[asked.resolution]
        resolution = next((r for r in wanted if r in accepts.resolutions), Resolution.STANDARD)
        widths = list(PaperWidth)
        width = min(asked.width, accepts.width, key=widths.index)
        lengths = list(type(asked.length))
        return PageFormat(resolution, width, min(asked.length, accepts.length, key=lengths.index))

    def _fits(self, number: int, form: PageFormat) -> bool:
        """Whether page ``number`` of the first rendering is the same as in format ``form``."""
        page = self._document.pages[number]
        asked = self._document.options.format
        if form.resolution is not asked.resolution:
            return False
        layout = lay_out(page.size, form)
        return (layout.width, layout.rows) == (page.width, page.rows)

    def _variant(self, form: PageFormat, start: int) -> RenderedDocument:
        key = (form, start)
        if key not in self._variants:
            directory = self._variants_folder / f"{form.label}-{start}"
            if not directory.is_dir():
                self._make(directory, form, start)
            self._variants[key] = RenderedDocument.open(directory)
        return self._variants[key]

    def _make(self, directory: Path, form: PageFormat, start: int) -> None:
        """Renders pages from ``start`` into ``directory``, unless another call of the fax is quicker.

        Raises DocumentError.
        """
        self._variants_folder.mkdir(exist_ok=True)
        try:
            render(
                self._document.sources,
                directory,
                replace(self._document.options, format=form),
                limits=Limits(),
                workers=1,
                pages=(start, start + _CHUNK),
            )
        except DocumentError:
            if not directory.is_dir():
                raise


def _in_coding(page: CodedPage, accepts: Accepts) -> CodedPage:
    """``page`` in the densest acceptable coding.  Raises PageError."""
    return recode(page, next(coding for coding in _CODINGS if coding in accepts.codings))
