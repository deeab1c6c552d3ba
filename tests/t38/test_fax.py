"""Whole faxes between two ``T38Fax`` over a simulated network arrive pixel by pixel."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from appliance import causes
from appliance.t4.page import Coding, Raster, Resolution
from appliance.t30.dce import Carrier, Modulation
from appliance.t30.memory import MemoryPages, MemoryStore
from appliance.t30.parameters import CallParameters, Role
from appliance.t38.fax import T38Fax
from appliance.t38.settings import ErrorCorrection, RateManagement, T38Settings

from .network import Network


def chart(rows: int = 300, resolution: Resolution = Resolution.FINE, seed: int = 1) -> Raster:
    """Strokes, white, and a little noise: text-like to a coder."""
    rng = random.Random(seed)
    width = 1728
    out = bytearray()
    row = bytes(width // 8)
    for number in range(rows):
        if number % 7 == 0:
            cells = bytearray(width // 8)
            if number % 42 < 28:
                for _ in range(rng.randrange(40)):
                    cells[rng.randrange(10, 200)] = rng.randrange(256)
            row = bytes(cells)
        out += row
    return Raster(width, rows, bytes(out), resolution)


def fax(
    calls: CallParameters,
    answers: CallParameters,
    *,
    pages=(),
    offered=(),
    settings: T38Settings | None = None,
    network: Network | None = None,
    until: float = 3600.0,
):
    """One call; the two results, the two stores, and the network."""
    settings = settings or T38Settings()
    network = network or Network()
    stores = MemoryStore(), MemoryStore()
    ends = (
        T38Fax(calls, MemoryPages(pages), stores[0], settings),
        T38Fax(answers, MemoryPages(offered), stores[1], settings),
    )
    for end in ends:
        end.start(0.0)
    network.run(ends, lambda: all(end.result for end in ends), until)
    results = [end.result for end in ends]
    assert None not in results, "the call has not ended"
    return results, stores, network


CALLER = CallParameters(Role.CALLS, station_id="+1 555 0100")
ANSWERER = CallParameters(Role.ANSWERS, station_id="+1 555 0199")


def with_capabilities(parameters: CallParameters, **changes) -> CallParameters:
    return replace(parameters, capabilities=replace(parameters.capabilities, **changes))


@pytest.mark.parametrize("ecm", [True, False], ids=["ECM", "plain"])
@pytest.mark.parametrize("modulation", [Modulation.V17, Modulation.V29, Modulation.V27TER])
@pytest.mark.parametrize("coding", list(Coding), ids=lambda c: c.name)
def test_pages_arrive_pixel_by_pixel(coding, modulation, ecm):
    if coding is Coding.MMR and not ecm:
        pytest.skip("MMR needs ECM (T.30)")
    carriers = frozenset(c for c in Carrier if c.modulation is modulation or c is Carrier.V27TER_2400)
    answerer = with_capabilities(
        ANSWERER, ecm=ecm, carriers=carriers - {Carrier.V21}, codings=frozenset({Coding.MH, coding})
    )
    pages = [chart(200, seed=1), chart(120, Resolution.STANDARD, seed=2)]
    results, stores, _ = fax(CALLER, answerer, pages=pages)
    assert [r.cause for r in results] == [causes.DELIVERED, causes.RECEIVED]
    assert stores[1].rasters() == pages
    assert results[0].carrier.modulation is modulation
    assert (results[0].ecm, results[0].remote_id) == (ecm, "+1 555 0199")


@pytest.mark.parametrize("correction", list(ErrorCorrection), ids=lambda c: c.name)
@pytest.mark.parametrize("version", [0, 2, 3])
def test_pages_arrive_with_every_version_and_error_correction(version, correction):
    results, stores, _ = fax(
        CALLER, ANSWERER, pages=[chart()], settings=T38Settings(version=version, error_correction=correction)
    )
    assert [r.cause for r in results] == [causes.DELIVERED, causes.RECEIVED]
    assert stores[1].rasters() == [chart()]


def test_pages_arrive_where_the_receiver_makes_the_tcf():
    settings = T38Settings(rate_management=RateManagement.LOCAL_TCF)
    results, stores, _ = fax(CALLER, ANSWERER, pages=[chart()], settings=settings)
    assert [r.cause for r in results] == [causes.DELIVERED, causes.RECEIVED]
    assert stores[1].rasters() == [chart()]


def test_polling_brings_the_far_ends_pages():
    answerer = replace(ANSWERER, offers_pages=True)
    results, stores, _ = fax(replace(CALLER, poll=True), answerer, offered=[chart()])
    assert results[0].pages_received == results[1].pages_sent == 1
    assert stores[0].rasters() == [chart()]


def test_the_sessions_bit_rate_is_not_exceeded():
    results, _, _ = fax(CALLER, ANSWERER, pages=[chart()], settings=T38Settings(max_bit_rate=7200))
    assert results[0].cause is causes.DELIVERED
    assert results[0].carrier.bit_rate <= 7200


@pytest.mark.parametrize("limit", [72, 100, 200])
def test_a_small_datagram_limit_of_the_far_end_is_kept(limit):
    results, _, network = fax(CALLER, ANSWERER, pages=[chart()], settings=T38Settings(max_datagram=limit))
    assert results[0].cause is causes.DELIVERED
    assert max(len(data) for _, _, data in network.tap) <= limit


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("correction", [ErrorCorrection.REDUNDANCY, ErrorCorrection.FEC])
def test_ten_percent_loss_with_protection_delivers(correction, seed):
    network = Network(loss=0.1, duplicate=0.02, jitter_s=0.05, seed=seed)
    results, stores, _ = fax(
        CALLER,
        ANSWERER,
        pages=[chart(900)],
        network=network,
        settings=T38Settings(error_correction=correction),
    )
    assert [r.cause for r in results] == [causes.DELIVERED, causes.RECEIVED]
    assert stores[1].rasters() == [chart(900)]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("ecm", [True, False], ids=["ECM", "plain"])
def test_one_percent_loss_without_protection_ends_honestly(ecm, seed):
    """Delivered with every pixel under ECM, or an honest error; never a page that nobody confirmed."""
    network = Network(loss=0.01, seed=seed)
    results, stores, _ = fax(
        CALLER,
        with_capabilities(ANSWERER, ecm=ecm),
        pages=[chart(600)],
        settings=T38Settings(error_correction=ErrorCorrection.NONE),
        network=network,
    )
    if results[0].cause is causes.DELIVERED:
        assert results[0].pages_sent == 1
        assert len(stores[1].pages) == 1
        if ecm:
            assert stores[1].rasters() == [chart(600)]
    else:
        assert results[0].cause.code not in ("received", "internal_fault")


def test_the_far_ends_hang_up_ends_the_call_at_once():
    end = T38Fax(CALLER, MemoryPages([chart()]), MemoryStore(), T38Settings())
    end.start(0.0)
    end.hang_up(1.0)
    assert end.result is not None
    assert end.result.cause is not causes.DELIVERED


def test_cancel_says_dcn_and_ends():
    ends = [T38Fax(p, MemoryPages([chart()]), MemoryStore(), T38Settings()) for p in (CALLER, ANSWERER)]
    network = Network()
    for end in ends:
        end.start(0.0)
    network.run(tuple(ends), lambda: network.now > 12.0)
    ends[0].cancel(network.now)
    network.run(tuple(ends), lambda: all(end.result for end in ends), network.now + 60)
    assert ends[0].result.cause is causes.CANCELLED
    assert ends[1].result.cause is not causes.RECEIVED
