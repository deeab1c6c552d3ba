"""Texts in every script and encoding, web pages, Office files, e-mails: the text on their pages."""

from __future__ import annotations

import base64
import io
import re
import socket
import threading
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image

from appliance.causes import Cause
from appliance.documents.causes import (
    DOCUMENT_DAMAGED,
    DOCUMENT_EMPTY,
    DOCUMENT_MEMORY,
    DOCUMENT_TOO_MANY_PAGES,
    EMAIL_DAMAGED,
    OFFICE_NOT_INSTALLED,
    POSTSCRIPT_NOT_INSTALLED,
    WINMAIL_EMPTY,
)
from appliance.documents.errors import DocumentError
from appliance.documents.kinds import Kind
from appliance.documents.office import libreoffice, postscript
from appliance.documents.office.confined import Bench
from appliance.documents.sniff import sniff
from appliance.remarks import (
    CHARSET_GUESSED,
    CHARSET_UNKNOWN,
    CONTENT_CUT,
    FILE_LEFT_OUT,
    FONT_REPLACED,
    GLYPHS_MISSING,
    LAYOUT_SIMPLIFIED,
    PART_LEFT_OUT,
    PICTURE_LOST,
    PICTURES_LEFT_OUT,
)
from tests.documents.compound import message_file
from tests.documents.making import need, run, save, write
from tests.documents.opened import Opened, opened

CASES = Path(__file__).parent / "cases"
POSTSCRIPT = (
    b"%!PS\n/Helvetica findfont 20 scalefont setfont 100 700 moveto (From PostScript) show showpage\n"
)


def case(folder: Path, name: str) -> Opened:
    return opened(folder, (CASES / name).read_bytes(), Path(name).name)


def codes(made: Opened) -> list[str]:
    return [remark.kind.code for remark in made.remarks]


# -- text ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["arabic-hebrew.txt", "cjk.txt", "combining.txt", "utf16le-bom.txt", "latin1.txt"]
)
def test_every_letter_of_a_text_is_on_the_page(tmp_path: Path, name: str) -> None:
    made = case(tmp_path, name)
    assert made.drawer.count == 1
    assert codes(made) == (["charset_guessed"] if name == "latin1.txt" else [])


