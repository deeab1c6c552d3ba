"""``Arrivals``: runs work in a thread of its own after each received fax."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable

from appliance.box import Box
from appliance.spool.errors import SpoolClosedError, SpoolFailedError
from appliance.spool.model import Event, TransientEvent

_log = logging.getLogger(__name__)

# Longest time between two runs, seconds, besides those after a fax.
LOOK_AROUND_S = 60.0
_ENDS = frozenset({"received.complete", "received.partial"})


class Arrivals:
    """A thread called ``name`` that runs ``work`` after each received fax and every ``LOOK_AROUND_S``.

    ``work`` should check ``stopping`` between two faxes.  ``what`` begins the log message when the database
    or the disk fails; the work is then tried again.
    """

    def __init__(self, box: Box, name: str, what: str, work: Callable[[], None]) -> None:
        self._box = box
        self._what = what
        self._work = work
        self._wake = threading.Event()
        self.stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Starts its thread."""
        self._box.spool.hub.call(self._heard)
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread, after the fax that it works on."""
        self.stopping.set()
        self._wake.set()
        self._thread.join()

    def _heard(self, item: Event | TransientEvent) -> None:
        if item.kind in _ENDS:
            self._wake.set()

    def _run(self) -> None:
        while not self.stopping.is_set():
            self._wake.clear()
            try:
                self._work()
            except SpoolClosedError:
                return
            except (sqlite3.Error, SpoolFailedError) as error:  # a failing disk must not end this thread
                _log.error("%s: %s", self._what, error)
            except Exception:  # nor a fault of the box
                _log.exception("%s", self._what)
            self._wake.wait(LOOK_AROUND_S)
