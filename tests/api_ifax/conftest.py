"""One running box for all tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api_ifax.running import RunningBox


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBox]:
    running = RunningBox(tmp_path_factory.mktemp("box"))
    running.prepare()
    running.start()
    try:
        yield running
        assert "Traceback" not in running.said
        running.stop()
    finally:
        running.kill()
