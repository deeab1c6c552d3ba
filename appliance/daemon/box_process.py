"""The box's own process: what ``faxbox serve`` runs once the exchange is launched."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import errno
import gc
import logging
import os
import signal
import socket
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

from appliance import durable, limited
from appliance.box import Box
from appliance.configuration import open_box
from appliance.core import Core, MakeService
from appliance.daemon import service_manager
from appliance.daemon.arguments import EXIT_IN_USE, EXIT_STORAGE, EXIT_UNUSABLE, EXIT_USAGE, SYSTEMD, complain
from appliance.daemon.locked import wait_until_open
from appliance.daemon.main import run
from appliance.disk_lock import owner as disk_lock
from appliance.disk_lock.lock_file import LockFileError
from appliance.exchange.launching import Launched
from appliance.exchange.remote import Exchange
from appliance.settings import secrets
from appliance.settings.fields import SettingError
from appliance.settings.files import SettingsDamagedError
from appliance.settings.units import MB
from appliance.spool import identity
from appliance.spool.causes import STORAGE_FAILED, STORAGE_FULL, STORAGE_READ_ONLY
from appliance.spool.connection import kind_of
from appliance.spool.errors import SpoolDamagedError, SpoolFailedError
from appliance.spool.identity import DATABASE_NAME, SpoolGoneError, repair_advice
from appliance.spool.retention import sweep_parts
from appliance.spool.schema import SchemaTooNewError
from appliance.spool.vault import KeyLostError

_OF_THE_DISK = durable.FULL_ERRNOS | {errno.EROFS, errno.EIO}
_log = logging.getLogger(__name__)

# The free space that a start needs, MB, and how often a start without it looks again, seconds.
START_MB = 1
ROOM_EVERY_S = 5.0
# mallopt(3).
_M_ARENA_MAX = -8


def serve(data: Path, http: str, level: int, launched: Launched) -> int:
    """Runs the box on ``data``, with this exchange, until SIGTERM or SIGINT; the exit code.

    ``http``: host and port to listen on, or SYSTEMD.  ``level``: what is logged, and all that is more urgent.
    """
    service_manager.set_up_logging(level)
    _share_memory()
    exchange = Exchange()
    exchange.take(launched)
    try:
        sockets = service_manager.inherited_sockets() if http == SYSTEMD else []
        if disk_lock.locked() and not wait_until_open(sockets):
            return 0
        return _serve_on(data, http, sockets, exchange)
    except LockFileError as error:
        return complain(f"the disk cannot be opened: {error}", EXIT_UNUSABLE)
    finally:
        exchange.abandon()


def _share_memory() -> None:
    """Makes glibc use one heap for all threads: its default of eight for each core rarely frees memory.

    Python's threads do not run in parallel anyway, and pages are made in other processes.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


def _serve_on(data: Path, http: str, sockets: Sequence[socket.socket], exchange: Exchange) -> int:
    # Imported once the disk is open: the page that asks for its passphrase does not need it.
    from appliance.api.server import ListenError, http_service, inherited_services  # noqa: PLC0415
    from webui.door import make_webui  # noqa: PLC0415

    try:
        doors = {"": make_webui}
        services = inherited_services(sockets, doors) if http == SYSTEMD else [http_service(http, doors)]
    except ValueError as error:
        return complain(f"--http: {error}", EXIT_USAGE)
    _wait_for_room(data)
    if strange := identity.not_usable(data):
        said = "belongs to another user, or its mode keeps this one out. Nothing was changed. Give it back:"
        return complain(f"{strange} {said} chown -R USER: {data}; chmod -R u+rwX {data}", EXIT_UNUSABLE)
    try:
        box = open_box(data)
    except BlockingIOError:
        return complain(f"another faxbox is running on {data}", EXIT_IN_USE)
    except durable.DiskFullError as error:
        return _refused_by_disk(data, error)
    except (
        OSError,
        SettingsDamagedError,
        SettingError,
        SchemaTooNewError,
        SpoolGoneError,
        KeyLostError,
    ) as error:
        if isinstance(error, OSError) and error.errno in _OF_THE_DISK:
            return _refused_by_disk(data, error)
        return complain(f"{data} cannot be used: {error}", EXIT_UNUSABLE)
    except (sqlite3.DatabaseError, SpoolFailedError) as error:
        return _index_failed(data, error)
    try:
        durable.make_private(data)
        sweep_parts(data)
        code = secrets.first_start(box.settings)
        if code is not None:
            print(f"First start.  One-time set-up code for the administrator: {code}", flush=True)
        elif code := secrets.present_setup_code(box.settings):
            print(f"One-time set-up code, not used yet: {code}", flush=True)
        asyncio.run(_serve(box, services, exchange))
    except ListenError as error:
        return complain(str(error), EXIT_UNUSABLE)
    except SpoolFailedError as error:
        return _index_failed(data, error)
    except durable.DiskFullError as error:
        return _refused_by_disk(data, error)
    finally:
        box.close()
    return 0


def _wait_for_room(data: Path) -> None:
    """Waits until the disk has room for a start, which writes to the index.

    A start that fails would be tried again, but systemd gives up after some.
    """
    told = False
    while data.is_dir() and not _has_room(data):
        if not told:
            _log.error(
                "%s: %s The box starts as soon as %d MB is free.", data, STORAGE_FULL.sentence, START_MB
            )
        told = True
        time.sleep(ROOM_EVERY_S)


def _has_room(data: Path) -> bool:
    state = os.statvfs(data)
    if state.f_flag & os.ST_RDONLY:
        return True  # waiting does not help
    files = not state.f_files or state.f_favail > 0  # some file systems have no limit of files, and report 0
    return files and state.f_bavail * state.f_frsize >= START_MB * MB


def _refused_by_disk(data: Path, error: Exception) -> int:
    """Says what the disk refused; the exit code, after which systemd tries again where that may help."""
    number = getattr(error, "errno", None)
    if isinstance(error, durable.ReadOnlyError) or number == errno.EROFS:
        return complain(f"{data}: {STORAGE_READ_ONLY.sentence} {STORAGE_READ_ONLY.advice}", EXIT_UNUSABLE)
    full = isinstance(error, durable.DiskFullError) or number in durable.FULL_ERRNOS
    cause = STORAGE_FULL if full else STORAGE_FAILED
    return complain(f"{data}: {cause.sentence} {cause.advice} ({error})", EXIT_STORAGE)


def _index_failed(data: Path, error: Exception) -> int:
    """Says why the index cannot be used; the exit code."""
    kind = kind_of(error, data)
    if kind is SpoolDamagedError:
        said = f"{data / DATABASE_NAME} cannot be used: {error}. {repair_advice(data)}"
        return complain(said, EXIT_UNUSABLE)
    return _refused_by_disk(data, kind(str(error)))


async def _serve(box: Box, services: Sequence[MakeService], exchange: Exchange) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await run(box, stop, services, started=_ready, exchange=exchange)


def _ready(core: Core) -> None:
    # What the start has freed; glibc would keep it.
    gc.collect()
    limited.give_memory_back()
    print("faxbox is ready.  Lines: " + ", ".join(report.name for report in core.box.lines()), flush=True)
