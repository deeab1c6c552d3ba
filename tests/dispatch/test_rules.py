"""The decisions one by one, without clock, database or line."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.causes import DELIVERED, Cause, Retry, Side, all_causes
from appliance.dispatch.profile import BELIEVED_S, STEPS, Profile, learn
from appliance.dispatch.rules import (
    DEAD,
    JITTER,
    LineView,
    NoLineNow,
    choose_line,
    daily_limit,
    is_quarantined,
    plan_call,
    quarantine,
    verdict,
)
from appliance.lines.causes import BUSY, LINE_FULL, NO_ANSWER
from appliance.lines.line import LineKind
from appliance.lines.modem.causes import NO_DIAL_TONE, VOICE_ANSWERED
from appliance.lines.practice.settings import PracticeSettings
from appliance.lines.sip import causes
from appliance.numbers import NumberSettings
from appliance.spool.model import Attempt, Job, JobState, Reach
from appliance.spool.options import Resume, SendOptions, UnknownRule
from appliance.spool.remembered import Destination, Usage
from appliance.spool.settings import SendingSettings
from appliance.t30.causes import HUNG_UP_DURING_PAGE, LAST_PAGE_UNCONFIRMED, NO_FAX_ANSWERED, TRAINING_FAILED
from appliance.t30.dce import Carrier, Modulation
from appliance.t30.parameters import CallResult
from tests.spool.samples import sample_job

NOW = 10_000.0
JOB = sample_job(expires_at=NOW + 86400, deadline=NOW, rendered_path="x", pages=9)
SENDING = SendingSettings()
# Calls for one job that no timetable comes to.
CALLS_LIMIT = 60
PRACTICE = PracticeSettings()
TRUNK = LineView("trunk", LineKind.T38, usable=True, free=2)
AUDIO = LineView("audio", LineKind.G711, usable=True, free=2)
MODEM = LineView("modem", LineKind.MODEM, usable=True, free=1)
LINES = (TRUNK, AUDIO, MODEM)


def past(*ends: tuple[str, Cause]) -> list[Attempt]:
    return [
        Attempt(number, 7, number, line, "t38", 0.0, 1.0, 0, 0, None, cause.code, 1.0, "", {})
        for number, (line, cause) in enumerate(ends, 1)
    ]


def judge(
    cause: Cause, *before: tuple[str, Cause], job: Job = JOB, candidates: int = 1
) -> tuple[JobState, float]:
    made = verdict(job, cause, past(*before), SENDING, NOW, practice=PRACTICE, candidates=candidates)
    return made.state, made.next_try_at - NOW


# -- lines ---------------------------------------------------------------------------------------


def test_the_first_line_in_the_owners_order_is_taken() -> None:
    assert choose_line(JOB, LINES, [], Profile()) is TRUNK


def test_a_line_at_fault_is_followed_by_the_next_in_order() -> None:
    down = past(("trunk", causes.SIP_UNREACHABLE))
    assert choose_line(JOB, LINES, down, Profile()) is AUDIO
    down = past(("trunk", causes.SIP_UNREACHABLE), ("audio", causes.SIP_FAILED))
    assert choose_line(JOB, LINES, down, Profile()) is MODEM


def test_when_all_lines_have_failed_the_round_begins_again_with_the_first() -> None:
    down = past(("trunk", causes.SIP_UNREACHABLE), ("audio", causes.SIP_FAILED), ("modem", NO_DIAL_TONE))
    assert choose_line(JOB, LINES, down, Profile()) is TRUNK


def test_a_call_that_got_through_ends_the_round() -> None:
    mixed = past(("trunk", causes.SIP_UNREACHABLE), ("audio", BUSY))
    assert choose_line(JOB, LINES, mixed, Profile()) is TRUNK


def test_a_line_that_is_down_is_passed_over_and_one_in_use_too() -> None:
    assert choose_line(JOB, (replace(TRUNK, usable=False), AUDIO), [], Profile()) is AUDIO
    assert choose_line(JOB, (replace(TRUNK, free=0), AUDIO), [], Profile()) is AUDIO


def test_a_busy_good_line_is_waited_for_rather_than_using_the_failed_one() -> None:
    failed = past(("trunk", causes.SIP_FAILED))
    assert choose_line(JOB, (TRUNK, replace(AUDIO, free=0)), failed, Profile()) is NoLineNow.BUSY


def test_the_line_that_last_reached_a_destination_comes_first() -> None:
    assert choose_line(JOB, LINES, [], Profile(line="audio")) is AUDIO


def test_the_senders_choice_of_lines_is_kept_and_ordered() -> None:
    job = replace(JOB, options=SendOptions(lines=("modem", "trunk")))
    assert choose_line(job, LINES, [], Profile(line="audio")) is MODEM
    assert choose_line(job, (AUDIO,), [], Profile()) is NoLineNow.NONE


def test_practice_stays_inside_and_nothing_else_goes_there() -> None:
    practice = LineView("practice", LineKind.PRACTICE, usable=True, free=4)
    inside = replace(JOB, reach=Reach.PRACTICE)
    assert choose_line(inside, (TRUNK, practice), [], Profile()) is practice
    assert choose_line(JOB, (practice,), [], Profile()) is NoLineNow.NONE
    assert choose_line(inside, (TRUNK,), [], Profile()) is NoLineNow.NONE


def test_a_line_is_not_chosen_for_a_number_that_its_allow_and_deny_lists_forbid() -> None:
    assert choose_line(JOB, (replace(TRUNK, deny=("+49",)), AUDIO), [], Profile()) is AUDIO
    assert choose_line(JOB, (replace(TRUNK, allow=("+1",)), AUDIO), [], Profile()) is AUDIO
    assert choose_line(JOB, (replace(TRUNK, usable=False),), [], Profile()) is NoLineNow.DOWN


# -- the call ------------------------------------------------------------------------------------


def test_the_first_call_is_made_as_fast_as_can_be() -> None:
    plan = plan_call(JOB, [], Profile(), SENDING, NOW)
    assert Carrier.V17_14400 in plan.carriers
    assert plan.ecm
    assert plan.first_page == 0


def test_each_step_down_takes_away_rate_then_v17_then_ecm() -> None:
    trouble = ("trunk", TRAINING_FAILED)
    plans = [plan_call(JOB, past(*[trouble] * n), Profile(), SENDING, NOW) for n in range(7)]
    rates = [max(carrier.bit_rate for carrier in plan.carriers) for plan in plans]
    assert rates == sorted(rates, reverse=True)
    assert all(c.modulation is not Modulation.V17 for c in plans[2].carriers)
    assert plans[2].ecm
    assert not plans[3].ecm
    assert plans[-1].step == len(STEPS) - 1
    assert all(plan.carriers for plan in plans)


def test_busy_lines_do_not_slow_the_call_down() -> None:
    assert plan_call(JOB, past(("trunk", BUSY)), Profile(), SENDING, NOW).step == 0


def test_a_learned_step_is_begun_with_and_doubted_after_a_month() -> None:
    profile = Profile(step=2, step_at=NOW)
    assert plan_call(JOB, [], profile, SENDING, NOW + 1).step == 2
    assert plan_call(JOB, [], profile, SENDING, NOW + BELIEVED_S + 1).step == 1
    assert plan_call(JOB, [], profile, SendingSettings(learn=False), NOW).step == 0


@pytest.mark.parametrize(
    ("learned", "failed", "audio"),
    [
        ("", [], False),
        ("", ["t38"], False),
        ("", ["t38", "t38"], True),
        ("", ["t38", "t38", "g711", "g711", "g711"], False),
        ("t38", [], False),
        ("g711", [], True),
        ("g711", ["g711", "g711"], False),
        ("g711", ["g711", "g711", "t38", "t38", "t38"], True),
    ],
)
def test_a_route_that_fails_over_t38_is_tried_in_audio_and_the_other_way_about(
    learned: str, failed: list[str], audio: bool
) -> None:
    calls = past(*[("trunk", TRAINING_FAILED)] * len(failed))
    before = [replace(call, facts={"medium": medium}) for call, medium in zip(calls, failed, strict=True)]
    assert plan_call(JOB, before, Profile(medium=learned), SENDING, NOW).audio is audio


@pytest.mark.parametrize("cause", [causes.SIP_T38_SILENT, causes.SIP_NO_MEDIA])
def test_t38_that_was_agreed_and_dead_is_followed_by_tones_at_once(cause: Cause) -> None:
    (call,) = past(("trunk", cause))
    assert plan_call(JOB, [replace(call, facts={"medium": "t38"})], Profile(), SENDING, NOW).audio
    assert not plan_call(JOB, [replace(call, facts={"medium": "g711"})], Profile(), SENDING, NOW).audio


def test_silent_t38_does_not_count_towards_a_numbers_quarantine() -> None:
    known = Destination("+49", SENDING.quarantine_after - 1, None, {}, NOW)
    assert quarantine(known, causes.SIP_T38_SILENT, SENDING, NOW) == (known.failures, None)


@pytest.mark.parametrize(("resume", "first"), [(Resume.REST, 6), (Resume.ALL, 0), (None, 6)])
def test_a_later_call_sends_the_rest_or_all_as_asked(resume: Resume | None, first: int) -> None:
    job = replace(JOB, pages_confirmed=6, options=SendOptions(resume=resume))
    assert plan_call(job, [], Profile(), SENDING, NOW).first_page == first


def test_when_no_page_is_left_all_are_sent_again() -> None:
    assert plan_call(replace(JOB, pages_confirmed=9), [], Profile(), SENDING, NOW).first_page == 0


# -- after the call ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cause", "table"),
    [
        (BUSY, SENDING.busy),
        (NO_ANSWER, SENDING.no_answer),
        (HUNG_UP_DURING_PAGE, SENDING.step_down),
        (TRAINING_FAILED, SENDING.step_down),
        (VOICE_ANSWERED, SENDING.later),
    ],
)
def test_waits_follow_the_owners_timetable_to_its_end(cause: Cause, table: tuple[float, ...]) -> None:
    for tries in range(len(table) + 1):
        state, wait = judge(cause, *[("trunk", cause)] * tries)
        if tries < min(len(table), SENDING.max_tries - 1):
            assert state is JobState.WAITING
            assert table[tries] <= wait <= table[tries] * (1 + JITTER)
        else:
            assert state is JobState.FAILED


@pytest.mark.parametrize("cause", [BUSY, TRAINING_FAILED, causes.SIP_FAILED])
def test_a_fax_with_a_timetable_of_its_own_follows_that_whatever_the_cause(cause: Cause) -> None:
    job = replace(JOB, options=SendOptions(retry_waits=(7.0, 70.0)))
    waits = [judge(cause, *[("trunk", cause)] * tries, job=job) for tries in range(3)]
    assert [state for state, _ in waits] == [JobState.WAITING, JobState.WAITING, JobState.FAILED]
    for wanted, (_, wait) in zip((7.0, 70.0), waits, strict=False):
        assert wanted <= wait <= wanted * (1 + JITTER)
    once = replace(JOB, options=SendOptions(retry_waits=()))
    assert judge(cause, job=once)[0] is JobState.FAILED


def test_a_line_at_fault_is_changed_at_once_and_uses_up_no_try() -> None:
    state, wait = judge(causes.SIP_UNREACHABLE, candidates=3)
    assert (state, wait < 2) == (JobState.WAITING, True)
    state, wait = judge(
        NO_DIAL_TONE, ("trunk", causes.SIP_FAILED), ("audio", causes.SIP_FAILED), candidates=3
    )
    assert wait >= SENDING.other_line[0]
    many = [("trunk", causes.SIP_FAILED)] * 3
    assert judge(BUSY, *many)[0] is JobState.WAITING


@given(st.lists(st.sampled_from(all_causes()), min_size=1, max_size=12), st.integers(1, 5), st.integers(1, 4))
def test_the_most_tries_are_a_bound_whatever_the_causes(
    ends: list[Cause], most: int, candidates: int
) -> None:
    job = replace(JOB, options=SendOptions(max_tries=most, unknown_rule=UnknownRule.RESEND))
    before: list[tuple[str, Cause]] = []
    for cause in ends:
        made = verdict(job, cause, past(*before), SENDING, NOW, practice=PRACTICE, candidates=candidates)
        if cause is LINE_FULL:  # no call, so no try: only the fax's time bounds that
            assert made.state is JobState.WAITING
            late = verdict(job, cause, past(*before), SENDING, job.expires_at, practice=PRACTICE)
            assert late.state is JobState.FAILED
            continue
        before.append(("trunk", cause))
        if made.state is not JobState.WAITING:
            break
        assert len(before) < most


def test_the_owners_own_timetable_can_be_tried_on_the_practice_line() -> None:
    job = replace(JOB, reach=Reach.PRACTICE)
    own = replace(PRACTICE, wait_s=None)
    for tries, wait in enumerate(SENDING.busy[:3]):
        before = past(*[("practice", BUSY)] * tries)
        made = verdict(job, BUSY, before, SENDING, NOW, practice=own)
        assert wait <= made.next_try_at - NOW <= wait * (1 + JITTER)


@pytest.mark.parametrize("cause", [NO_FAX_ANSWERED, causes.SIP_NO_MEDIA])
def test_after_t38_that_stayed_silent_the_next_call_is_in_audio_and_at_once(cause: Cause) -> None:
    made = verdict(JOB, cause, [], SENDING, NOW, practice=PRACTICE, medium="t38")
    assert (made.state, made.next_try_at - NOW < 2) == (JobState.WAITING, True)
    silent = [replace(call, facts={"medium": "t38"}) for call in past(("trunk", cause))]
    assert plan_call(JOB, silent, Profile(), SENDING, NOW).audio
    again = verdict(JOB, cause, silent, SENDING, NOW, practice=PRACTICE, medium="t38")
    assert again.state is JobState.FAILED or again.next_try_at - NOW > 2


def test_a_practice_number_is_tried_again_soon() -> None:
    state, wait = judge(BUSY, job=replace(JOB, reach=Reach.PRACTICE))
    assert state is JobState.WAITING
    assert wait <= PRACTICE.wait_s * (1 + JITTER)


def test_nothing_is_tried_beyond_a_jobs_lifetime() -> None:
    assert judge(BUSY, job=replace(JOB, expires_at=NOW + 30))[0] is JobState.FAILED


def test_cancelled_wins_over_every_failure_but_not_over_delivery() -> None:
    job = replace(JOB, cancel_requested=True)
    assert judge(BUSY, job=job)[0] is JobState.CANCELLED
    assert judge(DELIVERED, job=job)[0] is JobState.DELIVERED
    assert judge(LAST_PAGE_UNCONFIRMED, job=job)[0] is JobState.UNKNOWN


@pytest.mark.parametrize(
    ("rule", "state"),
    [
        (None, JobState.UNKNOWN),
        (UnknownRule.RESEND, JobState.WAITING),
        (UnknownRule.ASSUME_DELIVERED, JobState.DELIVERED),
    ],
)
def test_an_unconfirmed_last_page_follows_the_owners_rule(rule: UnknownRule | None, state: JobState) -> None:
    job = replace(JOB, options=SendOptions(unknown_rule=rule))
    assert judge(LAST_PAGE_UNCONFIRMED, job=job)[0] is state


def test_a_full_line_of_ours_is_no_call_and_bounded_by_the_jobs_lifetime() -> None:
    job = replace(JOB, next_try_at=NOW - 5)
    assert judge(LINE_FULL, job=job) == (JobState.WAITING, -5.0)  # it keeps its place
    assert judge(LINE_FULL, job=replace(job, expires_at=NOW))[0] is JobState.FAILED


_CALLS_END_WITH = [cause for cause in all_causes() if cause is not LINE_FULL]


@given(st.lists(st.sampled_from(_CALLS_END_WITH), min_size=1, max_size=80), st.integers(1, 4))
def test_whatever_happens_a_job_comes_to_an_end(ends: list[Cause], candidates: int) -> None:
    before: list[tuple[str, Cause]] = []
    for cause in (ends * CALLS_LIMIT)[: CALLS_LIMIT + 1]:
        made = verdict(JOB, cause, past(*before), SENDING, NOW, practice=PRACTICE, candidates=candidates)
        if made.state is not JobState.WAITING:
            return
        assert made.next_try_at >= NOW
        before.append(("trunk", cause))
    pytest.fail("a job that is tried for ever")


@given(st.sampled_from([cause for cause in all_causes() if cause.retry is Retry.NO]))
def test_what_cannot_be_helped_is_not_tried_again(cause: Cause) -> None:
    assert judge(cause)[0] is not JobState.WAITING


# -- numbers -------------------------------------------------------------------------------------


def test_a_dead_number_is_left_alone_after_enough_calls_and_for_a_while() -> None:
    known: Destination | None = None
    for call in range(SENDING.quarantine_after):
        assert not is_quarantined(known, NOW), call
        failures, until = quarantine(known, VOICE_ANSWERED, SENDING, NOW)
        known = Destination("x", failures, until, {}, NOW)
    assert is_quarantined(known, NOW)
    assert not is_quarantined(known, NOW + SENDING.quarantine_days * 86400 + 1)


def test_a_fax_machine_that_answers_clears_the_count() -> None:
    known = Destination("x", 4, None, {}, NOW)
    assert quarantine(known, TRAINING_FAILED, SENDING, NOW) == (0, None)
    assert quarantine(known, causes.SIP_UNREACHABLE, SENDING, NOW) == (4, None)


@given(st.sampled_from(all_causes()), st.sampled_from(["", "t38", "g711"]), st.integers(0, 9), st.booleans())
def test_what_is_not_the_numbers_doing_neither_counts_nor_clears(
    cause: Cause, medium: str, failures: int, resting: bool
) -> None:
    until = NOW + 60 if resting else None
    known = Destination("x", failures, until, {}, NOW)
    after = quarantine(known, cause, SENDING, NOW, medium)
    blameless = cause.side in (Side.OURS, Side.USER) or cause.retry is Retry.OTHER_LINE
    blameless = blameless and cause.code not in DEAD
    if blameless or (medium == "t38" and cause is NO_FAX_ANSWERED):
        assert after == (failures, until)
    assert after[0] in (0, failures, failures + 1)
    assert after[0] <= failures or cause.code in DEAD


def test_a_number_whose_t38_is_dead_is_never_left_alone_for_it_and_one_without_a_fax_is() -> None:
    known: Destination | None = None
    for medium in ["t38"] * 20 + ["g711"] * SENDING.quarantine_after:
        assert not is_quarantined(known, NOW)
        failures, until = quarantine(known, NO_FAX_ANSWERED, SENDING, NOW, medium)
        known = Destination("x", failures, until, {}, NOW)
    assert is_quarantined(known, NOW)


def test_daily_limits_count_only_what_leaves_the_box() -> None:
    limits = NumberSettings(daily_calls=10, daily_calls_each=5, daily_abroad=1)
    none, five, ten = Usage(), Usage(calls=5), Usage(calls=10)
    assert not daily_limit(Reach.PRACTICE, limits, box=ten, owner=ten, abroad=ten)
    assert not daily_limit(Reach.DOMESTIC, limits, box=five, owner=none, abroad=ten)
    assert daily_limit(Reach.DOMESTIC, limits, box=ten, owner=none, abroad=none)
    assert daily_limit(Reach.DOMESTIC, limits, box=five, owner=five, abroad=none)
    assert daily_limit(Reach.ABROAD, limits, box=five, owner=none, abroad=five)
    assert not daily_limit(Reach.DOMESTIC, NumberSettings(daily_calls=0), box=ten, owner=none, abroad=none)


def test_what_worked_is_learned_and_a_lines_fault_teaches_nothing() -> None:
    result = CallResult(DELIVERED, pages_sent=2, remote_id="49 30", carrier=Carrier.V29_9600, ecm=True)
    learned = learn(Profile(), result, step=2, line="trunk", medium="t38", seconds=60.0, now=NOW)
    assert (learned.step, learned.line, learned.remote_id, learned.bit_rate) == (2, "trunk", "49 30", 9600)
    assert learned.seconds_a_page == 30.0
    same = learn(learned, CallResult(causes.SIP_FAILED), step=0, line="x", medium="", seconds=1.0, now=NOW)
    assert same == learned
    assert Profile.load({**learned.dump(), "of_a_newer_version": 1}) == learned
