"""Cover pages from the built-in and from owners' templates: fields, and hostile templates.

What stands on the pages is read by poppler's pdftotext from the PDF that the cover is drawn from.
"""

from __future__ import annotations

import base64
import io
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from appliance.documents.causes import COVER_TEMPLATE_WRONG, DOCUMENT_TOO_MANY_PAGES
from appliance.documents.errors import DocumentError
from appliance.documents.labels import labels_of
from appliance.documents.options import CoverPage, HeaderLine, Limits, PageFormat, Paper, RenderOptions
from appliance.documents.typeset.cover import CoverSource
from appliance.documents.typeset.markup import FIELDS, MOST_FIELDS, MOST_PARTS, TemplateError, check_template
from appliance.documents.typeset.typesetting import typeset  # noqa: F401 (imported before, as in the fork server)
from appliance.documents.workshop import Workshop
from appliance.t4.page import Resolution
from tests.documents.conftest import Rendered
from tests.documents.making import need, picture, run

R300 = PageFormat(Resolution.R300)
MM = 300 / 25.4
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


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    with (tmp_path / "typeset").open("w+b", buffering=0) as file:
        yield Workshop(file.fileno(), tmp_path, Paper.A4, Limits(), known={}, report=lambda key, kept: None)


def read(tmp_path: Path, workshop: Workshop, html: str, others: int = 0, **more: str) -> list[str]:
    """The words of each page of a cover, blanks and lines as one blank."""
    source = CoverSource(replace(COVER, template=html, **more), Paper.A4, workshop, others)
    target = tmp_path / "cover.pdf"
    made = list(workshop._known.values())[-1]
    file = workshop._file
    target.write_bytes(os.pread(file, made.octets, made.offset))
    text = run(need("pdftotext"), "-layout", target, "-").decode()
    return [" ".join(page.split()) for page in text.split("\f")[: source.count]]


def options(html: str, **more: str) -> RenderOptions:
    return RenderOptions(format=R300, cover=replace(COVER, template=html, **more))


def test_the_box_s_own_cover_has_its_labels_in_german(tmp_path: Path) -> None:
    with (tmp_path / "typeset").open("w+b", buffering=0) as file:
        made = Workshop(
            file.fileno(),
            tmp_path,
            Paper.A4,
            Limits(),
            known={},
            report=lambda key, kept: None,
            labels=labels_of("DE"),
        )
        (shown,) = read(tmp_path, made, "")
    assert [word for word in shown.split() if word in {"An", "Von", "Datum", "Seiten", "Betreff"}] == [
        *("An", "Von", "Datum", "Seiten", "Betreff")
    ]


def test_every_field_is_on_the_page_as_it_is_and_never_as_markup(tmp_path: Path, workshop: Workshop) -> None:
    html = "".join(f"<p>{name}: {{{{{name}}}}} .</p>" for name in FIELDS)
    (shown,) = read(tmp_path, workshop, html, 1, from_company="City Hospital")
    for words in (
        "to_name: Ada Lovelace .",
        "to_company: Engines & Co .",
        "to_number: +44 20 1 .",
        "from_name: Bob .",
        "from_company: City Hospital .",
        "from_number: +49 30 1 .",
        "subject: <b>Results</b> .",
        "message: Dear Ada, see below. .",
        "date: 2026-11-23 .",
        "time: 07:31 .",
        "pages: 2 .",
    ):
        assert words in shown, words


def test_the_box_s_own_page_says_all_that_is_known_and_no_label_alone(
    tmp_path: Path, workshop: Workshop
) -> None:
    (shown,) = read(tmp_path, workshop, "", 6, from_company="City Hospital", subject="")
    assert shown == (
        "Fax To Ada Lovelace, Engines & Co (+44 20 1) From Bob, City Hospital (+49 30 1)"
        " Date 2026-11-23 07:31 Pages 7 Dear Ada, see below."
    )


def test_what_names_only_empty_fields_is_left_out_with_its_label(tmp_path: Path, workshop: Workshop) -> None:
    html = (
        "<table><tr><th>Company</th><td>{{to_company}}</td></tr><tr><th>Name</th><td>{{to_name}}</td></tr></table>"
        "<p>Re: {{subject}}</p><div>Fax {{from_company}}</div>"
        "<div><p>kept</p>{{subject}}</div><p>Kind regards</p>"
    )
    assert read(tmp_path, workshop, html, to_company="", subject="") == [
        "Name Ada Lovelace kept Kind regards"
    ]


def test_the_owner_s_own_style_sheet_counts(tmp_path: Path, workshop: Workshop) -> None:
    html = "<style>.no{display:none} .n::before{content:'No. '}</style><p class=no>x</p>"
    html += "<p class=n>{{date}}</p>"
    assert read(tmp_path, workshop, html) == ["No. 2026-11-23"]


def test_scripts_styles_and_comments_are_no_text(tmp_path: Path, workshop: Workshop) -> None:
    html = "<title>T</title><script>alert(1)</script><style>p{}</style><!-- c -->"
    html += "<iframe src=x></iframe><p>a<p>b"
    assert read(tmp_path, workshop, html) == ["a b"]


