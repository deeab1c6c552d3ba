"""The iFax style's names of the box's causes."""

from __future__ import annotations

import pytest

from appliance.api import causes
from appliance.api.ifax.codes import MESSAGES, FaxCode, IfaxStatus, end_of, fax_code, refusal_of
from appliance.api.ifax.faxes import received_fax, sent_fax
from appliance.api.problems import ProblemError
from appliance.causes import DELIVERED, RECEIVED, STOPPING, Cause, all_causes
from appliance.documents.causes import DOCUMENT_DAMAGED, DOCUMENT_EMPTY, DOCUMENT_UNSUPPORTED
from appliance.lines.causes import BUSY, NO_ANSWER, NUMBER_EMERGENCY, NUMBER_INVALID
from appliance.net.causes import URL_UNREACHABLE
from appliance.services.causes import NOT_PERMITTED, QUOTA_SPENT, STATE_FORBIDS, TOO_MANY_RECIPIENTS
from appliance.spool.causes import STORAGE_FULL, UNKNOWN_DELIVERY
from appliance.spool.model import Job, JobState, ReceivedState
from appliance.t30.causes import SENDER_GAVE_UP
from tests.spool.samples import sample_job, sample_received

FIELDS = {
    "jobId",
    "fromNumber",
    "toNumber",
    "faxCallLength",
    "faxCallStart",
    "faxCallEnd",
    "faxTotalPages",
    "faxTransferredPages",
    "faxStatus",
    "message",
    "code",
    "direction",
}


def a_job(state: JobState, cause: Cause | None = None, **more: object) -> Job:
    known = {
        "id": 12345,
        "origin": "ifax",
        "number": "+4930123",
        "given": "030 123",
        "state": state,
        "created_at": 1000.9,
        "scheduled_at": 1000.9,
        "ended_at": 1084.2 if state.ended else None,
        "pages": 3,
        "pages_confirmed": 2,
        "cause_code": cause.code if cause else "",
    }
    return sample_job(**{**known, **more})


def test_every_code_has_its_message() -> None:
    assert {int(code): text for code, text in MESSAGES.items()} == {
        0: "Success",
        -3001: "Invalid fax number",
        -3002: "Insufficient account balance",
        -3003: "Image does not exist",
        -3004: "TIFF file is empty",
        -3005: "File size exceeds maximum limit",
        -3006: "Invalid file format",
        -3007: "No permission for this action",
        -3008: "Recipient limit exceeded",
        -3009: "Invalid API key",
        -3010: "Rate limit exceeded",
    }


@pytest.mark.parametrize(
    ("cause", "http", "status", "code"),
    [
        (causes.NOT_SIGNED_IN, 401, -3, -3009),
        (QUOTA_SPENT, 402, -4, -3002),
        (causes.NOT_FOUND, 404, -5, None),
        (causes.TOO_MANY_REQUESTS, 429, -1, -3010),
        (NUMBER_INVALID, 400, -2, -3001),
        (NUMBER_EMERGENCY, 400, -2, -3007),
        (NOT_PERMITTED, 400, -1, -3007),
        (TOO_MANY_RECIPIENTS, 400, -2, -3008),
        (causes.REQUEST_TOO_LARGE, 400, -2, -3005),
        (DOCUMENT_EMPTY, 400, -2, -3004),
        (DOCUMENT_UNSUPPORTED, 400, -2, -3006),
        (URL_UNREACHABLE, 400, -2, -3003),
        (causes.REQUEST_INVALID, 400, -2, None),
        (STATE_FORBIDS, 400, -1, None),
        (STORAGE_FULL, 507, -1, None),
        (STOPPING, 503, -1, None),
        (causes.REQUEST_FAULT, 500, -1, None),
    ],
)
def test_refusals_have_the_status_http_and_code_of_the_table(
    cause: Cause, http: int, status: int, code: int | None
) -> None:
    refusal = refusal_of(ProblemError(cause))
    assert (int(refusal.http), int(refusal.status), refusal.code) == (http, status, code)


