"""Deliveries of the box as a program: over the practice line, through kills and restarts."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import smtplib
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pypdfium2
import pytest

from appliance.box import Box
from appliance.deliver.planner import Planner
from appliance.deliver.settings import MailInSettings, MailOutSettings
from appliance.lines.practice.numbers import PRACTICE_NUMBERS
from appliance.lines.practice.settings import PracticeSettings
from appliance.services.faxes import Request
from appliance.services.rules import To
from appliance.settings.accounts import User
from appliance.spool import outbox
from appliance.spool.delivery import Delivery, OutboxState
from appliance.spool.model import JobState, ReceivedState
from tests.daemon.test_serve import serving
from tests.deliver.mailing import post_office
from tests.deliver.making import Hook, fail, hook_server, make_box, receive, submit, until
from tests.deliver.test_email_in import letter
from tests.ports import free_port


@contextlib.contextmanager
def prepared(data: Path) -> Iterator[Box]:
    box = make_box(data)
    try:
        box.settings.change(PracticeSettings, {"speed": 10.0})
        box.set_practice_numbers(PRACTICE_NUMBERS)
        yield box
    finally:
        box.close()


def hand_in(box: Box, url: str) -> int:
    file = box.documents.store_file(b"one page", name="a.txt", media_type="text/plain")
    return box.faxes.submit(Request("ada", (To("9990"),), (file,), callback_url=url)).jobs[0].id


def look(data: Path, job: int) -> list[Delivery]:
    """The deliveries of a job, read beside a running box."""
    db = sqlite3.connect(data / "spool.sqlite3")
    db.row_factory = sqlite3.Row
    with contextlib.closing(db):
        return outbox.of_fax(db, job)


def test_a_killed_box_keeps_the_timetable_of_its_deliveries(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with hook_server(Hook(answers=[503])) as hook:
        with prepared(data) as box:
            job = hand_in(box, hook.url)
        with serving(data) as (process, _):
            until(lambda: [each.tries for each in look(data, job)] == [1])
            process.send_signal(signal.SIGKILL)
            process.wait()
        (before,) = look(data, job)
        assert before.state is OutboxState.PENDING
        with serving(data):
            time.sleep(1)  # its time has not come
        assert look(data, job) == [before]
        assert len(hook.bodies) == 1


def test_a_box_killed_in_the_middle_of_a_delivery_makes_it_again(tmp_path: Path) -> None:
    data = tmp_path / "data"
    gate = threading.Event()
    with hook_server(Hook(hold=gate)) as hook:
        with prepared(data) as box:
            job = hand_in(box, hook.url)
        with serving(data) as (process, _):
            until(lambda: hook.bodies)
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        gate.set()
        assert [each.tries for each in look(data, job)] == [0]
        with serving(data):
            until(lambda: [each.state for each in look(data, job)] == [OutboxState.DONE])
    assert len(hook.bodies) == 2
    first, second = map(json.loads, hook.bodies)
    assert first["event"] == "fax.delivered"
    assert first["delivery"] == second["delivery"]


def test_an_e_mail_handed_in_by_smtp_is_faxed_and_its_sender_gets_the_pages_back(tmp_path: Path) -> None:
    data = tmp_path / "data"
    port = free_port()
    with post_office() as office:
        with prepared(data) as box:
            box.settings.add(User(name="ada", email="ada@office.example", full_name="Ada"))
            box.settings.change(
                MailInSettings,
                {"listen": True, "listen_bind": "127.0.0.1", "listen_port": port, "networks": ["127.0.0.1"]},
            )
            box.settings.change(
                MailOutSettings,
                {
                    "server": "localhost",
                    "port": office.port,
                    "sender": "fax@office.example",
                    "security": "none",
                },
            )
        with serving(data):
            until(lambda: _listens(port))
            with smtplib.SMTP("127.0.0.1", port, timeout=120) as smtp:
                smtp.send_message(letter(to="9990@fax.box", pdf=None, text="one page\fanother"))
            until(lambda: office.taken)
    ((_, to, message),) = office.taken
    assert to == ["ada@office.example"]
    assert message["Subject"] == "Practice: Fax to 9990 was delivered"
    assert message["In-Reply-To"] == "<1@office.example>"
    (attachment,) = message.iter_attachments()
    assert len(pypdfium2.PdfDocument(attachment.get_content())) == 2


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def test_a_fault_in_planning_deliveries_undoes_no_fax(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = make_box(tmp_path / "data")
    try:
        box.outbox.follow(Planner(box))
        job = submit(box, callback_url="http://127.0.0.1:9/")

        def broken(*_: object) -> None:
            raise KeyError("a bug")

        with monkeypatch.context() as patched:
            patched.setattr(box.settings, "items", broken)
            assert fail(box, job).state is JobState.FAILED
            assert receive(box).state is ReceivedState.COMPLETE
    finally:
        box.close()


def test_an_end_and_its_deliveries_are_written_together_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = make_box(tmp_path / "data")
    try:
        box.outbox.follow(Planner(box))
        job = submit(box, callback_url="http://127.0.0.1:9/")

        def full(*_: object) -> None:
            raise sqlite3.OperationalError("disk I/O error")

        with monkeypatch.context() as patched:
            patched.setattr("appliance.spool.transaction.Tx.deliver", full)
            with pytest.raises(Exception, match="disk I/O"):
                fail(box, job)
        assert not box.faxes.get(job.id).state.ended
        fail(box, job)
        assert len(box.spool.read(outbox.of_fax, job.id)) == 1
    finally:
        box.close()
