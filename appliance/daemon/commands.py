"""What ``serve`` does, and the commands ``config``, ``key``, ``certificate`` and ``setup-code``.

Each command is a function of the parsed arguments that returns an exit code.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ctypes
import gc
import getpass
import json
import logging
import signal
import socket
import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from appliance import durable
from appliance.box import Box
from appliance.configuration import open_box, open_settings
from appliance.core import Core, MakeService
from appliance.daemon import service_manager, users
from appliance.daemon.arguments import (
    EXIT_IN_USE,
    EXIT_UNUSABLE,
    EXIT_USAGE,
    add_data_argument,
    complain,
    data_folder,
)
from appliance.daemon.locked import wait_until_open
from appliance.daemon.main import run
from appliance.daemon.serving import SYSTEMD, level_of
from appliance.disk_lock import owner as disk_lock
from appliance.disk_lock.lock_file import LockFileError
from appliance.exchange.launching import Launched
from appliance.exchange.remote import Exchange
from appliance.language import said
from appliance.net.settings import HttpSettings
from appliance.settings import secrets
from appliance.settings.accounts import ApiKey, Scope
from appliance.settings.fields import SettingError
from appliance.settings.files import SettingsDamagedError
from appliance.settings.store import SettingsStore
from appliance.spool.identity import DATABASE_NAME, SpoolGoneError, way_back
from appliance.spool.retention import sweep_parts
from appliance.spool.schema import SchemaTooNewError
from appliance.spool.vault import KeyLostError

# mallopt(3).
_M_ARENA_MAX = -8


def register(words: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the words; each sets ``run`` to its function."""
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
    config.set_defaults(run=config_command)

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
    add.add_argument("--quota", type=int, default=0, metavar="PAGES", help="pages a month; 0: no limit")
    add.add_argument("--owner", default="", help="user whose faxes it handles (default: its own)")
    show = actions.add_parser("list", help="list the keys")
    remove = actions.add_parser("remove", help="take a key out of use for good")
    remove.add_argument("name")
    for action in (add, show, remove):
        add_data_argument(action)
    key.set_defaults(run=key_command)

    certificate = words.add_parser(
        "certificate", help="make a certificate of the box's own and use it for TLS"
    )
    certificate.add_argument("names", nargs="+", metavar="NAME", help="names and addresses of the box")
    add_data_argument(certificate)
    certificate.set_defaults(run=certificate_command)

    code = words.add_parser("setup-code", help="make a new one-time set-up code for an administrator")
    add_data_argument(code)
    code.set_defaults(run=setup_code_command)


# -- serve ---------------------------------------------------------------------------------------


def serve(arguments: argparse.Namespace, data: Path, launched: Launched) -> int:
    """Runs the box on ``data``, with this exchange, until SIGTERM or SIGINT; the exit code."""
    service_manager.set_up_logging(level_of(arguments))
    _share_memory()
    exchange = Exchange()
    exchange.take(launched)
    try:
        sockets = service_manager.inherited_sockets() if arguments.http == SYSTEMD else []
        if disk_lock.locked() and not wait_until_open(sockets):
            return 0
        return _serve_on(data, arguments.http, sockets, exchange)
    except LockFileError as error:
        return complain(f"the disk cannot be opened: {error}", EXIT_UNUSABLE)
    finally:
        exchange.abandon()


def _share_memory() -> None:
    """One heap for all threads: glibc's own eight for each core never give back what a busy hour took.

    Threads of Python take turns in any case, and pages are made in processes of their own.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


def _serve_on(data: Path, http: str, sockets: Sequence[socket.socket], exchange: Exchange) -> int:
    # Costs time and memory that the other words need not spend.
    from appliance.api.server import ListenError, http_service, inherited_services  # noqa: PLC0415
    from webui.door import make_webui  # noqa: PLC0415

    try:
        doors = {"": make_webui}
        services = inherited_services(sockets, doors) if http == SYSTEMD else [http_service(http, doors)]
    except ValueError as error:
        return complain(f"--http: {error}", EXIT_USAGE)
    try:
        box = open_box(data)
    except BlockingIOError:
        return complain(f"another faxbox is running on {data}", EXIT_IN_USE)
    except (
        OSError,
        SettingsDamagedError,
        SettingError,
        SchemaTooNewError,
        SpoolGoneError,
        KeyLostError,
    ) as error:
        return complain(f"{data} cannot be used: {error}", EXIT_UNUSABLE)
    except sqlite3.DatabaseError as error:
        return complain(f"{data / DATABASE_NAME} cannot be used: {error}. {way_back(data)}", EXIT_UNUSABLE)
    try:
        durable.make_private(data)
        sweep_parts(data)
        code = secrets.first_start(box.settings)
        if code is not None:
            _say(f"First start.  One-time set-up code for the administrator: {code}")
        elif code := secrets.present_setup_code(box.settings):
            _say(f"One-time set-up code, not used yet: {code}")
        asyncio.run(_serve(box, services, exchange))
    except ListenError as error:
        return complain(str(error), EXIT_UNUSABLE)
    finally:
        box.close()
    return 0


async def _serve(box: Box, services: Sequence[MakeService], exchange: Exchange) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await run(box, stop, services, started=_ready, exchange=exchange)


def _give_back_memory() -> None:
    """What the start took and let go of goes back to the system: glibc keeps it otherwise."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def _ready(core: Core) -> None:
    _give_back_memory()
    _say("faxbox is ready.  Lines: " + ", ".join(report.name for report in core.box.lines()))


