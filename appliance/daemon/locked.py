"""Serves the page that takes the passphrase while the disk is locked, before the box starts."""

from __future__ import annotations

import logging
import signal
import socket
import ssl
import threading
from collections.abc import Sequence
from pathlib import Path

from appliance.daemon import service_manager
from appliance.disk_lock import owner
from appliance.net.settings import HttpSettings

_log = logging.getLogger(__name__)

# Interval of checking whether a USB stick or a command has opened the disk, and of notifying systemd's
# watchdog, seconds.
LOOK_EVERY_S = 1.0
HTTPS_PORT = 443


def wait_until_open(sockets: Sequence[socket.socket]) -> bool:
    """Serves the page on copies of ``sockets`` until the disk is open; returns False when the process must
    end.

    Raises LockFileError, OSError.
    """
    # Imported here, since an open box does not need the memory for them.
    from appliance.api import tls  # noqa: PLC0415
    from appliance.api.bare_server import BareServer  # noqa: PLC0415
    from webui.locked import make_locked  # noqa: PLC0415

    lock = owner.lock_of_the_disk()
    assert lock is not None  # it is locked
    stop, open_now = threading.Event(), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())

    def open_with(secret: bytes) -> None:
        owner.open_with(secret)
        open_now.set()

    context = certificate_in(owner.FOLDER / tls.FOLDER)
    servers = []
    for each in sockets:
        secure = context is not None and each.getsockname()[1] == HTTPS_PORT
        application = make_locked(lock.opened_by, open_with, None if context is None else HTTPS_PORT)
        servers.append(BareServer(application, each.dup(), context if secure else None))
    for server in servers:
        server.start()
    service_manager.notify("READY=1\nSTATUS=waits for the passphrase or the stick of its disk")
    try:
        while not stop.is_set() and owner.locked():
            service_manager.notify("WATCHDOG=1")
            open_now.wait(LOOK_EVERY_S)
    finally:
        for server in servers:
            server.stop()
    if stop.is_set():
        return False
    owner.OPENED.touch()
    return True


def certificate_in(folder: Path) -> ssl.SSLContext | None:
    """A TLS context for a server with the certificate in ``folder``, None without one that can be used."""
    from appliance.api import tls  # noqa: PLC0415 (as above)

    certificate = folder / tls.CERTIFICATE_FILE
    if not certificate.exists():
        return None
    try:
        return tls.load(HttpSettings(str(certificate), str(folder / tls.KEY_FILE)))
    except tls.TlsError as error:
        _log.error("the passphrase is asked for without encryption: %s", error)
        return None
