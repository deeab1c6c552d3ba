"""A box with prepared pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.box import Box
from tests.dispatch.making import make_box, render_common


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rendered")
    render_common(folder)
    return folder


@pytest.fixture
def box(tmp_path: Path, rendered: Path) -> Iterator[Box]:
    box = make_box(tmp_path / "data", rendered)
    yield box
    box.close()
