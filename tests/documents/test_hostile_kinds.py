"""Mutated pages, texts, e-mails and Office files: pages or a named error, nothing left, no network.

A seeded sample always; ten thousand mutations of each kind with ``make test-full``.  Of those, one in `WHOLE`
goes the whole way to fax pages; the others go through all that is ours, up to where WeasyPrint would lay out
a page or another program begins, which would take the most of a day.
"""

from __future__ import annotations

import base64
import random
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import weasyprint
from PIL import Image

from appliance.causes import Side, cause_of
from appliance.documents.bounded import Bounds, Typeset
from appliance.documents.causes import DOCUMENT_STORAGE
from appliance.documents.errors import DocumentError
from appliance.documents.options import Limits, Paper, Source
from appliance.documents.render import render
from appliance.documents.workers.sources import open_source
from appliance.documents.workshop import Workshop
from tests.documents.compound import message_file, winmail
from tests.documents.making import A4, need, pdf, save
from tests.documents.mutants import (
    Mutate,
    mutate,
    mutate_words,
    within_base64,
    within_compound,
    within_streams,
    within_zip,
)
from tests.documents.test_books import book, chapter
from tests.documents.test_converted import DJVU, xps
from tests.documents.test_dicom import dicom
from tests.documents.test_foreign_files import _zip, wordperfect
from tests.documents.test_kinds import CASES, POSTSCRIPT, Watched, docx, hostile_page
from tests.documents.test_mail_losses import CARD, HEADING, INVITATION, PLAIN, RTF, compressed, multipart
from tests.documents.test_office_losses import ORDINARY, workbook
from tests.documents.test_pdf_losses import portfolio

MUTATIONS = 8  # of each kind of file
READ_MUTATIONS = 60
MANY_MUTATIONS = 10_000
LIMITS = Limits(memory_octets=768 << 20, cpu_seconds=60, wall_seconds=120, page_seconds=60, pages=50)
# One in so many goes the whole way; LibreOffice takes seconds for each.
WHOLE, WHOLE_OFFICE = 10, 50
# What our own code may take for one small file, seconds: far more than it does on a busy machine.
LONGEST_S = 20.0

Seed = Callable[[str], bytes]


def _packed_mail() -> bytes:
    """An e-mail with what older and Microsoft's programs pack: uuencode, BinHex, winmail.dat with RTF."""
    packed = base64.encodebytes(winmail(("a.txt", b"attached"), rtf=compressed(RTF)))
    return HEADING + multipart(
        "mixed",
        (CASES / "mail/uuencode-inline.eml").read_bytes().partition(b"\n\n")[2],
        b"Content-Type: application/mac-binhex40; name=a.hqx\n\n"
        b'(This file must be converted with BinHex 4.0)\n:#&4[C#"bEh*d!*!%!3$U!*!$"\'5!:\n',
        b"Content-Type: application/ms-tnef\nContent-Transfer-Encoding: base64\n\n" + packed,
        INVITATION,
        CARD,
        PLAIN,
    )


def _book(at: str) -> bytes:
    """A book whose pages name files in it, outside it, and on the network."""
    files = {
        "a.xhtml": chapter(f"<img src='a.png'/><p>words</p><img src='{at}/b.png'/>", _STYLED),
        "a.css": f"@import 'a.css'; @import '{at}/b.css'; p {{ background: url(a.png) }}".encode(),
        "a.png": save(Image.radial_gradient("L").resize((20, 20)), "PNG"),
        "a.txt": b"a note",
    }
    return book(files, ("a.xhtml", "a.txt", "a.xhtml"))


_STYLED = "<title/><link rel='stylesheet' href='a.css'/>"


def _drawing(at: str) -> bytes:
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='90' height='90'><rect width='9' height='9'/>"
        f"<image href='{at}/a.png'/><g transform='scale(2)'><text y='9'>a</text></g></svg>"
    ).encode()


_PICTURE = save(Image.radial_gradient("L").resize((40, 40)), "JPEG")

