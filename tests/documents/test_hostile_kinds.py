"""Mutated pages, texts, e-mails and Office files: pages or a named error, nothing left, no network.

A seeded sample always; ten thousand mutations of each kind with ``make test-full``.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.causes import cause_of
from appliance.documents.causes import DOCUMENT_STORAGE
from appliance.documents.errors import DocumentError
from appliance.documents.options import Limits, Source
from appliance.documents.render import render
from tests.documents.compound import message_file, winmail
from tests.documents.test_hostile import mutate
from tests.documents.test_kinds import CASES, POSTSCRIPT, Watched, docx, hostile_page

MUTATIONS = 8  # of each kind of file
MANY_MUTATIONS = 10_000
LIMITS = Limits(memory_octets=768 << 20, cpu_seconds=60, wall_seconds=120, page_seconds=60, pages=50)

SEEDS: dict[str, Callable[[str], bytes]] = {
    "page": lambda at: hostile_page(at).encode(),
    "text": lambda at: (CASES / "arabic-hebrew.txt").read_bytes() * 5,
    "drawing": lambda at: (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='90' height='90'><rect width='9' height='9'/>"
        f"<image href='{at}/a.png'/><g transform='scale(2)'><text y='9'>a</text></g></svg>"
    ).encode(),
    "e-mail": lambda at: (CASES / "mail/html-only-table.eml").read_bytes(),
    "outlook": lambda at: message_file("text", "subject", ("a.txt", b"attached")),
    "winmail.dat": lambda at: winmail(("a.txt", b"attached"), ("b.txt", b"attached as well")),
    "word": lambda at: docx("hello", external=f"{at}/a.png"),
    "rtf": lambda at: (CASES / "rtf.rtf").read_bytes(),
    "postscript": lambda at: POSTSCRIPT,
}


@pytest.mark.parametrize("kind", SEEDS)
def test_a_mutated_file_is_pages_or_a_named_error(kind: str, tmp_path: Path) -> None:
    # LibreOffice takes seconds for each.
    _try_mutations(kind, tmp_path, MUTATIONS // 4 if kind in ("word", "rtf") else MUTATIONS)


@pytest.mark.full
@pytest.mark.timeout(40_000)
@pytest.mark.parametrize("kind", SEEDS)
def test_ten_thousand_mutated_files_are_pages_or_named_errors(kind: str, tmp_path: Path) -> None:
    _try_mutations(kind, tmp_path, MANY_MUTATIONS)


def _try_mutations(kind: str, folder: Path, mutations: int) -> None:
    watched = Watched()
    seed = SEEDS[kind](f"http://127.0.0.1:{watched.port}")
    rng = random.Random(f"faxbox {kind}")
    source, target = folder / "source", folder / "fax"
    outcomes: dict[str, int] = {}
    for _ in range(mutations):
        source.write_bytes(mutate(seed, rng))
        try:
            document = render([Source(source)], target, limits=LIMITS, workers=1)
            outcome = "pages"
            assert len(document.pages) == document.total > 0
            shutil.rmtree(target)
        except DocumentError as error:
            outcome = error.cause.code
            assert cause_of(outcome) is not DOCUMENT_STORAGE, error  # noqa: PT017
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
        assert list(folder.iterdir()) == [source]
    print(kind, outcomes)
    watched.close()
    assert watched.heard == 0
    assert outcomes.get("document_worker_died", 0) <= mutations // 50, outcomes
    source.write_bytes(seed)
    assert render([Source(source)], target, limits=LIMITS).total >= 1
