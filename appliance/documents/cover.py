"""The cover page: who to whom, how many pages, about what, and a message."""

from __future__ import annotations

from PIL import Image

from appliance.documents import type as typeface
from appliance.documents.geometry import PIXELS_PER_MM, Layout, PageSize
from appliance.documents.options import CoverPage, Paper, Treatment, clean_line, clean_message
from appliance.documents.placing import place
from appliance.remarks import Remark

_MARGIN_MM = 20.0
_TOP_MM = 22.0
_TITLE_MM = 12.0  # an em of the title
_TYPE_MM = 4.4  # an em of the fields and the message
_LEADING = 1.45
_LABEL_MM = 32.0  # where the fields' values begin
_RULE_MM = 0.5
_GAP_MM = 6.0

# Laid out at this many pixels a millimetre whatever the fax's resolution, so that the lines break at
# the same places and the page count is known before anything is drawn.
_LAYOUT_SCALE = 8.0


class CoverSource:
    """The box's own cover: one page, and more when the message is long."""

    treatment = Treatment.TEXT

    def __init__(self, cover: CoverPage, paper: Paper) -> None:
        self._paper = paper
        self._cover = cover
        self.total_pages = 0  # of the whole fax; set before drawing
        width, height = paper.value
        face = typeface.font(typeface.REGULAR, round(_TYPE_MM * _LAYOUT_SCALE))
        room = round((width - 2 * _MARGIN_MM) * _LAYOUT_SCALE)
        message = clean_message(cover.message).strip("\n")
        lines = typeface.wrap_pixels(message, face, room) if message.strip() else []
        pitch = _TYPE_MM * _LEADING
        self._message_top = _TOP_MM + _TITLE_MM * _LEADING + pitch * len(self._fields()) + 3 * _GAP_MM
        first = int((height - _TOP_MM - self._message_top) / pitch)
        others = int((height - 2 * _TOP_MM) / pitch)
        self._messages = [lines[:first]]
        for start in range(first, len(lines), others):
            self._messages.append(lines[start : start + others])
        self.count = len(self._messages)

    def _fields(self) -> list[tuple[str, str]]:
        cover = self._cover
        fields = [
            ("To", _who(cover.to_name, cover.to_company, cover.to_number)),
            ("From", _who(cover.from_name, cover.from_company, cover.from_number)),
            ("Date", clean_line(f"{cover.date} {cover.time}")),
            ("Pages", str(self.total_pages)),
            ("Subject", clean_line(cover.subject)),
        ]
        return [(label, value) for label, value in fields if value]

    def size(self, index: int) -> PageSize:
        return PageSize(*self._paper.value)

    def draw(self, index: int, layout: Layout) -> Image.Image:
        scale = PIXELS_PER_MM[layout.resolution.x_dpi]
        width, height = self._paper.value

        def px(mm: float) -> int:
            return round(mm * scale)

        sheet = typeface.Sheet(px(width), px(height))
        face = typeface.font(typeface.REGULAR, px(_TYPE_MM))
        pitch = _TYPE_MM * _LEADING
        y = _TOP_MM
        if index == 0:
            sheet.text(px(_MARGIN_MM), px(y), "Fax", typeface.font(typeface.BOLD, px(_TITLE_MM)))
            y += _TITLE_MM * _LEADING
            sheet.line(px(_MARGIN_MM), px(y), px(width - _MARGIN_MM), px(y), px(_RULE_MM))
            y += _GAP_MM
            bold = typeface.font(typeface.BOLD, px(_TYPE_MM))
            room = px(width - 2 * _MARGIN_MM - _LABEL_MM)
            for label, value in self._fields():
                sheet.text(px(_MARGIN_MM), px(y), label, bold)
                sheet.text(px(_MARGIN_MM + _LABEL_MM), px(y), typeface.fit(value, face, room), face)
                y += pitch
            y += _GAP_MM / 2
            sheet.line(px(_MARGIN_MM), px(y), px(width - _MARGIN_MM), px(y), px(_RULE_MM))
            y = self._message_top
        for line in self._messages[index]:
            sheet.text(px(_MARGIN_MM), px(y), line, face)
            y += pitch
        return place(sheet.image, layout)

    def remarks(self, index: int | None) -> tuple[Remark, ...]:
        return ()

    def octets(self) -> None:
        return None


def _who(name: str, company: str, number: str) -> str:
    who = ", ".join(dict.fromkeys(part for part in (clean_line(name), clean_line(company)) if part))
    number = clean_line(number)
    return f"{who}  ({number})" if who and number else who or number
