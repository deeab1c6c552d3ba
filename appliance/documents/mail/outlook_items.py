"""What Outlook's appointments, tasks and contacts say besides their text, by their properties.  Pure."""

from __future__ import annotations

from collections.abc import Callable

from appliance.documents.mail.headers import time_of

# A property by its set and number ([MS-OXPROPS]); the set is empty for one that belongs to none.
Property = tuple[bytes, int]
# Sets of named properties ([MS-OXPROPS] 1.3.2).
_APPOINTMENTS, _TASKS, _ADDRESSES = (
    bytes.fromhex(f"{number}20060000000000c000000000000046") for number in ("02", "03", "04")
)
_MEETING = (
    ("When", ((_APPOINTMENTS, 0x820D),)),
    ("Until", ((_APPOINTMENTS, 0x820E),)),
    ("Where", ((_APPOINTMENTS, 0x8208),)),
    ("Repeated", ((_APPOINTMENTS, 0x8232),)),
)
# The properties that are shown of an item of each class, under the words of `labels`.
_ITEMS: dict[str, tuple[tuple[str, tuple[Property, ...]], ...]] = {
    "IPM.Appointment": _MEETING,
    "IPM.Schedule.Meeting": _MEETING,
    "IPM.Microsoft Schedule.Mtg": _MEETING,  # the same in a winmail.dat ([MS-OXTNEF] 2.1.3.3.8)
    "IPM.Task": (("When", ((_TASKS, 0x8104),)), ("Due", ((_TASKS, 0x8105),))),
    "IPM.Contact": (
        ("Company", ((b"", 0x3A16),)),
        ("Title", ((b"", 0x3A17),)),
        ("Telephone", tuple((b"", number) for number in (0x3A08, 0x3A1C, 0x3A09, 0x3A1B))),
        ("Fax", tuple((b"", number) for number in (0x3A24, 0x3A25))),
        ("E-mail", tuple((_ADDRESSES, number) for number in (0x8083, 0x8093, 0x80A3))),
        ("Address", tuple((_ADDRESSES, number) for number in (0x801B, 0x801A, 0x801C))),
    ),
}


def said_by(item: str, value: Callable[[Property], str]) -> dict[str, str]:
    """The rows that an item of the class ``item`` shows; ``value`` reads a property, empty for none."""
    shown = next((rows for begin, rows in _ITEMS.items() if item.startswith(begin)), ())
    return {label: ", ".join(filter(None, map(value, which))) for label, which in shown}


def time_in(which: Property, octets: bytes) -> str:
    """One of Windows' times, of tasks the day alone; empty for none."""
    moment = time_of(octets)
    if moment is None:
        return ""
    return f"{moment:%Y-%m-%d}" if which[0] == _TASKS else f"{moment:%Y-%m-%d %H:%M} (UTC)"
