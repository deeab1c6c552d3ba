"""The SIP stack: one pjsua2 endpoint per process, alive on one thread of its own.

The asyncio side posts callables to the thread and hears back through callables that it gave; nothing
but this thread ever touches a pjsua2 object.  Between packets the thread sleeps on the stack's epoll
descriptor and on its own wake-up descriptor, so that an order is obeyed at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import functools
import gc
import importlib.metadata
import ipaddress
import logging
import os
import queue
import select
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from appliance.lines.sip.codes import FORBIDDEN
from appliance.lines.sip.events import RegistrationChanged
from appliance.lines.sip.settings import SipSettings, SipTrunk, Transport, split_host_port
from appliance.lines.sip.trunk_config import (
    account_config,
    request_uri,
    system_authorities,
    system_name_servers,
)

if TYPE_CHECKING:
    from appliance.lines.sip.signalling import CallRef, Knocking, TrunkAccount, TrunkCall

_log = logging.getLogger(__name__)

# The longest the thread sleeps: pjproject's own timers (retransmissions, from 500 ms on) are looked at
# this often.
POLL_S = 0.02
# Calls are looked after this often: whether the stack still knows them.
LOOK_S = 1.0
# The calls' own timers are looked at no more often than this, however many packets come.
TIMERS_S = 0.005
# Strangers are told of in the log this often at most.
STRANGERS_LOG_S = 60.0
# No call has been up for so long: the transactions of the last ones are over too (RFC 3261 17.2.2 timer J,
# 32 s), and what a burst of calls took is given back to the system; else it stays with the process for good.
GIVE_BACK_AFTER_S = 40.0
# Of pjproject's status codes: no room for another call, and where those of the operating system begin
# (network unreachable and the like).
TOO_MANY, FIRST_OS_ERROR, LAST_OS_ERROR = 70010, 120000, 169999
# Calls that do not end when the stack stops are left behind after this.
STOP_LIMIT_S = 5.0
USER_AGENT = "faxbox"
LOG_LEVEL = 3  # pjproject's, 0 to 5: what goes wrong and what calls do, not each message
# Characters of one line of pjproject's log that are kept.
MAX_LOG_LINE = 300
# Calls that pjsua2 was compiled for (PJSUA_MAX_CALLS in image-build/pjsua2/config_site.h).
MAX_CALLS = 128


HOW_TO_GET_IT = "build it with image-build/pjsua2/build.sh and install the wheel that it prints"


class SipUnavailableError(RuntimeError):
    """SIP cannot be started on this machine; the message says why."""


class SipOrderError(RuntimeError):
    """The SIP stack could not do what it was asked; the message and the status are the stack's."""

    def __init__(self, words: str, status: int = 0) -> None:
        super().__init__(words)
        self.status = status


def pjsua2_flaw() -> str | None:
    """What is wrong with the pjsua2 that is installed: None when it is ours.

    Raises SipUnavailableError without any.
    """
    try:
        version = importlib.metadata.version("pjsua2")
    except importlib.metadata.PackageNotFoundError:
        try:
            version = importlib.metadata.version("pjsua2-python")
        except importlib.metadata.PackageNotFoundError:
            raise SipUnavailableError(f"pjsua2 is not installed: {HOW_TO_GET_IT}") from None
    if version.endswith("+faxbox"):
        return None
    return (
        f"pjsua2 {version} is not the box's own build: it refuses offers of T.38 alone (most gateways make"
        " such), carries few calls, may abort the program on odd messages, and has old TLS;"
        f" {HOW_TO_GET_IT}"
    )


class Trunk(Protocol):
    """A line on the stack that may be called."""

    @property
    def name(self) -> str: ...

    def admits(self, address: str) -> bool:
        """Whether this address may call the trunk.  Called on the SIP thread."""

    def networks(self) -> frozenset[str]:
        """The addresses, and networks as ``address/bits``, that it admits now."""

    def knock(self, knocking: Knocking) -> None:
        """A call for the trunk.  Called on the event loop."""


