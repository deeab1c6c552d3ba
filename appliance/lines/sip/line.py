"""SipLine: one SIP trunk as the rest of the box sees it (``appliance.lines.line.Line``).

Lines share one ``SipStack``; calls that come in find their trunk by where they come from.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from appliance import dial_on
from appliance.causes import Cause
from appliance.dial_on import DialOn
from appliance.lines import causes
from appliance.lines.datagram_driver import Pacing
from appliance.lines.g711.dialling_on import duration_s
from appliance.lines.line import (
    Answer,
    IncomingCall,
    IncomingHandler,
    LineKind,
    LineState,
    OutgoingCall,
    Refuse,
    Tap,
    decided,
)
from appliance.lines.sip import messages, stun
from appliance.lines.sip.admission import Admission
from appliance.lines.sip.call import ACK_LIMIT_S, CarriedCall, MediaFacts, MediaPorts
from appliance.lines.sip.causes import (
    SIP_FROM_REFUSED,
    SIP_MISCONFIGURED,
    SIP_NO_REPLY,
    SIP_UNREACHABLE,
    SIP_WRONG_PASSWORD,
)
from appliance.lines.sip.codes import BUSY_HERE, DECLINE, NOT_FOUND, TEMPORARILY_UNAVAILABLE
from appliance.lines.sip.events import CallEvent, RegistrationChanged
from appliance.lines.sip.media_orders import LocalMedia, MediaRules
from appliance.lines.sip.numbers import (
    NumberError,
    checked_sip_address,
    countries,
    from_trunk,
    is_sip_address,
    to_dial,
)
from appliance.lines.sip.ports import NoPortError, open_media_socket, own_address
from appliance.lines.sip.settings import (
    Identity,
    MediaChoice,
    SipTrunk,
    safe_display_name,
    safe_user,
)
from appliance.lines.sip.stack import (
    FIRST_OS_ERROR,
    LAST_OS_ERROR,
    TOO_MANY,
    SipOrderError,
    SipStack,
    SipUnavailableError,
)
from appliance.lines.sip.standing import ASK_IN_CALL_S, Standing, sentence, with_status
from appliance.lines.sip.switch import MediaSwitch
from appliance.lines.sip.trunk_config import request_uri
from appliance.lines.sip.trunk_memory import TrunkMemory
from appliance.t30.conversation import CallOwner, Ended
from appliance.t30.parameters import CallResult, Phase, Progress
from appliance.t38.settings import T38Settings

if TYPE_CHECKING:
    from appliance.lines.sip.signalling import CallRef, Knocking

_log = logging.getLogger(__name__)

# A trunk that no call has proven by then is asked (OPTIONS), so long after the start.
FIRST_ASK_S = 10.0
# The trunk's standing is looked after this often.
LOOK_AFTER_S = 1.0
# How long ``stop`` waits for calls to end with DCN and BYE.
STOP_LIMIT_S = 10.0
# Where T.38 is not offered, the other side gets so long to do it before the tones begin, seconds.
PEER_OFFERS_WITHIN_S = 3.0
# What a peer of ours may send in one datagram, and may keep: we have room for any.
OUR_MAX_DATAGRAM = 400
OUR_MAX_BUFFER = 2000
# RFC 3325 9.1 and 9.2.
_IDENTITY_HEADERS = {
    Identity.ASSERTED: "P-Asserted-Identity",
    Identity.PREFERRED: "P-Preferred-Identity",
}
# Calls that end so, and not by the trunk's own word, were not answered by it.
_NOT_ANSWERED = frozenset({SIP_NO_REPLY, SIP_UNREACHABLE})
# The status that a refused caller gets, by cause; a decline for what is not its business.
_REFUSALS = {
    causes.LINE_FULL.code: BUSY_HERE,
    causes.BUSY.code: BUSY_HERE,
    causes.NUMBER_NOT_IN_SERVICE.code: NOT_FOUND,
    causes.LINE_STOPPED.code: TEMPORARILY_UNAVAILABLE,
}


@dataclass(slots=True)
class InboundCounters:
    """Calls that came in, by what became of them."""

    answered: int = 0
    refused: int = 0  # by the box's rules or because all channels were taken


class SipLine:
    """See the module.  ``learned``: the file that keeps what calls have shown of the trunk."""

    def __init__(self, trunk: SipTrunk, stack: SipStack, learned: Path | None = None) -> None:
        self.trunk = trunk
        self._stack = stack
        self._on_incoming: IncomingHandler = lambda _: Refuse(causes.LINE_STOPPED)
        self._started = False
        self._usable = False  # the stack has an account for it
        self._standing = Standing(trunk.server, registers=trunk.registers)
        self._memory = TrunkMemory(trunk.server, learned)
        self._calls: dict[CarriedCall, CallOwner] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._admission = Admission(trunk)
        self._keeper: asyncio.Task[None] | None = None
        self.inbound = InboundCounters()
        self.pacing = Pacing()
        self.last_facts = MediaFacts()  # how the media of the last call came about

    # -- Line ---------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        return self.trunk.name

    @property
    def kind(self) -> LineKind:
        return LineKind.G711 if self.trunk.media is MediaChoice.G711_ONLY else LineKind.T38

    def state(self) -> LineState:
        usable, words = self._condition()
        return LineState(usable, len(self._calls), self.trunk.calls_at_once, words, self._standing.last_error)

    async def start(self, on_incoming: IncomingHandler) -> None:
        self._on_incoming = on_incoming
        try:
            await self._stack.start()
        except SipUnavailableError as error:
            self._standing.last_error = sentence(str(error))
            _log.error("%s: %s", self.name, error)
            return
        self._started = True
        stack = self._stack
        await self._resolve()
        try:
            await stack.add_trunk(self, self.trunk, self._registration_changed, self._answered)
        except Exception as error:
            self._standing.last_error = sentence(str(error))
            _log.error("%s: %s", self.name, self._standing.last_error)
        else:
            self._usable = True
        self._keeper = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        if not self._started:
            return
        self._started = self._usable = False
        for owner in tuple(self._calls.values()):
            owner.cancel()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_LIMIT_S):
                while self._calls:
                    await asyncio.sleep(0.05)
        for task in tuple(self._tasks):
            task.cancel()
        if self._keeper is not None:
            self._keeper.cancel()
            self._keeper = None
        with contextlib.suppress(Exception):
            await self._stack.remove_trunk(self)
        await self._stack.stop()
        self._standing = Standing(self.trunk.server, registers=self.trunk.registers)

    async def place(self, call: OutgoingCall, owner: CallOwner, tap: Tap | None = None) -> CallResult:
        if not self._started:
            return CallResult(causes.LINE_STOPPED, phase=Phase.A)
        if not self._usable:
            return CallResult(SIP_MISCONFIGURED, phase=Phase.A)
        if len(self._calls) >= self.trunk.calls_at_once:
            return CallResult(causes.LINE_FULL, phase=Phase.A)
        try:
            number, steps = dial_on.split(call.number)
            uri = self._uri(number)
        except NumberError as error:
            owner.say(Progress(0.0, "number_invalid", (("reason", str(error)),)))
            return CallResult(causes.NUMBER_INVALID, phase=Phase.A)
        try:
            ports = await self._open_ports()
        except NoPortError:
            return CallResult(causes.LINE_FULL, phase=Phase.A)
        carried = CarriedCall(
            call.parameters,
            owner,
            ports,
            tap=tap,
            pacing=self.pacing,
            dial_on=steps,
            countries=countries(number, self.trunk.dialling),
            udptl_ways=self._memory.udptl_ways,
        )
        self._calls[carried] = owner
        owner.say(Progress(0.0, "dialled", (("number", uri),)))
        try:
            return await self._place(call, carried, ports, uri, steps)
        finally:
            del self._calls[carried]
            self.last_facts = carried.facts

    # -- calls out -------------------------------------------------------------------------

    async def _place(
        self,
        call: OutgoingCall,
        carried: CarriedCall,
        ports: MediaPorts,
        uri: str,
        steps: Sequence[DialOn],
    ) -> CallResult:
        rules = self._rules(self.trunk.t38_calling_s or None, audio=call.audio)
        if steps:
            rules = _after_dialling(rules, duration_s(steps))
        local = await self._local_media(ports, uri)
        switch = MediaSwitch(rules, local, caller=True, pick=random.uniform)
        headers, local_uri = self._identity(call)
        stack = self._stack

        def dial() -> CallRef:
            from appliance.lines.sip.signalling import TrunkCall  # noqa: PLC0415 - needs pjsua2

            trunk_call = TrunkCall(stack.account(self.trunk.name), stack)
            trunk_call.switch = switch
            trunk_call.sink = _teller(stack, carried)
            stack.calls.add(trunk_call)
            try:
                trunk_call.place(uri, headers, local_uri)
            except Exception:
                stack.forget(trunk_call)
                raise
            return trunk_call.ref

        try:
            ref = await stack.ask(dial)
        except Exception as error:
            self._standing.last_error = sentence(str(error))
            _log.warning("%s: a call could not be placed: %s", self.name, error)
            ports.close()
            return CallResult(_cause_of_refusal(error), phase=Phase.A)
        return self._learn(carried, await carried.run(_Orders(stack, ref), ring_s=call.ring_s))

    def _learn(self, carried: CarriedCall, result: CallResult) -> CallResult:
        """What a call's end says of the trunk; the result, with what only the trunk knows of its cause."""
        if carried.facts.offer_failed:
            self._memory.offer_failed()
        if carried.facts.udptl is not None:
            self._memory.learn_udptl(*carried.facts.udptl)
        ended, now = carried.ended, time.monotonic()
        if carried.facts.answered_at or (ended is not None and not ended.ours):
            (self._standing.call_answered if carried.calls else self._standing.answered)(now)
        elif result.cause in _NOT_ANSWERED:
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
        return request_uri(self.trunk, to_dial(number, self.trunk.dialling))

    def _identity(self, call: OutgoingCall) -> tuple[list[tuple[str, str]], str]:
        """Extra headers and the From address.  The login stands there only where the owner said so."""
        trunk = self.trunk
        number = safe_user(call.caller_number or trunk.caller_number)
        name = safe_display_name(call.caller_name or trunk.caller_name)
        host = f"[{trunk.domain}]" if ":" in trunk.domain else trunk.domain
        user = trunk.username if trunk.from_user_is_account else number
        address = f"<sip:{user}@{host}>" if user else "<sip:anonymous@anonymous.invalid>"
        shown = f'"{name}" ' if name else ""
        headers = []
        if call.withhold:
            # RFC 3323 4.1 and RFC 3325 7: From says nobody, the network is told and asked to keep it.
            headers.append(("Privacy", "id"))
            if not trunk.from_user_is_account:
                address = "<sip:anonymous@anonymous.invalid>"
        if trunk.identity in _IDENTITY_HEADERS and number:
            headers.append((_IDENTITY_HEADERS[trunk.identity], f"{shown}<sip:{number}@{host}>"))
        return headers, f'"Anonymous" {address}' if call.withhold else f"{shown}{address}"

    # -- calls in --------------------------------------------------------------------------

    def admits(self, address: str) -> bool:
        """Whether a call from this address is for this trunk: a configured peer, or the registrar."""
        return self._admission.admits(address)

    def networks(self) -> frozenset[str]:
        """The addresses, and networks as ``address/bits``, that ``admits`` lets in."""
        return self._admission.networks()

    def knock(self, knocking: Knocking) -> None:
        """A call from a peer of ours.  On the event loop."""
        found = messages.headers(knocking.message)
        caller = messages.caller(found)
        incoming = IncomingCall(
            self.name,
            self._inward(messages.dialled(knocking.message, found, self.trunk.username)),
            self._inward(caller.number),
            caller.name,
        )
        if len(self._calls) >= self.trunk.calls_at_once:
            self._turn_away(knocking, BUSY_HERE)
            return
        try:
            decision = self._on_incoming(incoming)
        except Exception:
            _log.exception("deciding about a call failed")
            decision = Refuse(causes.LINE_FAULT)
        task = asyncio.create_task(self._decide(knocking, decision))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _decide(
        self, knocking: Knocking, decision: Answer | Refuse | Awaitable[Answer | Refuse]
    ) -> None:
        try:
            made = await decided(decision)
        except Exception:
            _log.exception("deciding about a call failed")
            made = Refuse(causes.LINE_FAULT)
        if isinstance(made, Refuse):
            self._turn_away(knocking, _status_of(made.cause))
        else:
            await self._answer(knocking, made)

    def _inward(self, number: str) -> str:
        """A number as the trunk writes it, in E.164 where the dialling rules can tell."""
        return from_trunk(number, self.trunk.dialling)

    def _turn_away(self, knocking: Knocking, code: int) -> None:
        self.inbound.refused += 1
        self._stack.order(knocking.call, lambda call: call.end(code))

    async def _answer(self, knocking: Knocking, answer: Answer) -> None:
        owner = answer.owner
        try:
            ports = await self._open_ports()
        except NoPortError:
            self._turn_away(knocking, BUSY_HERE)
            owner.say(Ended(CallResult(causes.LINE_FULL, phase=Phase.A)))
            return
        carried = CarriedCall(
            answer.parameters,
            owner,
            ports,
            tap=answer.tap,
            pacing=self.pacing,
            udptl_ways=self._memory.udptl_ways,
        )
        carried.begin_with(knocking.message)
        self._calls[carried] = owner
        self.inbound.answered += 1
        result = CallResult(causes.LINE_STOPPED, phase=Phase.A)
        try:
            rules = self._rules(self.trunk.t38_answering_s or None)
            local = await self._local_media(ports, knocking.address)
            switch = MediaSwitch(rules, local, caller=False, pick=random.uniform)
            stack, ref = self._stack, knocking.call

            def accept() -> None:
                tell = _teller(stack, carried)
                if ref.ended is not None:  # it was over before anybody listened (CANCEL while it knocked)
                    tell(ref.ended)
                elif ref.call is not None:
                    ref.call.sink = tell
                    ref.call.accept(switch, time.monotonic())

            stack.post(accept)
            result = self._learn(carried, await carried.run(_Orders(stack, ref), ring_s=ACK_LIMIT_S))
        finally:
            del self._calls[carried]
            self.last_facts = carried.facts
            owner.say(Ended(result))

    # -- media -----------------------------------------------------------------------------

    def _rules(self, ask_after_s: float | None, *, audio: bool = False) -> MediaRules:
        """What the owner wants of the trunk; ``audio`` where it has both: without T.38."""
        media = self.trunk.media
        if audio and media is MediaChoice.BOTH:
            media = MediaChoice.G711_ONLY
        rules = MediaRules(
            t38=media is not MediaChoice.G711_ONLY,
            g711=media is not MediaChoice.T38_ONLY,
            ask_after_s=ask_after_s,
            keep_audio_line=self.trunk.keep_audio_line,
        )
        if rules.g711 and self._memory.offers_rest:
            return replace(rules, ask_after_s=None, wait_for_peer_s=PEER_OFFERS_WITHIN_S)
        return rules

    async def _open_ports(self) -> MediaPorts:
        settings = self._stack.settings
        udptl = open_media_socket(settings.bind, settings.udptl_ports)
        try:
            return MediaPorts(udptl, open_media_socket(settings.bind, settings.rtp_ports))
        except BaseException:
            udptl.close()
            raise

    async def _local_media(self, ports: MediaPorts, towards: str) -> LocalMedia:
        """``towards`` is the peer's address, or the address that is called."""
        trunk = self.trunk
        address = trunk.public_address or self._own_address(towards)
        rtp_port, udptl_port = ports.rtp.getsockname()[1], ports.udptl.getsockname()[1]
        if trunk.use_stun and not trunk.public_address:
            servers = self._stack.settings.stun_servers
            udptl_seen, rtp_seen = await asyncio.gather(
                stun.ask(ports.udptl, servers), stun.ask(ports.rtp, servers)
            )
            if udptl_seen is not None and rtp_seen is not None:
                address, udptl_port = udptl_seen
                rtp_port = rtp_seen[1]
            else:
                self._standing.last_error = (
                    "No STUN server answered; the box's own address was given instead."
                )
        ours = T38Settings(
            version=trunk.t38_version,
            error_correction=trunk.error_correction,
            redundancy=trunk.redundancy,
            max_datagram=OUR_MAX_DATAGRAM,
            max_buffer=OUR_MAX_BUFFER,
            max_bit_rate=trunk.max_bit_rate,
        )
        return LocalMedia(address, rtp_port, udptl_port, ours, session=str(random.getrandbits(31) + 1))

    def _own_address(self, towards: str) -> str:
        bind = self._stack.settings.bind
        if bind not in ("0.0.0.0", "::"):
            return bind
        host = messages.uri_host(towards) or towards
        try:
            ipaddress.ip_address(host)
        except ValueError:
            anywhere = "2001:db8::1" if self._stack.settings.ipv6 else "192.0.2.1"
            host = self._admission.some_address() or anywhere
        return own_address(host)

    # -- the trunk's state ----------------------------------------------------------------

    def _condition(self) -> tuple[bool, str]:
        if not self._started:
            return False, "SIP is not running." if self._standing.last_error else "The trunk is stopped."
        if not self._usable:
            return False, "The trunk's settings cannot be used."
        return self._standing.condition(time.monotonic())

    def _registration_changed(self, change: RegistrationChanged) -> None:
        self._standing.registration_changed(change, time.monotonic())
        if change.active:
            self._admission.registrar = change.server.rpartition(":")[0].strip("[]")
            self._stack.admission_changed()
        elif change.code // 100 != 2:
            _log.warning("%s: %s", self.name, self._standing.last_error)

    def _answered(self) -> None:
        """The trunk answered OPTIONS, whatever it said."""
        self._standing.answered(time.monotonic())

    async def _keep(self) -> None:
        """Looks after the trunk while it is up: its names, and whether it answers."""
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
            every_s = self.trunk.ask_every_s if now >= ask_from else 0.0
            unanswered = any(call.unanswered(now, ASK_IN_CALL_S) for call in self._calls)
            idle = not self._calls or unanswered
            if self._usable and idle and self._standing.wants_to_ask(now, every_s, unanswered=unanswered):
                if self.trunk.registers:
                    self._stack.sign_in_again(self.name)
                else:
                    self._stack.ask_options(self.trunk)

    async def _resolve(self) -> None:
        """Looks up the addresses of the server and its peers."""
        if await self._admission.look_up():
            self._stack.admission_changed()


