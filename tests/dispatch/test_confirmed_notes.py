"""The call process's notes on a call are used at the next start of the box."""

from __future__ import annotations

import fcntl
import threading
from pathlib import Path

import pytest

from appliance.box import Box
from appliance.daemon.main import recover
from appliance.dispatch.outgoing import CONFIRMED, notes_of
from appliance.spool import attempts
from appliance.spool.model import Attempt, Job, JobState
from tests.dispatch.making import PAGES, submit


def cut_off(box: Box, *, last_page_out: bool) -> tuple[Job, Attempt, Path]:
    """A fax in a call that a crash cut off, and where its pages would be noted."""
    (job,) = submit(box)
    attempt = box.spool.do(
        attempts.begin,
        job.id,
        box.clock(),
        line="x",
        line_kind="t38",
        first_page=0,
        trace_path=f"traces/{job.uuid}-1.jsonl",
    )
    if last_page_out:
        box.spool.do(attempts.last_page_out, attempt.id, box.clock())
    note = notes_of(box.data, attempt)
    note.parent.mkdir()
    return job, attempt, note


@pytest.mark.parametrize(
    ("noted", "state"), [(PAGES, JobState.DELIVERED), (PAGES - 1, JobState.UNKNOWN), (0, JobState.UNKNOWN)]
)
def test_fax_whose_last_page_was_noted_as_confirmed_is_delivered(
    box: Box, noted: int, state: JobState
) -> None:
    job, attempt, note = cut_off(box, last_page_out=True)
    note.write_text("".join(f"{page}\n" for page in range(1, noted + 1)))
    recover(box)
    assert box.faxes.get(job.id).state is state
    (ended,) = box.faxes.attempts(job.id)
    assert (ended.id, ended.pages_confirmed) == (attempt.id, noted)
    assert not (box.data / CONFIRMED).exists()


def test_fax_that_goes_on_begins_behind_the_pages_that_were_noted(box: Box) -> None:
    job, _, note = cut_off(box, last_page_out=False)
    note.write_text("1\n")
    recover(box)
    found = box.faxes.get(job.id)
    assert (found.state, found.pages_confirmed) == (JobState.WAITING, 1)


def test_fax_whose_last_page_was_certainly_not_ended_goes_on(box: Box) -> None:
    """The permission to end it came a page ahead; the call ended by itself after the box had died."""
    job, _, note = cut_off(box, last_page_out=True)
    note.write_text("1\nlast page kept\n")
    recover(box)
    found = box.faxes.get(job.id)
    assert (found.state, found.pages_confirmed) == (JobState.WAITING, 1)


def test_call_that_has_not_ended_is_heard_out(box: Box) -> None:
    """The box is restarted while the call process is still ending the call."""
    job, _, note = cut_off(box, last_page_out=True)
    with note.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        recovering = threading.Thread(target=recover, args=[box])
        recovering.start()
        file.write("".join(f"{page}\n" for page in range(1, PAGES + 1)))
    recovering.join()
    assert box.faxes.get(job.id).state is JobState.DELIVERED
