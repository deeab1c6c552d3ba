"""The last changes are soon in the database file, not only in its write-ahead log."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from pathlib import Path

import pytest

from appliance.spool import writer
from appliance.spool.store import DATABASE_NAME
from tests.deliver.making import make_box, submit, until


def test_an_accepted_fax_outlives_the_loss_of_the_log_once_the_box_had_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "IDLE_S", 0.1)
    box = make_box(tmp_path / "data")
    try:
        job = submit(box)

        def found() -> bool:
            shutil.copyfile(box.data / DATABASE_NAME, tmp_path / "alone")  # without its log
            with contextlib.closing(sqlite3.connect(tmp_path / "alone")) as db:
                try:
                    row = db.execute("SELECT 1 FROM job WHERE uuid = ?", (job.uuid,)).fetchone()
                except sqlite3.DatabaseError:  # not even its tables are there yet
                    return False
                return row is not None

        until(found)
        assert submit(box).id != job.id  # and it goes on
    finally:
        box.close()
