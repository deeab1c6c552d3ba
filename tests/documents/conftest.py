"""Rendering in this process, for tests of documents."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.documents.options import Limits, RenderOptions, Source
from appliance.documents.render import render
from appliance.documents.rendered import RenderedDocument

Rendered = Callable[..., RenderedDocument]


@pytest.fixture
def rendered(tmp_path: Path) -> Rendered:
    """Renders contents (octets) in one worker: ``rendered(pdf_octets, name="x.pdf", pages="1-2")``."""
    numbers = itertools.count()

    def make(
        *contents: bytes,
        name: str = "document",
        pages: str = "",
        options: RenderOptions | None = None,
        limits: Limits | None = None,
        workers: int = 1,
    ) -> RenderedDocument:
        sources = []
        for content in contents:
            path = tmp_path / f"source-{next(numbers)}"
            path.write_bytes(content)
            sources.append(Source(path, pages, name))
        target = tmp_path / f"fax-{next(numbers)}"
        return render(sources, target, options, limits=limits, workers=workers)

    return make
