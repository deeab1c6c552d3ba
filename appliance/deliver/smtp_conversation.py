"""One conversation of the box's SMTP listener (RFC 5321): what it accepts, and its answers.

``listener`` loads this only when the owner has turned listening on: other boxes do without aiosmtpd.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Protocol

from aiosmtpd.smtp import SMTP, Envelope, Session

from appliance.box import Box
from appliance.deliver.causes import EMAIL_TOO_LARGE
from appliance.deliver.email_reading import ADDRESS
from appliance.deliver.mail_to_fax import AcceptedEmail, Gateway, Ignored, Refused, most_mb
from appliance.deliver.settings import MailInSettings
from appliance.documents.causes import EMAIL_DAMAGED
from appliance.documents.mail.parsing import LINE_COUNT_LIMIT
from appliance.durable import DiskFullError
from appliance.services.causes import TOO_MANY_RECIPIENTS
from appliance.settings.units import MB
from appliance.spool.errors import SpoolClosedError, SpoolFailedError

_log = logging.getLogger(__name__)

# The longest silence between two commands (RFC 5321 4.5.3.2.7), and the longest connection, seconds.
SILENCE_S = 300.0
WHOLE_S = 600.0
# Octets of a line.  RFC 5321 4.5.3.1.6 allows 1,000; a longer line is read to its end and then refused, and
# the library keeps all of it meanwhile.
LINE_OCTETS = 1 << 20
_IDENT = "faxbox"


class ConnectionRules(Protocol):
    """Decides which connections are accepted."""

    connections: int

    def refusal(self, peer: str) -> str:
        """The SMTP answer that turns away a connection from ``peer``, empty for one that may connect."""


class Handler:
    """aiosmtpd's hooks of one server: decide about recipients, and hand in e-mails."""

    def __init__(self, box: Box, gateway: Gateway) -> None:
        self._box = box
        self._gateway = gateway

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Answers RCPT TO: a number at the box's domain is a recipient (aiosmtpd's hook)."""
        settings = self._box.settings.section(MailInSettings)
        if not ADDRESS.fullmatch(address) or address.rpartition("@")[2].lower() != settings.domain.lower():
            return f"550 5.7.1 Only faxes: write to NUMBER@{settings.domain}"
        if len(envelope.rcpt_tos) >= settings.recipients:
            return f"452 4.5.3 {TOO_MANY_RECIPIENTS.sentence}"
        envelope.rcpt_tos.append(address.lower())
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Hands in the e-mail; answers what became of it (aiosmtpd's hook)."""
        content = envelope.content or b""
        raw = content if isinstance(content, bytes) else content.encode("utf-8", "surrogateescape")
        if envelope.mail_from in (None, "", "<>"):
            return "550 5.7.1 Notices about e-mail are not faxed."  # RFC 5321 4.5.5: no one to answer
        loop = asyncio.get_running_loop()
        try:
            outcome = await loop.run_in_executor(
                None, lambda: self._gateway.take(raw, to=tuple(envelope.rcpt_tos), source=_source(session))
            )
        except DiskFullError:
            return "452 4.3.1 The box's storage is full; try again later."
        except (SpoolClosedError, SpoolFailedError):
            return "451 4.3.0 The box cannot take it now; try again later."
        except Exception:
            _log.exception("an e-mail met a fault of this box")
            return "451 4.3.0 A fault of this box; its log says more."
        match outcome:
            case AcceptedEmail(made):
                return f"250 2.0.0 Accepted as fax {', '.join(str(job.id) for job in made)}"
            case Refused():
                return f"550 5.7.1 {_line(outcome.words)}"
            case Ignored(reason):
                return f"550 5.7.1 Not faxed: {_line(reason)}"

    async def turned_away(self, refused: Refused, session: Session | None) -> str:
        """Notes an e-mail that was refused unread; the answer."""
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(
                None, lambda: self._gateway.turned_away(refused, source=_source(session))
            )
        except (DiskFullError, SpoolClosedError, SpoolFailedError) as error:
            _log.warning("that an e-mail was refused is not noted: %s", error)
        return _permanently(refused)


def _source(session: Session | None) -> str:
    return f"smtp {session.peer[0] if session is not None and session.peer else ''}"


def _permanently(refused: Refused) -> str:
    return f"552 5.3.4 {_line(refused.words)}"


class Peer(SMTP):
    """One connection, limited by networks, number and time."""

    def __init__(self, door: ConnectionRules, handler: Handler, settings: MailInSettings) -> None:
        super().__init__(
            handler,
            data_size_limit=settings.message_mb * MB,
            hostname=_IDENT,
            ident=_IDENT,
            timeout=SILENCE_S,
            enable_SMTPUTF8=False,
            loop=asyncio.get_running_loop(),
        )
        self._door = door
        self._handler = handler
        # What the library refuses by itself, by how its answers begin.
        self._refusals = {
            "552 ": Refused(EMAIL_TOO_LARGE, most_mb(settings.message_mb)),
            "500 Line": Refused(EMAIL_DAMAGED, "a line of more than 998 characters"),  # RFC 5321 4.5.3.1.6
        }
        self._counted = False
        self._connection: Any = None
        self._end: asyncio.TimerHandle | None = None
        # Since the last answer: lines (the library keeps some 70 octets for each besides its text), and
        # octets of the last one.
        self._lines = 0
        self._line_octets = 0
        self._last = b""

    def connection_made(self, transport: Any) -> None:
        peer = transport.get_extra_info("peername")
        refusal = self._door.refusal(str(peer[0]) if peer else "")
        if refusal:
            transport.write(f"{refusal}\r\n".encode())
            transport.close()
            return
        self._counted = True
        self._connection = transport
        self._door.connections += 1
        self._end = asyncio.get_running_loop().call_later(WHOLE_S, transport.abort)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if not self._counted:
            return
        self._counted = False
        self._door.connections -= 1
        if self._end is not None:
            self._end.cancel()
        super().connection_lost(error)

    def eof_received(self) -> bool | None:
        return super().eof_received() if self._counted else None

    async def push(self, status: Any) -> None:
        self._lines = self._line_octets = 0
        for begin, refused in self._refusals.items():
            if isinstance(status, str) and status.startswith(begin):
                status = await self._handler.turned_away(refused, self.session)
        await super().push(status)

    def data_received(self, data: bytes) -> None:
        if not self._counted or self._connection.is_closing():
            return
        self._measure(data)
        if self._lines > LINE_COUNT_LIMIT or self._line_octets > LINE_OCTETS:
            _log.warning("an e-mail was cut off: too many lines, or a line without an end")
            refused = Refused(EMAIL_DAMAGED, "too many lines, or one without an end")
            self._connection.write(f"{_permanently(refused)}\r\n".encode())
            self._connection.close()
            return
        super().data_received(data)

    def _measure(self, data: bytes) -> None:
        seen = self._last + data  # a line's end may be split between two pieces
        self._last = data[-1:]
        self._lines += data.count(b"\n")
        end = seen.rfind(b"\r\n")
        self._line_octets = self._line_octets + len(data) if end < 0 else len(seen) - end - 2


def _line(text: str) -> str:
    """``text`` cut to fit a reply line of 512 octets (RFC 5321 4.5.3.1.5)."""
    return text.encode("ascii", "replace").decode()[:450]
