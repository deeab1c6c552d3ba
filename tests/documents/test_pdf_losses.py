"""PDF content that is hard to show is drawn or remarked: damage, attachments, fields, films."""

from __future__ import annotations

import io
import random
import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name

from appliance.documents.pdf.streams import is_codestream_whole
from appliance.remarks import (
    ATTACHMENT_LEFT_OUT,
    COMMENTS_LEFT_OUT,
    CONTENT_CUT,
    CONTENT_DAMAGED,
    FILE_LEFT_OUT,
    MARK_LOST,
    MOVEMENT_LEFT_OUT,
    PICTURE_LOST,
    SCREEN_ONLY,
    RemarkKind,
)
from appliance.t4.coding import encode
from appliance.t4.page import Coding, Raster, Resolution
from tests.documents.conftest import Rendered
from tests.documents.making import A4, ink, pdf, photograph, picture, save, words

LINES = "\n".join(
    f"BT /F 12 Tf 60 {780 - 15 * n} Td (Line {n} of the page {n * 7919 % 1000}) Tj ET" for n in range(48)
).encode()
PACKED = zlib.compress(LINES)
ROWS = zlib.compress(random.Random(1).randbytes(10_000))


def page() -> pikepdf.Pdf:
    return pikepdf.open(io.BytesIO(pdf([(*A4, "BT /F 14 Tf 60 780 Td (Ordinary line) Tj ET")])))


def octets(document: pikepdf.Pdf) -> bytes:
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def drawn_by(content: bytes, coding: str = "") -> bytes:
    """A page whose content is ``content``, coded as it says."""
    said = f"/Filter/{coding}" if coding else ""
    head = (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Count 1/Kids[3 0 R]>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R"
        b"/Resources<</Font<</F 5 0 R>>>>>>endobj\n"
        b"5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\n"
    )
    stream = b"4 0 obj<<%s/Length %d>>stream\n%s\nendstream endobj\n" % (said.encode(), len(content), content)
    return head + stream + b"trailer<</Size 6/Root 1 0 R>>\n%%EOF\n"


