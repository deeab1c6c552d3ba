"""Settings of SIP: one ``SipSettings`` for the box, one ``SipTrunk`` for each trunk."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum

from appliance.language import said
from appliance.lines.settings import LineSettings
from appliance.lines.sip.numbers import DialFormat, DiallingRules
from appliance.settings.fields import setting, variant
from appliance.t38.settings import MAX_REDUNDANCY, ErrorCorrection

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
# The characters that need no escaping in the user part of our URIs and in a quoted name.
_USER_PATTERN = r"[A-Za-z0-9_.!~*'()&=+$,;?/%@-]{0,64}"
_NAME_PATTERN = r"[^\x00-\x1f\x7f\"\\<>]{0,60}"

SIP_PORT = 5060  # RFC 3261 19.1.2


class Transport(Enum):
    """The transport of SIP messages."""

    UDP = "udp"
    TCP = "tcp"
    TLS = "tls"


class Identity(Enum):
    """Which header says who is calling, beside From (RFC 3325)."""

    NONE = "none"
    ASSERTED = "asserted"  # P-Asserted-Identity
    PREFERRED = "preferred"


class MediaChoice(Enum):
    """How faxes travel over a trunk."""

    BOTH = "both"  # T.38, and audio where the other side does not take it
    T38_ONLY = "t38"
    G711_ONLY = "g711"


def _check_host(host: str) -> None:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        if not _HOST.fullmatch(host):
            sentence = said("{name} is neither a host name nor an address")
            raise ValueError(sentence.format(name=repr(host))) from None


def split_host_port(value: str) -> tuple[str, int]:
    """``host``, ``host:port`` or ``[v6]:port``; port 0 without one.  Raises ValueError."""
    match = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]]+)(?::([0-9]{1,5}))?", value)
    if match is None:
        raise ValueError(said("{name} must be a host, or host:port").format(name=repr(value)))
    host = match[1].strip("[]")
    _check_host(host)
    port = int(match[2] or 0)
    if port > 65535:
        raise ValueError(said("{name} has no such port").format(name=repr(value)))
    return host, port


@dataclass(frozen=True, slots=True)
class PortRange:
    """UDP ports ``first`` to ``last`` for media, both included."""

    first: int
    last: int

    def __post_init__(self) -> None:
        if not 1024 <= self.first <= self.last <= 65535:
            raise ValueError(said("a port range goes from 1024 at the lowest to 65535 at the highest"))


def _in_words(check: Callable[[str], object]) -> Callable[[str], str | None]:
    """Makes a setting's check of ``check``: returns the text of its ValueError; an empty value passes."""

    def problem(text: str) -> str | None:
        try:
            if text:
                check(text)
        except ValueError as error:
            return str(error)
        return None

    return problem


def _each(check: Callable[[str], str | None]) -> Callable[[tuple[str, ...]], str | None]:
    return lambda entries: next((problem for entry in entries if (problem := check(entry))), None)


def _check_peer(peer: str) -> None:
    if "/" not in peer:
        _check_host(peer)
        return
    try:
        ipaddress.ip_network(peer, strict=False)
    except ValueError:
        raise ValueError(said("{name} is no network").format(name=repr(peer))) from None


def _check_address(text: str) -> None:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        raise ValueError(said("{name} is no address").format(name=repr(text))) from None


