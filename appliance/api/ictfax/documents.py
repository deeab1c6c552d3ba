"""Documents and their files."""

from __future__ import annotations

import bottle

from appliance import at_rest
from appliance.api import intake, request
from appliance.api.auth import Caller
from appliance.api.causes import MEDIA_TYPE_UNSUPPORTED, NOT_FOUND, REQUEST_LENGTH_MISSING
from appliance.api.foreign import PDF, ForeignAnswer, ForeignDoor, file_answer, received_pdf
from appliance.api.foreign_fields import LINE_LIMIT, text
from appliance.api.ictfax.media import document_pdf
from appliance.api.ictfax.objects import RECEIVED_DOCUMENTS, document_object, received_document
from appliance.api.ictfax.people import asked
from appliance.api.ictfax.words import LIST_LIMIT, TEXT_LIMIT
from appliance.api.intake import StoredUpload
from appliance.api.problems import ProblemError
from appliance.documents.causes import DOCUMENT_MISLABELLED
from appliance.documents.kinds import Kind
from appliance.documents.sniff import sniff
from appliance.services.causes import TOO_MANY_FILES
from appliance.settings.accounts import Scope
from appliance.spool.model import Document

# Allowed media types, and the kind that the file must then be; None: any kind.  application/octet-stream is
# curl's default in forms; the two with x- are that system's own.
MEDIA_TYPES: dict[str, Kind | None] = {
    "application/pdf": Kind.PDF,
    "application/x-pdf": Kind.PDF,
    "image/tiff": Kind.TIFF,
    "image/x-tiff": Kind.TIFF,
    "image/png": Kind.PNG,
    "image/jpeg": Kind.JPEG,
    "image/jpg": Kind.JPEG,
    "image/x-citrix-jpeg": Kind.JPEG,
    "text/plain": None,
    "application/octet-stream": None,
    request.FORM_TYPE: None,
    "": None,
}


class DocumentCalls:
    """Handlers of the door; each gets the caller."""

    def __init__(self, door: ForeignDoor) -> None:
        self._door = door

    def create(self, caller: Caller) -> ForeignAnswer:
        """Makes a document without a file; answers its id."""
        fields = asked(self._door)
        document = self._door.box.documents.create(
            caller.owner,
            (),
            name=text(fields, "name", LINE_LIMIT),
            description=text(fields, "description", TEXT_LIMIT),
        )
        self._door.audit(caller, "document.create", f"document:{document.id}")
        return ForeignAnswer(document.id)

    def documents(self, caller: Caller) -> ForeignAnswer:
        """The caller's own documents, newest first."""
        found = self._door.box.documents.search(caller.owner, limit=LIST_LIMIT)
        return ForeignAnswer([document_object(document) for document in found])

    def read(self, caller: Caller, document_id: int) -> ForeignAnswer:
        """Answers a document, or the document of a received fax."""
        if document_id > RECEIVED_DOCUMENTS:
            caller.require(Scope.RECEIVE)
            fax = self._door.box.inbox.get(document_id - RECEIVED_DOCUMENTS, caller.sees)
            return ForeignAnswer(received_document(fax))
        caller.require(Scope.SEND)
        return ForeignAnswer(document_object(self._door.box.documents.get(document_id, caller.sees)))

    def change(self, caller: Caller, document_id: int) -> ForeignAnswer:
        """Changes a document's name or description; answers it."""
        document = self._door.box.documents.get(document_id, caller.sees)
        fields = asked(self._door)
        name = text(fields, "name", LINE_LIMIT) if "name" in fields else document.name
        description = document.description
        if "description" in fields:
            description = text(fields, "description", TEXT_LIMIT)
        changed = self._door.box.documents.describe(document_id, name=name, description=description)
        return ForeignAnswer(document_object(changed))

    def remove(self, caller: Caller, document_id: int) -> ForeignAnswer:
        """Deletes a document."""
        self._door.box.documents.delete(document_id, caller.sees)
        self._door.audit(caller, "document.delete", f"document:{document_id}")
        return ForeignAnswer(True)

    def append(self, caller: Caller, document_id: int) -> ForeignAnswer:
        """POST: adds a file after the existing ones."""
        return self._upload(caller, document_id, append=True)

    def replace(self, caller: Caller, document_id: int) -> ForeignAnswer:
        """PUT: replaces the existing files."""
        return self._upload(caller, document_id, append=False)

    def _upload(self, caller: Caller, document_id: int, *, append: bool) -> ForeignAnswer:
        box, context = self._door.box, self._door.context
        document = box.documents.get(document_id, caller.sees)
        most = context.settings.files_per_fax
        if append and len(document.files) >= most:
            raise ProblemError(TOO_MANY_FILES, f"at most {most}")
        taken = self._take(document)
        with intake.discarded_on_error(context, taken):
            self._door.require_still(caller)
            box.documents.set_files(document_id, intake.sources(taken), append=append, owner=caller.sees)
        self._door.audit(caller, "document.change", f"document:{document_id}", "its files")
        return ForeignAnswer(document_id)

    def _take(self, document: Document) -> list[StoredUpload]:
        """Stores the files of the request: its whole content, or those of a form."""
        context, environ = self._door.context, bottle.request.environ
        kind = request.media_type(environ)
        if kind == intake.MULTIPART_TYPE:
            taken = [file for _, file in intake.read_multipart(context, environ).files]
            if not taken:
                raise ProblemError(REQUEST_LENGTH_MISSING, "no file uploaded")
            return taken
        if kind not in MEDIA_TYPES:
            raise ProblemError(MEDIA_TYPE_UNSUPPORTED, f"invalid file type {kind[:64]}")
        if request.declared_length(environ) == 0:
            raise ProblemError(REQUEST_LENGTH_MISSING, "no file uploaded")
        file = intake.store_content(context, environ, name=document.name or "document")
        with intake.discarded_on_error(context, [file]):
            self._require_kind(file, MEDIA_TYPES[kind], kind)
        return [file]

    def _require_kind(self, taken: StoredUpload, promised: Kind | None, said: str) -> None:
        if promised is None:
            return
        with at_rest.open_file(self._door.box.data / taken.file.path) as file:
            found = sniff(file.read(intake.HEAD_OCTETS))
        if found is not promised:
            raise ProblemError(DOCUMENT_MISLABELLED, f"{said} is said, it is {found.value}")

    def download(self, caller: Caller, document_id: int) -> ForeignAnswer:
        """The document as PDF; also that of a received fax."""
        box = self._door.box
        if document_id > RECEIVED_DOCUMENTS:
            caller.require(Scope.RECEIVE)
            fax = box.inbox.get(document_id - RECEIVED_DOCUMENTS, caller.sees)
            content = received_pdf(box, fax)
            self._door.audit(caller, "received.look", f"fax:{fax.id}", "PDF")
            box.inbox.mark_read(fax.id)
            return file_answer(content, PDF, f"fax-{fax.id}.pdf")
        caller.require(Scope.SEND)
        document = box.documents.get(document_id, caller.sees)
        if not document.files:
            raise ProblemError(NOT_FOUND, f"document {document_id} has no file")
        content = document_pdf(box, document)
        self._door.audit(caller, "document.look", f"document:{document_id}", "PDF")
        return file_answer(content, PDF, f"document-{document_id}.pdf")
