"""Incoming calls of a trunk until they are answered: assignment, the box's decision, refusals.

Every call gets a final answer, whatever fails: an INVITE without one occupies the stack for as long as its
sender likes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from appliance.lines import causes
from appliance.lines.line import Accept, IncomingCall, IncomingHandler, Refuse, decided
from appliance.lines.sip import messages
from appliance.lines.sip.codes import BUSY_HERE, TEMPORARILY_UNAVAILABLE
from appliance.lines.sip.numbers import from_trunk
from appliance.lines.sip.outcomes import status_of_refusal
from appliance.lines.sip.settings import SipTrunk
from appliance.lines.sip.stack import SipStack

if TYPE_CHECKING:
    from appliance.lines.sip.trunk_account import OfferedCall

_log = logging.getLogger(__name__)


class Inbound:
    """The calls offered to one trunk.  ``has_room``: whether it may carry one more; ``carry`` carries it."""

    def __init__(
        self,
        trunk: SipTrunk,
        stack: SipStack,
        has_room: Callable[[], bool],
        carry: Callable[[OfferedCall, Accept], Awaitable[None]],
    ) -> None:
        self._trunk = trunk
        self._stack = stack
        self._has_room = has_room
        self._carry = carry
        self._on_incoming: IncomingHandler | None = None
        self._deciding: dict[asyncio.Task[None], OfferedCall] = {}
        self._carrying: set[asyncio.Task[None]] = set()

    @property
    def waiting(self) -> int:
        """Number of calls without a decision; each occupies a channel of the trunk."""
        return len(self._deciding)

    def open(self, on_incoming: IncomingHandler) -> None:
        """Passes calls to ``on_incoming`` from now on."""
        self._on_incoming = on_incoming

    def close(self) -> None:
        """Refuses calls from now on, and those that wait for a decision."""
        self._on_incoming = None
        for task, offered in self._deciding.items():
            task.cancel()
            self.turn_away(offered, TEMPORARILY_UNAVAILABLE)
        self._deciding.clear()

    def abandon(self) -> None:
        """Ends the running calls at once."""
        for task in self._carrying:
            task.cancel()

    def call_offered(self, offered: OfferedCall) -> None:
        """Takes a call from a peer of the trunk.  On the event loop."""
        if self._on_incoming is None:
            self.turn_away(offered, TEMPORARILY_UNAVAILABLE)
            return
        try:
            incoming = self._read(offered.message)
            if not self._has_room():
                self.turn_away(offered, BUSY_HERE)
                return
            decision = self._on_incoming(incoming)
        except Exception:
            _log.exception("deciding about a call failed")
            decision = Refuse(causes.LINE_FAULT)
        task = asyncio.create_task(self._decide(offered, decision))
        self._deciding[task] = offered
        task.add_done_callback(self._done)

    def _read(self, message: str) -> IncomingCall:
        found = messages.headers(message)
        caller = messages.caller(found)
        rules = self._trunk.dialling
        dialled = messages.dialled(message, found, self._trunk.username)
        return IncomingCall(
            self._trunk.name, from_trunk(dialled, rules), from_trunk(caller.number, rules), caller.name
        )

    async def _decide(
        self, offered: OfferedCall, decision: Accept | Refuse | Awaitable[Accept | Refuse]
    ) -> None:
        try:
            made = await decided(decision)
        except Exception:
            _log.exception("deciding about a call failed")
            made = Refuse(causes.LINE_FAULT)
        task = asyncio.current_task()
        assert task is not None
        del self._deciding[task]
        if isinstance(made, Refuse):
            self.turn_away(offered, status_of_refusal(made.cause))
            return
        self._carrying.add(task)
        await self._carry(offered, made)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._deciding.pop(task, None)
        self._carrying.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.error("carrying a call failed", exc_info=task.exception())

    def turn_away(self, offered: OfferedCall, code: int) -> None:
        """Refuses a call with a SIP status."""
        self._stack.order(offered.call, lambda call: call.end(code))
