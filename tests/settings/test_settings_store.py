"""Settings: typed, durable, shared between processes, secrets never shown."""

from __future__ import annotations

import itertools
import json
import multiprocessing
import shutil
import threading
from pathlib import Path

import pytest

from appliance import durable
from appliance.configuration import CATALOGUE, open_settings
from appliance.lines.settings import LineSettings
from appliance.lines.sip.settings import SipTrunk
from appliance.numbers import NumberSettings
from appliance.phonebook import Contact
from appliance.settings import secrets
from appliance.settings.accounts import ApiKey, Scope, User
from appliance.settings.fields import SettingError, describe, from_document, to_document
from appliance.settings.files import PHONEBOOK_FILE, SETTINGS_FILE, SettingsDamagedError
from appliance.settings.store import SettingsStore, UnknownItemError
from appliance.spool.settings import SendingSettings
from appliance.station import StationSettings
from appliance.url_passwords import MASK
from tests.killed_at import die_at, lived


@pytest.fixture
def store(tmp_path: Path) -> SettingsStore:
    return open_settings(tmp_path / "data")


def test_a_change_is_there_after_a_restart(store: SettingsStore, tmp_path: Path) -> None:
    store.change(StationSettings, {"name": "Grüße"})
    assert open_settings(tmp_path / "data").section(StationSettings).name == "Grüße"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("station.nmae", "x"),
        ("sation.name", "x"),
        ("station", "x"),
        ("station.header", "perhaps"),
        ("station.station_id", "49 LETTERS"),
        ("station.time_zone", "Mars/Olympus"),
        ("sending.max_tries", "0"),
        ("sending.max_tries", "many"),
        ("sending.busy", "60,-1"),
        ("sending.busy", "nan"),
        ("sending.unknown_rule", "whatever"),
    ],
)
def test_a_mistake_is_refused_with_its_path_and_changes_nothing(
    store: SettingsStore, path: str, text: str
) -> None:
    before = store.export(secrets=True)
    with pytest.raises(SettingError) as caught:
        store.set_path(path, text)
    assert caught.value.path.startswith(path.split(".", maxsplit=1)[0])
    assert store.export(secrets=True) == before


def test_a_text_is_one_line_that_changes_no_direction_unless_it_may_have_several(
    store: SettingsStore,
) -> None:
    odd = "Bank\r\n\u202e\u2066 \u2028AG\x07"
    store.change(StationSettings, {"name": odd})
    assert store.section(StationSettings).name == "Bank AG"
    made = store.add(Contact("+49301", last_name=odd, company="אב\u200fג", notes="one\ntwo"))
    kept = store.item(Contact, made)
    assert (kept.last_name, kept.company, kept.notes) == ("Bank AG", "אב\u200fג", "one\ntwo")
    store.revise((Contact,), lambda lists: lists[Contact].items.update({made: Contact("+49301", odd)}))
    assert store.item(Contact, made).first_name == "Bank AG"
    password = "pass\tword\u202e of ada"
    ada = secrets.add_user(store, "ada", password)
    assert secrets.find_user(store, "ada", password) == (ada, store.item(User, ada))


def test_text_forms_of_the_command_line_are_understood(store: SettingsStore) -> None:
    store.set_path("sending.busy", "10, 20.5")
    store.set_path("station.header", "no")
    store.set_path("numbers.allow", "")
    store.set_path("sending.resume", "all")
    assert store.section(SendingSettings).busy == (10.0, 20.5)
    assert store.get_path("station.header") is False
    assert store.section(NumberSettings).allow == ()
    assert store.get_path("sending.resume") == "all"


@pytest.mark.parametrize("first", ["read", "changed"])
def test_a_file_that_is_deleted_under_a_running_box_is_written_again(
    store: SettingsStore, first: str
) -> None:
    store.change(NumberSettings, {"daily_calls": 7})
    store.add(Contact(last_name="Zoë", number="+4930123"))
    for name in (SETTINGS_FILE, PHONEBOOK_FILE):
        (store.folder / name).unlink()
    if first == "changed":
        store.change(StationSettings, {"name": "Grüße"})
    assert store.section(NumberSettings).daily_calls == 7
    assert [contact.name for contact in store.items(Contact).values()] == ["Zoë"]
    after = open_settings(store.folder)
    assert after.section(NumberSettings).daily_calls == 7
    assert len(after.items(Contact)) == 1
    assert (after.section(StationSettings).name == "Grüße") is (first == "changed")


