"""The box's end of these tests: a real SIP stack with one trunk to a far end on loopback."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from appliance.lines.line import Accept, IncomingCall, OutgoingCall, Refuse
from appliance.lines.sip.call import CarriedCall
from appliance.lines.sip.call_media import MediaFacts
from appliance.lines.sip.line import SipLine
from appliance.lines.sip.settings import SipSettings, SipTrunk, Transport
from appliance.lines.sip.stack import SipStack
from appliance.t4.page import Raster
from appliance.t30.conversation import CallOwner
from appliance.t30.memory import MemoryOwner, MemoryStore
from appliance.t30.parameters import CallParameters, CallResult, Progress, Role
from tests.lines.g711.far_end import page
from tests.lines.sip.kamailio import make_certificate

GOING_S = 30.0  # for threads that end by themselves; only what hangs takes as long


@dataclass
class Outcome:
    """How one call ended for us, and what was seen on the way."""

    result: CallResult
    progress: list[Progress]
    seconds: float
    store: MemoryStore = field(default_factory=MemoryStore)
    last_error: str = ""

    def words(self) -> list[str]:
        return [each.event for each in self.progress]

    def sent(self) -> list[str]:
        """First lines of the SIP messages that we sent."""
        return [str(dict(p.fields)["line"]) for p in self.progress if p.event == "sip_sent"]

    def received(self) -> list[str]:
        return [str(dict(p.fields)["line"]) for p in self.progress if p.event == "sip_received"]

    def media(self) -> list[str]:
        return [str(dict(p.fields)["kind"]) for p in self.progress if p.event == "media"]


class WatchedLine(SipLine):
    """A line that keeps how the media of its last call came about."""

    last_facts = MediaFacts()

    def _learn(self, carried: CarriedCall, result: CallResult) -> CallResult:
        self.last_facts = carried.facts
        return super()._learn(carried, result)


class Box:
    """A stack on loopback; ``line`` makes trunks on it."""

    def __init__(self, **settings: Any) -> None:
        self.stack = SipStack(SipSettings(**{"bind": "127.0.0.1", "udp_port": 0, **settings}))
        self.lines: list[SipLine] = []
        self.incoming: dict[str, asyncio.Future[Outcome]] = {}  # by the number dialled
        self.knocks: list[IncomingCall] = []
        self.decide: Callable[[IncomingCall], Refuse | None] = lambda call: None
        self.watch: Callable[[Progress], None] = lambda _: None  # the progress of calls that come in

    @property
    def port(self) -> int:
        return self.stack.ports[Transport.UDP]

    async def start(self) -> None:
        await self.stack.start()

    async def __aenter__(self) -> Box:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def line(
        self, name: str, server: str, *, learned: Path | None = None, **settings: Any
    ) -> WatchedLine:
        trunk = SipTrunk(name=name, server=server, **{"calls_at_once": 40, **settings})
        line = WatchedLine(trunk, self.stack, learned)
        self.lines.append(line)
        await line.start(self._knock)
        return line

    async def stop(self) -> None:
        for line in self.lines:
            await line.stop()  # harmless when it has stopped before
        await self.stack.stop()

    def expected(self, number: str) -> asyncio.Future[Outcome]:
        """How a call to this number will have ended."""
        if number not in self.incoming:
            self.incoming[number] = asyncio.get_running_loop().create_future()
        return self.incoming[number]

    def _knock(self, call: IncomingCall) -> Accept | Refuse:
        self.knocks.append(call)
        refusal = self.decide(call)
        if refusal is not None:
            return refusal
        store = MemoryStore()
        progress: list[Progress] = []
        loop = asyncio.get_running_loop()
        began = loop.time()
        outcome = self.expected(call.dialled)

        def ended(result: CallResult) -> None:
            if not outcome.done():  # a number may be called more than once
                outcome.set_result(Outcome(result, progress, loop.time() - began, store))

        def hear(what: Progress) -> None:
            progress.append(what)
            self.watch(what)

        parameters = CallParameters(Role.ANSWERS, "+49 30 222")
        return Accept(parameters, MemoryOwner([], store, hear, ended))


class Switch:
    """Ends a call that may not have begun yet."""

    def __init__(self) -> None:
        self._owner: CallOwner | None = None
        self._pulled = False

    def of(self, owner: CallOwner) -> None:
        self._owner = owner
        if self._pulled:
            owner.cancel()

    def pull(self) -> None:
        self._pulled = True
        if self._owner is not None:
            self._owner.cancel()


async def send(
    line: SipLine,
    number: str = "+49305550100",
    *,
    pages: list[Raster] | None = None,
    cancel: Switch | None = None,
    watch: Callable[[Progress], None] = lambda _: None,
    **more: Any,
) -> Outcome:
    """Sends a fax over the line; ``watch`` hears of its progress, too."""
    progress: list[Progress] = []

    def hear(what: Progress) -> None:
        progress.append(what)
        watch(what)

    began = asyncio.get_running_loop().time()
    call = OutgoingCall(number, CallParameters(Role.CALLS, "+49 30 111"))
    owner = MemoryOwner(pages or [page(60)], MemoryStore(), hear)
    if cancel is not None:
        cancel.of(owner)
    result = await line.place(replace(call, **more), owner)
    took = asyncio.get_running_loop().time() - began
    return Outcome(result, progress, took, last_error=line.state().last_error)


def certificate(folder: Path) -> dict[str, str]:
    """The settings of a box with a certificate of its own making."""
    key, made = folder / "box.key", folder / "box.pem"
    make_certificate(made, key)
    return {"tls_certificate": str(made), "tls_key": str(key)}


def open_descriptors() -> list[str]:
    """What this process has open, by kind: sockets and files."""
    found = []
    for entry in os.listdir("/proc/self/fd"):
        try:
            found.append(os.readlink(f"/proc/self/fd/{entry}").split(":")[0])
        except OSError:
            continue
    return sorted(found)


@dataclass(frozen=True)
class Footprint:
    """What may not grow: descriptors, threads."""

    descriptors: int
    threads: int

    @staticmethod
    def now() -> Footprint:
        gc.collect()
        return Footprint(len(open_descriptors()), threading.active_count())

    def left(self) -> Footprint:
        """What there is now beyond this; less than nothing when other tests' leftovers went meanwhile.

        A thread that has been told to end is given time to: only what stays was left behind.
        """
        end = time.monotonic() + GOING_S
        while True:
            now = Footprint.now()
            left = Footprint(now.descriptors - self.descriptors, now.threads - self.threads)
            if (left.descriptors <= 0 and left.threads <= 0) or time.monotonic() > end:
                return left
            time.sleep(0.1)

    @property
    def clean(self) -> bool:
        return self.descriptors <= 0 and self.threads <= 0


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path
