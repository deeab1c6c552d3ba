"""Printing's settings: where print jobs come in, and whose faxes they are."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.printing.cups_backend import DEFAULT_FOLDER
from appliance.settings.fields import setting


@dataclass(frozen=True, slots=True)
class PrintingSettings:
    """Print to fax."""

    folder: str = setting(
        DEFAULT_FOLDER, "folder in which CUPS leaves what was printed; empty: none", pattern=r"(/.{0,499})?"
    )
    match_names: bool = setting(
        True, "who prints under the name of a user of the box is that user; no: only who is listed below"
    )
    owner: str = setting(
        "print", "account whose faxes those of everybody else are; empty: they are refused", max_length=64
    )


@dataclass(frozen=True, slots=True)
class PrintUser:
    """Whose faxes are those that a person prints, as their computer names the person."""

    user: str = setting(help="user of the box", max_length=64)
    from_user: str = setting("", "name on the computer; empty: any", max_length=100)
    from_computer: str = setting("", "name or address of the computer; empty: any", max_length=100)
