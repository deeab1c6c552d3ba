"""Makes the lines that the settings name, in the owner's order, the practice line last."""

from __future__ import annotations

import logging

from appliance.box import Box
from appliance.dispatch.runner import ManagedLine
from appliance.lines.line import Line
from appliance.lines.practice.line import PracticeLine
from appliance.lines.practice.numbers import PRACTICE_NUMBERS
from appliance.settings.items import LineEntry, LineType
from appliance.settings.sections import PracticeSettings

_log = logging.getLogger(__name__)

PRACTICE_FOLDER = "practice"


def build_lines(box: Box) -> list[ManagedLine]:
    """Every line that is enabled.  A wrong setting of one line leaves that line out, with an error."""
    entries = sorted(box.settings.items(LineEntry).items(), key=lambda item: (item[1].position, item[0]))
    lines = []
    for _, entry in entries:
        if not entry.enabled:
            continue
        try:
            line = _make(entry)
        except ValueError as error:
            _log.error("the line %s cannot be used: %s", entry.name, error)
            continue
        lines.append(
            ManagedLine(
                line, send=entry.send, receive=entry.receive, allow=entry.allow, deny=entry.deny,
                caller_number=entry.caller_number,
            )
        )
    practice = box.settings.section(PracticeSettings)
    if practice.enabled:
        box.set_practice_numbers(PRACTICE_NUMBERS)
        line = PracticeLine(
            speed=practice.speed, capacity=practice.calls_at_once, arrivals=box.data / PRACTICE_FOLDER
        )
        lines.append(ManagedLine(line))
    return lines


def _make(entry: LineEntry) -> Line:
    """Raises ValueError for settings that do not go together."""
    if entry.type is LineType.MODEM:
        from appliance.lines.modem.dialling import DialRules  # noqa: PLC0415
        from appliance.lines.modem.line import ModemLine, ModemSettings  # noqa: PLC0415

        rules = DialRules(
            prefix=entry.dial_prefix, country_code=entry.country_code, international=entry.international
        )
        return ModemLine(entry.name, ModemSettings(port=entry.device, rules=rules))
    raise ValueError(f"lines of type {entry.type.value} cannot be made yet")
