"""Content of web pages and drawings that paper cannot show is adapted or remarked."""

from __future__ import annotations

import base64
import re
import time
from pathlib import Path

import pytest
from PIL import Image

from appliance.documents.rendered import RenderedDocument
from appliance.documents.typeset.drawings import drawable
from appliance.documents.typeset.styles import declared, for_paper
from appliance.remarks import (
    CONTENT_CUT,
    GLYPHS_MISSING,
    HIDDEN_LEFT_OUT,
    LAYOUT_SIMPLIFIED,
    MOVEMENT_LEFT_OUT,
    PAGE_WHITE,
    PART_LEFT_OUT,
    PICTURE_LOST,
    PICTURES_LEFT_OUT,
    PRINT_ONLY,
    SCREEN_ONLY,
    RemarkKind,
)
from tests.documents.conftest import Rendered
from tests.documents.making import ink, likeness, photograph, picture, save
from tests.documents.opened import Opened, opened

PICTURE = "data:image/png;base64," + base64.b64encode(save(photograph(400, 400), "PNG")).decode()


def page(body: str, head: str = "") -> bytes:
    return f"<html><head><meta charset=utf-8>{head}</head><body><p>Ordinary words</p>{body}</body>".encode()


def drawing(body: str, before: str = "") -> bytes:
    names = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    frame = '<rect width="298" height="198" fill="none" stroke="black"/>'
    words = '<text x="9" y="20">Drawn</text>'
    return f'{before}<svg {names} width="300" height="200">{frame}{words}{body}</svg>'.encode()


def kinds(made: Opened) -> list[RemarkKind]:
    return [remark.kind for remark in made.remarks]


@pytest.mark.parametrize("window", ["<dialog>closed</dialog>", "<div popover>closed</div>"])
def test_a_window_of_a_page_that_is_closed_is_not_drawn(tmp_path: Path, window: str) -> None:
    page = f"<!doctype html><html><body><p>Ordinary words{window}</body></html>"
    assert opened(tmp_path, page.encode(), "a.html").words == "Ordinary words"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("<iframe srcdoc='<p>framed <b>words</b>'></iframe> behind", "framed words behind"),
        ("<iframe srcdoc=\"<iframe srcdoc='inner words'></iframe>\"></iframe>", "inner words"),
        ("<details><summary>Sum</summary>folded words</details>", "folded words"),
        ("<dialog open>said in a window</dialog>", "said in a window"),
        ("<style>dialog { display: block }</style><dialog>in a window</dialog>", "in a window"),
        ("<p><input value='Ada Lovelace'></p><textarea>in the area</textarea>", "Ada Lovelace in the area"),
        (f"<textarea>{'many words ' * 60}the last</textarea>", "the last"),
        (f"<input value='{'many words ' * 30}the last'>", "the last"),
        ("<select><option>One<option selected>Two</select>", "Two"),
        (
            "<select multiple><option selected>One<option>Two<option selected>Six</select>",
            "☑ One Two ☑ Six",
        ),
        ("<select size=3><option>One<option selected>Two<option>Six</select>", "One ☑ Two Six"),
        ("<meter value=0.5></meter> <progress max=8 value=3></progress>", "50% 3 / 8"),
        ("<noscript><p>without a script</noscript>", "without a script"),
        (
            "<iframe src='https://count.example' height=0 style='display:none'></iframe>"
            "<iframe src='about:blank'></iframe>",
            "Ordinary words",
        ),
        ("<p style='position:absolute;left:-9999px'>for those who hear the page</p>", "Ordinary words"),
        ("<div style='height:20px;overflow:hidden'>one<br>two<br>three</div>", "Ordinary words"),
        ("<div style='overflow:auto'>one<br>two</div>", "one two"),
        ("<style>.unused{background:conic-gradient(red,blue)}</style>words", "words"),
        (f"<pre style='white-space:pre;overflow:auto'>{'word ' * 60}the last</pre>", "the last"),
        ("<my-card><template shadowrootmode=open>of the shadow</template>light</my-card>", "of the shadow"),
        ("<svg hidden><symbol id=s><text y=20>sign</text></symbol></svg><svg><use href='#s'/></svg>", "sign"),
        ("<svg><symbol id=s viewBox='0 0 9 9'><text y=9>own</text></symbol><use href='#s'/></svg>", "own"),
        ("<div style='transform:rotate(-3deg)'>hardly turned</div>", "hardly turned"),
        (
            f"<table><tr><td colspan={'9' * 20}>wide<td>side<tr><td>low</table>",
            "wide side low",
        ),
        ("<div style='width:calc(100% - var(--not-set))'>in a column</div>", "in a column"),
        ("<div style='margin:calc(1px + );width:min(9em, 1em + )'>in a column</div>", "in a column"),
        (
            "<div style='overflow:hidden'><p style='transform:translateX(900px)'>the next slide</div>",
            "Ordinary words",
        ),
    ],
)
def test_what_a_page_says_is_on_paper_and_nothing_is_remarked(tmp_path: Path, body: str, words: str) -> None:
    made = opened(tmp_path, page(body), "a.html")
    assert words in made.words
    assert made.remarks == ()


