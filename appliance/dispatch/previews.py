"""``Previews``: drafts of faxes, whose pages are rendered for inspection and sent without rendering again.

A preview is a folder ``previews/ID`` with the uploaded files (``file-N``), ``preview.json``, and the pages
of the last rendering (``pages-N``).  It survives a restart, belongs to one owner, and is deleted when it was
sent, discarded, or not touched for a week.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import shutil
import threading
import uuid as uuids
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from appliance import at_rest, durable
from appliance.box import Box
from appliance.dispatch.causes import TOO_MANY_DRAFTS
from appliance.dispatch.making import render_options, sources
from appliance.documents.options import LIGHTEST, Limits
from appliance.documents.render import render
from appliance.documents.rendered import RenderedDocument
from appliance.language import said
from appliance.net.settings import ApiSettings
from appliance.services.causes import TOO_BUSY
from appliance.services.rules import RefusedError, To
from appliance.spool.errors import NotFoundError
from appliance.spool.folders import DOCUMENTS, RENDERED
from appliance.spool.model import DAY_S, SourceFile
from appliance.spool.options import SendOptions, options_from_json, options_json

_log = logging.getLogger(__name__)

FOLDER = "previews"
RECORD = "preview.json"
# Most drafts of one owner, and how long an untouched one is kept, seconds.
EACH = 20
KEPT_S = 7 * DAY_S
# Renderings of previews at once, and how long one waits to begin, seconds.
AT_ONCE = 2
TURN_S = 60.0
# Locks for changes of previews, each shared by those that fall to it.
CHANGE_LOCKS = 64
# Time limit of a rendering, seconds; shorter than that of a fax, because a person waits for it.
WALL_S = 120.0
# Limit of the client's own data of a preview (``form``), characters of JSON.
FORM_LIMIT = 40_000
_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class PageChoice:
    """A page of the fax: page ``page`` (from 1) of file ``file`` (from 0), and its look.

    ``turn`` is in quarter turns.
    """

    file: int
    page: int
    turn: int = 0
    treatment: str = ""
    lightness: int = 0


NOBODY = To("")


@dataclass(frozen=True, slots=True)
class Preview:
    """A draft.  ``choices``: the pages in order, without the cover; ``version``: number of renderings."""

    id: str
    owner: str
    created_at: float
    touched_at: float
    files: tuple[SourceFile, ...]
    counts: tuple[int, ...] = ()  # pages of each file
    choices: tuple[PageChoice, ...] = ()
    options: SendOptions = field(default_factory=SendOptions)
    to: To = NOBODY  # whom the cover page names
    send_at: float | None = None  # Unix time shown on the pages; None: that of rendering
    version: int = 0
    form: Mapping[str, Any] = field(default_factory=dict)


class Previews:
    """The previews of a box.  Thread-safe; methods that render block meanwhile."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._folder = box.data / FOLDER
        self._lock = threading.Lock()
        # One change of a preview at a time: each takes the next version of its pages.
        self._changes = [threading.Lock() for _ in range(CHANGE_LOCKS)]
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._previews = self._load()

    # -- reading -------------------------------------------------------------------------------

    def get(self, preview_id: str, owner: str) -> Preview:
        """The preview with this id.  Raises NotFoundError, also when it belongs to another owner."""
        with self._lock:
            found = self._previews.get(preview_id)
        if found is None or found.owner != owner:
            raise NotFoundError("no such preview")
        return found

    def of(self, owner: str) -> list[Preview]:
        """The previews of an owner, the most recently touched first."""
        with self._lock:
            mine = [preview for preview in self._previews.values() if preview.owner == owner]
        return sorted(mine, key=lambda preview: -preview.touched_at)

    def pages(self, preview: Preview) -> RenderedDocument:
        """The pages of the last rendering.  Raises NotFoundError."""
        try:
            return RenderedDocument.open(self._place(preview.id) / f"pages-{preview.version}")
        except (OSError, ValueError):
            raise NotFoundError("its pages are no longer kept") from None

    # -- putting together ----------------------------------------------------------------------

    def create(
        self,
        owner: str,
        files: Sequence[SourceFile],
        options: SendOptions,
        to: To,
        *,
        send_at: float | None = None,
        form: Mapping[str, Any] | None = None,
    ) -> Preview:
        """Makes a preview of stored files, which are moved into it.

        Raises RefusedError, DocumentError or DiskFullError; the files are then deleted and nothing is kept.
        """
        now = self._box.clock()
        made = Preview(uuids.uuid4().hex, owner, now, now, (), options=options, to=to, send_at=send_at)
        made = replace(made, form=form or {})
        self._drop_old(now)
        if len(self.of(owner)) >= EACH:
            self._box.documents.discard_files(files)
            raise RefusedError(TOO_MANY_DRAFTS, f"({EACH})")
        durable.make_folder(self._place(made.id))
        try:
            return self._make(self._with_files(made, files))
        except BaseException:
            shutil.rmtree(self._place(made.id), ignore_errors=True)
            raise

    def add(self, preview: Preview, files: Sequence[SourceFile]) -> Preview:
        """Adds files after those present.  Raises as ``create``; the preview is then unchanged."""
        with self._alone(preview) as present:
            return self._make(self._with_files(present, files))

    def change(
        self,
        preview: Preview,
        *,
        choices: Sequence[PageChoice] | None = None,
        options: SendOptions | None = None,
        to: To | None = None,
        send_at: float | None = None,
        form: Mapping[str, Any] | None = None,
        again: bool = False,
    ) -> Preview:
        """Changes pages, options, recipient, time or form data; renders again if the pages depend on it.

        With ``again`` it always renders (the time in the header changes).  Raises RefusedError,
        DocumentError, DiskFullError, and ValueError for pages that do not exist.
        """
        with self._alone(preview) as present:
            changed = replace(
                present,
                choices=present.choices if choices is None else self._checked(present, choices),
                options=present.options if options is None else options,
                to=present.to if to is None else to,
                send_at=send_at,
                form=present.form if form is None else form,
            )
            if again or self._look(changed) != self._look(present):
                return self._make(changed)
            return self._keep(replace(changed, touched_at=self._box.clock()))

    def drop(self, preview: Preview) -> None:
        """Deletes the preview and its files."""
        with self._lock:
            self._previews.pop(preview.id, None)
        shutil.rmtree(self._place(preview.id), ignore_errors=True)

    def hand_over(self, preview: Preview) -> tuple[tuple[SourceFile, ...], str]:
        """The files and the folder of the pages for a fax (hard links); the preview remains until ``drop``.

        Raises NotFoundError when the pages are gone.
        """
        pages = self.pages(preview)
        folder = self._box.data / RENDERED / uuids.uuid4().hex
        folder.mkdir(mode=0o750)
        for path in pages.directory.iterdir():
            os.link(path, folder / path.name)
        durable.fsync_folder(folder)
        durable.fsync_folder(folder.parent)
        linked = []
        for file in preview.files:
            stored = f"{DOCUMENTS}/{uuids.uuid4()}"
            os.link(self._box.data / file.path, self._box.data / stored)
            linked.append(replace(file, path=stored))
        durable.fsync_folder(self._box.data / DOCUMENTS)
        files = _grouped(linked, preview.choices)
        for file in linked:
            if all(kept.path != file.path for kept in files):
                (self._box.data / file.path).unlink(missing_ok=True)  # no page of it was chosen
        return files, f"{RENDERED}/{folder.name}"

    # -- inside --------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _alone(self, preview: Preview) -> Iterator[Preview]:
        """A context in which nobody else changes this preview; gives it as it is by now.

        Raises NotFoundError for one that was dropped meanwhile, RefusedError when others take too long.
        """
        with _turn(self._changes[hash(preview.id) % len(self._changes)]):
            with self._lock:
                present = self._previews.get(preview.id)
            if present is None:
                raise NotFoundError("no such preview")
            yield present

    def _place(self, preview_id: str) -> Path:
        return self._folder / preview_id

    def _with_files(self, preview: Preview, files: Sequence[SourceFile]) -> Preview:
        """Moves stored files into the preview's folder."""
        moved = list(preview.files)
        for file in files:
            path = f"{FOLDER}/{preview.id}/file-{uuids.uuid4().hex}"
            (self._box.data / file.path).rename(self._box.data / path)
            moved.append(replace(file, path=path))
        durable.fsync_folder(self._place(preview.id))
        return replace(preview, files=tuple(moved))

    def _make(self, preview: Preview) -> Preview:
        """Renders the pages in worker processes, and replaces those of the rendering before."""
        with _turn(self._turns):
            version = preview.version + 1
            target = self._place(preview.id) / f"pages-{version}"
            shutil.rmtree(target, ignore_errors=True)
            known = len(preview.counts)
            files = (*_grouped(preview.files, preview.choices), *preview.files[known:])
            due = max(preview.send_at or 0.0, self._box.clock())
            options = render_options(self._box, preview.owner, preview.options, preview.to, due)
            limits = Limits(
                pages=self._box.settings.section(ApiSettings).pages_per_fax,
                wall_seconds=WALL_S,
            )
            document = render(sources(self._box.data, files), target, options, limits=limits)
        first = len(files) - len(preview.files[known:])  # index of the first added file
        added = [
            PageChoice(known + page.source - first, page.source_page)
            for page in document.pages
            if page.source is not None and page.source >= first
        ]
        counts = [*preview.counts, *(0 for _ in preview.files[known:])]
        for choice in added:
            counts[choice.file] += 1
        made = replace(
            preview,
            version=version,
            counts=tuple(counts),
            choices=(*preview.choices, *added),
            touched_at=self._box.clock(),
        )
        kept = self._keep(made)
        for old in self._place(preview.id).glob("pages-*"):
            if old != target:
                shutil.rmtree(old, ignore_errors=True)
        return kept

    def _keep(self, preview: Preview) -> Preview:
        path = self._place(preview.id) / RECORD
        at_rest.write_file(path, json.dumps(_to_json(preview)).encode())
        with self._lock:
            self._previews[preview.id] = preview
        return preview

    @staticmethod
    def _look(preview: Preview) -> tuple[Any, ...]:
        """Everything that the pages depend on."""
        to = preview.to if preview.options.cover is not None else None
        return preview.choices, preview.options, to, preview.send_at

    @staticmethod
    def _checked(preview: Preview, choices: Sequence[PageChoice]) -> tuple[PageChoice, ...]:
        for choice in choices:
            if not 0 <= choice.file < len(preview.counts):
                raise ValueError(said("there is no file {file}").format(file=choice.file))
            if not 1 <= choice.page <= preview.counts[choice.file]:
                sentence = said("there is no page {page} of file {file}")
                raise ValueError(sentence.format(page=choice.page, file=choice.file))
        if not choices and preview.options.cover is None:
            raise ValueError(said("at least one page is needed"))
        return tuple(
            replace(choice, turn=choice.turn % 4, lightness=max(-LIGHTEST, min(LIGHTEST, choice.lightness)))
            for choice in choices
        )

    def _drop_old(self, now: float) -> None:
        with self._lock:
            old = [each for each in self._previews.values() if each.touched_at < now - KEPT_S]
        for preview in old:
            self.drop(preview)

    def _load(self) -> dict[str, Preview]:
        durable.make_folder(self._folder)
        found: dict[str, Preview] = {}
        for place in self._folder.iterdir():
            try:
                preview = _from_json(json.loads(at_rest.read_bytes(place / RECORD)))
                if place.name != preview.id or not _ID.fullmatch(preview.id):
                    raise ValueError(said("it is in another's place"))
            except (OSError, ValueError, TypeError, KeyError) as error:
                _log.info("the preview %s was never whole: %s", place.name, error)
                shutil.rmtree(place, ignore_errors=True)
                continue
            found[preview.id] = preview
        return found


