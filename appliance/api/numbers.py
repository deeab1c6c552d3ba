"""The number that the foreign doors report as the box's own."""

from __future__ import annotations

from appliance.box import Box
from appliance.station import StationSettings


def own_number(box: Box) -> str:
    """The box's own number without spaces."""
    station = box.settings.section(StationSettings)
    return (station.caller_number or station.station_id).replace(" ", "")