_HIDDEN_FIRST = "<p class=a>hidden first</p><p class=b>shown first</p>"
_SWAP = ".a { display: block } .b { display: none }"


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("@supports (display: grid)", True),
        ("@supports not (display: grid)", False),
        ("@supports (display: grid) and (not (display: inline-grid))", False),
        ("@supports (display: nothing) or selector(:has(p))", True),
        ("@media all { @supports (display: grid)", True),
        ("@container (min-width: 300px)", True),
        ("@container card (width > 30em)", True),
        ("@container (400px <= width < 500px)", False),
        ("@media (min-width: 600px)", True),
        ("@media (max-width: 600px)", False),
        ("@media print and (min-width: 10cm) and (orientation: portrait)", True),
        ("@media not screen", True),
        ("@media not all and (monochrome)", True),
        ("@media (prefers-color-scheme: dark)", False),
        ("@media screen, (min-width: 600px)", True),
    ],
)
def test_a_condition_holds_on_paper_as_in_a_browser_that_prints(
    tmp_path: Path, condition: str, holds: bool
) -> None:
    sheet = f".a {{ display: none }} .c {{ container-type: inline-size }} {condition} {{ {_SWAP} }}"
    sheet += " }" * (condition.count("{"))
    page = f"<!doctype html><style>{sheet}</style><div class=c>{_HIDDEN_FIRST}</div>"
    made = opened(tmp_path, page.encode(), "a.html")
    assert made.words == ("hidden first" if holds else "shown first")
    assert made.remarks == ()


@pytest.mark.parametrize(("media", "holds"), [("(min-width: 600px)", True), ("(max-width: 600px)", False)])
def test_the_condition_of_a_whole_style_sheet_counts(tmp_path: Path, media: str, holds: bool) -> None:
    page = f'<!doctype html><style>.a {{ display: none }}</style><style media="{media}">{_SWAP}</style>'
    made = opened(tmp_path, (page + _HIDDEN_FIRST).encode(), "a.html")
    assert made.words == ("hidden first" if holds else "shown first")


def test_a_tick_stands_beside_its_words(tmp_path: Path) -> None:
    made = opened(tmp_path, page("<label>before <input type=checkbox checked> behind</label>"), "a.html")
    assert ["before", "behind"] in [line.split() for line in made.texts[0].splitlines()]
    hidden = page("<style>input { display: none }</style><input value=4711>")
    assert "4711" not in opened(tmp_path, hidden, "a.html").words


def test_a_secret_is_no_more_readable_on_paper_than_on_the_screen(tmp_path: Path) -> None:
    made = opened(tmp_path, page("<input type=password value=4711>"), "a.html")
    assert "4711" not in made.words
    assert "4712" not in opened(tmp_path, page("<input type=hidden value=4712>"), "a.html").words


AFAR = "https://x.example/a.png"
BEGINS_UNSEEN = (
    "<style>@keyframes k{from{opacity:0}to{opacity:1}} .k{opacity:0;animation:k 1s forwards}</style>"
)


