"""``JobIntake``: receives the documents of a print job, and makes faxes of a complete one."""

from __future__ import annotations

import contextlib
import itertools
import logging
from collections.abc import Iterator
from dataclasses import replace

from appliance.api.foreign_fields import FARTHEST_S
from appliance.api.ipp.asked import RequestedFax, read_asked
from appliance.api.ipp.book import JobBook, NoFaxReason, OpenJob, PrintJob
from appliance.api.ipp.call import PrinterRequest
from appliance.api.ipp.compression import unpacked
from appliance.api.ipp.description import ANY_FORMAT, COMPRESSIONS, FORMATS
from appliance.api.ipp.printers import printer_at
from appliance.api.ipp.words import IppError, Status
from appliance.box import Box
from appliance.ipp.model import GroupTag
from appliance.language import said
from appliance.net.settings import ApiSettings
from appliance.printing.document_numbers import ExaminedDocument, examined, problem_with
from appliance.printing.folder import PRINT_ORIGIN, PROBLEM
from appliance.printing.options import MOST_DOCUMENTS, TITLE_LIMIT
from appliance.services.causes import NOT_PERMITTED
from appliance.services.faxes import Request
from appliance.services.rules import RefusedError, To
from appliance.settings.units import MB
from appliance.spool.options import SendOptions

_log = logging.getLogger(__name__)

_SUFFIXES = dict(zip(FORMATS, (".pdf", ".pwg", ".urf", ".jpg"), strict=True))


