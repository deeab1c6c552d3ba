"""Mutated PDF, TIFF, PNG and JPEG files: pages or a named error, no hang, nothing left behind.

A seeded sample always; ten thousand mutations with FAXBOX_SWEEP=1.
"""

from __future__ import annotations

import io
import os
import random
import shutil
from pathlib import Path

import pytest
from PIL import Image

from appliance.causes import DOCUMENT_STORAGE, cause_of
from appliance.documents.errors import DocumentError
from appliance.documents.options import Limits, Source
from appliance.documents.render import render
from tests.documents.making import A4, pdf, photograph, save, words

SWEEP = os.environ.get("FAXBOX_SWEEP") == "1"
MUTATIONS = 2500 if SWEEP else 70  # of each kind of file
LIMITS = Limits(memory_octets=512 << 20, cpu_seconds=10, wall_seconds=30, page_seconds=20, pages=50)


def _tiff() -> bytes:
    frames = [photograph(400, 300, seed).convert("1") for seed in range(3)]
    out = io.BytesIO()
    frames[0].save(out, "TIFF", save_all=True, append_images=frames[1:], compression="group4", dpi=(204, 196))
    return out.getvalue()


def _picture_pdf() -> bytes:
    out = io.BytesIO()
    photograph(200, 300).save(out, "PDF", save_all=True, append_images=[Image.new("1", (99, 99))])
    return out.getvalue() + pdf([(*A4, words(*A4, 30))])


SEEDS = {
    "pdf": _picture_pdf,
    "tiff": _tiff,
    "png": lambda: save(photograph(120, 90).convert("RGBA"), "PNG"),
    "jpeg": lambda: save(photograph(120, 90).convert("RGB"), "JPEG"),
}


def mutate(content: bytes, rng: random.Random) -> bytes:
    """A few random injuries: flipped octets, numbers replaced, pieces cut, doubled, moved."""
    data = bytearray(content)
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(data))
        length = rng.choice([1, 2, 4, 16, 200])
        match rng.randrange(6):
            case 0:
                data[at] ^= 1 << rng.randrange(8)
            case 1:
                data[at : at + length] = rng.randbytes(length)
            case 2:
                data[at : at + 4] = rng.choice([b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff", b"9999"])
            case 3 if len(data) > length + 16:
                del data[at : at + length]
            case 4:
                data[at:at] = data[at : at + length]
            case _:
                to = rng.randrange(len(data))
                data[to : to + length] = data[at : at + length]
    return bytes(data)


@pytest.mark.parametrize("kind", SEEDS)
@pytest.mark.timeout(20_000 if SWEEP else 300)
def test_a_mutated_file_is_pages_or_a_named_error(kind: str, tmp_path: Path) -> None:
    seed = SEEDS[kind]()
    rng = random.Random(f"faxbox {kind}")
    source, target = tmp_path / "source", tmp_path / "fax"
    outcomes: dict[str, int] = {}
    for _ in range(MUTATIONS):
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
    assert outcomes.get("document_worker_died", 0) <= MUTATIONS // 50, outcomes
    source.write_bytes(seed)
    assert render([Source(source)], target, limits=LIMITS).total >= 1
