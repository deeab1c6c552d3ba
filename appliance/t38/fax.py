"""``T38FaxCall``: a whole fax call over T.38 in one object, driven from outside in the driver's own time.

Datagrams and the time go in; datagrams, the next deadline and at last the result come out.  No socket,
no clock, no thread: docs/drive-from-outside.md shows all that a driver needs, with ``T38Fax``, the same for
a harness that brings its own pages.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from appliance.t30.call import DrivenFax, FaxCall
from appliance.t30.conversation import FromCall
from appliance.t30.memory import Pages, Store, answer_from, ignore
from appliance.t30.packet_account import PacketAccount
from appliance.t30.parameters import CallParameters, Progress
from appliance.t38.dce import DceCounters, T38Dce
from appliance.t38.settings import T38Settings
from appliance.t38.udptl_receiver import ReceiveCounters


def _nothing() -> None:
    """For drivers that pump on their own."""


class T38FaxCall(DrivenFax):
    """One fax call over one UDPTL session, from ``start`` until ``result`` is set.

    After each of ``start``, ``receive_datagram``, ``handle_timer``, ``pump`` and ``cancel`` the driver
    sends what ``take_datagrams`` gives and asks ``next_deadline`` again.  Times are seconds of any clock
    that never goes back.  When ``result`` is set a last ``take_datagrams`` empties the session.

    ``say`` and ``wake`` are as of ``FaxCall``; after ``wake`` the driver calls ``pump`` soon.  The carriers
    of ``parameters`` above the session's bit rate are left out.
    """

    def __init__(
        self,
        parameters: CallParameters,
        t38: T38Settings,
        say: Callable[[FromCall], None],
        *,
        wake: Callable[[], None] = _nothing,
    ) -> None:
        self._started = False
        self._dce = T38Dce(t38)
        within = _within_bit_rate(parameters, t38.max_bit_rate)
        self._packets = PacketAccount(say)
        super().__init__(FaxCall(within, self._dce, say, wake=wake), self._dce)

    @property
    def counters(self) -> tuple[DceCounters, ReceiveCounters]:
        """What happened to the packets so far."""
        return self._dce.counters, self._dce.receiver.counters

    @property
    def contradictions(self) -> int:
        """Datagrams so far that said another thing than one with the same number (``two_voices``)."""
        return self._dce.receiver.voices.count

    @property
    def hears_fax(self) -> bool:
        """Whether anything of a fax machine came through the session yet, be it a tone."""
        return self._dce.counters.signals > 0

    def start(self, now: float) -> None:
        """The session is agreed: opens the path with no-signal and begins the call."""
        self._started = True
        self._dce.start(now)
        self._call.start(now)

    def receive_datagram(self, data: bytes, now: float) -> None:
        """Takes one datagram from the far end's address, whatever is in it; nothing before ``start``."""
        if not self._started:
            return
        self._dce.receive_datagram(data, now)
        counters = self._dce.receiver.counters
        self._packets.come(now, counters.datagrams, counters.recovered, counters.lost)
        self._call.pump(now)

    def take_datagrams(self) -> list[bytes]:
        """What is to be sent to the far end now, in this order."""
        return self._dce.take_datagrams()

    def next_deadline(self) -> float | None:
        """When ``handle_timer`` wants to be called; None when only the far end can move the call."""
        return self._call.next_deadline()

    def handle_timer(self, now: float) -> None:
        """To be called when ``next_deadline`` has come; harmless earlier."""
        self._call.handle_timer(now)


class T38Fax(T38FaxCall):
    """A ``T38FaxCall`` with pages and a store of the harness's own (``appliance.t30.memory``)."""

    def __init__(
        self,
        parameters: CallParameters,
        pages: Pages,
        store: Store,
        t38: T38Settings,
        *,
        progress: Callable[[Progress], None] = ignore,
        wake: Callable[[], None] = _nothing,
    ) -> None:
        super().__init__(parameters, t38, answer_from(pages, store, self.answer, progress), wake=wake)


def _within_bit_rate(parameters: CallParameters, max_bit_rate: int) -> CallParameters:
    capabilities = parameters.capabilities
    carriers = frozenset(c for c in capabilities.carriers if c.bit_rate <= max_bit_rate)
    return replace(parameters, capabilities=replace(capabilities, carriers=carriers))
