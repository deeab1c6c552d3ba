"""The front panel as a page: its lamps by the panel's own model, and its buttons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from appliance.api.rest.panel import lamps_of, last_failed, newest_received, view_of
from appliance.language import said as _
from appliance.panel.lamps import AnyLamp, Lamp, LineLamp, Meaning, Pattern
from appliance.panel.model import BoxView
from appliance.panel.settings import PanelSettings
from webui.visit import Page, Response, Visit

# The colours in docs/panel.md.
_COLOURS: dict[AnyLamp, str] = {Lamp.ACTIVITY: "yellow", Lamp.INBOX: "blue", Lamp.FAULT: "red"}
_GREEN = "green"


@dataclass(frozen=True, slots=True)
class Rhythm:
    """A repeating pattern as SVG's ``animate`` takes it: opacities, when each begins, and the period."""

    values: str
    times: str  # shares of the period, 0 to 1
    seconds: str


@dataclass(frozen=True, slots=True)
class LampView:
    """A lamp on the page; without ``rhythm`` it is steady."""

    word: str
    colour: str
    lit: bool
    rhythm: Rhythm | None
    pattern: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Press:
    """A button: what it does now, and the request for it; empty: it cannot be pressed."""

    word: str
    help: str
    way: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    ask: str = ""


def rhythm_of(pattern: Pattern) -> Rhythm | None:
    """``pattern`` as a rhythm; None when it is steady."""
    if not pattern.seconds:
        return None
    whole = sum(pattern.seconds)
    begins = [sum(pattern.seconds[:place]) / whole for place in range(len(pattern.seconds))]
    return Rhythm(
        ";".join("1" if pattern.level(begin * whole + 1e-6) else "0" for begin in begins),
        ";".join(f"{begin:.4g}" for begin in begins),
        f"{whole:.4g}s",
    )


def _lamp_views(view: BoxView, said: dict[AnyLamp, Meaning]) -> Iterator[LampView]:
    words = {
        Lamp.POWER: _("Power"),
        Lamp.ACTIVITY: _("Sending and receiving"),
        Lamp.INBOX: _("Unread"),
        Lamp.FAULT: _("Fault"),
    }
    for lamp, meaning in said.items():
        if isinstance(lamp, LineLamp):
            there = lamp.line < len(view.lines)
            word = view.lines[lamp.line].name if there else _("Line {number}").format(number=lamp.line + 1)
        else:
            word = words[lamp]
        yield LampView(
            word,
            _COLOURS.get(lamp, _GREEN),
            meaning.pattern.lit,
            rhythm_of(meaning.pattern),
            _(meaning.pattern.name),
            _(meaning.sentence),
        )


def _presses(visit: Visit, view: BoxView) -> Iterator[Press]:
    """What the panel's buttons would do now; the power button works only on the panel itself."""
    settings = visit.box.settings.section(PanelSettings)
    sends, receives = visit.may("send"), visit.may("receive")
    if view.sending and sends:
        yield Press(
            _("Cancel"),
            _("ends the fax that is being sent"),
            f"POST /faxes/{view.sending[-1]}/cancel",
            ask=_("Cancel the fax that is being sent?"),
        )
    else:
        yield Press(_("Cancel"), _("no fax is being sent"))
    newest = newest_received(visit.box)
    if newest is None or not receives:
        yield Press(_("Newest fax"), _("no fax has come in yet"))
    elif settings.forward_to:
        yield Press(
            _("Newest fax"),
            _("forwards it to {number}").format(number=settings.forward_to),
            f"POST /received/{newest}/forward",
            {"to": settings.forward_to},
            _("Forward the newest fax to {number}?").format(number=settings.forward_to),
        )
    else:
        fields = {"printer": settings.printer} if settings.printer else {}
        yield Press(_("Newest fax"), _("prints it"), f"POST /received/{newest}/print", fields)
    failed = last_failed(visit.box)
    if failed is not None and sends:
        yield Press(
            _("Send again"),
            _("sends the last fax that failed once more"),
            f"POST /faxes/{failed}/resend",
            ask=_("Send the last fax that failed once more?"),
        )
    else:
        yield Press(_("Send again"), _("no fax has failed"))
    if view.wants_person:
        yield Press(_("Seen"), _("puts the fault lamp out"), "POST /panel/looked")
    else:
        yield Press(_("Seen"), _("nothing waits to be seen"))


def show(visit: Visit) -> Response:
    """The page that shows what the panel's lamps and buttons mean now."""
    view = view_of(visit.box)
    lamps = list(_lamp_views(view, lamps_of(visit.box, view)))
    return visit.page("panel.html", lamps=lamps, presses=list(_presses(visit, view)))


PAGES = (Page("/panel", show, scopes=("admin",)),)
