"""Our driver at both ends, each on its own soft modem: sending and polling, and each side's account."""

from __future__ import annotations

from dataclasses import replace

import pytest

from appliance.lines.modem.fax import ModemCall, ModemFax
from appliance.t30.memory import MemoryPages, MemoryStore
from appliance.t30.parameters import CallParameters, Capabilities, Role
from tests.softmodem.exchange import Exchange
from tests.softmodem.fixtures import differing, sample_page
from tests.softmodem.live import AnsweringDriver
from tests.softmodem.world import Cable, World

PAGES = [sample_page(71), sample_page(72)]


@pytest.mark.parametrize("ecm", [True, False], ids=["ecm", "plain"])
@pytest.mark.parametrize("poll", [False, True], ids=["sends", "polls"])
def test_pages_go_between_two_of_our_modem_calls_sent_or_polled(ecm: bool, poll: bool) -> None:
    world = World(Exchange())
    able = replace(Capabilities(), ecm=ecm)
    stores = MemoryStore(), MemoryStore()
    caller = ModemFax(
        CallParameters(Role.CALLS, station_id="1", capabilities=able, poll=poll),
        MemoryPages([] if poll else PAGES),
        stores[0],
        ModemCall(number="2"),
    )
    answerer = ModemFax(
        CallParameters(Role.ANSWERS, station_id="2", capabilities=able, offers_pages=poll),
        MemoryPages(PAGES if poll else []),
        stores[1],
        ModemCall(),
    )
    world.link("1", caller, Cable(split=64, seed=2))
    world.link("2", AnsweringDriver(answerer))
    caller.start(world.now)
    world.run(lambda: caller.result is not None and answerer.result is not None, 200)
    assert caller.result is not None
    assert answerer.result is not None
    assert (caller.hung_up, answerer.hung_up) == (True, True)
    sender, receiver = (answerer, caller) if poll else (caller, answerer)
    assert sender.result is not None
    assert receiver.result is not None
    assert (sender.result.cause.code, receiver.result.cause.code) == ("delivered", "received")
    assert (sender.result.pages_sent, receiver.result.pages_received) == (2, 2)
    assert (caller.result.remote_id, answerer.result.remote_id) == ("2", "1")
    arrived = stores[0 if poll else 1].rasters()
    assert [differing(a, b) for a, b in zip(PAGES, arrived, strict=True)] == [0, 0]
