"""tshark dissects every packet that we send without a complaint and reads in it what we wrote."""

from __future__ import annotations

import random
import xml.etree.ElementTree as ET

import pytest

from appliance.t4.bits import reverse_bits
from appliance.t30.dce import Carrier, Expect, Receive, SendCed, SendEcm, SendFrames, SendImage, SendTcf
from appliance.t38.ifp import (
    DataField,
    DataPacket,
    DataType,
    FieldType,
    IfpPacket,
    Indicator,
    IndicatorPacket,
    decode,
    encode,
)
from appliance.t38.settings import ErrorCorrection, T38Settings
from appliance.t38.udptl import UdptlSender, parse

from .test_dce import CSI, DIS, carry
from .test_fax import ANSWERER, CALLER, chart, fax, with_capabilities
from .tshark import TSHARK, complaints, dissect, fields, write_pcap

pytestmark = pytest.mark.skipif(TSHARK is None, reason="tshark is not installed")


def read_ifp(element: ET.Element) -> IfpPacket:
    """An IFP packet as tshark shows it."""

    def values(name: str) -> list[int]:
        return [int(f.get("show") or "") for f in element.iter("field") if f.get("name") == name]

    if indicator := values("t38.t30_indicator"):
        return IndicatorPacket(Indicator(indicator[0]))
    items = []
    for item in element.iter("field"):
        if item.get("name") == "t38.Data_Field_item_element":
            (kind,) = (f for f in item.iter("field") if f.get("name") == "t38.field_type")
            data = [f.get("value") or "" for f in item.iter("field") if f.get("name") == "t38.field_data"]
            items.append(DataField(FieldType(int(kind.get("show") or "")), bytes.fromhex("".join(data[:1]))))
    return DataPacket(DataType(values("t38.t30_data")[0]), tuple(items))


def check(tmp_path, taps: list[tuple[float, int, bytes]], version: int, *, sense: bool = True) -> None:
    """``sense``: the frames reassembled from the packets must make sense, too."""
    path = tmp_path / "sent.pcap"
    write_pcap(path, taps)
    dissected = dissect(path, version, reassemble=sense)
    assert len(dissected) == len(taps)
    for (_, _, data), protos in zip(taps, dissected, strict=True):
        assert complaints(protos, sense=sense) == []
        ours = parse(data)
        assert int(fields(protos, "t38.seq_number")[0].get("show") or "") == ours.sequence
        (primary,) = fields(protos, "t38.primary_ifp_packet_element")
        assert read_ifp(primary) == decode(ours.primary, version)
        secondaries = [read_ifp(f) for f in fields(protos, "t38.secondary_ifp_packets_item_element")]
        assert secondaries == [decode(packet, version) for packet in ours.secondaries]
        parities = [bytes.fromhex(f.get("value") or "") for f in fields(protos, "t38.fec_data_item")]
        assert parities == list(ours.parities)


@pytest.mark.parametrize("version", [0, 2, 3])
@pytest.mark.parametrize("correction", list(ErrorCorrection), ids=lambda c: c.name)
def test_what_the_endpoint_sends_dissects(tmp_path, version, correction):
    settings = T38Settings(version=version, error_correction=correction)
    taps = []
    fcds = tuple(bytes((0xFF, 0x03, 0x06, n)) + bytes((n, 0xFF)) * 128 for n in range(3))
    orders = [SendCed(), SendFrames((CSI, DIS))]
    for carrier in set(Carrier) - {Carrier.V21}:
        orders += [SendTcf(carrier, 200), SendImage(carrier, True, CSI * 9), SendEcm(carrier, False, fcds)]
    for order in orders:
        carrier = getattr(order, "carrier", Carrier.V21)
        _, _, network = carry(order, Receive(carrier, Expect.FRAMES), settings=settings)
        taps += network.tap
    check(tmp_path, taps, version)


@pytest.mark.parametrize("version", [0, 3])
def test_every_indicator_data_and_field_type_dissects(tmp_path, version):
    """With a frame before each end of one, for which a newer dissector asks."""
    sender = UdptlSender(T38Settings(version=version, error_correction=ErrorCorrection.NONE))
    frame = DataField(FieldType.HDLC_DATA, reverse_bits(DIS))
    rng = random.Random(version)
    packets: list[IfpPacket] = [IndicatorPacket(i) for i in Indicator if version or i < 16]
    for data_type in (d for d in DataType if version or d < 9):
        for kind in (k for k in FieldType if version or k < 8):
            bare = FieldType.HDLC_SIG_END <= kind <= FieldType.HDLC_FCS_BAD_SIG_END
            octets = b"" if bare else rng.randbytes(rng.choice((1, 9, 54, 130)))
            made = frame if kind is FieldType.HDLC_DATA else DataField(kind, octets)
            ends = FieldType.HDLC_FCS_OK <= kind <= FieldType.HDLC_FCS_BAD_SIG_END
            packets.append(DataPacket(data_type, (frame, made) if ends else (made,)))
    check(tmp_path, [(0.0, 0, sender.wrap(encode(p, version))) for p in packets], version, sense=False)


@pytest.mark.parametrize("version", [0, 3])
@pytest.mark.parametrize("correction", list(ErrorCorrection), ids=lambda c: c.name)
@pytest.mark.parametrize("ecm", [True, False], ids=["ECM", "plain"])
def test_every_packet_of_a_whole_fax_dissects(tmp_path, version, correction, ecm):
    settings = T38Settings(version=version, error_correction=correction)
    answerer = with_capabilities(ANSWERER, ecm=ecm)
    _, _, network = fax(CALLER, answerer, pages=[chart(150), chart(50)], settings=settings)
    check(tmp_path, network.tap, version)
