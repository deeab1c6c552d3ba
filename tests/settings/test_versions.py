"""Settings of other versions: older ones are migrated, unknown keys are kept, newer ones are refused."""

from __future__ import annotations

import io
import json
import logging
import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from appliance import cli
from appliance.configuration import CATALOGUE, open_box, open_settings
from appliance.deliver.settings import DeliveryRoute, JunkRule
from appliance.lines.modem.quirks import FlowControl
from appliance.lines.modem.settings import ClassOneModem
from appliance.lines.settings import LineSettings
from appliance.lines.sip.numbers import DialFormat
from appliance.lines.sip.settings import Identity, MediaChoice, SipSettings, SipTrunk, Transport
from appliance.numbers import NumberSettings
from appliance.phonebook import Contact, ContactGroup
from appliance.settings import secrets
from appliance.settings.accounts import User
from appliance.settings.fields import SettingError, from_document, setting, to_document
from appliance.settings.files import Catalogue, SettingsTooNewError
from appliance.settings.store import Items, SettingsStore
from appliance.spool.filters import JobFilter
from appliance.spool.settings import SendingSettings
from appliance.station import StationSettings
from appliance.t38.settings import ErrorCorrection

RELEASED = Path(__file__).parent / "released"
PROJECT = Path(__file__).parents[2]
# The last code that wrote settings of version 1, and the data folder in ``released/v1``.
LAST_OF_V1 = "dd0cac5"


def released(version: str, folder: Path) -> Path:
    """A data folder as a released version left it.  Its spool lies in the repository as SQL."""
    data = folder / "data"
    shutil.copytree(RELEASED / version, data, ignore=shutil.ignore_patterns("*.sql"))
    spool = sqlite3.connect(data / "spool.sqlite3")
    spool.executescript((RELEASED / version / "spool.sql").read_text())
    spool.close()
    return data


def file_with(folder: Path, **values: object) -> Path:
    """A settings file with these values of the section ``station``."""
    file = folder / "settings.json"
    file.write_text(json.dumps({"settings": {"1": {"section": "station", "values": values}}}))
    return file


def run(*words: str) -> int:
    return cli.main([*words])


# -- older versions --------------------------------------------------------------------------------


def test_a_data_folder_of_version_1_starts_with_all_that_was_in_it(tmp_path: Path) -> None:
    box = open_box(released("v1", tmp_path))
    try:
        settings = box.settings
        assert settings.section(StationSettings).name == "Grüße & Co"
        assert settings.section(SendingSettings).busy == (10.0, 20.0)
        assert settings.section(NumberSettings).deny == ("+49900",)
        assert settings.section(SipSettings).udptl_ports.last == 6049
        trunk, modem, mixed = settings.items(LineSettings).values()
        assert isinstance(trunk, SipTrunk)
        assert (trunk.server, trunk.transport, trunk.password) == (
            "sip.example.net:5070",
            Transport.TLS,
            "hush",
        )
        assert (trunk.form, trunk.identity) == (DialFormat.NATIONAL, Identity.PREFERRED)
        assert (trunk.media, trunk.error_correction) == (MediaChoice.T38_ONLY, ErrorCorrection.FEC)
        assert (trunk.t38_calling_s, trunk.position, trunk.enabled) == (0.0, 2, False)
        assert isinstance(modem, ClassOneModem)
        assert (modem.device, modem.modem_flow, modem.modem_speed) == (
            "/dev/ttyACM9",
            FlowControl.RTS_CTS,
            38400,
        )
        assert (modem.outside_prefix, modem.modem_quirks) == ("0,", ("training_ms=400",))
        assert mixed.name == "mixed"
        assert [contact.last_name for contact in settings.items(Contact).values()] == ["Bob"]
        assert [group.contact_ids for group in settings.items(ContactGroup).values()] == [(1,)]
        assert [rule.caller for rule in settings.items(JunkRule).values()] == [("*",)]
        assert [route.emails for route in settings.items(DeliveryRoute).values()] == [("ada@example.net",)]
        assert secrets.find_user(settings, "ada", "a long password") is not None
        assert len(box.faxes.search(JobFilter())) == 2
        # What says nothing of this kind of line is gone; what says something is kept and told of.
        assert [note.partition(":")[0] for note in settings.notes()] == ["lines.3.pulse", "lines.4.server"]
    finally:
        box.close()


