"""Many calls, simultaneous and in succession.

Mostly the box calls itself on loopback (both ends of each call are ours, through the real SIP stack): what is
tested is that calls do not disturb each other and leave nothing behind.  The large sizes run with
FAXBOX_SWEEP=1 (30 at once, 1,000 in a row, some twelve minutes); the small ones always.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import math
import os
import random
import statistics
import weakref
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance.causes import CANCELLED, DELIVERED, RECEIVED
from appliance.lines import causes
from appliance.lines.sip.line import SipLine
from appliance.lines.sip.settings import MediaChoice, Transport
from appliance.t30.parameters import Progress
from tests.lines.g711.far_end import page, tiff_of
from tests.lines.sip.far_end import FarEnd, Medium, Tally
from tests.lines.sip.rig import Box, Footprint, Outcome, Switch, certificate, open_descriptors, send
from tests.lines.sip.sipp import needs_sipp

pytestmark = pytest.mark.realtime

SWEEP = os.environ.get("FAXBOX_SWEEP") == "1"
AT_ONCE = 30 if SWEEP else 8
# Calls in a row that end with the switch to T.38, so many together.
IN_A_ROW = {Transport.UDP: 1000, Transport.TCP: 200, Transport.TLS: 200}
if not SWEEP:
    IN_A_ROW = {Transport.UDP: 200, Transport.TCP: 60, Transport.TLS: 60}
TOGETHER = 20
# Whole faxes in a row, in waves.
WHOLE = {Medium.T38: (1000, 30), Medium.AUDIO: (240, 12)} if SWEEP else {Medium.T38: (8, 8)}
SETTLED = 0.3  # of the faxes
LEAK_KB_A_FAX = 1.0  # the Python objects of one call alone are several kB, its pages in store more
HANGS_S = 100.0  # only what hangs takes as long


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(HANGS_S):
        while not condition():
            await asyncio.sleep(0.05)


async def to_ourselves(
    box: Box, transport: Transport = Transport.UDP, name: str = "loop", **settings: object
) -> SipLine:
    server = f"127.0.0.1:{box.stack.ports[transport]}"
    return await box.line(name, server, transport=transport, **{"calls_at_once": 120, **settings})


@dataclass(frozen=True)
class Left:
    """What is there between two waves of calls."""

    footprint: Footprint
    objects: dict[str, int]  # of the pieces of a call, by their type
    memory_kb: int


async def left_behind() -> Left:
    """Once the tasks of the calls have had their last turn."""
    await asyncio.sleep(0.1)
    footprint = Footprint.now()
    kinds = {
        "TrunkCall",
        "CarriedCall",
        "DatagramDriver",
        "MediaSwitch",
        "T38FaxCall",
        "ToneFaxCall",
        "RtpSession",
    }
    names = (type(each).__name__ for each in gc.get_objects())
    return Left(footprint, dict(Counter(name for name in names if name in kinds)), anonymous_kb())


def anonymous_kb() -> int:
    """Memory of this process that is no file's."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1])
    raise AssertionError("proc(5) without RssAnon")


def trend(samples: list[tuple[float, float]]) -> tuple[float, float]:
    """Slope of the straight line through the samples (least squares), and its standard error."""
    xs, ys = [x for x, _ in samples], [y for _, y in samples]
    slope, intercept = statistics.linear_regression(xs, ys)
    mean = statistics.fmean(xs)
    residuals = sum((y - slope * x - intercept) ** 2 for x, y in samples)
    return slope, math.sqrt(residuals / (len(xs) - 2) / sum((x - mean) ** 2 for x in xs))


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
    assert [each.result.cause for each in sent] == [DELIVERED] * AT_ONCE
    assert [each.result.cause for each in got] == [RECEIVED] * AT_ONCE
    assert all(each.store.rasters()[0].data == page(60).data for each in got)
    left = before.left()
    assert left.clean, left


