"""UDPTL: octets both ways, and order restored over networks that lose, repeat and reorder.

FAXBOX_SWEEP=1 mutates 100,000 datagrams instead of a few thousand.
"""

from __future__ import annotations

import os
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.t38.settings import ErrorCorrection, T38Settings
from appliance.t38.udptl import Datagram, UdptlError, UdptlSender, build, open_type, parity_of, parse
from appliance.t38.udptl_receiver import GAP_WAIT_S, MAX_HELD, MAX_HISTORY, MAX_JUMP, UdptlReceiver

from .damage import damaged

SWEEP = 100_000 if os.environ.get("FAXBOX_SWEEP") else 4_000

PACKET = st.binary(min_size=1, max_size=200)
DATAGRAMS = st.builds(
    Datagram, st.integers(0, 65535), PACKET, st.lists(PACKET, max_size=8).map(tuple)
) | st.builds(
    Datagram,
    st.integers(0, 65535),
    PACKET,
    st.just(()),
    st.integers(1, 8),
    st.lists(PACKET, min_size=1, max_size=8).map(tuple),
)


@settings(max_examples=300, deadline=None)
@given(DATAGRAMS)
def test_what_is_built_parses_to_the_same(datagram):
    assert parse(build(datagram)) == datagram


@pytest.mark.parametrize("length", [1, 127, 128, 255, 16383, 16384, 20000, 49152, 65400])
def test_open_types_of_every_length_determinant(length):
    content = random.Random(length).randbytes(length)
    datagram = Datagram(7, content)
    assert parse(build(datagram)) == datagram
    assert len(open_type(content)) >= length + (1 if length < 128 else 2)


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        ("", "nothing"),
        ("000001", "cut in the primary"),
        ("0000c1", "fragment without content"),
        ("0000c5" + "00" * 100, "fragment of a size that does not exist"),
    ],
)
def test_what_is_no_datagram_is_refused(octets, why):
    with pytest.raises(UdptlError):
        parse(bytes.fromhex(octets))
    receiver = UdptlReceiver()
    assert receiver.receive(bytes.fromhex(octets), 0.0) == []
    assert receiver.counters.malformed == 1


# Error recovery that makes no sense, behind a primary packet (no-signal, 00) that does.
LYING = [
    ("", "no error recovery"),
    ("01", "padding bits"),
    ("0001", "secondary missing"),
    ("00010500", "secondary cut"),
    ("0003010001", "three secondaries, one and a half there"),
    ("0021" + "0100" * 33, "33 secondaries"),
    ("00ff0100", "more secondaries than can be counted"),
    ("80", "no span"),
    ("8009010101", "span of nine octets"),
    ("80017f7f" + "0100" * 127, "parities over 16,129 packets"),
    ("8001fd010100", "a negative span"),
]


@pytest.mark.parametrize(("recovery", "why"), LYING)
def test_a_sound_primary_is_taken_whatever_its_error_recovery_says(recovery, why):
    octets = bytes.fromhex("00000100" + recovery)
    assert parse(octets) == Datagram(0, b"\0", sound=False)
    receiver = UdptlReceiver()
    assert [a.ifp for a in receiver.receive(octets, 0.0)] == [b"\0"]
    assert (receiver.counters.recovery_ignored, receiver.counters.malformed) == (1, 0)


def test_a_primary_that_is_no_packet_and_lies_about_its_recovery_takes_no_number():
    receiver = UdptlReceiver()
    assert receiver.receive(bytes.fromhex("000001ff0003"), 0.0) == []
    assert receiver.counters.malformed == 1
    assert [a.ifp for a in receiver.receive(bytes.fromhex("000001000000"), 0.1)] == [b"\0"]


@pytest.mark.parametrize("behind", ["00", "ffff", "00" * 60])
@pytest.mark.parametrize("head", ["000101020000", "00010102000101ff", "000101028001010101ff"])
def test_octets_behind_a_datagram_change_nothing(head, behind):
    assert parse(bytes.fromhex(head + behind)) == parse(bytes.fromhex(head))


def test_parity_worked_out_by_hand():
    assert parity_of([b"\x01\x02\x03", b"\xff", b"\x10\x02"]) == b"\xee\x00\x03"


def sender(correction=ErrorCorrection.REDUNDANCY, start=0, **more) -> UdptlSender:
    made = UdptlSender(T38Settings(error_correction=correction, **more))
    made._sequence = start  # a session that has been going on
    return made


