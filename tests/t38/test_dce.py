"""``T38Dce`` against itself over a simulated network, and against packets as other machines send them."""

from __future__ import annotations

import pytest

from appliance.t30.dce import (
    Carrier,
    CarrierOff,
    CarrierOn,
    Data,
    Expect,
    Frame,
    HangUp,
    Receive,
    SendCed,
    SendCng,
    SendEcm,
    SendFrames,
    SendImage,
    SendTcf,
    Sent,
    Tone,
    ToneHeard,
)
from appliance.t38.dce import T38Dce
from appliance.t38.ifp import Indicator, IndicatorPacket, decode, encode
from appliance.t38.packet_sender import KEEPALIVE_QUIET_S
from appliance.t38.settings import ErrorCorrection, RateManagement, T38Settings
from appliance.t38.signals import PAGE_TRAILER_S
from appliance.t38.udptl import Datagram, build, parse

from .network import Network

DIS = bytes((0xFF, 0x13, 0x80, 0x00, 0xCE, 0xF8, 0x00))
CSI = bytes((0xFF, 0x03, 0x40)) + b"123456789 0123456789"
FAST = [carrier for carrier in Carrier if carrier is not Carrier.V21]


def sent_packets(dce: T38Dce) -> list:
    """What the endpoint sends now: indicators, and data packets as they are."""
    packets = [decode(parse(data).primary, 0) for data in dce.take_datagrams()]
    return [p.indicator if isinstance(p, IndicatorPacket) else p for p in packets]


def as_datagram(packet, sequence: int, version: int = 0) -> bytes:
    """An indicator or a packet of the far end."""
    ifp = IndicatorPacket(packet) if isinstance(packet, Indicator) else packet
    return build(Datagram(sequence, encode(ifp, version)))


def carry(order, receive, *, settings=None, network=None, until=600.0):
    """Lets one end send ``order`` to the other: events there, Sent's time, and the network."""
    settings = settings or T38Settings()
    network = network or Network()
    sender, receiver = T38Dce(settings), T38Dce(settings)
    sender.start(0.0)
    receiver.start(0.0)
    receiver.order(receive, 0.0)
    sender.order(order, 0.0)
    events, done = [], []

    def stop():
        events.extend(receiver.take_events())
        done.extend(network.now for event in sender.take_events() if isinstance(event, Sent))
        return bool(done) and network.now > done[0] + 5

    network.run((sender, receiver), stop, until)
    return events, done, network


def test_v21_frames_arrive_between_carrier_on_and_off():
    events, done, _ = carry(SendFrames((CSI, DIS)), Receive(Carrier.V21, Expect.FRAMES))
    assert events == [CarrierOn(Carrier.V21), Frame(CSI, True), Frame(DIS, True), CarrierOff()]
    assert len(done) == 1


@pytest.mark.parametrize("carrier", FAST, ids=lambda c: c.name)
def test_tcf_and_page_data_arrive_octet_for_octet(carrier):
    page = bytes(range(256)) * 5 + b"\x00\x80"
    for order, expect, sent in (
        (SendTcf(carrier, 1000), Expect.TCF, bytes(1000)),
        (SendImage(carrier, False, page), Expect.IMAGE, page),
    ):
        events, _, _ = carry(order, Receive(carrier, expect))
        assert events[0] == CarrierOn(carrier)
        got = b"".join(e.octets for e in events if isinstance(e, Data))
        assert got[: len(sent)] == sent
        assert not any(got[len(sent) :])
        trailer = int(carrier.bit_rate * PAGE_TRAILER_S / 8)
        assert len(got) - len(sent) == (trailer if expect is Expect.IMAGE else 0)
        assert events[-1] == CarrierOff()


@pytest.mark.parametrize("carrier", FAST, ids=lambda c: c.name)
@pytest.mark.parametrize("correction", list(ErrorCorrection), ids=lambda c: c.name)
def test_an_ecm_block_arrives_frame_for_frame(carrier, correction):
    frames = tuple(bytes((0xFF, 0x03, 0x06, n)) + bytes((n,)) * 256 for n in range(20))
    frames += (bytes((0xFF, 0x03, 0x86)),) * 3
    settings = T38Settings(error_correction=correction)
    events, _, _ = carry(SendEcm(carrier, True, frames), Receive(carrier, Expect.FRAMES), settings=settings)
    assert events == [CarrierOn(carrier), *(Frame(f, True) for f in frames), CarrierOff()]


