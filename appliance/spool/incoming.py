"""``IncomingFax``: stores the pages of one received call.  A page is on disk before its MCF is sent.

Each page is a TIFF file, written, fsynced and renamed; then a row names it; only then it counts as stored.
All of that happens in threads; the event loop never waits.
"""

from __future__ import annotations

import asyncio
import io
import logging
import uuid as uuids
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from appliance import at_rest, durable
from appliance.causes import RECEIVED, Cause
from appliance.spool import received
from appliance.spool.errors import SpoolError
from appliance.spool.folders import RECEIVED as FOLDER
from appliance.spool.model import Received, ReceivedPageFile
from appliance.spool.page_facts import PageFacts
from appliance.spool.store import Spool
from appliance.t4.page import CodedPage, Raster
from appliance.t4.tiff import TiffWriter
from appliance.t30.parameters import CallResult, ReceivedPage

_log = logging.getLogger(__name__)

# Threads that write received pages, so that a page's fsync does not wait for that of another call.
WRITERS = 2


class IncomingFax:
    """Made and used on the event loop; ``clock`` gives Unix time."""

    def __init__(
        self,
        spool: Spool,
        writers: ThreadPoolExecutor,
        clock: Callable[[], float],
        *,
        line: str,
        line_kind: str,
        caller: str = "",
        caller_name: str = "",
        dialled: str = "",
    ) -> None:
        self._spool = spool
        self._writers = writers
        self._clock = clock
        self._uuid = str(uuids.uuid4())
        self._call = {
            "line": line,
            "line_kind": line_kind,
            "caller": caller,
            "caller_name": caller_name,
            "dialled": dialled,
        }
        self._started_at = clock()
        self.trace_path = f"traces/{self._uuid}.jsonl"
        self._begun = asyncio.wrap_future(
            spool.write(
                received.begin, self._uuid, now=self._started_at, trace_path=self.trace_path, **self._call
            )
        )

    @property
    def has_row(self) -> bool:
        """Whether the spool has a row for this call; False when it could not be written (disk full)."""
        return self._begun.done() and not self._begun.cancelled() and self._begun.exception() is None

    async def store(self, number: int, page: ReceivedPage, *, last: bool = False) -> bool:
        """Stores page ``number`` (from 0) durably; returns whether that succeeded.  ``last``: with it the fax
        is whole.
        """
        try:
            fax = await asyncio.shield(self._begun)
            loop = asyncio.get_running_loop()
            file = await loop.run_in_executor(self._writers, self._write, number, page, last)
            await self._spool.ado(received.add_page, fax.id, file)
        except (OSError, ValueError, SpoolError, durable.DiskFullError) as error:
            _log.error("a received page could not be stored: %s", error)
            return False
        return True

    def _write(self, number: int, page: ReceivedPage, last: bool) -> ReceivedPageFile:
        path = f"{FOLDER}/{self._uuid}-{number + 1:04}.tiff"
        image: CodedPage | Raster = page.page
        stored_at = self._clock()
        facts = PageFacts(
            fax=self._uuid,
            page=number,
            started_at=self._started_at,
            stored_at=stored_at,
            bad_rows=page.bad_rows,
            longest_bad_run=page.longest_bad_run,
            last=last,
            **self._call,
        ).text()

        file = io.BytesIO()  # one page
        with TiffWriter(file, description=facts) as writer:
            writer.add(image)
        at_rest.write_file(self._spool.data / path, file.getvalue())
        return ReceivedPageFile(
            number=number,
            path=path,
            width=image.width,
            rows=image.rows,
            resolution=image.resolution.name,
            bad_rows=page.bad_rows,
            longest_bad_run=page.longest_bad_run,
            stored_at=stored_at,
            last=last,
        )

    async def finish(self, result: CallResult) -> Received:
        """Records the end of the call, once no page is being stored.

        Raises SpoolError or DiskFullError when that cannot be written.
        """
        fax = await asyncio.shield(self._begun)
        cause: Cause = result.cause
        return await self._spool.ado(
            received.finish,
            fax.id,
            cause,
            complete=cause is RECEIVED,
            now=self._clock(),
            tsi=result.remote_id,
            sub_address=result.sub_address,
            facts={**result.facts, "confirmed": result.pages_received},
        )
