"""HDLC frames: known octets, round trips, hostile octets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.t30.frames import (
    FRAMES_IN_BLOCK,
    PAGE_ENDS,
    Fcf,
    FrameError,
    FrameMap,
    HdlcFrame,
    PartialPage,
    UnknownCommandError,
    burst,
    decode_ident,
    encode_fcd,
    encode_ident,
)

# As T.30 5.3.6.1 prints them, first bit on the line leftmost, X as 0.
PRINTED = {
    "DIS": "00000001",
    "CSI": "00000010",
    "NSF": "00000100",
    "DTC": "10000001",
    "CIG": "10000010",
    "NSC": "10000100",
    "PWD": "10000011",
    "SEP": "10000101",
    "PSA": "10000110",
    "DCS": "01000001",
    "TSI": "01000010",
    "NSS": "01000100",
    "SUB": "01000011",
    "SID": "01000101",
    "CTC": "01001000",
    "CFR": "00100001",
    "FTT": "00100010",
    "CTR": "00100011",
    "EOM": "01110001",
    "MPS": "01110010",
    "EOP": "01110100",
    "PRI_EOM": "01111001",
    "PRI_MPS": "01111010",
    "PRI_EOP": "01111100",
    "PPS": "01111101",
    "EOR": "01110011",
    "RR": "01110110",
    "MCF": "00110001",
    "RTP": "00110011",
    "RTN": "00110010",
    "PIP": "00110101",
    "PIN": "00110100",
    "PPR": "00111101",
    "RNR": "00110111",
    "ERR": "00111000",
    "FDM": "00111111",
    "DCN": "01011111",
    "CRP": "01011000",
    "FCD": "01100000",
    "RCP": "01100001",
}


@pytest.mark.parametrize("name", PRINTED)
def test_codes_are_those_of_the_recommendation(name: str) -> None:
    assert Fcf[name].value == int(PRINTED[name][::-1], 2)


def test_no_two_codes_are_alike() -> None:
    assert len({f.value for f in Fcf}) == len(Fcf)


frames = st.builds(
    lambda fcf, fif, x, final: HdlcFrame(fcf, fif, x and fcf not in NO_X, final),
    st.sampled_from(Fcf),
    st.binary(max_size=60),
    st.booleans(),
    st.booleans(),
)
NO_X = {Fcf.DIS, Fcf.CSI, Fcf.NSF, Fcf.DTC, Fcf.CIG, Fcf.NSC, Fcf.PWD, Fcf.SEP, Fcf.PSA, Fcf.CIA, Fcf.ISP}
NO_X |= {Fcf.FCD, Fcf.RCP}


@given(frames)
def test_a_frame_is_decoded_as_it_was_encoded(frame: HdlcFrame) -> None:
    assert HdlcFrame.decode(frame.encode()) == frame


@given(st.binary(max_size=300))
def test_any_octets_decode_or_are_refused(octets: bytes) -> None:
    try:
        frame = HdlcFrame.decode(octets)
    except FrameError:
        return
    assert frame.encode() == octets


@pytest.mark.parametrize("octets", ["", "ff", "ff13", "fe1380", "ff0380ff"[:4], "ff9380", "ff1300"])
def test_octets_that_are_no_frame_raise_a_frame_error(octets: str) -> None:
    with pytest.raises(FrameError):
        HdlcFrame.decode(bytes.fromhex(octets))


def test_only_a_final_frame_with_an_unknown_code_is_an_unknown_command() -> None:
    with pytest.raises(UnknownCommandError):
        HdlcFrame.decode(bytes.fromhex("ff1300"))
    with pytest.raises(FrameError) as error:
        HdlcFrame.decode(bytes.fromhex("ff0300"))
    assert not isinstance(error.value, UnknownCommandError)


def test_dis_has_no_x_bit() -> None:
    with pytest.raises(ValueError, match="X bit"):
        HdlcFrame(Fcf.DIS, x=True)


def test_only_the_last_frame_of_a_burst_is_final() -> None:
    coded = burst(HdlcFrame(Fcf.NSF), HdlcFrame(Fcf.CSI), HdlcFrame(Fcf.DIS))
    assert [c[1] for c in coded] == [0x03, 0x03, 0x13]


def test_identification_is_sent_last_digit_first_and_padded() -> None:
    # TSB-85 prints this one, first bit leftmost: 9C 1C EC ... D4 04 04 ...
    printed = "9c1cec6cac2ccc4c8c0cd4" + "04" * 9
    octets = bytes(int(f"{o:08b}"[::-1], 2) for o in bytes.fromhex(printed))
    assert encode_ident("+0123456789") == octets
    assert decode_ident(octets) == "+0123456789"


@given(st.text("+0123456789 ABCxyz#*-", max_size=20))
def test_an_identification_is_decoded_as_it_was_encoded(text: str) -> None:
    assert decode_ident(encode_ident(text)) == text.strip()


@given(st.text(max_size=40))
def test_identification_of_any_text_is_twenty_octets(text: str) -> None:
    assert len(encode_ident(text)) == 20


@given(st.binary(max_size=300))
def test_hostile_identification_is_short_and_printable(fif: bytes) -> None:
    text = decode_ident(fif)
    assert len(text) <= 20
    assert text.isascii()
    assert text.isprintable()


parts = st.builds(
    PartialPage,
    st.sampled_from([None, *sorted(PAGE_ENDS, key=lambda f: f.name)]),
    st.integers(0, 255),
    st.integers(0, 255),
    st.integers(1, 256),
)


@given(parts, st.booleans())
def test_a_pps_is_decoded_as_it_was_encoded(part: PartialPage, x: bool) -> None:
    assert PartialPage.decode(part.encode(x)) == part


@pytest.mark.parametrize("fif", ["", "00", "000000", "8c000000"])
def test_an_invalid_pps_is_refused(fif: str) -> None:
    with pytest.raises(FrameError):
        PartialPage.decode(bytes.fromhex(fif))


@given(st.frozensets(st.integers(0, FRAMES_IN_BLOCK - 1)))
def test_a_frame_map_is_decoded_as_it_was_encoded(wanted: frozenset[int]) -> None:
    fif = FrameMap(wanted).encode()
    assert len(fif) == 32
    assert FrameMap.decode(fif) == FrameMap(wanted)


@given(st.binary(max_size=100))
def test_hostile_frame_map_stays_within_the_block(fif: bytes) -> None:
    assert all(0 <= n < FRAMES_IN_BLOCK for n in FrameMap.decode(fif).wanted)


def test_an_fcd_frame_has_its_number_before_the_data() -> None:
    assert encode_fcd(5, b"\x01\x02") == bytes.fromhex("ff0306050102")
