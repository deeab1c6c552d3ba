"""The SIP thread: takes orders, and delivers answers and events on the event loop.

Between packets it waits for its worker's descriptor and its own wake-up descriptor, so that an order is
handled at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import queue
import select
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

from appliance.lines.sip.errors import SipOrderError, SipUnavailableError, refusal

_log = logging.getLogger(__name__)

# The longest sleep of the thread, which is the interval of checking pjproject's own timers (retransmissions,
# from 500 ms on).
POLL_S = 0.02


class ThreadWork(Protocol):
    """The work of the thread.  All methods are called on it."""

    def open(self) -> int:
        """Sets up; the descriptor that is readable when packets came, -1 without one.  May raise anything."""

    def work(self, now: float) -> None:
        """Handles packets and timers."""

    def stopped(self, now: float) -> bool:
        """Polled once the thread is to stop: whether everything is over."""

    def close(self) -> None:
        """Releases everything."""


class SipThread:
    """See the module.  ``start`` and ``stop`` on the event loop."""

    def __init__(self, worker: ThreadWork) -> None:
        self._worker = worker
        self._orders: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._wake = -1
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._asked: set[asyncio.Future[Any]] = set()  # on the loop: what has no answer yet
        self._over = True  # on the loop: nobody obeys orders

    @property
    def started(self) -> bool:
        """Whether the thread was started and not stopped."""
        return self._thread is not None

    async def start(self) -> None:
        """Returns when the worker is open.  Raises SipUnavailableError when it cannot be."""
        self._loop = asyncio.get_running_loop()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._stopping = self._over = False
        ready: asyncio.Future[None] = self._loop.create_future()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="sip", daemon=True)
        self._thread.start()
        await ready

    async def stop(self) -> None:
        """Returns when the thread has ended; without one at once."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._stopping = True
            self.post(lambda: None)
            await asyncio.get_running_loop().run_in_executor(None, thread.join)
        if self._wake >= 0:
            os.close(self._wake)
            self._wake = -1

    def post(self, order: Callable[[], None]) -> None:
        """Has ``order`` called on the thread.  From any thread."""
        self._orders.put(order)
        if self._wake >= 0:
            with contextlib.suppress(OSError):
                os.eventfd_write(self._wake, 1)

    def post_to_loop(self, what: Callable[[], None]) -> None:
        """Has ``what`` called on the event loop.  From the thread."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(what)

    async def ask(self, question: Callable[[], Any]) -> Any:
        """Has ``question`` answered on the thread.

        Raises SipOrderError for what pjsua2 refuses and when the thread has ended, else what the question
        raises; never with the frames of the thread, which hold its objects.
        """
        if self._over:
            raise SipOrderError(_ENDED)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def put() -> None:
            result, failure = None, None
            try:
                result = question()
            except Exception as error:
                failure = _without_frames(error)
            self.post_to_loop(lambda: _settle(future, result, failure))

        self._asked.add(future)
        future.add_done_callback(self._asked.discard)
        self.post(put)
        return await future

    # -- on the thread --------------------------------------------------------------------------

    def _run(self, ready: asyncio.Future[None]) -> None:
        failure: Exception | None = None
        descriptor = -1
        try:
            descriptor = self._worker.open()
        except Exception as error:
            failure = SipUnavailableError(f"SIP cannot start: {refusal(error) or error}")
        self.post_to_loop(lambda: _settle(ready, None, failure))
        try:
            if failure is None:
                self._serve(descriptor)
        except Exception:
            _log.exception("the SIP thread failed")
        finally:
            self._obey_orders()
            self._worker.close()
            with contextlib.suppress(queue.Empty):
                while True:
                    self._orders.get_nowait()
            self.post_to_loop(self._ended)

    def _serve(self, descriptor: int) -> None:
        poll = select.poll()
        poll.register(self._wake, select.POLLIN)
        if descriptor >= 0:
            poll.register(descriptor, select.POLLIN)
        now = time.monotonic()
        while not (self._stopping and self._worker.stopped(now)):
            poll.poll(POLL_S * 1000)
            with contextlib.suppress(BlockingIOError):
                os.eventfd_read(self._wake)
            self._obey_orders()
            now = time.monotonic()
            self._worker.work(now)

    def _obey_orders(self) -> None:
        # As many as there are now: an order that posts another one gets its turn in the next round.
        for _ in range(self._orders.qsize()):
            try:
                order = self._orders.get_nowait()
            except queue.Empty:
                return
            guard(order, "an order")

    def _ended(self) -> None:
        """Runs on the loop: fails the questions that are still waiting, which would never be answered."""
        self._over = True
        for future in tuple(self._asked):
            _settle(future, None, SipOrderError(_ENDED))


_ENDED = "the SIP stack has ended"


def guard(action: Callable[[], None], what: str) -> None:
    """Calls ``action``, and logs an exception that it raises."""
    try:
        action()
    except Exception as error:
        refused = refusal(error)
        _log.error("%s failed: %s", what, refused or error, exc_info=refused is None)


def _settle(future: asyncio.Future[Any], result: Any, failure: Exception | None) -> None:
    if not future.done():
        if failure is None:
            future.set_result(result)
        else:
            future.set_exception(failure)


def _without_frames(error: Exception) -> Exception:
    if (refused := refusal(error)) is not None:
        return refused
    _log.error("an order to the SIP thread failed", exc_info=error)
    error.__context__ = error.__cause__ = None
    return error.with_traceback(None)
