"""SQLite's work for lists and searches does not grow with the number of faxes.

Its steps are counted, not its time; what it walks within the index of words is measured by ``bench pages``.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.spool import jobs, received, schema
from appliance.spool.filters import JobFilter, ReceivedFilter, Sight
from appliance.spool.model import Job, JobState, Received
from appliance.spool.store import Spool
from appliance.spool.transaction import Tx

FEW, MANY = 600, 3000
# SQLite counts in so many steps; a list of fifty takes hundreds of them.
STEP = 20
# The larger index has more levels, and bounds by time look at some more rows.
MOST, MOST_MORE = 1.2, 60

DAY = 86400.0
BEGIN = 1_000_000.0

# Every tenth is eve's, and Schmidt's, and failed; the oldest tenth are of practice "Zwiebel".
_NUMBERS = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})"
_SUBMISSION = """
INSERT INTO submission (id, uuid, owner, key, origin, created_at, document_id, options, tag, metadata,
    callback_url)
VALUES (1, 's', 'ada', '', 'api', 0, 1, '{}', '', '{}', '')"""
_JOBS = """
INSERT INTO job (id, uuid, submission_id, owner, key, origin, number, given, name, reach, state, priority,
    tag, created_at, scheduled_at, next_try_at, lifetime_s, expires_at, ended_at, company)
SELECT i * 2, 'j' || i, 1, iif(i % 10, 'ada', 'eve'), '', iif(i % 10, 'api', 'web'), printf('+4930%07d', i),
    printf('030 %07d', i), iif(i % 10, 'Mueller', 'Schmidt'), 'domestic',
    iif(i % 10, 'delivered', 'failed'), 0, '', {begin} + i, 0, 0, 0, 0, 0,
    iif(i < {count} / 10, 'Zwiebel', '')
FROM n"""
_RECEIVED = """
INSERT INTO received (id, uuid, owner, line, line_kind, caller, caller_name, dialled, state, started_at,
    ended_at, pages, read)
SELECT i * 2 + 1, 'r' || i, CASE WHEN i % 10 THEN '' ELSE 'eve' END, 'trunk', 't38', printf('+4940%07d', i),
    iif(i % 10, 'Labor', 'Praxis'), iif(i % 5, '+493055', '+493077'), 'complete', {begin} + i, {begin} + i, 1,
    i % 10 <> 0
