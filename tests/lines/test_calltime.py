"""The two clocks of a call."""

from __future__ import annotations

import socket

import pytest

from appliance.lines.calltime import SteppedTime


def test_stepped_time_stands_still_between_steps_and_each_alarm_sees_its_own_hour() -> None:
    time, seen = SteppedTime(), []

    def again() -> None:
        seen.append(("again", time.now()))
        if time.now() < 0.05:
            time.at(time.now() + 0.015, again)

    time.at(0.03, lambda: seen.append(("late", time.now())))
    time.at(0.01, again)
    called_off = time.at(0.02, lambda: seen.append(("never", time.now())))
    called_off.cancel()
    assert time.now() == 0.0
    time.step(0.02)
    assert (seen, time.now()) == ([("again", 0.01)], 0.02)
    time.step(0.02)
    assert seen[1:] == [("again", 0.025), ("late", 0.03), ("again", 0.04)]
    assert time.now() == 0.04
    time.step(1.0)
    assert seen[4:] == [("again", pytest.approx(0.055))]


def test_what_has_come_in_is_read_before_time_passes() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with ours, theirs:
        ours.setblocking(False)
        time, seen = SteppedTime(), []
        time.watch(ours, lambda: seen.append((time.now(), ours.recv(10))))
        time.at(0.0, lambda: seen.append((time.now(), b"alarm")))
        theirs.send(b"news")
        time.step(1.0)
        time.unwatch(ours)
        time.step(1.0)
        assert seen == [(0.0, b"news"), (0.0, b"alarm")]
