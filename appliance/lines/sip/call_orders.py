"""Placing and answering calls from the event loop, and orders to them, all executed on the SIP thread."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from appliance.lines.sip.events import CallEvent
from appliance.lines.sip.stack import SipStack
from appliance.lines.sip.switch import MediaSwitch

if TYPE_CHECKING:
    from appliance.lines.sip.signalling import CallRef

# Takes the events of a call, on the event loop.
Deliver = Callable[[CallEvent], None]


class CallOrders:
    """A call's orders to the SIP thread; they return at once."""

    def __init__(self, stack: SipStack, ref: CallRef) -> None:
        self._stack = stack
        self._ref = ref

    def end(self, code: int = 0) -> None:
        """Ends the call: BYE, CANCEL or a refusal with ``code``."""
        self._stack.order(self._ref, lambda call: call.end(code))

    def ask_t38(self) -> None:
        """Offers T.38."""
        self._tell(MediaSwitch.ask_now)

    def dialled_on(self) -> None:
        """The digits after the answer are out: T.38 may begin."""
        self._tell(MediaSwitch.dialled_on)

    def page_in_audio(self) -> None:
        """From now on no switch to T.38: the fax's machines have agreed in audio."""
        self._tell(lambda switch, _: switch.page_in_audio())

    def page_in_t38(self) -> None:
        """From now on no switch back to audio: the fax's machines have agreed over T.38."""
        self._tell(lambda switch, _: switch.page_in_t38())

    def t38_is_silent(self) -> None:
        """Gives T.38 up, since nothing of a fax came over it."""
        self._tell(MediaSwitch.t38_is_silent)

    def _tell(self, what: Callable[[MediaSwitch, float], None]) -> None:
        self._stack.order(self._ref, lambda call: call.tell_switch(what))


async def dial(
    stack: SipStack,
    trunk: str,
    switch: MediaSwitch,
    deliver: Deliver,
    *,
    uri: str,
    identity: tuple[list[tuple[str, str]], str],
) -> CallOrders:
    """Sends an INVITE.  Raises SipOrderError for what pjsua2 refuses.

    When cancelled, it places no call, or ends the one that was placed.
    """
    given_up = False
    placed: list[CallRef] = []

    def place() -> None:
        from appliance.lines.sip.signalling import TrunkCall  # noqa: PLC0415 - needs pjsua2

        if given_up:
            return
        call = TrunkCall(stack.account(trunk), stack)
        call.switch = switch
        call.sink = _deliver_on_loop(stack, deliver)
        stack.calls.add(call)
        try:
            call.place(uri, *identity)
        except Exception:
            stack.forget(call)
            raise
        placed.append(call.ref)

    def end() -> None:
        for ref in placed:
            if ref.call is not None:
                ref.call.end()

    try:
        await stack.ask(place)
    except asyncio.CancelledError:
        given_up = True
        stack.post(end)
        raise
    return CallOrders(stack, placed[0])


def accept(stack: SipStack, ref: CallRef, switch: MediaSwitch, deliver: Deliver) -> CallOrders:
    """Answers an INVITE that came in."""

    def take() -> None:
        report = _deliver_on_loop(stack, deliver)
        if ref.ended is not None:  # it ended before this (CANCEL before it was answered)
            report(ref.ended)
        elif ref.call is not None:
            ref.call.sink = report
            ref.call.accept(switch, time.monotonic())

    stack.post(take)
    return CallOrders(stack, ref)


def _deliver_on_loop(stack: SipStack, deliver: Deliver) -> Deliver:
    return lambda event: stack.post_to_loop(lambda: deliver(event))
