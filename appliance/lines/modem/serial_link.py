"""A serial port on the asyncio loop, and the driver (without I/O) that uses the modem at present.

Nothing here blocks: reads and writes happen when the port is ready, the driver's deadline is a timer
of the loop.  The driver is asked for no more bytes than the kernel takes, so that unwritten output can
still be dropped.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import termios
from collections.abc import Callable, Iterator
from typing import Protocol

import serial

from appliance.language import filled
from appliance.lines.modem.quirks import FlowControl
from appliance.lines.modem.uucp_lock import PortHeldHereError, PortInUseError, PortLock

_LOG = logging.getLogger("faxbox.modem")

# The kernel's tty buffer is 4 KiB: 2 s of a page at 14400 bit/s.
WRITE_OCTETS = 1024
READ_OCTETS = 4096
# Modems go on hook and reset when DTR has been low this long (V.250 6.3.? &D2; S25 counts 10 ms steps).
DTR_LOW_S = 0.5


class Driver(Protocol):
    """A driver of the modem."""

    def receive_bytes(self, data: bytes, now: float) -> None:
        """Takes bytes from the modem."""

    def take_bytes(self, limit: int = ...) -> bytes:
        """The next bytes for the modem, at most ``limit``."""

    def next_deadline(self) -> float | None:
        """When ``handle_timer`` is due, seconds; None: not before the next bytes."""

    def handle_timer(self, now: float) -> None:
        """Does what is due at ``now``, seconds."""


class PortError(Exception):
    """The port cannot be opened.  ``sentence``: why, for the owner."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class PortOfAnotherLineError(PortError):
    """Another line of the box uses the port."""


class SerialLink:
    """An open port.  ``lost`` is called once when the device goes away, or on a bug of ours (``fault``)."""

    def __init__(
        self,
        path: str,
        speed: int,
        flow: FlowControl,
        *,
        lost: Callable[[str], None],
        after: Callable[[], None] = lambda: None,
    ) -> None:
        """Opens the port for us alone.  ``after`` runs after each time the driver was given something.

        Raises PortError: missing, forbidden, taken by another program.
        """
        self.path = path
        self._loop = asyncio.get_running_loop()
        self._lost = lost
        self._after = after
        self._driver: Driver | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._writing = False
        self._in_service = False
        self._closed = False
        self.fault: Exception | None = None
        try:
            self._lock = PortLock(path)
        except PortHeldHereError as error:
            raise PortOfAnotherLineError(
                filled("{path} is used by another line of the box.", path=path)
            ) from error
        except PortInUseError as error:
            raise PortError(
                filled("{path} is in use by another program: {why}.", path=path, why=error)
            ) from error
        try:
            self._serial = serial.Serial(
                path,
                speed,
                timeout=0,
                write_timeout=0,
                exclusive=True,
                rtscts=flow is FlowControl.RTS_CTS,
            )
        except (serial.SerialException, OSError, ValueError, termios.error) as error:
            self._lock.release()
            raise PortError(_open_sentence(path, error)) from error
        self._fd: int = self._serial.fileno()
        self._loop.add_reader(self._fd, self._readable)

    # -- the driver ----------------------------------------------------------------------------

    def give_to(self, driver: Driver | None) -> None:
        """Gives the port to this driver, and writes its output."""
        self._driver = driver
        self.service()

    def service(self) -> None:
        """Writes the driver's output and sets its timer; to be called after each input to it."""
        if self._closed or self._in_service:
            return
        self._in_service = True
        try:
            self._write()
        finally:
            self._in_service = False
        self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = None if self._driver is None or self._closed else self._driver.next_deadline()
        if due is not None:
            self._timer = self._loop.call_at(due, self._tick)

    def _tick(self) -> None:
        self._timer = None
        if self._driver is not None and not self._closed:
            with self._own_faults():
                # The loop may wake slightly early; the driver must see its deadline reached.
                self._driver.handle_timer(max(self._loop.time(), self._driver.next_deadline() or 0.0))
                self._after()
                self.service()

    @contextlib.contextmanager
    def _own_faults(self) -> Iterator[None]:
        """A context in which an exception of the driver ends the call and resets the modem."""
        try:
            yield
        except Exception as error:
            _LOG.exception("a fault while driving the modem on %s", self.path)
            self.fault = error
            self._gone("a fault of this program")

    # -- the port ------------------------------------------------------------------------------

    def _readable(self) -> None:
        try:
            data = os.read(self._fd, READ_OCTETS)
        except BlockingIOError:
            return
        except OSError as error:
            self._gone(os.strerror(error.errno or errno.EIO))
            return
        if not data:
            self._gone("end of file")
            return
        with self._own_faults():
            if self._driver is not None:
                self._driver.receive_bytes(data, self._loop.time())
                self._after()
            self.service()

    def _write(self) -> None:
        if self._writing or self._driver is None:
            return
        while True:
            data = self._driver.take_bytes(WRITE_OCTETS)
            if not data:
                return
            if not self._put(data):
                return

    def _put(self, data: bytes) -> bool:
        """Writes; keeps the rest for when the kernel has room.  Returns False when there is a rest."""
        try:
            written = os.write(self._fd, data)
        except BlockingIOError:
            written = 0
        except OSError as error:
            self._gone(os.strerror(error.errno or errno.EIO))
            return False
        if written == len(data):
            return True
        self._writing = True
        self._loop.add_writer(self._fd, self._writable, data[written:])
        return False

    def _writable(self, rest: bytes) -> None:
        self._loop.remove_writer(self._fd)
        self._writing = False
        if self._put(rest):
            with self._own_faults():
                self.service()

    def drop_unsent(self) -> None:
        """Drops what the kernel has not sent, since the call is being ended."""
        if self._writing:
            self._loop.remove_writer(self._fd)
            self._writing = False
        with contextlib.suppress(termios.error, OSError):
            termios.tcflush(self._fd, termios.TCOFLUSH)

    async def hang_up_by_wire(self) -> None:
        """Lowers DTR for ``DTR_LOW_S``, which resets a modem that does not answer."""
        with contextlib.suppress(OSError, serial.SerialException, termios.error):
            self._serial.dtr = False
            await asyncio.sleep(DTR_LOW_S)
            self._serial.dtr = True

    def _gone(self, why: str) -> None:
        if not self._closed:
            self.close()
            self._lost(why)

    def close(self) -> None:
        """Closes the port.  A second call does nothing."""
        if self._closed:
            return
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        self._loop.remove_reader(self._fd)
        self._loop.remove_writer(self._fd)
        with contextlib.suppress(termios.error, OSError):
            termios.tcflush(self._fd, termios.TCIOFLUSH)  # otherwise closing waits for unsent output
        with contextlib.suppress(OSError, serial.SerialException, termios.error):
            self._serial.close()
        self._lock.release()

    @property
    def closed(self) -> bool:
        """Whether the port is closed."""
        return self._closed


