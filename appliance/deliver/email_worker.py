"""Parses a large e-mail in a process of its own: ``python -m appliance.deliver.email_worker FOLDER``.

Parsing 20 MB holds Python's lock for half a second, too long for the packets of running calls; and the
memory and time that hostile parts cost end with that process.
"""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from appliance import limited
from appliance.deliver.email_reading import Attachment, IncomingEmail, read_email
from appliance.documents.causes import EMAIL_DAMAGED
from appliance.documents.errors import DocumentError

# Octets below which an e-mail is parsed in place: starting a process would take longer.
IN_PLACE_OCTETS = 256 * 1024
# Limits of the process: octets of memory (an e-mail of 100 MB is in it several times), seconds of processor
# time, seconds by the clock.
MEMORY_OCTETS = 1 << 30
CPU_S = 60
CLOCK_S = 120.0
# How often an e-mail is read at once when the process is ended from outside each time.
TRIES = 2

_RAW = "raw"
_LETTER = "letter.json"


class ReaderKilledError(Exception):
    """The machine, or a person, ended the process that read an e-mail; which says nothing of the e-mail."""


def read_within(raw: bytes, folder: Path) -> IncomingEmail:
    """``read_email``, in another process if ``raw`` is large; ``folder`` is empty, and the caller deletes it.

    The attachments of a large e-mail stay in files there.  Raises DocumentError (EMAIL_DAMAGED),
    ReaderKilledError, OSError.
    """
    if len(raw) <= IN_PLACE_OCTETS:
        return read_email(raw)
    (folder / _RAW).write_bytes(raw)
    ended = next((code for code in (_run(folder) for _ in range(TRIES)) if code != -signal.SIGKILL), None)
    if ended is None:
        raise ReaderKilledError(f"the process that reads it was ended {TRIES} times from outside")
    if ended != 0 or not (folder / _LETTER).exists():
        raise DocumentError(EMAIL_DAMAGED, "it cannot be read within the limits")
    facts: dict[str, Any] = json.loads((folder / _LETTER).read_text(encoding="utf-8"))
    if "damaged" in facts:
        raise DocumentError(EMAIL_DAMAGED, facts["damaged"])
    count = len(facts["pictures"])
    files = [
        Attachment(name, kind, file=folder / f"{number}")
        for number, (name, kind) in enumerate(facts.pop("pictures") + facts.pop("attachments"))
    ]
    known: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in facts.items()
    }
    return IncomingEmail(**known, pictures=tuple(files[:count]), attachments=tuple(files[count:]))


def _run(folder: Path) -> int:
    """Runs the process; its exit code, negative for a signal.  Raises DocumentError if it takes too long."""
    try:
        return subprocess.run(
            [sys.executable, "-m", __name__, str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=CLOCK_S,
            check=False,
        ).returncode
    except subprocess.TimeoutExpired:
        raise DocumentError(EMAIL_DAMAGED, "it takes too long to read") from None


def main(folder: Path) -> None:
    """The process: reads FOLDER/raw, writes the attachments and the rest of the e-mail as JSON there."""
    limited.lower(resource.RLIMIT_AS, MEMORY_OCTETS)
    limited.lower(resource.RLIMIT_CORE, 0)  # which SIGXCPU would write, with the e-mail in it
    limited.lower_cpu(CPU_S)
    limited.end_first()
    try:
        letter = read_email((folder / _RAW).read_bytes())
    except DocumentError as error:
        facts: dict[str, object] = {"damaged": error.detail}
    else:
        for number, attachment in enumerate(letter.pictures + letter.attachments):
            (folder / f"{number}").write_bytes(attachment.content)
        plain = replace(letter, pictures=(), attachments=())
        facts = {name: getattr(plain, name) for name in IncomingEmail.__slots__}
        for name in ("pictures", "attachments"):
            facts[name] = [(each.name, each.media_type) for each in getattr(letter, name)]
    (folder / _LETTER).write_text(json.dumps(facts), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