@pytest.mark.parametrize(
    ("body", "plainly", "said"),
    [
        (
            "<h1 style='background:linear-gradient(red,blue);-webkit-background-clip:text;color:transparent'>"
            "cut out</h1>",
            "<h1>cut out</h1>",
            [],
        ),
        ("<h1 style='color:transparent;text-shadow:0 0 1px #000'>a shadow</h1>", "<h1>a shadow</h1>", []),
        (f"{BEGINS_UNSEEN}<p class=k>moved in", "<p>moved in", []),
        (
            f"<div style='background:url({AFAR});color:#fff'>on a picture</div>",
            "<div>on a picture</div>",
            [LAYOUT_SIMPLIFIED, PICTURES_LEFT_OUT],
        ),
        (
            "<div style='background:-webkit-linear-gradient(#222,#444);color:#fff'>on a ground</div>",
            "<div>on a ground</div>",
            [LAYOUT_SIMPLIFIED],
        ),
        (
            "<div style='background:conic-gradient(#222,#444);color:oklch(1 0 0)'>on a pie</div>",
            "<div>on a pie</div>",
            [LAYOUT_SIMPLIFIED, PART_LEFT_OUT],
        ),
        (f"<img src='{AFAR}'><p style='color:#fff'>", f"<img src='{AFAR}'><p>", [PICTURES_LEFT_OUT]),
    ],
)
def test_words_that_only_a_browser_would_show_are_black(
    rendered: Rendered, body: str, plainly: str, said: list[RemarkKind]
) -> None:
    shown, plain = (rendered(page(each), name="a.html") for each in (body, plainly))
    assert [remark.kind for remark in shown.remarks] == said
    assert picture(shown.coded_page(0)).tobytes() == picture(plain.coded_page(0)).tobytes()


@pytest.mark.parametrize(
    "ground",
    [
        "<div style='background:#123;color:#fff'>white on dark</div>",
        "<div style='position:relative'><div style='position:absolute;background:#123;width:99px;"
        "height:40px'></div><span style='position:relative;color:#fff'>white</span></div>",
    ],
)
def test_white_words_on_a_ground_that_is_there_stay_white(rendered: Rendered, ground: str) -> None:
    alone, beside = (rendered(page(f"{ground}{more}"), name="a.html") for more in ("", f"<img src='{AFAR}'>"))
    assert [remark.kind for remark in beside.remarks] == [PICTURES_LEFT_OUT]
    assert picture(alone.coded_page(0)).tobytes() == picture(beside.coded_page(0)).tobytes()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("<html><body style='opacity:0'>all words", [PAGE_WHITE]),
        ("<html><style>body { display: none } .on { display: block }</style><body>words", [PAGE_WHITE]),
        ("<html><body><p></p>", []),
        (
            "<html><style>body{visibility:hidden}</style><body>all words<script>show()</script>",
            [PAGE_WHITE, HIDDEN_LEFT_OUT],
        ),
        ("<html><body>words<p style='opacity:0'>more<script>show()</script>", [HIDDEN_LEFT_OUT]),
        ("<html><body>words<p style='opacity:0'>more", []),
        ("<html><body style='background:#123;color:#fff'>words", []),
    ],
)
def test_words_that_wait_for_a_script_are_told_and_a_white_page_is_too(
    tmp_path: Path, content: str, said: list[RemarkKind]
) -> None:
    assert sorted(kinds(opened(tmp_path, content.encode(), "a.html")), key=said.index) == said


