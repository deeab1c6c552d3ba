"""Cover pages from owners' templates: what is filled in, what is left out, what hostile ones can do."""

from __future__ import annotations

import base64
import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from appliance.causes import COVER_TEMPLATE_WRONG, DOCUMENT_TOO_MANY_PAGES
from appliance.documents.errors import DocumentError
from appliance.documents.markup import (
    FIELDS,
    MOST_FIELDS,
    MOST_PARTS,
    Paragraph,
    Row,
    TemplateError,
    fields_of,
    parse,
)
from appliance.documents.options import CoverPage, HeaderLine, Limits, PageFormat, Paper, RenderOptions
from appliance.documents.template import TemplateSource
from appliance.t4.coding import decode
from appliance.t4.page import CodedPage, Resolution
from tests.documents.conftest import Rendered
from tests.documents.reading import says, where

R300 = PageFormat(Resolution.R300)
COVER = CoverPage(
    to_name="Ada Lovelace",
    to_company="Engines & Co",
    to_number="+44 20 1",
    from_name="Bob",
    from_number="+49 30 1",
    subject="<b>Results</b>",
    message="Dear Ada,\n\nsee below.",
    date="2026-11-23",
    time="07:31",
)


def page(coded: CodedPage) -> Image.Image:
    raster = decode(coded)
    return ImageChops.invert(Image.frombytes("1", (raster.width, raster.rows), raster.data))


def cover(html: str, **more: str) -> RenderOptions:
    fields = {name: getattr(COVER, name) for name in CoverPage.__slots__}
    return RenderOptions(format=R300, cover=CoverPage(**{**fields, "template": html, **more}))


def test_every_field_is_on_the_page_as_it_is_and_never_as_markup(rendered: Rendered) -> None:
    html = "".join(f"<p>{name}: {{{{{name}}}}} .</p>" for name in FIELDS)
    document = rendered(b"a letter", options=cover(html, from_company="City Hospital"))
    assert document.total == 2
    shown = page(document.coded_page(0))
    for words in (
        "to_name: Ada Lovelace .",
        "to_company: Engines & Co .",
        "to_number: +44 20 1 .",
        "from_name: Bob .",
        "from_company: City Hospital .",
        "from_number: +49 30 1 .",
        "subject: <b>Results</b> .",
        "message: Dear Ada,",
        "see below. .",
        "date: 2026-11-23 .",
        "time: 07:31 .",
        "pages: 2 .",
    ):
        assert says(shown, words), words


def test_what_names_only_empty_fields_is_left_out_with_its_label(rendered: Rendered) -> None:
    html = (
        "<table><tr><th>Company</th><td>{{to_company}}</td></tr><tr><th>Name</th><td>{{to_name}}</td></tr></table>"
        "<p>Re: {{subject}}</p><p>Kind regards</p>"
    )
    shown = page(rendered(options=cover(html, to_company="", subject="")).coded_page(0))
    assert not says(shown, "Company", bold=True)
    assert not says(shown, "Re:")
    assert says(shown, "Name", bold=True)
    assert says(shown, "Kind regards")


def test_headings_tables_rules_pictures_and_alignment_stand_where_they_should(rendered: Rendered) -> None:
    logo = io.BytesIO()
    Image.new("1", (200, 100), 0).save(logo, "PNG")
    source = base64.b64encode(logo.getvalue()).decode()
    html = (
        f'<img src="data:image/png;base64,{source}" width="40"><h1>Hospital</h1><hr>'
        '<table><tr><td width="50%">left</td><td width="50%">beside</td></tr></table>'
        '<p align="right">far</p><p>under</p>'
    )
    shown = page(rendered(options=cover(html)).coded_page(0))
    nowhere = (-1, -1)
    heading = where(shown, "Hospital", em_mm=10.0, bold=True) or nowhere
    left, beside, far, under = (where(shown, word) or nowhere for word in ("left", "beside", "far", "under"))
    assert nowhere not in (heading, left, beside, far, under)
    assert heading[1] < left[1] < far[1] < under[1]
    assert abs(left[1] - beside[1]) < 12, "cells of a row stand side by side"
    assert abs(beside[0] - (left[0] + 85 * 300 / 25.4)) < 10
    assert far[0] > beside[0] > left[0]
    black = ImageChops.invert(shown.convert("L")).crop((0, 0, shown.width, heading[1]))
    box = black.getbbox()
    assert box is not None
    assert (box[2] - box[0], box[3] - box[1]) == pytest.approx((40 * 300 / 25.4, 20 * 300 / 25.4), abs=2)


def test_a_long_message_goes_on_on_further_pages_and_nothing_of_it_is_lost(rendered: Rendered) -> None:
    message = "\n".join(f"line number {number}" for number in range(150))
    document = rendered(options=cover("<h1>Fax</h1><p>{{message}}</p><p>The end</p>", message=message))
    pages = [page(coded) for coded in document.coded_pages()]
    assert len(pages) == 4
    assert says(pages[0], "line number 0")
    assert sum(says(shown, "line number 75") for shown in pages) == 1
    assert says(pages[-1], "line number 149")
    assert says(pages[-1], "The end")


