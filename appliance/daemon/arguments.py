"""What all subcommands have in common: the data folder, exit codes, error messages."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

DEFAULT_DATA = "/var/lib/faxbox"
DATA_VARIABLE = "FAXBOX_DATA"
# In place of an address to listen on: the sockets that systemd opened (systemd/faxbox.socket).
SYSTEMD = "systemd"

# Exit codes (sysexits.h): a mistake on the command line or in a setting; the folder is in use by another
# box; its files cannot be used.
EXIT_USAGE = 64
EXIT_IN_USE = 75
EXIT_UNUSABLE = 78


def complain(text: str, code: int) -> int:
    """Writes an error message to standard error; returns ``code``."""
    print(f"faxbox: {text}", file=sys.stderr)
    return code


def add_data_argument(parser: argparse.ArgumentParser) -> None:
    """Adds ``--data``, which ``data_folder`` reads."""
    parser.add_argument(
        "--data",
        metavar="DIR",
        type=Path,
        default=None,
        help=f"the box's folder (default ${DATA_VARIABLE}, else {DEFAULT_DATA})",
    )


def data_folder(arguments: argparse.Namespace, *, may_be_new: bool = False) -> Path:
    """The data folder from the arguments.

    A missing one ends the process with EXIT_USAGE, unless ``may_be_new``, so that a mistyped name does not
    make an empty box.
    """
    given: Path | None = arguments.data
    folder = given or Path(os.environ.get(DATA_VARIABLE) or DEFAULT_DATA)
    if not (may_be_new or folder.is_dir()):
        raise SystemExit(complain(f"there is no box's folder {folder}; faxbox serve makes one", EXIT_USAGE))
    return folder
