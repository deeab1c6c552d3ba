"""Fax pages as other programs keep them: raw T.4 and T.6, CALS, DCX, and pictures of rarer kinds."""

from __future__ import annotations

import io
import struct
import time
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from appliance.documents.causes import DOCUMENT_DAMAGED, DOCUMENT_MISLABELLED, DOCUMENT_UNSUPPORTED
from appliance.documents.errors import DocumentError
from appliance.documents.kinds import Kind
from appliance.documents.options import PageFormat, RenderOptions
from appliance.documents.pictures.fax_codes import fax_pages
from appliance.documents.sniff import sniff
from appliance.remarks import CONTENT_DAMAGED, PAGES_MISSING
from appliance.t4.bits import from_bits, reverse_bits, to_bits
from appliance.t4.codes import EOFB, EOL
from appliance.t4.coding import decode, encode
from appliance.t4.page import Coding, Raster, Resolution
from tests.documents.conftest import Rendered
from tests.documents.making import A4, need, pdf, photograph, run, save, words


def _raster(width: int = 1728, rows: int = 2200) -> Raster:
    """A page with bars of many lengths."""
    picture = Image.new("1", (width, rows))
    for row in range(40, rows - 40, 3):
        for bar in range(0, width - 200, 173):
            picture.paste(1, (100 + bar, row, 100 + bar + 5 + (row * 7 + bar) % 90, row + 2))
    return Raster(width, rows, picture.tobytes(), Resolution.FINE)


PAGE = _raster()
FINE = RenderOptions(format=PageFormat(Resolution.FINE))


@pytest.mark.parametrize("coding", Coding)
@pytest.mark.parametrize("reverse", [False, True], ids=["high bit first", "low bit first"])
def test_pages_of_codes_alone_are_sent_pixel_for_pixel(
    rendered: Rendered, coding: Coding, reverse: bool
) -> None:
    other = _raster(rows=1900)
    content = encode(PAGE, coding).data + encode(other, coding).data
    name = "fax.g4" if coding is Coding.MMR else ""
    document = rendered(reverse_bits(content) if reverse else content, name=name, options=FINE)
    assert (document.total, document.remarks) == (2, ())
    for number, raster in enumerate((PAGE, other)):
        made = decode(document.coded_page(number))
        assert made.data[: len(raster.data)] == raster.data
        assert document.pages[number].size.width == pytest.approx(215)
        assert document.pages[number].size.height == pytest.approx(raster.rows / 7.7, rel=0.01)


@pytest.mark.parametrize("coding", [Coding.MH, Coding.MR])
def test_a_raw_page_that_begins_with_a_photograph_is_recognised(rendered: Rendered, coding: Coding) -> None:
    dithered = ImageChops.invert(photograph(1728, 60)).convert("1")
    page = Raster(1728, 60, dithered.tobytes(), Resolution.FINE)
    document = rendered(encode(page, coding).data, name="fax")
    assert (document.total, document.remarks) == (1, ())


@pytest.mark.parametrize("width", [1728, 2048, 2432, 2592, 3456])
@pytest.mark.parametrize("coding", [Coding.MH, Coding.MMR])
def test_the_width_of_raw_pages_is_found(rendered: Rendered, width: int, coding: Coding) -> None:
    document = rendered(encode(_raster(width, 1100), coding).data, name="fax.g3", options=FINE)
    page = {2048: 255, 2432: 303, 2592: 219}.get(width, 215 if width == 1728 else 219)
    assert document.pages[0].size.width == pytest.approx(page, abs=1)
    assert document.remarks == ()


@pytest.mark.parametrize("device", ["faxg3", "faxg32d", "faxg4"])
@pytest.mark.parametrize(("dpi", "rows"), [("204x98", 1145), ("204x196", 2290)])
def test_files_of_ghostscript_are_read(
    rendered: Rendered, tmp_path: Path, device: str, dpi: str, rows: int
) -> None:
    source, made = tmp_path / "page.pdf", tmp_path / "page.g4"
    source.write_bytes(pdf([(*A4, words(*A4))]))
    run(need("gs"), "-q", "-dBATCH", "-dNOPAUSE", f"-sDEVICE={device}", f"-r{dpi}", f"-o{made}", source)
    document = rendered(made.read_bytes(), name="page.g4", options=FINE)
    assert (document.total, document.remarks) == (1, ())
    assert document.pages[0].size.height == pytest.approx(297, abs=4)
    assert document.pages[0].octets > 10_000


def _without_end(content: bytes) -> bytes:
    """T.6 without its EOFB, filled up to an octet."""
    return from_bits(to_bits(content).rstrip("0").removesuffix(EOFB))


@pytest.mark.parametrize("rows", [(1719, 2290), (2200, 1100, 2290), (1500, 1500, 1500, 2156)])
def test_pages_of_t6_without_an_end_are_told_apart(rendered: Rendered, rows: tuple[int, ...]) -> None:
    content = b"".join(_without_end(encode(_raster(rows=each), Coding.MMR).data) for each in rows)
    for octets in (content, reverse_bits(content)):
        document = rendered(octets, name="fax.g4", options=FINE)
        assert (document.total, document.remarks) == (len(rows), ())
        for number, each in enumerate(rows):
            assert document.pages[number].size.height == pytest.approx(each / 7.7, rel=0.01)


def test_t6_of_many_short_pages_keeps_nobody_waiting() -> None:
    piece = _without_end(encode(_raster(rows=150), Coding.MMR).data)
    began = time.process_time()
    pages = fax_pages((piece * 1500)[: 1 << 20], 50)
    assert len(pages) == 51
    fax_pages(b"\xff" * (1 << 20) + b"\0\0\1" + piece, 50)
    assert time.process_time() - began < 5


