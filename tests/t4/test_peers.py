"""The same pages through independent coders: spandsp and libtiff's tools."""

from __future__ import annotations

import random
import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from appliance.spandsp import SpandspMissingError
from appliance.t4.bits import from_bits, to_bits
from appliance.t4.codes import EOL
from appliance.t4.coding import count_rows, decode, encode, with_fill
from appliance.t4.page import CodedPage, Coding, Raster, Resolution
from appliance.t4.tiff import FaxTiff, write_tiff
from appliance.t4.tolerant import TolerantDecoder
from tests.t4 import pages, reference
from tests.t4.spandsp_t4 import SpandspT4

CODINGS = list(Coding)
METRIC = [Resolution.STANDARD, Resolution.FINE, Resolution.SUPERFINE]


@pytest.fixture(scope="module")
def spandsp() -> SpandspT4:
    try:
        return SpandspT4()
    except SpandspMissingError as error:
        pytest.skip(str(error))


def tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed (Debian package libtiff-tools)")
    return found


def pillow_raster(file: Path, page: int = 0) -> bytes:
    with Image.open(file) as image:
        image.seek(page)
        return bytes(255 - octet for octet in image.convert("1").tobytes())


@pytest.mark.parametrize("width", [1728, 2048, 2432])
@pytest.mark.parametrize("resolution", METRIC)
@pytest.mark.parametrize("coding", CODINGS)
def test_spandsp_reads_our_pages_pixel_for_pixel(
    spandsp: SpandspT4, tmp_path: Path, coding: Coding, resolution: Resolution, width: int
) -> None:
    page = pages.text_like(11, width, 240, resolution)
    file = tmp_path / "page.tif"
    found = spandsp.receive(coding, width, resolution, encode(page, coding).data, file)
    assert found == found.__class__(rows=240, bad_rows=0, longest_bad_run=0, ended=True)
    assert pillow_raster(file) == page.data
    with FaxTiff(file) as tiff:
        assert tiff.raster(0) == page


@pytest.mark.parametrize("coding", [Coding.MH, Coding.MR])
def test_spandsp_reads_our_filled_pages(spandsp: SpandspT4, tmp_path: Path, coding: Coding) -> None:
    page = pages.text_like(12, rows=200)
    data = with_fill(encode(page, coding).data, 288)
    found = spandsp.receive(coding, 1728, page.resolution, data, tmp_path / "page.tif")
    assert (found.rows, found.bad_rows, found.ended) == (200, 0, True)
    assert pillow_raster(tmp_path / "page.tif") == page.data


@pytest.mark.parametrize("resolution", METRIC)
@pytest.mark.parametrize("coding", CODINGS)
def test_we_read_what_spandsp_makes_of_our_file(
    spandsp: SpandspT4, tmp_path: Path, coding: Coding, resolution: Resolution
) -> None:
    page = pages.text_like(13, 1728, 240, resolution)
    write_tiff(tmp_path / "page.tif", [page])
    data = spandsp.send(tmp_path / "page.tif", coding)
    assert count_rows(coding, 1728, data) == 240
    assert decode(CodedPage(coding, resolution, 1728, 240, data)) == page
    decoder = TolerantDecoder(coding, 1728, resolution)
    decoder.feed(data)
    found = decoder.finish()
    assert (found.raster, found.bad_rows, found.ended_with_rtc) == (page, 0, True)


@pytest.mark.parametrize("resolution", METRIC)
@pytest.mark.parametrize("coding", CODINGS)
def test_our_rows_are_bit_for_bit_those_of_spandsp(
    spandsp: SpandspT4, tmp_path: Path, coding: Coding, resolution: Resolution
) -> None:
    page = pages.text_like(14, 1728, 200, resolution)  # the resolution decides about K
    write_tiff(tmp_path / "page.tif", [page])
    theirs = to_bits(spandsp.send(tmp_path / "page.tif", coding))
    ours = to_bits(encode(page, coding).data)
    if coding is Coding.MMR:
        assert theirs.startswith(ours.rstrip("0"))  # they fill the last octet with ones
    else:
        # Fill before RTC to begin it on an octet is ours, ones behind it are spandsp's.
        assert [row.rstrip("0") for row in ours.split(EOL)][: 200 + 6] == [
            row.rstrip("0") for row in theirs.split(EOL)
        ][: 200 + 6]


@pytest.mark.parametrize("coding", [Coding.MH, Coding.MR])
@pytest.mark.parametrize("bits", [48, 96, 288])
def test_our_fill_is_as_long_as_that_of_spandsp(
    spandsp: SpandspT4, tmp_path: Path, coding: Coding, bits: int
) -> None:
    page = pages.text_like(15, 1728, 200)
    write_tiff(tmp_path / "page.tif", [page])
    theirs = to_bits(spandsp.send(tmp_path / "page.tif", coding, bits)).split(EOL)
    ours = to_bits(with_fill(encode(page, coding).data, bits)).split(EOL)
    assert [len(row) for row in ours[1:200]] == [len(row) for row in theirs[1:200]]