def deliver(datagrams: list[tuple[float, bytes]], receiver: UdptlReceiver | None = None):
    """All datagrams at their times, timers in between, then until nothing is held."""
    receiver = receiver or UdptlReceiver()
    arrivals = []
    for at, data in datagrams:
        while (deadline := receiver.next_deadline()) is not None and deadline <= at:
            arrivals += receiver.handle_timer(deadline)
        arrivals += receiver.receive(data, at)
    while (deadline := receiver.next_deadline()) is not None:
        arrivals += receiver.handle_timer(deadline)
    return arrivals, receiver


def packets_of(count: int, seed: int = 0) -> list[bytes]:
    rng = random.Random(seed)
    return [n.to_bytes(3, "big") + rng.randbytes(rng.randint(1, 60)) for n in range(count)]


@pytest.mark.parametrize("start", [0, 65530])
@pytest.mark.parametrize("correction", list(ErrorCorrection), ids=lambda c: c.name)
def test_packets_arrive_in_order_where_the_numbers_wrap(correction, start):
    packets = packets_of(200)
    out = sender(correction, start)
    arrivals, receiver = deliver([(n * 0.03, out.wrap(p)) for n, p in enumerate(packets)])
    assert [a.ifp for a in arrivals] == packets
    assert receiver.counters.lost == 0


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(list(ErrorCorrection)),
    st.integers(0, 65535),
    st.integers(0, 2**32),
    st.tuples(st.floats(0, 0.3), st.floats(0, 0.3), st.floats(0, 0.2)),
)
def test_whatever_the_network_does_order_and_accounts_are_right(correction, start, seed, network):
    """What arrives is a subsequence of what was sent, and every gap in it is declared."""
    loss, twice, jitter = network
    rng = random.Random(seed)
    packets = packets_of(120, seed)
    out = sender(correction, start)
    sent = []
    for n, packet in enumerate(packets):
        data = out.wrap(packet)
        for _ in range((rng.random() >= loss) + (rng.random() < twice)):
            sent.append((n * 0.03 + rng.random() * jitter, data))  # noqa: PERF401
    sent.sort(key=lambda each: each[0])
    arrivals, receiver = deliver(sent)
    position = None
    for arrival in arrivals:
        number = int.from_bytes(arrival.ifp[:3], "big")
        assert arrival.ifp.rstrip(b"\0") == packets[number].rstrip(b"\0")
        assert arrival.padded or arrival.ifp == packets[number]
        if position is not None:
            assert number == position + 1 + arrival.lost_before
        position = number
    assert receiver.counters.lost == sum(a.lost_before for a in arrivals)


@pytest.mark.parametrize("jitter", [0.0, 0.05])
@pytest.mark.parametrize("correction", [ErrorCorrection.REDUNDANCY, ErrorCorrection.FEC])
def test_ten_percent_loss_is_nearly_all_repaired(correction, jitter):
    rng = random.Random(10)
    packets = packets_of(5000)
    out = sender(correction)
    sent = [(n * 0.03 + rng.random() * jitter, out.wrap(p)) for n, p in enumerate(packets)]
    sent = sorted(each for each in sent if rng.random() >= 0.1)
    arrivals, receiver = deliver(sent)
    assert receiver.counters.recovered > 400
    assert len(arrivals) >= 5000 - (5 if correction is ErrorCorrection.REDUNDANCY else 25)


def test_reordering_without_any_protection_is_put_right():
    packets = packets_of(300)
    out = sender(ErrorCorrection.NONE)
    sent = [out.wrap(p) for p in packets]
    for n in range(0, 296, 4):
        sent[n : n + 4] = [sent[n + 2], sent[n], sent[n + 3], sent[n + 1]] if n else sent[:4]
    arrivals, receiver = deliver([(n * 0.03, data) for n, data in enumerate(sent)])
    assert [a.ifp for a in arrivals] == packets
    assert receiver.counters.lost == 0


def test_a_loss_without_protection_is_given_up_after_a_while_and_told():
    out = sender(ErrorCorrection.NONE)
    first, _, third = (out.wrap(p) for p in (b"a", b"b", b"c"))
    receiver = UdptlReceiver()
    receiver.receive(first, 0.0)
    assert receiver.receive(third, 1.0) == []
    assert receiver.next_deadline() == 1.0 + GAP_WAIT_S
    (arrival,) = receiver.handle_timer(1.0 + GAP_WAIT_S)
    assert (arrival.ifp, arrival.lost_before) == (b"c", 1)


def test_the_first_datagram_may_bring_what_was_lost_before_it():
    out = sender()
    out.wrap(b"a"), out.wrap(b"b")
    arrivals, _ = deliver([(0.0, out.wrap(b"c"))])
    assert [a.ifp for a in arrivals] == [b"a", b"b", b"c"]


