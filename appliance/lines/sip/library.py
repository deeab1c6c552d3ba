"""The pjsua2 endpoint of the process: its set-up, its transports, and the filter of addresses in front of it.

Everything here runs on the SIP thread.
"""

from __future__ import annotations

import contextlib
import ctypes
import ipaddress
import logging
import os
import re
import socket
from pathlib import Path
from typing import Any

from appliance.lines.sip.errors import SipOrderError
from appliance.lines.sip.settings import SipSettings, SipTrunk, Transport, split_host_port
from appliance.lines.sip.trunk_config import system_authorities, system_name_servers

_log = logging.getLogger(__name__)

USER_AGENT = "faxbox"
LOG_LEVEL = 3  # pjproject's, 0 to 5: what goes wrong and what calls do, not each message
# Characters of one line of pjproject's log that are kept.
MAX_LOG_LINE = 300
# The most calls of our build of pjsua2 (PJSUA_MAX_CALLS in image-build/pjsua2/config_site.h); an older build
# has a smaller limit of its own.
MAX_CALLS = 320
# A connection that has been idle for so long is probed, every so often; it has died when nothing was
# acknowledged for so long, seconds.
IDLE_S, KNOCK_EVERY_S, DEAD_AFTER_S = 20, 5, 20


class Library:
    """See the module."""

    def __init__(self, settings: SipSettings) -> None:
        self._settings = settings
        self._endpoint: Any = None
        self._log_writer: Any = None
        self._name_servers: tuple[str, ...] = ()  # in use
        self._epoll = -1  # the descriptor with SIP's sockets
        self._tls_transports: dict[str, int] = {}  # by trunk
        self.ports: dict[Transport, int] = {}  # where we listen

    def open(self) -> int:
        """Starts pjsua2; returns the epoll descriptor with SIP's sockets, -1 in a build without epoll.

        Raises pj.Error, ImportError.
        """
        import pjsua2 as pj  # noqa: PLC0415 - absent on some machines

        self._log_writer = _log_writer()
        settings = self._settings
        config = pj.EpConfig()
        config.logConfig.writer = self._log_writer
        config.logConfig.level = LOG_LEVEL
        config.logConfig.consoleLevel = LOG_LEVEL
        config.logConfig.msgLogging = 0
        config.logConfig.decor = 0
        config.uaConfig.threadCnt = 0
        config.uaConfig.mainThreadOnly = True
        config.uaConfig.maxCalls = MAX_CALLS
        config.uaConfig.userAgent = USER_AGENT
        self._name_servers = settings.name_servers or system_name_servers()
        for server in self._name_servers:
            config.uaConfig.nameserver.append(server)
        config.medConfig.threadCnt = 0
        config.medConfig.hasIoqueue = False
        self._endpoint = pj.Endpoint()
        self._endpoint.libCreate()
        self._endpoint.libInit(config)
        for transport, port in (
            (Transport.UDP, settings.udp_port),
            (Transport.TCP, settings.tcp_port),
            (Transport.TLS, settings.tls_port),
        ):
            if port is not None:
                self._listen(transport, port)
        self._endpoint.libStart()
        self._endpoint.audDevManager().setNoDev()
        handle = getattr(self._endpoint, "libGetSipIoqueueHandle", lambda: None)()
        self._epoll = ctypes.c_int.from_address(int(handle)).value if handle else -1
        return self._epoll

    @property
    def is_open(self) -> bool:
        """Whether pjsua2 runs."""
        return self._endpoint is not None

    def close(self) -> None:
        """Stops pjsua2.  All its other objects must be destroyed, or the process aborts.  Raises pj.Error."""
        endpoint, self._endpoint = self._endpoint, None
        self._epoll = -1
        self.ports.clear()
        endpoint.libDestroy()

    def handle_events(self) -> None:
        """Handles pending packets and pjproject's timers, without waiting."""
        self._endpoint.libHandleEvents(0)

    def watch_connections(self) -> None:
        """Has the kernel end connections (TCP, TLS) whose other end has not been heard for ``DEAD_AFTER_S``.

        Otherwise one that died without a word, since a router forgot it or our address is another, is used
        for a quarter of an hour: nobody can call, and each registration fails.
        """
        if self._epoll >= 0:
            for number in re.findall(r"(?m)^tfd:\s*(\d+)", _descriptor_info(self._epoll)):
                _watch_connection(int(number))

    def use_name_servers(self, *, again: bool = True) -> None:
        """Uses the system's present name servers; ``again``: those that did not answer get another chance."""
        servers = self._settings.name_servers or system_name_servers()
        changed, self._name_servers = servers != self._name_servers, servers or self._name_servers
        if servers and (again or changed) and hasattr(self._endpoint, "dnsSetServers"):
            import pjsua2 as pj  # noqa: PLC0415

            found = pj.StringVector()
            for server in servers:
                found.append(server)
            self._endpoint.dnsSetServers(found)

    # -- transports -----------------------------------------------------------------------------

    def transport_for(self, trunk: SipTrunk) -> int | None:
        """The transport that a trunk's account is bound to, None where any of its kind will do.

        Raises SipOrderError for a trunk whose addresses are of the other kind than all of SIP, and pj.Error.
        """
        _check_family(trunk, self._settings)
        if trunk.transport is Transport.TCP and Transport.TCP not in self.ports:
            # Outgoing connections need a transport, too; without a configured port, any port is used.
            self._listen(Transport.TCP, 0)
        if trunk.transport is not Transport.TLS:
            return None
        # Trusted certificates are a property of the transport, so a trunk with TLS has its own one.
        config = self._transport_config(0)
        config.tlsConfig.verifyServer = trunk.verify_tls
        config.tlsConfig.CaListFile = trunk.ca_file or system_authorities()
        number = self._tls_transports[trunk.name] = self._make_transport(Transport.TLS, config)
        return number

    def release_transport(self, trunk: str) -> None:
        """Closes the trunk's own transport, if it has one."""
        number = self._tls_transports.pop(trunk, None)
        if number is not None:
            self._endpoint.transportClose(number)

    def _listen(self, transport: Transport, port: int) -> None:
        number = self._make_transport(transport, self._transport_config(port))
        name = str(self._endpoint.transportGetInfo(number).localName)
        self.ports[transport] = int(name.rpartition(":")[2] or 0)

    def _make_transport(self, transport: Transport, config: Any) -> int:
        import pjsua2 as pj  # noqa: PLC0415

        kind = getattr(pj, f"PJSIP_TRANSPORT_{transport.name}{'6' if self._settings.ipv6 else ''}")
        return int(self._endpoint.transportCreate(kind, config))

    def _transport_config(self, port: int) -> Any:
        import pjsua2 as pj  # noqa: PLC0415

        config = pj.TransportConfig()
        config.port = port
        if self._settings.bind not in ("0.0.0.0", "::"):
            config.boundAddress = self._settings.bind
        config.tlsConfig.certFile = self._settings.tls_certificate
        config.tlsConfig.privKeyFile = self._settings.tls_key
        config.tlsConfig.proto = pj.PJ_SSL_SOCK_PROTO_TLS1_2 | pj.PJ_SSL_SOCK_PROTO_TLS1_3
        return config

    # -- the gate ---------------------------------------------------------------------------------

    def admit(self, networks: list[str]) -> None:
        """Sets whose requests reach the stack: addresses, and networks as ``address/bits``."""
        if hasattr(self._endpoint, "gateAdmit"):  # otherwise each call is checked later, at a higher cost
            self._endpoint.gateAdmit(networks)

    def strangers(self) -> tuple[int, int, str] | None:
        """Numbers of requests that the gate refused and ignored, and the last refused address."""
        if not hasattr(self._endpoint, "gateRefused"):
            return None
        endpoint = self._endpoint
        return int(endpoint.gateRefused()), int(endpoint.gateSilent()), str(endpoint.gateLastStranger())


