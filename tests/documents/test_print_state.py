"""PDF pages in their printed form: layers, annotations, units, thin lines, pale colours."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image, ImageChops

from appliance.documents.geometry import PIXELS_PER_MM, ROWS_PER_MM
from appliance.documents.options import PageFormat, RenderOptions
from appliance.documents.pdf.units import Texts, units_of
from appliance.documents.rendered import RenderedDocument
from appliance.remarks import (
    COMMENTS_LEFT_OUT,
    FONT_REPLACED,
    MARK_LOST,
    PAGE_WHITE,
    PICTURE_LOST,
    PRINT_ONLY,
    REDACTION_OPEN,
    SCREEN_ONLY,
    XFA_SHELL,
)
from appliance.t4.page import Resolution
from tests.documents.conftest import Rendered
from tests.documents.making import A4, ink, pdf, picture, words
from tests.documents.ocr import words_on

CASES = Path(__file__).parent / "cases"


def page_of(rendered: Rendered, name: str) -> Image.Image:
    return picture(rendered((CASES / name).read_bytes()).coded_page(0))


def test_layers_are_as_printed(rendered: Rendered, tmp_path: Path) -> None:
    found = words_on(page_of(rendered, "layers-print-view.pdf").crop((0, 0, 1728, 700)), tmp_path)
    assert "ALWAYS" in found
    assert "PRINT-ONLY" in found
    assert "SCREEN" not in found


def test_annotations_are_as_printed(rendered: Rendered, tmp_path: Path) -> None:
    found = words_on(page_of(rendered, "annotations-flags.pdf"), tmp_path)
    assert "must print" in found
    assert "NOVIEW" in found
    assert "PAID" in found
    assert "not printed" not in found
    assert "HIDDEN" not in found


def _layered(mark: str, states: str, content: str = "6 0 R", layers: str = "") -> bytes:
    """A page of words with one annotation on ``content``: layer 6 or 7, or a group of them."""
    letter = pdf([(*A4, words(A4[0], 130))])
    objects = f"6 0 obj<</Type/OCG/Name(Notes){layers}>>endobj\n7 0 obj<</Type/OCG/Name(More)>>endobj\n"
    for place, more in (
        (b"/Contents 5 0 R", f"/Annots[<</Type/Annot/OC {content}{mark}>>]"),
        (b"/Type/Catalog", f"/OCProperties<</OCGs[6 0 R 7 0 R]/D<<{states}>>>>"),
    ):
        assert letter.count(place) == 1
        letter = letter.replace(place, place + more.encode())
    return letter.replace(b"xref\n", objects.encode() + b"xref\n", 1)


MARKS = {
    "line": "/Subtype/Line/Rect[60 290 540 320]/F 4/L[60 305 540 305]/BS<</W 12>>",
    "stamp": "/Subtype/Stamp/Rect[60 280 300 340]/F 4/Name/Confidential",
    "words": "/Subtype/FreeText/Rect[60 280 300 340]/F 4/Contents(Hidden)/DA(/Helv 30 Tf 0 g)",
    "square": "/Subtype/Square/Rect[60 280 300 340]/F 4/C[0 0 0]/IC[0 0 0]",
}
GROUP = "<</Type/OCMD/OCGs[6 0 R 7 0 R]/P/%s>>"


def _has_mark(document: RenderedDocument) -> bool:
    page = picture(document.coded_page(0))
    place = page.crop((0, page.height // 2, page.width, page.height * 3 // 4))
    return ImageChops.invert(place).getbbox() is not None


@pytest.mark.parametrize("mark", MARKS.values(), ids=MARKS)
def test_an_annotation_on_a_layer_that_is_off_is_not_faxed(rendered: Rendered, mark: str) -> None:
    assert _has_mark(rendered(_layered(mark, "")))
    assert not _has_mark(rendered(_layered(mark, "/OFF[6 0 R]")))


@pytest.mark.parametrize("other", ["null", "99 0 R", "4", "<<>>"])
def test_an_annotation_behind_one_that_is_damaged_is_hidden_too(rendered: Rendered, other: str) -> None:
    document = _layered(MARKS["square"], "/OFF[6 0 R]")
    assert document.count(b"/Annots[") == 1
    assert not _has_mark(rendered(document.replace(b"/Annots[", f"/Annots[{other} ".encode())))


@pytest.mark.parametrize(
    ("states", "content", "layer", "printed"),
    [
        ("/BaseState/OFF", "6 0 R", "", False),
        ("/BaseState/OFF/ON[6 0 R]", "6 0 R", "", True),
        ("/OFF[7 0 R]", "6 0 R", "", True),
        ("/OFF[6 0 R]", "<</Type/OCMD/OCGs 6 0 R>>", "", False),
        ("/OFF[6 0 R]", "<</Type/OCMD>>", "", True),
        ("/OFF[6 0 R]", GROUP % "AnyOn", "", True),
        ("/OFF[6 0 R]", GROUP % "AllOn", "", False),
        ("/OFF[6 0 R]", GROUP % "AnyOff", "", True),
        ("/OFF[6 0 R]", GROUP % "AllOff", "", False),
        ("/OFF[6 0 R]", "<</Type/OCMD/VE[/Not 6 0 R]>>", "", True),
        ("/OFF[6 0 R]", "<</Type/OCMD/VE[/And 6 0 R[/Or 7 0 R]]>>", "", False),
        ("/OFF[6 0 R]", "<</Type/OCMD/VE[/Or 6 0 R[/And 7 0 R]]>>", "", True),
        ("", "6 0 R", "/Usage<</Print<</PrintState/OFF>>>>", False),
        ("/OFF[6 0 R]", "6 0 R", "/Usage<</Print<</PrintState/ON>>/View<</ViewState/OFF>>>>", True),
    ],
)
def test_an_annotation_is_faxed_as_its_layer_is_printed(
    rendered: Rendered, states: str, content: str, layer: str, printed: bool
) -> None:
    document = rendered(_layered(MARKS["square"], states, content, layer))
    assert _has_mark(document) == printed
    on_screen = "/PrintState/OFF" in layer
    assert [remark.kind for remark in document.remarks] == [SCREEN_ONLY] * on_screen


@pytest.mark.parametrize(
    "content", ["99 0 R", "<</Type/OCMD/VE[]>>", "<</Type/OCMD/VE[/Not]>>", "<</Type/OCMD/OCGs 3>>", "4"]
)
def test_an_annotation_on_a_layer_that_cannot_be_read_is_faxed(rendered: Rendered, content: str) -> None:
    assert _has_mark(rendered(_layered(MARKS["square"], "/OFF[6 0 R]", content)))


def _marked(*marks: str) -> bytes:
    """A page of words with annotations that bring no appearance."""
    page = b"/Contents 5 0 R"
    letter = pdf([(*A4, words(A4[0], 130))])
    assert letter.count(page) == 1
    return letter.replace(
        page, page + f"/Annots[{' '.join(f'<</Type/Annot{mark}>>' for mark in marks)}]".encode()
    )


def test_lines_and_stamps_that_do_not_say_how_they_look_are_drawn(rendered: Rendered, tmp_path: Path) -> None:
    document = rendered(
        _marked(
            "/Subtype/Stamp/Rect[60 600 300 660]/F 4/Name/NotApproved",
            "/Subtype/Stamp/Rect[60 500 300 560]/F 6/Name/Confidential",  # hidden
            "/Subtype/Line/Rect[60 300 540 310]/F 4/L[60 305 540 305]",
            "/Subtype/PolyLine/Rect[60 200 540 290]/F 4/Vertices[70 210 300 285 530 210]",
            "/Subtype/Polygon/Rect[60 100 540 190]/F 4/Vertices[70 110 300 185 530 110]",
        )
    )
    assert document.remarks == ()
    page = picture(document.coded_page(0))
    assert words_on(page.crop((0, 400, 1728, 1000)), tmp_path) == "NOT APPROVED"
    rows = [
        page.crop((0, round(y * page.height / A4[1]), 1728, round((y + 12) * page.height / A4[1])))
        for y in (530, 552, 725)
    ]
    assert all(ink(row)[2] - ink(row)[0] > 100 for row in rows)


@pytest.mark.parametrize(
    "mark",
    [
        "/Subtype/Line/L[60 305 540 305]",
        "/Subtype/PolyLine/Vertices[60 305 300 320 540 305]",
        "/Subtype/Polygon/Vertices[60 305 300 320 540 305]",
        "/Subtype/Ink/InkList[[60 305 300 320 540 305]]",
        "/Subtype/Ink/InkList[[60 305 100 320][400 305 540 305]]",
        "/Subtype/StrikeOut/QuadPoints[60 320 540 320 60 305 540 305]",
        "/Subtype/Underline/QuadPoints[60 320 100 320 60 305 100 305 400 320 540 320 400 305 540 305]",
        "/Subtype/Squiggly/QuadPoints[60 320 540 320 60 305 540 305]",
    ],
)
def test_a_line_that_reaches_beyond_its_rectangle_is_drawn_whole(rendered: Rendered, mark: str) -> None:
    def extent(place: str) -> tuple[int, int, int, int]:
        page = picture(rendered(_marked(f"{mark}/F 4/C[0 0 0]/Rect[{place}]")).coded_page(0))
        return ink(page.crop((0, round(0.6 * page.height), 1728, page.height)))

    assert extent("60 300 200 310") == extent("50 295 550 330")


@pytest.mark.parametrize(
    "mark", ["/Subtype/Stamp/Name/OurOwn", "/Subtype/Caret", "/Subtype/Line", "/Subtype/FileAttachment"]
)
def test_a_mark_that_nobody_can_draw_is_remarked(rendered: Rendered, mark: str) -> None:
    document = rendered(_marked(f"{mark}/Rect[60 600 300 660]/F 4"))
    assert [(remark.kind, remark.page) for remark in document.remarks] == [(MARK_LOST, 1)]
    assert rendered(_marked(f"{mark}/Rect[60 600 300 660]/F 0")).remarks == ()  # nor would it be printed


def test_a_passage_that_was_only_marked_to_be_blacked_out_is_remarked(rendered: Rendered) -> None:
    for flags in (0, 4):
        document = rendered(_marked(f"/Subtype/Redact/Rect[60 60 300 90]/F {flags}"))
        assert [(remark.kind, remark.page) for remark in document.remarks] == [(REDACTION_OPEN, 1)]


@pytest.mark.parametrize("coding", ["DCTDecode", "JPXDecode", "JBIG2Decode", "OfTheFuture"])
def test_a_scan_that_cannot_be_decoded_is_no_white_page_in_silence(rendered: Rendered, coding: str) -> None:
    bits = 1 if coding == "JBIG2Decode" else 8
    body = b"rubbish" * 99
    page = pdf([(*A4, "q 500 0 0 700 40 60 cm /I Do Q")])
    page = page.replace(b"/Resources<<", b"/Resources<</XObject<</I 9 0 R>>")
    picture_object = (
        f"9 0 obj<</Type/XObject/Subtype/Image/Width 99/Height 99/ColorSpace/DeviceGray"
        f"/BitsPerComponent {bits}/Filter/{coding}/Length {len(body)}>>stream\n"
    ).encode()
    content = page[: page.index(b"xref\n0 ")] + picture_object + body + b"\nendstream endobj\n"
    document = rendered(content + b"trailer<</Size 10/Root 1 0 R>>\n%%EOF\n")
    assert [(remark.kind, remark.page) for remark in document.remarks] == [(PICTURE_LOST, 1)]


def test_a_user_unit_makes_the_page_larger(rendered: Rendered) -> None:
    document = rendered((CASES / "userunit.pdf").read_bytes())
    size = document.pages[0].size
    assert (size.width, size.height) == (pytest.approx(210, abs=1), pytest.approx(297, abs=1))


def test_user_units_are_found_and_invalid_ones_are_not() -> None:
    page = b"<</Type/Page/MediaBox[0 0 %s]/UserUnit %s>>endobj "
    assert units_of(Texts(page % (b"100 200", b"2.5"))) == {(0, 0, 100, 200): 2.5}
    assert units_of(Texts(page % (b"1e9 200", b"2"))) == {}
    for unit in (b"0", b"-1", b"1000000", b"x", b"."):
        assert units_of(Texts(page % (b"100 200", unit))) == {}


def test_a_form_that_only_adobe_shows_is_remarked(rendered: Rendered) -> None:
    document = rendered((CASES / "xfa-dynamic.pdf").read_bytes())
    assert [remark.kind for remark in document.remarks] == [XFA_SHELL]
    assert rendered(pdf([(*A4, words(*A4))])).remarks == ()


def test_thin_lines_under_uneven_matrices_are_whole(rendered: Rendered) -> None:
    page = page_of(rendered, "uneven-thin-lines.pdf")
    across, down = PIXELS_PER_MM[204], ROWS_PER_MM[196]
    for y in (790, 730, 670, 610, 550, 490, 430):
        row = round((842 - y) / 72 * 25.4 * down)
        left, right = (round((60 + x * 0.57) / 72 * 25.4 * across) + 20 for x in (4, 796))
        band = ImageChops.invert(page.crop((left, row - 4, right, row + 5))).resize(
            (right - left, 1), Image.Resampling.BOX
        )
        assert sum(value > 0 for value in band.tobytes()) > 0.97 * (right - left), f"trace at {y}"


def test_a_line_that_is_clipped_away_is_not_laid_bare(rendered: Rendered) -> None:
    content = "q 100 100 50 50 re W n 1 0 0 0.01 0 0 cm 1 w 0 20000 m 500 20000 l S Q"
    page = picture(rendered(pdf([(*A4, content)])).coded_page(0))
    assert ImageChops.invert(page).getbbox() is None


@pytest.mark.parametrize("resolution", [Resolution.STANDARD, Resolution.FINE])
def test_type_of_any_colour_is_read(rendered: Rendered, tmp_path: Path, resolution: Resolution) -> None:
    document = rendered(
        (CASES / "colour-type.pdf").read_bytes(), options=RenderOptions(PageFormat(resolution))
    )
    page = picture(document.coded_page(0)).resize((1728, 2287))
    found = words_on(page.crop((900, 0, 1728, 2287)), tmp_path)
    assert found.count("Pay by 24 May") >= 17


def test_small_transparent_type_is_as_dark_as_large(rendered: Rendered, tmp_path: Path) -> None:
    found = words_on(page_of(rendered, "text-opacity.pdf"), tmp_path, mode=4)
    assert found.count("4711") == 8


def test_type_on_every_tint_is_read(rendered: Rendered, tmp_path: Path) -> None:
    page = page_of(rendered, "tables.pdf")
    found = words_on(page, tmp_path)
    assert found.count("red 10pt due") >= 8
    tops = range(105, 2000, 229)
    small = _below_each_other([page.crop((145, top + 78, 760, top + 112)) for top in tops[1:]])
    assert words_on(small, tmp_path).count("delivered ex works") == 8
    white = " ".join(
        words_on(ImageChops.invert(page.crop((145, top, 900, top + 60))), tmp_path) for top in tops
    )
    assert white.count("Date Item Qty") >= 8


def _below_each_other(pieces: list[Image.Image]) -> Image.Image:
    """One picture to read instead of many."""
    height = pieces[0].height + 20
    sheet = Image.new("L", (pieces[0].width + 40, height * len(pieces) + 40), 255)
    for number, piece in enumerate(pieces):
        sheet.paste(piece, (20, 20 + number * height))
    return sheet


def test_a_blacked_out_passage_of_a_pdf_stays_black_and_a_whitened_one_white(rendered: Rendered) -> None:
    for grey in ("0", "1", "0.5", "0.1"):
        content = (
            f"BT /F 14 Tf 100 500 Td (secret word) Tj ET {grey} g 90 490 120 30 re f 0 g 90 300 9 9 re f"
        )
        plain = content.replace("secret word", "")
        pages = [picture(rendered(pdf([(*A4, text)])).coded_page(0)) for text in (content, plain)]
        assert pages[0].tobytes() == pages[1].tobytes()
        assert ink(pages[0])[3] > 1000


def test_what_only_the_screen_or_only_the_printer_shows_is_remarked(rendered: Rendered) -> None:
    for name in ("layers-print-view.pdf", "annotations-flags.pdf"):
        document = rendered((CASES / name).read_bytes())
        said = {(remark.kind, remark.page) for remark in document.remarks}
        assert said - {(COMMENTS_LEFT_OUT, 1)} == {(SCREEN_ONLY, 1), (PRINT_ONLY, 1)}


@pytest.mark.parametrize(
    ("name", "said"), [("Frutiger-Light", ["Frutiger-Light"]), ("Times-Roman", []), ("ArialMT", [])]
)
def test_a_font_that_the_document_does_not_bring_is_remarked(
    rendered: Rendered, name: str, said: list[str]
) -> None:
    content = pdf([(*A4, words(*A4))]).replace(b"/BaseFont/Helvetica", b"/BaseFont/" + name.encode())
    document = rendered(content)
    assert [remark.detail for remark in document.remarks if remark.kind is FONT_REPLACED] == said
    assert len(document.remarks) == len(said)


def test_a_page_that_is_white_on_the_fax_and_was_not_is_remarked(rendered: Rendered) -> None:
    pale, empty = "0.93 g 0 0 595 842 re f", ""
    document = rendered(pdf([(*A4, pale), (*A4, empty)]))
    assert [(remark.kind, remark.page) for remark in document.remarks] == [(PAGE_WHITE, 1)]
    assert all(ImageChops.invert(picture(document.coded_page(page))).getbbox() is None for page in (0, 1))
