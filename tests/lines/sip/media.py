"""The media of the far end, on UDP sockets of loopback in real time: spandsp, not our own code."""

from __future__ import annotations

import asyncio
import audioop
import contextlib
import socket
import struct
from collections.abc import Callable
from pathlib import Path

from appliance.lines.practice.abilities import Abilities
from appliance.lines.practice.faults import Faults
from appliance.lines.practice.machine import MachineResult, MachineSettings, PracticeMachine
from tests.lines.g711.far_end import AudioPeer
from tests.softmodem.stations import FaxMachine


class T38Far:
    """A practice fax machine on a UDP port.  It begins with the first packet that comes.

    ``speaks_from`` another port of its own, and to the port that ``speaks_to`` gives, where it does not
    answer to where the packets come from.
    """

    def __init__(
        self,
        *,
        send: Path | None = None,
        receive: Path | None = None,
        calls: bool = False,
        speaks_from: socket.socket | None = None,
        speaks_to: Callable[[], tuple[str, int] | None] = lambda: None,
        begins_after_s: float = 0.0,
        host: str = "127.0.0.1",
        faults: Faults | None = None,
    ) -> None:
        self._begins_after_s = begins_after_s
        self._speaks_from = speaks_from
        self._speaks_to = speaks_to
        abilities = Abilities(calls=calls, send=send, receive=receive)
        self._machine = PracticeMachine(MachineSettings(abilities, faults=faults or Faults()))
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.setblocking(False)
        self._sock.bind((host, 0))
        self.port: int = self._sock.getsockname()[1]
        self._peer: tuple[str, int] | None = None
        self._task: asyncio.Task[None] | None = None
        self.spoken = 0  # datagrams that it has sent
        self.numbered = 0  # the last one's number

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    def begin(self, port: int) -> None:
        """Speaks first, to this port of the box, and does not wait for a packet of its."""
        self._peer = ("127.0.0.1", port)
        self._machine.start(asyncio.get_running_loop().time())
        self.start()

    def send_raw(self, octets: bytes, port: int) -> None:
        """Sends what no machine would, from the machine's own port."""
        with contextlib.suppress(OSError):
            self._sock.sendto(octets, ("127.0.0.1", port))

    async def finish(self) -> MachineResult | None:
        """Ends the machine (the call is over) and says how it went for it."""
        assert self._task is not None
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        if self._peer is not None:
            self._machine.peer_hung_up(asyncio.get_running_loop().time())
        self._machine.close()
        self._sock.close()
        return self._machine.result

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            deadline = self._machine.next_deadline()
            wait = None if deadline is None else max(0.0, deadline - loop.time())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    data, peer = await loop.sock_recvfrom(self._sock, 2048)
                    if self._peer is None:
                        await asyncio.sleep(self._begins_after_s)
                        self._peer = peer
                        self._machine.start(loop.time())
                    self._machine.receive_datagram(data, loop.time())
            self._machine.handle_timer(loop.time())
            for datagram in self._machine.take_datagrams():
                if self._peer is not None:
                    (self._speaks_from or self._sock).sendto(datagram, self._speaks_to() or self._peer)
                    self.spoken += 1
                    self.numbered = int.from_bytes(datagram[:2], "big")


class DeadT38:
    """A port where T.38 was agreed and no fax is behind: silent, or with nothing but no-signal."""

    def __init__(self, *, no_signal: bool) -> None:
        self._no_signal = no_signal
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.setblocking(False)
        self._sock.bind(("127.0.0.1", 0))
        self.port: int = self._sock.getsockname()[1]
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        _, peer = await asyncio.get_running_loop().sock_recvfrom(self._sock, 2048)
        number = 0
        while self._no_signal:
            # A primary of one octet, the indicator; no secondaries.
            self._sock.sendto(number.to_bytes(2, "big") + bytes.fromhex("01000000"), peer)
            number += 1
            await asyncio.sleep(0.1)

    async def finish(self) -> None:
        assert self._task is not None
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        self._sock.close()


class NetworkVoice:
    """The network's tones over RTP, again and again, from a port of audio to where the box's SDP says."""

    def __init__(self, samples: bytes) -> None:
        self._speech = audioop.lin2alaw(samples, 2)
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.bind(("127.0.0.1", 0))
        self.port: int = self._sock.getsockname()[1]
        self._task: asyncio.Task[None] | None = None

    def start(self, to_port: int) -> None:
        self._task = asyncio.create_task(self._run(("127.0.0.1", to_port)))

    async def _run(self, peer: tuple[str, int]) -> None:
        loop = asyncio.get_running_loop()
        due, number = loop.time(), 0
        while True:
            at = number * 160 % len(self._speech)
            speech = (self._speech + self._speech[:160])[at : at + 160]
            header = struct.pack("!BBHII", 0x80, 8, number & 0xFFFF, number * 160, 0x4321)
            self._sock.sendto(header + speech, peer)
            number += 1
            due += 0.02
            await asyncio.sleep(max(0.0, due - loop.time()))

    async def finish(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._sock.close()


class Ear:
    """A port of audio that only notes where the box's RTP comes from."""

    def __init__(self) -> None:
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setblocking(False)
        self.sock.bind(("127.0.0.1", 0))
        self.port: int = self.sock.getsockname()[1]
        self._heard: tuple[str, int] | None = None

    def source(self) -> tuple[str, int] | None:
        with contextlib.suppress(BlockingIOError):
            while True:
                data, source = self.sock.recvfrom(2048)
                if data[0] >> 6 == 2:  # RTP
                    self._heard = source
        return self._heard


# The longest that a busy machine holds up packets; beyond, the sender has stopped.
LATE_S = 1.0


class AudioFar:
    """An audio fax machine behind RTP on a UDP port; it speaks from the first packet that comes."""

    def __init__(self, machine: FaxMachine, payload: int, loss: float = 0.0) -> None:
        self.peer = AudioPeer(machine, payload, loss)
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.setblocking(False)
        self._sock.bind(("127.0.0.1", 0))
        self.port: int = self._sock.getsockname()[1]
        self._remote: tuple[str, int] | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def finish(self) -> str:
        assert self._task is not None
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        self._sock.close()
        words = self.peer.machine.words
        self.peer.machine.close()
        return words

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        due = heard_at = loop.time()
        while True:
            await asyncio.sleep(max(0.0, due - loop.time()))
            due += 0.02
            with contextlib.suppress(BlockingIOError):
                while True:
                    data, self._remote = self._sock.recvfrom(2048)
                    self.peer.listen(data)
                    heard_at = loop.time()
            if self._remote is not None:
                # A busy machine holds up the box's packets, not the line.
                datagram = self.peer.tick(patient=loop.time() - heard_at < LATE_S)
                if datagram is not None:
                    self._sock.sendto(datagram, self._remote)
