"""Tables in text files are laid out as tables, with every cell; other text stays as it is."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from appliance.documents.causes import DOCUMENT_MISLABELLED, DOCUMENT_TOO_MANY_PAGES
from appliance.documents.errors import DocumentError
from appliance.documents.kinds import Kind
from appliance.documents.options import Paper
from appliance.documents.sniff import sniff
from appliance.documents.text.tables import lay_out_table, rows_in
from tests.documents.opened import opened

ROWS = [
    ["Artikel", "Menge", "Preis", "Bemerkung"],
    ["Schrauben, verzinkt", "1.200", "0,05 €", ""],
    ["Ölfilter \"groß\"", "7", "12,90 €", "nur; nach\nRücksprache"],
    ["Mutter", "15", "1,00 €", "ok"],
]  # fmt: skip


def _csv(rows: list[list[str]], separator: str = ";", ending: str = "\r\n") -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=separator, lineterminator=ending).writerows(rows)
    return out.getvalue()


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["cp1252", "utf-8-sig", "utf-8", "utf-16"])
def test_a_table_is_drawn_in_columns(tmp_path: Path, separator: str, encoding: str) -> None:
    content = _csv(ROWS, separator).encode(encoding)
    made = opened(tmp_path, content, "list.csv")
    assert made.drawer.count == 1
    assert made.drawer.size(0).width == pytest.approx(210, abs=1)
    words = ["Artikel", "Menge", "Preis", "Bemerkung", "────", "Schrauben, verzinkt", '"groß"', "Rücksprache"]
    assert all(word in made.words for word in words)
    assert separator * 2 not in made.words


def test_columns_stand_below_each_other_and_numbers_by_their_end() -> None:
    table = lay_out_table(_csv(ROWS, ending="\n"), Paper.A4)
    assert table is not None
    assert table.text.split("\n") == [
        "Artikel              Menge    Preis  Bemerkung",
        "────────────────────────────────────────────────",
        "Schrauben, verzinkt  1.200   0,05 €",
        'Ölfilter "groß"          7  12,90 €  nur; nach',
        "                                     Rücksprache",
        "Mutter                  15   1,00 €  ok",
    ]


def test_a_wide_table_lies_across_and_names_its_columns_on_each_page(tmp_path: Path) -> None:
    heading = [f"Column {number}" for number in range(9)]
    rows = [[f"value {row} {number}"[:13] for number in range(9)] for row in range(120)]
    made = opened(tmp_path, _csv([heading, *rows]).encode(), "list.csv")
    assert made.drawer.size(0).width == pytest.approx(297, abs=1)
    pages = made.texts[0].rstrip("\f").split("\f")
    assert made.drawer.count == len(pages) > 1
    assert all("Column 8" in page.split("\n")[0] for page in pages)
    assert all(cell in made.words for row in rows for cell in row)


def test_long_cells_are_continued_below_and_nothing_is_cut(tmp_path: Path) -> None:
    note = "A long remark, of which every word must be seen on the page: " * 4
    rows = [["No", "Name", "Remark", "Link"], ["1", "Meyer", note, "x" * 300], ["2", "Schulz", note, "y"]]
    made = opened(tmp_path, _csv(rows, ",").encode(), "list.csv")
    assert made.words.count("remark,") == 8
    assert made.texts[0].count("x") >= 300
    assert made.drawer.size(0).width == pytest.approx(297, abs=1)


def test_cells_of_a_hundred_thousand_letters_are_laid_out_in_time_and_whole() -> None:
    row = ",".join(["x" * 100_000] * 12)
    made = lay_out_table(f"a,b,c,d,e,f,g,h,i,j,k,l\n{row}\n{row}\n", Paper.A4)
    assert made is not None
    assert made.text.count("x") == 2 * 12 * 100_000


@pytest.mark.parametrize(
    "text",
    [
        "Dear all,\n\nplease find below, as agreed, the list.\nRegards, Anna\n",
        "one column\nonly\n",
        ";".join(map(str, range(100))) + "\n" + ";".join(map(str, range(100))),
        'a;b\n"' + "never closed\n" * 300,
        "",
        "שם;סכום\nדוד;12\n",
    ],
)
def test_what_is_no_table_stays_text(text: str) -> None:
    assert lay_out_table(text, Paper.A4) is None


def test_a_text_of_another_name_stays_as_it_is(tmp_path: Path) -> None:
    content = _csv(ROWS).encode()
    assert "Artikel;Menge;Preis" in opened(tmp_path, content, "list.txt").words
    assert "Artikel;Menge;Preis" not in opened(tmp_path, content, "", "text/csv; charset=utf-8").words


def test_excels_line_about_the_separator_is_no_row() -> None:
    assert rows_in("sep=|\na|b\nc|d\n") == [["a", "b"], ["c", "d"]]
    assert rows_in("a;b\n\n1,5;2,5\n;\n") == [["a", "b"], ["1,5", "2,5"]]


def test_a_table_in_text_that_is_called_xls_is_one(tmp_path: Path) -> None:
    content = _csv(ROWS, "\t").encode("cp1252")
    assert sniff(content, "export.xls") is Kind.TEXT
    assert "Artikel" in opened(tmp_path, content, "export.xls").texts[0].split("\n")[0]
    with pytest.raises(DocumentError) as refused:
        sniff(b"Dear all,\nsee below\n", "export.xls")
    assert refused.value.cause is DOCUMENT_MISLABELLED


def test_a_table_of_too_many_pages_is_refused(tmp_path: Path) -> None:
    content = _csv([["a", "b"]] * 5_000).encode()
    with pytest.raises(DocumentError) as refused:
        opened(tmp_path, content, "list.csv", pages=20)
    assert refused.value.cause is DOCUMENT_TOO_MANY_PAGES
