"""One fax call over a class-1 modem, without I/O: dialling or answering, the fax itself, the hook.

``ModemFaxCall`` is to a modem what ``T38FaxCall`` is to datagrams: hand it the time and the bytes that the
modem sent, take the bytes for the modem and the next deadline from it, read ``result`` at the end.
``ModemFax`` is the same for a harness that brings its own pages.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum

from appliance.causes import CANCELLED, Cause
from appliance.lines.causes import BUSY, LINE_FULL, LINE_STOPPED, NO_ANSWER
from appliance.lines.modem import causes
from appliance.lines.modem.class1 import ClassOneDce, Opened
from appliance.lines.modem.dialling import DialRules, dial_command, dialling_s
from appliance.lines.modem.identify import Modem
from appliance.lines.modem.lexer import DLE, ETX, DataKind
from appliance.lines.modem.limits import HOOK_S, SET_UP_S
from appliance.lines.modem.port import CommandPort, Reply, Silence
from appliance.lines.modem.results import Result
from appliance.lines.modem.set_up import SetUp
from appliance.t30 import causes as t30_causes
from appliance.t30.call import FaxCall
from appliance.t30.conversation import FromCall, ToCall
from appliance.t30.memory import Pages, Store, answer_from, ignore
from appliance.t30.parameters import CallParameters, CallResult, Phase, Progress, Role
from appliance.t30.timers import T0_S

# After CAN at the start: ends what the last call left behind.
CLEAR_S = 0.3
# V.250 6.3.8: S7 waits for the carrier from the end of dialling; one octet.
S7_LIMIT_S = 255
# The far machine's CED and first preamble come after it answered (T.30 4.2, 5.3.1: up to 4 s + 1 s), and
# many first play an announcement.
AFTER_ANSWER_S = 15.0
# A modem that follows S7 reports NO CARRIER by itself; with others the call is ended this much later.
DIAL_MARGIN_S = 1.0
# ATA to CONNECT: silence 1.8 to 2.5 s, CED up to 4 s, preamble 1 s (T.30 4.2), twice over.
ANSWER_LIMIT_S = 15.0
# An OK to ATD or ATA this soon answers a set-up command that was repeated because no answer came, by a
# modem that takes up to ``SET_UP_S`` and more.  After that it is a refusal to connect.
STRAY_OK_S = 5.0

# Address, control (final), DCN of the called station, as the wire has them (T.30 5.3).
_DCN = b"\xff\x13\xfa"
# What a modem says instead of CONNECT, and what it means to a caller.
_NOT_CONNECTED = {
    Result.BUSY: BUSY,
    Result.NO_DIALTONE: causes.NO_DIAL_TONE,
    Result.NO_ANSWER: NO_ANSWER,
    Result.VOICE: causes.VOICE_ANSWERED,
    Result.NO_CARRIER: t30_causes.NO_FAX_ANSWERED,
    Result.BLOCKED: causes.MODEM_DIAL_BLOCKED,
    Result.ERROR: causes.MODEM_REFUSED,
    Result.OK: causes.MODEM_REFUSED,
    Result.FCERROR: t30_causes.NO_FAX_ANSWERED,  # another signal than V.21 was heard (T.31 8.3.4)
}
# Of these, when answering, each of the line's own means that the caller has hung up.
_CALLER_GONE = frozenset(
    {
        Result.BUSY,
        Result.NO_DIALTONE,
        Result.NO_ANSWER,
        Result.VOICE,
        Result.NO_CARRIER,
        Result.FCERROR,
    }
)
# What a far end that says nothing ends with, and a modem that has died, too: the answer to H0 tells which.
_SILENCES = frozenset(
    {NO_ANSWER, t30_causes.NO_FAX_ANSWERED, t30_causes.NO_SENDER_HEARD, t30_causes.PAGE_NEVER_CAME}
    | {t30_causes.RECEIVER_WENT_SILENT, t30_causes.SENDER_WENT_SILENT}
)


class _Stage(Enum):
    CLEAR = "clear"
    SET_UP = "set up"
    CONNECTING = "connecting"
    FAX = "fax"
    GIVING_UP = "giving up"
    HOOK = "hook"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class ModemCall:
    """The parameters of a call over a modem besides ``CallParameters``.

    ``number`` is dialled by ``rules`` when the call is placed, None answers the one that rings.
    """

    modem: Modem = field(default_factory=Modem)
    rules: DialRules = field(default_factory=DialRules)
    withhold: bool = False  # our number is not shown
    number: str | None = None
    ring_s: float = 60.0  # nobody answered by then, seconds
    speaker: bool = False  # the modem's loudspeaker is on until the connection stands


@dataclass(frozen=True, slots=True)
class _Connection:
    """The parts that run once the modems are connected."""

    dce: ClassOneDce
    fax: FaxCall


class ModemFaxCall:
    """A call from the first command to the last.

    Give it ``start(now)`` once, ``receive_bytes`` as bytes come, ``handle_timer`` when
    ``next_deadline()`` has passed; after each of them take ``take_bytes(limit)``.  ``result`` is set when
    the modem is on hook again.  ``say`` and ``wake`` are as of ``FaxCall``.  After ``wake`` comes
    ``pump(now)``.
    """

    def __init__(
        self,
        parameters: CallParameters,
        call: ModemCall,
        say: Callable[[FromCall], None],
        *,
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        """Raises UndialableError when the number cannot be dialled, ValueError when the role does not
        fit the call."""
        if (parameters.role is Role.CALLS) != (call.number is not None):
            raise ValueError("a caller needs a number, an answering station has none")
        self._call = call
        self._quirks = call.modem.quirks
        self._dial = (
            "" if call.number is None else dial_command(call.number, call.rules, withhold=call.withhold)
        )
        self._parameters = _within(parameters, call.modem)
        self._say = say
        self._wake = wake
        self._port = CommandPort(bare_dle=self._quirks.bare_dle, trace=self._trace)
        self._stage = _Stage.CLEAR
        self._set_up = SetUp(call.rules, self._quirks, speaker=call.speaker)
        self._asked_at = 0.0  # when ATD or ATA was given
        self._crossed = False  # answered while giving up
        self._stray_ok = False  # an OK to ATD or ATA, and nothing else yet
        self._connection: _Connection | None = None
        self._ending: CallResult | None = None
        self._hung_up = False
        self.result: CallResult | None = None

    # -- the three drivers ---------------------------------------------------------------------

    def start(self, now: float) -> None:
        """Begins: clears the modem, sets it up, dials or answers."""
        if self._dial:
            self._set_up.commands.append(f"S7={int(self._answer_s())}")
            # Never with a call ringing: to some modems any byte then means "answer" or "stop".
            self._port.abort(now, within=CLEAR_S)
        else:
            self._next_set_up(now)

    def receive_bytes(self, data: bytes, now: float) -> None:
        """Bytes from the modem, in any pieces."""
        self._port.receive(data, now)
        self.pump(now)

    def handle_timer(self, now: float) -> None:
        """Does what is due at ``now``, seconds."""
        if self._connection is not None:
            self._connection.fax.handle_timer(now)
        else:
            self._port.handle_timer(now)
        self.pump(now)

    def answer(self, reply: ToCall) -> None:
        """The reply to a request of the call."""
        if self._connection is not None:
            self._connection.fax.answer(reply)

    def cancel(self, now: float) -> None:
        """The owner ends the call."""
        self._end(CANCELLED, now)

    def stop(self, now: float) -> None:
        """The line is being stopped."""
        self._end(LINE_STOPPED, now)

    def device_lost(self, now: float, cause: Cause = causes.MODEM_UNPLUGGED) -> None:
        """The port has disappeared: nothing more can be sent to the modem."""
        if self.result is not None:
            return
        if self._connection is not None:
            self._connection.dce.device_lost(cause)
            self._connection.fax.pump(now)
            self._ending = self._connection.fax.result
        if self._ending is None:
            self._ending = CallResult(cause, phase=Phase.A)
        self._finish()

    # -- what the driver takes -----------------------------------------------------------------

    def take_bytes(self, limit: int = 1 << 30) -> bytes:
        """The next bytes for the modem, at most ``limit``: as many as the port will take."""
        return self._port.take_output(limit)

    @property
    def unwritten(self) -> bool:
        """Whether ``take_bytes`` has something to give."""
        return self._port.unwritten

    @property
    def discards(self) -> int:
        """Grows when bytes already taken are better not sent: a transport with a buffer should drop it."""
        return self._port.discards

    @property
    def hung_up(self) -> bool:
        """At the end: the modem confirmed that it is on hook.  If not, drop DTR or reset it."""
        return self._hung_up

    def next_deadline(self) -> float | None:
        """When ``handle_timer`` is due, seconds; None after the end."""
        if self.result is not None:
            return None
        driven = self._port if self._connection is None else self._connection.fax
        return driven.next_deadline()

    # -- the course of a call ------------------------------------------------------------------

    def pump(self, now: float) -> None:
        """Goes on with the call as far as it can: after ``wake``, and whenever something came or was due."""
        while self.result is None and self._connection is None:
            match self._port.take_event():
                case None:
                    return
                case Reply(result):
                    self._reply(result, now)
                case Silence():
                    self._silence(now)
        if self.result is None and self._connection is not None:
            dce, fax = self._connection.dce, self._connection.fax
            dce.handle_port(now)
            fax.pump(now)
            if fax.result is not None and dce.over:
                self._ending = self._ending or fax.result
                self._hung_up = dce.clean
                self._finish(silent=not dce.clean)

    def _reply(self, result: Result, now: float) -> None:
        if result is Result.RING and self._dial and self._stage in (_Stage.CLEAR, _Stage.SET_UP):
            # A call comes in before ours is dialled.  Dialling would take it, and it may be the telephone's.
            self._hung_up = True
            self._ending = CallResult(LINE_FULL, phase=Phase.A)
            self._finish()
            return
        match self._stage:
            case _Stage.CLEAR:
                self._port.await_reply(now, 0.1)
            case _Stage.SET_UP if result in (Result.OK, Result.ERROR):
                if self._set_up.answered(now, refused=result is Result.ERROR):
                    self._next_set_up(now)
                else:
                    self._give_up(causes.MODEM_REFUSED, now)
            case _Stage.CONNECTING:
                self._connecting(result, now)
            case _Stage.GIVING_UP if result is Result.CONNECT and not self._dial and not self._crossed:
                # CONNECT crossed our abort: the modem now expects frames, and takes CAN and ATH for data.
                self._crossed = True
                self._port.write(_DCN + bytes([DLE, ETX]))
                self._port.await_reply(now, SET_UP_S)
            case _Stage.GIVING_UP if result in (Result.OK, Result.NO_CARRIER, Result.ERROR):
                self._hook(now)
            case _Stage.HOOK if result in (Result.OK, Result.NO_CARRIER, Result.ERROR):
                self._hung_up = True
                self._finish()

    def _next_set_up(self, now: float) -> None:
        command = self._set_up.next(now)
        if command:
            self._stage = _Stage.SET_UP
            self._port.command(command, now, within=SET_UP_S)
            return
        self._stage = _Stage.CONNECTING
        self._asked_at = now
        if self._dial:
            self._note(now, "dialled", ("number", self._call.number or ""))
            limit = self._answer_s() + dialling_s(self._dial) + DIAL_MARGIN_S
            self._port.command(self._dial, now, within=limit, opens=DataKind.FRAME)
        else:
            self._port.command("A", now, within=ANSWER_LIMIT_S)

    def _answer_s(self) -> float:
        """How long a carrier is waited for after dialling: T0, or as long as the owner lets it ring."""
        ring_s = self._call.ring_s
        return min(S7_LIMIT_S, max(ring_s, min(ring_s + AFTER_ANSWER_S, T0_S)))

    def _connecting(self, result: Result, now: float) -> None:
        if result is Result.OK and now < self._asked_at + STRAY_OK_S:
            self._stray_ok = True  # a late or second one of an earlier command; or this one is refused
            return
        if result is Result.CONNECT:
            self._connected(now)
        elif result in _CALLER_GONE and not self._dial:
            self._give_up(t30_causes.NO_SENDER_HEARD, now)
        elif result in _NOT_CONNECTED:  # else RINGING, or a last RING
            self._give_up(_NOT_CONNECTED[result], now)

    def _connected(self, now: float) -> None:
        self._stage = _Stage.FAX
        self._port.await_reply(now, None)
        self._note(now, "connected")
        opened = Opened.CALLING if self._dial else Opened.ANSWERING
        dce = ClassOneDce(
            self._port,
            self._quirks,
            opened,
            latency_s=self._set_up.latency_s,
            round_trip_s=self._set_up.round_trip_s,
        )
        fax = FaxCall(self._parameters, dce, self._say, wake=self._wake)
        self._connection = _Connection(dce, fax)
        fax.start(now)

    def _silence(self, now: float) -> None:
        match self._stage:
            case _Stage.CLEAR:
                self._next_set_up(now)
            case _Stage.SET_UP if self._set_up.again():
                self._stage = _Stage.CLEAR
                self._port.abort(now, within=CLEAR_S)
            case _Stage.SET_UP:
                self._ending = CallResult(causes.MODEM_SILENT, phase=Phase.A)
                self._finish()
            case _Stage.CONNECTING:
                missed = NO_ANSWER if self._dial else t30_causes.NO_SENDER_HEARD
                self._give_up(causes.MODEM_REFUSED if self._stray_ok else missed, now)
            case _Stage.GIVING_UP:
                self._hook(now)
            case _Stage.HOOK:
                self._finish(silent=True)

    # -- the end -------------------------------------------------------------------------------

    def _end(self, cause: Cause, now: float) -> None:
        if self.result is not None:
            return
        if self._connection is not None:
            self._connection.fax.cancel(now, cause)
            self.pump(now)
        elif self._stage not in (_Stage.GIVING_UP, _Stage.HOOK, _Stage.OVER):
            self._give_up(cause, now)

    def _give_up(self, cause: Cause, now: float) -> None:
        """There was no fax: aborts the command in progress and hangs up."""
        self._ending = CallResult(cause, phase=Phase.A)
        self._port.discard_output()
        self._stage = _Stage.GIVING_UP
        self._port.abort(now, within=CLEAR_S)

    def _hook(self, now: float) -> None:
        self._stage = _Stage.HOOK
        self._port.command("H0", now, within=HOOK_S)

    def _finish(self, *, silent: bool = False) -> None:
        """The call is over; ``silent``: the modem did not answer H0."""
        self._stage = _Stage.OVER
        self.result = self._ending
        if silent and self._ending is not None and self._ending.cause in _SILENCES:
            self.result = replace(self._ending, cause=causes.MODEM_SILENT)

    def _trace(self, now: float, direction: str, text: str) -> None:
        self._note(now, "modem", ("way", direction), ("text", text))

    def _note(self, now: float, event: str, *fields: tuple[str, str]) -> None:
        self._say(Progress(now, event, fields))


def _within(parameters: CallParameters, modem: Modem) -> CallParameters:
    """The parameters cut down to what this modem does on the side it will be on."""
    able = parameters.capabilities
    sends = parameters.role is Role.CALLS
    carriers = able.carriers & (modem.send if sends else modem.receive)
    if parameters.poll:
        carriers &= modem.receive
    octets = min(able.ecm_frame_octets, modem.quirks.ecm_frame_octets)
    return replace(parameters, capabilities=replace(able, carriers=carriers, ecm_frame_octets=octets))


class ModemFax(ModemFaxCall):
    """A ``ModemFaxCall`` with pages and a store of the harness's own (``appliance.t30.memory``)."""

    def __init__(
        self,
        parameters: CallParameters,
        pages: Pages,
        store: Store,
        call: ModemCall,
        *,
        progress: Callable[[Progress], None] = ignore,
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(parameters, call, answer_from(pages, store, self.answer, progress), wake=wake)
