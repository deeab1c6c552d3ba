"""Every combination of ECM, modulation, coding and resolution, both ways, against both modes of spandsp.

The judge is libtiff (through Pillow) for what spandsp received, and our own decoder for what we received:
not one pixel may differ.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from appliance.causes import DELIVERED, RECEIVED
from appliance.lines.practice.abilities import Manners
from appliance.t4.page import Coding, Resolution
from appliance.t30.dce import Modulation
from appliance.t30.parameters import CallParameters, Capabilities, Role
from appliance.t38.settings import ErrorCorrection
from tests.interop.harness import MODEMS, Setup, drawn_page, noise_page, run, same_pages

# MMR needs ECM (T.30 table 2, note 25).
CODINGS = [
    (True, Coding.MH),
    (True, Coding.MR),
    (True, Coding.MMR),
    (False, Coding.MH),
    (False, Coding.MR),
]
RESOLUTIONS = [Resolution.STANDARD, Resolution.FINE, Resolution.SUPERFINE]


@pytest.mark.parametrize("manners", Manners)
@pytest.mark.parametrize("modulation", MODEMS)
@pytest.mark.parametrize("page", CODINGS, ids=str)
@pytest.mark.parametrize("we_send", [True, False], ids=["we-send", "we-receive"])
def test_every_combination_arrives_pixel_by_pixel(
    tmp_path: Path, we_send: bool, page: tuple[bool, Coding], modulation: Modulation, manners: Manners
) -> None:
    ecm, coding = page
    for number, resolution in enumerate(RESOLUTIONS):
        pages = [drawn_page(1, 301, resolution), drawn_page(2, 200, resolution)]
        outcome = run(
            Setup(we_send, pages=pages, manners=manners, modulation=modulation, coding=coding, ecm=ecm),
            tmp_path,
            str(number),
        )
        assert outcome.result.cause is (DELIVERED if we_send else RECEIVED)
        assert outcome.machine.ok, outcome.machine.words
        assert outcome.result.carrier is not None
        assert outcome.result.carrier.modulation is modulation
        assert outcome.result.ecm is ecm
        assert outcome.agreed is not None
        assert coding.value in outcome.agreed.split(", ")
        assert resolution.name.lower() in outcome.agreed.split(", ")
        assert same_pages(pages, outcome.received), f"{resolution.name}: {outcome.agreed}"


@pytest.mark.parametrize("version", [0, 1, 2, 3])
@pytest.mark.parametrize("correction", ErrorCorrection)
@pytest.mark.parametrize("we_send", [True, False], ids=["we-send", "we-receive"])
def test_pages_arrive_with_every_version_and_error_correction(
    tmp_path: Path, we_send: bool, correction: ErrorCorrection, version: int
) -> None:
    for ecm in (True, False):
        pages = [drawn_page(3)]
        outcome = run(
            Setup(we_send, pages=pages, ecm=ecm, version=version, correction=correction), tmp_path, str(ecm)
        )
        assert outcome.result.cause is (DELIVERED if we_send else RECEIVED)
        assert same_pages(pages, outcome.received)


@pytest.mark.parametrize("we_send", [True, False], ids=["we-send", "we-receive"])
@pytest.mark.parametrize("manners", Manners)
def test_full_pages_that_hardly_compress_arrive(tmp_path: Path, manners: Manners, we_send: bool) -> None:
    """More than one ECM block, and minutes of one image."""
    pages = [noise_page(1, 700), drawn_page(2, 2200)]
    outcome = run(Setup(we_send, pages=pages, manners=manners), tmp_path)
    assert outcome.result.cause is (DELIVERED if we_send else RECEIVED)
    assert same_pages(pages, outcome.received)


@pytest.mark.parametrize("we_send", [True, False], ids=["we-send", "we-receive"])
@pytest.mark.parametrize("scan_ms", [0, 5, 10, 20, 40])
def test_rows_are_filled_to_the_minimum_scan_time_of_the_receiver(
    tmp_path: Path, scan_ms: int, we_send: bool
) -> None:
    """A mechanical machine wants time for each row; non-ECM rows are filled up to it."""
    pages = [drawn_page(5, resolution=resolution) for resolution in RESOLUTIONS[:2]]
    for page, manners in itertools.product(pages, Manners):
        setup = Setup(we_send, pages=[page], ecm=False, manners=manners)
        if we_send:
            setup.abilities = setup.abilities_with(scan_ms=scan_ms)
        else:
            setup.ours = CallParameters(Role.ANSWERS, capabilities=Capabilities(scan_ms=scan_ms))
        outcome = run(setup, tmp_path, f"{manners.name}{page.resolution.name}")
        assert outcome.result.cause is (DELIVERED if we_send else RECEIVED)
        assert same_pages([page], outcome.received)


@pytest.mark.parametrize("width", [1728, 2048, 2432])
@pytest.mark.parametrize("we_send", [True, False], ids=["we-send", "we-receive"])
def test_pages_of_every_paper_width_arrive(tmp_path: Path, we_send: bool, width: int) -> None:
    pages = [drawn_page(7, width=width)]
    outcome = run(Setup(we_send, pages=pages), tmp_path)
    assert outcome.result.cause is (DELIVERED if we_send else RECEIVED)
    assert same_pages(pages, outcome.received)


@pytest.mark.parametrize("we_send", [True, False], ids=["we-send", "we-receive"])
def test_pages_arrive_in_ecm_frames_of_64_octets(tmp_path: Path, we_send: bool) -> None:
    pages = [drawn_page(8)]
    ours = CallParameters(Role.CALLS, capabilities=Capabilities(ecm_frame_octets=64))
    outcome = run(Setup(we_send, pages=pages, ours=ours), tmp_path)
    assert outcome.result.cause is (DELIVERED if we_send else RECEIVED)
    assert same_pages(pages, outcome.received)


@pytest.mark.parametrize("we_send", [True, False], ids=["we-send", "we-receive"])
def test_pages_of_different_resolutions_arrive_in_one_call(tmp_path: Path, we_send: bool) -> None:
    """EOM and a new DCS between the pages."""
    pages = [drawn_page(number, 200, resolution) for number, resolution in enumerate(RESOLUTIONS)]
    outcome = run(Setup(we_send, pages=pages), tmp_path)
    assert outcome.result.cause is (DELIVERED if we_send else RECEIVED)
    assert same_pages(pages, outcome.received)
