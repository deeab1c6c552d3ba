"""TIFF class F files: what we write, what we read, and what we refuse."""

from __future__ import annotations

import io
import struct
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from appliance.t4.bits import from_bits, to_bits
from appliance.t4.codes import BLACK_CODES, EOFB, EOL, HORIZONTAL, PASS, VERTICAL, WHITE_CODES
from appliance.t4.coding import PageError, decode, encode
from appliance.t4.page import CodedPage, Coding, Raster, Resolution
from appliance.t4.tiff import FaxTiff, TiffError, TiffWriter, nearest_resolution, write_tiff
from appliance.t4.tiff_reading import TiffDataError
from appliance.t4.tolerant import TolerantDecoder
from tests.t4 import pages


def raster_of(page: CodedPage | Raster) -> Raster:
    return page if isinstance(page, Raster) else decode(page)


def file_of(*made: CodedPage | Raster) -> bytes:
    file = io.BytesIO()
    with TiffWriter(file) as writer:
        for page in made:
            writer.add(page)
    return file.getvalue()


def reread(data: bytes, folder: Path) -> list[CodedPage | Raster]:
    (folder / "reread.tif").write_bytes(data)
    with FaxTiff(folder / "reread.tif") as tiff:
        return list(tiff)


@given(st.lists(st.tuples(pages.rasters(), st.sampled_from([None, *Coding])), min_size=1, max_size=4))
@settings(max_examples=60)
def test_pages_come_back_from_a_file(made: list[tuple[Raster, Coding | None]]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "pages.tif"
        count = write_tiff(path, [encode(page, coding) if coding else page for page, coding in made])
        assert count == len(made)
        with FaxTiff(path) as tiff:
            assert len(tiff) == len(made)
            for (page, coding), found in zip(made, tiff, strict=True):
                assert raster_of(found) == page
                if coding:
                    assert found == encode(page, coding)  # coded data are passed through
            assert [tiff.raster(number) for number in range(len(made))] == [page for page, _ in made]


@pytest.mark.parametrize("coding", list(Coding))
@pytest.mark.parametrize("resolution", list(Resolution))
def test_pillow_sees_the_right_colours_sizes_and_resolution(
    tmp_path: Path, coding: Coding, resolution: Resolution
) -> None:
    page = pages.text_like(1, 1728, 80, resolution)
    write_tiff(tmp_path / "page.tif", [page], coding=coding)
    with Image.open(tmp_path / "page.tif") as image:
        assert image.size == (1728, 80)
        assert image.info["dpi"] == resolution.value
        tags = dict(image.tag_v2)
        assert tags[262] == 0  # WhiteIsZero
        assert tags[259] == (4 if coding is Coding.MMR else 3)
        assert tags[297] == (0, 1)
        assert bytes(255 - octet for octet in image.tobytes()) == page.data


def test_every_page_says_its_number_and_how_many_there_are(tmp_path: Path) -> None:
    write_tiff(tmp_path / "pages.tif", (pages.text_like(n, 200, 5) for n in range(7)))
    with Image.open(tmp_path / "pages.tif") as image:
        for number in range(7):
            image.seek(number)
            assert image.tag_v2[297] == (number, 7)


def test_class_f_data_have_no_rtc(tmp_path: Path) -> None:
    page = pages.text_like(2, rows=30)
    for coding in (Coding.MH, Coding.MR):
        write_tiff(tmp_path / "page.tif", [encode(page, coding)])
        with Image.open(tmp_path / "page.tif") as image:
            offset, octets = image.tag_v2[273][0], image.tag_v2[279][0]
        strip = (tmp_path / "page.tif").read_bytes()[offset : offset + octets]
        assert to_bits(strip).count(EOL) == 30
        assert encode(page, coding).data.startswith(strip)


def test_damaged_pages_carry_their_counts(tmp_path: Path) -> None:
    bits = to_bits(encode(pages.text_like(3, rows=60), Coding.MH).data).split(EOL)
    bits[10] = bits[11] = bits[30] = "10011"
    received = []
    for data in (EOL.join(bits), to_bits(encode(pages.text_like(3, rows=60), Coding.MH).data)):
        decoder = TolerantDecoder(Coding.MH, 1728)
        decoder.feed(from_bits(data))
        received.append(decoder.finish())
    write_tiff(tmp_path / "pages.tif", received)
    with Image.open(tmp_path / "pages.tif") as image:
        assert [image.tag_v2[tag] for tag in (326, 327, 328)] == [3, 1, 2]
        image.seek(1)
        assert [image.tag_v2[tag] for tag in (326, 327, 328)] == [0, 0, 0]
    with FaxTiff(tmp_path / "pages.tif") as tiff:
        assert [raster_of(page) for page in tiff] == [found.raster for found in received]


def test_two_hundred_pages_are_never_in_memory_together(tmp_path: Path) -> None:
    page = pages.text_like(4, 1728, 1100)

    def made() -> Iterator[Raster]:
        for _ in range(200):
            yield Raster(page.width, page.rows, bytes(bytearray(page.data)))

    tracemalloc.start()
    try:
        assert write_tiff(tmp_path / "pages.tif", made()) == 200
        _, writing = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        with FaxTiff(tmp_path / "pages.tif") as tiff:
            for found in tiff:
                assert len(found.data) < 300_000
            assert tiff.raster(199) == page
        _, reading = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert writing < 10 * len(page.data)
    assert reading < 30 * len(page.data)


def test_a_page_without_rows_becomes_a_white_row(tmp_path: Path) -> None:
    found = reread(file_of(Raster(1728, 0, b""), encode(Raster(1728, 0, b""), Coding.MH)), tmp_path)
    assert [raster_of(page) for page in found] == [Raster(1728, 1, bytes(216))] * 2


def test_a_file_of_no_pages_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no pages"):
        write_tiff(tmp_path / "pages.tif", [])


def test_a_source_that_fails_leaves_a_whole_file_of_what_was_there(tmp_path: Path) -> None:
    page = pages.text_like(5, rows=20)

    def made() -> Iterator[Raster]:
        yield page
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        write_tiff(tmp_path / "pages.tif", made())
    assert [raster_of(found) for found in reread((tmp_path / "pages.tif").read_bytes(), tmp_path)] == [page]


@pytest.mark.parametrize(
    ("dpi", "wanted"),
    [
        ((204, 98), Resolution.STANDARD),
        ((200, 100), Resolution.STANDARD),
        ((203.2, 97.79), Resolution.STANDARD),
        ((200, 200), Resolution.FINE),
        ((204, 196), Resolution.FINE),
        ((200, 400), Resolution.SUPERFINE),
        ((204, 391), Resolution.SUPERFINE),
        ((300, 300), Resolution.R300),
        ((400, 400), Resolution.R400),
        ((408, 391), Resolution.R16_15),
        ((600, 600), Resolution.R400),
        ((72, 72), Resolution.STANDARD),
    ],
)
def test_resolutions_near_those_of_fax_are_taken_for_them(
    dpi: tuple[float, float], wanted: Resolution
) -> None:
    assert nearest_resolution(*dpi) is wanted


def test_a_resolution_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="0 x 100"):
        nearest_resolution(0, 100)


