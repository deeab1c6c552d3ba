"""RTP and G.711 alone."""

from __future__ import annotations

import array
import audioop
import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.lines.g711.codec import Law, decode, encode
from appliance.lines.g711.rtp import (
    DEPTH_PACKETS,
    LATE_S,
    MAX_CONCEALED_PACKETS,
    PACKET_S,
    SILENT_S,
    DueSamples,
    Packet,
    RtpReceiver,
    RtpSession,
    build_packet,
    parse_packet,
)

OCTETS = bytes(range(256))
EVERY_SAMPLE = array.array("h", range(-32768, 32768)).tobytes()


@pytest.mark.parametrize(
    ("law", "reference"), [(Law.MU, audioop.ulaw2lin), (Law.A, audioop.alaw2lin)], ids=["mu", "A"]
)
def test_decoding_is_that_of_the_standard_library(law: Law, reference: object) -> None:
    assert decode(OCTETS, law) == reference(OCTETS, 2)  # type: ignore[operator]


def test_a_law_encoding_is_that_of_the_standard_library() -> None:
    assert encode(EVERY_SAMPLE, Law.A) == audioop.lin2alaw(EVERY_SAMPLE, 2)


def test_mu_law_encoding_is_never_further_off_than_the_standard_librarys() -> None:
    every = array.array("h", EVERY_SAMPLE)
    ours = array.array("h", decode(encode(EVERY_SAMPLE, Law.MU), Law.MU))
    theirs = array.array("h", audioop.ulaw2lin(audioop.lin2ulaw(EVERY_SAMPLE, 2), 2))
    for sample, our, their in zip(every, ours, theirs, strict=True):
        if our != their:  # the standard library drops two bits first
            assert abs(our - sample) <= abs(their - sample) + 4


@pytest.mark.parametrize("law", Law)
def test_octets_survive_decoding_and_encoding(law: Law) -> None:
    # µ-law has two zeros; the negative one comes back as the positive.
    expected = bytes(0xFF if law is Law.MU and octet == 0x7F else octet for octet in OCTETS)
    assert encode(decode(OCTETS, law), law) == expected


@pytest.mark.parametrize(("law", "silence"), [(Law.MU, 0xFF), (Law.A, 0xD5)])
def test_the_octet_for_silence_decodes_to_nearly_zero(law: Law, silence: int) -> None:
    [sample] = struct.unpack("=h", decode(bytes([silence]), law))
    assert abs(sample) <= 8


@given(
    st.builds(
        Packet,
        st.sampled_from([0, 8, 101]),
        st.booleans(),
        st.integers(0, 0xFFFF),
        st.integers(0, 0xFFFFFFFF),
        st.integers(0, 0xFFFFFFFF),
        st.binary(min_size=1, max_size=200),
    )
)
def test_a_packet_is_parsed_as_it_was_built(packet: Packet) -> None:
    assert parse_packet(build_packet(packet)) == packet


@given(st.binary(max_size=300))
def test_no_datagram_breaks_the_parser(datagram: bytes) -> None:
    packet = parse_packet(datagram)
    assert packet is None or 0 < len(packet.payload) < len(datagram)


def test_extension_contributors_and_padding_are_skipped() -> None:
    head = struct.pack("!BBHII", 0x80 | 0x20 | 0x10 | 2, 8, 1, 2, 3) + bytes(8)  # two CSRCs
    extension = struct.pack("!HH", 0xBEDE, 1) + bytes(4)
    packet = parse_packet(head + extension + b"speech" + b"\0\0\3")
    assert packet is not None
    assert packet.payload == b"speech"


def speech(number: int) -> bytes:
    return bytes([0x80 | number % 64]) * 160


def datagram(number: int, start: int = 65530, source: int = 7) -> bytes:
    return build_packet(Packet(8, False, (start + number) & 0xFFFF, number * 160, source, speech(number)))


def heard(number: int) -> bytes:
    return decode(speech(number), Law.A)


def samples(heard: list[DueSamples]) -> bytes:
    return b"".join(each for each, _ in heard)


def test_packets_in_order_are_played_at_once() -> None:
    receiver = RtpReceiver()
    for number in range(20):  # over the end of the sequence numbers
        assert receiver.receive(datagram(number), number * PACKET_S) == [(heard(number), False)]
    assert receiver.received.lost == 0


def test_swapped_packets_are_put_in_order() -> None:
    receiver = RtpReceiver()
    receiver.receive(datagram(0), 0.0)
    assert receiver.receive(datagram(2), 0.02) == []
    assert samples(receiver.receive(datagram(1), 0.03)) == heard(1) + heard(2)
    assert receiver.received.lost == 0


