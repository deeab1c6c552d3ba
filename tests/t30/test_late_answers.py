"""A far end whose answers come later than T4 answers every command it heard, so some of them twice."""

from __future__ import annotations

import pytest

from appliance.t30.asking import Answers, CommandKind
from appliance.t30.frames import Fcf
from appliance.t30.parameters import CallParameters, Role
from appliance.t30.roles import LineStimulus
from tests.t30.linked import Pages
from tests.t30.script import Far, white_page
from tests.t30.test_conformance import ECM_TRAINED, OPENING, PLAIN, TRAINED, V27

ECM_PAGE_1_TWICE = (
    ECM_TRAINED
    + """
    hears PPS=4f000005
    hears nothing 3.4
    hears PPS=4f000005       # T4: the answer is on its way
    says MCF
    hears block V27TER_4800 long 6
    hears PPS=2f010005
    waits 0.65
    says MCF                 # to the second PPS of page 1
    hears PPS=2f010005       # is not taken for page 2's
"""
)
PAGE_1_TWICE = (
    TRAINED
    + """
    hears page V27TER_4800 long
    hears MPS
    hears nothing 3.4
    hears MPS
    says MCF
    hears page V27TER_4800 long
    hears EOP
    waits 0.65
    says MCF
    hears EOP
"""
)


def play(script: str, *, ecm: bool, pages: int = 2) -> tuple[str, int]:
    parameters = CallParameters(Role.CALLS, "+1") if ecm else CallParameters(Role.CALLS, "+1", PLAIN)
    far = Far(parameters, Pages([white_page(200 if ecm else 60) for _ in range(pages)]))
    result = far.run(script)
    return result.cause.code, result.pages_sent


def test_a_late_mcf_is_not_taken_for_the_next_pages() -> None:
    script = """
    says PPR=01              # to the first PPS of page 2
    hears block V27TER_4800 long 1
    hears PPS=2f010000
    says PPR=01              # to the second
    hears PPS=2f010000
    says MCF
    hears DCN
    hears end"""
    assert play(ECM_PAGE_1_TWICE + script, ecm=True) == ("delivered", 2)


def test_pages_are_delivered_where_a_repeated_command_is_answered_once() -> None:
    assert play(ECM_PAGE_1_TWICE + "says MCF\nhears DCN\nhears end", ecm=True) == ("delivered", 2)
    assert play(PAGE_1_TWICE + "says MCF\nhears DCN\nhears end", ecm=False) == ("delivered", 2)


def test_a_page_refused_behind_a_late_mcf_is_not_delivered() -> None:
    script = """
    says RTN
    hears DCN
    hears end"""
    assert play(PAGE_1_TWICE + script, ecm=False) == ("page_refused", 1)


def test_a_late_answer_that_arrives_damaged_is_no_longer_expected() -> None:
    script = (
        TRAINED
        + """
    hears page V27TER_4800 long
    hears MPS
    hears MPS
    says bad MCF
    hears MPS
    says MCF
    hears page V27TER_4800 long
    hears EOP
    says MCF                 # said three times, one garbled, one heard: one is owed
    hears EOP
    says MCF
    hears DCN
    hears end"""
    )
    assert play(script, ecm=False) == ("delivered", 2)


def test_an_answer_behind_a_repeated_training_is_the_repeats() -> None:
    """It would be more than seven seconds late for the first; CFR to the next rate is taken at once."""
    script = (
        OPENING
        + """
    says DIS=004e04
    hears TSI DCS=0006..
    hears tcf V29_9600
    hears TSI DCS=0006..
    hears tcf V29_9600
    says FTT
    hears TSI DCS=000e..
    hears tcf V29_7200
    says CFR
    hears page V29_7200 long
    hears EOP
    says MCF
    hears DCN
    hears end"""
    )
    assert play(script, ecm=False, pages=1) == ("delivered", 1)


def test_no_answer_is_expected_to_a_command_older_than_the_longest_delay() -> None:
    answers = Answers()
    answers.new_command(CommandKind.TRAINING)
    for at in (0.0, 4.0, 8.0):
        answers.sent(at)
    assert answers.heard(8.5), "to that of 4.0: 4.5 s late"
    answers.new_command(CommandKind.TRAINING)
    answers.sent(12.0)
    assert not answers.heard(12.4), "to that of 8.0"
    assert answers.heard(13.0)


def test_a_late_answer_to_the_training_is_none_to_the_page() -> None:
    answers = Answers()
    answers.new_command(CommandKind.TRAINING)
    for at in (0.0, 5.6):
        answers.sent(at)
    assert answers.heard(5.7)
    answers.new_command(CommandKind.MESSAGE)
    answers.sent(8.0)
    assert not answers.concerns(Fcf.CFR, 10.7), "to the second training"
    assert not answers.concerns(LineStimulus.GARBLED, 10.7), "it may have been that"
    answers.sent(12.6)
    assert answers.concerns(Fcf.MCF, 13.0)
    assert answers.heard(13.0), "to that of 8.0"
    answers.new_command(CommandKind.MESSAGE)
    answers.sent(15.0)
    assert not answers.heard(17.6), "to that of 12.6"


def test_nothing_is_said_while_the_far_end_answers_a_repeat() -> None:
    """The first answer came while the repeat left; behind it the far end talks, and would miss a page."""
    script = (
        TRAINED
        + """
    hears page V27TER_4800 long
    hears MPS
    hears nothing 3.4
    hears MPS
    says MCF
    hears nothing 0.3
    hears page V27TER_4800 long
    hears EOP
    says MCF                 # may be the repeat's
    hears EOP
    says MCF
    hears DCN
    hears end"""
    )
    assert play(script, ecm=False) == ("delivered", 2)


@pytest.mark.parametrize("pause", [13.0, 20.0])
def test_an_answer_that_is_too_old_to_come_is_not_waited_for(pause: float) -> None:
    script = (
        TRAINED
        + f"""
    hears page V27TER_4800 long
    hears EOM
    hears EOM
    says MCF
    waits {pause}
    says DIS={V27}
    hears TSI DCS
    hears tcf V27TER_4800
    says CFR
    hears page V27TER_4800 long
    hears EOP
    says MCF
    hears DCN
    hears end"""
    )
    parameters = CallParameters(Role.CALLS, "+1", PLAIN, documents_begin=frozenset({1}))
    far = Far(parameters, Pages([white_page(), white_page()]))
    assert far.run(script).cause.code == "delivered"
