"""Entries of the settings' lists that belong to users: who may see and who may change them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from appliance.api.auth import Caller
from appliance.api.causes import NOT_FOUND, SETTING_INVALID
from appliance.api.foreign import ForeignAnswer, ForeignDoor
from appliance.api.foreign_fields import refused
from appliance.api.problems import ProblemError
from appliance.phonebook import Campaign, Contact, ContactGroup
from appliance.settings.accounts import Scope

T = TypeVar("T", bound=Contact | ContactGroup | Campaign)


class OwnedList(Generic[T]):
    """One such list; changes are written to the audit log.

    ``noun`` is the word for an entry, ``most`` how many one owner may have.
    """

    def __init__(self, door: ForeignDoor, kind: type[T], noun: str, most: int) -> None:
        self._door = door
        self._kind = kind
        self._noun = noun
        self._most = most

    def seen(self, caller: Caller) -> list[tuple[int, T]]:
        """The entries that the caller may see, with their ids."""
        found = self._door.box.settings.items(self._kind).items()
        return [(item_id, item) for item_id, item in found if caller.may_use(item.owner)]

    def find(self, caller: Caller, item_id: int) -> T:
        """An entry that the caller may see.  Raises ProblemError."""
        return visible(self._noun, self._door.box.settings.items(self._kind), item_id, caller)

    def changeable(self, caller: Caller, item_id: int) -> T:
        """An entry that the caller may change.  Raises ProblemError."""
        return changeable(self._noun, self._door.box.settings.items(self._kind), item_id, caller)

    def require_fewer(self, count: int) -> None:
        """Checks that an owner with ``count`` entries may have another one.  Raises ProblemError."""
        if count >= self._most:
            raise refused(SETTING_INVALID, f"{self._noun}s", f"at most {self._most}; delete some")

    def add(self, caller: Caller, item: T) -> ForeignAnswer:
        """Adds an entry; answers its id.  Raises ProblemError."""
        store = self._door.box.settings
        self.require_fewer(sum(each.owner == caller.owner for each in store.items(self._kind).values()))
        item_id = store.add(item)
        self._door.audit(caller, f"{self._noun}.create", f"{self._noun}:{item_id}")
        return ForeignAnswer(item_id)

    def change(self, caller: Caller, item_id: int, values: Mapping[str, Any]) -> T:
        """Changes an entry that is ``changeable``."""
        changed = self._door.box.settings.update(self._kind, item_id, values)
        self._door.audit(caller, f"{self._noun}.change", f"{self._noun}:{item_id}", ", ".join(values))
        return changed

    def remove(self, caller: Caller, item_id: int) -> ForeignAnswer:
        """Deletes an entry.  Raises ProblemError."""
        self.changeable(caller, item_id)
        self._door.box.settings.remove(self._kind, item_id)
        self._door.audit(caller, f"{self._noun}.delete", f"{self._noun}:{item_id}")
        return ForeignAnswer(True)


def visible(noun: str, items: Mapping[int, T], item_id: int, caller: Caller) -> T:
    """The item of a list, if the caller may see it.  Raises ProblemError."""
    item = items.get(item_id)
    if item is None or not caller.may_use(item.owner):
        raise ProblemError(NOT_FOUND, f"{noun} {item_id}")
    return item


def changeable(noun: str, items: Mapping[int, T], item_id: int, caller: Caller) -> T:
    """The same, if the caller may change it: only administrators change shared ones.  Raises ProblemError."""
    item = visible(noun, items, item_id, caller)
    if item.owner != caller.owner:
        caller.require(Scope.ADMIN)
    return item