def test_ced_and_cng_are_reported_to_the_engine():
    events, _, _ = carry(SendCed(), Receive(Carrier.V21, Expect.FRAMES))
    assert ToneHeard(Tone.CED) in events
    events, _, _ = carry(SendCng(), Receive(Carrier.V21, Expect.FRAMES), until=15.0)
    assert events.count(ToneHeard(Tone.CNG)) == 4  # from 1.5 s on, one in 3.5 s


def test_a_block_takes_its_line_time_and_not_more():
    """T.30's minimum for the bits: training, flags, stuffed frames; Sent comes then, not later."""
    frames = tuple(bytes((0xFF, 0x03, 0x06, n)) + bytes((0xFF,)) * 256 for n in range(256))
    _, done, _ = carry(SendEcm(Carrier.V17_14400, False, frames), Receive(Carrier.V17_14400, Expect.FRAMES))
    line = 0
    for frame in frames:  # counted bit by bit, the slow way
        ones = 0
        for octet in frame:
            for bit in range(8):
                line += 1
                ones = ones + 1 if octet >> bit & 1 else 0
                if ones == 5:
                    line, ones = line + 1, 0
    minimum = 3344 / 2400 + 0.2 + (line + 256 * (16 + 8)) / 14400
    assert minimum <= done[0] <= minimum * 1.001


@pytest.mark.parametrize("correction", [ErrorCorrection.REDUNDANCY, ErrorCorrection.FEC])
def test_ten_percent_loss_with_jitter_and_duplicates_is_repaired(correction):
    frames = tuple(bytes((0xFF, 0x03, 0x06, n)) + bytes((n,)) * 256 for n in range(256))
    bad = 0
    for seed in range(3):
        network = Network(loss=0.1, duplicate=0.05, jitter_s=0.04, seed=seed)
        events, _, _ = carry(
            SendEcm(Carrier.V17_14400, False, frames),
            Receive(Carrier.V17_14400, Expect.FRAMES),
            settings=T38Settings(error_correction=correction),
            network=network,
        )
        good = [e.octets for e in events if isinstance(e, Frame) and e.ok]
        assert set(good) <= set(frames)  # never a wrong frame that claims to be right
        bad += 256 - len(good)
        assert events[-1] == CarrierOff()
    assert bad <= 3 * 256 * 0.01


def test_local_tcf_is_made_by_the_receiver_at_its_time():
    settings = T38Settings(rate_management=RateManagement.LOCAL_TCF)
    events, done, network = carry(
        SendTcf(Carrier.V29_9600, 1800), Receive(Carrier.V29_9600, Expect.TCF), settings=settings
    )
    assert events == [CarrierOn(Carrier.V29_9600), Data(bytes(1800)), CarrierOff()]
    assert done[0] == pytest.approx(608 / 2400 + 1.5)
    assert all(len(data) < 30 for _, _, data in network.tap)  # nothing but no-signal was sent


def test_hang_up_sends_what_protects_the_last_words_and_closes():
    dce = T38Dce(T38Settings())
    dce.start(0.0)
    dce.order(SendFrames((DIS,)), 0.0)
    while not any(isinstance(e, Sent) for e in dce.take_events()):
        now = dce.next_deadline()
        dce.handle_timer(now)
    dce.take_datagrams()
    dce.order(HangUp(), now)
    assert len(dce.take_datagrams()) == 3
    assert dce.next_deadline() is None


