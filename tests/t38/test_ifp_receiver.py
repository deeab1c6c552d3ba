"""Packets of other machines in all variants of real networks, and invalid ones."""

from __future__ import annotations

import pytest

from appliance.t4.bits import reverse_bits
from appliance.t30.dce import (
    MAX_FRAME_OCTETS,
    Carrier,
    CarrierMissed,
    CarrierOff,
    CarrierOn,
    Data,
    DataLost,
    Expect,
    Frame,
    Receive,
    SendFrames,
    Sent,
    Tone,
    ToneHeard,
)
from appliance.t38.dce import MAX_HELD_EVENTS, T38Dce
from appliance.t38.ifp import (
    DataField,
    DataPacket,
    DataType,
    FieldType,
    Indicator,
    IndicatorPacket,
    decode,
    encode,
)
from appliance.t38.ifp_receiver import CARRIER_SILENCE_S, IfpReceiver
from appliance.t38.settings import T38Settings
from appliance.t38.udptl import Datagram, build

from .test_dce import CSI, DIS, as_datagram

F = FieldType
LINE_DIS = reverse_bits(DIS)
LOST = "lost"


def data(data_type: DataType, *fields) -> DataPacket:
    return DataPacket(data_type, tuple(DataField(kind, octets) for kind, octets in fields))


def v21(*fields) -> DataPacket:
    return data(DataType.V21, *fields)


def v17(*fields) -> DataPacket:
    return data(DataType.V17_14400, *fields)


def ind(indicator: Indicator) -> IndicatorPacket:
    return IndicatorPacket(indicator)


PREAMBLE, NO_SIGNAL = ind(Indicator.V21_PREAMBLE), ind(Indicator.NO_SIGNAL)
TRAINING = ind(Indicator.V17_14400_LONG_TRAINING)
ON, OFF = CarrierOn(Carrier.V21), CarrierOff()
FAST = CarrierOn(Carrier.V17_14400)


def hear(*packets) -> list:
    hearing = IfpReceiver()
    for number, packet in enumerate(packets):
        if packet is LOST:
            hearing.packets_lost(1)
        else:
            hearing.packet(packet, number * 0.03)
    return hearing.events


def octet_by_octet(frame: bytes, end: FieldType) -> list:
    return [v21((F.HDLC_DATA, frame[n : n + 1])) for n in range(len(frame))] + [v21((end, b""))]


@pytest.mark.parametrize(
    "packets",
    [
        [*octet_by_octet(LINE_DIS, F.HDLC_FCS_OK), v21((F.HDLC_SIG_END, b""))],
        octet_by_octet(LINE_DIS, F.HDLC_FCS_OK_SIG_END),
        [v21((F.HDLC_DATA, LINE_DIS), (F.HDLC_FCS_OK, b"")), NO_SIGNAL],
        [v21((F.HDLC_DATA, LINE_DIS), (F.HDLC_FCS_OK_SIG_END, b""))],
        [v21((F.HDLC_DATA, LINE_DIS[:3]), (F.HDLC_DATA, LINE_DIS[3:]), (F.HDLC_FCS_OK_SIG_END, b""))],
        [v21((F.HDLC_DATA, LINE_DIS)), v21((F.HDLC_FCS_OK, b""), (F.HDLC_SIG_END, b"")), NO_SIGNAL],
        [v21((F.HDLC_DATA, LINE_DIS)), v21((F.HDLC_FCS_OK_SIG_END, b"")), v21((F.HDLC_SIG_END, b""))],
    ],
    ids=["by octets", "end with the frame", "no sig-end", "whole", "several fields", "two ends", "late end"],
)
@pytest.mark.parametrize(
    "first",
    [[PREAMBLE], [PREAMBLE, PREAMBLE], [NO_SIGNAL, PREAMBLE], []],
    ids=["preamble", "twice", "after no-signal", "missing"],
)
def test_a_frame_is_heard_however_it_is_packed(first, packets):
    assert hear(*first, *packets) == [ON, Frame(DIS, True), OFF]


def test_several_frames_in_one_packet_and_in_one_burst():
    both = v21(
        (F.HDLC_DATA, reverse_bits(CSI)),
        (F.HDLC_FCS_OK, b""),
        (F.HDLC_DATA, LINE_DIS),
        (F.HDLC_FCS_OK_SIG_END, b""),
    )
    assert hear(PREAMBLE, both) == [ON, Frame(CSI, True), Frame(DIS, True), OFF]


