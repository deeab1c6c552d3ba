"""The box's own SMTP listener: devices and programs on the local network hand in e-mails to fax.

Whoever is not on the list of networks is turned away at once; it relays nothing.  ``250`` is said when
the fax is on disk, and a refusal says why in its own line, so that the sender's program can show it.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import threading
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from appliance.box import Box
from appliance.causes import EMAIL_DAMAGED, TOO_MANY_RECIPIENTS
from appliance.deliver.email_reading import ADDRESS
from appliance.deliver.mail_to_fax import Accepted, Gateway, Ignored, Refused
from appliance.deliver.settings import MailInSettings
from appliance.documents.email_parts import LINE_COUNT_LIMIT
from appliance.durable import DiskFullError
from appliance.spool.model import SpoolClosedError, SpoolFailedError

_log = logging.getLogger(__name__)

# Connections at once: each may hold an e-mail in memory.
CONNECTIONS = 4
# Between two commands, seconds (RFC 5321 4.5.3.2.7), and a whole connection.
SILENCE_S = 300.0
WHOLE_S = 600.0
# A line, octets.  RFC 5321 4.5.3.1.6 allows 1,000; a longer one is read to its end and then refused, but the
# library keeps all of it meanwhile.
LINE_OCTETS = 1 << 20
# How often a change of the settings is looked for, and a port that was taken is tried again, seconds.
LOOK_S = 2.0
STOP_S = 5.0
_MB = 1 << 20
_IDENT = "faxbox"


class _Handler:
    """aiosmtpd's hooks of one server."""

    def __init__(self, box: Box, gateway: Gateway) -> None:
        self._box = box
        self._gateway = gateway

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
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
        content = envelope.content or b""
        raw = content if isinstance(content, bytes) else content.encode("utf-8", "surrogateescape")
        if envelope.mail_from in (None, "", "<>"):
            return "550 5.7.1 Notices about e-mail are not faxed."  # RFC 5321 4.5.5: nobody to answer
        loop = asyncio.get_running_loop()
        source = f"smtp {session.peer[0] if session.peer else ''}"
        try:
            outcome = await loop.run_in_executor(
                None, lambda: self._gateway.take(raw, to=tuple(envelope.rcpt_tos), source=source)
            )
        except DiskFullError:
            return "452 4.3.1 The box's storage is full; try again later."
        except (SpoolClosedError, SpoolFailedError):
            return "451 4.3.0 The box cannot take it now; try again later."
        except Exception:
            _log.exception("an e-mail met a fault of this box")
            return "451 4.3.0 A fault of this box; its log says more."
        match outcome:
            case Accepted(made):
                return f"250 2.0.0 Accepted as fax {', '.join(str(job.id) for job in made)}"
            case Refused():
                return f"550 5.7.1 {_line(outcome.words)}"
            case Ignored(reason):
                return f"550 5.7.1 Not faxed: {_line(reason)}"


