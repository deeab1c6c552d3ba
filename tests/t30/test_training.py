"""The judgement of TCF, the fallback ladder, and the verdict on a page."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.t4.page import Resolution
from appliance.t30.dce import Carrier
from appliance.t30.ladder import LADDER, below, rungs
from appliance.t30.quality import Verdict, judge
from appliance.t30.tcf import TcfJudge, tcf_octets

CARRIERS = [c for c in Carrier if c is not Carrier.V21]


def test_a_tcf_lasts_1500_ms_at_each_rate() -> None:
    assert [tcf_octets(c) for c in LADDER] == [2700, 2250, 1800, 1800, 1350, 1350, 900, 450]


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("seconds", [1.35, 1.5, 1.65])
def test_tcf_of_any_allowed_length_is_good(carrier: Carrier, seconds: float) -> None:
    heard = TcfJudge(carrier, ecm=False)
    heard.feed(bytes(int(carrier.bit_rate * seconds / 8)))
    assert heard.good


@pytest.mark.parametrize(
    ("data", "good"),
    [
        (b"\x55" * 900, False),
        (b"\xff" * 7 + bytes(893), True),
        (bytes(500), False),
        (b"", False),
        (bytes(700) + b"\x01" * 100 + bytes(100), False),  # more than a tenth is wrong
        (bytes(700) + b"\x01" * 50 + bytes(150), True),
        (bytes(900) + b"\x7e" * 300, True),  # noise behind it, as the carrier falls
        ((bytes(99) + b"\x01") * 9, False),  # never a second without an error
    ],
)
def test_a_tcf_is_judged_by_its_longest_run_of_zeros(data: bytes, good: bool) -> None:
    heard = TcfJudge(Carrier.V27TER_4800, ecm=False)
    heard.feed(data)
    assert heard.good is good


def test_ecm_needs_only_half_the_run() -> None:
    data = bytes(400) + b"\x01" + bytes(400)
    for ecm in (False, True):
        heard = TcfJudge(Carrier.V27TER_4800, ecm=ecm)
        heard.feed(data)
        assert heard.good is ecm


@given(st.lists(st.binary(max_size=20) | st.integers(0, 50).map(bytes), max_size=20))
def test_tcf_in_pieces_is_judged_like_the_whole(pieces: list[bytes]) -> None:
    whole, parts = TcfJudge(Carrier.V29_9600, ecm=False), TcfJudge(Carrier.V29_9600, ecm=False)
    whole.feed(b"".join(pieces))
    for piece in pieces:
        parts.feed(piece)
    assert vars(whole) | {"_run": 0} == vars(parts) | {"_run": 0}


def test_ladder_is_the_fixed_one() -> None:
    names = "V17_14400 V17_12000 V17_9600 V29_9600 V17_7200 V29_7200 V27TER_4800 V27TER_2400"
    assert [c.name for c in LADDER] == names.split()


@given(st.sets(st.sampled_from(CARRIERS)), st.sampled_from(CARRIERS) | st.none())
def test_every_descent_ends(common: set[Carrier], first: Carrier | None) -> None:
    ladder = rungs(common, first)
    assert set(ladder) <= common
    assert bool(ladder) == bool(common)
    for index, rung in enumerate(ladder):
        assert below(rung, ladder) is (ladder[index + 1] if index + 1 < len(ladder) else None)


def test_first_carrier_is_an_upper_bound() -> None:
    assert rungs(set(CARRIERS), Carrier.V29_9600)[0] is Carrier.V29_9600
    assert Carrier.V17_9600 not in rungs(set(CARRIERS), Carrier.V29_9600)
    assert rungs({Carrier.V17_14400}, Carrier.V29_9600) == (Carrier.V17_14400,)


@dataclass
class Page:
    rows: int
    bad_rows: int = 0
    longest_bad_run: int = 0
    ended_with_rtc: bool = True
    ends_with_row: bool = True


@pytest.mark.parametrize(
    ("page", "verdict"),
    [
        (Page(1000), Verdict.GOOD),
        (Page(1000, 49, 2), Verdict.GOOD),
        (Page(1000, 80, 2), Verdict.POOR),
        (Page(1000, 151, 2), Verdict.BAD),
        (Page(1000, 30, 30), Verdict.BAD),  # a quarter of an inch in one gap
        (Page(1000, ended_with_rtc=False), Verdict.BAD),
        (Page(0), Verdict.BAD),
    ],
)
def test_a_page_is_confirmed_or_rejected_by_its_share_and_runs_of_bad_rows(
    page: Page, verdict: Verdict
) -> None:
    assert judge(page, Resolution.STANDARD) is verdict
