"""The practice machine's own UDPTL: both ways, lossy, hostile, and against the product's."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.lines.practice.framing import DatagramUnwrapper, DatagramWrapper
from appliance.t38 import udptl, udptl_receiver
from appliance.t38.settings import ErrorCorrection, T38Settings
from tests.interop.error_recovery import ProtectedReceiver, ProtectedSender, Protection, Repair

PACKETS = st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=60)
PROTECTIONS = st.builds(
    Protection,
    repair=st.sampled_from(Repair),
    depth=st.integers(1, 5),
    entries=st.integers(1, 4),
)


@given(PACKETS, PROTECTIONS)
def test_packets_arrive_in_the_order_they_were_sent(packets: list[bytes], protection: Protection) -> None:
    sender, receiver = ProtectedSender(protection), ProtectedReceiver()
    out = [pair for packet in packets for pair in receiver.unwrap(sender.wrap(packet))]
    assert out == list(enumerate(packets))
    assert receiver.lost == 0


@pytest.mark.parametrize("protection", [Protection(Repair.REDUNDANCY, 3), Protection(Repair.FEC, 3, 3)])
def test_three_lost_in_a_row_are_brought_back(protection: Protection) -> None:
    sender, receiver = ProtectedSender(protection), ProtectedReceiver()
    packets = [bytes([number]) * (number + 1) for number in range(40)]
    out = []
    for number, packet in enumerate(packets):
        datagram = sender.wrap(packet)
        if number not in (10, 11, 12, 25):
            out += receiver.unwrap(datagram)
    assert [packet for _, packet in out] == packets
    assert receiver.lost == 0
    assert receiver.repaired == 4


@given(PACKETS)
def test_the_machine_repeats_packets_by_itself(packets: list[bytes]) -> None:
    sender, receiver = DatagramWrapper(), DatagramUnwrapper()
    datagrams = [sender.wrap(packet) for packet in packets]
    out = [pair for datagram in (datagrams[0], *datagrams[4:]) for pair in receiver.unwrap(datagram)]
    assert [packet for _, packet in out] == (packets if len(packets) > 4 else packets[:1])


@given(PACKETS, st.integers(0, 1000))
@settings(max_examples=60)
def test_repeats_and_stragglers_are_dropped(packets: list[bytes], seed: int) -> None:
    chance = random.Random(seed)
    sender, receiver = ProtectedSender(Protection(Repair.NONE)), DatagramUnwrapper()
    datagrams = [sender.wrap(packet) for packet in packets]
    out = []
    for datagram in datagrams:
        out += receiver.unwrap(datagram)
        out += receiver.unwrap(chance.choice(datagrams[: datagrams.index(datagram) + 1]))
    assert out == list(enumerate(packets))


@given(st.binary(max_size=200))
def test_random_octets_yield_few_packets_and_no_error(data: bytes) -> None:
    for receiver in (DatagramUnwrapper(), ProtectedReceiver()):
        assert len(receiver.unwrap(data)) <= 64


@given(PACKETS, st.sampled_from(list(ErrorCorrection)), st.integers(1, 3), st.integers(0, 1000))
@settings(max_examples=60)
def test_the_product_s_datagrams_are_understood_with_losses(
    packets: list[bytes], correction: ErrorCorrection, depth: int, seed: int
) -> None:
    """An independent implementation of the same clause reads what ours writes."""
    ours = udptl.UdptlSender(
        T38Settings(
            error_correction=correction,
            redundancy=depth,
            fec_span=depth,
            fec_entries=depth,
            max_datagram=4000,
        )
    )
    chance, receiver = random.Random(seed), ProtectedReceiver()
    out: dict[int, bytes] = {}
    for number, packet in enumerate(packets):
        datagram = ours.wrap(packet)
        if number == 0 or chance.random() > 0.1:
            out.update(receiver.unwrap(datagram))
    for sequence, packet in out.items():
        # FEC brings a packet back with the padding of its parity.
        assert packet[: len(packets[sequence])] == packets[sequence]
        assert set(packet[len(packets[sequence]) :]) <= {0}


@given(PACKETS, PROTECTIONS, st.integers(0, 1000))
@settings(max_examples=60)
def test_the_product_understands_these_datagrams_with_losses(
    packets: list[bytes], protection: Protection, seed: int
) -> None:
    chance, sender = random.Random(seed), ProtectedSender(protection)
    receiver = udptl_receiver.UdptlReceiver()
    arrivals = []
    now = 0.0
    for number, packet in enumerate(packets):
        datagram = sender.wrap(packet)
        now += 0.03
        if number == 0 or chance.random() > 0.1:
            arrivals += receiver.receive(datagram, now)
    arrivals += receiver.handle_timer(now + 5.0)
    position = -1
    for arrival in arrivals:
        candidates = [n for n in range(position + 1, len(packets)) if arrival.ifp.startswith(packets[n])]
        assert candidates, "a packet that was never sent"
        assert set(arrival.ifp[len(packets[candidates[0]]) :]) <= {0} or len(candidates) > 1
        position = candidates[0]
