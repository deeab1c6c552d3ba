"""``OutboxWorker``: makes the outbox's deliveries, a few at a time, in threads of its own.

One thread looks for deliveries that are due, whenever one was put in or its time has come.  A try is recorded
before the next is made; after a crash in between it is repeated (at least once, never lost).
"""

from __future__ import annotations

import contextlib
import contextvars
import logging
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping

from appliance.box import Box
from appliance.deliver.entitled import reason_against
from appliance.deliver.settings import DeliverySettings
from appliance.durable import DiskFullError
from appliance.spool.delivery import Delivery
from appliance.spool.errors import IllegalTransitionError, NotFoundError, SpoolClosedError, SpoolFailedError
from appliance.spool.model import Event, TransientEvent

_log = logging.getLogger(__name__)

# The longest time between two looks at the outbox, seconds: the clock may have been set.
LOOK_AROUND_S = 30.0
# The clock may be set back by so much without consequences, seconds.
CLOCK_SET_S = 5.0
# Deliveries at a time to one target (a URL, an address, a folder), so that a slow one does not hold up the
# others.
AT_ONCE_EACH = 2
# How long a try that could not be recorded (disk full) is not repeated, seconds.
UNRECORDED_S = 60.0
# How long a stop waits for deliveries under way, seconds; the rest is repeated after the next start.
STOP_S = 25.0


class NotWantedError(Exception):
    """The delivery is not made, and no fault of anybody; the message is a sentence."""


class DeliveryError(Exception):
    """A try failed; ``detail`` is a sentence.  ``final``: a further try cannot help."""

    def __init__(self, detail: str, *, final: bool = False) -> None:
        super().__init__(detail)
        self.detail = detail
        self.final = final


# Makes one try and returns what is to be noted of it.  Blocks for a limited time; raises DeliveryError.
Deliverer = Callable[[Delivery], str]


