"""``T38FaxCall``: a whole fax call over T.38 in one object, without socket, clock or thread.

It takes datagrams and the time, and gives datagrams, the next deadline and finally the result.  ``T38Fax`` is
the same for a test harness with pages of its own; docs/drive-from-outside.md shows how to drive it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from appliance.t30.call import FaxWithinCall, nobody_sleeps
from appliance.t30.conversation import FromCall
from appliance.t30.memory import Pages, Store, answer_from, ignore
from appliance.t30.packet_account import PacketAccount
from appliance.t30.parameters import CallParameters, Progress
from appliance.t38.dce import DceCounters, T38Dce
from appliance.t38.settings import T38Settings
from appliance.t38.udptl_receiver import ReceiveCounters


class T38FaxCall(FaxWithinCall):
    """One fax call over one UDPTL session, from ``start`` until ``result`` is set.

    After each of ``start``, ``receive_datagram``, ``handle_timer``, ``pump`` and ``cancel`` the driver
    sends the datagrams of ``take_datagrams`` and asks ``next_deadline`` again, also when ``result`` has been
    set.  Times are seconds on any monotonic clock.

    ``say`` and ``wake`` are those of ``FaxCall``; after ``wake`` the driver calls ``pump``.  Carriers of
    ``parameters`` above the session's bit rate are left out.
    """

    _dce: T38Dce

    def __init__(
        self,
        parameters: CallParameters,
        t38: T38Settings,
        say: Callable[[FromCall], None],
        *,
        wake: Callable[[], None] = nobody_sleeps,
    ) -> None:
        super().__init__(_within_bit_rate(parameters, t38.max_bit_rate), T38Dce(t38), say, wake=wake)
        self._started = False
        self._packets = PacketAccount(say)

    @property
    def counters(self) -> tuple[DceCounters, ReceiveCounters]:
        """Counts of the packets sent and received so far."""
        return self._dce.counters, self._dce.receiver.counters

    @property
    def contradictions(self) -> int:
        """Datagrams so far that contradict others (module ``contradictions``)."""
        return self._dce.receiver.contradictions.count

    @property
    def hears_fax(self) -> bool:
        """Whether the far end has sent any signal, be it a tone."""
        return self._dce.counters.signals > 0

    def start(self, now: float) -> None:
        """Sends the first no-signal and starts T.30.  To be called once the session is agreed."""
        self._started = True
        self._dce.start(now)
        super().start(now)

    def receive_datagram(self, data: bytes, now: float) -> None:
        """Takes a datagram of any content from the far end's address; ignored before ``start``."""
        if not self._started:
            return
        self._dce.receive_datagram(data, now)
        counters = self._dce.receiver.counters
        self._packets.come(now, counters.datagrams, counters.recovered, counters.lost)
        self.pump(now)

    def take_datagrams(self) -> list[bytes]:
        """The datagrams to send now, in order."""
        return self._dce.take_datagrams()


class T38Fax(T38FaxCall):
    """A ``T38FaxCall`` for a test harness with its own ``Pages`` and ``Store`` (``appliance.t30.memory``)."""

    def __init__(
        self,
        parameters: CallParameters,
        pages: Pages,
        store: Store,
        t38: T38Settings,
        *,
        progress: Callable[[Progress], None] = ignore,
        wake: Callable[[], None] = nobody_sleeps,
    ) -> None:
        super().__init__(parameters, t38, answer_from(pages, store, self.answer, progress), wake=wake)


def _within_bit_rate(parameters: CallParameters, max_bit_rate: int) -> CallParameters:
    capabilities = parameters.capabilities
    carriers = frozenset(c for c in capabilities.carriers if c.bit_rate <= max_bit_rate)
    return replace(parameters, capabilities=replace(capabilities, carriers=carriers))
