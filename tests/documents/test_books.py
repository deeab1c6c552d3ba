"""Electronic books: the files of their spine become pages, in order, with their pictures and styles."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from PIL import Image

from appliance.documents.causes import (
    DOCUMENT_DAMAGED,
    DOCUMENT_ENCRYPTED,
    DOCUMENT_MEMORY,
    DOCUMENT_TOO_MANY_PAGES,
)
from appliance.documents.errors import DocumentError
from appliance.remarks import FILE_LEFT_OUT, LAYOUT_SIMPLIFIED, PAGES_MISSING, PICTURE_LOST
from tests.documents.making import save
from tests.documents.opened import opened
from tests.documents.test_kinds import Watched

CONTAINER = (
    '<?xml version="1.0"?><container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0">'
    '<rootfiles><rootfile full-path="OPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles>'
    "</container>"
)
_XHTML = '<?xml version="1.0" encoding="utf-8"?><html xmlns="http://www.w3.org/1999/xhtml">'
_TYPES = {
    ".xhtml": "application/xhtml+xml",
    ".css": "text/css",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
}


def chapter(body: str, head: str = "<title>t</title>") -> bytes:
    return f"{_XHTML}<head>{head}</head><body>{body}</body></html>".encode()


def book(
    files: Mapping[str, bytes],
    spine: tuple[str, ...],
    *,
    more: Mapping[str, bytes] = {},
    absent: tuple[str, ...] = (),
    marked: bool = True,
) -> bytes:
    """A book with ``files`` (paths within OPS); ``more`` are others by full path, ``absent`` only listed."""
    out = io.BytesIO()
    items = "".join(
        f'<item id="i{number}" href="{path}" media-type="{_TYPES[Path(path).suffix]}"/>'
        for number, path in enumerate((*files, *absent))
    )
    numbers = {path: number for number, path in enumerate((*files, *absent))}
    refs = "".join(f'<itemref idref="i{numbers[path]}"/>' for path in spine)
    package = (
        '<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="3.0">'
        f"<metadata/><manifest>{items}</manifest><spine>{refs}</spine></package>"
    )
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        if marked:
            archive.writestr("mimetype", "application/epub+zip", zipfile.ZIP_STORED)
        archive.writestr("META-INF/container.xml", CONTAINER)
        archive.writestr("OPS/book.opf", package)
        for path, content in files.items():
            archive.writestr(f"OPS/{path}", content)
        for path, content in more.items():
            archive.writestr(path, content)
    return out.getvalue()


_TWO = {"text/two.xhtml": chapter("<p>second words"), "text/one.xhtml": chapter("<p>first words")}


@pytest.mark.parametrize("marked", [True, False])
def test_the_files_of_the_spine_are_faxed_in_its_order(tmp_path: Path, marked: bool) -> None:
    content = book(_TWO, ("text/one.xhtml", "text/two.xhtml"), marked=marked)
    made = opened(tmp_path, content, "book.epub" if marked else "")
    assert made.drawer.count == 2
    assert made.words == "first words second words"
    assert made.remarks == ()


def test_pictures_and_styles_come_from_the_book_whatever_their_folders(tmp_path: Path) -> None:
    black = save(Image.new("L", (40, 40)), "PNG")
    files = {
        "text/a.xhtml": chapter(
            "<p class='gone'>unseen</p><p class='late'>words</p><img src='../pictures/a%20b.png'/>"
            "<svg xmlns='http://www.w3.org/2000/svg' width='40' height='40'>"
            "<image width='40' height='40' xlink:href='../pictures/a%20b.png'/></svg>",
            "<title/><link rel='stylesheet' type='text/css' href='../styles/a.css'/><script src='x.js'/>",
        ),
        "styles/a.css": b"@import 'b.css'; .late { background: url(../pictures/a%20b.png) }",
        "styles/b.css": b".gone { display: none }",
        "pictures/a b.png": black,
    }
    made = opened(tmp_path, book(files, ("text/a.xhtml",)), "book.epub")
    assert made.words == "words"  # and the title, which XML closes at once, does not take in all of it
    assert made.remarks == ()
    lacking = files | {"styles/a.css": b"p {}", "pictures/a b.png": b"no picture"}
    told = {remark.kind for remark in opened(tmp_path, book(lacking, ("text/a.xhtml",)), "a.epub").remarks}
    assert told == {PICTURE_LOST}
    del lacking["styles/a.css"]
    told = {remark.kind for remark in opened(tmp_path, book(lacking, ("text/a.xhtml",)), "a.epub").remarks}
    assert told == {PICTURE_LOST, LAYOUT_SIMPLIFIED}


def test_a_file_that_is_missing_is_remarked_and_others_than_pages_are_faxed(tmp_path: Path) -> None:
    files = _TWO | {
        "note.txt": b"a note",
        "x.svg": b"<svg xmlns='http://www.w3.org/2000/svg'><text y='9'>drawn</text></svg>",
    }
    spine = ("x.svg", "note.txt", "gone.xhtml", "text/one.xhtml")
    made = opened(tmp_path, book(files, spine, absent=("gone.xhtml",)), "book.epub")
    assert made.words == "drawn a note first words"
    assert [(remark.kind, remark.detail) for remark in made.remarks] == [(PAGES_MISSING, "gone.xhtml")]
    files["note.txt"] = b"\x7fELF\2\1\1" + bytes(50)
    made = opened(tmp_path, book(files, ("note.txt", "text/one.xhtml")), "book.epub")
    assert [remark.kind for remark in made.remarks] == [FILE_LEFT_OUT]


def _encryption(method: str) -> dict[str, bytes]:
    said = (
        '<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><enc:EncryptedData '
        f'xmlns:enc="http://www.w3.org/2001/04/xmlenc#"><enc:EncryptionMethod Algorithm="{method}"/>'
        "</enc:EncryptedData></encryption>"
    )
    return {"META-INF/encryption.xml": said.encode()}


def test_a_locked_book_is_named_and_one_with_disguised_fonts_is_faxed(tmp_path: Path) -> None:
    locked = book(_TWO, ("text/one.xhtml",), more=_encryption("http://www.w3.org/2001/04/xmlenc#aes128-cbc"))
    with pytest.raises(DocumentError) as refused:
        opened(tmp_path, locked, "book.epub")
    assert refused.value.cause is DOCUMENT_ENCRYPTED
    disguised = book(_TWO, ("text/one.xhtml",), more=_encryption("http://www.idpf.org/2008/embedding"))
    assert opened(tmp_path, disguised, "book.epub").words == "first words"


_LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE container [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 20}">' for n in range(12))
    + "]><container><rootfile full-path='&m;'/></container>"
)
_OUTSIDE = (
    "<?xml version='1.0'?><!DOCTYPE container [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>"
    "<container><rootfile full-path='&a;'/></container>"
)


@pytest.mark.parametrize("container", [_LAUGHS, _OUTSIDE, "no xml", "<container/>", ""])
def test_a_hostile_or_damaged_list_is_refused(tmp_path: Path, container: str) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr("META-INF/container.xml", container)
    with pytest.raises(DocumentError) as refused:
        opened(tmp_path, out.getvalue(), "book.epub")
    assert refused.value.cause is DOCUMENT_DAMAGED


def test_a_book_fetches_nothing_and_reads_nothing_outside(tmp_path: Path) -> None:
    watched = Watched()
    at = f"http://127.0.0.1:{watched.port}"
    hostile = chapter(
        f"<p>words</p><img src='{at}/a.png'/><img src='file:///etc/passwd'/><img src='../../../etc/passwd'/>"
        "<p>&amp;&xxe;</p>",
        f"<link rel='stylesheet' href='{at}/a.css'/>",
    ).replace(b"<html", b"<!DOCTYPE html [<!ENTITY xxe SYSTEM 'file:///etc/passwd'>]><html")
    content = book({"a.xhtml": hostile}, ("a.xhtml", "a.xhtml"), absent=("../../../../etc/passwd.xhtml",))
    made = opened(tmp_path, content, "book.epub")
    watched.close()
    assert watched.heard == 0
    assert "words" in made.words
    assert "root:" not in made.words
    assert made.remarks


def test_what_a_book_unpacks_to_and_its_pages_are_bounded(tmp_path: Path) -> None:
    with pytest.raises(DocumentError) as refused:
        opened(tmp_path, book(_TWO | {"z.txt": bytes(200 << 20)}, ("text/one.xhtml",)), "book.epub")
    assert refused.value.cause is DOCUMENT_MEMORY
    for spine in (("text/one.xhtml",) * 3, ("text/one.xhtml",) * 1001):
        with pytest.raises(DocumentError) as refused:
            opened(tmp_path, book(_TWO, spine), "book.epub", pages=2)
        assert refused.value.cause is DOCUMENT_TOO_MANY_PAGES
