"""Finds the contact of the phone book that has a number."""

from __future__ import annotations

from collections.abc import Callable

from appliance.phonebook import Contact
from appliance.services.rules import RefusedError, Rules


def contact_with(written: str, dial: str, rules: Rules, may_use: Callable[[str], bool]) -> Contact | None:
    """The first contact with a number, ``written`` by somebody and read as ``dial`` (empty: not to be read).

    ``may_use``: whether the contacts of an owner count; empty: everyone's.
    """
    for contact in rules.settings.items(Contact).values():
        if may_use(contact.owner) and _same(rules, contact.number, written, dial):
            return contact
    return None


def name_of_caller(number: str, rules: Rules) -> str:
    """What the phone book calls a caller: a contact of everyone's.  Empty for a number that is not in it."""
    if not number or all(contact.owner for contact in rules.settings.items(Contact).values()):
        return ""  # before the number is read, which loads a large library
    try:
        dial = rules.number(number).dial
    except RefusedError:
        dial = ""
    contact = contact_with(number, dial, rules, lambda owner: not owner)
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