def test_cng_falls_silent_while_the_far_end_is_heard():
    """A gateway would sound it into the answering machine's DIS, which no machine survives."""
    dce = T38Dce(T38Settings())
    dce.order(SendCng(), 0.0)
    while (deadline := dce.next_deadline()) is not None and deadline < 1.7:
        dce.handle_timer(deadline)
    assert set(sent_packets(dce)) == {Indicator.CNG}
    dce.receive_datagram(as_datagram(Indicator.V21_PREAMBLE, 0), 1.7)
    assert sent_packets(dce) == []  # not within the tone
    for at in (2.2, 3.5, 3.8, 5.1):
        dce.handle_timer(at)
    assert set(sent_packets(dce)) == {Indicator.NO_SIGNAL}
    dce.receive_datagram(as_datagram(Indicator.NO_SIGNAL, 1), 6.0)
    while (deadline := dce.next_deadline()) is not None and deadline < 9:
        dce.handle_timer(deadline)
    assert sent_packets(dce) == [Indicator.CNG] * 3


def test_cng_stands_until_something_else_does():
    """One cadence for a gateway to sound, repeated for those that missed it, never ended between tones."""
    dce = T38Dce(T38Settings())
    dce.order(SendCng(), 0.0)
    while (deadline := dce.next_deadline()) is not None and deadline < 20:
        dce.handle_timer(deadline)
    assert set(sent_packets(dce)) == {Indicator.CNG}
    dce.order(Receive(Carrier.V21, Expect.FRAMES), 20.0)
    assert sent_packets(dce) == [Indicator.NO_SIGNAL]


def test_no_cng_into_ced():
    """The answering machine is there: CNG has done its work."""
    dce = T38Dce(T38Settings())
    dce.order(SendCng(), 0.0)
    dce.receive_datagram(as_datagram(Indicator.CED, 0), 1.0)
    while (deadline := dce.next_deadline()) is not None and deadline < 7.5:
        dce.handle_timer(deadline)
    assert Indicator.CNG not in sent_packets(dce)


def test_no_signal_opens_the_path_until_the_far_end_is_heard():
    dce = T38Dce(T38Settings())
    dce.start(0.0)
    dce.order(Receive(Carrier.V21, Expect.FRAMES), 0.0)
    for _ in range(10):
        dce.handle_timer(dce.next_deadline())
    assert sent_packets(dce) == [Indicator.NO_SIGNAL] * 11
    dce.receive_datagram(as_datagram(Indicator.NO_SIGNAL, 0), 5.0)
    assert dce.next_deadline() == 5.0 + KEEPALIVE_QUIET_S


def test_a_lost_indicator_is_made_good_before_the_training_is_over():
    """Not by redundancy, whose next packet is the first data."""
    sender, receiver = T38Dce(T38Settings()), T38Dce(T38Settings())
    receiver.order(Receive(Carrier.V17_14400, Expect.TCF), 0.0)
    sender.order(SendTcf(Carrier.V17_14400, 2700), 0.0)
    sender.take_datagrams()  # lost
    while (now := sender.next_deadline()) < 0.1:
        sender.handle_timer(now)
        for data in sender.take_datagrams():
            receiver.receive_datagram(data, now)
    assert receiver.take_events() == [CarrierOn(Carrier.V17_14400)]


def test_an_order_while_a_signal_is_sent_is_a_bug_of_ours():
    dce = T38Dce(T38Settings())
    dce.order(SendFrames((DIS,)), 0.0)
    for order in (SendCed(), Receive(Carrier.V21, Expect.FRAMES)):
        with pytest.raises(RuntimeError):
            dce.order(order, 0.1)
    dce.order(HangUp(), 0.2)
    assert dce.next_deadline() is None


def test_a_real_tcf_takes_the_place_of_the_one_made_here():
    dce = T38Dce(T38Settings(rate_management=RateManagement.LOCAL_TCF))
    dce.order(Receive(Carrier.V29_9600, Expect.TCF), 0.0)
    dce.receive_datagram(as_datagram(Indicator.V29_9600_TRAINING, 0), 0.1)
    while (deadline := dce.next_deadline()) is not None and deadline < 3:
        dce.handle_timer(deadline)
    assert dce.take_events() == [CarrierOn(Carrier.V29_9600)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"version": 4},
        {"redundancy": 9},
        {"fec_span": 0},
        {"fec_entries": 9},
        {"max_datagram": 31},
        {"max_buffer": -1},
        {"max_bit_rate": 1200},
    ],
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match=r"\d|range"):
        T38Settings(**wrong)
