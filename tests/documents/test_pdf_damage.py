"""Faulty PDFs that other programs accept give pages, as many as poppler makes."""

from __future__ import annotations

import io
import re
from pathlib import Path
from random import Random

import pikepdf
import pytest

from appliance.documents.causes import (
    DOCUMENT_DAMAGED,
    DOCUMENT_EMPTY,
    DOCUMENT_ENCRYPTED,
    DOCUMENT_MISLABELLED,
)
from appliance.documents.errors import DocumentError
from appliance.documents.pdf.opening import opened as opened_pdf
from appliance.remarks import FILE_REPAIRED, PAGES_MISSING, RemarkKind
from tests.documents.conftest import Rendered
from tests.documents.making import A4, need, pdf, run, words

WHOLE = pdf([(*A4, words(*A4)), (*A4, words(*A4))])


def _shifted(match: re.Match[bytes]) -> bytes:
    return b"%010d 00000 n" % (int(match[1]) + 7)


def _with_lock(lock: bytes) -> bytes:
    """The document, marked as encrypted though it is not."""
    return WHOLE.replace(b"/Root 1 0 R", b"/Root 1 0 R/Encrypt " + lock)


def _with_object(document: bytes, body: bytes) -> bytes:
    """``document`` with an object 90, which its table does not know."""
    return document.replace(b"xref\n", b"90 0 obj\n" + body + b"\nendobj\nxref\n", 1)


DAMAGED = {
    "the table of cross-references is wrong": re.sub(rb"(\d{10}) 00000 n", _shifted, WHOLE),
    "the table is unreadable": WHOLE.replace(b"xref\n0 ", b"xrfe\n0 ").replace(b"00000 n", b"00000 x"),
    "the table is looked for elsewhere": re.sub(rb"startxref\n\d+", b"startxref\n99999999", WHOLE),
    "nothing says where the table is": re.sub(rb"startxref\n\d+\n", b"", WHOLE),
    "an older table is the same one": WHOLE.replace(b"/Root", b"/Prev %d/Root" % WHOLE.index(b"xref\n0")),
    "lines end otherwise": WHOLE.replace(b"\n", b"\r\n"),
    "something stands before the header": b"\0junk\r\n" * 100 + WHOLE,
    "a server's words stand before the header": b"HTTP/1.1 200 OK\r\nX: y\r\n" * 250 + WHOLE,
    "the header says PostScript": WHOLE.replace(b"%PDF-1.4", b"%!PS-Adobe-3.0 PDF-1.4"),
    "something stands behind the end": WHOLE + b"<html>" * 2000,
    "the header is missing": WHOLE[WHOLE.index(b"\n") + 1 :],
    "an encryption of the future": _with_lock(b"<</Filter/Standard/V 9/R 9/O()/U()/P -1>>"),
    "an encryption that is nowhere": _with_lock(b"9999 0 R"),
    "objects do not end": WHOLE.replace(b"endobj\n", b""),
    "streams do not end": WHOLE.replace(b"endstream\n", b""),
    "streams are longer than said": re.sub(rb"/Length \d+", b"/Length 3", WHOLE),
    "streams are shorter than said": re.sub(rb"/Length \d+", b"/Length 99999999", WHOLE),
    "a page is null": WHOLE.replace(b"Kids[4 0 R", b"Kids[null 4 0 R"),
    "a page is not there": WHOLE.replace(b"Kids[4 0 R", b"Kids[77 0 R 4 0 R"),
    "the pages are in a circle": WHOLE.replace(b"Kids[4 0 R", b"Kids[2 0 R 4 0 R"),
    "pages do not say what they are": WHOLE.replace(b"/Type/Pages", b"").replace(b"/Type/Page/", b"/"),
    "the pages are in a circle of several": _with_object(
        WHOLE.replace(b"Kids[4 0 R", b"Kids[90 0 R 4 0 R"), b"<</Type/Pages/Count 1/Kids[2 0 R]>>"
    ),
    "a long line of something stands before the header": b"x" * 2000 + WHOLE,
    "signs of no text stand before the header": bytes(range(128, 256)) * 30 + WHOLE,
    "the version does not exist": WHOLE.replace(b"%PDF-1.4", b"%PDF-9.9"),
    "the end is missing": WHOLE[: WHOLE.index(b"startxref")],
    "what is to be shown lies off the sheet": WHOLE.replace(
        b"/Contents", b"/CropBox[2000 2000 3000 3000]/Contents"
    ),
    "pages have no size": re.sub(rb"/MediaBox\[[^\]]*\]", b"", WHOLE),
}


