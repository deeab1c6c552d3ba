"""What the outbox's worker keeps apart between one delivery and the next."""

from __future__ import annotations

from pathlib import Path

from appliance.deliver.worker import OutboxWorker
from appliance.language import ENGLISH, speak, spoken
from appliance.spool.model import Delivery, NewDelivery
from tests.deliver.making import make_box, until


def test_a_delivery_in_german_does_not_leave_its_language_to_the_next(tmp_path: Path) -> None:
    box = make_box(tmp_path)
    heard: list[str] = []

    def deliver(_: Delivery) -> str:
        heard.append(spoken())
        speak("de")
        return ""

    worker = OutboxWorker(box, {"paper": deliver})
    worker.start()
    try:
        for number in (1, 2):  # one after the other: the same thread makes both
            box.outbox.put(NewDelivery("paper", "the printer", {}, (60.0,)))
            worker.wake()
            until(lambda expected=number: len(heard) == expected)
    finally:
        worker.stop()
        box.close()
    assert heard == [ENGLISH, ENGLISH]
