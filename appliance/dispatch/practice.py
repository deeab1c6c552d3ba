"""Sends a fax from the practice line to the box, on request: for integrators, the demo and the self-test."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from appliance.box import Box
from appliance.dispatch.pool import LinePool
from appliance.documents.options import CoverPage, HeaderLine, RenderOptions, Source
from appliance.documents.render import render
from appliance.exchange.remote import RemoteLine
from appliance.lines.line import LineKind
from appliance.spool.retention import temporary_folder
from appliance.t4.tiff import write_tiff
from appliance.t30.parameters import CallResult

CALLER = "9990"
MESSAGE = (
    "This fax came over the practice line.\n\nA fax machine within the box has called the box, and the "
    "box has answered and received this page as it would receive one from anywhere else."
)
# Time limit of the call, seconds: enough for some pages at 14400 bit/s.
LIMIT_S = 600.0


class PracticeCaller:
    """Calls the box from the practice line.  For any thread but the loop's."""

    def __init__(self, box: Box, pool: LinePool, loop: asyncio.AbstractEventLoop) -> None:
        self._box = box
        self._pool = pool
        self._loop = loop

    def __call__(
        self, files: Sequence[Source] = (), *, caller: str = CALLER, dialled: str = ""
    ) -> CallResult:
        """Sends ``files``, or without any a page of explanation; returns the result for the box.

        Blocks until the call has ended.  Raises LookupError when the practice line is off, DocumentError for
        files that cannot be rendered, TimeoutError after ``LIMIT_S``.
        """
        lines = [managed.line for managed in self._pool.lines]
        line = next((line for line in lines if line.kind is LineKind.PRACTICE), None)
        if not isinstance(line, RemoteLine):
            raise LookupError("the practice line is switched off")
        with temporary_folder(self._box.data) as folder:
            moment = datetime.now(UTC).astimezone()
            header = HeaderLine(moment=moment, sender="Practice machine", number=caller)
            cover = None
            if not files:
                cover = CoverPage(subject="Practice", from_name="Practice machine", message=MESSAGE)
            document = render(list(files), folder / "pages", RenderOptions(header=header, cover=cover))
            tiff = folder / "fax.tiff"
            write_tiff(tiff, document.coded_pages())
            call = line.send_to_us(tiff, caller=caller, dialled=dialled)
            return asyncio.run_coroutine_threadsafe(call, self._loop).result(LIMIT_S)
