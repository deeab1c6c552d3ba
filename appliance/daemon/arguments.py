"""What all subcommands have in common: the data folder, exit codes, error messages."""

from __future__ import annotations

import argparse
import getpass
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from appliance.settings.fields import SettingError
from appliance.settings.files import SETTINGS_FILE, SettingsDamagedError

NumberT = TypeVar("NumberT", int, float)

DEFAULT_DATA = "/var/lib/faxbox"
DATA_VARIABLE = "FAXBOX_DATA"
# In place of an address to listen on: the sockets that systemd opened (systemd/faxbox.socket).
SYSTEMD = "systemd"

# Exit codes (sysexits.h): a mistake on the command line or in a setting; the disk failed or is full, and a
# later start may do; the folder is in use by another box; its files cannot be used.
EXIT_USAGE = 64
EXIT_STORAGE = 74
EXIT_IN_USE = 75
EXIT_UNUSABLE = 78


def complain(text: str, code: int) -> int:
    """Writes an error message to standard error; returns ``code``."""
    print(f"faxbox: {text}", file=sys.stderr)
    return code


def settles(run: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """``run``, a subcommand that uses the settings, with the exit codes of their errors."""

    def settled(arguments: argparse.Namespace) -> int:
        try:
            return run(arguments)
        except SettingError as error:
            return complain(str(error), EXIT_USAGE)
        except BrokenPipeError:
            raise  # nobody reads the output any more: ``cli`` knows what to do
        except (SettingsDamagedError, OSError) as error:
            return complain(str(error), EXIT_UNUSABLE)

    return settled


def print_json(value: Any) -> None:
    """Prints data for programs."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def print_lines(lines: Sequence[str], none: str) -> None:
    """Prints a list; of an empty one says ``none`` on standard error, where no program reads it."""
    for line in lines:
        print(line)
    if not lines:
        print(none, file=sys.stderr)


def read_secret(prompt: str) -> str:
    """A line that is typed unseen at a terminal, else the first of standard input; empty at its end."""
    try:
        return getpass.getpass(prompt) if sys.stdin.isatty() else first_line()
    except EOFError:
        return ""


def first_line(path: Path | None = None) -> str:
    """The first line of a file with a secret, or of standard input, without its end, Windows' too.

    Raises OSError, and EOFError when standard input has ended.
    """
    text = sys.stdin.readline() if path is None else path.read_bytes().decode("utf-8", "replace")
    if path is None and not text:
        raise EOFError
    return text.partition("\n")[0].removesuffix("\r")


def bounded(
    kind: Callable[[str], NumberT], least: NumberT, most: NumberT | None = None
) -> Callable[[str], NumberT]:
    """The ``type`` of an argument that is a number from ``least`` to ``most`` (None: no limit)."""
    word = "a whole number" if kind is int else "a number"
    bounds = f"of at least {least:g}" if most is None else f"from {least:g} to {most:g}"

    def read(text: str) -> NumberT:
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not value >= least or (most is not None and value > most):
            raise argparse.ArgumentTypeError(f"{text!r}: {word} {bounds} is needed")
        return value

    return read


def add_data_argument(parser: argparse.ArgumentParser) -> None:
    """Adds ``--data``, which ``data_folder`` reads."""
    parser.add_argument(
        "--data",
        metavar="DIR",
        type=Path,
        default=None,
        help=f"the box's folder (default ${DATA_VARIABLE}, else {DEFAULT_DATA})",
    )


def data_folder(
    arguments: argparse.Namespace, *, may_be_new: bool = False, settings_lost: bool = False
) -> Path:
    """The data folder from the arguments.

    A missing one ends the process with EXIT_USAGE, unless ``may_be_new``, so that a mistyped name does not
    make an empty box.  One with faxes whose settings are gone ends it with EXIT_UNUSABLE, unless either:
    a changed setting would make new settings of the defaults.
    """
    given: Path | None = arguments.data
    folder = given or Path(os.environ.get(DATA_VARIABLE) or DEFAULT_DATA)
    if not (may_be_new or folder.is_dir()):
        raise SystemExit(complain(f"there is no box's folder {folder}; faxbox serve makes one", EXIT_USAGE))
    if not (may_be_new or settings_lost):
        # Imported here: the panel does not load the spool.
        from appliance.spool.identity import SpoolGoneError, require_settings  # noqa: PLC0415

        try:
            require_settings(folder, folder / SETTINGS_FILE)
        except SpoolGoneError as error:
            raise SystemExit(complain(str(error), EXIT_UNUSABLE)) from None
    return folder
