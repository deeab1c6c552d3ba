"""The folder of the tests, their parts, and the names of reports."""

from __future__ import annotations

import sys
from pathlib import Path

import appliance

# The tests: in a checkout beside the packages, in the Debian package beside its Python.
_PLACES = (Path(appliance.__file__).parents[1], Path(sys.prefix))
FOLDER = "hardware-tests"
FILE_PREFIX = "test_"

JSON_FILE, PDF_FILE, PDF_SIGNATURE_FILE = "report.json", "report.pdf", "report.pdf.sig"
GREEN, RED = "green", "red"


class SuiteMissingError(Exception):
    """The tests are not installed."""


def suite_folder() -> Path:
    """The folder of the tests.  Raises SuiteMissingError."""
    for place in _PLACES:
        if (place / FOLDER / "pytest.ini").is_file():
            return place / FOLDER
    raise SuiteMissingError(f"the folder {FOLDER} is missing")


def parts() -> list[str]:
    """The parts for which there are tests.  Raises SuiteMissingError."""
    return sorted(path.stem.removeprefix(FILE_PREFIX) for path in suite_folder().glob(f"{FILE_PREFIX}*.py"))
