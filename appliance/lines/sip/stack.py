"""The SIP stack: one pjsua2 endpoint per process, on a thread of its own.

The asyncio side posts callables to the thread, and is called back on its event loop.  Only this thread uses
pjsua2 objects.
"""

from __future__ import annotations

import asyncio
import functools
import gc
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from appliance import limited
from appliance.lines.sip.codes import FORBIDDEN
from appliance.lines.sip.errors import pjsua2_flaw
from appliance.lines.sip.events import RegistrationChanged
from appliance.lines.sip.library import Library
from appliance.lines.sip.settings import SipSettings, SipTrunk, Transport
from appliance.lines.sip.switch import MediaSwitch
from appliance.lines.sip.thread import SipThread, guard
from appliance.lines.sip.trunk_config import account_config, request_uri

if TYPE_CHECKING:
    from appliance.lines.sip.signalling import CallRef, TrunkCall
    from appliance.lines.sip.trunk_account import OfferedCall, TrunkAccount

_log = logging.getLogger(__name__)

# Interval of checking that the stack still knows the calls, seconds.
LOOK_S = 1.0
# Shortest interval of running the calls' timers, seconds, however many packets come.
TIMERS_S = 0.005
# Shortest interval of reporting strangers in the log, seconds.
STRANGERS_LOG_S = 60.0
# After this time without a call, seconds, the transactions of the last ones have ended, too (RFC 3261 17.2.2
# timer J, 32 s), and freed memory is returned to the system, which would not happen by itself.
GIVE_BACK_AFTER_S = 40.0
# Limit for calls to end when the stack stops, seconds.
STOP_LIMIT_S = 5.0


class Trunk(Protocol):
    """A line on the stack that may be called."""

    @property
    def name(self) -> str:
        """Name of the line."""

    def admits(self, address: str) -> bool:
        """Whether this address may call the trunk.  Called on the SIP thread."""

    def networks(self) -> frozenset[str]:
        """The addresses, and networks as ``address/bits``, that it admits now."""

    def call_offered(self, offered: OfferedCall) -> None:
        """A call for the trunk.  Called on the event loop."""

    def registration_changed(self, change: RegistrationChanged) -> None:
        """Its registrar answered, or did not.  Called on the event loop."""

    def answered(self) -> None:
        """Its server answered OPTIONS, with any status.  Called on the event loop."""


