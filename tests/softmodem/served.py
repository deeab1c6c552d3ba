"""The exchange in a separate thread, for asyncio drivers that open real ports."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.softmodem.exchange import Exchange
from tests.softmodem.library import TICK_S
from tests.softmodem.pty import LiveWorld, PtyPort
from tests.softmodem.stations import SoftModem, Station


class ServedExchange:
    """Ticks in a thread; everything that touches the exchange goes through ``do``."""

    def __init__(self, speed: float) -> None:
        self.exchange = Exchange()
        self.world = LiveWorld(self.exchange, speed)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="exchange", daemon=True)
        self.failure: BaseException | None = None

    def do(self, action: Callable[[], object]) -> None:
        with self._lock:
            action()

    def plug_in(self, link: Path, number: str, modem: SoftModem | None = None) -> PtyPort:
        """A modem on a new pseudo-terminal, found at ``link``."""
        with self._lock:
            port = self.world.program(number, modem)
        with contextlib.suppress(FileNotFoundError):
            link.unlink()
        link.symlink_to(port.path)
        os.chmod(port.path, 0o660)
        return port

    def pull_out(self, port: PtyPort, number: str, link: Path) -> None:
        """The USB plug is pulled: the device node goes, the line is cut."""
        with self._lock:
            self.exchange.disconnect(number)
            port.unplug()
        link.unlink()

    def connect(self, number: str, station: Station) -> None:
        self.do(lambda: self.exchange.connect(number, station))

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(60)
        self.world.close()
        if self.failure is not None:
            raise self.failure

    def _run(self) -> None:
        due = time.monotonic()
        try:
            while not self._stop.is_set():
                with self._lock:
                    self.world.tick()
                    owed = any(port.owes for port in self.world.ports)
                now = time.monotonic()
                due = max(due + TICK_S / (1.0 if owed else self.world.speed), now - 0.05)
                time.sleep(max(due - now, 0.0002))
        except BaseException as error:
            self.failure = error


@contextmanager
def served(speed: float = 15.0) -> Iterator[ServedExchange]:
    exchange = ServedExchange(speed)
    exchange.start()
    try:
        yield exchange
    finally:
        exchange.stop()
