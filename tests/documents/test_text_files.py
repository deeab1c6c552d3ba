"""Text as printers of lines have it, and in encodings that it does not name."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.documents.kinds import Kind
from appliance.documents.sniff import sniff
from appliance.documents.text.line_mode import struck_over, without_carriage_control
from appliance.documents.text.plain import as_printed, decode
from appliance.remarks import CHARSET_GUESSED, CODES_SHOWN
from tests.documents.opened import opened

LISTING = (
    "1REPORT OF THE DAY\n FIRST LINE\n0DOUBLE SPACED\n-TRIPLE\n+______\n LAST\n1PAGE TWO\n LINE\n LINE\n"
)


def test_a_line_of_millions_of_letters_or_returns_is_read_once() -> None:
    """A large e-mail is such a line, as anybody may send it: its reader has a minute."""
    for text in ("x" * 3_000_000 + "\r\n", "a\r" * 1_000_000):
        assert struck_over(text) == text


def test_lines_struck_over_each_other_come_out_once() -> None:
    assert as_printed("INVOICE\rINVOICE\rINVOICE\nTotal 12.00\r      _____\n") == "INVOICE\nTotal 12.00\n"
    assert as_printed("name:\r      ________\r\nnext\n") == "name: ________\nnext\n"
    assert as_printed("10 %\r50 %\rDone\nend\n") == "10 %\n50 %\nDone\nend\n"


def test_lines_that_a_carriage_return_ends_stay_lines() -> None:
    assert as_printed("one\rtwo\rthree") == "one\ntwo\nthree"
    assert as_printed("one\r\ntwo\r\n") == "one\ntwo\n"
    assert struck_over("a\rb\r\nc\n") == "a\nb\nc\n"


def test_carriage_control_in_the_first_column_is_obeyed(tmp_path: Path) -> None:
    assert as_printed(without_carriage_control(LISTING)) == (
        "REPORT OF THE DAY\nFIRST LINE\n\nDOUBLE SPACED\n\n\nTRIPLE\nLAST\n\fPAGE TWO\nLINE\nLINE\n"
    )
    made = opened(tmp_path, LISTING.encode(), "listing.txt")
    assert made.drawer.count == 2
    assert "1REPORT" not in made.words


@pytest.mark.parametrize(
    "text",
    [
        "1 apple\n 2 pears\n 3 plums\n 4 figs\n 5 nuts\n x",
        "10 20\n 5  7\n 5  7\n 5  7\n 5  7\n",
        "1. First\n   more\n   more\n   more\n   more\n",
        "1 First\n   more\n- item\n   more\n+ item\n* other\n",
        " indented\n like\n a\n quotation\n here\n",
    ],
)
def test_other_texts_keep_their_first_column(text: str) -> None:
    assert without_carriage_control(text) == text


GERMAN = "Sehr geehrte Frau Müller, für die Größe schönen Dank. Grüße, Jürgen Weiß"
SAMPLES = [
    (GERMAN, "mac_roman"),
    (GERMAN, "cp850"),
    (GERMAN, "cp437"),
    ("La société a été créée à Genève; voilà, ça va", "mac_roman"),
    ("La société a été créée à Genève; voilà, ça va", "cp850"),
    ("สวัสดีครับ กรุณายืนยันใบสั่งซื้อเลขที่ 4711 ขอบคุณ", "cp874"),
    ("尊敬的先生们，请确认收到订单号 4711。", "hz"),
]


@pytest.mark.parametrize(("words", "encoding"), SAMPLES)
def test_an_encoding_that_its_words_show_is_found(tmp_path: Path, words: str, encoding: str) -> None:
    content = f"{words}\n".encode(encoding)
    assert sniff(content) is sniff(content, "a.txt") is Kind.TEXT
    assert decode(content)[0] == f"{words}\n"
    assert [remark.kind for remark in opened(tmp_path, content, "a.txt").remarks] == [CHARSET_GUESSED]


@pytest.mark.parametrize(
    ("words", "encoding"),
    [
        ("안녕하십니까. 주문번호 4711의 접수를", "euc_kr"),
        ("敬啟者，請確認收到訂單編號4711。", "big5"),
        ("Счёт", "euc_kr"),
        ("Счёт", "cp932"),
        ("Уважаемые господа, счёт 4711 оплачен", "cp1251"),
        ("Αγαπητοί κύριοι, παραγγελία 4711", "cp1253"),
        ("השבוע אנא אשרו 4711", "cp1255"),
        ("السادة المحترمون، رقم 4711", "cp1256"),
        ("Szanowni Państwo, prosimy o łączną źródła. Łączę wyrazy, żółć, pięć", "cp1250"),
    ],
)
def test_other_encodings_are_not_taken_for_these(words: str, encoding: str) -> None:
    assert decode(words.encode(encoding))[1] in {"Windows-1252", "hardly Windows-1252"}


def test_words_of_windows_stay_windows() -> None:
    for words in ("Košice, Beneš, Tomáš", "McÉwan 5 m² „so“", "Råkør på ærø", "o’Neil – naïve…Ende"):
        assert decode(words.encode("cp1252")) == (words, "Windows-1252")


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ('<?xml version="1.0"?>\n<order><line>1</line></order>', "XML"),
        ("<order>\n<line>1</line>\n</order>\n", "XML"),
        (
            '<?xml version="1.0"?><!-- made --><ClinicalDocument xmlns="urn:hl7-org:v3"/>',
            "a medical document (CDA)",
        ),
        ('<Bundle xmlns="http://hl7.org/fhir"><x/></Bundle>', "a medical record (FHIR)"),
        (
            '<?xml version="1.0"?><Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2">',
            "an electronic invoice",
        ),
        ('<?xml version="1.0"?>\n<rsm:CrossIndustryInvoice xmlns:rsm="urn:x">', "an electronic invoice"),
        ('{"number": 17, "lines": [1]}', "JSON"),
        ('[{"number": 17}]\n', "JSON"),
        ('{"resourceType": "Patient"}', "a medical record (FHIR)"),
        ("MSH|^~\\&|LAB|HOSPITAL\rPID|1||123||Doe^John\r", "a medical message (HL7)"),
        ("\x0bMSH|^~\\&|LAB\r", "a medical message (HL7)"),
        ("01380006310\r\n014810000043\r\n", "a file of a doctor's practice (xDT)"),
        ("UNA:+.? 'UNB+UNOA:1+A+B+260101:1200+1'", "a message between companies (EDIFACT)"),
        (":20:START\r\n:25:123/456\r\n:28C:1/1\r\n", "a statement of a bank (MT940)"),
    ],
)
def test_what_programs_write_for_programs_is_held_and_named(tmp_path: Path, content: str, name: str) -> None:
    made = opened(tmp_path, content.encode(), "a.txt")
    assert [(remark.kind, remark.detail) for remark in made.remarks] == [(CODES_SHOWN, name)]
    assert made.drawer.count == 1


@pytest.mark.parametrize(
    "content",
    [
        "<Please see below>\nThe letter.",
        "[1] A footnote",
        "[1, 2]",
        "{}",
        "{ in brackets }",
        "# Title\n\n* a list of *words*\n",
        "2026-01-01 12:00:00 INFO started\n",
        "BEGIN:VCARD\nVERSION:3.0\nFN:Jo\nEND:VCARD\n",
        ":20 minutes later",
        "name: value\nlist:\n  - a\n",
        "[" * 5_000,
    ],
)
def test_what_a_person_reads_is_no_code(tmp_path: Path, content: str) -> None:
    assert CODES_SHOWN not in [remark.kind for remark in opened(tmp_path, content.encode(), "a.txt").remarks]


@pytest.mark.parametrize(
    ("before", "behind", "name"),
    [("", "", "a.txt"), ("<html><pre style='font-size:13px;tab-size:8'>", "</pre></html>", "a.html")],
)
def test_a_tab_behind_a_word_as_long_as_columns_keeps_the_next_word_apart(
    tmp_path: Path, before: str, behind: str, name: str
) -> None:
    """WeasyPrint's stops were whole pixels: ``12345678``, tab, ``9`` became ``123456789``."""
    lines = "\n".join(f"{'x' * length}\tY" for length in range(1, 73))
    made = opened(tmp_path, (before + lines + behind).encode(), name)
    words = made.words.split()
    assert words == [word for length in range(1, 73) for word in ("x" * length, "Y")]


def test_a_tab_stop_beyond_any_sheet_is_one(tmp_path: Path) -> None:
    page = "<html><pre style='tab-size:900000'>a\tb</pre><pre style='tab-size:1e30px'>c\td</pre></html>"
    assert set(opened(tmp_path, page.encode(), "a.html").words.split()) == set("abcd")
