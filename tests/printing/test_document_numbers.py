"""A number in the document is used if it is unique and clear; tags are removed from the picture."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageChops
from weasyprint import HTML

from appliance.box import Box
from appliance.numbers import NumberSettings
from appliance.printing.document_numbers import examined
from appliance.printing.settings import InDocument, PrintingSettings
from appliance.station import StationSettings
from tests.deliver.making import make_box

TAG, LINE = InDocument.TAG, InDocument.LINE


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    made = make_box(tmp_path_factory.mktemp("box"))
    made.settings.change(StationSettings, {"station_id": "+49 30 1111111"})
    made.settings.change(NumberSettings, {"region": "DE"})
    yield made
    made.close()


def pdf(html: str) -> bytes:
    return bytes(HTML(string=f"<html><body style='font-family: sans-serif'>{html}").write_pdf())


def look(box: Box, content: bytes, where: InDocument) -> tuple[tuple[str, ...], str, bytes]:
    box.settings.change(PrintingSettings, {"number_in_document": where.value})
    with examined(box, [content]) as looked:
        return looked.numbers, looked.problem, b"".join(looked.pieces)


def drawn(content: bytes, path: Path) -> Image.Image:
    """Page one as poppler draws it."""
    path.write_bytes(content)
    made = subprocess.run(
        ["pdftoppm", "-r", "100", "-gray", "-singlefile", str(path)],
        capture_output=True,
        check=True,
        timeout=120,
    )
    return Image.open(io.BytesIO(made.stdout)).convert("L")


@pytest.mark.parametrize(
    ("html", "where", "numbers"),
    [
        ("<p>Dear all,<p>@@FAX: +49 30 123456@@", TAG, ("+49 30 123456",)),
        ("<p>@@fax:030123456@@ and text", TAG, ("030123456",)),
        ("<p>@@FAX: 030123456; 040123456@@", TAG, ("030123456", "040123456")),
        ("<p>@@FAX: 030123456@@ <p>@@FAX: 030 123456@@", TAG, ("030 123456",)),
        ("<p>Fax-Nr.: 030 123456", LINE, ("030 123456",)),
        ("<p>Fax-Nr.: 030 / 12 34-56", LINE, ("030 / 12 34-56",)),
        ("<p>Faxnummer: (030) 123456<p>more", LINE, ("(030) 123456",)),
        ("<p>Fax-Nr.: 030 1111111<p>Fax-Nr.: 030 123456", LINE, ("030 123456",)),
        ("<p>@@FAX: 030123456@@ <p>Fax-Nr.: 030/123456", LINE, ("030/123456",)),
        (
            "<table style='width: 100%'><tr><td>Fax-Nr.: 030 123456<td>12.11.2026</table>",
            LINE,
            ("030 123456",),
        ),
        # Nothing, or nothing that was switched on.
        ("<p>Call 030 123456", LINE, ()),
        ("<p>Fax: 030 123456", LINE, ()),
        ("<p>Fax-Nr.: 030 123456", TAG, ()),
        ("<p>Fax-Nr.:", LINE, ()),
        ("<p>Fax-Nr.: 030 1111111", LINE, ()),
        ("<p style='break-after: page'>one<p>@@FAX: 030123456@@", LINE, ()),
        ("<p>@@FAX: 030123456@@", InDocument.OFF, ()),
    ],
)
def test_a_number_that_stands_there_once_is_found(
    box: Box, html: str, where: InDocument, numbers: tuple[str, ...]
) -> None:
    found, problem, _ = look(box, pdf(html), where)
    assert problem == ""
    assert tuple(_dialled(box, found)) == tuple(_dialled(box, numbers))


def _dialled(box: Box, numbers: tuple[str, ...]) -> list[str]:
    return [box.rules.number(number).dial for number in numbers]


@pytest.mark.parametrize(
    ("html", "where", "named"),
    [
        ("<p>@@FAX: 030123456@@ <p>@@FAX: 030123457@@", TAG, "several numbers"),
        ("<p>@@FAX: 030123456@@ <p>Fax-Nr.: 030 123457", LINE, "several numbers"),
        ("<p>Fax-Nr.: 030 123456<p>Fax-Nr.: 030 123457", LINE, "several numbers"),
        ("<p>@@FAX: 030123456@@ <p>@@FAX: ask Eve@@", TAG, "several numbers"),
        ("<p>@@FAX: 030123456 $(reboot)@@", TAG, "no number"),
        ("<p>@@FAX:@@", TAG, "no number"),
        ("<p>Fax-Nr.: 030 123456 12.11.2026", LINE, "no number"),
        ("<p>Fax-Nr.: 030 123456 Kunde 55", LINE, "no number"),
        ("<p>Fax-Nr.: 030 123456 78 90 12 34 56 78 90 12", LINE, "no number"),
    ],
)
def test_what_is_not_plainly_one_number_waits_for_a_person(
    box: Box, html: str, where: InDocument, named: str
) -> None:
    numbers, problem, _ = look(box, pdf(html), where)
    assert numbers == ()
    assert named in problem


LETTER = "<p>Dear Eve,</p><p><span style='{}'>@@FAX: +49 30 123456@@</span></p><p>the offer you asked for</p>"


@pytest.mark.parametrize(
    "style", ["", "color: red", "font-size: 30pt", "transform: rotate(0deg); display: inline-block"]
)
def test_a_tag_is_cut_out_of_the_picture_and_nothing_else_is(box: Box, tmp_path: Path, style: str) -> None:
    html = LETTER.format(style)
    numbers, _, cut = look(box, pdf(html), TAG)
    assert numbers == ("+49 30 123456",)
    without = pdf(html.replace("<span style='", "<span style='visibility: hidden; "))
    after, wanted = drawn(cut, tmp_path / "cut"), drawn(without, tmp_path / "without")
    assert ImageChops.difference(after, wanted).getbbox() is None


def test_a_line_with_the_number_stays_in_the_document(box: Box) -> None:
    content = pdf("<p>Fax-Nr.: 030 123456")
    assert look(box, content, LINE)[2] == content


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(bytes, id="nothing"),
        pytest.param(lambda: b"%PDF-1.4 not one", id="no pages"),
        pytest.param(lambda: b"\xff\xd8 a picture", id="no PDF"),
        pytest.param(lambda: b"%PDF-1.4\n" + b"<<" * 100_000, id="deep"),
    ],
)
def test_a_document_that_cannot_be_read_is_handed_on_unchanged(box: Box, make: Callable[[], bytes]) -> None:
    content = make()
    assert look(box, content, LINE) == ((), "", content)
