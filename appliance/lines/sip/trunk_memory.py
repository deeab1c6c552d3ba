"""What calls have shown about a trunk, stored across restarts.

It says whether T.38 is not offered there for a while, and from which unsignalled ports its hosts send UDPTL.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

_log = logging.getLogger(__name__)

# How long a trunk gets no offer of T.38 after one that got no proper answer or ended the call, seconds.  The
# other side may still offer it.
NO_OFFERS_S = 3600.0
# How many hosts with unusual UDPTL ports are remembered.
MAX_UDPTL_WAYS = 64
# Largest file, octets: far more than that many hosts take.
MAX_FILE_OCTETS = 64 * 1024
# A file under way.
_PART = ".part"
# UDP ports are numbers of 16 bits.
_MAX_OFFSET = 65535


@dataclass(frozen=True, slots=True)
class UdptlWay:
    """The port from which a host sends UDPTL, if it differs from the signalled one."""

    offset: int = 0  # to the signalled port
    beside_audio: bool = False  # to our port of the audio

    @property
    def odd(self) -> bool:
        """Whether it differs from the usual way."""
        return self != UdptlWay()


class TrunkMemory:
    """Of one trunk, in ``file``; None keeps it for the life of this object only.

    Belongs to ``server``: what was learned of another one is forgotten.  On one event loop; ``clock`` is the
    time of day, seconds.
    """

    def __init__(self, server: str, file: Path | None = None, clock: Callable[[], float] = time.time) -> None:
        self._server = server
        self._file = file
        self._clock = clock
        self._no_offers_until = 0.0
        self.udptl_ways: dict[str, UdptlWay] = {}  # by host, the oldest first
        self._saves = 0
        self._written = 0
        self._writing = threading.Lock()
        if file is not None:
            self._read(file)

    @property
    def offers_rest(self) -> bool:
        """Whether T.38 is not to be offered now.  A clock that was set back ends it."""
        return 0 < self._no_offers_until - self._clock() <= NO_OFFERS_S

    def offer_failed(self) -> None:
        """Our offer of T.38 got no proper answer, or ended the call."""
        self._no_offers_until = self._clock() + NO_OFFERS_S
        self._save()

    def learn_udptl(self, host: str, way: UdptlWay) -> None:
        """How a host sent its UDPTL; the newest hosts are kept."""
        if self.udptl_ways.get(host, UdptlWay()) == way:
            return
        self.udptl_ways.pop(host, None)
        if way.odd:
            self.udptl_ways[host] = way
            if len(self.udptl_ways) > MAX_UDPTL_WAYS:
                del self.udptl_ways[next(iter(self.udptl_ways))]
        self._save()

    def _save(self) -> None:
        """Written by a thread: calls do not wait for the disk."""
        if self._file is None:
            return
        self._saves += 1
        document = {
            "server": self._server,
            "no_offers_until": self._no_offers_until,
            "udptl_ways": {host: asdict(way) for host, way in self.udptl_ways.items()},
        }
        asyncio.get_running_loop().run_in_executor(None, self._write, self._file, self._saves, document)

    def _write(self, file: Path, number: int, document: dict[str, Any]) -> None:
        with self._writing:
            if number < self._written:
                return  # a later one was quicker
            self._written = number
            try:
                file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                part = file.with_suffix(_PART)
                part.write_text(json.dumps(document))
                part.replace(file)  # not synced: what a power cut loses is learned again
            except OSError as error:
                _log.warning("what was learned of %s could not be kept: %s", self._server, error)

    def _read(self, file: Path) -> None:
        """Reads the file; a missing or damaged one, or that of another server, means that nothing is
        known.
        """
        try:
            with file.open("rb") as opened:
                found = json.loads(opened.read(MAX_FILE_OCTETS))
            if found["server"] != self._server:
                return
            until = float(found["no_offers_until"])
            ways = {str(host): _way(kept) for host, kept in list(found["udptl_ways"].items())}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            if not isinstance(error, FileNotFoundError):
                _log.warning("what was learned of %s is not known any more: %s", self._server, error)
            return
        self._no_offers_until = until
        self.udptl_ways = dict(list(ways.items())[-MAX_UDPTL_WAYS:])


def _way(kept: dict[str, Any]) -> UdptlWay:
    """The stored way of a host.  Raises ValueError for an invalid one."""
    offset, beside_audio = kept["offset"], kept["beside_audio"]
    if type(offset) is not int or abs(offset) > _MAX_OFFSET or type(beside_audio) is not bool:
        raise ValueError("a way that no host has")
    return UdptlWay(offset, beside_audio)
