"""Plans the changes of an import to the phone book, so that they can be shown before they are made.

A person is identified by number and name.  A number is the same in any spelling.  A person with the number or
the name of somebody else is a duplicate, imported only on request.  Empty fields in the file change nothing,
and nobody is removed from a group.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum

from appliance.phonebook import Contact, ContactGroup
from appliance.phonebook.cards import Card
from appliance.settings.fields import LIST_LIMIT, SettingError, from_document, to_document
from appliance.settings.store import Items

# The normalised form of a number, or a sentence that says why it is invalid.
Reading = tuple[str, str]
_FIELDS = ("first_name", "last_name", "company", "email", "notes")
NO_NUMBER = "There is no fax number."
IN_FILE_TWICE = "It is in the file twice."
GROUP_FULL = "A group that it belongs to is full."
SHORTENED = (
    "A spreadsheet has shortened the number: make its column one of text there, and enter the number anew."
)
REASONS = (NO_NUMBER, IN_FILE_TWICE, GROUP_FULL, SHORTENED)
# How spreadsheets write a long number, whose last digits are lost: 4,93012E+11.
_SHORTENED = re.compile(r"[0-9]([.,][0-9]+)?E\+?[0-9]+", re.IGNORECASE)


class Fate(Enum):
    """What the import does with a line of the file."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    DUPLICATE = "duplicate"  # somebody else has the number or the name
    REFUSED = "refused"


class Alike(Enum):
    """What two people have in common."""

    NUMBER = "number"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Other:
    """The other person: a contact of the phone book (``contact_id``) or an earlier ``line`` of the file."""

    alike: Alike
    name: str
    number: str
    contact_id: int | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One field of a contact."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ImportStep:
    """What the import does with one person of the file.

    ``contact`` is the resulting entry of the phone book; ``contact_id`` the id of an existing one.
    ``reason`` is a sentence about a refusal, ``field`` the field that it is about.
    """

    line: int
    fate: Fate
    contact: Contact
    groups: tuple[str, ...] = ()
    contact_id: int | None = None
    changes: tuple[Change, ...] = ()
    others: tuple[Other, ...] = ()
    reason: str = ""
    field: str = ""


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """Everything that an import will do."""

    steps: tuple[ImportStep, ...]

    def digest(self) -> str:
        """A digest that identifies the plan that was shown; a different plan has another one."""
        return hashlib.sha256(repr(self.steps).encode()).hexdigest()[:32]

    def chosen(self, lines: Collection[int] | None) -> tuple[ImportStep, ...]:
        """The steps to take: those of ``lines``, or, for None, all except duplicates."""
        usual = (Fate.NEW, Fate.CHANGED)
        if lines is None:
            return tuple(step for step in self.steps if step.fate in usual)
        taken = (*usual, Fate.DUPLICATE)
        return tuple(step for step in self.steps if step.fate in taken and step.line in lines)


