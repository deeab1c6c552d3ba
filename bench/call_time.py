"""Seconds from answer to hang-up for the charts, of our engine and spandsp, over the same simulated line."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from appliance.lines.practice.abilities import Abilities
from appliance.lines.practice.machine import MachineSettings, PracticeMachine
from appliance.lines.practice.network import Impairment
from appliance.t4.page import CodedPage
from appliance.t30.memory import MemoryPages, MemoryStore
from appliance.t30.parameters import CallParameters, Role
from appliance.t38.fax import T38Fax
from appliance.t38.settings import T38Settings
from bench.minimum import minimum_s
from tests.virtual_line import Endpoint, VirtualLine

LIMIT_S = 3600.0
# The line of every pair: 20 ms each way, no loss.
LINE = Impairment(delay_s=0.02)


@dataclass(frozen=True, slots=True)
class Timing:
    """One call: ``seconds`` on the line, ``cpu_s`` of this process for both ends."""

    who: str
    seconds: float
    cpu_s: float


@dataclass(frozen=True, slots=True)
class _End:
    """One end of a call; ``close`` releases its resources."""

    endpoint: Endpoint
    over: Callable[[], bool]
    bye: Callable[[float], None]
    close: Callable[[], None]


def measure(pages: Sequence[CodedPage], tiff: Path, folder: Path) -> tuple[float, list[Timing]]:
    """The minimum in seconds, and the timings of calls between all pairs of our engine and spandsp.

    Our engine calls with nominal and with quick times.
    """
    timings = [
        _call("ours to ours", _our_sender(pages), _our_receiver()),
        _call("ours to ours, quick", _our_sender(pages, quick=True), _our_receiver(quick=True)),
        _call("ours to spandsp", _our_sender(pages), _spandsp(False, None, folder / "1.tif")),
        _call(
            "ours to spandsp, quick", _our_sender(pages, quick=True), _spandsp(False, None, folder / "3.tif")
        ),
        _call("spandsp to ours", _spandsp(True, tiff, None), _our_receiver()),
        _call("spandsp to spandsp", _spandsp(True, tiff, None), _spandsp(False, None, folder / "2.tif")),
    ]
    return minimum_s(pages), timings


def simulated_call(pages: Sequence[CodedPage]) -> float:
    """Simulates one call between two ends of ours; returns its seconds on the line."""
    return _call("ours to ours", _our_sender(pages), _our_receiver()).seconds


def _call(who: str, calling: _End, answering: _End) -> Timing:
    begun = time.process_time()
    line = VirtualLine(
        calling.endpoint,
        answering.endpoint,
        a_over=calling.over,
        b_over=answering.over,
        a_to_b=LINE,
        b_to_a=LINE,
        bye=lambda end, now: (calling if end is calling.endpoint else answering).bye(now),
    )
    seconds = line.run(LIMIT_S)
    cpu_s = time.process_time() - begun
    calling.close()
    answering.close()
    return Timing(who, seconds, cpu_s)


def _ours(parameters: CallParameters, pages: Sequence[CodedPage]) -> _End:
    fax = T38Fax(parameters, MemoryPages(list(pages)), MemoryStore(), T38Settings())

    def close() -> None:
        if fax.result is None or fax.result.cause.code not in ("delivered", "received"):
            raise RuntimeError(f"the measured call failed: {fax.result}")

    return _End(fax, lambda: fax.result is not None, fax.hang_up, close)


def _our_sender(pages: Sequence[CodedPage], *, quick: bool = False) -> _End:
    return _ours(CallParameters(Role.CALLS, station_id="+49 30 1", quick=quick), pages)


def _our_receiver(*, quick: bool = False) -> _End:
    return _ours(CallParameters(Role.ANSWERS, station_id="+49 30 2", quick=quick), [])


def _spandsp(calls: bool, send: Path | None, receive: Path | None) -> _End:
    machine = PracticeMachine(MachineSettings(Abilities(calls=calls, send=send, receive=receive)))

    def close() -> None:
        machine.close()
        if machine.result is None or not machine.result.ok:
            raise RuntimeError(f"the measured call failed: {machine.result}")

    return _End(machine, lambda: machine.hung_up, machine.peer_hung_up, close)
