"""Sending one e-mail through the owner's mail server (RFC 5321, RFC 3207, RFC 8314).

Blocking, within limits.  Every failure is a row of the table of causes.
"""

from __future__ import annotations

import contextlib
import smtplib
import ssl
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING

from appliance.causes import Cause, CauseError
from appliance.deliver import causes
from appliance.deliver.settings import MailOutSettings, Security
from appliance.language import one_line
from appliance.net.watchdog import Watchdog

if TYPE_CHECKING:
    from appliance.deliver.email_writing import Outgoing

# The longest wait for an answer, seconds.  RFC 5321 4.5.3.2 allows up to 5 minutes for each; a server that is
# slower than this is tried again later.
REPLY_S = 60.0
# The longest conversation to the end of the e-mail, seconds.
WHOLE_S = 240.0
# The longest wait for the answer to a whole e-mail, seconds: one that the server has taken would be sent
# twice (RFC 5321 4.5.3.2.6).
TAKEN_S = 600.0
# Octets of one answer, which may have any number of lines (RFC 5321 4.2.1).
ANSWER_OCTETS = 64 * 1024
# Characters of a server's answer that are kept.
_WORDS = 300


class MailError(CauseError):
    """An e-mail was not accepted: ``cause``, and in ``detail`` what the server said."""


class _Answer:
    """The file that smtplib reads answers from; an answer that is too long raises OSError."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.left = 0

    def readline(self, size: int) -> bytes:
        line = self._file.readline(size)
        self.left -= len(line)
        if self.left < 0:
            raise OSError(f"an answer of more than {ANSWER_OCTETS} octets")
        return line

    def close(self) -> None:
        self._file.close()


class _Client(smtplib.SMTP):
    """smtplib's client with a limit on the size of an answer."""

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None:
            assert self.sock is not None
            self.file = _Answer(self.sock.makefile("rb"))
        self.file.left = ANSWER_OCTETS
        return super().getreply()


class _TlsClient(_Client, smtplib.SMTP_SSL):
    """The same, with TLS from the beginning."""


def tls_context(verify: bool) -> ssl.SSLContext:
    """The TLS context for a mail server; ``verify``: whether its certificate must be valid."""
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def send(
    message: Outgoing,
    to: str,
    settings: MailOutSettings,
    *,
    whole_s: float = WHOLE_S,
    reply_s: float = REPLY_S,
    taken_s: float = TAKEN_S,
) -> str:
    """Sends ``message`` to one address; returns what the server said.  Raises MailError."""
    if not settings.server or not settings.sender:
        raise MailError(causes.MAIL_NOT_SET_UP)
    if not to.isascii():  # would need RFC 6531, which few servers support
        raise MailError(causes.MAIL_RECIPIENT_REFUSED, "letters outside ASCII in an address")
    watchdog = Watchdog(whole_s)
    try:
        with watchdog, _session(settings, min(reply_s, whole_s), watchdog) as smtp:
            _hand_in(smtp, message, to, settings)
            watchdog.restart(taken_s)
            return _taken(smtp, taken_s)
    except MailError:
        if watchdog.expired:
            raise MailError(causes.MAIL_TIMED_OUT, settings.server) from None
        raise
    except ssl.SSLCertVerificationError as error:
        raise MailError(causes.MAIL_UNTRUSTED, error.verify_message) from error
    except (OSError, smtplib.SMTPException, ValueError) as error:
        # smtplib reports a server that does not answer as one that closed the connection.
        if watchdog.expired or isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
            raise MailError(causes.MAIL_TIMED_OUT, settings.server) from error
        raise MailError(causes.MAIL_UNREACHABLE, f"{settings.server}: {error}"[:_WORDS]) from error


@contextlib.contextmanager
def _session(settings: MailOutSettings, reply_s: float, watchdog: Watchdog) -> Iterator[smtplib.SMTP]:
    """A connection, encrypted as the settings say, not signed in.  Raises MailError, OSError."""
    context = tls_context(settings.verify_tls)
    if settings.security is Security.TLS:
        smtp: smtplib.SMTP = _TlsClient(timeout=reply_s, context=context)
    else:
        smtp = _Client(timeout=reply_s)
    # smtplib checks the certificate against the name given to its constructor, not the one it connects to.
    smtp._host = settings.server  # type: ignore[attr-defined]
    watchdog.watch(lambda: smtp.sock)
    try:
        code, words = smtp.connect(settings.server, settings.port)
        if code != 220:
            raise _refusal(code, words, causes.MAIL_NOT_SERVED)
        if settings.security is Security.STARTTLS:
            smtp.ehlo()
            if not smtp.has_extn("starttls"):
                raise MailError(causes.MAIL_NO_TLS)
            code, words = smtp.starttls(context=context)
            if code != 220:
                raise MailError(causes.MAIL_NO_TLS, _said(code, words))
        yield smtp
        with contextlib.suppress(smtplib.SMTPException, OSError):
            smtp.quit()
    finally:
        smtp.close()


def _hand_in(smtp: smtplib.SMTP, message: Outgoing, to: str, settings: MailOutSettings) -> None:
    """Says all up to the end of the e-mail.  Raises MailError, OSError, SMTPException."""
    if settings.username:
        try:
            smtp.login(settings.username, settings.password)
        except smtplib.SMTPAuthenticationError as error:
            raise _refusal(error.smtp_code, error.smtp_error, causes.MAIL_WRONG_PASSWORD) from error
        except smtplib.SMTPNotSupportedError as error:
            raise MailError(causes.MAIL_WRONG_PASSWORD, "the server lets nobody sign in so") from error
    else:
        smtp.ehlo_or_helo_if_needed()
    _step(*smtp.mail(settings.sender), causes.MAIL_SENDER_REFUSED)
    _step(*smtp.rcpt(to), causes.MAIL_RECIPIENT_REFUSED)
    code, words = smtp.docmd("DATA")
    if code != 354:
        raise _refusal(code, words, causes.MAIL_REFUSED)
    for piece in message.pieces():
        smtp.send(piece)
    smtp.send(b".\r\n")


def _taken(smtp: smtplib.SMTP, taken_s: float) -> str:
    """What the server says of the e-mail that it was given.  Raises MailError, OSError."""
    assert smtp.sock is not None
    smtp.sock.settimeout(taken_s)
    code, words = smtp.getreply()
    _step(code, words, causes.MAIL_REFUSED)
    return _said(code, words)


def _step(code: int, words: bytes, refused: Cause) -> None:
    """Goes on after 2xx.  Raises MailError."""
    if not 200 <= code < 300:
        raise _refusal(code, words, refused)


def _refusal(code: int, words: bytes | str, refused: Cause) -> MailError:
    """The error after an answer: temporary after 4xx (RFC 5321 4.2.1), ``refused`` after 5xx.

    What is neither is no answer of a mail server.
    """
    causes_by_class = {4: causes.MAIL_DEFERRED, 5: refused}
    return MailError(causes_by_class.get(code // 100, causes.MAIL_UNREACHABLE), _said(code, words))


def _said(code: int, words: bytes | str) -> str:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return one_line(f"{code} {text}")[:_WORDS] if code > 0 else "an answer that is not SMTP"
