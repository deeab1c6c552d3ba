"""What an owner says about SIP: one ``SipSettings`` for the box, one ``TrunkSettings`` for each trunk.

Plain data, checked when made (ValueError with a sentence), secrets kept out of ``repr``.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from enum import Enum

from appliance.lines.sip.numbers import DiallingRules
from appliance.t38.settings import ErrorCorrection

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
# What may stand in the user part of our own URIs and in a quoted name without any escaping.
_USER = re.compile(r"[A-Za-z0-9_.!~*'()&=+$,;?/%@-]{0,64}")
_NAME = re.compile(r"[^\x00-\x1f\x7f\"\\<>]{0,80}")

SIP_PORT = 5060  # RFC 3261 19.1.2
SIPS_PORT = 5061


class Transport(Enum):
    UDP = "udp"
    TCP = "tcp"
    TLS = "tls"


class Identity(Enum):
    """Which header says who is calling, beside From (RFC 3325)."""

    NONE = "none"
    ASSERTED = "P-Asserted-Identity"
    PREFERRED = "P-Preferred-Identity"


class MediaChoice(Enum):
    """What the owner wants of a trunk."""

    BOTH = "T.38, else G.711"
    T38_ONLY = "T.38 only"
    G711_ONLY = "G.711 only"


def _check_host(host: str, what: str) -> None:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        if not _HOST.fullmatch(host):
            raise ValueError(f"{what} {host!r} is neither a host name nor an address") from None


def split_host_port(value: str, what: str) -> tuple[str, int]:
    """``host``, ``host:port`` or ``[v6]:port``; port 0 without one.  Raises ValueError."""
    match = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]]+)(?::([0-9]{1,5}))?", value)
    if match is None:
        raise ValueError(f"{what} {value!r} must be a host, or host:port")
    host = match[1].strip("[]")
    _check_host(host, what)
    port = int(match[2] or 0)
    if port > 65535:
        raise ValueError(f"{what} {value!r} has no such port")
    return host, port


@dataclass(frozen=True, slots=True)
class PortRange:
    """UDP ports ``first`` to ``last`` for media, both included."""

    first: int
    last: int

    def __post_init__(self) -> None:
        if not 1024 <= self.first <= self.last <= 65535:
            raise ValueError("a port range goes from 1024 at the lowest to 65535 at the highest")


@dataclass(frozen=True, slots=True)
class SipSettings:
    """SIP for the whole box."""

    bind: str = "0.0.0.0"  # address of the interface to listen on; one of IPv6 makes all of SIP IPv6
    udp_port: int | None = SIP_PORT  # 0 = any free one, None = no such transport
    tcp_port: int | None = None
    tls_port: int | None = None
    tls_certificate: str = ""  # PEM files; only needed where the peer wants a certificate of ours
    tls_key: str = ""
    udptl_ports: PortRange = field(default_factory=lambda: PortRange(4000, 4499))
    rtp_ports: PortRange = field(default_factory=lambda: PortRange(4500, 4999))
    name_servers: tuple[str, ...] = ()  # for DNS SRV; empty = those of the system
    stun_servers: tuple[str, ...] = ()  # host or host:port
    user_agent: str = "faxbox"
    log_level: int = 3  # pjproject's, 0 to 5

    def __post_init__(self) -> None:
        _check_host(self.bind, "the listening address")
        for server in self.stun_servers:
            split_host_port(server, "the STUN server")
        for server in self.name_servers:
            ipaddress.IPv4Address(server)  # port 53 always: pjproject takes no other
        if self.udp_port is None and self.tcp_port is None and self.tls_port is None:
            raise ValueError("SIP needs at least one of UDP, TCP and TLS")

    @property
    def ipv6(self) -> bool:
        return ":" in self.bind


@dataclass(frozen=True, slots=True)
class TrunkSettings:
    """One SIP trunk."""

    name: str
    server: str  # the provider's domain or address, with or without a port; without one DNS SRV is asked
    transport: Transport = Transport.UDP
    username: str = ""
    auth_username: str = ""  # when it differs from ``username``
    password: str = field(default="", repr=False)
    register: bool = False
    register_expires_s: int = 300  # RFC 3261 10.2.1.1; short, so that a NAT or a restarted provider heals
    outbound_proxy: str = ""  # host or host:port that everything goes through
    verify_tls: bool = True
    ca_file: str = ""  # PEM with the authorities to trust; empty = the system's
    # -- who is calling
    from_number: str = ""  # caller number when a call brings none
    from_name: str = ""
    from_user_is_account: bool = False  # the provider wants the login in From: then only there, never shown
    identity: Identity = Identity.NONE
    from_domain: str = ""  # when it differs from ``server``
    # -- numbers
    dialling: DiallingRules = field(default_factory=DiallingRules)
    # -- who may call in, beside a registered trunk's own server: addresses, networks, host names
    peers: tuple[str, ...] = ()
    # -- network
    public_address: str = ""  # what peers are told to send media to; empty = our own address
    use_stun: bool = False  # ask SipSettings.stun_servers before each call instead
    keep_alive_s: int = 25  # RFC 5626 4.4.1: UDP bindings in NATs live 30 s at the least
    # -- calls
    channels: int = 4  # calls at once
    session_expires_s: int = 1800  # RFC 4028 4
    session_min_s: int = 90  # RFC 4028 5: the lowest allowed
    media: MediaChoice = MediaChoice.BOTH
    ask_t38_calling_s: float | None = 6.0  # None = never ask: the called gateway usually does
    ask_t38_answering_s: float | None = 2.0
    keep_audio_line: bool = False  # T.38 offers keep the audio line with port 0, for peers that want it
    # -- T.38 as offered
    error_correction: ErrorCorrection = ErrorCorrection.REDUNDANCY
    redundancy: int = 3
    t38_version: int = 0
    max_bit_rate: int = 14400

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9._ -]{1,40}", self.name):
            raise ValueError("a trunk's name has 1 to 40 letters, digits, dots, dashes and spaces")
        split_host_port(self.server, "the server")
        if self.outbound_proxy:
            split_host_port(self.outbound_proxy, "the outbound proxy")
        if self.from_domain:
            _check_host(self.from_domain, "the From domain")
        if self.public_address:
            ipaddress.ip_address(self.public_address)
        for value in (self.username, self.auth_username, self.from_number):
            if not _USER.fullmatch(value):
                raise ValueError(f"{value!r} cannot stand in a SIP address")
        if not _NAME.fullmatch(self.from_name):
            raise ValueError("the caller's name may not have quotes, brackets or control characters")
        for peer in self.peers:
            if "/" in peer:
                ipaddress.ip_network(peer, strict=False)
            else:
                _check_host(peer, "the peer")
        if self.register and not self.username:
            raise ValueError("a trunk that registers needs a user name")
        if not 1 <= self.channels <= 120:
            raise ValueError("a trunk has 1 to 120 channels")
        if self.session_min_s < 90 or self.session_expires_s < self.session_min_s:
            raise ValueError("session timers are 90 s at the least (RFC 4028)")

    @property
    def domain(self) -> str:
        """The host part of our addresses at this trunk."""
        return self.from_domain or split_host_port(self.server, "the server")[0]


def safe_display_name(name: str) -> str:
    """A caller's name as it may stand between quotes in a header: what could break out is left out."""
    return "".join(c for c in name if c.isprintable() and c not in '"\\<>')[:80]


def safe_user(user: str) -> str:
    """A caller's number as it may stand in a SIP address; empty when nothing is left of it."""
    return "".join(c for c in user if c.isascii() and (c.isalnum() or c in "+*#-._"))[:64].replace("#", "%23")