def test_a_folder_of_version_1_is_migrated_at_the_first_change_and_not_before(tmp_path: Path) -> None:
    data = released("v1", tmp_path)
    before = (data / "settings.json").read_bytes()
    settings = open_settings(data)
    assert (data / "settings.json").read_bytes() == before
    settings.change(StationSettings, {"name": "new"})
    after = json.loads((data / "settings.json").read_text())
    assert after["file"] == {"1": {"version": CATALOGUE.version}}
    assert after["lines"]["3"]["pulse"] is True, "kept as it lay"
    assert after["lines"]["4"]["name"] == "unfinished", "kept as it lay"
    again = open_settings(data)
    assert again.export(secrets=True) == settings.export(secrets=True)


@pytest.mark.parametrize(
    ("old", "new", "value"),
    [
        ("dial_prefix", "outside_prefix", "0"),
        ("international", "international_prefix", "011"),
        ("national", "national_prefix", "1"),
    ],
)
def test_a_setting_under_its_retired_name_is_migrated_and_the_name_is_known_as_retired(
    tmp_path: Path, old: str, new: str, value: str
) -> None:
    line = {"name": "trunk", "type": "sip", "server": "sip.example.net", old: value}
    (tmp_path / "settings.json").write_text(json.dumps({"lines": {"1": line}}))
    settings = open_settings(tmp_path)
    assert getattr(settings.item(LineSettings, 1), new) == value
    assert settings.notes() == ()
    with pytest.raises(SettingError, match=f"called {new} now"):
        settings.update(LineSettings, 1, {old: value})
    settings.load({"lists": {"lines": {"1": line}}})  # an export of that time
    assert getattr(settings.item(LineSettings, 1), new) == value
    with pytest.raises(SettingError, match=f"called {new} now"):
        settings.load({"version": CATALOGUE.version, "lists": {"lines": {"1": line}}})


def test_an_export_of_version_1_is_taken(tmp_path: Path) -> None:
    tables = json.loads((RELEASED / "v1" / "settings.json").read_text())
    lines = {number: line for number, line in tables["lines"].items() if number in ("1", "2")}
    settings = open_settings(tmp_path)
    settings.load({"settings": {"station": {"name": "old"}}, "lists": {"lines": lines}})
    assert [type(line) for line in settings.items(LineSettings).values()] == [SipTrunk, ClassOneModem]


