"""``faxbox config``: reads and changes settings, beside a running box or without one."""

from __future__ import annotations

import argparse
import getpass
import json
import logging
import sys
from pathlib import Path
from typing import Any

from appliance.configuration import open_settings
from appliance.daemon.arguments import add_data_argument, data_folder, first_line, print_json, settles
from appliance.language import said
from appliance.settings.fields import SettingError
from appliance.settings.store import SettingsStore


def register(words: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds ``config`` to the command's words."""
    config = words.add_parser("config", help="read and change settings")
    actions = config.add_subparsers(dest="action", required=True)
    get = actions.add_parser("get", help="show a section or a setting, or all")
    get.add_argument("path", nargs="?", default="", help="such as station or station.name")
    change = actions.add_parser("set", help="change a setting")
    change.add_argument("path", help="such as station.name")
    change.add_argument(
        "value",
        nargs="?",
        help="lists with commas; none for no value; left out for passwords, which are asked for or read from"
        " standard input",
    )
    forget = actions.add_parser("forget", help="drop what this version does not know")
    forget.add_argument("path", help="such as station.nmae or lines.3.nmae")
    export = actions.add_parser("export", help="print everything as JSON, secrets masked")
    export.add_argument("--with-secrets", action="store_true", help="secrets too: keep the output safe")
    load = actions.add_parser("import", help="take what export printed")
    load.add_argument("file", help="file to read, - for standard input")
    for action in (get, change, forget, export, load):
        add_data_argument(action)
    config.set_defaults(run=settles(run))


def run(arguments: argparse.Namespace) -> int:
    """get, set, forget, export, import.  Works beside a running box, which notices the change."""
    logging.basicConfig(format="faxbox: %(message)s")
    store = open_settings(data_folder(arguments, may_be_new=arguments.action == "import"), mend=True)
    match arguments.action:
        case "get":
            value = store.get_path(arguments.path)
            print(value) if isinstance(value, str) else print_json(value)
        case "set":
            store.set_path(arguments.path, _new_value(store, arguments.path, arguments.value))
        case "forget":
            store.forget_path(arguments.path)
        case "export":
            print_json(store.export(secrets=arguments.with_secrets))
        case "import":
            store.load(_read_json(arguments.file))
    return 0


def _new_value(store: SettingsStore, path: str, given: str | None) -> str:
    """The text of a field's new value.  A secret is never taken from the arguments, which every user of the
    machine can read: it is asked for, or is the first line of standard input.  Raises SettingError."""
    if not store.is_secret(path):
        if given is None:
            raise SettingError(path, said("a value is needed"))
        return given
    if given is not None:
        raise SettingError(
            path,
            said(
                "every user of this machine can read what stands on a command line: leave the value out, and"
                " type it when it is asked for or hand it in through standard input"
            ),
        )
    try:
        return getpass.getpass(f"{path}: ") if sys.stdin.isatty() else first_line()
    except EOFError:
        raise SettingError(path, said("standard input ended before a value came")) from None


def _read_json(name: str) -> dict[str, Any]:
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
        data = json.loads(text)
    except ValueError as error:
        raise SettingError(name, said("this is not JSON: {error}").format(error=error)) from None
    if not isinstance(data, dict):
        raise SettingError(name, said("an object is needed"))
    return data