@pytest.mark.parametrize(
    ("body", "head", "kind"),
    [
        ("<iframe src='https://x.example/a.html'></iframe>", "", PART_LEFT_OUT),
        ("<audio src='a.mp3'></audio>", "", PART_LEFT_OUT),
        ("<video src='a.mp4'></video>", "", PART_LEFT_OUT),
        ("<canvas></canvas><script>draw()</script>", "", PART_LEFT_OUT),
        ("<img src='logo.png'><img src='../sign.gif'>", "", PICTURE_LOST),
        ("<img data-src='https://x.example/a.png'>", "", PICTURES_LEFT_OUT),
        ("<p class=s>seen</p>", "<style>@media print{.s{display:none}}</style>", SCREEN_ONLY),
        ("<p class=s>seen</p>", "<style media=print>.s{display:none}</style>", SCREEN_ONLY),
        ("<p class=s>printed</p>", "<style>@media screen{.s{display:none}}</style>", PRINT_ONLY),
        ("<div style='height:40px;overflow:auto'>1<br>2<br>3<br>4</div>", "", CONTENT_CUT),
        ("<div style='position:absolute;left:900px'>to the right</div>", "", CONTENT_CUT),
        ("<div style='position:absolute;top:3000px'>below</div>", "", CONTENT_CUT),
        ("<div style='transform:translateX(900px)'>moved</div>", "", CONTENT_CUT),
        (
            "<div style='transform:rotate(90deg);width:600px'>turned over the edge of the sheet by far</div>",
            "",
            CONTENT_CUT,
        ),
        ("<div style='background:conic-gradient(red 30%,blue 0);height:9px'></div>", "", PART_LEFT_OUT),
        (
            "<div class=p></div>",
            "<style>.p{height:9px;background:conic-gradient(from 9deg,var(--a),rgb(0,0,0))}</style>",
            PART_LEFT_OUT,
        ),
        ("<math><mfrac><mi>a</mi><mi>b</mi></mfrac></math>", "", LAYOUT_SIMPLIFIED),
        ("<svg><script>x()</script><text y=20>a</text></svg>", "", SCREEN_ONLY),
        ("<svg><script>x()</script><g></g></svg>", "", PART_LEFT_OUT),
    ],
)
def test_what_paper_does_not_show_of_a_page_is_remarked(
    tmp_path: Path, body: str, head: str, kind: RemarkKind
) -> None:
    made = opened(tmp_path, page(body, head), "a.html")
    assert kinds(made) == [kind]
    assert "Ordinary words" in made.words


def test_the_frames_of_a_frameset_are_remarked(tmp_path: Path) -> None:
    frames = b"<html><frameset cols='*,*'><frame src='a.html'><frame src='b.html'></frameset></html>"
    assert kinds(opened(tmp_path, frames, "a.html")) == [PART_LEFT_OUT]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (f"<video poster='{PICTURE}' src='a.mp4'></video>", [MOVEMENT_LEFT_OUT]),
        (f"<img srcset='{PICTURE} 1x'>", []),
        (f"<picture><source srcset='{PICTURE}'><img src='https://x.example/a.png'></picture>", []),
        (f"<img src='data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP' data-src='{PICTURE}'>", []),
        (f"<div style='height:400px;background:image-set(url({PICTURE}) 1x, url(b.png) 2x)'></div>", []),
    ],
    ids=["of a film", "of a set", "of several", "later", "of a ground"],
)
def test_a_picture_that_the_page_has_is_drawn(rendered: Rendered, body: str, said: list[RemarkKind]) -> None:
    document = rendered(page(body), name="a.html")
    assert [remark.kind for remark in document.remarks] == said
    assert ink(picture(document.coded_page(0)))[3] > 500