class SipStack:
    """See the module.  One per process; ``start`` and ``stop`` on the event loop."""

    def __init__(self, settings: SipSettings) -> None:
        self.settings = settings
        self.calls: set[TrunkCall] = set()  # SIP thread only
        self._library = Library(settings)
        self._thread = SipThread(_Work(self, self._library))
        self._accounts: dict[str, TrunkAccount] = {}  # SIP thread only
        self._trunks: dict[str, Trunk] = {}  # by name
        self._users = 0
        self._changing = asyncio.Lock()
        self.post, self.ask = self._thread.post, self._thread.ask
        self.post_to_loop = self._thread.post_to_loop

    @property
    def ports(self) -> dict[Transport, int]:
        """Where we listen, once started."""
        return self._library.ports

    # -- asyncio side ---------------------------------------------------------------------------

    async def start(self) -> None:
        """Starts the thread with the first user; later ones share it.

        Raises SipUnavailableError when SIP cannot work here: no pjsua2, or a port that is taken.
        """
        async with self._changing:  # a user that comes meanwhile waits for how it ends
            if not self._thread.started:
                try:
                    flaw = pjsua2_flaw()
                    if flaw:
                        _log.warning("%s", flaw)
                    await self._thread.start()
                except BaseException:
                    await self._thread.stop()
                    raise
            self._users += 1

    async def stop(self) -> None:
        """With the last user: ends all calls within ``STOP_LIMIT_S``, unregisters, stops the thread."""
        async with self._changing:
            self._users = max(self._users - 1, 0)
            if self._users == 0:
                await self._thread.stop()

    def order(self, ref: CallRef, what: Callable[[TrunkCall], None]) -> None:
        """Runs ``what`` for a call on the SIP thread, unless it has ended.  From any thread."""

        def do() -> None:
            if ref.call is not None:
                what(ref.call)

        self.post(do)

    async def add_trunk(self, line: Trunk, settings: SipTrunk) -> None:
        """Makes the trunk's account.  Raises SipOrderError for settings that pjsua2 cannot use."""
        self._trunks[line.name] = line
        await self.ask(lambda: self._add_account(settings))
        networks = self._networks()
        await self.ask(lambda: self._library.admit(networks))  # from here on its peers may call

    async def remove_trunk(self, line: Trunk) -> None:
        """Unregisters and removes the trunk."""
        del self._trunks[line.name]
        await self.ask(lambda: self._remove_account(line.name))
        self.admission_changed()

    def admission_changed(self) -> None:
        """Updates the gate after a trunk's admitted addresses changed.  On the loop."""
        networks = self._networks()
        self.post(lambda: self._library.admit(networks))

    def _networks(self) -> list[str]:
        return sorted(frozenset().union(*(line.networks() for line in self._trunks.values())))

    def sign_in_again(self, trunk: str) -> None:
        """Has a trunk that registers do so now.  From any thread."""
        self.post(lambda: self._with_account(trunk, lambda account: account.sign_in()))

    def ask_options(self, trunk: SipTrunk) -> None:
        """Asks the trunk's server whether it is there (RFC 3261 11).  From any thread."""
        uri = request_uri(trunk, "", ipv6=self.settings.ipv6)
        self.post(lambda: self._with_account(trunk.name, lambda account: account.ask_options(uri)))

    def network_came_up(self) -> None:
        """Names are found that were not: the stack, too, asks the name servers of now.  From any thread."""
        self.post(self._library.use_name_servers)

    # -- SIP thread -----------------------------------------------------------------------------

    def account(self, name: str) -> TrunkAccount:
        """The account of a trunk that was added."""
        return self._accounts[name]

    def _with_account(self, trunk: str, action: Callable[[TrunkAccount], None]) -> None:
        account = self._accounts.get(trunk)
        if account is not None:
            action(account)

    def _add_account(self, trunk: SipTrunk) -> None:
        from appliance.lines.sip.trunk_account import TrunkAccount  # noqa: PLC0415 - needs pjsua2

        account = TrunkAccount(self, trunk.name)
        transport = self._library.transport_for(trunk)
        account.create(account_config(trunk, transport, ipv6=self.settings.ipv6))
        self._accounts[trunk.name] = account

    def _remove_account(self, name: str) -> None:
        account = self._accounts.pop(name, None)
        if account is not None:
            account.shutdown()
        self._library.release_transport(name)

    def forget(self, call: TrunkCall) -> None:
        """A call is over: its object may go."""
        self.calls.discard(call)
        call.ref.call = None

    def call_offered(self, offered: OfferedCall) -> None:
        """Finds the trunk that a call is for; strangers are refused at once."""
        lines = [line for line in tuple(self._trunks.values()) if line.admits(offered.address)]
        if not lines:
            _log.info("a call from %s was refused: no trunk knows that address", offered.source)
            self.order(offered.call, lambda call: call.end(FORBIDDEN))
            return
        # Several trunks of one provider share addresses: the account that the call named decides.
        line = next((each for each in lines if each.name == offered.account), lines[0])
        self.post_to_loop(lambda: line.call_offered(offered))

    def answered(self, trunk: str) -> None:
        """The trunk's server answered OPTIONS."""
        line = self._trunks.get(trunk)
        if line is not None:
            self.post_to_loop(line.answered)

    def registration_changed(self, trunk: str, change: RegistrationChanged) -> None:
        """A registrar answered, or did not."""
        line = self._trunks.get(trunk)
        if line is not None:
            self.post_to_loop(lambda: line.registration_changed(change))

    def each_call(self, action: Callable[[TrunkCall, float], None], now: float, what: str) -> None:
        """Does the same with every call; ``what`` names it in the log when it fails with one."""
        # In a frame of its own: a loop's variable would keep the last call, and all it knows, alive.
        for call in tuple(self.calls):
            guard(functools.partial(action, call, now), what)

    def let_go(self) -> None:
        """Gives up all accounts and calls."""
        for name in tuple(self._accounts):
            guard(functools.partial(self._remove_account, name), "removing a trunk")
        self.each_call(lambda call, _: self.forget(call), 0.0, "forgetting a call")


class _Work:
    """The SIP thread's rounds: packets, the timers of calls, and looking after what is left behind."""

    def __init__(self, stack: SipStack, library: Library) -> None:
        self._stack = stack
        self._library = library
        self._strangers = 0  # requests refused, or not answered, because no trunk knows their address
        self._strangers_told_at = float("-inf")
        self._look_at = self._timers_at = 0.0
        self._give_back_at: float | None = None
        self._stop_at: float | None = None

    def open(self) -> int:
        self._stop_at = self._give_back_at = None
        return self._library.open()

    def work(self, now: float) -> None:
        stack = self._stack
        if now >= self._timers_at:
            self._timers_at = now + TIMERS_S
            stack.each_call(lambda call, _: call.tell_switch(MediaSwitch.handle_timer), now, "a call's timer")
        self._library.handle_events()
        if now >= self._look_at:
            self._look_at = now + LOOK_S
            stack.each_call(lambda call, at: call.drop_if_forgotten(at), now, "looking after a call")
            stack.each_call(lambda call, at: call.refresh_if_due(at), now, "refreshing a call's session")
            self._library.watch_connections()
            self._library.use_name_servers(again=False)
            self._count_strangers(now)
        if stack.calls:
            self._give_back_at = now + GIVE_BACK_AFTER_S
        elif self._give_back_at is not None and now >= self._give_back_at:
            self._give_back_at = None
            limited.give_memory_back()

    def stopped(self, now: float) -> bool:
        if self._stop_at is None:
            self._stop_at = now + STOP_LIMIT_S
            self._stack.each_call(lambda call, _: call.end(), now, "ending a call")
        return not self._stack.calls or now >= self._stop_at

    def close(self) -> None:
        if self._library.is_open:
            self._stack.let_go()
            gc.collect()
            guard(self._library.close, "closing the SIP stack")

    def _count_strangers(self, now: float) -> None:
        counted = self._library.strangers()
        if counted is None:
            return
        refused, silent, last = counted
        if refused + silent != self._strangers and now >= self._strangers_told_at + STRANGERS_LOG_S:
            self._strangers_told_at = now
            _log.info(
                "strangers: %d requests refused so far, the last from %s, and %d not answered;"
                " an address of a provider must be among its trunk's peers",
                refused,
                last,
                silent,
            )
        self._strangers = refused + silent
