"""What a file is, by content and never by name."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from appliance.causes import DOCUMENT_EMPTY, DOCUMENT_MISLABELLED, DOCUMENT_UNSUPPORTED, Cause
from appliance.documents.errors import DocumentError
from appliance.documents.sniff import Kind, sniff
from tests.documents.making import A4, pdf, save


@pytest.mark.parametrize("name", ["", "letter.pdf", "letter.jpg", "letter.exe"])
def test_content_decides_whatever_the_name_says(name: str) -> None:
    picture = Image.new("L", (8, 8))
    assert sniff(pdf([(*A4, "")]), name) is Kind.PDF
    assert sniff(b"junk before\n" + pdf([(*A4, "")]), name) is Kind.PDF
    assert sniff(save(picture, "PNG"), name) is Kind.PNG
    assert sniff(save(picture, "JPEG"), name) is Kind.JPEG
    assert sniff(save(picture, "TIFF"), name) is Kind.TIFF
    assert sniff("Grüße\n".encode(), name) is Kind.TEXT
    assert sniff("\ufeffmark".encode(), name) is Kind.TEXT


def _zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("word/document.xml", "<xml/>")
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "name", "cause"),
    [
        (b"", "a.pdf", DOCUMENT_EMPTY),
        (b" \r\n\t\f", "a.txt", DOCUMENT_EMPTY),
        (b"\0" * 5000, "a.tif", DOCUMENT_EMPTY),
        (_zip(), "a.docx", DOCUMENT_UNSUPPORTED),
        (_zip(), "a.pdf", DOCUMENT_MISLABELLED),
        (b"GIF89a\x01\0\x01\0\x80", "a.GIF", DOCUMENT_UNSUPPORTED),
        (b"\x7fELF\x02\x01\x01" + bytes(50), "A.JPEG", DOCUMENT_MISLABELLED),
        (b"caf\xe9 in latin-1", "a.txt", DOCUMENT_MISLABELLED),
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