def _descriptor_info(number: int) -> str:
    try:
        return Path(f"/proc/self/fdinfo/{number}").read_text()
    except OSError:
        return ""


def _watch_connection(number: int) -> None:
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(number)) as sock:
        if sock.type is socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, IDLE_S)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KNOCK_EVERY_S)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAD_AFTER_S * 1000)


def _check_family(trunk: SipTrunk, sip: SipSettings) -> None:
    servers = (trunk.server, trunk.outbound_proxy or trunk.server)
    for host in (*(split_host_port(each)[0] for each in servers), trunk.public_address):
        with contextlib.suppress(ValueError):  # a name may have IPv4 and IPv6 addresses
            is_ipv6 = ipaddress.ip_address(host).version == 6
            if is_ipv6 != sip.ipv6:
                speaks, other = ("IPv6", "IPv4") if sip.ipv6 else ("IPv4", "IPv6")
                raise SipOrderError(
                    f"{host} is an address of {other}, and SIP speaks {speaks} here"
                    f" (sip.bind is {sip.bind}): one box speaks one of the two"
                )


def one_line(text: str) -> str:
    """A message of pjproject as one line of the log: it may quote messages of peers with line breaks."""
    cut = "".join(c if c.isprintable() else " " for c in text.strip()[: MAX_LOG_LINE + 1])
    return f"{cut[:MAX_LOG_LINE]}…" if len(cut) > MAX_LOG_LINE else cut


def _log_writer() -> Any:
    """A writer that passes pjproject's log lines to ours.

    Its errors are mostly mistakes of peers; only a failed assertion is a fault of the box.
    """
    import pjsua2 as pj  # noqa: PLC0415

    class PjLogWriter(pj.LogWriter):  # type: ignore[misc]
        def write(self, entry: Any) -> None:
            text = one_line(str(entry.msg))
            level = logging.INFO if int(entry.level) <= 2 else logging.DEBUG
            _log.log(logging.ERROR if "Assert failed" in text else level, "%s", text)

    return PjLogWriter()