def test_one_stray_datagram_far_away_changes_nothing():
    out = sender()
    stray = sender(start=30000).wrap(b"x")
    sent = [out.wrap(bytes((n,))) for n in range(20)]
    sent[10:10] = [stray]
    arrivals, _ = deliver([(n * 0.03, data) for n, data in enumerate(sent)])
    assert [a.ifp for a in arrivals] == [bytes((n,)) for n in range(20)]


def test_a_peer_that_starts_anew_is_followed_and_the_break_told():
    old, new = sender(start=5000), sender()
    sent = [old.wrap(bytes((n,))) for n in range(10)] + [new.wrap(bytes((100 + n,))) for n in range(10)]
    arrivals, receiver = deliver([(n * 0.03, data) for n, data in enumerate(sent)])
    assert [a.ifp[0] for a in arrivals] == [*range(10), *range(100, 110)]
    assert [a.lost_before > 0 for a in arrivals] == [n == 10 for n in range(20)]
    assert receiver.counters.restarts == 1


@pytest.mark.parametrize("copies", [1, 3])
@pytest.mark.parametrize("had", [3, 5, 10, 40, 63])
@pytest.mark.parametrize("correction", list(ErrorCorrection), ids=lambda c: c.name)
def test_a_peer_that_starts_anew_within_the_first_64_numbers_is_followed(correction, had, copies):
    old, new = sender(correction), sender(correction)
    sent = [old.wrap(bytes((n,))) for n in range(had)]
    sent += [d for n in range(20) for d in [new.wrap(bytes((100 + n,)))] * copies]
    arrivals, receiver = deliver([(n * 0.03, data) for n, data in enumerate(sent)])
    assert [a.ifp[0] for a in arrivals] == [*range(had), *range(100, 120)]
    assert receiver.counters.restarts == 1


def test_late_copies_of_what_we_have_are_no_restart():
    out = sender()
    sent = [out.wrap(bytes((n,))) for n in range(30)]
    arrivals, receiver = deliver([(n * 0.03, data) for n, data in enumerate(sent + sent[10:25] + sent)])
    assert [a.ifp[0] for a in arrivals] == list(range(30))
    assert receiver.counters.restarts == 0


def test_a_peer_that_counts_from_65535_to_1_repeats_nothing_to_us():
    out = sender(start=65500)
    packets = packets_of(80)
    sent = []
    for packet in packets:
        sent.append(out.wrap(packet))
        out._sequence = out._sequence or 1
    arrivals, receiver = deliver([(n * 0.03, data) for n, data in enumerate(sent)])
    assert [a.ifp for a in arrivals] == packets
    assert receiver.counters.lost == 0


@pytest.mark.parametrize("limit", [40, 72, 100, 150, 200, 400])
@pytest.mark.parametrize("correction", list(ErrorCorrection), ids=lambda c: c.name)
def test_no_datagram_is_above_the_far_ends_limit(correction, limit):
    out = sender(correction, max_datagram=limit)
    packets = [p[: limit - 5] for p in packets_of(100)]
    sent = [out.wrap(p) for p in packets]
    assert max(map(len, sent)) <= limit
    arrivals, _ = deliver([(n * 0.03, data) for n, data in enumerate(sent)])
    assert [a.ifp for a in arrivals] == packets


def test_a_packet_above_the_limit_by_itself_is_our_mistake():
    with pytest.raises(ValueError, match="datagrams of 40"):
        sender(max_datagram=40).wrap(bytes(60))


def test_mutated_datagrams_do_no_harm():
    """Nothing is raised, nothing grows, and what is sound afterwards arrives again."""
    rng = random.Random(1998)
    outs = [sender(correction) for correction in ErrorCorrection]
    receivers = [UdptlReceiver() for _ in outs]
    corpus = [[out.wrap(p) for p in packets_of(60)] for out in outs]
    now = 0.0
    for n in range(SWEEP):
        which = n % 3
        data = damaged(rng, rng.choice(corpus[which]), rng.randint(0, 3))
        now += 0.01
        receiver = receivers[which]
        receiver.receive(data, now)
        receiver.handle_timer(now)
        assert len(receiver._held) <= MAX_JUMP
        assert len(receiver._history) <= MAX_HISTORY
    for out, receiver in zip(outs, receivers, strict=True):
        assert receiver.counters.malformed + receiver.counters.recovery_ignored > SWEEP // 20
        fresh = packets_of(MAX_HELD, seed=3)
        out._sequence = 20000
        arrivals, _ = deliver([(now + n * 0.03, out.wrap(p)) for n, p in enumerate(fresh)], receiver)
        assert [a.ifp for a in arrivals][-len(fresh) + 2 :] == fresh[2:]
