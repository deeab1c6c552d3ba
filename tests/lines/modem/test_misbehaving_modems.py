"""Modems that misbehave as real ones do: with their row of the table a fax goes through both ways, and
one that cannot be helped ends the call within a bound and by its right name."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from appliance.lines.modem.identify import Interrogation, Modem
from appliance.lines.modem.quirks import Quirks
from tests.softmodem import quirky
from tests.softmodem.calls import place, take
from tests.softmodem.exchange import Exchange
from tests.softmodem.fixtures import differing, sample_page
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
    Case(quirky.EchoesForEver),
    Case(quirky.SaysOkToEverything),
    Case(quirky.RefusesWhatItCan),
    Case(quirky.WrongFcs, replace(T31, trust_modem_fcs=True)),
    Case(quirky.LosesTheEnd),
    Case(quirky.SlowToAnswer),
    Case(quirky.LeftInReception),
    Case(quirky.RingsDuringSetUp),
    Case(quirky.Quirky, replace(T31, ecm_frame_octets=64)),
    Case(quirky.SilentOnFtm, sends="modem_silent"),
    Case(quirky.StopsReading, sends="modem_silent"),
    Case(quirky.CarriersOnly, sends="no_fax_answered", receives="no_sender_heard"),
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


@pytest.mark.parametrize("ecm", [True, False], ids=["ecm", "plain"])
@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_sends(tmp_path: Path, case: Case, ecm: bool) -> None:
    received = tmp_path / "received.tif"
    machine = FaxMachine(receive=received, ecm=ecm)
    got = place(PAGES, machine, received, modem=identify(case), soft_modem=case.modem())
    assert got.code == case.sends, got.story()
    assert got.line_s < 150
    if got.code == "delivered":
        assert [differing(a, b) for a, b in zip(PAGES, got.pages, strict=True)] == [0, 0]


@pytest.mark.parametrize("ecm", [True, False], ids=["ecm", "plain"])
@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_receives(tmp_path: Path, case: Case, ecm: bool) -> None:
    got = take(PAGES, tmp_path / "sent.tif", ecm=ecm, modem=identify(case), soft_modem=case.modem())
    assert got.code == case.receives, got.story()
    if got.code == "received":
        assert [differing(a, b) for a, b in zip(PAGES, got.pages, strict=True)] == [0, 0]
