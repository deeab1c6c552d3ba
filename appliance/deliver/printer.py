"""Deliveries of the kind ``printer``: paper; the target is the CUPS printer's name, empty for the default.

The payload says which: a received fax, or a report on one that was sent (``planner.REPORT``).

The file is a PDF: of a TIFF with several pages CUPS' filters print only the first.  The job's title contains
the delivery's number, so that a later try, also after a crash of the box, finds the job that CUPS already has
and waits for it instead of printing again.  The delivery is done when CUPS reports the job as completed.
A job that CUPS aborted, forgot (killed, it loses those of the last half minute), or somebody cancelled is
printed again; if its printing may have begun, sheets of it may be out, and the new ones say so.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from appliance.box import Box
from appliance.deliver import pdfs
from appliance.deliver import printer_words as words
from appliance.deliver.planner import REPORT
from appliance.deliver.settings import PaperSettings
from appliance.deliver.worker import DeliveryError
from appliance.spool.delivery import Delivery

# How long one try waits for the job, and how often it looks, seconds; the next try goes on waiting.
TRY_S = 60.0
LOOK_EVERY_S = 0.5
# Writes the PDF to a path; the second argument: whether sheets of an earlier print may be out.
_Write = Callable[[Path, bool], None]
_ATTRIBUTES = [
    *("job-id", "job-name", "job-state", "job-printer-state-message"),
    *("time-at-processing", "number-of-documents"),
]


class PrinterDeliverer:
    """Makes deliveries of the kind ``printer``: passes a job to CUPS and waits until it is completed."""

    def __init__(self, box: Box) -> None:
        self._box = box

    def __call__(self, delivery: Delivery) -> str:
        """One try; returns printer and job in words.  Raises DeliveryError with what keeps the printer."""
        try:
            import cups  # noqa: PLC0415 (a box without CUPS has no pycups)
        except ImportError:
            raise DeliveryError(words.NO_PYCUPS, final=True) from None
        try:
            return self._print(cups.Connection(), delivery)
        except cups.IPPError as error:
            if _unanswered(error):
                raise DeliveryError(words.NO_CUPS) from None
            raise DeliveryError(f"{words.REFUSED} {error.args[-1]}") from None
        except RuntimeError as error:
            raise DeliveryError(f"{words.NO_CUPS} {error}") from None

    def _print(self, connection: Any, delivery: Delivery) -> str:
        printer = delivery.target or connection.getDefault()
        if not printer:
            raise DeliveryError(words.NO_DEFAULT)
        if printer not in connection.getPrinters():
            raise DeliveryError(words.NO_SUCH_PRINTER)
        title, write = (
            self._report(delivery) if delivery.payload.get("why") == REPORT else self._fax(delivery)
        )
        if delivery.repeats:
            title += f", repeat {delivery.repeats}"
        given = _given(connection, title)
        job = max((number for number, each in given.items() if not _lost(each)), default=None)
        if job is not None and _empty(given[job]):  # CUPS would wait a quarter of an hour for its pages
            connection.cancelJob(job)
            job = None
        forgotten = delivery.handed_over > len(given)
        again = forgotten or any(_lost(each) and each.get("time-at-processing") for each in given.values())
        if job is None:
            job = self._hand_over(connection, printer, delivery, title, lambda path: write(path, again))
        end = time.monotonic() + TRY_S
        while time.monotonic() < end:
            found = _given(connection, title, first_job_id=job, limit=1).get(job)
            if found is None:
                raise DeliveryError(words.FORGOTTEN)
            if found["job-state"] == words.COMPLETED:
                return f"{'Printed again: ' if again else ''}{printer}, job {job}"
            if _lost(found):
                message = found.get("job-printer-state-message")
                raise DeliveryError(message or words.NOT_PRINTED[found["job-state"]])
            time.sleep(LOOK_EVERY_S)
        raise DeliveryError(_lacks(connection, printer))

    def _fax(self, delivery: Delivery) -> tuple[str, _Write]:
        """The title of a received fax's job, and what writes its PDF.  Raises DeliveryError."""
        from appliance.deliver.paper import PageHeading, write_for  # noqa: PLC0415 - only where something is drawn

        with pdfs.still_there():
            fax = self._box.inbox.get(delivery.fax_id or 0)
        settings = self._box.settings
        writer = write_for(settings, fax.owner)
        noted = settings.section(PaperSettings).note

        def write(path: Path, again: bool) -> None:
            pdfs.write_received(self._box, fax, path, PageHeading(writer, caller=noted, again=again))

        return f"fax {fax.id} {fax.uuid}, delivery {delivery.id}", write

    def _report(self, delivery: Delivery) -> tuple[str, _Write]:
        """The same for a report."""
        from appliance.deliver.paper import write_for, write_report  # noqa: PLC0415 - as above

        with pdfs.still_there():
            job = self._box.faxes.get(delivery.fax_id or 0)
        writer = write_for(self._box.settings, job.owner)
        page = pdfs.first_page_sent(self._box, job)
        return (
            f"report {job.id} {job.uuid}, delivery {delivery.id}",
            lambda path, again: write_report(path, job, page, writer, again=again),
        )

    def _hand_over(
        self, connection: Any, printer: str, delivery: Delivery, title: str, write: Callable[[Path], None]
    ) -> int:
        # The paper is left to the queue: CUPS' media-ready tells the country's usual size, not what is in the
        # tray.  fit-to-page: what CUPS before 2.3 called print-scaling=fit.
        options = {"print-scaling": "fit", "fit-to-page": "true"}
        options["sides"] = self._box.settings.section(PaperSettings).sides.value
        with pdfs.scratch(self._box) as folder:
            pdf = folder / "fax.pdf"
            write(pdf)
            # On disk before CUPS has it: what CUPS then forgets may be on paper.
            self._box.outbox.hand_over(delivery.id, delivery.handed_over + 1)
            try:
                return int(connection.printFile(printer, str(pdf), title, options))
            except RuntimeError as error:
                if not _unanswered(error):  # refused: nothing of it is on paper
                    self._box.outbox.hand_over(delivery.id, delivery.handed_over)
                raise


def _given(connection: Any, title: str, **which: int) -> dict[int, Mapping[str, Any]]:
    """All jobs of this title that CUPS remembers, by id: it may have given the number of one to another."""
    jobs = connection.getJobs(which_jobs="all", my_jobs=True, requested_attributes=_ATTRIBUTES, **which)
    return {int(number): job for number, job in jobs.items() if job.get("job-name") == title}


def _empty(job: Mapping[str, Any]) -> bool:
    """Whether the box was killed between making the job and sending its pages."""
    return job["job-state"] == words.HELD and not job["number-of-documents"]


def _unanswered(error: RuntimeError) -> bool:
    """Whether CUPS gave no answer: it may have the job all the same.

    pycups' IPPError has a status and a message, its other errors a message.
    """
    status = error.args[0] if isinstance(error.args[0], int) else None
    return status in words.NOT_THERE or error.args[-1] == words.GAVE_UP


def _lost(job: Mapping[str, Any]) -> bool:
    """Whether the job was cancelled or aborted."""
    return job["job-state"] in words.NOT_PRINTED


def _lacks(connection: Any, printer: str) -> str:
    """What keeps the printer from printing, as a sentence."""
    wanted = ["printer-state-reasons", "printer-state-message"]
    found = connection.getPrinterAttributes(printer, requested_attributes=wanted)
    return words.lacks(found.get("printer-state-reasons", []), str(found.get("printer-state-message") or ""))
