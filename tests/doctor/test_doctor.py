"""The doctor finds each broken part and gives advice; a sound machine is reported as such."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from appliance.cli import main
from appliance.configuration import open_box, open_settings
from appliance.doctor import bundle, data, machine, running
from appliance.doctor.findings import Finding, Severity, examine
from appliance.language import catalogue, speak
from appliance.lines.modem.settings import ClassOneModem
from appliance.lines.sip.settings import SipTrunk
from appliance.net.settings import HttpSettings
from appliance.panel.settings import Display, PanelSettings
from appliance.phonebook import Contact
from appliance.spool.schema import versions
from appliance.spool.settings import StorageSettings
from appliance.station import StationSettings

NOW = 1_800_000_000.0


class Machine:
    """A folder that looks like a sound machine, until a test breaks something."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.put("run/systemd/system/x", "")
        self.put("run/systemd/timesync/synchronized", "")
        self.put("proc/meminfo", "MemTotal: 1000000 kB\nMemAvailable: 500000 kB\n")
        self.put("sys/class/thermal/thermal_zone0/temp", "48500\n")
        self.put("sys/devices/platform/soc/soc:firmware/get_throttled", "0x0\n")
        self.put("sys/block/mmcblk0/device/life_time", "0x01 0x02\n")

    def put(self, name: str, content: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


@pytest.fixture(name="machine_folder")
def _machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "machine")


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    open_box(folder).close()
    return folder


def states(found: Iterable[Finding]) -> set[Severity]:
    return {finding.state for finding in found}


def test_a_machine_in_order_has_only_fine_findings(machine_folder: Machine, folder: Path) -> None:
    root = machine_folder.root
    found = [
        *machine.clock(folder, NOW * 2, root),
        *machine.memory(root),
        *machine.temperature(root),
        *machine.power(root),
        *machine.wear(root),
        *data.permissions(folder),
        *data.index(folder),
        *data.settings(open_settings(folder)),
    ]
    assert states(found) == {Severity.FINE}, found


Break = Callable[[Machine], Iterable[Finding]]


def _broken(name: str, content: str, look: Callable[[Path], Iterable[Finding]]) -> Break:
    def breaks(machine_folder: Machine) -> Iterable[Finding]:
        machine_folder.put(name, content)
        return look(machine_folder.root)

    return breaks


_THROTTLED = "sys/devices/platform/soc/soc:firmware/get_throttled"


@pytest.mark.parametrize(
    ("breaks", "state", "word"),
    [
        (
            _broken("sys/class/thermal/thermal_zone1/temp", "84000", machine.temperature),
            Severity.BROKEN,
            "hot",
        ),
        (
            _broken("sys/class/thermal/thermal_zone1/temp", "74000", machine.temperature),
            Severity.WARNING,
            "warm",
        ),
        (_broken(_THROTTLED, "0x50005", machine.power), Severity.BROKEN, "voltage"),
        (_broken(_THROTTLED, "0x50000", machine.power), Severity.WARNING, "voltage"),
        (_broken("sys/block/mmcblk0/device/life_time", "0x0a 0x01", machine.wear), Severity.WARNING, "worn"),
        (_broken("proc/meminfo", "MemAvailable: 40000 kB\n", machine.memory), Severity.WARNING, "memory"),
        (_broken("run/reboot-required", "", machine.updates), Severity.WARNING, "restart"),
    ],
)
def test_each_part_of_the_machine_that_is_broken_is_named_with_advice(
    machine_folder: Machine, breaks: Break, state: Severity, word: str
) -> None:
    (found,) = breaks(machine_folder)
    assert found.state is state
    assert word in found.sentence
    assert found.advice


def test_a_clock_that_is_behind_is_found(machine_folder: Machine, folder: Path) -> None:
    os.utime(folder / "settings.json", (NOW + 3600, NOW + 3600))
    (found,) = machine.clock(folder, NOW - 86400, machine_folder.root)
    assert (found.state, bool(found.advice)) == (Severity.BROKEN, True)


def test_a_clock_from_before_this_program_is_found(machine_folder: Machine, folder: Path) -> None:
    """A board without a battery starts in 1970, and its files have that date."""
    for path in folder.glob("*"):
        os.utime(path, (3600, 3600))
    (found,) = machine.clock(folder, 4000, machine_folder.root)
    assert (found.state, bool(found.advice)) == (Severity.BROKEN, True)


