"""Groups of contacts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from appliance.api.auth import Caller
from appliance.api.foreign import ForeignAnswer, ForeignDoor
from appliance.api.foreign_fields import LINE_LIMIT, text
from appliance.api.ictfax.objects import contact_object
from appliance.api.ictfax.owned import OwnedList
from appliance.api.ictfax.people import PeopleCalls, asked
from appliance.api.ictfax.words import MissingError
from appliance.phonebook import Contact, ContactGroup
from appliance.settings.store import Items

# The most groups of one owner.
GROUPS = 1000


class GroupCalls:
    """Handlers of the door; each gets the caller."""

    def __init__(self, door: ForeignDoor, people: PeopleCalls) -> None:
        self._door = door
        self._people = people
        self.owned = OwnedList(door, ContactGroup, "group", GROUPS)

    def create(self, caller: Caller) -> ForeignAnswer:
        """Makes a group; answers its id."""
        name = text(asked(self._door), "name", LINE_LIMIT)
        if not name:
            raise MissingError("name")
        return self.owned.add(caller, ContactGroup(name=name, owner=caller.owner))

    def groups(self, caller: Caller) -> ForeignAnswer:
        """Lists the groups that the caller may see."""
        return ForeignAnswer([self._shown(*item, caller) for item in self.owned.seen(caller)])

    def group(self, caller: Caller, group_id: int) -> ForeignAnswer:
        """Answers a group."""
        return ForeignAnswer(self._shown(group_id, self.owned.find(caller, group_id), caller))

    def change(self, caller: Caller, group_id: int) -> ForeignAnswer:
        """Changes a group's name; answers it."""
        self.owned.changeable(caller, group_id)
        name = text(asked(self._door), "name", LINE_LIMIT)
        changed = self.owned.change(caller, group_id, {"name": name} if name else {})
        return ForeignAnswer(self._shown(group_id, changed, caller))

    def contacts(self, caller: Caller, group_id: int) -> ForeignAnswer:
        """Lists the contacts of a group."""
        group = self.owned.find(caller, group_id)
        return ForeignAnswer([contact_object(*member) for member in self.members(caller, group)])

    def link(self, caller: Caller, contact_id: int, group_id: int) -> ForeignAnswer:
        """Adds a contact to a group."""
        self.owned.changeable(caller, group_id)
        contact = self._people.owned.find(caller, contact_id)
        self._put(caller, group_id, lambda members: dict.fromkeys((*members, contact_id)))
        return ForeignAnswer(contact_object(contact_id, contact))

    def unlink(self, caller: Caller, contact_id: int, group_id: int) -> ForeignAnswer:
        """Takes a contact out of a group; answers the contact."""
        self.owned.changeable(caller, group_id)
        contact = self._people.owned.find(caller, contact_id)
        self._put(caller, group_id, lambda members: (each for each in members if each != contact_id))
        return ForeignAnswer(contact_object(contact_id, contact))

    def members(self, caller: Caller, group: ContactGroup) -> list[tuple[int, Contact]]:
        """The group's contacts that exist and that the caller may see, in its order."""
        known = self._door.box.settings.items(Contact)
        found = [(each, known[each]) for each in group.contact_ids if each in known]
        return [(contact_id, contact) for contact_id, contact in found if caller.may_use(contact.owner)]

    def _put(self, caller: Caller, group_id: int, change: Callable[[tuple[int, ...]], Iterable[int]]) -> None:
        def put(lists: Mapping[type[Any], Items]) -> None:
            self.owned.changeable(caller, group_id)
            groups = lists[ContactGroup].items
            groups[group_id] = replace(
                groups[group_id], contact_ids=tuple(change(groups[group_id].contact_ids))
            )

        self._door.box.settings.revise((ContactGroup,), put)
        self._door.audit(caller, "group.change", f"group:{group_id}", "its contacts")

    def _shown(self, group_id: int, group: ContactGroup, caller: Caller) -> dict[str, Any]:
        members = len(self.members(caller, group))
        return {"group_id": group_id, "name": group.name, "description": "", "contact_total": members}