def _grouped(files: Sequence[SourceFile], choices: Sequence[PageChoice]) -> tuple[SourceFile, ...]:
    """The chosen pages in order, as files with selected pages; adjacent ones of equal look are joined."""
    grouped: list[SourceFile] = []
    last: tuple[Any, ...] = ()
    for choice in choices:
        this = (choice.file, choice.turn, choice.treatment, choice.lightness)
        if this == last:
            grouped[-1] = replace(grouped[-1], pages=(*grouped[-1].pages, str(choice.page)))
        else:
            grouped.append(
                replace(
                    files[choice.file],
                    pages=(str(choice.page),),
                    turn=choice.turn,
                    treatment=choice.treatment,
                    lightness=choice.lightness,
                )
            )
        last = this
    return tuple(grouped)


@contextlib.contextmanager
def _turn(turns: threading.Lock | threading.BoundedSemaphore) -> Iterator[None]:
    """Raises RefusedError when none comes within TURN_S."""
    if not turns.acquire(timeout=TURN_S):
        raise RefusedError(TOO_BUSY, "(other previews)")
    try:
        yield
    finally:
        turns.release()


def _to_json(preview: Preview) -> dict[str, Any]:
    data = asdict(replace(preview, options=SendOptions()))
    return {**data, "options": json.loads(options_json(preview.options))}


def _from_json(data: dict[str, Any]) -> Preview:
    files = tuple(SourceFile(**{**file, "pages": tuple(file["pages"])}) for file in data.pop("files"))
    choices = tuple(PageChoice(**choice) for choice in data.pop("choices"))
    options = options_from_json(json.dumps(data.pop("options")))
    to, counts = To(**data.pop("to")), tuple(data.pop("counts"))
    return Preview(**data, files=files, choices=choices, options=options, to=to, counts=counts)
