"""The index of the faxes against their files: what either lacks.  The box may run meanwhile."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from dataclasses import dataclass
from pathlib import Path

from appliance.spool.folders import RECEIVED, SET_ASIDE
from appliance.spool.identity import DATABASE_NAME

# The file of a page is there before its row is; a younger one may be on its way.
ON_ITS_WAY_S = 600.0
# Pages that came in, and the documents of faxes that have not been deleted.
_NAMED = """SELECT path FROM received_page UNION
 SELECT json_extract(file.value, '$.path') FROM document, json_each(document.files) AS file
 WHERE document.deleted_at IS NULL"""


@dataclass(frozen=True, slots=True)
class Differences:
    """Paths in the data folder: ``lost`` is named by the index and not there as a file that may be read,
    ``unknown`` are pages of received faxes that the index does not name."""

    lost: list[str]
    unknown: list[str]


def compare(data: Path, now: float) -> Differences:
    """The index against the files.  Raises sqlite3.Error where there is no index to ask."""
    path = data / DATABASE_NAME
    if not path.is_file():
        return Differences([], [])
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        named = {str(row[0]) for row in db.execute(_NAMED)}
    homes = {RECEIVED: data / RECEIVED}
    for aside in sorted((data / SET_ASIDE).glob(f"*/{RECEIVED}")):
        homes[str(aside.relative_to(data))] = aside
    unknown = [
        f"{home}/{page.name}"
        for home, folder in homes.items()
        for page in sorted(folder.glob("*.tiff"))
        if f"{RECEIVED}/{page.name}" not in named and now > page.lstat().st_mtime + ON_ITS_WAY_S
    ]
    return Differences([each for each in sorted(named) if not _is_whole(data / each)], unknown)


def _is_whole(path: Path) -> bool:
    """A file that may be read; pages are never empty."""
    try:
        state = path.lstat()
    except OSError:
        return False
    empty = not state.st_size and path.parent.name == RECEIVED
    return stat.S_ISREG(state.st_mode) and not empty and os.access(path, os.R_OK)
