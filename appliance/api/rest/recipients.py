"""The recipients of a fax: numbers, and contacts and groups of the phone book."""

from __future__ import annotations

from typing import Any

from appliance.api.auth import Caller
from appliance.api.context import Context
from appliance.api.problems import too_many
from appliance.api.rest.checking import flaw, require_number
from appliance.language import said
from appliance.phonebook import Contact, ContactGroup
from appliance.services.causes import TOO_MANY_RECIPIENTS
from appliance.services.rules import To


def checked_recipients(context: Context, caller: Caller, given: list[Any]) -> tuple[To, ...]:
    """The recipients that a request names, whose numbers may be dialled.  Raises ProblemError."""
    found: list[To] = []
    for position, entry in enumerate(given):
        path = f"to[{position}]"
        match entry:
            case str():
                found.append(To(entry))
            case {"number": number}:
                found.append(To(number, entry.get("name", ""), entry.get("company", "")))
            case {"contact": contact_id}:
                found.append(_contact(context, caller, contact_id, path))
            case {"group": group_id}:
                found += _group(context, caller, group_id, path)
    if not found:
        raise flaw("to", said("there is nobody in this group"))
    for position, each in enumerate(found):
        require_number(context.box.rules, each.number, f"to[{position}]")
    most = context.settings.recipients_per_fax
    # Somebody who is in two groups gets one fax.
    if len(found) > most and len(context.box.rules.recipients(found)) > most:
        raise too_many(TOO_MANY_RECIPIENTS, "to", most)
    return tuple(found)


def _contact(context: Context, caller: Caller, contact_id: int, path: str) -> To:
    contact = context.box.settings.items(Contact).get(contact_id)
    if contact is None or not caller.may_use(contact.owner):
        raise flaw(path, said("there is no contact {id}").format(id=contact_id))
    return To(contact.number, contact.name, contact.company)


def _group(context: Context, caller: Caller, group_id: int, path: str) -> list[To]:
    group = context.box.settings.items(ContactGroup).get(group_id)
    if group is None or not caller.may_use(group.owner):
        raise flaw(path, said("there is no group {id}").format(id=group_id))
    contacts = context.box.settings.items(Contact)
    return [
        _contact(context, caller, contact_id, path)
        for contact_id in group.contact_ids
        if contact_id in contacts and caller.may_use(contacts[contact_id].owner)
    ]
