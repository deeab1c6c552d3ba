"""SQLite's work for lists of deliveries does not grow with their number."""

from __future__ import annotations

import sqlite3

import pytest

from appliance.spool import outbox, schema
from appliance.spool.delivery import DeliveryFilter, OutboxState

FEW, MANY = 1_000, 100_000
# SQLite counts in so many steps; a larger index has more levels.
STEP, MORE = 20, 60

# All are ada's webhooks that were made, but for the oldest, which were not, and an e-mail of hers.
_ROWS = """
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
INSERT INTO outbox (id, kind, target, payload, timetable, owner, state, tries, next_try_at, created_at,
    ended_at, last_error)
SELECT i, iif(i = 5, 'email', 'webhook'), 'x', '{{}}', '[]', 'ada',
    CASE i WHEN 1 THEN 'failed' WHEN 2 THEN 'dropped' WHEN 3 THEN 'pending' ELSE 'done' END, 1, 0, 0, 0, ''
FROM n"""
NOT_MADE = frozenset({OutboxState.FAILED, OutboxState.DROPPED})
LISTS = {
    "all": (DeliveryFilter(), 50),
    "failed": (DeliveryFilter(states=frozenset({OutboxState.FAILED})), 1),
    "not made": (DeliveryFilter(states=NOT_MADE), 2),
    "waiting": (DeliveryFilter(states=frozenset({OutboxState.PENDING})), 1),
    "one's own that were not made": (DeliveryFilter(owner="ada", states=NOT_MADE), 2),
    "a kind's that were not made": (DeliveryFilter(kind="webhook", states=NOT_MADE), 2),
    "one's own of a kind that were not made": (
        DeliveryFilter(owner="ada", kind="webhook", states=NOT_MADE),
        2,
    ),
    "one's own of a kind": (DeliveryFilter(owner="ada", kind="email"), 1),
    "of who has none": (DeliveryFilter(owner="eve", kind="webhook"), 0),
}


@pytest.fixture(scope="module")
def boxes() -> list[sqlite3.Connection]:
    made = []
    for count in (FEW, MANY):
        db = sqlite3.connect(":memory:")
        db.row_factory = sqlite3.Row
        schema.migrate(db)
        db.execute(_ROWS.format(count=count))
        made.append(db)
    return made


@pytest.mark.parametrize("name", LISTS)
def test_a_list_of_deliveries_takes_no_more_steps_among_a_hundred_times_as_many(
    boxes: list[sqlite3.Connection], name: str
) -> None:
    wanted, expected = LISTS[name]
    taken = []
    for db in boxes:
        steps = 0

        def step() -> int:
            nonlocal steps
            steps += STEP
            return 0

        db.set_progress_handler(step, STEP)
        found = outbox.search(db, wanted)
        db.set_progress_handler(None, 0)
        assert len(found) == expected
        assert [each.id for each in found] == sorted((each.id for each in found), reverse=True)
        taken.append(steps)
    assert taken[1] <= taken[0] + MORE, taken
