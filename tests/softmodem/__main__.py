"""Two soft modems and a fax machine on an exchange, for use without hardware.

``python -m tests.softmodem DIR`` makes DIR/modem1 (number 1) and DIR/modem2 (number 2), ports for any
class-1 program, and a fax machine at number 9, whose pages come into DIR/received-N.tif.  Ctrl-C ends it.
For development: spandsp's T.31 must not face a real telephone line.
"""

from __future__ import annotations

import argparse
import contextlib
import time
from pathlib import Path

from tests.softmodem.served import ServedExchange, served
from tests.softmodem.stations import FaxMachine

MACHINE = "9"


def serve(directory: Path, speed: float, seconds: float | None) -> None:
    """Runs the exchange for some seconds, or until interrupted."""
    directory.mkdir(parents=True, exist_ok=True)
    with served(speed) as exchange:
        for number in ("1", "2"):
            port = directory / f"modem{number}"
            exchange.plug_in(port, number)
            print(f"number {number}: {port}", flush=True)
        until = None if seconds is None else time.monotonic() + seconds
        received = 0
        machine = _machine(exchange, directory, received)
        print(f"number {MACHINE}: a fax machine", flush=True)
        while until is None or time.monotonic() < until:
            time.sleep(0.2)
            if machine.status is not None:
                print(f"number {MACHINE}: {machine.words}", flush=True)
                exchange.do(lambda: exchange.exchange.disconnect(MACHINE))
                exchange.do(machine.close)
                received += 1
                machine = _machine(exchange, directory, received)
        exchange.do(machine.close)


def _machine(exchange: ServedExchange, directory: Path, number: int) -> FaxMachine:
    machine = FaxMachine(receive=directory / f"received-{number}.tif")
    exchange.connect(MACHINE, machine)
    return machine


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--speed", type=float, default=1.0, help="how much faster than a real line")
    parser.add_argument("--seconds", type=float, default=None)
    arguments = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        serve(arguments.directory, arguments.speed, arguments.seconds)
