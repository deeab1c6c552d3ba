"""A far end for many successive faxes, in separate processes: sipp signals, spandsp receives.

As a program (``python -m tests.lines.sip.far_end FOLDER COUNT MEDIUM TIFF HOST``) it is the fax machines:
prints their UDP ports, takes one fax after the other on each, and when standard input ends prints what it
got.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import sys
import time
from dataclasses import asdict, dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from appliance.lines.practice.abilities import Abilities
from appliance.lines.practice.machine import MachineSettings, PracticeMachine
from appliance.lines.practice.spandsp_fax import STATUS_OK, status_text
from tests.lines.g711.far_end import AudioPeer
from tests.lines.sip.sipp import (
    MEDIA_PORTS,
    SIPP,
    audio,
    called,
    expect,
    expect_status,
    image,
    pause,
    request,
    respond,
    sdp,
)
from tests.ports import free_port, free_ports, is_bound
from tests.softmodem.fixtures import tiff_rasters
from tests.softmodem.stations import FaxMachine

# A run that hangs is ended by sipp itself.
LIMIT_S = 3600
ASKS_AFTER_S = 0.3  # from the ACK to the far end's own offer of T.38
RTP_PACKET_S = 0.02
# After a fax the packets of its peer are that call's last ones for so long.
REST_S = 5.0
PAYLOAD = 8  # A-law
_PORT_IN_SCENARIO = 65535


class Medium(Enum):
    """How the far end takes a fax."""

    T38 = "t38"  # and asks for it
    T38_ASKED = "t38-asked"  # when it is asked for it
    AUDIO = "audio"


@dataclass
class Tally:
    """What the machines got.  ``cpu_s`` is the processor time of their process since its start."""

    calls: int = 0
    whole: int = 0  # with the pages as they were sent
    unhappy: dict[str, int] = field(default_factory=dict)  # ends that spandsp does not call OK
    cpu_s: float = 0.0


class Machine:
    """A fax machine on a UDP port.  Each call begins with its first packet."""

    def __init__(self, file: Path, sent: Path, tally: Tally, host: str) -> None:
        self._file = file
        self._sent = sent
        self._tally = tally
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setblocking(False)
        self.sock.bind((host, 0))
        self.peer: tuple[str, int] | None = None
        self._over_at = 0.0

    def begins(self, peer: tuple[str, int]) -> bool:
        """Whether a packet from this peer, while no call is up, is the first one of a call."""
        return peer != self.peer or time.monotonic() > self._over_at + REST_S

    async def serve(self) -> None:
        """Takes calls until it is cancelled."""
        raise NotImplementedError

    def finish(self) -> None:
        """Ends and counts the call that there was."""
        raise NotImplementedError

    def count(self, status: int | None) -> None:
        """A call is over, with this status of spandsp's."""
        self._over_at = time.monotonic()
        self._tally.calls += 1
        if self._file.exists() and tiff_rasters(self._file) == tiff_rasters(self._sent):
            self._tally.whole += 1
        if status != STATUS_OK:
            words = "still up" if status is None else status_text(status)
            self._tally.unhappy[words] = self._tally.unhappy.get(words, 0) + 1
        self._file.unlink(missing_ok=True)


