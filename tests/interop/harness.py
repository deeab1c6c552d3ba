"""Our T.38 endpoint and the practice machine on a simulated line: one call, both ends' accounts of it."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from PIL import Image

from appliance.lines.practice.abilities import Abilities, Compressions, Manners, Modems
from appliance.lines.practice.faults import Faults
from appliance.lines.practice.machine import MachineResult, MachineSettings, PracticeMachine
from appliance.lines.practice.network import Impairment
from appliance.t4.page import Coding, Raster, Resolution
from appliance.t4.tiff import write_tiff
from appliance.t30.dce import Modulation
from appliance.t30.memory import MemoryPages, MemoryStore, Pages
from appliance.t30.parameters import CallParameters, CallResult, Progress, Role
from appliance.t38.fax import T38Fax
from appliance.t38.settings import ErrorCorrection, T38Settings
from tests.interop.error_recovery import ProtectedReceiver, ProtectedSender, Protection, Repair
from tests.virtual_line import Endpoint, Tap, VirtualLine

LIMIT_S = 3 * 3600.0  # of line time

PROTECTIONS = {
    ErrorCorrection.NONE: Protection(Repair.NONE),
    ErrorCorrection.REDUNDANCY: Protection(Repair.REDUNDANCY, 3),
    ErrorCorrection.FEC: Protection(Repair.FEC, 3, 3),
}
MODEMS = {Modulation.V17: Modems.V17, Modulation.V29: Modems.V29, Modulation.V27TER: Modems.V27TER}
COMPRESSIONS = {Coding.MH: Compressions.MH, Coding.MR: Compressions.MR, Coding.MMR: Compressions.MMR}


def drawn_page(
    number: int, rows: int = 300, resolution: Resolution = Resolution.FINE, width: int = 1728
) -> Raster:
    """A page of strokes, the same for the same number, different for each."""
    chance = random.Random(number)
    octets = (width + 7) // 8
    data = bytearray(octets * rows)
    for _ in range(rows // 3):
        row, left = chance.randrange(rows), chance.randrange(octets - 8)
        octets_long = chance.randrange(1, 8)
        stroke = bytes(chance.randrange(256) if chance.random() < 0.3 else 0xFF for _ in range(octets_long))
        for line in range(row, min(rows, row + chance.randrange(1, 10))):
            data[line * octets + left : line * octets + left + len(stroke)] = stroke
    if width % 8:
        for line in range(rows):
            data[line * octets + octets - 1] &= 0xFF << (8 - width % 8) & 0xFF
    return Raster(width, rows, bytes(data), resolution)


def noise_page(number: int, rows: int = 300, resolution: Resolution = Resolution.FINE) -> Raster:
    """A page that hardly compresses."""
    return Raster(1728, rows, random.Random(number).randbytes(216 * rows), resolution)


def tiff_rasters(path: Path) -> list[Raster]:
    """The pages of a TIFF as libtiff decodes them (Pillow): none of our own code in the judgement."""
    rasters = []
    with Image.open(path) as image:
        for page in range(image.n_frames):
            image.seek(page)
            inverted = bytes(octet ^ 0xFF for octet in image.convert("1").tobytes())
            rasters.append(Raster(image.width, image.height, inverted))
    return rasters


def different_pixels(ours: Raster, theirs: Raster) -> int:
    """Pixels that differ; all of them when the sizes do."""
    if (ours.width, ours.rows) != (theirs.width, theirs.rows):
        return max(ours.width * ours.rows, theirs.width * theirs.rows)
    mine, other = int.from_bytes(ours.data, "big"), int.from_bytes(theirs.data, "big")
    return (mine ^ other).bit_count()


def same_pages(sent: Sequence[Raster], received: Sequence[Raster]) -> bool:
    """Every page there, in order, without a differing pixel."""
    return len(sent) == len(received) and all(
        different_pixels(one, other) == 0 for one, other in zip(sent, received, strict=True)
    )


class Accent:
    """How a gateway may write down what its machine says; this one changes nothing."""

    def packets(self, ifp: bytes) -> list[bytes]:
        """What leaves instead of one IFP packet."""
        return [ifp]

    def datagram(self, data: bytes) -> bytes:
        """What leaves instead of one datagram."""
        return data


class LateMachine(PracticeMachine):
    """A practice machine that takes part ``late_s`` after the session began, and hears nothing before.

    What it says leaves with ``accent`` and ``protection``.
    """

    def __init__(
        self, settings: MachineSettings, protection: Protection, late_s: float, accent: Accent
    ) -> None:
        self._accent = accent
        super().__init__(settings)
        self._sender, self._receiver = ProtectedSender(protection), ProtectedReceiver()
        self._late_s = late_s
        self._there = False

    def take_datagrams(self) -> list[bytes]:
        return [self._accent.datagram(data) for data in super().take_datagrams()]

    def _emit(self, ifp: bytes, count: int) -> None:
        for packet in self._accent.packets(ifp):
            super()._emit(packet, count)

    def start(self, now: float) -> None:
        if not self._late_s:
            self._there = True
            super().start(now)

    def next_deadline(self) -> float | None:
        return super().next_deadline() if self._there else self._late_s

    def handle_timer(self, now: float) -> None:
        if self._there:
            super().handle_timer(now)
        elif now >= self._late_s:
            self._there = True
            super().start(now)

    def receive_datagram(self, data: bytes, now: float) -> None:
        if self._there:
            super().receive_datagram(data, now)


@dataclass
class Setup:
    """One call."""

    we_send: bool = True
    we_call: bool | None = None  # None: the sender calls
    pages: Sequence[Raster] = field(default_factory=lambda: [drawn_page(1)])
    manners: Manners = Manners.TERMINAL
    modulation: Modulation | None = None
    coding: Coding | None = None
    ecm: bool = True
    version: int = 0
    correction: ErrorCorrection = ErrorCorrection.REDUNDANCY
    ours: CallParameters | None = None  # changes to our side; role and ECM come from the above
    abilities: Abilities = field(default_factory=Abilities)
    faults: Faults = field(default_factory=Faults)
    there: Impairment = field(default_factory=Impairment)
    back: Impairment = field(default_factory=lambda: Impairment(seed=2))
    source: Pages | None = None
    t38: T38Settings | None = None
    tap: Tap | None = None
    interfere: Callable[[float, T38Fax, PracticeMachine], None] | None = None  # called after each moment
    store: MemoryStore | None = None
    document: Path | None = None  # what the machine sends, instead of ``pages``
    late_s: float = 0.0  # the machine takes part so long after the session began
    accent: Accent = field(default_factory=Accent)  # of what the machine says
    count_only: bool = False  # leave what arrived in its file

    def abilities_with(self, **changes: Any) -> Abilities:
        return replace(self.abilities, **changes)


@dataclass
class Outcome:
    """How both ends saw it."""

    result: CallResult
    machine: MachineResult
    received: list[Raster]
    seconds: float
    sent: int
    lost: int
    account: list[Progress]
    bits: int  # of UDPTL, both ways

    @property
    def agreed(self) -> str | None:
        """The last DCS in words."""
        for progress in reversed(self.account):
            if progress.event == "dcs":
                return str(dict(progress.fields)["settings"])
        return None

    def count(self, event: str) -> int:
        return sum(progress.event == event for progress in self.account)


def run(setup: Setup, folder: Path, name: str = "call") -> Outcome:
    """Runs the call in virtual time and gathers what both ends say and have."""
    we_call = setup.we_send if setup.we_call is None else setup.we_call
    out, into = folder / f"{name}-out.tif", folder / f"{name}-in.tif"
    abilities = replace(
        setup.abilities,
        calls=not we_call,
        ecm=setup.ecm and setup.abilities.ecm,
        t38_version=setup.version,
        modems=setup.abilities.modems if setup.modulation is None else MODEMS[setup.modulation],
        compressions=(
            setup.abilities.compressions
            if setup.coding is None
            else COMPRESSIONS[setup.coding] | Compressions.MH
        ),
    )
    if setup.we_send:
        abilities = replace(abilities, receive=into)
    else:
        if setup.document is None:
            write_tiff(out, setup.pages)
        abilities = replace(abilities, send=setup.document or out)
    machine = LateMachine(
        MachineSettings(abilities, setup.manners, setup.faults),
        PROTECTIONS[setup.correction],
        setup.late_s,
        setup.accent,
    )
    store = setup.store or MemoryStore()
    account: list[Progress] = []
    source = setup.source
    if source is None:
        source = MemoryPages(setup.pages if setup.we_send else [])
    fax = T38Fax(
        _parameters(setup, we_call=we_call),
        source,
        store,
        setup.t38 or T38Settings(version=setup.version, error_correction=setup.correction),
        progress=account.append,
    )
    bits = 0

    def tap(at: float, ours: bool, datagram: bytes) -> None:
        nonlocal bits
        bits += 8 * len(datagram)
        if setup.tap is not None:
            setup.tap(at, ours, datagram)

    def bye(end: Endpoint, now: float) -> None:
        if isinstance(end, PracticeMachine):
            end.peer_hung_up(now)
        else:
            assert isinstance(end, T38Fax)
            end.hang_up(now)

    line = VirtualLine(
        fax,
        machine,
        a_over=lambda: fax.result is not None,
        b_over=lambda: machine.hung_up,
        a_to_b=setup.there,
        b_to_a=setup.back,
        each_moment=None if setup.interfere is None else partial_interfere(setup.interfere, fax, machine),
        bye=bye,
        tap=tap,
    )
    try:
        seconds = line.run(LIMIT_S)
    finally:
        machine.close()
    assert fax.result is not None
    assert machine.result is not None
    if setup.count_only:
        received = []
    elif setup.we_send:
        received = tiff_rasters(into) if into.exists() and machine.result.statistics.pages_received else []
    else:
        received = store.rasters()
    return Outcome(fax.result, machine.result, received, seconds, line.sent, line.lost, account, bits)


def partial_interfere(
    interfere: Callable[[float, T38Fax, PracticeMachine], None], fax: T38Fax, machine: PracticeMachine
) -> Callable[[float], None]:
    return lambda now: interfere(now, fax, machine)


def _parameters(setup: Setup, *, we_call: bool) -> CallParameters:
    parameters = setup.ours or CallParameters(role=Role.CALLS, station_id="+49 30 1234")
    capabilities = parameters.capabilities
    if setup.modulation is not None:
        capabilities = replace(
            capabilities,
            carriers=frozenset(c for c in capabilities.carriers if c.modulation is setup.modulation),
        )
    if setup.coding is not None:
        capabilities = replace(capabilities, codings=frozenset({setup.coding, Coding.MH}))
    return replace(
        parameters,
        role=Role.CALLS if we_call else Role.ANSWERS,
        capabilities=replace(capabilities, ecm=setup.ecm and capabilities.ecm),
    )
