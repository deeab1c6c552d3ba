"""Which addresses a URL from outside may lead to.

A name is looked up once and the connection goes to an address of that answer, so that a name server
which answers differently the second time (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable

# (host, port) → addresses as text.
Resolver = Callable[[str, int], list[str]]

# Prefixes that hide an IPv4 address in an IPv6 one: NAT64 (RFC 6052, RFC 8215) and 6to4 (RFC 3056).
_NAT64 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))
_6TO4 = ipaddress.IPv6Network("2002::/16")
# Not public, although Python 3.11 calls them global: site-local (RFC 3879) and IPv4-translated addresses (RFC
# 2765).
_INSIDE = (ipaddress.IPv6Network("fec0::/10"), ipaddress.IPv6Network("::ffff:0:0:0/96"))


def resolve(host: str, port: int) -> list[str]:
    """The system's answer, each address once.  Raises OSError when there is none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def read_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An address without its zone, IPv4 also where IPv6 tells of it; None for anything else."""
    try:
        ip = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (ip.ipv4_mapped or ip) if isinstance(ip, ipaddress.IPv6Address) else ip


def is_public(address: str) -> bool:
    """Whether an address is on the public internet, also for IPv4 addresses embedded in IPv6 ones."""
    ip = read_address(address)
    if ip is None:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = _inner_ipv4(ip)
        if inner is not None:
            return is_public(str(inner))
        if any(ip in network for network in (*_NAT64, *_INSIDE)):
            return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and not ip.is_unspecified


def _inner_ipv4(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if ip in _NAT64[0] or (int(ip) >> 32 == 0 and int(ip) > 1):
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    if ip in _6TO4:
        return ipaddress.IPv4Address(int(ip) >> 80 & 0xFFFFFFFF)
    return None
