"""Identifies a modem and its capabilities by queries; the table of quirks overrides wrong answers.

"OK" proves nothing (modems and emulators answer it to nonsense): capabilities count only when a ``=?``
query returns a list with known numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from appliance.language import filled, marked
from appliance.lines.modem.port import Information, Reply, Silence
from appliance.lines.modem.port_driver import PortDriver
from appliance.lines.modem.quirks import MODULATION_V21, Quirks, carrier_of, quirks_for
from appliance.lines.modem.results import Result
from appliance.t30.dce import Carrier

QUERY_S = 3.0  # a USB modem that has just been plugged in needs a second for ATI
MAX_ANSWER_LINES = 40
MAX_IDENTITY_CHARACTERS = 400
WAKE_TRIES = 3

# Queries in this order; the answers together are the identity (V.250 6.1.3 to 6.1.7, T.31 8.2).
_WHO = ("I0", "I3", "I4", "+FMI?", "+FMM?", "+FMR?", "+GMI", "+GMM", "+GMR")
_CLASSES, _SEND, _RECEIVE, _SEND_HDLC, _RECEIVE_HDLC = (
    "+FCLASS=?",
    "+FTM=?",
    "+FRM=?",
    "+FTH=?",
    "+FRH=?",
)
_CALLER_ID, _DISTINCTIVE, _ADAPTIVE = "+VCID=?", "+VDR=?", "+FAR=?"


@dataclass(frozen=True, slots=True)
class Modem:
    """An identified modem.

    ``send`` and ``receive`` are the fast carriers to use, lists and table considered; empty lists of
    the modem's own count as everything up to V.29, which every class-1 modem has.
    """

    identity: str = ""
    row: str = "A modem without known peculiarities"
    quirks: Quirks = field(default_factory=Quirks)
    class_1: bool = True
    send: frozenset[Carrier] = frozenset(Carrier) - {Carrier.V21}
    receive: frozenset[Carrier] = frozenset(Carrier) - {Carrier.V21}
    caller_id: bool = False
    distinctive_ring: bool = False
    answers: tuple[tuple[str, str], ...] = field(default=(), repr=False)  # query and answer

    def in_words(self) -> str:
        """One paragraph for the owner."""
        if not self.class_1:
            device = self.identity or filled("This device")
            return filled("{device} is no class-1 fax modem.", device=device)
        name = self.identity or "An unnamed class-1 modem"
        parts = [f"{name}.", f"Treated as: {self.row}."]
        parts.append(f"Sends {_words(self.send)}; receives {_words(self.receive)}.")
        parts.append("Tells the caller's number." if self.caller_id else "Does not tell the caller's number.")
        return " ".join(parts)


def _words(carriers: frozenset[Carrier]) -> str:
    names = []
    for modulation in ("V.27ter", "V.29", "V.17"):
        rates = sorted(c.bit_rate for c in carriers if c.modulation.value == modulation)
        if rates:
            names.append(f"{modulation} up to {rates[-1]} bit/s")
    return ", ".join(names) or "nothing beyond V.21"


# The carriers of a modem whose lists are missing or unreadable (T.31 8.3.4: 24 to 96 were the first set).
_PLAIN = frozenset({Carrier.V27TER_2400, Carrier.V27TER_4800, Carrier.V29_7200, Carrier.V29_9600})


def number_list(answer: str) -> frozenset[int]:
    """Every number in an answer to ``=?``: ``3,24,48``, ``(3,24-25)``, ``+FTM:(3,24)``, blanks and all.

    Ranges are taken literally up to a bound; an answer without numbers gives the empty set.
    """
    text = answer.split(":", 1)[-1] if answer.lstrip().startswith(("+", "#")) else answer
    numbers: set[int] = set()
    for low, high in re.findall(r"(\d{1,3})(?:\s*-\s*(\d{1,3}))?", text):
        first, last = int(low), int(high or low)
        if first <= last <= first + 255:
            numbers.update(range(first, last + 1))
    return frozenset(numbers)


def carriers_in(answer: str) -> frozenset[Carrier]:
    """The fast carriers in an answer to +FTM=? or +FRM=?."""
    return frozenset(c for n in number_list(answer) if (c := carrier_of(n)) is not None)


class Interrogation(PortDriver):
    """Queries one modem, without I/O.

    ``result`` is a ``Modem`` when done; ``failed`` says why there is none (no answer).
    """

    def __init__(self, *, adjust: Callable[[Quirks], Quirks] = lambda q: q) -> None:
        """``adjust``: applies the owner's settings to the table's row."""
        super().__init__()
        self._adjust = adjust
        # H0: a driver that crashed in a call may have left the line off hook.
        self._queries = ["E0V1Q0", "H0", *_WHO, _CLASSES, _CALLER_ID, _DISTINCTIVE]
        self._position = -1
        self._tries = 0
        self._lines: list[str] = []
        self._answers: dict[str, str] = {}
        self._aborting = False
        self.result: Modem | None = None
        self.failed = ""

    @property
    def done(self) -> bool:
        """Whether ``result`` or ``failed`` is set."""
        return self.result is not None or bool(self.failed)

    def start(self, now: float) -> None:
        """Wakes the modem: ends whatever state it was left in."""
        self._aborting = True
        self._port.write(b"\x10\x03")
        self._port.abort(now, within=0.5)

    def handle_port(self, now: float) -> None:
        """Takes what the port has read; sends the next query after an answer."""
        while not self.done and (event := self._port.take_event()) is not None:
            match event:
                case Information(line):
                    if len(self._lines) < MAX_ANSWER_LINES:
                        self._lines.append(line)
                case Reply(result) if self._aborting:
                    if result in (Result.OK, Result.NO_CARRIER, Result.ERROR):
                        self._port.await_reply(now, 0.1)  # a second answer may follow the first
                case Reply(result) if result in (Result.OK, Result.ERROR):
                    self._answered(result, now)
                case Silence():
                    self._silent(now)
                case _:
                    pass

    def _answered(self, result: Result, now: float) -> None:
        query = self._queries[self._position]
        if result is Result.OK:
            self._answers[query] = " ".join(self._lines)
            classes = number_list(self._answers[query].replace("1.0", "1"))
            if query == _CLASSES and (1 in classes or not classes):
                # Some modems give the lists in class 1 only.  One that answers OK without a list (as
                # emulators do) is accepted: it will refuse +FCLASS=1 if it has no class 1.
                lists = (_SEND, _RECEIVE, _SEND_HDLC, _RECEIVE_HDLC, _ADAPTIVE)
                self._queries += ["+FCLASS=1", *lists, "+FCLASS=0"]
        self._ask_next(now)

    def _silent(self, now: float) -> None:
        if self._aborting:
            self._aborting = False
            self._ask_next(now)
            return
        self._tries += 1
        if self._position == 0 and self._tries < WAKE_TRIES:
            self._position = -1
            self._aborting = True
            self._port.abort(now, within=0.5)
        elif self._position == 0:
            self.failed = marked("Nothing on this port answers to AT.")
        elif self._tries > WAKE_TRIES + 2:
            self.failed = marked("The modem stopped answering while it was asked what it can do.")
        else:
            self._ask_next(now)  # the modem does not know this query

    def _ask_next(self, now: float) -> None:
        self._lines = []
        self._position += 1
        if self._position >= len(self._queries):
            self._port.await_reply(now, None)
            self._conclude()
            return
        self._port.command(self._queries[self._position], now, within=QUERY_S)

    def _conclude(self) -> None:
        answers = [self._answers.get(query, "") for query in _WHO]
        words: list[str] = []
        for answer in answers:
            if answer and answer not in words:
                words.append(answer)
        identity = " / ".join(words)[:MAX_IDENTITY_CHARACTERS]
        row, quirks = quirks_for(identity)
        quirks = self._adjust(quirks)
        class_1 = _SEND in self._queries
        send = carriers_in(self._answers.get(_SEND, "")) or _PLAIN
        receive = carriers_in(self._answers.get(_RECEIVE, "")) or _PLAIN
        hdlc = number_list(self._answers.get(_SEND_HDLC, "3")) or {MODULATION_V21}
        adaptive = quirks.adaptive_reception and 1 in number_list(self._answers.get(_ADAPTIVE, ""))
        self.result = Modem(
            identity=identity,
            row=row,
            quirks=replace(quirks, adaptive_reception=adaptive),
            class_1=class_1 and MODULATION_V21 in hdlc,
            send=send if quirks.send is None else quirks.send,
            receive=receive if quirks.receive is None else quirks.receive,
            caller_id=1 in number_list(self._answers.get(_CALLER_ID, "")),
            distinctive_ring=1 in number_list(self._answers.get(_DISTINCTIVE, "")),
            answers=tuple(self._answers.items()),
        )