@pytest.mark.timeout(300)
def test_more_than_two_hundred_calls_are_up_at_once() -> None:
    """Both ends are here: each call takes two places of the stack."""
    calls = 110

    async def run() -> tuple[int, list[Outcome]]:
        async with Box() as box:
            line = await to_ourselves(box, calls_at_once=2 * calls)
            switches = [Switch() for _ in range(calls)]
            sending = [
                asyncio.create_task(send(line, f"+4930{7000 + number}", cancel=switch))
                for number, switch in enumerate(switches)
            ]
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(HANGS_S):
                    while sum(bool(call.facts.answered_at) for call in line._calls) < 2 * calls:
                        await asyncio.sleep(0.05)
            up = sum(bool(call.facts.answered_at) for call in line._calls)
            for switch in switches:
                switch.pull()
            return up, await asyncio.gather(*sending)

    up, outcomes = asyncio.run(run())
    assert up == 2 * calls
    assert [each.result.cause for each in outcomes] == [CANCELLED] * calls


def test_full_trunk_says_so() -> None:
    async def run() -> tuple[Outcome, Outcome]:
        box = Box()
        await box.start()
        line = await to_ourselves(box, calls_at_once=2)
        cancel = Switch()
        first = asyncio.create_task(send(line, "+49301", cancel=cancel))  # takes both: out and in
        await until(lambda: line.state().calls == 2)
        second = await send(line, "+49302")
        cancel.pull()
        outcome = await first
        await box.stop()
        return outcome, second

    first, second = asyncio.run(run())
    assert first.result.cause is CANCELLED
    assert second.result.cause is causes.LINE_FULL


@pytest.mark.timeout(900 if SWEEP else 300)
@pytest.mark.parametrize("transport", Transport)
def test_calls_in_a_row_leave_nothing_behind(transport: Transport, tmp_path: Path) -> None:
    """Calls up to the switch to T.38, then cancelled: the whole signalling, both ends, again and again."""

    async def one(line: SipLine, number: int) -> Outcome:
        cancel = Switch()

        def watch(progress: Progress) -> None:
            if progress.event == "media" and ("kind", "t38") in progress.fields:
                asyncio.get_running_loop().call_soon(cancel.pull)

        return await send(line, f"+4930{number}", cancel=cancel, watch=watch)

    async def run() -> list[Left]:
        tls = certificate(tmp_path)
        box = Box(tcp_port=0, tls_port=0, **tls)
        await box.start()
        line = await to_ourselves(
            box, transport=transport, ca_file=tls["tls_certificate"], t38_calling_s=0.05
        )
        left = []
        for batch in range(0, IN_A_ROW[transport], TOGETHER):
            outcomes = await asyncio.gather(*(one(line, batch + each) for each in range(TOGETHER)))
            assert {each.result.cause for each in outcomes} == {CANCELLED}
            for each in range(TOGETHER):
                await asyncio.wait_for(box.expected(f"+4930{batch + each}"), HANGS_S)
            box.incoming.clear()
            box.knocks.clear()
            del outcomes
            await until(lambda: not box.stack.calls)
            left.append(await left_behind())
        await box.stop()
        return left

    before = Footprint.now()
    left = asyncio.run(run())
    assert not any(each.objects for each in left), left
    assert left[-1].footprint.threads <= left[0].footprint.threads
    assert left[-1].footprint.descriptors <= left[0].footprint.descriptors
    after = before.left()
    assert after.clean, after


