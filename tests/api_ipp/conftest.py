"""A box that is a network printer, and CUPS' own client for it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pypdfium2
import pytest

from appliance.phonebook import Contact
from appliance.printing.settings import FavouritePrinter, IppAccess, IppSettings
from tests.api.served import Served, serving
from tests.printing.cupsd import pytest_runtest_makereport

__all__ = ["pytest_runtest_makereport"]  # a test that fails tells what CUPS said
LIMIT_S = 240.0  # only for hangs


@dataclass(frozen=True)
class Tried:
    """What ipptool found: the names of the tests that passed, were skipped and failed."""

    passed: int
    skipped: int
    failed: tuple[str, ...]
    said: str


@dataclass(frozen=True)
class Printing:
    served: Served
    favourite: int  # a printer to 9990, which takes every fax

    def uri(self, path: str) -> str:
        return f"ipp://127.0.0.1:{self.served.port}/ipp{path}"

    def ipptool(self, path: str, test: str, file: Path | None = None, limit_s: float = LIMIT_S) -> Tried:
        words = ["ipptool", "-V", "2.0", "-tv"]
        words += ["-f", str(file)] if file is not None else []
        done = subprocess.run(
            [*words, self.uri(path), test],
            capture_output=True,
            text=True,
            timeout=limit_s,
            check=False,
        )
        lines = done.stdout.splitlines()
        failed = tuple(line.strip() for line in lines if line.rstrip().endswith("[FAIL]"))
        return Tried(
            done.stdout.count("[PASS]"), done.stdout.count("[SKIP]"), failed, done.stdout + done.stderr
        )


@pytest.fixture(scope="package")
def printing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Printing]:
    with serving(tmp_path_factory.mktemp("box")) as served:
        settings = served.box.settings
        settings.change(IppSettings, {"access": IppAccess.NETWORK.value})
        contact = settings.add(Contact(number="9990", last_name="Weiss"))
        yield Printing(served, settings.add(FavouritePrinter(contact_id=contact)))


@pytest.fixture(scope="package")
def letter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A PDF of two pages."""
    path = tmp_path_factory.mktemp("letters") / "letter.pdf"
    document = pypdfium2.PdfDocument.new()
    for _ in range(2):
        document.new_page(595, 842)
    document.save(path)
    return path