class OutboxWorker:
    """A service of the daemon; ``deliverers`` by the kind of delivery."""

    def __init__(self, box: Box, deliverers: Mapping[str, Deliverer]) -> None:
        self._box = box
        self._deliverers = deliverers
        self._changed = threading.Condition()
        self._woken = False
        self._stopping = False
        self._under_way: dict[int, Delivery] = {}
        self._queue: queue.SimpleQueue[Delivery | None] = queue.SimpleQueue()
        self._threads = 0  # started when needed, then kept: each has a connection to the database
        self._unrecorded: dict[int, float] = {}  # delivery id → monotonic time until which it rests
        self._ahead: float | None = None  # Unix time minus monotonic time, at the last round
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)

    def start(self) -> None:
        """Starts its thread."""
        self._box.history.call(self._heard)
        self._thread.start()

    def stop(self) -> None:
        """Starts no more deliveries, and waits up to STOP_S for those under way."""
        deadline = time.monotonic() + STOP_S
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
            while self._under_way and (left := deadline - time.monotonic()) > 0:
                self._changed.wait(left)
            # Those that still run find themselves removed and record nothing.
            self._under_way.clear()
            for _ in range(self._threads):
                self._queue.put(None)
        self._thread.join(STOP_S)

    def wake(self) -> None:
        """Looks for deliveries that are due; thread-safe."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def _heard(self, item: Event | TransientEvent) -> None:
        # Deliveries are put in together with an event of a fax.
        if isinstance(item, Event) and not self._stopping:
            self.wake()

    def _run(self) -> None:
        while True:
            with self._changed:
                if self._stopping:
                    return
                self._woken = False
            try:
                wait = self._round()
            except SpoolClosedError:
                return
            except Exception:  # a bug in one round must not end all deliveries
                _log.exception("a round of the outbox failed")
                wait = LOOK_AROUND_S
            with self._changed:
                if not self._woken and not self._stopping:
                    self._changed.wait(wait)

    def _round(self) -> float:
        """Starts the deliveries that are due; returns after how many seconds to look again."""
        now = self._box.clock()
        self._heed_clock(now)
        resting = self._rest()
        with self._changed:
            busy = dict(self._under_way)
        free = self._box.settings.section(DeliverySettings).at_once - len(busy)
        if free > 0:
            counts = Counter(delivery.target for delivery in busy.values())
            due = self._box.outbox.due(
                free,
                not_ids=[*busy, *resting],
                not_targets=[target for target, count in counts.items() if count >= AT_ONCE_EACH],
            )
            for delivery in due:
                if counts[delivery.target] < AT_ONCE_EACH:
                    counts[delivery.target] += 1
                    self._begin(delivery)
            if len(due) == free and any(counts[d.target] >= AT_ONCE_EACH for d in due):
                self.wake()  # others may follow those that filled the list
        moment = self._box.outbox.next_due_at()
        wait = LOOK_AROUND_S if moment is None else min(moment - now, LOOK_AROUND_S)
        if resting:
            wait = min(wait, max(0.0, min(resting.values()) - time.monotonic()))
        return max(wait, 0.0)

    def _heed_clock(self, now: float) -> None:
        """Handles a clock that was set back: a box without one may start in the future until it hears NTP."""
        ahead = now - time.monotonic()
        if self._ahead is None or ahead < self._ahead - CLOCK_SET_S:
            moved = self._box.outbox.pull_in()
            if moved:
                _log.warning("the clock was set back: %d deliveries are tried now", moved)
        self._ahead = ahead

    def _rest(self) -> dict[int, float]:
        with self._changed:
            now = time.monotonic()
            self._unrecorded = {each: until for each, until in self._unrecorded.items() if until > now}
            return dict(self._unrecorded)

    def _begin(self, delivery: Delivery) -> None:
        with self._changed:
            if self._stopping:
                return
            if self._threads <= len(self._under_way):
                # First: where none can be started, the delivery is not under way.
                threading.Thread(target=self._work, name=f"deliver-{self._threads}", daemon=True).start()
                self._threads += 1
            self._under_way[delivery.id] = delivery
            self._queue.put(delivery)

    def _work(self) -> None:
        while (delivery := self._queue.get()) is not None:
            self._deliver(delivery)

    def _deliver(self, delivery: Delivery) -> None:
        problem: DeliveryError | NotWantedError | None = None
        detail = ""
        try:
            detail = self._try(delivery)
        except (DeliveryError, NotWantedError) as error:
            problem = error
        except SpoolClosedError:
            return
        except (DiskFullError, SpoolFailedError):
            problem = DeliveryError("The box's storage is full or cannot be written to.")
        except Exception as error:
            _log.exception("delivery %d (%s) met a fault of this box", delivery.id, delivery.kind)
            problem = DeliveryError(f"a fault of this box: {type(error).__name__}")
        with self._changed:
            ours = self._under_way.get(delivery.id) is delivery
        if ours:
            self._record(delivery, detail, problem)
        with self._changed:
            if self._under_way.get(delivery.id) is delivery:
                del self._under_way[delivery.id]
            self._woken = True
            self._changed.notify_all()

    def _try(self, delivery: Delivery) -> str:
        deliverer = self._deliverers.get(delivery.kind)
        if deliverer is None:
            raise DeliveryError(f"this box makes no deliveries of the kind {delivery.kind!r}", final=True)
        against = reason_against(self._box.settings, delivery)
        if against:
            raise NotWantedError(against)
        # In a context of its own: its language must not stay for the next delivery.
        return contextvars.copy_context().run(deliverer, delivery)

    def _record(
        self, delivery: Delivery, detail: str, problem: DeliveryError | NotWantedError | None
    ) -> None:
        try:
            # It may have been dropped by a user, or deleted with its fax.
            with contextlib.suppress(IllegalTransitionError, NotFoundError, SpoolClosedError):
                if problem is None:
                    self._box.outbox.succeeded(delivery.id, detail)
                elif isinstance(problem, NotWantedError):
                    _log.info("delivery %d (%s) is not made: %s", delivery.id, delivery.kind, problem)
                    self._box.outbox.drop(delivery.id, str(problem))
                else:
                    _log.info("delivery %d (%s) failed: %s", delivery.id, delivery.kind, problem.detail)
                    self._box.outbox.failed(delivery.id, problem.detail, final=problem.final)
        except (DiskFullError, SpoolFailedError) as error:
            _log.error("a try of delivery %d could not be recorded: %s", delivery.id, error)
            with self._changed:
                self._unrecorded[delivery.id] = time.monotonic() + UNRECORDED_S