@pytest.mark.timeout(1800 if SWEEP else 300)
@needs_sipp
@pytest.mark.parametrize("medium", WHOLE)
def test_whole_faxes_in_a_row_take_no_more_memory(medium: Medium, tmp_path: Path) -> None:
    """Whole faxes to machines that are not ours, all out of one process that lives on.

    With FAXBOX_SWEEP=1 a thousand over T.38 and some in G.711, and memory is measured after each wave.
    The first waves fill pools (SIP keeps the transactions of a call for 32 s after it, RFC 3261 17.2.2
    timer J), so the trend is fitted to what comes after ``SETTLED``.
    """
    pages = [page(60)]
    faxes, wave = WHOLE[medium]
    media = MediaChoice.G711_ONLY if medium is Medium.AUDIO else MediaChoice.BOTH

    async def run() -> tuple[Counter[str], list[Left], int, Tally]:
        far = FarEnd(tmp_path, tiff_of(tmp_path, pages), faxes, 2 * wave, medium)
        async with far:
            box = Box()
            await box.start()
            line = await box.line("far", f"127.0.0.1:{far.port}", calls_at_once=wave, media=media)
            left: list[Left] = []
            ends: Counter[str] = Counter()
            for first in range(0, faxes, wave):
                numbers = [f"+4930{number}" for number in range(first, min(first + wave, faxes))]
                outcomes = await asyncio.gather(*(send(line, number, pages=pages) for number in numbers))
                ends.update(each.result.cause.code for each in outcomes)
                del outcomes
                await until(lambda: not box.stack.calls)
                left.append(await left_behind())
            status, tally = await far.finish()
            await box.stop()
            return ends, left, status, tally

    before = Footprint.now()
    ends, left, status, tally = asyncio.run(run())
    print(dict(ends), status, tally, left[-1].footprint)
    memory = [(min((number + 1) * wave, faxes), each.memory_kb) for number, each in enumerate(left)]
    print(" ".join(f"{done}:{kb}" for done, kb in memory))
    # A machine under load delays packets until some faxes fail, but what arrived is whole all the same.
    assert status == 0, tally
    assert ends["delivered"] > 0
    assert ends["delivered"] <= tally.whole <= tally.calls <= faxes
    assert not any(each.objects for each in left), left
    assert left[-1].footprint.threads <= left[0].footprint.threads
    assert left[-1].footprint.descriptors <= left[0].footprint.descriptors
    after = before.left()
    assert after.clean, after
    if SWEEP:
        assert ends == {"delivered": faxes}
        slope, error = trend([(done, kb) for done, kb in memory if done > SETTLED * faxes])
        print(f"{slope:.2f} ± {error:.2f} kB a fax")
        assert slope + 2 * error < LEAK_KB_A_FAX


def test_pages_of_a_call_are_free_with_its_end() -> None:
    """Not only when Python's collector passes, which may be hundreds of calls later."""

    async def run() -> list[weakref.ref[object]]:
        box = Box()
        await box.start()
        line = await to_ourselves(box)
        cancel = Switch()

        def watch(progress: Progress) -> None:
            if progress.event == "dcs":  # a page is at hand
                asyncio.get_running_loop().call_soon(cancel.pull)

        outcome = await send(line, "+49301", cancel=cancel, watch=watch)
        assert outcome.result.cause is CANCELLED
        held = [weakref.ref(outcome.store), weakref.ref((await box.expected("+49301")).store)]
        del outcome
        box.incoming.clear()
        await until(lambda: not box.stack.calls)
        with contextlib.suppress(TimeoutError):  # the tasks' last turn
            await until(lambda: all(each() is None for each in held))
        alive = [each for each in held if each() is not None]
        await box.stop()
        return alive

    gc.collect()
    gc.disable()
    try:
        assert not asyncio.run(run())
    finally:
        gc.enable()


def test_trend_finds_a_leak_and_nothing_where_there_is_none() -> None:
    noise = random.Random(1)
    flat = [(x, 40_000 + noise.gauss(0, 300)) for x in range(300, 1000, 30)]
    slope, error = trend(flat)
    assert slope + 2 * error < LEAK_KB_A_FAX
    slope, error = trend([(x, y + 3 * x) for x, y in flat])
    assert slope - 2 * error > LEAK_KB_A_FAX


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
    assert all(each.result.cause is not DELIVERED for each in outcomes)
    assert took < HANGS_S
    left = before.left()
    assert left.clean, (left, open_descriptors())