@pytest.mark.parametrize(
    ("body", "words", "said"),
    [
        (
            '<switch><text x="9" y="50" systemLanguage="de">Deutsch</text>'
            '<text x="9" y="50" systemLanguage="en">English</text><text x="9" y="50">Other</text></switch>',
            "Drawn Other",
            [],
        ),
        (
            '<switch><other xmlns="urn:x"/><text x="9" y="50">of drawings</text></switch>',
            "Drawn of drawings",
            [],
        ),
        (
            '<switch><foreignObject><p>in HTML</p></foreignObject><text x="9" y="50">as text</text></switch>',
            "Drawn as text",
            [],
        ),
        (
            '<foreignObject x="9" y="40" width="90" height="60"><div>one</div><div>two</div></foreignObject>',
            "Drawn one two",
            [LAYOUT_SIMPLIFIED],
        ),
        (
            '<flowRoot><flowRegion><rect x="9" y="40" width="90" height="90"/></flowRegion>'
            "<flowPara>flowing</flowPara></flowRoot>",
            "Drawn flowing",
            [LAYOUT_SIMPLIFIED],
        ),
        (
            '<path id="p" d="M10 80 Q 100 20 200 80" fill="none"/>'
            '<text><textPath xlink:href="#p">along a line</textPath></text>',
            "Drawn along a line",
            [LAYOUT_SIMPLIFIED],
        ),
        (
            '<text id="t" x="9" y="50">once</text><text x="9" y="90"><tref xlink:href="#t"/></text>',
            "Drawn once once",
            [],
        ),
        ('<use href="other.svg#a"/>', "Drawn", [PART_LEFT_OUT]),
        ('<defs><text id="a" y="50">used</text></defs><use href="#a"/>', "Drawn used", []),
        (
            '<rect width="9" height="9"><animate attributeName="x" to="9"/></rect>',
            "Drawn",
            [MOVEMENT_LEFT_OUT],
        ),
        ("<style>@keyframes k{from{opacity:0}}</style>", "Drawn", [MOVEMENT_LEFT_OUT]),
        ("<style>@import url(https://x.example/a.css);</style>", "Drawn", [PICTURES_LEFT_OUT]),
        ('<text x="9" y="50">\U0001f9ff</text>', "Drawn", [GLYPHS_MISSING]),
    ],
)
def test_what_a_drawing_says_is_drawn_or_remarked(
    tmp_path: Path, body: str, words: str, said: list[RemarkKind]
) -> None:
    made = opened(tmp_path, drawing(body), "a.svg")
    assert made.words.startswith(words)
    assert kinds(made) == said


def black(made: RenderedDocument) -> int:
    return picture(made.coded_page(0)).histogram()[0]


_HALO = 'font-size="40" stroke="white" stroke-width="9"'


@pytest.mark.parametrize(
    "halo",
    [
        f'<text x="9" y="80" {_HALO} paint-order="stroke">Beside the sea</text>',
        f'<text x="9" y="80" {_HALO} style="paint-order: stroke fill">Beside the sea</text>',
        f'<g {_HALO} paint-order="stroke"><text x="9" y="80">Beside the sea</text></g>',
        f'<style>text {{ paint-order: stroke }}</style><text x="9" y="80" {_HALO}>Beside the sea</text>',
    ],
    ids=["attribute", "style", "of its group", "style sheet"],
)
def test_letters_are_not_covered_by_the_line_that_lies_under_them(rendered: Rendered, halo: str) -> None:
    plain = black(rendered(drawing('<text x="9" y="80" font-size="40">Beside the sea</text>'), name="a.svg"))
    assert black(rendered(drawing(halo), name="a.svg")) > 0.9 * plain
    covered = f'<text x="9" y="80" {_HALO}>Beside the sea</text>'
    assert black(rendered(drawing(covered), name="a.svg")) < 0.8 * plain


@pytest.mark.parametrize(
    "line",
    [
        '<path d="M0.1 0.2L0.9 0.5" transform="scale(300)" vector-effect="non-scaling-stroke"/>',
        '<g transform="matrix(300 0 0 300 0 0)"><path d="M0.1 0.2L0.9 0.5" class="thin"/></g>'
        "<style>.thin { vector-effect: non-scaling-stroke }</style>",
        '<svg viewBox="0 0 1 1" width="300" height="300" style="vector-effect:non-scaling-stroke">'
        '<path d="M0.1 0.2L0.9 0.5" stroke-width="2" style="vector-effect:non-scaling-stroke"/></svg>',
    ],
)
def test_a_line_that_does_not_grow_with_its_drawing_covers_nothing(rendered: Rendered, line: str) -> None:
    plain = black(rendered(drawing('<path d="M30 60L270 150" stroke="black"/>'), name="a.svg"))
    shown = black(rendered(drawing(f'<g stroke="black">{line}</g>'), name="a.svg"))
    assert 0.7 * plain < shown < 2 * plain


