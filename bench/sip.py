"""Calls over SIP: processor time with T.38 and in G.711, the time to T.38, the memory of a call.

One process runs only the box's side of the calls: signalling, fax, and in G.711 the modems. sipp signals for
the far end, and spandsp receives in another process.  In real time over loopback.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from appliance.lines import causes
from appliance.lines.datagram_driver import Pacing
from appliance.lines.line import OutgoingCall, Refuse
from appliance.lines.sip.errors import SipUnavailableError, pjsua2_flaw
from appliance.lines.sip.line import SipLine
from appliance.lines.sip.settings import MediaChoice, SipSettings, SipTrunk
from appliance.lines.sip.stack import SipStack
from appliance.t4.page import CodedPage
from appliance.t4.tiff import FaxTiff, write_tiff
from appliance.t30.memory import MemoryOwner
from appliance.t30.parameters import CallParameters, Progress, Role
from tests.lines.sip.far_end import ASKS_AFTER_S, FarEnd, Medium
from tests.lines.sip.sipp import SIPP

# Calls start this far apart, so that they are in all phases at once as on a busy trunk.
STAGGER_S = 0.1
# Interval of the readings of memory while calls are up, seconds.
LOOK_S = 0.25


@dataclass(frozen=True, slots=True)
class Carried:
    """The result of the box's process.

    ``peer_cpu``: of the far end's fax machines (spandsp with a minimal driver), without sipp.
    """

    medium: Medium
    calls: int
    delivered: int
    whole: int  # received by the far end with every row as it was sent
    cpu: float  # processor seconds per second of a call
    peer_cpu: float
    steps: int
    late: int
    worst_s: float
    to_t38_s: tuple[float, ...]  # from the answer to T.38, less the far end's delay before its request
    kib_a_call: float  # peak memory during the calls, less that after one call


@dataclass(frozen=True, slots=True)
class _Order:
    tiff: str
    calls: int
    medium: Medium


def missing() -> str:
    """The reason why this cannot be measured here; empty when it can."""
    try:
        flaw = pjsua2_flaw() or ""
    except SipUnavailableError as error:
        flaw = str(error)
    return flaw if SIPP is not None else "sipp is not installed (Debian package sip-tester)"


def measure(pages: Sequence[CodedPage], calls: int, medium: Medium, scratch: Path) -> Carried:
    """Sends ``pages`` over ``calls`` simultaneous calls.  Raises what the process of the calls raises."""
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        tiff = Path(folder) / "sent.tif"
        write_tiff(tiff, pages)
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
            return process.submit(_carry_all, _Order(str(tiff), calls, medium)).result()


def _carry_all(order: _Order) -> Carried:
    return asyncio.run(_carry(order))


async def _carry(order: _Order) -> Carried:
    tiff = Path(order.tiff)
    with FaxTiff(tiff) as file:
        pages = [page for page in file if isinstance(page, CodedPage)]
    async with FarEnd(tiff.parent, tiff, order.calls + 1, order.calls + 1, order.medium) as far:
        stack = SipStack(SipSettings(bind="127.0.0.1", udp_port=0))
        trunk = SipTrunk(
            name="bench",
            server=f"127.0.0.1:{far.port}",
            calls_at_once=order.calls,
            media=MediaChoice.G711_ONLY if order.medium is Medium.AUDIO else MediaChoice.T38_ONLY,
            t38_calling_s=0.001 if order.medium is Medium.T38_ASKED else 0.0,
        )
        line = SipLine(trunk, stack)
        await line.start(lambda _: Refuse(causes.LINE_STOPPED))
        await _Call(line, pages).carry(0.0)  # loads everything that is loaded once
        line.pacing = Pacing()
        before_kib, cpu_s = _anonymous_kib(), time.process_time()
        looker = asyncio.create_task(_most_memory())
        calls = [_Call(line, pages) for _ in range(order.calls)]
        await asyncio.gather(*(call.carry(number * STAGGER_S) for number, call in enumerate(calls)))
        cpu_s = time.process_time() - cpu_s
        looker.cancel()
        peak_kib = await looker
        _, tally = await far.finish()
        await line.stop()
    call_seconds = sum(call.seconds for call in calls)
    waited_s = ASKS_AFTER_S if order.medium is Medium.T38 else 0.0
    return Carried(
        medium=order.medium,
        calls=order.calls,
        delivered=sum(call.delivered for call in calls),
        whole=tally.whole - 1,
        cpu=cpu_s / call_seconds,
        peer_cpu=tally.cpu_s / (call_seconds * (order.calls + 1) / order.calls),
        steps=line.pacing.steps,
        late=line.pacing.late,
        worst_s=line.pacing.worst_s,
        to_t38_s=tuple(call.to_t38_s - waited_s for call in calls if call.to_t38_s is not None),
        kib_a_call=(peak_kib - before_kib) / order.calls,
    )


class _Call:
    """One call and its result."""

    def __init__(self, line: SipLine, pages: Sequence[CodedPage]) -> None:
        self._line = line
        self._pages = pages
        self.delivered = False
        self.seconds = 0.0
        self.to_t38_s: float | None = None

    async def carry(self, after_s: float) -> None:
        await asyncio.sleep(after_s)
        begun = time.monotonic()
        result = await self._line.place(
            OutgoingCall("+49305550100", CallParameters(Role.CALLS)),
            MemoryOwner(self._pages, progress=self._progress),
        )
        self.seconds = time.monotonic() - begun
        self.delivered = result.cause.code == "delivered"

    def _progress(self, progress: Progress) -> None:
        fields = dict(progress.fields)
        if progress.event == "media" and fields["kind"] == "t38":
            self.to_t38_s = float(fields["after_s"])


async def _most_memory() -> int:
    """The peak of ``_anonymous_kib`` until it is cancelled, KiB."""
    most = 0
    with contextlib.suppress(asyncio.CancelledError):
        while True:
            most = max(most, _anonymous_kib())
            await asyncio.sleep(LOOK_S)
    return most


def _anonymous_kib() -> int:
    """Memory of this process that is not mapped from files, KiB."""
    with Path("/proc/self/status").open() as status:
        return next(int(line.split()[1]) for line in status if line.startswith("RssAnon:"))
