"""The state of the box, as far as the panel shows it, and which lamp patterns it gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from appliance.panel import lamps
from appliance.panel.lamps import AnyLamp, Lamp, LineLamp, Meaning


class BoxContact(Enum):
    """What the panel knows of the box's process."""

    STARTING = "starting"  # it has not answered yet
    ANSWERS = "answers"
    STOPPING = "stopping"
    LOST = "lost"  # it answered once and no longer does


class Condition(Enum):
    """The state that the box's ``/health`` reports."""

    OK = "ok"
    WARNING = "warning"
    FAILING = "failing"


@dataclass(frozen=True, slots=True)
class PanelLine:
    """A line: its name, whether it works, and how many calls are on it."""

    name: str
    usable: bool
    calls: int


@dataclass(frozen=True, slots=True)
class BoxView:
    """The state of the box."""

    contact: BoxContact = BoxContact.STARTING
    condition: Condition = Condition.OK
    lines: tuple[PanelLine, ...] = ()
    sending: tuple[int, ...] = ()  # ids of faxes, newest last
    receiving: int = 0  # calls that are receiving a fax
    unread: int = 0
    wants_person: int = 0  # faxes that failed or wait for a person, since the lamp was last reset
    setup: bool = False  # the box has no administrator yet, or a new set-up code was asked for
    address: str = ""  # of the web pages, for the display
    setup_code: str = ""  # for the display, while it is valid
    region: str = ""  # country (two letters), whose language the display uses
    shown: int = 0  # how often a client asked the box to make itself known


def line_views(lines: list[Mapping[str, Any]]) -> tuple[PanelLine, ...]:
    """From the ``lines`` of the box's answer, without the practice line, which has no lamp."""
    return tuple(
        PanelLine(str(line["name"]), bool(line["usable"]), int(line["calls"]))
        for line in lines
        if line.get("kind") != "practice"
    )


def meanings(view: BoxView, line_lamps: int, *, stuck: bool = False) -> dict[AnyLamp, Meaning]:
    """What each lamp shows, including ``line_lamps`` lamps of lines.

    ``stuck``: a button has been down for longer than STUCK_S.  While the state of the box is unknown, only
    that is shown.
    """
    said: dict[AnyLamp, Meaning] = {Lamp.POWER: _power(view)}
    known = view.contact is BoxContact.ANSWERS
    said[Lamp.ACTIVITY] = _activity(view) if known else lamps.ACTIVITY_NONE
    said[Lamp.INBOX] = lamps.INBOX_UNREAD if known and view.unread else lamps.INBOX_EMPTY
    said[Lamp.FAULT] = _fault(view, stuck) if known else lamps.FAULT_BUTTON if stuck else lamps.FAULT_NONE
    for number in range(line_lamps):
        line = view.lines[number] if known and number < len(view.lines) else None
        said[LineLamp(number)] = _line(line)
    return said


def _power(view: BoxView) -> Meaning:
    match view.contact:
        case BoxContact.STARTING | BoxContact.STOPPING:
            return lamps.POWER_CHANGING
        case BoxContact.LOST:
            return lamps.POWER_ALONE
        case BoxContact.ANSWERS:
            return lamps.POWER_SETUP if view.setup else lamps.POWER_READY


def _activity(view: BoxView) -> Meaning:
    if view.sending and view.receiving:
        return lamps.ACTIVITY_BOTH
    if view.sending:
        return lamps.ACTIVITY_SENDING
    return lamps.ACTIVITY_RECEIVING if view.receiving else lamps.ACTIVITY_NONE


def _fault(view: BoxView, stuck: bool) -> Meaning:
    """The most serious fault there is."""
    if view.condition is Condition.FAILING:
        return lamps.FAULT_FAILING
    if view.condition is Condition.WARNING:
        return lamps.FAULT_WARNING
    if stuck:
        return lamps.FAULT_BUTTON
    return lamps.FAULT_FAX if view.wants_person else lamps.FAULT_NONE


def _line(line: PanelLine | None) -> Meaning:
    if line is None:
        return lamps.LINE_NONE
    if not line.usable:
        return lamps.LINE_DOWN
    return lamps.LINE_BUSY if line.calls else lamps.LINE_READY