class Book:
    """A phone book as one user (``owner``; empty: everyone's) imports into it.

    ``read`` normalises a number; ``may_write`` says whose entries the user may change.
    """

    def __init__(
        self,
        contacts: Mapping[int, Contact],
        groups: Mapping[int, ContactGroup],
        *,
        owner: str,
        may_write: Callable[[str], bool],
        read: Callable[[str], Reading],
    ) -> None:
        self._owner = owner
        self._may_write = may_write
        self._read = read
        self._contacts = {key: each for key, each in contacts.items() if each.owner in ("", owner)}
        self._by_number: dict[str, list[int]] = {}
        self._by_name: dict[str, list[int]] = {}
        for key, contact in self._contacts.items():
            number, problem = read(contact.number)
            if not problem:
                self._by_number.setdefault(number, []).append(key)
            if name := _name(contact):
                self._by_name.setdefault(name, []).append(key)
        self._groups = {group.name: (key, group) for key, group in groups.items() if group.owner == owner}

    def plan(self, cards: Iterable[Card]) -> ImportPlan:
        """The steps for the cards."""
        steps: list[ImportStep] = []
        numbers: dict[str, ImportStep] = {}
        names: dict[str, ImportStep] = {}
        joining: dict[str, int] = {}
        for card in cards:
            step = self._step(card, numbers, names)
            if step.fate is not Fate.REFUSED and any(
                self._size(name) + joining.get(name, 0) >= LIST_LIMIT for name in step.groups
            ):
                step = replace(step, fate=Fate.REFUSED, reason=GROUP_FULL, field="groups")
            if step.fate is not Fate.REFUSED:
                numbers.setdefault(self._read(step.contact.number)[0], step)
                names.setdefault(_name(step.contact), step)
                for name in step.groups:
                    joining[name] = joining.get(name, 0) + 1
            steps.append(step)
        return ImportPlan(tuple(steps))

    def _size(self, name: str) -> int:
        return len(self._groups[name][1].contact_ids) if name in self._groups else 0

    def _step(
        self, card: Card, numbers: Mapping[str, ImportStep], names: Mapping[str, ImportStep]
    ) -> ImportStep:
        fields = {name: getattr(card, name) for name in _FIELDS}
        bare = Contact(card.number[:64], owner=self._owner)
        if not card.number:
            nowhere = Contact("", **{name: text[:100] for name, text in fields.items()})
            return ImportStep(card.line, Fate.REFUSED, nowhere, reason=NO_NUMBER, field="number")
        try:
            given = {"number": card.number, **fields, "owner": self._owner}
            contact = from_document(Contact, given, "contact")
            named = [from_document(ContactGroup, {"name": name}, "group").name for name in card.groups]
        except SettingError as error:
            field = error.path.rpartition(".")[2]
            return ImportStep(card.line, Fate.REFUSED, bare, reason=error.problem, field=field)
        # As the phone book writes them, else a second import would change and make them again.
        written = {name: getattr(contact, name) for name in _FIELDS}
        card = replace(card, groups=tuple(named), **written)
        shortened = _SHORTENED.fullmatch(card.number) is not None
        number, problem = ("", SHORTENED) if shortened else self._read(card.number)
        if problem:
            return ImportStep(card.line, Fate.REFUSED, contact, reason=problem, field="number")
        earlier = numbers.get(number)
        if earlier is not None:
            if _name(earlier.contact) == _name(contact):
                other = (_other_line(earlier, Alike.NUMBER),)
                return ImportStep(card.line, Fate.REFUSED, contact, others=other, reason=IN_FILE_TWICE)
            return self._duplicate(card, contact, _other_line(earlier, Alike.NUMBER))
        return self._in_book(card, contact, number, names)

    def _in_book(
        self, card: Card, contact: Contact, number: str, names: Mapping[str, ImportStep]
    ) -> ImportStep:
        known = self._by_number.get(number, [])
        same = [key for key in known if _same_name(self._contacts[key], contact)]
        # Of two that are alike, one's own comes first.
        same.sort(key=lambda key: self._contacts[key].owner != self._owner)
        for key in same:
            changes, groups = self._changes(key, card)
            merged = replace(self._contacts[key], **{each.field: each.after for each in changes})
            if not changes and not groups:
                return ImportStep(card.line, Fate.SAME, merged, contact_id=key)
            if self._may_write(merged.owner):
                return ImportStep(card.line, Fate.CHANGED, merged, groups, key, tuple(changes))
        if known:
            return self._duplicate(card, contact, self._other(known[0], Alike.NUMBER))
        name = _name(contact)
        if name in names and name:
            return self._duplicate(card, contact, _other_line(names[name], Alike.NAME))
        if name in self._by_name:
            return self._duplicate(card, contact, self._other(self._by_name[name][0], Alike.NAME))
        return ImportStep(card.line, Fate.NEW, contact, card.groups)

    def _duplicate(self, card: Card, contact: Contact, other: Other) -> ImportStep:
        return ImportStep(card.line, Fate.DUPLICATE, contact, card.groups, others=(other,))

    def _other(self, key: int, alike: Alike) -> Other:
        contact = self._contacts[key]
        return Other(alike, contact.name, contact.number, contact_id=key)

    def _changes(self, key: int, card: Card) -> tuple[list[Change], tuple[str, ...]]:
        """The fields that the card changes, and the groups that it adds."""
        known = self._contacts[key]
        changes = [
            Change(name, getattr(known, name), getattr(card, name))
            for name in _FIELDS
            if getattr(card, name) and getattr(card, name) != getattr(known, name)
        ]
        groups = tuple(
            name
            for name in card.groups
            if name not in self._groups or key not in self._groups[name][1].contact_ids
        )
        return changes, groups


def _name(contact: Contact) -> str:
    """A name without case and doubled blanks."""
    return " ".join(contact.name.casefold().split())


def _same_name(known: Contact, contact: Contact) -> bool:
    """Whether both may be the same person; without a name, the number decides."""
    return not _name(known) or not _name(contact) or _name(known) == _name(contact)


def _other_line(step: ImportStep, alike: Alike) -> Other:
    return Other(alike, step.contact.name, step.contact.number, line=step.line)


def apply(steps: Iterable[ImportStep], contacts: Items, groups: Items, *, owner: str) -> None:
    """Carries out the steps in both lists, as the user ``owner`` (empty: everyone's)."""
    joining: dict[str, list[int]] = {}
    for step in steps:
        key = step.contact_id
        if key is None:
            key = contacts.add(step.contact)
        else:
            contacts.items[key] = step.contact
        for name in step.groups:
            joining.setdefault(name, []).append(key)
    known = {group.name: key for key, group in groups.items.items() if group.owner == owner}
    for name, members in joining.items():
        if name in known:
            group = groups.items[known[name]]
            added = [key for key in members if key not in group.contact_ids]
            groups.items[known[name]] = replace(group, contact_ids=(*group.contact_ids, *added))
        else:
            groups.add(ContactGroup(name, tuple(members), owner))


def cards_of(contacts: Mapping[int, Contact], groups: Mapping[int, ContactGroup]) -> list[Card]:
    """The phone book as cards for a file, by name."""
    of: dict[int, list[str]] = {}
    for group in groups.values():
        for key in group.contact_ids:
            of.setdefault(key, []).append(group.name)
    ordered = sorted(contacts.items(), key=lambda item: (_name(item[1]), item[0]))
    return [
        Card(
            0,
            groups=tuple(sorted(of.get(key, ()))),
            **{name: text for name, text in to_document(each).items() if name != "owner"},
        )
        for key, each in ordered
    ]