class SipStack:
    """See the module.  One per process; ``start`` and ``stop`` on the event loop."""

    def __init__(self, settings: SipSettings) -> None:
        self.settings = settings
        self.calls: set[TrunkCall] = set()  # SIP thread only
        self.ports: dict[Transport, int] = {}  # where we listen, once started
        self._accounts: dict[str, TrunkAccount] = {}  # SIP thread only
        self._tls_transports: dict[str, int] = {}
        self._orders: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._wake = -1
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._endpoint: Any = None
        self._log_writer: Any = None
        self._trunks: list[Trunk] = []
        self.strangers = 0  # requests refused, or not answered, because no trunk knows their address
        self._strangers_told_at = float("-inf")
        self._on_registration: dict[str, Callable[[RegistrationChanged], None]] = {}
        self._on_answer: dict[str, Callable[[], None]] = {}
        self._users = 0

    # -- asyncio side ---------------------------------------------------------------------------

    async def start(self) -> None:
        """Starts the thread with the first user; later ones share it.

        Raises SipUnavailableError when SIP cannot work here: no pjsua2, or a port that is taken.
        """
        self._users += 1
        if self._thread is not None:
            return
        try:
            flaw = pjsua2_flaw()
            if flaw:
                _log.warning("%s", flaw)
            self._loop = asyncio.get_running_loop()
            self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
            self._stopping = False
            ready: asyncio.Future[None] = self._loop.create_future()
            self._thread = threading.Thread(target=self._run, args=(ready,), name="sip", daemon=True)
            self._thread.start()
            await ready
        except BaseException:
            self._users -= 1
            await self._join()
            raise

    async def stop(self) -> None:
        """With the last user: ends all calls within a bound, unregisters, lets go of everything."""
        if self._users == 0:
            return
        self._users -= 1
        if self._users == 0:
            await self._join()

    async def _join(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            self._stopping = True
            self.post(lambda: None)
            await asyncio.get_running_loop().run_in_executor(None, thread.join)
        if self._wake >= 0:
            os.close(self._wake)
            self._wake = -1

    def post(self, order: Callable[[], None]) -> None:
        """Has ``order`` called on the SIP thread.  From any thread."""
        self._orders.put(order)
        if self._wake >= 0:
            with contextlib.suppress(OSError):
                os.eventfd_write(self._wake, 1)

    def tell(self, what: Callable[[], None]) -> None:
        """Has ``what`` called on the event loop.  From the SIP thread."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to tell
                self._loop.call_soon_threadsafe(what)

    def order(self, ref: CallRef, what: Callable[[TrunkCall], None]) -> None:
        """Has ``what`` done with a call on the SIP thread, unless it is gone.  From any thread."""

        def do() -> None:
            if ref.call is not None:
                what(ref.call)

        self.post(do)

    async def ask(self, question: Callable[[], Any]) -> Any:
        """Has ``question`` answered on the SIP thread.

        Raises SipOrderError for what pjsua2 refuses, else what the question raises; never with the
        frames of the SIP thread, which hold its objects.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()

        def settle(result: Any, error: BaseException | None) -> None:
            if not future.done():
                if error is None:
                    future.set_result(result)
                else:
                    future.set_exception(error)

        def put() -> None:
            result, failure = None, None
            try:
                result = question()
            except Exception as error:
                failure = _without_frames(error)
            self.tell(lambda: settle(result, failure))

        self.post(put)
        return await future

    async def add_trunk(
        self,
        line: Trunk,
        settings: SipTrunk,
        on_registration: Callable[[RegistrationChanged], None],
        on_answer: Callable[[], None] = lambda: None,
    ) -> None:
        """Makes the trunk's account.  ``on_registration`` and ``on_answer`` (to OPTIONS) are called on the
        loop.

        Raises what pjsua2 raises for settings that it cannot use.
        """
        self._trunks.append(line)
        self._on_registration[settings.name] = on_registration
        self._on_answer[settings.name] = on_answer
        await self.ask(lambda: self._add_account(settings))
        networks = self._networks()
        await self.ask(lambda: self._admit(networks))  # from here on its peers may call

    async def remove_trunk(self, line: Trunk) -> None:
        """Unregisters and forgets the trunk."""
        self._trunks.remove(line)
        self._on_registration.pop(line.name, None)
        self._on_answer.pop(line.name, None)
        await self.ask(lambda: self._remove_account(line.name))
        self.admission_changed()

    # -- SIP thread -----------------------------------------------------------------------------

    def account(self, name: str) -> TrunkAccount:
        return self._accounts[name]

    def admission_changed(self) -> None:
        """Some trunk admits others than before: the gate in front of the stack is told.  On the loop."""
        networks = self._networks()
        self.post(lambda: self._admit(networks))

    def _networks(self) -> list[str]:
        return sorted(frozenset().union(*(line.networks() for line in self._trunks)))

    def sign_in_again(self, trunk: str) -> None:
        """Has a trunk that registers do so now.  From any thread."""
        self.post(lambda: self._with_account(trunk, lambda account: account.sign_in()))

    def ask_options(self, trunk: SipTrunk) -> None:
        """Asks the trunk's server whether it is there (RFC 3261 11).  From any thread."""
        uri = request_uri(trunk, "")
        self.post(lambda: self._with_account(trunk.name, lambda account: account.ask_options(uri)))

    def network_came_up(self) -> None:
        """Names are found that were not: the stack, too, asks the name servers of now.  From any thread."""
        servers = self.settings.name_servers or system_name_servers()
        self.post(lambda: self._change_name_servers(servers))

    def _with_account(self, trunk: str, action: Callable[[TrunkAccount], None]) -> None:
        account = self._accounts.get(trunk)
        if account is not None:
            action(account)

    def _change_name_servers(self, servers: tuple[str, ...]) -> None:
        if servers and hasattr(self._endpoint, "dnsSetServers"):
            import pjsua2 as pj  # noqa: PLC0415

            found = pj.StringVector()
            for server in servers:
                found.append(server)
            self._endpoint.dnsSetServers(found)

    def forget(self, call: TrunkCall) -> None:
        """A call is over: its object may go."""
        self.calls.discard(call)
        call.ref.call = None

    def knocked(self, knocking: Knocking) -> None:
        """Finds the trunk that a call is for; strangers are refused at once and counted."""
        lines = [line for line in tuple(self._trunks) if line.admits(knocking.address)]
        if not lines:
            _log.info("a call from %s was refused: no trunk knows that address", knocking.source)
            self.order(knocking.call, lambda call: call.end(FORBIDDEN))
            return
        # Several trunks of one provider share addresses: the account that the call named decides.
        line = next((each for each in lines if each.name == knocking.account), lines[0])
        self.tell(lambda: line.knock(knocking))

    def answered(self, trunk: str) -> None:
        """The trunk's server answered OPTIONS."""
        handler = self._on_answer.get(trunk)
        if handler is not None:
            self.tell(handler)

    def registration_changed(self, trunk: str, change: RegistrationChanged) -> None:
        handler = self._on_registration.get(trunk)
        if handler is not None:
            self.tell(lambda: handler(change))

    def _run(self, ready: asyncio.Future[None]) -> None:
        failure: BaseException | None = None
        try:
            self._open()
        except Exception as error:
            failure = SipUnavailableError(f"SIP cannot start: {_words(error)}")
        self.tell(lambda: _settle(ready, failure))
        try:
            if failure is None:
                self._serve()
        except Exception:
            _log.exception("the SIP thread failed")
        finally:
            self._close()

    def _open(self) -> None:
        import pjsua2 as pj  # noqa: PLC0415 - absent on some machines

        self._log_writer = _log_writer()
        settings = self.settings
        config = pj.EpConfig()
        config.logConfig.writer = self._log_writer
        config.logConfig.level = LOG_LEVEL
        config.logConfig.consoleLevel = LOG_LEVEL
        config.logConfig.msgLogging = 0
        config.logConfig.decor = 0
        config.uaConfig.threadCnt = 0
        config.uaConfig.mainThreadOnly = True
        config.uaConfig.maxCalls = MAX_CALLS
        config.uaConfig.userAgent = USER_AGENT
        for server in settings.name_servers or system_name_servers():
            config.uaConfig.nameserver.append(server)
        config.medConfig.threadCnt = 0
        config.medConfig.hasIoqueue = False
        self._endpoint = pj.Endpoint()
        self._endpoint.libCreate()
        self._endpoint.libInit(config)
        for transport, port in (
            (Transport.UDP, settings.udp_port),
            (Transport.TCP, settings.tcp_port),
            (Transport.TLS, settings.tls_port),
        ):
            if port is not None:
                self._open_transport(transport, port)
        self._endpoint.libStart()
        self._endpoint.audDevManager().setNoDev()

    def _open_transport(self, transport: Transport, port: int) -> None:
        import pjsua2 as pj  # noqa: PLC0415

        kind = getattr(pj, f"PJSIP_TRANSPORT_{transport.name}{'6' if self.settings.ipv6 else ''}")
        number = self._endpoint.transportCreate(kind, self._transport_config(port))
        self.ports[transport] = self._bound_port(number)

    def _transport_config(self, port: int) -> Any:
        import pjsua2 as pj  # noqa: PLC0415

        config = pj.TransportConfig()
        config.port = port
        if self.settings.bind not in ("0.0.0.0", "::"):
            config.boundAddress = self.settings.bind
        config.tlsConfig.certFile = self.settings.tls_certificate
        config.tlsConfig.privKeyFile = self.settings.tls_key
        config.tlsConfig.proto = pj.PJ_SSL_SOCK_PROTO_TLS1_2 | pj.PJ_SSL_SOCK_PROTO_TLS1_3
        return config

    def _bound_port(self, number: int) -> int:
        name = str(self._endpoint.transportGetInfo(number).localName)
        return int(name.rpartition(":")[2] or 0)

    def _serve(self) -> None:
        poll = select.poll()
        poll.register(self._wake, select.POLLIN)
        descriptor = _ioqueue_descriptor(self._endpoint)
        if descriptor >= 0:
            poll.register(descriptor, select.POLLIN)
        stop_at: float | None = None
        look_at = 0.0
        timers_at = 0.0
        give_back_at: float | None = None
        while stop_at is None or (self.calls and time.monotonic() < stop_at):
            poll.poll(POLL_S * 1000)
            with contextlib.suppress(BlockingIOError):
                os.eventfd_read(self._wake)
            self._obey_orders()
            now = time.monotonic()
            if now >= timers_at:
                timers_at = now + TIMERS_S
                self._each_call(lambda call, at: call.handle_timer(at), now, "a call's timer")
            self._endpoint.libHandleEvents(0)
            if now >= look_at:
                look_at = now + LOOK_S
                self._each_call(lambda call, at: call.drop_if_forgotten(at), now, "looking after a call")
                self._count_strangers(now)
            if self.calls:
                give_back_at = now + GIVE_BACK_AFTER_S
            elif give_back_at is not None and now >= give_back_at:
                give_back_at = None
                give_memory_back()
            if self._stopping and stop_at is None:
                stop_at = now + STOP_LIMIT_S
                self._each_call(lambda call, _: call.end(), now, "ending a call")

    def _admit(self, networks: list[str]) -> None:
        if hasattr(self._endpoint, "gateAdmit"):  # else ``knocked`` turns strangers away, at a higher price
            self._endpoint.gateAdmit(networks)

    def _count_strangers(self, now: float) -> None:
        if not hasattr(self._endpoint, "gateRefused"):
            return
        refused, silent = int(self._endpoint.gateRefused()), int(self._endpoint.gateSilent())
        if refused + silent == self.strangers or now < self._strangers_told_at + STRANGERS_LOG_S:
            self.strangers = refused + silent
            return
        self._strangers_told_at = now
        _log.info(
            "strangers: %d requests refused so far, the last from %s, and %d not answered;"
            " an address of a provider must be among its trunk's peers",
            refused,
            self._endpoint.gateLastStranger(),
            silent,
        )
        self.strangers = refused + silent

    def _each_call(self, action: Callable[[TrunkCall, float], None], now: float, what: str) -> None:
        # In a frame of its own: a loop's variable would keep the last call, and all it knows, alive.
        for call in tuple(self.calls):
            _guard(functools.partial(action, call, now), what)

    def _obey_orders(self) -> None:
        # As many as there are now: an order that posts another one gets its turn in the next round.
        for _ in range(self._orders.qsize()):
            try:
                order = self._orders.get_nowait()
            except queue.Empty:
                return
            _guard(order, "an order")

    def _add_account(self, trunk: SipTrunk) -> None:
        from appliance.lines.sip.signalling import TrunkAccount  # noqa: PLC0415 - needs pjsua2

        _check_family(trunk, self.settings)
        if trunk.transport is Transport.TCP and Transport.TCP not in self.ports:
            # Connections of ours need a transport, too; where the owner names no port for it any will do.
            self._open_transport(Transport.TCP, 0)
        account = TrunkAccount(self, trunk.name)
        account.create(account_config(trunk, self._tls_transport(trunk), self.settings))
        self._accounts[trunk.name] = account

    def _tls_transport(self, trunk: SipTrunk) -> int | None:
        """TLS's trust belongs to the transport: a trunk with TLS gets one of its own."""
        if trunk.transport is not Transport.TLS:
            return None
        import pjsua2 as pj  # noqa: PLC0415

        config = self._transport_config(0)
        config.tlsConfig.verifyServer = trunk.verify_tls
        config.tlsConfig.CaListFile = trunk.ca_file or system_authorities()
        kind = pj.PJSIP_TRANSPORT_TLS6 if self.settings.ipv6 else pj.PJSIP_TRANSPORT_TLS
        number = int(self._endpoint.transportCreate(kind, config))
        self._tls_transports[trunk.name] = number
        return number

    def _remove_account(self, name: str) -> None:
        account = self._accounts.pop(name, None)
        if account is not None:
            account.shutdown()
        number = self._tls_transports.pop(name, None)
        if number is not None:
            self._endpoint.transportClose(number)

    def _close(self) -> None:
        """Every pjsua2 object must be gone before the library is, or the process aborts."""
        if self._endpoint is None:
            return
        self._obey_orders()
        for name in tuple(self._accounts):
            _guard(functools.partial(self._remove_account, name), "removing a trunk")
        self._each_call(lambda call, _: self.forget(call), 0.0, "forgetting a call")
        with contextlib.suppress(queue.Empty):
            while True:
                self._orders.get_nowait()  # orders hold calls too
        gc.collect()
        _guard(self._endpoint.libDestroy, "closing the SIP stack")
        self._endpoint = None
        self.ports.clear()


def _settle(future: asyncio.Future[None], failure: BaseException | None) -> None:
    if not future.done():
        if failure is None:
            future.set_result(None)
        else:
            future.set_exception(failure)


def _guard(action: Callable[[], None], what: str) -> None:
    try:
        action()
    except Exception as error:
        _log.error("%s failed: %s", what, _words(error), exc_info=not hasattr(error, "reason"))


def _without_frames(error: Exception) -> Exception:
    if hasattr(error, "reason"):  # pj.Error
        return SipOrderError(_words(error), int(getattr(error, "status", 0)))
    _log.error("an order to the SIP thread failed", exc_info=error)
    error.__context__ = error.__cause__ = None
    return error.with_traceback(None)


def _words(error: BaseException) -> str:
    """pjsua2's errors print as nothing; their ``info`` does not."""
    info = getattr(error, "info", None)
    return str(info(False)) if callable(info) else str(error)


def _ioqueue_descriptor(endpoint: Any) -> int:
    """The epoll descriptor that SIP's sockets hang on; -1 in a build without."""
    handle = getattr(endpoint, "libGetSipIoqueueHandle", lambda: None)()
    return ctypes.c_int.from_address(int(handle)).value if handle else -1


def _check_family(trunk: SipTrunk, sip: SipSettings) -> None:
    """Raises SipOrderError for a trunk whose addresses are of the other kind than all of SIP."""
    servers = (trunk.server, trunk.outbound_proxy or trunk.server)
    for host in (*(split_host_port(each)[0] for each in servers), trunk.public_address):
        with contextlib.suppress(ValueError):  # a name may have addresses of both kinds
            is_ipv6 = ipaddress.ip_address(host).version == 6
            if is_ipv6 != sip.ipv6:
                speaks, other = ("IPv6", "IPv4") if sip.ipv6 else ("IPv4", "IPv6")
                raise SipOrderError(
                    f"{host} is an address of {other}, and SIP speaks {speaks} here"
                    f" (sip.bind is {sip.bind}): one box speaks one of the two"
                )


def give_memory_back() -> None:
    """Gives free memory between the pieces in use to the system (malloc_trim(3)); nothing without glibc."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def one_line(text: str) -> str:
    """What pjproject says as one line of the log: it quotes whole messages of peers, line ends and all."""
    cut = "".join(c if c.isprintable() else " " for c in text.strip()[: MAX_LOG_LINE + 1])
    return f"{cut[:MAX_LOG_LINE]}…" if len(cut) > MAX_LOG_LINE else cut


def _log_writer() -> Any:
    """pjproject's log lines in ours.

    What it calls errors is mostly what peers did; only a failed assertion is a fault of the box.
    """
    import pjsua2 as pj  # noqa: PLC0415

    class Writer(pj.LogWriter):  # type: ignore[misc]
        def write(self, entry: Any) -> None:
            text = one_line(str(entry.msg))
            level = logging.INFO if int(entry.level) <= 2 else logging.DEBUG
            _log.log(logging.ERROR if "Assert failed" in text else level, "%s", text)

    return Writer()
