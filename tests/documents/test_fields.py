"""The fields of a form stay to be seen where their tint becomes white: white ones on it, empty ones of it."""

from __future__ import annotations

import io
import random

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from appliance.documents.bilevel import screen as screening
from appliance.documents.drawing import Drawing, Rect
from appliance.documents.geometry import lay_out
from appliance.documents.options import PageFormat, Treatment
from appliance.documents.pdf import source as pdf_source
from appliance.documents.typeface import REGULAR, font
from appliance.t4.page import Resolution
from tests.documents.making import pdf

FINE = (1728, 2287)
Box = tuple[int, int, int, int]

# Of the form: fields of 13 by 100 mm, the tint around them.
FIELDS: list[Box] = [(300, 400 + 200 * row, 1100, 500 + 200 * row) for row in range(5)]
TINT: Box = (150, 300, 1500, 1400)


def _bilevel(drawing: Drawing, resolution: Resolution = Resolution.FINE) -> Image.Image:
    data = screening.bilevel(drawing, resolution, Treatment.AUTO)
    page = Image.frombytes("1", (drawing.width, drawing.rows), data).convert("L")
    return ImageChops.invert(page)


def _scanned(page: Image.Image, seed: int = 7) -> Image.Image:
    """As from a scanner: soft edges, noise, JPEG."""
    chance = random.Random(seed)
    noise = Image.frombytes("L", page.size, chance.randbytes(page.width * page.height)).point(
        lambda v: v // 32
    )
    soft = page.convert("L").filter(ImageFilter.GaussianBlur(0.8))
    file = io.BytesIO()
    ImageChops.subtract(soft, noise).save(file, "JPEG", quality=80)
    return Image.open(file).convert("RGB")


def _form(level: int) -> Image.Image:
    page = Image.new("L", FINE, 255)
    draw = ImageDraw.Draw(page)
    draw.rectangle(TINT, fill=level)
    for left, top, right, below in FIELDS:
        draw.rectangle((left, top, right - 1, below - 1), fill=255)
        draw.text((left, top - 60), "Date of birth", 40, font(REGULAR, 30))
        draw.text((left + 30, top + 25), "3 May 1961", 0, font(REGULAR, 40))
    draw.text((150, 1600), "Please fill in all fields. " * 3, 0, font(REGULAR, 30))
    return page


def _lined(faxed: Image.Image, field: Box) -> list[float]:
    """Of each side of a field, which share has a line within 5 pixels; left, top, right, below."""
    left, top, right, below = field
    sides = [
        (left - 5, top + 8, left + 5, below - 8),
        (left + 220, top - 5, right - 8, top + 5),  # beyond the label
        (right - 5, top + 8, right + 5, below - 8),
        (left + 8, below - 5, right - 8, below + 5),
    ]
    shares = []
    for number, side in enumerate(sides):
        strip = faxed.crop(side)
        length = strip.height if number % 2 == 0 else strip.width
        along = strip.resize((1, length) if number % 2 == 0 else (length, 1), Image.Resampling.BOX)
        shares.append(sum(value < 255 for value in along.tobytes()) / length)
    return shares


def _drawn(
    level: float, resolution: Resolution, *, ground: float = 1, typed: str = ""
) -> tuple[Image.Image, list[Box]]:
    """The form as a PDF, on a page of 612 by 792 points, and its fields, of ``ground``, on the fax."""
    fields = [(100, 600 - 70 * row, 350, 635 - 70 * row) for row in range(4)]
    content = f"{level} g 50 300 500 400 re f {ground} g " + " ".join(
        f"{left} {low} {right - left} {high - low} re f" for left, low, right, high in fields
    )
    content += " 0 g " + " ".join(
        f"BT /F 9 Tf {left} {high + 4} Td (Date of birth) Tj 10 -20 Td ({typed}) Tj ET"
        for left, _, _, high in fields
    )
    source = pdf_source.PdfSource(pdf([(612, 792, content)]))
    layout = lay_out(source.size(0), PageFormat(resolution))
    drawing = source.draw(0, layout)
    box = drawing.content
    across, down = (box.right - box.left) / 612, (box.below - box.top) / 792
    places = [
        (
            round(box.left + left * across),
            round(box.top + (792 - high) * down),
            round(box.left + right * across),
            round(box.top + (792 - low) * down),
        )
        for left, low, right, high in fields
    ]
    return _bilevel(drawing, resolution), places


