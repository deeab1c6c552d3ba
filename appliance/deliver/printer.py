"""Deliveries of the kind ``printer``: paper; the target is CUPS' name of the printer, empty for its default.

A received fax, or a report on one that was sent (``planner.REPORT``).

It goes as PDF: of a TIFF with several pages CUPS' filters print the first alone.  The delivery's number is in
the job's title, so that a later try, or a box that was killed, finds the job that it has already given to
CUPS, and waits for it instead of printing once more.  Done is what CUPS says is completed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from appliance.box import Box
from appliance.deliver import pdfs
from appliance.deliver.planner import REPORT
from appliance.deliver.settings import PaperSettings
from appliance.deliver.worker import DeliveryError
from appliance.spool.model import Delivery, NotFoundError

# One try waits so long for the paper, seconds, and looks so often; the next try goes on waiting.
TRY_S = 60.0
LOOK_EVERY_S = 0.5
# RFC 8011 5.3.7: states of a job from which it does not come back.
_COMPLETED = 9
_NOT_PRINTED = {7: "somebody cancelled it there", 8: "CUPS tried several times and gave up"}
# RFC 8011 5.4.12: reasons that a person can do something about; -report, -warning or -error may follow.
_REASONS = {
    "media-empty": "it has no paper",
    "media-needed": "it has no paper",
    "media-jam": "paper is jammed",
    "door-open": "a door is open",
    "cover-open": "a cover is open",
    "toner-empty": "it has no toner",
    "marker-supply-empty": "it has no ink or toner",
    "offline": "it is switched off or not connected",
    "connecting-to-device": "it does not answer",
    "paused": "it is stopped",
}
_ATTRIBUTES = ["job-id", "job-name", "job-state", "job-printer-state-message"]


class PrinterDeliverer:
    def __init__(self, box: Box) -> None:
        self._box = box

    def __call__(self, delivery: Delivery) -> str:
        """One try.  Raises DeliveryError with what the printer lacks."""
        try:
            import cups  # noqa: PLC0415 (a box without CUPS has no pycups)
        except ImportError:
            raise DeliveryError("This box cannot print: pycups is not installed.", final=True) from None
        try:
            return self._print(cups.Connection(), delivery)
        except cups.IPPError as error:
            raise DeliveryError(f"CUPS refused the fax: {error.args[-1]}.") from None
        except RuntimeError as error:
            raise DeliveryError(f"CUPS does not answer: {error}.") from None

    def _print(self, connection: Any, delivery: Delivery) -> str:
        printer = delivery.target or connection.getDefault()
        if not printer:
            raise DeliveryError("CUPS has no default printer: name one.")
        if printer not in connection.getPrinters():
            raise DeliveryError(f"CUPS has no printer called {printer}.")
        title, write = (
            self._report(delivery) if delivery.payload.get("why") == REPORT else self._fax(delivery)
        )
        job = _find(connection, title)
        if job is None:
            job = self._hand_over(connection, printer, title, write)
        end = time.monotonic() + TRY_S
        while time.monotonic() < end:
            found = connection.getJobAttributes(job, requested_attributes=_ATTRIBUTES)
            state = found["job-state"]
            if state == _COMPLETED:
                return f"{printer}, job {job}"
            if state in _NOT_PRINTED:
                said = found.get("job-printer-state-message") or _NOT_PRINTED[state]
                raise DeliveryError(f"{printer} did not print it: {said}.")
            time.sleep(LOOK_EVERY_S)
        raise DeliveryError(f"It waits for {printer}: {_words(connection, printer)}.")

    def _fax(self, delivery: Delivery) -> tuple[str, Callable[[Path], None]]:
        """The title of a received fax's job, and what writes its PDF.  Raises DeliveryError."""
        from appliance.deliver.paper import write_for  # noqa: PLC0415 - only where something is drawn

        try:
            fax = self._box.inbox.get(delivery.fax_id or 0)
        except NotFoundError:
            raise DeliveryError("The fax is no longer in the box.", final=True) from None
        settings = self._box.settings
        note = write_for(settings, fax.owner) if settings.section(PaperSettings).note else None
        return (
            f"fax {fax.id} {fax.uuid}, delivery {delivery.id}",
            lambda path: pdfs.write_received(self._box, fax, path, note),
        )

    def _report(self, delivery: Delivery) -> tuple[str, Callable[[Path], None]]:
        """The same of a report."""
        from appliance.deliver.paper import write_for, write_report  # noqa: PLC0415 - as above

        try:
            job = self._box.faxes.get(delivery.fax_id or 0)
        except NotFoundError:
            raise DeliveryError("The fax is no longer in the box.", final=True) from None
        writer = write_for(self._box.settings, job.owner)
        page = pdfs.first_page_sent(self._box, job)
        return (
            f"report {job.id} {job.uuid}, delivery {delivery.id}",
            lambda path: write_report(path, job, page, writer),
        )

    def _hand_over(self, connection: Any, printer: str, title: str, write: Callable[[Path], None]) -> int:
        # The paper is the queue's own: CUPS' media-ready says what is usual in the country, not what is in
        # the tray.  fit-to-page: what CUPS before 2.3 called print-scaling=fit.
        options = {"print-scaling": "fit", "fit-to-page": "true"}
        options["sides"] = self._box.settings.section(PaperSettings).sides.value
        with self._box.documents.passing_folder() as folder:
            pdf = folder / "fax.pdf"
            write(pdf)
            return int(connection.printFile(printer, str(pdf), title, options))


def _find(connection: Any, title: str) -> int | None:
    """Our job of this title that is under way or done, None when it must be printed."""
    jobs = connection.getJobs(which_jobs="all", my_jobs=True, requested_attributes=_ATTRIBUTES)
    for number in sorted(jobs, reverse=True):
        if jobs[number].get("job-name") == title and jobs[number]["job-state"] not in _NOT_PRINTED:
            return int(number)
    return None


def _words(connection: Any, printer: str) -> str:
    """What keeps the printer."""
    wanted = ["printer-state-reasons", "printer-state-message"]
    found = connection.getPrinterAttributes(printer, requested_attributes=wanted)
    reasons = found.get("printer-state-reasons", [])
    said = [words for reason, words in _REASONS.items() if any(each.startswith(reason) for each in reasons)]
    return said[0] if said else str(found.get("printer-state-message") or "it has not finished yet")