class T38Machine(Machine):
    """spandsp's T.38 terminal."""

    _machine: PracticeMachine | None = None

    async def serve(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            deadline = None if self._machine is None else self._machine.next_deadline()
            wait = None if deadline is None else max(0.0, deadline - loop.time())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    data, peer = await loop.sock_recvfrom(self.sock, 2048)
                    if peer != self.peer:
                        self.finish()
                    if self._machine is None and self.begins(peer):
                        self.peer = peer
                        self._machine = PracticeMachine(MachineSettings(Abilities(receive=self._file)))
                        self._machine.start(loop.time())
                    if self._machine is not None:
                        self._machine.receive_datagram(data, loop.time())
            if self._machine is None or self.peer is None:
                continue
            self._machine.handle_timer(loop.time())
            for datagram in self._machine.take_datagrams():
                self.sock.sendto(datagram, self.peer)
            if self._machine.hung_up:
                self.finish()

    def finish(self) -> None:
        machine, self._machine = self._machine, None
        if machine is not None:
            machine.close()
            self.count(machine.result.status if machine.result is not None else None)


class AudioMachine(Machine):
    """spandsp's fax machine for telephone lines, behind RTP."""

    _talk: AudioPeer | None = None

    async def serve(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            data, peer = await loop.sock_recvfrom(self.sock, 2048)
            if not self.begins(peer):
                continue
            self.peer = peer
            machine = FaxMachine(receive=self._file)
            self._talk = AudioPeer(machine, PAYLOAD)
            self._talk.listen(data)
            due = loop.time()
            while machine.status is None:
                due += RTP_PACKET_S
                await asyncio.sleep(max(0.0, due - loop.time()))
                with contextlib.suppress(BlockingIOError):
                    while True:
                        data, peer = self.sock.recvfrom(2048)
                        if peer == self.peer:
                            self._talk.listen(data)
                datagram = self._talk.tick()
                if datagram is not None:
                    self.sock.sendto(datagram, self.peer)
            self.finish()

    def finish(self) -> None:
        talk, self._talk = self._talk, None
        if talk is not None:
            status = talk.machine.status
            talk.machine.close()
            self.count(status)


async def _serve(folder: Path, count: int, medium: Medium, sent: Path, host: str) -> None:
    tally, begun = Tally(), time.process_time()
    kind = AudioMachine if medium is Medium.AUDIO else T38Machine
    machines = [kind(folder / f"{number}.tif", sent, tally, host) for number in range(count)]
    tasks = [asyncio.create_task(machine.serve()) for machine in machines]
    print(json.dumps([machine.sock.getsockname()[1] for machine in machines]), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for machine in machines:
        machine.finish()
    tally.cpu_s = time.process_time() - begun
    print(json.dumps(asdict(tally)), flush=True)


class FarEnd:
    """Answers up to ``calls`` calls on ``port`` and takes the fax ``sent`` in each.

    Of every ``machines`` calls in a row each goes to a machine of its own: so many may be up at once.
    """

    def __init__(
        self,
        folder: Path,
        sent: Path,
        calls: int,
        machines: int,
        medium: Medium,
        *,
        host: str = "127.0.0.1",
    ) -> None:
        self._host = host
        self._folder = folder
        self._sent = sent
        self._calls = calls
        self._count = machines
        self._medium = medium
        self.port = free_port()
        self._machines: asyncio.subprocess.Process | None = None
        self._sipp: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        assert SIPP is not None
        pipe = asyncio.subprocess.PIPE
        self._machines = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.lines.sip.far_end",
            str(self._folder),
            str(self._count),
            self._medium.value,
            str(self._sent),
            self._host,
            stdin=pipe,
            stdout=pipe,
        )
        assert self._machines.stdout is not None
        ports = json.loads(await self._machines.stdout.readline())
        (self._folder / "ports.csv").write_text("".join(f"{line}\n" for line in ["SEQUENTIAL", *ports]))
        scenario = _scenario(self._medium).replace("IP4 127.0.0.1", f"IP4 {self._host}")
        (self._folder / "far.xml").write_text(scenario, encoding="latin-1", newline="\n")
        self._sipp = await asyncio.create_subprocess_exec(
            SIPP,
            "-sf",
            "far.xml",
            "-inf",
            "ports.csv",
            "-i",
            self._host,
            "-p",
            str(self.port),
            "-mp",
            str(free_ports(MEDIA_PORTS)),
            "-m",
            str(self._calls),
            "-nostdin",
            "-timeout",
            f"{LIMIT_S}s",
            "-timeout_error",
            "-trace_err",
            "-error_file",
            "far.err",
            cwd=self._folder,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        while self._sipp.returncode is None and not is_bound(self.port):
            await asyncio.sleep(0.02)

    async def finish(self) -> tuple[int, Tally]:
        """Waits for sipp's last call.  Its exit status (0: each call went as written), and the tally."""
        assert self._sipp is not None
        assert self._machines is not None
        status = await self._sipp.wait()
        output, _ = await self._machines.communicate(b"")
        return status, Tally(**json.loads(output))

    async def __aenter__(self) -> FarEnd:
        await self.start()
        return self

    async def __aexit__(self, *_: Any) -> None:
        for process in (self._sipp, self._machines):
            if process is not None and process.returncode is None:
                process.kill()
                await process.wait()


def _scenario(medium: Medium) -> str:
    port = _PORT_IN_SCENARIO
    answers = sdp(audio(port) if medium is Medium.AUDIO else audio())
    steps = [expect("INVITE", save=True), respond(180), respond(200, "OK", answers), expect("ACK")]
    if medium is Medium.T38:
        steps += [
            pause(int(ASKS_AFTER_S * 1000)),
            request("INVITE", 101, sdp(image(port), version=2)),
            expect_status(100, optional=True),
            expect_status(200),
            request("ACK", 101),
        ]
    elif medium is Medium.T38_ASKED:
        steps += [
            expect("INVITE"),
            respond(200, "OK", sdp(image(port), version=2), tag=False),
            expect("ACK"),
        ]
    text = called(*steps, expect("BYE"), respond(200, "OK", tag=False))
    for line in ("m=audio", "m=image"):
        text = text.replace(f"{line} {port} ", f"{line} [field0] ")
    return text


if __name__ == "__main__":
    _, folder, count, medium, sent, host = sys.argv
    asyncio.run(_serve(Path(folder), int(count), Medium(medium), Path(sent), host))
