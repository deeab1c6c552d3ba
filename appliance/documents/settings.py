"""Settings of documents: cover templates, and reading the text of received faxes."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.settings.fields import NAME_PATTERN, setting

# The name of the built-in cover page.
STANDARD_COVER = "standard"


@dataclass(frozen=True, slots=True)
class ReadingSettings:
    """Reading the text of received faxes, so that they are found by their words."""

    enabled: bool = setting(False, "read received faxes in the background (needs Debian's tesseract-ocr)")
    languages: str = setting(
        "eng",
        "languages of their text, as tesseract names them, such as eng+deu",
        pattern=r"[a-zA-Z_]{3,20}(\+[a-zA-Z_]{3,20}){0,9}",
    )


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
        lines=True,
    )
