"""Everything together on the practice line: real documents, real T.38, a foreign fax machine."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.causes import RECEIVED
from appliance.configuration import open_box
from appliance.core import Core
from appliance.daemon.main import run
from appliance.lines.modem.settings import ClassOneModem
from appliance.lines.practice.settings import PracticeSettings
from appliance.lines.settings import LineSettings
from appliance.services.faxes import Request
from appliance.services.rules import To
from appliance.spool import jobs
from appliance.spool.filters import ReceivedFilter
from appliance.spool.model import Job, JobState, ReceivedState
from appliance.spool.options import Cover, SendOptions
from appliance.t4.tiff import FaxTiff

SPEED, SLOW = 8.0, 2.0


class Running:
    """A box that runs in a thread of its own."""

    def __init__(self, data: Path, speed: float = SPEED) -> None:
        self.box = open_box(data)
        self.box.settings.change(PracticeSettings, {"speed": speed, "wait_s": 0.5})
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()))
        self._thread.start()
        assert self._ready.wait(120)

    async def _main(self) -> None:
        self._stop = asyncio.Event()

        def started(core: Core) -> None:
            self.core = core
            self._ready.set()

        await run(self.box, self._stop, started=started)

    def close(self) -> None:
        self.core.loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self.box.close()

    def send(self, *numbers: str, text: str = "Hello", **more: object) -> list[Job]:
        file = self.box.documents.store_file(text.encode(), name="letter.txt", media_type="text/plain")
        to = tuple(To(number, f"Machine {number}") for number in numbers)
        return list(self.box.faxes.submit(Request("ada", to, (file,), **more)).jobs)  # type: ignore[arg-type]

    def wait(self, condition: Callable[[], bool]) -> None:
        with self.box.history.listen() as listener:
            while not condition():
                listener.get(0.5)

    def ended(self, *made: Job) -> list[Job]:
        self.wait(lambda: all(self.box.faxes.get(job.id).state.ended for job in made))
        return [self.box.faxes.get(job.id) for job in made]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    running = Running(tmp_path / "data")
    yield running
    running.close()


def arrived(running: Running, number: str) -> list[Path]:
    return sorted((running.box.data / "practice").glob(f"{number}-*.tif"))


def test_a_broadcast_ends_as_each_number_says(running: Running) -> None:
    good, busy, drops = running.ended(*running.send("9990", "9991", "9993", text="one\fI\ftwo\fII"))
    assert (good.state, good.pages_confirmed, good.tries) == (JobState.DELIVERED, 4, 1)
    assert (busy.state, busy.cause_code, busy.tries) == (JobState.FAILED, "busy", 6)
    assert (drops.state, drops.tries) == (JobState.DELIVERED, 2)
    first, second = running.box.faxes.attempts(drops.id)
    assert (first.pages_confirmed, second.first_page, second.pages_confirmed) == (1, 1, 3)
    with FaxTiff(arrived(running, "9990")[0]) as tiff:
        assert len(tiff) == 4
    assert good.rendered_path == drops.rendered_path


def test_each_recipient_gets_a_cover_page_of_its_own(running: Running) -> None:
    options = SendOptions(cover=Cover(subject="For you"))
    one, other = running.ended(*running.send("9990", "9995", options=options))
    assert one.rendered_path != other.rendered_path
    assert [job.pages for job in (one, other)] == [2, 2]
    assert {job.state for job in (one, other)} == {JobState.DELIVERED}


def test_one_document_handed_in_again_and_again_is_turned_into_pages_once(running: Running) -> None:
    made = [job for _ in range(3) for job in running.send("9990")]
    done = running.ended(*made)
    assert {job.state for job in done} == {JobState.DELIVERED}
    assert len({job.rendered_path for job in done}) <= 2  # the minute may have turned
    (other,) = running.ended(*running.send("9990", text="Another"))
    assert other.rendered_path not in {job.rendered_path for job in done}


def test_lines_follow_the_settings_while_the_box_runs(running: Running) -> None:
    def lines() -> list[str]:
        return [report.name for report in running.box.lines()]

    box = running.box
    assert lines() == ["practice"]
    modem = box.settings.add(ClassOneModem(name="modem", device="/dev/none"))
    running.wait(lambda: lines() == ["modem", "practice"])
    (job,) = running.send("9990", text="\f".join("page" for _ in range(4)))
    running.wait(lambda: box.faxes.get(job.id).pages_confirmed > 0)
    box.settings.change(PracticeSettings, {"calls_at_once": 9})
    box.settings.remove(LineSettings, modem)
    (job,) = running.ended(job)
    assert (job.state, job.tries) == (JobState.DELIVERED, 1)  # its line's call was let finish
    running.wait(lambda: [report.state.capacity for report in box.lines()] == [9])
    (job,) = running.ended(*running.send("9990"))
    assert job.state is JobState.DELIVERED


def test_a_damaged_document_fails_its_job_with_a_cause_about_the_document(running: Running) -> None:
    file = running.box.documents.store_file(b"%PDF-1.4 broken", name="x.pdf", media_type="application/pdf")
    made = running.box.faxes.submit(Request("ada", (To("9990"),), (file,))).jobs
    (job,) = running.ended(*made)
    assert job.state is JobState.FAILED
    assert job.cause is not None
    assert job.cause.code.startswith("document_")


def test_a_fax_under_way_can_be_cancelled(running: Running) -> None:
    # So long that none has been sent whole before it is cancelled, on a machine that is busy besides.
    (job,) = running.send("9990", text="\f".join("page" for _ in range(100)))
    running.wait(lambda: running.box.faxes.get(job.id).pages_confirmed > 0)
    running.box.faxes.cancel(job.id)
    (job,) = running.ended(job)
    assert (job.state, job.cause_code) == (JobState.CANCELLED, "cancelled")


def test_a_fax_comes_in_over_the_practice_line(running: Running) -> None:
    result = running.core.practice(caller="9990", dialled="200")
    assert result.cause is RECEIVED
    running.wait(lambda: running.box.inbox.search(ReceivedFilter())[0].ended_at is not None)
    (fax,) = running.box.inbox.search(ReceivedFilter())
    assert (fax.state, fax.pages, fax.dialled) == (ReceivedState.COMPLETE, 1, "200")
    (page,) = running.box.inbox.pages(fax.id)
    with FaxTiff(running.box.data / page.path) as tiff:
        assert (tiff.raster(0).width, tiff.raster(0).rows) == (page.width, page.rows)
        assert any(tiff.raster(0).data)


def test_a_box_stopped_in_a_call_delivers_after_its_next_start(tmp_path: Path) -> None:
    running = Running(tmp_path / "data", SLOW)  # the stop comes before the last page
    try:
        (job,) = running.send("9990", text="\f".join("page" for _ in range(12)))
        running.wait(lambda: running.box.faxes.get(job.id).pages_confirmed > 0)
    finally:
        running.close()
    running = Running(tmp_path / "data")
    try:
        assert running.box.spool.read(jobs.get, job.id).pages_confirmed > 0
        (job,) = running.ended(job)
        first, second = running.box.faxes.attempts(job.id)
        assert (first.cause_code, job.state) == ("interrupted", JobState.DELIVERED)
        assert second.first_page == first.pages_confirmed
    finally:
        running.close()