@pytest.mark.parametrize("rows", [(1719, 1719), (2200, 2200), (1500,)])
def test_t6_that_ends_where_no_sheet_ends_is_remarked(rendered: Rendered, rows: tuple[int, ...]) -> None:
    content = b"".join(_without_end(encode(_raster(rows=each), Coding.MMR).data) for each in rows)
    document = rendered(content, name="fax.g4", options=FINE)
    assert document.total == len(rows)
    assert [remark.kind for remark in document.remarks] == [PAGES_MISSING]


def test_rows_of_a_raw_page_that_are_lost_are_remarked(rendered: Rendered) -> None:
    bits = to_bits(encode(PAGE, Coding.MH).data)
    at = bits.index(EOL, len(bits) // 2) + 20
    content = from_bits(bits[:at] + "1" * 90 + bits[at + 90 :])
    document = rendered(content, name="fax.g3")
    assert document.total == 1
    assert [remark.kind for remark in document.remarks] == [CONTENT_DAMAGED]
    cut = encode(PAGE, Coding.MMR).data
    told = rendered(cut[: len(cut) // 2], name="fax.g4").remarks
    assert [remark.kind for remark in told] == [PAGES_MISSING, CONTENT_DAMAGED]


@pytest.mark.parametrize("content", [b"\0\1\2\3" * 500, b"\0" * 20 + b"\1" * 3000, bytes(range(256)) * 20])
def test_other_octets_are_no_raw_fax(content: bytes) -> None:
    with pytest.raises(DocumentError) as refused:
        sniff(content, "data.bin")
    assert refused.value.cause is DOCUMENT_UNSUPPORTED


def test_a_raw_fax_that_is_none_is_damaged(rendered: Rendered) -> None:
    with pytest.raises(DocumentError) as refused:
        rendered(bytes(range(1, 256)) * 40, name="fax.g4")
    assert refused.value.cause is DOCUMENT_DAMAGED
    with pytest.raises(DocumentError) as refused:
        sniff(b"Dear all,\n", "fax.g3")
    assert refused.value.cause is DOCUMENT_MISLABELLED


def _cals(raster: Raster, orientation: str = "000,270") -> bytes:
    records = [
        *(
            "srcdocid: NONE",
            "dstdocid: NONE",
            "txtfilid: NONE",
            "figid: NONE",
            "srcgph: NONE",
            "doccls: NONE",
        ),
        *("rtype: 1", f"rorient: {orientation}", f"rpelcnt: {raster.width:06},{raster.rows:06}"),
        *("rdensty: 0300", "notes: NONE"),
    ]
    header = "".join(record.ljust(128) for record in records).encode().ljust(2048)
    return header + encode(raster, Coding.MMR).data


@pytest.mark.parametrize(("orientation", "size"), [("000,270", (210, 118)), ("090,000", (118, 210))])
def test_a_drawing_in_cals_has_its_size(
    rendered: Rendered, orientation: str, size: tuple[float, float]
) -> None:
    document = rendered(_cals(_raster(2480, 1400), orientation), name="drawing.cal")
    assert (document.total, document.remarks) == (1, ())
    assert (document.pages[0].size.width, document.pages[0].size.height) == pytest.approx(size, abs=1)


def _dcx(*pictures: bytes) -> bytes:
    first = 4 * (len(pictures) + 2)
    places = [first + sum(map(len, pictures[:number])) for number in range(len(pictures))]
    return struct.pack(f"<{len(places) + 2}I", 0x3ADE68B1, *places, 0) + b"".join(pictures)


def test_each_page_of_a_dcx_is_sent_as_it_is(rendered: Rendered) -> None:
    """DCX and PCX: what fax boards of the 1990s write."""
    pages = [PAGE, _raster(rows=2000)]
    pcx = [
        save(Image.frombytes("1", (page.width, page.rows), page.data, "raw", "1;I"), "PCX", dpi=(204, 196))
        for page in pages
    ]
    document = rendered(_dcx(*pcx), name="fax.dcx", options=FINE)
    assert document.total == 2
    for number, page in enumerate(pages):
        assert decode(document.coded_page(number)).data[: len(page.data)] == page.data
    assert decode(rendered(pcx[0], options=FINE).coded_page(0)).data[: len(PAGE.data)] == PAGE.data


@pytest.mark.parametrize(
    ("form", "kind"), [("PCX", Kind.PCX), ("PPM", Kind.PNM), ("JPEG2000", Kind.JPEG_2000)]
)
@pytest.mark.parametrize("mode", ["1", "L", "RGB"])
def test_pictures_of_rarer_kinds_are_sent_and_cut_ones_refused(
    rendered: Rendered, form: str, kind: Kind, mode: str
) -> None:
    if (form, mode) == ("JPEG2000", "1"):
        pytest.skip("has no such pictures")
    picture = Image.radial_gradient("L").resize((600, 400)).convert(mode)
    content = save(picture, form)
    assert sniff(content, "letter.tif") is sniff(content) is kind
    assert rendered(content).total == 1
    with pytest.raises(DocumentError) as refused:
        rendered(content[: len(content) // 2])
    assert refused.value.cause is DOCUMENT_DAMAGED


def test_a_tiff_with_pixels_in_webp_is_not_called_damaged(rendered: Rendered) -> None:
    out = io.BytesIO()
    Image.new("RGB", (40, 40), "red").save(out, "TIFF", compression="tiff_adobe_deflate")
    content = out.getvalue().replace(
        struct.pack("<HHII", 259, 3, 1, 8), struct.pack("<HHII", 259, 3, 1, 50001)
    )
    with pytest.raises(DocumentError) as refused:
        rendered(content)
    assert refused.value.cause is DOCUMENT_UNSUPPORTED
    assert "WebP" in refused.value.detail
