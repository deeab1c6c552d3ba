"""Records the packets between the box and the practice machines, independently of both.

A packet socket on the loopback interface takes every IFP packet with V.21 data, joins them into T.30
frames and keeps, for each call, who called whom and which signals went by.  It knows what was confirmed
even when both ends are dead: nothing that the box says of itself is asked.
"""

from __future__ import annotations

import contextlib
import ctypes
import socket
import struct
import threading
from dataclasses import dataclass, field

_ETH_P_IP = 0x0800
_SO_ATTACH_FILTER = 26
_SO_RCVBUFFORCE = 33
_SOL_PACKET, _PACKET_STATISTICS = 263, 6
_PACKET_OUTGOING = 4
# IFP's type octet of a T30_DATA packet with a data field, V.21 (T.38 Annex A).
_V21_DATA = 0xC0
# UDP whose fourth octet of content is that: behind UDPTL's sequence number and the packet's length.
_FILTER = (
    (0x30, 0, 0, 9),  # ldb [9]: protocol
    (0x15, 0, 4, 17),  # jeq 17: UDP
    (0xB1, 0, 0, 0),  # ldxb 4*([0]&0xf): length of the IP header
    (0x50, 0, 0, 11),  # ldb [x + 11]
    (0x15, 0, 1, _V21_DATA),
    (0x06, 0, 0, 0xFFFF),
    (0x06, 0, 0, 0),
)
_RECEIVE_BUFFER = 8 << 20
# Facsimile control fields as T.38 carries them, first bit leftmost, without the bit that says who speaks:
# T.30 5.3.6.1.
CSI, TSI, MCF, EOP, MPS, PPS, DCN = 0x02, 0x42, 0x31, 0x74, 0x72, 0x7D, 0x5F
_NAMED_BY_SENDER = 0x80
_ENDS_OF_LAST_PAGE = ("EOP", "PPS-EOP")


@dataclass
class Call:
    """One call: the identities given, and the signals in order, each with the sender's port."""

    ports: frozenset[int]
    csi: str = ""
    tsi: str = ""
    signals: list[tuple[int, str]] = field(default_factory=list)

    @property
    def last_page_ended(self) -> bool:
        return any(name in _ENDS_OF_LAST_PAGE for _, name in self.signals)

    @property
    def confirmed(self) -> bool:
        """Whether the last page was confirmed: MCF after its end."""
        asked = False
        for _, name in self.signals:
            asked = name in _ENDS_OF_LAST_PAGE or (asked and name not in ("MPS", "PPS-MPS"))
            if asked and name == "MCF":
                return True
        return False

    def confirmations(self) -> int:
        """Pages that were confirmed: MCF that follow the end of a page, each once."""
        count, waiting = 0, False
        for _, name in self.signals:
            if name in (*_ENDS_OF_LAST_PAGE, "MPS", "PPS-MPS"):
                waiting = True
            elif name == "MCF" and waiting:
                count, waiting = count + 1, False
        return count


class Wire:
    """Listens from its making to ``close``.  Raises PermissionError where that is not allowed."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETH_P_IP))
        program = b"".join(struct.pack("HBBI", *line) for line in _FILTER)
        kept = ctypes.create_string_buffer(program)
        self._socket.setsockopt(
            socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HL", len(_FILTER), ctypes.addressof(kept))
        )
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _RECEIVE_BUFFER)
        self._socket.bind(("lo", _ETH_P_IP))
        self._socket.settimeout(0.2)
        self._lock = threading.Lock()
        self._open: dict[frozenset[int], Call] = {}
        self._ended: list[Call] = []
        self._flows: dict[tuple[int, int], _Flow] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self._socket.close()

    def missed(self) -> int:
        """Packets that were not heard since this was last asked: the machine was too busy."""
        counts = self._socket.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8)
        return int(struct.unpack("II", counts)[1])

    def take(self) -> list[Call]:
        """The calls so far; those of a box that is dead are over, their ports may come again."""
        with self._lock:
            taken = [*self._ended, *self._open.values()]
            self._ended, self._open = [], {}
            self._flows.clear()
            return taken

    def _listen(self) -> None:
        while not self._stop.is_set():
            with contextlib.suppress(TimeoutError):
                packet, address = self._socket.recvfrom(4096)
                if address[2] != _PACKET_OUTGOING:  # loopback shows each packet going and coming
                    with self._lock:
                        self._packet(packet)

    def _packet(self, packet: bytes) -> None:
        head = (packet[0] & 15) * 4
        source, target = struct.unpack("!HH", packet[head : head + 4])
        content = packet[head + 8 :]
        number, length = struct.unpack("!HB", content[:3])
        if length >= 0x80 or len(content) < 3 + length:
            return
        flow = self._flows.setdefault((source, target), _Flow())
        for frame in flow.frames(number, content[3 : 3 + length]):
            self._frame(source, target, frame)

    def _frame(self, source: int, target: int, frame: bytes) -> None:
        ports = frozenset((source, target))
        if len(frame) < 3:
            return
        kind = frame[2] & ~_NAMED_BY_SENDER
        call = self._open.get(ports)
        if call is None or (kind == CSI and call.csi and call.signals):
            # The first, or a port that came again.
            if call is not None:
                self._ended.append(call)
            call = self._open[ports] = Call(ports)
        if kind == CSI:
            call.csi = _digits(frame)
        elif kind == TSI:
            call.tsi = _digits(frame)
        elif kind == MCF:
            call.signals.append((source, "MCF"))
        elif kind in (EOP, MPS):
            call.signals.append((source, "EOP" if kind == EOP else "MPS"))
        elif kind == DCN:
            call.signals.append((source, "DCN"))
        elif kind == PPS and len(frame) > 3:
            second = frame[3] & ~_NAMED_BY_SENDER
            call.signals.append((source, {EOP: "PPS-EOP", MPS: "PPS-MPS"}.get(second, "PPS")))


class _Flow:
    """Joins one direction's V.21 octets into frames."""

    def __init__(self) -> None:
        self._octets = bytearray()
        self._last = -1

    def frames(self, number: int, ifp: bytes) -> list[bytes]:
        if number == self._last:
            return []  # sent twice
        self._last = number
        found: list[bytes] = []
        # After the type octet the number of fields; each field: an octet of flag and kind, then the data
        # with its length less one (T.38 Annex A, version 0).
        at, fields = 2, ifp[1] if len(ifp) > 1 else 0
        half = False
        for _ in range(fields):
            if at >= len(ifp):
                break
            octet = ifp[at]
            if half:
                octet = (octet << 4) & 0xFF
            has_data, kind = octet >> 7, octet >> 4 & 7
            if has_data:
                at += 1
                length = int.from_bytes(ifp[at : at + 2], "big") + 1
                self._octets += ifp[at + 2 : at + 2 + length]
                at, half = at + 2 + length, False
            else:
                at, half = (at + 1, False) if half else (at, True)
            if kind in (2, 4):  # hdlc-fcs-OK, hdlc-fcs-OK-sig-end
                found.append(bytes(self._octets))
            if kind != 0:
                self._octets.clear()
        return found


def _digits(frame: bytes) -> str:
    """The identity in a CSI or TSI: T.30 5.3.6.2.4, least significant bit and last character first."""
    turned = bytes(int(f"{octet:08b}"[::-1], 2) for octet in frame[3:])
    return turned.decode("ascii", "replace")[::-1].strip()
