"""Encrypted files: reading at any position, and detection of every change."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance import at_rest, durable
from appliance.at_rest import HEADER_OCTETS, PIECE, SealedError

SIZES = (0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, 3 * PIECE + 17)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    at_rest.lock_folder(tmp_path, os.urandom(32))
    yield tmp_path
    at_rest.unlock_folder(tmp_path)


@pytest.mark.parametrize("size", SIZES)
def test_any_part_can_be_read_without_the_rest(folder: Path, size: int) -> None:
    content, path = random.Random(size).randbytes(size), folder / "file"
    assert at_rest.write_file(path, iter([content[:7], content[7:]])) == size
    assert at_rest.read_bytes(path) == content
    with at_rest.open_file(path) as file:
        for start in (0, 1, PIECE - 2, PIECE, size // 2, size - 1, size, size + 5):
            file.seek(max(0, start))
            assert file.read(11) == content[max(0, start) : max(0, start) + 11]
        assert file.seek(0, os.SEEK_END) == size
    with at_rest.open_plain(path, size) as plain:
        assert os.pread(plain.fileno(), size + 1, 0) == content, "for another process"
    if size > 8:
        assert content[:8] not in path.read_bytes()


def test_a_limit_counts_what_was_written_not_what_it_became(folder: Path) -> None:
    at_rest.write_file(folder / "fits", bytes(1000), 1000)
    with pytest.raises(durable.TooLargeError):
        at_rest.write_file(folder / "more", bytes(1001), 1000)
    assert not (folder / "more").exists()
    with pytest.raises(durable.TooLargeError):
        at_rest.open_plain(folder / "fits", 100)


@pytest.mark.parametrize("size", [0, 5, PIECE + 5, 2 * PIECE])
def test_a_changed_octet_anywhere_is_noticed_and_the_file_is_named(folder: Path, size: int) -> None:
    path = folder / "page.tiff"
    at_rest.write_file(path, os.urandom(size))
    whole = path.read_bytes()
    places = {*range(8, HEADER_OCTETS, 5), *range(HEADER_OCTETS, len(whole), 4999), len(whole) - 1}
    for place in places:
        changed = bytearray(whole)
        changed[place] ^= 1
        path.write_bytes(changed)
        with pytest.raises(SealedError, match=r"page\.tiff"):
            at_rest.read_bytes(path)


def test_pieces_that_are_cut_off_moved_or_of_another_file_are_noticed(folder: Path) -> None:
    path, other, step = folder / "one", folder / "other", PIECE + 16
    at_rest.write_file(path, os.urandom(3 * PIECE))
    at_rest.write_file(other, os.urandom(3 * PIECE))
    head, body = path.read_bytes()[:HEADER_OCTETS], path.read_bytes()[HEADER_OCTETS:]
    foreign = other.read_bytes()[HEADER_OCTETS:]
    for wrong in (
        body[:step],
        body[: 2 * step],
        body[:-1],
        body + body[-step:],
        body[step : 2 * step] + body[:step] + body[2 * step :],
        foreign[:step] + body[step:],
        b"",
    ):
        path.write_bytes(head + wrong)
        with pytest.raises(SealedError):
            at_rest.read_bytes(path)


def test_what_was_there_before_is_read_as_it_is_until_it_is_encrypted(folder: Path) -> None:
    path = folder / "old"
    path.write_bytes(b"Quarterly figures")
    os.utime(path, (1000.0, 2000.0))
    assert at_rest.read_bytes(path) == b"Quarterly figures"
    assert at_rest.seal_file(path, overwrite=True)
    assert not at_rest.seal_file(path, overwrite=True), "once"
    assert path.stat().st_mtime == 2000.0, "its age is that of its content"
    assert b"Quarterly" not in path.read_bytes()
    assert at_rest.read_bytes(path) == b"Quarterly figures"


def test_another_name_of_a_file_keeps_its_content_when_one_is_encrypted(folder: Path) -> None:
    path, link = folder / "preview", folder / "fax"
    path.write_bytes(b"page")
    link.hardlink_to(path)
    assert at_rest.seal_file(path, overwrite=True)
    assert at_rest.read_bytes(link) == b"page" == at_rest.read_bytes(path)


def test_after_shredding_the_key_of_the_file_is_gone(folder: Path) -> None:
    path, link = folder / "file", folder / "what the disk keeps"
    at_rest.write_file(path, bytes(PIECE * 2))
    link.hardlink_to(path)
    at_rest.shred(path)
    assert not path.exists()
    assert link.read_bytes()[:HEADER_OCTETS] == bytes(HEADER_OCTETS)


def test_a_text_of_the_index_is_read_with_its_key_only(folder: Path) -> None:
    sealed = at_rest.seal_text(folder, "Dear Zoë")
    assert "Dear" not in sealed  # two letters are by chance in one of sixty
    assert at_rest.open_text(sealed) == "Dear Zoë"
    assert at_rest.seal_text(folder, sealed) == sealed
    assert at_rest.open_text(sealed[:-6] + "AAAA==") == at_rest.UNREADABLE
    assert at_rest.open_text("as typed") == "as typed"


def test_a_key_that_is_not_here_is_said(folder: Path) -> None:
    path = folder / "file"
    at_rest.write_file(path, b"x")
    foreign = bytearray(path.read_bytes())
    foreign[8:16] = bytes(8)
    path.write_bytes(foreign)
    with pytest.raises(SealedError, match="a key that is not here"):
        at_rest.open_file(path)
