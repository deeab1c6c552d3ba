"""CUPS' driverless-fax finds the number field; ``tests/printing`` prints by a driverless queue."""

from __future__ import annotations

import subprocess

import pytest

from tests.api_ipp.conftest import Printing

pytestmark = [pytest.mark.realtime, pytest.mark.xdist_group("ipp")]


def test_driverless_fax_finds_a_number_field(printing: Printing) -> None:
    found = subprocess.run(
        ["driverless-fax", printing.uri("/faxout")], capture_output=True, text=True, timeout=120, check=False
    )
    assert "*cupsIPPFaxOut: True" in found.stdout, found.stderr
    assert "*OpenUI *phone/" in found.stdout
