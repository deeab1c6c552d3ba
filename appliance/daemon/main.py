"""Connects the packages and runs the box until it is stopped.

Another process carries calls (``appliance.exchange``).  In this one, the dispatcher's event loop runs in the
main thread; the spool's writer and readers, the preparation of documents, housekeeping and the services
(HTTP, deliveries) have threads of their own, so that the loop never waits for them.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
from collections.abc import Callable, Sequence

from appliance.api.ictfax.callback import callback_style
from appliance.api.ifax.webhook import webhook_style
from appliance.box import Box
from appliance.core import Core, MakeService, Service
from appliance.daemon import service_manager
from appliance.daemon.housekeeping import Housekeeping
from appliance.daemon.lines import Lines
from appliance.daemon.watchdog import ServiceWatchdog, proofs_of
from appliance.deliver.service import Deliveries
from appliance.dispatch.dispatcher import Dispatcher
from appliance.dispatch.outgoing import CONFIRMED, notes_of
from appliance.dispatch.practice import PracticeCaller
from appliance.dispatch.prepare import Preparer
from appliance.dispatch.route_reading import RouteReader
from appliance.dispatch.text_reading import TextReader
from appliance.exchange.confirmations import GONE_S, read_notes
from appliance.exchange.remote import Exchange
from appliance.printing.folder import PrintFolder
from appliance.printing.scans import Scans
from appliance.spool import attempts, bounds, jobs, received
from appliance.spool.clock import clock_ahead, clock_behind
from appliance.spool.settings import SendingSettings
from appliance.spool.transaction import Tx

_log = logging.getLogger(__name__)


def recover(box: Box) -> None:
    """Ends what a crash or power cut left open, before anything else runs."""
    now = box.clock()
    behind = box.spool.do(clock_behind, now)
    if behind:
        _log.warning("the clock is %.0f s behind: faxes keep the time they had left", behind)
    ahead = box.spool.do(clock_ahead, now, box.age_clock.unexplained_s())
    if ahead:
        _log.warning("the clock was set ahead by %.0f s: faxes keep the time they had left", ahead)
    rule = box.settings.section(SendingSettings).unknown_rule
    for fax in box.spool.do(received.recover, now):
        _log.warning("received fax %d was cut off; %d pages of it are here", fax.id, fax.pages)
    _hear_of_confirmations(box, now)
    for job in box.spool.do(bounds.recover, rule, now):
        _log.warning("job %d was cut off in a call: now %s", job.id, job.state.value)


def _hear_of_confirmations(box: Box, now: float) -> None:
    """Records what the far end confirmed, or certainly did not, while the box was down.

    Waits for a call whose last page may still be confirmed: the process that carries it ends soon.
    """
    for attempt in box.spool.read(jobs.unfinished):
        note = notes_of(box.data, attempt)
        noted = read_notes(note, GONE_S if attempt.last_page_at is not None else 0.0)
        if noted.pages > attempt.pages_confirmed:
            box.spool.do(attempts.confirm_pages, attempt.id, noted.pages, now)
        if noted.last_page_kept:
            box.spool.do(attempts.last_page_kept, attempt.id)
    shutil.rmtree(box.data / CONFIRMED, ignore_errors=True)


async def run(
    box: Box,
    stop: asyncio.Event,
    services: Sequence[MakeService] = (),
    *,
    started: Callable[[Core], None] = lambda _: None,
    exchange: Exchange | None = None,
) -> None:
    """Runs the box until ``stop`` is set; when it returns, all but ``box`` itself is closed.

    ``started`` is called once everything is up.  ``exchange`` may have been launched before.
    """
    loop = asyncio.get_running_loop()
    exchange = exchange or Exchange()
    # Before recovery, so that interrupted faxes are delivered like all others.
    deliveries = Deliveries(box)
    deliveries.styles.register("ifax", webhook_style)
    deliveries.styles.register("ictfax", callback_style)
    recover(box)
    lines = Lines(box, exchange)
    dispatcher = Dispatcher(box, lines.build(), screen=deliveries.screen)
    core = Core(box, dispatcher, loop, PracticeCaller(box, dispatcher.pool, loop), deliveries)
    async with contextlib.AsyncExitStack() as running:
        running.push_async_callback(exchange.stop)
        exchange.start()
        running.push_async_callback(dispatcher.stop)
        await dispatcher.start()
        for service in (*_services(box, deliveries), *(make(core) for make in services)):
            service.start()
            running.push_async_callback(loop.run_in_executor, None, service.stop)
        box.spool.write(_note_start, box.clock())
        following = loop.create_task(lines.follow(dispatcher.pool))
        running.callback(following.cancel)
        started(core)
        watchdog = ServiceWatchdog(proofs_of(box, exchange))
        watchdog.start()
        running.callback(watchdog.stop)
        service_manager.notify("READY=1")
        await _until(stop, watchdog)
        service_manager.notify("STOPPING=1")
        _log.info("stopping")


def _services(box: Box, deliveries: Deliveries) -> tuple[Service, ...]:
    """The box's own services, in the order in which they start."""
    return (
        Preparer(box),
        Housekeeping(box.spool, box.settings, box.guard, box.clock, box.erasure, ages=box.age_clock),
        deliveries,
        TextReader(box),
        RouteReader(box),
        PrintFolder(box),
        Scans(box),
    )


def _note_start(tx: Tx, now: float) -> None:
    tx.emit(now, "box.started", None, "")


async def _until(stop: asyncio.Event, watchdog: ServiceWatchdog) -> None:
    """Waits for ``stop``, and notifies systemd's watchdog meanwhile.

    That this runs shows that the loop responds; ``watchdog`` checks the other parts.
    """
    limit = service_manager.watchdog_s()
    # Half of systemd's limit, as sd_watchdog_enabled(3) recommends.
    every = None if limit is None else limit / 2
    missing: list[str] = []
    while not stop.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), every)
        if every is None:
            continue
        before, missing = missing, watchdog.missing()
        if not missing:
            service_manager.notify("WATCHDOG=1")
        elif missing != before:
            _log.critical("no sign of life of %s: systemd will start the box again", ", ".join(missing))
