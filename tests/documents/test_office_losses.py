"""Content of Office files outside their pages is remarked; an ordinary file has no remarks."""

from __future__ import annotations

import gzip
import io
import struct
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import olefile
import pytest
from fontTools.ttLib import TTFont

from appliance.documents.causes import DOCUMENT_ENCRYPTED
from appliance.documents.errors import DocumentError
from appliance.documents.labels import labels_of
from appliance.documents.office.binary_parts import (
    is_locked,
    table_of,
    unseen_in_doc,
    unseen_in_ppt,
    unseen_in_xls,
)
from appliance.documents.office.parts import (
    LOOKED_INTO,
    not_drawn,
    pictures_in_rtf,
    pictures_of,
    unseen,
    unseen_in_rtf,
)
from appliance.documents.office.pictures import is_readable
from appliance.documents.office.values import with_values
from appliance.documents.signs import FAMILIES, OUTLINES, font_of, named_in
from appliance.remarks import (
    ATTACHMENT_LEFT_OUT,
    COLUMN_NARROW,
    COMMENTS_LEFT_OUT,
    CONTENT_CUT,
    GLYPHS_MISSING,
    HIDDEN_LEFT_OUT,
    MOVEMENT_LEFT_OUT,
    PART_LEFT_OUT,
    PICTURE_LOST,
    RemarkKind,
)
from tests.documents.making import need, photograph, run, save
from tests.documents.opened import opened
from tests.documents.test_kinds import docx