@pytest.mark.parametrize("cause", all_causes(), ids=lambda cause: cause.code)
def test_every_cause_can_be_said_and_only_success_is_zero(cause: Cause) -> None:
    refusal = refusal_of(ProblemError(cause))
    assert refusal.http >= 400
    assert refusal.status in set(IfaxStatus) - {IfaxStatus.SUCCESS, IfaxStatus.STARTED}
    assert refusal.message
    end = end_of(cause)
    assert end.name
    assert (end.number == 0) == (cause in (DELIVERED, RECEIVED))


def test_what_went_wrong_on_the_line_is_named_as_switches_do() -> None:
    assert (end_of(BUSY).name, end_of(BUSY).number) == ("USER_BUSY", 17)
    assert (end_of(NO_ANSWER).name, end_of(NO_ANSWER).number) == ("NO_ANSWER", 19)
    assert end_of(DELIVERED).name == "NORMAL_CLEARING"


def test_the_fax_object_has_the_fields_of_the_style_and_no_others() -> None:
    fax = sent_fax(a_job(JobState.DELIVERED, DELIVERED, pages_confirmed=3), "+49309")
    assert fax == {
        "jobId": 12345,
        "fromNumber": "+49309",
        "toNumber": "+4930123",
        "faxCallLength": 84,
        "faxCallStart": 1000,
        "faxCallEnd": 1084,
        "faxTotalPages": 3,
        "faxTransferredPages": 3,
        "faxStatus": "delivered",
        "message": "NORMAL_CLEARING",
        "code": 0,
        "direction": "sent",
    }
    assert set(fax) == FIELDS


@pytest.mark.parametrize("state", JobState)
def test_every_state_shows_as_one_of_four_words(state: JobState) -> None:
    fax = sent_fax(a_job(state, BUSY), "")
    assert fax["faxStatus"] in ("sending", "delivered", "canceled", "failed")
    assert (fax["faxStatus"] == "sending") == (not state.ended)
    assert (fax["faxCallEnd"] == 0) == (not state.ended)
    assert fax["faxCallLength"] == (84 if state.ended else 0)


def test_an_unconfirmed_fax_is_never_shown_as_delivered() -> None:
    fax = sent_fax(a_job(JobState.UNKNOWN, UNKNOWN_DELIVERY), "")
    assert fax["faxStatus"] == "failed"
    assert fax["code"] != 0


def test_a_fax_whose_document_was_bad_has_the_code_for_it() -> None:
    fax = sent_fax(a_job(JobState.FAILED, DOCUMENT_DAMAGED), "")
    assert (fax["code"], fax["message"]) == (-3006, "Invalid file format")


@pytest.mark.parametrize(
    ("state", "cause", "word"),
    [
        (ReceivedState.COMPLETE, RECEIVED, "delivered"),
        (ReceivedState.PARTIAL, SENDER_GAVE_UP, "failed"),
        (ReceivedState.RECEIVING, None, "sending"),
    ],
)
def test_received_faxes_have_their_direction(state: ReceivedState, cause: Cause | None, word: str) -> None:
    received = sample_received(
        id=7,
        tsi="+49 1",
        state=state,
        started_at=10.0,
        ended_at=None if cause is None else 20.0,
        pages=2,
        cause_code=cause.code if cause else "",
    )
    fax = received_fax(received, "+49309")
    assert set(fax) == FIELDS | {"transactionId"}
    assert (fax["faxStatus"], fax["direction"]) == (word, "received")
    assert (fax["fromNumber"], fax["toNumber"]) == ("+49 1", "+49309")
    assert (fax["code"] != 0) == (word == "failed")


def test_codes_are_only_given_to_causes_about_a_request() -> None:
    assert fax_code(BUSY) is None
    assert fax_code(NUMBER_INVALID) is FaxCode.INVALID_NUMBER