def test_a_phone_book_that_is_gone_at_the_start_is_told_until_a_new_one_begins(
    store: SettingsStore, caplog: pytest.LogCaptureFixture
) -> None:
    assert not store.phonebook_gone  # a box without a phone book lacks nothing
    store.add(Contact(last_name="Zoë", number="+4930123"))
    store.change(NumberSettings, {"daily_calls": 7})
    assert not open_settings(store.folder).phonebook_gone
    (store.folder / PHONEBOOK_FILE).unlink()
    after = open_settings(store.folder)
    assert after.phonebook_gone
    assert f"{PHONEBOOK_FILE}, the phone book, is gone" in caplog.text
    after.change(NumberSettings, {"daily_calls": 8})
    assert open_settings(store.folder).phonebook_gone
    after.add(Contact(last_name="Ada", number="+4930124"))
    assert not after.phonebook_gone
    assert not open_settings(store.folder).phonebook_gone


def test_a_box_killed_at_any_step_of_its_first_contact_misses_no_phone_book(tmp_path: Path) -> None:
    def work(root: Path, dies_at: int) -> None:
        store = open_settings(root)
        die_at(dies_at)
        store.add(Contact(last_name="Zoë", number="+4930123"))

    for step in itertools.count(1):
        folder = tmp_path / str(step)
        whole = lived(work, folder, step)
        assert not open_settings(folder).phonebook_gone, f"killed at step {step}"
        if whole:
            return


def test_settings_stay_in_force_where_their_folder_is_gone(store: SettingsStore) -> None:
    store.change(NumberSettings, {"daily_calls": 7})
    shutil.rmtree(store.folder)
    assert store.section(NumberSettings).daily_calls == 7
    with pytest.raises((SettingsDamagedError, OSError)):
        store.change(NumberSettings, {"daily_calls": 8})
    assert store.section(NumberSettings).daily_calls == 7


def test_a_damaged_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text('{"settings": {')
    with pytest.raises(SettingsDamagedError, match=r"settings\.json is damaged.*put it back from a backup"):
        open_settings(tmp_path)


def test_an_unchanged_setting_is_not_written_again(store: SettingsStore, tmp_path: Path) -> None:
    store.change(StationSettings, {"name": "x"})
    before = (tmp_path / "data" / "settings.json").stat().st_ino
    store.change(StationSettings, {"name": "x"})
    assert (tmp_path / "data" / "settings.json").stat().st_ino == before


def test_a_change_by_another_process_is_noticed(store: SettingsStore, tmp_path: Path) -> None:
    assert store.section(StationSettings).name == ""
    open_settings(tmp_path / "data").change(StationSettings, {"name": "other"})
    assert store.section(StationSettings).name == "other"


def _add_contacts(folder: Path, count: int) -> None:
    store = open_settings(folder)
    for number in range(count):
        store.add(Contact(number=str(number)))


