"""A soft modem on a pseudo-terminal for a program of its own: efax, HylaFAX, or our driver on pyserial.

Such a program has a real clock, and virtual time must wait for it: while it owes something (a command
in mid call, a frame, enough of a page) a tick takes as long as on a real line; otherwise the line runs
``speed`` times as fast.  For a program that keeps silences by its modem's commands and not by its clock
the line can even stand still at first (``standstill_s``): on a busy machine it may not yet have been given
the processor, and a command that comes 75 ms late misses the far end's training.
"""

from __future__ import annotations

import contextlib
import errno
import os
import time
import tty
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.softmodem.exchange import Exchange
from tests.softmodem.library import TICK_S
from tests.softmodem.stations import AtMode, SoftModem
from tests.softmodem.world import Dte, World

_LOOK_S = 0.001  # how often a line that stands still looks whether the program has spoken

# What a T.31 modem of spandsp's buffers is 4096 octets, and it holds the DTE back from 3072 on.
CHUNK = 512


class PtyPort:
    """A soft modem at the master end; ``path`` is the port that the program opens."""

    def __init__(
        self, modem: SoftModem | None = None, *, patience_s: float = 3.0, standstill_s: float = 0.0
    ) -> None:
        """``patience_s``: how long a program that owes something is waited for at the line's own speed;
        after it the line runs fast again, as the program is waiting for the line itself."""
        self.modem = modem or SoftModem()
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.path = os.ttyname(self._slave)
        self._backlog = b""
        self._pending = b""
        self._owes_since: float | None = None
        self._frame_open = False
        self._patience_s = patience_s
        self._standstill_s = standstill_s
        self.plugged = True

    def step(self, _now: float) -> None:
        if not self.plugged:
            return
        for _ in range(20):
            self._to_program()
            if not self._from_program():
                break
        self._to_program()

    def _to_program(self) -> None:
        if self.modem.output:
            data = bytes(self.modem.output)
            self.modem.output.clear()
            self._backlog += data
            if self.modem.mode in (AtMode.OFFHOOK_COMMAND, AtMode.HDLC, AtMode.STUFFED):
                self._owes_since = time.monotonic()
        if self._backlog:
            with contextlib.suppress(BlockingIOError):
                written = os.write(self._master, self._backlog)
                self._backlog = self._backlog[written:]

    def _from_program(self) -> bool:
        if not self._pending:
            try:
                self._pending = os.read(self._master, CHUNK)
            except BlockingIOError:
                return False
            except OSError as error:
                if error.errno == errno.EIO:
                    return False
                raise
        if not self._pending or not self.modem.clear_to_send:
            return False
        data, self._pending = self._pending, b""
        if self.modem.mode is AtMode.HDLC:
            if data.endswith(b"\x10\x03"):
                self._owes_since = None
        else:
            self._owes_since = None
        self.modem.to_modem(data)
        return True

    @property
    def owes(self) -> bool:
        """The program is due to say something."""
        if not self.plugged:
            return False
        if self._backlog:
            return True
        if self.modem.mode is AtMode.STUFFED:
            return self.modem.clear_to_send  # a page under way: keep its buffer full
        if self._owes_since is None:
            return False
        return time.monotonic() - self._owes_since < self._patience_s

    @property
    def awaited(self) -> bool:
        """The program has only just come to owe a command in mid call: the line stands still."""
        if not self.plugged or self._owes_since is None or self.modem.mode is not AtMode.OFFHOOK_COMMAND:
            return False
        return time.monotonic() - self._owes_since < self._standstill_s

    def unplug(self) -> None:
        """The device vanishes: the program sees its port hang up."""
        self.plugged = False
        with contextlib.suppress(OSError):
            os.close(self._slave)
        with contextlib.suppress(OSError):
            os.close(self._master)

    def close(self) -> None:
        if self.plugged:
            self.unplug()
        self.modem.close()


@dataclass
class LiveWorld(World):
    """A world with programs in it: real time where they are waited for, ``speed`` times faster elsewhere."""

    exchange: Exchange
    speed: float = 20.0
    ports: list[PtyPort] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(self.exchange)

    def program(self, number: str, modem: SoftModem | None = None, *, standstill_s: float = 0.0) -> PtyPort:
        """A modem for a program at this number."""
        port = PtyPort(modem, standstill_s=standstill_s)
        self.exchange.connect(number, port.modem)
        self.ports.append(port)
        return port

    def driver(self, number: str, dte: Dte) -> None:
        """A modem for a driver without I/O."""
        self.link(number, dte)

    def tick(self) -> None:
        for port in self.ports:
            port.step(self.now)
        super().tick()
        for port in self.ports:
            port.step(self.now)

    def run_live(self, until: Callable[[], bool], limit_s: float) -> None:
        """Runs until the condition holds; TimeoutError after ``limit_s`` real seconds."""
        begun = time.monotonic()
        due = begun
        while not until():
            now = time.monotonic()
            if now - begun > limit_s:
                raise TimeoutError(f"still going after {limit_s:.0f} s: {self.exchange.account[-6:]}")
            if any(port.awaited for port in self.ports):
                for port in self.ports:
                    port.step(self.now)
                time.sleep(_LOOK_S)
                continue
            self.tick()
            pace = 1.0 if any(port.owes for port in self.ports) else self.speed
            due = max(due + TICK_S / pace, now - 0.05)
            pause = due - time.monotonic()
            if pause > 0:
                time.sleep(pause)

    def close(self) -> None:
        for port in self.ports:
            port.close()