def test_a_disk_that_takes_no_more_files_is_not_told_to_have_no_room(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = list(os.statvfs(folder))
    state[5:8] = [100000, 3, 3]  # files: in all, free, free for us
    monkeypatch.setattr("os.statvfs", lambda _path: os.statvfs_result(state))
    (found,) = machine.disk(folder, StorageSettings(reserve_mb=0, warn_mb=0))
    assert (found.state, found.detail.split()[0]) == (Severity.BROKEN, "3")
    assert "files" in found.sentence


def test_a_display_whose_bus_is_away_is_found(machine_folder: Machine) -> None:
    root = machine_folder.root
    assert not list(machine.display(PanelSettings(), root))
    (found,) = machine.display(PanelSettings(display=Display.SSD1306), root)
    assert (found.state, bool(found.advice)) == (Severity.BROKEN, True)
    machine_folder.put("dev/i2c-1", "")
    assert states(machine.display(PanelSettings(display=Display.SSD1306), root)) == {Severity.FINE}


def test_a_full_and_a_nearly_full_disk_are_found(folder: Path) -> None:
    huge = 1 << 40
    assert states(machine.disk(folder, StorageSettings(reserve_mb=huge))) == {Severity.BROKEN}
    assert states(machine.disk(folder, StorageSettings(warn_mb=huge))) == {Severity.WARNING}
    assert states(machine.disk(folder, StorageSettings(reserve_mb=20, warn_mb=20))) == {Severity.FINE}


def test_pins_given_twice_are_found(machine_folder: Machine) -> None:
    (found,) = machine.gpio(PanelSettings(fault_led=17), machine_folder.root)
    assert found.state is Severity.BROKEN
    assert "17" in found.detail


def test_a_folder_that_others_may_read_is_found(folder: Path) -> None:
    (folder / "settings.json").chmod(0o644)
    (found,) = data.permissions(folder)
    assert (found.state, found.detail) == (Severity.BROKEN, "settings.json")


@pytest.mark.parametrize("damage", ["gone", "empty", "torn"])
def test_an_index_that_cannot_be_used_is_found_with_the_way_back(folder: Path, damage: str) -> None:
    path = folder / "spool.sqlite3"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    if damage == "gone":
        path.unlink()
    elif damage == "empty":
        path.write_bytes(b"")
    else:
        whole = path.read_bytes()
        path.write_bytes(whole[:4096] + b"\xa5" * (len(whole) - 4096))
    (found,) = data.index(folder)
    assert found.state is Severity.BROKEN
    assert "rebuild" in found.advice


def test_a_folder_that_never_had_an_index_has_lost_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    open_settings(tmp_path)  # as after: faxbox config set …
    (found,) = data.index(tmp_path)
    assert (found.state, found.advice) == (Severity.SKIPPED, "")
    assert main(["spool", "check", "--data", str(tmp_path)]) == 0
    assert "faxbox serve makes it" in capsys.readouterr().out
    (known,) = data.index(tmp_path, "the id that the settings have")
    assert known.state is Severity.BROKEN


def test_a_modem_that_is_not_there_and_a_server_without_address_are_found(folder: Path) -> None:
    store = open_settings(folder)
    store.add(ClassOneModem(name="desk", device="/dev/ttyACM99"))
    store.add(SipTrunk(name="trunk", server="nowhere.invalid"))
    assert states(data.ports(store)) == {Severity.BROKEN}
    assert states(data.names(store)) == {Severity.BROKEN}


@pytest.mark.parametrize(
    ("way", "told", "state"),
    [
        (("217.10.68.147", "192.168.1.5"), {}, Severity.WARNING),
        (("217.10.68.147", "192.168.1.5"), {"use_stun": True}, Severity.FINE),
        (("217.10.68.147", "192.168.1.5"), {"public_address": "80.1.2.3"}, Severity.FINE),
        (("217.10.68.147", "80.1.2.3"), {}, Severity.FINE),
        (("192.168.1.1", "192.168.1.5"), {}, Severity.FINE),
    ],
)
def test_a_router_that_the_trunk_is_not_told_of_is_found(
    folder: Path, way: tuple[str, str], told: dict[str, Any], state: Severity
) -> None:
    store = open_settings(folder)
    store.add(SipTrunk(name="trunk", server="sip.example", **told))
    (found,) = data.nat(store, lambda _: way)
    assert (found.state, bool(found.advice)) == (state, state is Severity.WARNING)


@pytest.mark.parametrize(
    ("server", "host"),
    [("a.example:5060", "a.example"), ("[2001:db8::1]:5060", "2001:db8::1"), ("2001:db8::1", "2001:db8::1")],
)
def test_a_server_is_read_with_and_without_port(server: str, host: str) -> None:
    assert data.host_of(server) == host


_SECURITY = "Inst openssl [3.0.1] (3.0.2 Debian-Security:12/oldstable-security [amd64])"
_PLAIN = "Inst vim [9.0] (9.1 Debian:12.9/oldstable [amd64])"


@pytest.mark.parametrize(
    ("apt", "state"),
    [
        (f"echo '{_PLAIN}'; echo '{_SECURITY}'", Severity.WARNING),
        (f"echo '{_PLAIN}'", Severity.FINE),
        ("true", Severity.FINE),
        ("exit 100", Severity.SKIPPED),
    ],
    ids=["security", "others", "none", "apt fails"],
)
def test_security_updates_that_wait_are_found(
    machine_folder: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, apt: str, state: Severity
) -> None:
    command(tmp_path, "apt-get", apt, monkeypatch)
    (found,) = machine.updates(machine_folder.root)
    assert found.state is state
    assert ("openssl" in found.detail, bool(found.advice)) == ((state is Severity.WARNING,) * 2)


def test_apt_is_asked_again_only_when_what_it_reads_has_changed(
    machine_folder: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads all packages there are, for seconds."""
    asked, answer = tmp_path / "asked", tmp_path / "answer"
    command(tmp_path, "apt-get", f"echo x >>{asked}; cat {answer}", monkeypatch)
    answer.write_text(_PLAIN)
    for _ in range(3):
        assert states(machine.updates(machine_folder.root)) == {Severity.FINE}
    assert asked.read_text() == "x\n"
    answer.write_text(_SECURITY)
    machine_folder.put("var/lib/dpkg/status", "Package: openssl")
    assert states(machine.updates(machine_folder.root)) == {Severity.WARNING}
    answer.unlink()
    machine_folder.put("var/lib/apt/lists/x", "")
    assert states(machine.updates(machine_folder.root)) == {Severity.SKIPPED}
    answer.write_text(_PLAIN)  # no answer is none to keep
    assert states(machine.updates(machine_folder.root)) == {Severity.FINE}


@pytest.mark.parametrize(
    ("lpstat", "state"),
    [
        ("echo scheduler is running", Severity.FINE),
        ("echo scheduler is not running; exit 1", Severity.WARNING),
    ],
)
def test_a_cups_that_does_not_answer_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lpstat: str, state: Severity
) -> None:
    command(tmp_path, "lpstat", lpstat, monkeypatch)
    command(tmp_path, "dpkg-query", "printf 2.4.10-3", monkeypatch)
    (found,) = machine.printing()
    assert found.state is state


_PRINTERS = """printer laser disabled since Sun Nov 29 01:00:00 2026 -
\tPaused
printer labels is idle.  enabled since Sun Nov 29 01:00:00 2026
laser accepting requests since Sun Nov 29 01:00:00 2026
labels not accepting requests since Sun Nov 29 01:00:00 2026 -
\tRejecting Jobs
"""


def test_a_printer_that_is_paused_and_one_that_takes_nothing_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = f'[ "$1" = -r ] && echo scheduler is running || echo "{_PRINTERS}"'
    command(tmp_path, "lpstat", words, monkeypatch)
    command(tmp_path, "dpkg-query", "exit 1", monkeypatch)
    answers, paused, refusing = machine.printing()
    assert answers.state is Severity.FINE
    assert (paused.state, paused.detail, bool(paused.advice)) == (Severity.WARNING, "laser", True)
    assert (refusing.state, refusing.detail, bool(refusing.advice)) == (Severity.WARNING, "labels", True)


def test_a_cups_that_crashes_at_numbers_with_blanks_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command(tmp_path, "lpstat", "echo scheduler is running", monkeypatch)
    command(tmp_path, "dpkg-query", "printf 2.4.2-3+deb12u10", monkeypatch)
    answers, crashes = machine.printing()
    assert answers.state is Severity.FINE
    assert (crashes.state, crashes.detail) == (Severity.WARNING, "2.4.2-3+deb12u10")
    assert "without blanks" in crashes.advice


def command(folder: Path, name: str, does: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts a command of this name first in PATH."""
    tools = folder / "tools"
    tools.mkdir(exist_ok=True)
    (tools / name).write_text(f"#!/bin/sh\n{does}\n")
    (tools / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tools), prepend=":")


def test_a_certificate_that_is_none_is_found(tmp_path: Path) -> None:
    bad = tmp_path / "bad.pem"
    bad.write_text("no certificate")
    assert states(data.certificate(HttpSettings(tls_certificate=str(bad)))) == {Severity.BROKEN}
    assert states(data.certificate(HttpSettings())) == {Severity.WARNING}


@pytest.mark.parametrize(
    ("days", "state"),
    [(-1, Severity.BROKEN), (5, Severity.WARNING), (100, Severity.FINE)],
    ids=["ended", "ends", "good"],
)
def test_a_certificate_that_has_ended_is_worse_than_one_that_soon_ends(
    tmp_path: Path, days: int, state: Severity
) -> None:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "box.example")])
    key = Ed25519PrivateKey.generate()
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - timedelta(days=30)).not_valid_after(now + timedelta(days=days))
    path = tmp_path / "box.pem"
    path.write_bytes(made.sign(key, None).public_bytes(Encoding.PEM))
    keys = [tmp_path / "box.key", tmp_path / "other.key"]
    for file, each in zip(keys, (key, Ed25519PrivateKey.generate()), strict=True):
        file.write_bytes(each.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (found,) = data.certificate(HttpSettings(tls_certificate=str(path), tls_key=str(keys[0])))
    assert (found.state, bool(found.advice)) == (state, state is not Severity.FINE)
    (found,) = data.certificate(HttpSettings(tls_certificate=str(path), tls_key=str(keys[1])))
    assert (found.state, "together" in found.sentence) == (Severity.BROKEN, True)


def test_a_setting_that_nobody_knows_is_found(folder: Path) -> None:
    path = folder / "settings.json"
    content = json.loads(path.read_text())
    content["settings"] = {"1": {"section": "station", "values": {"nmae": "Office"}}}
    path.write_text(json.dumps(content))
    (found,) = data.settings(open_settings(folder))
    assert found.state is Severity.WARNING
    assert "nmae" in found.detail
    assert found.advice


def test_a_clock_that_nobody_sets_is_found(machine_folder: Machine, folder: Path) -> None:
    (machine_folder.root / "run/systemd/timesync/synchronized").unlink()
    (found,) = machine.clock(folder, NOW * 2, machine_folder.root)
    assert found.state is Severity.WARNING
    assert found.advice


def test_programs_that_are_not_there_are_named_with_their_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    found = list(machine.helpers())
    assert {each.detail for each in found} == {
        "libreoffice-writer-nogui",
        "ghostscript",
        "libgxps-utils",
        "djvulibre-bin",
        "tesseract-ocr",
    }
    assert states(found) == {Severity.SKIPPED}


def test_whether_barcodes_can_be_read_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert states(list(machine.codes())) == {Severity.FINE}
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    (found,) = machine.codes()
    assert (found.state, found.detail) == (Severity.SKIPPED, "zxing-cpp")


def test_a_machine_without_pins_and_a_folder_without_a_box_are_told_apart(machine_folder: Machine) -> None:
    (panel,) = machine.gpio(PanelSettings(), machine_folder.root)
    (box,) = running.missing("no box is running")
    assert (panel.state, box.state) == (Severity.SKIPPED, Severity.BROKEN)
    assert box.advice


class Answers:
    """A running box, as far as the doctor asks."""

    def __init__(self, **answers: Any) -> None:
        self._answers = answers

    def get(self, path: str) -> Any:
        return self._answers[path.strip("/")]


def test_a_line_that_is_down_and_mail_that_fails_are_found() -> None:
    down = {"name": "trunk", "kind": "t38", "usable": False, "sentence": "No answer.", "last_error": "408"}
    box = Answers(
        lines={"lines": [down]},
        mail={"problem": "wrong password", "sends": True, "collects": True},
        status={"accepting": False},
    )
    for look in (running.lines, running.mail, running.health):
        (found,) = look(box)
        assert found.state is Severity.BROKEN
        assert found.advice


@pytest.mark.parametrize(
    ("sends", "tries", "found"),
    [(True, 1, {Severity.WARNING}), (True, 0, set()), (False, 1, set())],
    ids=["refused", "not tried yet", "not set up"],
)
def test_a_mail_server_that_refuses_is_found(sends: bool, tries: int, found: set[Severity]) -> None:
    waiting = {"tries": [{}] * tries, "last_error": "550 go away"}
    box = Answers(
        mail={"sends": sends},
        **{"deliveries?kind=email&state=pending&limit=100": {"deliveries": [waiting]}},
    )
    told = list(running.outgoing_mail(box))
    assert states(told) == found
    assert all("550" in each.detail and each.advice for each in told)


@pytest.mark.parametrize(("doubted_s", "found"), [(0.0, set()), (3600.0, set()), (4e7, {Severity.WARNING})])
def test_a_date_that_jumped_ahead_is_told(doubted_s: float, found: set[Severity]) -> None:
    assert states(running.clock(Answers(status={"clock_doubted_s": doubted_s}))) == found


class SigningIn(Answers):
    """A box whose line is still signing in at the first check."""

    asked = 0

    def get(self, path: str) -> Any:
        self.asked += 1
        ready = self.asked > 1
        words = "Registered." if ready else "Registering."
        line = {"name": "trunk", "kind": "t38", "usable": ready, "sentence": words, "last_error": ""}
        return {"lines": [line]}


def test_a_line_that_is_still_signing_in_is_not_called_broken() -> None:
    (found,) = running.lines(SigningIn())
    assert found.state is Severity.FINE
    assert "Registered." in found.detail


def test_a_look_that_fails_is_a_finding_and_the_others_go_on() -> None:
    def fails() -> Iterable[Finding]:
        raise RuntimeError("unlike any machine")

    found = list(examine([("one", fails), ("two", lambda: [Finding("two", Severity.FINE, "")])]))
    assert [(each.part, each.state) for each in found] == [("one", Severity.SKIPPED), ("two", Severity.FINE)]


def test_findings_are_in_the_readers_language(folder: Path) -> None:
    speak("de")
    try:
        (found,) = data.index(folder)
    finally:
        speak("en")
    assert found.sentence == catalogue("de").gettext("The index of the faxes is whole.")
    assert found.sentence != "The index of the faxes is whole."


def test_a_phone_book_that_is_gone_is_found(folder: Path) -> None:
    open_settings(folder).add(Contact(last_name="Ada", number="+4930124"))
    (folder / "phonebook.json").unlink()
    found = list(data.settings(open_settings(folder)))
    assert [each.state for each in found] == [Severity.BROKEN, Severity.FINE]


def test_an_index_of_a_newer_version_is_found_with_what_to_do(folder: Path) -> None:
    with sqlite3.connect(folder / "spool.sqlite3") as db:
        db.execute(f"PRAGMA user_version = {versions() + 1}")
    (found,) = data.index(folder)
    assert found.state is Severity.BROKEN
    assert "Install" in found.advice


@pytest.mark.timeout(120)
def test_output_that_is_read_no_further_is_no_error(folder: Path) -> None:
    doctor = [sys.executable, "-m", "appliance.cli", "doctor", "--data", str(folder)]
    with subprocess.Popen(
        doctor, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    ) as said:
        assert said.stdout is not None
        assert said.stderr is not None
        said.stdout.close()
        assert said.stderr.read() == ""


def test_the_command_names_what_is_broken_and_ends_with_one(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "help.zip"
    open_settings(folder).change(StationSettings, {"station_id": "+49 30 1234567"})
    doctor = [sys.executable, "-m", "appliance.cli", "doctor", "--json", "--data", str(folder)]
    said = subprocess.run(
        [*doctor, "--bundle", str(target)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    found = json.loads(said.stdout)
    assert said.returncode == 1  # no box is running
    assert {each["part"] for each in found} >= {"clock", "disk", "index", "box", "panel"}
    assert next(each for each in found if each["part"] == "box")["state"] == "broken"
    with zipfile.ZipFile(target) as zipped:
        text = "".join(zipped.read(name).decode() for name in zipped.namelist())
    assert "1234567" not in text
    assert "session_key" not in text or "********" in text


@pytest.mark.parametrize(
    "secret",
    ["+49 30 1234567", "004930 123-4567", "ada@office.example", "fxb_amXg2N028N2AI3HWvy8Qfh95TV6eq5G"],
)
def test_secrets_and_numbers_are_masked_in_a_support_bundle(secret: str) -> None:
    assert secret not in bundle.masked(f"a call to {secret} failed")
