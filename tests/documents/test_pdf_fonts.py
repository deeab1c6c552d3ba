"""Fonts that a PDF names but does not embed: the right letters, or a remark."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont
from PIL import Image, ImageChops, ImageDraw, ImageFont

from appliance.remarks import FONT_REPLACED, GLYPHS_MISSING
from tests.documents.conftest import Rendered
from tests.documents.making import likeness, need, picture, run

CASES = Path(__file__).parent / "cases"
CJK = "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc"
LATIN = "/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf"
DEJAVU = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
# Debian 13's Liberation has Hebrew letters, too.
HEBREW = LATIN if ord("א") in TTFont(LATIN).getBestCmap() else DEJAVU
POINTS, TOP, STEP = 24, 780, 60


def composite(lines: Sequence[tuple[str, str, str, bytes]], unicode: bytes = b"") -> bytes:
    """A PDF with a line for each: font, encoding, collection, codes.  ``unicode``: the fonts' ToUnicode."""
    content = b"\n".join(
        b"BT /F%d %d Tf 60 %d Td <%s> Tj ET" % (number, POINTS, TOP - STEP * number, codes.hex().encode())
        for number, (_, _, _, codes) in enumerate(lines)
    )
    fonts = b"".join(b"/F%d %d 0 R" % (number, 6 + 2 * number) for number in range(len(lines)))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count 1/Kids[3 0 R]>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<<%s>>>>>>" % fonts,
        b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
        b"<</Length %d>>stream\n%s\nendstream" % (len(unicode), unicode),
    ]
    for number, (name, encoding, collection, _) in enumerate(lines):
        mapped = b"/ToUnicode 5 0 R" if unicode else b""
        base = name.encode()
        objects += [
            b"<</Type/Font/Subtype/Type0/BaseFont/%s/Encoding/%s/DescendantFonts[%d 0 R]%s>>"
            % (base, encoding.encode(), 7 + 2 * number, mapped),
            b"<</Type/Font/Subtype/CIDFontType2/BaseFont/%s/DW 1000/CIDSystemInfo<</Registry(Adobe)"
            b"/Ordering(%s)/Supplement 2>>/FontDescriptor<</Type/FontDescriptor/FontName/%s/Flags 4"
            b"/FontBBox[0 -200 1000 900]/ItalicAngle 0/Ascent 900/Descent -200/CapHeight 700/StemV 80>>>>"
            % (base, collection.encode(), base),
        ]
    bodies = b"".join(b"%d 0 obj %s endobj\n" % each for each in enumerate(objects, 1))
    return b"%PDF-1.4\n" + bodies + b"trailer <</Root 1 0 R>>\n%%EOF\n"


def line_of(page: Image.Image, number: int) -> Image.Image:
    """A line of the page that `composite` makes."""
    below = round((842 - TOP + STEP * number + 10) / 72 * 196)
    return page.crop((130, below - 120, 1300, below))


def alike(drawn: Image.Image, words: str, face: str, advance: float) -> float:
    """How like ``words`` are to what was drawn, each letter ``advance`` ems after the last one."""
    across = 1728 / 215 * 25.4 / 72 * POINTS  # pixels an em
    square = Image.new("L", (drawn.width, drawn.height), 255)
    draw, font = ImageDraw.Draw(square), ImageFont.truetype(face, round(across))
    for number, letter in enumerate(words):
        draw.text((4 + number * advance * across, 10), letter, 0, font)
    boxes = [ImageChops.invert(each).getbbox() for each in (drawn, square)]
    assert None not in boxes, "nothing was drawn"
    one, other = (each.crop(box).resize((480, 40)) for each, box in zip((drawn, square), boxes, strict=True))
    return likeness(one, other, block=4)


