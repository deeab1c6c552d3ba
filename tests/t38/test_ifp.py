"""IFP: every packet in both notations, what liberal decoding accepts, and what is refused.

FAXBOX_SWEEP=1 mutates 100,000 packets instead of a few thousand.
"""

from __future__ import annotations

import os
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.t38.ifp import (
    DataField,
    DataPacket,
    DataType,
    FieldType,
    IfpError,
    Indicator,
    IndicatorPacket,
    decode,
    decode_noting_version,
    encode,
)

from .damage import damaged

SWEEP = 100_000 if os.environ.get("FAXBOX_SWEEP") else 4_000
BARE = {f for f in FieldType if f.name.startswith("HDLC") and f is not FieldType.HDLC_DATA}


def fields(version: int):
    kinds = [f for f in FieldType if version or f < 8]
    bare = st.sampled_from(kinds).map(DataField)
    full = st.builds(
        DataField, st.sampled_from([f for f in kinds if f not in BARE]), st.binary(min_size=1, max_size=300)
    )
    return st.lists(bare | full, max_size=6).map(tuple)


def packets(version: int):
    return st.sampled_from([i for i in Indicator if version or i < 16]).map(IndicatorPacket) | st.builds(
        DataPacket, st.sampled_from([d for d in DataType if version or d < 9]), fields(version)
    )


@pytest.mark.parametrize("version", range(4))
def test_what_is_encoded_decodes_to_the_same(version):
    @settings(max_examples=300, deadline=None)
    @given(packets(version))
    def check(packet):
        assert decode_noting_version(encode(packet, version), version) == (packet, version)

    check()


@pytest.mark.parametrize("version", range(4))
def test_padding_by_fec_is_tolerated_only_when_told(version):
    @settings(max_examples=100, deadline=None)
    @given(packets(version), st.integers(1, 60))
    def check(packet, zeros):
        data = encode(packet, version) + bytes(zeros)
        assert decode(data, version, padded=True) == packet

    check()
    with pytest.raises(IfpError):
        decode(b"\x06\x00", version)


# Octets as the Recommendation's ASN.1 gives them in aligned PER, worked out by hand.
@pytest.mark.parametrize(
    ("octets", "version", "packet"),
    [
        ("00", 0, IndicatorPacket(Indicator.NO_SIGNAL)),
        ("04", 0, IndicatorPacket(Indicator.CED)),
        ("06", 3, IndicatorPacket(Indicator.V21_PREAMBLE)),
        ("1e", 0, IndicatorPacket(Indicator.V17_14400_LONG_TRAINING)),
        ("2000", 3, IndicatorPacket(Indicator.V8_ANSAM)),
        ("2180", 3, IndicatorPacket(Indicator.V33_14400_TRAINING)),
        ("c001800000ff", 0, DataPacket(DataType.V21, (DataField(FieldType.HDLC_DATA, b"\xff"),))),
        ("c00120", 0, DataPacket(DataType.V21, (DataField(FieldType.HDLC_FCS_OK),))),
        ("c00110", 2, DataPacket(DataType.V21, (DataField(FieldType.HDLC_FCS_OK),))),
        (
            "d001e0000100ff",
            0,
            DataPacket(DataType.V17_14400, (DataField(FieldType.T4_NON_ECM_DATA, b"\0\xff"),)),
        ),
        (
            "d001b0000100ff",
            3,
            DataPacket(DataType.V17_14400, (DataField(FieldType.T4_NON_ECM_DATA, b"\0\xff"),)),
        ),
        (
            "c00221",
            0,
            DataPacket(DataType.V21, (DataField(FieldType.HDLC_FCS_OK), DataField(FieldType.HDLC_SIG_END))),
        ),
        (
            "c0021040",
            3,
            DataPacket(DataType.V21, (DataField(FieldType.HDLC_FCS_OK), DataField(FieldType.HDLC_SIG_END))),
        ),
        ("e00001c080000055", 3, DataPacket(DataType.V8, (DataField(FieldType.JM_MESSAGE, b"\x55"),))),
    ],
)
def test_packets_have_the_octets_of_the_recommendation(octets, version, packet):
    assert encode(packet, version).hex() == octets
    assert decode(bytes.fromhex(octets), version) == packet


def test_fields_that_each_start_on_an_octet_are_understood():
    """Common implementations align every field; for one without data that is not PER."""
    packet = DataPacket(
        DataType.V21,
        (
            DataField(FieldType.HDLC_FCS_OK),
            DataField(FieldType.HDLC_DATA, b"\xff\xc8"),
            DataField(FieldType.HDLC_FCS_OK_SIG_END),
        ),
    )
    assert decode(bytes.fromhex("c00310800001ffc820"), 3) == packet
    assert decode(bytes.fromhex("c00320800001ffc840"), 0) == packet


@pytest.mark.parametrize(("agreed", "spoken"), [(0, 2), (3, 0)])
def test_a_peer_that_speaks_the_other_notation_is_understood_and_noted(agreed, spoken):
    packet = DataPacket(DataType.V29_9600, (DataField(FieldType.T4_NON_ECM_DATA, b"\x00\x01"),))
    assert decode_noting_version(encode(packet, spoken), agreed) == (packet, spoken)


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        ("", "empty"),
        ("80", "indicator with data"),
        ("21c0", "unknown indicator"),
        ("d2", "unknown data type"),
        ("c0", "no count"),
        ("c0ff", "fragmented count"),
        ("c08400", "256 fields and none there"),
        ("c00180", "no length"),
        ("c001800005ff", "data cut short"),
        ("c001800000ffff", "octets behind"),
    ],
)
def test_what_is_no_packet_is_refused(octets, why):
    for version in (0, 3):
        with pytest.raises(IfpError):
            decode(bytes.fromhex(octets), version)


def test_what_a_version_cannot_say_is_our_mistake():
    for packet in (
        IndicatorPacket(Indicator.V8_ANSAM),
        DataPacket(DataType.V8, ()),
        DataPacket(DataType.V21, (DataField(FieldType.CM_MESSAGE),)),
        DataPacket(DataType.V21, (DataField(FieldType.HDLC_DATA, bytes(65536)),)),
    ):
        with pytest.raises(IfpError):
            encode(packet, 0)


def test_mutated_packets_raise_nothing_but_ifp_error():
    rng = random.Random(38)
    corpus = [encode(IndicatorPacket(i), 3) for i in Indicator]
    for version in (0, 3):
        for data_type in list(DataType)[: 9 if version == 0 else 15]:
            for kinds in ((FieldType.HDLC_DATA, FieldType.HDLC_FCS_OK), (FieldType.T4_NON_ECM_DATA,)):
                items = tuple(DataField(k, b"" if k in BARE else rng.randbytes(40)) for k in kinds)
                corpus += [encode(DataPacket(data_type, items), version)]
    understood = 0
    for _ in range(SWEEP):
        data = damaged(rng, rng.choice(corpus), rng.randint(1, 4))
        try:
            packet, version = decode_noting_version(data, rng.choice((0, 3)))
        except IfpError:
            continue
        understood += 1
        assert decode(encode(packet, max(version, 3)), 3) == packet or version == 0
    assert understood > SWEEP // 50
