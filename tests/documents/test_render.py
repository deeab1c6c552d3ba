"""Documents to pages: every kind of file, paper, turning, header, cover; nothing cut off."""

from __future__ import annotations

import io
import os
import stat
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageDraw

from appliance.documents.causes import DOCUMENT_GONE, DOCUMENT_PAGES_INVALID, DOCUMENT_PAGES_MISSING
from appliance.documents.errors import DocumentError
from appliance.documents.geometry import PIXELS_PER_MM, ROWS_PER_MM
from appliance.documents.header import strip_rows
from appliance.documents.options import (
    CoverPage,
    HeaderLine,
    PageFormat,
    Paper,
    RenderOptions,
    Source,
    Treatment,
    options_from_json,
    options_to_json,
)
from appliance.documents.render import render
from appliance.documents.rendered import RenderedDocument
from appliance.remarks import CHOICE_SHORTENED
from appliance.t4.page import PaperLength, PaperWidth, Resolution
from tests.documents.conftest import Rendered
from tests.documents.making import (
    A3,
    A4,
    B4,
    LEGAL,
    LETTER,
    edge_marks,
    ink,
    likeness,
    pdf,
    photograph,
    picture,
    save,
    words,
)

HEADER = HeaderLine(
    datetime(2026, 3, 1, 23, 30, tzinfo=timezone(timedelta(hours=-5))), "Zoë & Söhne", "+49 30 12345"
)
SHEETS = {"A4": A4, "Letter": LETTER, "Legal": LEGAL, "B4": B4, "A3": A3, "wide": (A4[1], A4[0])}


def marked(size: tuple[float, float]) -> bytes:
    return pdf([(*size, edge_marks(*size))])


@pytest.mark.parametrize("resolution", list(Resolution))
@pytest.mark.parametrize("size", SHEETS.values(), ids=SHEETS.keys())
def test_marks_at_all_four_edges_survive(
    rendered: Rendered, size: tuple[float, float], resolution: Resolution
) -> None:
    page = picture(rendered(marked(size), options=RenderOptions(PageFormat(resolution))).coded_page(0))
    left, top, right, bottom = ink(page)
    across, down = PIXELS_PER_MM[resolution.x_dpi], ROWS_PER_MM[resolution.y_dpi]
    assert top < 1 * down
    assert page.height - bottom < 1 * down
    # A4 (210 mm) is centred on the line of 215 mm (219.5 mm in the inch family)
    assert left < 7 * across
    assert page.width - right < 7 * across
    # four squares of 8 points, whole: as much ink as they have
    black = ImageChops.invert(page).histogram()[255]
    assert black / (4 * (8 / 72 * 25.4) ** 2 * across * down) == pytest.approx(1, abs=0.12)


@pytest.mark.parametrize("length", list(PaperLength))
@pytest.mark.parametrize("size", [LEGAL, A3, (200, 5000), (5000, 200), (14400, 14400)])
def test_what_is_too_large_for_the_receiver_is_made_smaller_not_cut(
    rendered: Rendered, size: tuple[float, float], length: PaperLength
) -> None:
    form = PageFormat(Resolution.FINE, PaperWidth.A4, length)
    side = max(size) / 60
    content = edge_marks(*size, inset=side / 4, side=side)
    page = picture(rendered(pdf([(*size, content)]), options=RenderOptions(form)).coded_page(0))
    pieces = page.reduce(8).point([255 if v > 250 else 0 for v in range(256)])
    left, top, right, bottom = ink(pieces)
    assert page.width == 1728
    if length is PaperLength.A4:
        assert page.height <= round(297 * 7.7)
    middle = (left + right) // 2
    for spot in [(left, top, middle, bottom), (middle, top, right, bottom)]:
        assert ImageChops.invert(pieces.crop(spot)).getbbox() is not None
    assert abs((left + right) / 2 - pieces.width / 2) < 4  # centred: nothing lost on either side


