"""Faxes of the same document share its pages, unless those are damaged on the disk."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.box import Box
from appliance.configuration import open_box
from appliance.dispatch import prepare
from appliance.dispatch.prepare import Preparer, _render
from appliance.documents.rendered import RenderedDocument
from appliance.services.faxes import Request
from appliance.services.rules import To
from appliance.spool.folders import RENDERED
from appliance.spool.model import Job, JobState

LIMIT_S = 120.0  # only for hangs


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    box = open_box(tmp_path / "data", clock=lambda: 1_800_000_000.0)  # a header that shows the same minute
    preparer = Preparer(box)
    preparer.start()
    try:
        yield box
    finally:
        preparer.stop()
        box.close()


def prepared(box: Box) -> Job:
    """A fax of the one document, once its pages are there."""
    file = box.documents.store_file(b"Dear Bob", name="letter.txt", media_type="text/plain")
    made = box.faxes.submit(Request(owner="ada", to=(To("+493012345"),), files=(file,))).jobs[0]
    end = time.monotonic() + LIMIT_S
    while box.faxes.get(made.id).state is JobState.PREPARING:
        assert time.monotonic() < end, "it was never prepared"
        time.sleep(0.02)
    return box.faxes.get(made.id)


def page_file(box: Box, job: Job) -> Path:
    folder = box.data / job.rendered_path
    return max(
        (path for path in folder.iterdir() if path.suffix != ".json"), key=lambda path: path.stat().st_size
    )


def test_pages_are_shared_while_they_are_whole(box: Box) -> None:
    first = prepared(box)
    assert prepared(box).rendered_path == first.rendered_path


def test_pages_of_a_fax_that_is_cancelled_while_they_are_made_are_not_kept(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, cancelled = threading.Event(), threading.Event()

    def render_slowly(*what: Any, **more: Any) -> RenderedDocument:
        document = _render(*what, **more)
        made.set()
        assert cancelled.wait(LIMIT_S)
        return document

    monkeypatch.setattr(prepare, "_render", render_slowly)
    file = box.documents.store_file(b"Dear Bob", name="letter.txt", media_type="text/plain")
    job = box.faxes.submit(Request(owner="ada", to=(To("+493012345"),), files=(file,))).jobs[0]
    assert made.wait(LIMIT_S)
    folder = box.data / RENDERED
    assert list(folder.iterdir())
    box.faxes.cancel(job.id)
    cancelled.set()
    end = time.monotonic() + LIMIT_S
    while list(folder.iterdir()):
        assert time.monotonic() < end, "the pages stay"
        time.sleep(0.02)
    # The same document again: nothing is shared with what is gone.
    assert prepared(box).state is JobState.WAITING


@pytest.mark.parametrize("harm", ["changed", "cut", "gone", "all gone"])
def test_damaged_pages_are_not_shared_but_made_anew(box: Box, harm: str) -> None:
    first = prepared(box)
    page = page_file(box, first)
    whole = page.read_bytes()
    match harm:
        case "changed":
            page.write_bytes(whole[:-20] + bytes([whole[-20] ^ 0xFF]) + whole[-19:])
        case "cut":
            page.write_bytes(whole[: len(whole) // 2])
        case "gone":
            page.unlink()
        case "all gone":
            shutil.rmtree(page.parent)
    again = prepared(box)
    assert again.state is JobState.WAITING
    assert again.rendered_path != first.rendered_path
    assert page_file(box, again).read_bytes() == whole
    assert RenderedDocument.open(box.data / again.rendered_path).total == 1
    assert prepared(box).rendered_path == again.rendered_path, "the new ones are shared from now on"
