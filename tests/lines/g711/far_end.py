"""spandsp's whole audio fax machine behind RTP, in virtual time: the independent far end of these tests.

Its G.711 is the standard library's, its RTP is packed here by hand: nothing of the code under test.
"""

from __future__ import annotations

import audioop
import heapq
import random
import struct
from collections import deque
from collections.abc import Callable
from pathlib import Path

from appliance.lines.g711.fax import ToneFaxCall
from appliance.lines.g711.rtp import RtpSession
from appliance.t4.page import CodedPage, Raster, Resolution
from appliance.t4.tiff import write_tiff
from appliance.t30.conversation import ToCall
from appliance.t30.memory import MemoryPages, MemoryStore, answer_from
from appliance.t30.parameters import CallParameters, CallResult, Capabilities, Progress, Role
from tests.softmodem.library import SILENT_TICK
from tests.softmodem.stations import CallEvent, FaxMachine

TICK_S = 0.02
LIMIT_S = 900.0
ABLE = Capabilities()


class Nobody:
    """The exchange of a machine that has none: its hook has no effect here."""

    def dials(self, station: object, number: str) -> None: ...
    def answers(self, station: object) -> None: ...
    def hangs_up(self, station: object) -> None: ...


def page(rows: int = 600, width: int = 1728, seed: int = 1) -> Raster:
    """Text-like stripes with some noise: every row differs from the next, runs of all lengths."""
    dice = random.Random(seed)
    octets = width // 8
    data = bytearray()
    for row in range(rows):
        line = bytearray(octets)
        if row // 12 % 2:
            place = dice.randrange(8)
            while place < octets - 12:
                length = dice.randrange(1, 9)
                line[place : place + length] = bytes([dice.randrange(256)]) * length
                place += length + dice.randrange(2, 20)
        data += line
    return Raster(width, rows, bytes(data), Resolution.FINE)


class AudioPeer:
    """The machine and its RTP.

    ``payload`` is the law (0 or 8), ``number`` the payload type that stands for it if another.
    ``loss`` of the packets to us and ``loss_back`` of those from us (the same unless given) are lost, seeded.
    """

    def __init__(
        self,
        machine: FaxMachine,
        payload: int,
        loss: float = 0.0,
        seed: int = 1,
        *,
        loss_back: float | None = None,
        number: int | None = None,
    ) -> None:
        self.machine = machine
        machine.exchange = Nobody()
        machine.event(CallEvent.CONNECTED)
        self._payload = payload
        self._number = payload if number is None else number
        self._sequence, self._timestamp = 65530, 4294967000
        self._loss, self._dice = loss, random.Random(seed)
        self._loss_back = loss if loss_back is None else loss_back
        self._heard: list[bytes] = []
        self._last = SILENT_TICK

    def listen(self, datagram: bytes) -> None:
        assert datagram[0] == 0x80
        assert datagram[1] & 0x7F == self._number
        if self._dice.random() >= self._loss_back:
            decode = audioop.ulaw2lin if self._payload == 0 else audioop.alaw2lin
            self._last = decode(datagram[12:], 2)
        self._heard.append(self._last)  # a lost one is concealed as gateways do: the last once more

    def tick(self, *, patient: bool = False) -> bytes | None:
        """20 ms: plays what came, says what it says; None for a packet that is lost.

        Where nothing came there is silence; ``patient``: it is late, and time stands still for the ear.
        """
        if self._heard or not patient:
            self.machine.listen(self._heard.pop(0) if self._heard else SILENT_TICK)
        self.machine.tick()
        encode = audioop.lin2ulaw if self._payload == 0 else audioop.lin2alaw
        speech = encode(self.machine.speak(), 2)
        header = struct.pack("!BBHII", 0x80, self._number, self._sequence, self._timestamp, 0x1234)
        self._sequence = (self._sequence + 1) & 0xFFFF
        self._timestamp = (self._timestamp + len(speech)) & 0xFFFFFFFF
        return None if self._dice.random() < self._loss else header + speech


class EchoingPeer(AudioPeer):
    """A machine whose line returns what we send after ``echo_s``, 12 dB lower: a hybrid without canceller."""

    def __init__(self, machine: FaxMachine, payload: int, echo_s: float) -> None:
        super().__init__(machine, payload)
        self._echo = deque([SILENT_TICK] * round(echo_s / TICK_S))

    def tick(self, *, patient: bool = False) -> bytes | None:
        self._echo.append(self._heard[0] if self._heard else SILENT_TICK)
        datagram = super().tick(patient=patient)
        assert datagram is not None
        decode, encode = (
            (audioop.ulaw2lin, audioop.lin2ulaw)
            if self._payload == 0
            else (audioop.alaw2lin, audioop.lin2alaw)
        )
        echo = audioop.mul(self._echo.popleft(), 2, 0.25)
        return datagram[:12] + encode(audioop.add(decode(datagram[12:], 2), echo, 2), 2)


def on_time(sent_at: float) -> float:
    return sent_at


def carry(fax: ToneFaxCall, peer: AudioPeer, arrival: Callable[[float], float] = on_time) -> CallResult:
    """Both ends in virtual time until ours has a result; ``arrival``: when what was sent to us is here."""
    now = 1000.0
    fax.start(now)
    due = now
    flights: list[tuple[float, int, bytes]] = []
    while fax.result is None:
        assert now < 1000.0 + LIMIT_S, f"no end: {peer.machine.words}"
        deadline = fax.next_deadline()
        assert deadline is not None
        now = max(now, min(deadline, due, flights[0][0] if flights else due))
        if now >= due:
            due += TICK_S
            datagram = peer.tick()
            if datagram is not None:
                heapq.heappush(flights, (arrival(now), int(now * 1000), datagram))
        while flights and flights[0][0] <= now and fax.result is None:
            fax.receive_datagram(heapq.heappop(flights)[2], now)
        if fax.result is None and deadline <= now:
            fax.handle_timer(now)
        for datagram in fax.take_datagrams():
            peer.listen(datagram)
    for _ in range(100):  # the machine hears our DCN out
        if peer.machine.status is not None:
            break
        peer.tick()
    return fax.result


def sending(
    pages: list[Raster | CodedPage],
    rtp: RtpSession,
    capabilities: Capabilities = ABLE,
    *,
    progress: Callable[[Progress], None] = lambda _: None,
) -> ToneFaxCall:
    parameters = CallParameters(Role.CALLS, "+49 30 111", capabilities)
    return _in_memory(parameters, MemoryPages(pages), MemoryStore(), rtp, progress)


def receiving(
    store: MemoryStore,
    rtp: RtpSession,
    capabilities: Capabilities = ABLE,
    *,
    progress: Callable[[Progress], None] = lambda _: None,
) -> ToneFaxCall:
    parameters = CallParameters(Role.ANSWERS, "+49 30 222", capabilities)
    return _in_memory(parameters, MemoryPages([]), store, rtp, progress)


def _in_memory(
    parameters: CallParameters,
    pages: MemoryPages,
    store: MemoryStore,
    rtp: RtpSession,
    progress: Callable[[Progress], None] = lambda _: None,
) -> ToneFaxCall:
    def answer(reply: ToCall) -> None:
        fax.answer(reply)

    fax = ToneFaxCall(parameters, rtp, answer_from(pages, store, answer, progress), wake=lambda: None)
    return fax


def tiff_of(folder: Path, pages: list[Raster], name: str = "send") -> Path:
    path = folder / f"{name}.tif"
    write_tiff(path, pages)
    return path
