"""The owner's time zone holds for both processes."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.exchange import zone
from appliance.exchange.messages import UseZone
from appliance.exchange.process import CallServer
from tests.exchange.test_exchange import Rig, on_rig


@pytest.fixture(autouse=True)
def _systems_zone() -> Iterator[None]:
    zone.set_zone("")  # a box that an earlier test ran in this process may have set another
    yield
    zone.set_zone("")


@pytest.mark.parametrize("name", ["Europe/Berlin", "Pacific/Kiritimati"])
def test_local_times_are_those_of_the_zone_until_it_is_taken_back(name: str) -> None:
    before = time.localtime(0).tm_gmtoff
    zone.set_zone(name)
    assert os.environ["TZ"] == name
    assert time.localtime(0).tm_gmtoff == {"Europe/Berlin": 3600, "Pacific/Kiritimati": -38400}[name]
    zone.set_zone("")
    assert time.localtime(0).tm_gmtoff == before


def test_a_zone_that_the_system_does_not_have_changes_nothing() -> None:
    before = time.localtime(0).tm_gmtoff
    zone.set_zone("Nowhere/At_All")
    assert time.localtime(0).tm_gmtoff == before


def test_the_process_of_the_lines_takes_the_zone_that_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr("appliance.exchange.process.set_zone", told.append)

    async def work() -> None:
        channel: Any = None
        CallServer(channel)._obey(UseZone("Europe/Berlin"))

    asyncio.run(work())
    assert told == ["Europe/Berlin"]


def test_the_zone_is_told_to_a_running_process_and_to_each_later_one(tmp_path: Path) -> None:
    async def work(rig: Rig) -> None:
        sent: list[object] = []
        channel = rig.exchange._channel
        assert channel is not None
        send = channel.send
        channel.send = lambda message: (sent.append(message), send(message))[1]  # type: ignore[method-assign]
        for _ in range(2):
            rig.exchange.use_zone("Europe/Berlin")
        assert sent == [UseZone("Europe/Berlin")]
        assert os.environ["TZ"] == "Europe/Berlin"

    on_rig(tmp_path, work)
