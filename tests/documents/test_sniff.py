"""What a file is, by content; a name or type that promises something else is an error."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from appliance.causes import Cause
from appliance.documents.causes import DOCUMENT_EMPTY, DOCUMENT_MISLABELLED, DOCUMENT_UNSUPPORTED
from appliance.documents.errors import DocumentError
from appliance.documents.sniff import Kind, sniff
from tests.documents.making import A4, pdf, save

ERROR_PAGE = b"<!DOCTYPE html>\n<html><head><title>404</title></head><body>Not found</body></html>"
POSTSCRIPT = b"%!PS-Adobe-3.0\n/Helvetica findfont 20 scalefont setfont 100 100 moveto (A) show showpage\n"
EMAIL = b"Received: from a by b\r\nFrom: a@b.example\r\nTo: c@d.example\r\nSubject: x\r\n\r\nbody\r\n"


def office(entry: str = "word/document.xml") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(entry, "<xml/>")
    return out.getvalue()


@pytest.mark.parametrize("name", ["", "letter.pdf", "letter.jpg", "letter.exe", "letter.docx"])
def test_content_that_shows_what_it_is_decides_whatever_the_name_says(name: str) -> None:
    picture = Image.new("L", (8, 8))
    assert sniff(pdf([(*A4, "")]), name) is Kind.PDF
    assert sniff(b"junk before\n" + pdf([(*A4, "")]), name) is Kind.PDF
    assert sniff(save(picture, "PNG"), name) is Kind.PNG
    assert sniff(save(picture, "JPEG"), name) is Kind.JPEG
    assert sniff(save(picture, "TIFF"), name) is Kind.TIFF
    assert sniff(office(), name) is Kind.OFFICE


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("Grüße\n".encode(), Kind.TEXT),
        ("\ufeffmark".encode(), Kind.TEXT),
        ("Grüße, 12 €".encode("cp1252"), Kind.TEXT),
        ("Grüße".encode("utf-16"), Kind.TEXT),
        ("Grüße\nund mehr".encode("utf-16-be"), Kind.TEXT),
        (b"if (a < b) { <b>c</b> }", Kind.TEXT),
        (b"From: me\nTo: you\nSubject: lunch\n\nA memo, no e-mail.", Kind.TEXT),
        (b'<?xml version="1.0"?>\n<order/>', Kind.TEXT),
        (ERROR_PAGE, Kind.HTML),
        (b"\xef\xbb\xbf<!-- saved --><HTML>x", Kind.HTML),
        (b'<?xml version="1.0"?><!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0"><html/>', Kind.HTML),
        (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', Kind.SVG),
        (rb"{\rtf1\ansi hello}", Kind.RTF),
        (POSTSCRIPT, Kind.POSTSCRIPT),
        (b"\x04" + POSTSCRIPT, Kind.POSTSCRIPT),
        (b"\x1b%-12345X@PJL JOB\n@PJL ENTER LANGUAGE=POSTSCRIPT\n" + POSTSCRIPT, Kind.POSTSCRIPT),
        (EMAIL, Kind.EMAIL),
        (office("xl/workbook.xml"), Kind.OFFICE),
        (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600), Kind.OFFICE),
        (
            bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600) + "__properties_version1.0".encode("utf-16-le"),
            Kind.MSG,
        ),
        (bytes.fromhex("789f3e22") + b"\1\0", Kind.TNEF),
    ],
)
def test_every_kind_is_told_by_its_content_alone(content: bytes, kind: Kind) -> None:
    assert sniff(content) is kind
    assert sniff(content, "letter.txt") is kind


def test_a_page_without_its_frame_is_one_where_the_name_or_type_says_so() -> None:
    part = b"<p>Dear all,<br>see below.</p>"
    assert sniff(part) is Kind.TEXT
    assert sniff(part, "page.html") is Kind.HTML
    assert sniff(part, "", "text/html; charset=utf-8") is Kind.HTML


@pytest.mark.parametrize("content", [b"hello", ERROR_PAGE, EMAIL, POSTSCRIPT, rb"{\rtf1 x}", b"<svg/>"])
@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("a.pdf", ""),
        ("A.TIFF", ""),
        ("a.docx", ""),
        ("", "application/pdf"),
        ("download", "image/png"),
        ("a.xlsx", "text/plain"),
        ("", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ],
)
def test_text_where_something_else_is_promised_is_an_error_and_names_the_file(
    content: bytes, name: str, media_type: str
) -> None:
    with pytest.raises(DocumentError) as refusal:
        sniff(content, name, media_type)
    assert refusal.value.cause is DOCUMENT_MISLABELLED
    assert refusal.value.detail.startswith(name or "the type")


@pytest.mark.parametrize(
    ("content", "name", "cause"),
    [
        (b"", "a.pdf", DOCUMENT_EMPTY),
        (b" \r\n\t\f", "a.txt", DOCUMENT_EMPTY),
        (b"\0" * 5000, "a.tif", DOCUMENT_EMPTY),
        (office("holiday.jpg"), "a.zip", DOCUMENT_UNSUPPORTED),
        (office("holiday.jpg"), "a.pdf", DOCUMENT_MISLABELLED),
        (b"\x7fELF\x02\x01\x01" + bytes(50), "a.bin", DOCUMENT_UNSUPPORTED),
        (b"\x7fELF\x02\x01\x01" + bytes(50), "A.JPEG", DOCUMENT_MISLABELLED),
    ],
)
def test_what_we_do_not_take_is_named(content: bytes, name: str, cause: Cause) -> None:
    with pytest.raises(DocumentError) as refusal:
        sniff(content, name)
    assert refusal.value.cause is cause


@given(st.binary(max_size=200), st.sampled_from(["", "x.pdf", "x.bin"]))
def test_any_octets_have_a_kind_or_a_named_error(content: bytes, name: str) -> None:
    try:
        assert sniff(content, name) in Kind
        return
    except DocumentError as error:
        cause = error.cause
    assert cause in {DOCUMENT_EMPTY, DOCUMENT_MISLABELLED, DOCUMENT_UNSUPPORTED}


@pytest.mark.parametrize(
    "piece",
    ["a:", "A: b\n ", "A: b\n", "<!--", "<?xml ", " ", "a: \n \n \n", "<!doctype svg", "@PJL\n", "<p"],
)
def test_beginnings_without_an_end_keep_nobody_waiting(piece: str) -> None:
    assert sniff(("x" + piece * 100_000).encode(), "page.html") in Kind
    assert sniff((piece * 100_000 + "x").encode(), "page.html") in Kind