class _Orders:
    """A call's orders to the SIP thread."""

    def __init__(self, stack: SipStack, ref: CallRef) -> None:
        self._stack = stack
        self._ref = ref

    def end(self, code: int = 0) -> None:
        self._stack.order(self._ref, lambda call: call.end(code))

    def ask_t38(self) -> None:
        self._stack.order(self._ref, lambda call: call.ask_t38(time.monotonic()))

    def page_in_audio(self) -> None:
        self._stack.order(self._ref, lambda call: call.page_in_audio())

    def page_in_t38(self) -> None:
        self._stack.order(self._ref, lambda call: call.page_in_t38())

    def t38_is_silent(self) -> None:
        self._stack.order(self._ref, lambda call: call.t38_is_silent(time.monotonic()))


def _after_dialling(rules: MediaRules, seconds: float) -> MediaRules:
    """The same rules for a call whose fax begins only when some digits are out."""
    ask_after_s = None if rules.ask_after_s is None else rules.ask_after_s + seconds
    return replace(
        rules, dials_on=True, ask_after_s=ask_after_s, wait_for_peer_s=rules.wait_for_peer_s + seconds
    )


def _teller(stack: SipStack, carried: CarriedCall) -> Callable[[CallEvent], None]:
    return lambda event: stack.tell(lambda: carried.deliver(event))


def _status_of(cause: Cause) -> int:
    return _REFUSALS.get(cause.code, DECLINE)


def _cause_of_refusal(error: Exception) -> Cause:
    """Why the stack itself did not even send a call."""
    status = error.status if isinstance(error, SipOrderError) else 0
    if status == TOO_MANY:
        return causes.LINE_FULL
    return SIP_UNREACHABLE if FIRST_OS_ERROR <= status <= LAST_OS_ERROR else causes.LINE_FAULT
