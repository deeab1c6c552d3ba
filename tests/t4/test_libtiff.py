"""The two ways to libtiff's encoder give the same bits."""

from __future__ import annotations

from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.t4 import libtiff
from appliance.t4.libtiff import Scheme
from appliance.t4.page import Raster
from appliance.t4.system_libtiff import LIBRARY, system_libtiff
from tests.t4 import pages

pytestmark = pytest.mark.skipif(system_libtiff() is None, reason=f"{LIBRARY} (Debian: libtiff6) is missing")

WAYS = [(scheme, False) for scheme in Scheme] + [(Scheme.GROUP3, True)]


def through_pillow() -> mock._patch[mock.MagicMock]:
    return mock.patch.object(libtiff, "system_libtiff", return_value=None)


@given(pages.rasters(), st.sampled_from(WAYS))
def test_libtiff_codes_a_page_alike_directly_and_through_pillow(
    page: Raster, way: tuple[Scheme, bool]
) -> None:
    if not page.rows:
        return
    scheme, both_ways = way
    coded = libtiff.compress(scheme, page.width, page.rows, page.data, two_dimensional=both_ways)
    with through_pillow():
        assert coded == libtiff.compress(scheme, page.width, page.rows, page.data, two_dimensional=both_ways)
