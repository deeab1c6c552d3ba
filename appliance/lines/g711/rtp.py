"""RTP (RFC 3550) with G.711 for fax tones: packets out, packets in through a small play-out buffer.

Without I/O: it takes datagrams and the time and gives samples, and takes samples and gives datagrams.

It suits modems, because audio is never stretched, dropped or mixed.  Each packet is played once, in order; a
missing one is replaced by a repetition of the last, so that a modem keeps its timing and loses only a few
symbols.  Received audio advances at the sender's pace, so that no clock drifts against it and late packets do
no harm.  The wait for a missing packet depends on how late others were.  Only when packets stop altogether is
silence inserted by our own clock, so that the end of a carrier is detected.
"""

from __future__ import annotations

import random
import struct
from collections import deque
from dataclasses import dataclass, field, replace

from appliance.lines.g711.codec import Law, decode, encode

SAMPLE_RATE = 8000  # Hz (G.711)
PACKET_SAMPLES = 160  # 20 ms (RFC 3551 4.2)
PACKET_S = PACKET_SAMPLES / SAMPLE_RATE
# The least number of packets that wait for a late one: 60 ms, as in fixed play-out buffers for fax and
# modems.
DEPTH_PACKETS = 3
# A packet is given up this long after the next one arrived, even if no other arrived: the buffer's depth.
LATE_S = DEPTH_PACKETS * PACKET_S
# If packets were later than that, a missing one may be equally late; at most this long, which is still short
# compared with the 3 s that T.30 allows for answers.
MAX_LATE_S = 0.4
# Number of packets from which the jitter is estimated: 5 s.
JITTER_PACKETS = 250
# Without any packet for this long the line counts as silent.  Networks stall for some tenths of a second
# without losing anything, and inserted silence would end a carrier that continues.
SILENT_S = 1.0
# If the sender sends nothing while it is silent (its timestamps jump), the end of a carrier is detected
# sooner.
PAUSING_SILENT_S = 0.3
# A timer that runs later than this was delayed by our own busy machine: that time is not silence of the line,
# whose packets may still arrive.
HELD_UP_S = LATE_S
# A gap this long between the times of two packets means that the sender itself was silent.
PAUSE_S = 0.1
# Gaps up to this length are losses and are concealed packet by packet, so that the decoder can count the rows
# of a page in them.  It is a little longer than the wait for silence; after a longer gap the sender has
# paused or restarted.
MAX_CONCEALED_PACKETS = 60  # 1.2 s
# Accepted payload of one packet: 10 to 120 ms occur; the rest is an error or an attack.
MIN_PAYLOAD = 40
MAX_PAYLOAD = 960
# Packets accepted in the time of one packet before the rest counts as a flood.
MAX_RATE = 8
MAX_BURST = 50.0  # packets at once after a stall of the network
# How many played packets are remembered, to compare others with the same numbers: 1.3 s.
MAX_PLAYED = 64

# Samples that are due, and whether they replace a lost packet.
DueSamples = tuple[bytes, bool]

_HEADER = struct.Struct("!BBHII")


@dataclass(frozen=True, slots=True)
class Packet:
    """An RTP packet as read: G.711 payload only."""

    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    source: int
    payload: bytes


def parse_packet(datagram: bytes) -> Packet | None:
    """The packet in a datagram; None for anything that is not RTP version 2 with a payload (RFC 3550 5.1)."""
    if len(datagram) <= _HEADER.size:
        return None
    first, second, sequence, timestamp, source = _HEADER.unpack_from(datagram)
    if first >> 6 != 2:
        return None
    start = _HEADER.size + 4 * (first & 0x0F)
    if first & 0x10:  # header extension
        if len(datagram) < start + 4:
            return None
        start += 4 + 4 * int.from_bytes(datagram[start + 2 : start + 4], "big")
    end = len(datagram)
    if first & 0x20:  # padding: its last octet counts it
        end -= datagram[-1]
    if start >= end:
        return None
    return Packet(second & 0x7F, bool(second & 0x80), sequence, timestamp, source, datagram[start:end])


