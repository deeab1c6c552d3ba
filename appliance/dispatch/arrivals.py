"""``Arrivals``: work that is done whenever a fax has come in, in a thread of its own."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable

from appliance.box import Box
from appliance.spool.errors import SpoolClosedError, SpoolFailedError
from appliance.spool.model import Event, News

_log = logging.getLogger(__name__)

# Looks for work at least so often, seconds, besides being woken.
LOOK_AROUND_S = 60.0
_ENDS = frozenset({"received.complete", "received.partial"})


class Arrivals:
    """``work`` looks at ``stopping`` between two faxes; ``name`` is the thread's.

    ``what``: said when the disk fails, "the … waits"; then it is tried again.
    """

    def __init__(self, box: Box, name: str, what: str, work: Callable[[], None]) -> None:
        self._box = box
        self._what = what
        self._work = work
        self._wake = threading.Event()
        self.stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._box.spool.hub.call(self._heard)
        self._thread.start()

    def stop(self) -> None:
        """Waits for what is in hand."""
        self.stopping.set()
        self._wake.set()
        self._thread.join()

    def _heard(self, item: Event | News) -> None:
        if item.kind in _ENDS:
            self._wake.set()

    def _run(self) -> None:
        while not self.stopping.is_set():
            self._wake.clear()
            try:
                self._work()
            except SpoolClosedError:
                return
            except (sqlite3.Error, SpoolFailedError) as error:  # the disk: it must not end this thread
                _log.error("%s: %s", self._what, error)
            self._wake.wait(LOOK_AROUND_S)
