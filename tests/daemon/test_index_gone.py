"""A missing, empty, old or damaged index loses no fax: the box reports it, and it can be restored."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from appliance.box import Box
from appliance.causes import RECEIVED
from appliance.configuration import open_box
from appliance.daemon.housekeeping import SET_ASIDE_DAYS
from appliance.doctor.data import files, index
from appliance.doctor.findings import Severity
from appliance.durable import NotAFileError
from appliance.services.rules import RefusedError
from appliance.spool import copies
from appliance.spool.errors import SpoolDamagedError
from appliance.spool.filters import JobFilter, ReceivedFilter
from appliance.spool.folders import FOLDERS
from appliance.spool.identity import DATABASE_NAME, SpoolGoneError
from appliance.spool.incoming import IncomingFax
from appliance.spool.model import DAY_S
from appliance.spool.vault import KeyLostError
from appliance.t4.page import Raster, Resolution
from appliance.t30.parameters import CallResult, ReceivedPage
from tests.daemon.keeping import keeper_of
from tests.deliver.making import submit, until

FAXBOX = [sys.executable, "-m", "appliance.cli"]


def receive(box: Box, pages: int = 2) -> None:
    """A call that brings pages, all the way through the store of pages."""

    async def call() -> None:
        with ThreadPoolExecutor(1) as writers:
            fax = IncomingFax(
                box.spool,
                writers,
                box.clock,
                line="trunk",
                line_kind="t38",
                caller="+4940777",
                caller_name="Zoë ∞",
                dialled="200",
            )
            for number in range(pages):
                raster = Raster(1728, 4, bytes([number + 1]) * (216 * 4), Resolution.FINE)
                assert await fax.store(number, ReceivedPage(raster))
            await fax.finish(CallResult(RECEIVED, pages_received=pages))

    asyncio.run(call())


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The folder of a stopped box that has received faxes."""
    folder = tmp_path / "data"
    box = open_box(folder)
    receive(box)
    keeper_of(box).keep_copy()
    receive(box, 3)
    box.close()
    return folder


def page_files(data: Path) -> set[str]:
    return {path.name for path in (data / "received").iterdir()}


