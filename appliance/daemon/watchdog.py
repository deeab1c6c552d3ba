"""Proofs of life: the spool answers, HTTP answers, the process that carries the calls speaks.

Each proof runs in a thread of its own, so that one that hangs holds nothing up; it hangs alone, and its
last success grows old.  That the dispatcher's loop turns is proved by whoever asks ``missing`` on it.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from appliance.box import Box
from appliance.exchange.remote import SILENCE_S, Exchange
from appliance.net.settings import ADDRESS_FILE
from appliance.spool import events
from appliance.spool.errors import SpoolFailedError

_log = logging.getLogger(__name__)

# A proof is tried this often, seconds.
EVERY_S = 10.0
# A proof that last succeeded longer ago has failed, seconds: a card stalls for half a minute at times, and
# every thread of HTTP may have a client that trickles.
LIMIT_S = 80.0
# What one answer may take, seconds.
ANSWER_S = 60.0

Proof = Callable[[], None]


class Watchdog:
    """Runs the proofs, each a function that returns when its part lives and raises, or hangs, when not."""

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
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ends the threads that still answer."""
        self._stop.set()

    def missing(self) -> list[str]:
        """The parts that have not proved within the limit that they live."""
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
    """Those of a running box."""

    def calls() -> None:
        silent = time.monotonic() - exchange.heard_at
        if silent > SILENCE_S:
            raise TimeoutError(f"silent for {silent:.0f} s")

    return {
        "the spool": lambda: _spool_answers(box),
        "HTTP": lambda: _http_answers(box.data),
        "the calls": calls,
    }


def _spool_answers(box: Box) -> None:
    """Reads, and goes through the writer.  A disk that refuses is told of elsewhere; no restart mends it."""
    box.spool.read(events.last_id)
    with contextlib.suppress(SpoolFailedError):
        box.spool.do(lambda _: None)


def _http_answers(data: Path) -> None:
    """Any answer is a proof, a refusal as well.  A box without HTTP has nothing to prove."""
    try:
        url = urlsplit(json.loads((data / ADDRESS_FILE).read_text(encoding="utf-8"))["url"])
    except FileNotFoundError:
        return
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(url.hostname or "", url.hostname or "127.0.0.1")
    connection = http.client.HTTPConnection(host, url.port or 80, timeout=ANSWER_S)
    try:
        connection.request("GET", "/api/v1/health")
        connection.getresponse().read()
    finally:
        connection.close()
