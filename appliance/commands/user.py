"""``faxbox user``: manages users by the running box; sets a password also when none runs."""

from __future__ import annotations

import argparse
import functools
from typing import Any

from appliance.commands.running_box import BoxRefusedError, RunningBox, with_box
from appliance.configuration import open_settings
from appliance.daemon.arguments import (
    EXIT_USAGE,
    add_data_argument,
    complain,
    data_folder,
    print_json,
    print_lines,
    read_secret,
    settles,
)
from appliance.settings import secrets
from appliance.settings.accounts import User, UserRole
from appliance.settings.store import SettingsStore

_LEAST = f"at least {secrets.PASSWORD_MIN} characters"


def register(words: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds ``user`` to the command's words."""
    user = words.add_parser("user", help="list, add and remove users; a new password for one")
    actions = user.add_subparsers(dest="action", required=True)
    password = actions.add_parser(
        "password", help="give a user a new password, read from the terminal or standard input"
    )
    password.add_argument("name")
    password.add_argument("--no-app", action="store_true", help="sign in without the authenticator app again")
    add_data_argument(password)
    listed = actions.add_parser("list", help="the users of the running box")
    listed.add_argument("--json", action="store_true", help="as JSON, for programs")
    add = actions.add_parser("add", help="add a user; the password is read from the terminal or the input")
    add.add_argument("name")
    add.add_argument("--role", choices=[role.value for role in UserRole], default=UserRole.USER.value)
    add.add_argument("--email", default="", help="where results and received faxes can be sent")
    remove = actions.add_parser("remove", help="remove a user")
    remove.add_argument("name")
    user.set_defaults(run=settles(_set_password))
    for parser, act in ((listed, _list), (add, _add), (remove, _remove)):
        add_data_argument(parser)
        parser.set_defaults(run=functools.partial(with_box, act))


def _set_password(arguments: argparse.Namespace) -> int:
    """Sets a new password, with a running box or without; the exit code."""
    store = open_settings(data_folder(arguments))
    if not _ask_password(store, arguments.name, no_app=arguments.no_app):
        return complain(f"there is no user {arguments.name!r}", EXIT_USAGE)
    print(f"{arguments.name} has a new password; whoever was signed in under this name no longer is.")
    return 0


def _ask_password(store: SettingsStore, name: str, *, no_app: bool) -> bool:
    """Asks for a new password for the user and sets it; False when there is no such user.

    Every session of the user ends.  Raises SettingError for an invalid password.
    """
    found = next((user_id for user_id, user in store.items(User).items() if user.name == name), None)
    if found is None:
        return False
    password = read_secret(f"New password for {name}, {_LEAST}: ")
    changes: dict[str, Any] = {"password_hash": secrets.hash_password(password)}
    if no_app:
        changes |= {"totp_secret": "", "recovery_codes": []}
    store.update(User, found, changes)
    return True


def _list(box: RunningBox, arguments: argparse.Namespace) -> None:
    found = box.get("/users")["users"]
    if arguments.json:
        print_json(found)
        return
    print_lines([_line(user) for user in found], "There is no user yet: faxbox user add NAME --role admin.")


def _line(user: dict[str, Any]) -> str:
    state = "disabled" if user["disabled"] else user["role"]
    return "  ".join(part for part in (user["name"], state, user["email"]) if part)


def _add(box: RunningBox, arguments: argparse.Namespace) -> None:
    password = read_secret(f"Password for {arguments.name}, {_LEAST}: ")
    new: dict[str, Any] = {"name": arguments.name, "password": password, "role": arguments.role}
    box.post("/users", {**new, "email": arguments.email})
    print(f"{arguments.name} may sign in.")


def _remove(box: RunningBox, arguments: argparse.Namespace) -> None:
    found = [user["id"] for user in box.get("/users")["users"] if user["name"] == arguments.name]
    if not found:
        raise BoxRefusedError(f"there is no user {arguments.name!r}")
    box.delete(f"/users/{found[0]}")
    print(f"{arguments.name} is removed.")