def test_a_bad_fcs_is_told():
    for end in (F.HDLC_FCS_BAD_SIG_END, F.HDLC_SIG_END):
        assert hear(PREAMBLE, v21((F.HDLC_DATA, LINE_DIS), (end, b""))) == [ON, Frame(DIS, False), OFF]


def test_a_signal_without_an_end_ends_with_the_next():
    assert hear(
        PREAMBLE,
        v21((F.HDLC_DATA, LINE_DIS), (F.HDLC_FCS_OK, b"")),
        TRAINING,
        v17((F.T4_NON_ECM_DATA, b"\x01")),
        PREAMBLE,
    ) == [ON, Frame(DIS, True), OFF, FAST, Data(b"\x80"), OFF, ON]


def test_a_second_burst_on_the_same_carrier_is_one_of_its_own():
    burst = [PREAMBLE, v21((F.HDLC_DATA, LINE_DIS), (F.HDLC_FCS_OK, b""))]
    assert hear(*burst, *burst) == [ON, Frame(DIS, True), OFF, ON, Frame(DIS, True)]


def test_a_carrier_that_falls_silent_goes_off_after_a_while():
    hearing = IfpReceiver()
    hearing.packet(TRAINING, 1.0)
    assert hearing.next_deadline() == 1.0 + CARRIER_SILENCE_S
    hearing.handle_timer(1.0 + CARRIER_SILENCE_S)
    assert hearing.events == [FAST, OFF]
    assert hearing.next_deadline() is None


def test_packets_lost_within_a_frame_spoil_that_frame_only():
    events = hear(
        PREAMBLE,
        v21((F.HDLC_DATA, LINE_DIS[:2])),
        LOST,
        v21((F.HDLC_DATA, LINE_DIS[4:]), (F.HDLC_FCS_OK, b"")),
        v21((F.HDLC_DATA, LINE_DIS), (F.HDLC_FCS_OK_SIG_END, b"")),
    )
    assert events == [ON, Frame(DIS[:2] + DIS[4:], False), Frame(DIS, True), OFF]


def test_packets_lost_between_frames_spoil_one_whose_start_is_missing():
    for start, ok in ((0, True), (1, False), (3, False)):
        frame = v21((F.HDLC_DATA, LINE_DIS[start:]), (F.HDLC_FCS_OK_SIG_END, b""))
        assert hear(PREAMBLE, LOST, frame) == [ON, Frame(DIS[start:], ok), OFF]


def test_an_ecm_frame_after_a_loss_counts_only_at_its_full_length():
    whole = bytes((0xFF, 0x03, 0x06, 7)) + bytes(256)
    for frame, ok in ((whole, True), (whole[:-1], False), (whole[:68], True), (bytes((255, 3, 0x86)), True)):
        packet = v17((F.HDLC_DATA, reverse_bits(frame)), (F.HDLC_FCS_OK, b""))
        assert hear(TRAINING, LOST, packet) == [FAST, Frame(frame, ok)]
        assert hear(TRAINING, packet) == [FAST, Frame(frame, True)]


@pytest.mark.parametrize("end", [F.HDLC_FCS_OK, F.HDLC_FCS_OK_SIG_END, F.HDLC_FCS_BAD, F.HDLC_SIG_END])
@pytest.mark.parametrize("version", [0, 3])
@pytest.mark.parametrize("cut", [0, 1, 4])
def test_the_last_octets_of_a_frame_may_come_with_its_end(end, version, cut):
    """As from gateways of two makers; spelled out, since our own coder would not write it."""
    octets = LINE_DIS[cut:]
    header = 0x80 | end << 4 if version == 0 else 0x80 | end << 3
    ifp = bytes((0xC0, 1, header)) + (len(octets) - 1).to_bytes(2, "big") + octets
    packet = decode(ifp, version)
    hearing = IfpReceiver()
    hearing.packet(PREAMBLE, 0.0)
    if cut:
        hearing.packet(v21((F.HDLC_DATA, LINE_DIS[:cut])), 0.1)
    hearing.packet(packet, 0.2)
    hearing.packet(NO_SIGNAL, 0.3)
    good = end in (F.HDLC_FCS_OK, F.HDLC_FCS_OK_SIG_END)
    assert hearing.events == [ON, Frame(DIS, good), OFF]


