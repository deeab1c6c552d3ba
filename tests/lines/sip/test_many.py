"""Many calls: at once, and one after the other.

The box calls itself on loopback (both ends of each call are ours, through the real SIP stack): what is
tested is that calls do not disturb each other and leave nothing behind.  The large sizes run with
FAXBOX_SWEEP=1 (30 at once, 1,000 in a row); the small ones always.
"""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Callable
from pathlib import Path

from appliance import causes
from appliance.lines.line import CancelSwitch
from appliance.lines.sip.line import SipLine
from appliance.lines.sip.settings import MediaChoice
from tests.lines.g711.far_end import page
from tests.lines.sip.rig import Box, Footprint, Outcome, open_descriptors, send

SWEEP = os.environ.get("FAXBOX_SWEEP") == "1"
AT_ONCE = 30 if SWEEP else 8
IN_A_ROW = 1000 if SWEEP else 20
TRANSACTIONS_S = 40.0
HANGS_S = 100.0  # only what hangs takes as long


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(HANGS_S):
        while not condition():
            await asyncio.sleep(0.05)


async def to_ourselves(box: Box, name: str = "loop", **settings: object) -> SipLine:
    return await box.line(name, f"127.0.0.1:{box.port}", **{"channels": 120, **settings})


def resident_kb() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


def test_many_faxes_at_once_are_all_delivered() -> None:
    async def run() -> tuple[list[Outcome], list[Outcome]]:
        box = Box()
        await box.start()
        line = await to_ourselves(box)
        numbers = [f"+4930{7000 + number}" for number in range(AT_ONCE)]
        sent = await asyncio.gather(*(send(line, number) for number in numbers))
        got = [await asyncio.wait_for(box.expected(number), HANGS_S) for number in numbers]
        assert line.state().calls == 0
        await box.stop()
        return list(sent), got

    before = Footprint.now()
    sent, got = asyncio.run(run())
    assert [each.result.cause for each in sent] == [causes.DELIVERED] * AT_ONCE
    assert [each.result.cause for each in got] == [causes.RECEIVED] * AT_ONCE
    assert all(each.store.rasters()[0].data == page(60).data for each in got)
    left = before.left()
    assert left.clean, left


def test_full_trunk_says_so() -> None:
    async def run() -> tuple[Outcome, Outcome]:
        box = Box()
        await box.start()
        line = await to_ourselves(box, channels=2)
        cancel = CancelSwitch()
        first = asyncio.create_task(send(line, "+49301", cancel=cancel))  # takes both: out and in
        await until(lambda: line.state().calls == 2)
        second = await send(line, "+49302")
        cancel.pull()
        outcome = await first
        await box.stop()
        return outcome, second

    first, second = asyncio.run(run())
    assert first.result.cause is causes.CANCELLED
    assert second.result.cause is causes.LINE_FULL


def test_calls_in_a_row_leave_nothing_behind() -> None:
    """Calls up to the switch to T.38, then cancelled: the whole signalling, again and again."""

    async def one(line: SipLine, number: int) -> Outcome:
        cancel = CancelSwitch()

        def watch(progress: object) -> None:
            if getattr(progress, "event", "") == "media" and ("kind", "t38") in getattr(
                progress, "fields", ()
            ):
                asyncio.get_running_loop().call_soon(cancel.pull)

        return await send(line, f"+4930{number}", cancel=cancel, watch=watch)

    async def run() -> tuple[list[Footprint], list[int]]:
        box = Box()
        await box.start()
        line = await to_ourselves(box, ask_t38_calling_s=0.05)
        footprints, sizes = [], []
        together = 10
        half = IN_A_ROW // 2 // together * together
        for batch in range(0, IN_A_ROW, together):
            outcomes = await asyncio.gather(*(one(line, batch + each) for each in range(together)))
            assert {each.result.cause for each in outcomes} == {causes.CANCELLED}
            for each in range(together):
                await asyncio.wait_for(box.expected(f"+4930{batch + each}"), HANGS_S)
            box.incoming.clear()
            box.knocks.clear()
            del outcomes
            await until(lambda: not box.stack.calls)
            footprints.append(Footprint.now())
            if SWEEP and batch + together in (half, IN_A_ROW):
                # SIP keeps a call's transactions for 32 s after it (RFC 3261 17.2.2, timer J).
                await asyncio.sleep(TRANSACTIONS_S)
                gc.collect()
                sizes.append(resident_kb())
        await box.stop()
        return footprints, sizes

    before = Footprint.now()
    footprints, sizes = asyncio.run(run())
    assert footprints[-1].threads <= footprints[0].threads
    assert footprints[-1].descriptors <= footprints[0].descriptors
    if SWEEP:
        # The first half fills pools; the second finds them filled.
        assert sizes[1] - sizes[0] < 4 * 1024, sizes
    left = before.left()
    assert left.clean, left


def test_stopping_the_line_ends_its_calls_and_lets_go_of_everything() -> None:
    async def run() -> tuple[list[Outcome], float]:
        box = Box()
        await box.start()
        line = await to_ourselves(box, media=MediaChoice.T38_ONLY)
        tasks = [asyncio.create_task(send(line, f"+4930{number}")) for number in range(4)]
        await until(lambda: line.state().calls == 8)
        began = asyncio.get_running_loop().time()
        await box.stop()
        took = asyncio.get_running_loop().time() - began
        return [await task for task in tasks], took

    before = Footprint.now()
    outcomes, took = asyncio.run(run())
    assert all(each.result.cause is not causes.DELIVERED for each in outcomes)
    assert took < HANGS_S
    left = before.left()
    assert left.clean, (left, open_descriptors())
