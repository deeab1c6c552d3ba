"""UDP sockets for media out of a configured range of ports."""

from __future__ import annotations

import contextlib
import errno
import random
import socket
from dataclasses import dataclass

from appliance.lines.sip.settings import PortRange

# Expedited forwarding for the packets of a call in real time (RFC 3246, DSCP 46).
_TOS = 46 << 2
# Errors of a port that is in use, or reserved by the system.
_TAKEN = frozenset({errno.EADDRINUSE, errno.EACCES})


class NoPortError(RuntimeError):
    """Every port of the range is in use."""


@dataclass(slots=True)
class MediaPorts:
    """The sockets of a call: one for T.38, one for G.711.  Closed with the call."""

    udptl: socket.socket
    rtp: socket.socket

    def close(self) -> None:
        """Closes both sockets."""
        self.udptl.close()
        self.rtp.close()


def open_media_socket(host: str, ports: PortRange) -> socket.socket:
    """A bound, non-blocking UDP socket on a free port of the range, from a random one on.

    So a port is not reused at once, and late packets of the previous peer are not received.  Raises
    NoPortError, and OSError when ``host`` is not an address of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    count = ports.last - ports.first + 1
    start = random.randrange(count)
    for step in range(count):
        sock = socket.socket(family, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            with contextlib.suppress(OSError):
                if family == socket.AF_INET6:
                    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, _TOS)
                else:
                    sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, _TOS)
            sock.bind((host, ports.first + (start + step) % count))
        except OSError as error:
            sock.close()
            if error.errno not in _TAKEN:
                raise
            continue
        return sock
    raise NoPortError(f"all ports from {ports.first} to {ports.last} are in use")


def own_address(towards: str) -> str:
    """The address of this machine that packets to ``towards`` leave from; its loopback without a network.

    Nothing is sent.  ``towards`` is an address, not a name.
    """
    family = socket.AF_INET6 if ":" in towards else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((towards, 9))
            return str(probe.getsockname()[0])
        except OSError:
            return "::1" if family is socket.AF_INET6 else "127.0.0.1"
