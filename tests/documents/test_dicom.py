"""Documents in DICOM files are faxed as what they are; pictures of medical devices are named."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest

from appliance.documents.causes import DOCUMENT_DAMAGED, DOCUMENT_UNSUPPORTED
from appliance.documents.errors import DocumentError
from appliance.documents.kinds import Kind
from appliance.documents.sniff import sniff
from tests.documents.making import A4, pdf, words
from tests.documents.opened import opened

_SYNTAXES = {"implicit": "", "explicit": ".1", "deflated": ".1.99", "big": ".2"}
_OF_PDF, _OF_PICTURE = "1.2.840.10008.5.1.4.1.1.104.1", "1.2.840.10008.5.1.4.1.1.7"
_LETTER = pdf([(*A4, words(*A4))] * 2)


def _element(group: int, number: int, kind: bytes, value: bytes, form: str = "explicit") -> bytes:
    order = ">" if form == "big" else "<"
    value += b"\0" * (len(value) % 2)
    head = struct.pack(f"{order}HH", group, number)
    if form == "implicit":
        return head + struct.pack("<I", len(value)) + value
    if kind in {b"OB", b"SQ", b"UN"}:
        return head + kind + b"\0\0" + struct.pack(f"{order}I", len(value)) + value
    return head + kind + struct.pack(f"{order}H", len(value)) + value


def dicom(content: bytes, form: str = "explicit", kind: str = _OF_PDF) -> bytes:
    """A DICOM file that encapsulates ``content``, behind a sequence of unstated length (PS3.5 7.5)."""
    order = ">" if form == "big" else "<"
    syntax = f"1.2.840.10008.1.2{_SYNTAXES[form]}".encode()
    meta = _element(2, 2, b"UI", kind.encode()) + _element(2, 16, b"UI", syntax)
    begin = struct.pack(f"{order}HH", 8, 0x1140) + (b"" if form == "implicit" else b"SQ\0\0") + b"\xff" * 4
    item = struct.pack(f"{order}HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    ends = struct.pack(f"{order}HHIHHI", 0xFFFE, 0xE00D, 0, 0xFFFE, 0xE0DD, 0)
    body = (
        begin
        + item
        + _element(8, 0x1150, b"UI", b"1.2", form)
        + ends
        + _element(0x10, 0x10, b"PN", b"Doe^Jo", form)
        + _element(0x42, 0x11, b"OB", content, form)
        + _element(0x42, 0x12, b"LO", b"application/pdf", form)
    )
    if form == "deflated":
        packer = zlib.compressobj(wbits=-15)
        body = packer.compress(body) + packer.flush()
    return bytes(128) + b"DICM" + meta + body


# Where the file's own elements end, and the beginning of a sequence in an item whose lengths are not stated.
_META = dicom(b"").index(b"\x08\0\x40\x11SQ")
_NESTED = b"\x08\0\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff"


@pytest.mark.parametrize("form", _SYNTAXES)
def test_the_document_in_a_dicom_file_is_faxed(tmp_path: Path, form: str) -> None:
    content = dicom(_LETTER, form)
    assert sniff(content[:600], "letter.dcm") is Kind.DICOM
    assert opened(tmp_path, content, "letter.dcm").drawer.count == 2


def test_a_picture_of_a_medical_device_is_named() -> None:
    with pytest.raises(DocumentError) as refused:
        sniff(dicom(b"", kind=_OF_PICTURE), "a.dcm")
    assert refused.value.cause is DOCUMENT_UNSUPPORTED
    assert "DICOM" in refused.value.detail


@pytest.mark.parametrize(
    "content",
    [
        dicom(_LETTER)[:-600],
        dicom(b""),
        dicom(dicom(_LETTER)),
        dicom(_LETTER)[:_META] + _NESTED * 500,
    ],
    ids=["cut off", "empty", "within another", "without end"],
)
def test_a_damaged_one_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(DocumentError) as refused:
        opened(tmp_path, content, "letter.dcm")
    assert refused.value.cause is DOCUMENT_DAMAGED
