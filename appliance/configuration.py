"""The catalogue of all sections and lists of the settings; each package declares its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from appliance.deliver.settings import (
    DeliveryRoute,
    DeliverySettings,
    JunkRule,
    MailInSettings,
    MailOutSettings,
    PaperSettings,
)
from appliance.documents.settings import CoverTemplate, ReadingSettings
from appliance.lines.modem.settings import ClassOneModem
from appliance.lines.practice.settings import PracticeSettings
from appliance.lines.settings import LineSettings
from appliance.lines.sip.settings import SipSettings, SipTrunk
from appliance.net.settings import ApiSettings, HttpSettings
from appliance.numbers import NumberSettings
from appliance.panel.settings import PanelSettings
from appliance.phonebook import Campaign, Contact, ContactGroup
from appliance.printing.settings import (
    FavouritePrinter,
    IppSettings,
    PrintingSettings,
    PrintUser,
    ScanSettings,
)
from appliance.settings.accounts import ApiKey, User
from appliance.settings.files import Catalogue
from appliance.settings.secrets import SecretSettings
from appliance.settings.store import SettingsStore
from appliance.spool.settings import SendingSettings, StorageSettings
from appliance.station import StationSettings

if TYPE_CHECKING:
    from appliance.box import Box

# Version 1 had one kind of line with the settings of both; default settings of the other kind are dropped.
# Before that, three settings of lines had other names.
_V1_OF_SIP_ONLY = {
    "calls_at_once": 2,
    "caller_name": "",
    "form": "e164_plus",
    "server": "",
    "transport": "udp",
    "register": True,
    "username": "",
    "auth_username": "",
    "password": "",
    "outbound_proxy": "",
    "peers": [],
    "public_address": "",
    "verify_tls": True,
    "use_stun": False,
    "from_domain": "",
    "from_user_is_account": False,
    "identity": "none",
    "session_s": 1800,
    "t38_calling_s": 6.0,
    "t38_answering_s": 2.0,
    "error_correction": "redundancy",
    "redundancy": 3,
    "media": "both",
}
_V1_OF_MODEMS_ONLY = {
    "device": "",
    "rings": 2,
    "ring_kinds": [],
    "pulse": False,
    "blind": False,
    "modem_speed": None,
    "modem_flow": "auto",
    "modem_quirks": [],
}
_V1_RENAMED = {
    "dial_prefix": "outside_prefix",
    "international": "international_prefix",
    "national": "national_prefix",
}


def _split_lines(sections: dict[str, dict[str, Any]], lists: dict[str, dict[str, Any]]) -> None:
    """From version 1 to 2: ``SipTrunk`` and ``ClassOneModem`` in place of one kind of line."""
    for line in lists.get("lines", {}).values():
        if not isinstance(line, dict):
            continue  # reading it reports the error
        for old, new in _V1_RENAMED.items():
            if old in line:
                line.setdefault(new, line.pop(old))
        foreign = _V1_OF_SIP_ONLY if line.get("type") == "modem" else _V1_OF_MODEMS_ONLY
        for name, default in foreign.items():
            if name in line and line[name] == default:
                del line[name]


CATALOGUE = Catalogue(
    sections={
        "station": StationSettings,
        "numbers": NumberSettings,
        "sending": SendingSettings,
        "storage": StorageSettings,
        "sip": SipSettings,
        "practice": PracticeSettings,
        "http": HttpSettings,
        "api": ApiSettings,
        "deliveries": DeliverySettings,
        "reading": ReadingSettings,
        "mail_out": MailOutSettings,
        "mail_in": MailInSettings,
        "panel": PanelSettings,
        "printing": PrintingSettings,
        "scans": ScanSettings,
        "paper": PaperSettings,
        "ipp": IppSettings,
        "secrets": SecretSettings,
    },
    lists={
        "users": User,
        "keys": ApiKey,
        "lines": LineSettings,
        "contacts": Contact,
        "groups": ContactGroup,
        "campaigns": Campaign,
        "covers": CoverTemplate,
        "routes": DeliveryRoute,
        "junk": JunkRule,
        "print_users": PrintUser,
        "favourite_printers": FavouritePrinter,
    },
    # Kept in a file of their own, so that a change of the settings does not rewrite a long phone book.
    phonebook=frozenset({"contacts", "groups", "campaigns"}),
    migrations=(_split_lines,),
    retired={f"lines.{old}": new for old, new in _V1_RENAMED.items()},
)
# The kinds of line: importing them registers them as variants of ``LineSettings``.
LINE_KINDS = (SipTrunk, ClassOneModem)


def open_settings(data: Path, *, mend: bool = False) -> SettingsStore:
    """Opens the settings in folder ``data``, made when missing.  See ``SettingsStore``."""
    return SettingsStore(data, CATALOGUE, mend=mend)


def open_box(data: Path, **more: Any) -> Box:
    """Opens the box in folder ``data``, made when missing.  ``more``: further arguments of ``Box``."""
    # Imported here: programs that need the settings only, such as the panel, do not load the box.
    from appliance.box import Box  # noqa: PLC0415

    return Box(data, open_settings(data), **more)
