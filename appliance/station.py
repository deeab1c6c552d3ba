"""Who this station is towards others, as its owner says."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from appliance.language import Formatter, locale_of, said, spoken
from appliance.settings.fields import setting

# A number that is shown to others, in any common spelling.
CALLER_PATTERN = r"\+?[0-9 ()/.*#-]{1,31}"
# The characters that CSI and TSI may have, and their number:  T.30 5.3.6.2.4 and table 3.
STATION_ID_PATTERN = r"[0-9+ ]{0,20}"


def _time_zone_problem(name: str) -> str | None:
    if not name:
        return None
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return said("there is no time zone {name}; write one such as Europe/Berlin").format(name=repr(name))
    return None


@dataclass(frozen=True, slots=True)
class StationSettings:
    """How this station identifies itself to others."""

    station_id: str = setting(
        "", "the number sent as TSI and CSI: up to 20 digits, +, spaces", pattern=STATION_ID_PATTERN
    )
    name: str = setting("", "the sender's name in the header line and on cover pages", max_length=60)
    header: bool = setting(True, "print a header line on every page (many countries require it)")
    time_zone: str = setting(
        "",
        "zone of the times that the box prints and shows, such as Europe/Berlin; empty: the system's",
        max_length=60,
        check=_time_zone_problem,
    )
    caller_number: str = setting("", "caller id shown to those we call, in international form", max_length=32)
    caller_name: str = setting("", "caller name shown to those we call; never a login name", max_length=60)
    further_numbers: tuple[str, ...] = setting(
        (), "further numbers of the box that senders may show instead", pattern=CALLER_PATTERN
    )
    receive: bool = setting(True, "answer calls and receive faxes")

    @property
    def zone(self) -> ZoneInfo | None:
        """The time zone; None: the system's."""
        return ZoneInfo(self.time_zone) if self.time_zone else None

    def writer(self, region: str = "") -> Formatter:
        """Formats times and numbers in the thread's language, as country ``region`` (two letters) does."""
        return Formatter(locale_of(spoken(), region), self.zone)
