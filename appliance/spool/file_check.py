"""Which files that the index names are not there as the box wrote them.  The box may run meanwhile."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from pathlib import Path

from appliance.spool.folders import RECEIVED
from appliance.spool.identity import DATABASE_NAME

# Pages that came in, and the documents of faxes that have not been deleted.
_NAMED = """SELECT path FROM received_page UNION
 SELECT json_extract(file.value, '$.path') FROM document, json_each(document.files) AS file
 WHERE document.deleted_at IS NULL"""


def lost(data: Path) -> list[str]:
    """The paths, in the data folder, of files that are gone, empty, not to be read, or no files.

    Raises sqlite3.Error where there is no index to ask.
    """
    path = data / DATABASE_NAME
    if not path.is_file():
        return []
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        named = [str(row[0]) for row in db.execute(_NAMED)]
    return [each for each in named if not _is_whole(data / each)]


def _is_whole(path: Path) -> bool:
    """A file that may be read; pages are never empty."""
    try:
        state = path.lstat()
    except OSError:
        return False
    empty = not state.st_size and path.parent.name == RECEIVED
    return stat.S_ISREG(state.st_mode) and not empty and os.access(path, os.R_OK)
