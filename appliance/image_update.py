"""Passes updates of the image to its installer.

The box's user may not write to the other half of the card.  It puts the update in its data folder; a unit of
the image that watches for it (``faxbox-image-update.path``) checks the signature, installs the update,
restarts the machine, and reports its progress in a file.  After the start, the check that the new version
works (``/usr/lib/faxbox-image/good``) writes the result there.
"""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from appliance import durable

# Only the image has this file: its whole system is one version, replaced as a whole.
INSTALL = Path("/usr/lib/faxbox-image/update")
STATE = Path("/run/faxbox-image/update.json")
FOLDER, HANDED_OVER = "update", "update.raucb"
# Largest update, octets.  A slot has 1.3 GB, and updates are compressed.
LARGEST = 1 << 30
# Octets that stay free on the card for faxes that arrive meanwhile.
SPARE = 256 << 20
_STATE_OCTETS = 65536
# Exit codes of ``INSTALL``, and the causes of these refusals; ``REFUSED`` for any other.
REFUSALS = {
    10: "update_not_one",
    11: "update_damaged",
    12: "update_not_signed",
    13: "update_clock_wrong",
    14: "update_for_another_machine",
    15: "update_older",
    16: "update_not_written",
}
REFUSED = "update_refused"


class UpdateStep(StrEnum):
    """The progress of the last update."""

    NONE = "none"
    INSTALLING = "installing"
    REFUSED = "refused"
    STARTING = "starting"
    KEPT = "kept"
    WENT_BACK = "went_back"


@dataclass(frozen=True, slots=True)
class UpdateProgress:
    """The last update: its progress, its version if known, and the installer's message.

    ``refusal``: the code of the cause of one that was refused.
    """

    step: UpdateStep = UpdateStep.NONE
    version: str = ""
    detail: str = ""
    refusal: str = ""


class UnderWayError(Exception):
    """Another update is under way."""


class NoRoomForUpdateError(Exception):
    """The card has no space for the update beside the faxes."""


_handing_over = threading.Lock()


def is_image() -> bool:
    """Whether this machine was made from the image."""
    return INSTALL.exists()


def progress(data: Path) -> UpdateProgress:
    """The progress of the last update since the start of the machine."""
    if (data / FOLDER / HANDED_OVER).exists():
        return UpdateProgress(UpdateStep.INSTALLING)
    try:
        found = json.loads(STATE.read_bytes()[:_STATE_OCTETS])
        step = UpdateStep(found["step"])
        refusal = REFUSALS.get(found.get("refusal", 0), REFUSED) if step is UpdateStep.REFUSED else ""
        return UpdateProgress(step, str(found.get("version", "")), str(found.get("detail", "")), refusal)
    except (OSError, ValueError, KeyError, TypeError):
        return UpdateProgress()


def hand_over(data: Path, content: Iterator[bytes], octets: int | None) -> None:
    """Stores an update for the image's installer; ``octets``: its length, if known.

    Raises UnderWayError, NoRoomError, and what ``durable.write_file`` and ``content`` raise; then nothing
    is left.
    """
    if not _handing_over.acquire(blocking=False):
        raise UnderWayError
    try:
        if progress(data).step in (UpdateStep.INSTALLING, UpdateStep.STARTING):
            raise UnderWayError
        folder = data / FOLDER
        durable.make_folder(folder)
        if shutil.disk_usage(folder).free < (LARGEST if octets is None else octets) + SPARE:
            raise NoRoomForUpdateError
        durable.write_file(folder / HANDED_OVER, content, LARGEST)
    finally:
        _handing_over.release()
