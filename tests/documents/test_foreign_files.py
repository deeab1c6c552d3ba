"""Files of programs that the box draws only roughly become pages with a remark; they are not refused."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from appliance.documents.causes import DOCUMENT_DAMAGED, DOCUMENT_ENCRYPTED, DOCUMENT_UNSUPPORTED
from appliance.documents.errors import DocumentError
from appliance.documents.foreign import IMPORT_FILTERS
from appliance.remarks import IMPORTED, PREVIEW_ONLY
from tests.documents.compound import Storage, compound
from tests.documents.making import A4, need, pdf, save, words, write
from tests.documents.opened import opened

DXF = (
    b"  0\nSECTION\n  2\nENTITIES\n"
    b"  0\nLINE\n  8\n0\n 10\n0\n 20\n0\n 11\n100\n 21\n50\n"
    b"  0\nTEXT\n  8\n0\n 10\n10\n 20\n10\n 40\n5\n  1\nPLAN OF THE HOUSE\n"
    b"  0\nENDSEC\n  0\nEOF\n"
)
# A placed metafile ([MS-WMF]) of 10 by 10 cm with a black rectangle.
_RECORDS = b"".join(
    struct.pack("<IH", 3 + len(words_), function) + struct.pack(f"<{len(words_)}h", *words_)
    for function, words_ in (
        (0x020B, (0, 0)),
        (0x020C, (1000, 1000)),
        (0x02FC, (0, 0, 0, 0)),
        (0x012D, (0,)),
        (0x041B, (900, 900, 100, 100)),
        (0, ()),
    )
)
_PLACED = struct.pack("<IHhhhhHI", 0x9AC6CDD7, 0, 0, 0, 1000, 1000, 254, 0)
WMF = (
    _PLACED
    + struct.pack("<H", 0)
    + struct.pack("<HHHIHIH", 1, 9, 0x300, 9 + len(_RECORDS) // 2, 1, 7, 0)
    + _RECORDS
)


def wordperfect(text: bytes, *, key: int = 0) -> bytes:
    """A document of WordPerfect 5.1: its prefix with an empty list of packets, then the text."""
    packets = b"\xfb\xff\5\0\x32\0\0\0\0\0" + bytes(40)
    begin = 16 + len(packets)
    return b"\xffWPC" + struct.pack("<IBBBBHH", begin, 1, 10, 0, 1, key, 0) + packets + text


def test_a_letter_of_wordperfect_becomes_pages(tmp_path: Path) -> None:
    need("soffice")
    made = opened(tmp_path, wordperfect(b"To the court\x0aSecond line\x0a"), "letter.wpd")
    assert made.words == "To the court Second line"
    assert [remark.kind for remark in made.remarks] == [IMPORTED]
    with pytest.raises(DocumentError) as refused:
        opened(tmp_path, wordperfect(b"To the court", key=0x1234), "letter.wpd")
    assert refused.value.cause is DOCUMENT_ENCRYPTED


def test_a_damaged_file_of_another_program_is_not_faxed_as_its_codes(tmp_path: Path) -> None:
    need("soffice")
    for beginning in (b"\xffWPC\x4a\0\0\0\1\x0a\x09\1\0\0\0\0", b"\0\0\2\0\6\4\6\0", b"\x31\xbe\0\0"):
        content = beginning + b"words of the letter " * 50
        with pytest.raises(DocumentError) as refused:
            opened(tmp_path, content, "letter.doc")
        assert refused.value.cause is DOCUMENT_DAMAGED


def test_a_drawing_of_autocad_becomes_a_page(tmp_path: Path) -> None:
    need("soffice")
    made = opened(tmp_path, DXF, "plan.dxf")
    assert made.drawer.count == 1
    assert "PLAN OF THE HOUSE" in made.words
    assert [remark.kind for remark in made.remarks] == [IMPORTED]


@pytest.mark.parametrize("content", [WMF, WMF[22:]], ids=["placed", "not placed"])
def test_a_metafile_becomes_a_page(tmp_path: Path, content: bytes) -> None:
    need("soffice")
    made = opened(tmp_path, content, "drawing.wmf")
    assert made.drawer.count == 1
    assert IMPORTED in [remark.kind for remark in made.remarks]


def _zip(**entries: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "name", "suffix"),
    [
        (compound(Storage({"VisioDocument": b"x" * 600})), "plan.doc", ".vsd"),
        (compound(Storage({"Quill": Storage({"a": b"x"}), "Contents": b"x"})), "leaflet", ".pub"),
        (compound(Storage({"Contents": b"\xe8\xac" + bytes(600)})), "leaflet", ".pub"),
        (compound(Storage({"CONTENTS": b"CHNKWKS" + bytes(600)})), "letter.doc", ".wps"),
        (compound(Storage({"StarWriterDocument": b"x" * 600})), "letter.sdw", ".sdw"),
        (wordperfect(b"words"), "letter.doc", ".wpd"),
        (b"\xdb\xa5\x2d\0" + bytes(60), "letter.doc", ".ww2"),
        (b"\0\0\2\0\6\4\6\0" + bytes(60), "a.xls", ".123"),
        (b"\0\0\x1a\0\3\x10\4\0" + bytes(60), "", ".123"),
        (compound(Storage({"MatOST": b"x", "CONTENTS": b"x"})), "letter.wps", ".wps"),
        (_zip(**{"[Content_Types].xml": b"<x/>", "visio/document.xml": b"<x/>"}), "plan.docx", ".vsdx"),
        (b"\x01\0\0\0" + bytes(36) + b" EMF" + bytes(60), "a.bin", ".emf"),
        (b"\x31\xbe\0\0" + bytes(200), "old.doc", ".wri"),
        (b"\x32\xbe\0\0" + bytes(200), "old", ".wri"),
        (_zip(mimetype=b"application/vnd.sun.xml.writer", **{"content.xml": b"<x/>"}), "letter.sxw", ".sxw"),
    ],
)
def test_libreoffice_is_told_of_which_program_a_file_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, name: str, suffix: str
) -> None:
    seen = tmp_path / "seen"
    program = write(tmp_path, "soffice", f'#!/bin/sh\necho "$@" >{seen}\nexit 1\n'.encode())
    program.chmod(0o755)
    monkeypatch.setattr("appliance.documents.office.libreoffice.find_program", lambda _: str(program))
    with pytest.raises(DocumentError) as refused:
        opened(tmp_path, content, name)
    assert refused.value.cause is DOCUMENT_DAMAGED
    asked = seen.read_text().strip()
    assert asked.endswith(f"document{suffix}")
    named = IMPORT_FILTERS.get(suffix)
    assert ("--infilter" in asked) is (named is not None)
    assert named is None or f"--infilter={named} --convert-to" in asked


def test_a_compound_file_whose_directory_is_damaged_is_called_damaged(tmp_path: Path) -> None:
    whole = (Path(__file__).parent / "cases" / "hidden-text.doc").read_bytes()
    directory = whole.rindex("Root Entry".encode("utf-16-le"))
    contents = directory + 76  # the number of the first entry in it ([MS-CFB] 2.6.1)
    hurt = whole[:contents] + b"\xff\x7f\0\0" + whole[contents + 4 :]
    with pytest.raises(DocumentError) as refused:
        opened(tmp_path, hurt, "letter.doc")
    assert refused.value.cause is DOCUMENT_DAMAGED


def test_other_compound_files_are_named() -> None:
    with pytest.raises(DocumentError) as refused:
        opened(Path("/tmp"), compound(Storage({"Props12": b"x"})), "plan.mpp")
    assert refused.value.cause is DOCUMENT_UNSUPPORTED
    assert "Microsoft Project" in refused.value.detail


@pytest.mark.parametrize("folder", ["", "letter.pages/"])
def test_the_preview_of_an_apple_document_is_sent_with_a_remark(tmp_path: Path, folder: str) -> None:
    pages = pdf([(*A4, words(*A4))] * 3)
    picture = save(Image.radial_gradient("L"), "JPEG")
    for members, name, count in (
        ({"index.apxl": b"x", "QuickLook/Preview.pdf": pages}, "talk.key", 3),
        ({"Index/Document.iwa": b"x", "preview.jpg": picture}, "letter.pages", 1),
    ):
        content = _zip(**{folder + member: octets for member, octets in members.items()})
        made = opened(tmp_path, content, name)
        assert made.drawer.count == count
        assert [remark.kind for remark in made.remarks] == [PREVIEW_ONLY]


@pytest.mark.parametrize("preview", [b"", b"no picture", b"PK\3\4no archive"])
def test_an_apple_document_without_a_preview_is_refused(tmp_path: Path, preview: bytes) -> None:
    with pytest.raises(DocumentError) as refused:
        opened(tmp_path, _zip(**{"Index/Document.iwa": b"x", "preview.jpg": preview}), "letter.pages")
    assert refused.value.cause.code.startswith("document_")


def test_a_damaged_preview_is_not_called_missing(tmp_path: Path) -> None:
    content = _zip(**{"Index/Document.iwa": b"x", "preview.jpg": b"JPEG in it"}).replace(
        b"JPEG in it", b"JPEG an it"
    )
    with pytest.raises(DocumentError) as refused:
        opened(tmp_path, content, "letter.pages")
    assert refused.value.cause is DOCUMENT_DAMAGED


def test_a_preview_that_is_such_a_document_again_does_not_go_round_in_circles(tmp_path: Path) -> None:
    content = save(Image.new("L", (8, 8)), "PNG")
    for _ in range(40):
        content = _zip(**{"Index/Document.iwa": b"x", "preview.jpg": content})
    with pytest.raises(DocumentError) as refused:
        opened(tmp_path, content, "letter.pages")
    assert refused.value.cause is DOCUMENT_UNSUPPORTED