def build_packet(packet: Packet) -> bytes:
    """The datagram of an RTP packet (RFC 3550 5.1): no padding, no extension, no contributing sources."""
    marker = 0x80 if packet.marker else 0
    header = _HEADER.pack(
        0x80, marker | packet.payload_type, packet.sequence, packet.timestamp, packet.source
    )
    return header + packet.payload


@dataclass(slots=True)
class RtpCounters:
    """Counters of received packets."""

    packets: int = 0
    lost: int = 0
    concealed: int = 0  # of the lost, replaced by a repetition
    late: int = 0  # too late or twice
    malformed: int = 0  # or not audio
    flooded: int = 0  # more than a line can send
    silences: int = 0  # times the sender stopped
    contradictions: int = 0  # late and different from the packet played with its number, or out of the stream


def _behind(sequence: int, reference: int) -> int:
    """How far ``sequence`` lies before ``reference`` on the 16-bit circle; negative when ahead."""
    return (reference - sequence + 0x8000) % 0x10000 - 0x8000


@dataclass(slots=True)
class RtpReceiver:
    """The play-out buffer: takes packets and returns the samples that are due."""

    received: RtpCounters = field(default_factory=RtpCounters)
    laws: dict[int, Law] = field(default_factory=lambda: {int(law): law for law in Law})  # by payload type
    _transits: deque[float] = field(default_factory=lambda: deque(maxlen=JITTER_PACKETS))
    _late_s: float = LATE_S
    _packet_s: float = PACKET_S  # the length of the newest packet: 10 to 60 ms are usual
    _silent_s: float = SILENT_S
    _first_time: int | None = None  # timestamp that the others are counted from
    _newest_time: int = 0  # where the newest packet ends, counted so
    _waiting: dict[int, Packet] = field(default_factory=dict)
    _played: dict[int, bytes] = field(default_factory=dict)  # payloads by number, oldest first
    _next: int = 0  # sequence number that is due
    _source: int | None = None  # None before the first packet
    _last: bytes = b""  # samples of the last packet played
    _stalled_at: float | None = None  # since when a later packet waits for the one that is due
    _heard_at: float | None = None
    _silent_at: float | None = None  # up to when silence has been played
    _budget_at: float | None = None
    _budget: float = MAX_BURST

    def start_clock(self, now: float) -> None:
        """Accepts times of another driver from now on, whose clock may differ from the last one's."""
        if self._stalled_at is not None:
            self._stalled_at = now
        if self._heard_at is not None:
            self._heard_at = now
        if self._silent_at is not None:
            self._silent_at = now
        self._budget_at = now

    def receive(self, datagram: bytes, now: float) -> list[DueSamples]:
        """Takes a datagram; the 16-bit samples that are due because of it."""
        packet = parse_packet(datagram)
        if packet is None or packet.payload_type not in self.laws:
            self.received.malformed += 1
            return [] if packet is None else self._pass_over(packet, now)
        if not MIN_PAYLOAD <= len(packet.payload) <= MAX_PAYLOAD:
            self.received.malformed += 1
            return []
        if not self._within_rate(now):
            self.received.flooded += 1
            return []
        self.received.packets += 1
        self._learn(packet, now)
        under_way = self._heard_at is not None and now < self._heard_at + LATE_S
        self._heard_at = now
        silent, self._silent_at = self._silent_at is not None, None
        behind = _behind(packet.sequence, self._next)
        anew = packet.source != self._source or abs(behind) > MAX_CONCEALED_PACKETS
        if anew or (silent and behind < 0):
            self.received.contradictions += under_way
            # The missing part was already played as silence, or its length is unknown.
            due_samples = self._drain()
            self._restart(packet)
            self._waiting[packet.sequence] = packet
            return due_samples + self._play(now)
        if behind > 0 or packet.sequence in self._waiting:
            self.received.late += 1
            self.received.contradictions += self._contradicts(packet)
            return []
        self._waiting[packet.sequence] = packet
        return self._play(now)

    def handle_timer(self, now: float) -> list[DueSamples]:
        """The samples that are due because time has passed: a gap given up, silence."""
        deadline = self.next_deadline()
        if deadline is not None and now > deadline + HELD_UP_S:
            self._skip(now - deadline)
        due_samples: list[DueSamples] = []
        if self._stalled_at is not None and now >= self._stalled_at + self._late_s:
            due_samples += [*self._give_up(), *self._play(now)]
        if self._heard_at is not None and now >= self._heard_at + self._silent_s:
            due_samples += self._drain()
            if self._silent_at is None:
                self._silent_at = self._heard_at
                self.received.silences += 1
            # Not faster than real time, and only a little after a long delay.
            count = min(int((now - self._silent_at) * SAMPLE_RATE), SAMPLE_RATE)
            self._silent_at = now
            due_samples.append((bytes(2 * count), False))
        return due_samples

    def next_deadline(self) -> float | None:
        """When ``handle_timer`` is due, seconds; None: not before the next packet."""
        deadlines = []
        if self._stalled_at is not None:
            deadlines.append(self._stalled_at + self._late_s)
        if self._silent_at is not None:
            deadlines.append(self._silent_at + PACKET_S)
        elif self._heard_at is not None:
            deadlines.append(self._heard_at + self._silent_s)
        return min(deadlines, default=None)

    # -- inside ---------------------------------------------------------------------------

    def _skip(self, seconds: float) -> None:
        """Skips time that does not count, and a little more for packets that are under way."""
        if self._stalled_at is not None:
            self._stalled_at += seconds + HELD_UP_S
        if self._silent_at is not None:
            self._silent_at += seconds
        elif self._heard_at is not None:
            self._heard_at += seconds + HELD_UP_S

    def _learn(self, packet: Packet, now: float) -> None:
        """Learns how late packets are, and whether the sender stops when it is silent."""
        if self._first_time is None or packet.source != self._source:
            self._first_time, self._newest_time = packet.timestamp, 0
            self._transits.clear()
        time = (packet.timestamp - self._first_time + 0x80000000) % 0x100000000 - 0x80000000
        jump = (time - self._newest_time) / SAMPLE_RATE
        if self._silent_at is not None and abs(jump) > PAUSE_S:
            self._silent_s = PAUSING_SILENT_S
        if abs(jump) > MAX_LATE_S:
            self._transits.clear()  # the timestamps restarted
        self._newest_time = max(self._newest_time, time + len(packet.payload))
        if abs(jump) > MAX_LATE_S:
            self._newest_time = time + len(packet.payload)
        self._packet_s = len(packet.payload) / SAMPLE_RATE
        self._transits.append(now - time / SAMPLE_RATE)
        spread = max(self._transits) - min(self._transits)
        self._late_s = min(max(LATE_S, spread + PACKET_S), MAX_LATE_S)

    def _within_rate(self, now: float) -> bool:
        """Limits the rate of packets (token bucket): a line sends 50 to 100 a second, more in a burst
        after a stall.
        """
        since = 0.0 if self._budget_at is None else now - self._budget_at
        self._budget = min(self._budget + since * MAX_RATE / PACKET_S, MAX_BURST)
        self._budget_at = now
        if self._budget < 1:
            return False
        self._budget -= 1
        return True

    def _pass_over(self, packet: Packet, now: float) -> list[DueSamples]:
        """A packet of the stream with something else than G.711: comfort noise, a telephone-event.

        It has a number of the stream (RFC 3550 5.1), which would be missing otherwise: concealed by samples
        that nobody sent, it would put a modem out of step.
        """
        ahead = -_behind(packet.sequence, self._next)
        if packet.source == self._source and 0 <= ahead <= MAX_CONCEALED_PACKETS:
            self._waiting.setdefault(packet.sequence, replace(packet, payload=b""))
            return self._play(now)
        return []

    def _contradicts(self, packet: Packet) -> bool:
        """Whether the packet with this number that was played, or waits, differs, or was concealed."""
        waiting = self._waiting.get(packet.sequence)
        had = self._played.get(packet.sequence) if waiting is None else waiting.payload
        return had != packet.payload

    def _restart(self, packet: Packet) -> None:
        self._source = packet.source
        self._next = packet.sequence
        self._waiting.clear()
        self._played.clear()
        self._stalled_at = None

    def _play(self, now: float) -> list[DueSamples]:
        due_samples: list[DueSamples] = []
        while True:
            if self._next in self._waiting:
                due_samples += self._take()
            elif len(self._waiting) > max(DEPTH_PACKETS, round(self._late_s / self._packet_s)):
                due_samples += self._give_up()
            else:
                break
        if not self._waiting:
            self._stalled_at = None
        elif self._stalled_at is None or due_samples:
            self._stalled_at = now  # another one is due
        return due_samples

    def _take(self) -> list[DueSamples]:
        """The samples of the packet that is due; none when it has no audio."""
        packet = self._waiting.pop(self._next)
        self._played[self._next] = packet.payload
        if len(self._played) > MAX_PLAYED:
            del self._played[next(iter(self._played))]
        self._next = (self._next + 1) % 0x10000
        if not packet.payload:
            return []
        self._last = decode(packet.payload, self.laws[packet.payload_type])
        return [(self._last, False)]

    def _give_up(self) -> list[DueSamples]:
        """Conceals the missing packets up to the oldest waiting one."""
        due = self._next
        oldest = min(self._waiting, key=lambda sequence: -_behind(sequence, due))
        missing = -_behind(oldest, due)
        self._next = oldest
        self._stalled_at = None
        self.received.lost += missing
        self.received.concealed += missing
        return [(self._last, True)] * missing

    def _drain(self) -> list[DueSamples]:
        due_samples: list[DueSamples] = []
        while self._waiting:
            due_samples += [*self._give_up(), *self._take()]
        return due_samples


