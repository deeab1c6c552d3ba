"""The practice fax machine as a T.38 endpoint: datagrams and the time in, datagrams and a deadline out.

Its methods are those of our own endpoint, so either can stand at either end of a simulated line, of a
socket driver, or of a benchmark.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from appliance.lines.practice.abilities import TICK_S, Abilities, Manners
from appliance.lines.practice.faults import Faults, Mishaps
from appliance.lines.practice.framing import DatagramUnwrapper, DatagramWrapper
from appliance.lines.practice.spandsp_fax import STATUS_OK, SpandspFax, SpandspStatistics, status_text

# A machine that has finished keeps the call this long, so that its last DCN is sent and repeated.
LINGER_S = 1.0
# Time a machine may fall behind and still catch up tick by tick; a longer pause (a stopped process) is
# skipped, as the telephone network would not wait either.  Own choice.
MAX_CATCH_UP_S = 5.0
# A call never lasts longer: 200 dense pages at 2400 bit/s are a broken script.  Own choice.
MAX_CALL_S = 6 * 3600.0


@dataclass(frozen=True, slots=True)
class MachineSettings:
    """A practice machine and its line."""

    abilities: Abilities
    manners: Manners = Manners.TERMINAL
    faults: Faults = field(default_factory=Faults)


@dataclass(frozen=True, slots=True)
class MachineResult:
    """The practice machine's result, in spandsp's terms."""

    status: int  # T30_ERR_*
    words: str
    statistics: SpandspStatistics
    remote_id: str
    sub_address: str
    selective_polling: str
    password: str
    dropped: bool  # the script ended the call

    @property
    def ok(self) -> bool:
        """Whether the machine's fax succeeded."""
        return self.status == STATUS_OK


class PracticeMachine:
    """One call of the practice machine.

    ``start`` when the call is connected.  The call is over when ``hung_up`` is true: then the owner
    signals that to the far end (as a BYE would) and calls ``close``.
    """

    def __init__(self, settings: MachineSettings) -> None:
        self._settings = settings
        self._outgoing: list[bytes] = []
        self._sender = DatagramWrapper()
        self._receiver = DatagramUnwrapper()
        self._mishaps = Mishaps(settings.faults, settings.abilities.t38_version)
        self._fax: SpandspFax | None = SpandspFax(settings.manners, settings.abilities, self._emit)
        self._started: float | None = None
        self._ticks = 0
        self._done_at: float | None = None
        self.hung_up = False
        self.result: MachineResult | None = None

    def start(self, now: float) -> None:
        """The call is connected."""
        self._started = now
        self.handle_timer(now)

    def receive_datagram(self, data: bytes, now: float) -> None:
        """Takes a UDPTL datagram; drops an invalid one."""
        self.handle_timer(now)
        for sequence, ifp in self._receiver.unwrap(data):
            if self._fax is None or self.hung_up:
                return
            changed = self._mishaps.hear(ifp)
            if changed:
                self._fax.hear(sequence, changed)
            self._check(now)

    def take_datagrams(self) -> list[bytes]:
        """The datagrams to send now, oldest first."""
        datagrams, self._outgoing = self._outgoing, []
        return datagrams

    def next_deadline(self) -> float | None:
        """When ``handle_timer`` is due; None when the call is over."""
        if self._started is None or self.hung_up:
            return None
        return self._started + (self._ticks + 1) * TICK_S

    def handle_timer(self, now: float) -> None:
        """Runs spandsp's ticks that are due."""
        if self._started is None:
            return
        due = int((now - self._started) / TICK_S + 1e-6)
        if due - self._ticks > MAX_CATCH_UP_S / TICK_S:
            self._ticks = due - 1
        while self._ticks < due and not self.hung_up and self._fax is not None:
            self._ticks += 1
            self._fax.tick()
            self._check(self._started + self._ticks * TICK_S)

    def peer_hung_up(self, now: float) -> None:
        """The far end ended the call (its BYE)."""
        if not self.hung_up:
            self._hang_up(now)

    def close(self) -> None:
        """Frees spandsp's memory; ``result`` is final afterwards."""
        if self._fax is not None:
            self._conclude()
            self._fax.close()
            self._fax = None

    # -- inside ---------------------------------------------------------------------------

    def _emit(self, ifp: bytes, count: int) -> None:
        changed = self._mishaps.say(ifp)
        if changed is not None:
            self._outgoing.extend([self._sender.wrap(changed)] * count)

    def _check(self, now: float) -> None:
        fax = self._fax
        assert fax is not None
        assert self._started is not None
        if fax.trouble is not None:
            trouble, fax.trouble = fax.trouble, None
            raise trouble
        if self._mishaps.dropped:
            self._hang_up(now)
        elif fax.status is not None:
            if self._done_at is None:
                self._done_at = now
            elif now - self._done_at >= LINGER_S:
                self._hang_up(now)
        elif now - self._started > MAX_CALL_S:
            self._hang_up(now)

    def _hang_up(self, now: float) -> None:
        self.hung_up = True
        self._conclude()

    def _conclude(self) -> None:
        fax = self._fax
        if fax is None or self.result is not None:
            return
        fax.end()
        status = fax.status if fax.status is not None else STATUS_OK
        self.result = MachineResult(
            status=status,
            words=status_text(status),
            statistics=fax.statistics(),
            remote_id=fax.remote_id,
            sub_address=fax.sub_address,
            selective_polling=fax.selective_polling,
            password=fax.password,
            dropped=self._mishaps.dropped,
        )
