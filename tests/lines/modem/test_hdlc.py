"""HDLC at the fast rates, where a class-1 modem passes bits and no frames."""

from __future__ import annotations

import random
from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.lines.modem.hdlc import Deframer, bit_stream_pieces
from appliance.t30.dce import MAX_FRAME_OCTETS
from appliance.t30.fcs import fcs_is_right, with_fcs


def bit_stream(frames: Iterable[bytes], *, leading_flags: int, trailing_flags: int) -> bytes:
    return b"".join(bit_stream_pieces(frames, leading_flags=leading_flags, trailing_flags=trailing_flags))


frames_of = st.lists(st.binary(min_size=1, max_size=MAX_FRAME_OCTETS), max_size=6)


def test_the_fcs_of_the_catalogues_check_string_is_right() -> None:
    # CRC-16/X-25 of "123456789" is 0x906E (RFC 1662's FCS-16; reveng catalogue).
    assert with_fcs(b"123456789")[-2:] == (0x906E).to_bytes(2, "little")


@given(frames=frames_of, leading=st.integers(1, 5), cut=st.integers(1, 40))
@settings(max_examples=150, deadline=None)
def test_frames_come_back_from_the_bit_stream(frames: list[bytes], leading: int, cut: int) -> None:
    stream = bit_stream(frames, leading_flags=leading, trailing_flags=2)
    deframer = Deframer()
    got = []
    for start in range(0, len(stream), cut):
        got += deframer.feed(stream[start : start + cut])
    assert got == [(frame, True) for frame in frames]


@given(frames=frames_of, shift=st.integers(1, 7))
@settings(max_examples=60, deadline=None)
def test_frames_come_back_when_the_octets_do_not_start_with_the_flag(frames: list[bytes], shift: int) -> None:
    number = int.from_bytes(bit_stream(frames, leading_flags=2, trailing_flags=3), "little") << shift
    stream = number.to_bytes((number.bit_length() + 7) // 8 + 1, "little")
    assert [f for f in Deframer().feed(stream) if f[1]] == [(frame, True) for frame in frames]


def test_a_spoiled_frame_is_not_right_and_does_not_spoil_the_next() -> None:
    frames = [bytes(range(60)), bytes(range(60, 120)), bytes(range(120, 180))]
    stream = bytearray(bit_stream(frames, leading_flags=3, trailing_flags=3))
    stream[90] ^= 0x04
    got = Deframer().feed(bytes(stream))
    assert [f for f, ok in got if ok] == [frames[0], frames[2]]


def test_a_frame_without_end_is_given_up_at_the_limit() -> None:
    got = Deframer().feed(b"\x7e" + b"\x55" * 5000)
    assert [(len(frame), ok) for frame, ok in got] == [(MAX_FRAME_OCTETS, False)]


def test_noise_yields_no_frame_taken_for_right() -> None:
    noise = random.Random(7).randbytes(200_000)
    # One in 65536 random frames passes a 16-bit FCS; this seed has none.
    assert not [f for f, ok in Deframer().feed(noise) if ok]


@given(data=st.binary(max_size=60))
@settings(max_examples=60, deadline=None)
def test_a_frame_with_its_fcs_is_right(data: bytes) -> None:
    assert fcs_is_right(with_fcs(data)) == bool(data)