@dataclass(frozen=True, slots=True)
class SipSettings:
    """SIP settings for all trunks.  A change takes effect at the next start."""

    bind: str = setting(
        "0.0.0.0",
        "address to listen on; with an IPv6 address (:: is any) all of SIP uses IPv6",
        max_length=45,
    )
    # 0 = any free one
    udp_port: int | None = setting(SIP_PORT, "UDP port of SIP; without one, no UDP", minimum=0, maximum=65535)
    tcp_port: int | None = setting(None, "TCP port of SIP; without one, no TCP", minimum=0, maximum=65535)
    tls_port: int | None = setting(None, "TLS port of SIP; without one, no TLS", minimum=0, maximum=65535)
    tls_certificate: str = setting(
        "",
        "file with our certificate for SIP over TLS, PEM; only if the other side requires one",
        pattern=r"(/.{0,499})?",
    )
    tls_key: str = setting("", "file with its key, PEM", pattern=r"(/.{0,499})?")
    media_first: int = setting(4000, "first UDP port for faxes and audio", minimum=1024, maximum=65000)
    media_last: int = setting(4999, "last UDP port for faxes and audio", minimum=1024, maximum=65535)
    # Port 53 always: pjproject takes no other.
    name_servers: tuple[str, ...] = setting(
        (),
        "addresses of name servers that are asked for SIP servers; empty: the system's",
        max_length=45,
        check=_each(_in_words(_check_address)),
    )
    stun_servers: tuple[str, ...] = setting((), "host or host:port of STUN servers", max_length=255)

    def check(self) -> None:
        """Raises ValueError for settings that do not go together."""
        _check_host(self.bind)
        for server in self.stun_servers:
            split_host_port(server)
        if self.udp_port is None and self.tcp_port is None and self.tls_port is None:
            raise ValueError(said("SIP needs at least one of UDP, TCP and TLS"))
        _ = self.udptl_ports, self.rtp_ports

    @property
    def udptl_ports(self) -> PortRange:
        """Each UDPTL call takes one port, each audio call two: the lower half is for T.38."""
        return PortRange(self.media_first, (self.media_first + self.media_last) // 2)

    @property
    def rtp_ports(self) -> PortRange:
        """The upper half of the ports, for audio."""
        return PortRange((self.media_first + self.media_last) // 2 + 1, self.media_last)

    @property
    def ipv6(self) -> bool:
        """Whether SIP uses IPv6."""
        return ":" in self.bind

    def on_free_ports(self) -> SipSettings:
        """The same settings with any free port in place of each used one, for a call beside a running box."""
        udp, tcp, tls = (
            None if port is None else 0 for port in (self.udp_port, self.tcp_port, self.tls_port)
        )
        return replace(self, udp_port=udp, tcp_port=tcp, tls_port=tls)


@variant(LineSettings, "sip")
@dataclass(frozen=True, slots=True, kw_only=True)
class SipTrunk(LineSettings):
    """A SIP trunk, with T.38, fax tones in audio (G.711), or both."""

    server: str = setting(
        help="the trunk's host, or host:port; without a port DNS SRV is asked",
        max_length=255,
        pattern=".+",
        check=_in_words(split_host_port),
    )
    transport: Transport = setting(Transport.UDP, "what carries SIP to the trunk")
    register: bool = setting(True, "sign in at the trunk when there is a user name")
    # RFC 3261 10.2.1.1; short, so that the registration recovers soon after a restart of a NAT or provider.
    register_expires_s: int = setting(
        300, "a registration is renewed within this many seconds", minimum=30, maximum=86400
    )
    username: str = setting("", "user name of the account", pattern=_USER_PATTERN)
    auth_username: str = setting("", "user name for authentication, if it differs", pattern=_USER_PATTERN)
    password: str = setting("", "password of the account", secret=True, max_length=120)
    outbound_proxy: str = setting(
        "", "host or host:port that everything goes through", max_length=255, check=_in_words(split_host_port)
    )
    verify_tls: bool = setting(True, "check the trunk's certificate")
    ca_file: str = setting(
        "",
        "file with the authorities that may have signed it, PEM; empty: the system's",
        pattern=r"(/.{0,499})?",
    )
    caller_name: str = setting("", "caller name on this trunk", pattern=_NAME_PATTERN)
    from_user_is_account: bool = setting(
        False, "the trunk requires the user name in From, which otherwise does not have it"
    )
    from_domain: str = setting(
        "",
        "domain of our own address, if not the server's",
        max_length=255,
        check=_in_words(_check_host),
    )
    identity: Identity = setting(Identity.NONE, "the header that says who calls, beside From")
    form: DialFormat = setting(DialFormat.E164_PLUS, "the form in which the trunk wants numbers")
    outside_prefix: str = setting("", "dialled before every number", pattern=r"[0-9*#]{0,8}")
    peers: tuple[str, ...] = setting(
        (),
        "addresses, networks or names that may call, besides the server",
        max_length=255,
        check=_each(_in_words(_check_peer)),
    )
    public_address: str = setting(
        "",
        "our address as the trunk sees it; empty: our own",
        max_length=45,
        check=_in_words(_check_address),
    )
    use_stun: bool = setting(False, "ask a STUN server for our address")
    # RFC 5626 4.4.1: UDP bindings in NATs live 30 s at the least.
    keep_alive_s: int = setting(
        25,
        "interval of the packets that keep a router's way in open, s; 0: none",
        minimum=0,
        maximum=600,
    )
    ask_every_s: float = setting(
        60.0,
        "without registration: a server that was silent for this long is asked (OPTIONS), s; 0: never",
        minimum=0,
        maximum=3600,
    )
    calls_at_once: int = setting(2, "calls at once", minimum=1, maximum=120)
    # RFC 4028 4 and 5.
    session_s: int = setting(
        1800, "a session is refreshed within this many seconds", minimum=90, maximum=7200
    )
    session_min_s: int = setting(
        90,
        "the shortest such time that the other side may ask for, s; at most session_s counts",
        minimum=90,
        maximum=7200,
    )
    media: MediaChoice = setting(MediaChoice.BOTH, "T.38, audio (G.711), or T.38 with audio to fall back on")
    t38_calling_s: float = setting(
        6.0,
        "ask for T.38 this long after the answer to our call, s; 0: leave it to the other side",
        minimum=0,
        maximum=30,
    )
    t38_answering_s: float = setting(2.0, "the same for incoming calls, s", minimum=0, maximum=30)
    keep_audio_line: bool = setting(
        False, "an offer of T.38 keeps the audio line with port 0, for servers that require it"
    )
    t38_version: int = setting(0, "T.38: version that is offered", minimum=0, maximum=3)
    max_bit_rate: int = setting(
        14400, "T.38: highest bit rate that is offered, bit/s", minimum=2400, maximum=14400
    )
    error_correction: ErrorCorrection = setting(ErrorCorrection.REDUNDANCY, "T.38: how packets are protected")
    redundancy: int = setting(3, "T.38: earlier packets repeated in each", minimum=0, maximum=MAX_REDUNDANCY)

    @property
    def registers(self) -> bool:
        """Whether the box registers at the trunk."""
        return self.register and bool(self.username)

    @property
    def domain(self) -> str:
        """The host part of our addresses at this trunk."""
        return self.from_domain or split_host_port(self.server)[0]

    @property
    def dialling(self) -> DiallingRules:
        """The rules for dialling on this trunk."""
        return DiallingRules(
            country_code=self.country_code,
            national_prefix=self.national_prefix,
            international_prefix=self.international_prefix,
            area_code=self.area_code,
            format=self.form,
            outside_prefix=self.outside_prefix,
        )


def safe_display_name(name: str) -> str:
    """A caller's name for use between quotes in a header, without characters that could end the quotes."""
    return "".join(c for c in name if c.isprintable() and c not in '"\\<>')[:80]


def safe_user(user: str) -> str:
    """A caller's number for use in a SIP address; empty when no valid character is left."""
    return "".join(c for c in user if c.isascii() and (c.isalnum() or c in "+*#-._"))[:64].replace("#", "%23")
