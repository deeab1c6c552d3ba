"""The computations of ECM: splitting, loss, requests, repeats, reassembly."""

from __future__ import annotations

import random

import pytest

from appliance.t30.ecm import EcmBlock, EcmPage
from appliance.t30.frames import RCP_FRAME


@pytest.mark.parametrize("frame_octets", [64, 256])
@pytest.mark.parametrize("frames", [1, 2, 255, 256, 257, 512, 513])
def test_a_page_is_whole_after_the_repeats_of_lost_frames(frame_octets: int, frames: int) -> None:
    lots = random.Random(frames)
    data = lots.randbytes(frames * frame_octets - lots.randrange(frame_octets))
    page = EcmPage(data, frame_octets)
    assert page.blocks == -(-frames // 256)
    received = b""
    while True:
        block = EcmBlock()
        wanted = None
        for _ in range(60):
            burst = page.frames(wanted)
            assert burst[-3:] == (RCP_FRAME,) * 3
            for frame in burst[:-3]:
                if lots.random() > 0.3:
                    block.add(frame[3], frame[4:])
            block.announce(len(burst) - 3)
            if not block.missing():
                break
            wanted = block.request().wanted
        received += block.data()
        if page.last_block:
            break
        page.block += 1
    assert received[: len(data)] == data
    assert not received[len(data) :].strip(b"\0")
    assert len(received) == frames * frame_octets


def test_empty_page_is_one_frame() -> None:
    page = EcmPage(b"", 256)
    assert (page.blocks, page.frames_in_block) == (1, 1)


def test_repeat_holds_only_what_is_wanted() -> None:
    page = EcmPage(bytes(10 * 256), 256)
    assert [f[3] for f in page.frames(frozenset({2, 7, 200}))[:-3]] == [2, 7]


def test_block_keeps_the_first_of_two_frames_with_one_number() -> None:
    block = EcmBlock()
    assert block.add(0, b"abcd")
    assert not block.add(0, b"efgh")
    assert not block.add(1, b"")
    assert not block.add(1, bytes(257))
    block.announce(1)
    assert block.data() == b"abcd"


def test_request_asks_for_what_is_missing_and_for_what_is_not_there() -> None:
    block = EcmBlock({0: b"a", 2: b"c"})
    block.announce(1)  # counts less than came
    assert block.missing() == {1}
    assert block.request().wanted == {1, *range(3, 256)}
