"""HDLC of V.21: deframing, and the repair of frames that a lost packet cut."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.lines.g711.hdlc import HdlcReceiver, mended, unstuff
from appliance.t30.dce import MAX_FRAME_OCTETS
from appliance.t30.fcs import fcs_is_right, with_fcs

FLAG = "01111110"
FRAMES = st.lists(st.binary(min_size=3, max_size=60), min_size=1, max_size=4)


def fcs(octets: bytes) -> bytes:
    """By shifting bits, independent of the code under test (X.25 2.2.7)."""
    crc = 0xFFFF
    for octet in octets:
        for place in range(8):
            bit = (octet >> place & 1) ^ (crc & 1)
            crc = crc >> 1 ^ (0x8408 if bit else 0)
    return (crc ^ 0xFFFF).to_bytes(2, "little")


def stuffed(octets: bytes) -> str:
    bits, ones = "", 0
    for octet in octets:
        for place in range(8):
            bit = octet >> place & 1
            bits += str(bit)
            ones = ones + 1 if bit else 0
            if ones == 5:
                bits += "0"
                ones = 0
    return bits


def burst(*frames: bytes, flags: int = 8) -> str:
    return FLAG * flags + "".join(stuffed(frame + fcs(frame)) + FLAG for frame in frames)


def hear(bits: str, doubtful: range = range(0)) -> tuple[int, list[tuple[bytes, bool]]]:
    preambles: list[int] = []
    frames: list[tuple[bytes, bool]] = []
    receiver = HdlcReceiver(lambda: preambles.append(1), lambda octets, ok: frames.append((octets, ok)))
    for place, bit in enumerate(bits):
        receiver.put(int(bit), doubtful=place in doubtful)
    return len(preambles), frames


@given(FRAMES)
def test_frames_are_decoded_as_they_were_encoded(frames: list[bytes]) -> None:
    assert hear(burst(*frames)) == (1, [(frame, True) for frame in frames])


@given(st.binary(min_size=1, max_size=80))
def test_unstuffing_undoes_stuffing(octets: bytes) -> None:
    assert unstuff(stuffed(octets)) == octets


@given(st.binary(min_size=1, max_size=50))
def test_fcs_is_that_of_x25(octets: bytes) -> None:
    assert fcs_is_right(octets + fcs(octets))
    assert with_fcs(octets) == octets + fcs(octets)


@given(st.text("01", max_size=600))
def test_no_bits_break_the_receiver(bits: str) -> None:
    for octets, ok in hear(bits)[1]:
        assert not ok or len(octets) >= 3


def test_noise_is_no_preamble() -> None:
    dice = random.Random(1)
    assert hear("".join(dice.choice("01") for _ in range(20000)))[0] <= 1


def test_damaged_frame_is_reported_bad_and_the_next_one_found_after_one_flag() -> None:
    first, second = bytes([0xFF, 0x03, 0x40]) + b"0123456789", bytes([0xFF, 0x13, 0x80, 0x00])
    bits = burst(first, second)
    place = len(FLAG) * 8 + 30
    bits = bits[:place] + ("0" if bits[place] == "1" else "1") + bits[place + 1 :]
    _, frames = hear(bits)
    assert [ok for _, ok in frames] == [False, True]
    assert frames[1][0] == second


def test_abort_loses_the_frame_but_not_the_burst() -> None:
    second = bytes([0xFF, 0x13, 0x84])
    bits = FLAG * 8 + "01010101" + "1" * 9 + "0" + FLAG + stuffed(second + fcs(second)) + FLAG
    assert (second, True) in hear(bits)[1]


@pytest.mark.parametrize("seed", range(60))
def test_hole_of_a_lost_packet_is_mended_wherever_it_falls(seed: int) -> None:
    """Six to nine bits of a burst become anything; what the receiver then reports as right is right."""
    dice = random.Random(seed)
    frames = [bytes([0xFF, 0x03, 0x40]) + dice.randbytes(20), bytes([0xFF, 0x13, 0x80]) + dice.randbytes(10)]
    bits = burst(*frames, flags=10)
    width = dice.randrange(6, 10)
    start = dice.randrange(len(FLAG) * 10, len(bits) - width - len(FLAG))
    hole = "".join(dice.choice("01") for _ in range(width))
    _, heard = hear(bits[:start] + hole + bits[start + width :], range(start, start + width))
    good = [octets for octets, ok in heard if ok]
    assert all(octets in frames for octets in good)
    # A hole over the last flag hides the frame before it; any other is mended whole.
    if start + width <= len(bits) - len(FLAG):
        assert good == frames


def test_bit_more_or_less_than_was_counted_is_mended_too() -> None:
    frame = bytes([0xFF, 0x13, 0xBC]) + bytes(range(32))
    bits = stuffed(frame + fcs(frame))
    whole = frame + fcs(frame)
    assert mended(bits[:90] + "0" * 7 + bits[97:], 90, 7) == (whole,)
    assert mended(bits[:90] + "0" * 6 + bits[97:], 90, 6) == (whole,)
    assert mended(bits[:90] + "0" * 8 + bits[97:], 90, 8) == (whole,)


def test_hole_that_is_too_wide_is_left_alone() -> None:
    frame = bytes([0xFF, 0x13, 0xBC]) + bytes(range(32))
    bits = stuffed(frame + fcs(frame))
    assert mended(bits[:90] + "0" * 30 + bits[120:], 90, 30) == ()


def test_endless_frame_is_cut_off() -> None:
    bits = FLAG * 8 + "01" * 50000 + FLAG
    _, frames = hear(bits)
    assert all(len(octets) <= MAX_FRAME_OCTETS for octets, _ in frames)
