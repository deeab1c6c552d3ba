"""The box's own process: what ``faxbox serve`` runs once the exchange is launched."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import errno
import gc
import signal
import socket
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from appliance import durable, limited
from appliance.box import Box
from appliance.configuration import open_box
from appliance.core import Core, MakeService
from appliance.daemon import service_manager
from appliance.daemon.arguments import EXIT_IN_USE, EXIT_UNUSABLE, EXIT_USAGE, SYSTEMD, complain
from appliance.daemon.locked import wait_until_open
from appliance.daemon.main import run
from appliance.disk_lock import owner as disk_lock
from appliance.disk_lock.lock_file import LockFileError
from appliance.exchange.launching import Launched
from appliance.exchange.remote import Exchange
from appliance.settings import secrets
from appliance.settings.fields import SettingError
from appliance.settings.files import SettingsDamagedError
from appliance.spool.causes import STORAGE_READ_ONLY
from appliance.spool.errors import SpoolDamagedError
from appliance.spool.identity import DATABASE_NAME, SpoolGoneError, repair_advice
from appliance.spool.retention import sweep_parts
from appliance.spool.schema import SchemaTooNewError
from appliance.spool.vault import KeyLostError

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
    try:
        box = open_box(data)
    except BlockingIOError:
        return complain(f"another faxbox is running on {data}", EXIT_IN_USE)
    except (
        OSError,
        SettingsDamagedError,
        SettingError,
        SchemaTooNewError,
        SpoolGoneError,
        KeyLostError,
    ) as error:
        if isinstance(error, OSError) and error.errno == errno.EROFS:
            return complain(f"{data}: {STORAGE_READ_ONLY.sentence} {STORAGE_READ_ONLY.advice}", EXIT_UNUSABLE)
        return complain(f"{data} cannot be used: {error}", EXIT_UNUSABLE)
    except (sqlite3.DatabaseError, SpoolDamagedError) as error:
        return _damaged(data, error)
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
    except SpoolDamagedError as error:
        return _damaged(data, error)
    finally:
        box.close()
    return 0


def _damaged(data: Path, error: Exception) -> int:
    return complain(f"{data / DATABASE_NAME} cannot be used: {error}. {repair_advice(data)}", EXIT_UNUSABLE)


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
