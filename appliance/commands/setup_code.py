"""``faxbox setup-code``: makes a new one-time set-up code for an administrator."""

from __future__ import annotations

import argparse

from appliance.configuration import open_settings
from appliance.daemon.arguments import add_data_argument, data_folder, settles
from appliance.settings import secrets


def register(words: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds ``setup-code`` to the command's words."""
    code = words.add_parser("setup-code", help="make a new one-time set-up code for an administrator")
    add_data_argument(code)
    code.set_defaults(run=settles(run))


def run(arguments: argparse.Namespace) -> int:
    """Prints a new set-up code, which replaces the old one; the exit code."""
    print(f"One-time set-up code: {secrets.new_setup_code(open_settings(data_folder(arguments)))}")
    return 0