COLLECTIONS = [
    ("HeiseiMin-W3", "UniJIS-UCS2-H", "Japan1", "日本語のファクス", "utf-16-be"),
    ("MS-Gothic", "90ms-RKSJ-H", "Japan1", "日本語のファクス", "shift_jis"),
    ("STSong-Light", "UniGB-UCS2-H", "GB1", "中文传真测试", "utf-16-be"),
    ("SimSun", "GBK-EUC-H", "GB1", "中文传真测试", "gbk"),
    ("MSung-Light", "UniCNS-UCS2-H", "CNS1", "中文傳真測試", "utf-16-be"),
    ("MingLiU", "ETen-B5-H", "CNS1", "中文傳真測試", "big5"),
    ("HYSMyeongJo-Medium", "UniKS-UCS2-H", "Korea1", "한국어팩스시험", "utf-16-be"),
    ("Batang", "KSCms-UHC-H", "Korea1", "한국어팩스시험", "cp949"),
    ("Unknown", "Identity-H", "Korea1", "뀨끄대", ""),  # by their numbers in the collection
]


def test_letters_of_china_japan_and_korea_are_drawn_without_the_documents_fonts(rendered: Rendered) -> None:
    numbers = bytes.fromhex("054c054d0600")
    lines = [
        (name, encoding, collection, words.encode(codec) if codec else numbers)
        for name, encoding, collection, words, codec in COLLECTIONS
    ]
    document = rendered(composite(lines))
    page = picture(document.coded_page(0))
    for number, (name, encoding, _, words, _) in enumerate(COLLECTIONS[:-1]):
        assert alike(line_of(page, number), words, CJK, 1) > 0.8, (name, encoding)
    assert ImageChops.invert(line_of(page, len(COLLECTIONS) - 1)).getbbox() is not None
    assert {remark.kind for remark in document.remarks} == {FONT_REPLACED}


def test_letters_are_found_by_what_the_document_says_is_read(rendered: Rendered, tmp_path: Path) -> None:
    case = CASES / "font-not-embedded-arial-identity.pdf"
    document = rendered(case.read_bytes())
    assert document.remarks == ()
    run(need("pdftoppm"), "-gray", "-rx", "204", "-ry", "196", "-singlefile", case, tmp_path / "poppler")
    with Image.open(tmp_path / "poppler.pgm") as other:
        theirs = other.crop(ImageChops.invert(other.convert("L")).getbbox()).resize((960, 60))
    ours = picture(document.coded_page(0))
    ours = ours.crop(ImageChops.invert(ours).getbbox()).resize((960, 60))
    assert likeness(ours, theirs, block=8) > 0.8


def test_letters_that_the_box_lacks_are_remarked_though_the_document_says_what_is_read(
    rendered: Rendered,
) -> None:
    unicode = b"1 begincodespacerange <0000> <FFFF> endcodespacerange 1 beginbfchar <0001> <%s> endbfchar"
    for letter, lost in (("Ж", []), ("鿼", ["Arial"])):
        mapped = unicode % letter.encode("utf-16-be").hex().encode()
        document = rendered(composite([("Arial", "Identity-H", "Identity", b"\0\1\0\1")], mapped))
        assert [r.detail for r in document.remarks if r.kind is GLYPHS_MISSING] == lost


SCRIPTS = [
    ("Arial", "שלום123Fax", HEBREW),
    ("TraditionalArabic", "123قهمهم", DEJAVU),
    ("TimesNewRomanPSMT", "กขคงจ", "/usr/share/fonts/truetype/noto/NotoSansThai-Regular.ttf"),
]


@pytest.mark.parametrize(("name", "words", "face"), SCRIPTS)
def test_letters_that_the_font_in_place_of_another_lacks_come_from_one_that_has_them(
    rendered: Rendered, name: str, words: str, face: str
) -> None:
    letters = b" ".join(
        b"<%04x> <%s>" % (number, letter.encode("utf-16-be").hex().encode())
        for number, letter in enumerate(words, 1)
    )
    mapped = b"1 begincodespacerange <0000> <FFFF> endcodespacerange %d beginbfchar %s endbfchar" % (
        len(words),
        letters,
    )
    codes = b"".join(number.to_bytes(2, "big") for number in range(1, len(words) + 1))
    document = rendered(composite([(name, "Identity-H", "Identity", codes)], mapped))
    assert GLYPHS_MISSING not in {remark.kind for remark in document.remarks}
    line = line_of(picture(document.coded_page(0)), 0)
    assert alike(line, words, face, 1) > 0.8


