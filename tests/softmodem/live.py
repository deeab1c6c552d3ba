"""Whole calls between our driver and a program of its own on another soft modem."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

from appliance.lines.modem.fax import ModemCall, ModemFax
from appliance.t4.page import Raster
from appliance.t30.memory import MemoryPages, MemoryStore, RefusingStore
from appliance.t30.parameters import CallParameters, CallResult, Capabilities, Progress, Role
from tests.softmodem.calls import Watcher
from tests.softmodem.exchange import Exchange
from tests.softmodem.pty import LiveWorld
from tests.softmodem.stations import CallEvent

OURS, THEIRS = "1", "2"
Program = Callable[[str], "subprocess.Popen[bytes]"]


@dataclass
class LiveOutcome:
    result: CallResult | None
    exit_code: int | None
    account: list[Progress]
    pages: list[Raster]

    def story(self) -> str:
        return "\n".join(
            f"{p.at:8.2f} {p.event} " + " ".join(f"{k}={v}" for k, v in p.fields) for p in self.account
        )


class AnsweringDriver:
    """Our driver behind a modem that rings: it starts with the first RING."""

    def __init__(self, fax: ModemFax) -> None:
        self._fax = fax
        self._started = False

    def receive_bytes(self, data: bytes, now: float) -> None:
        if self._started:
            self._fax.receive_bytes(data, now)
        elif b"RING" in data:
            self._started = True
            self._fax.start(now)

    def take_bytes(self, limit: int) -> bytes:
        return self._fax.take_bytes(limit) if self._started else b""

    def next_deadline(self) -> float | None:
        return self._fax.next_deadline() if self._started else None

    def handle_timer(self, now: float) -> None:
        self._fax.handle_timer(now)


def end(process: subprocess.Popen[bytes] | None) -> None:
    """Ends a program that this test started."""
    if process is not None and process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
        if process.poll() is None:
            process.kill()
            process.wait()


def send_to(
    program: Program,
    pages: list[Raster],
    *,
    capabilities: Capabilities | None = None,
    speed: float = 10.0,
    limit_s: float = 240.0,
    ready: Callable[[], bool] | None = None,
    stays_until: Callable[[], bool] | None = None,
    standstill_s: float = 0.0,
) -> LiveOutcome:
    """Our driver calls.  The program is started on its port by the first ring, or beforehand with ``ready``
    telling when it may be called.  ``stays_until``: it does not end with the call, but has then stored it."""
    world = LiveWorld(Exchange(), speed)
    port = world.program(THEIRS, standstill_s=standstill_s)
    watcher = Watcher()
    fax = ModemFax(
        CallParameters(Role.CALLS, station_id="+49 30 1", capabilities=capabilities or Capabilities()),
        MemoryPages(pages),
        RefusingStore(),
        ModemCall(number=THEIRS),
        progress=watcher,
    )
    world.driver(OURS, fax)
    process: subprocess.Popen[bytes] | None = None
    ring = port.modem.event

    def event(what: CallEvent, caller: str = "") -> None:
        nonlocal process
        if process is None:
            process = program(port.path)
        ring(what, caller)

    try:
        if ready is not None:
            process = program(port.path)
            world.run_live(ready, limit_s)
        else:
            port.modem.event = event  # type: ignore[method-assign]
        fax.start(world.now)
        world.run_live(
            lambda: (
                fax.result is not None
                and process is not None
                and (process.poll() is not None if stays_until is None else stays_until())
            ),
            limit_s,
        )
    finally:
        if stays_until is not None and process is not None:
            process.kill()
        end(process)
        world.close()
    code = None if process is None else process.poll()
    return LiveOutcome(fax.result, code, watcher.account, [])


def receive_from(
    program: Program,
    *,
    capabilities: Capabilities | None = None,
    speed: float = 10.0,
    limit_s: float = 240.0,
    standstill_s: float = 0.0,
) -> LiveOutcome:
    """The program calls, our driver answers."""
    world = LiveWorld(Exchange(), speed)
    port = world.program(THEIRS, standstill_s=standstill_s)
    watcher, store = Watcher(), MemoryStore()
    fax = ModemFax(
        CallParameters(Role.ANSWERS, station_id="+49 30 1", capabilities=capabilities or Capabilities()),
        MemoryPages([]),
        store,
        ModemCall(),
        progress=watcher,
    )
    world.driver(OURS, AnsweringDriver(fax))
    process = program(port.path)
    try:
        world.run_live(lambda: fax.result is not None and process.poll() is not None, limit_s)
    finally:
        end(process)
        world.close()
    return LiveOutcome(fax.result, process.poll(), watcher.account, store.rasters())
