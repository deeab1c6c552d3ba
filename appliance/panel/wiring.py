"""The wiring of the panel as a table and a drawing, made from the settings.

``faxbox panel --wiring`` and ``--drawing`` print them for the box's own settings; docs/panel.md holds those
of the defaults (``python -m appliance.panel.wiring docs`` writes them, a test compares).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

from appliance.panel.lamps import LANGUAGE
from appliance.panel.settings import Display, PanelSettings, pins

# The 40-pin header of every board since the Pi 1 B+: BCM number to the pin's place on the header.
HEADER = {
    2: 3,
    3: 5,
    4: 7,
    14: 8,
    15: 10,
    17: 11,
    18: 12,
    27: 13,
    22: 15,
    23: 16,
    24: 18,
    10: 19,
    9: 21,
    25: 22,
    11: 23,
    8: 24,
    7: 26,
    5: 29,
    6: 31,
    12: 32,
    13: 33,
    19: 35,
    16: 36,
    26: 37,
    20: 38,
    21: 40,
}
GROUND = (6, 9, 14, 20, 25, 30, 34, 39)
VOLTS_3_3 = (1, 17)
PLACES = 40
# For a lamp of 2 V at 3.3 V: some 4 mA; a GPIO pin gives at most 16 mA, all together 50 mA.
RESISTOR = "330 Ω"

_WORDS = {
    "power_led": ("lamp: power", "green"),
    "activity_led": ("lamp: sending and receiving", "yellow"),
    "inbox_led": ("lamp: received faxes", "blue"),
    "fault_led": ("lamp: fault", "red"),
    "buzzer": ("buzzer (active, 3.3 V)", ""),
    "cancel_button": ("button: cancel", ""),
    "newest_button": ("button: newest fax", ""),
    "retry_button": ("button: send again", ""),
    "power_button": ("button: power", ""),
}


@dataclass(frozen=True, slots=True)
class Wire:
    """One wire: its part, colour, BCM number, place on the header, and what its other end goes to."""

    what: str
    colour: str
    bcm: int
    place: int
    other_end: str


def wires(settings: PanelSettings) -> list[Wire]:
    """All wires, in the order of the header."""
    return sorted(_wires(settings), key=lambda wire: wire.place)


def _wires(settings: PanelSettings) -> Iterator[Wire]:
    for name, bcm in pins(settings):
        what, colour = _WORDS.get(name) or (f"lamp: line {name.rpartition(' ')[2]}", "green")
        place = HEADER[bcm]
        if what.startswith("lamp"):
            level = _nearest(GROUND if settings.leds_active_high else VOLTS_3_3, place)
            rail = "ground" if settings.leds_active_high else "3.3 V"
            yield Wire(what, colour, bcm, place, f"{RESISTOR}, lamp, {rail} (place {level})")
        elif what.startswith("button"):
            level = _nearest(GROUND if settings.buttons_pull_up else VOLTS_3_3, place)
            rail = "ground" if settings.buttons_pull_up else "3.3 V"
            yield Wire(what, colour, bcm, place, f"button, {rail} (place {level})")
        else:
            yield Wire(what, colour, bcm, place, f"buzzer, ground (place {_nearest(GROUND, place)})")
    if settings.display is not Display.NONE:
        yield Wire("display: SDA", "", 2, HEADER[2], "display; its VCC to place 1, its GND to place 6")
        yield Wire("display: SCL", "", 3, HEADER[3], "display")


def _nearest(places: tuple[int, ...], place: int) -> int:
    return min(places, key=lambda other: abs(other - place))


def table(settings: PanelSettings) -> str:
    """The wires as a table in Markdown."""
    rows = [
        f"| {wire.place} | GPIO {wire.bcm} | {wire.what} | {wire.colour} | {wire.other_end} |"
        for wire in wires(settings)
    ]
    head = ["| place on the header | pin | part | colour | from there to |", "|---|---|---|---|---|"]
    return "\n".join(head + rows) + "\n"


_ROW, _TOP, _LEFT, _RIGHT = 26, 64, 350, 386  # pixels
_WIDTH = 736
_INK = {"green": "#1a7f37", "yellow": "#b08800", "blue": "#0a58ca", "red": "#c1272d", "": "#444"}


def drawing(settings: PanelSettings) -> str:
    """The header and what is wired to it, as SVG; place 1 is the board's square pad."""
    used = {wire.place: wire for wire in wires(settings)}
    height = _TOP + PLACES // 2 * _ROW + 16
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        'font-family="system-ui, sans-serif" font-size="13" role="img" aria-label="Wiring">',
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="{_WIDTH / 2:.0f}" y="26" text-anchor="middle" font-size="16" font-weight="600">'
        "Front panel: the 40-pin header, seen from above</text>",
        f'<text x="{_WIDTH / 2:.0f}" y="46" text-anchor="middle" fill="#666">'
        "place 1 is at the end of the header that is nearer to the card</text>",
        f'<rect x="{_LEFT - 18}" y="{_TOP - 14}" width="{_RIGHT - _LEFT + 36}" '
        f'height="{PLACES // 2 * _ROW}" rx="4" fill="#222"/>',
    ]
    for place in range(1, PLACES + 1):
        parts += _place(place, used.get(place))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _place(place: int, wire: Wire | None) -> Iterator[str]:
    left = place % 2 == 1
    x = _LEFT if left else _RIGHT
    y = _TOP + (place - 1) // 2 * _ROW
    ink = _INK[wire.colour] if wire else "#d4a72c" if place in (*VOLTS_3_3, 2, 4) else "#999"
    yield f'<circle cx="{x}" cy="{y}" r="8" fill="{ink}" stroke="#fff" stroke-width="1.5"/>'
    yield (f'<text x="{x}" y="{y + 3.5}" text-anchor="middle" font-size="9" fill="#fff">{place}</text>')
    text = f"{wire.what} · GPIO {wire.bcm}" if wire else _rail(place)
    if not text:
        return
    end, away = (x - 26, "end") if left else (x + 26, "start")
    if wire:
        yield f'<path d="M{x - 9 if left else x + 9} {y}H{end}" stroke="{ink}" stroke-width="2"/>'
    fill = "#111" if wire else "#888"
    yield (
        f'<text x="{end - 4 if left else end + 4}" y="{y + 4}" text-anchor="{away}" fill="{fill}">'
        f"{escape(text)}</text>"
    )


