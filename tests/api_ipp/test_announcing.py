"""The records for avahi-daemon are valid for every printer, and are removed with it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from appliance.api.ipp.announcing import announce, records
from appliance.cli import main
from appliance.configuration import open_settings
from appliance.daemon.arguments import EXIT_UNUSABLE
from appliance.net.own_address import FILE_NAME as ADDRESS_FILE
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


def test_what_is_announced_already_is_not_announced_anew(store: SettingsStore, tmp_path: Path) -> None:
    folder = tmp_path / "services"
    folder.mkdir()
    announce(folder, records(store, 8080, encrypted=False))
    before = {path.name: path.stat().st_ino for path in folder.iterdir()}
    store.add(FavouritePrinter(contact_id=1, name="another"))
    announce(folder, records(store, 8080, encrypted=False))
    after = {path.name: path.stat().st_ino for path in folder.iterdir()}
    assert before.items() < after.items(), "each file that was written is a new one"


@pytest.mark.parametrize(
    ("url", "words", "port"),
    [
        ("http://127.0.0.1:8081", [], "8081"),
        ("https://[::]:443", [], "443"),
        ("http://box", [], "80"),
        ("http://127.0.0.1:8081", ["--port", "8080"], "8080"),
        (None, [], None),
    ],
)
def test_the_command_announces_where_the_box_listens(
    store: SettingsStore,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    *,
    url: str | None,
    words: list[str],
    port: str | None,
) -> None:
    if url is not None:
        (tmp_path / "box" / ADDRESS_FILE).write_text(json.dumps({"url": url}))
    command = ["printing", "announce", "--services", str(tmp_path), "--data", str(tmp_path / "box"), *words]
    assert main(command) == (0 if port else EXIT_UNUSABLE)
    if port is None:
        assert "say --port" in capsys.readouterr().err
    else:
        assert f"<port>{port}</port>" in (tmp_path / "faxbox-print.service").read_text()


def test_faxbox_printing_announce_writes_the_records(store: SettingsStore, tmp_path: Path) -> None:
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