def test_a_landscape_page_is_turned_a_quarter_anticlockwise(rendered: Rendered) -> None:
    wide = (A4[1], A4[0])
    page = picture(rendered(pdf([(*wide, f"20 {wide[1] - 120} 100 100 re f")])).coded_page(0))
    # what was at the top left is at the bottom left
    _left, top, right, _ = ink(page)
    assert right < page.width / 2
    assert top > page.height / 2
    assert page.height > page.width


def test_selected_pages_come_in_the_order_written(rendered: Rendered) -> None:
    # page n has n squares
    content = pdf(
        [(*A4, "\n".join(f"{100 * k} 400 50 50 re f" for k in range(1, n + 1))) for n in range(1, 6)]
    )
    document = rendered(content, pages="5-3,1,1")
    black = [ImageChops.invert(picture(p)).histogram()[255] for p in document.coded_pages()]
    one = black[-1]
    assert [round(b / one) for b in black] == [5, 4, 3, 1, 1]


def test_chosen_pages_that_end_behind_the_document_are_those_that_there_are_and_remarked(
    rendered: Rendered,
) -> None:
    document = rendered(pdf([(*A4, "100 400 50 50 re f")] * 2), pages="1-5")
    assert document.total == 2
    assert [(each.kind, each.detail) for each in document.remarks] == [(CHOICE_SHORTENED, "1-5 of 2")]


@pytest.mark.parametrize(("pages", "cause"), [("9", DOCUMENT_PAGES_MISSING), ("x", DOCUMENT_PAGES_INVALID)])
def test_a_wrong_selection_names_the_source(rendered: Rendered, pages: str, cause: object) -> None:
    with pytest.raises(DocumentError) as refusal:
        rendered(marked(A4), pages=pages)
    assert refusal.value.cause is cause
    assert refusal.value.source == 0


def test_several_files_become_one_fax(rendered: Rendered) -> None:
    document = rendered(
        marked(A4), save(photograph(300, 200), "PNG"), save(photograph(300, 200), "JPEG"), b"text\n"
    )
    assert document.total == 4
    assert [page.number for page in document.pages] == [0, 1, 2, 3]


# -- pictures ----------------------------------------------------------------------------------


