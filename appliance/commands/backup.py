"""``faxbox backup`` and ``faxbox restore``: writes the box to an encrypted file, and restores it from one."""

from __future__ import annotations

import argparse
import contextlib
import errno
import getpass
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from appliance import durable
from appliance.backup import contents
from appliance.backup.sealed import BackupError
from appliance.box import Box
from appliance.commands.running_box import BoxRefusedError, BoxUnreachableError
from appliance.commands.through_box import running_on
from appliance.configuration import open_box
from appliance.daemon.arguments import (
    EXIT_IN_USE,
    EXIT_UNUSABLE,
    EXIT_USAGE,
    add_data_argument,
    bounded,
    complain,
    data_folder,
    first_line,
)
from appliance.language import said
from appliance.settings.fields import SettingError
from appliance.settings.files import SettingsDamagedError
from appliance.spool.identity import SpoolGoneError
from appliance.spool.schema import SchemaTooNewError

SUFFIX = ".faxbackup"


def register(words: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds ``backup`` and ``restore`` to the command's words."""
    backup = words.add_parser("backup", help="the box in one encrypted file")
    backup.add_argument("file", type=Path, help="the file to write; in a folder one is named by the day")
    backup.add_argument("--received", action="store_true", help="received faxes, too")
    backup.add_argument(
        "--keep", type=bounded(int, 0), default=0, metavar="N", help="in a folder: only the newest N"
    )
    restore = words.add_parser("restore", help="take what a backup holds, the box stopped")
    restore.add_argument("file", type=Path, help="the backup")
    for action in (backup, restore):
        action.add_argument("--passphrase-file", type=Path, help="its first line, instead of asking")
        add_data_argument(action)
    backup.set_defaults(run=backup_command)
    restore.set_defaults(run=restore_command)


def backup_command(arguments: argparse.Namespace) -> int:
    """``faxbox backup``; the exit code.  The box may run or not."""
    data, path = data_folder(arguments), arguments.file
    folder = path if path.is_dir() else None
    if folder is not None:
        path = folder / f"faxbox-{time.strftime('%Y-%m-%d')}{SUFFIX}"
    try:
        passphrase = _passphrase(arguments, twice=True)
        contents.require_passphrase(passphrase)
        size = durable.place(path, lambda part: _write(data, part, passphrase, arguments.received))
    except BlockingIOError:
        return complain(f"a command is using {data}: try again when it has ended", EXIT_IN_USE)
    except SettingError as error:
        return complain(str(error), EXIT_USAGE)
    except (OSError, durable.DiskFullError, BoxRefusedError, BoxUnreachableError, *_UNUSABLE) as error:
        return complain(f"{data}: {error}", EXIT_UNUSABLE)
    print(f"Written: {path}, {size} octets. Only its passphrase opens it.")
    if folder is not None and arguments.keep > 0:
        _keep_newest(path, arguments.keep)
    return 0


def _keep_newest(written: Path, count: int) -> None:
    """Deletes the oldest backups beside the one just ``written``, so that ``count`` remain.

    Those with a future date, which a wrong clock wrote, are deleted first.
    """
    others = [path for path in written.parent.glob(f"faxbox-*{SUFFIX}") if path != written]
    others.sort(key=lambda path: (path.name < written.name, path.name))
    for old in others[: len(others) - (count - 1)]:
        old.unlink(missing_ok=True)


def restore_command(arguments: argparse.Namespace) -> int:
    """``faxbox restore``; the exit code.  The box must not run."""
    data = data_folder(arguments, may_be_new=True)
    try:
        with arguments.file.open("rb") as file:
            box = open_box(data)
            try:
                done = contents.restore(box, file, _passphrase(arguments, twice=False))
            finally:
                box.close()
    except BlockingIOError:
        advice = "stop it first, or restore on its page Settings, Backup"
        return complain(f"a faxbox is running on {data}: {advice}", EXIT_IN_USE)
    except BackupError as error:
        return complain(f"{error} {error.cause.advice}", EXIT_UNUSABLE)
    except (OSError, durable.DiskFullError, SettingError, *_UNUSABLE) as error:
        return complain(str(error), EXIT_UNUSABLE)
    print(f"Restored: {done.users} users, {done.contacts} contacts, {done.received} received faxes.")
    return 0


_UNUSABLE = (SettingsDamagedError, SpoolGoneError, SchemaTooNewError, sqlite3.Error)


def _write(data: Path, part: Path, passphrase: str, received: bool) -> None:
    part.unlink(missing_ok=True)
    durable.create(part)
    with part.open("wb") as file:
        _fill(data, file, passphrase, received)


def _fill(data: Path, file: BinaryIO, passphrase: str, received: bool) -> None:
    running = running_on(data)
    if running is not None:
        running.save("/backup", {"passphrase": passphrase, "received": received}, file)
        return
    with _stopped(data) as box:
        file.writelines(contents.make(box, passphrase, received=received))


@contextlib.contextmanager
def _stopped(data: Path) -> Iterator[Box]:
    """The box on ``data``, which does not run.

    Opening an index writes to it: on a read-only disk, a box on a copy of its index and settings.  The files
    of faxes are read where they are.
    """
    with contextlib.ExitStack() as held:
        try:
            box = open_box(data)
        except OSError as error:
            if error.errno != errno.EROFS:
                raise
            copy = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="faxbox-")))
            for each in data.iterdir():
                if each.is_dir():
                    (copy / each.name).symlink_to(each)
                elif each.is_file():
                    shutil.copyfile(each, copy / each.name)
            box = open_box(copy)
        held.callback(box.close)
        yield box


def _passphrase(arguments: argparse.Namespace, *, twice: bool) -> str:
    """The passphrase from the file or the keyboard.  Raises OSError, SettingError when the two differ."""
    if arguments.passphrase_file is not None:
        return first_line(arguments.passphrase_file)
    try:
        if not sys.stdin.isatty():
            return first_line()
        first = getpass.getpass("Passphrase of the backup: ")
        if twice and getpass.getpass("Once more: ") != first:
            raise SettingError("backup.passphrase", said("the two are not the same"))
    except EOFError:
        raise SettingError("backup.passphrase", said("standard input ended before a value came")) from None
    return first
