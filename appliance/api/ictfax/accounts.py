"""Accounts and users: both are the users of the box, in that system's two forms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from appliance.api.auth import Caller
from appliance.api.causes import NOT_FOUND
from appliance.api.foreign import ForeignAnswer, ForeignDoor
from appliance.api.foreign_fields import LINE_LIMIT, number, text
from appliance.api.ictfax.objects import KEY_ACCOUNTS, account_object, user_object
from appliance.api.ictfax.people import PeopleCalls, asked
from appliance.api.ictfax.words import NUMBER_LIMIT, MissingError
from appliance.api.numbers import own_number
from appliance.api.problems import ProblemError
from appliance.services.causes import STATE_FORBIDS
from appliance.settings import secrets
from appliance.settings.accounts import Scope, User, UserRole


class AccountCalls:
    """Handlers of the door; each gets the caller."""

    def __init__(self, door: ForeignDoor, people: PeopleCalls) -> None:
        self._door = door
        self._people = people

    def accounts(self, caller: Caller) -> ForeignAnswer:
        """The caller's own account, which sends all their faxes; for an administrator then all users'."""
        own = self._own(caller)
        others = [
            self._account(user_id, user)
            for user_id, user in self._visible(caller).items()
            if user_id != own["account_id"]
        ]
        return ForeignAnswer([own, *others])

    def account(self, caller: Caller, account_id: int) -> ForeignAnswer:
        """Answers an account."""
        own = self._own(caller)
        if own["account_id"] == account_id:
            return ForeignAnswer(own)
        return ForeignAnswer(self._account(account_id, self._find(caller, account_id)))

    def users(self, caller: Caller) -> ForeignAnswer:
        """All users for an administrator, else the caller's."""
        return ForeignAnswer([user_object(*item) for item in self._visible(caller).items()])

    def user(self, caller: Caller, user_id: int) -> ForeignAnswer:
        """Answers a user."""
        return ForeignAnswer(user_object(user_id, self._find(caller, user_id)))

    def create(self, caller: Caller) -> ForeignAnswer:
        """Makes a user of the box; without ``passwd`` they cannot sign in."""
        caller.require(Scope.ADMIN)
        fields = asked(self._door)
        name = text(fields, "username", LINE_LIMIT)
        if not name:
            raise MissingError("username")
        values = _values(fields)
        password = text(fields, "passwd", secrets.PASSWORD_MAX) or text(
            fields, "password", secrets.PASSWORD_MAX
        )
        user_id = secrets.add_user(self._door.box.settings, name, password or None, **values)
        self._door.audit(caller, "user.create", f"user:{name}", UserRole.USER.value)
        return ForeignAnswer(user_id)

    def change_account(self, caller: Caller, account_id: int) -> ForeignAnswer:
        """Changes an account; answers it."""
        return ForeignAnswer(self._account(account_id, self._changed(caller, account_id)))

    def change_user(self, caller: Caller, user_id: int) -> ForeignAnswer:
        """Changes a user; answers it."""
        return ForeignAnswer(user_object(user_id, self._changed(caller, user_id)))

    def _changed(self, caller: Caller, user_id: int) -> User:
        user = self._find(caller, user_id)
        caller.require(Scope.ADMIN)  # address and number decide what a user may read and show
        fields = asked(self._door)
        values: dict[str, Any] = _values(fields, user)
        password = text(fields, "passwd", secrets.PASSWORD_MAX)
        active = number(fields, "active")
        if user.role is UserRole.ADMIN and (password or active == 0):
            raise ProblemError(STATE_FORBIDS, "an administrator is changed in the box's own pages")
        if text(fields, "username", LINE_LIMIT) not in ("", user.name):
            raise ProblemError(STATE_FORBIDS, "a user keeps the name: faxes are kept under it")
        if password:
            values["password_hash"] = secrets.hash_password(password)
        if active is not None:
            values["disabled"] = active == 0
        changed = self._door.box.settings.update(User, user_id, values)
        self._door.audit(caller, "user.change", f"user:{user.name}", ", ".join(values))
        return changed

    def _own(self, caller: Caller) -> dict[str, Any]:
        return self._people.account_named(caller.owner) or account_object(
            0, caller.owner, own_number(self._door.box), None
        )

    def _account(self, user_id: int, user: User) -> dict[str, Any]:
        return account_object(user_id, user.name, own_number(self._door.box), user)

    def _visible(self, caller: Caller) -> dict[int, User]:
        users = self._door.box.settings.items(User)
        if caller.may(Scope.ADMIN):
            return dict(users)
        return {user_id: user for user_id, user in users.items() if user.name == caller.owner}

    def _find(self, caller: Caller, user_id: int) -> User:
        user = self._visible(caller).get(user_id)
        if user is None or user_id > KEY_ACCOUNTS:
            raise ProblemError(NOT_FOUND, f"user {user_id}")
        return user


def _values(fields: Mapping[str, Any], user: User | None = None) -> dict[str, Any]:
    """The settings of a user that the request names."""
    values: dict[str, Any] = {}
    if "first_name" in fields or "last_name" in fields:
        first, _, last = (user.full_name if user else "").partition(" ")
        first = text(fields, "first_name", LINE_LIMIT) if "first_name" in fields else first
        last = text(fields, "last_name", LINE_LIMIT) if "last_name" in fields else last
        values["full_name"] = f"{first} {last}".strip()
    if "email" in fields:
        values["email"] = text(fields, "email", LINE_LIMIT * 2)
    if "phone" in fields:
        values["caller_number"] = text(fields, "phone", NUMBER_LIMIT)
    return values
