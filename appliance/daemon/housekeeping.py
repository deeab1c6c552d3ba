"""Deletes what has expired, in small batches, and watches the free space on the disk."""

from __future__ import annotations

import contextlib
import logging
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from appliance import at_rest, durable
from appliance.services.erasure import Erasure
from appliance.settings.accounts import User
from appliance.settings.store import SettingsStore
from appliance.spool import received as received_rows
from appliance.spool import retention, vault
from appliance.spool.errors import SpoolClosedError, SpoolFailedError
from appliance.spool.folders import DOCUMENTS, RECEIVED, RENDERED, SET_ASIDE, TRACES
from appliance.spool.job_states import RECEIVING_LIMIT_S
from appliance.spool.model import DAY_S, PACKETS, Room
from appliance.spool.room import RoomGuard
from appliance.spool.settings import StorageSettings
from appliance.spool.store import Spool

_log = logging.getLogger(__name__)

# Intervals of measuring the free space and of deleting expired files, seconds.
ROOM_EVERY_S = 30.0
AGE_EVERY_S = 3_600.0
# With little free space, documents of ended faxes are deleted after this many days in any case.
LOW_ROOM_DAYS = 1.0
# A file that no row names is left alone for this long after it was first seen, seconds, since its row may
# follow; its own time says nothing once the clock was set.  Then it is moved to ``SET_ASIDE`` and deleted
# only after weeks: an index that was restored from a copy lacks newer faxes.
ORPHAN_AGE_S = 3_600.0
SET_ASIDE_DAYS = 28.0
# Interval of copies of the index, seconds.
COPY_EVERY_S = DAY_S
# Clients repeat a request within minutes; two days also cover a restart after a night.
IDEMPOTENCY_DAYS = 2.0
# Lifetime of usage counters, days: a year's report and a month to read it.
USAGE_DAYS = 400.0


class Ages(Protocol):
    """The time that ages are counted from (``spool.age_clock``)."""

    def now(self) -> float:
        """Unix time that ages are counted from."""

    def latest(self) -> float:
        """Unix time that nothing on disk is later than."""


