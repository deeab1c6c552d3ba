"""The command ``user``: what the owner can do at the box for somebody who cannot sign in."""

from __future__ import annotations

import argparse
import getpass
import sys
from typing import Any

from appliance.settings import secrets
from appliance.settings.accounts import User
from appliance.settings.store import SettingsStore


def add_password(actions: argparse._SubParsersAction[argparse.ArgumentParser], add_data: Any) -> None:
    """Adds the action ``password``."""
    password = actions.add_parser(
        "password", help="give a user a new password, read from the terminal or standard input"
    )
    password.add_argument("name")
    password.add_argument("--no-app", action="store_true", help="sign in without the authenticator app again")
    add_data(password)


def new_password(store: SettingsStore, name: str, *, no_app: bool) -> bool:
    """Asks for a new password for the user and sets it; False when there is no such user.

    Every session of the user ends.  Raises SettingError for a password that is not fit.
    """
    found = next((user_id for user_id, user in store.items(User).items() if user.name == name), None)
    if found is None:
        return False
    if sys.stdin.isatty():
        password = getpass.getpass(f"New password for {name}: ")
    else:
        password = sys.stdin.readline().rstrip("\n")
    changes: dict[str, Any] = {"password_hash": secrets.hash_password(password)}
    if no_app:
        changes |= {"totp_secret": "", "recovery_codes": []}
    store.update(User, found, changes)
    return True
