"""The façade that all doors use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.box import Box
from appliance.causes import DELIVERED
from appliance.configuration import open_box
from appliance.durable import DiskFullError
from appliance.lines.causes import NUMBER_EMERGENCY, NUMBER_NOT_ALLOWED
from appliance.lines.sip.settings import SipTrunk
from appliance.numbers import Number, NumberSettings
from appliance.services.causes import QUOTA_SPENT
from appliance.services.faxes import Request
from appliance.services.rules import RefusedError, To
from appliance.settings import secrets
from appliance.spool import attempts, jobs, ledger, preparing
from appliance.spool.errors import IdempotencyError, IllegalTransitionError, NotFoundError
from appliance.spool.filters import JobFilter
from appliance.spool.model import JobState, Reach
from appliance.spool.options import Quality, SendOptions
from appliance.spool.settings import StorageSettings


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    box = open_box(tmp_path / "data")
    box.set_practice_numbers({"9990"})
    yield box
    box.close()


def request(box: Box, *numbers: str, owner: str = "ada", **more: object) -> Request:
    file = box.documents.store_file(b"Hello", name="letter.txt", media_type="text/plain")
    to = tuple(To(number) for number in numbers or ("9990",))
    return Request(owner, to, (file,), **more)  # type: ignore[arg-type]


def stored_files(box: Box) -> int:
    return len(list((box.data / "documents").iterdir()))


def test_what_is_submitted_is_found_again_after_a_restart(box: Box, tmp_path: Path) -> None:
    made = box.faxes.submit(request(box, "9990", "+4930123456", options=SendOptions(quality=Quality.R300)))
    box.close()
    again = open_box(tmp_path / "data")
    try:
        assert again.faxes.search(JobFilter()) == list(reversed(made.jobs))
        document = again.documents.get(again.spool.read(jobs.get_submission, made.submission_id).document_id)
        assert (again.data / document.files[0].path).read_bytes() == b"Hello"
    finally:
        again.close()


def test_a_submitted_fax_is_answered_as_it_was_made_however_soon_it_is_prepared(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    do = box.spool.do

    def and_prepare(operation: Any, *given: Any) -> Any:
        done = do(operation, *given)
        (job,) = box.faxes.search(JobFilter())
        do(preparing.prepared, [job.id], "rendered", 3, box.clock())
        return done

    with monkeypatch.context() as patched:
        patched.setattr(box.spool, "do", and_prepare)
        (job,) = box.faxes.submit(request(box)).jobs
    assert (job.state, job.pages) == (JobState.PREPARING, None)
    assert (box.faxes.get(job.id).state, box.faxes.get(job.id).pages) == (JobState.WAITING, 3)


def test_one_forbidden_recipient_refuses_the_whole_request(box: Box) -> None:
    with pytest.raises(RefusedError) as caught:
        box.faxes.submit(request(box, "9990", "112"))
    assert caught.value.cause is NUMBER_EMERGENCY
    assert box.faxes.search(JobFilter()) == []


def test_another_owners_fax_is_not_found(box: Box) -> None:
    job = box.faxes.submit(request(box)).jobs[0]
    for call in (box.faxes.get, box.faxes.cancel, box.faxes.retry, box.faxes.attempts):
        with pytest.raises(NotFoundError):
            call(job.id, owner="eve")  # type: ignore[operator]
    assert box.faxes.get(job.id, owner="ada").state is JobState.PREPARING


def test_a_held_fax_is_not_tried_before_it_is_handed_in(box: Box) -> None:
    job = box.faxes.submit(request(box, held=True)).jobs[0]
    for hurry in (
        lambda: box.faxes.retry(job.id),
        lambda: box.faxes.retry(job.id, at=box.clock() + 60),
    ):
        with pytest.raises(IllegalTransitionError):
            hurry()
    assert box.faxes.get(job.id) == job
    assert box.faxes.release(job.id).state is JobState.PREPARING
    assert box.faxes.retry(job.id).state is JobState.PREPARING


def test_a_repeated_request_keeps_neither_its_job_nor_its_file(box: Box) -> None:
    first = box.faxes.submit(request(box, idempotency_key="k", idempotency_digest="1"))
    again = box.faxes.submit(request(box, idempotency_key="k", idempotency_digest="1"))
    assert (again.repeated, again.jobs) == (True, first.jobs)
    assert stored_files(box) == 1
    with pytest.raises(IdempotencyError):
        box.faxes.submit(request(box, idempotency_key="k", idempotency_digest="2"))


def test_a_resend_is_a_new_job_that_names_the_old_one(box: Box) -> None:
    old = box.faxes.submit(request(box, tag="sales")).jobs[0]
    new = box.faxes.resend(old.id, number="+4930123456")
    assert (new.number, new.resent_from, new.tag, new.owner) == ("+4930123456", old.id, "sales", "ada")
    assert new.id > old.id
    assert stored_files(box) == 1


def test_a_fax_beyond_the_quota_is_refused(box: Box) -> None:
    secrets.add_key(box.settings, "till", quota=2)
    job = box.faxes.submit(request(box, key="till")).jobs[0]
    box.spool.do(preparing.prepared, [job.id], "rendered/x", 2, 1.0)
    attempt = box.spool.do(attempts.begin, job.id, box.clock(), line="p", line_kind="practice", first_page=0)
    outcome = attempts.Outcome(DELIVERED, JobState.DELIVERED, pages_confirmed=2)
    box.spool.do(attempts.end, attempt.id, outcome, box.clock())
    with pytest.raises(RefusedError) as caught:
        box.faxes.submit(request(box, key="till"))
    assert caught.value.cause is QUOTA_SPENT
    box.faxes.submit(request(box))


def test_a_disk_that_is_nearly_full_refuses_before_anything_is_written(box: Box) -> None:
    prepared = request(box)
    box.settings.change(StorageSettings, {"reserve_mb": 1 << 40})
    with pytest.raises(DiskFullError):
        box.faxes.submit(prepared)
    with pytest.raises(DiskFullError):
        box.documents.store_file(b"x", name="x", media_type="text/plain")
    assert box.faxes.search(JobFilter()) == []
    assert not box.health().ok


def test_a_cancelled_draft_never_moves(box: Box) -> None:
    job = box.faxes.submit(request(box, held=True)).jobs[0]
    assert job.state is JobState.HELD
    assert box.faxes.release(job.id).state is JobState.PREPARING
    assert box.faxes.cancel(job.id).state is JobState.CANCELLED


def test_numbers_follow_the_settings_at_once(box: Box) -> None:
    box.settings.change(NumberSettings, {"region": "DE"})
    assert box.rules.number("030 123456").dial == "+4930123456"


def test_the_events_of_a_fax_are_in_order(box: Box) -> None:
    with box.history.listen() as listener:
        job = box.faxes.submit(request(box)).jobs[0]
        box.faxes.cancel(job.id)
        heard = [listener.get(1.0), listener.get(1.0)]
    assert [event.kind for event in heard if event] == ["job.accepted", "job.cancelled"]
    assert [event.kind for event in box.history.of_fax(job.id)] == ["job.accepted", "job.cancelled"]


def test_a_fax_that_was_accepted_is_not_refused_because_the_audit_log_has_no_room(
    box: Box, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object, **__: object) -> None:
        raise DiskFullError("no room")

    monkeypatch.setattr(ledger, "audit", full)
    box.history.audit("key:till", "fax.create", object="fax:1")
    assert "key:till" in caplog.text


def test_a_number_is_read_in_the_country_of_the_line_that_will_carry_it(box: Box) -> None:
    lines = {
        "swiss": SipTrunk(name="swiss", server="sip.example.net", position=2, country_code="41"),
        "german": SipTrunk(
            name="german", server="sip.example.net", position=1, country_code="49", deny=("+4930",)
        ),
    }
    for line in lines.values():
        box.settings.add(line)
    assert box.rules.number("0221 123456").dial == "+49221123456"
    assert box.rules.number("044 668 1800", ["swiss"]).dial == "+41446681800"
    assert box.rules.number("+49 30 123456") == Number("+4930123456", Reach.ABROAD)  # over the swiss line
    with pytest.raises(RefusedError) as caught:
        box.rules.number("0900 1234567")
    assert caught.value.cause is NUMBER_NOT_ALLOWED