@pytest.mark.parametrize(
    ("content", "media_type", "words"),
    [
        ("Grüße, 12 €".encode(), "", "Grüße, 12 €"),
        ("Grüße, 12 €".encode("utf-8-sig"), "", "Grüße, 12 €"),
        ("Grüße, 12 €".encode("utf-16"), "", "Grüße, 12 €"),
        ("Grüße, 12 €".encode("utf-32"), "", "Grüße, 12 €"),
        ("Grüße, 12 € und mehr".encode("utf-16-be"), "", "Grüße, 12 € und mehr"),
        ("Zażółć gęślą jaźń".encode("iso-8859-2"), "text/plain; charset=iso-8859-2", "Zażółć gęślą jaźń"),
        ("Привет".encode("koi8-r"), 'text/plain; charset="KOI8-R"', "Привет"),
        ("日本語".encode("iso-2022-jp"), "text/plain;charset=iso-2022-jp", "日本語"),
        ("Grüße".encode(), "text/plain; charset=nonsense", "Grüße"),
        ("„Grüße“ – 12 €".encode("cp1252"), "text/plain; charset=us-ascii", "„Grüße“ – 12 €"),
        ("12 € – ‚alles‘".encode("cp1252"), "text/plain; charset=iso-8859-1", "12 € – ‚alles‘"),
        ("日本語 ①".encode("cp932"), "text/plain; charset=x-sjis", "日本語 ①"),
        ("镕基".encode("gb18030"), "text/plain; charset=gb2312", "镕基"),
        ("각하".encode("cp949"), "text/plain; charset=x-windows-949", "각하"),
        ("Grüße".encode("cp850"), "text/plain; charset=cp-850", "Grüße"),
        ("Grüße".encode(), "text/plain; charset=us-ascii", "Grüße"),
        (b"filled up" + bytes(20), "", "filled up"),
        (b"as DOS ends it\r\n\x1a", "", "as DOS ends it"),
        (b"N\bNA\bAM\bME\bE\n_\bu_\bn_\bder\x0bline\b\b\b\bLINE", "", "NAME under LINE"),
        (b"l\b_i\b_n\b_e\b_ and word\b\b\b\b____\nab\b\b\n__", "", "line and word __"),
        (b"\x1b]0;a title of the window\x07\x1b=\x1b]2;another\x1b\\made\x1b>", "", "made"),
        (b"\x1b[1;31mfailed\x1b[0m: \x1b[Kthree", "", "failed: three"),
        ("one\u2028two\u2029three\u0085four".encode(), "", "one two three four"),
        (b"\b\b\bat the start", "", "at the start"),
        ("„Grüße“ ist".encode() + b"\xc3 kaputt", "", "„Grüße“ ist\ufffd kaputt"),
    ],
)
def test_a_text_is_read_in_its_encoding(tmp_path: Path, content: bytes, media_type: str, words: str) -> None:
    made = opened(tmp_path, content, "a.txt", media_type)
    assert made.words == words
    guessed = "„" in words or "mehr" in words
    assert codes(made) == ([CHARSET_GUESSED.code] if guessed else [])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<!doctype html><html><body>se\0en\0 by <b>browsers</b></body></html>", []),
        ("<html><body>seen by <b>browsers</b></body></html>".encode("utf-16-le"), [CHARSET_GUESSED.code]),
        ("<html><body>seen by <b>browsers</b></body></html>".encode("utf-16-be"), [CHARSET_GUESSED.code]),
    ],
    ids=["with zeros", "UTF-16", "UTF-16, the higher octet first"],
)
def test_a_page_with_zeros_is_read_as_browsers_do(tmp_path: Path, content: bytes, said: list[str]) -> None:
    made = opened(tmp_path, content, "a.html")
    assert made.words == "seen by browsers"
    assert codes(made) == said


@pytest.mark.parametrize(
    "octets",
    [
        "これは日本語の文書です。".encode("shift_jis"),
        "これは日本語の文書です。".encode("euc_jp"),
        "这是一个中文文件。".encode("gb18030"),
        "СЪЕШЬ ЕЩЁ ЭТИХ ФРАНЦУЗСКИХ БУЛОК".encode("cp866"),
    ],
    ids=["Shift_JIS", "EUC-JP", "GB18030", "DOS, Russian"],
)
def test_a_text_in_an_encoding_that_is_not_said_waits_for_a_person(tmp_path: Path, octets: bytes) -> None:
    made = opened(tmp_path, octets * 4, "a.txt")
    assert codes(made) == [CHARSET_UNKNOWN.code]
    with pytest.raises(DocumentError):
        sniff(octets * 4)  # of a file that need be no text


def test_a_japanese_text_in_seven_bits_is_read(tmp_path: Path) -> None:
    made = opened(tmp_path, "これは日本語の文書です。".encode("iso2022_jp"), "a.txt")
    assert "これは日本語の文書です。" in made.words
    assert codes(made) == [CHARSET_GUESSED.code]


def _columns(number: int) -> str:
    return "".join(f"{number * step % 9973:>11}" for step in range(1, 13))  # 132


_PARAGRAPH = (
    "A paragraph of somewhat more than eighty columns is wrapped, and its type is not made any smaller."
)


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("\n".join(map(_columns, range(1, 60))), True),
        ("\f".join(map(_columns, range(1, 4))) + " " * 20, True),  # filled up
        ("\n".join([*map(_columns, range(1, 60)), "-" * 133]), False),
        ("\n".join([_PARAGRAPH] * 3 + [_columns(1)]), False),
    ],
    ids=["listing", "pages", "wider", "paragraphs"],
)
def test_the_lines_of_a_listing_of_132_columns_are_whole(tmp_path: Path, text: str, whole: bool) -> None:
    lines = [line.split() for line in opened(tmp_path, text.encode(), "a.txt").texts[0].splitlines()]
    assert (_columns(1).split() in lines) == whole
    assert _PARAGRAPH.split() not in lines


