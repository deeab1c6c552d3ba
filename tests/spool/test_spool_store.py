"""The writer: grouped commits, isolated errors; readers; refusals."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from appliance.causes import RECEIVED
from appliance.durable import DiskFullError
from appliance.lines.causes import BUSY
from appliance.spool import (
    accepting,
    attempts,
    bounds,
    copies,
    decisions,
    documents,
    events,
    jobs,
    ledger,
    outbox,
    preparing,
    queues,
    received,
    stats,
)
from appliance.spool.delivery import NewDelivery, OutboxState
from appliance.spool.errors import IllegalTransitionError, SpoolClosedError
from appliance.spool.filters import JobFilter, ReceivedFilter
from appliance.spool.identity import DATABASE_NAME
from appliance.spool.model import Event, JobState, NewSubmission, ReceivedPageFile, ReceivedState, Recipient
from appliance.spool.schema import MIGRATIONS, SchemaTooNewError
from appliance.spool.store import READERS_KEPT, Spool
from appliance.spool.transaction import Tx

NOW = 1_700_000_000.0


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    spool = Spool(tmp_path / "data")
    yield spool
    spool.close()


def emit(tx: Tx, kind: str) -> int:
    return tx.emit(NOW, kind, None, "").id


def broken(tx: Tx) -> None:
    tx.emit(NOW, "undone", None, "")
    raise ValueError("as told")


def kinds(spool: Spool) -> list[str]:
    return [event.kind for event in spool.read(events.since, 0)]


def test_an_operation_that_raises_is_undone_alone(spool: Spool) -> None:
    held = threading.Event()
    first = spool.write(lambda tx: held.wait())  # the three behind it are committed together
    before, wrong, after = (
        spool.write(emit, "before"),
        spool.write(broken),
        spool.write(emit, "after"),
    )
    held.set()
    first.result()
    assert [before.result(), after.result()] == [1, 2]
    with pytest.raises(ValueError, match="as told"):
        wrong.result()
    assert kinds(spool) == ["before", "after"]


def test_operations_that_wait_share_one_commit(spool: Spool) -> None:
    commits = []
    spool._db.set_trace_callback(lambda text: commits.append(text) if text == "COMMIT" else None)
    held = threading.Event()
    first = spool.write(lambda tx: held.wait())
    rest = [spool.write(emit, "x") for _ in range(50)]
    held.set()
    for future in [first, *rest]:
        future.result()
    assert len(commits) <= 2


def test_nobody_hears_of_an_event_that_is_not_on_disk(spool: Spool) -> None:
    with spool.hub.listen() as listener:
        with pytest.raises(ValueError, match="as told"):
            spool.do(broken)
        spool.do(emit, "kept")
        heard = listener.get(1.0)
    assert isinstance(heard, Event)
    assert heard.kind == "kept"


def test_what_follows_from_an_event_is_in_the_same_transaction(tmp_path: Path) -> None:
    def follow_up(tx: Tx, event: Event) -> None:
        if event.kind == "job.cancelled":
            payload = {"id": event.fax_id}
            tx.deliver(NewDelivery("webhook", "http://x", payload, (5.0,), event.fax_id), event.at)
        if event.kind == "wrong":
            raise ValueError("as told")

    spool = Spool(tmp_path)
    spool.follow(follow_up)
    try:
        document = spool.do(documents.create, "ada", [], NOW)
        job_id = spool.do(
            accepting.accept, NewSubmission("ada", (Recipient("1"),), document.id), NOW
        ).job_ids[0]
        spool.do(decisions.cancel, job_id, NOW)
        (delivery,) = spool.read(outbox.of_fax, job_id)
        assert delivery.payload == {"id": job_id}
        with pytest.raises(ValueError, match="as told"):
            spool.do(emit, "wrong")
        assert "wrong" not in kinds(spool)
    finally:
        spool.close()


def test_a_full_disk_is_a_named_error_and_the_spool_goes_on_when_there_is_room(spool: Spool) -> None:
    pages = spool._db.execute("PRAGMA page_count").fetchone()[0]
    spool._db.execute(f"PRAGMA max_page_count = {pages + 1}")
    with pytest.raises(DiskFullError):
        spool.do(lambda tx: tx.emit(NOW, "big", None, "", text="x" * 100_000))
    spool._db.execute("PRAGMA max_page_count = 1000000")
    spool.do(emit, "small")
    assert kinds(spool) == ["small"]


def test_a_closed_spool_refuses(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    last = spool.write(emit, "last")
    spool.close()
    assert last.result() == 1
    for call in (lambda: spool.do(emit, "x"), lambda: spool.read(events.last_id)):
        with pytest.raises(SpoolClosedError):
            call()


def test_a_folder_belongs_to_one_process(spool: Spool) -> None:
    with pytest.raises(BlockingIOError):
        Spool(spool.data)


def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    Spool(tmp_path).close()
    with sqlite3.connect(tmp_path / DATABASE_NAME) as db:
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    db.close()
    with pytest.raises(SchemaTooNewError):
        Spool(tmp_path)


def test_the_event_loop_runs_on_while_the_disk_is_slow(spool: Spool) -> None:
    disk = threading.Event()

    async def scenario() -> bool:
        slow = asyncio.ensure_future(spool.ado(lambda tx: disk.wait(60)))
        for _ in range(10):
            await asyncio.sleep(0.005)
        assert not slow.done()
        disk.set()
        return await slow

    assert asyncio.run(scenario()), "the disk was waited for on the loop"


def test_a_listener_that_lags_is_told_and_can_catch_up(spool: Spool) -> None:
    with spool.hub.listen() as listener:
        for _ in range(1100):
            spool.write(emit, "x")
        spool.do(emit, "last")
        assert listener.missed
        first = listener.get(1.0)
    assert isinstance(first, Event)
    assert first.id > 1
    assert len(spool.read(events.since, 0, limit=5000)) == 1101


# -- outbox --------------------------------------------------------------------------------------


def test_a_delivery_follows_its_timetable_across_a_restart_and_every_try_is_kept(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    made = spool.do(lambda tx: tx.deliver(NewDelivery("webhook", "u", {}, (300.0, 600.0)), NOW))
    assert [delivery.id for delivery in spool.read(outbox.due, NOW)] == [made]
    again = spool.do(outbox.failed, made, NOW, "refused")
    assert (again.next_try_at, again.tries) == (NOW + 300, 1)
    spool.close()
    spool = Spool(tmp_path)
    try:
        assert spool.read(outbox.due, NOW + 299) == []
        assert spool.read(outbox.next_due_at) == NOW + 300
        assert spool.do(outbox.failed, made, NOW + 300, "again").next_try_at == NOW + 900
        last = spool.do(outbox.failed, made, NOW + 900, "x" * 5000)
        assert (last.state, last.tries, len(last.last_error)) == (OutboxState.FAILED, 3, 1000)
        assert [one.ok for one in spool.read(outbox.tries, made)] == [False, False, False]
        with pytest.raises(IllegalTransitionError):
            spool.do(outbox.succeeded, made, NOW)
        assert spool.do(outbox.again, made, NOW + 1000).state is OutboxState.PENDING
        spool.do(outbox.succeeded, made, NOW + 1000)
        assert spool.read(outbox.get, made).state is OutboxState.DONE
    finally:
        spool.close()


# -- received ------------------------------------------------------------------------------------


def page(number: int, *, last: bool = False) -> ReceivedPageFile:
    return ReceivedPageFile(number, f"received/{number}.tiff", 1728, 100, "FINE", number, 1, NOW, last)


def test_a_received_fax_from_its_call_to_its_deletion(spool: Spool) -> None:
    fax = spool.do(received.begin, "u1", "trunk", "t38", NOW, caller="+4940", dialled="200")
    for number in range(3):
        spool.do(received.add_page, fax.id, page(number))
    spool.do(received.add_page, fax.id, page(2))
    done = spool.do(received.finish, fax.id, RECEIVED, complete=True, now=NOW + 60, tsi="49 40")
    assert (done.state, done.pages, done.bad_rows, done.tsi) == (ReceivedState.COMPLETE, 3, 3, "49 40")
    assert spool.read(received.unread) == 1
    spool.do(received.mark_read, fax.id, True, NOW + 61)
    spool.do(received.assign, fax.id, "ada", NOW + 62)
    assert spool.read(received.unread) == 0
    assert spool.read(received.search, ReceivedFilter(owner="ada", read=True))[0].id == fax.id
    with pytest.raises(IllegalTransitionError):
        spool.do(received.add_page, fax.id, page(3))
    spool.do(received.delete, fax.id, NOW + 63)
    assert spool.read(received.search, ReceivedFilter()) == []


def test_a_fax_cut_off_by_a_restart_is_partial_and_has_its_pages(spool: Spool) -> None:
    fax = spool.do(received.begin, "u1", "trunk", "t38", NOW)
    spool.do(received.add_page, fax.id, page(0))
    with pytest.raises(IllegalTransitionError):
        spool.do(received.delete, fax.id, NOW)
    (cut,) = spool.do(received.recover, NOW + 5)
    assert (cut.state, cut.pages, cut.cause_code) == (ReceivedState.PARTIAL, 1, "interrupted")


def test_a_whole_fax_whose_call_was_cut_off_after_its_last_page_is_complete(spool: Spool) -> None:
    fax = spool.do(received.begin, "u1", "trunk", "t38", NOW)
    spool.do(received.add_page, fax.id, page(0))
    spool.do(received.add_page, fax.id, page(1, last=True))
    (cut,) = spool.do(received.recover, NOW + 5)
    assert (cut.state, cut.pages, cut.cause_code) == (ReceivedState.COMPLETE, 2, "received")


@pytest.mark.parametrize("numbers", [(0, 1), (1,)])
def test_a_page_that_is_missing_or_follows_the_last_one_makes_a_fax_partial(
    spool: Spool, numbers: tuple[int, ...]
) -> None:
    fax = spool.do(received.begin, "u1", "trunk", "t38", NOW)
    for number in numbers:
        spool.do(received.add_page, fax.id, page(number, last=number == 0 or numbers == (1,)))
    (cut,) = spool.do(received.recover, NOW + 5)
    assert (cut.state, cut.cause_code) == (ReceivedState.PARTIAL, "interrupted")


def test_jobs_and_received_faxes_draw_from_one_row_of_ids(spool: Spool) -> None:
    document = spool.do(documents.create, "ada", [], NOW)
    first = spool.do(accepting.accept, NewSubmission("a", (Recipient("1"), Recipient("2")), document.id), NOW)
    fax = spool.do(received.begin, "u1", "trunk", "t38", NOW)
    second = spool.do(accepting.accept, NewSubmission("a", (Recipient("1"),), document.id), NOW)
    assert (*first.job_ids, fax.id, *second.job_ids) == (1, 2, 3, 4)


def test_the_audit_log_and_destinations_are_kept(spool: Spool) -> None:
    spool.do(ledger.audit, "ada", "fax.read", NOW, object="7", address="10.0.0.1")
    (entry,) = spool.read(ledger.audit_log, who="ada")
    assert (entry.action, entry.object, entry.address) == ("fax.read", "7", "10.0.0.1")
    known = ledger.Destination("+49", 1, None, {"step": 2}, NOW)
    spool.do(ledger.save_destination, known)
    assert spool.read(ledger.destinations) == [known]
    assert spool.do(ledger.forget_destination, "+49")
    assert not spool.do(ledger.forget_destination, "+49")


# -- cost ----------------------------------------------------------------------------------------

# A state change among a hundred thousand jobs may cost this much more than among a hundred.
MOST = 1.2
STATE_CHANGES = 400


def fill(spool: Spool, count: int) -> None:
    """Jobs in all states, most of them ended, as in a box that has run for a year."""
    document = spool.do(documents.create, "ada", [], NOW)
    left = count
    while left > 0:
        batch = min(left, 2000)
        recipients = tuple(Recipient(f"+4930{number:06}") for number in range(batch))
        accepted = spool.do(accepting.accept, NewSubmission("ada", recipients, document.id), NOW)
        spool.do(preparing.prepared, accepted.job_ids, "rendered/x", 3, NOW)
        spool.do(end_most, accepted.job_ids)
        left -= batch


def end_most(tx: Tx, job_ids: tuple[int, ...]) -> None:
    for job_id in job_ids:
        if job_id % 10:
            decisions.fail(tx, job_id, BUSY, NOW)


def cost(spool: Spool) -> float:
    """Seconds of one state change, its event and its commit: the median of many."""
    document = spool.do(documents.create, "eve", [], NOW)
    recipients = tuple(Recipient(f"+4940{number:06}") for number in range(STATE_CHANGES))
    job_ids = spool.do(accepting.accept, NewSubmission("eve", recipients, document.id), NOW).job_ids
    spool.do(preparing.prepared, job_ids, "rendered/x", 3, NOW)
    times = []
    for job_id in job_ids:
        started = time.perf_counter()
        spool.do(attempts.begin, job_id, NOW, line="trunk", line_kind="t38", first_page=0)
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def test_no_query_of_every_day_scans_a_table(spool: Spool) -> None:
    """The cost of 100,000 jobs, as SQLite plans it: always an index.  The bench measures the time."""
    fill(spool, 100)
    statements: list[str] = []
    spool._db.set_trace_callback(statements.append)
    with spool._reading() as reader:  # the one that is kept, and taken again for each query
        reader.set_trace_callback(statements.append)
    cost(spool)
    for query in (
        lambda: spool.read(queues.due, NOW + 9, 10),
        lambda: spool.read(queues.due, NOW + 9, 10, practice=True),
        lambda: spool.read(queues.next_due_at, NOW),
        lambda: spool.read(bounds.overdue, NOW),
        lambda: spool.read(preparing.next_to_prepare),
        lambda: spool.read(jobs.counts),
        lambda: spool.read(jobs.search, JobFilter(owner="ada")),
        lambda: spool.read(jobs.search, JobFilter(states=frozenset({JobState.SENDING}))),
        lambda: spool.read(jobs.search, JobFilter(number="+49")),
        lambda: spool.read(jobs.search, JobFilter(metadata=(("order", "7"), ("shop", "x")))),
        lambda: spool.read(outbox.due, NOW),
        lambda: spool.read(received.unread),
        lambda: spool.read(received.search, ReceivedFilter()),
        lambda: spool.read(events.since, 5),
    ):
        query()
    spool._db.set_trace_callback(None)
    reader.set_trace_callback(None)
    scans = set()
    for statement in set(statements):
        if not statement.startswith(("SELECT", "UPDATE", "DELETE", "INSERT")):
            continue
        for row in reader.execute(f"EXPLAIN QUERY PLAN {statement}"):
            detail = row["detail"]
            if detail.startswith("SCAN") and "USING" not in detail and "CONSTANT ROW" not in detail:
                scans.add((detail, statement))
    # Walking a table from its newest row until the page is full is no scan of the table.
    scans = {(detail, text) for detail, text in scans if "ORDER BY id DESC" not in text}
    assert scans == set()


@pytest.mark.skipif(not os.environ.get("FAXBOX_SWEEP"), reason="a hundred thousand jobs: FAXBOX_SWEEP=1")
def test_a_state_change_costs_the_same_among_a_hundred_thousand_jobs(tmp_path: Path) -> None:
    spools = {count: Spool(tmp_path / str(count)) for count in (100, 100_000)}
    try:
        for count, spool in spools.items():
            fill(spool, count)
        # Turn about, so that what else the machine does falls on both.
        costs = {count: [] for count in spools}
        for _ in range(7):
            for count, spool in spools.items():
                costs[count].append(cost(spool))
        few, many = (min(costs[count]) for count in spools)
        print(f"a state change: {few * 1e6:.0f} us among 100 jobs, {many * 1e6:.0f} us among 100,000")
        assert many <= MOST * few
    finally:
        for spool in spools.values():
            spool.close()


def test_many_threads_that_read_leave_few_connections_behind(spool: Spool) -> None:
    begun = threading.Barrier(40)

    def read() -> None:
        begun.wait()
        for _ in range(5):
            spool.read(jobs.counts)

    threads = [threading.Thread(target=read) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(spool._free_readers) <= READERS_KEPT


def test_counts_and_titles_cost_the_same_however_long_the_journal_is(spool: Spool) -> None:
    """As SQLite plans it: the counts are read from their own few rows, a title from the table of words."""

    def plan(db: sqlite3.Connection, statement: str) -> str:
        return " ".join(row["detail"] for row in db.execute(f"EXPLAIN QUERY PLAN {statement}"))

    queries: tuple[tuple[Callable[[sqlite3.Connection], object], str], ...] = (
        (stats.ended, "tally"),
        (stats.received, "tally"),
        (stats.deliveries, "tally"),
        (lambda db: jobs.search(db, JobFilter(text="needle")), "sent_words"),
    )
    for query, table in queries:
        statements: list[str] = []
        with spool._reading() as db:
            db.set_trace_callback(statements.append)
            query(db)
            db.set_trace_callback(None)
            # Beside what the index reads of its own tables, 'main'.'sent_words_...'.
            asked = [each for each in statements if each.startswith("SELECT") and "'main'." not in each]
            planned = plan(db, asked[-1])
        assert table in planned, planned
        assert "SCAN job" not in planned, planned


def test_erasures_and_copies_at_once_leave_a_whole_index_and_a_whole_copy(spool: Spool) -> None:
    """They wrote to one unfinished copy, whose error was taken for damage: the box took no more faxes."""

    def erase() -> None:
        for _ in range(10):
            spool.forget_past()

    def copy() -> None:
        for _ in range(10):
            assert spool.keep_copy("2026-11-29")

    with ThreadPoolExecutor(4) as pool:
        under_way = [pool.submit(each) for each in (erase, erase, copy, copy)]
    for each in under_way:
        each.result()
    assert not spool.damage
    newest = copies.newest(spool.data)
    assert newest is not None
    with contextlib.closing(sqlite3.connect(newest)) as copied:
        copies.require_undamaged(copied)


def test_an_index_or_a_copy_that_is_busy_is_not_damaged(tmp_path: Path) -> None:
    """A damaged index stops the box from taking faxes: no other error of SQLite may."""
    path = tmp_path / "some.sqlite3"
    with contextlib.closing(sqlite3.connect(path)) as other, contextlib.closing(sqlite3.connect(path)) as db:
        other.execute("CREATE TABLE t (a)")
        other.execute("BEGIN EXCLUSIVE")
        db.execute("PRAGMA busy_timeout = 0")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            copies.require_undamaged(db)
