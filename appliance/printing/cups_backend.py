#!/usr/bin/python3 -IS
"""The CUPS backend ``faxbox``: writes a print job into the box's print folder, and ends.

``faxbox printing install`` copies this file to CUPS' backends, so it imports the standard library alone.
It needs no running box: an entry is written under a temporary name, synced and renamed; then a byte in a pipe
tells a running box, which reads it at once, any other at its next start (``appliance.printing.entries``
describes an entry).  The folder is the path of the device URI.

CUPS starts this for each job, so it imports little: http.client and typing would double its time.

CUPS calls it with job id, user, title, copies, options and perhaps a file (backend(7)); without arguments it
prints its description.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import struct
import sys
import time
from urllib.parse import unquote, urlsplit

TYPE_CHECKING = False  # as typing.TYPE_CHECKING, which is not imported
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import BinaryIO

DEFAULT_FOLDER = "/var/spool/faxbox/print"
PART_SUFFIX = ".part"  # of an entry that is being written
ENTRY_SUFFIX = ".print"
# The pipe through which a running box is told that there is an entry.
WAKE_NAME = "wake"
# Exit codes of backend(7).  1 is never used: a fax queue repeats such a job whatever its error policy says.
TAKEN, CANCEL, RETRY = 0, 5, 6
# Octets of one document; the box's own limit is lower.
LARGEST = 512 * 1024 * 1024
# Octets that are copied at once.
PIECE = 1 << 20
# The longest wait for cupsd's answer about a job, seconds; without it the job is handed over all the same.
ANSWER_S = 2.0
# Octets of that answer, and characters of each text that is handed over.
ANSWER_LIMIT = 1 << 18
TEXT_LIMIT = 16_384
# The job attributes that are asked for: destinations and origin.  RFC 8011 5.3, PWG 5100.15 7.2, CUPS.
WANTED = (
    "job-uuid",
    "number-of-documents",
    "document-count",
    "job-sheets",
    "job-originating-host-name",
    "job-originating-user-name",
    "destination-uris",
    "phone",
    "faxPrefix",
    "FaxNumber",
)
# Tags of RFC 8010: the delimiters used here (3.5.1), and the values (3.5.2).
_OPERATION, _JOB, _END, _LAST_DELIMITER = 0x01, 0x02, 0x03, 0x0F
_INTEGER, _KEYWORD, _URI, _CHARSET, _LANGUAGE, _NAME = 0x21, 0x44, 0x45, 0x47, 0x48, 0x42
_TEXTS = frozenset({0x41, 0x42, 0x44, 0x45, 0x4A})  # text, name, keyword, uri, memberAttrName
# The member of ``destination-uris`` that is read.  Others, such as digits to dial before the number, stay
# among the values, where they are no valid number: such a job waits for a person.
_MEMBER_READ = b"destination-uri"
_GET_JOB_ATTRIBUTES = 0x0009


def _attribute(tag: int, name: str, *values: str) -> bytes:
    made = b""
    for place, value in enumerate(values):
        written, text = name.encode() if place == 0 else b"", value.encode()
        made += struct.pack(">BH", tag, len(written)) + written + struct.pack(">H", len(text)) + text
    return made


def _question(job: str, user: str) -> bytes:
    return (
        struct.pack(">BBHIB", 2, 0, _GET_JOB_ATTRIBUTES, 1, _OPERATION)
        + _attribute(_CHARSET, "attributes-charset", "utf-8")
        + _attribute(_LANGUAGE, "attributes-natural-language", "en")
        + _attribute(_URI, "job-uri", f"ipp://localhost/jobs/{job}")
        + _attribute(_NAME, "requesting-user-name", user)
        + _attribute(_KEYWORD, "requested-attributes", *WANTED)
        + bytes([_END])
    )


def _values(answer: bytes) -> dict[str, list[str | int]]:
    """The job's attributes of an IPP answer: name to list of texts and numbers."""
    found: dict[str, list[str | int]] = {}
    place, group, name = 8, 0, ""  # after version, status and request id
    while place < len(answer):
        tag = answer[place]
        place += 1
        if tag == _END:
            break
        if tag <= _LAST_DELIMITER:
            group = tag
            continue
        (length,) = struct.unpack_from(">H", answer, place)
        if length:
            name = answer[place + 2 : place + 2 + length].decode("utf-8", "replace")
        place += 2 + length
        (length,) = struct.unpack_from(">H", answer, place)
        raw = answer[place + 2 : place + 2 + length]
        place += 2 + length
        if group != _JOB or name not in WANTED or raw == _MEMBER_READ:
            continue
        if tag == _INTEGER and len(raw) == 4:
            found.setdefault(name, []).append(struct.unpack(">i", raw)[0])
        elif tag in _TEXTS:
            found.setdefault(name, []).append(raw.decode("utf-8", "replace")[:TEXT_LIMIT])
    return found


def _connected(server: str) -> socket.socket:
    """A connection to cupsd, named by its socket's path or by host and port.  Raises OSError, ValueError."""
    if server.startswith("/"):
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(ANSWER_S)
        connection.connect(server)
        return connection
    parts = urlsplit(f"//{server.partition('/')[0]}")
    port = parts.port or int(os.environ.get("IPP_PORT", "631"))
    return socket.create_connection((parts.hostname or "localhost", port), ANSWER_S)


