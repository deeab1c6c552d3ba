"""Collecting e-mails to fax from a mailbox (IMAP4rev1, RFC 3501; MOVE, RFC 6851).

Every e-mail in the folder is handled once: handed in, refused with an answer, or ignored; then it is moved
away or deleted.  One that was handed in but not moved, because the box died or the folder for handled
e-mails is full, is recognised by its Message-ID; without one by its place in the mailbox.  One that the
server keeps, or at which the last visit ended, is the last of the next: it must not keep the others waiting.
"""

from __future__ import annotations

import contextlib
import imaplib
import logging
import re
import ssl
import threading
import time
from collections import deque
from typing import Any

from appliance.box import Box
from appliance.causes import Cause
from appliance.deliver import causes
from appliance.deliver.email_out import ASKED_ID, ASKED_SUBJECT, REFUSAL
from appliance.deliver.mail_to_fax import Gateway, Refused
from appliance.deliver.planner import EMAIL
from appliance.deliver.settings import DeliverySettings, MailInSettings, MailOutSettings, Security
from appliance.deliver.smtp import MailError, tls_context
from appliance.durable import DiskFullError
from appliance.language import one_line
from appliance.net.watchdog import Watchdog
from appliance.settings.units import MB
from appliance.spool.delivery import NewDelivery
from appliance.spool.errors import SpoolClosedError, SpoolFailedError

_log = logging.getLogger(__name__)

# The longest wait for an answer of the server, seconds.
REPLY_S = 60.0
# E-mails handled in one visit, and the longest visit, seconds: as many of the largest that is accepted by
# default (30 MB) at 1 MB/s, with room.  The rest is left for the next visit.
VISIT_LIMIT = 50
VISIT_S = 1800.0
# How long a request for a visit waits for one under way, seconds.
TURN_S = 20.0
# Octets that an answer of the server may have besides an e-mail.
OVERHEAD_OCTETS = 4 << 20
# Refusals that are answered in an hour: to one address, and in all.  Anybody may write to the mailbox, in
# anybody's name.
ANSWERS_EACH = 3
ANSWERS_ALL = 30
HOUR_S = 3600.0
# Time within which a change of the settings is noticed, seconds.
LOOK_S = 1.0
STOP_S = 10.0
_SIZE = re.compile(rb"RFC822\.SIZE (\d{1,15})")
_KEPT = 300  # characters of a server's answer, or of a subject
_ID_KEPT = 900


class _StaysError(MailError):
    """The server does not hand over an e-mail, or does not let it be moved away."""


class _Client(imaplib.IMAP4):
    """imaplib's client with limits: ``most`` octets for an answer, the watchdog's time for everything."""

    def __init__(self, most: int, watchdog: Watchdog, *args: Any, **kwargs: Any) -> None:
        self._most = most
        self._left = most
        self._watchdog = watchdog
        super().__init__(*args, **kwargs)  # connects and reads the greeting

    def open(self, *args: Any, **kwargs: Any) -> None:
        super().open(*args, **kwargs)
        self._watchdog.watch(lambda: self.sock)

    def send(self, data: Any) -> None:
        self._left = self._most
        super().send(data)

    def read(self, size: int) -> bytes:
        self._take(size)
        return super().read(size)

    def readline(self) -> bytes:
        line = super().readline()
        self._take(len(line))
        return line

    def _take(self, octets: int) -> None:
        self._left -= octets
        if self._left < 0:
            raise self.abort(f"an answer of more than {self._most} octets")


class _TlsClient(_Client, imaplib.IMAP4_SSL):
    """The same, with TLS from the beginning."""