def serve(data: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*FAXBOX, "serve", "--data", str(data), "--http", "127.0.0.1:0"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def pages_after_rebuild(data: Path) -> list[int]:
    """The pages of each received fax, fewest first, once the index was made again from the files."""
    subprocess.run([*FAXBOX, "spool", "rebuild", "--data", str(data)], check=True, capture_output=True)
    box = open_box(data)
    try:
        return sorted(fax.pages for fax in box.inbox.search(ReceivedFilter()))
    finally:
        box.close()


def keep_house(box: Box, *, days: float = 0.0) -> None:
    """The housekeeping, as if it had seen all files long ago."""
    now = box.clock() + days * DAY_S
    keeper = keeper_of(box, lambda: now)
    keeper.sweep_orphans(age_s=0.0)
    keeper.delete_expired()


@pytest.mark.parametrize("how", ["gone", "empty"])
def test_a_box_without_its_index_stops_with_advice_and_touches_nothing(data: Path, how: str) -> None:
    before = page_files(data)
    for suffix in ("", "-wal", "-shm"):
        (data / f"{DATABASE_NAME}{suffix}").unlink(missing_ok=True)
    if how == "empty":
        (data / DATABASE_NAME).touch()
    said = serve(data)
    assert said.returncode == 78
    assert "faxbox spool rebuild" in said.stderr
    assert page_files(data) == before


def test_a_folder_whose_every_sign_but_one_is_gone_is_still_no_new_box(data: Path) -> None:
    (data / DATABASE_NAME).unlink()
    (data / "spool.json").unlink()
    shutil.rmtree(data / "received")
    with pytest.raises(SpoolGoneError, match="settings"):
        open_box(data)


@pytest.mark.parametrize("how", ["moved", "a link to a disk that is not mounted", "a file"])
@pytest.mark.parametrize("name", ["received", "documents", "rendered"])
def test_a_box_whose_files_are_elsewhere_stops_with_advice_and_goes_on_when_they_are_back(
    data: Path, tmp_path: Path, name: str, how: str
) -> None:
    (data / name).rename(tmp_path / "elsewhere")
    if how == "a file":
        (data / name).write_text("?")
    elif how != "moved":
        (data / name).symlink_to(tmp_path / "not mounted")
    with pytest.raises(SpoolGoneError, match=f"{name}/ in .* make an empty folder of that name"):
        open_box(data)
    (data / name).unlink(missing_ok=True)
    (tmp_path / "elsewhere").rename(data / name)
    open_box(data).close()
    assert len(page_files(data)) == 5


def put_instead(path: Path, what: str) -> None:
    """Replaces ``path`` by something that is no file."""
    path.unlink(missing_ok=True)
    if what == "a folder":
        path.mkdir()
        (path / "x").write_text("x")
    elif what == "a pipe":
        os.mkfifo(path)
    elif what == "a socket":
        with socket.socket(socket.AF_UNIX) as held:
            held.bind(os.path.relpath(path))  # the path of a socket has 107 octets at most
    else:
        path.symlink_to(path.parent / "not mounted" / path.name)


STRANGE = ("a folder", "a pipe", "a socket", "a link to a disk that is not mounted")


@pytest.mark.parametrize("what", STRANGE)
@pytest.mark.parametrize("suffix", ["", "-wal", "-shm"])
def test_what_is_no_file_in_the_indexs_place_is_put_aside_by_rebuild_and_no_fax_is_lost(
    data: Path, suffix: str, what: str
) -> None:
    put_instead(data / f"{DATABASE_NAME}{suffix}", what)
    with pytest.raises(SpoolGoneError, match="faxbox spool rebuild"):
        open_box(data)
    (found,) = index(data)
    assert found.state is Severity.BROKEN
    subprocess.run([*FAXBOX, "spool", "rebuild", "--data", str(data)], check=True, capture_output=True)
    box = open_box(data)
    try:
        faxes = box.inbox.search(ReceivedFilter())
        assert sorted(fax.pages for fax in faxes) == [2, 3]
        # The index itself was whole unless it was that which was replaced.
        assert (faxes[0].cause_code == "index_rebuilt") is (suffix == "")
    finally:
        box.close()
    assert any(".unusable-" in path.name for path in data.iterdir())


@pytest.mark.parametrize("what", STRANGE)
@pytest.mark.parametrize(
    "name", ["spool.json", "spool.lock", "settings.json", "settings.lock", "phonebook.json", "at-rest.json"]
)
def test_what_is_no_file_where_one_belongs_stops_the_box_with_advice_instead_of_hanging(
    data: Path, name: str, what: str
) -> None:
    put_instead(data / name, what)
    before = page_files(data)
    with pytest.raises((SpoolGoneError, NotAFileError, KeyLostError), match=f"{name}.*[Pp]ut"):
        open_box(data)
    assert page_files(data) == before


def test_a_strange_file_is_said_in_a_sentence_by_each_word(data: Path) -> None:
    put_instead(data / "spool.sqlite3-shm", "a folder")
    said = serve(data)
    assert said.returncode == 78
    assert "Traceback" not in said.stderr
    assert "is a folder where a file belongs" in said.stderr
    (data / "settings.json").unlink()
    put_instead(data / "settings.json", "a pipe")
    for words in (["serve", "--http", "127.0.0.1:0"], ["doctor"], ["spool", "rebuild"], ["config", "get"]):
        ran = subprocess.run(
            [*FAXBOX, *words, "--data", str(data)], capture_output=True, text=True, check=False, timeout=60
        )
        assert ran.returncode in (64, 78), (words, ran.stderr)
        assert "settings.json is a pipe" in ran.stderr, words
        assert "Traceback" not in ran.stderr


def test_settings_that_are_gone_while_faxes_are_here_are_not_replaced_by_defaults(data: Path) -> None:
    (data / "settings.json").unlink()
    with pytest.raises(SpoolGoneError, match=r"settings\.json, the settings, is gone.*spool adopt"):
        open_box(data)
    assert not (data / "settings.json").exists()
    subprocess.run([*FAXBOX, "spool", "adopt", "--data", str(data)], check=True, capture_output=True)
    box = open_box(data)
    try:
        assert len(box.inbox.search(ReceivedFilter())) == 2
    finally:
        box.close()


@pytest.mark.parametrize(
    "command",
    [["config", "set", "station.name", "x"], ["spool", "rebuild"], ["setup-code"], ["user", "list"]],
)
def test_no_command_makes_new_settings_where_they_are_gone(data: Path, command: list[str]) -> None:
    (data / "settings.json").unlink()
    ran = subprocess.run(
        [*FAXBOX, *command, "--data", str(data)], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 78
    assert "settings.json, the settings, is gone" in ran.stderr
    assert not (data / "settings.json").exists()


def test_received_faxes_are_made_again_from_their_files(data: Path) -> None:
    (data / DATABASE_NAME).unlink()
    shutil.rmtree(data / copies.FOLDER)
    ran = subprocess.run(
        [*FAXBOX, "spool", "rebuild", "--data", str(data)], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert "2 received faxes with 5 pages" in ran.stdout
    box = open_box(data)
    try:
        newer, older = box.inbox.search(ReceivedFilter())
        assert (older.pages, newer.pages) == (2, 3)
        assert (newer.caller, newer.caller_name, newer.dialled, newer.line) == (
            "+4940777",
            "Zoë ∞",
            "200",
            "trunk",
        )
        assert newer.cause_code == "index_rebuilt"
        keep_house(box)
        assert len(page_files(data)) == 5
    finally:
        box.close()


def test_what_an_older_index_does_not_know_is_set_aside_for_weeks_and_can_be_taken_back(data: Path) -> None:
    (newest,) = (data / copies.FOLDER).iterdir()
    for suffix in ("-wal", "-shm"):
        (data / f"{DATABASE_NAME}{suffix}").unlink(missing_ok=True)
    shutil.copyfile(newest, data / DATABASE_NAME)
    box = open_box(data)
    keep_house(box)
    keep_house(box, days=SET_ASIDE_DAYS - 2)
    box.close()
    assert len(page_files(data)) == 2
    assert len(list((data / "set-aside").rglob("*.tiff"))) == 3
    assert pages_after_rebuild(data) == [2, 3]


def test_another_boxs_index_is_not_taken_for_ones_own(data: Path, tmp_path: Path) -> None:
    other = open_box(tmp_path / "other")
    other.close()
    for suffix in ("", "-wal", "-shm"):
        (data / f"{DATABASE_NAME}{suffix}").unlink(missing_ok=True)
    shutil.copyfile(tmp_path / "other" / DATABASE_NAME, data / DATABASE_NAME)
    with pytest.raises(SpoolGoneError, match="another"):
        open_box(data)
    subprocess.run([*FAXBOX, "spool", "adopt", "--data", str(data)], check=True, capture_output=True)
    open_box(data).close()


def damage(database: Path) -> None:
    """Overwrites the content of all pages but the first."""
    size = database.stat().st_size
    with database.open("r+b") as file:
        for at in range(4096, size, 4096):
            file.seek(at)
            file.write(b"\xa5" * 2048)


def test_a_damaged_index_takes_nothing_more_says_so_and_is_replaced_by_the_last_good_copy(data: Path) -> None:
    damage(data / DATABASE_NAME)
    try:
        box = open_box(data)
    except Exception as error:  # so damaged that it cannot even be opened
        assert "malformed" in str(error) or "not a database" in str(error)  # noqa: PT017
    else:
        box.spool.look_for_damage()
        assert not box.health().accepting
        assert not box.health().ok
        with pytest.raises(RefusedError) as caught:
            box.documents.store_file(b"x", name="x.txt", media_type="text/plain")
        assert caught.value.cause.code == "index_damaged"
        box.close()
    ran = subprocess.run(
        [*FAXBOX, "spool", "rebuild", "--data", str(data)], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert "put aside" in ran.stdout
    assert "1 received faxes with 3 pages" in ran.stdout
    box = open_box(data)
    try:
        assert sorted(fax.pages for fax in box.inbox.search(ReceivedFilter())) == [2, 3]
        assert any(path.name.startswith(f"{DATABASE_NAME}.unusable") for path in data.iterdir())
    finally:
        box.close()


def test_a_second_box_is_refused_although_somebody_deleted_the_lock_file(data: Path) -> None:
    box = open_box(data)
    (data / "spool.lock").unlink()
    with pytest.raises(BlockingIOError):
        open_box(data)
    box.close()
    open_box(data).close()


def test_a_box_whose_folders_are_removed_while_it_runs_receives_again(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.daemon.housekeeping.ROOM_EVERY_S", 0.05)
    box = open_box(data)
    keeper = keeper_of(box)
    keeper.start()
    for name in FOLDERS:
        shutil.rmtree(data / name)
    until(lambda: all((data / name).is_dir() for name in FOLDERS))
    keeper.stop()
    receive(box)
    submit(box)
    shutil.rmtree(data)
    box.spool.put_folders_back()
    assert not data.exists()
    box.close()


@pytest.mark.parametrize("noticed", ["by a fax", "at rest"])
@pytest.mark.parametrize("how", ["deleted", "replaced"])
@pytest.mark.parametrize("suffix", ["", "-wal", "-shm"])
def test_an_index_that_is_taken_away_from_a_running_box_takes_nothing_more_and_loses_nothing(
    data: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, how: str, noticed: str
) -> None:
    if noticed == "at rest":
        monkeypatch.setattr("appliance.spool.writer.IDLE_S", 0.1)
    old, killed = data.parent / "old", data.parent / "killed"
    shutil.copy(data / DATABASE_NAME, old)
    box = open_box(data)
    accepted = submit(box).id
    path = data / f"{DATABASE_NAME}{suffix}"
    if how == "deleted":
        path.unlink()
    else:
        old.rename(path)
    if noticed == "by a fax":
        with pytest.raises(SpoolDamagedError, match=f"{path.name} was deleted or replaced"):
            submit(box)
    until(lambda: not box.health().accepting)
    shutil.copytree(data, killed)
    box.close()
    subprocess.run([*FAXBOX, "spool", "rebuild", "--data", str(killed)], check=True, capture_output=True)
    again = open_box(killed)
    try:
        assert [job.id for job in again.faxes.search(JobFilter())] == [accepted]
        assert sorted(fax.pages for fax in again.inbox.search(ReceivedFilter())) == [2, 3]
    finally:
        again.close()


def _damage_in_each_table(data: Path) -> Iterator[tuple[str, int, int]]:
    """The first page of each table and index of the database: its name, where it lies, how long it is."""
    with contextlib.closing(sqlite3.connect(data / DATABASE_NAME)) as db:
        size = int(db.execute("PRAGMA page_size").fetchone()[0])
        found = db.execute("SELECT name, rootpage FROM sqlite_master WHERE rootpage > 0").fetchall()
    yield from ((str(name), (root - 1) * size, size) for name, root in found)


@pytest.mark.parametrize("how", ["noise", "zeros"])
def test_damage_in_any_table_or_list_of_words_is_noticed_and_the_way_back_keeps_every_fax(
    data: Path, tmp_path: Path, how: str
) -> None:
    tables = list(_damage_in_each_table(data))
    assert {"job", "received", "outbox", "offer", "age_clock", "sent_words_data"} <= {t[0] for t in tables}
    whole = (data / DATABASE_NAME).read_bytes()
    for name, at, size in tables:
        with (data / DATABASE_NAME).open("r+b") as file:
            file.seek(at)
            file.write(os.urandom(size // 2) if how == "noise" else bytes(size))
        (found,) = index(data)
        assert found.state is Severity.BROKEN, name
        try:
            box = open_box(data)
        except (sqlite3.DatabaseError, SpoolDamagedError):
            pass  # `serve` says it in a sentence
        else:
            box.spool.look_for_damage()
            assert not box.health().accepting, name
            box.close()
        for suffix in ("-wal", "-shm"):
            (data / f"{DATABASE_NAME}{suffix}").unlink(missing_ok=True)
        (data / DATABASE_NAME).write_bytes(whole)
    # Once for all of them, since it takes seconds.
    name, at, size = next(each for each in tables if each[0] == "offer")
    with (data / DATABASE_NAME).open("r+b") as file:
        file.seek(at)
        file.write(bytes(size))
    said = serve(data)
    assert (said.returncode, "Traceback" in said.stderr) == (78, False), said.stderr
    assert "faxbox spool rebuild" in said.stderr
    assert pages_after_rebuild(data) == [2, 3]


def _crash_after(data: Path, faxes: int) -> None:
    """A box receives faxes and is gone in an instant: its last changes are in the log beside the index."""
    process = os.fork()
    if process == 0:
        box = open_box(data)
        for _ in range(faxes):
            receive(box)
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(process, 0)


@pytest.mark.parametrize("whose", ["nobody's", "another box's", "an older index"])
def test_a_log_of_last_changes_that_is_gone_or_anothers_is_said_and_costs_no_received_fax(
    data: Path, tmp_path: Path, whose: str
) -> None:
    older = (data / DATABASE_NAME).read_bytes()
    _crash_after(data, 5)
    log = data / f"{DATABASE_NAME}-wal"
    assert log.stat().st_size
    if whose == "an older index":
        (data / DATABASE_NAME).write_bytes(older)
    else:
        log.unlink()
        (data / f"{DATABASE_NAME}-shm").unlink()
    if whose == "another box's":
        open_box(tmp_path / "other").close()
        _crash_after(tmp_path / "other", 9)
        shutil.copyfile(tmp_path / "other" / log.name, log)
    for page in (data / "received").iterdir():
        os.utime(page, (1.0, 1.0))
    said = [*index(data), *files(data)]
    # Beside the older index its own log says all that came since: nothing is lost then.
    assert whose == "an older index" or any(
        found.state is Severity.BROKEN and "spool rebuild" in found.advice for found in said
    ), said
    subprocess.run([*FAXBOX, "spool", "rebuild", "--data", str(data)], check=True, capture_output=True)
    box = open_box(data)
    try:
        pages = [box.inbox.pages(fax.id) for fax in box.inbox.search(ReceivedFilter())]
        there = {page.path for of_one in pages for page in of_one if (data / page.path).exists()}
        assert there == {f"received/{name}" for name in page_files(data)}
        assert len(there) == 2 + 3 + 5 * 2
    finally:
        box.close()


def test_an_entry_that_nobody_can_read_is_named_and_put_aside_and_its_fax_made_again(data: Path) -> None:
    with contextlib.closing(sqlite3.connect(data / DATABASE_NAME)) as db, db:
        db.execute("UPDATE received SET facts = '{broken' WHERE pages = 3")
    box = open_box(data)
    try:
        with pytest.raises(SpoolDamagedError):
            box.inbox.search(ReceivedFilter())
        assert not box.health().accepting
    finally:
        box.close()
    ran = subprocess.run(
        [*FAXBOX, "spool", "rebuild", "--data", str(data)], capture_output=True, text=True, check=False
    )
    assert "1 received faxes with 3 pages" in ran.stdout
    assert "1 entries that nobody can read were put aside" in ran.stdout
    box = open_box(data)
    try:
        assert sorted(fax.pages for fax in box.inbox.search(ReceivedFilter())) == [2, 3]
        assert box.health().accepting
    finally:
        box.close()


def test_a_damaged_index_is_never_kept_as_a_good_copy(data: Path) -> None:
    box = open_box(data)
    try:
        good = {path.name: path.read_bytes() for path in (data / copies.FOLDER).iterdir()}
        box.spool.damage = "found before"
        keeper_of(box, lambda: box.clock() + DAY_S).keep_copy()
        assert {path.name: path.read_bytes() for path in (data / copies.FOLDER).iterdir()} == good
    finally:
        box.close()


def test_a_copy_is_kept_from_before_each_migration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from appliance.spool import schema

    box = open_box(tmp_path / "data")
    box.close()
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, "CREATE TABLE later (x TEXT);"))
    open_box(tmp_path / "data").close()
    (kept,) = (tmp_path / "data" / copies.FOLDER).iterdir()
    assert kept.name == f"before-version-{len(schema.MIGRATIONS)}.sqlite3"