@pytest.mark.parametrize(
    "marker",
    [
        '<rect width="300" height="100" fill="#ff0" style="mix-blend-mode: multiply"/>',
        '<style>.m{mix-blend-mode:multiply;fill:#ff0}</style><rect class="m" width="300" height="100"/>',
        '<g style="mix-blend-mode:darken"><rect width="300" height="100" fill="#ff0"/></g>',
    ],
)
def test_what_is_marked_in_a_drawing_is_seen_through_the_marker(rendered: Rendered, marker: str) -> None:
    words = '<text x="20" y="60" font-size="40">marked</text>'
    plain = black(rendered(drawing(words), name="a.svg"))
    assert black(rendered(drawing(words + marker), name="a.svg")) > 0.9 * plain


def test_a_picture_that_ends_behind_its_pixels_does_not_cost_the_page(tmp_path: Path) -> None:
    whole = save(Image.new("L", (20, 20)), "PNG")
    cut = base64.b64encode(whole[:-12] + b"\0\0\xff\xfftEXt" + whole[-12:]).decode()
    made = opened(tmp_path, f"<p>words<img src='data:image/png;base64,{cut}'>".encode(), "a.html")
    assert kinds(made) == [PICTURE_LOST]


def test_a_mistake_in_a_style_sheet_does_not_cost_its_design(tmp_path: Path) -> None:
    sheet = "@media (min-width: 600px) { p { font-weight: bold } } p { color: #000 };"
    made = opened(tmp_path, f"<style>{sheet}</style><p>words".encode(), "a.html")
    assert (made.words, made.remarks) == ("words", ())


def test_conditions_and_effects_of_a_drawing_count(tmp_path: Path) -> None:
    sheet = "<style>.a { display: none } @supports (display: block) { .a { display: block } }</style>"
    shown = opened(tmp_path, drawing(f'{sheet}<text class="a" y="80">told</text>'), "a.svg")
    assert shown.words == "Drawn told"
    lit = [LAYOUT_SIMPLIFIED]
    for effect, said in (("feColorMatrix", lit), ("feDiffuseLighting", lit), ("feGaussianBlur", [])):
        seen = f'<filter id="f"><{effect}/></filter><g filter="url(#f)"><text y="9">x</text></g>'
        assert kinds(opened(tmp_path, drawing(seen), "a.svg")) == said


_SHADOW = (
    '<feOffset in="SourceAlpha" dx="90" dy="90"/><feGaussianBlur stdDeviation="2" result="b"/>'
    '<feMerge><feMergeNode in="b"/><feMergeNode in="SourceGraphic"/></feMerge>'
)


@pytest.mark.parametrize(
    ("effect", "moved", "said"),
    [
        (_SHADOW, 0, []),
        ('<feOffset in="SourceAlpha" dx="90" dy="90"/>', 0, [LAYOUT_SIMPLIFIED]),
        ('<feOffset dx="90" dy="90"/>', 90, []),
    ],
)
def test_what_has_a_shadow_stays_in_its_place(
    tmp_path: Path, rendered: Rendered, effect: str, moved: int, said: list[RemarkKind]
) -> None:
    square = '<rect x="99" y="50" width="50" height="50"'
    shown = drawing(f'<filter id="f">{effect}</filter>{square} filter="url(#f)"/>')
    plain = drawing(f'{square} transform="translate({moved} {moved})"/>')
    pages = [picture(rendered(each, name="a.svg").coded_page(0)) for each in (shown, plain)]
    assert likeness(*pages, 4) > 0.9
    assert kinds(opened(tmp_path, shown, "a.svg")) == said


@pytest.mark.parametrize("width", [".", "1..2", "-3", "1e999", "99999999999999"])
def test_strokes_of_no_width_are_no_trouble(tmp_path: Path, width: str) -> None:
    given = f'stroke-width="{width}" transform="scale({width})" vector-effect="non-scaling-stroke"'
    line = f'<path d="M0 0L9 9" {given}/>'
    assert opened(tmp_path, drawing(line), "a.svg").words == "Drawn"


