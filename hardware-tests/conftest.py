"""Fixtures of the tests of a real box.  A test that cannot run is skipped with a reason."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from appliance.hardware.rig import BoxInterface, Person, Rig
from appliance.hardware.suite import RIG


@pytest.fixture
def rig(pytestconfig: pytest.Config) -> Rig:
    return pytestconfig.stash[RIG]


@pytest.fixture
def box(rig: Rig) -> BoxInterface:
    if rig.box is None:
        pytest.skip("no box is running on this folder")
    return rig.box


@pytest.fixture
def person(rig: Rig) -> Person:
    if rig.person is None:
        pytest.skip("nobody is here to help (--person)")
    return rig.person


@pytest.fixture
def measured(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Records a measured value for the report."""
    return lambda text: record_property("measured", text)
