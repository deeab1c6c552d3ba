"""The record classes agree with the database."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from appliance.api.rest import views
from appliance.api.rest.schemas import COMPONENTS
from appliance.records import facts_of, view
from appliance.spool import attempts, preparing, received
from appliance.spool.model import Attempt, Handed, Job, Received, ReceivedPageFile
from appliance.spool.schema import migrate
from tests.deliver.making import make_box, receive, submit


@pytest.fixture
def db() -> sqlite3.Connection:
    db = sqlite3.connect(":memory:")
    migrate(db)
    return db


def columns(db: sqlite3.Connection, table: str) -> set[str]:
    return {row[1] for row in db.execute(f"PRAGMA table_info({table})")}


@pytest.mark.parametrize(
    ("kind", "table", "others"),
    [
        (Attempt, "attempt", set()),
        (Received, "received", set()),
        (ReceivedPageFile, "received_page", {"received_id"}),
    ],
)
def test_a_table_has_the_columns_that_its_record_declares(
    db: sqlite3.Connection, kind: Any, table: str, others: set[str]
) -> None:
    assert {fact.column for fact in facts_of(kind)} == columns(db, table) - others


def test_a_fax_has_the_columns_of_its_job_and_those_that_its_submission_keeps(db: sqlite3.Connection) -> None:
    shared = {fact.column: set(fact.declared.tables) for fact in facts_of(Handed)}
    assert {each for each, tables in shared.items() if "submission" in tables} <= columns(db, "submission")
    of_job = {each for each, tables in shared.items() if "job" in tables}
    own = {fact.column for fact in facts_of(Job)} - set(shared)
    # The span that a schedule moves: nothing of the fax itself.
    assert own | of_job == columns(db, "job") - {"lifetime_s"}


def test_what_is_shown_has_the_fields_of_its_schema(tmp_path: Path) -> None:
    box = make_box(tmp_path / "data")
    try:
        job = submit(box)
        box.spool.do(preparing.prepared, [job.id], "rendered/x", 1, box.clock())
        attempt = box.spool.do(attempts.begin, job.id, box.clock(), line="l", line_kind="t38", first_page=0)
        fax = box.spool.read(received.get, receive(box).id)
    finally:
        box.close()
    for record, schema in (
        (job, COMPONENTS["Fax"]),
        (attempt, COMPONENTS["Attempt"]),
        (fax, COMPONENTS["ReceivedFax"]),
    ):
        assert set(view(record)) == set(schema["properties"])
    assert set(view(job)["to"]) == set(views.FAX_PROPERTIES["to"]["properties"])
