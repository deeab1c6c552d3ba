"""The worker process: reads one job, limits itself, renders pages, reports line by line.

It is forked by the fork server and given open files only: one to append coded pages to, a small one from
which workers of the same job claim page numbers, one for what is typeset, and the sources to read, in
this order.  Its environment reveals nothing about the box, and it ends with its parent.  Its reports are as
untrusted as the documents it reads; the parent checks them.

The channel brings the job, one line of JSON, and takes reports, lines of JSON, each with one of
``opened`` (a source, with the ``count`` of its pages), ``total`` (pages of the fax), ``page`` (a page is in
the file), ``remarks`` (on a page or a document), ``error`` (a code of the table), ``typeset`` (a PDF that
other workers need not make again), ``done``.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import resource
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image

from appliance import limited
from appliance.causes import Cause
from appliance.documents import _memory
from appliance.documents.bilevel.screen import bilevel, is_seen, look_at
from appliance.documents.bounded import MEMORY_EXIT
from appliance.documents.causes import DOCUMENT_MEMORY, DOCUMENT_STORAGE, DOCUMENT_TOO_LARGE
from appliance.documents.drawing import Bitmap, Drawing, PageDrawer, Rect
from appliance.documents.errors import DocumentError
from appliance.documents.geometry import Layout, PageSize, lay_out
from appliance.documents.header import draw_header, strip_rows
from appliance.documents.looks import darkness, turned
from appliance.documents.options import (
    PLAIN,
    HeaderLine,
    Limits,
    Look,
    RenderOptions,
    Treatment,
    options_from_json,
)
from appliance.documents.selection import parse_pages
from appliance.documents.typeset.cover import CoverSource
from appliance.documents.workers.sources import open_source, total_pages
from appliance.documents.workshop import CLAIM, Kept, Workshop
from appliance.remarks import (
    CHOICE_SHORTENED,
    LONGEST_DETAIL,
    LONGEST_FILE_NAME,
    MOST_REMARKS,
    PAGE_WHITE,
    Remark,
    to_json,
)
from appliance.t4.coding import encode
from appliance.t4.page import Coding, Raster

_OPEN_FILES = 1024  # a request's 200, each open up to twice more to be read again, and a few
_COVER = -1  # in place of a source's number


def work(parent: int, channel: int, files: list[int]) -> int:
    """Does the job on ``channel``; ``parent`` is the process to end with.  Returns an exit code."""
    with os.fdopen(os.dup(channel), "rb") as lines:
        job = json.loads(lines.readline())
    limits = Limits(**job["limits"])
    reports = _Reports(channel)
    # Temporary files of libraries (WeasyPrint: a page's fonts) go to a folder that is deleted afterwards.
    tempfile.tempdir = job["scratch"]
    try:
        confine(limits, parent)
        _Job(job, files, limits, reports).run()
    except DocumentError as error:
        reports.fail(error.cause, error.detail, error.source)
    except MemoryError as error:
        reports.fail(DOCUMENT_MEMORY, f"{error}; {limits.memory_octets >> 20} MiB may be used")
    except OSError as error:
        cause = DOCUMENT_TOO_LARGE if error.errno == errno.EFBIG else DOCUMENT_STORAGE
        reports.fail(cause, f"{error}")
    return 0


class _Reports:
    """Writes lines of JSON to the parent."""

    def __init__(self, channel: int) -> None:
        self._channel = channel

    def say(self, **message: Any) -> None:
        line = json.dumps(message).encode() + b"\n"
        while line:
            line = line[os.write(self._channel, line) :]

    def fail(self, cause: Cause, detail: str, source: int | None = None) -> None:
        self.say(error=cause.code, detail=detail[:300], source=source)


def confine(limits: Limits, parent: int) -> None:
    """Permanently gives up resources and privileges that rendering does not need."""
    _memory.exit_with(MEMORY_EXIT)
    limited.control(limited.END_WITH_PARENT, limited.NOT_DUMPABLE, limited.NO_NEW_PRIVILEGES)
    if os.getppid() != parent:
        os._exit(1)  # the parent ended before the request above
    os.setsid()
    for limit, value in (
        (resource.RLIMIT_DATA, limited.data_octets() + limits.memory_octets),
        (resource.RLIMIT_FSIZE, limits.output_octets),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        limited.lower(limit, value)
    limited.lower_cpu(limits.cpu_seconds)


class _Job:
    def __init__(self, job: dict[str, Any], files: list[int], limits: Limits, reports: _Reports) -> None:
        self._limits = limits
        self._reports = reports
        self._options = options_from_json(job["options"])
        self._output, self._claims, typeset, *sources = files
        self._workshop = Workshop(
            typeset,
            Path(job["scratch"]),
            self._options.paper,
            limits,
            known={key: Kept(*kept) for key, kept in job["typeset"].items()},
            report=lambda key, kept: reports.say(typeset=[key, kept.offset, kept.octets, list(kept.remarks)]),
            labels=self._options.labels,
            straighten=self._options.straighten,
            alone=job["alone"],
        )
        self._first, self._stop = job["range"]
        self._offset = 0
        self._sources, self._files = job["sources"], sources
        self._drawers: dict[int, PageDrawer] = {}  # by the number of the source
        self._remarks = 0  # reported so far
        self._cover_treatment, self._cover_header = Treatment.TEXT, False
        self._names = [str(source["name"])[:LONGEST_FILE_NAME] for source in job["sources"]]
        self._looks = [Look.from_json(source["look"]) for source in job["sources"]]
        self._plan = self._planned(job["counts"])

    def _planned(self, counts: list[int]) -> list[tuple[int, int]]:
        """The source (or _COVER) and its page for each page of the fax.  ``counts``: the pages of each
        source, empty when no worker has opened them yet.
        """
        selected: dict[int, list[int]] = {}
        for number, source in enumerate(self._sources):
            try:
                count = counts[number] if counts else self._drawer(number).count
                chosen = parse_pages(source["pages"], count)
            except DocumentError as error:
                raise DocumentError(error.cause, error.detail, number) from None
            selected[number] = chosen.pages
            if chosen.shortened:
                self._remark(
                    number, [Remark(CHOICE_SHORTENED, detail=f"{chosen.shortened} of {count}")], None
                )
            self._reports.say(opened=number, count=count)
        if self._options.cover is not None:
            others = sum(map(len, selected.values()))
            cover = CoverSource(self._options.cover, self._options.paper, self._workshop, others)
            self._cover_treatment = cover.treatment
            # The built-in cover contains everything in a header line; an owner's template may not.
            self._cover_header = bool(self._options.cover.template)
            self._drawers[_COVER] = cover
            selected = {_COVER: list(range(cover.count)), **selected}
        total_pages(list(selected.values()), self._limits)
        return [(number, page) for number, pages in selected.items() for page in pages]

    def _drawer(self, number: int) -> PageDrawer:
        """Source ``number``, opened when first needed."""
        if number not in self._drawers:
            source, descriptor = self._sources[number], self._files[number]
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                # Less than the limit, because the buffer is allocated before it is read.
                octets = os.fstat(descriptor).st_size
                content = file.read(min(octets, self._limits.file_octets) + 1)
            if len(content) > self._limits.file_octets:
                raise DocumentError(DOCUMENT_TOO_LARGE, f"more than {self._limits.file_octets} octets")
            # Opened again, because workers share the position of the inherited file.
            again = f"/proc/self/fd/{descriptor}"
            drawer = open_source(content, source["name"], source["media_type"], self._workshop, again)
            self._drawers[number] = turned(drawer, self._looks[number])
        return self._drawers[number]

    def run(self) -> None:
        total = len(self._plan)
        self._reports.say(total=total)
        for source, opened in self._drawers.items():
            self._remark(source, opened.remarks(None), None)
        stop = total if self._stop is None else min(total, self._stop)
        while (number := claim(self._claims)) < stop:
            source, page = self._plan[number]
            try:
                self._render(number, total, source, page)
            except DocumentError as error:
                shown = None if source == _COVER else source
                raise DocumentError(error.cause, error.detail, shown) from None
        self._reports.say(done=True)

    def _render(self, number: int, total: int, source: int, page: int) -> None:
        is_cover = source == _COVER
        header = self._options.header if not is_cover or self._cover_header else None
        look = PLAIN if is_cover else self._looks[source]
        treatment = self._cover_treatment if is_cover else look.treatment or self._options.treatment
        raster, size, remarks = draw_page(
            self._drawer(source),
            page,
            self._options,
            treatment=treatment,
            header=header,
            count=(number + 1, total),
            look=look,
        )
        self._remark(source, remarks, number + 1)
        coded = encode(raster, Coding.MMR)
        written = 0
        while written < len(coded.data):
            written += os.write(self._output, coded.data[written:])
        self._reports.say(
            page=number,
            offset=self._offset,
            octets=len(coded.data),
            width=coded.width,
            rows=coded.rows,
            size=[round(size.width, 3), round(size.height, 3)],
            source=None if is_cover else source,
            source_page=page + 1,
        )
        self._offset += len(coded.data)

    def _remark(self, source: int, remarks: Iterable[Remark], page: int | None) -> None:
        """Reports the remarks on a page of the fax, or on a source."""
        name = "" if source == _COVER else self._names[source]
        for remark in remarks:
            if self._remarks < MOST_REMARKS:
                self._remarks += 1
                whole = replace(
                    remark, page=page, file=remark.file or name, detail=remark.detail[:LONGEST_DETAIL]
                )
                self._reports.say(remarks=to_json([whole]))


def claim(claims: int) -> int:
    """The number of the next page that no worker has, from the small file open as ``claims``."""
    # A lock of the process (fcntl(2)): flock(2)'s belongs to the open file, which workers of a job share.
    fcntl.lockf(claims, fcntl.LOCK_EX)
    try:
        (number,) = CLAIM.unpack(os.pread(claims, CLAIM.size, 0))
        os.pwrite(claims, CLAIM.pack(number + 1), 0)
    finally:
        fcntl.lockf(claims, fcntl.LOCK_UN)
    return int(number)


def draw_page(
    source: PageDrawer,
    page: int,
    options: RenderOptions,
    *,
    treatment: Treatment,
    header: HeaderLine | None,
    count: tuple[int, int],
    look: Look = PLAIN,
) -> tuple[Raster, PageSize, list[Remark]]:
    """One page in black and white with its header line, its own size, and the remarks on it.

    The header is laid over the page where the page is white there; otherwise the content moves down and is
    scaled down as much as needed.
    """
    size = source.size(page)
    layout = lay_out(size, options.format)
    strip = strip_rows(layout.resolution) if header else 0
    dark = darkness(options.darkness, look)
    drawn = _drawing(source.draw(page, layout))
    data = _data(drawn, layout, treatment, dark)
    if header and any(data[: strip * ((drawn.width + 7) // 8)]):
        layout = lay_out(size, options.format, strip)
        drawn = _drawing(source.draw(page, layout))
        data = _data(drawn, layout, treatment, dark)
    remarks = list(source.remarks(page))
    if data == bytes(len(data)) and isinstance(drawn, Drawing) and is_seen(drawn):
        remarks.append(Remark(PAGE_WHITE))
    if header:
        line = draw_header(header, *count, drawn.width, layout.resolution)
        above = _data(_drawing(line), layout, Treatment.TEXT, 0)
        data = above + data[len(above) :]
    return Raster(drawn.width, drawn.rows, data, layout.resolution), size, remarks


def _drawing(drawn: Image.Image | Drawing | Bitmap) -> Drawing | Bitmap:
    """What a source drew; an image contains type only, for which a threshold is enough."""
    if not isinstance(drawn, Image.Image):
        return drawn
    drawing = Drawing.of_image(drawn, Rect(0, 0, *drawn.size))
    return replace(drawing, looked_at=look_at(drawing.draw(0, drawing.rows), *drawn.size))


def _data(drawn: Drawing | Bitmap, layout: Layout, treatment: Treatment, darkness: int) -> bytes:
    if isinstance(drawn, Bitmap):
        return drawn.data
    return bilevel(drawn, layout.resolution, treatment, darkness)
