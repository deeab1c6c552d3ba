"""``ModemLine``: the line of a class-1 modem; finds the modem, places and answers calls.

One task runs as long as the line: it looks for a port, identifies the modem and waits for calls; after any
failure it closes the port and begins again after a pause, which grows.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable
from dataclasses import replace

from appliance.causes import CANCELLED, Cause
from appliance.language import filled, marked
from appliance.lines import causes
from appliance.lines.line import (
    STOPPED,
    Accept,
    IncomingCall,
    IncomingHandler,
    LineKind,
    LineState,
    OutgoingCall,
    Refuse,
    Tap,
)
from appliance.lines.modem.causes import MODEM_MISSING, MODEM_UNPLUGGED
from appliance.lines.modem.dialling import UndialableError
from appliance.lines.modem.fax import ModemCall, ModemFaxCall
from appliance.lines.modem.identify import Modem
from appliance.lines.modem.opening import ModemSettings, OpenModem, open_modem, wait_for_device
from appliance.lines.modem.ring_monitor import RingAction, RingMonitor
from appliance.lines.modem.serial_link import PortError, SerialLink
from appliance.t30.causes import INTERNAL_FAULT, SENDER_GAVE_UP
from appliance.t30.conversation import CallOwner, Ended
from appliance.t30.parameters import CallResult, Phase, Role

# Pauses between attempts to find the modem, seconds: short at first (a replugged modem appears within 2 s),
# then long, so that a box without a modem is idle.
RETRY_S = (1.0, 2.0, 5.0, 10.0, 30.0)
# Longest duration of a set-up after the last call, or of a check that the modem answers, seconds.
SETTLE_S = 6.0
# Stopping: DCN, ATH and their answers.
STOP_S = 12.0
_CALL_IS_UP = marked("A call is up.")


class ModemLine:
    """A ``Line`` (appliance.lines.line) on a class-1 modem."""

    def __init__(self, name: str, settings: ModemSettings) -> None:
        self._name = name
        self._settings = settings
        self._on_incoming: IncomingHandler = lambda _: Refuse(causes.LINE_STOPPED)
        self._deciding: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._found: OpenModem | None = None
        self._ring_monitor: RingMonitor | None = None
        self._fax: ModemFaxCall | None = None
        self._fax_done: asyncio.Future[CallResult] | None = None
        self._wanted: asyncio.Event = asyncio.Event()  # the task is to look again
        self._ready: asyncio.Event = asyncio.Event()
        self._stopping = False
        self._broken = ""  # why the port must be opened again
        self._discards = 0
        self._sentence = marked("The line has not been started.")
        self._last_error = ""

    # -- state ---------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The line's name."""
        return self._name

    @property
    def kind(self) -> LineKind:
        """Always MODEM."""
        return LineKind.MODEM

    @property
    def modem(self) -> Modem | None:
        """The modem found, None while there is none."""
        return self._found.modem if self._found is not None else None

    def state(self) -> LineState:
        """The line's state now."""
        usable = self._found is not None and not self._broken and not self._stopping
        return LineState(
            usable=usable,
            calls=int(self._fax is not None),
            capacity=1,
            sentence=self._sentence,
            last_error=self._last_error,
        )

    async def start(self, on_incoming: IncomingHandler) -> None:
        """Opens the line in the background; a modem that is missing is a state, not an error."""
        self._on_incoming = on_incoming
        self._stopping = False
        self._sentence = marked("Looking for the modem.")
        self._task = asyncio.get_running_loop().create_task(self._run(), name=f"modem line {self._name}")

    async def stop(self) -> None:
        """Ends the call that is up, within a bound, and closes the port."""
        self._stopping = True
        fax, done = self._fax, self._fax_done
        if fax is not None and done is not None and self._found is not None:
            fax.stop(asyncio.get_running_loop().time())
            self._found.link.service()
            self._after()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(done), STOP_S)
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        self._close()
        self._sentence = STOPPED

    async def wait_usable(self, seconds: float) -> bool:
        """Waits until a modem is there and idle (for start-up, checks and tests)."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ready.wait(), seconds)
        return self._ready.is_set()

    # -- calls ---------------------------------------------------------------------------------

    async def place(self, call: OutgoingCall, owner: CallOwner, tap: Tap | None = None) -> CallResult:
        """Carries one call to its end."""
        if self._stopping:
            return _failed(causes.LINE_STOPPED)
        await self._settle()
        found = self._found
        if found is None or self._broken:
            return _failed(MODEM_MISSING)
        ring_monitor = self._ring_monitor
        if self._fax is not None or ring_monitor is None or not ring_monitor.ready or not ring_monitor.idle:
            return _failed(causes.LINE_FULL)
        try:
            fax = ModemFaxCall(
                call.parameters,
                ModemCall(
                    modem=found.modem,
                    rules=self._settings.rules,
                    withhold=call.withhold,
                    number=call.number,
                    ring_s=call.ring_s,
                    speaker=self._settings.speaker,
                ),
                owner.say,
                wake=self._wake,
            )
        except UndialableError:
            return _failed(causes.NUMBER_INVALID)
        if owner.cancelled:
            return _failed(CANCELLED)
        owner.listen(fax.answer)
        done = self._begin(fax, found.link)
        owner.on_cancel(lambda: self._cancel(fax))
        return await done

    async def _settle(self) -> None:
        """Waits while an idle modem executes a command of the ring monitor."""
        until = asyncio.get_running_loop().time() + SETTLE_S
        while asyncio.get_running_loop().time() < until:
            ring_monitor = self._ring_monitor
            if ring_monitor is None or ring_monitor.ringing or (ring_monitor.ready and ring_monitor.idle):
                return
            await asyncio.sleep(0.02)

    def _begin(self, fax: ModemFaxCall, link: SerialLink) -> asyncio.Future[CallResult]:
        loop = asyncio.get_running_loop()
        self._ready.clear()
        self._ring_monitor = None
        self._fax = fax
        self._discards = 0
        self._fax_done = loop.create_future()
        self._sentence = _CALL_IS_UP
        done = self._fax_done
        fax.start(loop.time())
        link.give_to(fax)
        self._after()
        return done

    def _cancel(self, fax: ModemFaxCall) -> None:
        if self._fax is fax and self._found is not None:
            fax.cancel(asyncio.get_running_loop().time())
            self._after()
            if self._found is not None:
                self._found.link.service()

    def _wake(self) -> None:
        """A page was delivered or stored: on with the call, but not within the caller's own step."""
        asyncio.get_running_loop().call_soon(self._pump)

    def _pump(self) -> None:
        if self._fax is not None and self._found is not None:
            self._fax.pump(asyncio.get_running_loop().time())
            self._found.link.service()
            self._after()

    def _after(self) -> None:
        """After each input of the driver: handles the end of the call, a ring, a modem that hangs."""
        if self._fax is not None and self._found is not None and self._fax.discards != self._discards:
            self._discards = self._fax.discards
            self._found.link.drop_unsent()
        if self._fax is not None and self._fax.result is not None:
            self._end_call(self._fax.result)
        elif self._ring_monitor is not None:
            if self._ring_monitor.verdict is RingAction.WEDGED:
                self._break(marked("The modem stopped answering."))
            elif self._ring_monitor.verdict is RingAction.ANSWER and self._ring_monitor.idle:
                self._offer(self._ring_monitor)
            elif self._ring_monitor.ready and not self._ready.is_set():
                self._ready.set()
            elif self._ring_monitor.ringing:
                self._ready.clear()

    def _end_call(self, result: CallResult) -> None:
        fax, done = self._fax, self._fax_done
        self._fax = self._fax_done = None
        if fax is None or not fax.hung_up:
            self._break(marked("The modem did not confirm that it hung up, and is reset."))
        elif self._found is not None:
            self._found.link.give_to(None)
            self._listen()
        if done is not None and not done.done():
            done.set_result(result)

    def _offer(self, ring_monitor: RingMonitor) -> None:
        caller = ring_monitor.caller
        ring_monitor.leave_alone()  # asked once per call
        if self._stopping or self._found is None:
            return
        decision = self._on_incoming(IncomingCall(self._name, caller.dialled, caller.number, caller.name))
        if isinstance(decision, Accept):
            self._take(decision, self._found)
        elif not isinstance(decision, Refuse):
            self._deciding = asyncio.ensure_future(self._decide(ring_monitor, decision))
        # Refused: a telephone line has no other refusal than to let it ring.

    async def _decide(self, ring_monitor: RingMonitor, decision: Awaitable[Accept | Refuse]) -> None:
        """Takes the call that rings if it is still there when the decision comes."""
        made = await decision
        if isinstance(made, Refuse):
            return
        if self._stopping:
            made.owner.say(Ended(_failed(causes.LINE_STOPPED)))
        elif self._found is None or self._broken:
            made.owner.say(Ended(_failed(MODEM_MISSING)))
        elif self._ring_monitor is not ring_monitor or not ring_monitor.left_alone:
            made.owner.say(Ended(_failed(SENDER_GAVE_UP)))
        else:
            self._take(made, self._found)

    def _take(self, answer: Accept, found: OpenModem) -> None:
        owner = answer.owner
        fax = ModemFaxCall(
            replace(answer.parameters, role=Role.ANSWERS),
            ModemCall(modem=found.modem, rules=self._settings.rules, speaker=self._settings.speaker),
            owner.say,
            wake=self._wake,
        )
        owner.listen(fax.answer)
        done = self._begin(fax, found.link)
        done.add_done_callback(lambda d: None if d.cancelled() else owner.say(Ended(d.result())))
        owner.on_cancel(lambda: self._cancel(fax))

    # -- finding the modem---------------------------------------------------------------------

    async def _run(self) -> None:
        tries = 0
        while True:
            try:
                self._broken = ""
                self._found = await open_modem(self._settings, lost=self._unplugged, after=self._after)
            except PortError as error:
                self._sentence = self._last_error = error.sentence
            else:
                self._sentence = self._found.ready(time.strftime("%H:%M"))
                self._last_error = ""
                self._listen()
                tries = 0
                self._wanted.clear()
                await self._wanted.wait()  # until something breaks
                if self._found is not None and not self._found.link.closed:
                    await self._found.link.hang_up_by_wire()
            self._close()
            await wait_for_device(self._settings.port, RETRY_S[min(tries, len(RETRY_S) - 1)])
            tries += 1

    def _listen(self) -> None:
        """The modem is idle: rings are waited for."""
        found = self._found
        if found is None or found.link.closed:
            return
        self._ring_monitor = RingMonitor(found.modem, self._settings.answer)
        self._ring_monitor.start(asyncio.get_running_loop().time())
        found.link.give_to(self._ring_monitor)
        if self._sentence == _CALL_IS_UP:
            self._sentence = found.ready()

    def _unplugged(self, why: str) -> None:
        """The device went away, perhaps in mid page."""
        if self._fax is not None:
            fault = self._found is not None and self._found.link.fault is not None
            cause = INTERNAL_FAULT if fault else MODEM_UNPLUGGED
            self._fax.device_lost(asyncio.get_running_loop().time(), cause)
            if self._fax is not None and self._fax.result is not None:
                self._end_call(self._fax.result)
        self._break(filled("The modem went away ({why}).", why=why))

    def _break(self, sentence: str) -> None:
        self._broken = self._sentence = self._last_error = sentence
        self._ready.clear()
        self._wanted.set()

    def _close(self) -> None:
        self._ready.clear()
        self._ring_monitor = None
        if self._found is not None:
            self._found.link.close()
            self._found = None


def _failed(cause: Cause) -> CallResult:
    return CallResult(cause, phase=Phase.A)