def test_headings_tables_rules_pictures_and_alignment_stand_where_they_should(
    tmp_path: Path, workshop: Workshop, rendered: Rendered
) -> None:
    logo = io.BytesIO()
    Image.new("1", (200, 100), 0).save(logo, "PNG")
    source = base64.b64encode(logo.getvalue()).decode()
    html = (
        f'<img src="data:image/png;base64,{source}" width="40"><h1>Hospital</h1><hr>'
        '<table><tr><td width="50%">left</td><td width="50%">beside</td></tr></table>'
        '<p align="right">far</p><p>under</p>'
    )
    read(tmp_path, workshop, html)
    places: dict[str, tuple[float, float]] = {}
    boxes = run(need("pdftotext"), "-bbox", tmp_path / "cover.pdf", "-").decode()
    for x, y, word in re.findall(r'xMin="([\d.]+)" yMin="([\d.]+)"[^>]*>(\w+)<', boxes):
        places[word] = float(x), float(y)
    heading, left, beside, far, under = (
        places[word] for word in ("Hospital", "left", "beside", "far", "under")
    )
    assert heading[1] < left[1] < far[1] < under[1]
    assert left[1] == pytest.approx(beside[1], abs=1), "cells of a row stand side by side"
    assert beside[0] - left[0] == pytest.approx(85 * 72 / 25.4, abs=2)
    assert far[0] > beside[0] > left[0]
    shown = picture(rendered(options=options(html)).coded_page(0))
    box = ImageChops.invert(shown.crop((0, 0, shown.width, round((heading[1]) / 72 * 300)))).getbbox()
    assert box is not None
    assert (box[2] - box[0], box[3] - box[1]) == pytest.approx((40 * MM, 20 * MM), abs=3)


def test_a_long_message_goes_on_on_further_pages_and_nothing_of_it_is_lost(
    tmp_path: Path, workshop: Workshop
) -> None:
    message = "\n".join(f"line number {number}." for number in range(150))
    html = "<h1>Fax</h1><p>{{pages}} pages</p><p>{{message}}</p><p>The end</p>"
    pages = read(tmp_path, workshop, html, 3, message=message)
    assert len(pages) == 4
    assert pages[0].startswith("Fax 7 pages"), "its own pages and three others"
    assert re.findall(r"line number (\d+)\.", " ".join(pages)) == [str(number) for number in range(150)]
    assert pages[-1].endswith("The end")


def test_a_message_in_hebrew_and_arabic_runs_from_right_to_left_line_by_line(rendered: Rendered) -> None:
    shown = picture(
        rendered(options=options("<p>{{message}}</p>", message="שלום\nhello\nسلام")).coded_page(0)
    )
    rows = [
        ImageChops.invert(shown.crop((0, top, shown.width, top + 75))).getbbox() for top in (213, 289, 364)
    ]
    assert all(rows)
    left, middle, last = (box[0] if box else 0 for box in rows)
    assert middle < shown.width / 3 < 2 * shown.width / 3 < min(left, last)


def test_a_template_has_the_header_line_above_it_the_boxs_own_page_says_all_that_itself(
    rendered: Rendered,
) -> None:
    header = HeaderLine(datetime(2026, 11, 23, 7, 31, tzinfo=UTC), "City Hospital", "+49 30 1")
    strip = (0, 0, 2592, 12 * 8)  # 8 mm at 300 dpi
    inked = []
    for html in ("<p>{{message}}</p>", ""):
        shown = picture(rendered(options=replace(options(html), header=header)).coded_page(0)).crop(strip)
        inked.append(ImageChops.invert(shown).getbbox() is not None)
    assert inked == [True, False]


def test_an_endless_word_is_broken_not_cut(rendered: Rendered) -> None:
    document = rendered(options=options("<p>{{message}}</p>", message="W" * 5000))
    black = [ImageChops.invert(picture(coded)).getbbox() for coded in document.coded_pages()]
    assert document.total == 4
    assert all(box is not None and box[2] < 2592 - 15 * 11 for box in black)


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("<p>{{nobody}}</p>", "no field 'nobody'"),
        ("{{subject}}" * (MOST_FIELDS + 1), "fields"),
        ("<b></b>" * (MOST_PARTS + 1), "elements"),
        ("<b>" * 100, "deep"),
        ("<table><tr><td>" * 100, "deep"),
        ('<img src="http://example.com/logo.png">', "data:image/png"),
        ('<img src="file:///etc/passwd">', "data:image/png"),
        ('<img src="data:image/png;base64,!!!">', "base64"),
        ('<img src="data:image/png;base64,' + "A" * 250_000 + '">', "octets"),
    ],
)
def test_a_template_that_is_not_sound_is_refused_in_words(html: str, words: str) -> None:
    with pytest.raises(TemplateError, match=words):
        check_template(html)


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


@given(_MARKUP)
@settings(max_examples=12, deadline=None)
def test_any_sound_template_makes_pages(tmp_path_factory: pytest.TempPathFactory, html: str) -> None:
    try:
        check_template(html)
    except TemplateError:
        return
    folder = tmp_path_factory.mktemp("any")
    with (folder / "typeset").open("w+b", buffering=0) as file:
        made = Workshop(file.fileno(), folder, Paper.A4, Limits(), known={}, report=lambda key, kept: None)
        source = CoverSource(replace(COVER, template=html), Paper.A4, made, 3)
        assert source.count >= 1


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
        rendered(options=options(html, message="word " * 4000), limits=Limits(cpu_seconds=60))
    assert refused.value.cause is cause


def test_a_picture_that_unpacks_to_gigabytes_is_refused_before_it_does(rendered: Rendered) -> None:
    bomb = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(bomb, "PNG", optimize=True)
    assert len(bomb.getvalue()) < 150_000
    html = f'<img src="data:image/png;base64,{base64.b64encode(bomb.getvalue()).decode()}">'
    with pytest.raises(DocumentError) as refused:
        rendered(options=options(html))
    assert refused.value.cause is COVER_TEMPLATE_WRONG
