"""Polling both ways, sub-addresses, selective polling and identifications against spandsp."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.causes import RECEIVED
from appliance.lines.practice.abilities import Abilities, Compressions, Manners, Modems, Resolutions, Sizes
from appliance.t4.page import Resolution
from appliance.t30 import causes
from appliance.t30.parameters import CallParameters, Role
from tests.interop.harness import Setup, drawn_page, run, same_pages

PAGES = [drawn_page(1), drawn_page(2)]
MANNERS = pytest.mark.parametrize("manners", Manners)
# spandsp 0.0.6's gateway loses the ECM frames of a polled document also between two spandsp machines.
POLLS = pytest.mark.parametrize(
    ("ecm", "manners"),
    [(True, Manners.TERMINAL), (False, Manners.TERMINAL), (False, Manners.GATEWAY)],
    ids=["ecm-terminal", "no-ecm-terminal", "no-ecm-gateway"],
)


@POLLS
def test_we_poll_what_the_machine_offers(tmp_path: Path, ecm: bool, manners: Manners) -> None:
    setup = Setup(
        we_send=False,
        we_call=True,
        pages=PAGES,
        manners=manners,
        ecm=ecm,
        ours=CallParameters(Role.CALLS, poll=True, station_id="+49 30 1234"),
    )
    outcome = run(setup, tmp_path)
    assert outcome.result.cause is RECEIVED
    assert outcome.machine.ok
    assert same_pages(PAGES, outcome.received)


@POLLS
def test_the_machine_polls_what_we_offer(tmp_path: Path, ecm: bool, manners: Manners) -> None:
    setup = Setup(
        we_send=True,
        we_call=False,
        pages=PAGES,
        manners=manners,
        ecm=ecm,
        ours=CallParameters(Role.ANSWERS, station_id="+49 30 1234", offers_pages=True),
    )
    outcome = run(setup, tmp_path)
    assert outcome.machine.ok
    assert outcome.machine.statistics.pages_received == 2
    assert outcome.result.pages_sent == 2
    assert same_pages(PAGES, outcome.received)


def test_polling_a_machine_that_offers_nothing_ends_with_that_cause(tmp_path: Path) -> None:
    setup = Setup(
        we_send=True, pages=[], ours=CallParameters(Role.CALLS, poll=True, station_id="+49 30 1234")
    )
    outcome = run(setup, tmp_path)
    assert outcome.result.cause is causes.NOTHING_TO_POLL
    assert outcome.received == []


@MANNERS
def test_names_and_sub_address_reach_the_machine(tmp_path: Path, manners: Manners) -> None:
    ours = CallParameters(Role.CALLS, station_id="+49 30 1234", sub_address="0815")
    outcome = run(Setup(pages=PAGES, ours=ours, manners=manners), tmp_path)
    assert outcome.machine.ok
    assert outcome.machine.remote_id == "+49 30 1234"
    assert outcome.machine.sub_address == "0815"
    assert outcome.result.remote_id == "+49 30 9990"


@MANNERS
def test_names_and_sub_address_reach_us(tmp_path: Path, manners: Manners) -> None:
    setup = Setup(
        we_send=False, pages=PAGES, manners=manners, abilities=Abilities(sub_address="42", station_id="7 8")
    )
    outcome = run(setup, tmp_path)
    assert outcome.result.cause is RECEIVED
    assert outcome.result.remote_id == "7 8"
    assert outcome.result.sub_address == "42"


def test_a_poll_tells_the_machine_its_address_and_password(tmp_path: Path) -> None:
    """SEP and PWD go with DTC; the machine tells what it heard."""
    setup = Setup(
        we_send=False,
        we_call=True,
        pages=PAGES,
        ours=CallParameters(Role.CALLS, poll=True, selective_polling="77", password="99"),
    )
    outcome = run(setup, tmp_path)
    assert outcome.result.cause is RECEIVED
    assert outcome.machine.selective_polling == "77"
    assert outcome.machine.password == "99"


def test_a_poll_with_the_wrong_password_gets_nothing(tmp_path: Path) -> None:
    for password, welcome in (("1234", True), ("4321", False)):
        setup = Setup(
            we_send=True,
            we_call=False,
            pages=PAGES,
            ours=CallParameters(Role.ANSWERS, required_password="1234", offers_pages=True),
            abilities=Abilities(password=password),
        )
        outcome = run(setup, tmp_path, password)
        assert (len(outcome.received) == 2) is welcome, outcome.result
        assert welcome or outcome.result.cause is causes.PASSWORD_WRONG


def test_what_the_machine_cannot_take_is_not_sent(tmp_path: Path) -> None:
    """A standard-only, MH-only, V.27ter-only machine gets exactly that."""
    old = Abilities(
        ecm=False,
        modems=Modems.V27TER,
        compressions=Compressions.MH,
        resolutions=Resolutions.STANDARD | Resolutions.R8,
        sizes=Sizes.A4_WIDTH | Sizes.A4_LENGTH | Sizes.UNLIMITED_LENGTH,
    )
    page = drawn_page(1, resolution=Resolution.STANDARD)
    outcome = run(Setup(pages=[page], abilities=old), tmp_path)
    assert same_pages([page], outcome.received)
    assert outcome.result.carrier is not None
    assert outcome.result.carrier.bit_rate == 4800
