"""Which addresses may call over a trunk: its server, its peers, and the registrar that accepted us."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress

from appliance.lines.sip.settings import SipTrunk, split_host_port

# Interval of resolving the names of servers and peers, seconds, since their addresses may change; much
# shorter while a name is not found (the network is not up yet).
RESOLVE_AGAIN_S = 300.0
RESOLVE_MISSING_S = 2.0


class Admission:
    """The addresses that may call over one trunk.  For the event loop."""

    def __init__(self, trunk: SipTrunk) -> None:
        self._trunk = trunk
        self._addresses: frozenset[str] = frozenset()  # of configured peers, looked up
        self._networks = [ipaddress.ip_network(p, strict=False) for p in trunk.peers if "/" in p]
        self.registrar = ""  # the address that accepted our registration
        self.resolved = True  # all names of the trunk were found

    @property
    def look_up_after_s(self) -> float:
        """Seconds until the names are to be looked up again."""
        return RESOLVE_AGAIN_S if self.resolved else RESOLVE_MISSING_S

    def admits(self, address: str) -> bool:
        """Whether calls from this address belong to this trunk."""
        if address in self._addresses or (self.registrar and address == self.registrar):
            return True
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)

    def networks(self) -> frozenset[str]:
        """The addresses, and networks as ``address/bits``, that ``admits`` lets in."""
        registrar = {self.registrar} if self.registrar else set()
        return self._addresses | registrar | {str(network) for network in self._networks}

    def some_address(self, ipv6: bool) -> str:
        """An address of the other side of IPv6 or IPv4; empty when none is known."""
        known = (self.registrar, *sorted(self._addresses))
        return next((address for address in known if address and (":" in address) is ipv6), "")

    async def look_up(self) -> bool:
        """Looks up the addresses of the server and its peers; whether that brought what may be admitted."""
        trunk = self._trunk
        admitted = [peer for peer in trunk.peers if "/" not in peer]
        servers = [split_host_port(trunk.server)[0]]
        if trunk.outbound_proxy:
            servers.append(split_host_port(trunk.outbound_proxy)[0])
        if not trunk.registers:
            admitted += servers
        found: set[str] = set()
        self.resolved = True
        for name in {*admitted, *servers}:
            addresses = await addresses_of(name)
            if name in admitted:
                found |= addresses
            # A server may have SRV records only, which the stack resolves.
            self.resolved = self.resolved and (bool(addresses) or name not in admitted)
        if not found and admitted:
            return False  # the previous addresses stay
        self._addresses = frozenset(found)
        return True


async def addresses_of(name: str) -> set[str]:
    """The addresses of a host name; the host itself when it is an address, none when it is not found."""
    with contextlib.suppress(ValueError):
        return {str(ipaddress.ip_address(name))}
    with contextlib.suppress(OSError):
        loop = asyncio.get_running_loop()
        return {str(entry[4][0]) for entry in await loop.getaddrinfo(name, None)}
    return set()
