"""Octets as strings of bits and back."""

from hypothesis import given
from hypothesis import strategies as st

from appliance.t4.bits import from_bits, reverse_bits, to_bits


def test_reverse_bits_puts_the_first_bit_last() -> None:
    assert reverse_bits(bytes([0b1000_0000, 0b0000_0011, 0xFF, 0])) == bytes([1, 0b1100_0000, 0xFF, 0])


@given(st.binary(max_size=300))
def test_reversing_twice_changes_nothing(octets: bytes) -> None:
    assert reverse_bits(reverse_bits(octets)) == octets
    assert to_bits(reverse_bits(octets)) == "".join(
        to_bits(octets[at : at + 1])[::-1] for at in range(len(octets))
    )


@given(st.binary(max_size=300))
def test_octets_survive_as_bits(octets: bytes) -> None:
    assert from_bits(to_bits(octets)) == octets


@given(st.text("01", max_size=300))
def test_bits_survive_as_octets_filled_with_zeros(bits: str) -> None:
    assert to_bits(from_bits(bits)) == bits.ljust((len(bits) + 7) // 8 * 8, "0")