def test_binary_content_called_txt_is_refused() -> None:
    with pytest.raises(DocumentError):
        sniff(b"\x01\x02abc\0def\0\0\0ghi", "a.txt")


def test_a_letter_that_no_font_has_is_remarked_on_its_page(tmp_path: Path) -> None:
    made = opened(tmp_path, "fine\f\ue000 here".encode(), "a.txt")
    assert [(r.kind, r.page, r.detail) for r in made.remarks] == [(GLYPHS_MISSING, 2, "U+E000")]


def test_emoji_and_signs_are_outlines(tmp_path: Path) -> None:
    made = opened(tmp_path, "☎ ✓ 😀 👨\u200d👩\u200d👧 🇩🇪".encode(), "a.txt")
    assert codes(made) == []
    fonts = run_fonts(tmp_path)
    assert "Type 3" not in fonts


def run_fonts(folder: Path) -> str:
    return run(need("pdffonts"), folder / "made.pdf").decode()


@pytest.mark.parametrize(
    ("text", "side"), [("שלום (10 €) עולם", "right"), ("سلام 123", "right"), ("a שלום", "left")]
)
def test_a_line_runs_the_way_of_its_first_letter(tmp_path: Path, text: str, side: str) -> None:
    made = opened(tmp_path, text.encode(), "a.txt")
    assert made.drawer.count == 1
    boxes = run(need("pdftotext"), "-bbox", tmp_path / "made.pdf", "-").decode()
    leftmost = min(float(x) for x in re.findall(r'<word xMin="([\d.]+)"', boxes))
    assert (leftmost > 200) == (side == "right")


def test_lines_wrap_tabs_align_and_form_feeds_break_pages(tmp_path: Path) -> None:
    text = "\tx\n" + "0123456789" * 8 + "\n" + "w" * 200 + "\fsecond\fthird"
    made = opened(tmp_path, text.encode(), "a.txt")
    assert made.drawer.count == 3
    lines = made.texts[0].split("\f")[0].split("\n")
    assert [line.strip() for line in lines if line.strip()] == [
        "x",
        "0123456789" * 8,
        "w" * 80,
        "w" * 80,
        "w" * 40,
    ]


def test_blank_and_endless_texts_are_named(tmp_path: Path) -> None:
    for content, cause in ((b"\xef\xbb\xbf \n", DOCUMENT_EMPTY), (b"a\n" * 200_000, DOCUMENT_TOO_MANY_PAGES)):
        with pytest.raises(DocumentError) as refused:
            opened(tmp_path, content, "a.txt")
        assert refused.value.cause is cause


# -- web pages -----------------------------------------------------------------------------------


def test_a_page_is_laid_out_with_its_tables_and_pictures(tmp_path: Path) -> None:
    picture = save(Image.new("L", (40, 40)), "PNG")
    source = f"data:image/png;base64,{base64.b64encode(picture).decode()}"
    page = (
        f"<html><meta charset=utf-8><table><tr><td>Größe<td>12</table><img src='{source}'><p>שלום <b>עולם</b>"
    )
    made = opened(tmp_path, page.encode(), "page.html")
    assert "Größe" in made.words
    assert codes(made) == []


def test_what_is_wider_than_the_sheet_is_made_smaller_not_cut(tmp_path: Path) -> None:
    page = "<html><div style='width:1500px'>" + "<span style='float:right'>far</span>left</div>"
    made = opened(tmp_path, page.encode(), "page.html")
    assert "left" in made.words
    assert "far" in made.words
    assert made.drawer.size(0).width > 250
    assert codes(made) == []


DEEP = "<div style='display:flex'>" * 14 + "found all the same" + "</div>" * 14


@pytest.mark.parametrize(("columns", "whole"), [(12, True), (40, False)])
def test_a_table_of_many_columns_is_made_smaller_before_its_words_break(
    tmp_path: Path, columns: int, whole: bool
) -> None:
    cells = "".join(f"<td>description{number}</td>" for number in range(columns))
    made = opened(tmp_path, f"<html><table border=1><tr>{cells}</tr></table>".encode(), "a.html")
    assert ("description7 " in made.words) == whole
    assert made.remarks == ()


