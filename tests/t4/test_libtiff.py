"""The two ways to libtiff give the same bits, and the same answer to bad data."""

from __future__ import annotations

import contextlib
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.t4 import libtiff
from appliance.t4.libtiff import LibtiffError, Scheme
from appliance.t4.page import Raster
from appliance.t4.system_libtiff import LIBRARY, system_libtiff
from tests.t4 import pages

pytestmark = pytest.mark.skipif(system_libtiff() is None, reason=f"{LIBRARY} (Debian: libtiff6) is missing")

WAYS = [(scheme, False) for scheme in Scheme] + [(Scheme.GROUP3, True)]


def through_pillow() -> mock._patch[mock.MagicMock]:
    return mock.patch.object(libtiff, "system_libtiff", return_value=None)


@given(pages.rasters(), st.sampled_from(WAYS))
def test_a_page_is_coded_and_decoded_to_the_same_bits(page: Raster, way: tuple[Scheme, bool]) -> None:
    if not page.rows:
        return
    scheme, both_ways = way
    coded = libtiff.compress(scheme, page.width, page.rows, page.data, two_dimensional=both_ways)
    with through_pillow():
        assert coded == libtiff.compress(scheme, page.width, page.rows, page.data, two_dimensional=both_ways)
        again = libtiff.expand(scheme, page.width, page.rows, coded, two_dimensional=both_ways)
    assert again == page.data
    assert libtiff.expand(scheme, page.width, page.rows, coded, two_dimensional=both_ways) == page.data


@given(pages.rasters(), st.sampled_from(WAYS), st.data())
def test_damaged_data_end_without_harm(page: Raster, way: tuple[Scheme, bool], data: st.DataObject) -> None:
    if not page.rows:
        return
    scheme, both_ways = way
    coded = bytearray(libtiff.compress(scheme, page.width, page.rows, page.data, two_dimensional=both_ways))
    for at in data.draw(st.lists(st.integers(0, len(coded) - 1), max_size=4)):
        coded[at] ^= data.draw(st.integers(1, 255))
    cut = bytes(coded[: data.draw(st.integers(0, len(coded)))])
    try:
        pixels = libtiff.expand(scheme, page.width, page.rows, cut, two_dimensional=both_ways)
    except LibtiffError:
        return
    assert len(pixels) == len(page.data)


def test_data_that_end_too_early_are_an_error() -> None:
    with pytest.raises(LibtiffError, match="octets decoded"):
        libtiff.expand(Scheme.GROUP4, 1728, 100, b"")


def test_bad_data_leave_standard_error_alone(capfd: pytest.CaptureFixture[str]) -> None:
    for scheme in Scheme:
        with contextlib.suppress(LibtiffError):  # it may also repair them
            libtiff.expand(scheme, 1728, 100, b"\x12\x34\x56\x78" * 40)
    assert capfd.readouterr().err == ""
