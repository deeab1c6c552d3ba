"""The settings of the practice line."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.settings.fields import setting

# Of the line; no other has it.
PRACTICE_NAME = "practice"


@dataclass(frozen=True, slots=True)
class PracticeSettings:
    """The practice line, which never leaves the box."""

    enabled: bool = setting(
        True,
        "numbers 9990 to 9998 reach the practice machine, and administrators may have it fax to the box; "
        "switch it off when it is no longer needed",
    )
    calls_at_once: int = setting(4, "practice calls at once", minimum=1, maximum=64)
    wait_s: float | None = setting(
        3.0,
        "longest wait between two attempts at a practice number, s; null: as long as for any other number",
        minimum=0,
        maximum=86400,
    )
    speed: float = setting(
        1.0, "how many times faster than real calls practice calls run", minimum=1, maximum=20
    )
