"""The pace: never too late for a gateway's modem, never too early for its buffer."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.t4.bits import reverse_bits
from appliance.t30.dce import Carrier, SendEcm, SendFrames, SendImage, Sent
from appliance.t30.pace import NOMINAL
from appliance.t38.dce import T38Dce
from appliance.t38.ifp import DataPacket, FieldType, Indicator, IndicatorPacket, decode
from appliance.t38.settings import ErrorCorrection, T38Settings
from appliance.t38.signals import PAGE_TRAILER_S
from appliance.t38.timing import cut_frame
from appliance.t38.udptl import parse


def line_bits(frame: bytes) -> list[int]:
    """Bits on the line before each octet of the frame and at its end, by an HDLC sender bit by bit."""
    fcs = 0xFFFF
    for octet in frame:
        fcs ^= octet
        for _ in range(8):
            fcs = fcs >> 1 ^ (0x8408 if fcs & 1 else 0)
    fcs ^= 0xFFFF
    bits, ones, marks = 0, 0, []
    for octet in frame + fcs.to_bytes(2, "little"):
        marks.append(bits)
        for bit in range(8):
            bits += 1
            ones = ones + 1 if octet >> bit & 1 else 0
            if ones == 5:
                bits, ones = bits + 1, 0
    return [*marks[:-2], bits + 8]


@settings(max_examples=200, deadline=None)
@given(
    st.binary(min_size=1, max_size=264) | st.integers(1, 264).map(lambda n: b"\xff" * n), st.integers(1, 80)
)
def test_every_piece_of_a_frame_has_its_exact_place(frame, octets):
    cut = cut_frame(frame, octets)
    assert reverse_bits(b"".join(piece for _, piece in cut.pieces)) == frame
    marks = line_bits(frame)
    assert cut.line_bits == marks[-1]
    assert [at for at, _ in cut.pieces] == marks[:-1:octets]


def sent_in_time(order, correction=ErrorCorrection.REDUNDANCY, lateness=lambda: 0.0):
    """All packets of one order with the times they left, and when Sent came."""
    dce = T38Dce(T38Settings(error_correction=correction))
    dce.order(order, 0.0)
    packets, ended = [], None
    while ended is None:
        now = dce.next_deadline()
        dce.handle_timer(now + lateness())
        packets += [(now, decode(parse(d).primary, 0)) for d in dce.take_datagrams()]
        ended = now if Sent() in dce.take_events() else None
    return packets, ended


@pytest.mark.parametrize("carrier", list(Carrier), ids=lambda c: c.name)
def test_a_gateway_never_runs_dry_and_needs_no_more_than_the_lead(carrier):
    """A gateway starts its modem with the indicator, plays at the line rate and must always have data."""
    rng = random.Random(carrier.bit_rate)
    frames = tuple(bytes((0xFF, 0x03, 0x06)) + rng.randbytes(40) for _ in range(8))
    if carrier is Carrier.V21:
        order, flags = SendFrames(frames), 0.0
    else:
        order, flags = SendEcm(carrier, True, frames), 0.2
    packets, ended = sent_in_time(order)
    training = {
        "V.21": 1.0,
        "V.27ter": 1132 / (1200 if carrier.bit_rate == 2400 else 1600),
        "V.29": 608 / 2400,
        "V.17": 342 / 2400,
    }[carrier.modulation.value]
    needed = []  # when each octet's first bit leaves the gateway's modem
    line = training + flags
    for frame in frames:
        marks = line_bits(frame)
        needed += [line + mark / carrier.bit_rate for mark in marks[:-1]]
        line += marks[-1] / carrier.bit_rate
    have = [
        at
        for at, packet in packets
        if isinstance(packet, DataPacket)
        for item in packet.fields
        for _ in item.octets
    ]
    assert len(have) == len(needed)
    early = [need - at for need, at in zip(needed, have, strict=True)]
    assert min(early) >= NOMINAL.lead_s - 1e-6
    assert max(early) <= NOMINAL.lead_s + 0.06  # one packet's worth
    assert ended == pytest.approx(line)


def test_page_data_keeps_the_rate_and_the_packets_their_size():
    packets, ended = sent_in_time(SendImage(Carrier.V17_14400, True, bytes(14400 // 8 * 20)))
    assert ended == pytest.approx(342 / 2400 + 20 + PAGE_TRAILER_S)
    times = [at for at, p in packets if isinstance(p, DataPacket)]
    gaps = [b - a for a, b in pairwise(times)]
    assert max(gaps) == pytest.approx(0.030)
    assert min(gaps) == pytest.approx(0.030)


def test_a_late_driver_catches_up():
    """Lateness of one packet does not move the next."""
    rng = random.Random(7)
    order = SendImage(Carrier.V17_14400, True, bytes(14400 // 8 * 5))
    _, punctual = sent_in_time(order)
    _, late = sent_in_time(order, lateness=lambda: rng.random() * 0.05)
    assert late == pytest.approx(punctual)


@pytest.mark.parametrize("correction", list(ErrorCorrection), ids=lambda c: c.name)
def test_an_indicator_goes_out_three_times_with_one_number(correction):
    dce = T38Dce(T38Settings(error_correction=correction))
    dce.order(SendFrames((b"\xff\x13\x4f",)), 0.0)
    dce.handle_timer(0.02)
    dce.handle_timer(0.04)
    datagrams = [parse(d) for d in dce.take_datagrams()]
    assert {d.sequence for d in datagrams} == {0}
    assert [decode(d.primary, 0) for d in datagrams] == [IndicatorPacket(Indicator.V21_PREAMBLE)] * 3


def test_the_end_of_a_signal_is_followed_by_packets_that_repeat_it():
    packets, ended = sent_in_time(SendFrames((b"\xff\x13\x4f",)))
    assert packets[-1][1].fields[-1].kind is FieldType.HDLC_FCS_OK_SIG_END
    dce = T38Dce(T38Settings())
    dce.order(SendFrames((b"\xff\x13\x4f",)), 0.0)
    datagrams = []
    while (now := dce.next_deadline()) is not None and now < ended + 0.05:
        dce.handle_timer(now)
        datagrams += [(now, parse(d)) for d in dce.take_datagrams()]
    behind = [d for at, d in datagrams if at >= ended]
    assert len(behind) == 3
    assert all(decode(d.primary, 0) == IndicatorPacket(Indicator.NO_SIGNAL) for d in behind)
    assert any(decode(p, 0) == packets[-1][1] for p in behind[-1].secondaries)
