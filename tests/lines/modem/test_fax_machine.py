"""Both directions against spandsp's fax machine, modem to modem over the exchange: every modulation and
coding, with and without error correction; not one pixel may differ."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from appliance.t4.page import Coding, Resolution
from appliance.t30.dce import Carrier
from appliance.t30.parameters import Capabilities
from tests.softmodem.calls import place, take
from tests.softmodem.fixtures import differing, sample_page
from tests.softmodem.stations import AtMode, FaxMachine, SoftModem
from tests.softmodem.world import Cable

ALL = Capabilities()
V27, V29, V17 = FaxMachine.V27TER, FaxMachine.V29, FaxMachine.V17
PAGES = [sample_page(1), sample_page(2, rows=420), sample_page(3, rows=260)]
MODEMS = [(V27, Carrier.V27TER_4800), (V27 | V29, Carrier.V29_9600), (V27 | V29 | V17, Carrier.V17_14400)]
# MMR needs error correction (T.30 table 2, note 17).
FORMATS = [(ecm, coding) for ecm in (True, False) for coding in Coding if ecm or coding is not Coding.MMR]
FORMAT_NAMES = [f"{coding.value}-{'ecm' if ecm else 'plain'}" for ecm, coding in FORMATS]


def capable(coding: Coding, *, ecm: bool) -> Capabilities:
    return replace(ALL, codings=frozenset({Coding.MH, coding}), ecm=ecm)


@pytest.mark.parametrize(("ecm", "coding"), FORMATS, ids=FORMAT_NAMES)
@pytest.mark.parametrize(("modems", "carrier"), MODEMS, ids=["V.27ter", "V.29", "V.17"])
def test_three_pages_sent_over_a_modem_arrive(
    tmp_path: Path, coding: Coding, ecm: bool, modems: int, carrier: Carrier
) -> None:
    received = tmp_path / "received.tif"
    machine = FaxMachine(receive=received, ecm=ecm, modems=modems)
    got = place(PAGES, machine, received, capabilities=capable(coding, ecm=ecm))
    assert got.code == "delivered", got.story()
    assert got.words == "OK"
    assert got.result is not None
    assert (got.result.pages_sent, got.result.carrier, got.result.ecm) == (3, carrier, ecm)
    assert [differing(a, b) for a, b in zip(PAGES, got.pages, strict=True)] == [0, 0, 0]


@pytest.mark.parametrize(("ecm", "coding"), FORMATS, ids=FORMAT_NAMES)
@pytest.mark.parametrize(("modems", "carrier"), MODEMS, ids=["V.27ter", "V.29", "V.17"])
def test_three_pages_received_over_a_modem_arrive(
    tmp_path: Path, coding: Coding, ecm: bool, modems: int, carrier: Carrier
) -> None:
    able = capable(coding, ecm=ecm)
    got = take(PAGES, tmp_path / "sent.tif", ecm=ecm, modems=modems, capabilities=able)
    assert got.code == "received", got.story()
    assert got.words == "OK"
    assert got.result is not None
    assert (got.result.pages_received, got.result.carrier, got.result.ecm) == (3, carrier, ecm)
    assert [differing(a, b) for a, b in zip(PAGES, got.pages, strict=True)] == [0, 0, 0]


CABLES = {
    "one octet at a time": Cable(split=1),
    "bursts": Cable(split=97, seed=3),
    "100 ms either way": Cable(delay_s=0.1, line_waits=True),
    "400 ms either way": Cable(delay_s=0.4, line_waits=True),
    "up to 400 ms either way, in pieces": Cable(delay_s=0.4, steady=False, split=48, seed=5, line_waits=True),
    "20 ms either way on a line that does not wait": Cable(delay_s=0.02),
    "57600 bit/s": Cable(octets_per_tick=115),
}


@pytest.mark.parametrize("ecm", [True, False], ids=["ecm", "plain"])
@pytest.mark.parametrize("cable", CABLES.values(), ids=CABLES)
def test_a_page_is_sent_over_any_transport_to_the_modem(tmp_path: Path, cable: Cable, ecm: bool) -> None:
    received = tmp_path / "received.tif"
    cable = replace(cable)
    machine = FaxMachine(receive=received, ecm=ecm)
    got = place(PAGES[:2], machine, received, cable=cable, capabilities=replace(ALL, ecm=ecm))
    assert got.code == "delivered", got.story()
    assert [differing(a, b) for a, b in zip(PAGES[:2], got.pages, strict=True)] == [0, 0]


@pytest.mark.parametrize("ecm", [True, False], ids=["ecm", "plain"])
@pytest.mark.parametrize("cable", CABLES.values(), ids=CABLES)
def test_a_page_is_received_over_any_transport_from_the_modem(
    tmp_path: Path, cable: Cable, ecm: bool
) -> None:
    cable = replace(cable)
    got = take(PAGES[:2], tmp_path / "sent.tif", cable=cable, ecm=ecm)
    assert got.code == "received", got.story()
    assert [differing(a, b) for a, b in zip(PAGES[:2], got.pages, strict=True)] == [0, 0]


@pytest.mark.parametrize("ecm", [True, False], ids=["ecm", "plain"])
def test_a_busy_box_does_not_starve_the_modem_of_a_page(tmp_path: Path, ecm: bool) -> None:
    """The loop stands still for 1.5 s of every 3 s while a page goes out: kernel and modem hold enough."""
    page = sample_page(8, rows=900)
    received = tmp_path / "received.tif"
    stalls = [0]

    def stalled(now: float, modem: SoftModem) -> bool:
        stalls[0] += modem.mode is AtMode.STUFFED and now % 3.0 > 1.5
        return modem.mode is AtMode.STUFFED and now % 3.0 > 1.5

    machine = FaxMachine(receive=received, ecm=ecm)
    got = place([page], machine, received, capabilities=replace(ALL, ecm=ecm), stalled=stalled)
    assert stalls[0] > 300
    assert got.code == "delivered", got.story()
    assert got.result is not None
    assert got.result.frames_repeated == 0
    assert differing(page, got.pages[0]) == 0


def test_a_superfine_page_sent_over_a_modem_arrives(tmp_path: Path) -> None:
    page = sample_page(9, rows=500, resolution=Resolution.SUPERFINE)
    received = tmp_path / "received.tif"
    got = place([page], FaxMachine(receive=received), received)
    assert got.code == "delivered", got.story()
    assert differing(page, got.pages[0]) == 0