def in_this_font(font: bytes) -> bytes:
    """A PDF with the codes 128 to 130 in ``font``, a font dictionary."""
    content = b"BT /F0 24 Tf 60 780 Td <808182> Tj ET"
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count 1/Kids[3 0 R]>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F0 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
        font,
    ]
    bodies = b"".join(b"%d 0 obj %s endobj\n" % each for each in enumerate(objects, 1))
    return b"%PDF-1.4\n" + bodies + b"trailer <</Root 1 0 R>>\n%%EOF\n"


@pytest.mark.parametrize("kind", [b"TrueType", b"Type1"])
@pytest.mark.parametrize("name", [b"Arial", b"David"])
def test_letters_named_by_an_encoding_are_drawn_or_remarked(
    rendered: Rendered, kind: bytes, name: bytes
) -> None:
    font = (
        b"<</Type/Font/Subtype/%s/BaseFont/%s/FirstChar 128/LastChar 130/Widths[1000 1000 1000]/Encoding"
        b"<</Type/Encoding/BaseEncoding/WinAnsiEncoding/Differences[128/afii57664/afii57665/afii57676]>>"
        b"/FontDescriptor<</Type/FontDescriptor/FontName/%s/Flags 32/FontBBox[0 -200 1000 900]/ItalicAngle 0"
        b"/Ascent 900/Descent -200/CapHeight 700/StemV 80>>>>" % (kind, name, name)
    )
    document = rendered(in_this_font(font))
    line = line_of(picture(document.coded_page(0)), 0)
    drawn = ImageChops.invert(line).getbbox() is not None and alike(line, "אבל", HEBREW, 1) > 0.8
    assert drawn == (GLYPHS_MISSING not in {remark.kind for remark in document.remarks})
    assert drawn or name == b"Arial"


@pytest.mark.parametrize(
    ("names", "drawn"),
    [
        (b"/Adieresis/eacute/Euro", True),
        (b"/gbreve/Lslash/Omega", True),
        (b"/space/.notdef/space", True),
        (b"/arrowright/checkmark/alpha", True),  # another font has them
        (b"/g12/g13/g14", False),
        (b"/A/mylogo/B", False),
    ],
)
def test_letters_by_names_that_only_their_own_font_knows_are_remarked(
    rendered: Rendered, names: bytes, drawn: bool
) -> None:
    font = (
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica"
        b"/Encoding<</Type/Encoding/Differences[128%s]>>>>" % names
    )
    document = rendered(in_this_font(font))
    assert drawn == (GLYPHS_MISSING not in {remark.kind for remark in document.remarks})


def _glyphs(words: str) -> bytes:
    return b"".join((ord(letter) - 29).to_bytes(2, "big") for letter in words)


def test_glyphs_of_windows_fonts_are_known_by_their_order(rendered: Rendered) -> None:
    document = rendered(composite([("Arial", "Identity-H", "Identity", _glyphs("Policy4711"))]))
    assert document.remarks == ()
    assert alike(line_of(picture(document.coded_page(0)), 0), "Policy4711", LATIN, 1) > 0.8


@pytest.mark.parametrize("name", ["Frutiger-Light", "SimSun"])
def test_glyphs_that_nobody_knows_are_gaps_and_no_other_letters(rendered: Rendered, name: str) -> None:
    lines = [
        ("Arial", "Identity-H", "Identity", _glyphs("Policy")),
        (name, "Identity-H", "Identity", _glyphs("Gap")),
    ]
    document = rendered(composite(lines))
    page = picture(document.coded_page(0))
    assert ImageChops.invert(line_of(page, 0)).getbbox() is not None
    assert ImageChops.invert(line_of(page, 1)).getbbox() is None
    assert [(r.kind, r.page, r.detail) for r in document.remarks] == [(GLYPHS_MISSING, 1, name)]


def test_known_glyphs_beside_unknown_ones_stay(rendered: Rendered) -> None:
    codes = _glyphs("Pol") + (600).to_bytes(2, "big") + _glyphs("cy")
    document = rendered(composite([("Arial", "Identity-H", "Identity", codes)]))
    assert alike(line_of(picture(document.coded_page(0)), 0), "Pol cy", LATIN, 1) > 0.8
    assert [remark.kind for remark in document.remarks] == [GLYPHS_MISSING]