def _rail(place: int) -> str:
    if place in GROUND:
        return "ground"
    if place in VOLTS_3_3:
        return "3.3 V"
    return "5 V" if place in (2, 4) else ""


# The comments in docs/panel.md between which each made part stands.
_MARKS = ("<!-- made: {} -->\n", "<!-- made end -->\n")


def language() -> str:
    """The lamp patterns and their meanings as a table in Markdown."""
    rows = [f"| {said.lamp} | {said.pattern.name} | {said.sentence} |" for said in LANGUAGE]
    return "\n".join(["| lamp | light | what it says |", "|---|---|---|", *rows]) + "\n"


def write_docs(folder: Path) -> None:
    """Writes the tables and the drawing for the default settings into the documentation in ``folder``."""
    settings = PanelSettings()
    page = folder / "panel.md"
    text = page.read_text(encoding="utf-8")
    for name, made in (("wiring", table(settings)), ("language", language())):
        begin, end = _MARKS[0].format(name), _MARKS[1]
        before, _, rest = text.partition(begin)
        text = before + begin + made + end + rest.partition(end)[2]
    page.write_text(text, encoding="utf-8")
    picture = folder / "pictures" / "panel-wiring.svg"
    picture.parent.mkdir(exist_ok=True)
    picture.write_text(drawing(settings), encoding="utf-8")


if __name__ == "__main__":
    write_docs(Path(sys.argv[1]))
