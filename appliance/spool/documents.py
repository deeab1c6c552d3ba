"""Stored source files: written durably by the calling thread, then named in the database.

Files are in ``documents/`` as ``UUID-N``, without subfolders; the client's names are data, never paths.
"""

from __future__ import annotations

import hashlib
import sqlite3
import uuid as uuids
from collections.abc import Iterable, Iterator
from dataclasses import replace

from appliance import at_rest
from appliance.records import from_row, from_rows, insert, to_row
from appliance.spool.errors import NotFoundError
from appliance.spool.folders import DOCUMENTS
from appliance.spool.model import FILES, Document, SourceFile
from appliance.spool.store import Spool
from appliance.spool.transaction import Tx


def store_file(
    spool: Spool,
    content: bytes | Iterable[bytes],
    *,
    name: str,
    media_type: str,
    pages: tuple[str, ...] = (),
    limit: int | None = None,
) -> SourceFile:
    """Writes one source file durably, in the calling thread.

    Until a document names it, it is an orphan that housekeeping removes.  Raises
    durable.TooLargeError past ``limit`` octets, durable.DiskFullError.
    """
    path = f"{DOCUMENTS}/{uuids.uuid4()}"
    digest = hashlib.sha256()

    def chunks() -> Iterator[bytes]:
        for chunk in (content,) if isinstance(content, bytes) else content:
            digest.update(chunk)
            yield chunk

    octets = at_rest.write_file(spool.data / path, chunks(), limit)
    return SourceFile(name, media_type, path, octets, pages, digest.hexdigest())


def discard_files(spool: Spool, files: Iterable[SourceFile]) -> None:
    """Deletes stored files that no document names."""
    for file in files:
        (spool.data / file.path).unlink(missing_ok=True)


def create(
    tx: Tx,
    owner: str,
    files: Iterable[SourceFile],
    now: float,
    *,
    name: str = "",
    description: str = "",
    listed: bool = False,
) -> Document:
    """Makes a document of stored files; ``listed`` ones are found by ``search``."""
    document = Document(
        id=0,
        uuid=str(uuids.uuid4()),
        owner=owner,
        name=name,
        description=description,
        created_at=now,
        files=tuple(files),
        listed=listed,
    )
    row = to_row(document)
    del row["id"]  # SQLite's own
    return replace(document, id=insert(tx.db, "document", row))


def set_files(tx: Tx, document_id: int, files: Iterable[SourceFile], *, append: bool) -> Document:
    """Adds files to a document or replaces them; files replaced are deleted by the next sweep.

    Faxes under way and those that may have arrived keep the files that they had: they send them, now or
    again.  Drafts, and those that failed, get the new ones.
    """
    document = get(tx.db, document_id)
    _leave_to_faxes(tx, document)
    new = (*document.files, *files) if append else tuple(files)
    tx.db.execute("UPDATE document SET files = ? WHERE id = ?", (FILES.write(new), document_id))
    return replace(document, files=new)


def no_longer_named(db: sqlite3.Connection, created_at: float, files: str) -> list[str]:
    """The paths of the ``files`` (JSON) of a document that is gone, without those that another one has.

    Documents share files only where one was split (``_leave_to_faxes``): these have the same moment.
    """
    rows = db.execute("SELECT files FROM document WHERE created_at = ? AND deleted_at IS NULL", (created_at,))
    named = {file.path for row in rows for file in FILES.read(row["files"])}
    return [file.path for file in FILES.read(files) if file.path not in named]


def _leave_to_faxes(tx: Tx, document: Document) -> None:
    """Gives a document of its own, with these files, to the submissions that sent it, or are about to."""
    handed_in = [
        row["id"]
        for row in tx.db.execute(
            "SELECT DISTINCT submission.id FROM submission JOIN job ON job.submission_id = submission.id"
            " WHERE submission.document_id = ? AND job.state NOT IN ('failed', 'cancelled')"
            " AND (job.state <> 'held' OR job.rendered_path <> '')",
            (document.id,),
        )
    ]
    if handed_in:
        kept = create(tx, document.owner, document.files, document.created_at, name=document.name)
        tx.db.executemany(
            "UPDATE submission SET document_id = ? WHERE id = ?", [(kept.id, each) for each in handed_in]
        )


def describe(tx: Tx, document_id: int, *, name: str, description: str) -> Document:
    """Changes name and description of a document.  Raises NotFoundError."""
    document = get(tx.db, document_id)
    tx.db.execute(
        "UPDATE document SET name = ?, description = ? WHERE id = ?", (name, description, document_id)
    )
    return replace(document, name=name, description=description)


def delete(tx: Tx, document_id: int, now: float) -> None:
    """Removes a document from the list, and from the box unless a fax still needs it.

    Its files are deleted by the next sweep.  Raises NotFoundError.
    """
    get(tx.db, document_id)
    needed = tx.db.execute(
        "SELECT 1 FROM submission JOIN job ON job.submission_id = submission.id"
        " WHERE submission.document_id = ? AND job.ended_at IS NULL LIMIT 1",
        (document_id,),
    ).fetchone()
    if needed is not None:
        tx.db.execute("UPDATE document SET listed = 0 WHERE id = ?", (document_id,))
    else:
        tx.db.execute("UPDATE document SET deleted_at = ?, files = '[]' WHERE id = ?", (now, document_id))


def get(db: sqlite3.Connection, document_id: int) -> Document:
    """Raises NotFoundError, also when its files were deleted."""
    row = db.execute("SELECT * FROM document WHERE id = ? AND deleted_at IS NULL", (document_id,)).fetchone()
    if row is None:
        raise NotFoundError(f"no document {document_id}")
    return from_row(Document, row)


def search(
    db: sqlite3.Connection, owner: str, *, before_id: int | None = None, limit: int = 50
) -> list[Document]:
    """The listed documents of ``owner``, newest first."""
    rows = db.execute(
        "SELECT * FROM document WHERE owner = ? AND listed = 1 AND deleted_at IS NULL AND id < ?"
        " ORDER BY id DESC LIMIT ?",
        (owner, before_id if before_id is not None else 1 << 62, limit),
    )
    return from_rows(Document, rows)