def test_a_signal_tells_whether_all_of_its_image_came():
    whole = (TRAINING, v17((F.T4_NON_ECM_DATA, b"\x01")), v17((F.T4_NON_ECM_SIG_END, b"\x02")))
    assert hear(*whole)[-1].complete
    assert not hear(whole[0], whole[1], LOST, whole[2])[-1].complete
    assert not hear(whole[0], LOST, whole[1], whole[2])[-1].complete
    assert not hear(*whole[1:])[-1].complete, "its beginning was not heard"
    assert not hear(*whole[:2], NO_SIGNAL)[-1].complete, "its end was not signalled"


def test_what_a_silence_or_a_break_of_the_numbers_swallowed_is_told_by_time():
    hearing = IfpReceiver()
    hearing.packet(TRAINING, 0.0)
    hearing.packet(v17((F.T4_NON_ECM_DATA, bytes((1,)) * 54)), 1.0)
    hearing.handle_timer(1.0 + CARRIER_SILENCE_S)
    hearing.packets_lost(0x8000)
    hearing.packet(v17((F.T4_NON_ECM_DATA, bytes((1,)) * 54)), 6.0)
    lost = [e.octets for e in hearing.events if isinstance(e, DataLost)]
    assert lost == [5 * 14400 // 8]


def test_a_loss_before_fill_is_told_with_the_first_octet_that_is_not_fill():
    packets = [
        v17((F.T4_NON_ECM_DATA, b"\x01\x02")),
        LOST,
        v17((F.T4_NON_ECM_DATA, bytes(2))),
        v17((F.T4_NON_ECM_DATA, b"\x01")),
    ]
    assert [type(e) for e in hear(TRAINING, *packets)] == [CarrierOn, Data, Data, DataLost, Data]


def test_page_data_goes_on_over_a_loss():
    packets = [
        v17((F.T4_NON_ECM_DATA, b"\x01\x02")),
        LOST,
        v17((F.T4_NON_ECM_DATA, b"\x03")),
        v17((F.T4_NON_ECM_SIG_END, b"\x04")),
    ]
    heard = [Data(b"\x80\x40"), DataLost(2), Data(b"\xc0"), Data(b"\x20")]
    assert hear(TRAINING, *packets) == [FAST, *heard, OFF]


def test_a_loss_within_zeros_is_not_marked():
    """TCF is judged by its zeros, and fill has no rows to lose."""
    packets = [v17((F.T4_NON_ECM_DATA, bytes(2))), LOST, v17((F.T4_NON_ECM_DATA, bytes(3)))]
    assert hear(TRAINING, *packets) == [FAST, Data(bytes(2)), Data(bytes(3))]


def test_a_frame_without_end_is_bounded_and_bad():
    hearing = IfpReceiver()
    for _ in range(1000):
        hearing.packet(v21((F.HDLC_DATA, bytes(1000))), 0.0)
    hearing.packet(v21((F.HDLC_FCS_OK_SIG_END, b"")), 0.0)
    assert hearing.events == [ON, Frame(bytes(MAX_FRAME_OCTETS), False), OFF]


def test_tones_and_foreign_modems_are_told_as_the_nearest_event_or_ignored():
    assert hear(ind(Indicator.CNG)) == [ToneHeard(Tone.CNG)]
    assert hear(ind(Indicator.V8_ANSAM)) == [ToneHeard(Tone.CED)]
    assert hear(ind(Indicator.V33_14400_TRAINING)) == [CarrierMissed()]
    assert hear(data(DataType.V34_PRI_CH, (F.HDLC_DATA, b"x")), ind(Indicator.V34_PRI_CHANNEL)) == []
    assert hear(v21((F.CM_MESSAGE, b"x")), v21((F.HDLC_SIG_END, b""))) == []


def answering_while_we_send():
    """An endpoint that has just sent a burst and its Sent not told yet."""
    dce = T38Dce(T38Settings())
    dce.order(SendFrames((DIS,)), 0.0)
    return dce


def drive(dce: T38Dce, until: float) -> list:
    events = []
    while (deadline := dce.next_deadline()) is not None and deadline <= until:
        dce.handle_timer(deadline)
        events += dce.take_events()
    return events


def test_an_answer_before_our_signal_has_ended_on_the_line_waits_for_the_engine():
    dce = answering_while_we_send()
    dce.receive_datagram(as_datagram(Indicator.CNG, 0), 0.5)  # before our last word: not an answer
    assert drive(dce, 1.12) == []
    dce.receive_datagram(as_datagram(PREAMBLE, 1), 1.125)
    dce.receive_datagram(as_datagram(v21((F.HDLC_DATA, LINE_DIS), (F.HDLC_FCS_OK, b"")), 2), 1.13)
    assert drive(dce, 2.0) == [Sent()]
    dce.order(Receive(Carrier.V21, Expect.FRAMES), 2.0)
    assert dce.take_events() == [ON, Frame(DIS, True)]


def test_what_is_kept_while_we_send_is_bounded():
    dce = answering_while_we_send()
    burst = v21((F.HDLC_DATA, LINE_DIS), (F.HDLC_FCS_OK, b""))
    for number in range(3 * MAX_HELD_EVENTS):
        dce.receive_datagram(as_datagram(burst, number), 0.1)
    assert dce.counters.events_dropped >= MAX_HELD_EVENTS
    assert len(dce._held) <= MAX_HELD_EVENTS + 1


def test_zero_octets_behind_a_packet_are_overlooked():
    """As padding to a length that the gateway likes; a packet with others behind it is none."""
    dce = T38Dce(T38Settings(version=0))
    dce.order(Receive(Carrier.V21, Expect.FRAMES), 0.0)
    burst = [PREAMBLE, v21((F.HDLC_DATA, LINE_DIS)), v21((F.HDLC_FCS_OK_SIG_END, b"")), NO_SIGNAL]
    for number, packet in enumerate(burst):
        ifp = encode(packet, 0) + bytes(1 + number)
        dce.receive_datagram(build(Datagram(number, ifp)), number * 0.03)
    assert dce.take_events() == [ON, Frame(DIS, True), OFF]
    assert dce.counters.malformed == 0
    dce.receive_datagram(build(Datagram(4, encode(PREAMBLE, 0) + b"\x01")), 1.0)
    assert dce.counters.malformed == 1


def test_a_peer_that_speaks_the_other_notation_is_followed():
    """Version 0 was agreed, the peer writes as from version 2 on: seen on real trunks."""
    dce = T38Dce(T38Settings(version=0))
    dce.order(Receive(Carrier.V17_14400, Expect.IMAGE), 0.0)
    frame = v17((F.HDLC_DATA, LINE_DIS), (F.HDLC_FCS_OK, b""))
    packets = [TRAINING, v17((F.T4_NON_ECM_DATA, b"\x01")), frame]
    for number, packet in enumerate(packets):
        dce.receive_datagram(as_datagram(packet, number, version=2), 0.1)
    assert dce.take_events() == [FAST, Data(b"\x80"), Frame(DIS, True)]


@pytest.mark.parametrize(("agreed", "spoken"), [(0, 2), (2, 0)])
def test_frames_in_the_other_notation_are_understood_at_the_latest_when_repeated(agreed, spoken):
    """FCS-OK of the one notation is the end of the signal in the other, octet for octet."""
    dce = T38Dce(T38Settings(version=agreed))
    dce.order(Receive(Carrier.V21, Expect.FRAMES), 0.0)
    burst = [
        PREAMBLE,
        *octet_by_octet(reverse_bits(CSI), F.HDLC_FCS_OK),
        *octet_by_octet(LINE_DIS, F.HDLC_FCS_OK),
        v21((F.HDLC_SIG_END, b"")),
        NO_SIGNAL,
    ]
    for number, packet in enumerate(burst * 2):
        dce.receive_datagram(as_datagram(packet, number, version=spoken), number * 0.03)
    events = dce.take_events()
    second = events[len(events) - 1 - events[::-1].index(Frame(CSI, True)) :]
    assert [e for e in second if isinstance(e, Frame)] == [Frame(CSI, True), Frame(DIS, True)]
    assert second[-1] == OFF


def test_one_signal_cut_short_does_not_change_the_notation():
    dce = T38Dce(T38Settings(version=0))
    dce.order(Receive(Carrier.V21, Expect.FRAMES), 0.0)
    cut = [PREAMBLE, v21((F.HDLC_DATA, LINE_DIS[:4])), v21((F.HDLC_SIG_END, b""))]
    whole = [PREAMBLE, v21((F.HDLC_DATA, LINE_DIS), (F.HDLC_FCS_OK_SIG_END, b""))]
    for number, packet in enumerate(whole + cut * 5 + whole):
        dce.receive_datagram(as_datagram(packet, number), number * 0.03)
    frames = [e for e in dce.take_events() if isinstance(e, Frame)]
    assert frames == [Frame(DIS, True), *[Frame(DIS[:4], False)] * 5, Frame(DIS, True)]
