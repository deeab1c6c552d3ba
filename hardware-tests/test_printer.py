"""Printers: CUPS prints a page on each queue that is named (--printer)."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from appliance.hardware.rig import BrokenError
from appliance.hardware.suite import RIG, parametrize

# Seconds for a printer to wake up and print.
PRINT_LIMIT_S = 180.0
LOOK_EVERY_S = 0.3
_PAGE = "faxbox hardware test\n\nIf you can read this, the printer works.\n"
# job-state (RFC 8011 5.3.7), and printer-state: stopped (5.4.11).
_STOPPED, _CANCELED, _ABORTED, _COMPLETED = 6, 7, 8, 9
_PRINTER_STOPPED = 5


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "queue" in metafunc.fixturenames:
        printers = metafunc.config.stash[RIG].printers
        parametrize(metafunc, "queue", printers, printers, none="no printer is named (--printer)")


@pytest.fixture
def cups() -> Any:
    """A connection to CUPS."""
    module = pytest.importorskip("cups", reason="the box has no printing (pycups is not installed)")
    host, _, port = os.environ.get("CUPS_SERVER", "").rpartition(":")
    try:
        return module.Connection(host=host, port=int(port)) if host else module.Connection()
    except RuntimeError as error:
        raise BrokenError(f"CUPS does not answer: {error}", "systemctl status cups says why.") from error


def test_page(cups: Any, queue: str) -> None:
    """CUPS reports a page as printed."""
    known = cups.getPrinters()
    if queue not in known:
        raise BrokenError(f"CUPS has no printer {queue}.", "lpstat -e names those that there are.")
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as page:
        Path(page.name).write_text(_PAGE, encoding="utf-8")
        try:
            job = cups.printFile(queue, page.name, "faxbox hardware test", {})
        except Exception as error:  # cups.IPPError: it takes no documents
            raise BrokenError(
                f"CUPS takes no page for the printer: {error}.", "cupsaccept lets it take them again."
            ) from error
    end = time.monotonic() + PRINT_LIMIT_S
    while (state := cups.getJobAttributes(job)["job-state"]) != _COMPLETED:
        printer = cups.getPrinterAttributes(queue)
        given_up = state in (_STOPPED, _CANCELED, _ABORTED) or printer["printer-state"] == _PRINTER_STOPPED
        if given_up or time.monotonic() > end:
            if state < _CANCELED:
                cups.cancelJob(job)
            said = printer.get("printer-state-message") or "CUPS does not say why"
            raise BrokenError(
                f"The page did not come out: {said}.", "Look at the printer; cupsenable lets it go on."
            )
        time.sleep(LOOK_EVERY_S)
