"""Keeps the packets of one call in memory, within a limit, and writes them as pcap on request.

Of a long call the beginning (negotiation) and the end (where it failed) are kept.
"""

from __future__ import annotations

import contextlib
import logging
from collections import deque
from pathlib import Path

from appliance.lines.pcap import PcapWriter

_log = logging.getLogger(__name__)

# Octets of packets kept of one call, from its beginning and its end: minutes of T.38 with redundancy 3.
FIRST_OCTETS = 512 << 10
LAST_OCTETS = 1536 << 10
# Most files in the folder; older ones are deleted.
MOST_FILES = 100

_Packet = tuple[float, bool, bytes]


class CallPackets:
    """The packets of a call; ``tap`` is to be its ``Tap``.  ``began``: Unix time of the call's start."""

    def __init__(self, began: float) -> None:
        self._began = began
        self._first: list[_Packet] = []
        self._last: deque[_Packet] = deque()
        self._room = FIRST_OCTETS
        self._octets = 0  # in ``_last``

    def tap(self, at: float, leaves: bool, octets: bytes) -> None:
        """Keeps a packet (a ``Tap``): the first of the call, and the last ``LAST_OCTETS``."""
        if self._room > 0:
            self._first.append((at, leaves, octets))
            self._room -= len(octets)
            return
        self._last.append((at, leaves, octets))
        self._octets += len(octets)
        while self._octets > LAST_OCTETS:
            self._octets -= len(self._last.popleft()[2])

    def __bool__(self) -> bool:
        return bool(self._first)

    def write(self, path: Path) -> None:
        """Writes them as pcap.  A failure is logged and not raised: it must not affect the fax.  Blocks."""
        part = path.with_suffix(".part")
        try:
            path.parent.mkdir(mode=0o700, exist_ok=True)
            with part.open("wb") as file:
                writer = PcapWriter(file, self._began)
                for packet in (*self._first, *self._last):
                    writer.tap(*packet)
            part.rename(path)
            _bound(path.parent)
        except OSError as error:
            _log.warning("the packets of a call could not be written: %s", error)
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)


def _bound(folder: Path) -> None:
    files = sorted(folder.glob("*.pcap"), key=lambda path: path.stat().st_mtime)
    for path in files[:-MOST_FILES]:
        path.unlink(missing_ok=True)
