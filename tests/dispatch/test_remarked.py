"""Documents that lose content: held, sent or refused by the owner's rule; the remarks are stored."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.box import Box
from appliance.dispatch.causes import DOCUMENT_REMARKED
from appliance.dispatch.prepare import Preparer
from appliance.documents.causes import DOCUMENT_DAMAGED
from appliance.remarks import FILE_AT_FAULT, FILE_LEFT_OUT, GLYPHS_MISSING, Rule
from appliance.services.faxes import Request
from appliance.services.rules import To
from appliance.spool.model import Job, JobState
from appliance.spool.options import SendOptions
from appliance.spool.settings import SendingSettings
from tests.deliver.making import make_box, until
from tests.documents.making import A4, pdf, words

# A page with a letter that no font has (one for private use), after one that is sound.
STRANGE = "a sound page\fa strange letter: \ue000".encode()
GOOD = pdf([(*A4, words(*A4))])
BAD = b"%PDF-1.4\nthis is none\n" * 50


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    made = make_box(tmp_path / "data")
    preparer = Preparer(made)
    preparer.start()
    yield made
    made.close()
    preparer.stop()


def _suffix(content: bytes) -> str:
    return "pdf" if content.startswith(b"%PDF") else "txt"


def prepared(box: Box, *contents: bytes, options: SendOptions | None = None) -> Job:
    files = [
        box.documents.store_file(content, name=f"{number}.{_suffix(content)}", media_type="")
        for number, content in enumerate(contents)
    ]
    request = Request("ada", (To("+493012345"),), tuple(files), options=options or SendOptions())
    job = box.faxes.submit(request).jobs[0]
    until(lambda: box.faxes.get(job.id).state is not JobState.PREPARING)
    return box.faxes.get(job.id)


def test_a_letter_that_no_font_has_makes_the_fax_wait_with_its_pages_until_a_person_lets_it_go(
    box: Box,
) -> None:
    job = prepared(box, STRANGE)
    assert (job.state, job.cause, job.pages) == (JobState.HELD, DOCUMENT_REMARKED, 2)
    assert [(r.kind, r.page, r.file) for r in job.remarks] == [(GLYPHS_MISSING, 2, "0.txt")]
    sent = box.faxes.release(job.id)
    assert (sent.state, sent.cause, sent.rendered_path) == (JobState.WAITING, None, job.rendered_path)
    assert sent.remarks == job.remarks


def test_an_empty_page_is_no_loss(box: Box) -> None:
    job = prepared(box, pdf([(*A4, words(*A4)), (*A4, "")]))
    assert (job.state, job.remarks) == (JobState.WAITING, ())


def test_the_owner_s_rule_and_the_sender_s_own_decide(box: Box) -> None:
    assert prepared(box, STRANGE, options=SendOptions(when_lost=Rule.SEND)).state is JobState.WAITING
    box.settings.change(SendingSettings, {"when_lost": "refuse"})
    job = prepared(box, STRANGE)
    assert (job.state, job.cause) == (JobState.FAILED, DOCUMENT_REMARKED)
    assert job.remarks
    assert not list((box.data / "rendered").glob(job.uuid))
    box.settings.change(SendingSettings, {"when_lost": "send"})
    assert prepared(box, STRANGE).state is JobState.WAITING


@pytest.mark.parametrize(("rule", "state"), [(Rule.SEND, JobState.WAITING), (Rule.HOLD, JobState.HELD)])
def test_a_bad_file_among_good_ones_is_left_out_and_named_where_the_rule_allows_it(
    box: Box, rule: Rule, state: JobState
) -> None:
    job = prepared(box, GOOD, BAD, GOOD, options=SendOptions(bad_files=rule))
    assert (job.state, job.pages) == (state, 2)
    (remark,) = job.remarks
    assert (remark.kind, remark.file) == (FILE_LEFT_OUT, "1.pdf")
    assert remark.detail == DOCUMENT_DAMAGED.sentence


def test_a_bad_file_is_named_in_the_failure_otherwise(box: Box) -> None:
    job = prepared(box, GOOD, BAD)
    assert (job.state, job.cause) == (JobState.FAILED, DOCUMENT_DAMAGED)
    assert [(r.kind, r.file) for r in job.remarks] == [(FILE_AT_FAULT, "1.pdf")]
    alone = prepared(box, BAD, options=SendOptions(bad_files=Rule.SEND))
    assert (alone.state, alone.cause) == (JobState.FAILED, DOCUMENT_DAMAGED)
