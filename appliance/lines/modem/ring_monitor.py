"""A modem on hook: rings counted, the caller's number read, whether the call is ours to take.  No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from appliance.lines.modem.answering import AnswerRules
from appliance.lines.modem.identify import Modem
from appliance.lines.modem.port import Information, Reply, Silence
from appliance.lines.modem.port_driver import PortDriver
from appliance.lines.modem.results import Result, cadence, caller_field, raw_caller_fields, ring_kind

# Rings come every 3 to 6 s in all networks; after this long without one the caller has given up.
RING_GAP_S = 8.0
# An idle modem is asked whether it still lives; one that does not answer is taken for wedged.
PING_EVERY_S = 60.0
PING_S = 5.0
SET_UP_S = 3.0
# RING is told so many tenths of a second after the bell (V.253 +VDR): longer than the gaps within a
# distinctive ring (0.2 to 0.4 s), or each part would count as a ring; 0 would tell no RING at all.
RING_AFTER = 5
# A pause of the bell from which on the next burst belongs to another ring.
RING_PAUSE_S = 1.0


@dataclass(frozen=True, slots=True)
class Caller:
    """What the network told about who calls; empty what it did not."""

    number: str = ""
    name: str = ""
    dialled: str = ""
    ring: str = ""


class Verdict(Enum):
    """What the ring_monitor wants of its owner."""

    NOTHING = "nothing"
    ANSWER = "answer"  # the ring of the rules has come: ask the handler
    WEDGED = "wedged"


class RingMonitor(PortDriver):
    """Drives an idle modem.  ``verdict`` is to be looked at after each call."""

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
        self._bursts = 0  # of the bell since its last long pause, where the modem tells
        self._told_at = float("-inf")  # when the caller was told of, before a ring
        self._ping_at: float | None = None
        self._waiting = False
        self._left_alone = False
        self.caller = Caller()
        self.verdict = Verdict.NOTHING

    @property
    def ready(self) -> bool:
        """Set up and not ringing: a call may be placed."""
        return not self._setting_up and self._rings == 0

    @property
    def ringing(self) -> bool:
        return self._rings > 0

    @property
    def idle(self) -> bool:
        """No command is under way: the port may change hands."""
        return not self._waiting

    def leave_alone(self) -> None:
        """The call that rings is not ours: nothing is asked again until it has stopped."""
        self._left_alone = True
        self.verdict = Verdict.NOTHING

    def start(self, now: float) -> None:
        self._next(now)

    def next_deadline(self) -> float | None:
        times = [self._port.next_deadline(), self._ping_at]
        if self._rings:
            times.append(self._last_ring + RING_GAP_S)
        due = [t for t in times if t is not None]
        return min(due) if due else None

    def handle_timer(self, now: float) -> None:
        super().handle_timer(now)
        if self._rings and now >= self._last_ring + RING_GAP_S:
            self._rings = 0
            self._left_alone = False
            self.caller = Caller()
            self.verdict = Verdict.NOTHING
        if self._ping_at is not None and now >= self._ping_at:
            self._ping_at = None
            if self._rings:  # nothing is said to a modem that rings
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
                        self.verdict = Verdict.WEDGED
                    else:
                        self._ask(self._commands[0] if self._commands else "", now, PING_S)
                case Information(line):
                    self._information(line, now)
                case _:
                    pass

    def _ring(self, kind: str, now: float) -> None:
        if not self._rings and now > self._told_at + RING_GAP_S:
            self.caller = Caller()  # what was told of a call that never rang
        self._rings += 1
        self._last_ring = now
        kind = kind or (str(self._bursts) if self._bursts else "")
        self._bursts = 0
        if kind:
            self.caller = Caller(self.caller.number, self.caller.name, self.caller.dialled, kind)
        rules = self._rules
        ours = rules.answer and (not rules.kinds or self.caller.ring in rules.kinds)
        if ours and not self._left_alone and self._rings >= rules.rings:
            self.verdict = Verdict.ANSWER

    def _information(self, line: str, now: float) -> None:
        if (bell := cadence(line)) is not None:
            on, seconds = bell
            self._bursts = self._bursts + 1 if on else (0 if seconds >= RING_PAUSE_S else self._bursts)
        found = caller_field(line)
        fields = raw_caller_fields(line) or ([] if found is None else [found])
        for name, value in fields:
            self._told(name, value)
        if fields and not self._rings:
            self._told_at = now  # some networks tell before the first ring

    def _told(self, name: str, value: str) -> None:
        was = self.caller
        match name:
            case "NMBR":
                self.caller = Caller(value, was.name, was.dialled, was.ring)
            case "NAME":
                self.caller = Caller(was.number, value, was.dialled, was.ring)
            case "DDN_NMBR":
                self.caller = Caller(was.number, was.name, value, was.ring)
            case _:
                pass
