"""Ends a call that rings where its connection (TCP, TLS) was lost, which the SIP library gives up as it is.

Without this the number would go on ringing, perhaps be answered by a machine that nobody speaks to, and be
busy for the next try.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl

from appliance.lines.sip import messages
from appliance.lines.sip.settings import SipTrunk, Transport, split_host_port
from appliance.lines.sip.trunk_config import system_authorities

_log = logging.getLogger(__name__)

# How long to try, and how long one try may take and is apart from the next, seconds.
LIMIT_S = 10.0
TRY_S = 3.0
APART_S = 1.0
# What a CANCEL has in common with its INVITE (RFC 3261 9.1), besides the first Via and the Request-URI.
_KEPT = frozenset({"max-forwards", "from", "to", "call-id", "route"})


def was_by_connection(invite: str) -> bool:
    """Whether an INVITE went over a connection, which can be lost."""
    via = messages.first(messages.headers(invite), "via").upper()
    return via.startswith(("SIP/2.0/TCP", "SIP/2.0/TLS"))


def cancel_of(invite: str) -> str:
    """The CANCEL of an INVITE."""
    start, *lines = invite.partition("\r\n\r\n")[0].split("\r\n")
    cancel = [start.replace("INVITE", "CANCEL", 1)]
    for line in lines:
        name = line.partition(":")[0].lower()
        first_via = name == "via" and len(cancel) == 1
        if first_via or name in _KEPT:
            cancel.append(line)
        elif name == "cseq":
            cancel.append(line.replace("INVITE", "CANCEL"))
    return "\r\n".join([*cancel, "Content-Length: 0", "", ""])


async def ask(request: str, server: str, trunk: SipTrunk) -> bool:
    """Sends a request to ``address:port`` over a new connection; whether it was answered in ``LIMIT_S``."""
    host, _, port = server.rpartition(":")
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LIMIT_S):
            while True:
                try:
                    async with asyncio.timeout(TRY_S):
                        if await _ask(request, host.strip("[]"), int(port), trunk):
                            return True
                except (OSError, TimeoutError) as error:
                    _log.info("%s: a CANCEL did not get through: %s", trunk.name, error)
                await asyncio.sleep(APART_S)
    return False


async def _ask(request: str, host: str, port: int, trunk: SipTrunk) -> bool:
    """Whether a server answered this request.  Raises OSError."""
    trust = name = None
    if trunk.transport is Transport.TLS:
        trust, name = _trust(trunk), split_host_port(trunk.outbound_proxy or trunk.server)[0]
    reader, writer = await asyncio.open_connection(host, port, ssl=trust, server_hostname=name)
    try:
        writer.write(request.encode("latin-1", "replace"))
        return (await reader.read(len("SIP/2.0"))) == b"SIP/2.0"
    finally:
        writer.transport.abort()


def _trust(trunk: SipTrunk) -> ssl.SSLContext:
    """TLS by the same settings as the stack's.  Raises OSError."""
    context = ssl.create_default_context(cafile=trunk.ca_file or system_authorities() or None)
    if not trunk.verify_tls:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
