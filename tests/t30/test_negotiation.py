"""Negotiation between two stations: choices and refusals."""

from __future__ import annotations

from dataclasses import replace

import pytest

from appliance.t4.page import CodedPage, Coding, PaperLength, PaperWidth, Resolution
from appliance.t30.dce import Carrier
from appliance.t30.field_codes import ScanTimes
from appliance.t30.fields import Facilities, Settings
from appliance.t30.negotiation import (
    FormatError,
    in_common,
    offer,
    paper_length,
    refusal,
    same_format,
    settings_for,
)
from appliance.t30.parameters import Capabilities

ALL = Capabilities()
WE = offer(ALL)


def page(
    coding: Coding = Coding.MH, resolution: Resolution = Resolution.FINE, width: int = 1728, rows: int = 2200
) -> CodedPage:
    return CodedPage(coding, resolution, width, rows, b"x")


def test_our_offer_survives_the_line() -> None:
    assert Facilities.decode(WE.encode()) == WE


def test_a_dis_tells_the_capabilities_that_were_set() -> None:
    small = Capabilities(
        frozenset({Carrier.V29_9600, Carrier.V29_7200}),
        frozenset({Coding.MH, Coding.MMR}),
        frozenset({Resolution.STANDARD}),
        PaperWidth.A4,
        PaperLength.A4,
        20,
        ecm=False,
    )
    told = Facilities.decode(offer(small).encode())
    assert told.carriers == small.carriers
    assert told.codings == {Coding.MH}
    assert told.resolutions == {Resolution.STANDARD}
    assert (told.width, told.length, told.ecm) == (PaperWidth.A4, PaperLength.A4, False)
    assert told.scan.at(Resolution.STANDARD) == 20


def test_common_ground_is_the_lesser_of_both() -> None:
    theirs = Facilities(width=PaperWidth.B4, length=PaperLength.A4, ecm=True, codings=frozenset(Coding))
    common = in_common(Capabilities(ecm=False), theirs)
    assert common.carriers == (Carrier.V27TER_4800, Carrier.V27TER_2400)
    assert Coding.MMR not in common.codings, "MMR without ECM"
    assert (common.width, common.length) == (PaperWidth.B4, PaperLength.A4)
    assert common.resolutions == {Resolution.STANDARD}


def test_v17_alone_has_no_carrier_in_common_with_the_least_machine() -> None:
    assert in_common(Capabilities(carriers=frozenset({Carrier.V17_14400})), Facilities()).carriers == ()


@pytest.mark.parametrize(
    "wrong",
    [page(Coding.MMR), page(resolution=Resolution.R300, width=2592), page(width=2432), page(width=1729)],
)
def test_a_page_that_the_receiver_cannot_take_is_a_format_error(wrong: CodedPage) -> None:
    theirs = replace(Facilities(), resolutions=frozenset({Resolution.STANDARD, Resolution.FINE}))
    with pytest.raises(FormatError):
        settings_for(wrong, in_common(ALL, theirs), Carrier.V27TER_4800)


def test_scan_time_is_the_receivers_at_that_resolution_and_none_with_ecm() -> None:
    theirs = replace(WE, ecm=False, scan=ScanTimes(20, half_at_fine=True))
    common = in_common(ALL, theirs)
    assert settings_for(page(), common, Carrier.V17_14400).scan_ms == 10
    assert settings_for(page(resolution=Resolution.STANDARD), common, Carrier.V17_14400).scan_ms == 20
    ecm = in_common(ALL, replace(theirs, ecm=True))
    assert settings_for(page(), ecm, Carrier.V17_14400).scan_ms == 0


@pytest.mark.parametrize(
    ("rows", "length"), [(2200, PaperLength.A4), (2740, PaperLength.B4), (3000, PaperLength.UNLIMITED)]
)
def test_the_paper_length_follows_from_the_rows(rows: int, length: PaperLength) -> None:
    assert paper_length(page(rows=rows)) is length


def test_announced_length_never_exceeds_the_receivers_paper() -> None:
    for limit in PaperLength:
        common = in_common(ALL, replace(WE, length=limit))
        chosen = settings_for(page(rows=9000), common, Carrier.V17_14400)
        assert chosen.length is limit
    short = settings_for(page(), in_common(ALL, replace(WE, length=PaperLength.B4)), Carrier.V17_14400)
    assert short.length is PaperLength.A4


def test_whatever_we_choose_we_would_accept() -> None:
    common = in_common(ALL, WE)
    for coding in Coding:
        for carrier in common.carriers:
            chosen = settings_for(page(coding), common, carrier)
            assert refusal(Settings.decode(chosen.encode()), Facilities.decode(WE.encode())) is None


@pytest.mark.parametrize(
    "asked",
    [
        Settings(Carrier.V17_14400),
        Settings(Carrier.V27TER_2400, coding=Coding.MR),
        Settings(Carrier.V27TER_2400, resolution=Resolution.R300),
        Settings(Carrier.V27TER_2400, width=PaperWidth.B4),
        Settings(Carrier.V27TER_2400, ecm=True),
        Settings(Carrier.V27TER_2400, other=frozenset({68, 69})),
    ],
)
def test_what_was_not_offered_is_refused(asked: Settings) -> None:
    assert refusal(asked, Facilities()) is not None


def test_a_dcs_with_unused_bits_is_accepted() -> None:
    assert refusal(Settings(Carrier.V27TER_2400, other=frozenset({1, 3, 33, 76, 121})), Facilities()) is None


def test_inch_and_metric_of_the_highest_resolution_stand_for_each_other() -> None:
    metric = replace(Facilities(), resolutions=frozenset({Resolution.STANDARD, Resolution.R16_15}))
    assert refusal(Settings(Carrier.V27TER_2400, resolution=Resolution.R400), metric) is None


def test_pages_of_one_format_follow_without_a_new_dcs() -> None:
    one = Settings(Carrier.V17_14400, length=PaperLength.A4)
    assert same_format(one, replace(one, carrier=Carrier.V29_9600, length=PaperLength.B4))
    assert not same_format(one, replace(one, coding=Coding.MR))
    assert not same_format(one, replace(one, resolution=Resolution.FINE))
