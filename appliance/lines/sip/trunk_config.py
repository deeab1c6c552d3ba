"""The configuration of pjproject for a trunk and the system: account, addresses, name servers."""

from __future__ import annotations

import functools
import ipaddress
from pathlib import Path
from typing import Any

from appliance.lines.sip.settings import SipTrunk, Transport, split_host_port


def account_config(trunk: SipTrunk, tls_transport: int | None, *, ipv6: bool) -> Any:
    """pjsua2's settings of a trunk's account."""
    import pjsua2 as pj  # noqa: PLC0415

    config = pj.AccountConfig()
    found = functools.partial(in_hosts_file, ipv6=ipv6)
    config.sipConfig.ipv6Use = pj.PJSUA_IPV6_ENABLED_USE_IPV6_ONLY if ipv6 else pj.PJSUA_IPV6_DISABLED
    via = "" if trunk.transport is Transport.UDP else f";transport={trunk.transport.value}"
    user = f"{trunk.username}@" if trunk.username else ""
    config.idUri = f"sip:{user}{bracketed(trunk.domain)}"
    config.regConfig.registrarUri = f"sip:{found(trunk.server)}{via}" if trunk.registers else ""
    config.regConfig.registerOnAdd = trunk.registers
    config.regConfig.timeoutSec = trunk.register_expires_s
    config.regConfig.retryIntervalSec = 30
    config.regConfig.firstRetryIntervalSec = 5
    if trunk.username and trunk.password:
        config.sipConfig.authCreds.append(
            pj.AuthCredInfo("digest", "*", trunk.auth_username or trunk.username, 0, trunk.password)
        )
    if trunk.outbound_proxy:
        config.sipConfig.proxies.append(f"sip:{found(trunk.outbound_proxy)};lr{via}")
    if tls_transport is not None:
        config.sipConfig.transportId = tls_transport
    config.callConfig.timerUse = pj.PJSUA_SIP_TIMER_OPTIONAL
    config.callConfig.timerSessExpiresSec = trunk.session_s
    config.callConfig.timerMinSESec = min(trunk.session_min_s, trunk.session_s)
    config.callConfig.prackUse = pj.PJSUA_100REL_NOT_USED
    config.natConfig.iceEnabled = False
    config.natConfig.udpKaIntervalSec = trunk.keep_alive_s
    config.natConfig.sdpNatRewriteUse = 0
    config.mediaConfig.lockCodecEnabled = False
    config.mediaConfig.streamKaEnabled = False
    config.presConfig.publishEnabled = False
    return config


def system_name_servers(path: Path = Path("/etc/resolv.conf")) -> tuple[str, ...]:
    """The system's name servers: with them pjproject looks up SRV records, and never waits for an answer.

    Without those at an address of a link (``fe80::1%eth0``), which pjproject does not reach.
    """
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return ()
    words = (line.split() for line in lines)
    return tuple(w[1] for w in words if len(w) >= 2 and w[0] == "nameserver" and _is_reachable(w[1]))[:3]


def _is_reachable(name_server: str) -> bool:
    try:
        return not ipaddress.ip_address(name_server).is_link_local
    except ValueError:
        return False


def in_hosts_file(server: str, path: Path = Path("/etc/hosts"), *, ipv6: bool) -> str:
    """``server`` with its host replaced by its address of IPv6 or IPv4 in the hosts file, which pjproject
    does not read.
    """
    host, port = split_host_port(server)
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return server
    for line in lines:
        address, *names = line.partition("#")[0].split() or [""]
        if host.lower() in (name.lower() for name in names) and (":" in address) is ipv6:
            return f"{bracketed(address)}:{port}" if port else bracketed(address)
    return server


def bracketed(host: str) -> str:
    """A host as it stands in an address: IPv6 between brackets."""
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def request_uri(trunk: SipTrunk, user: str, *, ipv6: bool = False) -> str:
    """The address to call for a dialled number at this trunk."""
    host, port = split_host_port(in_hosts_file(trunk.server, ipv6=ipv6))
    where = f"{bracketed(host)}:{port}" if port else bracketed(host)
    via = "" if trunk.transport is Transport.UDP else f";transport={trunk.transport.value}"
    # RFC 3261 19.1.1: a number with digits alone is marked as one.
    return f"sip:{user.replace('#', '%23')}{'@' if user else ''}{where}{via}"


def system_authorities() -> str:
    """The file with the authorities that the system trusts, empty when it has none."""
    for path in ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"):
        if Path(path).exists():
            return path
    return ""