@pytest.mark.parametrize("compression", ["group3", "group4", "tiff_ccitt", None])
@pytest.mark.parametrize("photometric", [0, 1])
def test_files_that_pillow_writes_are_read(tmp_path: Path, compression: str | None, photometric: int) -> None:
    page = pages.text_like(6, 1001, 70, Resolution.SUPERFINE)
    image = Image.frombytes("1", (1001, 70), bytes(255 - octet for octet in page.data))
    image.save(
        tmp_path / "theirs.tif",
        compression=compression,
        tiffinfo={262: photometric},
        resolution_unit=3,
        x_resolution=204 / 2.54,
        y_resolution=391 / 2.54,
    )
    with FaxTiff(tmp_path / "theirs.tif") as tiff:
        assert raster_of(tiff.page(0)) == page
        assert tiff.raster(0) == page


# -- files that lie


def entry_at(data: bytes, tag: int) -> int:
    """Where the directory entry of a tag is in a little-endian file."""
    (directory,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, directory)
    for at in range(directory + 2, directory + 2 + 12 * count, 12):
        if struct.unpack_from("<H", data, at) == (tag,):
            return at
    raise AssertionError(tag)


def with_value(data: bytes, tag: int, value: int, count: int = 1) -> bytes:
    at = entry_at(data, tag)
    return data[: at + 4] + struct.pack("<II", count, value) + data[at + 12 :]


