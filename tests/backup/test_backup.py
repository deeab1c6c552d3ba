"""A restored backup is complete; a file that is no backup changes nothing."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance import __version__, at_rest, cli
from appliance.backup import archive, contents
from appliance.backup.causes import BACKUP_DAMAGED, BACKUP_PASSPHRASE_WRONG, BACKUP_TOO_NEW
from appliance.backup.sealed import CHUNK, BackupError, Opener, Sealer
from appliance.box import Box
from appliance.causes import RECEIVED
from appliance.configuration import open_box, open_settings
from appliance.daemon.arguments import read_secret
from appliance.phonebook import Contact
from appliance.settings import secrets
from appliance.settings.accounts import User
from appliance.settings.fields import SettingError
from appliance.settings.secrets import SecretSettings
from appliance.spool import received
from appliance.spool.filters import ReceivedFilter
from appliance.spool.model import ReceivedPageFile
from appliance.spool.settings import StorageSettings
from appliance.station import StationSettings
from appliance.t4.page import Raster, Resolution
from appliance.t4.tiff import write_tiff

PHRASE = "nine white horses"
UUID = "6f2b2f6e-5f0c-4f0e-9a57-0d1f6f3a1c11"


def _furnish(box: Box) -> None:
    box.settings.change(StationSettings, {"name": "Praxis Dr. Müller"})
    box.settings.add(Contact(number="+493012345", last_name="Babbage"))
    secrets.add_user(box.settings, "ada", "correct horse battery")
    path = box.data / "received/one.tiff"
    write_tiff(path, iter([Raster(1728, 50, bytes(216) * 50, Resolution.FINE)]))
    fax = box.spool.do(received.begin, UUID, "trunk", "sip", 1000.0, caller="+4930999", caller_name="Lab")
    page = ReceivedPageFile(1, "received/one.tiff", 1728, 50, "FINE", 0, 0, 1001.0)
    box.spool.do(received.add_page, fax.id, page)
    box.spool.do(received.finish, fax.id, RECEIVED, complete=True, now=1002.0, tsi="LAB")
    fax = box.spool.do(received.assign, fax.id, "ada", 1003.0)
    box.notes.add(fax, "user:ada", "a note on it")


@pytest.fixture
def backup(tmp_path: Path) -> bytes:
    """Of a box with a user, a contact and a received fax."""
    box = open_box(tmp_path / "old")
    _furnish(box)
    out = io.BytesIO()
    out.writelines(contents.make(box, PHRASE, received=True))
    box.close()
    return out.getvalue()


def _require_furnished(box: Box) -> None:
    assert box.settings.section(StationSettings).name == "Praxis Dr. Müller"
    assert [each.last_name for each in box.settings.items(Contact).values()] == ["Babbage"]
    assert secrets.find_user(box.settings, "ada", "correct horse battery") is not None
    (fax,) = box.inbox.search(ReceivedFilter())
    assert (fax.uuid, fax.owner, fax.caller, fax.tsi, fax.pages) == (UUID, "ada", "+4930999", "LAB", 1)
    assert fax.started_at == 1000.0
    (page,) = box.inbox.pages(fax.id)
    assert (box.data / page.path).stat().st_size > 0
    assert box.inbox.search(ReceivedFilter(text="LAB")) == [fax]
    assert [(note.who, note.text) for note in box.notes.of(fax)] == [("user:ada", "a note on it")]


def test_an_empty_box_has_everything_afterwards_and_starts_again_with_its_own_index(
    tmp_path: Path, backup: bytes
) -> None:
    box = open_box(tmp_path / "new")
    own = box.spool.id
    done = contents.restore(box, io.BytesIO(backup), PHRASE)
    assert (done.users, done.contacts, done.received) == (1, 1, 1)
    _require_furnished(box)
    box.close()
    again = open_box(tmp_path / "new")
    assert again.settings.section(SecretSettings).spool_id == again.spool.id == own
    _require_furnished(again)
    again.close()


def test_the_same_backup_twice_brings_nothing_twice(tmp_path: Path, backup: bytes) -> None:
    box = open_box(tmp_path / "new")
    contents.restore(box, io.BytesIO(backup), PHRASE)
    assert contents.restore(box, io.BytesIO(backup), PHRASE).received == 0
    _require_furnished(box)
    box.close()


def test_boxes_that_encrypt_make_and_take_backups_and_stay_encrypted(tmp_path: Path) -> None:
    old = open_box(tmp_path / "old")
    old.settings.change(StorageSettings, {"encrypt": True})
    old.close()
    old = open_box(tmp_path / "old")
    _furnish(old)
    page = old.data / "received/one.tiff"
    plain = page.read_bytes()
    at_rest.write_file(page, plain)
    assert page.read_bytes() != plain
    out = io.BytesIO()
    out.writelines(contents.make(old, PHRASE, received=True))
    old.close()
    at_rest.unlock_folder(tmp_path / "old")

    for name, encrypts in (("plain", False), ("encrypting", True)):
        open_settings(tmp_path / name).change(StorageSettings, {"encrypt": encrypts})
        box = open_box(tmp_path / name)
        contents.restore(box, io.BytesIO(out.getvalue()), PHRASE)
        _require_furnished(box)
        assert box.settings.section(StorageSettings).encrypt == encrypts
        (fax,) = box.inbox.search(ReceivedFilter())
        (kept,) = box.inbox.pages(fax.id)
        assert ((box.data / kept.path).read_bytes() == plain) is not encrypts
        assert at_rest.read_bytes(box.data / kept.path) == plain
        box.close()
        at_rest.unlock_folder(tmp_path / name)


def test_nothing_of_a_box_can_be_read_in_the_file(backup: bytes) -> None:
    for word in ("Müller", "Babbage", "+493012345", "settings.json", UUID):
        assert word.encode() not in backup


def test_faxbox_backup_and_restore_carry_a_stopped_box_to_an_empty_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    box = open_box(tmp_path / "old")
    _furnish(box)
    box.close()
    phrase, folder = tmp_path / "phrase", tmp_path / "backups"
    phrase.write_text(PHRASE + "\n")
    folder.mkdir()
    (folder / "faxbox-2001-01-01.faxbackup").write_bytes(b"old")
    more = ["--passphrase-file", str(phrase)]
    old = ["backup", str(folder), "--received", "--keep", "1", "--data", str(tmp_path / "old")]
    assert cli.main([*old, *more]) == 0
    (made,) = folder.iterdir()
    assert made.stat().st_mode & 0o777 == 0o600
    assert cli.main(["restore", str(made), "--data", str(tmp_path / "new"), *more]) == 0
    assert "1 users, 1 contacts, 1 received faxes" in capsys.readouterr().out
    new = open_box(tmp_path / "new")
    _require_furnished(new)
    assert cli.main(["restore", str(made), "--data", str(tmp_path / "new"), *more]) == 75
    assert "stop it first" in capsys.readouterr().err
    new.close()
    phrase.write_text("another passphrase")
    assert cli.main(["restore", str(made), "--data", str(tmp_path / "new"), *more]) == 78
    assert "not the passphrase" in capsys.readouterr().err


def test_a_passphrase_from_a_file_of_windows_is_the_one_that_is_typed(tmp_path: Path) -> None:
    open_box(tmp_path / "old").close()
    phrase, made = tmp_path / "phrase", tmp_path / "made"
    phrase.write_bytes(PHRASE.encode() + b"\r\nmore\r\n")
    data = ["--data", str(tmp_path / "old"), "--passphrase-file", str(phrase)]
    assert cli.main(["backup", str(made), *data]) == 0
    box = open_box(tmp_path / "new")
    contents.restore(box, io.BytesIO(made.read_bytes()), PHRASE)
    box.close()


def test_a_password_from_a_file_of_windows_is_the_one_that_is_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("nine white horses\r\n"))
    assert read_secret("Password: ") == "nine white horses"


@pytest.mark.parametrize("word", ["backup", "restore"])
def test_an_input_that_ends_before_the_passphrase_is_said_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], word: str
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    (tmp_path / "file").touch()
    open_box(tmp_path / "box").close()
    assert cli.main([word, str(tmp_path / "file"), "--data", str(tmp_path / "box")]) != 0
    assert "standard input ended" in capsys.readouterr().err


def test_a_backup_that_is_not_there_is_said_before_its_passphrase_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert cli.main(["restore", str(tmp_path / "none"), "--data", str(tmp_path / "box")]) != 0
    assert "No such file" in capsys.readouterr().err
    assert not (tmp_path / "box").exists()


# -- what is refused -------------------------------------------------------------------------------


def _require_untouched(tmp_path: Path, octets: bytes, phrase: str = PHRASE) -> BackupError:
    """Checks that restoring is refused and changes nothing."""
    box = open_box(tmp_path / "new")
    try:
        box.settings.change(StationSettings, {"name": "mine"})
        before = box.settings.export(secrets=True)
        with pytest.raises(BackupError) as caught:
            contents.restore(box, io.BytesIO(octets), phrase)
        assert box.settings.export(secrets=True) == before
        assert box.inbox.search(ReceivedFilter()) == []
        assert list((box.data / "received").iterdir()) == []
        assert list((box.data / "passing").iterdir()) == []
        return caught.value
    finally:
        box.close()


def test_another_passphrase_is_refused_as_that(tmp_path: Path, backup: bytes) -> None:
    assert _require_untouched(tmp_path, backup, "nine white cows").cause is BACKUP_PASSPHRASE_WRONG


@pytest.mark.parametrize("left", [0, 5, 39, 40, 41, 1000, -1, -17])
def test_a_file_that_was_cut_off_is_refused(tmp_path: Path, backup: bytes, left: int) -> None:
    assert _require_untouched(tmp_path, backup[:left]).cause is BACKUP_DAMAGED


@pytest.mark.parametrize("at", [3, 41, 2000, -1])
def test_a_file_that_was_changed_is_refused(tmp_path: Path, backup: bytes, at: int) -> None:
    changed = bytearray(backup)
    changed[at] ^= 1
    assert _require_untouched(tmp_path, bytes(changed)).cause is BACKUP_DAMAGED


def test_chunks_that_were_left_out_swapped_or_cut_at_their_border_are_refused() -> None:
    out = io.BytesIO()
    sealer = Sealer(out, PHRASE)
    sealer.write(bytes(range(256)) * (3 * CHUNK // 256))
    sealer.close()
    whole, head, size = out.getvalue(), 40, CHUNK + 16
    first, second, third = (whole[head + size * at : head + size * (at + 1)] for at in range(3))
    for body in (first + third, second + first + third, first + second, first, b""):
        with pytest.raises(BackupError):
            Opener(io.BytesIO(whole[:head] + body), PHRASE).read(4 * CHUNK)
    assert Opener(io.BytesIO(whole), PHRASE).read(4 * CHUNK) == bytes(range(256)) * (3 * CHUNK // 256)


def _sealed(*entries: tuple[tarfile.TarInfo, bytes]) -> bytes:
    """A backup made by hand with the passphrase."""
    out = io.BytesIO()
    sealer = Sealer(out, PHRASE)
    for entry, content in entries:
        sealer.write(entry.tobuf(tarfile.GNU_FORMAT) + content + bytes(-len(content) % 512))
    archive.end(sealer)
    sealer.close()
    return out.getvalue()


def _entry(name: str, content: bytes = b"", **more: object) -> tuple[tarfile.TarInfo, bytes]:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    for field, value in more.items():
        setattr(entry, field, value)
    return entry, content


_HEAD = _entry("backup.json", b'{"version": 1, "made_at": 1}')
_SETTINGS = _entry("settings.json", b'{"version": 2, "settings": {"station": {"name": "theirs"}}}')
_FAX = {"fax": {"uuid": "../../x"}, "pages": [{"number": 1, "path": "/etc/passwd"}]}
HOSTILE: dict[str, Callable[[], bytes]] = {
    "a way out of the folder": lambda: _sealed(_HEAD, _SETTINGS, _entry("../../evil", b"x")),
    "a way out under a page's name": lambda: _sealed(_HEAD, _SETTINGS, _entry("received/../1-1.tiff", b"x")),
    "an absolute name": lambda: _sealed(_HEAD, _SETTINGS, _entry("/etc/cron.d/evil", b"x")),
    "a link": lambda: _sealed(
        _HEAD, _SETTINGS, _entry("received/1-1.tiff", type=tarfile.SYMTYPE, linkname="/etc/passwd")
    ),
    "a hard link": lambda: _sealed(
        _HEAD, _SETTINGS, _entry("received/1-1.tiff", type=tarfile.LNKTYPE, linkname="settings.json")
    ),
    "a device": lambda: _sealed(_HEAD, _SETTINGS, _entry("received/1-1.tiff", type=tarfile.CHRTYPE)),
    "a sparse file that grows": lambda: _sealed(
        _HEAD, _SETTINGS, _entry("received/1-1.tiff", type=tarfile.GNUTYPE_SPARSE, size=1 << 50)
    ),
    "a page larger than any": lambda: _sealed(_HEAD, _SETTINGS, _entry("received/1-1.tiff", size=1 << 33)),
    "settings larger than any": lambda: _sealed(_HEAD, _entry("settings.json", size=1 << 33)),
    "an entry longer than the file": lambda: _sealed(_HEAD, _entry("settings.json", b"{}", size=50_000)),
    "the same twice": lambda: _sealed(_HEAD, _SETTINGS, _SETTINGS),
    "no settings": lambda: _sealed(_HEAD),
    "settings that are none": lambda: _sealed(_HEAD, _entry("settings.json", b"[1]")),
    "JSON that is very deep": lambda: _sealed(_HEAD, _entry("settings.json", b'{"a":' + b"[" * 100_000)),
    "a fax that names a file of the system": lambda: _sealed(
        _HEAD, _SETTINGS, _entry("received/1.json", json.dumps(_FAX).encode())
    ),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_backup_with_hostile_entries_is_refused_and_writes_nothing_outside(
    tmp_path: Path, what: str
) -> None:
    assert _require_untouched(tmp_path, HOSTILE[what]()).cause is BACKUP_DAMAGED
    assert {path.name for path in tmp_path.iterdir()} == {"new"}


def test_a_setting_that_this_box_refuses_leaves_it_as_it_was(tmp_path: Path) -> None:
    octets = _sealed(_HEAD, _entry("settings.json", b'{"version": 2, "settings": {"station": {"name": 7}}}'))
    box = open_box(tmp_path / "new")
    with pytest.raises(SettingError):
        contents.restore(box, io.BytesIO(octets), PHRASE)
    assert box.settings.section(StationSettings).name == ""
    assert not box.settings.items(User)
    box.close()


def test_a_backup_of_a_newer_version_is_refused_as_that(tmp_path: Path) -> None:
    octets = _sealed(_entry("backup.json", b'{"version": 2, "made_at": 1}'), _SETTINGS)
    assert _require_untouched(tmp_path, octets).cause is BACKUP_TOO_NEW


@pytest.mark.parametrize(
    ("made_by", "settings", "newer"),
    [
        ("99.0.0", {"version": 2, "settings": {"storage": {"of_next_year": 1}}}, True),
        (__version__, {"version": 99, "settings": {}}, True),
        (__version__, {"version": 2, "settings": {"storage": {"of_next_year": 1}}}, False),
    ],
)
def test_a_setting_of_a_newer_version_is_a_reason_to_update(
    tmp_path: Path, made_by: str, settings: dict[str, object], newer: bool
) -> None:
    manifest = {"version": 1, "made_at": 1, "faxbox": made_by}
    octets = _sealed(
        _entry("backup.json", json.dumps(manifest).encode()),
        _entry("settings.json", json.dumps(settings | {"lists": {}}).encode()),
    )
    box = open_box(tmp_path / "new")
    try:
        with pytest.raises(BackupError if newer else SettingError) as refused:
            contents.restore(box, io.BytesIO(octets), PHRASE)
    finally:
        box.close()
    if isinstance(refused.value, BackupError):
        assert refused.value.cause is BACKUP_TOO_NEW


def test_a_short_passphrase_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    box = open_box(tmp_path / "old")
    with pytest.raises(SettingError):
        contents.make(box, "short", received=False)
    box.close()
