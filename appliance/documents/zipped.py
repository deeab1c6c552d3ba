"""ZIP files from outside: looked at before anything in them is unpacked.  Pure."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager

from appliance.documents.causes import DOCUMENT_DAMAGED, DOCUMENT_MEMORY
from appliance.documents.errors import DocumentError, fault_of

# Octets of all entries together, unpacked; more would take all the memory.
MOST_UNPACKED = 150 << 20
# One octet of Deflate (RFC 1951) unpacks to at most 1032; and octets that any entry may unpack to.
_MOST_DEFLATED, _ALWAYS = 1032, 4096


@contextmanager
def unzipped(content: bytes) -> Iterator[zipfile.ZipFile]:
    """A ZIP file that unpacks to at most `MOST_UNPACKED`; its entries can be read within.

    Raises DocumentError: DOCUMENT_MEMORY, and DOCUMENT_DAMAGED for whatever is raised within by damage.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check(archive.infolist(), len(content))
            yield archive
    except (DocumentError, MemoryError):
        raise
    except Exception as error:  # the libraries raise anything on damaged files
        raise DocumentError(DOCUMENT_DAMAGED, fault_of(error)) from None


def read_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes | None:
    """The content of an entry, None when it is damaged."""
    try:
        return archive.read(entry)
    except MemoryError:
        raise
    except Exception:  # as above
        return None


def _check(entries: list[zipfile.ZipInfo], octets: int) -> None:
    if any(
        entry.compress_size > octets or entry.file_size > _MOST_DEFLATED * entry.compress_size + _ALWAYS
        for entry in entries
    ):
        raise DocumentError(DOCUMENT_DAMAGED, "a part claims more than can be packed so small")
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > MOST_UNPACKED:
        raise DocumentError(DOCUMENT_MEMORY, f"{unpacked >> 20} MiB when unpacked")