class _Peer(SMTP):
    """One connection: only from the networks on the list, not too many, not for ever."""

    def __init__(self, listener: Listener, handler: _Handler, settings: MailInSettings) -> None:
        super().__init__(
            handler,
            data_size_limit=settings.message_mb * _MB,
            hostname=_IDENT,
            ident=_IDENT,
            timeout=SILENCE_S,
            enable_SMTPUTF8=False,
            loop=asyncio.get_running_loop(),
        )
        self._listener = listener
        self._counted = False
        self._connection: Any = None
        self._end: asyncio.TimerHandle | None = None
        # Since the last answer: lines, for each of which the library keeps some 70 octets besides what is in
        # it, and octets of the last one.
        self._lines = 0
        self._line_octets = 0
        self._last = b""

    def connection_made(self, transport: Any) -> None:
        peer = transport.get_extra_info("peername")
        refusal = self._listener.refusal(str(peer[0]) if peer else "")
        if refusal:
            transport.write(f"{refusal}\r\n".encode())
            transport.close()
            return
        self._counted = True
        self._connection = transport
        self._listener.connections += 1
        self._end = asyncio.get_running_loop().call_later(WHOLE_S, transport.abort)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if not self._counted:
            return
        self._counted = False
        self._listener.connections -= 1
        if self._end is not None:
            self._end.cancel()
        super().connection_lost(error)

    def eof_received(self) -> bool | None:
        return super().eof_received() if self._counted else None

    async def push(self, status: Any) -> None:
        self._lines = self._line_octets = 0
        await super().push(status)

    def data_received(self, data: bytes) -> None:
        if not self._counted or self._connection.is_closing():
            return
        self._measure(data)
        if self._lines > LINE_COUNT_LIMIT or self._line_octets > LINE_OCTETS:
            _log.warning("an e-mail was cut off: too many lines, or a line without an end")
            refused = Refused(EMAIL_DAMAGED, "too many lines, or one without an end")
            self._connection.write(f"552 5.3.4 {_line(refused.words)}\r\n".encode())
            self._connection.close()
            return
        super().data_received(data)

    def _measure(self, data: bytes) -> None:
        seen = self._last + data  # a line's end may come in two pieces
        self._last = data[-1:]
        self._lines += data.count(b"\n")
        end = seen.rfind(b"\r\n")
        self._line_octets = self._line_octets + len(data) if end < 0 else len(seen) - end - 2


class Listener:
    """A service of the daemon: follows the settings, so that it comes and goes with them."""

    def __init__(self, box: Box, gateway: Gateway) -> None:
        self._box = box
        self._handler = _Handler(box, gateway)
        self._stopping = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="smtp-in", daemon=True)
        self.connections = 0
        self.address: tuple[str, int] | None = None  # where it listens, None while it does not

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends every connection; an e-mail that was being taken is finished or was not answered."""
        self._stopping.set()
        loop, wake = self._loop, self._wake
        if loop is not None and wake is not None:
            with contextlib.suppress(RuntimeError):  # it has ended by itself
                loop.call_soon_threadsafe(wake.set)
        self._thread.join(STOP_S + LOOK_S)

    def refusal(self, peer: str) -> str:
        """What a connection from ``peer`` is turned away with, empty for one that may come in."""
        networks = self._box.settings.section(MailInSettings).networks
        if not allowed(peer, networks):
            _log.warning("a connection from %s was turned away: not on the list of networks", peer)
            return "554 5.7.1 This address may not hand in e-mail."
        if self.connections >= CONNECTIONS:
            return "421 4.7.0 Too many connections; try again later."
        return ""

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception:
            _log.exception("the SMTP listener has ended")

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        server: asyncio.Server | None = None
        now: tuple[str, int, int] | None = None
        complained = ""
        while not self._stopping.is_set():
            settings = self._box.settings.section(MailInSettings)
            wanted = (
                (settings.listen_bind, settings.listen_port, settings.message_mb) if settings.listen else None
            )
            if wanted != now:
                await self._close(server)
                server, now = None, None
                if wanted is not None:
                    try:
                        server = await self._loop.create_server(
                            lambda: _Peer(self, self._handler, self._box.settings.section(MailInSettings)),
                            settings.listen_bind,
                            settings.listen_port,
                        )
                    except OSError as error:
                        if str(error) != complained:
                            complained = str(error)
                            _log.error("e-mail to fax cannot listen: %s", error)
                    else:
                        now, complained = wanted, ""
                        self.address = server.sockets[0].getsockname()[:2]
                        _log.info("e-mail to fax listens on %s port %d", *self.address)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), LOOK_S)
        await self._close(server)

    async def _close(self, server: asyncio.Server | None) -> None:
        self.address = None
        if server is not None:
            server.close()
            await server.wait_closed()


def allowed(peer: str, networks: tuple[str, ...]) -> bool:
    """Whether ``peer``'s address is in one of ``networks``."""
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in ipaddress.ip_network(network, strict=False) for network in networks)


def _line(text: str) -> str:
    """RFC 5321 4.5.3.1.5: a reply line has at most 512 octets."""
    return text.encode("ascii", "replace").decode()[:450]
