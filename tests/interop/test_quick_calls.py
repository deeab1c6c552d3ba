"""Quick calls (the short ends of T.30's tolerances): accepted by spandsp, or given up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from appliance.causes import DELIVERED, RECEIVED
from appliance.dispatch.profile import Profile, learn
from appliance.lines.practice.abilities import Manners
from appliance.lines.practice.faults import CFR, FTT, MCF, Faults, Swap
from appliance.t30 import causes
from appliance.t30.dce import Modulation
from appliance.t30.pace import NOMINAL, QUICK
from appliance.t30.parameters import CallParameters, CallResult, Phase, Role
from tests.interop.harness import Outcome, Setup, drawn_page, run, same_pages

PAGES = [drawn_page(1), drawn_page(2)]


def call(folder: Path, *, quick: bool, **changes: object) -> Outcome:
    setup = Setup(pages=PAGES)
    for name, value in changes.items():
        setattr(setup, name, value)
    role = Role.CALLS if setup.we_send else Role.ANSWERS
    setup.ours = CallParameters(role, station_id="+49 30 1", quick=quick)
    return run(setup, folder)


@pytest.mark.parametrize("we_send", [True, False], ids=["we-send", "we-receive"])
@pytest.mark.parametrize("ecm", [True, False], ids=["ecm", "no-ecm"])
@pytest.mark.parametrize("modulation", [Modulation.V17, Modulation.V29, Modulation.V27TER])
@pytest.mark.parametrize("manners", Manners)
def test_a_quick_call_is_taken_and_quicker(
    tmp_path: Path, manners: Manners, modulation: Modulation, ecm: bool, we_send: bool
) -> None:
    what = {"manners": manners, "modulation": modulation, "ecm": ecm, "we_send": we_send}
    usual, quick = (call(tmp_path, quick=each, **what) for each in (False, True))
    assert quick.result.cause is (DELIVERED if we_send else RECEIVED)
    assert same_pages(PAGES, quick.received)
    assert not quick.result.quick_failed
    assert quick.count("nominal_pace") == quick.count("timer") == 0
    saved = 2.0 if manners is Manners.TERMINAL else 0.15
    assert quick.seconds < usual.seconds - saved


@pytest.mark.parametrize("swap", [Swap(CFR, 1, FTT), Swap(CFR, 1, None), Swap(MCF, 1, None)])
def test_a_call_that_meets_trouble_goes_on_at_the_nominal_pace(tmp_path: Path, swap: Swap) -> None:
    outcome = call(tmp_path, quick=True, faults=Faults(swaps=(swap,)))
    assert outcome.result.cause is DELIVERED
    assert outcome.count("nominal_pace") == 1
    assert outcome.result.quick_failed
    assert outcome.count("step_down") == 0, "the pace gives way before the rate"


def test_what_failed_once_is_remembered_and_not_tried_again() -> None:
    how = {"step": 0, "line": "a", "medium": "t38", "seconds": 60.0, "now": 1e9}
    good = CallResult(DELIVERED, pages_sent=1)
    profile = learn(Profile(), good, **how)  # type: ignore[arg-type]
    assert not profile.nominal_pace
    profile = learn(profile, replace(good, quick_failed=True), **how)  # type: ignore[arg-type]
    assert profile.nominal_pace
    profile = learn(Profile.load(profile.dump()), good, **how)  # type: ignore[arg-type]
    assert profile.nominal_pace
    lost = CallResult(causes.TRAINING_UNANSWERED, quick_failed=True, phase=Phase.B)
    assert learn(Profile(), lost, **how).nominal_pace  # type: ignore[arg-type]


def test_every_quick_time_is_within_the_tolerance_of_its_clause() -> None:
    assert 0.85 <= QUICK.preamble_s < NOMINAL.preamble_s == 1.0
    assert 0.055 <= QUICK.silence_s < NOMINAL.silence_s == 0.075
    assert 1.35 <= QUICK.tcf_s < NOMINAL.tcf_s == 1.5
    assert 0.1 <= QUICK.ecm_flags_s < NOMINAL.ecm_flags_s == 0.2
    assert 2.6 <= QUICK.ced_s <= 4.0