def test_processes_that_change_at_once_lose_nothing(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_add_contacts, args=(tmp_path, 8)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert len(open_settings(tmp_path).items(Contact)) == 24


def test_an_id_is_never_used_again(store: SettingsStore) -> None:
    first = store.add(Contact(number="1"))
    store.remove(Contact, first)
    assert store.add(Contact(number="2")) == first + 1
    with pytest.raises(UnknownItemError):
        store.item(Contact, first)


def test_an_item_is_changed_field_by_field(store: SettingsStore) -> None:
    line = store.add(SipTrunk(name="trunk", server="host", password="s3cret"))
    store.update(LineSettings, line, {"server": "sip.example.net", "password": MASK})
    assert store.item(LineSettings, line).password == "s3cret"
    assert store.item(LineSettings, line).server == "sip.example.net"
    with pytest.raises(SettingError):
        store.update(LineSettings, line, {"type": "pigeon"})


def test_secrets_are_masked_when_shown_and_kept_when_the_mask_comes_back(store: SettingsStore) -> None:
    secrets.first_start(store)
    store.add(SipTrunk(name="trunk", server="host", password="s3cret-word"))
    secrets.add_user(store, "ada", "a long password")
    _, token = secrets.add_key(store, "till")
    shown = store.export()
    for hidden in ("s3cret-word", token, secrets.hash_token(token), "scrypt$"):
        assert hidden not in json.dumps(shown)
    before = store.export(secrets=True)
    store.load(json.loads(json.dumps(shown)))
    assert store.export(secrets=True) == before


def test_an_import_with_one_mistake_changes_nothing(store: SettingsStore) -> None:
    store.change(StationSettings, {"name": "x"})
    before = store.export(secrets=True)
    with pytest.raises(SettingError):
        store.load({"settings": {"station": {"name": "y"}, "sending": {"max_tries": "three"}}})
    assert store.export(secrets=True) == before


def test_every_documented_field_says_what_it_means() -> None:
    for name, kind in CATALOGUE.sections.items():
        for described in describe(kind):
            assert described.help, f"{name}.{described.name}"


@pytest.mark.parametrize("kind", CATALOGUE.sections.values())
def test_defaults_pass_their_own_checks(kind: type) -> None:
    assert from_document(kind, to_document(kind()), "x") == kind()


def test_every_list_has_a_kind_of_its_own() -> None:
    assert len(set(CATALOGUE.lists.values())) == len(CATALOGUE.lists)


def test_a_token_opens_its_key_and_is_stored_nowhere(store: SettingsStore, tmp_path: Path) -> None:
    key_id, token = secrets.add_key(store, "till", scopes=(Scope.SEND,), quota=100)
    found = secrets.find_key(store, token)
    assert found is not None
    assert found[0] == key_id
    assert (found[1].account, found[1].pages_per_month) == ("till", 100)
    assert secrets.find_key(store, token + "x") is None
    assert all(token.encode() not in path.read_bytes() for path in (tmp_path / "data").iterdir())
    store.update(ApiKey, key_id, {"disabled": True})
    assert secrets.find_key(store, token) is None
    with pytest.raises(SettingError):
        secrets.add_key(store, "till")


def test_a_password_opens_its_user_only(store: SettingsStore) -> None:
    user_id = secrets.add_user(store, "ada", "correct horse", email="ada@example.net")
    found = secrets.find_user(store, "ada@example.net", "correct horse")
    assert found is not None
    assert found[0] == user_id
    assert secrets.find_user(store, "ada", "wrong horse") is None
    assert secrets.find_user(store, "bob", "correct horse") is None
    store.update(User, user_id, {"disabled": True})
    assert secrets.find_user(store, "ada", "correct horse") is None
    with pytest.raises(SettingError):
        secrets.add_user(store, "eve", "short")


def test_the_setup_code_is_good_for_one_administrator(store: SettingsStore) -> None:
    code = secrets.first_start(store)
    assert code is not None
    assert secrets.first_start(store) is None
    assert secrets.present_setup_code(store) == code
    assert secrets.redeem_setup_code(store, "AAAA-AAAA-AAAA", "eve", "a long password") is None
    with pytest.raises(SettingError):
        secrets.redeem_setup_code(store, code, "ada", "short")
    assert secrets.redeem_setup_code(store, code.lower().replace("-", " "), "ada", "a long password")
    assert secrets.redeem_setup_code(store, code, "eve", "a long password") is None
    assert secrets.first_start(store) is None
    assert secrets.present_setup_code(store) == ""
    assert not (store.folder / secrets.CODE_FILE).exists()


def test_a_file_with_another_setup_code_than_the_good_one_is_not_shown(store: SettingsStore) -> None:
    code = secrets.new_setup_code(store)
    file = store.folder / secrets.CODE_FILE
    assert file.stat().st_mode & 0o077 == 0
    for wrong in ("AAAA-AAAA-AAAA\n", "", "\xe4"):
        file.write_text(wrong, encoding="latin-1")
        assert secrets.present_setup_code(store) == ""
    file.unlink()
    assert secrets.present_setup_code(store) == ""
    assert secrets.redeem_setup_code(store, code, "ada", "a long password")


def test_a_reader_does_not_wait_for_a_change_on_its_way_to_the_disk(
    store: SettingsStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing, disk = threading.Event(), threading.Event()
    write_file = durable.write_file

    def slow(path: Path, content: bytes) -> int:
        writing.set()
        disk.wait(20)
        return write_file(path, content)

    monkeypatch.setattr(durable, "write_file", slow)
    changer = threading.Thread(target=store.change, args=(StationSettings, {"name": "new"}))
    changer.start()
    assert writing.wait(20)
    assert store.section(StationSettings).name == ""
    disk.set()
    changer.join()
    assert store.section(StationSettings).name == "new"


@pytest.mark.parametrize(
    "broken",
    [
        "{",
        "[]",
        "null",
        '{"settings": 7}',
        '{"settings": {"x": {}}}',
        '{"settings": {"1": []}}',
        '{"settings": {"1": {"section": "station", "values": 3}}}',
        '{"settings": {"1": {"section": "station", "values": {"name": 7}}}}',
        '{"file": {"1": {"version": 99}}}',
        '{"file": {"1": {"version": "two"}}}',
        '{"settings": {"1": {}}}',
        '{"users": {"1": {"name": 4}}}',
    ],
)
def test_a_file_broken_by_hand_leaves_the_settings_in_force_and_refuses_changes(
    store: SettingsStore, tmp_path: Path, broken: str
) -> None:
    store.change(StationSettings, {"name": "good"})
    file = tmp_path / "data" / "settings.json"
    good = file.read_text()
    file.write_text(broken)
    assert store.section(StationSettings).name == "good"
    with pytest.raises((SettingsDamagedError, SettingError)):
        store.change(StationSettings, {"name": "new"})
    assert file.read_text() == broken
    file.write_text(good)
    assert store.change(StationSettings, {"name": "new"}).name == "new"