def test_lost_packet_is_repeated_once_the_buffer_is_full() -> None:
    receiver = RtpReceiver()
    receiver.receive(datagram(0), 0.0)
    for number in range(2, 2 + DEPTH_PACKETS):
        assert receiver.receive(datagram(number), number * PACKET_S) == []
    last = 2 + DEPTH_PACKETS
    expected = [(heard(0), True)] + [(heard(number), False) for number in range(2, last + 1)]
    assert receiver.receive(datagram(last), last * PACKET_S) == expected
    assert (receiver.received.lost, receiver.received.concealed) == (1, 1)


def test_a_packet_is_waited_for_as_long_in_a_stream_of_short_ones() -> None:
    def short(number: int) -> bytes:
        return build_packet(Packet(8, False, number, number * 80, 7, speech(number)[:80]))

    receiver = RtpReceiver()
    receiver.receive(short(0), 0.0)
    for number in range(2, 7):
        assert receiver.receive(short(number), number * 0.01) == []
    played = receiver.receive(short(1), 0.065)  # less than LATE_S behind the one after it
    assert played == [(decode(speech(number)[:80], Law.A), False) for number in range(1, 7)]
    assert receiver.received.lost == 0


@pytest.mark.parametrize("foreign", [13, 101], ids=["comfort noise", "telephone-event"])
def test_packet_that_is_not_audio_leaves_no_gap(foreign: int) -> None:
    """Whatever a far end sends in a stream is numbered in one row (RFC 3550 5.1)."""

    def aside(number: int) -> bytes:
        return build_packet(
            Packet(foreign, False, (65530 + number) & 0xFFFF, number * 160, 7, b"\x20\x0a\0\xa0")
        )

    receiver = RtpReceiver()
    played = receiver.receive(datagram(0), 0.0)
    for number in range(1, 90, 3):
        assert receiver.receive(aside(number), number * PACKET_S) == []
        played += receiver.receive(datagram(number + 2), number * PACKET_S)  # overtakes the one before
        played += receiver.receive(datagram(number + 1), number * PACKET_S)
    audio = [number for number in range(91) if number % 3 != 1]
    assert played == [(heard(number), False) for number in audio]
    assert (receiver.received.lost, receiver.received.contradictions) == (0, 0)
    assert receiver.next_deadline() == pytest.approx(88 * PACKET_S + SILENT_S), "only audio is heard"


def test_gap_at_the_end_of_speech_is_given_up_by_time() -> None:
    receiver = RtpReceiver()
    receiver.receive(datagram(0), 0.0)
    receiver.receive(datagram(2), 0.04)
    assert receiver.next_deadline() == pytest.approx(0.04 + LATE_S)
    assert receiver.handle_timer(0.04 + LATE_S) == [(heard(0), True), (heard(2), False)]


def test_late_and_double_packets_are_counted_and_not_played() -> None:
    receiver = RtpReceiver()
    for number in range(5):
        receiver.receive(datagram(number), number * PACKET_S)
    assert receiver.receive(datagram(4), 0.1) == []
    assert receiver.receive(datagram(1), 0.1) == []
    assert receiver.received.late == 2


def test_new_source_and_long_gap_begin_anew() -> None:
    receiver = RtpReceiver()
    receiver.receive(datagram(0), 0.0)
    assert receiver.receive(datagram(1, start=100, source=8), 0.02) == [(heard(1), False)]
    far = 1 + MAX_CONCEALED_PACKETS + 5
    assert receiver.receive(datagram(far, start=100, source=8), 0.04) == [(heard(far), False)]
    assert receiver.received.lost == 0


def test_what_waits_is_played_before_a_new_source() -> None:
    """A border controller that takes the call over in mid page: what it drops counts as lost."""
    receiver = RtpReceiver()
    receiver.receive(datagram(0), 0.0)
    assert receiver.receive(datagram(2), 0.04) == []
    anew = datagram(9, start=100, source=8)
    assert receiver.receive(anew, 0.06) == [(heard(0), True), (heard(2), False), (heard(9), False)]
    assert (receiver.received.lost, receiver.received.concealed) == (1, 1)


def test_line_that_falls_silent_plays_silence_in_real_time() -> None:
    receiver = RtpReceiver()
    receiver.receive(datagram(0), 0.0)
    now, silence = SILENT_S, b""
    while now < 2.0:
        silence += samples(receiver.handle_timer(now))
        deadline = receiver.next_deadline()
        assert deadline is not None
        now = deadline
    assert set(silence) == {0}
    assert len(silence) / 2 / 8000 == pytest.approx(2.0, abs=0.05)
    assert receiver.received.silences == 1
    assert receiver.receive(datagram(1), 2.0) == [(heard(1), False)]


