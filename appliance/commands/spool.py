"""``faxbox spool``: checks the index of the faxes, rebuilds it, or accepts the present one."""

from __future__ import annotations

import argparse
import sqlite3
import time
from dataclasses import replace
from pathlib import Path

from appliance import durable
from appliance.configuration import open_settings
from appliance.daemon.arguments import EXIT_IN_USE, EXIT_UNUSABLE, add_data_argument, complain, data_folder
from appliance.settings.secrets import SecretSettings
from appliance.spool import identity, rebuild, vault
from appliance.spool.schema import SchemaTooNewError
from appliance.spool.settings import StorageSettings
from appliance.spool.store import Spool


def register(words: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds ``spool`` to the command's words."""
    parser = words.add_parser("spool", help="look at the index of the faxes, or make it again")
    actions = parser.add_subparsers(dest="action", required=True)
    check = actions.add_parser("check", help="whether the index is there and whole; changes nothing")
    again = actions.add_parser(
        "rebuild",
        help="make the index again from the last good copy and the page files, the box stopped",
    )
    adopt = actions.add_parser("adopt", help="keep the index that is there, though it was another box's")
    encrypt = actions.add_parser(
        "encrypt", help="encrypt documents and pages, those stored before too, the box stopped"
    )
    for action in (check, again, adopt, encrypt):
        add_data_argument(action)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """``faxbox spool``; the exit code."""
    data = data_folder(arguments, settings_lost=arguments.action == "adopt")
    try:
        return {"check": _check, "rebuild": _rebuild, "adopt": _adopt, "encrypt": _encrypt}[arguments.action](
            data
        )
    except BlockingIOError:
        return complain(f"a faxbox is running on {data}: stop it first", EXIT_IN_USE)
    except vault.KeyLostError as error:
        return complain(str(error), EXIT_UNUSABLE)
    except (
        OSError,
        durable.DiskFullError,
        SchemaTooNewError,
        identity.SpoolGoneError,
        sqlite3.Error,
    ) as error:
        return complain(f"{data}: {error}", EXIT_UNUSABLE)


def _check(data: Path) -> int:
    if rebuild.usable(data):
        print("The index of the faxes is whole.")
        return 0
    if identity.is_new(data, open_settings(data).section(SecretSettings).spool_id):
        print("There is no index of the faxes yet: faxbox serve makes it.")
        return 0
    print(f"The index of the faxes cannot be used. {identity.repair_advice(data)}")
    return 1


def _rebuild(data: Path) -> int:
    vault.open_vault(data, open_settings(data).section(StorageSettings))
    done = rebuild.rebuild(data, time.time())
    if done.aside:
        print(f"The old index was put aside as {done.aside}.")
    if done.copy:
        print(f"The copy {done.copy} took its place.")
    print(
        f"{done.faxes} received faxes with {done.pages} pages were added from their files"
        + (f"; {done.unreadable} files say nothing of their fax and were left." if done.unreadable else ".")
    )
    if done.rows:
        aside = f"{identity.DATABASE_NAME}.rows-….jsonl"
        print(f"{done.rows} entries that nobody can read were put aside in {aside}.")
    _tell_settings(data)
    return 0


def _adopt(data: Path) -> int:
    (data / identity.MARKER_NAME).unlink(missing_ok=True)
    if not rebuild.usable(data):
        print(f"There is no index that could be kept. {identity.repair_advice(data)}")
        return EXIT_UNUSABLE
    _tell_settings(data)
    print("The index that is there is this box's from now on.")
    return 0


def _encrypt(data: Path) -> int:
    settings = open_settings(data)
    storage = replace(settings.section(StorageSettings), encrypt=True)
    spool = Spool(data, known_id=settings.section(SecretSettings).spool_id)
    try:
        vault.open_vault(data, storage)
        settings.change(StorageSettings, {"encrypt": True})
        spool.do(vault.seal_texts, data)
        count = vault.seal_files(data, overwrite=True, quiet_s=0.0)
        spool.forget_past()
    finally:
        spool.close()
    print(f"Documents and pages are encrypted from now on; {count} files that were here are, too.")
    if "passphrase" not in (data / vault.LOCK_FILE).read_text(encoding="ascii"):
        print(f"The key is in {storage.key_path(data)}: keep a copy elsewhere; it cannot be made again.")
    return 0


def _tell_settings(data: Path) -> None:
    """Writes the id of the present index to the settings."""
    spool = Spool(data)
    try:
        open_settings(data).change(SecretSettings, {"spool_id": spool.id})
    finally:
        spool.close()
