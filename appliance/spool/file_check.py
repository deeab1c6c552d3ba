"""Compares the index of the faxes with their files.  The box may run at the same time."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from appliance.spool import identity
from appliance.spool.folders import RECEIVED, SET_ASIDE

# A page's file is written before its row; a younger file may have no row yet, seconds.
ON_ITS_WAY_S = 600.0
# Received pages, and the documents of faxes that have not been deleted.
_NAMED = """SELECT path FROM received_page UNION
 SELECT json_extract(file.value, '$.path') FROM document, json_each(document.files) AS file
 WHERE document.deleted_at IS NULL"""


@dataclass(frozen=True, slots=True)
class Differences:
    """Paths in the data folder: ``lost`` are in the index, and no readable file is there; ``unknown`` are
    page files of received faxes that are not in the index."""

    lost: list[str]
    unknown: list[str]


def compare(data: Path, now: float) -> Differences:
    """Compares index and files.  ``now``: Unix time.  Raises sqlite3.Error without a usable index."""
    if not (data / identity.DATABASE_NAME).is_file():
        return Differences([], [])
    with identity.reading(data) as db:
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
    """Whether ``path`` is a readable file with content; pages are never empty."""
    try:
        state = path.lstat()
    except OSError:
        return False
    empty = not state.st_size and path.parent.name == RECEIVED
    return stat.S_ISREG(state.st_mode) and not empty and os.access(path, os.R_OK)
