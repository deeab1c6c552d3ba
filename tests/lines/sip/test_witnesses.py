"""An address that was not signalled is accepted as the far end only after fax traffic from it."""

from __future__ import annotations

import random
import struct
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from appliance.lines.practice.abilities import Abilities
from appliance.lines.practice.machine import MachineSettings, PracticeMachine
from appliance.lines.sip.witnesses import T38_PACKETS, is_udptl, speaks_rtp, speaks_t38

SECONDS = 8.0


def datagrams_of_spandsp(folder: Path) -> list[bytes]:
    """What spandsp's terminal says when it is called: CED, DIS."""
    machine = PracticeMachine(MachineSettings(Abilities(receive=folder / "nothing.tif")))
    said: list[bytes] = []
    now = 0.0
    machine.start(now)
    while now < SECONDS:
        deadline = machine.next_deadline()
        now = max(now + 0.001, deadline if deadline is not None else SECONDS)
        machine.handle_timer(now)
        said += machine.take_datagrams()
    machine.close()
    return said


def rtp(number: int, source: int = 7) -> bytes:
    return struct.pack("!BBHII", 0x80, 8, number % 0x10000, number * 160, source) + bytes(160)


def test_a_fax_machine_convinces_before_it_has_said_its_dis_and_not_with_one_packet(tmp_path: Path) -> None:
    said = datagrams_of_spandsp(tmp_path)
    needed = next(count for count in range(1, len(said)) if speaks_t38(said[:count]))
    assert T38_PACKETS <= needed < len(said) // 2
    assert all(is_udptl(each) for each in said)


def test_packets_that_do_not_hang_together_never_convince(tmp_path: Path) -> None:
    said = datagrams_of_spandsp(tmp_path)
    random.Random(1).shuffle(said)
    assert not speaks_t38(said[:60])
    assert not speaks_t38([said[0]] * 50)


def test_rtp_is_one_stream_in_a_row() -> None:
    assert speaks_rtp([rtp(number) for number in range(65530, 65545)])
    assert not speaks_rtp([rtp(number) for number in range(3)])
    assert not speaks_rtp([rtp(number, source=number) for number in range(15)])
    assert not speaks_rtp([rtp(number * 500) for number in range(15)])
    assert not is_udptl(rtp(1))


@given(st.lists(st.binary(max_size=60), max_size=80))
def test_random_datagrams_are_not_taken_for_rtp_and_break_no_witness(said: list[bytes]) -> None:
    assert not speaks_rtp(said)
    for each in said:
        is_udptl(each)
    speaks_t38(said)