class Questions(Driver, Protocol):
    """A driver that ends by itself, after some commands."""

    @property
    def done(self) -> bool:
        """Whether the last command was answered."""

    def start(self, now: float) -> None:
        """Sends the first command."""


async def ask(path: str, speed: int, flow: FlowControl, questions: Questions, limit_s: float) -> None:
    """Opens the port, runs the driver to its end, closes the port.

    Raises PortError when the port cannot be opened or disappears, or after ``limit_s`` seconds.
    """
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[None] = loop.create_future()

    def after() -> None:
        if questions.done and not answered.done():
            answered.set_result(None)

    def lost(why: str) -> None:
        if not answered.done():
            answered.set_exception(PortError(filled("{path} went away: {why}.", path=path, why=why)))

    link = SerialLink(path, speed, flow, lost=lost, after=after)
    try:
        questions.start(loop.time())
        link.give_to(questions)
        await asyncio.wait_for(answered, limit_s)
    except TimeoutError as error:
        raise PortError(filled("The modem on {path} takes too long to answer.", path=path)) from error
    finally:
        link.close()


def _open_sentence(path: str, error: Exception) -> str:
    number = getattr(error, "errno", None)
    text = str(error)
    if number == errno.ENOENT or "No such file" in text:
        return filled("{path} is not there: the modem is not plugged in.", path=path)
    if number in (errno.EACCES, errno.EPERM) or "Permission" in text:
        return filled("{path} may not be opened: the user must be in the group dialout.", path=path)
    if number in (errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK) or "lock" in text:
        return filled("{path} is in use by another program.", path=path)
    return filled("{path} cannot be opened: {why}.", path=path, why=text)
