"""The line of a command's call: the practice line, a line of a box's settings, or a direct SIP call."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from appliance.causes import Cause
from appliance.configuration import open_settings
from appliance.exchange.making import make_line
from appliance.lines.line import Line
from appliance.lines.practice.line import PracticeArrival, PracticeLine
from appliance.lines.practice.numbers import script_for
from appliance.lines.settings import LineSettings
from appliance.lines.sip.line import SipLine
from appliance.lines.sip.numbers import is_sip_address
from appliance.lines.sip.settings import SipSettings, SipTrunk, Transport
from appliance.lines.sip.stack import SipStack
from appliance.numbers import NumberSettings, permitted, plan_for, read_number
from appliance.settings.store import SettingsStore

_SIP_SERVER = re.compile(
    r"sips?:(?:[^@]*@)?(?P<server>\[[^\]]+\](?::\d+)?|[^;:]+(?::\d+)?)(?:;transport=(?P<transport>\w+))?"
)


@dataclass(frozen=True, slots=True)
class Practice:
    """How the practice line runs, and the folder for what it receives."""

    arrivals: Path
    on_arrival: Callable[[PracticeArrival], None]
    speed: float = 1.0


@dataclass(frozen=True, slots=True)
class Way:
    """The line of a call, and the number to dial on it."""

    line: Line
    number: str


class ForbiddenNumberError(ValueError):
    """The box's rules do not permit this number; ``cause``: why."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause.sentence)
        self.cause = cause


def way_to(number: str, practice: Practice, *, data: Path | None, name: str = "") -> Way | None:
    """The line and dialled number of a call to ``number``; None when no line takes it.

    With ``data``, the folder of a box, its lines and rules are used: the line called ``name``, else the first
    that may dial the number.  Without, a SIP address is called directly at its own host.  Raises ValueError
    for settings that do not go together, ForbiddenNumberError for a number that the box does not dial.
    """
    if script_for(number) is not None and not name:
        line = PracticeLine(speed=practice.speed, arrivals=practice.arrivals, on_arrival=practice.on_arrival)
        return Way(line, number)
    if data is not None:
        return _configured(number, open_settings(data), name)
    direct = _direct(number) if is_sip_address(number) else None
    return Way(direct, number) if direct is not None else None


def _configured(written: str, settings: SettingsStore, name: str) -> Way | None:
    entries = sorted(settings.items(LineSettings).values(), key=lambda entry: entry.position)
    numbers = settings.section(NumberSettings)
    for entry in entries:
        if not (entry.name == name if name else entry.enabled and entry.send):
            continue
        number, plan = written, plan_for(numbers, entry)
        if is_sip_address(written):
            if not isinstance(entry, SipTrunk):
                continue
        elif isinstance(read := read_number(written, numbers, plan=plan), Cause):
            raise ForbiddenNumberError(read)
        else:
            number = read.dial
        if not name and not permitted(number, entry.allow, entry.deny, plan):
            continue
        stack = None
        if isinstance(entry, SipTrunk):
            # A running box uses the configured port; the command's own call takes any free one.
            stack = SipStack(settings.section(SipSettings).on_free_ports())
        return Way(make_line(entry, stack), number)
    return None


def trunk_named(data: Path, name: str) -> SipLine | None:
    """The SIP trunk called ``name`` of the box in folder ``data``; None when there is none.

    Raises ValueError for settings that do not go together.
    """
    settings = open_settings(data)
    for entry in settings.items(LineSettings).values():
        if entry.name == name and isinstance(entry, SipTrunk):
            stack = SipStack(settings.section(SipSettings).on_free_ports())
            return SipLine(entry, stack)
    return None


def _direct(address: str) -> Line | None:
    found = _SIP_SERVER.match(address)
    if found is None:
        return None
    secure = address.lower().startswith("sips:")
    transport = Transport((found["transport"] or ("tls" if secure else "udp")).lower())
    ports = SipSettings(
        udp_port=0 if transport is Transport.UDP else None,
        tcp_port=0 if transport is Transport.TCP else None,
        tls_port=0 if transport is Transport.TLS else None,
    )
    return SipLine(SipTrunk(name="direct", server=found["server"], transport=transport), SipStack(ports))