class Mailbox:
    """A service of the daemon that visits the mailbox regularly while the settings name one."""

    def __init__(self, box: Box, gateway: Gateway) -> None:
        self._box = box
        self._gateway = gateway
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="imap", daemon=True)
        self._visiting = threading.Lock()
        self._answered: deque[tuple[float, str]] = deque()
        # Places of e-mails whose refusal was answered and that could not be moved.
        self._told: set[str] = set()
        # Places of e-mails that were copied to the folder for handled ones, and could not be deleted.
        self._copied: set[str] = set()
        # Places of e-mails that were begun and not dealt with.
        self._unfinished: set[str] = set()
        self.problem = ""  # of the last visit, as a sentence; empty when it succeeded
        self.visited_at: float | None = None  # time of the last visit, Unix time

    def start(self) -> None:
        """Starts its thread, which collects e-mail once a mailbox is set up."""
        self._thread.start()

    def stop(self) -> None:
        """Ends its thread; waits ``STOP_S`` at most."""
        self._stopping.set()
        self._thread.join(STOP_S)

    def _run(self) -> None:
        visited = float("-inf")
        before: MailInSettings | None = None
        while not self._stopping.wait(LOOK_S):
            settings = self._box.settings.section(MailInSettings)
            waited = time.monotonic() - visited >= settings.imap_poll_s
            if not settings.imap_server or (settings == before and not waited):
                continue
            before = settings
            try:
                self.visit()
            except MailError:
                pass  # it is in ``problem``
            except SpoolClosedError:
                return
            except Exception:
                _log.exception("a visit to the mailbox met a fault of this box")
            visited = time.monotonic()

    def _note(self, problem: str) -> None:
        if problem and problem != self.problem:
            _log.error("e-mail to fax: %s", problem)
        self.problem = problem
        self.visited_at = self._box.clock()

    # -- one visit -----------------------------------------------------------------------------

    def visit(self) -> int:
        """Handles the e-mails in the folder; returns how many.  Raises MailError.

        Also used by the test button of the settings; one visit at a time.
        """
        settings = self._box.settings.section(MailInSettings)
        if not settings.imap_server:
            raise MailError(causes.MAILBOX_NOT_SET_UP)
        if not self._visiting.acquire(timeout=TURN_S):
            raise MailError(causes.MAIL_TIMED_OUT, "an earlier visit is still under way")
        try:
            dealt_with = self._visit(settings)
        except MailError as error:
            self._note(str(error))
            raise
        finally:
            self._visiting.release()
        self._note("")
        return dealt_with

    def _visit(self, settings: MailInSettings) -> int:
        watchdog = Watchdog(VISIT_S)
        try:
            with watchdog:
                return self._converse(settings, watchdog)
        except ssl.SSLCertVerificationError as error:
            raise MailError(causes.MAIL_UNTRUSTED, error.verify_message) from error
        except TimeoutError as error:
            raise MailError(causes.MAIL_TIMED_OUT, settings.imap_server) from error
        except (imaplib.IMAP4.error, OSError, ValueError) as error:
            if watchdog.expired:
                raise MailError(causes.MAIL_TIMED_OUT, settings.imap_server) from error
            raise MailError(causes.MAIL_UNREACHABLE, f"{settings.imap_server}: {error}"[:_KEPT]) from error

    def _converse(self, settings: MailInSettings, watchdog: Watchdog) -> int:
        client = _connect(settings, watchdog)
        try:
            return self._collect(client, settings)
        finally:
            with contextlib.suppress(imaplib.IMAP4.error, OSError):
                client.logout()
            with contextlib.suppress(OSError):
                client.shutdown()

    def _collect(self, client: imaplib.IMAP4, settings: MailInSettings) -> int:
        kind, data = client.select(_quoted(settings.imap_folder))
        if kind != "OK":
            raise MailError(causes.MAILBOX_UNUSABLE, _said(data))
        kind, data = client.uid("SEARCH", "UNDELETED")
        if kind != "OK":
            raise MailError(causes.MAILBOX_UNUSABLE, _said(data))
        # A UID is good as long as this number of the folder stays (RFC 3501 2.3.1.1).
        era = _said(client.response("UIDVALIDITY")[1])
        folder = f"{settings.imap_server} {settings.imap_username} {settings.imap_folder} {era}"
        found = {
            f"{folder} {uid.decode()}": uid.decode() for uid in (data[0] or b"").split() if uid.isdigit()
        }
        self._unfinished &= found.keys()
        self._told &= found.keys()
        self._copied &= found.keys()
        stays: _StaysError | None = None
        done = 0
        for place in sorted(found, key=self._unfinished.__contains__)[:VISIT_LIMIT]:
            if self._stopping.is_set():
                break
            self._unfinished.add(place)
            try:
                self._deal_with(client, found[place], settings, place)
            except (DiskFullError, SpoolFailedError) as error:
                _log.error("an e-mail stays in the mailbox: %s", error)
                break
            except _StaysError as error:
                stays = error
                continue
            except (SpoolClosedError, MailError, imaplib.IMAP4.error, OSError):
                raise
            except Exception:  # one e-mail must not block the others
                _log.exception("an e-mail stays in the mailbox for a fault of this box")
                continue
            self._unfinished.discard(place)
            done += 1
        if stays is not None:
            raise stays
        return done

    def _deal_with(self, client: imaplib.IMAP4, uid: str, settings: MailInSettings, place: str) -> None:
        source = f"imap {settings.imap_username} {uid}"
        limit = settings.message_mb * MB
        kind, data = client.uid("FETCH", uid, "(RFC822.SIZE)")
        sizes = [int(found[1]) for part in data if isinstance(part, bytes) and (found := _SIZE.search(part))]
        if kind == "OK" and not sizes:
            return  # another program removed it
        _require(kind, causes.MAILBOX_UNREADABLE, data)
        # Of one that is too large the headers suffice: they tell whom to answer.
        section = "BODY.PEEK[]" if sizes[0] <= limit else "BODY.PEEK[HEADER]"
        kind, data = client.uid("FETCH", uid, f"({section})")
        raw = next((part[1] for part in data if isinstance(part, tuple) and len(part) > 1), None)
        if kind == "OK" and raw is None:
            return
        if kind != "OK" or not raw:
            raise _StaysError(causes.MAILBOX_UNREADABLE, _said(data))
        if sizes[0] > limit:
            outcome: Any = self._gateway.too_large(raw, source=source, verified_by=settings.imap_verified_by)
        else:
            outcome = self._gateway.take(
                raw, source=source, verified_by=settings.imap_verified_by, place=place
            )
        if isinstance(outcome, Refused) and place not in self._told and self._may_answer(outcome.answer_to):
            waits = self._box.settings.section(DeliverySettings).waits(EMAIL)
            self._box.outbox.put(_answer(outcome, waits))
            self._told.add(place)
        self._move_away(client, uid, settings.imap_done, place)

    def _move_away(self, client: imaplib.IMAP4, uid: str, folder: str, place: str) -> None:
        """Moves an e-mail to ``folder``, which is made when missing; deletes it when ``folder`` is empty.

        Raises _StaysError.
        """
        if folder and place not in self._copied:
            target = _quoted(folder)
            # After a copy a lost connection would leave two e-mails.
            moves = "MOVE" in client.capabilities
            command = "MOVE" if moves else "COPY"
            kind, data = client.uid(command, uid, target)
            if kind != "OK":
                client.create(target)
                kind, data = client.uid(command, uid, target)
            _require(kind, causes.MAILBOX_NOT_EMPTIED, data)
            if moves:
                return
            self._copied.add(place)
        # Each is a right of its own (RFC 4314 4); the first is not needed.
        client.uid("STORE", uid, "+FLAGS", r"(\Seen)")
        kind, data = client.uid("STORE", uid, "+FLAGS", r"(\Deleted)")
        _require(kind, causes.MAILBOX_NOT_EMPTIED, data)
        if "UIDPLUS" in client.capabilities:  # RFC 4315: only this one
            client.uid("EXPUNGE", uid)
        else:
            client.expunge()

    def _may_answer(self, address: str) -> bool:
        if not address or not self._box.settings.section(MailOutSettings).server:
            return False
        now = time.monotonic()
        while self._answered and self._answered[0][0] < now - HOUR_S:
            self._answered.popleft()
        each = sum(1 for _, answered in self._answered if answered == address)
        if each >= ANSWERS_EACH or len(self._answered) >= ANSWERS_ALL:
            _log.warning("a refusal is not answered: too many within an hour")
            return False
        self._answered.append((now, address))
        return True


