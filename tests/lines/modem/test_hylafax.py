"""Both directions against HylaFAX, an independent class-1 program, each end on its own soft modem.

The calls mostly wait for each other's clocks, so they run side by side and the tests look at the outcomes.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import pytest

from appliance.t4.page import Coding
from appliance.t30.dce import Carrier
from appliance.t30.parameters import Capabilities
from tests.softmodem.fixtures import differing, open_directory, sample_page, tiff_rasters
from tests.softmodem.hylafax import Spool, why_not
from tests.softmodem.live import LiveOutcome, receive_from, send_to

pytestmark = [pytest.mark.realtime, pytest.mark.skipif(bool(why_not()), reason=why_not())]

PAGES = [sample_page(31), sample_page(32, rows=360)]
SPEED = 20.0
AT_ONCE = 4
# It keeps silences by +FTS and +FRS, so that the line can wait until it has spoken.
STANDSTILL_S = 0.5


@dataclass(frozen=True)
class Case:
    ecm: bool
    coding: Coding
    carriers: frozenset[Carrier]
    carrier: Carrier

    @property
    def able(self) -> Capabilities:
        codings = frozenset({Coding.MH, self.coding})
        return replace(Capabilities(), carriers=self.carriers, codings=codings, ecm=self.ecm)


ALL = frozenset(Carrier)
V29 = frozenset({Carrier.V29_9600, Carrier.V29_7200, Carrier.V27TER_4800, Carrier.V27TER_2400})
CASES = {
    "V.17 MMR with ECM": Case(True, Coding.MMR, ALL, Carrier.V17_14400),
    "V.29 MR with ECM": Case(True, Coding.MR, V29, Carrier.V29_9600),
    "V.17 MR": Case(False, Coding.MR, ALL, Carrier.V17_14400),
    "V.27ter MH": Case(False, Coding.MH, frozenset({Carrier.V27TER_4800}), Carrier.V27TER_4800),
}


def _send(case: Case, spool: Spool) -> LiveOutcome:
    return send_to(
        spool.receive,
        PAGES,
        capabilities=case.able,
        ready=lambda: spool.ready,
        stays_until=lambda: spool.stored,
        speed=SPEED,
        standstill_s=STANDSTILL_S,
    )


def _receive(case: Case, spool: Spool) -> LiveOutcome:
    def program(port: str) -> subprocess.Popen[bytes]:
        return spool.send(port, "1", PAGES, mmr=case.coding is Coding.MMR, mr=case.coding is Coding.MR)

    return receive_from(program, capabilities=case.able, speed=SPEED, standstill_s=STANDSTILL_S)


Calls = dict[tuple[str, str], tuple[Spool, "Future[LiveOutcome]"]]


@pytest.fixture(scope="module")
def calls() -> Iterator[Calls]:
    under_way: Calls = {}
    with open_directory() as directory, ThreadPoolExecutor(AT_ONCE) as pool:
        for name, case in CASES.items():
            for way, run in (("send", _send), ("receive", _receive)):
                spool = Spool(directory / f"{way}-{len(under_way)}", ecm=case.ecm)
                under_way[way, name] = (spool, pool.submit(run, case, spool))
        yield under_way


@pytest.mark.parametrize("name", CASES)
def test_hylafax_receives_what_we_send(calls: Calls, name: str) -> None:
    spool, call = calls["send", name]
    got = call.result()
    assert got.result is not None
    assert got.result.cause.code == "delivered", got.story() + spool.logs()
    assert (got.result.carrier, got.result.ecm) == (CASES[name].carrier, CASES[name].ecm)
    arrived = [page for path in spool.received() for page in tiff_rasters(path)]
    assert [differing(a, b) for a, b in zip(PAGES, arrived, strict=True)] == [0, 0]


@pytest.mark.parametrize("name", CASES)
def test_we_receive_what_hylafax_sends(calls: Calls, name: str) -> None:
    spool, call = calls["receive", name]
    got = call.result()
    assert got.result is not None
    assert got.result.cause.code == "received", got.story() + spool.logs()
    assert (got.result.carrier, got.result.ecm) == (CASES[name].carrier, CASES[name].ecm)
    assert [differing(a, b) for a, b in zip(PAGES, got.pages, strict=True)] == [0, 0]
