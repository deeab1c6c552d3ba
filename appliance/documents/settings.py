"""Cover templates, as the owner keeps them."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.settings.fields import NAME_PATTERN, setting

# The box's own cover page, as a template's name.
STANDARD_COVER = "standard"


@dataclass(frozen=True, slots=True)
class CoverTemplate:
    """A cover page."""

    name: str = setting(
        help="name of the template; not standard, which is the box's own page", pattern=NAME_PATTERN
    )
    html: str = setting(
        "",
        "the page: simple HTML with fields such as {{subject}}; empty: the box's own page",
        max_length=200_000,
    )