def _answer(refused: Refused, waits: tuple[float, ...]) -> NewDelivery:
    return NewDelivery(
        kind=EMAIL,
        target=refused.answer_to,
        timetable=waits,
        payload={
            "why": REFUSAL,
            "cause": refused.cause.code,
            "detail": refused.detail,
            ASKED_SUBJECT: refused.subject[:_KEPT],
            ASKED_ID: refused.message_id[:_ID_KEPT],
        },
    )


def _connect(settings: MailInSettings, watchdog: Watchdog) -> imaplib.IMAP4:
    """A signed-in connection, encrypted as the settings say.  Raises MailError, OSError, IMAP4.error."""
    context = tls_context(settings.imap_verify_tls)
    most = settings.message_mb * MB + OVERHEAD_OCTETS
    where = (settings.imap_server, settings.imap_port)
    client: imaplib.IMAP4
    if settings.imap_security is Security.TLS:
        client = _TlsClient(most, watchdog, *where, ssl_context=context, timeout=REPLY_S)
    else:
        client = _Client(most, watchdog, *where, timeout=REPLY_S)
    try:
        if settings.imap_security is Security.STARTTLS:
            if "STARTTLS" not in client.capabilities:
                raise MailError(causes.MAIL_NO_TLS)
            client.starttls(context)
        try:
            _sign_in(client, settings.imap_username, settings.imap_password)
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as error:
            raise MailError(causes.MAIL_WRONG_PASSWORD, str(error)[:_KEPT]) from error
        # Servers name most of what they can do only now; imaplib knows what they named before.
        kind, data = client.capability()
        if kind == "OK":
            client.capabilities = tuple(_said(data).upper().split())
    except BaseException:
        with contextlib.suppress(OSError):
            client.shutdown()
        raise
    return client


def _sign_in(client: imaplib.IMAP4, username: str, password: str) -> None:
    """AUTHENTICATE PLAIN (RFC 4616), which allows every character; LOGIN for servers without it."""
    if "AUTH=PLAIN" in client.capabilities:
        client.authenticate("PLAIN", lambda _: f"\0{username}\0{password}".encode())
        return
    if not (username + password).isprintable():
        raise MailError(causes.MAIL_WRONG_PASSWORD, "control characters in the user name or password")
    client.login(_quoted(username), password)


def _require(kind: str, cause: Cause, data: list[Any]) -> None:
    """Raises _StaysError with ``cause`` unless the server's answer to a command is OK."""
    if kind != "OK":
        raise _StaysError(cause, _said(data))


def _quoted(name: str) -> str:
    """A folder's name as a quoted string (RFC 3501 4.3)."""
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _said(data: list[Any]) -> str:
    words = [part.decode("utf-8", "replace") for part in data if isinstance(part, bytes)]
    return one_line(" ".join(words))[:_KEPT]
