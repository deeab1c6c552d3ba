"""Reads jobs: one by its id, its attempts, its submission, and all that match a filter.

``accepting``, ``preparing``, ``attempts``, ``decisions`` and ``bounds`` change jobs; ``queues`` says which
one is next.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from appliance.records import facts_of, from_row, from_rows
from appliance.spool import words
from appliance.spool.errors import NotFoundError
from appliance.spool.filters import JobFilter
from appliance.spool.model import Attempt, Handed, Job, JobState, Submission
from appliance.spool.rows import row_of
from appliance.spool.word_tables import ON_THE_WAY, OWNER, STATE

# Columns that a job takes from its submission.
_SHARED = [fact.column for fact in facts_of(Handed) if "job" not in fact.declared.tables]
JOB = (
    f"SELECT job.*, {', '.join(f'submission.{column}' for column in _SHARED)}"
    " FROM job JOIN submission ON submission.id = job.submission_id"
)
_FOUND = JOB.replace("FROM job", "FROM sent_words CROSS JOIN job ON job.id = sent_words.rowid", 1)
_NOTED = JOB.replace("FROM job", "FROM metadatum CROSS JOIN job ON job.id = metadatum.job_id", 1)


_ON_THE_WAY = frozenset({JobState.PREPARING, JobState.WAITING, JobState.SENDING})

# The most rows in one answer, whatever the filter asks for.
LIST_LIMIT = 1000


def get(db: sqlite3.Connection, job_id: int) -> Job:
    """Raises NotFoundError."""
    row = db.execute(f"{JOB} WHERE job.id = ?", (job_id,)).fetchone()
    if row is None:
        raise NotFoundError(f"no fax {job_id}")
    return from_row(Job, row)


def with_attempts(db: sqlite3.Connection, job_id: int) -> tuple[Job, list[Attempt]]:
    """A job and its attempts, in one consistent read.  Raises NotFoundError."""
    return get(db, job_id), attempts(db, job_id)


def get_submission(db: sqlite3.Connection, submission_id: int) -> Submission:
    """Raises NotFoundError."""
    row = row_of(db, "submission", submission_id)
    return Submission(row["id"], row["uuid"], row["owner"], row["document_id"], ids_of(db, submission_id))


def ids_of(db: sqlite3.Connection, submission_id: int) -> tuple[int, ...]:
    """The jobs of a submission."""
    rows = db.execute("SELECT id FROM job WHERE submission_id = ? ORDER BY id", (submission_id,))
    return tuple(row[0] for row in rows)


def resends(db: sqlite3.Connection, job_id: int) -> list[Job]:
    """The jobs that resend ``job_id``, first to last."""
    return from_rows(Job, db.execute(f"{JOB} WHERE job.resent_from = ? ORDER BY job.id", (job_id,)))


def attempts(db: sqlite3.Connection, job_id: int) -> list[Attempt]:
    """All attempts of a job, first to last."""
    return from_rows(Attempt, db.execute("SELECT * FROM attempt WHERE job_id = ? ORDER BY number", (job_id,)))


def get_attempt(db: sqlite3.Connection, attempt_id: int) -> Attempt:
    """Raises NotFoundError."""
    return from_row(Attempt, row_of(db, "attempt", attempt_id))


def unfinished(db: sqlite3.Connection) -> list[Attempt]:
    """Attempts that have not ended: running calls, or calls that a crash interrupted."""
    rows = db.execute("SELECT * FROM attempt WHERE ended_at IS NULL ORDER BY id").fetchall()
    return from_rows(Attempt, rows)


class _Terms:
    """Terms of a WHERE clause, all of which must hold, and the values of their placeholders."""

    def __init__(self) -> None:
        self.terms: list[str] = []
        self.values: list[Any] = []

    def want(self, term: str, *given: Any) -> None:
        self.terms.append(term)
        self.values.extend(given)

    def want_states(self, states: Sequence[str], *, few: bool, limit: int) -> None:
        """The last term.  ``few``: the others find few rows, so the index of states must not lead."""
        if few:
            # The plus keeps SQLite from beginning with the index of states.
            self.want(f"+job.state IN ({', '.join('?' * len(states))})", *states)
            return
        # The newest rows of each state, then the newest of those: a single query would sort all faxes.
        each = " AND ".join(["job.state = ?", *self.terms])
        newest = f"SELECT id FROM (SELECT job.id FROM job WHERE {each} ORDER BY job.id DESC LIMIT ?)"
        self.terms = [f"job.id IN ({' UNION ALL '.join([newest] * len(states))})"]
        self.values = [value for state in states for value in (state, *self.values, limit)]


def search(db: sqlite3.Connection, wanted: JobFilter) -> list[Job]:
    """The jobs that match, newest first."""
    query = _Terms()
    for column in ("owner", "number", "tag", "origin"):
        if value := getattr(wanted, column):
            query.want(f"job.{column} = ?", value)
    if wanted.without_number:
        query.want("job.number = '' AND job.ended_at IS NULL")
    if not wanted.erased:
        query.want("job.erased_at IS NULL")
    if wanted.submission_id is not None:
        query.want("job.submission_id = ?", wanted.submission_id)
    found, order = JOB, "job.id"
    if wanted.text.strip():
        # The table of words is read first, newest first, and stops at the limit.
        found, order = _FOUND, "sent_words.rowid"
        for term, given in words.terms("sent_words", wanted.text, _marks(db, wanted), wanted.before_id):
            query.want(term, *given)
    elif wanted.metadata:
        # Newest first, by the first of the values.
        found, order = _NOTED, "metadatum.job_id"
        query.want("metadatum.name = ? AND metadatum.value = ?", *wanted.metadata[0])
    # The plus: the ids lead, which are in the order of the answer.
    if wanted.since is not None:
        earliest = words.ids_since("job", "created_at")
        query.want(f"+job.created_at >= ? AND {order} >= {earliest}", wanted.since, wanted.since)
    if wanted.until is not None:
        latest = words.ids_until("job", "created_at")
        query.want(f"+job.created_at < ? AND {order} <= {latest}", wanted.until, wanted.until)
    if wanted.before_id is not None:
        query.want(f"{order} < ?", wanted.before_id)
    for noted in wanted.metadata:
        query.want(
            "EXISTS (SELECT 1 FROM metadatum AS m WHERE m.name = ? AND m.value = ? AND m.job_id = job.id)",
            *noted,
        )
    limit = max(0, min(wanted.limit, LIST_LIMIT))
    if wanted.states:
        few = found != JOB or wanted.number or wanted.tag or wanted.origin or wanted.submission_id is not None
        query.want_states([state.value for state in wanted.states], few=bool(few), limit=limit)
    where = f" WHERE {' AND '.join(query.terms)}" if query.terms else ""
    return from_rows(Job, db.execute(f"{found}{where} ORDER BY {order} DESC LIMIT ?", (*query.values, limit)))


def _marks(db: sqlite3.Connection, wanted: JobFilter) -> list[str]:
    """The marks of the jobs that match, for the query on the table of words."""
    asked = []
    if wanted.owner:
        asked.append(words.any_mark(db, [OWNER + wanted.owner]))
    if wanted.states:
        states = {ON_THE_WAY if state in _ON_THE_WAY else state.value for state in wanted.states}
        asked.append(words.any_mark(db, [STATE + state for state in sorted(states)]))
    return [each for each in asked if each is not None]


def counts(db: sqlite3.Connection) -> dict[JobState, int]:
    """How many jobs are in each state that has not ended."""
    found = dict.fromkeys(sorted(_ACTIVE_VALUES), 0)
    for state in found:
        found[state] = db.execute("SELECT COUNT(*) FROM job WHERE state = ?", (state,)).fetchone()[0]
    return {JobState(state): count for state, count in found.items()}


_ACTIVE_VALUES: Sequence[str] = tuple(state.value for state in JobState if not state.ended)


def pages_in_hand(db: sqlite3.Connection, owner: str, key: str = "") -> int:
    """Pages that the unfinished faxes of this owner, or of this key, still have to send.

    A fax that has no pages yet counts as one.
    """
    by, name = ("job.key", key) if key else ("job.owner", owner)
    row = db.execute(
        "SELECT COALESCE(SUM(MAX(COALESCE(pages, 1) - pages_confirmed, 0)), 0) FROM job"
        f" WHERE state IN ('preparing', 'waiting', 'sending') AND {by} = ?",
        (name,),
    ).fetchone()
    return int(row[0])
