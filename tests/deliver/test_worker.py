"""What the outbox's worker keeps apart between one delivery and the next."""

from __future__ import annotations

from pathlib import Path

from appliance.deliver.settings import DeliverySettings
from appliance.deliver.worker import OutboxWorker
from appliance.language import ENGLISH, speak, spoken
from appliance.spool.delivery import Delivery, NewDelivery
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
