"""Jobs from acceptance to their end, on a real database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.causes import DELIVERED
from appliance.lines import causes
from appliance.services.attention import CALLS_S, Attention
from appliance.spool import (
    accepting,
    attempts,
    bounds,
    decisions,
    documents,
    erasure,
    jobs,
    preparing,
    queues,
    retention,
)
from appliance.spool.errors import IdempotencyError, IllegalTransitionError, NotFoundError
from appliance.spool.filters import JobFilter
from appliance.spool.job_states import NEEDS_NUMBER_LIMIT_S, TRANSITIONS
from appliance.spool.model import NO_NUMBER, JobState, NewSubmission, Priority, Recipient
from appliance.spool.options import Cover, Quality, Resume, SendOptions, UnknownRule
from appliance.spool.store import Spool
from appliance.t4.page import Resolution

NOW = 1_764_000_000.0


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    spool = Spool(tmp_path / "data")
    yield spool
    spool.close()


def accept(spool: Spool, *numbers: str, now: float = 1000.0, **more: object) -> accepting.Accepted:
    file = documents.store_file(spool, b"a page", name="letter.txt", media_type="text/plain")
    document = spool.do(documents.create, "ada", [file], now)
    new = NewSubmission(
        owner="ada",
        recipients=tuple(Recipient(number) for number in numbers or ("+4930123",)),
        document_id=document.id,
        **more,  # type: ignore[arg-type]
    )
    return spool.do(accepting.accept, new, now)


def ready(spool: Spool, *numbers: str, pages: int = 3, **more: object) -> list[int]:
    accepted = accept(spool, *numbers, **more)
    spool.do(preparing.prepared, accepted.job_ids, "rendered/x", pages, 1001.0)
    return list(accepted.job_ids)


def begin(spool: Spool, job_id: int, first_page: int = 0, now: float = 1002.0) -> int:
    return spool.do(
        attempts.begin, job_id, now, line="practice", line_kind="practice", first_page=first_page
    ).id


def test_the_words_for_quality_name_their_resolutions() -> None:
    assert {quality.value: quality.resolution for quality in Quality} == {
        "standard": Resolution.STANDARD,
        "fine": Resolution.FINE,
        "superfine": Resolution.SUPERFINE,
        "300": Resolution.R300,
        "400": Resolution.R400,
    }


def test_a_job_goes_from_acceptance_to_delivery(spool: Spool) -> None:
    (job_id,) = ready(spool)
    attempt = begin(spool, job_id)
    assert spool.read(jobs.get, job_id).state is JobState.SENDING
    spool.do(attempts.confirm_pages, attempt, 1, 1003.0)
    assert spool.read(jobs.get, job_id).pages_confirmed == 1
    spool.do(attempts.last_page_out, attempt, 1004.0)
    outcome = attempts.Outcome(DELIVERED, JobState.DELIVERED, pages_confirmed=3, seconds=40.0)
    job = spool.do(attempts.end, attempt, outcome, 1005.0)
    assert (job.state, job.pages_confirmed, job.ended_at) == (JobState.DELIVERED, 3, 1005.0)
    assert job.seconds_on_line == 40.0
    assert job.cause is DELIVERED


def test_each_recipient_is_a_job_of_its_own_in_one_submission(spool: Spool) -> None:
    accepted = accept(spool, "+491", "+492", "+493")
    assert [spool.read(jobs.get, job_id).number for job_id in accepted.job_ids] == ["+491", "+492", "+493"]
    assert spool.read(jobs.get_submission, accepted.submission_id).job_ids == accepted.job_ids
    together = spool.read(preparing.next_to_prepare)
    assert tuple(job.id for job in together) == accepted.job_ids
    assert spool.read(preparing.next_to_prepare, accepted.job_ids) == []


def test_a_cover_page_makes_the_pages_of_each_recipient_their_own(spool: Spool) -> None:
    accepted = accept(spool, "+491", "+492", options=SendOptions(cover=Cover(subject="x")))
    assert [job.id for job in spool.read(preparing.next_to_prepare)] == [accepted.job_ids[0]]


def test_a_repeated_idempotency_key_answers_the_first_jobs_and_makes_none(spool: Spool) -> None:
    first = accept(spool, idempotency_key="k", idempotency_digest="d")
    again = accept(spool, idempotency_key="k", idempotency_digest="d")
    assert again.repeated
    assert again.job_ids == first.job_ids
    with pytest.raises(IdempotencyError):
        accept(spool, idempotency_key="k", idempotency_digest="other")
    assert len(spool.read(jobs.search, JobFilter())) == 1


def test_a_submission_without_its_document_is_refused_and_leaves_nothing(spool: Spool) -> None:
    with pytest.raises(NotFoundError):
        spool.do(accepting.accept, NewSubmission("ada", (Recipient("1"),), document_id=99), 1.0)
    assert spool.read(jobs.search, JobFilter()) == []


def test_options_are_read_as_they_were_stored(spool: Spool) -> None:
    options = SendOptions(
        quality=Quality.R300,
        cover=Cover(subject="Re: you"),
        lines=("a", "b"),
        ecm=False,
        resume=Resume.ALL,
        unknown_rule=UnknownRule.RESEND,
        header="",
    )
    (job_id,) = accept(spool, options=options, metadata={"x": [1]}, tag="sales").job_ids
    job = spool.read(jobs.get, job_id)
    assert (job.options, job.metadata, job.tag) == (options, {"x": [1]}, "sales")


def test_every_state_change_outside_the_table_is_refused_and_changes_nothing(spool: Spool) -> None:
    (job_id,) = ready(spool)
    spool.do(decisions.cancel, job_id, 1002.0)
    with pytest.raises(IllegalTransitionError):
        begin(spool, job_id)
    with pytest.raises(IllegalTransitionError):
        spool.do(decisions.cancel, job_id, 1003.0)
    job = spool.read(jobs.get, job_id)
    assert (job.state, job.tries, job.ended_at) == (JobState.CANCELLED, 0, 1002.0)


def test_only_unknown_among_the_ended_states_has_a_way_out() -> None:
    assert {state for state in JobState if state.ended and TRANSITIONS[state]} == {JobState.UNKNOWN}


def test_cancelling_a_running_call_asks_for_its_end(spool: Spool) -> None:
    (job_id,) = ready(spool)
    begin(spool, job_id)
    job = spool.do(decisions.cancel, job_id, 1003.0)
    assert (job.state, job.cancel_requested) == (JobState.SENDING, True)


def test_due_jobs_come_by_priority_then_time_and_one_for_each_number(spool: Spool) -> None:
    (low,) = ready(spool, "+491", priority=Priority.LOW)
    first, _ = ready(spool, "+492", "+492")
    (later,) = ready(spool, "+493", scheduled_at=5000.0)
    (high,) = ready(spool, "+494", priority=Priority.HIGH)
    assert [job.id for job in spool.read(queues.due, 2000.0, 10)] == [high, first, low]
    assert [job.id for job in spool.read(queues.due, 2000.0, 10, {"+492", "+494"})] == [low]
    assert later in [job.id for job in spool.read(queues.due, 5000.0, 10)]
    assert spool.read(queues.next_due_at, 2000.0) == 5000.0


@pytest.mark.parametrize(
    ("confirmed", "last_page", "state"),
    [
        (1, False, JobState.WAITING),  # the last page never left: safe to send again
        (2, True, JobState.UNKNOWN),
        (3, True, JobState.DELIVERED),  # its confirmation was recorded
    ],
)
def test_a_crash_in_a_call_leaves_the_job_where_it_belongs(
    spool: Spool, confirmed: int, last_page: bool, state: JobState
) -> None:
    (job_id,) = ready(spool)
    attempt = begin(spool, job_id)
    spool.do(attempts.confirm_pages, attempt, confirmed, 1003.0)
    if last_page:
        spool.do(attempts.last_page_out, attempt, 1004.0)
    (job,) = spool.do(bounds.recover, UnknownRule.ASK, 1010.0)
    assert job.state is state
    assert job.pages_confirmed == confirmed
    assert spool.do(bounds.recover, UnknownRule.ASK, 1011.0) == []


@pytest.mark.parametrize("confirmed", [0, 1])
@pytest.mark.parametrize("rule", UnknownRule)
def test_a_call_that_an_earlier_version_left_beside_another_does_not_stop_the_start(
    spool: Spool, rule: UnknownRule, confirmed: int
) -> None:
    (job_id,) = ready(spool, pages=1)
    first = begin(spool, job_id)
    spool.do(attempts.last_page_out, first, 1002.5)
    spool.do(attempts.confirm_pages, first, confirmed, 1003.0)
    _put_back(spool, job_id)
    second = begin(spool, job_id, now=1004.0)
    delivered = attempts.Outcome(DELIVERED, JobState.DELIVERED, pages_confirmed=1)
    assert spool.do(attempts.end, second, delivered, 1005.0).state is JobState.DELIVERED
    (job,) = spool.do(bounds.recover, rule, 1010.0)
    assert (job.state, job.ended_at) == (JobState.DELIVERED, 1005.0)
    assert all(attempt.ended_at is not None for attempt in spool.read(jobs.attempts, job_id))


def test_the_end_of_a_call_leaves_the_job_to_the_later_one(spool: Spool) -> None:
    (job_id,) = ready(spool)
    first = begin(spool, job_id)
    _put_back(spool, job_id)
    begin(spool, job_id, now=1004.0)
    busy = attempts.Outcome(causes.BUSY, JobState.WAITING, next_try_at=1005.0)
    assert spool.do(attempts.end, first, busy, 1005.0).state is JobState.SENDING


def _put_back(spool: Spool, job_id: int) -> None:
    """What releasing a fax in a call did in earlier versions."""
    spool.do(lambda tx: tx.db.execute("UPDATE job SET state = 'waiting' WHERE id = ?", (job_id,)))


@pytest.mark.parametrize("state", [state for state in JobState if state is not JobState.HELD])
def test_only_a_held_fax_is_released(spool: Spool, state: JobState) -> None:
    """One that is being sent would be sent by a second call; one of unknown result is for a person."""
    (job_id,) = ready(spool)
    spool.do(lambda tx: tx.db.execute("UPDATE job SET state = ? WHERE id = ?", (state.value, job_id)))
    before = spool.read(jobs.get, job_id)
    with pytest.raises(IllegalTransitionError):
        spool.do(accepting.release, job_id, 1003.0)
    assert spool.read(jobs.get, job_id) == before


@pytest.mark.parametrize(
    ("rule", "state"),
    [
        (UnknownRule.ASK, JobState.UNKNOWN),
        (UnknownRule.RESEND, JobState.WAITING),
        (UnknownRule.ASSUME_DELIVERED, JobState.DELIVERED),
    ],
)
def test_an_unknown_job_follows_the_owners_rule(spool: Spool, rule: UnknownRule, state: JobState) -> None:
    (job_id,) = ready(spool)
    spool.do(attempts.last_page_out, begin(spool, job_id), 1004.0)
    (job,) = spool.do(bounds.recover, rule, 1010.0)
    assert job.state is state


def test_a_fax_of_unknown_result_needs_attention_until_somebody_has_looked(spool: Spool) -> None:
    now = 1010.0
    attention = Attention(spool, lambda: now)
    (job_id,) = ready(spool)
    spool.do(attempts.last_page_out, begin(spool, job_id), 1004.0)
    spool.do(bounds.recover, UnknownRule.ASK, now)
    assert [job.id for job in attention.unseen()] == [job_id]
    now += 1
    attention.mark_seen()
    assert attention.unseen() == []


def test_a_fax_that_failed_long_ago_needs_no_attention(spool: Spool) -> None:
    now = 1010.0
    attention = Attention(spool, lambda: now)
    (job_id,) = ready(spool)
    spool.do(attempts.last_page_out, begin(spool, job_id), 1004.0)
    spool.do(bounds.recover, UnknownRule.ASK, now)
    now += CALLS_S - 1
    assert [job.id for job in attention.unseen()] == [job_id]
    now += 2
    assert attention.unseen() == []


def test_no_state_that_has_not_ended_is_without_a_bound(spool: Spool) -> None:
    (held,) = accept(spool, held=True).job_ids
    (preparing,) = accept(spool).job_ids
    (waiting,) = ready(spool)
    (sending,) = ready(spool)
    begin(spool, sending)
    end = max(spool.read(jobs.get, job_id).deadline for job_id in (held, preparing, waiting, sending))
    for job in spool.read(bounds.overdue, end):
        spool.do(bounds.end_overdue, job.id, end)
    states = [spool.read(jobs.get, job_id).state for job_id in (held, preparing, waiting, sending)]
    assert states == [JobState.CANCELLED, JobState.FAILED, JobState.FAILED, JobState.FAILED]


def test_a_document_that_is_never_given_a_number_ends_after_a_month(spool: Spool) -> None:
    document = spool.do(documents.create, "ada", (), 1000.0)
    new = NewSubmission("ada", (NO_NUMBER,), document.id, origin="print", from_computer="desk")
    (job_id,) = spool.do(accepting.accept, new, 1000.0).job_ids
    spool.do(preparing.prepared, [job_id], "rendered/x", 1, 1000.0)
    job = spool.read(jobs.get, job_id)
    assert (job.state, job.from_computer) == (JobState.NEEDS_NUMBER, "desk")
    assert spool.read(queues.due, 1000.0 + 60, 10) == []
    month = 1000.0 + NEEDS_NUMBER_LIMIT_S
    assert [each.id for each in spool.read(bounds.overdue, month)] == [job_id]
    assert spool.do(bounds.end_overdue, job_id, month).state is JobState.CANCELLED


@pytest.mark.parametrize("by", ["recovery", "its bound", "its end"])
def test_the_right_to_end_the_last_page_is_one_attempts_at_a_time(spool: Spool, by: str) -> None:
    """A call that is still up although its attempt was given up must not end its last page."""
    (job_id,) = ready(spool)
    first = begin(spool, job_id)
    match by:
        case "recovery":
            spool.do(bounds.recover, UnknownRule.ASK, 1003.0)
        case "its bound":
            spool.do(bounds.end_overdue, job_id, 1e9)
        case _:
            again = attempts.Outcome(causes.BUSY, JobState.WAITING, next_try_at=1003.0)
            spool.do(attempts.end, first, again, 1003.0)
    with pytest.raises(IllegalTransitionError):
        spool.do(attempts.last_page_out, first, 1004.0)
    if by != "its bound":
        second = begin(spool, job_id, now=1005.0)
        with pytest.raises(IllegalTransitionError):
            spool.do(attempts.last_page_out, first, 1006.0)
        spool.do(attempts.last_page_out, second, 1006.0)
    stamps = [attempt.last_page_at for attempt in spool.read(jobs.attempts, job_id)]
    assert stamps == [None, 1006.0][: len(stamps)]


@pytest.mark.parametrize("append", [False, True])
def test_a_changed_document_leaves_faxes_under_way_and_sent_ones_what_they_had(
    spool: Spool, append: bool
) -> None:
    old, new = (
        documents.store_file(spool, content, name="a.txt", media_type="text/plain")
        for content in (b"1", b"2")
    )
    document = spool.do(documents.create, "ada", [old], 1000.0, listed=True)

    def handed_in(**more: object) -> int:
        submission = NewSubmission("ada", (Recipient("+4930123"),), document.id, **more)  # type: ignore[arg-type]
        return spool.do(accepting.accept, submission, 1000.0).job_ids[0]

    draft, preparing_, waiting, sent, failed = handed_in(held=True), *(handed_in() for _ in range(4))
    spool.do(preparing.prepared, [waiting, sent], "rendered/x", 1, 1001.0)
    delivered = attempts.Outcome(DELIVERED, JobState.DELIVERED, pages_confirmed=1)
    spool.do(attempts.end, begin(spool, sent), delivered, 1003.0)
    spool.do(preparing.unpreparable, [failed], causes.BUSY, 1003.0)

    spool.do(documents.set_files, document.id, [new], append=append)

    def sends(job_id: int) -> tuple[object, ...]:
        submission = spool.read(jobs.get_submission, spool.read(jobs.get, job_id).submission_id)
        return spool.read(documents.get, submission.document_id).files

    assert [sends(job) for job in (preparing_, waiting, sent)] == [(old,)] * 3
    assert [sends(job) for job in (draft, failed)] == [(old, new) if append else (new,)] * 2
    assert [each.id for each in spool.read(documents.search, "ada")] == [document.id]


@pytest.mark.parametrize("way", ["erased", "too old"])
def test_a_file_that_a_stored_document_shares_with_its_faxes_goes_with_the_last_of_them(
    spool: Spool, way: str
) -> None:
    file, more = (
        documents.store_file(spool, content, name="a.txt", media_type="text/plain")
        for content in (b"1", b"2")
    )
    stored = spool.do(documents.create, "ada", [file], NOW, listed=True)
    fax = spool.do(accepting.accept, NewSubmission("ada", (Recipient("+4930123"),), stored.id), NOW).job_ids[
        0
    ]
    spool.do(documents.set_files, stored.id, [more], append=True)
    spool.do(decisions.cancel, fax, NOW + 1)

    if way == "erased":
        spool.do(erasure.erase_job, fax, NOW + 2)
        gone = spool.read(erasure.to_shred)
    else:
        gone = spool.do(retention.drop_documents, NOW + 1000, NOW + 2000)
    assert not {file.path, more.path} & set(gone)
    assert spool.read(documents.get, stored.id).files == (file, more)
    spool.do(documents.delete, stored.id, NOW + 2001)
    assert not {file.path, more.path} & spool.read(retention.known_paths)
