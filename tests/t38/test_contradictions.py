"""Packets sent in the far end's name are detected; loss, reordering and restarts are not."""

from __future__ import annotations

import random

import pytest

from appliance.t38.settings import ErrorCorrection, T38Settings
from appliance.t38.udptl import Datagram, UdptlSender, build
from appliance.t38.udptl_receiver import UdptlReceiver

EVERY_S = 0.03


def speech(number: int) -> bytes:
    """IFP of the real far end: V.21 data whose content is the number."""
    return bytes((0xC0, 0x01, 0x80, 0x00, 0x00, number & 0xFF))


def forged(number: int) -> bytes:
    return bytes((0xC0, 0x02, 0x80, 0x00, 0x02, 0xFF, 0xC8, 0x31, number & 0x0F))


def bare(number: int, ifp: bytes) -> bytes:
    return build(Datagram(number & 0xFFFF, ifp))


def heard(datagrams: list[bytes]) -> UdptlReceiver:
    receiver = UdptlReceiver()
    for at, datagram in enumerate(datagrams):
        receiver.receive(datagram, at * EVERY_S)
        receiver.handle_timer(at * EVERY_S)
    return receiver


@pytest.mark.parametrize("at", [5, 300, 65_530])
@pytest.mark.parametrize("first", [0, 1, 10, 40, 2000, 30_000])
def test_whatever_numbers_are_forged_the_far_ends_own_packets_contradict_them(at: int, first: int) -> None:
    """``first``: how far the forged numbers are ahead of those that are due."""
    before = [bare(number, speech(number)) for number in range(at - 5, at)]
    attack = [bare(at + first + each, forged(each)) for each in range(8)]
    after = [bare(number, speech(number)) for number in range(at, at + 8)]
    assert heard(before).contradictions.count == 0
    assert heard(before + attack).contradictions.count == 0, "only forged packets so far"
    assert heard(before + attack + after).contradictions.count > 0


@pytest.mark.parametrize("correction", ErrorCorrection)
@pytest.mark.parametrize("seed", range(5))
def test_loss_duplicates_and_reordering_are_no_contradictions(correction: ErrorCorrection, seed: int) -> None:
    dice = random.Random(seed)
    sender = UdptlSender(T38Settings(error_correction=correction))
    sent = [sender.wrap(speech(number)) for number in range(3000)]
    came: list[bytes] = []
    for datagram in sent:
        if dice.random() < 0.05:
            continue
        came += [datagram] * dice.choice((1, 1, 1, 3))
        if dice.random() < 0.1 and len(came) > 1:
            came[-1], came[-2] = came[-2], came[-1]
    receiver = heard(came)
    assert receiver.counters.late_or_duplicate > 500
    # Without protection a piece may come after it was given up: then its signal was heard with a hole, and a
    # frame with a hole confirms nothing.
    assert receiver.contradictions.count <= (2 if correction is ErrorCorrection.NONE else 0)


@pytest.mark.parametrize("had", [3, 20, 60, 200, 5000])
def test_a_restart_of_the_peer_is_no_contradiction(had: int) -> None:
    first = [bare(number, speech(number)) for number in range(had)]
    again = [bare(number, speech(number + 7)) for number in range(had)]
    receiver = heard(first + again)
    assert receiver.counters.restarts == 1
    assert receiver.contradictions.count == 0


def test_no_signal_under_any_number_is_no_contradiction() -> None:
    said = [bare(number, speech(number)) for number in range(100)]
    quiet = [bare(number, b"\0") for number in (99, 50, 98, 0, 30_000, 2)]
    assert heard(said + quiet).contradictions.count == 0