CASES = Path(__file__).parent / "cases"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def workbook(*sheets: str, states: str = "", names: str = "", styles: str = "") -> bytes:
    """An XLSX of these sheets (what stands within ``worksheet``); ``states`` of the second; ``styles`` of
    cells.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        listed = "".join(
            f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{_TYPE}.worksheet+xml"/>'
            for n in range(1, len(sheets) + 1)
        )
        archive.writestr(
            "[Content_Types].xml",
            '<?xml version="1.0"?>'
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            '<Default Extension="rels"'
            ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
            f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/>{listed}</Types>',
        )
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{_RELATIONS}"><Relationship Id="r1" Type="{_DOCUMENT}/officeDocument"'
            ' Target="xl/workbook.xml"/></Relationships>',
        )
        rows = "".join(
            f'<sheet name="S{n}" sheetId="{n}" r:id="s{n}"{states if n == 2 else ""}/>'
            for n in range(1, len(sheets) + 1)
        )
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{_MAIN}" xmlns:r="{_DOCUMENT}"><sheets>{rows}</sheets>{names}</workbook>',
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{_RELATIONS}">'
            + "".join(
                f'<Relationship Id="s{n}" Type="{_DOCUMENT}/worksheet" Target="worksheets/sheet{n}.xml"/>'
                for n in range(1, len(sheets) + 1)
            )
            + f'<Relationship Id="y" Type="{_DOCUMENT}/styles" Target="styles.xml"/></Relationships>',
        )
        archive.writestr(
            "xl/styles.xml",
            f'<styleSheet xmlns="{_MAIN}"><fonts><font/></fonts><fills><fill/></fills>'
            "<borders><border/></borders><cellStyleXfs><xf/></cellStyleXfs>"
            f"<cellXfs>{styles or '<xf/>'}</cellXfs></styleSheet>",
        )
        for number, sheet in enumerate(sheets, 1):
            archive.writestr(
                f"xl/worksheets/sheet{number}.xml", f'<worksheet xmlns="{_MAIN}">{sheet}</worksheet>'
            )
    return out.getvalue()


def cells(*values: str, row: int = 1, hidden: str = "") -> str:
    filled = "".join(
        f'<c r="{chr(65 + column)}{row}" t="inlineStr"><is><t>{value}</t></is></c>'
        for column, value in enumerate(values)
    )
    return f'<row r="{row}"{hidden}>{filled}</row>'


HIDDEN = ' hidden="1"'
ORDINARY = f"<sheetData>{cells('Item', 'Price')}{cells('Screw', '3,50', row=2)}</sheetData>"


def areas(area: str) -> str:
    name = '<definedName name="_xlnm.Print_Area" localSheetId="0">'
    return f"<definedNames>{name}{area}</definedName></definedNames>"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (workbook(ORDINARY), []),
        (workbook(ORDINARY, ORDINARY), []),
        (workbook(ORDINARY, ORDINARY, states=' state="hidden"'), [(HIDDEN_LEFT_OUT, "sheets: 1")]),
        (
            workbook(f"<sheetData>{cells('a')}{cells('b', row=2, hidden=HIDDEN)}</sheetData>"),
            [(HIDDEN_LEFT_OUT, "rows or columns: 1")],
        ),
        (workbook(f'<sheetData>{cells("a")}<row r="2" hidden="1"></row></sheetData>'), []),
        (workbook(ORDINARY, names=areas("S1!$A$1:$B$2")), []),
        (
            workbook(ORDINARY, names=areas("S1!$A$1:$B$1")),
            [(HIDDEN_LEFT_OUT, "sheets beyond the print area: 1")],
        ),
        (
            workbook(
                '<cols><col min="1" max="1" width="2" customWidth="1"/></cols>'
                '<sheetData><row r="1"><c r="A1"><v>123456789</v></c></row></sheetData>'
            ),
            [(COLUMN_NARROW, "")],
        ),
    ],
    ids=[
        "one",
        "two",
        "a hidden sheet",
        "a hidden row",
        "an empty hidden row",
        "an area",
        "beyond it",
        "###",
    ],
)
def test_of_a_table_what_does_not_print_is_remarked(
    tmp_path: Path, content: bytes, said: list[tuple[RemarkKind, str]]
) -> None:
    need("soffice")
    made = opened(tmp_path, content, "a.xlsx")
    assert [(remark.kind, remark.detail) for remark in made.remarks] == said


_NOTE = b'<p:sp><p:nvPr><p:ph type="body"/></p:nvPr><p:txBody><a:t>%s</a:t></p:txBody></p:sp>'


_COLUMN = b'<cols><col min="%d" max="%d" width="9" hidden="1"/></cols>'
_ODF_ROW = (
    b'<table:table-row table:visibility="collapse"><table:table-cell>%s</table:table-cell></table:table-row>'
)
_ODF_COLUMN = b'<table:table-column table:visibility="collapse" table:number-columns-repeated="%s"/>'


@pytest.mark.parametrize(
    ("name", "part", "said"),
    [
        ("word/document.xml", b"<w:r><w:t>plain</w:t></w:r>", []),
        ("word/document.xml", b"<w:r><w:rPr><w:vanish/></w:rPr><w:t>a</w:t></w:r>", [HIDDEN_LEFT_OUT]),
        ("word/document.xml", b"<w:pPr><w:rPr><w:vanish/></w:rPr></w:pPr><w:r><w:t>a</w:t></w:r>", []),
        ("word/document.xml", b'<o:OLEObject Type="Embed" DrawAspect="Content"/>', []),
        ("word/document.xml", b'<o:OLEObject Type="Embed" DrawAspect="Icon"/>', [ATTACHMENT_LEFT_OUT]),
        ("word/document.xml", b'<o:OLEObject ProgID="Package" DrawAspect="Content"/>', [ATTACHMENT_LEFT_OUT]),
        ("word/document.xml", b'<o:OLEObject ProgID="Word.Document.8" DrawAspect="Content"/>', []),
        (
            "ppt/slides/slide1.xml",
            b'<p:oleObj spid="_x0000_s1" name="x" progId="Package"><p:embed/></p:oleObj>',
            [ATTACHMENT_LEFT_OUT],
        ),
        ("word/comments.xml", b'<w:comments><w:comment w:id="1">why?</w:comment>', [COMMENTS_LEFT_OUT]),
        ("word/comments.xml", b"<w:comments></w:comments>", []),
        ("xl/comments1.xml", b"<comments><commentList><comment ref='A1'>", [COMMENTS_LEFT_OUT]),
        ("ppt/slides/slide2.xml", b'<p:sld xmlns:a="x" show="0">', [HIDDEN_LEFT_OUT]),
        ("ppt/slides/slide2.xml", b'<p:sld xmlns:a="x">', []),
        ("ppt/notesSlides/notesSlide1.xml", _NOTE % b"say this", [COMMENTS_LEFT_OUT]),
        ("ppt/notesSlides/notesSlide1.xml", _NOTE % b"", []),
        ("ppt/media/media1.mp4", b"", [MOVEMENT_LEFT_OUT]),
        ("ppt/media/image1.png", b"", []),
        ("content.xml", b"<office:annotation>", [COMMENTS_LEFT_OUT]),
        ("content.xml", b'<style:table-properties table:display="false"/>', [HIDDEN_LEFT_OUT]),
        ("content.xml", b'<style:table-properties table:display="true"/>', []),
        ("content.xml", _ODF_ROW % b"<text:p>a</text:p>", [HIDDEN_LEFT_OUT]),
        ("content.xml", _ODF_ROW % b"", []),
        ("content.xml", _ODF_COLUMN % b"2", [HIDDEN_LEFT_OUT]),
        ("content.xml", _ODF_COLUMN % b"16000", []),  # what is not used
        ("xl/worksheets/sheet1.xml", _COLUMN % (2, 2) + b'<c r="B1" s="1"><v>7</v></c>', [HIDDEN_LEFT_OUT]),
        ("xl/worksheets/sheet1.xml", _COLUMN % (3, 16384) + b'<c r="B1" s="1"><v>7</v></c>', []),
        (
            "content.xml",
            b"<presentation:notes><text:p>say</text:p></presentation:notes>",
            [COMMENTS_LEFT_OUT],
        ),
        ("content.xml", b"<presentation:notes><text:p/></presentation:notes><text:p>a</text:p>", []),
    ],
)
def test_what_a_part_of_an_office_file_says_of_the_unseen(
    name: str, part: bytes, said: list[RemarkKind]
) -> None:
    assert [remark.kind for remark in unseen([name], {name: part})] == said


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (rb"{\rtf1 plain \b bold\b0 text\par}", []),
        (rb"{\rtf1 plain {\v hidden words} text}", [HIDDEN_LEFT_OUT]),
        (rb"{\rtf1 plain {\v\fs20 hidden words} text}", [HIDDEN_LEFT_OUT]),
        (rb"{\rtf1 plain {\v}\v0 text \vertalt \viewkind4}", []),
        (rb"{\rtf1 plain {\*\annotation why?} text}", [COMMENTS_LEFT_OUT]),
    ],
)
def test_hidden_text_and_comments_of_an_rtf_are_remarked(content: bytes, said: list[RemarkKind]) -> None:
    assert [remark.kind for remark in unseen_in_rtf(content)] == said


@pytest.mark.parametrize(
    ("kind", "picture", "lost"),
    [
        ("pngblip", save(photograph(40, 40), "PNG"), False),
        ("pngblip", save(photograph(40, 40), "PNG")[:-200], True),
        ("jpegblip", save(photograph(40, 40), "JPEG"), False),
        ("jpegblip", b"rubbish", True),
        ("emfblip", b"\1\0\0\0", True),
        ("wmetafile8", b"\1\0\x09\0", True),
        ("macpict", b"of another kind", False),
    ],
)
def test_a_damaged_picture_of_an_rtf_is_remarked(
    tmp_path: Path, kind: str, picture: bytes, lost: bool
) -> None:
    about = r"{\*\picprop{\sp{\sn a}{\sv 1}}}\picw100\pich-50" + f"\\{kind}\n"
    rtf = r"{\rtf1 before {\*\shppict{\pict" + about + picture.hex() + "}} after}"
    found = list(pictures_in_rtf(rtf.encode()))
    assert found == [picture] * (kind != "macpict")
    assert [is_readable("", each) for each in found] == [not lost] * len(found)


def test_an_rtf_of_pictures_without_an_end_is_read_at_once() -> None:
    began = time.process_time()
    for kind in (b"pngblip", b"macpict"):
        list(pictures_in_rtf(rb"{\rtf1 " + b"{\\pict\\%s " % kind * 20_000))
    assert time.process_time() - began < 3.0


def test_an_rtf_of_fields_without_an_end_is_read_at_once() -> None:
    began = time.process_time()
    for each in (rb"\fldinst", rb"{\*\fldinst {\a\b ", rb"\fldinst" + rb"\a " * 70):
        with_values(rb"{\rtf1 " + each * (4_000_000 // len(each)))
    assert time.process_time() - began < 3.0


_NEW_FUNCTION = '<c r="A1" t="str"><f>_xlfn.STOCKHISTORY(B1)</f>{}</c><c r="B1"><f>40+2</f><v>42</v></c>'


@pytest.mark.parametrize(
    ("value", "words", "said"),
    [("<v>the answer</v>", "the answer 42", []), ("", "#NAME? 42", [PART_LEFT_OUT])],
)
def test_what_a_formula_of_a_new_excel_said_is_on_the_page(
    tmp_path: Path, value: str, words: str, said: list[RemarkKind]
) -> None:
    need("soffice")
    row = f'<sheetData><row r="1">{_NEW_FUNCTION.format(value)}</row></sheetData>'
    made = opened(tmp_path, workbook(row), "a.xlsx")
    assert made.words == words
    assert [each.kind for each in made.remarks] == said


@pytest.mark.parametrize(
    ("region", "words"),
    [("DE", "01.12.2026 1.234,50"), ("GB", "01/12/2026 1,234.50"), ("US", "12/1/2026 1,234.50")],
)
def test_dates_and_numbers_of_a_workbook_are_written_as_in_the_country(
    tmp_path: Path, region: str, words: str
) -> None:
    """Excel's usual formats are the machine's: the first of December was read as a day of January."""
    need("soffice")
    date, number = (f'<xf numFmtId="{each}" applyNumberFormat="1"/>' for each in (14, 4))
    row = '<row r="1"><c r="A1" s="1"><v>46357</v></c><c r="B1" s="2"><v>1234.5</v></c></row>'
    wide = '<cols><col min="1" max="2" width="20" customWidth="1"/></cols>'
    book = workbook(f"{wide}<sheetData>{row}</sheetData>", styles=f'<xf numFmtId="0"/>{date}{number}')
    assert opened(tmp_path, book, "a.xlsx", labels=labels_of(region)).words == words


def test_a_workbook_without_new_functions_stays_as_it_is() -> None:
    plain = workbook('<sheetData><row r="1"><c r="A1"><f>40+2</f><v>42</v></c></row></sheetData>')
    assert with_values(plain) is plain
    letter = docx("</w:t><w:instrText> PAGE </w:instrText><w:instrText>IFFY</w:instrText><w:t>")
    assert with_values(letter) is letter


# A letter merged by Word: a field in the instruction of another, and the last result of each.
_FIELDS = (
    ("IF", ' = "Herr" "r Herr" " Frau" ', "r Herr"),
    ("REF gone", " \\h ", "as agreed"),
    ("FILENAME", "", "Letter to Meyer.docx"),
    ("TITLE", "", "The title"),
)


def _in_parts(name: str, rest: str, result: str) -> str:
    """A field of runs (ISO/IEC 29500-1 17.16.18); the first with another in its instruction."""

    def mark(kind: str) -> str:
        return f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>'

    def run(element: str, text: str) -> str:
        return f'<w:r><w:{element} xml:space="preserve">{text}</w:{element}></w:r>'

    inner = (
        mark("begin") + run("instrText", " MERGEFIELD A ") + mark("separate") + run("t", "Herr") + mark("end")
    )
    within = inner if name == "IF" else ""
    whole = run("instrText", f" {name} ") + within + run("instrText", rest.replace('"', "&quot;"))
    return mark("begin") + whole + mark("separate") + run("t", result) + mark("end")


def _simple(name: str, rest: str, result: str) -> str:
    instruction = f" {name} {rest}".replace('"', "&quot;")
    return f'<w:fldSimple w:instr="{instruction}"><w:r><w:t>{result}</w:t></w:r></w:fldSimple>'


@pytest.mark.parametrize("made", [_in_parts, _simple], ids=["runs", "simple"])
def test_a_field_of_word_that_libreoffice_does_not_know_shows_its_last_result(
    tmp_path: Path, made: Callable[[str, str, str], str]
) -> None:
    need("soffice")
    fields = "</w:p><w:p>".join(made(*each) for each in _FIELDS)
    letter = docx("</w:t></w:r>" + fields + "<w:r><w:t>")
    assert opened(tmp_path, letter, "a.docx").words == " ".join(result for *_, result in _FIELDS)


def test_a_letter_with_a_damaged_part_is_left_to_libreoffice(tmp_path: Path) -> None:
    need("soffice")
    letter = docx("</w:t></w:r>" + _simple("IF", "", "kept") + "<w:r><w:t>words")
    with zipfile.ZipFile(io.BytesIO(letter)) as archive:
        at = archive.getinfo("_rels/.rels").header_offset + 30 + len("_rels/.rels")
    damaged = letter[: at + 9] + bytes([letter[at + 9] ^ 0xFF]) + letter[at + 10 :]
    assert with_values(damaged) is damaged
    with pytest.raises(DocumentError):
        opened(tmp_path, damaged, "a.docx")


def test_a_field_of_an_rtf_shows_its_last_result(tmp_path: Path) -> None:
    need("soffice")
    inner = r"{\field{\*\fldinst { MERGEFIELD A }}{\fldrslt Herr}}"
    fields = "".join(
        rf"{{\field{{\*\fldinst {{\insrsid42\af0  {name} }}{inner if name == 'IF' else ''}{{{rest}}}}}"
        rf"{{\fldrslt {{\insrsid42 {result}}}}}}}\par "
        for name, rest, result in _FIELDS
    )
    made = opened(tmp_path, (r"{\rtf1\ansi " + fields + "}").encode(), "a.rtf")
    assert made.words == " ".join(result for *_, result in _FIELDS)


def _in_font(family: str, text: str) -> str:
    fonts = f'<w:rPr><w:rFonts w:ascii="{family}" w:hAnsi="{family}"/></w:rPr>'
    return f"</w:t></w:r><w:r>{fonts}<w:t>{text}</w:t></w:r><w:r><w:t>"


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (docx(_in_font("Wingdings", "\u00fe\uf0fc")), "a.docx"),
        (b"{\\rtf1\\ansi{\\fonttbl{\\f0 Arial;}{\\f1\\fcharset2 Wingdings;}}\\f1 \\'fe\\'fc}", "a.rtf"),
    ],
    ids=["docx", "rtf"],
)
def test_ticks_in_a_symbol_font_of_windows_are_drawn_as_ticks(
    tmp_path: Path, content: bytes, name: str
) -> None:
    """They were boxes, as of fields without a tick."""
    need("soffice")
    assert not opened(tmp_path, content, name).remarks
    fonts = run(need("pdffonts"), tmp_path / "made.pdf").decode()
    assert "Wingdings" in fonts
    assert fonts.count("TrueType") == 1


def test_a_smile_of_outlook_is_one(tmp_path: Path) -> None:
    page = b"<html><span style='font-family:Wingdings'>J</span> <font face=webdings>a</font></html>"
    assert not opened(tmp_path, page, "a.html").remarks
    fonts = run(need("pdffonts"), tmp_path / "made.pdf").decode()
    assert "Wingdings" in fonts
    assert "Webdings" in fonts


def test_a_sign_of_a_font_that_the_box_has_not_is_remarked(tmp_path: Path) -> None:
    need("soffice")
    made = opened(tmp_path, docx(_in_font("MS Outlook", "\uf028")), "a.docx")
    assert [(each.kind, each.page, each.detail) for each in made.remarks] == [(GLYPHS_MISSING, 1, "U+F028")]


def test_fonts_of_signs_have_the_sign_of_each_code() -> None:
    for family, signs in FAMILIES.items():
        with TTFont(io.BytesIO(font_of(family))) as font, TTFont(OUTLINES) as symbola:
            letters, outlines = font.getBestCmap(), symbola.getBestCmap()
            for code, sign in enumerate(signs, 0x20):
                assert letters[0xF000 + code] == outlines[ord(sign)]
            assert letters[0xA8] == letters[0xF0A8]
            assert letters[ord("\N{EN DASH}")] == letters[0xF096]
    assert {FAMILIES["Wingdings"][code - 0x20] for code in (0xFB, 0xFC, 0xFD, 0xFE)} == set(
        "\U0001f5f6\u2713\U0001f5f7\U0001f5f9"
    )
    assert FAMILIES["Symbol"][0xB7 - 0x20] == "\u2022"


def test_fonts_are_found_by_their_names_in_octets_and_in_utf_16() -> None:
    assert named_in(b"font webdings") == ["Webdings"]
    assert named_in("Wingdings 3".encode("utf-16-le")) == ["Wingdings", "Wingdings 3"]
    assert named_in(b"Arial") == []


def ppt(*records: tuple[int, bytes], container: bool = False) -> bytes:
    """Records of a PPT ([MS-PPT] 2.3.1)."""
    version = 0x0F if container else 0
    return b"".join(struct.pack("<HHI", version, kind, len(body)) + body for kind, body in records)


def slide(flags: int) -> tuple[int, bytes]:
    return 0x03EE, ppt((0x03F9, bytes(10) + bytes([flags]) + bytes(5)))


def notes(words: str) -> tuple[int, bytes]:
    return 0x03F0, ppt((0x0FA0, words.encode("utf-16-le")))


@pytest.mark.parametrize(
    ("pages", "said"),
    [
        ([slide(1), notes("*\r")], {}),
        ([slide(1), slide(5), slide(4)], {HIDDEN_LEFT_OUT: "slides: 2"}),
        ([slide(1), notes("say this"), notes("")], {COMMENTS_LEFT_OUT: "notes: 1"}),
        ([(0x2EE0, b"")], {COMMENTS_LEFT_OUT: "comments: 1"}),
    ],
)
def test_hidden_slides_notes_and_comments_of_a_ppt_are_remarked(
    pages: list[tuple[int, bytes]], said: dict[RemarkKind, str]
) -> None:
    stream = ppt((0x03E8, ppt((0x03E9, bytes(40))))) + ppt(*pages, container=True)
    assert {remark.kind: remark.detail for remark in unseen_in_ppt(stream)} == said
    for end in range(len(stream)):
        list(unseen_in_ppt(stream[:end]))


def test_hidden_text_and_comments_of_a_doc_are_remarked() -> None:
    with olefile.OleFileIO(CASES / "hidden-text.doc") as ole:
        document = ole.openstream("WordDocument").read()
        table = ole.openstream(table_of(document)).read()
    remarks = list(unseen_in_doc(document, table))
    assert [(remark.kind, remark.detail) for remark in remarks] == [
        (HIDDEN_LEFT_OUT, "texts: 1"),
        (COMMENTS_LEFT_OUT, "comments: 1"),
    ]
    shown = document.replace(b"\x3c\x08\x01", b"\x3c\x08\x00")
    assert [remark.kind for remark in unseen_in_doc(shown, table)] == [COMMENTS_LEFT_OUT]
    for end in range(0, len(document), 97):
        list(unseen_in_doc(document[:end], table))
        list(unseen_in_doc(document, table[:end]))


def test_a_doc_that_names_one_page_of_properties_again_and_again_is_read_at_once() -> None:
    with olefile.OleFileIO(CASES / "hidden-text.doc") as ole:
        document = bytearray(ole.openstream("WordDocument").read())
        table = ole.openstream(table_of(bytes(document))).read()
    at = int.from_bytes(document[0xFA:0xFE], "little")
    page = table[at + 8 : at + 12]  # the number behind two places in the text
    pages = 20_000
    document[0xFA:0x102] = struct.pack("<II", len(table), 4 * (2 * pages + 1))
    began = time.process_time()
    said = list(unseen_in_doc(bytes(document), table + bytes(4 * (pages + 1)) + page * pages))
    assert time.process_time() - began < 1.0
    assert [(remark.kind, remark.detail) for remark in said] == [
        (HIDDEN_LEFT_OUT, "texts: 1"),
        (COMMENTS_LEFT_OUT, "comments: 1"),
    ]


def record(kind: int, body: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


BEGIN, END = record(0x0809, bytes(16)), record(0x000A)


def xls(*sheets: tuple[bytes, int], names: bytes = b"") -> bytes:
    """The stream of an XLS: the records of each sheet, and whether it is hidden."""
    entry = len(record(0x0085, bytes(10)))
    place = len(BEGIN) + len(sheets) * entry + len(names) + len(END)
    head = body = b""
    for records, state in sheets:
        head += record(0x0085, struct.pack("<IBB", place + len(body), state, 0) + b"\x02\0S1")[:entry]
        body += BEGIN + records + END
    return BEGIN + head.ljust(len(sheets) * entry, b"\0") + names + END + body


@pytest.mark.parametrize(("state", "said"), [(0, []), (1, [HIDDEN_LEFT_OUT]), (2, [HIDDEN_LEFT_OUT])])
def test_hidden_sheets_of_an_xls_are_remarked(state: int, said: list[RemarkKind]) -> None:
    assert [remark.kind for remark in unseen_in_xls(xls((b"", 0), (b"", state)))] == said
    assert list(unseen_in_xls(b"\x85\0\xff")) == []


def cell(row: int, column: int) -> bytes:
    return record(0x0203, struct.pack("<HHHd", row, column, 0, 1.0))


ROW = record(0x0208, struct.pack("<HHHHHHI", 3, 0, 9, 255, 0, 0, 0x20))
COLUMNS = record(0x007D, struct.pack("<HHHHHH", 2, 255, 2000, 0, 1, 0))
NUMBERS = record(0x00BD, struct.pack("<HH", 1, 1) + bytes(12) + struct.pack("<H", 2))
NOTE = record(0x001C, struct.pack("<HHHH", 3, 1, 0, 1))
CHART = record(0x0809, bytes(16)) + NOTE + record(0x000A)


@pytest.mark.parametrize(
    ("records", "said"),
    [
        (ROW + cell(3, 1), ["rows or columns: 1"]),
        (ROW + cell(4, 1), []),
        (COLUMNS + cell(1, 1) + cell(1, 2) + cell(2, 2), ["rows or columns: 1"]),
        (COLUMNS + NUMBERS, ["rows or columns: 1"]),
        (cell(3, 1) + NOTE + CHART + NOTE, ["comments: 2"]),
        (NOTE + record(0x001C, struct.pack("<HHH", 0xFFFF, 0, 2048)), ["comments: 1"]),
    ],
)
def test_hidden_cells_and_comments_of_an_xls_are_remarked(records: bytes, said: list[str]) -> None:
    assert [remark.detail for remark in unseen_in_xls(xls((b"", 0), (records, 0)))] == said


def print_area(sheet: int, *frames: tuple[int, int, int, int]) -> bytes:
    tokens = b"".join(b"\x3b" + struct.pack("<5H", 0, *frame) for frame in frames)
    if len(frames) > 1:
        tokens = b"\x29" + struct.pack("<H", len(tokens) + 1) + tokens + b"\x10"
    return record(0x0018, struct.pack("<HBBHHHI", 0x20, 0, 1, len(tokens), 0, sheet, 0) + b"\0\x06" + tokens)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (print_area(2, (0, 5, 0, 3)), []),
        (print_area(2, (0, 2, 0, 3)), ["sheets beyond the print area: 1"]),
        (print_area(2, (0, 2, 0, 3), (3, 9, 0, 255)), []),
        (print_area(2, (0, 5, 0, 0), (3, 9, 2, 255)), ["sheets beyond the print area: 1"]),
        (print_area(1, (0, 0, 0, 0)), []),
        (print_area(2, (0, 0, 0, 0)).replace(b"\x06\x3b", b"\x06\x24"), []),
    ],
    ids=["around all", "too low", "two", "between two", "of another sheet", "unknown"],
)
def test_cells_outside_the_print_area_of_an_xls_are_remarked(names: bytes, said: list[str]) -> None:
    found = unseen_in_xls(xls((b"", 0), (cell(1, 1) + cell(4, 1), 0), names=names))
    assert [remark.detail for remark in found] == said


@pytest.mark.parametrize(
    ("mark", "used", "count"), [("<w:vanish/>", "H", 1), ("<w:b/>", "H", 0), ("<w:vanish/>", "N", 0)]
)
def test_text_that_its_style_hides_is_remarked(mark: str, used: str, count: int) -> None:
    styles = f'<w:style w:styleId="N"></w:style><w:style w:styleId="H"><w:rPr>{mark}</w:rPr></w:style>'
    document = f'<w:r><w:rPr><w:rStyle w:val="{used}"/></w:rPr><w:t>words</w:t></w:r>'
    parts = {"word/styles.xml": styles.encode(), "word/document.xml": document.encode()}
    assert all(LOOKED_INTO.match(name) for name in parts)
    assert [remark.detail for remark in unseen(list(parts), parts)] == ["texts: 1"] * count


_RELATION = b'<Relationship Id="r1" Type="http://x/relationships/image" Target="%s"%s/>'


@pytest.mark.parametrize(
    ("target", "mode", "missing"),
    [
        (b"media/image1.png", b"", 0),
        (b"/word/media/image1.png", b"", 0),
        (b"media/Image1.PNG", b"", 0),
        (b"media/image2.png", b"", 1),
        (b"../media/image1.png", b"", 1),
        (b"NULL", b"", 1),
        (b"http://x.example/a.png", b' TargetMode="External"', 0),
    ],
)
def test_a_picture_that_a_file_names_and_lacks_is_counted(target: bytes, mode: bytes, missing: int) -> None:
    relations = {"word/_rels/document.xml.rels": _RELATION % (target, mode)}
    _, found = pictures_of(["word/document.xml", "word/media/image1.png"], relations)
    assert found == missing


def test_a_picture_that_an_opendocument_file_names_and_lacks_is_counted() -> None:
    shown = b'<draw:image xlink:type="simple" xlink:href="Pictures/%s.png"/>'
    content = {"content.xml": shown % b"there" + shown % b"gone"}
    assert pictures_of(["content.xml", "Pictures/there.png"], content) == ({"Pictures/there.png"}, 1)


_RELATED = (
    b'<Relationship Id="p1" Type="http://x/relationships/image" Target="media/image1.emf"/>'
    b'<Relationship Id="p2" Type="http://x/relationships/image" Target="http://x/a" TargetMode="External"/>'
)


@pytest.mark.parametrize(
    ("shown", "missing"),
    [
        (b'<a:blip r:embed="p1"/>', 0),
        (b'<a:blip r:embed="p3"/>', 1),
        (b'<w:object><v:shape><v:imagedata r:id="p1"/></v:shape><o:OLEObject r:id="o1"/></w:object>', 0),
        (b'<w:object><v:shape><v:imagedata r:id="p2"/></v:shape><o:OLEObject r:id="o1"/></w:object>', 0),
        (b'<w:object><v:shape><v:imagedata r:id="p3"/></v:shape><o:OLEObject r:id="o1"/></w:object>', 1),
        (b'<w:object><v:shape/><o:OLEObject r:id="o1"/></w:object><w:object><a:blip/></w:object>', 1),
        (b'<p:oleObj spid="_x0000_s1026"><p:embed/></p:oleObj><p:oleObj><p:embed/></p:oleObj>', 1),
    ],
)
def test_an_object_without_the_picture_that_stands_for_it_is_counted(shown: bytes, missing: int) -> None:
    parts = {"word/_rels/document.xml.rels": _RELATED, "word/document.xml": shown}
    found = pictures_of(["word/document.xml", "word/media/image1.emf"], parts)
    assert found == ({"word/media/image1.emf"}, missing)


def _emf() -> bytes:
    """A metafile with an ellipse ([MS-EMF])."""
    records = struct.pack("<II4i", 42, 24, 200, 200, 600, 450) + struct.pack("<5I", 14, 20, 0, 16, 20)
    size = 88 + len(records)
    head = struct.pack("<II8i", 1, 88, 0, 0, 1000, 600, 0, 0, 20000, 12000) + b" EMF"
    return head + struct.pack("<3I2H3I4i", 0x10000, size, 3, 1, 0, 0, 0, 0, 1000, 600, 200, 120) + records


def _wmf(*, placed: bool = True) -> bytes:
    """The same ([MS-WMF])."""
    records = struct.pack("<IH4h", 7, 0x0418, 450, 600, 200, 200) + struct.pack("<IH", 3, 0)
    place = struct.pack("<IH4hHIH", 0x9AC6CDD7, 0, 0, 0, 1000, 600, 1000, 0, 0) if placed else b""
    return place + struct.pack("<3HIHIH", 1, 9, 0x300, 9 + len(records) // 2, 0, 7, 0) + records


_SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><rect width="9" height="9"/></svg>'
_BROAD = photograph(90, 90).convert("RGB")


@pytest.mark.parametrize(
    "whole",
    [
        *(_emf(), _wmf(), _wmf(placed=False), gzip.compress(_emf())),
        *(_SVG, b"\xef\xbb\xbf<?xml version='1.0'?>" + _SVG),
        *(save(_BROAD, kind) for kind in ("GIF", "BMP", "TIFF", "WEBP", "PNG", "JPEG")),
    ],
    ids=[
        *("EMF", "WMF with its place", "WMF", "EMZ", "SVG", "SVG with a mark"),
        *("GIF", "BMP", "TIFF", "WEBP", "PNG", "JPEG"),
    ],
)
def test_a_picture_of_an_office_file_is_readable_as_a_whole_only(whole: bytes) -> None:
    assert is_readable("image1.xyz", whole)
    assert not is_readable("image1.xyz", whole[: len(whole) * 2 // 3])


@pytest.mark.parametrize(
    "other",
    [b"", b"rubbish" * 99, b"II\xbc\1" + bytes(99), save(_BROAD, "JPEG2000"), b"<html/>"],
    ids=["empty", "rubbish", "JPEG XR", "JPEG 2000", "HTML"],
)
def test_a_picture_of_a_kind_that_libreoffice_does_not_draw_is_not_readable(other: bytes) -> None:
    assert not is_readable("image1.xyz", other)


def test_a_metafile_of_a_million_records_is_read_at_once() -> None:
    began = time.process_time()
    head, records = _emf()[:88], struct.pack("<II", 27, 8) * 2_000_000
    is_readable("image1.emf", head + records)
    assert time.process_time() - began < 3.0


_CHART = b"<c:chart xmlns:c='c'><c:numRef><c:f>A1</c:f>%s</c:numRef></c:chart>"


@pytest.mark.parametrize(
    ("chart", "kind", "lost"),
    [
        (_CHART % b"<c:numCache><c:v>2</c:v></c:numCache>", b"chart", 0),
        (_CHART % b"", b"chart", 1),
        (_CHART[:40], b"chart", 1),
        (b"", b"chart", 1),
        (b"<cx:chart xmlns:cx='c'/>", b"chartEx", 1),
    ],
)
@pytest.mark.parametrize("program", ["word", "ppt", "xl"])
def test_a_chart_that_cannot_be_drawn_is_remarked(chart: bytes, kind: bytes, lost: int, program: str) -> None:
    related = b'<Relationship Id="c1" Type="http://x/relationships/%s" Target="../charts/chart1.xml"/>' % kind
    parts = {f"{program}/drawings/_rels/drawing1.xml.rels": related, f"{program}/charts/chart1.xml": chart}
    found = list(not_drawn(list(parts), parts, formulas=True))
    in_cells = program == "xl" and chart == _CHART % b""
    assert [each.detail for each in found] == [f"charts: {lost}"] * bool(lost and not in_cells)


@pytest.mark.parametrize(("columns", "cut"), [(4, False), (5, True)])
def test_a_table_that_is_wider_than_the_sheet_is_remarked(columns: int, cut: bool) -> None:
    grid = b"<w:tblGrid>%s</w:tblGrid>" % (b'<w:gridCol w:w="2900"/>' * columns)
    parts = {"word/document.xml": grid + b'<w:sectPr><w:pgSz w:w="11906" w:h="16838"/></w:sectPr>'}
    assert [each.kind for each in not_drawn([], parts, formulas=True)] == [CONTENT_CUT] * cut


@pytest.mark.parametrize(("indent", "cut"), [(0, False), (-2200, True)])
def test_words_of_a_text_that_reach_off_the_sheet_are_remarked(
    tmp_path: Path, indent: int, cut: bool
) -> None:
    need("soffice")
    moved = f'<w:pPr><w:ind w:left="{indent}"/></w:pPr>'
    text = docx(f"words</w:t></w:r></w:p><w:p>{moved}<w:r><w:t>words at the left edge of it")
    found = opened(tmp_path, text, "a.docx").remarks
    assert [(each.kind, each.page) for each in found] == [(CONTENT_CUT, 1)] * cut


def test_a_damaged_metafile_of_a_letter_is_remarked(tmp_path: Path) -> None:
    need("soffice")
    for picture, said in ((_emf(), []), (_emf()[:100], [PICTURE_LOST])):
        content = io.BytesIO(docx("words"))
        with zipfile.ZipFile(content, "a") as archive:
            archive.writestr(
                "word/_rels/document.xml.rels",
                f'<Relationships xmlns="{_RELATIONS}"><Relationship Id="p1" Type="{_DOCUMENT}/image"'
                ' Target="media/image1.emf"/></Relationships>',
            )
            archive.writestr("word/media/image1.emf", picture)
        assert [each.kind for each in opened(tmp_path, content.getvalue(), "a.docx").remarks] == said


_DRAWN = "word/diagrams/drawing1.xml"
_DIAGRAM = b'<a:graphicData uri="http://x/drawingml/2006/diagram"><dgm:relIds/>'


@pytest.mark.parametrize(
    ("part", "names", "formulas", "said"),
    [
        (b"<w:p>words</w:p>", [], False, 0),
        (b'<w:altChunk r:id="c1"/>', [], False, 1),
        (b'<w:subDoc r:id="s1"/>', [], False, 1),
        (b"<m:oMath><m:f/></m:oMath>", [], False, 1),
        (b"<m:oMath><m:f/></m:oMath>", [], True, 0),
        (_DIAGRAM, [], True, 1),
        (_DIAGRAM, [_DRAWN], True, 0),
        (b'<w:document xmlns:dgm="http://x/drawingml/2006/diagram">', [], True, 0),
    ],
)
def test_what_libreoffice_does_not_draw_of_a_file_is_remarked(
    part: bytes, names: list[str], formulas: bool, said: int
) -> None:
    parts = {"word/document.xml": part}
    found = [remark.kind for remark in not_drawn([*parts, *names], parts, formulas=formulas)]
    assert found == [PART_LEFT_OUT] * said


@pytest.mark.parametrize(
    ("picture", "lost"),
    [
        (save(photograph(90, 90), "PNG"), False),
        (save(photograph(90, 90), "JPEG"), False),  # whatever its name says
        (save(photograph(90, 90), "PNG")[:-200], True),
        (save(photograph(90, 90), "JPEG")[:900], True),
        (b"rubbish" * 30, True),
        (b"", True),
    ],
)
def test_a_damaged_picture_of_an_office_file_is_remarked(tmp_path: Path, picture: bytes, lost: bool) -> None:
    need("soffice")
    content = io.BytesIO(docx("words"))
    with zipfile.ZipFile(content, "a") as archive:
        archive.writestr("word/media/image1.png", picture)
    made = opened(tmp_path, content.getvalue(), "a.docx")
    assert "words" in made.words
    assert [remark.kind for remark in made.remarks] == [PICTURE_LOST] * lost


def test_an_older_file_with_a_password_is_called_so_and_not_damaged(tmp_path: Path) -> None:
    need("soffice")
    content = bytearray((CASES / "hidden-text.doc").read_bytes())
    with olefile.OleFileIO(CASES / "hidden-text.doc") as ole:
        document = ole.openstream("WordDocument").read()
    content[content.index(document[:32]) + 0x0B] |= 0x01
    with pytest.raises(DocumentError) as refused:
        opened(tmp_path, bytes(content), "a.doc")
    assert refused.value.cause is DOCUMENT_ENCRYPTED


def test_the_marks_of_a_password_are_known() -> None:
    def workbook_of(*kinds: int) -> bytes:
        return b"".join(struct.pack("<HH4x", kind, 4) for kind in kinds)

    assert not is_locked(bytes(12), workbook_of(0x0809, 0x0042), bytes(16))
    assert is_locked(bytes(11) + b"\x01" + bytes(8), b"", b"")
    assert is_locked(b"", workbook_of(0x0809, 0x002F), b"")
    assert is_locked(b"", b"", bytes(12) + bytes.fromhex("dfc4d1f3"))


@pytest.mark.parametrize(("letter", "lacking"), [("\u4d80", True), ("\u4e2d", False), ("\U00012000", False)])
def test_letters_of_an_office_file_that_no_font_has_are_remarked(
    tmp_path: Path, letter: str, lacking: bool
) -> None:
    need("soffice")
    made = opened(tmp_path, docx(f"before {letter} after"), "a.docx")
    said = [(remark.kind, remark.page, remark.detail) for remark in made.remarks]
    assert said == ([(GLYPHS_MISSING, 1, f"{letter} (U+{ord(letter):04X})")] if lacking else [])
