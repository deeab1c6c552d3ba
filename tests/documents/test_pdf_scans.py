"""Scans in black and white within a PDF: placed by the box, without pdfium, which is the test's other end."""

from __future__ import annotations

import functools
import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pikepdf import Array, Dictionary, Name
from PIL import Image, ImageChops, ImageDraw
from pypdfium2 import raw

from appliance.documents.bilevel import _bilevel
from appliance.documents.bilevel.screen import bilevel
from appliance.documents.geometry import PageSize, lay_out
from appliance.documents.options import PageFormat, Treatment
from appliance.documents.pdf import source as pdf_source
from appliance.documents.pdf import streams
from appliance.t4.coding import encode
from appliance.t4.page import Coding, Raster, Resolution
from tests.documents.making import A4, photograph

_SIZE = (1240, 1754)  # A4 at 150 dpi


def _scan(size: tuple[int, int] = _SIZE) -> Image.Image:
    """Type, thin lines and black areas, in black (0) on white."""
    return _drawn(size).copy()


@functools.cache
def _drawn(size: tuple[int, int]) -> Image.Image:
    page = Image.new("L", size, 255)
    pen = ImageDraw.Draw(page)
    for row in range(40, size[1] - 40, 33):
        pen.text((60, row), "Rechnung 4711 vom 29. November, zahlbar in 14 Tagen " * 2, fill=0, font_size=22)
    for at in range(50, 700, 70):
        pen.line((at, 50, at, size[1] - 50), fill=0, width=size[0] // 800)
        pen.line((50, 2 * at, size[0] - 50, 2 * at + 9), fill=0, width=3)
    pen.rectangle((700, 900, 1000, 1100), fill=0)
    return page.point(lambda level: 255 * (level > 127)).convert("1", dither=Image.Dither.NONE)


def _coded(picture: Image.Image, coding: Coding) -> bytes:
    ink = picture.tobytes().translate(bytes(range(255, -1, -1)))
    return encode(Raster(*picture.size, ink, Resolution.FINE), coding).data


def _fax(picture: Image.Image, coding: Coding, **parameters: Any) -> dict[str, Any]:
    k = {Coding.MMR: -1, Coding.MR: 4, Coding.MH: 0}[coding]
    parms = Dictionary(K=k, Columns=picture.width, Rows=picture.height, **parameters)
    return {"data": _coded(picture, coding), "filter": Name.CCITTFaxDecode, "decode_parms": parms}


def _jbig2(picture: Image.Image) -> dict[str, Any]:
    """One region in MMR on one page (T.88 7.4.6, 7.4.8), as a PDF embeds them."""

    def segment(number: int, kind: int, data: bytes) -> bytes:
        return struct.pack(">IBBBI", number, kind, 0, 1, len(data)) + data

    page = struct.pack(">IIIIBH", *picture.size, 0, 0, 0, 0)
    region = struct.pack(">IIIIBB", *picture.size, 0, 0, 0, 1) + _coded(picture, Coding.MMR)
    data = segment(0, 48, page) + segment(1, 38, region)
    return {"data": data, "filter": Name.JBIG2Decode, "decode_parms": None}


@dataclass(frozen=True)
class _Case:
    """A PDF of one scan: how its picture is coded and placed, and what else its page has."""

    coded: Callable[[Image.Image], dict[str, Any]] = lambda picture: _fax(picture, Coding.MMR)
    size: tuple[int, int] = _SIZE
    content: str = "q 595 0 0 842 0 0 cm /I Do Q"
    about: dict[str, Any] | None = None  # of the picture
    page: dict[str, Any] | None = None
    negative: bool = False
    document: Callable[[pikepdf.Pdf], None] = lambda _document: None

    def pdf(self) -> bytes:
        picture = _scan(self.size)
        document = pikepdf.new()
        document.add_blank_page(page_size=A4)
        leaf = document.pages[0].obj
        coded = self.coded(ImageChops.invert(picture) if self.negative else picture)
        about = {"ColorSpace": Name.DeviceGray, "BitsPerComponent": 1} | (self.about or {})
        made = document.make_stream(b"", Type=Name.XObject, Subtype=Name.Image)
        made.Width, made.Height = picture.size
        made.write(coded["data"], filter=coded["filter"], decode_parms=coded["decode_parms"])
        for key, value in about.items():
            if value is not None:
                made[f"/{key}"] = value
        font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
        leaf.Resources = Dictionary(XObject=Dictionary(I=made), Font=Dictionary(F=font))
        leaf.Contents = document.make_stream(self.content.encode())
        for key, value in (self.page or {}).items():
            leaf[f"/{key}"] = value
        self.document(document)
        file = io.BytesIO()
        document.save(file)
        return file.getvalue()


def _flate(picture: Image.Image) -> dict[str, Any]:
    return {"data": zlib.compress(picture.tobytes()), "filter": Name.FlateDecode, "decode_parms": None}


_OCR = " BT 3 Tr /F 11 Tf 60 700 Td (Rechnung 4711) Tj 0 -20 Td (zahlbar in 14 Tagen) Tj ET"
_PLACED = {
    "the whole page": _Case(),
    "at 300 dpi": _Case(size=(2480, 3508)),
    "at 200 dpi": _Case(size=(1654, 2339)),
    "at 100 dpi": _Case(size=(1000, 1414)),
    "with margins": _Case(content="q 500.4 0 0 700.7 41.3 77.7 cm /I Do Q"),
    "beyond the page": _Case(content="q 640 0 0 900 -20 -30 cm /I Do Q"),
    "of a crop box": _Case(page={"CropBox": Array([30, 40, 560, 800])}),
    "of a sheet whose corner is elsewhere": _Case(
        page={"MediaBox": Array([100, 200, 695, 1042])}, content="q 595 0 0 842 100 200 cm /I Do Q"
    ),
    "in user units": _Case(page={"UserUnit": 1.2, "MediaBox": Array([0, 0, 495, 701])}),
    "below invisible words": _Case(content="q 595 0 0 842 0 0 cm /I Do Q" + _OCR),
    "on invisible words": _Case(content=_OCR + " q 595 0 0 842 0 0 cm /I Do Q"),
    "black is one": _Case(lambda picture: _fax(picture, Coding.MMR, BlackIs1=True), negative=True),
    "decoded the other way": _Case(about={"Decode": Array([1, 0])}, negative=True),
    "black is one, decoded the other way": _Case(
        lambda picture: _fax(picture, Coding.MMR, BlackIs1=True), about={"Decode": Array([1, 0])}
    ),
    "in MH": _Case(lambda picture: _fax(picture, Coding.MH, EndOfLine=True)),
    "in MR": _Case(lambda picture: _fax(picture, Coding.MR, EndOfLine=True)),
    "packed": _Case(_flate),
    "in JBIG2": _Case(_jbig2),
    "in JBIG2, turned right": _Case(_jbig2, page={"Rotate": 90}),
    "a mask": _Case(about={"ImageMask": True, "ColorSpace": None}),
    "a mask the other way": _Case(
        about={"ImageMask": True, "ColorSpace": None, "Decode": Array([1, 0])}, negative=True
    ),
    "turned right": _Case(page={"Rotate": 90}),
    "turned over": _Case(page={"Rotate": 180}, content="q 500.4 0 0 700.7 41.3 77.7 cm /I Do Q"),
    "turned left": _Case(page={"Rotate": 270}, content="q 500.4 0 0 700.7 41.3 77.7 cm /I Do Q"),
    "lying": _Case(
        size=(1754, 1240),
        page={"MediaBox": Array([0, 0, 842, 595])},
        content="q 842 0 0 595 0 0 cm /I Do Q",
    ),
    "turned and lying, black is one": _Case(
        lambda picture: _fax(picture, Coding.MMR, BlackIs1=True), page={"Rotate": 90}, negative=True
    ),
}
_NO_SCAN_OF_OURS = {
    "upside down, mirrored": _Case(content="q 595 0 0 -842 0 842 cm /I Do Q"),
    "askew": _Case(content="q 595 8 -8 842 4 -4 cm /I Do Q"),
    "clipped": _Case(content="q 50 50 300 700 re W n 595 0 0 842 0 0 cm /I Do Q"),
    "with visible words": _Case(content="q 595 0 0 842 0 0 cm /I Do Q" + _OCR.replace("3 Tr", "0 Tr")),
    "twice": _Case(content="q 595 0 0 842 0 0 cm /I Do Q q 300 0 0 400 9 9 cm /I Do Q"),
    "a mask for red": _Case(
        about={"ImageMask": True, "ColorSpace": None}, content="1 0 0 rg q 595 0 0 842 0 0 cm /I Do Q"
    ),
    "with a mask": _Case(about={"Mask": Array([0, 0])}),
    "with columns of another number": _Case(size=(1248, 1754), about={"Width": 1240}),
    "cut off": _Case(
        lambda picture: _fax(picture, Coding.MMR) | {"data": _coded(picture, Coding.MMR)[:20_000]}
    ),
    "a mask in JBIG2": _Case(_jbig2, about={"ImageMask": True, "ColorSpace": None}),
    "in JBIG2, decoded the other way": _Case(_jbig2, about={"Decode": Array([1, 0])}, negative=True),
    "enlarged much": _Case(size=(700, 990)),
}


def _page(content: bytes, resolution: Resolution) -> tuple[Image.Image, Image.Image]:
    """The page in grey before it is converted, and in black and white."""
    source = pdf_source.PdfSource(content)
    layout = lay_out(source.size(0), PageFormat(resolution))
    drawing = source.draw(0, layout)
    pixels = drawing.looked_at.grey if drawing.looked_at else drawing.draw(0, drawing.rows)
    size = (drawing.width, drawing.rows)
    mode = ("L", "L") if pixels.channels == 1 else ("RGB", "BGRX")
    grey = Image.frombytes(mode[0], size, bytes(pixels.page), "raw", mode[1], pixels.stride, 1).convert("L")
    return grey, Image.frombytes("1", size, bilevel(drawing, resolution, Treatment.AUTO))


@pytest.fixture
def placed(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For each page of a scan in black and white, whether the box placed it itself."""
    found: list[bool] = []
    way = pdf_source.drawn_black_and_white

    def noted(*arguments: Any) -> Any:
        made = way(*arguments)
        found.append(made is not None)
        return made

    monkeypatch.setattr(pdf_source, "drawn_black_and_white", noted)
    return found


@pytest.mark.parametrize("resolution", [Resolution.FINE, Resolution.STANDARD])
@pytest.mark.parametrize("name", _PLACED)
def test_a_scan_that_the_box_places_is_the_page_that_pdfium_draws(
    name: str, resolution: Resolution, placed: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    content = _PLACED[name].pdf()
    grey, page = _page(content, resolution)
    assert placed == [True]
    monkeypatch.setattr(pdf_source, "drawn_black_and_white", lambda *_: None)
    drawn, other = _page(content, resolution)
    assert ImageChops.difference(grey, drawn).getextrema()[1] <= 4
    assert sum(grey.histogram()[:128]) > 50_000
    unlike = ImageChops.logical_xor(page, other).convert("L").histogram()[255]
    assert unlike < 0.01 * other.convert("L").histogram()[255]


@pytest.mark.parametrize("name", _NO_SCAN_OF_OURS)
def test_what_is_more_than_an_upright_scan_is_left_to_pdfium(
    name: str, placed: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    content = _NO_SCAN_OF_OURS[name].pdf()
    page = _page(content, Resolution.FINE)
    assert True not in placed
    monkeypatch.setattr(pdf_source, "drawn_black_and_white", lambda *_: None)
    assert page == _page(content, Resolution.FINE)


def test_a_scan_in_layers_is_left_to_pdfium(placed: list[bool]) -> None:
    def layered(document: pikepdf.Pdf) -> None:
        layer = document.make_indirect(Dictionary(Type=Name.OCG, Name="Scan"))
        hidden = Dictionary(OFF=Array([layer]))
        document.Root.OCProperties = Dictionary(OCGs=Array([layer]), D=hidden)
        document.pages[0].obj.Resources.XObject.I.OC = layer

    grey, _ = _page(_Case(document=layered).pdf(), Resolution.FINE)
    assert True not in placed
    assert grey.getextrema() == (255, 255)


def test_a_scan_with_a_note_on_it_is_left_to_pdfium(placed: list[bool]) -> None:
    def noted(document: pikepdf.Pdf) -> None:
        look = document.make_stream(b"0 g 0 0 100 100 re f", Subtype=Name.Form, BBox=Array([0, 0, 100, 100]))
        note = Dictionary(Subtype=Name.Stamp, Rect=Array([5, 5, 105, 105]), F=4, AP=Dictionary(N=look))
        document.pages[0].obj.Annots = Array([note])

    grey, _ = _page(_Case(document=noted).pdf(), Resolution.FINE)
    assert True not in placed
    assert grey.crop((100, grey.height - 200, 200, grey.height - 100)).getextrema() == (0, 0)


def test_a_scan_that_is_a_fax_page_is_not_changed_by_a_pixel(placed: list[bool]) -> None:
    size = (1728, 2287)
    width, rows = 1728 / (1728 / 215) * 72 / 25.4, 2287 / 7.7 * 72 / 25.4
    case = _Case(size=size, content=f"q {width} 0 0 {rows} 0 0 cm /I Do Q")
    case = replace(case, page={"MediaBox": Array([0, 0, width, rows])})
    _, page = _page(case.pdf(), Resolution.FINE)
    assert placed == [True]
    assert page.size == size
    assert ImageChops.logical_xor(page, ImageChops.invert(_scan(size))).getbbox() is None


def test_a_scan_is_decoded_once_and_known_to_be_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[int] = []
    way = streams.decode_rows
    monkeypatch.setattr(streams, "decode_rows", lambda *given: decoded.append(1) or way(*given))
    source = pdf_source.PdfSource(_Case().pdf())
    layout = lay_out(source.size(0), PageFormat(Resolution.FINE))
    source.draw(0, layout)
    source.draw(0, layout)  # once more, below the header line
    assert list(source.remarks(0)) == []
    assert len(decoded) == 1


def test_a_scan_in_jbig2_is_decoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[int] = []
    way = raw.FPDFImageObj_GetBitmap
    monkeypatch.setattr(raw, "FPDFImageObj_GetBitmap", lambda *given: decoded.append(1) or way(*given))
    source = pdf_source.PdfSource(_Case(_jbig2).pdf())
    layout = lay_out(source.size(0), PageFormat(Resolution.FINE))
    source.draw(0, layout)
    source.draw(0, layout)
    assert list(source.remarks(0)) == []
    assert len(decoded) == 1


def test_only_a_scan_whose_dots_stand_for_tones_counts_as_toned(tmp_path: Path) -> None:
    scan = tmp_path / "scan.pdf"
    for size, is_toned in ((0, False), (200, True)):  # 17 mm of a photograph
        page = _scan((2480, 3508))
        if size:
            page.paste(photograph(size, size).convert("1"), (1800, 3000))
        page.save(scan, resolution=300)
        source = pdf_source.PdfSource(scan.read_bytes())
        drawing = source.draw(0, lay_out(PageSize(210, 297), PageFormat(Resolution.FINE)))
        assert (drawing.looked_at is None) is is_toned


@given(st.data())
def test_a_picture_is_placed_as_the_mean_of_what_its_pixels_cover(data: st.DataObject) -> None:
    side = st.integers(1, 70)
    width, rows, across, down = data.draw(side), data.draw(side), data.draw(side), data.draw(side)
    across, down = min(across, width), min(down, rows)  # made smaller, so each pixel is a mean
    octets = data.draw(st.binary(min_size=-(-width // 8) * rows, max_size=-(-width // 8) * rows))
    grey = _bilevel.place(
        octets, width, rows, False, across, down, (0, 0, across, down), (0, 0, across, down)
    )
    picture = Image.frombytes("1", (width, rows), octets, "raw", "1;I")
    mean = picture.convert("L").resize((across, down), Image.Resampling.BOX)
    exact = width % across == 0 and rows % down == 0
    wrong = ImageChops.difference(Image.frombytes("L", (across, down), grey), mean)
    if exact:  # Pillow's box takes pixels whole
        assert wrong.getextrema()[1] <= 4


@pytest.mark.parametrize(
    ("box", "within"),
    [
        ((0, 0, 33, 16), (0, 0, 16, 16)),  # more than twice as wide
        ((0, 0, 16, 33), (0, 0, 16, 16)),
        ((0, 0, 0, 16), (0, 0, 0, 16)),
        ((0, 0, 16, 16), (0, 0, 17, 16)),
        ((8, 0, 24, 16), (4, 0, 16, 16)),
        ((0, 0, 16, 16), (-1, 0, 16, 16)),
    ],
)
def test_a_place_that_is_none_is_refused(
    box: tuple[int, int, int, int], within: tuple[int, int, int, int]
) -> None:
    with pytest.raises(ValueError, match="do not make a picture"):
        _bilevel.place(bytes(32), 16, 16, False, 16, 16, box, within)
    with pytest.raises(ValueError, match="do not make a picture"):
        _bilevel.place(bytes(31), 16, 16, False, 16, 16, (0, 0, 16, 16), (0, 0, 16, 16))


@pytest.mark.parametrize("size", [(1, 1), (7, 30), (64, 3), (200, 129)])
@pytest.mark.parametrize("is_paper", [False, True])
def test_a_picture_is_turned_clockwise(size: tuple[int, int], is_paper: bool) -> None:
    upright = Image.effect_noise(size, 90).point(lambda level: 255 * (level > 127)).convert("1")
    turns = (Image.Transpose.ROTATE_270, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_90)
    for quarters, turn in enumerate(turns, 1):
        octets = upright.tobytes()
        turned = upright.transpose(turn)
        found = _bilevel.turn(octets, *size, is_paper, quarters)
        shown = Image.frombytes("1", turned.size, found)
        assert shown.tobytes() == (ImageChops.invert(turned) if is_paper else turned).tobytes()
    for wrong in (0, 4):
        with pytest.raises(ValueError, match="do not make a picture"):
            _bilevel.turn(octets, *size, is_paper, wrong)
