"""The state tables of sender and receiver: complete, without dead entries, every state can be left."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum
from pathlib import Path

import pytest

import appliance.t30
from appliance.t30.dce import Carrier
from appliance.t30.fields import Facilities, Settings
from appliance.t30.frames import Fcf
from appliance.t30.link import Ground, Link
from appliance.t30.negotiation import in_common
from appliance.t30.parameters import CallParameters, Capabilities, Progress, Role
from appliance.t30.receiver import Receiver
from appliance.t30.receiver_confirming import PageConfirmation
from appliance.t30.receiver_page import PageReception
from appliance.t30.receiver_phase_b import ReceiverIdentification, TrainingCheck
from appliance.t30.receiver_role import SAME_AS
from appliance.t30.roles import NO_DATA, EventData, LineStimulus, StationRole, Stimulus, Timer
from appliance.t30.sender import Sender
from appliance.t30.sender_ecm import EcmPageTransfer
from appliance.t30.sender_page import PlainPage
from appliance.t30.sender_phase_b import Identification, Training
from appliance.t30.states import ReceiverState, SenderState
from appliance.t30.station import Station
from appliance.t30.tables import as_markdown
from appliance.t30.trace import EVENTS
from tests.t30.linked import Pages
from tests.t30.script import Far, white_page
from tests.t30.test_conformance import PLAIN, RECEIVES, RECEIVES_ECM, SENDS, SENDS_ECM


def _sender(station: Station) -> Sender:
    return Sender(station, lambda _: None)


def _receiver(station: Station) -> Receiver:
    return Receiver(station, lambda _: None)


def _link() -> Link:
    common = in_common(Capabilities(), Facilities(ecm=True))
    return Ground(common, Carrier.V29_9600, False, False).link(white_page())


def _confirmation(station: Station) -> PageConfirmation:
    receiver, settings = _receiver(station), Settings(Carrier.V29_9600)
    return PageConfirmation(receiver, PageReception(receiver, settings), settings)


# Each role and how to make one in a state of its own.
ROLES: list[tuple[type[StationRole], Callable[[Station], StationRole]]] = [
    (Identification, lambda station: Identification(_sender(station))),
    (Training, lambda station: Training(_sender(station), _link())),
    (PlainPage, lambda station: PlainPage(_sender(station), _link(), white_page(), last=True)),
    (EcmPageTransfer, lambda station: EcmPageTransfer(_sender(station), _link(), white_page(), last=True)),
    (ReceiverIdentification, lambda station: ReceiverIdentification(_receiver(station), lambda _: None)),
    (TrainingCheck, lambda station: TrainingCheck(_receiver(station), Settings(Carrier.V29_9600))),
    (PageReception, lambda station: PageReception(_receiver(station), Settings(Carrier.V29_9600))),
    (PageConfirmation, _confirmation),
]
SIDES: list[tuple[type[Sender | Receiver], type[Enum]]] = [(Sender, SenderState), (Receiver, ReceiverState)]
SOURCES = {p.name: p.read_text() for p in Path(appliance.t30.__file__).parent.glob("*.py")}


@pytest.mark.parametrize(("side", "states"), SIDES)
def test_every_state_has_a_row(side: type[Sender | Receiver], states: type[Enum]) -> None:
    assert set(side.TABLE) == set(states)


@pytest.mark.parametrize(("role", "_make"), ROLES)
def test_every_entry_is_a_method_of_its_role_and_leads_to_states(
    role: type[StationRole], _make: object
) -> None:
    for row in role.TABLE.values():
        for step in row.values():
            assert getattr(role, step.act.__name__) is step.act
            assert all(isinstance(to, SenderState | ReceiverState) for to in step.to)


@pytest.mark.parametrize(("side", "states"), SIDES)
def test_every_state_is_reached(side: type[Sender | Receiver], states: type[Enum]) -> None:
    reached = {to for row in side.TABLE.values() for step in row.values() for to in step.to}
    assert set(states) - reached <= {SenderState.CALLING, ReceiverState.COMMAND}


def test_no_step_leads_where_its_table_does_not_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every conformance case again: where a step has led is seen at the next stimulus."""
    wrong: set[tuple[str, str, str]] = set()
    last: dict[int, tuple[Enum, Stimulus, tuple[Enum, ...]]] = {}
    plain_take = StationRole.take

    def take(role: StationRole, stimulus: Stimulus, fact: EventData = NO_DATA) -> None:
        station = id(role.station)
        if station in last:
            state, on, to = last[station]
            if role.state is not state and role.state not in to:
                wrong.add((str(state), str(on), str(role.state)))
        step = role.TABLE[role.state].get(stimulus)
        last[station] = (role.state, stimulus, step.to if step else ())
        plain_take(role, stimulus, fact)

    monkeypatch.setattr(StationRole, "take", take)
    kept = []  # stations must not share an id
    for cases, sends in ((SENDS, True), (SENDS_ECM, True), (RECEIVES, False), (RECEIVES_ECM, False)):
        able = PLAIN if cases in (SENDS, RECEIVES) else Capabilities()
        for case in cases.values():
            role = Role.CALLS if sends else Role.ANSWERS
            pages = Pages([white_page() for _ in range(int(case[0]))]) if sends else Pages()
            far = Far(CallParameters(role, "+1", able), pages)
            far.run(str(case[-1]))
            kept.append(far)
    assert not wrong