@pytest.mark.parametrize(
    "frame",
    [
        'viewBox="0 0 100% 100%"',
        'viewBox="0 0 200"',
        'viewBox="0 0 a 9"',
        f'height="{"9" * 400}"',
    ],
)
def test_an_impossible_frame_of_a_drawing_is_left_out(tmp_path: Path, frame: str) -> None:
    shape = f'<svg xmlns="http://www.w3.org/2000/svg" {frame}><text x="9" y="20">Drawn</text></svg>'
    assert opened(tmp_path, shape.encode(), "a.svg").words == "Drawn"
    made = opened(tmp_path, page(f"{shape} and words"), "a.html")
    assert "Drawn" in made.words
    assert made.remarks == ()


@pytest.mark.parametrize(
    "size",
    ['width="auto" height="auto"', 'width="undefined"', 'width="NaN" height="100"', 'width="" height=""'],
)
def test_a_drawing_whose_size_is_none_has_that_of_its_content(tmp_path: Path, size: str) -> None:
    shape = f'<svg xmlns="http://www.w3.org/2000/svg" {size}><text x="9" y="20">Drawn</text></svg>'
    assert opened(tmp_path, shape.encode(), "a.svg").words == "Drawn"
    assert "Drawn" in opened(tmp_path, page(shape), "a.html").words


@pytest.mark.parametrize(
    "shape",
    [
        '<circle cx="NaN" cy="9" r="9"/>',
        '<polyline points="0,0 9,NaN 9,9"/>',
        '<rect x="Infinity" width="9" height="-inf"/>',
        '<g font-size="NaNpx"><rect width="9" height="9" style="stroke-width: NaN; fill: red"/></g>',
    ],
)
def test_a_value_that_a_script_failed_to_calculate_costs_nothing_else(tmp_path: Path, shape: str) -> None:
    content = drawing(f'{shape}<text x="9" y="50">behind</text>')
    assert opened(tmp_path, content, "a.svg").words == "Drawn behind"
    assert "Drawn behind" in opened(tmp_path, page(content.decode()), "a.html").words


@pytest.mark.parametrize("transform", ["scale()", "rotate(a)", "rotate(1 2)", "matrix(1 0 0 1)", "turn(9)"])
def test_transformations_that_are_none_are_left_out_as_browsers_do(tmp_path: Path, transform: str) -> None:
    moved = f'<g transform="{transform}"><text x="9" y="50">within</text></g>'
    assert opened(tmp_path, drawing(moved), "a.svg").words == "Drawn within"


@pytest.mark.parametrize(
    "given",
    [
        'opacity="0.5mm"',
        'style="opacity:var(--seen,.9);fill-opacity:initial"',
        'class="plain"',
        'stroke="black" stroke-miterlimit="20%"',
        'stroke="black" style="stroke-miterlimit:5mm"',
        'fill="url(#flat)"',
        'fill="url(#stop)"',
    ],
)
def test_values_that_are_none_are_left_out_as_browsers_do(tmp_path: Path, given: str) -> None:
    before = (
        "<style>.plain{opacity:none}</style>"
        '<linearGradient id="flat" gradientTransform="matrix(1 2 2 4 0 0)">'
        '<stop/><stop offset="1"/></linearGradient>'
        '<linearGradient id="stop"><stop offset=".5mm" stop-opacity="x"/><stop offset="1"/></linearGradient>'
    )
    made = opened(
        tmp_path,
        drawing(f'{before}<g {given}><path d="M0 0H9V9"/><text x="9" y="50">within</text></g>'),
        "a.svg",
    )
    assert made.words == "Drawn within"


@pytest.mark.parametrize(
    ("direction", "degrees"),
    [("90", "90"), ("0.25turn", "90"), ("100grad", "90"), ("x", "0"), ("auto", "auto")],
)
def test_directions_of_markers_are_angles_in_any_unit(tmp_path: Path, direction: str, degrees: str) -> None:
    marker = f'<marker id="m" orient="{direction}"><path d="M0 0L9 9"/></marker>'
    line = '<path d="M0 0L9 9" marker-end="url(#m)"/>'
    assert opened(tmp_path, drawing(marker + line), "a.svg").words == "Drawn"
    assert f'orient="{degrees}"' in drawable(drawing(marker))[0].decode()


