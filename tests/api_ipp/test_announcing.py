"""The records for avahi-daemon name every printer as its protocol wants, and go with what they announced."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from appliance.api.ipp.announcing import announce, records
from appliance.configuration import open_settings
from appliance.phonebook import Contact
from appliance.printing.settings import FavouritePrinter, IppAccess, IppSettings
from appliance.settings.store import SettingsStore


@pytest.fixture
def store(tmp_path: Path) -> SettingsStore:
    made = open_settings(tmp_path / "box")
    made.change(IppSettings, {"access": IppAccess.NETWORK.value})
    contact = made.add(Contact(number="9990", last_name="Weiss & Söhne"))
    made.add(FavouritePrinter(contact_id=contact))
    return made


def test_each_printer_has_a_record_of_its_kind(store: SettingsStore) -> None:
    made = records(store, 8080, encrypted=False)
    assert set(made) == {"faxbox-faxout.service", "faxbox-print.service", "faxbox-to-1.service"}
    fax, favourite = (ElementTree.fromstring(made[f"faxbox-{name}.service"]) for name in ("faxout", "to-1"))
    assert fax.findtext("service/type") == "_fax-ipp._tcp"
    assert favourite.findtext("name") == "Fax to Weiss & Söhne"
    assert favourite.findtext("service/type") == "_ipp._tcp"
    assert favourite.findtext("service/subtype") == "_universal._sub._ipp._tcp"
    assert favourite.findtext("service/port") == "8080"
    texts = {each.text for each in favourite.iter("txt-record")}
    assert {"rp=ipp/to/1", "Fax=F", "air=none"} <= texts


def test_with_tls_they_are_announced_as_encrypted(store: SettingsStore) -> None:
    made = records(store, 443, encrypted=True)
    assert "<type>_ipps._tcp</type>" in made["faxbox-print.service"]
    assert "<type>_fax-ipps._tcp</type>" in made["faxbox-faxout.service"]


def test_records_of_what_is_gone_go_and_those_of_others_stay(store: SettingsStore, tmp_path: Path) -> None:
    folder = tmp_path / "services"
    folder.mkdir()
    (folder / "ssh.service").write_text("other")
    for _ in range(2):
        announce(folder, records(store, 8080, encrypted=False))
    assert len(list(folder.iterdir())) == 4
    store.change(IppSettings, {"access": IppAccess.OFF.value})
    announce(folder, records(store, 8080, encrypted=False))
    assert [path.name for path in folder.iterdir()] == ["ssh.service"]


def test_the_command_writes_them(store: SettingsStore, tmp_path: Path) -> None:
    words = ["printing", "announce", "--port", "8080", "--services", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "appliance.cli", *words, "--data", str(tmp_path / "box")],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert "faxbox-to-1.service" in done.stdout
    assert (tmp_path / "faxbox-to-1.service").exists()