def test_damage_is_counted_as_spandsp_counts_it(spandsp: SpandspT4, tmp_path: Path) -> None:
    """MH rows that are too short: the kind of damage about which there are no two opinions."""
    page = pages.text_like(16, 1728, 300)
    rng = random.Random(16)
    for _ in range(10):
        rows = to_bits(encode(page, Coding.MH).data).split(EOL)
        hit = rng.sample(range(2, 300), 12)
        hit += [hit[0] % 290 + 2 + n for n in range(5)]
        for row in hit:
            rows[row] = reference.row_1d([300, 310], 1700)
        data = from_bits(EOL.join(rows))
        decoder = TolerantDecoder(Coding.MH, 1728, page.resolution)
        decoder.feed(data)
        ours = decoder.finish()
        theirs = spandsp.receive(Coding.MH, 1728, page.resolution, data, tmp_path / "page.tif")
        assert (ours.rows, ours.bad_rows, ours.longest_bad_run) == (
            theirs.rows,
            theirs.bad_rows,
            theirs.longest_bad_run,
        )
        assert ours.bad_rows == len(set(hit))
        assert ours.raster.data == pillow_raster(tmp_path / "page.tif")


@pytest.mark.parametrize("coding", CODINGS)
def test_fax2tiff_reads_our_pages(tmp_path: Path, coding: Coding) -> None:
    page = pages.text_like(17, rows=200)
    raw = tmp_path / "page.raw"
    raw.write_bytes(encode(page, coding).data)
    options = {Coding.MH: ["-3", "-1"], Coding.MR: ["-3", "-2"], Coding.MMR: ["-4"]}[coding]
    file = tmp_path / "page.tif"
    subprocess.run(
        [tool("fax2tiff"), "-M", *options, "-U", "1728", "-o", file, raw],
        check=True,
        capture_output=True,
        timeout=60,
    )
    found = pillow_raster(file)
    assert found[: len(page.data)] == page.data
    assert not any(found[len(page.data) :])


def test_tiffinfo_and_tiffcp_read_our_files_without_a_warning(tmp_path: Path) -> None:
    made = [pages.text_like(n, 1728, 100, resolution) for n, resolution in enumerate(Resolution)]
    coded = [encode(page, CODINGS[n % 3]) for n, page in enumerate(made)]
    file = tmp_path / "pages.tif"
    write_tiff(file, coded)
    info = subprocess.run([tool("tiffinfo"), file], check=True, capture_output=True, text=True, timeout=60)
    assert info.stderr == ""
    for wanted in ("min-is-white", "204, 98 pixels/inch", "204, 391 pixels/inch", "Page Number: 5-6"):
        assert wanted in info.stdout
    plain = tmp_path / "plain.tif"
    copied = subprocess.run(
        [tool("tiffcp"), "-c", "none", file, plain], check=True, capture_output=True, text=True, timeout=60
    )
    assert copied.stderr == ""
    for number, page in enumerate(made):
        assert pillow_raster(plain, number) == page.data


@pytest.mark.parametrize(
    "options",
    [
        ["-c", "none"],
        ["-c", "g3:1d"],
        ["-c", "g3:2d"],
        ["-c", "g3:1d:fill"],
        ["-c", "g3:2d:fill"],
        ["-c", "g4"],
        ["-c", "g4", "-f", "lsb2msb"],
        ["-c", "g3:1d", "-f", "lsb2msb", "-r", "16"],
        ["-c", "g4", "-r", "7"],
        ["-c", "none", "-B"],
        ["-c", "g4", "-B"],
    ],
    ids=" ".join,
)
def test_we_read_every_kind_of_file_that_tiffcp_writes(tmp_path: Path, options: list[str]) -> None:
    made = [pages.text_like(n, width, 90) for n, width in enumerate((1728, 2432, 1001))]
    write_tiff(tmp_path / "ours.tif", made)
    subprocess.run(
        [tool("tiffcp"), *options, tmp_path / "ours.tif", tmp_path / "theirs.tif"],
        check=True,
        capture_output=True,
        timeout=60,
    )
    with FaxTiff(tmp_path / "theirs.tif") as tiff:
        assert len(tiff) == 3
        assert [tiff.raster(number) for number in range(3)] == made
        for page, raster in zip(tiff, made, strict=True):
            assert (page if isinstance(page, Raster) else decode(page)) == raster


@pytest.mark.parametrize("device", ["faxg3", "faxg32d", "faxg4", "tiffg3", "tiffg32d", "tiffg4"])
def test_we_read_what_ghostscript_writes(tmp_path: Path, device: str) -> None:
    gs = shutil.which("gs")
    if gs is None:
        pytest.skip("gs is not installed (Debian package ghostscript)")
    source = tmp_path / "page.ps"
    source.write_text(
        "/Times-Roman findfont 30 scalefont setfont 60 90 moveto (Fax) show 20 20 100 3 rectfill showpage\n"
    )

    def drawn(to: str) -> Path:
        target = tmp_path / f"page.{to}"
        subprocess.run(
            [
                *(gs, "-q", "-dSAFER", "-dBATCH", "-dNOPAUSE", "-dAdjustWidth=0", "-r204x196"),
                *("-dDEVICEWIDTHPOINTS=200", "-dDEVICEHEIGHTPOINTS=160", f"-sDEVICE={to}"),
                *(f"-sOutputFile={target}", source),
            ],
            check=True,
            capture_output=True,
            timeout=60,
        )
        return target

    with Image.open(drawn("pbmraw")) as image:
        width, rows = image.size
        wanted = bytes(255 - octet for octet in image.convert("1").tobytes())
    assert any(wanted)
    if device.startswith("tiff"):
        with FaxTiff(drawn(device)) as tiff:
            found = tiff.raster(0)
    else:
        coding = {"faxg3": Coding.MH, "faxg32d": Coding.MR, "faxg4": Coding.MMR}[device]
        found = decode(CodedPage(coding, Resolution.FINE, width, rows, drawn(device).read_bytes()))
    clean = encode(Raster(width, rows, wanted), Coding.MMR)  # without what lies beyond the last pixel
    assert found == decode(clean)