@pytest.mark.parametrize(
    ("tag", "value", "message"),
    [
        (256, 0, "pixels"),
        (256, 1 << 31, "pixels"),
        (257, 0, "pixels"),
        (257, 0xFFFFFFFF, "pixels"),
        (257, 30_000, "page 1: .* strips of .* rows|page 1: its data end after 40"),
        (258, 8, "black and white"),
        (259, 5, "compression 5"),
        (262, 2, "black and white"),
        (273, 0xFFFFFFF0, "the file ends"),
        (277, 3, "black and white"),
        (279, 0x7FFFFFFF, "larger than the file"),
        (293, 2, "uncompressed mode"),
    ],
)
def test_a_file_that_lies_is_refused_by_name(tmp_path: Path, tag: int, value: int, message: str) -> None:
    data = with_value(file_of(pages.text_like(7, rows=40)), tag, value)
    if tag == 257 and value == 30_000:
        data = with_value(data, 278, value)
    (tmp_path / "lie.tif").write_bytes(data)
    with FaxTiff(tmp_path / "lie.tif") as tiff:
        with pytest.raises(TiffError, match=message):
            tiff.raster(0)
        with pytest.raises((TiffError, PageError)):
            raster_of(tiff.page(0))


def test_directories_in_a_circle_are_refused(tmp_path: Path) -> None:
    data = bytearray(file_of(pages.text_like(8, rows=10), pages.text_like(9, rows=10)))
    (first,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, first)
    struct.pack_into("<I", data, first + 2 + 12 * count, first)
    (tmp_path / "circle.tif").write_bytes(data)
    with pytest.raises(TiffError, match="circle"):
        FaxTiff(tmp_path / "circle.tif")


@pytest.mark.parametrize(
    "data", [b"", b"II", b"%PDF-1.4 and so on", b"II*\0", b"II+\0\x08\0\0\0" + bytes(99)]
)
def test_what_is_no_tiff_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "no.tif").write_bytes(data)
    with pytest.raises(TiffError):
        FaxTiff(tmp_path / "no.tif")


def test_a_page_that_is_not_there_is_an_index_error(tmp_path: Path) -> None:
    write_tiff(tmp_path / "page.tif", [pages.text_like(1, rows=5)])
    with FaxTiff(tmp_path / "page.tif") as tiff, pytest.raises(IndexError):
        tiff.page(1)


def test_previews_are_not_pages(tmp_path: Path) -> None:
    data = file_of(pages.text_like(8, rows=10), pages.text_like(9, rows=10))
    found = reread(with_value(data, 254, 1), tmp_path)
    assert [raster_of(page) for page in found] == [pages.text_like(9, rows=10)]


def test_the_classic_charts_are_read_as_pillow_reads_them() -> None:
    for path in pages.charts():
        with FaxTiff(path) as tiff:
            assert len(tiff) == 1
            assert tiff.raster(0) == pages.chart_raster(path)
            assert raster_of(tiff.page(0)) == pages.chart_raster(path)


def test_runs_of_no_pixels_that_count_as_changes_are_no_damage() -> None:
    """ImageGear codes a row that begins with black where none is so that the next one refers to it."""
    empty_run = HORIZONTAL + WHITE_CODES[0] + BLACK_CODES[0]
    first = empty_run + HORIZONTAL + WHITE_CODES[20] + BLACK_CODES[7] + VERTICAL[0]
    second = PASS + HORIZONTAL + WHITE_CODES[40] + BLACK_CODES[3] + VERTICAL[0]
    white = PASS + VERTICAL[0]
    data = from_bits((first + second + white) * 20 + EOFB)
    whole = file_of(CodedPage(Coding.MMR, Resolution.FINE, 64, 60, data))
    with FaxTiff(io.BytesIO(whole)) as tiff:
        tiff.prove(0)
    with Image.open(io.BytesIO(whole)) as image:  # libtiff
        rows = [image.crop((0, row, 64, row + 1)).tobytes().hex() for row in range(60)]
    assert rows == ["fffff01fffffffff", "ffffffffff1fffff", "f" * 16] * 20
    cut = file_of(CodedPage(Coding.MMR, Resolution.FINE, 64, 60, data[: len(data) // 2]))
    with FaxTiff(io.BytesIO(cut)) as tiff, pytest.raises(TiffDataError):
        tiff.prove(0)
