"""Whole calls in virtual time: our driver on a soft modem, and spandsp's fax machine or a second driver."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from appliance.lines.modem.dialling import DialRules
from appliance.lines.modem.fax import ModemCall, ModemFax
from appliance.lines.modem.identify import Modem
from appliance.t4.page import CodedPage, Raster
from appliance.t30.memory import MemoryPages, MemoryStore, RefusingStore
from appliance.t30.parameters import CallParameters, CallResult, Capabilities, Progress, Role
from tests.softmodem.exchange import Exchange, Impairment
from tests.softmodem.fixtures import tiff_rasters, write_tiff_g4
from tests.softmodem.stations import FaxMachine, SoftModem
from tests.softmodem.world import Cable, Link, World

OURS, THEIRS = "1", "2"
LIMIT_S = 600.0


@dataclass
class Outcome:
    """How a call went: our result, the machine's words, what arrived, and the account of it."""

    result: CallResult | None
    words: str
    pages: list[tuple[int, int, bytes]] | list[Raster]
    account: list[Progress] = field(default_factory=list)
    line_s: float = 0.0

    @property
    def code(self) -> str:
        return "none" if self.result is None else self.result.cause.code

    def story(self) -> str:
        """The account as text, for a failing test."""
        return "\n".join(
            f"{p.at:8.2f} {p.event} " + " ".join(f"{k}={v}" for k, v in p.fields) for p in self.account
        )


class Watcher:
    """Collects progress."""

    def __init__(self) -> None:
        self.account: list[Progress] = []

    def __call__(self, progress: Progress) -> None:
        self.account.append(progress)

    def commands(self) -> list[str]:
        """What was said to the modem."""
        return [
            str(dict(p.fields)["text"])
            for p in self.account
            if p.event == "modem" and dict(p.fields)["way"] == "to"
        ]


def place(
    pages: Sequence[Raster | CodedPage],
    machine: FaxMachine | None,
    received: Path | None = None,
    *,
    capabilities: Capabilities | None = None,
    modem: Modem | None = None,
    soft_modem: SoftModem | None = None,
    cable: Cable | None = None,
    impair: dict[tuple[str, str], Impairment] | None = None,
    exchange: Exchange | None = None,
    number: str = THEIRS,
    during: Callable[[World, Link, ModemFax], bool] = lambda _w, _l, _f: False,
    stalled: Callable[[float, SoftModem], bool] = lambda _now, _modem: False,
) -> Outcome:
    """Our driver dials ``number`` and sends; ``machine`` (when there is one) is the called party."""
    exchange = exchange or Exchange()
    exchange.impair.update(impair or {})
    world = World(exchange)
    watcher = Watcher()
    fax = ModemFax(
        CallParameters(Role.CALLS, station_id="+49 30 1", capabilities=capabilities or Capabilities()),
        MemoryPages(pages),
        RefusingStore(),
        ModemCall(modem=modem or Modem(), rules=DialRules(), number=number, ring_s=30.0),
        progress=watcher,
    )
    link = world.link(OURS, fax, cable, soft_modem)
    link.stalled = stalled
    if machine is not None:
        exchange.connect(THEIRS, machine)
    fax.start(world.now)
    stop = [False]
    ended: list[float | None] = [None]

    def over() -> bool:
        stop[0] = stop[0] or during(world, link, fax)
        if fax.result is not None and ended[0] is None:
            ended[0] = world.now
        # A modem that was left off hook keeps the far machine for ever.
        over = machine is None or machine.status is not None or world.now - (ended[0] or world.now) > 10
        return stop[0] or (fax.result is not None and over)

    try:
        line_s = world.run(over, LIMIT_S)
        world.run_for(0.5)
    finally:
        if machine is not None:
            machine.close()
        link.modem.close()
    words = machine.words if machine is not None else ""
    arrived = tiff_rasters(received) if received is not None and received.exists() else []
    return Outcome(fax.result, words, arrived, watcher.account, line_s)


def take(
    pages: list[Raster],
    tiff: Path,
    *,
    ecm: bool = True,
    modems: int = 7,
    compressions: int = 14,
    capabilities: Capabilities | None = None,
    modem: Modem | None = None,
    soft_modem: SoftModem | None = None,
    cable: Cable | None = None,
    impair: dict[tuple[str, str], Impairment] | None = None,
) -> Outcome:
    """spandsp's machine calls and sends; our driver answers on the first ring."""
    write_tiff_g4(tiff, pages)
    exchange = Exchange(impair=dict(impair or {}))
    world = World(exchange)
    watcher, store = Watcher(), MemoryStore()
    fax = ModemFax(
        CallParameters(Role.ANSWERS, station_id="+49 30 1", capabilities=capabilities or Capabilities()),
        MemoryPages([]),
        store,
        ModemCall(modem=modem or Modem()),
        progress=watcher,
    )
    link = world.link(OURS, fax, cable, soft_modem)
    machine = FaxMachine(calls=OURS, send=tiff, ecm=ecm, modems=modems, compressions=compressions)
    exchange.connect(THEIRS, machine)
    while b"RING" not in link.modem.output:
        exchange.tick()
    world.now = exchange.now
    fax.start(world.now)
    try:
        line_s = world.run(lambda: fax.result is not None and machine.status is not None, LIMIT_S)
    finally:
        machine.close()
        link.modem.close()
    return Outcome(fax.result, machine.words, store.rasters(), watcher.account, line_s)
