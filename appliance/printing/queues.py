"""The CUPS queues ``Fax`` and ``FaxOut``: installing, removing and checking them.

Needs pycups (the extra ``printing``) and a running cupsd.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance import durable
from appliance.printing import cups_backend
from appliance.printing.cups_backend import WAKE_NAME
from appliance.printing.ppd import ppd

BACKEND_FOLDER = Path("/usr/lib/cups/backend")
BACKEND = "faxbox"
# CUPS runs backends that others may read as this user; the box reads their files by its group.
CUPS_USER, BOX_GROUP = "lp", "faxbox"
# cupsd refuses a backend that its group may write, and runs one that only root may read as root (backend(7)).
BACKEND_MODE = 0o755
# Files get the folder's group (setgid); no access for others.
FOLDER_MODE = 0o2770
WAKE_MODE = 0o660
# Shown in print dialogues: CUPS drops a backend's message when the job ends, this stays.
LOCATION = "faxbox: a document without a number waits on the box's pages"
# A job whose backend was killed is printed again after JobRetryInterval; the box knows it by its UUID.
ERROR_POLICY = "retry-job"


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue of CUPS: its name, what its PPD calls the printer, and what people read."""

    name: str
    model: str
    info: str
    fax: bool  # CUPS' fax bit: announced as a fax, for macOS and driverless-fax clients


QUEUES = (
    Queue("Fax", "faxbox print to fax", "Print to fax", fax=False),
    Queue("FaxOut", "faxbox fax", "Fax", fax=True),
)


class PrintingError(Exception):
    """Printing cannot be set up; the message is a sentence for the user."""


def connect() -> Any:
    """A connection to cupsd ($CUPS_SERVER, else its socket).  Raises PrintingError."""
    try:
        import cups  # noqa: PLC0415 (a box without CUPS has no pycups)
    except ImportError:
        raise PrintingError(
            "pycups is missing: apt install python3-cups; in a checkout, apt install libcups2-dev gcc"
            " python3-dev, then .venv/bin/pip install 'faxbox[printing]'."
        ) from None
    try:
        return cups.Connection()
    except RuntimeError as error:
        raise PrintingError(f"CUPS does not answer: {error}.") from None


def install(folder: Path, backends: Path = BACKEND_FOLDER) -> None:
    """Installs the backend, the folder and both queues; may be repeated.

    Raises PrintingError, OSError.
    """
    connection = connect()
    if not backends.is_dir():
        raise PrintingError(f"There is no folder {backends} for CUPS' backends: is cups installed?")
    make_folder(folder)
    durable.write_file(backends / BACKEND, Path(cups_backend.__file__).read_bytes(), mode=BACKEND_MODE)
    with tempfile.TemporaryDirectory() as temporary:
        for queue in QUEUES:
            description = Path(temporary, f"{queue.name}.ppd")
            description.write_bytes(ppd(queue.model, fax=queue.fax))
            _asked(_set_up, connection, queue, description, folder)


def _set_up(connection: Any, queue: Queue, description: Path, folder: Path) -> None:
    connection.addPrinter(
        queue.name,
        filename=str(description),
        info=queue.info,
        location=LOCATION,
        device=f"faxbox:{folder}",
    )
    connection.setPrinterErrorPolicy(queue.name, ERROR_POLICY)
    connection.setPrinterJobSheets(queue.name, "none", "none")
    connection.addPrinterOptionDefault(queue.name, "print-scaling", "auto-fit")
    connection.setPrinterShared(queue.name, True)
    connection.acceptJobs(queue.name)
    connection.enablePrinter(queue.name)


def make_folder(folder: Path) -> None:
    """Makes the print folder and its pipe: CUPS' user writes there, the box's group reads.

    Without root, or without such a user or group, they belong to the caller.  Raises OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        os.mkfifo(folder / WAKE_NAME)
    # CUPS' user may put a link or a device in its place: neither is followed or waited for.
    wake = os.open(folder / WAKE_NAME, os.O_RDWR | os.O_NONBLOCK | os.O_NOFOLLOW)
    try:
        for made, mode in ((folder, FOLDER_MODE), (wake, WAKE_MODE)):
            if os.geteuid() == 0:
                for owner in ({"user": CUPS_USER}, {"group": BOX_GROUP}):
                    with contextlib.suppress(LookupError):
                        shutil.chown(made, **owner)
            os.chmod(made, mode)
    finally:
        os.close(wake)


def remove(backends: Path = BACKEND_FOLDER) -> None:
    """Removes both queues and the backend; the folder and its entries stay.

    Raises PrintingError, OSError.
    """
    connection = connect()
    for queue in QUEUES:
        if queue.name in _asked(connection.getPrinters):
            _asked(connection.deletePrinter, queue.name)
    (backends / BACKEND).unlink(missing_ok=True)


def status(folder: Path, backends: Path = BACKEND_FOLDER) -> tuple[bool, list[str]]:
    """Whether everything is installed, and a sentence about each part.  Raises PrintingError."""
    own = Path(cups_backend.__file__).read_bytes()
    there = backends / BACKEND
    checks = [
        (there.is_file() and there.read_bytes() == own, f"backend {there}"),
        (folder.is_dir() and os.access(folder, os.W_OK), f"folder {folder}"),
    ]
    printers = _asked(connect().getPrinters)
    lines = []
    for queue in QUEUES:
        found = printers.get(queue.name)
        ready = found is not None and found["device-uri"] == f"faxbox:{folder}"
        checks.append((ready, f"queue {queue.name}"))
        if found is not None and found.get("printer-state-message"):
            lines.append(f"{queue.name} says: {found['printer-state-message']}")
    lines = [
        f"{name}: {'in place' if good else 'missing or of another version'}" for good, name in checks
    ] + lines
    return all(good for good, _ in checks), lines


def _asked(ask: Any, *arguments: Any) -> Any:
    """Calls pycups' ``ask``.  Raises PrintingError with cupsd's words."""
    import cups  # noqa: PLC0415

    try:
        return ask(*arguments)
    except (cups.IPPError, RuntimeError) as error:
        raise PrintingError(f"CUPS refused: {error}.") from None