@pytest.mark.parametrize("resolution", [Resolution.FINE, Resolution.STANDARD])
@pytest.mark.parametrize("level", [0.88, 0.92, 0.945, 0.96])
def test_white_fields_on_a_pale_tint_of_a_pdf_have_an_outline(level: float, resolution: Resolution) -> None:
    faxed, fields = _drawn(level, resolution)
    for field in fields:
        assert min(_lined(faxed, field)) > 0.95, f"field {field}: {_lined(faxed, field)}"


@pytest.mark.parametrize("resolution", [Resolution.FINE, Resolution.STANDARD])
@pytest.mark.parametrize("ground", [0.88, 0.92, 0.945, 0.96])
def test_empty_fields_of_a_pale_tint_on_white_have_an_outline(ground: float, resolution: Resolution) -> None:
    faxed, fields = _drawn(1, resolution, ground=ground)
    for field in fields:
        assert min(_lined(faxed, field)) > 0.95, f"field {field}: {_lined(faxed, field)}"


def test_boxes_of_a_pale_tint_with_type_in_them_have_no_outline() -> None:
    faxed, fields = _drawn(1, Resolution.FINE, ground=0.92, typed="3 May 1961, Vienna")
    for field in fields:
        assert max(_lined(faxed, field)) < 0.1, f"field {field}: {_lined(faxed, field)}"


def test_empty_fields_of_a_pale_tint_in_a_scan_have_an_outline() -> None:
    page = Image.new("L", FINE, 255)
    for left, top, right, below in FIELDS:
        ImageDraw.Draw(page).rectangle((left, top, right - 1, below - 1), fill=232)
        ImageDraw.Draw(page).text((left, top - 60), "Date of birth", 40, font(REGULAR, 30))
    faxed = _bilevel(Drawing.of_image(_scanned(page), Rect(0, 0, *page.size)))
    for field in FIELDS:
        assert min(_lined(faxed, field)) > 0.8, f"field {field}: {_lined(faxed, field)}"


@pytest.mark.parametrize("level", [225, 235, 240])
def test_white_fields_on_a_pale_tint_of_a_scan_have_an_outline(level: int) -> None:
    page = _scanned(_form(level))
    faxed = _bilevel(Drawing.of_image(page, Rect(0, 0, *page.size)))
    for field in FIELDS:
        assert min(_lined(faxed, field)) > 0.8, f"field {field}: {_lined(faxed, field)}"


def test_the_rows_of_a_striped_table_get_no_lines() -> None:
    content = " ".join(f"0.93 g 50 {700 - 40 * row} 500 20 re f" for row in range(12))
    content += " 0 g " + " ".join(
        f"BT /F 10 Tf 60 {705 - 20 * row} Td (Sodium chloride 0.9) Tj 300 0 Td (12 bottles) Tj ET"
        for row in range(24)
    )
    source = pdf_source.PdfSource(pdf([(612, 792, content)]))
    faxed = _bilevel(source.draw(0, lay_out(source.size(0), PageFormat(Resolution.FINE))))
    by_row = faxed.resize((1, faxed.height), Image.Resampling.BOX).tobytes()
    assert min(by_row) > 255 * 0.7, "a row is a line"
    by_column = faxed.resize((faxed.width, 1), Image.Resampling.BOX).tobytes()
    assert min(by_column) > 255 * 0.7, "a column is a line"


def test_a_field_with_a_frame_of_its_own_gets_no_second_one() -> None:
    frames = " ".join(f"{left} {low} 200 30 re S" for left in (80, 320) for low in range(350, 650, 60))
    content = f"0.93 g 50 300 500 400 re f 1 g {frames.replace('S', 'f')} 0.3 G 0.8 w {frames}"
    without = f"0.3 G 0.8 w {frames}"
    pages = []
    for each in (content, without):
        source = pdf_source.PdfSource(pdf([(612, 792, each)]))
        pages.append(_bilevel(source.draw(0, lay_out(source.size(0), PageFormat(Resolution.FINE)))))
    on_tint, alone = (sum(value == 0 for value in page.tobytes()) for page in pages)
    assert on_tint < 1.2 * alone


def test_light_and_shade_of_a_photograph_are_no_fields() -> None:
    shade = Image.linear_gradient("L").resize(FINE).point(lambda v: 150 + v * 80 // 255)
    page = ImageChops.multiply(_form(255), shade)
    draw = ImageDraw.Draw(page)
    draw.ellipse((1100, 1700, 1400, 2000), fill=235)
    page = page.filter(ImageFilter.GaussianBlur(1.5))
    faxed = _bilevel(Drawing.of_image(_scanned(page), Rect(0, 0, *page.size)))
    empty = faxed.crop((1130, 300, 1700, 1500))
    assert sum(value == 0 for value in empty.tobytes()) < 200
