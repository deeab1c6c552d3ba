"""Which addresses are public, in every notation."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.net.addresses import is_public, read_address, resolve

V4 = st.integers(0, 2**32 - 1).map(ipaddress.IPv4Address)
INSIDE_V4 = st.sampled_from(
    [
        "10.0.0.0/8",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "0.0.0.0/8",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "198.18.0.0/15",
    ]
).flatmap(lambda net: st.ip_addresses(network=net))
INSIDE_V6 = st.sampled_from(
    [
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
        "::1/128",
        "2001:db8::/32",
        "::ffff:0:0:0/96",
        "64:ff9b:1::/48",
    ]
).flatmap(lambda net: st.ip_addresses(network=net))


@settings(max_examples=200, deadline=None)
@given(INSIDE_V4)
def test_no_address_of_an_inner_network_is_public(address: ipaddress.IPv4Address) -> None:
    assert not is_public(str(address))


@settings(max_examples=200, deadline=None)
@given(INSIDE_V6)
def test_no_inner_ipv6_address_is_public_with_a_zone_or_without(address: ipaddress.IPv6Address) -> None:
    assert not is_public(str(address))
    assert not is_public(f"{address}%eth0")


@settings(max_examples=300, deadline=None)
@given(st.one_of(V4, INSIDE_V4))
def test_an_ipv4_address_in_ipv6_is_as_public_as_it_is_bare(address: ipaddress.IPv4Address) -> None:
    bare = is_public(str(address))
    dressed = {
        f"::ffff:{address}",
        str(ipaddress.IPv6Address(int(ipaddress.IPv6Address("64:ff9b::")) | int(address))),
        str(ipaddress.IPv6Address(0x2002 << 112 | int(address) << 80 | 1)),
    }
    assert {is_public(each) for each in dressed} == {bare}


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40))
def test_what_is_no_address_is_not_public(text: str) -> None:
    try:
        ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        assert not is_public(text)


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1", "0177.0.0.1", "localhost"])
def test_other_spellings_of_loopback_resolve_to_what_is_refused(host: str) -> None:
    assert not any(map(is_public, resolve(host, 80)))


@pytest.mark.parametrize("told", ["127.0.0.1", "::ffff:127.0.0.1", "::ffff:127.0.0.1%lo", "::1", "::1%lo"])
def test_this_machine_is_known_on_a_socket_of_both_kinds(told: str) -> None:
    address = read_address(told)
    assert address is not None
    assert address.is_loopback
