"""The settings that all lines have; ``SipTrunk`` and ``ClassOneModem`` add their own."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.settings.fields import setting

_NUMBER_PREFIX = r"[+0-9*#]{1,20}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LineSettings:
    """Settings of every line.  ``position`` orders the lines: smaller ones are tried first."""

    name: str = setting(help="name of the line", pattern=r"[A-Za-z0-9][A-Za-z0-9._ -]{0,39}")
    enabled: bool = setting(True, "in use")
    position: int = setting(100, "lines are tried in this order, smaller first", minimum=0, maximum=10000)
    send: bool = setting(True, "place calls on this line")
    receive: bool = setting(True, "answer calls on this line")
    allow: tuple[str, ...] = setting(
        (), "only numbers with these beginnings go over this line; empty: all", pattern=_NUMBER_PREFIX
    )
    deny: tuple[str, ...] = setting(
        (), "numbers with these beginnings never go over this line", pattern=_NUMBER_PREFIX
    )
    caller_number: str = setting("", "caller id on this line", pattern=r"\+?[0-9*#]{0,20}")
    country_code: str = setting("", "country the line is in, digits only, such as 49", pattern=r"[0-9]{0,4}")
    area_code: str = setting("", "area code without its 0, for local numbers", pattern=r"[0-9]{0,8}")
    international_prefix: str = setting("00", "dialled for the + of other countries", pattern=r"[0-9]{0,6}")
    national_prefix: str = setting("0", "dialled before area codes", pattern=r"[0-9]{0,4}")
