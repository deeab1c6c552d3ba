"""JPEG with damaged pixels, which decoders replace silently."""

from __future__ import annotations

import base64
import random
from pathlib import Path

import pytest
from PIL import Image

from appliance.documents.pictures._jpeg import is_damaged
from appliance.remarks import CONTENT_DAMAGED
from tests.documents.making import photograph, save
from tests.documents.opened import opened

GREY = photograph(400, 300)
COLOURS = Image.merge("RGB", [photograph(403, 301, seed) for seed in (1, 2, 3)])
WAYS: list[dict[str, object]] = [
    {},
    {"quality": 95, "subsampling": 0},
    {"subsampling": 1, "optimize": True},
    {"restart_marker_blocks": 5},
    {"restart_marker_rows": 1},
]


def pixels_at(content: bytes) -> int:
    return content.rindex(b"\xff\xda") + 14


def damaged(content: bytes, how: str, at: int, rng: random.Random) -> bytes:
    octets = bytearray(content)
    if how == "zeros":
        octets[at : at + 512] = bytes(512)
    elif how == "noise":
        octets[at : at + 512] = rng.randbytes(512)
    else:
        del octets[at : at + 512]
    return bytes(octets)


@pytest.mark.parametrize("image", [GREY, COLOURS], ids=["grey", "colours"])
@pytest.mark.parametrize("ways", [*WAYS, {"progressive": True}], ids=str)
def test_a_whole_jpeg_is_not_called_damaged(image: Image.Image, ways: dict[str, object]) -> None:
    content = save(image, "JPEG", **ways)
    assert not is_damaged(content)
    assert not is_damaged(content + b"\0" * 40 + b"a camera's own words \xff\xd8")


@pytest.mark.parametrize("how", ["zeros", "noise", "cut out"])
def test_a_sector_that_was_lost_is_found_nine_times_of_ten(how: str) -> None:
    rng = random.Random(1)
    found = tried = 0
    for image in (GREY, COLOURS):
        for ways in WAYS:
            content = save(image, "JPEG", **ways)
            for _ in range(10):
                at = rng.randrange(pixels_at(content), len(content) - 600)
                found += is_damaged(damaged(content, how, at, rng))
                tried += 1
    assert found >= 0.9 * tried


def test_any_octets_are_looked_at_without_harm() -> None:
    rng = random.Random(2)
    content = save(COLOURS.resize((40, 30)), "JPEG")
    for end in range(len(content)):
        is_damaged(content[:end])
    for _ in range(3000):
        octets = bytearray(content)
        for _ in range(rng.randrange(1, 6)):
            octets[rng.randrange(len(octets))] = rng.randrange(256)
        is_damaged(bytes(octets))


def test_a_damaged_photograph_is_remarked_on_its_page_and_in_a_page_that_shows_it(tmp_path: Path) -> None:
    whole = save(COLOURS, "JPEG")
    broken = damaged(whole, "zeros", pixels_at(whole) + 3000, random.Random(1))
    for content, expected in ((whole, []), (broken, [CONTENT_DAMAGED])):
        assert [each.kind for each in opened(tmp_path, content, "a.jpg").remarks] == expected
        page = b"<html><img src='data:image/jpeg;base64," + base64.b64encode(content) + b"'>"
        assert [each.kind for each in opened(tmp_path, page, "a.html").remarks] == expected


def test_a_picture_of_a_page_that_was_cut_off_is_remarked(tmp_path: Path) -> None:
    for format_ in ("JPEG", "PNG"):
        content = save(COLOURS, format_)
        for octets, expected in ((content, []), (content[: len(content) // 2], [CONTENT_DAMAGED])):
            page = b"<html><img src='data:image/x;base64," + base64.b64encode(octets) + b"'>"
            assert [each.kind for each in opened(tmp_path, page, "a.html").remarks] == expected
