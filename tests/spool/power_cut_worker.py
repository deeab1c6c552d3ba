"""Typical operations of a box; after each it prints what must survive a power cut.

Recorded by test_power_cut.
"""

from __future__ import annotations

import asyncio
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from appliance.box import Box
from appliance.causes import DELIVERED, RECEIVED
from appliance.configuration import open_box
from appliance.lines.causes import BUSY
from appliance.lines.practice.numbers import PRACTICE_NUMBERS
from appliance.services.faxes import Request
from appliance.services.rules import To
from appliance.settings import secrets
from appliance.spool import attempts, outbox, preparing
from appliance.spool.delivery import NewDelivery
from appliance.spool.incoming import IncomingFax
from appliance.spool.model import JobState
from appliance.spool.transaction import Tx
from appliance.station import StationSettings
from appliance.t4.page import Raster
from appliance.t30.parameters import CallResult, ReceivedPage

START = 1_700_000_000.0


def promise(line: str) -> None:
    os.write(1, f"{line}\n".encode())


def send(box: Box, number: str) -> int:
    file = box.documents.store_file(b"Hello " * 1000, name="x.txt", media_type="text/plain")
    (job,) = box.faxes.submit(Request("ada", (To(number),), (file,))).jobs
    promise(f"accepted {job.id}")
    box.spool.do(preparing.prepared, [job.id], "rendered/x", 2, START)
    return job.id


def begin(box: Box, job_id: int) -> int:
    return box.spool.do(attempts.begin, job_id, START, line="trunk", line_kind="t38", first_page=0).id


def deliver(tx: Tx, fax_id: int) -> int:
    return tx.deliver(NewDelivery("webhook", "http://example.net", {}, (300.0,), fax_id), START)


async def receive(box: Box) -> None:
    with ThreadPoolExecutor(1) as writers:
        fax = IncomingFax(
            box.spool, writers, box.clock, line="trunk", line_kind="t38", caller="+4940", dialled="200"
        )
        for number in range(2):
            raster = Raster(1728, 4, bytes([number + 1]) * (216 * 4))
            assert await fax.store(number, ReceivedPage(raster))
            promise(f"page {number}")
        await fax.finish(CallResult(RECEIVED, pages_received=2))
        promise("received")


def main() -> None:
    box = open_box(Path(sys.argv[1]), clock=lambda: START)
    box.set_practice_numbers(PRACTICE_NUMBERS)
    promise("started")
    secrets.first_start(box.settings)
    _, token = secrets.add_key(box.settings, "till")
    promise(f"key {token}")
    box.settings.change(StationSettings, {"name": "first"})
    promise("named first")

    delivered = send(box, "9990")
    attempt = begin(box, delivered)
    box.spool.do(attempts.confirm_pages, attempt, 1, START)
    promise(f"confirmed {delivered} 1")
    box.spool.do(attempts.last_page_out, attempt, START)
    promise(f"last {delivered}")
    box.spool.do(
        attempts.end, attempt, attempts.Outcome(DELIVERED, JobState.DELIVERED, pages_confirmed=2), START
    )
    promise(f"delivered {delivered}")

    busy = send(box, "9991")
    outcome = attempts.Outcome(BUSY, JobState.WAITING, next_try_at=START + 60)
    box.spool.do(attempts.end, begin(box, busy), outcome, START)
    promise(f"tried {busy}")

    asyncio.run(receive(box))
    box.settings.change(StationSettings, {"name": "second"})
    promise("named second")

    webhook = box.spool.do(deliver, delivered)
    promise(f"outbox {webhook}")
    box.spool.do(outbox.succeeded, webhook, START)
    promise(f"done {webhook}")

    cancelled = send(box, "9992")
    box.faxes.cancel(cancelled)
    promise(f"cancelled {cancelled}")
    hanging = send(box, "9993")
    box.spool.do(attempts.last_page_out, begin(box, hanging), START)
    promise(f"last {hanging}")
    box.close()
    promise("closed")


if __name__ == "__main__":
    main()
