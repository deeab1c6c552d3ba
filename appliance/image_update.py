"""Updates of the image, handed to the part of it that may install them.

The box's own user may not write to the card's other half.  It leaves the update in its data folder; a unit
of the image that watches for it (``faxbox-image-update.path``) checks its signature, installs it and starts
the machine anew, and tells in a file how far it is.  After the start the proof that the new version works
(``/usr/lib/faxbox-image/good``) writes the end there.
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

# Only the image has it: there the whole system is one version, replaced as one.
INSTALL = Path("/usr/lib/faxbox-image/update")
STATE = Path("/run/faxbox-image/update.json")
FOLDER, HANDED_OVER = "update", "update.raucb"
# Octets of an update.  A slot has 1.3 GB, and what fills it is compressed.
LARGEST = 1 << 30
# Octets that stay free on the card besides: faxes go on coming in.
SPARE = 256 << 20
_STATE_OCTETS = 65536


class Step(StrEnum):
    """How far the last update is."""

    NONE = "none"
    INSTALLING = "installing"
    REFUSED = "refused"
    STARTING = "starting"
    KEPT = "kept"
    WENT_BACK = "went_back"


@dataclass(frozen=True, slots=True)
class Progress:
    """The last update: how far it is, its version where it is known, and what was said of it."""

    step: Step = Step.NONE
    version: str = ""
    detail: str = ""


class UnderWayError(Exception):
    """An update is being taken already."""


class NoRoomError(Exception):
    """The card has no room for the update beside the faxes."""


_handing_over = threading.Lock()


def is_image() -> bool:
    """Whether this machine was made from the image."""
    return INSTALL.exists()


def progress(data: Path) -> Progress:
    """How far the last update since the start of the machine is."""
    if (data / FOLDER / HANDED_OVER).exists():
        return Progress(Step.INSTALLING)
    try:
        found = json.loads(STATE.read_bytes()[:_STATE_OCTETS])
        return Progress(Step(found["step"]), str(found.get("version", "")), str(found.get("detail", "")))
    except (OSError, ValueError, KeyError, TypeError):
        return Progress()


def hand_over(data: Path, content: Iterator[bytes], octets: int | None) -> None:
    """Leaves an update for the image; ``octets``: its length as far as it is known.

    Raises UnderWayError, NoRoomError, and what ``durable.write_file`` and ``content`` raise; then nothing
    is left.
    """
    if not _handing_over.acquire(blocking=False):
        raise UnderWayError
    try:
        if progress(data).step in (Step.INSTALLING, Step.STARTING):
            raise UnderWayError
        folder = data / FOLDER
        durable.make_folder(folder)
        if shutil.disk_usage(folder).free < (LARGEST if octets is None else octets) + SPARE:
            raise NoRoomError
        durable.write_file(folder / HANDED_OVER, content, LARGEST)
    finally:
        _handing_over.release()
