"""Retention: what is kept, what is deleted, and that nothing is deleted that is still needed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.box import Box
from appliance.causes import RECEIVED
from appliance.configuration import open_box
from appliance.daemon.housekeeping import Housekeeping
from appliance.documents.causes import DOCUMENT_GONE
from appliance.lines.causes import BUSY
from appliance.services.faxes import Request
from appliance.services.rules import RefusedError, To
from appliance.spool import decisions, preparing, received
from appliance.spool.errors import NotFoundError
from appliance.spool.filters import JobFilter, ReceivedFilter
from appliance.spool.folders import FOLDERS
from appliance.spool.model import DAY_S, Job, ReceivedPageFile, Room, TransientEvent
from appliance.spool.retention import sweep_parts, temporary_folder
from appliance.spool.settings import StorageSettings
from tests.daemon.keeping import keeper_of

START = 1_700_000_000.0


class Clock:
    now = START

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def box(tmp_path: Path, clock: Clock) -> Iterator[Box]:
    box = open_box(tmp_path / "data", clock=clock)
    box.set_practice_numbers({"9990"})
    yield box
    box.close()


@pytest.fixture
def keeper(box: Box, clock: Clock) -> Housekeeping:
    return keeper_of(box, clock)


def submit(box: Box, *numbers: str) -> list[Job]:
    file = box.documents.store_file(b"x", name="x.txt", media_type="text/plain")
    made = list(box.faxes.submit(Request("ada", tuple(To(n) for n in numbers or ("9990",)), (file,))).jobs)
    folder = box.data / "rendered" / made[0].uuid
    folder.mkdir()
    (folder / "pages").write_bytes(b"x")
    box.spool.do(preparing.prepared, [job.id for job in made], f"rendered/{made[0].uuid}", 1, box.clock())
    return made


def end(box: Box, job: Job) -> None:
    box.spool.do(decisions.fail, job.id, BUSY, box.clock())


def files(box: Box, folder: str) -> int:
    return len(list((box.data / folder).iterdir()))


def receive(box: Box, pages: int = 2) -> int:
    fax = box.spool.do(received.begin, f"u{box.clock()}", "trunk", "t38", box.clock())
    for number in range(pages):
        path = f"received/{fax.uuid}-{number}.tiff"
        (box.data / path).write_bytes(b"x")
        page = ReceivedPageFile(number, path, 1728, 1, "FINE", 0, 0, box.clock())
        box.spool.do(received.add_page, fax.id, page)
    box.spool.do(received.finish, fax.id, RECEIVED, complete=True, now=box.clock())
    return fax.id


def test_documents_are_deleted_after_their_days_once_all_their_faxes_have_ended(
    box: Box, clock: Clock, keeper: Housekeeping
) -> None:
    first, second = submit(box, "9990", "0301234567")
    end(box, first)
    clock.now += 31 * DAY_S
    keeper.delete_expired()
    assert (files(box, "documents"), files(box, "rendered")) == (1, 1)
    end(box, second)
    keeper.delete_expired()
    assert (files(box, "documents"), files(box, "rendered")) == (1, 1)
    clock.now += 31 * DAY_S
    keeper.delete_expired()
    assert (files(box, "documents"), files(box, "rendered")) == (0, 0)
    assert box.faxes.get(first.id).cause_code == "busy"
    with pytest.raises(RefusedError) as caught:
        box.faxes.resend(first.id)
    assert caught.value.cause is DOCUMENT_GONE


def test_a_document_stored_on_its_own_is_kept(box: Box, clock: Clock, keeper: Housekeeping) -> None:
    file = box.documents.store_file(b"x", name="x.txt", media_type="text/plain")
    document = box.documents.create("ada", [file], name="form")
    clock.now += 400 * DAY_S
    keeper.delete_expired()
    assert box.documents.get(document.id).files == (file,)
    assert (box.data / file.path).exists()


def test_the_journal_is_deleted_after_its_days(box: Box, clock: Clock, keeper: Housekeeping) -> None:
    (job,) = submit(box)
    end(box, job)
    box.history.audit("ada", "fax.sent", object=str(job.id))
    for days in (31, 340):
        clock.now += days * DAY_S
        keeper.delete_expired()
    assert box.faxes.search(JobFilter()) == []
    with pytest.raises(NotFoundError):
        box.faxes.get(job.id)
    for table in ("submission", "document", "attempt", "audit", "event"):
        count = box.spool.read(lambda db, t=table: db.execute(f"SELECT COUNT(*) FROM {t}").fetchone()[0])
        assert count == 0, table


def test_received_faxes_stay_until_they_are_deleted_or_their_days_are_over(
    box: Box, clock: Clock, keeper: Housekeeping
) -> None:
    first, second = receive(box), 0
    clock.now += 1000 * DAY_S
    second = receive(box)
    keeper.delete_expired()
    assert files(box, "received") == 4
    box.inbox.delete(first)
    keeper.delete_expired()
    assert files(box, "received") == 2
    box.settings.change(StorageSettings, {"received_days": 10.0})
    clock.now += 11 * DAY_S
    keeper.delete_expired()
    assert files(box, "received") == 0
    assert box.inbox.search(ReceivedFilter(empty=True)) == []
    assert second


def test_with_little_room_ended_faxes_are_deleted_sooner_and_received_ones_kept(
    box: Box, clock: Clock, keeper: Housekeeping
) -> None:
    (ended,) = submit(box)
    end(box, ended)
    (waiting,) = submit(box)
    receive(box)
    clock.now += 2 * DAY_S
    box.settings.change(StorageSettings, {"warn_mb": 1 << 40})
    with box.history.listen() as listener:
        assert keeper.look_at_room() is Room.LOW
        heard = listener.get(1.0)
    assert isinstance(heard, TransientEvent)
    assert (heard.kind, heard.data["room"]) == ("box.disk", "low")
    keeper.delete_expired(Room.LOW)
    assert (files(box, "documents"), files(box, "rendered"), files(box, "received")) == (1, 1, 2)
    assert (box.data / box.faxes.get(waiting.id).rendered_path).exists()


def test_what_an_interrupted_write_left_behind_is_swept_away(box: Box, keeper: Housekeeping) -> None:
    (job,) = submit(box)
    receive(box)
    box.documents.store_file(b"never named", name="x", media_type="text/plain")
    (box.data / "documents" / "torn.part").write_bytes(b"x")
    (box.data / "received" / "unnamed.tiff").write_bytes(b"x")
    (box.data / "rendered" / "unnamed").mkdir()
    for folder in ("documents", "received", "rendered"):
        for path in (box.data / folder).iterdir():
            os.utime(path, (START, START))
    # All are new, whatever a clock that was set makes of their age: their rows may be on the way.
    assert keeper.sweep_orphans() == 0
    sweep_parts(box.data)
    assert keeper.sweep_orphans(age_s=0.0) == 3
    assert (files(box, "documents"), files(box, "rendered"), files(box, "received")) == (1, 1, 2)
    assert (box.data / box.faxes.get(job.id).rendered_path).exists()


def test_an_idempotency_key_may_be_used_again_after_its_days(
    box: Box, clock: Clock, keeper: Housekeeping
) -> None:
    def hand_in() -> bool:
        file = box.documents.store_file(b"x", name="x.txt", media_type="text/plain")
        return box.faxes.submit(Request("ada", (To("9990"),), (file,), idempotency_key="k")).repeated

    assert [hand_in(), hand_in()] == [False, True]
    clock.now += 3 * DAY_S
    keeper.delete_expired()
    assert not hand_in()


def test_traces_are_deleted_after_their_days(box: Box, clock: Clock, keeper: Housekeeping) -> None:
    old, new = box.data / "traces" / "old.jsonl", box.data / "traces" / "new.jsonl"
    for path, at in ((old, START), (new, START + 30 * DAY_S)):
        path.write_text("{}")
        os.utime(path, (at, at))
    clock.now += 31 * DAY_S
    keeper.delete_expired()
    assert (old.exists(), new.exists()) == (False, True)


def test_passing_files_that_a_crash_left_are_gone_after_the_next_start(tmp_path: Path) -> None:
    with temporary_folder(tmp_path) as folder:
        (folder / "page.tiff").write_bytes(b"x")
        there = folder.parent
        crashed = shutil.copytree(folder, there / "crashed")
    assert not folder.exists()
    for name in FOLDERS:
        (tmp_path / name).mkdir()
    sweep_parts(tmp_path)
    assert not crashed.exists()
