"""Finding a trunk: DNS SRV with a real name server (dnsmasq), and the hosts file."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import shutil
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.lines import causes
from appliance.lines.sip import library
from appliance.lines.sip.stack import LOOK_S
from appliance.lines.sip.trunk_config import in_hosts_file, system_name_servers
from tests.lines.sip.rig import Box, send
from tests.lines.sip.sipp import SIPP, Sipp, called, expect, respond
from tests.lines.sip.test_ipv6 import has_ipv6
from tests.lines.sip.test_registrar_faults import REGISTERED, Registrar
from tests.ports import free_port

DNSMASQ = shutil.which("dnsmasq")


# The stack asks name servers at port 53 only: a loopback address of our own, and the right to bind there.
NAME_SERVER = f"127.77.53.{os.getpid() % 250 + 1}"


needs_names = pytest.mark.skipif(
    SIPP is None or DNSMASQ is None or os.geteuid() != 0,
    reason="sipp (sip-tester) or dnsmasq (dnsmasq-base) is not installed, or port 53 may not be bound",
)


@contextlib.asynccontextmanager
async def names(*ports: int, addresses: str = "127.0.0.1") -> AsyncIterator[None]:
    """A name server that knows servers of provider.test at these ports, the first to be asked first.

    Each has these addresses, of IPv4 and IPv6.
    """
    assert DNSMASQ is not None
    hosts = [f"gw{number}.provider.test" for number in range(len(ports))]
    server = await asyncio.create_subprocess_exec(
        DNSMASQ,
        "--no-daemon",
        "--conf-file=/dev/null",
        "--no-resolv",
        "--no-hosts",
        "--bind-interfaces",
        f"--listen-address={NAME_SERVER}",
        "--user=root",
        "--pid-file=",
        *(
            f"--srv-host=_sip._udp.provider.test,{host},{port},{number}"
            for number, (host, port) in enumerate(zip(hosts, ports, strict=True))
        ),
        *(f"--host-record={host},{addresses}" for host in hosts),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await asyncio.sleep(0.5)
        yield
    finally:
        server.terminate()
        await server.wait()


@needs_names
def test_srv_record_says_where_the_trunk_is(tmp_path: Path) -> None:
    async def run() -> tuple[object, str]:
        port = free_port()
        sipp = Sipp(tmp_path, "srv", called(expect("INVITE"), respond(486), expect("ACK")), port)
        await sipp.start()
        async with names(port), Box(name_servers=(NAME_SERVER,)) as box:
            line = await box.line("provider", "provider.test")
            outcome = await send(line, ring_s=8.0)
            return outcome.result.cause, await sipp.finish()

    cause, words = asyncio.run(run())
    assert cause is causes.BUSY
    assert words == ""


@needs_names
@pytest.mark.realtime
def test_server_of_a_name_that_does_not_answer_is_passed_over() -> None:
    """The first server takes everything and answers nothing, as long as a request would last (32 s)."""

    async def run() -> tuple[object, float, float]:
        second = Registrar(lambda number, _: REGISTERED if number == 1 else ("486 Busy Here", ""))
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: second, local_addr=("127.0.0.1", 0)
        )
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as dead:
            dead.bind(("127.0.0.1", 0))
            ports = dead.getsockname()[1], transport.get_extra_info("sockname")[1]
            async with names(*ports), Box(name_servers=(NAME_SERVER,)) as box:
                began = time.monotonic()
                line = await box.line(
                    "provider", "provider.test", register=True, username="acct", password="secret"
                )
                async with asyncio.timeout(90):
                    while not line.state().usable:
                        await asyncio.sleep(0.1)
                registered_s = time.monotonic() - began
                outcome = await send(line)
                return outcome.result.cause, registered_s, outcome.seconds

    cause, registered_s, seconds = asyncio.run(run())
    assert cause is causes.BUSY
    assert registered_s < 15  # of 32 that the first server would have
    assert seconds < 5  # of 7.5 that it would have again


@needs_names
@pytest.mark.realtime
@pytest.mark.parametrize("ports", [2, 4])
def test_call_reaches_the_last_server_of_a_name_within_one_request(ports: int) -> None:
    async def run() -> tuple[object, float, int]:
        last = Registrar(lambda number, _: ("486 Busy Here", ""))
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: last, local_addr=("127.0.0.1", 0)
        )
        with contextlib.ExitStack() as opened:
            dead = [
                opened.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                for _ in range(ports - 1)
            ]
            for each in dead:
                each.bind(("127.0.0.1", 0))
            taken = [each.getsockname()[1] for each in dead]
            async with (
                names(*taken, transport.get_extra_info("sockname")[1]),
                Box(name_servers=(NAME_SERVER,)) as box,
            ):
                outcome = await send(await box.line("provider", "provider.test"))
                return outcome.result.cause, outcome.seconds, last.requests

    cause, seconds, requests = asyncio.run(run())
    assert cause is causes.BUSY
    assert seconds < 7.5 * (ports - 1) + 5
    assert requests == 1


@needs_names
@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
@pytest.mark.parametrize("server", ["provider.test", "gw0.provider.test:{port}"], ids=["SRV", "name"])
@pytest.mark.parametrize(
    ("ours", "addresses"), [("::1", "192.0.2.1,::1"), ("127.0.0.1", "127.0.0.1,2001:db8::1")]
)
def test_name_with_addresses_of_both_kinds_is_called_at_the_one_that_sip_speaks(
    ours: str, addresses: str, server: str
) -> None:
    async def run() -> tuple[object, float]:
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: Registrar(lambda number, _: ("486 Busy Here", "")), local_addr=(ours, 0)
        )
        port = transport.get_extra_info("sockname")[1]
        async with names(port, addresses=addresses), Box(bind=ours, name_servers=(NAME_SERVER,)) as box:
            outcome = await send(await box.line("provider", server.format(port=port)))
            return outcome.result.cause, outcome.seconds

    cause, seconds = asyncio.run(run())
    assert cause is causes.BUSY
    assert seconds < 5


@needs_names
@pytest.mark.realtime
def test_name_servers_that_change_while_the_box_runs_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another lease, or another router: the old name servers are gone."""
    system = ["192.0.2.53"]
    monkeypatch.setattr(library, "system_name_servers", lambda: tuple(system))

    async def run() -> object:
        server = Registrar(lambda number, _: ("486 Busy Here", ""))
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: server, local_addr=("127.0.0.1", 0)
        )
        async with names(transport.get_extra_info("sockname")[1]), Box() as box:
            line = await box.line("provider", "provider.test")
            system[:] = [NAME_SERVER]
            await asyncio.sleep(2 * LOOK_S)
            return (await send(line, ring_s=8.0)).result.cause

    assert asyncio.run(run()) is causes.BUSY