SEEDS: dict[str, Seed] = {
    "page": lambda at: hostile_page(at).encode(),
    "words of a page": lambda at: hostile_page(at).encode(),
    "text": lambda at: (CASES / "arabic-hebrew.txt").read_bytes() * 5,
    "drawing": _drawing,
    "words of a drawing": _drawing,
    "e-mail": lambda at: (CASES / "mail/html-only-table.eml").read_bytes(),
    "packed e-mail": lambda at: _packed_mail(),
    "files of an e-mail": lambda at: _packed_mail(),
    "outlook": lambda at: message_file("text", "subject", ("a.txt", b"attached")),
    "outlook rtf": lambda at: message_file("", "s", ("a.txt", b"attached"), rtf=compressed(RTF)),
    "winmail.dat": lambda at: winmail(("a.txt", b"attached"), ("b.txt", b"attached as well")),
    "word": lambda at: docx("hello", external=f"{at}/a.png"),
    "parts of word": lambda at: docx("hello", external=f"{at}/a.png"),
    "parts of a table": lambda at: workbook(ORDINARY, ORDINARY, states=' state="hidden"'),
    "older word": lambda at: (CASES / "hidden-text.doc").read_bytes(),
    "streams of older word": lambda at: (CASES / "hidden-text.doc").read_bytes(),
    "rtf": lambda at: (CASES / "rtf.rtf").read_bytes(),
    "postscript": lambda at: POSTSCRIPT,
    "wordperfect": lambda at: wordperfect(b"To the court\x0a" * 20),
    "book": _book,
    "parts of a book": _book,
    "xps": lambda at: xps(2, 1),
    "parts of xps": lambda at: xps(2, 1),
    "djvu": lambda at: DJVU,
    "dicom": lambda at: dicom(b"a hospital's letter"),
    "signed": lambda at: SIGNED,
    "apple's": lambda at: _zip(**{"index.apxl": b"x", "QuickLook/Preview.pdf": pdf([(*A4, "")])}),
    "parts of apple's": lambda at: _zip(**{"Index/a.iwa": b"x", "preview.jpg": _PICTURE}),
    "streams of a pdf": lambda at: pdf([(*A4, "q 0 0 1 rg 50 50 9 9 re f Q BT /F 12 Tf (a) Tj ET")]),
    "portfolio": lambda at: portfolio({"a.txt": b"attached", "b.pdf": pdf([(*A4, "")])}),
}
# How what a file contains is mutated, by the first word of its kind.
WAYS: dict[str, Mutate] = {
    "parts": within_zip(mutate),
    "words": mutate_words,
    "streams of older": within_compound(mutate),
    "streams": within_streams(mutate_words),
    "files": within_base64(mutate),
}
OFFICE = {
    "word",
    "parts of word",
    "parts of a table",
    "older word",
    "streams of older word",
    "rtf",
    "outlook rtf",
    "packed e-mail",
    "files of an e-mail",
} | {"wordperfect"}
PROGRAMS = {"xps": "xpstopdf", "parts of xps": "xpstopdf", "djvu": "ddjvu"}
NAMES = {"parts of a table": "a.xlsx"}
# A text within a signature whose lengths are not told (RFC 5652; X.690 8.1.3.6).
SIGNED = bytes.fromhex("308006092a864886f70d010702a08030800201013100308006092a864886f70d010701a0802480")
SIGNED += b"\x04\x0athe signed\x04\x06 words" + bytes(8) + b"\x31\0" + bytes(6)


@pytest.mark.parametrize("kind", SEEDS)
def test_a_mutated_file_is_pages_or_a_named_error(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _try_mutations(kind, tmp_path, MUTATIONS // 4 if kind in OFFICE else MUTATIONS, monkeypatch)
    _try_mutations(kind, tmp_path, READ_MUTATIONS, monkeypatch, READ_MUTATIONS)


@pytest.mark.full
@pytest.mark.timeout(40_000)
@pytest.mark.parametrize("kind", SEEDS)
def test_ten_thousand_mutated_files_are_pages_or_named_errors(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = WHOLE_OFFICE if kind in OFFICE else WHOLE
    _try_mutations(kind, tmp_path, MANY_MUTATIONS, monkeypatch, every)


class _Readers(Workshop):
    """Stops where another program would begin."""

    def attempt(
        self, what: str, made_from: bytes, make: Callable[[], Typeset], bounds: Bounds | None
    ) -> Typeset:
        return Typeset(_PAGE) if what in {"office", "postscript", "xps", "djvu"} else make()


_PAGE = pdf([(*A4, "")])


def _read(source: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that our own code does with a file, up to where WeasyPrint would lay out a page."""
    with monkeypatch.context() as patched, tempfile.TemporaryFile(buffering=0) as file:
        patched.setattr(
            weasyprint.HTML,
            "render",
            lambda *_, **__: SimpleNamespace(pages=[], write_pdf=lambda: _PAGE),
        )
        workshop = _Readers(
            file.fileno(), source.parent, Paper.A4, LIMITS, known={}, report=lambda key, kept: None
        )
        open_source(source.read_bytes(), name, "", workshop).remarks(None)


def _try_mutations(
    kind: str, folder: Path, mutations: int, monkeypatch: pytest.MonkeyPatch, every: int = 1
) -> None:
    """``mutations`` of a kind of file, of which one in ``every`` becomes fax pages."""
    if kind in PROGRAMS:
        need(PROGRAMS[kind])
    watched = Watched()
    seed = SEEDS[kind](f"http://127.0.0.1:{watched.port}")
    change = next((way for part, way in WAYS.items() if kind.startswith(part)), mutate)
    rng = random.Random(f"faxbox {kind}")
    name = NAMES.get(kind, "source")
    source, target = folder / name, folder / "fax"
    outcomes: dict[str, int] = {}
    for number in range(mutations):
        source.write_bytes(change(seed, rng))
        began = time.monotonic()
        try:
            if number % every:
                _read(source, name, monkeypatch)
                outcome = "read"
            else:
                document = render([Source(source)], target, limits=LIMITS, workers=1)
                outcome = "pages"
                assert len(document.pages) == document.total > 0
                shutil.rmtree(target)
        except DocumentError as error:
            outcome = error.cause.code
            assert cause_of(outcome) is not DOCUMENT_STORAGE, error  # noqa: PT017
            assert number % every == 0 or cause_of(outcome).side is Side.USER, error  # noqa: PT017
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
        assert number % every == 0 or time.monotonic() - began < LONGEST_S
        assert list(folder.iterdir()) == [source]
    print(kind, outcomes)
    watched.close()
    assert watched.heard == 0
    assert outcomes.get("document_worker_died", 0) <= mutations // every // 50, outcomes
    source.write_bytes(seed)
    assert render([Source(source)], target, limits=LIMITS).total >= 1
    shutil.rmtree(target)
    source.unlink()
