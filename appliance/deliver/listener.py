"""The box's own SMTP listener: devices and programs on the local network send it e-mails to fax.

Connections from outside the listed networks are refused at once; nothing is relayed.  ``250`` is answered
once the fax is on disk; a refusal gives its reason in the answer, so that the sender's program can show it.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import threading

from appliance.box import Box
from appliance.deliver.mail_to_fax import Gateway
from appliance.deliver.settings import MailInSettings
from appliance.net.addresses import read_address

_log = logging.getLogger(__name__)

# The most connections at a time: each may hold an e-mail in memory.
CONNECTIONS = 4
# Time between two looks at the settings, and between two tries to bind a port that was in use, seconds.
LOOK_S = 2.0
STOP_S = 5.0


class SmtpListener:
    """A service of the daemon that starts and stops listening as the settings say."""

    def __init__(self, box: Box, gateway: Gateway) -> None:
        self._box = box
        self._gateway = gateway
        self._stopping = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="smtp-in", daemon=True)
        self.connections = 0
        self.address: tuple[str, int] | None = None  # where it listens, None while it does not

    def start(self) -> None:
        """Starts its thread, which opens the port once it is set up."""
        self._thread.start()

    def stop(self) -> None:
        """Ends every connection; an e-mail under way is either accepted in full or not answered."""
        self._stopping.set()
        loop, wake = self._loop, self._wake
        if loop is not None and wake is not None:
            with contextlib.suppress(RuntimeError):  # it has ended already
                loop.call_soon_threadsafe(wake.set)
        self._thread.join(STOP_S + LOOK_S)

    def refusal(self, peer: str) -> str:
        """The SMTP answer that turns away a connection from ``peer``, empty for one that may connect."""
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
                        server = await self._open(settings)
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

    async def _open(self, settings: MailInSettings) -> asyncio.Server:
        from appliance.deliver.smtp_conversation import Handler, Peer  # noqa: PLC0415 (see there)

        handler = Handler(self._box, self._gateway)
        return await asyncio.get_running_loop().create_server(
            lambda: Peer(self, handler, self._box.settings.section(MailInSettings)),
            settings.listen_bind,
            settings.listen_port,
        )

    async def _close(self, server: asyncio.Server | None) -> None:
        self.address = None
        if server is not None:
            server.close()
            await server.wait_closed()


def allowed(peer: str, networks: tuple[str, ...]) -> bool:
    """Whether ``peer``'s address is in one of ``networks``."""
    address = read_address(peer)
    return address is not None and any(
        address in ipaddress.ip_network(network, strict=False) for network in networks
    )
