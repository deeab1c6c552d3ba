"""Typical office documents and the resulting faxes: pages, size, remarks, octets, or the error."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance.documents.errors import DocumentError
from appliance.documents.options import Source
from appliance.documents.render import render
from appliance.documents.rendered import RenderedDocument
from appliance.remarks import CODES_SHOWN, FILE_LEFT_OUT, SCREEN_ONLY, SUBFILE_SKIPPED
from tests.documents.conftest import Rendered
from tests.documents.making import picture
from tests.documents.ocr import words_on

CASES = Path(__file__).parent / "cases"


@dataclass(frozen=True)
class Case:
    """``size`` of the first page in mm; ``remarks`` by code; ``octets`` that the pages take at most."""

    name: str
    pages: int = 1
    size: tuple[float, float] = (210, 297)
    remarks: tuple[str, ...] = ()
    octets: int = 25_000


_FAX_PAGE = (215, 286)

SENT = [
    Case("bigtiff.tif", size=_FAX_PAGE),
    Case("noresolution-1728.tif", size=_FAX_PAGE),
    Case("noresolution-1728x1100.tif", size=_FAX_PAGE),
    Case("resolution-72.tif", size=_FAX_PAGE),
    Case("resolution-zero.tif", size=_FAX_PAGE),
    Case("orient6.tif", size=(102, 38)),
    Case("orient7.tif", size=(102, 38)),
    Case("previews-between-pages.tif", 2, _FAX_PAGE, (SUBFILE_SKIPPED.code,), 30_000),
    Case("phone-photo-of-page.jpg", octets=60_000),
    Case("holding/classF-fine.tif", size=_FAX_PAGE),
    Case("holding/classF-standard-metric-cm.tif", size=_FAX_PAGE),
    Case("holding/g3-damaged-lines.tif", size=_FAX_PAGE),
    Case("holding/cmyk.jpg", size=(76, 25)),
    Case("holding/alpha.png", size=(76, 25)),
    Case("holding/photo.webp", size=(159, 53)),
    Case("holding/pic.gif", size=(159, 53)),
    Case("holding/ultrahdr-like.jpg", size=(159, 53)),
    Case("holding/cr-only.txt"),
    Case("holding/data.csv"),
    Case("holding/formfeeds.txt", 4),
    Case("holding/tabs-long.txt"),
    Case("holding/utf8-bom.txt"),
    Case("holding/oneline.xml", remarks=(CODES_SHOWN.code,)),
    Case("holding/cropbox.pdf", size=(88, 71)),
    Case("holding/empty-page.pdf"),
    Case("holding/form-no-appearance.pdf"),
    Case("holding/form-no-appearance-noneed.pdf"),
    Case("holding/hairlines.pdf"),
    Case("holding/huge.pdf", size=(5080, 5080)),
    Case("holding/negative-swapped-box.pdf"),
    Case("holding/portfolio.pdf", remarks=(SCREEN_ONLY.code,)),
    Case("holding/receipt-80mm.pdf", size=(80, 1411), octets=50_000),
    Case("holding/rotate90.pdf", size=(297, 210)),
    Case("holding/rotate-90.pdf", size=(297, 210)),
    Case("holding/rotate180.pdf"),
    Case("holding/rotate270.pdf", size=(297, 210)),
    Case("holding/rotate450.pdf", size=(297, 210)),
    Case("holding/scan200.pdf"),
    Case("holding/scan600.pdf"),
    Case("holding/transparency.pdf"),
    Case("mail/holding/docx.eml", remarks=(FILE_LEFT_OUT.code,)),
    Case("mail/holding/flowed.eml"),
    Case("mail/holding/no-closing-boundary.eml", 2),
    Case("mail/holding/only-inline-photo.eml", 2),
    Case("mail/holding/smime-clear.eml"),
    Case("mail/holding/smime-opaque.eml", remarks=(FILE_LEFT_OUT.code,)),
    Case("mail/holding/utf16-body.eml"),
]

# What their remarks are about.
_FILES = {
    "mail/holding/docx.eml": "letter.docx",
    "mail/holding/smime-opaque.eml": "smime.p7m",
}


@pytest.fixture(scope="module")
def faxed(tmp_path_factory: pytest.TempPathFactory) -> RenderedDocument:
    """All of them as one fax."""
    sources = [Source(CASES / case.name, name=case.name) for case in SENT]
    return render(sources, tmp_path_factory.mktemp("cases") / "fax", workers=1)


@pytest.mark.parametrize("case", SENT, ids=lambda case: case.name)
def test_a_case_has_its_pages_its_size_and_its_remarks(faxed: RenderedDocument, case: Case) -> None:
    number = SENT.index(case)
    pages = [page for page in faxed.pages if page.source == number]
    assert len(pages) == case.pages
    assert (pages[0].size.width, pages[0].size.height) == pytest.approx(case.size, abs=1)
    numbers = {page.number + 1 for page in pages}
    said = [
        remark.kind.code
        for remark in faxed.remarks
        if remark.page in numbers or (remark.page is None and remark.file == _FILES.get(case.name, case.name))
    ]
    assert tuple(said) == case.remarks
    assert sum(page.octets for page in pages) < case.octets


def test_one_page_in_five_ways_of_a_fax_machine_is_one_page(rendered: Rendered) -> None:
    names = ("classF-fine", "g3-lsb", "g3-lsb-bigendian", "g3-blackiszero", "nostripcounts")
    pages = [
        picture(rendered((CASES / f"holding/{name}.tif").read_bytes()).coded_page(0)).tobytes()
        for name in names
    ]
    assert len(set(pages)) == 1


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("g3-cut.tif", "document_damaged"),
        ("g4-toomanyrows.tif", "document_damaged"),
        ("holding/escape.pcl", "document_unsupported"),
    ],
)
def test_a_case_is_refused_for_what_is_wrong_with_it(rendered: Rendered, name: str, code: str) -> None:
    with pytest.raises(DocumentError) as refused:
        rendered((CASES / name).read_bytes(), name=name)
    assert refused.value.cause.code == code


def test_a_telephones_photograph_of_a_page_is_read(faxed: RenderedDocument, tmp_path: Path) -> None:
    number = [case.name for case in SENT].index("phone-photo-of-page.jpg")
    page = next(index for index, page in enumerate(faxed.pages) if page.source == number)
    found = words_on(picture(faxed.coded_page(page)), tmp_path, mode=4)
    assert found.count("The tenant shall pay") == 26
    assert found.count("liability is limited to the amount") == 14