def test_hosts_file_is_read_for_the_stack(tmp_path: Path) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1 localhost\n::1 six\n192.0.2.7 pbx PBX.example # the old one\n")
    four, six = (functools.partial(in_hosts_file, path=hosts, ipv6=ipv6) for ipv6 in (False, True))
    assert four("pbx.example:5070") == "192.0.2.7:5070"
    assert four("localhost") == "127.0.0.1"
    assert four("sip.example.net") == "sip.example.net"
    assert (four("six"), six("six"), six("six:5070")) == ("six", "[::1]", "[::1]:5070")
    assert (six("localhost"), six("pbx")) == ("localhost", "pbx")
    assert in_hosts_file("pbx", tmp_path / "none", ipv6=False) == "pbx"


def test_name_servers_of_the_system_are_used(tmp_path: Path) -> None:
    resolv = tmp_path / "resolv.conf"
    kinds = ("192.0.2.1", "fe80::1%eth0", "2001:db8::1", "fe80::2", "nonsense", "192.0.2.2", "192.0.2.3")
    resolv.write_text("search x\n" + "".join(f"nameserver {each}\n" for each in kinds))
    # The stack cannot reach one by an address of a link, and would find no name at all.
    assert system_name_servers(resolv) == ("192.0.2.1", "2001:db8::1", "192.0.2.2")
    assert system_name_servers(tmp_path / "none") == ()
