"""Pages without ECM from spandsp with parts lost: the verdict depends on how much is missing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from appliance.lines.practice.network import Impairment
from appliance.t4.bits import from_bits, to_bits
from appliance.t4.codes import EOL
from appliance.t4.coding import encode
from appliance.t4.page import Coding
from appliance.t30.dce import Modulation
from appliance.t30.memory import MemoryPages, MemoryStore
from appliance.t30.parameters import CallParameters, Capabilities, Progress, Role
from appliance.t38.fax import T38Fax
from appliance.t38.settings import ErrorCorrection, T38Settings
from tests.interop.harness import Outcome, Setup, drawn_page, run
from tests.t38.network import Network

ROWS = 2287
PAGE = drawn_page(7, ROWS)
PAGE_BEGINS_S, PAGE_ENDS_S = 11.0, 26.0  # at V.17 14400, MH
NETWORKS = pytest.mark.parametrize("correction", list(ErrorCorrection), ids=lambda c: c.name)


def received(folder: Path, network: Impairment, **changes: object) -> Outcome:
    setup = Setup(we_send=False, pages=[PAGE], ecm=False, there=network, back=network, coding=Coding.MH)
    for name, value in changes.items():
        setattr(setup, name, value)
    return run(setup, folder)


def judgement(outcome: Outcome) -> dict[str, str | int | float | bool]:
    return next(dict(p.fields) for p in outcome.account if p.event == "page_judged")


def answers(outcome: Outcome) -> list[str]:
    names = (str(dict(p.fields)["name"]) for p in outcome.account if p.event == "frame_sent")
    return [name for name in names if name in ("MCF", "RTP", "RTN")]


@NETWORKS
@pytest.mark.parametrize("seconds", [0.6, 1.0, 3.0, 4.5])
def test_a_page_with_a_silence_of_the_network_in_it_is_refused_and_no_row_is_forgotten(
    tmp_path: Path, seconds: float, correction: ErrorCorrection
) -> None:
    outcome = received(tmp_path, Impairment(silent_after_s=15.0, silent_for_s=seconds), correction=correction)
    judged = judgement(outcome)
    assert answers(outcome) == ["RTN"]
    assert judged["rows"] == pytest.approx(ROWS, rel=0.03)
    held = seconds / (PAGE_ENDS_S - PAGE_BEGINS_S) * ROWS
    assert judged["bad_rows"] == pytest.approx(held, abs=max(30, 0.15 * held))


@pytest.mark.parametrize("after_s", [PAGE_BEGINS_S + 0.3, 20.0])
@pytest.mark.parametrize("coding", [Coding.MH, Coding.MR])
def test_a_hole_at_the_head_or_foot_of_a_page_counts_too(
    tmp_path: Path, after_s: float, coding: Coding
) -> None:
    outcome = received(tmp_path, Impairment(silent_after_s=after_s, silent_for_s=1.0), coding=coding)
    assert answers(outcome) == ["RTN"]


def test_a_hole_at_the_rate_of_v29_counts_by_that_rate(tmp_path: Path) -> None:
    hole = Impairment(silent_after_s=20.0, silent_for_s=1.0)
    outcome = received(tmp_path, hole, modulation=Modulation.V29)
    assert answers(outcome) == ["RTN"]
    assert judgement(outcome)["rows"] == pytest.approx(ROWS, rel=0.03)


@pytest.mark.parametrize("loss", [0.01, 0.02, 0.05, 0.1])
def test_scattered_loss_counts_every_row_that_it_took(tmp_path: Path, loss: float) -> None:
    packet_rows = 54 * 8 / (15.35 * 14400 / ROWS)
    for seed in (3, 4):
        network = Impairment(loss=loss, seed=seed)
        outcome = received(tmp_path, Impairment(), correction=ErrorCorrection.NONE, back=network)
        judged = judgement(outcome)
        assert judged["rows"] == pytest.approx(ROWS, rel=0.025), "rows that are gone are counted"
        lost = loss * (PAGE_ENDS_S - PAGE_BEGINS_S) / 0.03
        assert judged["bad_rows"] > 0.5 * lost * packet_rows
        share = float(judged["bad_rows"]) / float(judged["rows"])
        assert answers(outcome)[0] == ("RTN" if share > 0.1 else "RTP" if share > 0.05 else "MCF")


def test_packets_that_only_come_late_leave_no_hole(tmp_path: Path) -> None:
    outcome = received(tmp_path, Impairment(jitter_s=0.1, seed=5))
    assert answers(outcome) == ["MCF"]
    assert judgement(outcome)["bad_rows"] == 0


@pytest.mark.parametrize(("cut", "answer"), [("rtc", "MCF"), ("half", "RTN"), ("a lost packet", "RTN")])
def test_a_page_without_rtc_is_judged_by_its_rows_when_every_packet_came(cut: str, answer: str) -> None:
    """Our own endpoint sends here: no other peer leaves its RTC out to order."""
    coded = encode(drawn_page(7, 300), Coding.MH)
    data = coded.data[: len(coded.data) // 2]
    if cut != "half":
        bits = to_bits(coded.data).rstrip("0")
        data = from_bits(bits[: bits.rindex(EOL * 6)])
    network = Network()
    sender = T38Fax(
        CallParameters(Role.CALLS, capabilities=Capabilities(ecm=False, codings=frozenset({Coding.MH}))),
        MemoryPages([replace(coded, data=data)]),
        MemoryStore(),
        T38Settings(error_correction=ErrorCorrection.NONE),
    )
    account: list[Progress] = []
    receiver = T38Fax(
        CallParameters(Role.ANSWERS, capabilities=Capabilities(ecm=False)),
        MemoryPages([]),
        MemoryStore(),
        T38Settings(),
        progress=account.append,
    )
    ends = (sender, receiver)
    for end in ends:
        end.start(0.0)
    if cut == "a lost packet":
        network.lose = lambda _at, _side: sum(len(data) > 50 for _, _, data in network.tap) == 60  # 50: TCF
    network.run(ends, lambda: all(end.result for end in ends))
    said = [dict(p.fields).get("name") for p in account if p.event == "frame_sent"]
    assert next(name for name in said if name in ("MCF", "RTP", "RTN")) == answer