@pytest.fixture(scope="module")
def last_of_v1(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code of the version before, out of the repository's history."""
    made = subprocess.run(
        ["git", "archive", LAST_OF_V1, "appliance"], cwd=PROJECT, capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("this clone has no history")
    folder = tmp_path_factory.mktemp("v1")
    with tarfile.open(fileobj=io.BytesIO(made.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def _with_old_code(code: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(code)}
    program = "import sys; from appliance.cli import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", program, *words],
        env=environment,
        cwd=code,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_version_before_starts_with_settings_of_this_one(tmp_path: Path, last_of_v1: Path) -> None:
    data = released("v1", tmp_path)
    settings = open_settings(data)
    settings.change(StationSettings, {"name": "new"})
    settings.add(SipTrunk(name="added", server="a.example", media=MediaChoice.G711_ONLY))
    shown = _with_old_code(last_of_v1, "config", "export", "--data", str(data))
    assert shown.returncode == 0, shown.stderr
    seen = json.loads(shown.stdout)
    assert seen["settings"]["station"]["name"] == "new"
    assert seen["lists"]["lines"]["5"]["media"] == "g711"
    assert seen["lists"]["lines"]["3"]["pulse"] is True
    # What it does not know it refuses with a sentence, and changes nothing.
    settings.update(LineSettings, 5, {"keep_audio_line": True})
    before = (data / "settings.json").read_bytes()
    refused = _with_old_code(last_of_v1, "config", "get", "--data", str(data))
    assert (refused.returncode, "lines.5.keep_audio_line" in refused.stderr) == (64, True)
    assert (data / "settings.json").read_bytes() == before


# -- newer versions --------------------------------------------------------------------------------


def test_settings_of_a_newer_version_are_refused_and_not_touched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("settings.json", "phonebook.json"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / name).write_text(json.dumps({"file": {"1": {"version": CATALOGUE.version + 1}}}))
        before = (folder / name).read_bytes()
        with pytest.raises(SettingsTooNewError, match="update the program"):
            open_settings(folder)
        for words in (("config", "get"), ("config", "set", "station.name", "x"), ("serve",)):
            assert run(*words, "--data", str(folder)) == 78
            assert "update the program" in capsys.readouterr().err
        assert (folder / name).read_bytes() == before


def test_an_export_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    settings = open_settings(tmp_path)
    with pytest.raises(SettingError, match="this program knows"):
        settings.load({"version": CATALOGUE.version + 1, "settings": {"station": {"name": "x"}}})
    assert settings.section(StationSettings).name == ""


@dataclass(frozen=True, slots=True)
class _Earlier:
    name: str = setting("", "a name")


@dataclass(frozen=True, slots=True)
class _Later:
    name: str = setting("", "a name")
    colour: str = setting("", "a colour, which the earlier version did not know", secret=True)


def test_what_a_later_version_wrote_survives_changes_by_an_earlier_one(tmp_path: Path) -> None:
    def store(section: type[Any], item: type[Any]) -> SettingsStore:
        return SettingsStore(tmp_path, Catalogue({"paint": section}, {"pots": item}))

    @dataclass(frozen=True, slots=True)
    class EarlierPot(_Earlier):
        pass

    @dataclass(frozen=True, slots=True)
    class LaterPot(_Later):
        pass

    later = store(_Later, LaterPot)
    later.change(_Later, {"name": "x", "colour": "red"})
    pot = later.add(LaterPot(name="p", colour="blue"))
    earlier = store(_Earlier, EarlierPot)
    earlier.change(_Earlier, {"name": "y"})
    earlier.update(EarlierPot, pot, {"name": "q"})
    assert "red" not in json.dumps(earlier.export()), "it may be a secret"
    assert earlier.export(secrets=True)["unknown"] == {
        "paint": {"colour": "red"},
        "pots.1": {"colour": "blue"},
    }
    earlier.load(earlier.export())
    assert (later.section(_Later), later.item(LaterPot, pot)) == (_Later("y", "red"), LaterPot("q", "blue"))


# -- what is unknown or wrong ----------------------------------------------------------------------


def test_an_unknown_key_is_kept_warned_of_and_shown(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    file = file_with(tmp_path, nmae="x", header=False)
    with caplog.at_level(logging.WARNING):
        settings = open_settings(tmp_path)
    assert "station.nmae: there is no such setting; did you mean name?" in caplog.text
    assert settings.section(StationSettings).header is False
    assert run("config", "set", "station.caller_name", "Ada", "--data", str(tmp_path)) == 0
    assert json.loads(file.read_text())["settings"]["1"]["values"] == {
        "nmae": "x",
        "header": False,
        "caller_name": "Ada",
    }
    assert run("config", "get", "station", "--data", str(tmp_path)) == 0
    assert "nmae" in json.loads(capsys.readouterr().out)
    assert run("config", "forget", "station.header", "--data", str(tmp_path)) == 64
    assert run("config", "forget", "station.nmae", "--data", str(tmp_path)) == 0
    assert open_settings(tmp_path).notes() == ()


def test_an_unknown_section_and_an_unknown_list_are_kept_and_warned_of(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    tables = {"settings": {"7": {"section": "statoin", "values": {"a": 1}}}, "pigeons": {"1": {"name": "p"}}}
    file.write_text(json.dumps(tables))
    settings = open_settings(tmp_path)
    assert [note.partition(":")[0] for note in settings.notes()] == ["statoin", "pigeons"]
    settings.change(StationSettings, {"name": "x"})
    settings.add(SipTrunk(name="t", server="s"))
    after = json.loads(file.read_text())
    assert after["settings"]["7"] == tables["settings"]["7"]
    assert after["pigeons"] == tables["pigeons"]


def test_a_wrong_entry_is_left_out_and_kept_and_the_others_stay(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    users = {"1": {"name": "ada"}, "2": {"name": "bob", "role": "king"}}
    file.write_text(json.dumps({"users": users}))
    settings = open_settings(tmp_path)
    assert [user.name for user in settings.items(CATALOGUE.lists["users"]).values()] == ["ada"]
    assert "users.2.role" in settings.notes()[0]
    assert "bob" in settings.notes()[0]
    assert secrets.add_user(settings, "eve", "a long password") == 3
    assert json.loads(file.read_text())["users"]["2"] == users["2"]


def test_a_wrong_value_of_a_section_stops_the_box_and_can_be_put_right(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its default might allow what the owner forbade."""
    file = tmp_path / "settings.json"
    values = {"deny": "+49900", "region": "DE"}
    file.write_text(json.dumps({"settings": {"1": {"section": "numbers", "values": values}}}))
    assert run("serve", "--data", str(tmp_path)) == 78
    assert "numbers.deny: a list is needed" in capsys.readouterr().err
    assert run("config", "get", "numbers.region", "--data", str(tmp_path)) == 0
    assert run("config", "set", "numbers.premium", "no", "--data", str(tmp_path)) == 0
    assert json.loads(file.read_text())["settings"]["1"]["values"]["deny"] == "+49900", "kept until it is set"
    assert run("config", "set", "numbers.deny", "+49900", "--data", str(tmp_path)) == 0
    assert open_settings(tmp_path).section(NumberSettings).deny == ("+49900",)


@pytest.mark.parametrize(
    ("path", "meant"),
    [("station.nmae", "name"), ("sation.name", "station"), ("sending.max_trys", "max_tries")],
)
def test_a_wrong_name_is_answered_with_the_one_that_was_perhaps_meant(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], path: str, meant: str
) -> None:
    for words in (("get", path), ("set", path, "x")):
        assert run("config", *words, "--data", str(tmp_path)) == 64
        assert f"did you mean {meant}?" in capsys.readouterr().err


# -- kinds of line ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "foreign", "word"),
    [
        ({"type": "sip", "server": "a"}, {"pulse": True}, "modem"),
        ({"type": "modem"}, {"server": "a"}, "sip"),
        ({"type": "modem"}, {"password": "x"}, "sip"),
        ({"type": "sip", "server": "a"}, {"device": "/dev/ttyACM0"}, "modem"),
    ],
)
def test_a_setting_of_another_kind_of_line_is_refused(
    tmp_path: Path, kind: dict[str, Any], foreign: dict[str, Any], word: str
) -> None:
    with pytest.raises(SettingError, match=f"a setting of type {word}"):
        from_document(LineSettings, {"name": "line", **kind, **foreign}, "lines.1")
    settings = open_settings(tmp_path)
    line = settings.add(from_document(LineSettings, {"name": "line", **kind}, "lines.1"))
    with pytest.raises(SettingError, match=f"a setting of type {word}"):
        settings.update(LineSettings, line, foreign)
    with pytest.raises(SettingError, match="it stays"):
        settings.update(LineSettings, line, {"type": word})


def test_a_setting_of_another_kind_of_line_that_says_nothing_is_passed_over() -> None:
    """Clients of version 1 send the settings of both kinds."""
    body = {"name": "line", "type": "modem", "rings": 3, "server": "", "peers": [], "media": "both"}
    assert from_document(LineSettings, body, "line") == ClassOneModem(name="line", rings=3)


def test_every_setting_of_a_line_can_be_set_by_its_owner_and_none_is_of_both_kinds() -> None:
    trunk = to_document(SipTrunk(name="t", server="s")).keys()
    modem = to_document(ClassOneModem(name="m")).keys()
    could_not_be_set = {"ca_file", "keep_alive_s", "keep_audio_line", "max_bit_rate", "t38_version"}
    assert could_not_be_set | {"register_expires_s", "session_min_s"} <= trunk - modem
    assert {"pulse", "rings", "device"} <= modem - trunk


def test_a_revision_of_a_list_changes_what_it_names_and_keeps_what_is_not_in_force(tmp_path: Path) -> None:
    file = tmp_path / "phonebook.json"
    contacts = {"1": {"number": "1"}, "2": {"number": 2}, "3": {"number": "3", "pigeon": "grey"}}
    file.write_text(json.dumps({"contacts": contacts}))
    settings = open_settings(tmp_path)

    def revision(lists: Mapping[type[Any], Items]) -> None:
        contacts = lists[Contact]
        contacts.items[3] = Contact("33")
        del contacts.items[1]
        assert contacts.add(Contact("4")) == 4

    settings.revise((Contact,), revision)
    after = json.loads(file.read_text())["contacts"]
    assert after == {"2": {"number": 2}, "3": {"number": "33", "pigeon": "grey"}, "4": {"number": "4"}}

    def refused(lists: Mapping[type[Any], Items]) -> None:
        lists[Contact].items.clear()
        lists[Contact].add(Contact("x" * 100))

    with pytest.raises(SettingError):
        settings.revise((Contact,), refused)
    assert json.loads(file.read_text())["contacts"] == after


# -- what an attacker of these promises would try --------------------------------------------------


def _written(data: Path, **tables: object) -> SettingsStore:
    data.mkdir(exist_ok=True)
    (data / "settings.json").write_text(json.dumps({"file": {"1": {"version": CATALOGUE.version}}, **tables}))
    return open_settings(data)


def test_an_import_keeps_entries_of_a_kind_that_only_a_newer_version_knows(tmp_path: Path) -> None:
    store = _written(tmp_path, lines={"4": {"type": "satellite", "name": "sky"}})
    store.load(store.export(secrets=True))
    kept = json.loads((tmp_path / "settings.json").read_text())["lines"]
    assert kept == {"4": {"type": "satellite", "name": "sky"}}


def test_an_import_names_the_new_name_of_a_retired_field_in_an_entry(tmp_path: Path) -> None:
    line = {"type": "sip", "name": "x", "server": "a.example", "dial_prefix": "0"}
    with pytest.raises(SettingError, match="outside_prefix"):
        open_settings(tmp_path).load({"version": CATALOGUE.version, "lists": {"lines": {"1": line}}})


@pytest.mark.parametrize("where", ["nowhere", "sip", "users.7"])
def test_an_import_drops_no_unknown_key_in_silence(tmp_path: Path, where: str) -> None:
    with pytest.raises(SettingError, match=where):
        open_settings(tmp_path).load({"unknown": {where: {"nmae": "x"}}})


def test_two_entries_of_an_import_with_one_id_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"users\.01"):
        open_settings(tmp_path).load({"lists": {"users": {"1": {"name": "a"}, "01": {"name": "b"}}}})


def test_of_a_section_that_is_there_twice_the_one_in_force_is_the_one_that_is_changed(tmp_path: Path) -> None:
    rows = {str(n): {"section": "station", "values": {"name": name}} for n, name in ((1, "old"), (77, "new"))}
    store = _written(tmp_path, settings=rows)
    assert store.section(StationSettings).name == "old"
    assert any("station" in note for note in store.notes())
    store.change(StationSettings, {"name": "x"})
    assert store.section(StationSettings).name == "x"


def test_a_list_in_the_file_that_it_does_not_belong_into_is_told_of(tmp_path: Path) -> None:
    store = _written(tmp_path, contacts={"1": {"number": "+49301"}})
    assert any("contacts" in note and "phonebook.json" in note for note in store.notes())


@pytest.mark.parametrize("counter", [{"list": "users", "last": "x"}, {"last": 4}, {"list": "users"}])
def test_a_counter_that_somebody_broke_stops_no_change(tmp_path: Path, counter: dict[str, object]) -> None:
    store = _written(tmp_path, counters={"1": counter}, users={"6": {"name": "a"}})
    assert store.add(User(name="b")) == 7


def test_half_a_surrogate_pair_is_refused_in_a_setting_and_kept_in_an_unknown_key(tmp_path: Path) -> None:
    half = "\ud800"
    with pytest.raises(SettingError, match=r"station\.name"):
        open_settings(tmp_path).load({"settings": {"station": {"name": half}}})
    store = _written(tmp_path, settings={"1": {"section": "station", "values": {"nmae": half}}})
    store.change(StationSettings, {"name": "x"})
    assert open_settings(tmp_path).export(secrets=True)["unknown"] == {"station": {"nmae": half}}
