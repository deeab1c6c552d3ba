"""Monitors an idle modem: counts rings, reads the caller's number, decides when to answer.  No I/O."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from appliance.lines.modem.answering import AnswerRules
from appliance.lines.modem.identify import Modem
from appliance.lines.modem.limits import SET_UP_S
from appliance.lines.modem.port import Information, Reply, Silence
from appliance.lines.modem.port_driver import PortDriver
from appliance.lines.modem.results import Result, cadence, caller_field, raw_caller_fields, ring_kind

# Rings come every 3 to 6 s in all networks; after this long without one the call has ended, seconds.
RING_GAP_S = 8.0
# Interval of checking that an idle modem still answers, seconds.
PING_EVERY_S = 60.0
PING_S = 5.0
# Delay of RING after ringing current, 0.1 s (V.253 +VDR): longer than the gaps within a distinctive ring (0.2
# to 0.4 s), so that its parts do not count as rings; 0 would disable RING.
RING_AFTER = 5
# After a pause of this length the next burst belongs to another ring, seconds.
RING_PAUSE_S = 1.0
# The network's fields of caller identification that are kept, and where (``CallerId``).
_CALLER_FIELDS = {"NMBR": "number", "NAME": "name", "DDN_NMBR": "dialled"}


@dataclass(frozen=True, slots=True)
class CallerId:
    """Caller identification from the network; empty where it has none."""

    number: str = ""
    name: str = ""
    dialled: str = ""
    ring: str = ""


class RingAction(Enum):
    """What the monitor's owner has to do."""

    NOTHING = "nothing"
    ANSWER = "answer"  # the ring of the rules has come: offer the call
    WEDGED = "wedged"


class RingMonitor(PortDriver):
    """Drives an idle modem.  ``verdict`` is to be read after each input."""

    def __init__(self, modem: Modem, rules: AnswerRules) -> None:
        super().__init__()
        self._rules = rules
        self._commands = ["E0V1Q0", "&D2", "S0=0", "+FCLASS=0"]
        if modem.caller_id:
            self._commands.append("+VCID=1")
        if modem.distinctive_ring and rules.kinds:
            self._commands.append(f"+VDR=1,{RING_AFTER}")
        self._misses = 0
        self._setting_up = True
        self._rings = 0
        self._last_ring = float("-inf")
        self._bursts = 0  # bursts since the last long pause, if the modem reports them
        self._identified_at = float("-inf")  # time of caller identification before a ring
        self._ping_at: float | None = None
        self._waiting = False
        self._left_alone = False
        self.caller = CallerId()
        self.verdict = RingAction.NOTHING

    @property
    def ready(self) -> bool:
        """Whether a call may be placed: the modem is set up and does not ring."""
        return not self._setting_up and self._rings == 0

    @property
    def ringing(self) -> bool:
        """Whether a call rings."""
        return self._rings > 0

    @property
    def idle(self) -> bool:
        """Whether no command is in progress, so that another driver may take the port."""
        return not self._waiting

    @property
    def left_alone(self) -> bool:
        """Whether the call of the last ``leave_alone`` still rings."""
        return self._left_alone

    def leave_alone(self) -> None:
        """Ignores the ringing call until it ends."""
        self._left_alone = True
        self.verdict = RingAction.NOTHING

    def start(self, now: float) -> None:
        """Begins to set the modem up."""
        self._next(now)

    def next_deadline(self) -> float | None:
        """When ``handle_timer`` is due, seconds."""
        times = [self._port.next_deadline(), self._ping_at]
        if self._rings:
            times.append(self._last_ring + RING_GAP_S)
        due = [t for t in times if t is not None]
        return min(due) if due else None

    def handle_timer(self, now: float) -> None:
        """Ends a call whose rings have stopped, and checks an idle modem."""
        super().handle_timer(now)
        if self._rings and now >= self._last_ring + RING_GAP_S:
            self._rings = 0
            self._left_alone = False
            self.caller = CallerId()
            self.verdict = RingAction.NOTHING
        if self._ping_at is not None and now >= self._ping_at:
            self._ping_at = None
            if self._rings:  # no commands to a ringing modem
                self._ping_at = now + PING_EVERY_S
            else:
                self._ask("", now, PING_S)

    def _next(self, now: float) -> None:
        if self._commands:
            self._ask(self._commands[0], now, SET_UP_S)
        else:
            self._setting_up = False
            self._ping_at = now + PING_EVERY_S

    def _ask(self, command: str, now: float, within: float) -> None:
        self._waiting = True
        self._port.command(command, now, within=within)

    def handle_port(self, now: float) -> None:
        """Takes what the port has read: rings, the caller's number, answers."""
        while (event := self._port.take_event()) is not None:
            match event:
                case Reply(Result.RING, line):
                    self._ring(ring_kind(line), now)
                case Reply(Result.OK | Result.ERROR) if self._waiting:
                    self._waiting = False
                    self._misses = 0
                    self._port.await_reply(now, None)
                    if self._commands:
                        self._commands.pop(0)
                    self._next(now)
                case Silence():
                    self._waiting = False
                    self._misses += 1
                    if self._misses >= 2:
                        self.verdict = RingAction.WEDGED
                    else:
                        self._ask(self._commands[0] if self._commands else "", now, PING_S)
                case Information(line):
                    self._information(line, now)
                case _:
                    pass

    def _ring(self, kind: str, now: float) -> None:
        if not self._rings and now > self._identified_at + RING_GAP_S:
            self.caller = CallerId()  # drops the identification of a call that did not ring
        self._rings += 1
        self._last_ring = now
        kind = kind or (str(self._bursts) if self._bursts else "")
        self._bursts = 0
        if kind:
            self.caller = replace(self.caller, ring=kind)
        rules = self._rules
        ours = rules.answer and (not rules.kinds or self.caller.ring in rules.kinds)
        if ours and not self._left_alone and self._rings >= rules.rings:
            self.verdict = RingAction.ANSWER

    def _information(self, line: str, now: float) -> None:
        if (bell := cadence(line)) is not None:
            on, seconds = bell
            self._bursts = self._bursts + 1 if on else (0 if seconds >= RING_PAUSE_S else self._bursts)
        found = caller_field(line)
        fields = raw_caller_fields(line) or ([] if found is None else [found])
        for name, value in fields:
            if name in _CALLER_FIELDS:
                self.caller = replace(self.caller, **{_CALLER_FIELDS[name]: value})
        if fields and not self._rings:
            self._identified_at = now  # some networks send it before the first ring
