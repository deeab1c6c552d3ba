"""A provider over TCP or TLS whose connection is lost: nobody is left ringing, and it is soon made anew."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import socket
import ssl
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from appliance.lines.sip.causes import SIP_CONNECTION_LOST
from appliance.lines.sip.library import DEAD_AFTER_S
from appliance.lines.sip.lost_connection import cancel_of
from appliance.lines.sip.settings import Transport
from appliance.lines.sip.stack import LOOK_S
from tests.lines.sip.kamailio import make_certificate
from tests.lines.sip.rig import Box, Outcome, send

INVITE = (
    "INVITE sip:123@192.0.2.1;transport=tcp SIP/2.0\r\n"
    "Via: SIP/2.0/TCP 192.0.2.9:5060;rport;branch=z9hG4bKours;alias\r\n"
    "Max-Forwards: 70\r\n"
    "From: <sip:box@192.0.2.1>;tag=ours\r\n"
    "To: <sip:123@192.0.2.1>\r\n"
    "Contact: <sip:box@192.0.2.9:5060;transport=TCP>\r\n"
    "Call-ID: abc\r\n"
    "CSeq: 41 INVITE\r\n"
    "Route: <sip:192.0.2.1;lr>\r\n"
    'Proxy-Authorization: Digest username="box"\r\n'
    "Content-Type: application/sdp\r\n"
    "Content-Length: 5\r\n\r\nv=0\r\n"
)


def test_cancel_is_of_the_transaction_of_its_invite() -> None:
    """RFC 3261 9.1: the same Request-URI, Via, From, To, Call-ID, number and Route; nothing else."""
    assert cancel_of(INVITE) == (
        "CANCEL sip:123@192.0.2.1;transport=tcp SIP/2.0\r\n"
        "Via: SIP/2.0/TCP 192.0.2.9:5060;rport;branch=z9hG4bKours;alias\r\n"
        "Max-Forwards: 70\r\n"
        "From: <sip:box@192.0.2.1>;tag=ours\r\n"
        "To: <sip:123@192.0.2.1>\r\n"
        "Call-ID: abc\r\n"
        "CSeq: 41 CANCEL\r\n"
        "Route: <sip:192.0.2.1;lr>\r\n"
        "Content-Length: 0\r\n\r\n"
    )


@dataclass
class RingingProvider:
    """Answers INVITE with 100 and 180, closes the connection, and lets itself be called again."""

    connections: int = 0
    messages: list[tuple[int, str]] = field(default_factory=list)  # with the number of its connection

    def heard(self, method: str) -> list[tuple[int, str]]:
        return [(number, text) for number, text in self.messages if text.startswith(f"{method} ")]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = int((re.findall(r"Content-Length: *(\d+)", head) or ["0"])[0])
                await reader.readexactly(length)
                self.messages.append((number, head.lstrip()))
                statuses = ["100 Trying", "180 Ringing"] if "INVITE " in head[:10] else ["200 OK"]
                for status in statuses:
                    kept = re.findall(r"(?m)^(?:Via|From|Call-ID|CSeq|To):.*\r$", head)
                    lines = "\n".join(kept)
                    writer.write(f"SIP/2.0 {status}\r\n{lines}\nContent-Length: 0\r\n\r\n".encode())
                if "INVITE " in head[:10]:
                    await asyncio.sleep(0.3)
                    writer.transport.abort()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


async def call(folder: Path, transport: Transport, provider: RingingProvider) -> tuple[Outcome, str]:
    """Calls the provider; the call, and the sentence of the line after it."""
    context = None
    certificate, key = folder / "provider.pem", folder / "provider.key"
    if transport is Transport.TLS:
        make_certificate(certificate, key)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, key)
    server = await asyncio.start_server(provider.serve, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    async with Box() as box:
        line = await box.line(
            "ringing",
            f"127.0.0.1:{port}",
            transport=transport,
            register=False,
            ca_file=str(certificate) if context else "",
        )
        outcome = await send(line, ring_s=60.0)
        sentence = line.state().sentence
    server.close()
    return outcome, sentence


@pytest.mark.realtime
@pytest.mark.parametrize("transport", [Transport.TCP, Transport.TLS])
def test_number_that_rings_is_let_go_of_over_another_connection(tmp_path: Path, transport: Transport) -> None:
    provider = RingingProvider()
    outcome, sentence = asyncio.run(call(tmp_path, transport, provider))
    assert outcome.result.cause is SIP_CONNECTION_LOST
    (_, invite), ((number, cancel),) = provider.heard("INVITE")[0], provider.heard("CANCEL")
    assert number > 1, "the first connection is gone"
    for name in ("Via", "Call-ID", "From"):
        assert re.findall(f"(?m)^{name}:.*$", cancel) == re.findall(f"(?m)^{name}:.*$", invite)
    assert "has not answered" not in sentence, "it rang"
    assert any(line.startswith("CANCEL ") for line in outcome.sent())


@pytest.mark.realtime
def test_connection_that_dies_without_a_word_is_noticed_by_the_kernel() -> None:
    """A router forgot it, or our address is another: it would be used for a quarter of an hour."""

    async def run() -> list[int]:
        provider = RingingProvider()
        server = await asyncio.start_server(provider.serve, "127.0.0.1", 0)
        address = server.sockets[0].getsockname()
        async with Box() as box:
            await box.line("idle", f"127.0.0.1:{address[1]}", transport=Transport.TCP, username="u")
            async with asyncio.timeout(30):
                while not provider.heard("REGISTER"):
                    await asyncio.sleep(0.05)
            await asyncio.sleep(2 * LOOK_S)
            found = limits_towards(address)
        server.close()
        return found

    assert asyncio.run(run()) == [DEAD_AFTER_S * 1000]


def limits_towards(address: tuple[str, int]) -> list[int]:
    """How long each of our connections to this address waits for what it sent to arrive, ms."""
    found = []
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(int(number))) as sock:
            if sock.type is socket.SOCK_STREAM and sock.getpeername() == address:
                found.append(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT))
    return found
