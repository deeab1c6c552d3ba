"""The number of T.38 calls that one core paces at once in real time without a late packet, and their cost.

Our senders run on one core in this process, our receivers on another in a second one, over UDP on
loopback, so the figures are of one side of a call: what a box spends on it.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import resource
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass

from appliance.lines.datagram_driver import LATE_S, DatagramDriver, Pacing
from appliance.t4.page import CodedPage
from appliance.t30.memory import MemoryPages, MemoryStore
from appliance.t30.parameters import CallParameters, CallResult, Role
from appliance.t38.fax import T38Fax
from appliance.t38.settings import T38Settings

__all__ = ["LATE_S", "Paced", "measure"]

# Calls start this far apart, so that they are in all phases at once as on a busy trunk.
STAGGER_S = 0.2
# The receivers may take this long to notice that the last call is over.
SETTLE_S = 10.0


@dataclass(frozen=True, slots=True)
class Paced:
    """What one core did with ``calls`` calls at once."""

    calls: int
    at_once: int  # the most that were up together
    delivered: int
    seconds: float
    cpu_per_call_second: float
    steps: int
    late: int
    worst_s: float
    peak_mib: float


@dataclass(slots=True)
class _Side:
    """One end of every call: a socket and the peer's address for each."""

    role: Role
    lines: list[tuple[socket.socket, tuple[str, int]]]
    pages: Sequence[CodedPage]
    pacing: Pacing
    call_seconds: float = 0.0
    up: int = 0
    most_up: int = 0

    async def carry_all(self) -> list[CallResult]:
        return await asyncio.gather(*(self._carry(number) for number in range(len(self.lines))))

    async def _carry(self, number: int) -> CallResult:
        sock, peer = self.lines[number]
        await asyncio.sleep(number * STAGGER_S)
        fax = T38Fax(CallParameters(self.role), MemoryPages(self.pages), MemoryStore(), T38Settings())
        begun = time.monotonic()
        self.up += 1
        self.most_up = max(self.most_up, self.up)
        result = await DatagramDriver(fax, sock, peer, pacing=self.pacing).run()
        self.up -= 1
        self.call_seconds += time.monotonic() - begun
        return result


def measure(pages: Sequence[CodedPage], calls: int) -> Paced:
    """Sends ``pages`` over ``calls`` calls at once."""
    ours, theirs = [_socket() for _ in range(calls)], [_socket() for _ in range(calls)]
    sending = _Side(Role.CALLS, _towards(ours, theirs), pages, Pacing())
    answering = _Side(Role.ANSWERS, _towards(theirs, ours), (), Pacing())
    cores = sorted(os.sched_getaffinity(0))
    receiver = multiprocessing.get_context("fork").Process(
        target=_carry_on_core, args=(answering, cores[-1]), daemon=True
    )
    receiver.start()
    os.sched_setaffinity(0, {cores[0]})
    begun, cpu = time.monotonic(), time.process_time()
    try:
        results = asyncio.run(sending.carry_all())
        seconds, cpu_s = time.monotonic() - begun, time.process_time() - cpu
        receiver.join(SETTLE_S)
    finally:
        os.sched_setaffinity(0, cores)
        receiver.terminate()
        for sock in (*ours, *theirs):
            sock.close()
    return Paced(
        calls=calls,
        at_once=sending.most_up,
        delivered=sum(result.cause.code == "delivered" for result in results),
        seconds=seconds,
        cpu_per_call_second=cpu_s / sending.call_seconds,
        steps=sending.pacing.steps,
        late=sending.pacing.late,
        worst_s=sending.pacing.worst_s,
        peak_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


def _carry_on_core(side: _Side, core: int) -> None:
    os.sched_setaffinity(0, {core})
    asyncio.run(side.carry_all())


def _socket() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    sock.setblocking(False)
    return sock


def _towards(
    ours: Sequence[socket.socket], theirs: Sequence[socket.socket]
) -> list[tuple[socket.socket, tuple[str, int]]]:
    return [(our, their.getsockname()) for our, their in zip(ours, theirs, strict=True)]
