"""The box's network printers: the fax, the printer without a number, one for each favourite."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import NAMESPACE_OID, UUID, uuid5

from appliance.phonebook import Contact, ContactGroup
from appliance.printing.settings import FavouritePrinter, IppAccess, IppSettings
from appliance.services.rules import To
from appliance.settings.secrets import SecretSettings
from appliance.settings.store import SettingsStore
from appliance.station import StationSettings

# Paths below the door's prefix.  driverless-fax recognises a fax by "faxout" in its URI.
FAXOUT_PATH, PRINT_PATH, FAVOURITE_PATH = "/faxout", "/print", "/to/"
_FAVOURITE = re.compile(re.escape(FAVOURITE_PATH) + r"([1-9][0-9]{0,8})")


@dataclass(frozen=True, slots=True)
class FaxPrinter:
    """``to``: the fixed recipients of what is printed here; None: the job, or a person, names them."""

    path: str
    name: str
    is_fax: bool = False
    to: tuple[To, ...] | None = None
    owner: str = ""  # of a favourite; empty: shared


def printer_at(store: SettingsStore, path: str) -> FaxPrinter | None:
    """The printer with this path, None when there is none."""
    station = store.section(StationSettings).name or "faxbox"
    if path == FAXOUT_PATH:
        return FaxPrinter(FAXOUT_PATH, f"{station} Fax", is_fax=True)
    if path == PRINT_PATH:
        return FaxPrinter(PRINT_PATH, f"{station} Print to fax")
    found = _FAVOURITE.fullmatch(path)
    favourite = store.items(FavouritePrinter).get(int(found[1])) if found else None
    return None if favourite is None else _favourite(store, path, favourite)


def all_printers(store: SettingsStore) -> list[FaxPrinter]:
    """Every printer, the favourites last."""
    paths = [FAXOUT_PATH, PRINT_PATH]
    paths += [f"{FAVOURITE_PATH}{number}" for number in sorted(store.items(FavouritePrinter))]
    return [found for path in paths if (found := printer_at(store, path)) is not None]


def _favourite(store: SettingsStore, path: str, favourite: FavouritePrinter) -> FaxPrinter:
    contacts = store.items(Contact)
    chosen: Sequence[int] = ()
    group = store.items(ContactGroup).get(favourite.group_id or 0)
    if favourite.contact_id is not None:
        chosen = (favourite.contact_id,)
    elif group is not None:
        chosen = group.contact_ids
    known = [contacts[each] for each in chosen if each in contacts]
    # If one recipient is no longer in the phone book, nothing is sent: none may be left out silently.
    whole = len(known) == len(chosen)
    to = tuple(To(each.number, each.name, each.company) for each in known) if whole else ()
    named = group.name if group is not None else known[0].name if known else ""
    return FaxPrinter(path, favourite.name or f"Fax to {named}", to=to)


def printers_to(store: SettingsStore, field: str, entry: int) -> list[tuple[int, FaxPrinter]]:
    """Id and printer of each favourite whose ``field`` (contact_id, group_id) is ``entry``."""
    numbers = [
        n for n, each in sorted(store.items(FavouritePrinter).items()) if getattr(each, field) == entry
    ]
    found = [(number, printer_at(store, f"{FAVOURITE_PATH}{number}")) for number in numbers]
    return [(number, printer) for number, printer in found if printer is not None]


def are_on(store: SettingsStore) -> bool:
    """Whether the network printers are on."""
    return store.section(IppSettings).access is not IppAccess.OFF


def printer_uuid(store: SettingsStore, printer: FaxPrinter) -> UUID:
    """A UUID that never changes for the same printer of the same box."""
    return uuid5(NAMESPACE_OID, store.section(SecretSettings).spool_id + printer.path)
