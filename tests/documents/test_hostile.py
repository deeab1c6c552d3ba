"""Mutated files of every kind of picture and PDF: pages or a named error, no hang, nothing left behind.

A seeded sample always; ten thousand mutations of each kind with ``make test-full``.
"""

from __future__ import annotations

import io
import random
import shutil
from pathlib import Path

import pillow_heif
import pytest
from PIL import Image, PngImagePlugin, TiffImagePlugin

from appliance.causes import cause_of
from appliance.documents.causes import DOCUMENT_STORAGE
from appliance.documents.errors import DocumentError
from appliance.documents.options import Limits, Source
from appliance.documents.render import render
from tests.documents.making import A4, pdf, photograph, save, words
from tests.documents.mutants import mutate

BIG_TIFF = Path(__file__).parent / "cases" / "bigtiff.tif"
MUTATIONS = 20  # of each kind of file
MANY_MUTATIONS = 10_000
LIMITS = Limits(memory_octets=512 << 20, cpu_seconds=10, wall_seconds=30, page_seconds=20, pages=50)


def _tiff() -> bytes:
    """A page of grey, of which much can be changed, and one in a fax coding, of which nothing can."""
    grey, coded = photograph(90, 80), photograph(60, 50).convert("1")
    out = io.BytesIO()
    with TiffImagePlugin.AppendingTiffWriter(out) as writer:
        grey.save(writer, "TIFF", dpi=(204, 196))
        writer.newFrame()
        coded.save(writer, "TIFF", compression="group4", dpi=(204, 196))
        writer.newFrame()
    return out.getvalue()


def _heic() -> bytes:
    pillow_heif.register_heif_opener()
    return save(photograph(120, 90).convert("RGB"), "HEIF")


def _coloured_pdf() -> bytes:
    """What the method looks at object by object: pale type, tints, forms, thin lines."""
    tints = "0.3 0.5 0.8 rg 50 700 400 30 re f 1 g BT /F 12 Tf 60 710 Td (white on blue) Tj ET"
    lines = "q 1 0 0 0.01 0 300 cm 0 G 1 w 50 0 m 500 9000 l S Q"
    return pdf([(*A4, f"{tints} 0.8 g BT /F 9 Tf 60 600 Td (pale) Tj ET {lines}")])


def _picture_pdf() -> bytes:
    out = io.BytesIO()
    photograph(200, 300).save(out, "PDF", save_all=True, append_images=[Image.new("1", (99, 99))])
    return out.getvalue() + pdf([(*A4, words(*A4, 30))])


def _png() -> bytes:
    """One with a comment as long as its pixels, which have a checksum: injuries to it do no harm."""
    about = PngImagePlugin.PngInfo()
    about.add_text("Comment", "x" * 6000)
    return save(photograph(120, 90).convert("RGBA"), "PNG", pnginfo=about)


SEEDS = {
    "pdf": _picture_pdf,
    "tiff": _tiff,
    "png": _png,
    "jpeg": lambda: save(photograph(120, 90).convert("RGB"), "JPEG"),
    "coloured pdf": _coloured_pdf,
    "big tiff": BIG_TIFF.read_bytes,
    "webp": lambda: save(photograph(120, 90).convert("RGB"), "WEBP"),
    "heic": _heic,
    "avif": lambda: save(photograph(120, 90).convert("RGB"), "AVIF"),
    "gif": lambda: save(photograph(120, 90).convert("P"), "GIF"),
    "bmp": lambda: save(photograph(120, 90).convert("RGB"), "BMP"),
}


@pytest.mark.parametrize("kind", SEEDS)
def test_a_mutated_file_is_pages_or_a_named_error(kind: str, tmp_path: Path) -> None:
    _mutate_and_render(kind, MUTATIONS, tmp_path)


@pytest.mark.full
@pytest.mark.parametrize("kind", SEEDS)
@pytest.mark.timeout(20_000)
def test_ten_thousand_mutated_files_are_pages_or_named_errors(kind: str, tmp_path: Path) -> None:
    _mutate_and_render(kind, MANY_MUTATIONS, tmp_path)


def _mutate_and_render(kind: str, mutations: int, tmp_path: Path) -> None:
    seed = SEEDS[kind]()
    rng = random.Random(f"faxbox {kind}")
    source, target = tmp_path / "source", tmp_path / "fax"
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
        assert list(tmp_path.iterdir()) == [source]
    print(kind, outcomes)
    assert outcomes.get("pages"), "every mutation was refused: nothing was tried"
    # A worker that dies is survived, but a library that often dies should be known.
    assert outcomes.get("document_worker_died", 0) <= mutations // 50, outcomes
    source.write_bytes(seed)
    assert render([Source(source)], target, limits=LIMITS).total >= 1
