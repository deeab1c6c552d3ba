"""``SipLine``: the ``Line`` (``appliance.lines.line``) of one SIP trunk.

All lines share one ``SipStack``; incoming calls are assigned to a trunk by their source address.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import random
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.causes import Cause
from appliance.language import marked
from appliance.lines import causes
from appliance.lines.datagram_driver import Pacing
from appliance.lines.line import Accept, IncomingHandler, LineKind, LineState, OutgoingCall, Tap
from appliance.lines.sip import lost_connection, messages
from appliance.lines.sip.admission import Admission
from appliance.lines.sip.call import ACK_LIMIT_S, CarriedCall
from appliance.lines.sip.call_media import MediaTerms
from appliance.lines.sip.call_orders import accept, dial
from appliance.lines.sip.causes import (
    SIP_CERTIFICATE,
    SIP_CONNECTION_LOST,
    SIP_FROM_REFUSED,
    SIP_MISCONFIGURED,
    SIP_NO_REPLY,
    SIP_UNREACHABLE,
    SIP_WRONG_PASSWORD,
)
from appliance.lines.sip.codes import BUSY_HERE, SERVER_ERROR
from appliance.lines.sip.errors import SipUnavailableError
from appliance.lines.sip.events import RegistrationChanged
from appliance.lines.sip.identity import identity
from appliance.lines.sip.inbound import Inbound
from appliance.lines.sip.numbers import NumberError, checked_sip_address, countries, is_sip_address, to_dial
from appliance.lines.sip.our_media import OurMedia, media_rules
from appliance.lines.sip.outcomes import cause_of_order_error
from appliance.lines.sip.ports import MediaPorts, NoPortError
from appliance.lines.sip.settings import MediaChoice, SipTrunk, split_host_port
from appliance.lines.sip.stack import SipStack
from appliance.lines.sip.standing import ASK_IN_CALL_S, Standing, sentence, with_status
from appliance.lines.sip.switch import MediaSwitch
from appliance.lines.sip.trunk_config import request_uri
from appliance.lines.sip.trunk_memory import TrunkMemory
from appliance.numbering import dial_on
from appliance.numbering.dial_on import DialOn
from appliance.t30.conversation import CallOwner, Ended
from appliance.t30.parameters import CallResult, Phase, Progress

if TYPE_CHECKING:
    from appliance.lines.sip.trunk_account import OfferedCall

_log = logging.getLogger(__name__)

# From so long after the start on, a trunk that no call has used is sent OPTIONS, seconds.
FIRST_ASK_S = 10.0
# Where SIP could not start (the exchange of a box that was killed still ends its calls on the port), it is
# tried again after this, seconds.
OPEN_AGAIN_S = 5.0
# Interval of checking the trunk, seconds.
LOOK_AFTER_S = 1.0
# How long ``stop`` waits for calls to end with DCN and BYE.
STOP_LIMIT_S = 10.0
# Causes of calls that the trunk did not answer, unless it ended them itself.
_NOT_ANSWERED = frozenset({SIP_CERTIFICATE, SIP_NO_REPLY, SIP_UNREACHABLE})


class SipLine:
    """See the module.  ``learned``: the file that keeps what calls have revealed about the trunk."""

    def __init__(self, trunk: SipTrunk, stack: SipStack, learned: Path | None = None) -> None:
        self.trunk = trunk
        self._stack = stack
        self._started = False
        self._usable = False  # the stack has an account for it
        self._standing = Standing(trunk.server, registers=trunk.registers)
        self._memory = TrunkMemory(trunk.server, learned)
        self._calls: dict[CarriedCall, CallOwner] = {}
        self._inbound = Inbound(trunk, stack, self._has_room, self._carry)
        self._admission = Admission(trunk)
        self._keeper: asyncio.Task[None] | None = None
        self._media = OurMedia(trunk, stack.settings, self._admission.some_address, self._complain)
        self._own_address = ""  # of this machine
        self.pacing = Pacing()

    # -- Line ---------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The line's name."""
        return self.trunk.name

    @property
    def kind(self) -> LineKind:
        """What carries its faxes."""
        return LineKind.G711 if self.trunk.media is MediaChoice.G711_ONLY else LineKind.T38

    def state(self) -> LineState:
        """The line's state now."""
        usable, words = self._condition()
        return LineState(usable, self._channels, self.trunk.calls_at_once, words, self._standing.last_error)

    async def start(self, on_incoming: IncomingHandler) -> None:
        """Adds the trunk to the SIP stack; calls that come in go to ``on_incoming``.

        While SIP cannot start, it is tried again.
        """
        if not await self._open(on_incoming):
            self._keeper = asyncio.create_task(self._open_later(on_incoming))

    async def _open_later(self, on_incoming: IncomingHandler) -> None:
        while True:
            await asyncio.sleep(OPEN_AGAIN_S)
            if await self._open(on_incoming):
                return

    async def _open(self, on_incoming: IncomingHandler) -> bool:
        """Whether SIP runs; then the trunk is on it."""
        try:
            await self._stack.start()
        except SipUnavailableError as error:
            if sentence(str(error)) != self._standing.last_error:
                _log.error("%s: %s", self.name, error)
            self._complain(str(error))
            return False
        self._started = True
        self._complain("")
        self._inbound.open(on_incoming)
        await self._resolve()
        try:
            await self._stack.add_trunk(self, self.trunk)
        except Exception as error:
            self._complain(str(error))
            _log.error("%s: %s", self.name, self._standing.last_error)
        else:
            self._usable = True
        self._keeper = asyncio.create_task(self._keep())
        return True

    async def stop(self) -> None:
        """Ends all calls, within ``STOP_LIMIT_S``, and removes the trunk."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
            self._keeper = None
        if not self._started:
            return
        self._started = self._usable = False
        self._inbound.close()
        for owner in tuple(self._calls.values()):
            owner.cancel()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_LIMIT_S):
                while self._calls:
                    await asyncio.sleep(0.05)
        self._inbound.abandon()
        with contextlib.suppress(Exception):
            await self._stack.remove_trunk(self)
        await self._stack.stop()
        self._standing = Standing(self.trunk.server, registers=self.trunk.registers)

    async def place(self, call: OutgoingCall, owner: CallOwner, tap: Tap | None = None) -> CallResult:
        """Places a call; returns its result."""
        if not self._started:
            return CallResult(causes.LINE_STOPPED, phase=Phase.A)
        if not self._usable:
            return CallResult(SIP_MISCONFIGURED, phase=Phase.A)
        if not self._has_room():
            return CallResult(causes.LINE_FULL, phase=Phase.A)
        try:
            number, steps = dial_on.split(call.number)
            uri = self._uri(number)
        except NumberError as error:
            owner.say(Progress(0.0, "number_invalid", (("reason", str(error)),)))
            return CallResult(causes.NUMBER_INVALID, phase=Phase.A)
        ports = self._open_ports()
        if isinstance(ports, Cause):
            return CallResult(ports, phase=Phase.A)
        listened = countries(number, self.trunk.dialling)
        terms = MediaTerms(tap, self.pacing, steps, listened, self._memory.udptl_ways)
        carried = CarriedCall(call.parameters, owner, ports, terms)
        self._calls[carried] = owner
        owner.say(Progress(0.0, "dialled", (("number", uri),)))
        try:
            return await self._place(call, carried, ports, uri, steps)
        finally:
            del self._calls[carried]

    # -- calls out -------------------------------------------------------------------------

    async def _place(
        self,
        call: OutgoingCall,
        carried: CarriedCall,
        ports: MediaPorts,
        uri: str,
        steps: Sequence[DialOn],
    ) -> CallResult:
        rules = media_rules(
            self.trunk,
            self.trunk.t38_calling_s or None,
            audio=call.audio,
            offers_rest=self._memory.offers_rest,
            dials_on=bool(steps),
        )
        try:
            local = await self._media.local(ports, uri)
            switch = MediaSwitch(rules, local, caller=True, pick=random.uniform)
            orders = await dial(
                self._stack, self.name, switch, carried.deliver, uri=uri, identity=identity(self.trunk, call)
            )
        except Exception as error:
            self._complain(str(error))
            _log.warning("%s: a call could not be placed: %s", self.name, error)
            ports.close()
            return CallResult(cause_of_order_error(error), phase=Phase.A)
        result = self._learn(carried, await carried.run(orders, ring_s=call.ring_s))
        await self._let_go(carried)
        return result

    async def _let_go(self, carried: CarriedCall) -> None:
        """Cancels a call of ours whose connection was lost while the number rang, perhaps."""
        pending = carried.left_ringing
        if pending is not None and lost_connection.was_by_connection(pending.invite):
            at, request = time.monotonic() - carried.started, lost_connection.cancel_of(pending.invite)
            line = messages.start_line(request)
            self._calls[carried].say(Progress(at, "sip_sent", (("line", line), ("sdp", ""))))
            await lost_connection.ask(request, pending.server, self.trunk)

    def _learn(self, carried: CarriedCall, result: CallResult) -> CallResult:
        """Records what a call revealed about the trunk; the result, with its cause refined by that."""
        if carried.facts.offer_failed:
            self._memory.offer_failed()
        if carried.facts.udptl is not None:
            self._memory.learn_udptl(*carried.facts.udptl)
        ended, now = carried.ended, time.monotonic()
        theirs = ended is not None and not ended.ours
        if carried.facts.answered_at or theirs or result.cause is SIP_CONNECTION_LOST:
            (self._standing.call_answered if carried.calls else self._standing.answered)(now)
        elif carried.calls and result.cause in _NOT_ANSWERED:
            self._standing.fell_silent(now, carried.started)
            self._standing.last_error = result.cause.sentence
        if ended is None or ended.code < 300 or carried.facts.kind is not None:
            return result
        if result.cause is SIP_WRONG_PASSWORD and self._signs_in_for_calls_alone():
            result = replace(result, cause=SIP_FROM_REFUSED)
        self._standing.last_error = with_status(result.cause, ended.code, ended.reason)
        if ended.code == 503 and ended.retry_after_s:
            self._standing.pause(ended.retry_after_s, now)
        return result

    def _signs_in_for_calls_alone(self) -> bool:
        """Whether name and password are right, since the registrar took them, and From has another user."""
        return self._standing.registered and not self.trunk.from_user_is_account

    def _uri(self, number: str) -> str:
        if is_sip_address(number):
            return checked_sip_address(number)
        user = to_dial(number, self.trunk.dialling)
        return request_uri(self.trunk, user, ipv6=self._stack.settings.ipv6)

    # -- calls in --------------------------------------------------------------------------

    def admits(self, address: str) -> bool:
        """Whether a call from this address is for this trunk: a configured peer, or the registrar."""
        return self._admission.admits(address)

    def networks(self) -> frozenset[str]:
        """The addresses, and networks as ``address/bits``, that ``admits`` lets in."""
        return self._admission.networks()

    def call_offered(self, offered: OfferedCall) -> None:
        """A call from a peer of ours.  On the event loop."""
        self._inbound.call_offered(offered)

    async def _carry(self, offered: OfferedCall, answer: Accept) -> None:
        owner = answer.owner
        ports = self._open_ports()
        if isinstance(ports, Cause):
            self._inbound.turn_away(offered, BUSY_HERE if ports is causes.LINE_FULL else SERVER_ERROR)
            owner.say(Ended(CallResult(ports, phase=Phase.A)))
            return
        terms = MediaTerms(answer.tap, self.pacing, udptl_ways=self._memory.udptl_ways)
        carried = CarriedCall(answer.parameters, owner, ports, terms)
        carried.begin_with(offered.message)
        self._calls[carried] = owner
        result = CallResult(causes.LINE_STOPPED, phase=Phase.A)
        try:
            rules = media_rules(
                self.trunk, self.trunk.t38_answering_s or None, offers_rest=self._memory.offers_rest
            )
            try:
                local = await self._media.local(ports, offered.address)
            except BaseException:
                ports.close()
                self._inbound.turn_away(offered, SERVER_ERROR)
                raise
            switch = MediaSwitch(rules, local, caller=False, pick=random.uniform)
            orders = accept(self._stack, offered.call, switch, carried.deliver)
            result = self._learn(carried, await carried.run(orders, ring_s=ACK_LIMIT_S))
        finally:
            del self._calls[carried]
            owner.say(Ended(result))

    @property
    def _channels(self) -> int:
        """Channels of the trunk in use: calls that are carried, and those that wait for a decision."""
        return len(self._calls) + self._inbound.waiting

    def _has_room(self) -> bool:
        return self._channels < self.trunk.calls_at_once

    def _open_ports(self) -> MediaPorts | Cause:
        """The sockets of one more call, or why there are none."""
        try:
            return self._media.open_ports()
        except NoPortError:
            return causes.LINE_FULL
        except OSError as error:
            self._complain(str(error))
            _log.warning("%s: no sockets for a call: %s", self.name, error)
            return causes.LINE_FAULT

    # -- the trunk's state ----------------------------------------------------------------

    def _complain(self, words: str) -> None:
        self._standing.last_error = sentence(words)

    def _condition(self) -> tuple[bool, str]:
        if not self._started:
            has_failed = bool(self._standing.last_error)
            return False, marked("SIP is not running.") if has_failed else marked("The trunk is stopped.")
        if not self._usable:
            return False, marked("The trunk's settings cannot be used.")
        return self._standing.condition(time.monotonic())

    def registration_changed(self, change: RegistrationChanged) -> None:
        """The registrar answered, or did not."""
        self._standing.registration_changed(change, time.monotonic())
        if change.active:
            self._admission.registrar = change.server.rpartition(":")[0].strip("[]")
            self._stack.admission_changed()
        elif change.code // 100 != 2:
            _log.warning("%s: %s", self.name, self._standing.last_error)

    def answered(self) -> None:
        """The trunk answered OPTIONS, with any status."""
        self._standing.answered(time.monotonic())

    async def _keep(self) -> None:
        """Resolves the names of the trunk again, and checks whether it answers, while it is up."""
        resolve_at = time.monotonic() + self._admission.look_up_after_s
        ask_from = time.monotonic() + FIRST_ASK_S
        while True:
            await asyncio.sleep(LOOK_AFTER_S)
            now = time.monotonic()
            if now >= resolve_at:
                missing = not self._admission.resolved
                await self._resolve()
                resolve_at = time.monotonic() + self._admission.look_up_after_s
                if missing and self._admission.resolved:
                    self._stack.network_came_up()
                    self._stack.sign_in_again(self.name)
            if self.trunk.registers and self._has_moved():
                self._stack.sign_in_again(self.name)
            every_s = self.trunk.ask_every_s if now >= ask_from else 0.0
            unanswered = any(call.unanswered(now, ASK_IN_CALL_S) for call in self._calls)
            idle = not self._calls or unanswered
            if self._usable and idle and self._standing.wants_to_ask(now, every_s, unanswered=unanswered):
                if self.trunk.registers:
                    self._stack.sign_in_again(self.name)
                else:
                    self._stack.ask_options(self.trunk)

    def _has_moved(self) -> bool:
        """Whether this machine has got an address, or another one, that the registrar does not know."""
        server, _ = split_host_port(self.trunk.outbound_proxy or self.trunk.server)
        known, self._own_address = self._own_address, self._media.own_address(server)
        moved = known not in ("", self._own_address)
        return moved and not ipaddress.ip_address(self._own_address).is_loopback  # else: no network now

    async def _resolve(self) -> None:
        """Looks up the addresses of the server and its peers."""
        if await self._admission.look_up():
            self._stack.admission_changed()
