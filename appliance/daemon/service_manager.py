"""systemd's interface for services: state messages, inherited sockets, structured journal entries.

Sources: sd_notify(3), sd_listen_fds(3), https://systemd.io/JOURNAL_NATIVE_PROTOCOL.  Without systemd all of
them do nothing.
"""

from __future__ import annotations

import logging
import os
import socket
import struct
import sys
import traceback

_log = logging.getLogger(__name__)

FIRST_SOCKET = 3
JOURNAL_SOCKET = "/run/systemd/journal/socket"
# Longest field, octets: the kernel refuses much larger datagrams.
FIELD_OCTETS = 32 * 1024


def notify(state: str) -> None:
    """Sends systemd a state if it started this process: ``READY=1``, ``WATCHDOG=1``, ``STATUS=…``."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        try:
            sock.sendto(state.encode(), address)
        except OSError as error:
            _log.warning("systemd could not be told %r: %s", state, error)


def watchdog_s() -> float | None:
    """systemd's watchdog limit, seconds; None without one."""
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    return int(microseconds) / 1e6 if microseconds.isdecimal() and int(microseconds) else None


def inherited_sockets() -> list[socket.socket]:
    """The listening sockets that systemd opened for this process, in the order of its unit.

    A second call, and every child process, finds none.
    """
    meant_for, count = os.environ.pop("LISTEN_PID", ""), os.environ.pop("LISTEN_FDS", "")
    os.environ.pop("LISTEN_FDNAMES", None)
    if meant_for != str(os.getpid()) or not count.isdecimal():
        return []
    found = []
    for number in range(FIRST_SOCKET, FIRST_SOCKET + int(count)):
        os.set_inheritable(number, False)
        found.append(socket.socket(fileno=number))
    return found


class JournalHandler(logging.Handler):
    """Sends log records to the journal with message, priority, place in the code and logger."""

    # syslog(3), by the level of Python's logging.
    _PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))

    def __init__(self) -> None:
        super().__init__()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)

    def emit(self, record: logging.LogRecord) -> None:
        """Sends the record; it is lost when the journal does not listen."""
        try:
            self._socket.sendto(self._entry(record), JOURNAL_SOCKET)
        except OSError:
            self.handleError(record)

    def _entry(self, record: logging.LogRecord) -> bytes:
        message = record.getMessage()
        if record.exc_info:
            message += "\n" + "".join(traceback.format_exception(*record.exc_info)).rstrip()
        priority = next((word for level, word in self._PRIORITIES if record.levelno >= level), 7)
        fields = {
            "MESSAGE": message,
            "PRIORITY": str(priority),
            "SYSLOG_IDENTIFIER": "faxbox",
            "FAXBOX_PART": record.name,
            "CODE_FILE": record.pathname,
            "CODE_LINE": str(record.lineno),
            "CODE_FUNC": record.funcName or "",
        }
        return b"".join(_field(name, value) for name, value in fields.items())


def _field(name: str, value: str) -> bytes:
    """A field of an entry; a value with line breaks has its length before it."""
    octets = value.encode("utf-8", "replace")[:FIELD_OCTETS]
    if b"\n" not in octets:
        return name.encode() + b"=" + octets + b"\n"
    return name.encode() + b"\n" + struct.pack("<Q", len(octets)) + octets + b"\n"


def writes_to_journal() -> bool:
    """Whether standard error is connected to the journal (systemd.exec(5), JOURNAL_STREAM)."""
    try:
        device, _, inode = os.environ.get("JOURNAL_STREAM", "").partition(":")
        state = os.fstat(sys.stderr.fileno())
        return (int(device), int(inode)) == (state.st_dev, state.st_ino)
    except (OSError, ValueError):
        return False


def set_up_logging(level: int) -> None:
    """Makes log records of ``level`` and above go to the journal if there is one, else to standard error."""
    if writes_to_journal():
        logging.basicConfig(level=level, handlers=[JournalHandler()])
    else:
        logging.basicConfig(level=level, format="%(levelname)s %(name)s: %(message)s")
