"""Pages in each format that a receiver may take."""

from __future__ import annotations

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from appliance.causes import Cause
from appliance.documents.causes import DOCUMENT_GONE
from appliance.documents.options import CoverPage, PageFormat, RenderOptions
from appliance.documents.pages import PREFERENCES, DocumentPages
from appliance.documents.rendered import RenderedDocument
from appliance.t4.coding import decode
from appliance.t4.page import CodedPage, Coding, PaperLength, PaperWidth, Resolution
from appliance.t30.parameters import Accepts
from tests.documents.conftest import Rendered
from tests.documents.making import A3, A4, LEGAL, edge_marks, likeness, pdf, picture, words

ALL = Accepts(frozenset(Coding), frozenset(Resolution), PaperWidth.A3, PaperLength.UNLIMITED)
PLAINEST = Accepts(frozenset({Coding.MH}), frozenset({Resolution.STANDARD}), PaperWidth.A4, PaperLength.A4)


def fetched(pages: DocumentPages, number: int, accepts: Accepts) -> tuple[CodedPage | None, bool]:
    page = pages.get(number, accepts)
    return (page, pages.is_last(number)) if isinstance(page, CodedPage) else (None, True)


@pytest.fixture
def document(rendered: Rendered) -> RenderedDocument:
    sheets = [A4, LEGAL, A3]
    content = pdf([(*size, words(*size) + "\n" + edge_marks(*size)) for size in sheets])
    return rendered(content, options=RenderOptions(PageFormat(Resolution.FINE), cover=CoverPage("E")))


@pytest.mark.parametrize("coding", list(Coding))
def test_an_acceptable_rendering_only_changes_its_coding(document: RenderedDocument, coding: Coding) -> None:
    accepts = Accepts(frozenset({coding, Coding.MH}), ALL.resolutions, ALL.width, ALL.length)
    pages = DocumentPages(document)
    for number in range(document.total):
        page, last = fetched(pages, number, accepts)
        assert page is not None
        assert page.coding is coding
        assert last == (number == document.total - 1)
        assert decode(page) == decode(document.coded_page(number))
    assert not (document.directory / "variants").exists()


def test_a_plain_receiver_gets_pages_made_again_for_it(document: RenderedDocument) -> None:
    pages = DocumentPages(document)
    for number in range(document.total):
        page, _ = fetched(pages, number, PLAINEST)
        assert page is not None
        assert (page.coding, page.resolution, page.width) == (Coding.MH, Resolution.STANDARD, 1728)
        assert page.rows <= round(297 * 3.85)
        original = picture(document.coded_page(number))
        if number < 2:  # cover and A4: the same content at half the rows
            seen = picture(page).resize(original.size)
            assert likeness(seen, original, block=32) > 0.95


def test_legal_is_only_made_smaller_for_a_receiver_that_needs_it(document: RenderedDocument) -> None:
    pages = DocumentPages(document)
    b4_length = Accepts(ALL.codings, ALL.resolutions, PaperWidth.A4, PaperLength.B4)
    a4_length = Accepts(ALL.codings, ALL.resolutions, PaperWidth.A4, PaperLength.A4)
    same, smaller = (fetched(pages, 2, accepts)[0] for accepts in (b4_length, a4_length))
    assert same is not None
    assert smaller is not None
    assert same.rows == document.pages[2].rows == pytest.approx(355.6 * 7.7, rel=0.005)  # 215.9 mm on 215
    assert smaller.rows == round(297 * 7.7)


def test_what_was_made_again_is_kept(document: RenderedDocument) -> None:
    first, _ = fetched(DocumentPages(document), 1, PLAINEST)
    for source in document.sources:
        source.path.unlink()
    again = DocumentPages(RenderedDocument.open(document.directory))
    assert fetched(again, 1, PLAINEST)[0] == first
    other = Accepts(ALL.codings, frozenset({Resolution.STANDARD}), PaperWidth.A3, PaperLength.B4)
    assert fetched(again, 1, other) == (None, True)
    assert again.get(1, other) is DOCUMENT_GONE


def test_a_fax_can_go_on_where_it_ended(document: RenderedDocument) -> None:
    pages = DocumentPages(document, first=2)
    assert fetched(pages, 0, ALL) == (document.coded_page(2), False)
    assert fetched(pages, 1, ALL) == (document.coded_page(3), True)
    assert fetched(pages, 2, ALL) == (None, True)


def test_a_damaged_page_on_disk_is_told_not_sent(document: RenderedDocument) -> None:
    file = document.directory / document.pages[0].file
    file.write_bytes(bytes(file.stat().st_size))
    accepts = Accepts(frozenset({Coding.MH}), ALL.resolutions, ALL.width, ALL.length)
    pages = DocumentPages(document)
    assert fetched(pages, 0, accepts) == (None, True)
    assert isinstance(pages.get(0, accepts), Cause)


def test_pages_are_asked_for_by_several_threads_at_once(document: RenderedDocument) -> None:
    pages = DocumentPages(document)
    with ThreadPoolExecutor(4) as threads:
        asked = [threads.submit(pages.get, number % document.total, PLAINEST) for number in range(12)]
        got = [each.result() for each in asked]
    alone = [DocumentPages(document).get(number, PLAINEST) for number in range(document.total)]
    assert got == alone * (12 // document.total)


def test_calls_of_one_document_may_need_the_same_pages_at_the_same_moment(document: RenderedDocument) -> None:
    """A fax to several machines: each has pages of its own made, and one is first."""
    alone = DocumentPages(document).get(1, PLAINEST)
    shutil.rmtree(document.directory / "variants")
    together = threading.Barrier(3)

    def asked() -> CodedPage | Cause:
        pages = DocumentPages(document)
        together.wait(60)
        return pages.get(1, PLAINEST)

    with ThreadPoolExecutor(3) as threads:
        got = [threads.submit(asked) for _ in range(3)]
        assert [each.result() for each in got] == [alone] * 3


def test_every_preference_ends_with_what_every_machine_takes() -> None:
    assert set(PREFERENCES) == set(Resolution)
    for wanted, order in PREFERENCES.items():
        assert order[0] is wanted
        assert order[-1] is Resolution.STANDARD
        assert all(a is not b for a, b in pairwise(order))
