"""``DurableStorage``: the file under TinyDB, replaced as a whole.

A file that somebody deletes while this process knows its content is written again: default settings would
allow what the owner forbade.
"""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Any

from tinydb.storages import Storage

from appliance import durable
from appliance.settings.files import FILE_TABLE, Catalogue, SettingsDamagedError, migrated

_log = logging.getLogger(__name__)


class DurableStorage(Storage):
    """TinyDB's storage: the file is replaced as a whole, durably; an unchanged one is not written."""

    def __init__(self, path: Path, catalogue: Catalogue) -> None:
        self._path = path
        self._catalogue = catalogue
        self._text: str | None = None  # of the file when it was last read or written
        self._good: str | None = None  # the last that was no damaged one
        self._stamp: tuple[int, int, int] | None = None
        self._held = False
        self._pending: str | None = None
        self.facts: dict[str, Any] = {}  # what FILE_TABLE says besides the version

    @property
    def to_be_written(self) -> bool:
        """Whether there is delayed content."""
        return self._pending is not None

    def hold(self) -> None:
        """Delays writes until ``flush``, so that several changes are written once."""
        self._held = True

    def flush(self) -> None:
        """Writes the delayed content, if it differs from the file."""
        pending, self._pending, self._held = self._pending, None, False
        if pending is None or (pending == self._text and self.stamp() == self._stamp):
            return
        self._replace_file(pending)
        self._text, self._stamp = pending, self.stamp()
        self._good = pending

    def drop(self) -> None:
        """Discards the delayed content."""
        self._pending, self._held = None, False

    def stamp(self) -> tuple[int, int, int] | None:
        """A value that changes whenever the file is replaced; None without a file."""
        try:
            state = os.stat(self._path)
        except FileNotFoundError:
            return None
        return state.st_ino, state.st_mtime_ns, state.st_size

    def read(self) -> dict[str, dict[str, Any]] | None:
        stamp = self.stamp()
        if self._pending is None and stamp is None:
            if self._good is None:
                return None
            self._put_back(self._good)
            stamp = self.stamp()
        if self._pending is None and (self._text is None or stamp != self._stamp):
            try:
                self._text = self._path.read_text(encoding="utf-8")
            except UnicodeDecodeError as error:
                raise self._damaged(str(error)) from error
            self._stamp = stamp
        text = self._pending if self._pending is not None else self._text
        assert text is not None
        try:
            data: dict[str, dict[str, Any]] = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise self._damaged(str(error)) from error
        if not _has_shape(data):
            raise self._damaged("it does not hold tables of documents")
        tables = migrated(data, self._catalogue, self._path)
        if self._pending is None:
            self._good = text
        return tables

    def _damaged(self, why: str) -> SettingsDamagedError:
        return SettingsDamagedError(
            f"{self._path} is damaged: {why}. Nothing was changed. Correct it or put it back from a backup;"
            " to go on without it, move it away."
        )

    def _replace_file(self, text: str) -> None:
        # A lone surrogate, which only an unknown key may hold, stays as JSON's escape.
        durable.write_file(self._path, text.encode(errors="backslashreplace"))

    def _put_back(self, text: str) -> None:
        try:
            self._replace_file(text)
        except (OSError, durable.DiskFullError) as error:
            raise SettingsDamagedError(
                f"{self._path} is gone and cannot be written again: {error}"
            ) from error
        _log.error("%s was deleted while the box runs, and is written again as it was", self._path)

    def write(self, data: dict[str, dict[str, Any]]) -> None:
        data = {**data, FILE_TABLE: {"1": {"version": self._catalogue.version, **self.facts}}}
        self._pending = json.dumps(data, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
        if not self._held:
            self.flush()


def _has_shape(data: Any) -> bool:
    """Whether these are tables of documents with numbers, as in TinyDB."""
    return isinstance(data, dict) and all(
        isinstance(table, dict)
        and all(key.isdecimal() and isinstance(document, dict) for key, document in table.items())
        for table in data.values()
    )
