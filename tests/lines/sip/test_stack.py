"""The SIP thread and its objects."""

from __future__ import annotations

import asyncio
import gc
import threading

import pytest

from appliance import limited
from appliance.limited import give_memory_back
from appliance.lines import causes
from appliance.lines.line import Refuse
from appliance.lines.sip import stack
from tests.lines.sip.rig import Box, Outcome, send

HANGS_S = 100.0  # only what hangs takes as long
WAVES = 5
WAVE = 60  # both ends are here: twice as many calls of the stack


def test_calls_die_on_the_sip_thread_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """On another thread the end of a call object takes locks of the stack, and SIP stands still for good."""
    from appliance.lines.sip import signalling

    died: list[str] = []
    monkeypatch.setattr(
        signalling.TrunkCall, "__del__", lambda _: died.append(threading.current_thread().name), raising=False
    )

    async def run() -> list[Outcome]:
        box = Box()
        box.decide = lambda _: Refuse(causes.BUSY)
        await box.start()
        line = await box.line("loop", f"127.0.0.1:{box.port}", calls_at_once=120)
        outcomes: list[Outcome] = []
        async with asyncio.timeout(HANGS_S):
            for _ in range(WAVES):
                outcomes += await asyncio.gather(*(send(line, f"+4930{number}") for number in range(WAVE)))
                gc.collect()
        await box.stop()
        return outcomes

    outcomes = asyncio.run(run())
    gc.collect()
    found = [each.result.cause for each in outcomes]
    assert found.count(causes.BUSY) >= WAVES * WAVE // 2
    assert set(died) == {"sip"}, {name: died.count(name) for name in died}
    assert len(died) >= WAVES * WAVE


def test_memory_is_given_back_once_after_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack, "GIVE_BACK_AFTER_S", 0.2)
    given: list[str] = []

    def give() -> None:
        given.append(threading.current_thread().name)
        give_memory_back()

    monkeypatch.setattr(limited, "give_memory_back", give)

    async def run() -> list[int]:
        box = Box()
        box.decide = lambda _: Refuse(causes.BUSY)
        await box.start()
        line = await box.line("loop", f"127.0.0.1:{box.port}")
        seen = []
        for number in range(3):
            if number:
                await send(line, f"+4930{number}")
                async with asyncio.timeout(HANGS_S):
                    while len(given) < number:
                        await asyncio.sleep(0.05)
            await asyncio.sleep(0.5)
            seen.append(len(given))
        await box.stop()
        return seen

    assert asyncio.run(run()) == [0, 1, 2]
    assert set(given) == {"sip"}
