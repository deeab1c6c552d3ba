"""CUPS itself is a client: a driverless queue of a private cupsd prints to the box's printer."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api_ipp.conftest import Printing
from tests.printing.cupsd import CUPS, Cups, running_cupsd

pytestmark = [pytest.mark.realtime, pytest.mark.xdist_group("ipp")]


@pytest.fixture(scope="module")
def cups() -> Iterator[Cups]:
    with running_cupsd() as running:
        (running.backends / "ipp").symlink_to(CUPS / "backend" / "ipp")
        yield running


def test_a_driverless_queue_prints_to_a_favourite_and_ends_with_the_fax(
    printing: Printing, cups: Cups, letter: Path
) -> None:
    cups.add_driverless("Weiss", printing.uri(f"/to/{printing.favourite}"))
    job = cups.lp("-d", "Weiss", "-t", "driverless", str(letter))

    def made() -> list[int]:
        listed = printing.served.ask("GET", "/faxes?limit=200").json["faxes"]
        return [each["id"] for each in listed if each["metadata"].get("print_title") == "driverless"]

    (number,) = cups.until(made, "driverless")
    cups.ended(job)
    fax = printing.served.ended(number)
    assert (fax["state"], fax["pages"], fax["to"]["number"]) == ("delivered", 2, "9990")


def test_driverless_fax_finds_a_number_field(printing: Printing) -> None:
    found = subprocess.run(
        ["driverless-fax", printing.uri("/faxout")], capture_output=True, text=True, timeout=120, check=False
    )
    assert "*cupsIPPFaxOut: True" in found.stdout, found.stderr
    assert "*OpenUI *phone/" in found.stdout
