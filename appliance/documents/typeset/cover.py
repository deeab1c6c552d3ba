"""The cover page, built-in or from an owner's template: HTML with the fields filled in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from appliance.documents.bounded import Bounds, Typeset
from appliance.documents.causes import COVER_TEMPLATE_WRONG, DOCUMENT_TOO_MANY_PAGES
from appliance.documents.drawing import Drawing
from appliance.documents.errors import DocumentError
from appliance.documents.geometry import Layout, PageSize
from appliance.documents.labels import FAX, HEADING, PAGES, Labels, put
from appliance.documents.options import CoverPage, Paper, Treatment, clean_line, clean_message
from appliance.documents.typeset.markup import FIELDS, TemplateError, check_template, fill, named
from appliance.documents.typeset.source import TypesetSource
from appliance.remarks import PICTURE_LOST, Remark

if TYPE_CHECKING:
    from appliance.documents.workshop import Workshop

# Pages of a cover; the longest message takes fewer on any sheet.
MOST_PAGES = 25
_MOST_LETTERS = 5000  # on one page
_BOUNDS = Bounds(cpu_seconds=20, wall_seconds=30.0)

# The style of templates; an owner's own style sheet comes before and can override it with !important.
_STYLE = """
@page {{ size: {width:.1f}mm {height:.1f}mm; margin: 18mm 20mm 15mm; }}
html {{ font: 4.4mm/1.45 "DejaVu Sans", sans-serif; }}
body {{ margin: 0; overflow-wrap: anywhere; }}
h1, h2, h3 {{ font-weight: bold; line-height: 1.45; break-after: auto; }}
h1 {{ font-size: 10mm; margin: 0 0 4mm; }}
h2 {{ font-size: 7mm; margin: 0 0 3mm; }}
h3 {{ font-size: 5.4mm; margin: 0 0 2mm; }}
p {{ margin: 0 0 2.5mm; orphans: 1; widows: 1; }}
ul, ol {{ margin: 0 0 2.5mm; padding-left: 5mm; }}
big {{ font-size: 5.6mm; }}
small {{ font-size: 3.3mm; }}
pre {{ font: inherit; white-space: pre-wrap; margin: 0; }}
hr {{ border: none; border-top: .5mm solid black; margin: 3mm 0; }}
table {{ width: 100%; border-collapse: collapse; }}
td, th {{ padding: 0 2mm 0 0; text-align: start; vertical-align: top; }}
img {{ display: block; margin-bottom: 3mm; }}
"""
_OWN = """
<!doctype html><meta charset="utf-8">
<style>
h1 {{ font-size: 12mm; line-height: 1.2; margin: 0 0 2mm; }}
hr {{ margin: 0 0 5mm; }}
table {{ margin-bottom: 2mm; }}
th {{ width: 32mm; }}
td, th {{ padding-bottom: 1.5mm; }}
</style>
<h1>{title}</h1>
<hr>
<table>{rows}</table>
<hr>
<p>{{{{message}}}}</p>
"""
_ROWS = {
    HEADING["To"]: "to",
    HEADING["From"]: "from",
    HEADING["Date"]: "moment",
    PAGES: "pages",
    HEADING["Subject"]: "subject",
}


def _own_page(labels: Labels) -> str:
    rows = (f"<tr><th>{put(label, labels)}</th><td>{{{{{name}}}}}</td></tr>" for label, name in _ROWS.items())
    return _OWN.format(title=put(FAX, labels), rows="".join(rows))


class CoverSource:
    """The pages of a cover, which names the number of all pages: its own and ``others``.

    Raises DocumentError for a template that cannot be used.
    """

    treatment = Treatment.TEXT

    def __init__(self, cover: CoverPage, paper: Paper, workshop: Workshop, others: int) -> None:
        self._paper = paper
        self._workshop = workshop
        self._html = cover.template or _own_page(workshop.labels)
        self._fields = _fields(cover)
        if cover.template:
            try:
                check_template(cover.template)
            except TemplateError as error:
                raise DocumentError(COVER_TEMPLATE_WRONG, str(error)) from None
        # Text that is surely too long is not laid out at all.
        letters = sum(len(self._fields[name]) for name in named(self._html))
        if letters > MOST_PAGES * _MOST_LETTERS:
            raise DocumentError(DOCUMENT_TOO_MANY_PAGES, f"a cover of {letters} characters")
        # Nearly all covers have one page.  One that has more than its number tells is laid out again.
        total, shown = 1 + others, 0
        while total > shown:
            self._fields["pages"] = str(total)
            self._pages = self._typeset()
            total, shown = self._pages.count + others, total
        self.count = self._pages.count

    def _typeset(self) -> TypesetSource:
        made_from = repr((self._html, self._paper, sorted(self._fields.items())))
        made = self._workshop.once("cover", made_from.encode(), self._make, _BOUNDS)
        if any(remark.kind is PICTURE_LOST for remark in made.remarks):
            raise DocumentError(COVER_TEMPLATE_WRONG, "a picture cannot be read, or is too large")
        return TypesetSource(made)

    def _make(self) -> Typeset:
        # Costly to import, and needed only in a child that typesets.
        from appliance.documents.typeset.typesetting import typeset  # noqa: PLC0415

        width, height = self._paper.value
        return typeset(
            self._html,
            self._paper,
            style=_STYLE.format(width=width, height=height),
            most_pages=MOST_PAGES,
            foreign=False,
            prepare=lambda root: fill(root, self._fields),
        )

    def size(self, index: int) -> PageSize:
        """As in ``PageDrawer``."""
        return PageSize(*self._paper.value)

    def draw(self, index: int, layout: Layout) -> Drawing:
        """As in ``PageDrawer``."""
        return self._pages.draw(index, layout)

    def remarks(self, index: int | None) -> Sequence[Remark]:
        """As in ``PageDrawer``."""
        return self._pages.remarks(index)


def _fields(cover: CoverPage) -> dict[str, str]:
    line = {name: clean_line(getattr(cover, name)) for name in FIELDS if name not in ("message", "pages")}
    return {
        **line,
        "message": clean_message(cover.message).strip("\n"),
        "pages": "",  # known when the pages are laid out
        # The built-in page has these in one line.
        "to": _who(line["to_name"], line["to_company"], line["to_number"]),
        "from": _who(line["from_name"], line["from_company"], line["from_number"]),
        "moment": clean_line(f"{line['date']} {line['time']}"),
    }


def _who(name: str, company: str, number: str) -> str:
    who = ", ".join(dict.fromkeys(filter(None, (name, company))))
    return f"{who} ({number})" if who and number else who or number
