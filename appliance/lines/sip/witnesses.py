"""Decides whether the packets of an address that was not signalled are the media of a fax call.

Behind a NAT a far end's packets come from another address than that in its SDP.  Such an address is accepted
only once its packets are consistent: numbered in succession, with the content that a fax machine sends.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from appliance.lines.g711.rtp import parse_packet
from appliance.t38 import ifp, udptl
from appliance.t38.ifp import IfpError, Indicator, IndicatorPacket
from appliance.t38.udptl import UdptlError

# Packets of T.38 one after the other, and signals (a tone, a preamble, data) among them.
T38_PACKETS, T38_SIGNALS = 4, 2
# How far numbers may jump from one packet to the next where some were lost.
MOST_AHEAD = 16
# Packets of one RTP stream in a row: a fifth of a second.
RTP_PACKETS = 10
_NUMBERS = 0x10000
# RTP and RTCP have version 2 in the two highest bits (RFC 3550 5.1); UDPTL has its sequence number there,
# which begins at 0 and gets so far only after 32,768 packets.
_RTP_VERSION = 2


def is_udptl(datagram: bytes) -> bool:
    """Whether a datagram on the audio port is misdirected T.38."""
    if not datagram or datagram[0] >> 6 == _RTP_VERSION:
        return False
    try:
        return bool(udptl.parse(datagram).primary)
    except UdptlError:
        return False


def speaks_t38(datagrams: Sequence[bytes]) -> bool:
    """Whether these are consistent T.38: a row of numbered packets that a fax machine or gateway sends."""
    numbers: list[int] = []
    signals = 0
    for datagram in datagrams:
        try:
            read = udptl.parse(datagram)
            packet = ifp.decode(read.primary, 0, padded=True)
        except (UdptlError, IfpError):
            return False
        if not numbers or read.sequence != numbers[-1]:  # indicators may come more than once
            numbers.append(read.sequence)
            signals += not (isinstance(packet, IndicatorPacket) and packet.indicator is Indicator.NO_SIGNAL)
    return len(numbers) >= T38_PACKETS and signals >= T38_SIGNALS and _in_a_row(numbers)


def speaks_rtp(datagrams: Sequence[bytes]) -> bool:
    """Whether these are one RTP stream."""
    packets = [parse_packet(datagram) for datagram in datagrams]
    read = [packet for packet in packets if packet is not None]
    if len(read) < len(packets) or len(read) < RTP_PACKETS:
        return False
    one_source = all(packet.source == read[0].source for packet in read)
    return one_source and _in_a_row([packet.sequence for packet in read])


def _in_a_row(numbers: Sequence[int]) -> bool:
    steps = ((after - before) % _NUMBERS for before, after in itertools.pairwise(numbers))
    return all(0 < step <= MOST_AHEAD for step in steps)