@pytest.mark.parametrize("fault", DAMAGED)
def test_a_pdf_that_poppler_opens_is_opened(rendered: Rendered, tmp_path: Path, fault: str) -> None:
    file = tmp_path / "damaged.pdf"
    file.write_bytes(DAMAGED[fault])
    run(need("pdftoppm"), "-r", "10", "-gray", file, tmp_path / "poppler")
    document = rendered(DAMAGED[fault], name="damaged.pdf")
    assert document.total == len(list(tmp_path.glob("poppler*"))) == 2
    assert all(page.octets > 1000 for page in document.pages)


@pytest.mark.parametrize(
    "how",
    [
        ["--encrypt", "", "o", "40", "--"],
        ["--encrypt", "", "o", "128", "--"],
        ["--encrypt", "", "o", "128", "--use-aes=y", "--cleartext-metadata", "--"],
        ["--encrypt", "", "o", "256", "--force-R5", "--"],
        ["--encrypt", "", "o", "256", "--"],
    ],
    ids=lambda how: "-".join(how[3:-1]),
)
def test_a_pdf_that_only_its_owner_may_change_is_opened(
    rendered: Rendered, tmp_path: Path, how: list[str]
) -> None:
    """Encrypted with no password for the reader; what is looked for in its octets is found: a unit."""
    plain, locked = tmp_path / "plain.pdf", tmp_path / "locked.pdf"
    plain.write_bytes(WHOLE.replace(b"/MediaBox", b"/UserUnit 2/MediaBox"))
    run(
        need("qpdf"),
        "--allow-weak-crypto",
        "--warning-exit-0",
        "--object-streams=generate",
        *how,
        plain,
        locked,
    )
    document = rendered(locked.read_bytes())
    assert document.total == 2
    assert document.pages[0].size.width == pytest.approx(420, abs=1)


@pytest.mark.parametrize(
    "lock",
    [
        b"<</Filter/Bogus/V 1>>",
        b"<<>>",
        b"<</Filter/Standard/V 1/R 2/O<%s>/U<%s>/P -4>>" % (b"41" * 32, b"42" * 32),
    ],
    ids=["unknown", "empty", "no password fits"],
)
def test_a_pdf_that_says_it_is_encrypted_and_is_not_is_opened(rendered: Rendered, lock: bytes) -> None:
    document = rendered(_with_lock(lock))
    assert document.total == 2
    assert all(page.octets > 1000 for page in document.pages)


def test_a_pdf_that_asks_for_a_password_says_so(rendered: Rendered, tmp_path: Path) -> None:
    plain, locked = tmp_path / "plain.pdf", tmp_path / "locked.pdf"
    plain.write_bytes(WHOLE)
    for streams in ("generate", "disable"):
        run(need("qpdf"), f"--object-streams={streams}", "--encrypt", "u", "o", "256", "--", plain, locked)
        with pytest.raises(DocumentError) as refused:
            rendered(locked.read_bytes())
        assert refused.value.cause is DOCUMENT_ENCRYPTED


