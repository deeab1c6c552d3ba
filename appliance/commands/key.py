"""``faxbox key``: keys of the programming interfaces."""

from __future__ import annotations

import argparse

from appliance.configuration import open_settings
from appliance.daemon.arguments import (
    EXIT_USAGE,
    add_data_argument,
    bounded,
    complain,
    data_folder,
    print_lines,
    settles,
)
from appliance.settings import secrets
from appliance.settings.accounts import ApiKey, Scope


def register(words: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds ``key`` to the command's words."""
    key = words.add_parser("key", help="keys of the programming interfaces")
    actions = key.add_subparsers(dest="action", required=True)
    add = actions.add_parser("add", help="make a key; its token is printed once")
    add.add_argument("name")
    add.add_argument(
        "--scope",
        action="append",
        choices=[scope.value for scope in Scope],
        help="what it may do; may be given several times (default: send and receive)",
    )
    add.add_argument(
        "--quota", type=bounded(int, 0), default=0, metavar="PAGES", help="pages a month; 0: no limit"
    )
    add.add_argument("--owner", default="", help="user whose faxes it handles (default: its own)")
    show = actions.add_parser("list", help="list the keys")
    remove = actions.add_parser("remove", help="take a key out of use for good")
    remove.add_argument("name")
    for action in (add, show, remove):
        add_data_argument(action)
    key.set_defaults(run=settles(run))


def run(arguments: argparse.Namespace) -> int:
    """add, list, remove.  The token is the last word of ``add``'s output."""
    store = open_settings(data_folder(arguments))
    match arguments.action:
        case "add":
            if arguments.owner and secrets.user_named(store, arguments.owner) is None:
                return complain(f"there is no user {arguments.owner!r}", EXIT_USAGE)
            scopes = tuple(Scope(word) for word in arguments.scope or ("send", "receive"))
            _, token = secrets.add_key(
                store, arguments.name, scopes=scopes, quota=arguments.quota, owner=arguments.owner
            )
            print(
                f"The key {arguments.name} may {', '.join(scope.value for scope in scopes)}; "
                f"its token, shown only now: {token}"
            )
        case "list":
            keys = [_line(key) for key in store.items(ApiKey).values()]
            print_lines(keys, "There is no key yet: faxbox key add NAME.")
        case "remove":
            found = [number for number, key in store.items(ApiKey).items() if key.name == arguments.name]
            if not found:
                return complain(f"there is no key {arguments.name!r}", EXIT_USAGE)
            store.remove(ApiKey, found[0])
    return 0


def _line(key: ApiKey) -> str:
    limit = f"{key.pages_per_month} pages a month" if key.pages_per_month else "no limit"
    state = "disabled" if key.disabled else ", ".join(scope.value for scope in key.scopes)
    return f"{key.name}: {state}; {limit}"
