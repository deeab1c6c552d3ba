"""Signing in, accounts, contacts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import bottle

from appliance.api import request
from appliance.api.auth import Caller
from appliance.api.causes import SETTING_INVALID
from appliance.api.foreign import ForeignAnswer, ForeignDoor
from appliance.api.foreign_fields import LINE_LIMIT, refused, text
from appliance.api.ictfax.objects import KEY_ACCOUNTS, account_object, contact_object, user_object
from appliance.api.ictfax.owned import OwnedList
from appliance.api.ictfax.words import TEXT_LIMIT
from appliance.api.numbers import own_number
from appliance.api.signing_in import sign_in
from appliance.lines.causes import NUMBER_INVALID
from appliance.phonebook import Contact
from appliance.services.rules import RefusedError
from appliance.settings.accounts import ApiKey, User
from appliance.settings.store import Items

# The most contacts of one owner: the phone book is one file, written as a whole.
CONTACTS = 5000
# Fields of a contact: their names in this style, and in the phone book.
CONTACT_FIELDS = {
    "first_name": ("first_name", 100),
    "last_name": ("last_name", 100),
    "phone": ("number", 64),
    "email": ("email", 254),
    "company": ("company", 100),
    "description": ("notes", TEXT_LIMIT),
}


class PeopleCalls:
    """Handlers of the door; each gets the caller."""

    def __init__(self, door: ForeignDoor) -> None:
        self._door = door
        self.owned = OwnedList(door, Contact, "contact", CONTACTS)

    # -- signing in ----------------------------------------------------------------------------

    def authenticate(self) -> ForeignAnswer:
        """Answers a token for name (or e-mail address) and password."""
        context, environ = self._door.context, bottle.request.environ
        with self._door.open_content() as content:
            fields = fields_of(content.fields, content.texts)
        name = text(fields, "email", LINE_LIMIT) or text(fields, "username", LINE_LIMIT)
        given = fields.get("password")
        password = given if isinstance(given, str) else ""
        signed_in = sign_in(context, environ, name, password, text(fields, "code", LINE_LIMIT))
        shown = user_object(signed_in.user_id, signed_in.user)
        del shown["role"]
        return ForeignAnswer(
            {
                **shown,
                "token": signed_in.token,
                "access_token": signed_in.token,
                "token_type": "Bearer",
                "expires_in": int(context.settings.session_hours * 3600),
                "scope": "All",
            }
        )

    # -- accounts ------------------------------------------------------------------------------

    def account_id(self, owner: str) -> int | None:
        """The account id of an owner: a user's id, else that of a key; None for neither."""
        settings = self._door.box.settings
        if not owner:
            return None
        for user_id, user in settings.items(User).items():
            if user.name == owner:
                return user_id
        for key_id, key in settings.items(ApiKey).items():
            if key.account == owner:
                return key_id + KEY_ACCOUNTS
        return None

    def account_named(self, owner: str) -> dict[str, Any] | None:
        """The account object of an owner, None when there is none."""
        settings = self._door.box.settings
        account_id = self.account_id(owner)
        if account_id is None:
            return None
        user = settings.items(User).get(account_id) if account_id < KEY_ACCOUNTS else None
        return account_object(account_id, owner, own_number(self._door.box), user)

    # -- contacts ------------------------------------------------------------------------------

    def add_contact(self, caller: Caller) -> ForeignAnswer:
        """Adds a contact, unless an equal one exists: programs make one for every fax."""
        values = _contact_values(asked(self._door))
        self._require_number(values.get("number", ""))
        contact = Contact(**values, owner=caller.owner)
        contact_id = self.keep(contact)
        self._door.audit(caller, "contact.create", f"contact:{contact_id}")
        return ForeignAnswer(contact_id)

    def _require_number(self, written: str) -> None:
        """Raises ProblemError without a number, and for one that the phone book does not accept."""
        if not written:
            raise refused(NUMBER_INVALID, "phone", "this field is needed")
        try:
            self._door.box.rules.contact_number(written)
        except RefusedError as error:
            raise refused(error.cause, "phone", repr(written)) from None

    def keep(self, contact: Contact) -> int:
        """The id of this contact, which is added if it does not exist."""
        settings = self._door.box.settings
        contact_id = _id_of(contact, settings.items(Contact))

        def add(lists: Mapping[type[Any], Items]) -> None:
            nonlocal contact_id
            contacts = lists[Contact]
            # Another request may have added it meanwhile.
            contact_id = _id_of(contact, contacts.items)
            if contact_id is None:
                self.owned.require_fewer(
                    sum(known.owner == contact.owner for known in contacts.items.values())
                )
                contact_id = contacts.add(contact)

        if contact_id is None:
            settings.revise((Contact,), add)
        assert contact_id is not None
        return contact_id

    def contacts(self, caller: Caller) -> ForeignAnswer:
        """Lists the contacts whose fields contain the words of the query."""
        query = request.read_query(bottle.request.environ)
        wanted = {
            name: request.with_plus(values[-1]).casefold()
            for name, values in query.items()
            if name in CONTACT_FIELDS and values[-1]
        }
        found = []
        for contact_id, contact in self.owned.seen(caller):
            shown = contact_object(contact_id, contact)
            if all(word in str(shown[name]).casefold() for name, word in wanted.items()):
                found.append(shown)
        return ForeignAnswer(found)

    def contact(self, caller: Caller, contact_id: int) -> ForeignAnswer:
        """Answers a contact."""
        return ForeignAnswer(contact_object(contact_id, self.owned.find(caller, contact_id)))

    def change_contact(self, caller: Caller, contact_id: int) -> ForeignAnswer:
        """Changes a contact; answers it."""
        self.owned.changeable(caller, contact_id)
        values = _contact_values(asked(self._door))
        if "number" in values:
            self._require_number(values["number"])
        return ForeignAnswer(contact_object(contact_id, self.owned.change(caller, contact_id, values)))


def _id_of(contact: Contact, contacts: Mapping[int, Contact]) -> int | None:
    """The id of an equal contact, None without."""
    return next((contact_id for contact_id, known in contacts.items() if known == contact), None)


def asked(door: ForeignDoor) -> Mapping[str, Any]:
    """The fields of the current request, which must have content.  Raises ProblemError."""
    with door.content(required=True) as content:
        return fields_of(content.fields, content.texts)


def fields_of(value: Any, texts: Mapping[str, list[str]]) -> Mapping[str, Any]:
    """The fields of a request: of a JSON object, or of a form.  Raises ProblemError."""
    if not isinstance(value, dict):
        raise refused(SETTING_INVALID, "content", "a JSON object is needed")
    return value or request.last_of_each(texts)


def _contact_values(fields: Mapping[str, Any]) -> dict[str, str]:
    return {
        kept: text(fields, name, limit) for name, (kept, limit) in CONTACT_FIELDS.items() if name in fields
    }
