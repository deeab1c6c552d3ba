"""``faxbox setup-code``: makes a new one-time set-up code for an administrator."""

from __future__ import annotations

import argparse

from appliance.configuration import open_settings
from appliance.daemon.arguments import EXIT_UNUSABLE, add_data_argument, complain, data_folder
from appliance.settings import secrets
from appliance.settings.fields import SettingError
from appliance.settings.files import SettingsDamagedError


def register(words: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds ``setup-code`` to the command's words."""
    code = words.add_parser("setup-code", help="make a new one-time set-up code for an administrator")
    add_data_argument(code)
    code.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Prints a new set-up code, which replaces the old one; the exit code."""
    try:
        print(f"One-time set-up code: {secrets.new_setup_code(open_settings(data_folder(arguments)))}")
    except (SettingsDamagedError, SettingError, OSError) as error:
        return complain(str(error), EXIT_UNUSABLE)
    return 0