class Housekeeping:
    """A service of the daemon.  ``clock`` gives Unix time, ``ages`` the time that ages are counted from."""

    def __init__(
        self,
        spool: Spool,
        settings: SettingsStore,
        guard: RoomGuard,
        clock: Callable[[], float],
        erasure: Erasure,
        *,
        ages: Ages,
    ) -> None:
        self._ages = ages
        self._erasure = erasure
        self._spool = spool
        self._settings = settings
        self._guard = guard
        self._clock = clock
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="housekeeping", daemon=True)
        self._room = Room.PLENTY
        self._unnamed: dict[str, float] = {}  # file that no row names → monotonic time when first seen

    def start(self) -> None:
        """Starts its thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ends its thread; returns when that has ended."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        last = copied = float("-inf")
        self._spool.look_for_damage()
        while not self._stop.is_set():
            try:
                self._spool.put_folders_back()
                room = self.look_at_room()
                self.follow_encryption()
                if room is not Room.PLENTY or time.monotonic() - last >= AGE_EVERY_S:
                    self.delete_expired(room)
                    last = time.monotonic()
                if room is Room.PLENTY and time.monotonic() - copied >= COPY_EVERY_S:
                    self.keep_copy()
                    copied = time.monotonic()
            except SpoolClosedError:
                return
            except (OSError, sqlite3.Error, SpoolFailedError, durable.DiskFullError) as error:
                _log.error("keeping order failed: %s", error)
            except Exception:
                _log.exception("keeping order failed")
            self._stop.wait(ROOM_EVERY_S)

    def follow_encryption(self) -> None:
        """Begins or ends encryption as the settings say now."""
        data, storage = self._spool.data, self._settings.section(StorageSettings)
        if storage.encrypt == at_rest.locked(data):
            return
        try:
            vault.open_vault(data, storage)
        except vault.KeyLostError as error:
            _log.error("what is stored is not encrypted: %s", error)
            return
        self.encrypt_the_old()
        if storage.encrypt:
            self._spool.forget_past()

    def encrypt_the_old(self) -> None:
        """Encrypts what was stored before encryption was set."""
        if at_rest.locked(self._spool.data):
            self._spool.do(vault.seal_texts, self._spool.data)
            vault.seal_files(self._spool.data, overwrite=False)

    def keep_copy(self) -> None:
        """Copies the index, if it is not damaged."""
        if not self._spool.damage:
            self._spool.keep_copy(time.strftime("%Y-%m-%d", time.localtime(self._clock())))

    def look_at_room(self) -> Room:
        """Measures the free space; a change is an event."""
        storage = self._settings.section(StorageSettings)
        room = self._guard.room(storage.reserve_mb, storage.warn_mb)
        if room is not self._room:
            self._room = room
            data = {"room": room.value, "free_octets": self._guard.free()}
            _log.warning("room on the disk: %s", room.value)
            # Not stored in the index, since the disk may be full.
            self._spool.announce(self._clock(), "box.disk", None, "", data)
        return room

    def delete_expired(self, room: Room = Room.PLENTY) -> None:
        """Deletes expired rows and files; earlier than usual when ``room`` is not PLENTY."""
        storage = self._settings.section(StorageSettings)
        now = self._ages.now()
        documents_days, traces_days = storage.documents_days, storage.traces_days
        if room is not Room.PLENTY:
            documents_days = min(documents_days, LOW_ROOM_DAYS)
            traces_days = min(traces_days, LOW_ROOM_DAYS)
        users = self._settings.items(User).values()
        self._erasure.due({user.name: user.keep_days for user in users if user.keep_days}, now)
        before = now - documents_days * DAY_S
        self._files(lambda: self._spool.do(retention.drop_documents, before, now))
        self._files(lambda: self._spool.do(retention.drop_rendered, before, now))
        received = now - storage.received_days * DAY_S if storage.received_days else None
        self._files(lambda: self._spool.do(retention.drop_received, received, now))
        journal = now - storage.journal_days * DAY_S
        self._rows(lambda: self._spool.do(retention.drop_journal, journal, now))
        self._rows(lambda: self._spool.do(retention.drop_events, now - storage.events_days * DAY_S))
        self._rows(lambda: self._spool.do(retention.drop_idempotency_keys, now - IDEMPOTENCY_DAYS * DAY_S))
        moment = self._clock()
        self._spool.do(received_rows.recover, moment, begun_before=moment - RECEIVING_LIMIT_S)
        oldest = time.localtime(now - USAGE_DAYS * DAY_S)
        self._spool.do(retention.drop_usage, time.strftime("%Y-%m-%d", oldest))
        self.encrypt_the_old()
        self._old_traces(now - traces_days * DAY_S)
        self.sweep_orphans()
        self._drop_set_aside(now - SET_ASIDE_DAYS * DAY_S)

    def _files(self, forget: Callable[[], list[str]]) -> None:
        while not self._stop.is_set():
            paths = forget()
            for path in paths:
                _delete(self._spool.data / path)
            if len(paths) < retention.BATCH:
                return

    def _rows(self, forget: Callable[[], int]) -> None:
        while not self._stop.is_set() and forget():
            pass

    def _old_traces(self, before: float) -> None:
        for folder in (TRACES, PACKETS):
            for path in (self._spool.data / folder).glob("*"):
                if _older(path, before):
                    _delete(path)

    def sweep_orphans(self, age_s: float = ORPHAN_AGE_S) -> int:
        """Moves files aside that no row has named for ``age_s``, seconds; returns their number."""
        # Lists the files before the rows, so that a file of meanwhile has a row.
        present = {
            f"{folder}/{path.name}": path
            for folder in (DOCUMENTS, RENDERED, RECEIVED)
            for path in (self._spool.data / folder).iterdir()
        }
        unnamed = present.keys() - self._spool.read(retention.known_paths) if present else set()
        now = time.monotonic()
        self._unnamed = {name: self._unnamed.get(name, now) for name in unnamed}
        gone = [name for name, since in self._unnamed.items() if now - since >= age_s]
        for name in gone:
            with contextlib.suppress(FileNotFoundError):  # it was a temporary file
                self._set_aside(present[name])
        if gone:
            _log.warning("%d files that no fax names were set aside in %s", len(gone), SET_ASIDE)
        return len(gone)

    def _set_aside(self, path: Path) -> None:
        day = time.strftime("%Y-%m-%d", time.localtime(self._ages.latest()))
        folder = self._spool.data / SET_ASIDE / day / path.parent.name
        durable.make_folder(folder)
        path.rename(folder / path.name)

    def _drop_set_aside(self, before: float) -> None:
        """Deletes files that were moved aside before ``before`` (Unix time)."""
        oldest = time.strftime("%Y-%m-%d", time.localtime(before))
        for folder in (self._spool.data / SET_ASIDE).glob("*"):
            if folder.name < oldest:
                _delete(folder)


def _older(path: Path, before: float) -> bool:
    try:
        return path.stat().st_mtime < before
    except FileNotFoundError:
        return False  # it was a temporary file


def _delete(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
