"""The header line at the top of each page: date, sender, number, page n of m."""

from __future__ import annotations

from PIL import Image

from appliance.documents import typeface
from appliance.documents.geometry import PIXELS_PER_MM, ROWS_PER_MM
from appliance.documents.options import HeaderLine, clean_line
from appliance.t4.page import Resolution

STRIP_MM = 4.6  # height of the strip that is reserved for it
_TYPE_MM = 3.3  # an em: capitals are 9 rows high at standard resolution
_MARGIN_MM = 6.0  # many machines do not print the outermost millimetres
_TOP_MM = 0.5
_GAP_MM = 4.0


def strip_rows(resolution: Resolution) -> int:
    """Height of the header's strip in rows."""
    return round(STRIP_MM * ROWS_PER_MM[resolution.y_dpi])


def draw_header(header: HeaderLine, page: int, pages: int, width: int, resolution: Resolution) -> Image.Image:
    """The strip for page ``page`` (from 1) of ``pages``: mode L, ``width`` by `strip_rows` pixels.

    A sender too long for the line is shortened; date, number and page never are.
    """
    scale = PIXELS_PER_MM[resolution.x_dpi]
    sheet = typeface.Sheet(width, round(STRIP_MM * scale))
    face = typeface.font(typeface.REGULAR, round(_TYPE_MM * scale))
    margin, top, gap = round(_MARGIN_MM * scale), round(_TOP_MM * scale), round(_GAP_MM * scale)
    date = header.moment.strftime("%Y-%m-%d %H:%M ") + zone_name(header)
    count = f"{page}/{pages}"
    count_left = width - margin - int(face.getlength(count)) - 1
    sheet.text(margin, top, date, face)
    sheet.text(count_left, top, count, face)
    left = margin + int(face.getlength(date)) + gap
    room = count_left - gap - left
    number = clean_line(header.number)[:40]
    if number:
        number_width = int(face.getlength(number)) + 1
        sheet.text(left + max(0, room - number_width), top, number, face)
        room -= number_width + gap
    sender = clean_line(header.sender)
    if sender and room > gap:
        sheet.text(left, top, typeface.fit(sender, face, room), face)
    return sheet.at(width, strip_rows(resolution))


def zone_name(header: HeaderLine) -> str:
    """The time zone as ``UTC+01:00``: letters such as CST stand for several zones."""
    offset = header.moment.utcoffset()
    assert offset is not None  # HeaderLine checks
    minutes = round(offset.total_seconds() / 60)
    if minutes == 0:
        return "UTC"
    sign = "-" if minutes < 0 else "+"
    return f"UTC{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
