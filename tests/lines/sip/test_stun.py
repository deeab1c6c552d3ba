"""STUN: with kamailio's STUN server, and with garbage."""

from __future__ import annotations

import asyncio
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.lines.datagram_driver import open_udp
from appliance.lines.sip import stun
from tests.lines.sip.kamailio import KAMAILIO, Kamailio
from tests.ports import free_port

TRANSACTION = bytes(range(12))


def success(*attributes: bytes) -> bytes:
    body = b"".join(attributes)
    return struct.pack("!HHI", 0x0101, len(body), 0x2112A442) + TRANSACTION + body


def test_example_of_the_standard_is_read() -> None:
    """RFC 5769 2.2: the sample IPv4 response says 192.0.2.1, port 32853."""
    transaction = bytes.fromhex("b7e7a701bc34d686fa87dfae")
    response = bytes.fromhex(
        "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220"
        "002000080001a147e112a643000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96"
    )
    assert stun.mapped_address(response, transaction) == ("192.0.2.1", 32853)
    assert stun.mapped_address(response, TRANSACTION) is None


def test_plain_address_of_old_servers_is_taken_when_there_is_no_other() -> None:
    plain = struct.pack("!HHBBH4B", 1, 8, 0, 1, 4000, 192, 0, 2, 7)
    assert stun.mapped_address(success(plain), TRANSACTION) == ("192.0.2.7", 4000)


@given(st.binary(max_size=600))
def test_no_datagram_breaks_the_reading(datagram: bytes) -> None:
    stun.mapped_address(datagram, TRANSACTION)
    stun.mapped_address(success(datagram), TRANSACTION)


@pytest.mark.skipif(KAMAILIO is None, reason="kamailio is not installed")
def test_real_server_tells_our_address(tmp_path: Path) -> None:
    async def run() -> tuple[tuple[str, int] | None, tuple[str, int], tuple[str, int] | None]:
        server = Kamailio(tmp_path)
        await server.start()
        try:
            with open_udp() as sock:
                nobody = f"127.0.0.1:{free_port()}"
                told = await stun.ask(sock, (nobody, f"127.0.0.1:{server.port}"))
                return told, sock.getsockname(), await stun.ask(sock, (nobody,))
        finally:
            await server.stop()

    told, own, nothing = asyncio.run(run())
    assert told == own
    assert nothing is None
