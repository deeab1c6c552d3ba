"""The workers of one document: starts them, supervises them, checks what they report.

Each makes the next page that no other has claimed.  Reports of workers are as untrusted as the document: they
are limited and checked.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO, Any

from appliance import at_rest
from appliance.causes import cause_of
from appliance.documents import causes
from appliance.documents.bounded import MEMORY_EXIT
from appliance.documents.errors import DocumentError, WorkerDiedError
from appliance.documents.geometry import PageSize, most_rows
from appliance.documents.options import Limits, RenderOptions, Source, options_to_json
from appliance.documents.rendered import RenderedPage
from appliance.documents.workers.fork_server import ForkServerError, Worker, start_worker
from appliance.documents.workers.places import Places, places_here
from appliance.documents.workshop import CLAIM, MOST_TYPESET
from appliance.durable import TooLargeError
from appliance.remarks import MOST_REMARKS, Remark, from_json, to_json
from appliance.t4.page import SCAN_LINE_PIXELS

TYPESET = "typeset"
_TEMPORARY = ".passing"  # folder beside the pages for temporary files of workers

# A second worker has to open the document again, which pays off from this many pages on.
_PARALLEL_FROM = 4  # pages
# The workers of this process, for all renderings.
PLACES = Places(places_here())
# Octets of one line from a worker, with the most remarks possible.
_LONGEST_MESSAGE = 1 << 18
# A worker that used less than this share of a processor during a whole time limit is hanging.
_STILL_SHARE = 0.005
_DEATH_SECONDS = 5.0  # for a worker that has closed its output to end


class _Worker:
    """One worker process and what it has reported so far."""

    def __init__(self, process: Worker, file: str, output: IO[bytes]) -> None:
        self.process = process
        self.file = file
        self.output = output
        self.pending = b""
        self.opened = 0  # of its sources
        self.done = False

    def end(self) -> None:
        self.process.close()
        self.output.close()


class Rendering:
    """The workers of one document.  ``alone``: no other document is made meanwhile, and one worker may take
    all the memory.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        scratch: Path,
        options: RenderOptions,
        limits: Limits,
        pages: tuple[int, int | None],
        *,
        alone: bool,
    ) -> None:
        self._sources = sources
        self._scratch = scratch
        self._options = options
        self._limits = (
            limits if alone else replace(limits, memory_octets=min(limits.memory_octets, limits.share_octets))
        )
        self._alone = alone
        self._range = pages
        self._workers: list[_Worker] = []
        self._further = contextlib.ExitStack()  # places of workers beside the first
        self._selector = selectors.DefaultSelector()
        self._claims = tempfile.TemporaryFile(dir=scratch, buffering=0)  # noqa: SIM115 (closed in __exit__)
        self._claims.write(CLAIM.pack(pages[0]))
        self._typesets = (scratch / TYPESET).open("w+b", buffering=0)
        (scratch / _TEMPORARY).mkdir(mode=0o700)
        self._typeset: dict[str, list[Any]] = {}  # contents of that file, see ``workshop``
        self._counts: dict[int, int] = {}  # the pages of each source
        self._total: int | None = None
        self._made: dict[int, RenderedPage] = {}
        self._remarks: dict[Remark, None] = {}  # ordered set: every worker opens the files and remarks again

    def __enter__(self) -> Rendering:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.end()
        self._further.close()
        self._selector.close()
        self._claims.close()
        self._typesets.close()

    def clear(self) -> None:
        """Deletes what was used for the making, once all pages are made."""
        (self._scratch / TYPESET).unlink()
        # A worker that was killed, or ended without tidying up, leaves temporary files of its libraries.
        shutil.rmtree(self._scratch / _TEMPORARY)

    def run(
        self, workers: int, progress: Callable[[int, int], None] | None
    ) -> tuple[int, tuple[RenderedPage, ...]]:
        """Renders all pages; returns the total of the fax's pages and the pages made, in order."""
        deadline = time.monotonic() + self._limits.wall_seconds
        self._start()
        page_deadline = time.monotonic() + self._limits.page_seconds
        used = self._used()
        while any(not worker.done for worker in self._workers):
            left = min(deadline, page_deadline) - time.monotonic()
            if left <= 0:
                raise self._late(used)
            before = self._progress()
            for key, _ in self._selector.select(left):
                self._hear(key.data)
            if self._progress() != before:
                page_deadline = time.monotonic() + self._limits.page_seconds
                used = self._used()
                if progress is not None and self._total is not None:
                    progress(len(self._made), self._total)
            if len(self._workers) == 1 and workers > 1 and self._asked() - len(self._made) >= _PARALLEL_FROM:
                for _ in range(self._further.enter_context(PLACES.further(workers - 1))):
                    self._start()
                workers = 1
        return self._result()

    def _progress(self) -> tuple[int, ...]:
        """Counters that grow as long as the workers make progress."""
        return len(self._made), len(self._typeset), *(worker.opened for worker in self._workers)

    def _used(self) -> dict[_Worker, float]:
        """Processor seconds of each worker that runs."""
        return {each: each.process.processor_seconds() for each in self._workers if not each.done}

    def _late(self, used: dict[_Worker, float]) -> DocumentError:
        """The error for no page within the time limit; ``used``: each worker's processor seconds when it
        began.
        """
        made = f"{len(self._made)} of {self._total} pages made"
        still = min(self._limits.page_seconds, self._limits.wall_seconds) * _STILL_SHARE
        # Children of a worker do not count: their own limits end earlier.
        if all(now - used.get(worker, 0.0) < still for worker, now in self._used().items()):
            return WorkerDiedError(causes.DOCUMENT_WORKER_DIED, f"it stands still, {made}", killed=False)
        return DocumentError(causes.DOCUMENT_TIMED_OUT, made)

    def remarks(self) -> tuple[Remark, ...]:
        """The remarks on the document as a whole, then those on its pages, in order."""
        return tuple(sorted(self._remarks, key=lambda remark: remark.page or 0))

    def _asked(self) -> int:
        first, stop = self._range
        return max(0, min(self._total or 0, stop if stop is not None else self._total or 0) - first)

    def _result(self) -> tuple[int, tuple[RenderedPage, ...]]:
        first = self._range[0]
        if self._total is None or sorted(self._made) != list(range(first, first + self._asked())):
            raise DocumentError(causes.DOCUMENT_WORKER_DIED, f"made {len(self._made)} of {self._total} pages")
        if not self._made:
            raise DocumentError(causes.DOCUMENT_EMPTY, f"no page {first + 1} of {self._total}")
        return self._total, tuple(self._made[number] for number in sorted(self._made))

    def _start(self) -> None:
        name = f"pages-{len(self._workers)}.mmr"
        with contextlib.ExitStack() as opened:
            files = [opened.enter_context(self._open(*each)) for each in enumerate(self._sources)]
            output = (self._scratch / name).open("wb", buffering=0)
            try:
                process = start_worker(
                    [file.fileno() for file in (output, self._claims, self._typesets, *files)]
                )
            except ForkServerError as error:
                output.close()
                how = f"it could not be started: {error}"
                raise WorkerDiedError(causes.DOCUMENT_WORKER_KILLED, how, killed=True) from error
        worker = _Worker(process, name, output)
        self._workers.append(worker)
        job = {
            "sources": [
                {
                    "pages": s.pages,
                    "name": s.name or s.path.name,
                    "look": s.look.to_json(),
                    "media_type": s.media_type,
                }
                for s in self._sources
            ],
            "scratch": str(self._scratch / _TEMPORARY),
            "typeset": self._typeset,
            "options": options_to_json(self._options),
            "limits": asdict(self._limits),
            "alone": self._alone,
            "range": self._range,
            # What the first worker has counted the others need not open.
            "counts": [self._counts.get(number, 0) for number in range(len(self._sources))]
            if self._total
            else [],
        }
        with contextlib.suppress(OSError):  # a dead worker is noticed when its channel is read
            process.channel.sendall(json.dumps(job).encode() + b"\n")
        process.channel.setblocking(False)
        self._selector.register(process.channel, selectors.EVENT_READ, worker)

    def _open(self, number: int, source: Source) -> IO[bytes]:
        try:
            return at_rest.open_plain(source.path, self._limits.file_octets)
        except at_rest.SealedError as error:
            raise DocumentError(causes.DOCUMENT_DAMAGED, str(error), number) from error
        except OSError as error:
            raise DocumentError(causes.DOCUMENT_GONE, str(error), number) from error
        except TooLargeError as error:
            raise DocumentError(causes.DOCUMENT_TOO_LARGE, str(error), number) from error

    def _hear(self, worker: _Worker) -> None:
        try:
            octets = worker.process.channel.recv(1 << 16)
        except BlockingIOError:
            return
        except ConnectionResetError:
            octets = b""
        if not octets:
            self._selector.unregister(worker.process.channel)
            if not worker.done:
                self._died(worker)
            return
        *lines, worker.pending = (worker.pending + octets).split(b"\n")
        if len(worker.pending) > _LONGEST_MESSAGE:
            raise DocumentError(causes.DOCUMENT_WORKER_DIED, "it said too much")
        for line in lines:
            try:
                self._take(worker, json.loads(line))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise DocumentError(
                    causes.DOCUMENT_WORKER_DIED, f"it said {line[:80]!r}: {error!r}"
                ) from None

    def _died(self, worker: _Worker) -> None:
        code = worker.process.wait(_DEATH_SECONDS) or 0
        if code == -signal.SIGXCPU:
            raise DocumentError(causes.DOCUMENT_TIMED_OUT, "its processor time is used up")
        if code == MEMORY_EXIT:
            raise DocumentError(causes.DOCUMENT_MEMORY, "a library that was refused memory ended its worker")
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        # The kernel kills so when memory runs out, and people do; a worker's own limits end it otherwise.
        killed = code in {-signal.SIGKILL, -signal.SIGTERM}
        cause = causes.DOCUMENT_WORKER_KILLED if killed else causes.DOCUMENT_WORKER_DIED
        raise WorkerDiedError(cause, how, killed=killed)

    def _take(self, worker: _Worker, message: dict[str, Any]) -> None:
        if "page" in message:
            page = self._checked(worker, message)
            self._made[page.number] = page
        elif "total" in message:
            total = int(message["total"])
            if not 0 < total <= self._limits.pages or self._total not in {None, total}:
                raise ValueError("an impossible number of pages")
            self._total = total
        elif "typeset" in message:
            key, offset, octets, remarks = message["typeset"]
            if len(self._typeset) < MOST_TYPESET:
                self._typeset[str(key)] = [int(offset), int(octets), to_json(from_json(remarks))]
        elif "remarks" in message:
            for remark in from_json(message["remarks"]):
                if len(self._remarks) < MOST_REMARKS:
                    self._remarks[remark] = None
        elif "opened" in message:
            worker.opened = min(int(message["opened"]) + 1, len(self._sources))
            self._counts[worker.opened - 1] = int(message["count"])
        elif "error" in message:
            source = message["source"]
            raise DocumentError(
                cause_of(message["error"]),
                str(message["detail"])[:300],
                source if isinstance(source, int) and 0 <= source < len(self._sources) else None,
            )
        elif message["done"]:
            worker.done = True
            worker.process.kill()  # so that all end together

    def _checked(self, worker: _Worker, message: dict[str, Any]) -> RenderedPage:
        width, height = message["size"]
        page = RenderedPage(
            int(message["page"]),
            worker.file,
            int(message["offset"]),
            int(message["octets"]),
            int(message["width"]),
            int(message["rows"]),
            PageSize(float(width), float(height)),
            None if message["source"] is None else int(message["source"]),
            int(message["source_page"]),
        )
        form = self._options.format
        widths = {pixels[form.resolution.x_dpi] for pixels in SCAN_LINE_PIXELS.values()}
        written = os.fstat(worker.output.fileno()).st_size
        if (
            self._total is None
            or not 0 <= page.number < self._total
            or page.number in self._made
            or page.width not in widths
            or not 0 < page.rows <= most_rows(form)
            or not (page.source is None or 0 <= page.source < len(self._sources))
            or not 0 <= page.offset <= page.offset + page.octets <= written
        ):
            raise ValueError("an impossible page")
        return page
