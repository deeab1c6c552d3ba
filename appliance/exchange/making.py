"""Makes a line from its settings.

The modules of the lines are imported only when a line is made: the box's process, which only needs the
settings, does not load them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from appliance.lines.line import Line
from appliance.lines.modem.quirks import FlowControl
from appliance.lines.modem.settings import ClassOneModem
from appliance.lines.settings import LineSettings
from appliance.lines.sip.settings import SipSettings, SipTrunk

if TYPE_CHECKING:
    from appliance.lines.sip.stack import SipStack


def check_line(line: LineSettings, sip: SipSettings) -> None:
    """Raises ValueError when the settings of the line and of SIP do not fit together."""
    if isinstance(line, SipTrunk):
        sip.check()


def make_line(settings: LineSettings, stack: SipStack | None, learned: Path | None = None) -> Line:
    """The line of these settings.  TypeError for other kinds.

    A SIP trunk needs ``stack``; ``learned`` is the file for what its calls show of the trunk.
    """
    match settings:
        case ClassOneModem():
            from appliance.lines.modem.line import ModemLine  # noqa: PLC0415
            from appliance.lines.modem.opening import ModemSettings  # noqa: PLC0415

            flow = settings.modem_flow
            return ModemLine(
                settings.name,
                ModemSettings(
                    port=settings.device,
                    rules=settings.dial_rules,
                    answer=settings.answer_rules,
                    speed=settings.modem_speed,
                    flow=None if flow is FlowControl.AUTO else flow,
                    adjust=settings.adjust,
                ),
            )
        case SipTrunk():
            from appliance.lines.sip.line import SipLine  # noqa: PLC0415

            assert stack is not None
            return SipLine(settings, stack, learned)
    raise TypeError(f"no line is made of {type(settings).__name__}")
