"""How many T.38 calls at once one core sends in real time without a late packet, and their cost.

The senders run on one core in this process, the receivers on another core in a second process, over UDP on
loopback.  So the figures are those of one side of a call, as a box has it.
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
# Time within which the receivers notice the end of the last call, seconds.
SETTLE_S = 10.0


@dataclass(frozen=True, slots=True)
class Paced:
    """The result of ``calls`` simultaneous calls on one core."""

    calls: int
    at_once: int  # most calls that were up at the same time
    delivered: int
    seconds: float
    cpu_per_call_second: float
    steps: int
    late: int
    worst_s: float
    peak_mib: float


@dataclass(slots=True)
class _Side:
    """One side of all calls: for each a socket and the peer's address."""

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
    """Sends ``pages`` over ``calls`` simultaneous calls."""
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
