"""Finds the contact of the phone book that has a number."""

from __future__ import annotations

from collections.abc import Callable

from appliance.phonebook import Contact
from appliance.services.rules import RefusedError, Rules


def contact_with(number: str, rules: Rules, may_use: Callable[[str], bool]) -> Contact | None:
    """The first contact whose number means the same as ``number``, as somebody wrote it or a line gave it.

    ``may_use``: whether the contacts of an owner count; empty: everyone's.
    """
    try:
        dial = rules.number(number).dial
    except RefusedError:
        dial = ""
    for contact in rules.settings.items(Contact).values():
        if may_use(contact.owner) and _same(rules, contact.number, number, dial):
            return contact
    return None


def name_of_caller(number: str, rules: Rules) -> str:
    """What the phone book calls a caller: a contact of everyone's.  Empty for a number that is not in it."""
    contact = contact_with(number, rules, lambda owner: not owner) if number else None
    return contact.name if contact is not None else ""


def _same(rules: Rules, number: str, written: str, dial: str) -> bool:
    plain = "".join(letter for letter in number if letter in "+0123456789*#")
    if written in (number, plain) or (dial and plain == dial):
        return True
    if not dial.endswith(plain.lstrip("+0")):
        return False  # most: a number takes a while to be read
    try:
        return rules.number(number).dial == dial
    except RefusedError:
        return False
