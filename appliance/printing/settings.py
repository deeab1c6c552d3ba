"""Printing's settings: where print jobs and scans come in, and whose faxes they are."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from appliance.printing.cups_backend import DEFAULT_FOLDER
from appliance.settings.fields import setting


class InDocument(Enum):
    """Where in a document a number is looked for when the job itself names none."""

    OFF = "off"
    TAG = "tag"  # @@FAX: +49 30 123456@@
    LINE = "line"  # the tag, or a line Fax-Nr.: +49 30 123456


@dataclass(frozen=True, slots=True)
class PrintingSettings:
    """Print to fax."""

    folder: str = setting(
        DEFAULT_FOLDER, "folder in which CUPS leaves what was printed; empty: none", pattern=r"(/.{0,499})?"
    )
    match_names: bool = setting(
        True,
        "a person who prints under the name of a user of the box is that user; no: only those listed below",
    )
    owner: str = setting(
        "print", "account that owns the faxes of everybody else; empty: they are refused", max_length=64
    )
    number_in_document: InDocument = setting(
        InDocument.OFF,
        "where on page one of a PDF that was printed or scanned a number is looked for: nowhere; in a mark "
        "such as @@FAX: 030 123456@@, which is cut out of the page; or also in a line such as "
        "Fax-Nr.: 030 123456",
    )


@dataclass(frozen=True, slots=True)
class ScanSettings:
    """A folder whose files become faxes."""

    folder: str = setting(
        "", "folder that a multifunction device scans into; empty: none", pattern=r"(/.{1,499})?"
    )
    owner: str = setting("scan", "account that owns the faxes", max_length=64, pattern=".{1,64}")
    settled_s: float = setting(
        5.0, "a file is complete when it has not changed for this long, s", minimum=1, maximum=600
    )
    keep_days: int = setting(
        7,
        "how long files that were faxed stay in the folder faxed, days; 0: not at all",
        maximum=365,
        minimum=0,
    )


class IppAccess(Enum):
    """Who may use the box as a network printer."""

    OFF = "off"  # there is no network printer
    USERS = "users"  # users of the box, with name and password over TLS (or on the box itself)
    NETWORK = "network"  # everybody with an address of a private network


@dataclass(frozen=True, slots=True)
class IppSettings:
    """The box as a network printer (IPP Everywhere, AirPrint, IPP FaxOut)."""

    access: IppAccess = setting(
        IppAccess.OFF,
        "who may print to fax over the network: nobody, users with name and password, or every computer of "
        "the local network",
    )


@dataclass(frozen=True, slots=True)
class FavouritePrinter:
    """A network printer whose pages are faxed to one contact or group of the phone book."""

    contact_id: int | None = setting(None, "id of the contact; none: a group", minimum=1)
    group_id: int | None = setting(None, "id of the group; none: a contact", minimum=1)
    name: str = setting("", "what computers call the printer; empty: Fax to …", max_length=63)


@dataclass(frozen=True, slots=True)
class PrintUser:
    """The owner of faxes that a person prints, by the names that the computer gives."""

    user: str = setting(help="user of the box", max_length=64)
    from_user: str = setting("", "name on the computer; empty: any", max_length=100)
    from_computer: str = setting("", "name or address of the computer; empty: any", max_length=100)