# -- config --------------------------------------------------------------------------------------


def config_command(arguments: argparse.Namespace) -> int:
    """get, set, forget, export, import.  Works beside a running box, which notices the change."""
    try:
        logging.basicConfig(format="faxbox: %(message)s")
        store = open_settings(data_folder(arguments, may_be_new=arguments.action == "import"), mend=True)
        match arguments.action:
            case "get":
                _show(store.get_path(arguments.path))
            case "set":
                store.set_path(arguments.path, _new_value(store, arguments.path, arguments.value))
            case "forget":
                store.forget_path(arguments.path)
            case "export":
                _show(store.export(secrets=arguments.with_secrets))
            case "import":
                store.load(_read_json(arguments.file))
    except SettingError as error:
        return complain(str(error), EXIT_USAGE)
    except (SettingsDamagedError, OSError) as error:
        return complain(str(error), EXIT_UNUSABLE)
    return 0


def _new_value(store: SettingsStore, path: str, given: str | None) -> str:
    """The text that a field is to be made from.  A secret never stands among the arguments, which every user
    of the machine can read: it is asked for, or is the first line of standard input.  Raises SettingError."""
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
    if sys.stdin.isatty():
        return getpass.getpass(f"{path}: ")
    line = sys.stdin.readline()
    if not line:
        raise SettingError(path, said("standard input ended before a value came"))
    return line.rstrip("\r\n")


def _read_json(name: str) -> dict[str, Any]:
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
        data = json.loads(text)
    except ValueError as error:
        raise SettingError(name, said("this is not JSON: {error}").format(error=error)) from None
    if not isinstance(data, dict):
        raise SettingError(name, said("an object is needed"))
    return data


def _show(value: Any) -> None:
    _say(value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False))


# -- key -----------------------------------------------------------------------------------------


def key_command(arguments: argparse.Namespace) -> int:
    """add, list, remove.  The token is the last word of ``add``'s output."""
    try:
        store = open_settings(data_folder(arguments))
        match arguments.action:
            case "add":
                scopes = tuple(Scope(word) for word in arguments.scope or ("send", "receive"))
                _, token = secrets.add_key(
                    store, arguments.name, scopes=scopes, quota=arguments.quota, owner=arguments.owner
                )
                _say(
                    f"The key {arguments.name} may {', '.join(scope.value for scope in scopes)}; "
                    f"its token, shown only now: {token}"
                )
            case "list":
                for key in store.items(ApiKey).values():
                    limit = f"{key.pages_per_month} pages a month" if key.pages_per_month else "no limit"
                    state = "disabled" if key.disabled else ", ".join(scope.value for scope in key.scopes)
                    _say(f"{key.name}: {state}; {limit}")
            case "remove":
                found = [number for number, key in store.items(ApiKey).items() if key.name == arguments.name]
                if not found:
                    return complain(f"there is no key {arguments.name!r}", EXIT_USAGE)
                store.remove(ApiKey, found[0])
    except SettingError as error:
        return complain(str(error), EXIT_USAGE)
    except (SettingsDamagedError, OSError) as error:
        return complain(str(error), EXIT_UNUSABLE)
    return 0


def user_command(arguments: argparse.Namespace) -> int:
    """password: a new one for somebody who forgot theirs."""
    try:
        store = open_settings(data_folder(arguments))
        if not users.new_password(store, arguments.name, no_app=arguments.no_app):
            return complain(f"there is no user {arguments.name!r}", EXIT_USAGE)
    except SettingError as error:
        return complain(str(error), EXIT_USAGE)
    except (SettingsDamagedError, OSError) as error:
        return complain(str(error), EXIT_UNUSABLE)
    _say(f"{arguments.name} has a new password; whoever was signed in under this name no longer is.")
    return 0


def certificate_command(arguments: argparse.Namespace) -> int:
    """Makes a key and a certificate signed by nobody else, and names them in the settings."""
    from appliance.api.tls import TlsError, make_certificate  # noqa: PLC0415

    data = data_folder(arguments)
    try:
        store = open_settings(data)
        certificate, key = make_certificate(data.resolve(), arguments.names)
        store.change(HttpSettings, {"tls_certificate": str(certificate), "tls_key": str(key)})
    except TlsError as error:
        return complain(str(error), EXIT_USAGE)
    except (SettingsDamagedError, SettingError, OSError) as error:
        return complain(str(error), EXIT_UNUSABLE)
    _say(
        f"The web pages and interfaces speak TLS now, with {certificate}.  Nobody else has signed it: "
        "browsers warn until they are told to trust it."
    )
    return 0


def setup_code_command(arguments: argparse.Namespace) -> int:
    """Prints a new set-up code; the old one is void."""
    try:
        _say(f"One-time set-up code: {secrets.new_setup_code(open_settings(data_folder(arguments)))}")
    except (SettingsDamagedError, SettingError, OSError) as error:
        return complain(str(error), EXIT_UNUSABLE)
    return 0


def _say(text: str) -> None:
    print(text, flush=True)
