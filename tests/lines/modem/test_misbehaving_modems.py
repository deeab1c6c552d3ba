"""Modems that misbehave as real ones do: with their row of the table a fax goes through both ways, and
one that cannot be helped ends the call within a bound and by its right name."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from appliance.lines.line import OutgoingCall, Refuse
from appliance.lines.modem import causes
from appliance.lines.modem.identify import Interrogation, Modem
from appliance.lines.modem.line import ModemLine
from appliance.lines.modem.opening import ModemSettings
from appliance.lines.modem.quirks import Quirks
from appliance.t30.memory import MemoryOwner
from appliance.t30.parameters import CallParameters, Role
from tests.softmodem import quirky
from tests.softmodem.calls import place, take
from tests.softmodem.exchange import Exchange
from tests.softmodem.fixtures import differing, sample_page, tiff_rasters
from tests.softmodem.served import served
from tests.softmodem.stations import FaxMachine
from tests.softmodem.world import World

PAGES = [sample_page(61), sample_page(62, rows=240)]


@dataclass(frozen=True)
class Case:
    """``adjust``: what an owner lays over the row, for behaviours that no maker's name goes with.

    ``sends`` and ``receives``: how the call ends each way.
    """

    modem: type[quirky.Quirky]
    adjust: Quirks | None = None
    sends: str = "delivered"
    receives: str = "received"


T31 = Quirks()
CASES = [
    Case(quirky.Quirky),
    Case(quirky.ResetsOnFrs),
    Case(quirky.ForgetsFlowControl),
    Case(quirky.ConnectBeforeTraining),
    Case(quirky.ConnectOnAnyCarrier),
    Case(quirky.FcerrorTwice),
    Case(quirky.ErrorForFcerror),
    Case(quirky.LiesAboutV17),
    Case(quirky.NoOkAfterCan),
    Case(quirky.LateOkAfterCan, replace(T31, abort_ms=700)),
    Case(quirky.BareDle, replace(T31, bare_dle=True)),
    Case(quirky.EscapesFlowOctets),
    Case(quirky.DoubleConnect),
    Case(quirky.ConnectBehindPreamble),
    Case(quirky.EchoesForEver),
    Case(quirky.SaysOkToEverything),
    Case(quirky.RefusesWhatItCan),
    Case(quirky.KnowsNoSilence),
    Case(quirky.WrongFcs, replace(T31, trust_modem_fcs=True)),
    Case(quirky.LosesTheEnd),
    Case(quirky.SlowToAnswer),
    Case(quirky.LeftInReception),
    Case(quirky.RingsDuringSetUp, sends="line_full"),  # dialling would take the call
    Case(quirky.Quirky, replace(T31, ecm_frame_octets=64)),
    Case(quirky.SilentOnFtm, sends="modem_silent"),
    Case(quirky.StopsReading, sends="modem_silent"),
    Case(quirky.CarriersOnly, sends="fax_not_understood", receives="no_sender_heard"),
]
NAMES = [case.modem.__name__ for case in CASES]


def identify(case: Case) -> Modem:
    """The modem as our own interrogation finds it."""
    exchange = Exchange()
    world = World(exchange)
    asked = Interrogation(adjust=lambda q: case.adjust or q)
    world.link("1", asked, modem=case.modem())
    asked.start(world.now)
    world.run(lambda: asked.done, 90)
    assert asked.result is not None, asked.failed
    return asked.result


# What goes wrong when such a modem is treated as T.31 has it: the rows are there for a reason.
NEEDS_ITS_ROW = [
    quirky.ResetsOnFrs,
    quirky.ForgetsFlowControl,
    quirky.ConnectBeforeTraining,
    quirky.WrongFcs,
]


@pytest.mark.parametrize("modem", NEEDS_ITS_ROW)
def test_without_its_row_of_quirks_the_modem_loses_pages(tmp_path: Path, modem: type[quirky.Quirky]) -> None:
    received = tmp_path / "received.tif"
    machine = FaxMachine(receive=received, ecm=False)
    got = place(PAGES, machine, received, modem=Modem(), soft_modem=modem())
    whole = len(got.pages) == 2 and not any(map(differing, PAGES, got.pages))
    assert got.code != "delivered" or not whole, got.story()


@pytest.mark.parametrize("ecm", [True, False], ids=["ecm", "plain"])
def test_a_connect_behind_the_preamble_costs_no_further_flags(tmp_path: Path, ecm: bool) -> None:
    """It is no round trip: taken for one, each burst of several frames had two seconds of flags too many."""
    took = []
    for modem in (quirky.Quirky(), quirky.ConnectBehindPreamble()):
        received = tmp_path / "received.tif"
        got = place(PAGES, FaxMachine(receive=received, ecm=ecm), received, soft_modem=modem)
        assert got.code == "delivered", got.story()
        took.append(got.line_s)
    assert took[1] - took[0] < quirky.ConnectBehindPreamble.BEHIND_S


# All of them on pseudo-terminals under FAXBOX_SWEEP=1, else a few: real time is what they take.
ON_PTY = (
    CASES
    if os.environ.get("FAXBOX_SWEEP") == "1"
    else [
        case
        for case in CASES
        if case.modem in (quirky.ResetsOnFrs, quirky.LeftInReception, quirky.DoubleConnect)
    ]
)


def test_misbehaving_modems_on_several_ports_send_at_once(tmp_path: Path) -> None:
    async def one(number: int, case: Case) -> str:
        adjust = case.adjust
        line = ModemLine(
            case.modem.__name__,
            ModemSettings(port=str(tmp_path / f"modem{number}"), adjust=lambda q: adjust or q),
        )
        await line.start(lambda _: Refuse(causes.SHARED_LINE))
        assert await line.wait_usable(90), line.state()
        call = OutgoingCall(f"2{number}", CallParameters(Role.CALLS))
        result = await line.place(call, MemoryOwner(PAGES))
        await line.stop()
        return result.cause.code

    async def everyone() -> list[str]:
        return await asyncio.gather(*(one(number, case) for number, case in enumerate(ON_PTY)))

    machines = []
    with served(6.0) as exchange:
        for number, case in enumerate(ON_PTY):
            exchange.plug_in(tmp_path / f"modem{number}", f"1{number}", case.modem())
            machines.append(FaxMachine(receive=tmp_path / f"received{number}.tif"))
            exchange.connect(f"2{number}", machines[-1])
        codes = asyncio.run(everyone())
        for machine in machines:
            exchange.do(machine.close)
    assert dict(zip([c.modem.__name__ for c in ON_PTY], codes, strict=True)) == {
        case.modem.__name__: case.sends for case in ON_PTY
    }
    for number, case in enumerate(ON_PTY):
        if case.sends == "delivered":
            arrived = tiff_rasters(tmp_path / f"received{number}.tif")
            assert [differing(a, b) for a, b in zip(PAGES, arrived, strict=True)] == [0, 0]


@pytest.mark.parametrize("ecm", [True, False], ids=["ecm", "plain"])
@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_a_misbehaving_modem_sends_as_its_case_says(tmp_path: Path, case: Case, ecm: bool) -> None:
    received = tmp_path / "received.tif"
    machine = FaxMachine(receive=received, ecm=ecm)
    got = place(PAGES, machine, received, modem=identify(case), soft_modem=case.modem())
    assert got.code == case.sends, got.story()
    assert got.line_s < 150
    if got.code == "delivered":
        assert [differing(a, b) for a, b in zip(PAGES, got.pages, strict=True)] == [0, 0]


@pytest.mark.parametrize("ecm", [True, False], ids=["ecm", "plain"])
@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_a_misbehaving_modem_receives_as_its_case_says(tmp_path: Path, case: Case, ecm: bool) -> None:
    got = take(PAGES, tmp_path / "sent.tif", ecm=ecm, modem=identify(case), soft_modem=case.modem())
    assert got.code == case.receives, got.story()
    if got.code == "received":
        assert [differing(a, b) for a, b in zip(PAGES, got.pages, strict=True)] == [0, 0]