def _frame(size: tuple[int, int], mode: str = "L") -> Image.Image:
    """White with black squares at the middles of the edges."""
    image = Image.new("L", size, 255)
    draw = ImageDraw.Draw(image)
    w, h = size
    s = max(size) // 25
    for x, y in [(0, h // 2), (w - s, h // 2), (w // 2, 0), (w // 2, h - s)]:
        draw.rectangle((x, y, x + s - 1, y + s - 1), fill=0)
    return image.convert(mode)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_every_mode_of_picture_arrives_whole(rendered: Rendered, kind: str, mode: str) -> None:
    if mode == "I;16":
        wide = _frame((800, 1100)).convert("I").point(lambda value: value * 257)
        image = wide.convert("I;16")
    else:
        image = _frame((800, 1100), mode)
    page = picture(rendered(save(image, kind, dpi=(100, 100))).coded_page(0))
    left, top, right, bottom = ink(page)
    assert (right - left) / (8 * 25.4 * 1728 / 215) == pytest.approx(1, abs=0.02)
    assert (bottom - top) / (11 * 25.4 * 7.7) == pytest.approx(1, abs=0.02)
    assert likeness(page.crop((left, top, right, bottom)).resize((800, 1100)), _frame((800, 1100))) > 0.9


def test_transparency_is_white_paper(rendered: Rendered) -> None:
    image = Image.new("RGBA", (400, 400), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (100, 100, 300, 300))
    page = picture(rendered(save(image, "PNG", dpi=(100, 100))).coded_page(0))
    left, _, right, _ = ink(page)
    assert (right - left) / (2 * 25.4 * 1728 / 215) == pytest.approx(1, abs=0.02)


def test_a_tiff_whose_grey_is_multiplied_by_its_opacity_is_on_white_paper(rendered: Rendered) -> None:
    image = Image.new("LA", (400, 400), (0, 0))
    image.paste((0, 255), (100, 100, 300, 300))
    opacity = b"\x52\x01\x03\x00\x01\x00\x00\x00%c\x00"  # TIFF 6, section 18: 2 is opacity alone
    content = save(image, "TIFF", dpi=(100, 100))
    assert content.count(opacity % 2) == 1
    page = picture(rendered(content.replace(opacity % 2, opacity % 1)).coded_page(0))
    left, _, right, _ = ink(page)
    assert (right - left) / (2 * 25.4 * 1728 / 215) == pytest.approx(1, abs=0.02)


def test_cmyk_jpeg_is_not_a_negative(rendered: Rendered) -> None:
    content = save(_frame((800, 1100)).convert("RGB").convert("CMYK"), "JPEG", dpi=(100, 100))
    page = picture(rendered(content).coded_page(0))
    assert ImageChops.invert(page).histogram()[255] < page.width * page.height * 0.05


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_camera_picture_is_upright(rendered: Rendered, orientation: int) -> None:
    upright = Image.new("L", (300, 400), 255)
    upright.paste(0, (0, 0, 100, 60))  # top left
    undo = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    stored = upright.transpose(undo) if undo is not None else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    page = picture(rendered(save(stored, "JPEG", exif=exif, quality=95)).coded_page(0))
    left, top, right, bottom = ink(page)
    assert right < page.width / 2
    assert bottom < page.height / 2
    assert (right - left) / (1728 / 215) > (bottom - top) / 7.7  # still wider than high


def test_all_pages_of_a_tiff_are_sent(rendered: Rendered) -> None:
    frames = [Image.new("1", (1728, 800 + 10 * n), 1) for n in range(5)]
    for n, frame in enumerate(frames):
        frame.paste(0, (0, 0, 100 * (n + 1), 50))
    out = io.BytesIO()
    frames[0].save(out, "TIFF", save_all=True, append_images=frames[1:], compression="group4", dpi=(204, 196))
    document = rendered(out.getvalue())
    assert [page.rows for page in document.pages] == [800, 810, 820, 830, 840]
    assert [ink(picture(p))[2] for p in document.coded_pages()] == [100, 200, 300, 400, 500]


@pytest.mark.parametrize(
    ("resolution", "dpi", "width"),
    [
        (Resolution.STANDARD, (204, 98), 1728),
        (Resolution.FINE, (204, 196), 1728),
        (Resolution.FINE, (204, 196), 2048),
        (Resolution.FINE, (203.2, 195.6), 2432),
        (Resolution.SUPERFINE, (204, 391), 1728),
        (Resolution.R300, (300, 300), 2592),
        (Resolution.R400, (400, 400), 3456),
        (Resolution.R16_15, (408, 391), 3456),
    ],
)
def test_a_fax_page_is_sent_on_pixel_for_pixel(
    rendered: Rendered, resolution: Resolution, dpi: tuple[float, float], width: int
) -> None:
    rows = round(resolution.y_dpi * (9 if width % 1728 == 0 else 13))
    page = photograph(width, rows).convert("1")
    content = save(page, "TIFF", compression="group4", dpi=dpi)
    document = rendered(content, options=RenderOptions(PageFormat(resolution)))
    assert picture(document.coded_page(0)).convert("1").tobytes() == page.tobytes()


def test_a_small_icon_is_not_blown_up_and_a_huge_photo_fits_the_sheet(rendered: Rendered) -> None:
    small, large = (
        ink(picture(rendered(save(Image.new("L", size, 0), "PNG")).coded_page(0)))
        for size in [(48, 48), (4000, 3000)]
    )
    assert (small[2] - small[0]) / (1728 / 215) == pytest.approx(48 / 96 * 25.4, abs=0.5)
    assert (large[3] - large[1]) / 7.7 == pytest.approx(281 if large[3] > 1500 else 145, rel=0.1)
    assert large[2] - large[0] <= 1728


def test_treatment_can_be_overridden(rendered: Rendered) -> None:
    content = save(photograph(1600, 1600), "JPEG", dpi=(200, 200))
    octets = {
        treatment: rendered(content, options=RenderOptions(treatment=treatment)).pages[0].octets
        for treatment in Treatment
    }
    assert octets[Treatment.TEXT] < octets[Treatment.PHOTO] / 3
    assert octets[Treatment.AUTO] > octets[Treatment.TEXT] * 2


# -- header, cover -----------------------------------------------------------------------------


@pytest.mark.parametrize("resolution", list(Resolution))
def test_the_header_line_is_on_every_page_and_covers_nothing(
    rendered: Rendered, resolution: Resolution
) -> None:
    plain = RenderOptions(PageFormat(resolution))
    with_header = RenderOptions(PageFormat(resolution), header=HEADER)
    strip = strip_rows(resolution)
    blank_top = pdf([(*A4, words(*A4))])
    before, after = (picture(rendered(blank_top, options=o).coded_page(0)) for o in (plain, with_header))
    assert before.size == after.size
    below = (0, strip, after.width, after.height)
    assert after.crop(below).tobytes() == before.crop(below).tobytes()  # laid over: not moved
    assert ink(after)[1] < strip

    full_top = marked(A4)
    after = picture(rendered(full_top, options=with_header).coded_page(0))
    assert after.size == before.size
    content = after.crop((0, strip, after.width, after.height))
    assert ink(content)[1] < 6 * ROWS_PER_MM[resolution.y_dpi]  # the top mark, moved below the strip
    down, across = ROWS_PER_MM[resolution.y_dpi], PIXELS_PER_MM[resolution.x_dpi]
    black = ImageChops.invert(content).histogram()[255]
    assert black / (4 * (8 / 72 * 25.4) ** 2 * across * down) == pytest.approx(0.97, abs=0.1)


def test_the_header_tells_time_zone_and_page_of_pages(rendered: Rendered) -> None:
    content = pdf([(*A4, words(*A4))] * 3)
    pages = [picture(p) for p in rendered(content, options=RenderOptions(header=HEADER)).coded_pages()]
    strips = [p.crop((0, 0, p.width, strip_rows(Resolution.FINE))) for p in pages]
    assert len({strip.tobytes() for strip in strips}) == 3  # 1/3, 2/3, 3/3
    differs = ImageChops.difference(strips[0], strips[1]).getbbox()
    assert differs is not None
    assert differs[0] > 1500
    same_moment = HeaderLine(HEADER.moment.astimezone(UTC), HEADER.sender, HEADER.number)
    other = picture(rendered(content, options=RenderOptions(header=same_moment)).coded_page(0))
    assert other.crop((0, 0, 700, 30)).tobytes() != pages[0].crop((0, 0, 700, 30)).tobytes()


def test_a_header_without_time_zone_raises_value_error() -> None:
    with pytest.raises(ValueError, match="time zone"):
        HeaderLine(datetime(2026, 1, 1))


def test_a_sender_of_any_length_leaves_date_number_and_page_alone(rendered: Rendered) -> None:
    def strip(sender: str) -> Image.Image:
        header = HeaderLine(HEADER.moment, sender, HEADER.number)
        page = picture(rendered(pdf([(*A4, "")]), options=RenderOptions(header=header)).coded_page(0))
        return page.crop((0, 0, page.width, strip_rows(Resolution.FINE)))

    short, long = strip("A"), strip("A" * 5000 + "\x1b[31m\n")
    assert short.crop((0, 0, 450, 30)).tobytes() == long.crop((0, 0, 450, 30)).tobytes()
    assert short.crop((1400, 0, 1728, 30)).tobytes() == long.crop((1400, 0, 1728, 30)).tobytes()


def test_a_cover_page_counts_itself_and_a_long_message_goes_on(rendered: Rendered) -> None:
    cover = CoverPage("Erika Muster", "+49 30 1", "Max", "+1 555", "Offer", "word " * 2500, "2026-03-01")
    document = rendered(marked(A4), options=RenderOptions(cover=cover))
    assert 4 <= document.total <= 7
    first = picture(document.coded_page(0))
    assert ink(first)[1] > 100
    short = rendered(options=RenderOptions(cover=CoverPage(to_name="Erika")))
    assert short.total == 1


def test_rendering_without_sources_raises_value_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nothing"):
        render([], tmp_path / "fax")


# -- text --------------------------------------------------------------------------------------


def test_text_wraps_tabs_and_breaks_pages(rendered: Rendered) -> None:
    def right_of(content: str) -> int:
        return ink(picture(rendered(content.encode()).coded_page(0)))[2]

    column = (right_of("a" * 41) - right_of("a" * 1)) / 40
    assert right_of("a" * 80) <= 1728 - 60
    assert right_of("a" * 5000) == pytest.approx(right_of("a" * 80), abs=2)
    assert right_of("\ta") == pytest.approx(right_of("a" * 9), abs=column / 2)
    assert right_of("12345\ta") == pytest.approx(right_of("a" * 9), abs=column / 2)
    assert rendered(b"one\ftwo\fthree").total == 3
    assert rendered(b"one\n" * 55).total == 1
    assert rendered(b"one\n" * 200).total == 4
    assert rendered(b"one\n" * 200, options=RenderOptions(paper=Paper.LEGAL)).total == 3


def test_text_in_many_scripts_has_ink_for_each_line(rendered: Rendered) -> None:
    lines = ["Grüße", "Ελληνικά", "Привет", "שלום", "e\u0301t\u00e9", "→ ½ €"]
    page = picture(rendered("\n\n".join(lines).encode()).coded_page(0))
    filled = [bool(ImageChops.invert(page.crop((0, y, 1728, y + 36))).getbbox()) for y in range(90, 500, 36)]
    assert sum(filled) >= len(lines)


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_every_line_ending_is_one_line(rendered: Rendered, ending: str) -> None:
    reference = picture(rendered(b"one\n\ntwo").coded_page(0))
    page = picture(rendered(f"one{ending}{ending}two".encode()).coded_page(0))
    assert page.tobytes() == reference.tobytes()


# -- the result on disk ------------------------------------------------------------------------


def test_a_rendered_document_opens_again_as_it_was(rendered: Rendered) -> None:
    cover = CoverPage(to_name="E", message="a\nb")
    options = RenderOptions(PageFormat(Resolution.STANDARD), Treatment.TEXT, Paper.LETTER, HEADER, cover)
    document = rendered(marked(A4), options=options)
    again = RenderedDocument.open(document.directory)
    assert again == document
    assert options_from_json(options_to_json(options)) == options
    assert [p.data for p in again.coded_pages()] == [p.data for p in document.coded_pages()]


def test_several_workers_make_the_same_pages_as_one(rendered: Rendered) -> None:
    content = pdf([(*A4, words(*A4) + f"\n{20 + 4 * n} 20 50 50 re f") for n in range(40)])
    one, three = rendered(content, workers=1), rendered(content, workers=3)
    assert len({page.file for page in three.pages}) > 1
    assert [p.data for p in one.coded_pages()] == [p.data for p in three.coded_pages()]


def test_all_files_of_a_document_are_on_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = tmp_path / "pages.pdf", tmp_path / "fax"
    source.write_bytes(pdf([(*A4, words(*A4))] * 8))
    fsync = os.fsync
    on_disk: list[tuple[str, int, bool]] = []

    def recorded(descriptor: int) -> None:
        fsync(descriptor)
        state = os.fstat(descriptor)
        name = Path(os.readlink(f"/proc/self/fd/{descriptor}")).name
        on_disk.append((name, 0 if stat.S_ISDIR(state.st_mode) else state.st_size, target.exists()))

    monkeypatch.setattr(os, "fsync", recorded)
    render([Source(source)], target, workers=2)
    files = {path.name: path.stat().st_size for path in target.iterdir()}
    assert "manifest.json" in files
    before = {name: octets for name, octets, is_named in on_disk if not is_named}
    assert files.items() <= before.items()
    assert any(name.startswith(".fax.") for name in before)
    assert on_disk[-1] == (tmp_path.name, 0, True)


def test_a_missing_file_is_named_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(DocumentError) as refusal:
        render([Source(tmp_path / "gone.pdf")], tmp_path / "fax")
    assert refusal.value.cause is DOCUMENT_GONE
    assert list(tmp_path.iterdir()) == []
