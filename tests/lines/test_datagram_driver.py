"""The asyncio driver: source latching, strangers, floods, errors of an endpoint."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Sequence

import pytest

from appliance.causes import CANCELLED, DELIVERED, RECEIVED, Side
from appliance.lines.datagram_driver import (
    MAX_DATAGRAM_OCTETS,
    DatagramDriver,
    Pacing,
    open_udp,
)
from appliance.lines.peer_address import MAX_CANDIDATES
from appliance.t30 import causes
from appliance.t30.memory import MemoryPages, MemoryStore
from appliance.t30.parameters import CallParameters, CallResult, Role
from appliance.t38.fax import T38Fax
from appliance.t38.settings import T38Settings
from tests.interop.harness import drawn_page, same_pages

pytestmark = pytest.mark.realtime


class Listener:
    """An endpoint that keeps what it hears until ``after`` datagrams, and says one thing each 20 ms."""

    def __init__(self, after: int = 1000) -> None:
        self.heard: list[bytes] = []
        self.after = after
        self.at = 0.0
        self.result: CallResult | None = None
        self.fault: Exception | None = None
        self.pumped = 0

    def start(self, now: float) -> None:
        self.at = now

    def receive_datagram(self, data: bytes, now: float) -> None:
        if self.fault is not None:
            raise self.fault
        self.heard.append(data)
        if len(self.heard) >= self.after:
            self.result = CallResult(DELIVERED)

    def take_datagrams(self) -> list[bytes]:
        return [b"said"]

    def next_deadline(self) -> float | None:
        return self.at + 0.02

    def handle_timer(self, now: float) -> None:
        self.at += 0.02

    def pump(self, now: float) -> None:
        self.pumped += 1

    def cancel(self, now: float) -> None:
        self.result = CallResult(CANCELLED)

    def hang_up(self, now: float) -> None:
        self.result = CallResult(causes.HUNG_UP_BEFORE_PAGES)


def with_sockets(work: Callable[[socket.socket, socket.socket, socket.socket], Awaitable[None]]) -> None:
    async def all_of_it() -> None:
        with contextlib.ExitStack() as stack:
            ours, peer, stranger = (stack.enter_context(contextlib.closing(open_udp())) for _ in range(3))
            await asyncio.wait_for(work(ours, peer, stranger), 240)

    asyncio.run(all_of_it())


def test_the_first_source_is_latched_and_strangers_are_not_heard() -> None:
    async def work(ours: socket.socket, peer: socket.socket, stranger: socket.socket) -> None:
        pacing, end = Pacing(), Listener(after=3)
        call = DatagramDriver(end, ours, ("127.0.0.1", 9), pacing=pacing)
        running = asyncio.create_task(call.run())
        await asyncio.sleep(0.05)
        for sender, data in ((peer, b"1"), (stranger, b"x"), (peer, b"2"), (stranger, b"y"), (peer, b"3")):
            sender.sendto(data, ours.getsockname())
        await running
        assert end.heard == [b"1", b"2", b"3"]
        assert pacing.strangers == 2

    with_sockets(work)


def test_the_signalled_address_wins_back() -> None:
    """Somebody else was first; when the address of the SDP speaks, it is the peer for good."""

    async def work(ours: socket.socket, peer: socket.socket, stranger: socket.socket) -> None:
        end = Listener(after=3)
        call = DatagramDriver(end, ours, peer.getsockname())
        running = asyncio.create_task(call.run())
        await asyncio.sleep(0.01)
        for sender, data in ((stranger, b"x"), (peer, b"1"), (stranger, b"y"), (peer, b"2")):
            sender.sendto(data, ours.getsockname())
        await running
        assert end.heard == [b"x", b"1", b"2"]

    with_sockets(work)


def test_without_latch_only_the_signalled_address_is_heard() -> None:
    async def work(ours: socket.socket, peer: socket.socket, stranger: socket.socket) -> None:
        end = Listener(after=1)
        running = asyncio.create_task(DatagramDriver(end, ours, peer.getsockname(), latch=False).run())
        await asyncio.sleep(0.01)
        stranger.sendto(b"x", ours.getsockname())
        peer.sendto(b"1", ours.getsockname())
        await running
        assert end.heard == [b"1"]

    with_sockets(work)


def test_nothing_is_sent_before_the_peer_is_known() -> None:
    async def work(ours: socket.socket, peer: socket.socket, stranger: socket.socket) -> None:
        end = Listener(after=2)
        running = asyncio.create_task(DatagramDriver(end, ours, None).run())
        await asyncio.sleep(0.1)
        peer.sendto(b"1", ours.getsockname())
        assert await asyncio.get_running_loop().sock_recv(peer, 100) == b"said"
        with pytest.raises(BlockingIOError):
            stranger.recv(100)
        peer.sendto(b"2", ours.getsockname())
        await running

    with_sockets(work)


def stranger_of(host: str) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.bind((host, 0))
    return sock


def three_numbers(said: Sequence[bytes]) -> bool:
    return len(said) >= 3 and all(each.isdigit() for each in said)


def test_another_host_takes_the_call_only_after_a_test_and_what_it_said_is_not_lost() -> None:
    async def work(ours: socket.socket, peer: socket.socket, _: socket.socket) -> None:
        pacing, end = Pacing(), Listener(after=4)
        running = asyncio.create_task(
            DatagramDriver(end, ours, peer.getsockname(), pacing=pacing, judge=three_numbers).run()
        )
        await asyncio.sleep(0.05)
        with (
            contextlib.closing(stranger_of("127.0.0.2")) as early,
            contextlib.closing(stranger_of("127.0.0.3")) as behind_nat,
        ):
            early.sendto(b"one packet", ours.getsockname())
            for data in (b"1", b"2"):
                behind_nat.sendto(data, ours.getsockname())
            await asyncio.sleep(0.05)
            assert end.heard == []
            for data in (b"3", b"4"):
                behind_nat.sendto(data, ours.getsockname())
            await running
            assert end.heard == [b"1", b"2", b"3", b"4"]

    with_sockets(work)


def test_another_host_never_takes_the_call_from_one_that_speaks() -> None:
    async def work(ours: socket.socket, peer: socket.socket, _: socket.socket) -> None:
        end = Listener(after=2)
        running = asyncio.create_task(
            DatagramDriver(end, ours, peer.getsockname(), judge=three_numbers).run()
        )
        await asyncio.sleep(0.05)
        peer.sendto(b"a", ours.getsockname())
        await asyncio.sleep(0.05)
        with contextlib.closing(stranger_of("127.0.0.2")) as stranger:
            for number in range(20):
                stranger.sendto(b"%d" % number, ours.getsockname())
            await asyncio.sleep(0.05)
            peer.sendto(b"b", ours.getsockname())
            await running
        assert end.heard == [b"a", b"b"]

    with_sockets(work)


def test_a_crowd_of_hosts_is_not_remembered_without_end() -> None:
    async def work(ours: socket.socket, peer: socket.socket, _: socket.socket) -> None:
        end = Listener(after=1)
        call = DatagramDriver(end, ours, peer.getsockname(), judge=lambda said: False)
        running = asyncio.create_task(call.run())
        await asyncio.sleep(0.01)
        for number in range(2, 60):
            with contextlib.closing(stranger_of(f"127.0.0.{number}")) as stranger:
                for _ in range(20):
                    stranger.sendto(b"x", ours.getsockname())
        await asyncio.sleep(0.1)
        assert len(call.peer._candidates) <= MAX_CANDIDATES
        assert end.heard == []
        peer.sendto(b"1", ours.getsockname())
        await running

    with_sockets(work)


def test_a_datagram_that_was_cut_short_is_dropped() -> None:
    async def work(ours: socket.socket, peer: socket.socket, _: socket.socket) -> None:
        end = Listener(after=1)
        running = asyncio.create_task(DatagramDriver(end, ours, peer.getsockname()).run())
        await asyncio.sleep(0.01)
        peer.sendto(bytes(MAX_DATAGRAM_OCTETS + 100), ours.getsockname())
        peer.sendto(b"1", ours.getsockname())
        await running
        assert end.heard == [b"1"]

    with_sockets(work)


def test_an_endpoint_s_fault_ends_the_call_and_comes_out() -> None:
    async def work(ours: socket.socket, peer: socket.socket, _: socket.socket) -> None:
        end = Listener()
        end.fault = RuntimeError("a bug")
        running = asyncio.create_task(DatagramDriver(end, ours, peer.getsockname()).run())
        await asyncio.sleep(0.01)
        peer.sendto(b"1", ours.getsockname())
        with pytest.raises(RuntimeError, match="a bug"):
            await running

    with_sockets(work)


def test_wake_cancel_and_hang_up() -> None:
    async def work(ours: socket.socket, peer: socket.socket, _: socket.socket) -> None:
        for action, cause in (("cancel", CANCELLED), ("hang_up", causes.HUNG_UP_BEFORE_PAGES)):
            end = Listener()
            call = DatagramDriver(end, ours, peer.getsockname())
            running = asyncio.create_task(call.run())
            await asyncio.sleep(0.01)
            call.wake()
            call.wake()
            await asyncio.sleep(0.01)
            assert end.pumped == 1
            getattr(call, action)()
            assert (await running).cause is cause
            call.wake()
            getattr(call, action)()  # too late, and harmless

    with_sockets(work)


@pytest.mark.parametrize("action", ["cancel", "hang_up"])
def test_end_that_comes_before_the_call_has_begun_is_no_fault(action: str) -> None:
    """An owner may give up, or a peer hang up, between the order for a fax and the driver's first turn."""

    async def work(ours: socket.socket, peer: socket.socket, _: socket.socket) -> None:
        end = T38Fax(CallParameters(Role.ANSWERS), MemoryPages([]), MemoryStore(), T38Settings())
        call = DatagramDriver(end, ours, peer.getsockname())
        running = asyncio.create_task(call.run())
        getattr(call, action)()
        result = await running
        assert result.cause is CANCELLED if action == "cancel" else result.cause.side is not Side.OURS

    with_sockets(work)


def test_two_of_our_own_over_real_sockets_at_real_speed() -> None:
    """A whole fax in its real time, with nothing but the driver."""

    async def work(ours: socket.socket, peer: socket.socket, _: socket.socket) -> None:
        pages, store = [drawn_page(1, 100)], MemoryStore()
        caller = T38Fax(CallParameters(Role.CALLS), MemoryPages(pages), MemoryStore(), T38Settings())
        answerer = T38Fax(CallParameters(Role.ANSWERS), MemoryPages([]), store, T38Settings())
        sent, received = await asyncio.gather(
            DatagramDriver(caller, ours, peer.getsockname()).run(), DatagramDriver(answerer, peer, None).run()
        )
        assert sent.cause is DELIVERED
        assert received.cause is RECEIVED
        assert same_pages(pages, store.rasters())

    with_sockets(work)
