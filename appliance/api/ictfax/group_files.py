"""Groups of contacts from and to CSV files, with that system's columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import bottle

from appliance.api import request
from appliance.api.auth import Caller
from appliance.api.causes import SETTING_INVALID
from appliance.api.foreign import ForeignAnswer, ForeignDoor, file_answer
from appliance.api.foreign_fields import refused
from appliance.api.ictfax.groups import GroupCalls
from appliance.api.ictfax.owned import changeable
from appliance.api.ictfax.people import CONTACT_FIELDS, CONTACTS
from appliance.api.problems import ProblemError
from appliance.documents.causes import DOCUMENT_EMPTY, DOCUMENT_UNSUPPORTED
from appliance.phonebook import Contact, ContactGroup
from appliance.phonebook.cards import decoded
from appliance.services.rules import RefusedError, Rules
from appliance.settings.store import Items
from appliance.settings.units import MB
from appliance.table_cells import harmless, harmless_number, restored

# Columns in that system's order, which has no header line; a file with one may have another order.
COLUMNS = (
    "phone",
    "first_name",
    "last_name",
    "email",
    "address",
    "custom1",
    "custom2",
    "custom3",
    "description",
)
SAMPLE = "9990,Ada,Byron,ada@example.com,,,,,the practice machine\r\n"
CSV_TYPE = "text/csv"
_TAKEN_TYPES = (
    "",
    CSV_TYPE,
    "text/plain",
    "application/csv",
    "application/vnd.ms-excel",
    "application/octet-stream",
)
# Octets of a file: CONTACTS lines of usual length, and some more.
FILE_OCTETS = 2 * MB


class GroupFileCalls:
    """Handlers of the door; each gets the caller."""

    def __init__(self, door: ForeignDoor, groups: GroupCalls) -> None:
        self._door = door
        self._groups = groups

    def take(self, caller: Caller, group_id: int) -> ForeignAnswer:
        """Adds each line's contact to the group, all or none; answers the number of lines.

        A contact that exists already is not added again.
        """
        self._groups.owned.changeable(caller, group_id)
        environ = bottle.request.environ
        kind = request.media_type(environ)
        if kind not in _TAKEN_TYPES:
            raise ProblemError(DOCUMENT_UNSUPPORTED, f"{CSV_TYPE} is needed")
        found = list(read(decoded(request.content(environ, FILE_OCTETS)), self._door.box.rules))
        self._door.require_still(caller)
        if not found:
            raise ProblemError(DOCUMENT_EMPTY, "the file has no contact")

        def revision(lists: Mapping[type[Any], Items]) -> None:
            group = changeable("group", lists[ContactGroup].items, group_id, caller)
            ids = _kept(lists[Contact], found, caller.owner)
            members = tuple(dict.fromkeys((*group.contact_ids, *ids)))
            values = ContactGroup(name=group.name, contact_ids=members, owner=group.owner)
            lists[ContactGroup].items[group_id] = values

        self._door.box.settings.revise((Contact, ContactGroup), revision)
        self._door.audit(caller, "group.import", f"group:{group_id}", f"{len(found)} lines")
        return ForeignAnswer(len(found))

    def give(self, caller: Caller, group_id: int) -> ForeignAnswer:
        """Answers a group's contacts as CSV."""
        members = self._groups.members(caller, self._groups.owned.find(caller, group_id))
        return file_answer(write(contact for _, contact in members), CSV_TYPE, f"group_{group_id}.csv")

    def sample(self, caller: Caller) -> ForeignAnswer:
        """Answers a CSV file that shows the columns."""
        return file_answer(SAMPLE.encode(), CSV_TYPE, "contact_sample.csv")


def read(text: str, rules: Rules) -> Iterator[dict[str, str]]:
    """The contacts of a file, as values of the phone book.  Raises ProblemError, which names the line."""
    table = csv.reader(io.StringIO(text, newline=""))
    columns: tuple[str, ...] = COLUMNS
    try:
        for index, row in enumerate(table):
            cells = [cell.strip() for cell in row]
            if not any(cells):
                continue
            if index == 0 and "phone" in (names := [cell.lower() for cell in cells]):
                columns = tuple(names)
                continue
            yield _values(dict(zip(columns, cells, strict=False)), table.line_num, rules)
    except csv.Error as error:
        raise refused(SETTING_INVALID, f"line {table.line_num}", str(error)) from None


def write(contacts: Iterable[Contact]) -> bytes:
    """A CSV file that ``read`` can read."""
    out = io.StringIO(newline="")
    table = csv.writer(out)
    for contact in contacts:
        values = {name: getattr(contact, kept) for name, (kept, _) in CONTACT_FIELDS.items()}
        words = (harmless(str(values.get(name, ""))) for name in COLUMNS if name != "phone")
        table.writerow([harmless_number(values["phone"]), *words])
    return out.getvalue().encode()


def _values(cells: Mapping[str, str], line: int, rules: Rules) -> dict[str, str]:
    values = {}
    for name, (kept, limit) in CONTACT_FIELDS.items():
        cell = restored(cells.get(name, ""))
        if len(cell) > limit:
            raise refused(SETTING_INVALID, f"line {line}", f"{name} has at most {limit} characters")
        if not cell.isprintable() and kept != "notes":
            raise refused(SETTING_INVALID, f"line {line}", f"{name} has a character that cannot be shown")
        values[kept] = cell
    if not any(letter.isdigit() for letter in values["number"]):
        raise refused(SETTING_INVALID, f"line {line}", "a fax number is needed in the column phone")
    try:
        rules.contact_number(values["number"])
    except RefusedError as error:
        raise refused(error.cause, f"line {line}", error.cause.sentence) from None
    return values


def _kept(contacts: Items, found: Iterable[Mapping[str, str]], owner: str) -> list[int]:
    """The ids of these contacts, which are added if they do not exist.  Raises ProblemError."""
    known = {contact: key for key, contact in contacts.items.items()}
    mine = sum(contact.owner == owner for contact in known)
    ids = []
    for values in found:
        contact = Contact(**values, owner=owner)
        if contact not in known:
            mine += 1
            if mine > CONTACTS:
                raise refused(SETTING_INVALID, "contacts", f"at most {CONTACTS}; delete some")
            known[contact] = contacts.add(contact)
        ids.append(known[contact])
    return ids