def test_what_stands_beside_a_page_or_needs_another_program_is_remarked(tmp_path: Path) -> None:
    def said(page: str) -> list[tuple[str, str]]:
        made = opened(tmp_path, f"<html><body>{page}".encode(), "a.html")
        return [(remark.kind.code, remark.detail) for remark in made.remarks]

    assert said("<p style='background: url(ground.png)'>x") == [
        ("pictures_left_out", "did not come along: ground.png")
    ]
    assert said("<link rel=stylesheet href=looks.css>x") == [
        ("layout_simplified", "did not come along: looks.css")
    ]
    assert [code for code, _ in said("<embed src=plan.pdf>x")] == ["part_left_out"]
    assert [code for code, _ in said("<input type=image src=buy.png alt=Buy>")] == ["picture_lost"]
    assert said("<object data=plan.pdf>see the plan</object>") == []
    assert said("<style>v { behavior: url(#default#VML) } @font-face { src: url(a.woff) }</style>x") == []


@pytest.mark.parametrize(
    "page",
    [
        "<html>" + "<div>" * 3000 + "found all the same",
        "<html><style>*{font-size:1e30px}</style>found all the same",
        "<html><style>@page :first{size:100000cm !important}</style>found all the same",
        pytest.param(f"<html>{DEEP}", marks=pytest.mark.full),  # takes its 20 s of the processor
    ],
)
def test_a_page_that_cannot_be_laid_out_is_faxed_as_its_text(tmp_path: Path, page: str) -> None:
    made = opened(tmp_path, page.encode(), "page.html")
    assert "found all the same" in made.words
    assert codes(made)[:1] in ([LAYOUT_SIMPLIFIED.code], [])


def test_a_page_that_is_faxed_as_its_text_loses_none_of_it_and_its_pictures_not_in_silence(
    tmp_path: Path,
) -> None:
    filling = "<!-- -->" + "<b></b>" * 40_000
    page = f"<html><style>*{{font-size:1e30px}}</style><img src='data:,'>{filling}found all the same"
    made = opened(tmp_path, page.encode(), "page.html")
    assert "found all the same" in made.words
    assert codes(made) == [LAYOUT_SIMPLIFIED.code, PICTURE_LOST.code]


def test_a_page_that_only_its_script_would_write_is_empty(tmp_path: Path) -> None:
    for page in (
        "<html><body><script>document.write('words')</script>",
        "<html><div id=app></div><script src=a.js></script></html>",
    ):
        with pytest.raises(DocumentError) as refused:
            opened(tmp_path, page.encode(), "page.html")
        assert refused.value.cause is DOCUMENT_EMPTY
    assert "words" in opened(tmp_path, b"<html>words<script>more()</script>", "page.html").words


