"""The ICTFax style: wording of refusals, reading of fields, representation of the box's data."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.api import causes, foreign_fields
from appliance.api.ictfax import objects, words
from appliance.api.problems import ProblemError
from appliance.causes import CANCELLED, DELIVERED, Cause, all_causes
from appliance.documents.causes import (
    DOCUMENT_DAMAGED,
    DOCUMENT_EMPTY,
    DOCUMENT_GONE,
    DOCUMENT_MISLABELLED,
    DOCUMENT_UNSUPPORTED,
)
from appliance.lines.causes import BUSY, NO_ANSWER, NUMBER_EMERGENCY, NUMBER_INVALID
from appliance.services.causes import NOT_PERMITTED, QUOTA_SPENT, STATE_FORBIDS
from appliance.spool.causes import STORAGE_FULL, UNKNOWN_DELIVERY
from appliance.spool.model import Job, JobState, ReceivedState
from appliance.t30.causes import SENDER_GAVE_UP
from tests.api_ifax.test_codes import a_job
from tests.spool.samples import sample_received

NOW = 2000.0
STATUSES = {
    "pending",
    "pending_retry",
    "initializing",
    "processing",
    "completed",
    "failed",
    "invalid",
}


@pytest.mark.parametrize(
    ("cause", "http"),
    [
        (causes.NOT_SIGNED_IN, 401),
        (causes.SIGN_IN_REFUSED, 401),
        (causes.NOT_FOUND, 404),
        (DOCUMENT_GONE, 404),
        (causes.REQUEST_LENGTH_MISSING, 411),
        (DOCUMENT_EMPTY, 411),
        (causes.MEDIA_TYPE_UNSUPPORTED, 415),
        (DOCUMENT_UNSUPPORTED, 415),
        (DOCUMENT_MISLABELLED, 415),
        (NUMBER_INVALID, 417),
        (NUMBER_EMERGENCY, 417),
        (causes.SETTING_INVALID, 417),
        (STATE_FORBIDS, 423),
        (causes.REQUEST_INVALID, 400),
        (NOT_PERMITTED, 403),
        (QUOTA_SPENT, 402),
        (causes.TOO_MANY_REQUESTS, 429),
        (STORAGE_FULL, 507),
        (causes.REQUEST_FAULT, 500),
    ],
)
def test_refusals_have_that_systems_codes(cause: Cause, http: int) -> None:
    assert words.http_of(ProblemError(cause)) == http


def test_a_missing_id_is_412() -> None:
    assert words.http_of(words.MissingError("program_id")) == 412


@pytest.mark.parametrize("cause", all_causes(), ids=lambda cause: cause.code)
def test_the_error_of_every_cause_has_its_sentence_and_a_bounded_length(cause: Cause) -> None:
    document = words.error_document(ProblemError(cause, "x" * 5000))
    assert document["error"]["code"] >= 400
    assert cause.sentence in document["error"]["message"]
    assert len(json.dumps(document)) < 2000


def test_a_delay_counts_from_now_and_a_timestamp_from_1970() -> None:
    assert words.read_time({"delay": 60}, NOW) == 2060
    assert words.read_time({"delay": "60"}, NOW) == 2060
    assert words.read_time({"timestamp": 2100}, NOW) == 2100
    assert words.read_time({"timestamp": 5}, NOW) == NOW
    with pytest.raises(words.MissingError):
        words.read_time({"delay": None}, NOW)


_values = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=300)
    | st.just([])
    | (st.just({}))
)


@given(_values)
def test_whatever_stands_in_a_field_is_read_or_refused(value: Any) -> None:
    refused = 0
    for read in (
        lambda: foreign_fields.number({"x": value}, "x"),
        lambda: words.needed_id({"x": value}, "x"),
        lambda: foreign_fields.text({"x": value}, "x"),
        lambda: words.read_time({"delay": value}, NOW),
        lambda: words.read_time({"timestamp": value}, NOW),
    ):
        try:
            read()
        except ProblemError as problem:
            refused += words.http_of(problem) in (400, 412)
        else:
            refused += 1
    assert refused == 5


@pytest.mark.parametrize("state", JobState)
@pytest.mark.parametrize("tries", [0, 2])
def test_every_state_shows_as_a_status_that_its_filter_finds(state: JobState, tries: int) -> None:
    job = a_job(state, BUSY, tries=tries)
    status = objects.job_status(job, NOW)
    assert status in STATUSES
    assert state in objects.STATES[status]


@pytest.mark.parametrize(
    ("state", "cause", "tries", "status"),
    [
        (JobState.HELD, None, 0, "pending"),
        (JobState.WAITING, None, 0, "pending"),
        (JobState.WAITING, BUSY, 1, "pending_retry"),
        (JobState.PREPARING, None, 0, "processing"),
        (JobState.SENDING, None, 1, "processing"),
        (JobState.DELIVERED, DELIVERED, 1, "completed"),
        (JobState.FAILED, BUSY, 3, "failed"),
        (JobState.FAILED, DOCUMENT_DAMAGED, 0, "invalid"),
        (JobState.CANCELLED, CANCELLED, 0, "failed"),
        (JobState.UNKNOWN, UNKNOWN_DELIVERY, 1, "failed"),
    ],
)
def test_states_show_as_that_systems_statuses(
    state: JobState, cause: Cause | None, tries: int, status: str
) -> None:
    assert objects.job_status(a_job(state, cause, tries=tries), NOW) == status


def test_a_scheduled_fax_is_pending_while_its_pages_are_made() -> None:
    job = a_job(JobState.PREPARING, tries=0, scheduled_at=NOW + 60)
    assert objects.job_status(job, NOW) == "pending"


def test_a_transmission_shows_the_fields_of_that_system() -> None:
    job = a_job(
        JobState.FAILED,
        BUSY,
        origin="ictfax",
        metadata={"title": "Hello", "program_id": 4, "contact_id": 5},
    )
    shown = objects.sent_transmission(
        job, job, tries=3, tries_allowed=3, last_run=1500.7, account_id=1, now=NOW
    )
    assert shown == {
        "transmission_id": 12345,
        "title": "Hello",
        "service_flag": 2,
        "account_id": 1,
        "contact_id": 5,
        "program_id": 4,
        "origin": "ictfax",
        "direction": "outbound",
        "status": "failed",
        "response": BUSY.sentence,
        "try_allowed": 3,
        "try_done": 3,
        "last_run": 1500,
    }


def test_what_others_keep_with_their_faxes_is_not_taken_for_ours() -> None:
    kept = {"title": [], "program_id": "x"}
    job = a_job(JobState.DELIVERED, DELIVERED, origin="rest", metadata=kept)
    shown = objects.sent_transmission(
        job, job, tries=1, tries_allowed=3, last_run=None, account_id=1, now=NOW
    )
    assert (shown["program_id"], shown["title"]) == (None, "Fax to 030 123")


@pytest.mark.parametrize(
    ("state", "cause", "word"),
    [
        (JobState.DELIVERED, DELIVERED, "sent"),
        (JobState.FAILED, BUSY, "busy"),
        (JobState.FAILED, NO_ANSWER, "failed"),
        (JobState.CANCELLED, CANCELLED, "failed"),
        (JobState.UNKNOWN, UNKNOWN_DELIVERY, "failed"),
        (JobState.SENDING, None, "sending"),
        (JobState.HELD, None, "queued"),
        (JobState.WAITING, BUSY, "queued"),
    ],
)
def test_a_one_step_fax_ends_as_sent_busy_or_failed(state: JobState, cause: Cause | None, word: str) -> None:
    assert objects.fax_status(a_job(state, cause)) == word


def test_a_further_sending_is_told_under_the_number_the_client_knows() -> None:
    job: Job = a_job(JobState.DELIVERED, DELIVERED, origin="ictfax", metadata={"transmission_id": 7})
    assert objects.sent_fax(job, "")["job_id"] == 7
    assert objects.sent_fax(dataclasses.replace(job, origin="rest"), "")["job_id"] == 12345


def test_the_document_of_a_received_fax_cannot_be_taken_for_a_stored_one() -> None:
    received = sample_received(
        id=7, state=ReceivedState.PARTIAL, ended_at=20.0, pages=2, cause_code="sender_gave_up"
    )
    rows = {row["name"]: row["data"] for row in objects.received_results(received)}
    assert rows["document"] == 1_000_000_007
    assert rows["pages"] == 2
    assert rows["error"] == SENDER_GAVE_UP.sentence