@pytest.mark.parametrize(
    ("given", "point"),
    [
        ("center", "150 100"),
        ("50% 25%", "150 50"),
        ("top", "150 0"),
        ("bottom right", "300 200"),
        ("10px -1in", "10 -96"),
        ("30 40", "30 40"),
        ("", "150 100"),
    ],
)
def test_what_a_transformation_turns_around_is_where_browsers_see_it(
    tmp_path: Path, given: str, point: str
) -> None:
    for attribute in (f'transform-origin="{given}"', f'style="transform-origin: {given or "center"}"'):
        turned = drawing(f'<g transform="rotate(1)" {attribute}><text x="9" y="50">within</text></g>')
        assert opened(tmp_path, turned, "a.svg").words == "Drawn within"
        assert re.search(rf'transform-origin[=:]"?{point}"', drawable(turned)[0].decode())
    sheet = drawing(f"<style>g {{transform-origin:{given or 'center'}}}</style>")
    assert f"transform-origin:{point}}}" in drawable(sheet)[0].decode()


@pytest.mark.parametrize("colour", ["background-color:#102030", "color:red; background: rgb(16, 32, 48)"])
def test_the_background_of_a_drawing_is_drawn(tmp_path: Path, colour: str) -> None:
    body = '<text x="9" y="90" fill="white">white words</text>'
    ground = drawing(body).replace(b"<svg ", f'<svg style="{colour}" '.encode())
    assert opened(tmp_path, ground, "a.svg").words == "Drawn white words"
    first = re.search(r"<\w+:svg[^>]*><\w+:(rect [^>]*)/>", drawable(ground)[0].decode())
    assert first is not None
    assert 'x="0" y="0" width="300" height="200" fill="' in first[1]
    assert "#102030" in first[1] or "rgb(16, 32, 48)" in first[1]


@pytest.mark.parametrize(
    "ground", ["inherit", "url(#a)", "var(--ground)", "transparent", "none", "white no-repeat"]
)
def test_a_background_that_is_no_colour_hides_nothing(ground: str) -> None:
    given = drawing("").replace(b"<svg ", f'<svg style="background:{ground}" '.encode())
    assert drawable(given)[0].count(b"rect") == 1


def test_a_drawing_with_words_of_its_own_is_drawn_and_not_faxed_as_its_source(tmp_path: Path) -> None:
    before = (
        '<?xml version="1.0"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "svg11.dtd" [<!ENTITY e "own">]>'
    )
    made = opened(tmp_path, drawing('<text x="9" y="50">&e;</text>', before), "a.svg")
    assert made.words == "Drawn own"


@pytest.mark.parametrize(
    "piece",
    [
        *(
            "conic-gradient(",
            "conic-gradient((",
            "image-set(",
            "image-set(url(",
            "image-set(a",
            "{background:",
        ),
        *("@supports (", "@supports (a:b){", "@container (not ", "@media (min-width:1px){", "@media not ("),
        *("text-shadow:a;", "background:text ", "{animation:x;opacity:0", "color:transparent;", "{", "(a"),
    ],
)
def test_style_sheets_without_an_end_to_anything_are_read_to_their_end(piece: str) -> None:
    began = time.process_time()
    for sheet in (f"{{background:{piece * 20_000}}}", f"a{{background:{piece}" * 20_000):
        for_paper(sheet)
        declared(sheet)
    assert time.process_time() - began < 5.0


@pytest.mark.parametrize("size", ['width="2000" height="1400"', 'width="529.17mm" height="370.42mm"'])
def test_a_drawing_that_is_larger_than_the_sheet_is_made_smaller_and_not_cut(
    rendered: Rendered, size: str
) -> None:
    corners = '<rect width="99" height="99"/><rect x="1900" y="1300" width="99" height="99"/>'
    content = f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{corners}</svg>'.encode()
    within = b"<img src='data:image/svg+xml;base64,%s'>" % base64.b64encode(content)
    for file, name in ((content, "a.svg"), (b"<html><body>%s</body></html>" % within, "a.html")):
        left, top, right, low = ink(picture(rendered(file, name=name).coded_page(0)))
        assert right - left > 1400  # of 1527 between the margins
        assert 0.6 < (low - top) * 204 / 196 / (right - left) < 0.8
