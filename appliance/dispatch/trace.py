"""The trace of one call: the progress events of line and engine as lines of JSON, written at its end.

It serves diagnosis and replay; no decision depends on it.  It is kept in memory during the call and written
once, to spare an SD card.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from appliance.t30.parameters import Progress

_log = logging.getLogger(__name__)

# Most lines kept of one call; a call of hours with errors on every page has a few thousand.
LINES_LIMIT = 20_000


class Trace:
    """Collects the progress events of a call.  ``head`` has facts about the call as a whole."""

    def __init__(self, head: Mapping[str, Any]) -> None:
        self._lines = [json.dumps({"event": "call", **head})]
        self._left_out = 0

    def add(self, progress: Progress) -> None:
        """Adds an event; those beyond ``LINES_LIMIT`` are only counted."""
        if len(self._lines) >= LINES_LIMIT:
            self._left_out += 1
            return
        line = {"at": round(progress.at, 4), "event": progress.event, **dict(progress.fields)}
        self._lines.append(json.dumps(line, default=str))

    def write(self, path: Path) -> None:
        """Writes the trace.  A failure is logged and not raised: it must not affect the fax.  Blocks."""
        if self._left_out:
            self._lines.append(json.dumps({"event": "left_out", "lines": self._left_out}))
        try:
            path.write_text("\n".join(self._lines) + "\n", encoding="utf-8")
        except OSError as error:
            _log.warning("the account of a call could not be written: %s", error)
