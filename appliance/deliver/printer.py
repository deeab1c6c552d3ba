"""Deliveries of the kind ``printer``: a received fax on paper; the target is CUPS' name of the printer.

It goes as PDF: of a TIFF with several pages CUPS' filters print the first alone.  The delivery's number is in
the job's title, so that a later try, or a box that was killed, finds the job that it has already given to
CUPS, and waits for it instead of printing once more.  Done is what CUPS says is completed.
"""

from __future__ import annotations

import time
from typing import Any

from appliance.box import Box
from appliance.deliver import pdfs
from appliance.deliver.worker import DeliveryError
from appliance.spool.model import Delivery, NotFoundError, Received

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
        try:
            fax = self._box.inbox.get(delivery.fax_id or 0)
        except NotFoundError:
            raise DeliveryError("The fax is no longer in the box.", final=True) from None
        title = f"fax {fax.id} {fax.uuid}, delivery {delivery.id}"
        job = _find(connection, title)
        if job is None:
            job = self._hand_over(connection, printer, fax, title)
        end = time.monotonic() + TRY_S
        while time.monotonic() < end:
            found = connection.getJobAttributes(job, requested_attributes=_ATTRIBUTES)
            state = found["job-state"]
            if state == _COMPLETED:
                return f"{printer}, job {job}"
            if state in _NOT_PRINTED:
                said = found.get("job-printer-state-message") or _NOT_PRINTED[state]
                raise DeliveryError(f"{printer} did not print the fax: {said}.")
            time.sleep(LOOK_EVERY_S)
        raise DeliveryError(f"The fax waits for {printer}: {_words(connection, printer)}.")

    def _hand_over(self, connection: Any, printer: str, fax: Received, title: str) -> int:
        with self._box.documents.passing_folder() as folder:
            pdf = folder / "fax.pdf"
            pdfs.write_received(self._box, fax, pdf)
            # fit-to-page: what CUPS before 2.3 called print-scaling=fit.
            options = {"print-scaling": "fit", "fit-to-page": "true"}
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
