"""``Documents``: uploaded files, and documents that are kept to be sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from appliance.language import one_line
from appliance.services.rules import Clock, Rules, require_owned
from appliance.spool import documents, ledger
from appliance.spool.model import Document, SourceFile
from appliance.spool.remembered import Program
from appliance.spool.retention import temporary_folder
from appliance.spool.store import Spool


@dataclass(frozen=True, slots=True)
class Documents:
    """Stores uploaded files and the documents that users keep to send later."""

    spool: Spool
    rules: Rules
    clock: Clock

    # -- files ---------------------------------------------------------------------------------

    def store_file(
        self,
        content: bytes | Iterable[bytes],
        *,
        name: str,
        media_type: str,
        pages: tuple[str, ...] = (),
        limit: int | None = None,
    ) -> SourceFile:
        """Stores one source file durably, to be named in a request or document.

        Raises DiskFullError, durable.TooLargeError past ``limit`` octets.
        """
        self.rules.require_room(limit or 0)
        return documents.store_file(
            self.spool, content, name=one_line(name), media_type=media_type, pages=pages, limit=limit
        )

    def discard_files(self, files: Iterable[SourceFile]) -> None:
        """Deletes stored files that no document names, because their request was refused."""
        documents.discard_files(self.spool, files)

    def temporary_folder(self) -> AbstractContextManager[Path]:
        """A new temporary folder, deleted at the end of the context."""
        return temporary_folder(self.spool.data)

    # -- documents -----------------------------------------------------------------------------

    def get(self, document_id: int, owner: str | None = None) -> Document:
        """Raises NotFoundError."""
        return require_owned(self.spool.read(documents.get, document_id), owner, "document")

    def search(self, owner: str, *, before_id: int | None = None, limit: int = 50) -> list[Document]:
        """Documents that were stored on their own, newest first."""
        return self.spool.read(documents.search, owner, before_id=before_id, limit=limit)

    def create(
        self, owner: str, files: Sequence[SourceFile], *, name: str = "", description: str = ""
    ) -> Document:
        """Stores a document to be sent later, perhaps several times."""
        self.rules.require_room()
        return self.spool.do(
            documents.create,
            owner,
            files,
            self.clock(),
            name=one_line(name),
            description=description,
            listed=True,
        )

    def set_files(
        self, document_id: int, files: Sequence[SourceFile], *, append: bool, owner: str | None = None
    ) -> Document:
        """Appends files to a stored document, or replaces its files."""
        self.get(document_id, owner)
        return self.spool.do(documents.set_files, document_id, files, append=append)

    def describe(self, document_id: int, *, name: str, description: str) -> Document:
        """Changes name and description of a document.  Raises NotFoundError."""
        return self.spool.do(documents.describe, document_id, name=one_line(name), description=description)

    def delete(self, document_id: int, owner: str | None = None) -> None:
        """Removes a document from the list, and from the box unless a fax still needs it."""
        self.get(document_id, owner)
        self.spool.do(documents.delete, document_id, self.clock())

    # -- programs (of the ICTFax style interface) ----------------------------------------------

    def create_program(self, owner: str, name: str, document_id: int) -> Program:
        """Stores a program: a document under a name, ready to be sent."""
        return self.spool.do(ledger.create_program, owner, one_line(name), document_id, self.clock())

    def program(self, program_id: int, owner: str | None = None) -> Program:
        """Raises NotFoundError."""
        return require_owned(self.spool.read(ledger.get_program, program_id), owner, "program")

    def programs(self, owner: str, limit: int) -> list[Program]:
        """Newest first."""
        return self.spool.read(ledger.programs, owner, limit)

    def change_program(self, program_id: int, name: str, document_id: int) -> Program:
        """Raises NotFoundError."""
        return self.spool.do(ledger.change_program, program_id, one_line(name), document_id)

    def delete_program(self, program_id: int, owner: str | None = None) -> None:
        """Raises NotFoundError.  Its document stays."""
        self.program(program_id, owner)
        self.spool.do(ledger.delete_program, program_id)