class RtpSession:
    """Both directions of one call's audio: sends itself, ``receiver`` receives.

    ``payload`` is the payload type that we send.  ``law``: what a dynamic one (96 to 127) means in this call;
    the static ones need none.
    """

    def __init__(self, payload: int, law: Law | None = None) -> None:
        self.receiver = RtpReceiver()
        self.use(payload, law)
        self._sequence = random.getrandbits(16)
        self._timestamp = random.getrandbits(32)
        self._source = random.getrandbits(32)
        self._first = True

    def use(self, payload: int, law: Law | None = None) -> None:
        """Sends with this payload type from now on, and takes it, too.  ValueError for one without a law."""
        self.payload = payload
        self._law = Law(payload) if law is None else law
        self.receiver.laws[payload] = self._law

    def send(self, samples: bytes) -> bytes:
        """The datagram with these 16-bit samples."""
        payload = encode(samples, self._law)
        packet = Packet(self.payload, self._first, self._sequence, self._timestamp, self._source, payload)
        self._first = False
        self._sequence = (self._sequence + 1) % 0x10000
        self._timestamp = (self._timestamp + len(payload)) % (1 << 32)
        return build_packet(packet)

    def event(self, payload: int, body: bytes, *, first: bool) -> bytes:
        """The datagram with a telephone-event (RFC 4733 2.3); all of one event have its first time."""
        packet = Packet(payload, first, self._sequence, self._timestamp, self._source, body)
        self._sequence = (self._sequence + 1) % 0x10000
        return build_packet(packet)

    def event_over(self, samples: int) -> None:
        """Advances the timestamp by the duration of the event."""
        self._timestamp = (self._timestamp + samples) % (1 << 32)
