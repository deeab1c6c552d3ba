"""A box in its own process, and a far end whose SIP is written by hand, for peers that do as they like."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path

from appliance.lines.practice.machine import MachineResult
from tests.lines.g711.far_end import page, tiff_of
from tests.lines.sip.media import T38Far
from tests.lines.sip.sipp import image, sdp

ROOT = Path(__file__).parents[3]
# A fax of a few rows takes some 15 s; only what hangs takes as long as this.
HANGS_S = 120.0


class BoxProcess:
    """``fuzzed_box`` as a child: it answers every call from loopback, and says what is left at its end."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / "box.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", "tests.lines.sip.fuzzed_box", str(folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=ROOT,
            )
        self.udp, self.tcp, self.tls = (int(word) for word in self._line().split())

    @property
    def pid(self) -> int:
        return self._process.pid

    def ended_with(self) -> int | None:
        """None while it lives, else what it ended with: negative for a signal."""
        return self._process.poll()

    def finish(self) -> dict[str, int]:
        """Ends it in order; what is left of ``calls``, ``descriptors`` and ``threads``."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        left = self._line()
        assert self._process.wait(60) == 0, left
        return {name: int(count) for name, count in re.findall(r"(\w+)=(-?\d+)", left)}

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().decode()


class RawCall:
    """One call to the box from a socket of our own; what is sent is up to the test."""

    def __init__(
        self, box_port: int, name: str, on_message: Callable[[str], object] = lambda text: None
    ) -> None:
        self._on_message = on_message
        self._box = ("127.0.0.1", box_port)
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.setblocking(False)
        self._sock.bind(("127.0.0.1", 0))
        self._port = self._sock.getsockname()[1]
        self._name = name
        self._tag = ""
        self._cseq = 0
        self._bye = -1
        self._acknowledged: set[int] = set()
        self.over = False

    def close(self) -> None:
        self._sock.close()

    def send(self, method: str, body: str = "", *, extra: str = "", cseq: int | None = None) -> int:
        """Sends a request inside the call (or the one that opens it); its CSeq."""
        if cseq is None:
            self._cseq += 1
            cseq = self._cseq
        tag = f";tag={self._tag}" if self._tag else ""
        text = (
            f"{method} sip:5550100@127.0.0.1 SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP 127.0.0.1:{self._port};branch=z9hG4bK{self._name}{cseq}{method}\r\n"
            f"From: <sip:raw@127.0.0.1>;tag={self._name}\r\nTo: <sip:5550100@127.0.0.1>{tag}\r\n"
            f"Call-ID: {self._name}.{self._port}\r\nCSeq: {cseq} {method}\r\nMax-Forwards: 70\r\n"
            f"Contact: <sip:raw@127.0.0.1:{self._port}>\r\n{extra}"
        )
        if body:
            text += "Content-Type: application/sdp\r\n"
        text += f"Content-Length: {len(body.encode())}\r\n\r\n{body}"
        with contextlib.suppress(OSError):
            self._sock.sendto(text.encode(), self._box)
        return cseq

    def hang_up(self) -> None:
        """BYE, and whoever waits for the end of the call is told by its answer."""
        self._bye = self.send("BYE")

    def respond(self, request: str, status: str, body: str = "") -> None:
        """Answers a request of the box."""
        names = ("Via", "From", "To", "Call-ID", "CSeq")
        kept = [line for line in request.split("\r\n") if line.partition(":")[0] in names]
        kind = "Content-Type: application/sdp\r\n" if body else ""
        text = (
            f"SIP/2.0 {status}\r\n" + "\r\n".join(kept) + f"\r\nContact: <sip:raw@127.0.0.1:{self._port}>\r\n"
            f"{kind}Content-Length: {len(body.encode())}\r\n\r\n{body}"
        )
        with contextlib.suppress(OSError):
            self._sock.sendto(text.encode(), self._box)

    async def heard(self) -> str:
        """The next message of the box.  BYE is answered here."""
        data, _ = await asyncio.get_running_loop().sock_recvfrom(self._sock, 65535)
        text = data.decode("latin-1")
        self._on_message(text)
        if text.startswith("BYE "):
            self.respond(text, "200 OK")
            self.over = True
        elif f"CSeq: {self._bye} BYE" in text:
            self.over = True
        elif text.startswith("SIP/2.0 2") and " INVITE" in text:
            cseq = int(re.findall(r"CSeq: (\d+)", text)[0])
            if cseq in self._acknowledged:
                self._acknowledge(cseq)  # it was lost: the box says its 200 again
        return text

    def _acknowledge(self, cseq: int) -> None:
        self._acknowledged.add(cseq)
        self.send("ACK", cseq=cseq)

    async def final(self, cseq: int) -> str:
        """The final response to our request; an INVITE's is acknowledged."""
        async with asyncio.timeout(HANGS_S):
            while True:
                text = await self.heard()
                if self.over or (text.startswith("SIP/2.0 ") and text[8] != "1" and f"CSeq: {cseq} " in text):
                    break
        if f"CSeq: {cseq} INVITE" in text:
            if not self._tag and text.startswith("SIP/2.0 2"):
                self._tag = re.findall(r"To:.*;tag=(\S+)", text)[0]
            self._acknowledge(cseq)
        return text

    async def open(self, body: str) -> str:
        """Calls; the box's answer, acknowledged."""
        return await self.final(self.send("INVITE", body))

    async def until_over(self) -> None:
        """Hears everything to the end of the call."""
        async with asyncio.timeout(HANGS_S):
            while not self.over:
                text = await self.heard()
                if text.startswith("SIP/2.0 ") and text[8] != "1" and " INVITE" in text:
                    cseq = int(re.findall(r"CSeq: (\d+)", text)[0])
                    self._acknowledge(cseq)


During = Callable[[RawCall, T38Far, int], Coroutine[None, None, None]]


def image_port(answer: str) -> int:
    found = re.search(r"m=image (\d+)", answer)
    return int(found[1]) if found else 0


async def send_fax(
    box: BoxProcess,
    folder: Path,
    name: str,
    during: During | None = None,
    on_message: Callable[[str], object] = lambda text: None,
) -> MachineResult | None:
    """A fax to the box over T.38 from the first INVITE on; how it went for the machine that sent it.

    ``during`` gets the call, the machine and the box's UDPTL port once media run; it is cancelled at the
    end of the call.  ``on_message`` hears what the box says.
    """
    far = T38Far(calls=True, send=tiff_of(folder, [page(60)], name))
    far.start()
    call = RawCall(box.udp, name, on_message)
    task: asyncio.Task[None] | None = None
    try:
        answer = await call.open(sdp(image(far.port)))
        assert answer.startswith("SIP/2.0 200"), answer
        if during is not None:
            task = asyncio.create_task(during(call, far, image_port(answer)))
        await call.until_over()
    finally:
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        call.close()
        result = await far.finish()
    return result