def ask_cups(job: str, user: str) -> dict[str, list[str | int]]:
    """The job's attributes as cupsd knows them; empty when it does not answer."""
    question = _question(job, user)
    # With HTTP/1.0 the answer ends with the connection.
    head = (
        "POST /jobs HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/ipp\r\n"
        f"Content-Length: {len(question)}\r\n\r\n"
    )
    answer, end = b"", time.monotonic() + ANSWER_S
    try:
        with _connected(os.environ.get("CUPS_SERVER", "/run/cups/cups.sock")) as connection:
            connection.sendall(head.encode() + question)
            while len(answer) < ANSWER_LIMIT and time.monotonic() < end:
                if not (piece := connection.recv(PIECE)):
                    break
                answer += piece
        status, _, rest = answer.partition(b"\r\n")
        return _values(rest.partition(b"\r\n\r\n")[2]) if b" 200 " in status else {}
    except (OSError, ValueError, struct.error):
        return {}


def _starter() -> str:
    """Identifies the run of cupsd that started us: after a restart it prints unfinished jobs again."""
    parent = os.getppid()
    try:
        with open(f"/proc/{parent}/stat", encoding="utf-8", errors="replace") as file:
            started = file.read().rpartition(")")[2].split()[19]  # proc(5): the 22nd field, starttime
    except (OSError, IndexError):
        started = "0"
    return f"{parent}-{started}"


def hand_over(folder: str, facts: Mapping[str, object], source: BinaryIO) -> int:
    """Writes an entry: one line of JSON, then the document.  Returns the document's octets.

    Raises OSError.
    """
    name = f"{time.time_ns():020d}-{facts['job']}-{os.getpid()}"
    part = os.path.join(folder, name + PART_SUFFIX)
    octets = 0
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o660)
    try:
        with open(descriptor, "wb") as file:
            os.fchmod(file.fileno(), 0o660)  # the box's group reads it; cupsd's umask would forbid that
            file.write(json.dumps(facts).encode() + b"\n")
            while piece := source.read(PIECE):
                octets += len(piece)
                if octets > LARGEST:
                    raise ValueError("the document is too large for a fax")
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        os.rename(part, os.path.join(folder, name + ENTRY_SUFFIX))
    except BaseException:
        if os.path.exists(part):  # it was not renamed
            os.unlink(part)
        raise
    _sync(folder)
    _wake(folder)
    return octets


def _wake(folder: str) -> None:
    """Tells a running box that there is an entry; the box also looks by itself."""
    try:
        pipe = os.open(os.path.join(folder, WAKE_NAME), os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError:
        return
    try:
        if stat.S_ISFIFO(os.fstat(pipe).st_mode):
            os.write(pipe, b"\n")
    except OSError:
        pass
    finally:
        os.close(pipe)


def _sync(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def guarded(work: Callable[[], int]) -> int:
    """Runs ``work`` in a child; returns its exit code, or RETRY when a signal ended it.

    cupsd takes a backend that was killed for a successful one.  The child outlives us and finishes.
    """
    child = os.fork()
    if not child:
        code = RETRY
        try:
            code = work()
        finally:
            sys.stderr.flush()
            os._exit(code)

    def hand_on(number: int, _frame: object) -> None:
        os.kill(child, number)

    signal.signal(signal.SIGTERM, hand_on)
    _, status = os.waitpid(child, 0)
    return RETRY if os.WIFSIGNALED(status) else os.waitstatus_to_exitcode(status)


def _cancelled(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def main(arguments: list[str], environment: Mapping[str, str]) -> int:
    """One run of the backend with CUPS' arguments and environment; returns the exit code."""
    if not arguments:
        print('direct faxbox:/ "faxbox" "Print to fax"')
        return TAKEN
    if len(arguments) not in (5, 6):
        print("ERROR: faxbox: job id, user, title, copies, options and perhaps a file", file=sys.stderr)
        return CANCEL
    starter = _starter()
    return guarded(lambda: _run(arguments, environment, starter))


def _run(arguments: list[str], environment: Mapping[str, str], starter: str) -> int:
    signal.signal(signal.SIGTERM, _cancelled)
    job, user, title, _copies, options = (text[:TEXT_LIMIT] for text in arguments[:5])
    folder = unquote(urlsplit(environment.get("DEVICE_URI", "")).path)
    folder = folder if len(folder) > 1 else DEFAULT_FOLDER
    facts = {
        "job": "".join(letter for letter in job if letter.isdigit())[:12],
        "user": user,
        "title": title,
        "options": options,
        "queue": environment.get("PRINTER", "")[:TEXT_LIMIT],
        # One run gets all files of a job in order: CUPS names the type of the first, a banner page if any.
        "banner": environment.get("CUPS_FILETYPE") == "job-sheet",
        "starter": starter,
        "cups": ask_cups(job, user),
        "at": time.time(),
    }
    try:
        if len(arguments) == 6:
            with open(arguments[5], "rb") as source:
                octets = hand_over(folder, facts, source)
        else:
            octets = hand_over(folder, facts, sys.stdin.buffer)
    except KeyboardInterrupt:
        return CANCEL
    except ValueError as error:
        print(f"ERROR: {error}", file=sys.stderr)
        return CANCEL
    except OSError as error:
        print(f"ERROR: The fax box's folder cannot be written: {error.strerror}", file=sys.stderr)
        return RETRY
    if not octets:
        print("ERROR: The document could not be converted, nothing is faxed", file=sys.stderr)
        return CANCEL
    print("INFO: The fax box has the document; without a number it waits on the box's pages", file=sys.stderr)
    return TAKEN


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