class Watched:
    """A server that hears of every connection."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.heard = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                self._socket.accept()[0].close()
            except OSError:
                return
            self.heard += 1

    def close(self) -> None:
        self._socket.close()


def hostile_page(at: str) -> str:
    return (
        f"<html><link rel=stylesheet href='{at}/a.css'><style>@import '{at}/b.css';"
        f"@font-face{{font-family:x;src:url({at}/f.ttf)}}"
        f"body{{font-family:x;background:url({at}/c.png)}}</style>"
        f"<img src='{at}/d.png'><img src='file:///etc/passwd'><object data='{at}/e'></object>"
        f"<iframe src='{at}/g'></iframe><svg><image href='{at}/h.png'/></svg>"
        f"<script src='{at}/i.js'></script><p>text</p>"
    )


def test_elements_that_xml_closes_at_once_do_not_take_in_the_page(tmp_path: Path) -> None:
    head = b"<html xmlns='http://www.w3.org/1999/xhtml'><head><title/><script src='a.js'/></head>"
    page = head + b"<body><p/>words<br/></body></html>"
    for name, media_type in (("a.xhtml", ""), ("a", "application/xhtml+xml")):
        assert "words" in opened(tmp_path, page, name, media_type).words


def test_nothing_is_fetched_from_anywhere(tmp_path: Path) -> None:
    watched = Watched()
    at = f"http://127.0.0.1:{watched.port}"
    made = opened(tmp_path, hostile_page(at).encode(), "page.html")
    assert list(tmp_path.glob("weasyprint-*")), "what is unpacked for a font lies in the scratch folder"
    assert "text" in made.words
    assert "root:" not in made.words
    assert codes(made) == [PART_LEFT_OUT.code, PART_LEFT_OUT.code, PICTURES_LEFT_OUT.code]
    drawing = (
        f"<svg xmlns='http://www.w3.org/2000/svg'><image href='{at}/x.png'/><text y='20'>drawn</text></svg>"
    )
    assert "drawn" in opened(tmp_path, drawing.encode(), "a.svg").words
    if libreoffice.find_program(libreoffice.PROGRAM):
        outside = docx("hello", external=f"{at}/picture.png")
        assert codes(opened(tmp_path, outside, "a.docx")) == [PICTURES_LEFT_OUT.code]
        rtf = rb'{\rtf1 {\field{\*\fldinst INCLUDEPICTURE "' + at.encode() + rb'/y.png"}} hello}'
        opened(tmp_path, rtf, "a.rtf")
    watched.close()
    assert watched.heard == 0


# -- Office and PostScript ----------------------------------------------------------------------

_CONTENT_TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Override PartName="/word/document.xml" ContentType='
    '"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
)
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELATIONS = (
    '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}'
    "</Relationships>"
)


@pytest.mark.parametrize(
    ("complaint", "cause"),
    [("terminate called after throwing 'std::bad_alloc'", DOCUMENT_MEMORY), ("", DOCUMENT_DAMAGED)],
)
def test_an_office_file_for_which_the_memory_does_not_suffice_is_not_called_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, complaint: str, cause: Cause
) -> None:
    program = write(tmp_path, "soffice", f'#!/bin/sh\necho "{complaint}" >&2\nkill -ABRT $$\n'.encode())
    program.chmod(0o755)
    monkeypatch.setattr("appliance.documents.office.libreoffice.find_program", lambda _: str(program))
    with pytest.raises(DocumentError) as refused:
        opened(tmp_path, docx("hello"), "a.docx")
    assert refused.value.cause is cause


def docx(text: str, external: str = "", filling: int = 0) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", _CONTENT_TYPES)
        main = f'<Relationship Id="r1" Type="{_OFFICE}/officeDocument" Target="word/document.xml"/>'
        archive.writestr("_rels/.rels", _RELATIONS.format(main))
        if external:
            picture = (
                f'<Relationship Id="p1" Type="{_OFFICE}/image" Target="{external}" TargetMode="External"/>'
            )
            archive.writestr("word/_rels/document.xml.rels", _RELATIONS.format(picture))
        archive.writestr(
            "word/document.xml",
            '<?xml version="1.0"?><w:document xmlns:w='
            '"http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>'
            f"{text}</w:t></w:r></w:p></w:body></w:document>" + " " * filling,
        )
    return out.getvalue()


def test_libreoffice_starts_once_for_a_document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    need("soffice")
    start, codes = Bench.run, tmp_path / "codes"

    def noted(bench: Bench, command: Sequence[str], seconds: float) -> int:
        code = start(bench, command, seconds)
        with codes.open("a") as file:  # this process ends before the test
            print(code, file=file)
        return code

    monkeypatch.setattr(Bench, "run", noted)
    assert opened(tmp_path, docx("hello"), "a.docx").words == "hello"
    assert codes.read_text() == "0\n"


def test_word_and_rtf_files_become_pages(tmp_path: Path) -> None:
    need("soffice")
    assert opened(tmp_path, docx("Grüße aus Word שלום"), "letter.docx").words.startswith("Grüße aus Word")
    assert "the contract is signed" in opened(tmp_path, rtf_case(), "letter.rtf").words
    assert not [each for each in tmp_path.iterdir() if each.name.startswith(".run-")]


def rtf_case() -> bytes:
    return (CASES / "rtf.rtf").read_bytes()


def _claiming(archive: bytes, octets: int, packed: int = 90) -> bytes:
    """A ZIP file whose directory says that its first part has so many octets (APPNOTE 4.3.12)."""
    at = archive.index(b"PK\1\2") + 20
    return archive[:at] + packed.to_bytes(4, "little") + octets.to_bytes(4, "little") + archive[at + 8 :]


SYLK = b'ID;PWXL;N;E|C;Y1;X1;K"Patient"|C;Y1;X2;K"Amount"|C;Y2;X1;K"Meyer"|C;Y2;X2;K412.5|E|'
DIF = (
    b'TABLE|0,1|"X"|VECTORS|0,2|""|TUPLES|0,2|""|DATA|0,0|""|'
    b'-1,0|BOT|1,0|"Patient"|1,0|"Amount"|-1,0|BOT|1,0|"Meyer"|0,412.5|V|-1,0|EOD|'
)


@pytest.mark.parametrize(("name", "content"), [("a.slk", SYLK), ("a.dif", DIF), ("", SYLK), ("a.xls", DIF)])
def test_tables_in_formats_of_their_own_are_tables_and_not_their_source(
    tmp_path: Path, name: str, content: bytes
) -> None:
    need("soffice")
    words = opened(tmp_path, content.replace(b"|", b"\r\n"), name).words
    assert "Patient Amount Meyer 412.5" in words
    assert ";" not in words
    assert "BOT" not in words


def test_damaged_and_swollen_office_files_are_named(tmp_path: Path) -> None:
    need("soffice")
    for content, cause in (
        (docx("x")[:-100], DOCUMENT_DAMAGED),
        (docx("x", filling=200 << 20), DOCUMENT_MEMORY),
        (_claiming(docx("x"), 300 << 20), DOCUMENT_DAMAGED),
        (_claiming(docx("x"), 300 << 20, packed=200 << 20), DOCUMENT_DAMAGED),
        (bytes.fromhex("d0cf11e0a1b11ae1") + b"rubbish" * 100, DOCUMENT_DAMAGED),
    ):
        with pytest.raises(DocumentError) as refused:
            opened(tmp_path, content, "a.docx")
        assert refused.value.cause is cause


def test_without_the_programs_the_refusal_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (libreoffice, postscript):
        monkeypatch.setattr(module, "find_program", lambda name: None)
    for content, cause in ((docx("x"), OFFICE_NOT_INSTALLED), (POSTSCRIPT, POSTSCRIPT_NOT_INSTALLED)):
        with pytest.raises(DocumentError) as refused:
            opened(tmp_path, content)
        assert refused.value.cause is cause
        assert "apt install" in cause.advice


def test_postscript_becomes_pages_and_reads_no_file(tmp_path: Path) -> None:
    need("gs")
    assert opened(tmp_path, POSTSCRIPT, "a.ps").words == "From PostScript"
    for name, said in ((b"Frutiger-Light", ["Frutiger-Light"]), (b"ArialMT", []), (b"Times-Roman", [])):
        made = opened(tmp_path, POSTSCRIPT.replace(b"Helvetica", name), "a.ps")
        assert [remark.detail for remark in made.remarks if remark.kind is FONT_REPLACED] == said
    thief = b"%!PS\n(/etc/passwd) (r) file 100 string readline pop 100 100 moveto show showpage\n"
    for content in (thief, b"%!PS\nthis is no operator\n"):
        with pytest.raises(DocumentError) as refused:
            opened(tmp_path, content, "a.ps")
        assert refused.value.cause is DOCUMENT_DAMAGED


def test_what_no_sheet_holds_is_cut_off_and_remarked(tmp_path: Path) -> None:
    wide = b"<html><body><p>words</p><table style='width:9000px'><tr><td>left<td align=right>right</table>"
    made = opened(tmp_path, wide, "a.html")
    assert [remark.kind for remark in made.remarks] == [CONTENT_CUT]
    assert "words" in made.words


# -- e-mails -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "pages", "words"),
    [
        ("folded-boundary", 2, "Please see the photo."),
        ("html-only-table", 1, "12 3,50 €"),
        ("iphone-inline-photo", 2, "Sent from my iPhone"),
        ("latin1-8bit-no-charset", 1, "Frösche, Straße 5, 12 €"),
        ("latin1-attachment", 2, "Die Hasen und die Frösche, Straße 5"),
        ("uuencode-inline", 2, "Cat"),
        ("rtf-attachment", 2, "the contract is signed"),
    ],
)
def test_an_e_mail_is_its_heading_its_text_and_its_files(
    tmp_path: Path, name: str, pages: int, words: str
) -> None:
    if name.startswith("rtf"):
        need("soffice")
    made = case(tmp_path, f"mail/{name}.eml")
    assert made.drawer.count == pages
    assert made.words.startswith("From Ada <a@office.example> To 9990@fax.box")
    assert f"Subject test {name}" in made.words
    assert words in made.words
    guessed = [CHARSET_GUESSED.code] if name.endswith("no-charset") else []
    assert codes(made) == guessed


def test_a_file_of_an_e_mail_that_cannot_be_faxed_is_named_with_the_reason(tmp_path: Path) -> None:
    made = case(tmp_path, "mail/winmail.eml")
    assert [(r.kind, r.file, r.detail) for r in made.remarks] == [
        (FILE_LEFT_OUT, "winmail.dat", WINMAIL_EMPTY.sentence)
    ]
    assert "Please fax the attached letter." in made.words


def test_a_picture_of_an_e_mail_that_cannot_be_read_is_remarked(tmp_path: Path) -> None:
    raw = (CASES / "mail/iphone-inline-photo.eml").read_bytes()
    at = raw.index(b"/9j/")
    made = opened(tmp_path, raw[: at + 4] + b"AAAA\n--B--\n--A--\n", "a.eml")
    assert codes(made) == [PICTURE_LOST.code]


def test_parts_whose_boundary_is_missing_are_damage_not_pages_of_code(tmp_path: Path) -> None:
    raw = (CASES / "mail/folded-boundary.eml").read_bytes().replace(b"------=_NextPart_000_0002", b"")
    with pytest.raises(DocumentError) as refused:
        opened(tmp_path, raw, "a.eml")
    assert refused.value.cause is EMAIL_DAMAGED


def test_an_e_mail_within_an_e_mail_has_pages_of_its_own_down_to_a_depth(tmp_path: Path) -> None:
    inner = b"From: a@b.example\nMessage-ID: <1@x>\nSubject: innermost\n\nthe very text\n"
    for level in range(3):
        inner = (
            b"From: a@b.example\nMIME-Version: 1.0\nSubject: level %d\n"
            b"Content-Type: multipart/mixed; boundary=X%d\n\n"
            b"--X%d\nContent-Type: message/rfc822\n\n%s\n--X%d--\n" % (level, level, level, inner, level)
        )
    made = opened(tmp_path, inner, "a.eml")
    assert made.drawer.count == 4
    assert "the very text" in made.words


def test_an_outlook_message_is_read(tmp_path: Path) -> None:
    content = message_file("Grüße aus Outlook", "Betreff", ("letter.txt", b"attached words"))
    assert sniff(content) is Kind.MSG
    made = opened(tmp_path, content, "a.msg")
    assert made.drawer.count == 2
    assert "Subject Betreff" in made.words
    assert "Grüße aus Outlook" in made.words
    assert "attached words" in made.words


@pytest.mark.parametrize(
    ("content", "library"),
    [
        (docx("x"), "zipfile.ZipFile"),
        ((CASES / "hidden-text.doc").read_bytes(), "olefile.OleFileIO.exists"),
        (message_file("text", "subject", ("a.txt", b"attached")), "olefile.OleFileIO.listdir"),
        ((CASES / "mail/html-only-table.eml").read_bytes(), "email.parser.BytesFeedParser.feed"),
        ((CASES / "mail/html-only-table.eml").read_bytes(), "appliance.documents.mail.parts.file_name"),
    ],
)
def test_too_little_memory_is_not_reported_as_a_damaged_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, library: str
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(library, refused)
    with pytest.raises(MemoryError):
        opened(tmp_path, content)