@pytest.mark.parametrize(
    ("content", "coding"),
    [
        (b"rubbish" * 50, "FlateDecode"),
        (PACKED[: len(PACKED) // 2], "FlateDecode"),
        (PACKED[:300] + bytes([PACKED[300] ^ 0x55, PACKED[301] ^ 0xFF]) + PACKED[302:], "FlateDecode"),
        (PACKED, "OfTheFuture"),
        (LINES[:700] + b" BT /F 12 Tf 60", ""),
        (LINES[: LINES.rindex(b"page")], ""),
        (LINES + b" q 60 400 300 100 re W n /None sh Q", ""),
    ],
    ids=[
        "rubbish",
        "cut",
        "changed",
        "of another coding",
        "cut in plain",
        "cut in a word",
        "a shading that is not there",
    ],
)
def test_a_page_of_which_a_part_cannot_be_read_is_remarked(
    rendered: Rendered, content: bytes, coding: str
) -> None:
    document = rendered(drawn_by(content, coding))
    assert [(remark.kind, remark.page) for remark in document.remarks] == [(CONTENT_DAMAGED, 1)]


@pytest.mark.parametrize(
    ("content", "coding"),
    [
        (PACKED, "FlateDecode"),
        (PACKED[:-4], "FlateDecode"),  # without its checksum
        (PACKED[:-4] + b"\0\0\0\0", "FlateDecode"),
        (b"\r\n" + PACKED + b"\r\n", "FlateDecode"),
        (LINES + b"\0\0 \n", ""),
        (b"", ""),
    ],
    ids=["whole", "no checksum", "a wrong checksum", "line ends around it", "filled up", "empty"],
)
def test_content_that_is_only_written_carelessly_is_whole(
    rendered: Rendered, content: bytes, coding: str
) -> None:
    assert rendered(drawn_by(content, coding)).remarks == ()


def test_a_page_whose_content_is_not_in_the_file_is_no_blank_page(rendered: Rendered) -> None:
    there, missing = b"/Contents 5 0 R", b"/Contents 9 0 R"
    document = rendered(pdf([(*A4, words(*A4))]).replace(there, missing))
    assert [(remark.kind, remark.page) for remark in document.remarks] == [(CONTENT_DAMAGED, 1)]


def _picture(document: pikepdf.Pdf, data: bytes, coding: str) -> Any:
    made = document.make_stream(b"", Type=Name.XObject, Subtype=Name.Image, Width=100, Height=100)
    made.ColorSpace, made.BitsPerComponent = Name.DeviceGray, 8
    parameters = None
    if coding == "CCITTFaxDecode":
        made.BitsPerComponent = 1
        parameters = Dictionary(K=-1, Columns=100)
    made.write(data, filter=Name(f"/{coding}") if coding else None, decode_parms=parameters)
    return made


def _place(document: pikepdf.Pdf, where: str, made: Any) -> bytes:
    """``made`` as the picture of a page, of a form or a pattern on it, or of a stamp."""
    leaf = document.pages[0].obj
    draw = b"q 300 0 0 300 60 300 cm /I Do Q"
    pictures = Dictionary(XObject=Dictionary(I=made))
    if where == "page":
        leaf.Resources.XObject = pictures.XObject
    else:
        form = document.make_stream(draw, BBox=Array([0, 0, 600, 800]), Resources=pictures)
        form.Type, form.Subtype = Name.XObject, Name.Form
        if where == "form":
            leaf.Resources.XObject = Dictionary(F=form)
            draw = b"/F Do"
        elif where == "pattern":
            form.PatternType = form.PaintType = form.TilingType = 1
            form.XStep = form.YStep = 800
            leaf.Resources.Pattern = Dictionary(P=form)
            draw = b"/Pattern cs /P scn 60 300 300 300 re f"
        else:
            stamp = Dictionary(Type=Name.Annot, Subtype=Name.Stamp, F=4, Rect=Array([0, 0, 600, 800]))
            stamp.AP = Dictionary(N=form)
            leaf.Annots = Array([document.make_indirect(stamp)])
            draw = b""
    document.pages[0].contents_add(document.make_stream(draw))
    return octets(document)


_JPEG = save(photograph(100, 100), "JPEG")
_FAX = encode(Raster(100, 100, random.Random(2).randbytes(1300), Resolution.FINE), Coding.MMR).data


RUNS = b"\x9d\x80"  # a row of grey
_PEN = photograph(100, 100).convert("RGB")


@pytest.mark.parametrize(
    ("data", "about", "lost"),
    [
        (save(_PEN, "JPEG"), "/Filter/DCTDecode/BitsPerComponent 8/ColorSpace/DeviceRGB", False),
        (save(_PEN, "JPEG"), "/Filter/DCTDecode/BitsPerComponent 8/ColorSpace/DeviceGray", True),
        (save(_PEN, "JPEG"), "/Filter/DCTDecode/ImageMask true", True),
        (save(_PEN, "JPEG2000"), "/Filter/JPXDecode", False),
        (save(_PEN, "JPEG2000"), "/Filter/JPXDecode/ColorSpace/DeviceRGB", False),
        (save(_PEN.resize((200, 100)), "JPEG2000"), "/Filter/JPXDecode", True),  # its half is off the picture
        (
            save(_PEN.convert("L"), "JPEG2000"),
            "/Filter/JPXDecode/ColorSpace[/Indexed/DeviceGray 1<00FF>]",
            True,  # pdfium draws the numbers as greys
        ),
        (bytes(10_000), "/BitsPerComponent 8/ColorSpace/DeviceGray", False),
        (bytes(10_000), "/BitsPerComponent 8", True),
        (bytes(1300), "/BitsPerComponent 1", False),
        (
            RUNS * 100 + b"\x80",
            "/Filter/RunLengthDecode/BitsPerComponent 8/ColorSpace/DeviceGray",
            False,
        ),
        (
            RUNS * 50 + b"\x80",
            "/Filter/RunLengthDecode/BitsPerComponent 8/ColorSpace/DeviceGray",
            True,
        ),
    ],
)
def test_a_picture_that_is_drawn_as_rubbish_is_remarked(
    rendered: Rendered, data: bytes, about: str, lost: bool
) -> None:
    document = page()
    made = document.make_stream(data)
    for key, value in pikepdf.Object.parse(f"<<{about}>>".encode()).items():
        made[key] = value
    made.Type, made.Subtype, made.Width, made.Height = Name.XObject, Name.Image, 100, 100
    found = rendered(_place(document, "page", made)).remarks
    assert [remark.kind for remark in found] == [PICTURE_LOST] * lost


_PAGE = Raster(608, 300, random.Random(3).randbytes(76 * 300), Resolution.FINE)
_CODED = {coding: encode(_PAGE, coding).data for coding in Coding}
_MMR, _MH, _MR = _CODED[Coding.MMR], _CODED[Coding.MH], _CODED[Coding.MR]


@pytest.mark.parametrize(
    ("data", "filters", "parameters", "lost"),
    [
        (_MMR, "/CCITTFaxDecode", "<</K -1/Columns 608>>", False),
        (_MMR[:3000] + bytes(40) + _MMR[3040:], "/CCITTFaxDecode", "<</K -1/Columns 608>>", True),
        (_MMR, "/CCITTFaxDecode", "<</K -1>>", True),  # 1728 pixels wide
        (_MH, "/CCITTFaxDecode", "<</K -1/Columns 608>>", True),
        (_MH, "/CCITTFaxDecode", "<</K 0/Columns 608>>", False),
        (_MH[: len(_MH) // 2], "/CCITTFaxDecode", "<</K 0/Columns 608>>", True),
        (_MR, "/CCITTFaxDecode", "<</K 4/Columns 608>>", False),
        (_MR[: len(_MR) // 2], "/CCITTFaxDecode", "<</K 4/Columns 608>>", True),
        (zlib.compress(_MMR), "[/FlateDecode/CCITTFaxDecode]", "[null<</K -1/Columns 608>>]", False),
        (zlib.compress(_MMR[:9000]), "[/FlateDecode/CCITTFaxDecode]", "[null<</K -1/Columns 608>>]", True),
        (zlib.compress(_MMR)[:9000], "[/FlateDecode/CCITTFaxDecode]", "[null<</K -1/Columns 608>>]", True),
    ],
    ids=[
        *("MMR", "MMR damaged", "MMR of another width", "MH for MMR", "MH", "MH cut", "MR", "MR cut"),
        *("packed", "packed and cut", "cut when packed"),
    ],
)
def test_a_picture_in_a_fax_coding_that_lacks_rows_is_remarked(
    rendered: Rendered, data: bytes, filters: str, parameters: str, lost: bool
) -> None:
    document = page()
    made = document.make_stream(
        b"", Type=Name.XObject, Subtype=Name.Image, Width=608, Height=300, BitsPerComponent=1
    )
    made.ColorSpace = Name.DeviceGray
    coding, about = (pikepdf.Object.parse(each.encode()) for each in (filters, parameters))
    made.write(data, filter=coding, decode_parms=about)
    found = rendered(_place(document, "page", made)).remarks
    assert [remark.kind for remark in found] == [PICTURE_LOST] * lost


@pytest.mark.parametrize("tile", [None, (64, 64)])
def test_half_of_all_lost_sectors_of_a_jpeg_2000_are_found(tile: tuple[int, int] | None) -> None:
    rng = random.Random(1)
    whole = save(photograph(900, 600), "JPEG2000", tile_size=tile or (0, 0), quality_layers=[8])
    found = 0
    for _ in range(100):
        at = rng.randrange(200, len(whole) - 600)
        found += not is_codestream_whole(whole[:at] + rng.randbytes(512) + whole[at + 512 :])
    assert is_codestream_whole(whole)
    assert found > 40


@pytest.mark.parametrize("where", ["page", "form", "pattern", "stamp"])
@pytest.mark.parametrize(
    ("data", "coding"),
    [
        (b"rubbish" * 99, "DCTDecode"),
        (_JPEG[: len(_JPEG) // 2], "DCTDecode"),
        (b"rubbish" * 99, "FlateDecode"),
        (ROWS[:3000], "FlateDecode"),
        (zlib.compress(b"\x80" * 4000), "FlateDecode"),
        (_FAX[: len(_FAX) // 2], "CCITTFaxDecode"),
        (b"\x80" * 4000, ""),
        (b"", "none"),
    ],
    ids=["no JPEG", "cut JPEG", "rubbish", "cut", "too few rows", "cut fax", "cut in plain", "not there"],
)
def test_a_picture_that_is_damaged_or_missing_is_remarked(
    rendered: Rendered, where: str, data: bytes, coding: str
) -> None:
    document = page()
    made = Dictionary(Some=1) if coding == "none" else _picture(document, data, coding)
    said = rendered(_place(document, where, made)).remarks
    assert [(remark.kind, remark.page) for remark in said] == [(PICTURE_LOST, 1)]


@pytest.mark.parametrize(
    ("data", "coding"),
    [
        (_JPEG, "DCTDecode"),
        (_JPEG[:-2], "DCTDecode"),
        (_JPEG + b"\n\n", "DCTDecode"),
        (ROWS, "FlateDecode"),
        (ROWS[:-4], "FlateDecode"),
        (_FAX, "CCITTFaxDecode"),
        (_FAX.rstrip(b"\0") + b"\n", "CCITTFaxDecode"),
        (b"\x80" * 10_000, ""),
        (b"\x80" * 9_990, ""),
    ],
)
def test_a_whole_picture_in_a_pdf_has_no_remark(rendered: Rendered, data: bytes, coding: str) -> None:
    document = page()
    assert rendered(_place(document, "form", _picture(document, data, coding))).remarks == ()


def test_a_file_in_the_document_is_remarked_unless_it_says_the_same_for_programs(rendered: Rendered) -> None:
    document = page()
    document.attachments["annex.docx"] = b"the annex"
    document.attachments["factur-x.xml"] = pikepdf.AttachedFileSpec(
        document, b"<invoice/>", relationship=Name.Alternative
    )
    said = rendered(octets(document)).remarks
    assert [(remark.kind, remark.file, remark.page) for remark in said] == [
        (ATTACHMENT_LEFT_OUT, "annex.docx", None)
    ]


def portfolio(files: Mapping[str, bytes], cover: str = "Get Adobe Reader now!") -> bytes:
    """A collection (ISO 32000-1 12.3.5) of ``files``, whose only page says ``cover``."""
    with pikepdf.open(io.BytesIO(pdf([(*A4, f"BT /F 20 Tf 50 700 Td ({cover}) Tj ET")]))) as document:
        for name, content in files.items():
            document.attachments[name] = pikepdf.AttachedFileSpec(document, content, filename=name)
        document.Root.Collection = Dictionary(Type=Name.Collection, View=Name.D)
        return octets(document)


def test_the_files_in_a_portfolio_are_the_document(rendered: Rendered) -> None:
    letter, note = pdf([(*A4, words(*A4))] * 2), b"a note"
    made = rendered(portfolio({"a.pdf": letter, "b.txt": note}))
    assert made.total == 3
    assert [remark.kind for remark in made.remarks] == [SCREEN_ONLY]
    made = rendered(portfolio({"a.pdf": letter, "b.bin": b"\x7fELF\2\1\1" + bytes(50)}))
    assert made.total == 2
    assert [(remark.kind, remark.file) for remark in made.remarks] == [
        (FILE_LEFT_OUT, "b.bin"),
        (SCREEN_ONLY, "document"),
    ]


def test_the_cover_of_a_portfolio_is_faxed_if_somebody_wrote_it(rendered: Rendered) -> None:
    made = rendered(portfolio({"b.txt": b"a note"}, cover="The files of the case"))
    assert (made.total, made.remarks) == (2, ())
    made = rendered(portfolio({"b.bin": b"\x7fELF\2\1\1" + bytes(50)}))
    assert made.total == 1
    assert [remark.kind for remark in made.remarks] == [FILE_LEFT_OUT]


def test_files_of_a_portfolio_that_cannot_be_read_are_left_out(rendered: Rendered) -> None:
    content = portfolio({"a.txt": b"a note", "b.txt": b"another"})
    for hurt in (
        re.sub(rb"/F \d+ 0 R\s*/UF", b"/UF", content.replace(b"/EF", b"/EX")),
        re.sub(rb"\(a\.txt\)\s*\d+ 0 R", b"(a.txt) 7", content),
    ):
        assert hurt != content
        assert FILE_LEFT_OUT in [remark.kind for remark in rendered(hurt).remarks]


def test_portfolios_within_each_other_end(rendered: Rendered) -> None:
    content = b"the innermost"
    for _ in range(9):
        content = portfolio({"a": content})
    assert FILE_LEFT_OUT in [remark.kind for remark in rendered(content).remarks]


def _marked(mark: str, form: str = "", drawing: bytes | None = None) -> bytes:
    """A page with one annotation, which is a field of ``form`` if there is one."""
    document = page()
    made = document.make_indirect(
        pikepdf.Object.parse(f"<</Type/Annot/Rect[60 600 360 660]{mark}>>".encode())
    )
    document.pages[0].obj.Annots = Array([made])
    if drawing is not None:
        made.AP = Dictionary(N=document.make_stream(drawing, Type=Name.XObject, Subtype=Name.Form))
        made.AP.N.BBox = Array([0, 0, 300, 60])
    if form:
        document.Root.AcroForm = pikepdf.Object.parse(form.encode())
        document.Root.AcroForm.Fields = Array([made])
    return octets(document)


def test_a_file_that_is_pinned_to_a_page_is_remarked_though_its_pin_is_drawn(rendered: Rendered) -> None:
    said = rendered(
        _marked("/Subtype/FileAttachment/F 4/FS<</Type/Filespec/UF(annex.pdf)>>", "", b"0 0 30 30 re f")
    ).remarks
    assert [(remark.kind, remark.file, remark.page) for remark in said] == [
        (ATTACHMENT_LEFT_OUT, "annex.pdf", 1)
    ]


@pytest.mark.parametrize("kind", ["Movie", "RichMedia", "Screen", "Sound", "3D"])
@pytest.mark.parametrize("flags", [0, 4])
def test_a_film_is_remarked_whether_or_not_a_picture_stands_for_it(
    rendered: Rendered, kind: str, flags: int
) -> None:
    document = rendered(_marked(f"/Subtype/{kind}/F {flags}"))
    assert [(remark.kind, remark.detail) for remark in document.remarks] == [(MARK_LOST, kind)]
    document = rendered(_marked(f"/Subtype/{kind}/F {flags}", drawing=b"0 0 30 30 re f"))
    assert (MOVEMENT_LEFT_OUT, kind) in {(remark.kind, remark.detail) for remark in document.remarks}
    assert MARK_LOST not in {remark.kind for remark in document.remarks}
    assert rendered(_marked(f"/Subtype/{kind}/F 2")).remarks == ()  # hidden


def test_a_mark_of_a_kind_that_nobody_knows_is_remarked(rendered: Rendered) -> None:
    assert [each.kind for each in rendered(_marked("/Subtype/OfTheFuture/F 4")).remarks] == [MARK_LOST]


@pytest.mark.parametrize(
    ("mark", "commented"),
    [
        ("/Subtype/Text/F 4/Contents(why?)", True),
        ("/Subtype/Text/F 0/Contents(why?)", True),
        ("/Subtype/Text/F 2/Contents(why?)", False),  # hidden
        ("/Subtype/Text/F 4", False),
        ("/Subtype/Highlight/F 4/Contents(why?)/QuadPoints[60 660 360 660 60 600 360 600]", True),
        ("/Subtype/StrikeOut/F 4/Contents(not so)/QuadPoints[60 660 360 660 60 600 360 600]", True),
        ("/Subtype/Square/F 4/Contents(why here?)", True),
        ("/Subtype/Ink/F 4/InkList[[60 600 360 660]]", False),
        ("/Subtype/FreeText/F 4/Contents(here)/DA(/Helv 14 Tf 0 g)", False),  # on the page
    ],
)
def test_words_that_only_a_window_of_the_viewer_shows_are_remarked(
    rendered: Rendered, mark: str, commented: bool
) -> None:
    kinds = {remark.kind for remark in rendered(_marked(mark)).remarks}
    assert (COMMENTS_LEFT_OUT in kinds) == commented


def test_free_text_that_is_given_in_rich_words_alone_is_drawn(rendered: Rendered) -> None:
    mark = "/Subtype/FreeText/F 4/DA(/Helv 14 Tf 0 g)"
    pages = [
        picture(rendered(_marked(mark + text)).coded_page(0))
        for text in ("/RC(<body><p>Rich words</p></body>)", "/Contents(Rich words)")
    ]
    assert pages[0].tobytes() == pages[1].tobytes()
    assert ink(pages[0])[3] > 400


@pytest.mark.parametrize(
    ("mark", "drawing", "lost"),
    [
        ("/Subtype/FreeText/Contents(\\376\\377\\005\\351)/DA(/Helv 14 Tf 0 g)", None, "FreeText"),
        ("/Subtype/FreeText/Contents(here)/DA(/Helv 14 Tf 0 g)", None, ""),
        (
            "/Subtype/FreeText/Contents(here)/DA(/Helv 14 Tf 0 g)/CL[60 500 100 600]",
            None,
            "FreeText: the line",
        ),
        ("/Subtype/FreeText/Contents(here)/CL[60 500 100 600]", b"0 0 30 30 re f", ""),
        ("/Subtype/Line/L[60 600 360 660]/LE[/None/OpenArrow]", None, "Line: what stands"),
        ("/Subtype/Line/L[60 600 360 660]/LE[/None/None]", None, ""),
        ("/Subtype/Stamp/AP<<>>", None, "Stamp"),
        ("/Subtype/Stamp/AP<</N<<>>>>/AS/Off", None, "Stamp"),
        ("/Subtype/Link/AP<<>>", None, ""),
    ],
)
def test_a_mark_of_which_only_a_part_is_drawn_is_remarked(
    rendered: Rendered, mark: str, drawing: bytes | None, lost: str
) -> None:
    found = [
        each for each in rendered(_marked(f"{mark}/F 4", drawing=drawing)).remarks if each.kind is MARK_LOST
    ]
    assert [remark.detail.startswith(lost) for remark in found] == [True] * bool(lost)


def test_a_polygon_is_filled_with_its_colour(rendered: Rendered) -> None:
    shape = "/Subtype/Polygon/F 4/Vertices[100 610 350 610 350 650 100 650]/C[0 0 0]"
    plain, filled = (
        picture(rendered(_marked(shape + inside)).coded_page(0)).histogram()[0]
        for inside in ("", "/IC[0 0 0]")
    )
    assert filled > 10 * plain


def test_free_text_for_which_pdfium_finds_no_font_is_remarked(rendered: Rendered) -> None:
    free = "/Subtype/FreeText/F 4/DA(/Other 14 Tf 0 g)/Contents(words)"
    assert rendered(_marked(free)).remarks == ()  # without a form it takes one of its own
    found = rendered(_marked(free, _FORM)).remarks
    assert [(remark.kind, remark.detail) for remark in found] == [(MARK_LOST, "FreeText")]


LONG = "a value that is much too long for its field, which has room for a few words and not for all of these"


@pytest.mark.parametrize(
    ("mark", "drawing", "cut"),
    [
        (f"/Subtype/Widget/FT/Tx/V({LONG})", None, True),
        ("/Subtype/Widget/FT/Tx/V(4711)", None, False),
        (f"/Subtype/Widget/FT/Tx/V({LONG})/DA(/Helv 0 Tf 0 g)", None, False),  # in letters that fit
        (f"/Subtype/Widget/FT/Tx/Q 2/V({LONG})", None, True),
        (f"/Subtype/Widget/FT/Tx/Ff 4096/V({LONG * 5})", None, True),  # of several lines
        (f"/Subtype/Widget/FT/Tx/Ff 4096/V({LONG})", None, False),
        (f"/Subtype/FreeText/DA(/Helv 14 Tf 0 g)/Contents({LONG})", None, True),
        ("/Subtype/Widget/FT/Tx/V(x)", f"q 1 1 298 58 re W n BT /F 14 Tf 2 5 Td ({LONG}) Tj ET Q", True),
        ("/Subtype/Widget/FT/Tx/V(x)", "q 1 1 298 58 re W n BT /F 14 Tf 2 5 Td (as it is) Tj ET Q", False),
        ("/Subtype/Widget/FT/Tx/V(x)", "q 1 6 298 58 re W n BT /F 14 Tf 2 5 Td (below) Tj ET Q", False),
        ("/Subtype/Stamp", f"BT /F 14 Tf 2 5 Td ({LONG}) Tj ET", True),
    ],
)
def test_words_that_run_over_the_edge_of_a_field_are_remarked(
    rendered: Rendered, mark: str, drawing: str | None, cut: bool
) -> None:
    form = _FORM if "/Widget" in mark else ""
    document = rendered(_marked(f"{mark}/F 4/T(policy)", form, drawing.encode() if drawing else None))
    assert [(remark.kind, remark.detail) for remark in document.remarks] == [(CONTENT_CUT, "policy")] * cut


_FORM = "<</DA(/Helv 14 Tf 0 g)>>"


@pytest.mark.parametrize(
    ("field", "form", "drawing", "lost"),
    [
        ("/FT/Sig/V<</Type/Sig/Name(Ada)>>", _FORM, None, True),
        ("/FT/Sig", _FORM, None, False),
        ("/FT/Tx/V(4711)", _FORM, None, False),  # pdfium draws it
        ("/FT/Tx/V(4711)", _FORM, b"/Tx BMC EMC", True),
        ("/FT/Tx/V(4711)", "<</NeedAppearances true/DA(/Helv 14 Tf 0 g)>>", b"/Tx BMC EMC", False),
        ("/FT/Tx/V( )", _FORM, b"/Tx BMC EMC", False),
        ("/FT/Tx/V(4711)", _FORM, b"/Tx BMC BT /F 12 Tf (4711) Tj ET EMC", False),
        ("/FT/Tx/RV(<body>rich</body>)", _FORM, None, True),
        ("/FT/Tx/V(4711)", "", None, True),
        ("/FT/Btn/V/Off/AS/Off", _FORM, None, False),
        ("/FT/Tx/V(\\376\\377\\005\\351\\005\\334)", _FORM, None, True),  # Hebrew, which pdfium leaves out
        ("/FT/Tx/V(\\376\\377\\004\\037\\004\\100)", _FORM, None, False),  # Cyrillic
        ("/FT/Tx/V(\\376\\377\\157\\042\\060\\102)", _FORM, None, False),  # Japanese
        (
            "/FT/Tx/V(\\376\\377\\005\\351)",
            "<</NeedAppearances true/DA(/Helv 14 Tf 0 g)>>",
            b"/Tx BMC BT /F 12 Tf (4711) Tj ET EMC",
            True,
        ),
    ],
)
def test_a_field_that_says_something_and_shows_nothing_is_remarked(
    rendered: Rendered, field: str, form: str, drawing: bytes | None, lost: bool
) -> None:
    document = rendered(_marked(f"/Subtype/Widget/F 4/T(policy){field}", form, drawing))
    assert [(remark.kind, remark.detail) for remark in document.remarks] == [(MARK_LOST, "policy")] * lost


@pytest.mark.parametrize(
    ("states", "said", "lost"),
    [("/Yes", "/V/Yes/AS/Yes", False), ("/On", "/V/Yes/AS/Yes", True), ("/Yes", "/V/Yes", True),
     ("/Yes", "/V/Off", False), ("/Yes", "/V/Off/AS/Off", False)],
)  # fmt: skip
def test_a_tick_that_is_set_and_not_drawn_is_remarked(
    rendered: Rendered, states: str, said: str, lost: bool
) -> None:
    document = pikepdf.open(io.BytesIO(_marked(f"/Subtype/Widget/F 4/T(agreed)/FT/Btn{said}", _FORM)))
    tick = document.make_stream(
        b"0 0 30 30 re f", Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 30, 30])
    )
    document.pages[0].obj.Annots[0].AP = Dictionary(N=Dictionary({states: tick}))
    found = rendered(octets(document)).remarks
    assert [(remark.kind, remark.detail) for remark in found] == [(MARK_LOST, "agreed")] * lost


def _with_font(document: pikepdf.Pdf, key: str, data: bytes, kind: str = "TrueType") -> bytes:
    """A page with a line in an embedded font."""
    about = Dictionary(Type=Name.FontDescriptor, FontName=Name("/ABCDEF+Some"), Flags=4, StemV=80)
    about.FontBBox, about.ItalicAngle = Array([0, 0, 1000, 1000]), 0
    about.Ascent, about.Descent, about.CapHeight = 800, -200, 700
    about[key] = document.make_stream(data)
    document.pages[0].obj.Resources.Font.E = Dictionary(
        Type=Name.Font,
        Subtype=Name(f"/{kind}"),
        BaseFont=Name("/ABCDEF+Some"),
        FirstChar=32,
        LastChar=126,
        Widths=Array([600] * 95),
        FontDescriptor=document.make_indirect(about),
    )
    document.pages[0].contents_add(document.make_stream(b"BT /E 24 Tf 60 600 Td (Embedded) Tj ET"))
    return octets(document)


DEJAVU = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")


@pytest.mark.parametrize(
    ("key", "kind", "cut", "said"),
    [
        ("/FontFile2", "TrueType", None, []),
        ("/FontFile2", "TrueType", 20_000, [CONTENT_DAMAGED]),
        ("/FontFile2", "TrueType", 0, [CONTENT_DAMAGED]),
        ("/FontFile", "Type1", None, [CONTENT_DAMAGED]),  # what a TrueType font is not
        ("/FontFile3", "Type1", 0, [CONTENT_DAMAGED]),
    ],
)
def test_an_embedded_font_that_is_none_is_remarked(
    rendered: Rendered, key: str, kind: str, cut: int | None, said: list[RemarkKind]
) -> None:
    data = DEJAVU.read_bytes()[:cut] if key == "/FontFile2" else b"rubbish" * 100
    found = rendered(_with_font(page(), key, data, kind)).remarks
    assert [remark.kind for remark in found] == said


@pytest.mark.parametrize(("cut", "said"), [(5, []), (20_000, [CONTENT_DAMAGED])])
def test_a_font_whose_coding_is_not_ended_is_whole_when_all_its_tables_are_there(
    rendered: Rendered, cut: int, said: list[RemarkKind]
) -> None:
    """Some writers leave out the last octets of the coding, which hold no part of the font."""
    packing = zlib.compressobj()
    data = packing.compress(DEJAVU.read_bytes()) + packing.flush(zlib.Z_SYNC_FLUSH)
    with pikepdf.open(io.BytesIO(_with_font(page(), "/FontFile2", b"", "TrueType"))) as made:
        file = made.pages[0].obj.Resources.Font.E.FontDescriptor.FontFile2
        file.write(data[:-cut], filter=Name.FlateDecode)
        found = rendered(octets(made)).remarks
    assert [remark.kind for remark in found] == said


def _shaded(kind: int, data: bytes = b"", **further: Any) -> bytes:
    document = page()
    shading = document.make_stream(data) if kind >= 4 else Dictionary()
    shading.ShadingType, shading.ColorSpace = kind, Name.DeviceGray
    for key, value in further.items():
        shading[f"/{key}"] = value
    document.pages[0].obj.Resources.Shading = Dictionary(S=document.make_indirect(shading))
    document.pages[0].contents_add(document.make_stream(b"q 60 300 300 300 re W n /S sh Q"))
    return octets(document)


_FADE = Dictionary(FunctionType=2, Domain=Array([0, 1]), C0=Array([0]), C1=Array([1]), N=1)
_ACROSS = Array([60, 0, 360, 0])
_MESH = {
    "BitsPerCoordinate": 16,
    "BitsPerComponent": 8,
    "BitsPerFlag": 8,
    "Decode": Array([0, 600, 0, 800, 0, 1]),
}
_CORNERS = b"".join(
    b"\0" + bytes(each) for each in ([20, 0, 80, 0, 0], [150, 0, 80, 0, 0], [90, 0, 180, 0, 0])
)


@pytest.mark.parametrize(
    ("content", "lost"),
    [
        (_shaded(2, Coords=_ACROSS, Function=_FADE), False),
        (_shaded(2, Coords=_ACROSS, Function=Array([_FADE])), False),
        (_shaded(2, Coords=_ACROSS), True),
        (_shaded(2, Coords=_ACROSS, Function=Dictionary(FunctionType=9)), True),
        (_shaded(9), True),
        (_shaded(4, _CORNERS, **_MESH), False),
        (_shaded(4, _CORNERS[:9], **_MESH), True),
    ],
)
def test_a_shading_that_cannot_be_drawn_is_remarked(rendered: Rendered, content: bytes, lost: bool) -> None:
    document = rendered(content)
    assert [remark.kind for remark in document.remarks] == [CONTENT_DAMAGED] * lost
    assert (ink(picture(document.coded_page(0)))[3] > 600) != lost


@pytest.mark.parametrize(
    ("instructions", "said"),
    [
        (b"/Pattern cs /Gone scn 60 300 300 300 re f", [CONTENT_DAMAGED]),
        (b"q 300 0 0 300 60 300 cm BI /W 100 /H 100 /CS /G /BPC 8 /F /Fl ID %s EI Q" % ROWS, []),
        (b"q 300 0 0 300 60 300 cm BI /W 100 /H 100 /CS /G /BPC 8 /F /Fl ID rubbish EI Q", [PICTURE_LOST]),
        (b"q 300 0 0 300 60 300 cm BI /W 2 /H 2 /CS /G /BPC 8 /F /AHx ID 00ff00ff> EI Q", []),
        (b"q 300 0 0 300 60 300 cm BI /W 2 /H 2 /CS /Own /BPC 8 ID \x00\x01\x00\x01 EI Q", []),
        (b"q 300 0 0 300 60 300 cm BI /W 100 /H 100 /CS /G /BPC 8 /F /DCT ID rubbish EI Q", [PICTURE_LOST]),
        (b"q 9 0 0 9 60 300 cm BI /W 8 /H 8 /IM true ID \xaa\x55\xaa\x55\xaa\x55\xaa\x55 EI Q", []),
        (b"q 300 0 0 300 60 300 cm BI /W 100 /H 100 /BPC# 8 /F /Fl ID rubbish EI Q", [PICTURE_LOST]),
        (b"BT /F 14 Tf 60 500 Td (of the BI of ID in 1 EI) Tj ET", []),
    ],
    ids=[
        "no pattern",
        "whole",
        "rubbish",
        "in hexadecimal",
        "of a colour space by name",
        "no JPEG",
        "a mask",
        "no words of a picture",
        "words",
    ],
)
def test_what_stands_in_the_instructions_and_cannot_be_drawn_is_remarked(
    rendered: Rendered, instructions: bytes, said: list[RemarkKind]
) -> None:
    document = page()
    document.pages[0].obj.Resources.ColorSpace = Dictionary(
        Own=Array([Name.Indexed, Name.DeviceGray, 1, b"\x00\xff"])
    )
    document.pages[0].contents_add(document.make_stream(instructions))
    assert [remark.kind for remark in rendered(octets(document)).remarks] == said


@pytest.mark.parametrize(
    ("letters", "shown", "lost"),
    [
        ("a", b"(aaa) Tj", False),
        ("", b"(aaa) Tj", True),
        ("a", b"(aba) Tj", True),
        ("a", b"[(a) -90 (b)] TJ", True),
        ("a", b"(aca) Tj", False),  # a blank
        ("ab", b"(abb) Tj", False),
        ("a", b"(aa) Tj q /F 14 Tf (bb) Tj Q (a) '", False),  # b in another font
        ("a", b"q /F 14 Tf (bb) Tj Q (b) '", True),
    ],
)
def test_letters_of_a_font_of_drawings_that_has_none_for_them_are_remarked(
    rendered: Rendered, letters: str, shown: bytes, lost: bool
) -> None:
    document = page()
    square = document.make_stream(b"1000 0 0 0 750 750 d1 0 0 750 750 re f")
    drawings = Dictionary({f"/{each}": square for each in letters})
    document.pages[0].obj.Resources.Font.T = Dictionary(
        Type=Name.Font,
        Subtype=Name.Type3,
        FontBBox=Array([0, 0, 1000, 1000]),
        FontMatrix=Array([0.001, 0, 0, 0.001, 0, 0]),
        CharProcs=drawings,
        Encoding=Dictionary(Differences=Array([97, Name.a, Name.b, Name.space])),
        FirstChar=97,
        LastChar=99,
        Widths=Array([1000] * 3),
    )
    document.pages[0].contents_add(document.make_stream(b"BT /T 40 Tf 60 600 Td %s ET" % shown))
    assert [remark.kind for remark in rendered(octets(document)).remarks] == [CONTENT_DAMAGED] * lost