def test_a_template_has_the_header_line_above_it_the_boxs_own_page_says_all_that_itself(
    rendered: Rendered,
) -> None:
    header = HeaderLine(datetime(2026, 11, 23, 7, 31, tzinfo=UTC), "City Hospital", "+49 30 1")
    strip = (0, 0, 2592, 12 * 8)  # 8 mm at 300 dpi
    inked = []
    for html in ("<p>{{message}}</p>", ""):
        options = replace(cover(html), header=header)
        shown = page(rendered(options=options).coded_page(0)).crop(strip)
        inked.append(ImageChops.invert(shown.convert("L")).getbbox() is not None)
    assert inked == [True, False]


def test_an_endless_word_is_broken_not_cut(rendered: Rendered) -> None:
    document = rendered(options=cover("<p>{{message}}</p>", message="W" * 5000))
    black = [ImageChops.invert(page(coded).convert("L")).getbbox() for coded in document.coded_pages()]
    assert document.total == 4
    assert all(box is not None and box[2] < 2592 - 15 * 11 for box in black)


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("<p>{{nobody}}</p>", "no field 'nobody'"),
        ("{{subject}}" * (MOST_FIELDS + 1), "fields"),
        ("<b></b>" * (MOST_PARTS + 1), "elements"),
        ("<b>" * 100, "deep"),
        ("<table><tr><td>" * 50, "deep"),
        ('<img src="http://example.com/logo.png">', "data:image/png"),
        ('<img src="file:///etc/passwd">', "data:image/png"),
        ('<img src="data:image/png;base64,!!!">', "base64"),
        ('<img src="data:image/png;base64,' + "A" * 250_000 + '">', "octets"),
    ],
)
def test_a_template_that_is_not_sound_is_refused_in_words(html: str, words: str) -> None:
    with pytest.raises(TemplateError, match=words):
        parse(html)


def test_scripts_styles_and_comments_are_no_text() -> None:
    blocks = parse(
        "<title>T</title><script>alert(1)</script><style>p{}</style><!-- c --><iframe src=x></iframe><p>a<p>b"
    )
    texts = [piece.text for block in blocks if isinstance(block, Paragraph) for piece in block.pieces]
    assert texts == ["a", "b"]


def test_cells_without_end_tags_are_cells_all_the_same() -> None:
    (row, second, after) = parse("<table><tr><td>a<td>{{subject}}<tr><th>c</table>d")
    assert isinstance(row, Row)
    assert isinstance(second, Row)
    assert len(row.cells) == 2
    assert list(fields_of(row)) == ["subject"]
    assert isinstance(after, Paragraph)


_TAGS = st.sampled_from(
    ["table", "tr", "td", "th", "b", "p", "h1", "li", "ul", "br", "hr", "pre", "script", "center", "x"]
)
_MARKUP = st.lists(
    st.one_of(
        _TAGS.map("<{}>".format),
        _TAGS.map("</{}>".format),
        _TAGS.map("<{}/>".format),
        st.sampled_from(
            ["<td width=99999999%>", "<td width='50%'>", "{{message}}", "{{pages}}", "&#0;", "<", "\x00"]
        ),
        st.text(max_size=8),
    ),
    max_size=40,
).map("".join)


def test_a_width_of_blanks_keeps_nobody_waiting() -> None:
    (row,) = parse(f"<table><tr><td width='5{' ' * 100_000}x'>a</table>")
    assert isinstance(row, Row)
    assert row.cells[0].percent is None


def test_a_declaration_that_is_none_is_passed_over() -> None:
    (paragraph,) = parse("<![oops]><p>{{subject}}</p>")
    assert list(fields_of(paragraph)) == ["subject"]


@given(_MARKUP)
@settings(max_examples=300)
def test_any_markup_is_read_or_refused(html: str) -> None:
    try:
        blocks = parse(html)
    except TemplateError:
        return
    assert all(name in FIELDS for block in blocks for name in fields_of(block))


@given(_MARKUP)
@settings(max_examples=60)
def test_any_sound_template_makes_pages_within_the_sheet(html: str) -> None:
    try:
        parse(html)
    except TemplateError:
        return
    source = TemplateSource(cover(html).cover or COVER, Paper.A4)
    source.total_pages = source.count + 3
    strips = [sum(strip.height_mm for strip in strips) for strips in source._pages]
    assert len(strips) == source.count
    assert all(height <= 297 for height in strips)


@pytest.mark.parametrize(
    ("html", "cause"),
    [
        ("<p>{{message}}</p>" * 40, DOCUMENT_TOO_MANY_PAGES),
        (
            '<img src="data:image/png;base64,'
            + base64.b64encode(b"\x89PNG\r\n\x1a\nnonsense").decode()
            + '">',
            COVER_TEMPLATE_WRONG,
        ),
    ],
)
def test_a_hostile_template_ends_its_worker_alone(rendered: Rendered, html: str, cause: object) -> None:
    with pytest.raises(DocumentError) as refused:
        rendered(options=cover(html, message="word " * 4000), limits=Limits(cpu_seconds=60))
    assert refused.value.cause is cause


def test_a_picture_that_unpacks_to_gigabytes_is_refused_before_it_does(rendered: Rendered) -> None:
    bomb = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(bomb, "PNG", optimize=True)
    assert len(bomb.getvalue()) < 150_000
    html = f'<img src="data:image/png;base64,{base64.b64encode(bomb.getvalue()).decode()}">'
    with pytest.raises(DocumentError) as refused:
        rendered(options=cover(html))
    assert refused.value.cause is COVER_TEMPLATE_WRONG