@pytest.mark.parametrize(("side", "states"), SIDES)
def test_no_state_waits_for_ever(side: type[Sender | Receiver], states: type[Enum]) -> None:
    for state in states:
        assert any(isinstance(stimulus, Timer) for stimulus in side.TABLE[state]), state


# Beginnings and ends that mean something in few states.
NOT_NOTED = {LineStimulus.QUIET, LineStimulus.V21_ON, LineStimulus.CNG}
STIMULI: list[Stimulus] = [*Fcf, *LineStimulus, *Timer]


@pytest.mark.parametrize(("role", "make"), ROLES)
def test_what_a_state_does_not_allow_changes_nothing_and_is_noted(
    role: type[StationRole], make: Callable[[Station], StationRole]
) -> None:
    for state in role.TABLE:
        for stimulus in STIMULI:
            plain = SAME_AS.get(stimulus, stimulus)
            if plain in role.TABLE[state] or stimulus is LineStimulus.UNKNOWN:
                continue
            notes: list[Progress] = []
            station = Station(CallParameters(Role.CALLS), notes.append)
            actor = make(station)
            actor.state = state
            before = {k: v for k, v in vars(station).items() if k != "_notes"}
            actor.take(stimulus)
            assert {k: v for k, v in vars(station).items() if k != "_notes"} == before
            assert actor.state is state
            assert [n.event for n in notes] == ([] if stimulus in NOT_NOTED else ["ignored"])


@pytest.mark.parametrize(("side", "_states"), SIDES)
def test_every_handler_is_in_the_table(side: type[Sender | Receiver], _states: type[Enum]) -> None:
    """A method that takes a fact and is in no table, and is called nowhere, is dead."""
    entries = {step.act.__name__ for row in side.TABLE.values() for step in row.values()}
    kind = "sender" if side is Sender else "receiver"
    text = "".join(source for name, source in SOURCES.items() if name.startswith(kind))
    for name in re.findall(r"def (_\w+)\(self, \w+: EventData\)", text):
        assert name in entries or text.count(f"self.{name}(") > 0, name


def test_every_progress_word_is_in_the_vocabulary_and_none_is_stale() -> None:
    said = {word for text in SOURCES.values() for word in re.findall(r'note\(\s*"(\w+)"', text)}
    assert said | {"more_not_noted"} == set(EVENTS)


def test_documented_tables_are_those_of_the_code() -> None:
    page = Path(appliance.t30.__file__).parents[2] / "docs" / "t30-states.md"
    assert page.read_text() == as_markdown(), "run python -m appliance.t30.tables > docs/t30-states.md"
