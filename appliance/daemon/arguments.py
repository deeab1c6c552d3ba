"""What all words of the command line have in common: the box's folder, exit codes."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

DEFAULT_DATA = "/var/lib/faxbox"
DATA_VARIABLE = "FAXBOX_DATA"

# Exit codes (sysexits.h): a mistake on the command line or in a setting; the folder is in use by another
# box; its files cannot be used.
EXIT_USAGE = 64
EXIT_IN_USE = 75
EXIT_UNUSABLE = 78


def add_data_argument(parser: argparse.ArgumentParser) -> None:
    """Adds ``--data``, which ``data_folder`` reads."""
    parser.add_argument(
        "--data",
        metavar="DIR",
        type=Path,
        default=None,
        help=f"the box's folder (default ${DATA_VARIABLE}, else {DEFAULT_DATA})",
    )


def data_folder(arguments: argparse.Namespace) -> Path:
    """The folder that the command is about."""
    given: Path | None = arguments.data
    return given or Path(os.environ.get(DATA_VARIABLE) or DEFAULT_DATA)
