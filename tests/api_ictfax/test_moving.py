"""The commands in docs/moving-from-*.md work on a real box."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.api.test_docs import shell_on_box
from tests.api.transcripts import follow, steps

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(
    "page",
    [
        "moving-from-ictfax.md",
        "moving-from-ifax.md",
        "moving-from-hylafax.md",
        "moving-from-faxbot.md",
        "clients.md",
    ],
)
def test_every_command_of_the_page_runs_as_shown(tmp_path: Path, page: str) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    assert list(steps(text))
    with shell_on_box(tmp_path) as shell:
        follow(text, shell)


@pytest.mark.parametrize(
    "page", ["moving-from-ictfax.md", "moving-from-ifax.md", "clients.md", "promises.md"]
)
def test_the_pages_are_found_from_the_interfaces_pages(page: str) -> None:
    for interface in ("api-ictfax.md", "api-ifax.md"):
        if page != f"moving-from-{'ifax' if interface == 'api-ictfax.md' else 'ictfax'}.md":
            assert f"]({page})" in (DOCS / interface).read_text(encoding="utf-8"), (page, interface)
