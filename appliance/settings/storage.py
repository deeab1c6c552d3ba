"""``DurableStorage``: the file under TinyDB, replaced as a whole."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from tinydb.storages import Storage

from appliance import durable
from appliance.settings.files import FILE_TABLE, Catalogue, SettingsDamagedError, migrated


class DurableStorage(Storage):
    """TinyDB's storage: the file is replaced as a whole, durably; an unchanged one is not written."""

    def __init__(self, path: Path, catalogue: Catalogue) -> None:
        self._path = path
        self._catalogue = catalogue
        self._text: str | None = None
        self._stamp: tuple[int, int, int] | None = None
        self._held = False
        self._pending: str | None = None

    def hold(self) -> None:
        """Delays writes until ``flush``, so that several changes are written once."""
        self._held = True

    def flush(self) -> None:
        """Writes the delayed content, if it differs from the file."""
        pending, self._pending, self._held = self._pending, None, False
        if pending is None or (pending == self._text and self.stamp() == self._stamp):
            return
        # A lone surrogate, which only an unknown key may hold, stays as JSON's escape.
        durable.write_file(self._path, pending.encode(errors="backslashreplace"))
        self._text, self._stamp = pending, self.stamp()

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
            return None
        if self._pending is None and (self._text is None or stamp != self._stamp):
            try:
                self._text = self._path.read_text(encoding="utf-8")
            except UnicodeDecodeError as error:
                raise SettingsDamagedError(f"{self._path} is damaged: {error}") from error
            self._stamp = stamp
        text = self._pending if self._pending is not None else self._text
        assert text is not None
        try:
            data: dict[str, dict[str, Any]] = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise SettingsDamagedError(f"{self._path} is damaged: {error}") from error
        if not _has_shape(data):
            raise SettingsDamagedError(f"{self._path} is damaged: it does not hold tables of documents")
        return migrated(data, self._catalogue, self._path)

    def write(self, data: dict[str, dict[str, Any]]) -> None:
        data = {**data, FILE_TABLE: {"1": {"version": self._catalogue.version}}}
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