class JobIntake:
    """Receives the parts of print jobs."""

    def __init__(self, box: Box, book: JobBook) -> None:
        self._box = box
        self._book = book

    def asked(self, call: PrinterRequest) -> RequestedFax:
        """The fax that the request asks for.  Raises IppError for a mandatory attribute we cannot honour."""
        title = call.text("job-name")
        own = None if call.printer.to is None else [each.number for each in call.printer.to]
        asked = read_asked(call.message.group(GroupTag.JOB), title, own)
        if asked.at is not None and asked.at > self._box.clock() + FARTHEST_S:
            raise IppError(Status.BAD_REQUEST, said("at most a hundred years ahead"))
        fidelity = call.value("ipp-attribute-fidelity")
        if asked.unsupported and fidelity is not None and fidelity.content is True:
            sentence = said("Some of what was asked for is not possible.")
            raise IppError(Status.ATTRIBUTES, sentence, asked.unsupported)
        return asked

    def begin(self, call: PrinterRequest, asked: RequestedFax) -> PrintJob:
        """A new job, recorded on disk.  Raises RefusedError for lack of space or quota, TooManyOpenError."""
        client = call.client
        owner = client.owner()
        self._box.rules.require_room()
        self._box.rules.require_quota(owner)
        return self._book.begin(
            asked,
            printer=call.printer.path,
            owner=owner,
            person=client.person,
            computer=client.computer,
            name=(call.text("job-name") or call.text("document-name"))[:TITLE_LIMIT],
        )

    @contextlib.contextmanager
    def taken(self, job: PrintJob) -> Iterator[OpenJob]:
        """The open job, reserved for this request during the block.

        Raises IppError when it accepts nothing now.  It ends as refused when the block raises.
        """
        opened = self._book.take(job.id)
        if opened is None:
            if self._book.open_job(job.id) is not None:
                raise IppError(Status.BUSY, said("Another document of this job is coming in."))
            raise IppError(Status.NOT_POSSIBLE, said("This job takes no more documents."))
        try:
            yield opened
        except BaseException:
            self._book.give_back(job.id)
            self._book.end(job.id, NoFaxReason.REFUSED)
            raise

    def _format(self, call: PrinterRequest) -> str:
        """The document's format.  Raises IppError for an unsupported one."""
        value = call.value("document-format")
        given = value.text.lower() if value is not None else ANY_FORMAT
        if given not in (*FORMATS, ANY_FORMAT):
            sentence = said("The box takes PDF, PWG raster, URF and JPEG.")
            raise IppError(
                Status.FORMAT_NOT_SUPPORTED, sentence, {"document-format": (value,)} if value else None
            )
        return given

    def _compression(self, call: PrinterRequest) -> str:
        value = call.value("compression")
        given = value.text if value is not None else "none"
        if given not in COMPRESSIONS:
            sentence = said("The box does not know this compression.")
            raise IppError(Status.COMPRESSION, sentence, {"compression": (value,)} if value else None)
        return given

    def require_possible(self, call: PrinterRequest) -> None:
        """Raises IppError for a document that would not be accepted, RefusedError when a quota is used up."""
        self._format(call)
        self._compression(call)
        self._box.rules.require_quota(call.client.owner())

    def store(self, call: PrinterRequest, job: PrintJob, opened: OpenJob, *, required: bool = True) -> None:
        """Stores the request's document.  Raises IppError, TooLargeError, DiskFullError, ProblemError."""
        form, compression = self._format(call), self._compression(call)
        # Packed and unpacked alike: the limit of every interface.
        limit = self._box.settings.section(ApiSettings).request_mb * MB
        pieces = unpacked(call.document, compression, limit)
        first = next(pieces, b"")
        if not first:
            if required or (not opened.files and compression != "none"):
                raise IppError(Status.BAD_REQUEST, said("There is no document in the request."))
            return
        if len(opened.files) >= MOST_DOCUMENTS:
            raise IppError(Status.NOT_POSSIBLE, said("This job takes no more documents."))

        def whole() -> Iterator[bytes]:
            for piece in itertools.chain([first], pieces):
                opened.digest.update(piece)
                yield piece

        # The first document may name the number.
        with (
            contextlib.nullcontext(ExaminedDocument(whole()))
            if opened.files
            else examined(self._box, whole()) as looked
        ):
            file = self._box.documents.store_file(
                looked.pieces,
                name=(job.name or "document") + _SUFFIXES.get(form, ""),
                media_type=form,
                pages=opened.asked.pages,
                limit=limit,
            )
        if opened.asked.silent and not opened.files:
            opened.asked = replace(opened.asked, numbers=looked.numbers, problem=looked.problem)
        opened.files.append(file)
        # The password may have changed during a long upload.
        call.client.require_still()
        if call.client.owner() != job.owner:
            raise RefusedError(NOT_PERMITTED)

    def hand_in(self, job: PrintJob, opened: OpenJob) -> None:
        """Makes faxes of a complete job.  Raises RefusedError, IppError, DiskFullError."""
        if opened.cancelled:
            raise IppError(Status.JOB_CANCELED, said("The job was cancelled."))
        if not opened.files:
            raise IppError(Status.BAD_REQUEST, said("There is no document in the request."))
        asked = opened.asked
        opened.digest.update(asked.as_octets())
        problem = problem_with(self._box, asked.numbers) or asked.problem
        to = () if problem else self._recipients(job, asked)
        job = self._book.about_to_hand_in(job.id, opened.digest.hexdigest(), goes_by_itself=bool(to))
        metadata = {"print_title": job.name, "print_queue": job.printer}
        if problem:
            metadata[PROBLEM] = problem
        made = self._box.faxes.submit(
            Request(
                owner=job.owner,
                to=to,
                without_number=not to,
                hold=asked.hold and bool(to),
                scheduled_at=asked.at,
                files=tuple(opened.files),
                origin=PRINT_ORIGIN,
                options=SendOptions(
                    cover=asked.cover,
                    quality=asked.quality,
                    max_tries=asked.max_tries,
                    retry_waits=asked.retry_waits,
                ),
                idempotency_key=job.key,
                idempotency_digest=job.uuid,
                from_user=job.person,
                from_computer=job.computer,
                metadata=metadata,
            )
        )
        self._book.close(job.id)
        ids = ", ".join(str(each.id) for each in made.jobs)
        _log.info("printed by %s on %s: fax %s", job.person or "?", job.computer, ids)

    def _recipients(self, job: PrintJob, asked: RequestedFax) -> tuple[To, ...]:
        printer = printer_at(self._box.settings, job.printer)
        known = {each.number: each for each in printer.to or ()} if printer is not None else {}
        return tuple(known.get(number) or To(number) for number in dict.fromkeys(asked.numbers))
