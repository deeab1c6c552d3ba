"""Liveness checks: the spool answers, HTTP answers, the process that carries the calls sends messages.

Each check runs in a thread of its own, so that one that hangs does not delay the others; its last success
just gets older.  Calling ``missing`` on the dispatcher's loop shows that the loop runs.
"""

from __future__ import annotations

import contextlib
import http.client
import logging
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from appliance.box import Box
from appliance.exchange.remote import SILENCE_S, Exchange
from appliance.net import own_address
from appliance.spool import events
from appliance.spool.errors import SpoolFailedError

_log = logging.getLogger(__name__)

# Interval of the checks, seconds.
EVERY_S = 10.0
# A check has failed when its last success is longer ago, seconds: a card may stall for half a minute, and
# every thread of HTTP may be busy with a slow client.
LIMIT_S = 80.0
# Limit for one answer, seconds.
ANSWER_S = 60.0

Proof = Callable[[], None]


class ServiceWatchdog:
    """Runs the checks, each a function that returns when its part responds, and raises or hangs otherwise."""

    def __init__(
        self, proofs: Mapping[str, Proof], *, every_s: float = EVERY_S, limit_s: float = LIMIT_S
    ) -> None:
        self._every_s = every_s
        self._limit_s = limit_s
        self._stop = threading.Event()
        now = time.monotonic()
        self._proved = dict.fromkeys(proofs, now)
        self._threads = [
            threading.Thread(target=self._run, args=each, name=f"proof {each[0]}", daemon=True)
            for each in proofs.items()
        ]

    def start(self) -> None:
        """Starts its threads."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ends the threads that do not hang."""
        self._stop.set()

    def missing(self) -> list[str]:
        """Names of the parts whose last success is older than ``LIMIT_S``."""
        since = time.monotonic() - self._limit_s
        return [name for name, at in self._proved.items() if at < since]

    def _run(self, name: str, proof: Proof) -> None:
        while not self._stop.wait(self._every_s):
            try:
                proof()
            except Exception as error:
                _log.warning("no proof of life of %s: %s", name, error)
            else:
                self._proved[name] = time.monotonic()


def proofs_of(box: Box, exchange: Exchange) -> dict[str, Proof]:
    """The checks of a running box, by part."""

    def calls() -> None:
        silent = time.monotonic() - exchange.last_message_at
        if silent > SILENCE_S:
            raise TimeoutError(f"silent for {silent:.0f} s")

    return {
        "the spool": lambda: _spool_answers(box),
        "HTTP": lambda: _http_answers(box.data),
        "the calls": calls,
    }


def _spool_answers(box: Box) -> None:
    """Reads, and uses the writer.  A disk that refuses writing is reported elsewhere: no restart helps."""
    box.spool.read(events.last_id)
    with contextlib.suppress(SpoolFailedError):
        box.spool.do(lambda _: None)


def _http_answers(data: Path) -> None:
    """Passes with any answer, a refusal as well, and for a box without HTTP."""
    address = own_address.read(data)
    if address is None:
        return
    connection = http.client.HTTPConnection(address.host, address.port, timeout=ANSWER_S)
    try:
        connection.request("GET", "/api/v1/health")
        connection.getresponse().read()
    finally:
        connection.close()
