"""The numbers in an entry, as different versions of CUPS write them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from appliance.printing.cups_backend import ENTRY_SUFFIX
from appliance.printing.entries import read_entry
from appliance.printing.options import read_fax_options


@pytest.mark.parametrize(
    ("options", "cups", "numbers"),
    [
        # CUPS 2.4.10 writes the first of the destinations among the options.
        ("phone=9990", {"destination-uris": ["tel:9990", "fax:9991"]}, ("9990", "9991")),
        ("phone=9990 FaxTime=23:59", {"destination-uris": ["tel:9990 FaxTime=23:59"]}, ()),
        ("faxPrefix=0 phone=9990", {"destination-uris": ["tel:9990", "pre-dial-string", "0"]}, ()),
        # The client's own option goes first.
        ("phone=9992", {"destination-uris": ["tel:9990"], "phone": ["9992"]}, ("9992",)),
        ("faxPrefix=0 phone=9992", {}, ("09992",)),
    ],
)
def test_numbers_are_the_clients_whatever_cups_makes_of_them(
    tmp_path: Path, options: str, cups: Mapping[str, Sequence[str]], numbers: tuple[str, ...]
) -> None:
    path = tmp_path / f"1{ENTRY_SUFFIX}"
    path.write_bytes(json.dumps({"options": options, "cups": cups}).encode() + b"\n%PDF-1.4 %%EOF")
    entry = read_entry(path)
    assert read_fax_options(entry.options, entry.title, entry.destinations).numbers == numbers
