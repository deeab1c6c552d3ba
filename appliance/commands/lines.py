"""Which line a command places its call on: the practice line, a line of a box's settings, or SIP at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from appliance.exchange.making import make_line, sip_settings, trunk_settings
from appliance.lines.line import Line
from appliance.lines.practice.line import Arrival, PracticeLine
from appliance.lines.practice.numbers import script_for
from appliance.lines.sip.line import SipLine
from appliance.lines.sip.numbers import is_sip_address
from appliance.lines.sip.settings import SipSettings, Transport, TrunkSettings
from appliance.lines.sip.stack import SipStack
from appliance.numbers import permitted
from appliance.settings.items import LineEntry, LineType
from appliance.settings.sections import SipSettings as SipSection
from appliance.settings.store import SettingsStore

_SIP_SERVER = re.compile(
    r"sips?:(?:[^@]*@)?(?P<server>\[[^\]]+\](?::\d+)?|[^;:]+(?::\d+)?)(?:;transport=(?P<transport>\w+))?"
)


@dataclass(frozen=True, slots=True)
class Practice:
    """How the practice line is to run, and where what arrives there is put."""

    arrivals: Path
    on_arrival: Callable[[Arrival], None]
    speed: float = 1.0


def line_for(number: str, practice: Practice, *, data: Path | None, name: str = "") -> Line | None:
    """The line for a call to ``number``; None when there is none.

    With ``data``, the folder of a box, its lines are used: the one called ``name``, else the first that
    may dial the number.  Without, a SIP address is called directly at its own host.  Raises ValueError
    for settings that do not go together.
    """
    if script_for(number) is not None and not name:
        return PracticeLine(speed=practice.speed, arrivals=practice.arrivals, on_arrival=practice.on_arrival)
    if data is not None:
        return _configured(number, SettingsStore(data), name)
    return _direct(number) if is_sip_address(number) else None


def _configured(number: str, settings: SettingsStore, name: str) -> Line | None:
    entries = sorted(settings.items(LineEntry).values(), key=lambda entry: entry.position)
    for entry in entries:
        if not (entry.name == name if name else _may_dial(entry, number)):
            continue
        stack = None
        if entry.type is LineType.SIP:
            # A running box has the usual port; a call of our own takes any that is free.
            stack = SipStack(sip_settings(settings.section(SipSection), any_port=True))
        return make_line(entry, stack)
    return None


def trunk_named(data: Path, name: str) -> SipLine | None:
    """The SIP trunk called ``name`` of the box in folder ``data``; None when there is none.

    Raises ValueError for settings that do not go together.
    """
    settings = SettingsStore(data)
    for entry in settings.items(LineEntry).values():
        if entry.name == name and entry.type is LineType.SIP:
            stack = SipStack(sip_settings(settings.section(SipSection), any_port=True))
            return SipLine(trunk_settings(entry), stack)
    return None


def _may_dial(entry: LineEntry, number: str) -> bool:
    if not (entry.enabled and entry.send) or (is_sip_address(number) and entry.type is not LineType.SIP):
        return False
    return permitted(number, entry.allow, entry.deny)


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
    return SipLine(TrunkSettings(name="direct", server=found["server"], transport=transport), SipStack(ports))
