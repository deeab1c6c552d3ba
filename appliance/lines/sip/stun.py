"""The public address of a media socket, by a STUN binding request (RFC 8489); nothing else of STUN.

``request`` and ``mapped_address`` encode and decode; ``ask`` sends and waits.
"""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
import socket
import struct

from appliance.lines.sip.settings import split_host_port

STUN_PORT = 3478  # RFC 8489 clause 18.6
# RFC 8489 6.2.1 retransmits after 500 ms, then doubling; a call cannot wait for all seven tries.
WAITS_S = (0.5, 1.0)
TRANSACTION_OCTETS = 12
MAX_OCTETS = 548  # RFC 8489 6.1: what fits any path

_BINDING_REQUEST = 0x0001
_BINDING_SUCCESS = 0x0101
_COOKIE = 0x2112A442
_MAPPED_ADDRESS = 0x0001
_XOR_MAPPED_ADDRESS = 0x0020
_HEADER = struct.Struct("!HHI")
_FAMILY_LENGTH = {1: 4, 2: 16}


def request(transaction: bytes) -> bytes:
    """A binding request with this transaction id of 12 octets."""
    return _HEADER.pack(_BINDING_REQUEST, 0, _COOKIE) + transaction


def mapped_address(datagram: bytes, transaction: bytes) -> tuple[str, int] | None:
    """The address in the answer to our request; None for anything else."""
    start = _HEADER.size + TRANSACTION_OCTETS
    if not start <= len(datagram) <= MAX_OCTETS:
        return None
    kind, length, cookie = _HEADER.unpack_from(datagram)
    if kind != _BINDING_SUCCESS or cookie != _COOKIE or datagram[_HEADER.size : start] != transaction:
        return None
    plain: tuple[str, int] | None = None
    place, end = start, min(start + length, len(datagram))
    while place + 4 <= end:
        attribute, size = struct.unpack_from("!HH", datagram, place)
        value = datagram[place + 4 : min(place + 4 + size, end)]
        if attribute == _XOR_MAPPED_ADDRESS:
            return _address(value, struct.pack("!I", _COOKIE) + transaction) or plain
        if attribute == _MAPPED_ADDRESS and plain is None:
            plain = _address(value, bytes(16))
        place += 4 + size + -size % 4
    return plain


def _address(value: bytes, mask: bytes) -> tuple[str, int] | None:
    if len(value) < 4 or len(value) != 4 + _FAMILY_LENGTH.get(value[1], -1):
        return None
    port = int.from_bytes(value[2:4], "big") ^ int.from_bytes(mask[:2], "big")
    address = bytes(octet ^ key for octet, key in zip(value[4:], mask, strict=False))
    return str(ipaddress.ip_address(address)), port


async def ask(sock: socket.socket, servers: tuple[str, ...]) -> tuple[str, int] | None:
    """Asks each server in turn over this non-blocking media socket; None when nobody answered in time."""
    loop = asyncio.get_running_loop()
    for server in servers:
        host, port = split_host_port(server)
        transaction = secrets.token_bytes(TRANSACTION_OCTETS)
        try:
            found = await loop.getaddrinfo(
                host, port or STUN_PORT, family=sock.family, type=socket.SOCK_DGRAM
            )
        except OSError:
            continue
        for wait_s in WAITS_S:
            try:
                async with asyncio.timeout(wait_s):
                    await loop.sock_sendto(sock, request(transaction), found[0][4])
                    return await _answer(sock, transaction)
            except (TimeoutError, OSError):
                continue
    return None


async def _answer(sock: socket.socket, transaction: bytes) -> tuple[str, int]:
    while True:
        datagram, _ = await asyncio.get_running_loop().sock_recvfrom(sock, MAX_OCTETS + 1)
        mapped = mapped_address(datagram, transaction)
        if mapped is not None:
            return mapped
