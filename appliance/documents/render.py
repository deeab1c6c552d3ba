"""Rendering a document: starts the workers, supervises them, keeps their pages.

The result is a directory, made under another name and renamed when complete: files of coded pages
(MMR), and ``manifest.json`` that says where each page is and from what it was made.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import selectors
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import IO, Any

from appliance import at_rest
from appliance.causes import cause_of
from appliance.documents.bounded import MEMORY_EXIT
from appliance.documents.causes import (
    DOCUMENT_DAMAGED,
    DOCUMENT_EMPTY,
    DOCUMENT_GONE,
    DOCUMENT_MEMORY,
    DOCUMENT_STORAGE,
    DOCUMENT_TIMED_OUT,
    DOCUMENT_TOO_LARGE,
    DOCUMENT_TOO_MANY_PAGES,
    DOCUMENT_WORKER_DIED,
    DOCUMENT_WORKER_KILLED,
)
from appliance.documents.errors import DocumentError, WorkerDiedError
from appliance.documents.fork_server import MOST_FILES, ForkServerError, Worker, start_worker
from appliance.documents.geometry import PageSize, most_rows
from appliance.documents.options import (
    PLAIN,
    Limits,
    Look,
    RenderOptions,
    Source,
    options_from_json,
    options_to_json,
)
from appliance.documents.places import Places, memory_octets, places_for
from appliance.documents.workshop import CLAIM, MOST_TYPESET
from appliance.durable import TooLargeError
from appliance.remarks import MOST_REMARKS, Remark, from_json, to_json
from appliance.t4.page import SCAN_LINE_PIXELS, CodedPage, Coding, Resolution

_log = logging.getLogger(__name__)

MANIFEST = "manifest.json"
TYPESET = "typeset"
_VERSION = 1
_PASSING = ".passing"  # folder beside the pages for temporary files of workers

# A second worker has to open the document again, which pays from so many pages on.
_PARALLEL_FROM = 4  # pages
# Of a machine's memory for each worker: three times what one alone may take (`Limits.memory_octets`).
_ROOM_OCTETS = 768 << 20
# The workers of this process, for all renderings.
PLACES = Places(places_for(_ROOM_OCTETS, len(os.sched_getaffinity(0)), memory_octets()))
# Tries of a document whose worker dies.  Twice by a crash: the document causes it.  Killed from outside says
# nothing about the document, but tries must end.
OWN_TRIES, KILLED_TRIES = 2, 3
MOST_SOURCES = MOST_FILES - 3  # files of one fax

# Octets of one line from a worker, with the most remarks possible.
_LONGEST_MESSAGE = 1 << 18
# A worker that used less than this share of a processor during a whole time limit is hanging.
_STILL_SHARE = 0.005
_DEATH_SECONDS = 5.0  # for a worker that has closed its output to end


@dataclass(frozen=True, slots=True)
class RenderedPage:
    """Where page ``number`` (from 0) is stored, and the size of the page it was made from."""

    number: int
    file: str
    offset: int
    octets: int
    width: int
    rows: int
    size: PageSize
    source: int | None = None  # of ``sources``; None: the cover page
    source_page: int = 1


@dataclass(frozen=True, slots=True)
class RenderedDocument:
    """A rendered document on disk.  ``pages`` are some or all of the ``total`` pages of the fax.

    ``remarks`` say what of the document is not on those pages, or may look different.
    """

    directory: Path
    options: RenderOptions
    sources: tuple[Source, ...]
    total: int
    pages: tuple[RenderedPage, ...]
    remarks: tuple[Remark, ...] = ()

    @property
    def resolution(self) -> Resolution:
        return self.options.format.resolution

    def coded_page(self, index: int) -> CodedPage:
        """Page ``index`` of ``pages`` as MMR.  Raises OSError when it cannot be read."""
        page = self.pages[index]
        with at_rest.open_file(self.directory / page.file) as file:
            file.seek(page.offset)
            data = file.read(page.octets)
        if len(data) != page.octets:
            raise OSError(f"{self.directory / page.file} ends within page {page.number + 1}")
        return CodedPage(Coding.MMR, self.resolution, page.width, page.rows, data)

    def coded_pages(self) -> Iterator[CodedPage]:
        """Every page, one at a time."""
        return (self.coded_page(index) for index in range(len(self.pages)))

    @classmethod
    def open(cls, directory: Path) -> RenderedDocument:
        """The document that `render` left in ``directory``.  Raises OSError or ValueError."""
        data = json.loads(at_rest.read_bytes(directory / MANIFEST))
        try:
            if data["version"] != _VERSION:
                raise ValueError(f"a manifest of version {data['version']}")
            return cls(
                directory,
                options_from_json(data["options"]),
                tuple(_source(s) for s in data["sources"]),
                data["total"],
                tuple(RenderedPage(**{**page, "size": PageSize(*page["size"])}) for page in data["pages"]),
                from_json(data.get("remarks", ())),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"{directory / MANIFEST} is damaged: {error!r}") from error

    def _write_manifest(self, directory: Path) -> None:
        data = {
            "version": _VERSION,
            "options": options_to_json(self.options),
            "sources": [
                {
                    "path": str(s.path),
                    "pages": s.pages,
                    "name": s.name,
                    "look": s.look.to_json(),
                    "media_type": s.media_type,
                }
                for s in self.sources
            ],
            "total": self.total,
            "pages": [{**asdict(p), "size": [p.size.width, p.size.height]} for p in self.pages],
            "remarks": to_json(self.remarks),
        }
        with (directory / MANIFEST).open("w", encoding="utf-8") as file:
            json.dump(data, file, indent=1)
            file.flush()
            os.fsync(file.fileno())


def _source(data: Mapping[str, Any]) -> Source:
    look = Look.from_json(data["look"]) if "look" in data else PLAIN
    return Source(Path(data["path"]), data["pages"], data["name"], look, data.get("media_type", ""))


def render(
    sources: Sequence[Source],
    target: Path,
    options: RenderOptions | None = None,
    *,
    limits: Limits | None = None,
    workers: int | None = None,
    pages: tuple[int, int | None] = (0, None),
    progress: Callable[[int, int], None] | None = None,
) -> RenderedDocument:
    """Renders ``sources``, one after the other, into the fax pages of the directory ``target``.

    ``target`` must not exist; its parent must.  ``workers`` limits the processes that share a long
    document (the machine's processors when None).  ``pages`` is the range of the fax's pages to make (from,
    up to but not including).  ``progress`` is called with (pages made, pages in all).  Blocks: call it from
    a thread of its own.

    A document whose worker died, or needed more memory than one of several may have, is tried again with
    another, alone, and refused when that does not suffice, or was killed by itself, too.

    Raises DocumentError for everything a document, a worker or the storage can do wrong (nothing is left
    behind then), ValueError for a call without sources and cover.
    """
    options, limits = options or RenderOptions(), limits or Limits()
    if not sources and options.cover is None:
        raise ValueError("nothing to render")
    if len(sources) > MOST_SOURCES:
        raise DocumentError(DOCUMENT_TOO_MANY_PAGES, f"{len(sources)} files")
    made = partial(_made, sources, target, options, limits, pages, progress)
    attempt = 1
    while True:
        alone = attempt > 1
        try:
            with PLACES.first(alone=alone):
                return made(1 if alone else workers or available_workers(), alone)
        except WorkerDiedError as died:
            if attempt >= (KILLED_TRIES if died.killed else OWN_TRIES):
                raise
            _log.warning("a document worker died (%s): its document is tried again, alone", died.detail)
        except DocumentError as refused:
            if alone or refused.cause is not DOCUMENT_MEMORY:
                raise
            _log.info("a document needs more memory (%s): it is tried again, alone", refused.detail)
        attempt += 1


def _made(  # noqa: PLR0917 - what ``render`` was asked for
    sources: Sequence[Source],
    target: Path,
    options: RenderOptions,
    limits: Limits,
    pages: tuple[int, int | None],
    progress: Callable[[int, int], None] | None,
    workers: int,
    alone: bool,
) -> RenderedDocument:
    """One try of `render`."""
    try:
        passing = at_rest.passing(target.parent)
        scratch = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=passing))
    except OSError as error:
        raise DocumentError(DOCUMENT_STORAGE, str(error)) from error
    try:
        with _Rendering(sources, scratch, options, limits, pages, alone=alone) as rendering:
            total, made = rendering.run(workers, progress)
            remarks = rendering.remarks()
        document = RenderedDocument(scratch, options, tuple(sources), total, made, remarks)
        document._write_manifest(scratch)
        at_rest.settle(scratch, target)
    except OSError as error:
        raise DocumentError(DOCUMENT_STORAGE, str(error)) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)  # after success it was renamed
    return replace(document, directory=target)


def available_workers() -> int:
    """How many workers this machine has processors and memory for."""
    return PLACES.total


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


class _Rendering:
    """The workers of one call of `render`."""

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
        (scratch / _PASSING).mkdir(mode=0o700)
        self._typeset: dict[str, list[Any]] = {}  # contents of that file, see ``workshop``
        self._total: int | None = None
        self._made: dict[int, RenderedPage] = {}
        self._remarks: dict[Remark, None] = {}  # ordered set: every worker opens the files and remarks again

    def __enter__(self) -> _Rendering:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.end()
        self._further.close()
        self._selector.close()
        self._claims.close()
        self._typesets.close()
        (self._scratch / TYPESET).unlink(missing_ok=True)
        # A worker that was killed, or ended without tidying up, leaves temporary files of its libraries.
        shutil.rmtree(self._scratch / _PASSING, ignore_errors=True)

    def run(
        self, workers: int, progress: Callable[[int, int], None] | None
    ) -> tuple[int, tuple[RenderedPage, ...]]:
        """Renders all pages; returns the fax's total and the pages made, in order."""
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
        """What grows as long as the workers get on."""
        return len(self._made), len(self._typeset), *(worker.opened for worker in self._workers)

    def _used(self) -> dict[_Worker, float]:
        """Processor seconds of each worker that runs."""
        return {each: each.process.processor_seconds() for each in self._workers if not each.done}

    def _late(self, used: dict[_Worker, float]) -> DocumentError:
        """The error for no page within the time limit, since which the workers have ``used`` processors."""
        made = f"{len(self._made)} of {self._total} pages made"
        still = min(self._limits.page_seconds, self._limits.wall_seconds) * _STILL_SHARE
        # Children of a worker do not count: their own limits end earlier.
        if all(now - used.get(worker, 0.0) < still for worker, now in self._used().items()):
            return WorkerDiedError(DOCUMENT_WORKER_DIED, f"it stands still, {made}", killed=False)
        return DocumentError(DOCUMENT_TIMED_OUT, made)

    def remarks(self) -> tuple[Remark, ...]:
        """The remarks on the document as a whole, then those on its pages, in order."""
        return tuple(sorted(self._remarks, key=lambda remark: remark.page or 0))

    def _asked(self) -> int:
        first, stop = self._range
        return max(0, min(self._total or 0, stop if stop is not None else self._total or 0) - first)

    def _result(self) -> tuple[int, tuple[RenderedPage, ...]]:
        first = self._range[0]
        if self._total is None or sorted(self._made) != list(range(first, first + self._asked())):
            raise DocumentError(DOCUMENT_WORKER_DIED, f"made {len(self._made)} of {self._total} pages")
        if not self._made:
            raise DocumentError(DOCUMENT_EMPTY, f"no page {first + 1} of {self._total}")
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
                raise WorkerDiedError(DOCUMENT_WORKER_KILLED, how, killed=True) from error
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
            "scratch": str(self._scratch / _PASSING),
            "typeset": self._typeset,
            "options": options_to_json(self._options),
            "limits": asdict(self._limits),
            "alone": self._alone,
            "range": self._range,
        }
        with contextlib.suppress(OSError):  # a dead worker is noticed when its channel is read
            process.channel.sendall(json.dumps(job).encode() + b"\n")
        process.channel.setblocking(False)
        self._selector.register(process.channel, selectors.EVENT_READ, worker)

    def _open(self, number: int, source: Source) -> IO[bytes]:
        try:
            return at_rest.open_plain(source.path, self._limits.file_octets)
        except at_rest.SealedError as error:
            raise DocumentError(DOCUMENT_DAMAGED, str(error), number) from error
        except OSError as error:
            raise DocumentError(DOCUMENT_GONE, str(error), number) from error
        except TooLargeError as error:
            raise DocumentError(DOCUMENT_TOO_LARGE, str(error), number) from error

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
            raise DocumentError(DOCUMENT_WORKER_DIED, "it said too much")
        for line in lines:
            try:
                self._take(worker, json.loads(line))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise DocumentError(DOCUMENT_WORKER_DIED, f"it said {line[:80]!r}: {error!r}") from None

    def _died(self, worker: _Worker) -> None:
        code = worker.process.wait(_DEATH_SECONDS) or 0
        if code == -signal.SIGXCPU:
            raise DocumentError(DOCUMENT_TIMED_OUT, "its processor time is used up")
        if code == MEMORY_EXIT:
            raise DocumentError(DOCUMENT_MEMORY, "a library that was refused memory ended its worker")
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        # The kernel kills so when memory runs out, and people do; a worker's own limits end it otherwise.
        killed = code in {-signal.SIGKILL, -signal.SIGTERM}
        cause = DOCUMENT_WORKER_KILLED if killed else DOCUMENT_WORKER_DIED
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
            os.fsync(worker.output.fileno())

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
