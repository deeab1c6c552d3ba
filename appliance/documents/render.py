"""Renders a document to fax pages, with retries, into a directory that is either complete or missing.

The directory is made under another name and renamed when complete (``rendered``).
"""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from appliance import at_rest
from appliance.documents import causes
from appliance.documents.errors import DocumentError, WorkerDiedError
from appliance.documents.options import Limits, RenderOptions, Source
from appliance.documents.rendered import RenderedDocument
from appliance.documents.workers.fork_server import MOST_FILES
from appliance.documents.workers.rendering import PLACES, Rendering

_log = logging.getLogger(__name__)

# Tries of a document whose worker dies.  Two crashes mean that the document causes them.  A kill from outside
# says nothing about the document, but the tries must end.
OWN_TRIES, KILLED_TRIES = 2, 3
MOST_SOURCES = MOST_FILES - 3  # files of one fax


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

    A document whose worker died, or needed more memory than one of several may have, is tried again by
    another worker, alone, and refused if that fails too.

    Raises DocumentError for everything a document, a worker or the storage can do wrong (nothing is left
    behind then), ValueError for a call without sources and cover.
    """
    options, limits = options or RenderOptions(), limits or Limits()
    if not sources and options.cover is None:
        raise ValueError("nothing to render")
    if len(sources) > MOST_SOURCES:
        raise DocumentError(causes.DOCUMENT_TOO_MANY_PAGES, f"{len(sources)} files")
    made = partial(_made, sources, target, options, limits, pages, progress)
    attempt = 1
    while True:
        alone = attempt > 1
        try:
            with PLACES.first(alone=alone):
                return made(1 if alone else workers or PLACES.total, alone)
        except WorkerDiedError as died:
            if attempt >= (KILLED_TRIES if died.killed else OWN_TRIES):
                raise
            _log.warning("a document worker died (%s): its document is tried again, alone", died.detail)
        except DocumentError as refused:
            if alone or refused.cause is not causes.DOCUMENT_MEMORY:
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
        root = at_rest.temporary_root(target.parent)
        scratch = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=root))
    except OSError as error:
        raise DocumentError(causes.DOCUMENT_STORAGE, str(error)) from error
    try:
        with Rendering(sources, scratch, options, limits, pages, alone=alone) as rendering:
            total, made = rendering.run(workers, progress)
            remarks = rendering.remarks()
            document = RenderedDocument(scratch, options, tuple(sources), total, made, remarks)
            document.write_manifest(scratch)
            rendering.clear()
            at_rest.settle(scratch, target)  # while the workers end
    except OSError as error:
        raise DocumentError(causes.DOCUMENT_STORAGE, str(error)) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)  # after success it was renamed
    return replace(document, directory=target)