def test_time_in_which_nobody_looked_is_no_silence() -> None:
    """A busy machine serves the timer half a second late: the packets of that time come right after."""
    receiver = RtpReceiver()
    receiver.receive(datagram(0), 0.0)
    assert receiver.handle_timer(0.6) == []
    late = [samples(receiver.receive(datagram(number), 0.61)) for number in range(1, 31)]
    assert late == [heard(number) for number in range(1, 31)]
    assert receiver.received.silences == 0
    deadline = receiver.next_deadline()
    assert deadline is not None
    assert samples(receiver.handle_timer(deadline))  # and what is served in time is silence as ever
    # Silence that is served late is no longer for it.
    assert len(samples(receiver.handle_timer(deadline + 1.0))) <= 2 * 160 * 2


def test_another_drivers_clock_may_begin_anew() -> None:
    session = RtpSession(8)
    session.receiver.receive(datagram(0), 500.0)
    session.receiver.receive(datagram(2), 500.02)
    session.receiver.handle_timer(503.0)
    session.receiver.start_clock(0.0)
    assert samples(session.receiver.handle_timer(0.0)) == b""
    played = b""
    while (deadline := session.receiver.next_deadline()) is not None and deadline <= 1.0:
        played += samples(session.receiver.handle_timer(deadline))
    assert 0 < len(played) <= 16000 + 2 * 320  # a second of silence, the packet and the one before it


def test_a_flood_of_packets_plays_a_bounded_time() -> None:
    receiver = RtpReceiver()
    played = b"".join(samples(receiver.receive(datagram(number), 0.0)) for number in range(2000))
    assert len(played) <= 60 * 320
    assert receiver.received.flooded > 1900


@pytest.mark.parametrize("size", [1, 39, 961, 1400])
def test_odd_sizes_and_foreign_payload_types_are_dropped(size: int) -> None:
    receiver = RtpReceiver()
    assert receiver.receive(build_packet(Packet(8, False, 1, 1, 1, bytes(size))), 0.0) == []
    assert receiver.receive(build_packet(Packet(101, False, 1, 1, 1, bytes(160))), 0.0) == []
    assert receiver.received.malformed == 2


@given(st.lists(st.tuples(st.integers(0, 40), st.floats(0, 0.2)), max_size=60), st.randoms())
def test_what_is_played_is_in_order_and_never_more_than_was_sent(
    arrivals: list[tuple[int, float]], dice: random.Random
) -> None:
    receiver = RtpReceiver()
    now, played = 0.0, 0
    for number, later in arrivals:
        now += later
        played += len(samples(receiver.receive(datagram(number), now)))
        if dice.random() < 0.3:
            played += len(samples(receiver.handle_timer(now)))
    counted = receiver.received
    assert counted.lost == counted.concealed
    assert counted.packets == len(arrivals) - counted.flooded
    # Each packet once, each lost one once, and silence in real time.
    assert played <= 320 * (len(arrivals) + counted.concealed) + 2 * 8000 * (now + 1)


def test_packets_of_a_session_are_numbered_without_a_gap() -> None:
    session = RtpSession(0)
    packets = [parse_packet(session.send(bytes(320))) for _ in range(3)]
    assert all(packet is not None for packet in packets)
    first, second, third = (packet for packet in packets if packet is not None)
    assert first.marker
    assert not second.marker
    assert (third.sequence - first.sequence) & 0xFFFF == 2
    assert (third.timestamp - first.timestamp) & 0xFFFFFFFF == 320
    assert len({first.source, second.source, third.source}) == 1


def _stream(first: int, count: int, payload: int, source: int = 7) -> list[bytes]:
    return [
        build_packet(Packet(8, False, n & 0xFFFF, n * 160, source, bytes([payload]) * 160))
        for n in range(first, first + count)
    ]


@pytest.mark.parametrize("ahead", [0, 3, 40, 20_000])
@pytest.mark.parametrize("source", [7, 8])
def test_a_second_stream_in_the_far_ends_name_is_noticed(ahead: int, source: int) -> None:
    """``ahead``: how far its numbers are from those that are due, ``source`` its SSRC."""
    receiver, now = RtpReceiver(), 0.0
    for datagram in _stream(100, 100, 0x55):
        receiver.receive(datagram, now := now + PACKET_S)
    assert receiver.received.contradictions == 0
    for own, other in zip(_stream(200, 65, 0x55), _stream(200 + ahead, 65, 0x11, source), strict=True):
        receiver.receive(other, now + 0.001)
        receiver.receive(own, now := now + PACKET_S)
    assert receiver.received.contradictions > 50


def test_copies_loss_and_a_new_source_are_no_second_stream() -> None:
    receiver, now, dice = RtpReceiver(), 0.0, random.Random(3)
    came = [each for each in _stream(0, 1000, 0x55) + _stream(7000, 1000, 0x55, 9) if dice.random() > 0.02]
    for datagram in came:
        now += PACKET_S
        for _ in range(dice.choice((1, 1, 2))):
            receiver.receive(datagram, now)
    assert receiver.received.lost > 10
    assert receiver.received.contradictions <= 2
