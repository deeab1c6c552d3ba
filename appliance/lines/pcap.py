"""Writes the packets of a call as a pcap file, for tshark and similar programs.

The octets and times are those of the call; the IP addresses and ports are not: 127.0.0.1 is this end,
127.0.0.2 the far one, both on port 6004.  ``tshark -d udp.port==6004,t38 -r FILE`` dissects it.
"""

from __future__ import annotations

import struct
from typing import IO

TRACE_PORT = 6004
_US, _THEM = bytes((127, 0, 0, 1)), bytes((127, 0, 0, 2))
# pcap-savefile: magic for microseconds, version 2.4, LINKTYPE_IPV4.
_FILE_HEADER = struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 228)
_UDP = 17
_IP_OCTETS, _UDP_OCTETS = 20, 8


class PcapWriter:
    """Writes one call's packets to ``file``.  ``began``: Unix time of the call's start, seconds."""

    def __init__(self, file: IO[bytes], began: float) -> None:
        self._file = file
        self._began = began
        file.write(_FILE_HEADER)

    def tap(self, at: float, leaves: bool, octets: bytes) -> None:
        """A ``Tap``: one datagram, ``at`` seconds after the start.  Raises OSError."""
        source, target = (_US, _THEM) if leaves else (_THEM, _US)
        # UDP checksum 0: none (RFC 768).
        udp = struct.pack("!HHHH", TRACE_PORT, TRACE_PORT, _UDP_OCTETS + len(octets), 0) + octets
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, _IP_OCTETS + len(udp), 0, 0, 64, _UDP, 0, source, target)
        ip = ip[:10] + _checksum(ip).to_bytes(2, "big") + ip[12:]
        packet = ip + udp
        seconds, fraction = divmod(self._began + at, 1.0)
        self._file.write(struct.pack("=IIII", int(seconds), int(fraction * 1e6), len(packet), len(packet)))
        self._file.write(packet)


def _checksum(header: bytes) -> int:
    """The IP header checksum (RFC 791 3.1)."""
    total: int = sum(struct.unpack(f"!{len(header) // 2}H", header))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
