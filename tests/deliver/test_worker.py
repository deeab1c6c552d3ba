"""What the outbox's worker keeps apart between one delivery and the next."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from appliance.deliver.settings import DeliverySettings
from appliance.deliver.worker import OutboxWorker
from appliance.durable import DiskFullError
from appliance.language import ENGLISH, speak, spoken
from appliance.spool.delivery import Delivery, NewDelivery, OutboxState
from appliance.spool.errors import SpoolFailedError
from tests.deliver.making import make_box, until


def test_a_delivery_in_german_does_not_leave_its_language_to_the_next(tmp_path: Path) -> None:
    box = make_box(tmp_path)
    heard: list[str] = []

    def deliver(_: Delivery) -> str:
        heard.append(spoken())
        speak("de")
        return ""

    box.settings.change(DeliverySettings, {"at_once": 1})  # one thread makes both
    for target in ("the printer", "another"):
        box.outbox.put(NewDelivery("paper", target, {}, (60.0,)))
    worker = OutboxWorker(box, {"paper": deliver})
    worker.start()
    try:
        until(lambda: len(heard) == 2)
    finally:
        worker.stop()
        box.close()
    assert heard == [ENGLISH, ENGLISH]


def test_a_try_for_which_the_disk_has_no_room_says_so_and_is_made_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    box = make_box(tmp_path)
    refusals: list[Exception] = [DiskFullError("no room"), SpoolFailedError("disk I/O error")]

    def deliver(_: Delivery) -> str:
        if refusals:
            raise refusals.pop()
        return "done"

    box.outbox.put(NewDelivery("paper", "the printer", {}, (0.0, 0.0)))
    worker = OutboxWorker(box, {"paper": deliver})
    worker.start()
    try:
        until(lambda: box.outbox.with_tries(1)[0].state is OutboxState.DONE)
        tries = box.outbox.with_tries(1)[1]
    finally:
        worker.stop()
        box.close()
    assert [each.detail for each in tries] == [
        *["The box's storage is full or cannot be written to."] * 2,
        "done",
    ]
    assert "Traceback" not in caplog.text


def test_while_no_thread_can_be_started_a_delivery_waits_and_is_made_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.deliver.worker.LOOK_AROUND_S", 0.05)
    refused: list[str] = []
    real = threading.Thread.start

    def start(thread: threading.Thread) -> None:
        if thread.name.startswith("deliver-") and len(refused) < 3:
            refused.append(thread.name)
            raise RuntimeError("can't start new thread")
        real(thread)

    monkeypatch.setattr(threading.Thread, "start", start)
    box = make_box(tmp_path)
    box.outbox.put(NewDelivery("paper", "the printer", {}, (60.0,)))
    worker = OutboxWorker(box, {"paper": lambda _: "done"})
    worker.start()
    try:
        until(lambda: box.outbox.with_tries(1)[0].state is OutboxState.DONE)
    finally:
        worker.stop()
        box.close()
    assert len(refused) == 3