@pytest.mark.parametrize(
    ("content", "pages", "said"),
    [
        (WHOLE.replace(b"/Count 2", b"/Count 1"), 2, [FILE_REPAIRED]),
        (WHOLE.replace(b"/Pages 2 0 R", b"/Pages 4 0 R"), 2, [FILE_REPAIRED]),
        (
            WHOLE.replace(b"Kids[4 0 R", b"Kids[2 0 R 4 0 R").replace(b"/Type/Page/", b"/Type/X/"),
            2,
            [FILE_REPAIRED],
        ),
        (
            WHOLE.replace(b"/Kids[4 0 R 6 0 R]", b"/Kids 4 0 R").replace(b"/Count 2", b"/Count 1"),
            1,
            [FILE_REPAIRED],
        ),
        (WHOLE.replace(b"Kids[4 0 R 6", b"Kids[4 0 R 66"), 1, [PAGES_MISSING]),
        (WHOLE.replace(b"Kids[4 0 R 6", b"Kids[4 0 R 7"), 2, [PAGES_MISSING]),
        (WHOLE.replace(b"/Count 2", b"/Count 5"), 2, [PAGES_MISSING]),
        (WHOLE[: WHOLE.index(b"xref\n") + 40], 2, [PAGES_MISSING]),
        (WHOLE[: len(WHOLE) * 9 // 10], 2, [PAGES_MISSING]),
        (WHOLE[: WHOLE.index(b"6 0 obj")], 1, [PAGES_MISSING]),
    ],
    ids=[
        "one counted of two",
        "the first page is named as the list",
        "the list is in itself",
        "the list is no list",
        "a page that is not there",
        "a page that is a content stream",
        "too many counted",
        "cut off in the table",
        "cut off in the last page",
        "cut off before the last page",
    ],
)
def test_pages_are_never_left_out_of_a_damaged_pdf_unsaid(
    rendered: Rendered, content: bytes, pages: int, said: list[RemarkKind]
) -> None:
    document = rendered(content, name="damaged.pdf")
    assert document.total == pages
    assert [remark.kind for remark in document.remarks] == said
    assert document.pages[0].octets > 1000


def test_a_linearised_pdf_that_is_cut_says_so_although_its_first_page_is_there(
    rendered: Rendered, tmp_path: Path
) -> None:
    """Fonts and pictures of the page may be missing, which pdfium replaces without a word."""
    plain, linear = tmp_path / "plain.pdf", tmp_path / "linear.pdf"
    with pikepdf.open(io.BytesIO(WHOLE)) as document:
        document.Root.PieceInfo = document.make_indirect(document.make_stream(Random(1).randbytes(20_000)))
        document.save(plain)
    run(need("qpdf"), "--linearize", plain, linear)
    whole = linear.read_bytes()
    assert not rendered(whole).remarks
    cut = rendered(whole[: len(whole) * 9 // 10])
    assert cut.total == 2
    assert [(remark.kind, remark.detail) for remark in cut.remarks][:1] == [
        (PAGES_MISSING, "the file has no end")
    ]


def test_a_pdf_without_pages_is_empty_and_its_attachments_are_named(
    rendered: Rendered, tmp_path: Path
) -> None:
    """Also after an encrypted one: pdfium's error of that one remains."""
    plain, locked, attached = tmp_path / "plain.pdf", tmp_path / "locked.pdf", tmp_path / "attached.pdf"
    plain.write_bytes(WHOLE)
    run(need("qpdf"), "--encrypt", "u", "o", "256", "--", plain, locked)
    run(need("qpdf"), "--empty", "--add-attachment", plain, "--", attached)
    with pytest.raises(DocumentError):
        opened_pdf(locked.read_bytes())
    with pytest.raises(DocumentError) as refused:
        opened_pdf(attached.read_bytes())
    assert refused.value.cause is DOCUMENT_EMPTY
    assert refused.value.detail == "a PDF without pages; attached to it: plain.pdf"


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (WHOLE[: WHOLE.index(b"4 0 obj")], DOCUMENT_DAMAGED),
        (WHOLE.replace(b"/Root 1 0 R", b""), DOCUMENT_DAMAGED),
        (
            b"<html><pre>" + b"sorry " * 200 + b"\n%PDF-1.4 is what you asked for</pre></html>",
            DOCUMENT_MISLABELLED,
        ),
    ],
    ids=["cut off before its pages", "without a root", "an error page about it"],
)
def test_a_pdf_that_no_program_can_open_is_refused(rendered: Rendered, content: bytes, cause: object) -> None:
    with pytest.raises(DocumentError) as refused:
        rendered(content, name="damaged.pdf")
    assert refused.value.cause is cause