FROM n"""


def fill(tx: Tx, count: int) -> None:
    run = tx.db.execute
    run("INSERT INTO document VALUES (1, 'd', 'ada', '', '', 0, 0, '[]', NULL)")
    run(_SUBMISSION)
    for rows in (_JOBS, _RECEIVED):
        head, _, columns = rows.partition("SELECT")
        numbers = _NUMBERS.format(count=count)
        run(f"{head} {numbers} SELECT {columns}".format(count=count, begin=BEGIN))


@contextlib.contextmanager
def filled(folder: Path, count: int) -> Iterator[Spool]:
    spool = Spool(folder)
    try:
        spool.do(fill, count)
        yield spool
    finally:
        spool.close()


@pytest.fixture(scope="module")
def spools(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Spool, Spool]]:
    folder = tmp_path_factory.mktemp("search")
    with filled(folder / "few", FEW) as few, filled(folder / "many", MANY) as many:
        yield few, many


def steps(spool: Spool, query: Callable[[sqlite3.Connection], object]) -> int:
    counted = 0

    def one_more() -> int:
        nonlocal counted
        counted += 1
        return 0

    with spool._reading() as db:
        query(db)
        db.set_progress_handler(one_more, STEP)
        query(db)
        db.set_progress_handler(None, 0)
    return counted


EVE = Sight(("eve",))
READER = Sight(("reader",), dialled=("+493077",))

SENT = {
    "all": JobFilter(),
    "of many": JobFilter(text="mueller"),
    "of some": JobFilter(text="Schmidt"),
    "of the oldest": JobFilter(text="zwiebel"),
    "one number": JobFilter(text="0000123"),
    "one whole number": JobFilter(text="+49300000123"),
    "a number that only received faxes have": JobFilter(text="+4940"),
    "words of different faxes": JobFilter(text="mueller schmidt"),
    "nobody": JobFilter(text="nobody"),
    "two letters that many have": JobFilter(text="mu"),
    "two letters that some have": JobFilter(text="Sc"),
    "two letters that nobody has": JobFilter(text="qx"),
    "state": JobFilter(states=frozenset({JobState.FAILED})),
    "another's words": JobFilter(text="mueller", owner="eve"),
    "an owner's words": JobFilter(text="schmidt", owner="eve"),
    "words in no such state": JobFilter(text="mueller", states=frozenset({JobState.FAILED})),
    "words in a state that none is in": JobFilter(text="mueller", states=frozenset({JobState.WAITING})),
    "owner and state": JobFilter(owner="eve", states=frozenset({JobState.DELIVERED})),
    "words since": JobFilter(text="schmidt", since=BEGIN + 50, until=BEGIN + 250),
    "further on": JobFilter(text="schmidt", before_id=400),
}
RECEIVED = {
    "all": ReceivedFilter(),
    "of many": ReceivedFilter(text="labor"),
    "one number": ReceivedFilter(text="0000123"),
    "one whole number": ReceivedFilter(text="+49400000123"),
    "a number that only sent faxes have": ReceivedFilter(text="+4930"),
    "nobody": ReceivedFilter(text="nobody"),
    "two letters that many have": ReceivedFilter(text="la"),
    "two letters that nobody has": ReceivedFilter(text="qx"),
    "unread": ReceivedFilter(read=False),
    "words, unread": ReceivedFilter(text="labor", read=False),
    "of one": ReceivedFilter(sight=EVE),
    "another's words": ReceivedFilter(sight=EVE, text="labor"),
    "of one, read": ReceivedFilter(sight=EVE, read=True),
    "a reader of certain numbers": ReceivedFilter(sight=READER),
    "a reader's words": ReceivedFilter(sight=READER, text="praxis"),
    "a reader of no numbers": ReceivedFilter(sight=Sight(("reader",), dialled=("+493099",))),
    "of one or nobody": ReceivedFilter(sight=Sight(("ada",), unassigned=True), text="praxis"),
    "another number": ReceivedFilter(dialled="+493077", text="labor", read=False),
    "words since": ReceivedFilter(text="praxis", since=BEGIN + 50, until=BEGIN + 250),
    "further on": ReceivedFilter(text="praxis", before_id=400),
}


def _has(words_of: str, text: str) -> bool:
    return all(word.lower() in words_of.lower() for word in text.split())


def sent_that_fit(every: list[Job], wanted: JobFilter) -> list[int]:
    """The newest that fit, by looking at each."""

    def fits(job: Job) -> bool:
        return (
            _has(f"{job.number} {job.given} {job.name} {job.company}", wanted.text)
            and (not wanted.owner or job.owner == wanted.owner)
            and (not wanted.states or job.state in wanted.states)
            and (wanted.since is None or job.created_at >= wanted.since)
            and (wanted.until is None or job.created_at < wanted.until)
            and (wanted.before_id is None or job.id < wanted.before_id)
        )

    return [job.id for job in every if fits(job)][: wanted.limit]


def received_that_fit(every: list[Received], wanted: ReceivedFilter) -> list[int]:
    def fits(fax: Received) -> bool:
        return (
            _has(f"{fax.caller} {fax.caller_name} {fax.dialled}", wanted.text)
            and (wanted.sight is None or wanted.sight.covers(fax))
            and (wanted.read is None or fax.read == wanted.read)
            and (not wanted.dialled or fax.dialled == wanted.dialled)
            and (wanted.since is None or fax.started_at >= wanted.since)
            and (wanted.until is None or fax.started_at < wanted.until)
            and (wanted.before_id is None or fax.id < wanted.before_id)
        )

    return [fax.id for fax in every if fits(fax)][: wanted.limit]


@pytest.mark.parametrize("name", SENT)
def test_a_list_of_sent_faxes_takes_no_more_steps_among_five_times_as_many(
    name: str, spools: tuple[Spool, Spool]
) -> None:
    few, many = (steps(spool, lambda db: jobs.search(db, SENT[name])) for spool in spools)
    assert many <= MOST * few + MOST_MORE


@pytest.mark.parametrize("name", RECEIVED)
def test_a_list_of_received_faxes_takes_no_more_steps_among_five_times_as_many(
    name: str, spools: tuple[Spool, Spool]
) -> None:
    few, many = (steps(spool, lambda db: received.search(db, RECEIVED[name])) for spool in spools)
    assert many <= MOST * few + MOST_MORE


def test_a_list_shows_the_faxes_that_fit_whatever_is_asked_for(spools: tuple[Spool, Spool]) -> None:
    few = spools[0]
    every_job = few.read(jobs.search, JobFilter(limit=FEW))
    for name, sent in SENT.items():
        assert [job.id for job in few.read(jobs.search, sent)] == sent_that_fit(every_job, sent), name
    every_fax = few.read(received.search, ReceivedFilter(limit=FEW))
    assert len(every_job) == len(every_fax) == FEW
    for name, came in RECEIVED.items():
        assert [fax.id for fax in few.read(received.search, came)] == received_that_fit(every_fax, came), name


def test_a_list_follows_what_becomes_of_a_fax(tmp_path: Path) -> None:
    """Its marks change with it: whose it is, whether it was read, deleted, given back."""
    with filled(tmp_path, 20) as spool:

        def found(wanted: ReceivedFilter) -> list[int]:
            return [fax.id for fax in spool.read(received.search, wanted)]

        unread = ReceivedFilter(sight=EVE, read=False, text="praxis")
        assert found(unread) == [41, 21]
        spool.do(received.mark_read, 41, True, BEGIN)
        assert found(unread) == [21]
        spool.do(received.assign, 21, "ada", BEGIN)
        assert found(unread) == []
        assert found(ReceivedFilter(sight=Sight(("ada",)))) == [21]
        spool.do(received.delete, 21, BEGIN)
        assert found(ReceivedFilter(sight=Sight(("ada",)))) == []
        spool.do(lambda tx: tx.db.execute("UPDATE received SET deleted_at = NULL WHERE id = 21") and None)
        assert found(ReceivedFilter(sight=Sight(("ada",)))) == [21]
        spool.do(received.set_text, 21, "Blutbild")
        assert found(ReceivedFilter(text="blutbild")) == [21]

        failed = JobFilter(text="mueller", states=frozenset({JobState.FAILED}))
        assert spool.read(jobs.search, failed) == []
        spool.do(lambda tx: tx.db.execute("UPDATE job SET state = 'failed' WHERE id = 2") and None)
        assert [job.id for job in spool.read(jobs.search, failed)] == [2]


@pytest.mark.parametrize("text", ['"', "q", "qz", 'x"y', "*", "'; --", "q\0\0\0", "(", "NOT", "ä"])
def test_whatever_is_typed_is_looked_for_as_text(text: str, spools: tuple[Spool, Spool]) -> None:
    assert spools[0].read(jobs.search, JobFilter(text=text)) == []
    assert spools[0].read(received.search, ReceivedFilter(text=text)) == []


def test_letters_of_a_mark_show_nobody_what_is_not_theirs(spools: tuple[Spool, Spool]) -> None:
    few = spools[0]
    (letters,) = few.read(
        lambda db: db.execute("SELECT letters FROM mark_letters WHERE name = 'owner:eve'").fetchone()
    )
    assert few.read(jobs.search, JobFilter(text=letters, owner="ada")) == []
    assert few.read(received.search, ReceivedFilter(text=letters, sight=READER)) != []  # those it may see


def test_an_older_spool_is_found_in_after_it_was_brought_up_to_date(tmp_path: Path) -> None:
    tmp_path.joinpath("old").mkdir()
    with contextlib.closing(sqlite3.connect(tmp_path / "old" / "spool.sqlite3", isolation_level=None)) as db:
        for number, script in enumerate(schema.MIGRATIONS[:17], 1):
            db.executescript(f"BEGIN; {script} PRAGMA user_version = {number}; COMMIT;")
        fill(Tx(db, None), 30)
        db.execute("INSERT INTO received_text VALUES (3, 'Blutbild')")
        db.execute("INSERT INTO note (fax_id, at, who, text) VALUES (2, 0, 'ada', 'Rezept')")
        schema.migrate(db)
        db.row_factory = sqlite3.Row
        assert [fax.id for fax in received.search(db, ReceivedFilter(text="blutbild"))] == [3]
        assert [job.id for job in jobs.search(db, JobFilter(text="rezept"))] == [2]
        assert [job.id for job in jobs.search(db, SENT["an owner's words"])] == [60, 40, 20]
        assert [fax.id for fax in received.search(db, RECEIVED["words, unread"])] == []
        assert [fax.id for fax in received.search(db, ReceivedFilter(read=False, text="praxis"))] == [
            61,
            41,
            21,
        ]
