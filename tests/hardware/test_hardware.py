"""The hardware tests on a simulated rig: they pass, and fail with each part broken in turn."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from appliance.configuration import open_settings
from appliance.hardware import power_cut, signing
from appliance.hardware.folder import JSON_FILE, PDF_FILE, PDF_SIGNATURE_FILE
from appliance.hardware.rig import BrokenError
from appliance.lines.modem.settings import ClassOneModem
from appliance.lines.settings import LineSettings
from appliance.lines.sip.settings import SipTrunk, Transport
from appliance.panel.settings import PanelSettings
from appliance.settings import secrets
from tests.api.served import Served, serving
from tests.hardware import panel_rig
from tests.hardware.forked import HANG_S, command, forked, on_a_folder
from tests.hardware.panel_rig import BUTTONS, LAMPS
from tests.ports import free_port
from tests.printing.cupsd import Cups, running_cupsd
from tests.softmodem.served import ServedExchange
from tests.softmodem.served import served as served_exchange

# RFC 8410 clause 4: what stands before the 32 octets of a public key in DER.
ED25519_KEY_HEAD = bytes.fromhex("302a300506032b6570032100")

PROJECT = Path(__file__).parents[2]


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    """A box's folder, in which no box runs."""
    folder = tmp_path / "data"
    secrets.first_start(open_settings(folder))
    return folder


@pytest.fixture(scope="module", name="served")
def _served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("box")) as served:
        yield served


Words = tuple[object, ...]


def tried(data: Path, out: Path, *words: object, before: Words = (), **more: Any) -> dict[str, Any]:
    """The report of a run of the command, which must end as the report says.

    ``before``: words of another program that runs it; ``more`` as ``forked`` takes it.
    """
    said = out.with_suffix(".said")
    words = ("--data", data, "--out", out, *words)
    if before:
        line = [*before, sys.executable, "-m", "appliance.cli", "hardware-test", *words]
        given = [str(word) for word in line]
        with said.open("wb") as file:
            code = subprocess.call(given, cwd=PROJECT, stdout=file, stderr=file, timeout=HANG_S)
    else:
        code = forked(command, *words, output=said, **more)
    report: dict[str, Any] = json.loads((out / JSON_FILE).read_text()) if out.is_dir() else {}
    assert report, said.read_text()
    assert code == (report["verdict"] == "red"), said.read_text()
    return report


def failures(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(each["part"], each["test"]) for each in report["results"] if each["outcome"] == "failed"]


def only(report: Mapping[str, Any], outcome: str) -> dict[str, Any]:
    found = [each for each in report["results"] if each["outcome"] == outcome]
    assert len(found) == 1, report["results"]
    return dict(found[0])


def reported(out: Path, work: Callable[..., int], *given: Any, **more: Any) -> dict[str, Any]:
    """The report that ``work(*given)`` writes into the folder ``out``."""
    said = out.with_suffix(".said")
    code = forked(work, *given, output=said, **more)
    report: dict[str, Any] = json.loads((out / JSON_FILE).read_text())
    assert code == (report["verdict"] == "red"), said.read_text()
    return report


# -- the report ------------------------------------------------------------------------------------


def test_a_run_says_what_was_skipped_and_why_and_signs_it(folder: Path, tmp_path: Path) -> None:
    words = ("--part", "storage", "--part", "printer", "--part", "modem", "--part", "lines")
    report = tried(folder, tmp_path / "out", *words)
    assert report["verdict"] == "green"
    skipped = {each["reason"] for each in report["results"] if each["outcome"] == "skipped"}
    assert skipped == {
        "no printer is named (--printer)",
        "no modem is set up",
        "no line is set up",
        "no SIP trunk is set up",
        "no two lines' numbers are told (--number)",
    }
    assert signing.is_signed(report, signing.public_text(signing.box_key(folder)))
    pdf = (tmp_path / "out" / PDF_FILE).read_bytes()
    signature = (tmp_path / "out" / PDF_SIGNATURE_FILE).read_text().strip()
    assert openssl_finds_it_signed(tmp_path, pdf, signature, report["key"])
    assert not openssl_finds_it_signed(tmp_path, pdf + b"\n", signature, report["key"])
    text = subprocess.run(["pdftotext", "-", "-"], input=pdf, capture_output=True, check=True).stdout.decode()
    assert "Everything that was tried works" in text
    assert "no printer is named" in text


def test_the_report_for_people_speaks_the_machines_language_and_the_one_for_programs_stays(
    folder: Path, tmp_path: Path
) -> None:
    german = {"LANG": "de_DE.UTF-8"}
    report = tried(folder, tmp_path / "out", "--part", "storage", "--part", "printer", environment=german)
    assert "no printer is named (--printer)" in {each["reason"] for each in report["results"]}
    pdf = (tmp_path / "out" / PDF_FILE).read_bytes()
    text = subprocess.run(["pdftotext", "-", "-"], input=pdf, capture_output=True, check=True).stdout.decode()
    assert "Alles, was geprüft wurde, funktioniert." in text
    assert "kein Drucker ist genannt (--printer)" in text


def openssl_finds_it_signed(folder: Path, octets: bytes, signature: str, key: str) -> bool:
    (folder / "key.der").write_bytes(ED25519_KEY_HEAD + base64.b64decode(key))
    (folder / "signed").write_bytes(octets)
    (folder / "signature").write_bytes(base64.b64decode(signature))
    words = ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "key.der", "-rawin"]
    files = ["-in", "signed", "-sigfile", "signature"]
    return subprocess.run([*words, *files], cwd=folder, check=False, capture_output=True).returncode == 0


def test_a_report_that_was_changed_is_found(folder: Path) -> None:
    key = signing.box_key(folder)
    report = signing.signed({"verdict": "red", "results": []}, key)
    assert signing.is_signed(json.loads(json.dumps(report)))
    assert not signing.is_signed({**report, "verdict": "green"})
    assert not signing.is_signed(report, expected_key="another")
    assert not signing.is_signed({**report, "signature": "???"})


def test_the_key_is_the_boxs_own_and_stays(folder: Path) -> None:
    first = signing.public_text(signing.box_key(folder))
    assert signing.public_text(signing.box_key(folder)) == first
    assert (folder / signing.KEY_FILE).stat().st_mode & 0o077 == 0
    (folder / signing.KEY_FILE).write_text("torn")
    with pytest.raises(signing.KeyDamagedError):
        signing.box_key(folder)


def test_a_suite_that_cannot_be_run_is_red(folder: Path, tmp_path: Path) -> None:
    rig = "from appliance.hardware import suite, report; from appliance.hardware.rig import Rig\n"
    look = (
        f"{rig}from pathlib import Path; from appliance.configuration import open_settings\n"
        f"data = Path({str(folder)!r})\n"
        "print(report.verdict(suite.run(Rig(data, open_settings(data)), ['no_such_part'])))"
    )
    done = subprocess.run(
        [sys.executable, "-c", look], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split()[-1] == "red"


# -- each part, well and broken --------------------------------------------------------------------


def panel(folder: Path, out: Path, how: str, broken: int | None = None) -> dict[str, Any]:
    return reported(out, panel_rig.run, folder, out, how, broken)


@pytest.mark.parametrize("how", ["wires", "person"])
def test_the_test_of_a_working_panel_passes_for_each_lamp_and_button(
    folder: Path, tmp_path: Path, how: str
) -> None:
    report = panel(folder, tmp_path / "out", how)
    assert [each["outcome"] for each in report["results"]] == ["passed"] * (len(LAMPS) + len(BUTTONS))


@pytest.mark.parametrize("how", ["wires", "person"])
def test_a_lamp_that_stays_dark_is_named(folder: Path, tmp_path: Path, how: str) -> None:
    broken = only(panel(folder, tmp_path / "out", how, LAMPS["fault"]), "failed")
    assert broken["test"] == "lamp[fault]"
    assert "fault" in broken["reason"]
    assert broken["advice"]


def test_a_button_that_is_not_felt_is_named(folder: Path, tmp_path: Path) -> None:
    settings = open_settings(folder).section(PanelSettings)
    broken = only(panel(folder, tmp_path / "out", "wires", settings.retry_button), "failed")
    assert broken["test"] == "button[retry]"


def test_pins_given_twice_are_told(folder: Path, tmp_path: Path) -> None:
    open_settings(folder).change(PanelSettings, {"fault_led": 17})
    report = panel(folder, tmp_path / "out", "person")
    assert {each["outcome"] for each in report["results"]} == {"failed"}


def test_the_test_of_the_box_fails_when_none_runs(folder: Path, tmp_path: Path) -> None:
    assert failures(tried(folder, tmp_path / "out", "--part", "box")) == [("box", "runs")]


@pytest.mark.realtime
def test_the_tests_of_box_and_load_pass_on_a_running_box(served: Served, tmp_path: Path) -> None:
    words = ("--part", "box", "--part", "load", "--minutes", "0.02")
    report = tried(served.box.data, tmp_path / "out", *words)
    assert [each["outcome"] for each in report["results"]] == ["passed", "passed"]
    assert "delivered" in report["results"][1]["measured"]


@pytest.mark.realtime
def test_a_load_that_is_not_delivered_is_red(served: Served, tmp_path: Path) -> None:
    words = ("--part", "load", "--minutes", "0.02", "--load-to", "9991")
    broken = only(tried(served.box.data, tmp_path / "out", *words), "failed")
    assert "not delivered" in broken["reason"]
    assert broken["advice"]


def test_a_disk_that_is_slow_is_red(folder: Path, tmp_path: Path) -> None:
    """strace holds each fsync up, as a worn card does."""
    slow = (
        "strace",
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        "trace=fsync",
        "-e",
        "inject=fsync:delay_exit=110000",
    )
    report = tried(folder, tmp_path / "out", "--part", "storage", before=slow)
    assert ("storage", "durable_writes") in failures(report)


def test_a_folder_that_cannot_be_written_to_is_red(folder: Path, tmp_path: Path) -> None:
    signing.box_key(folder)
    (folder / "hardware-test-scratch").write_text("in the way")
    report = tried(folder, tmp_path / "out", "--part", "storage")
    assert {part for part, _ in failures(report)} == {"storage"}


@pytest.fixture(scope="module", name="exchange")
def _exchange() -> Iterator[ServedExchange]:
    with served_exchange() as exchange:
        yield exchange


@pytest.mark.realtime
def test_the_test_of_a_working_modem_passes(exchange: ServedExchange, folder: Path, tmp_path: Path) -> None:
    port = tmp_path / "faxmodem0"
    exchange.plug_in(port, "1")
    open_settings(folder).add(ClassOneModem(name="desk", device=str(port)))
    report = tried(folder, tmp_path / "out", "--part", "modem")
    assert only(report, "passed")["measured"]


@pytest.mark.realtime
@pytest.mark.parametrize("what", ["dead line", "unplugged"])
def test_a_modem_that_is_broken_is_named(
    exchange: ServedExchange, folder: Path, tmp_path: Path, what: str
) -> None:
    port = tmp_path / "faxmodem0"
    if what == "dead line":
        exchange.plug_in(port, "dead")
        exchange.exchange.dead.add("dead")
    open_settings(folder).add(ClassOneModem(name="desk", device=str(port)))
    broken = only(tried(folder, tmp_path / "out", "--part", "modem"), "failed")
    assert broken["test"] == "modem[desk]"
    assert broken["advice"]


@pytest.mark.realtime
def test_two_lines_send_to_each_other_and_one_that_is_cut_is_named(
    exchange: ServedExchange, served: Served, tmp_path: Path
) -> None:
    store = served.box.settings
    ids = []
    for name in ("one", "two"):
        exchange.plug_in(tmp_path / name, f"71{len(ids)}")
        ids.append(store.add(ClassOneModem(name=name, device=str(tmp_path / name))))
    try:
        served.wait(lambda: sum(line["usable"] for line in served.ask("GET", "/lines").json["lines"]) == 3)
        words = ("--part", "lines", "--number", "one=710", "--number", "two=711")
        report = tried(served.box.data, tmp_path / "out", *words)
        assert report["verdict"] == "green", report["results"]
        exchange.exchange.dead.add("711")  # can be called, and hears no dial tone
        report = tried(served.box.data, tmp_path / "cut", *words)
        assert failures(report) == [("lines", "page_between[two to one]")]
    finally:
        for line_id in ids:
            store.remove(LineSettings, line_id)


@pytest.mark.realtime
def test_a_trunk_whose_server_is_away_is_named(served: Served, tmp_path: Path) -> None:
    store = served.box.settings
    line_id = store.add(
        SipTrunk(name="trunk", server=f"127.0.0.1:{free_port()}", transport=Transport.TCP, username="box")
    )
    try:
        broken = only(tried(served.box.data, tmp_path / "out", "--part", "lines"), "failed")
        assert broken["test"] == "ready[trunk]"
        assert broken["advice"]
    finally:
        store.remove(LineSettings, line_id)


@pytest.fixture(scope="module", name="cups")
def _cups() -> Iterator[Cups]:
    with running_cupsd() as cups:
        yield cups


def queue(cups: Cups, name: str, backend: str) -> None:
    """A raw queue with a backend of its own: a shell script."""
    path = cups.backends / name
    path.write_text(f"#!/bin/sh\n[ $# -gt 0 ] || exit 0\n{backend}\n")
    path.chmod(0o755)
    cups.run("lpadmin", "-p", name, "-E", "-v", f"{name}:/x", "-o", "printer-error-policy=stop-printer")


@pytest.mark.realtime
def test_the_printer_test_passes_for_a_working_printer_and_names_those_that_fail(
    cups: Cups, folder: Path, tmp_path: Path
) -> None:
    queue(cups, "good", "cat >/dev/null")
    queue(cups, "jammed", "echo 'ERROR: paper jam' >&2; exit 4")
    queue(cups, "shut", "cat >/dev/null")
    cups.run("cupsreject", "shut")
    report = tried(
        folder,
        tmp_path / "out",
        *("--part", "printer", "--printer", "good", "--printer", "jammed", "--printer", "nowhere"),
        *("--printer", "shut"),
        environment={"CUPS_SERVER": cups.server},
    )
    assert only(report, "passed")["test"] == "page[good]"
    assert failures(report) == [("printer", f"page[{name}]") for name in ("jammed", "nowhere", "shut")]
    assert "takes no page" in next(each["reason"] for each in report["results"] if "shut" in each["test"])
    away = {"CUPS_SERVER": f"127.0.0.1:{free_port()}"}
    report = tried(folder, tmp_path / "away", "--part", "printer", "--printer", "good", environment=away)
    assert "CUPS does not answer" in only(report, "failed")["reason"]


def cut(folder: Path) -> int:
    """A drill whose power goes: the process is killed.  The last number that was shown."""
    command = [sys.executable, "-m", "appliance.cli", "hardware-test", "--data", str(folder)]
    process = subprocess.Popen(
        [*command, "--part", "power_cut", "--power-cut", "--person"],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    seen = -1
    for line in process.stdout:
        if found := re.match(r"safe: (\d+)", line):
            seen = int(found[1])
            if seen >= 20:
                break
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return seen


Damage = Callable[[list[Path]], object]


def test_after_a_power_cut_everything_that_was_confirmed_is_there(folder: Path, tmp_path: Path) -> None:
    seen = cut(folder)
    words = ("--part", "power_cut", "--person")
    assert tried(folder, tmp_path / "out", *words, answers=f"{seen}\n")["verdict"] == "green"
    assert not power_cut.waits_for_check(folder)


@pytest.mark.parametrize(
    "damage",
    [
        lambda records: records[3].unlink(),
        lambda records: records[-1].write_bytes(b""),
        lambda records: [record.unlink() for record in records[10:]],
    ],
    ids=["a hole", "torn", "the end"],
)
def test_a_disk_that_loses_what_it_confirmed_is_found(folder: Path, damage: Damage) -> None:
    writing = power_cut.write(folder)
    seen = max(next(writing) for _ in range(15))
    writing.close()
    assert power_cut.check(folder, seen) == 15
    damage(sorted((folder / power_cut.FOLDER).iterdir()))
    with pytest.raises(BrokenError):
        power_cut.check(folder, seen)


HEAT = "sys/class/thermal/thermal_zone0/temp"
THROTTLED = "sys/devices/platform/soc/soc:firmware/get_throttled"


@pytest.mark.parametrize(
    ("heat", "throttled", "outcome"),
    [("55000", "0x0", "passed"), ("86000", "0x0", "failed"), ("55000", "0x1", "failed")],
    ids=["well", "hot", "weak supply"],
)
def test_the_temperature_test_judges_heat_and_throttling(
    folder: Path, tmp_path: Path, heat: str, throttled: str, outcome: str
) -> None:
    machine = tmp_path / "machine"
    for name, content in ((HEAT, heat), (THROTTLED, throttled)):
        (machine / name).parent.mkdir(parents=True, exist_ok=True)
        (machine / name).write_text(content)
    out, rig = tmp_path / "out", {"machine": machine, "heat_s": 0.3}
    assert only(reported(out, on_a_folder, out, "temperature", folder, rig), outcome)


# Answers as systemctl does, from a file of properties; a box that is stopped dead is back at the third look.
_SYSTEMCTL = """#!/bin/sh
here=$(dirname "$0")
case $1 in
    kill) [ -e "$here/stays" ] || touch "$here/killed" ;;
    show)
        [ ! -e "$here/killed" ] || sed -i 's/NRestarts=0/NRestarts=1/' "$here/properties"
        cat "$here/properties" ;;
esac
"""
WATCHED = "LoadState=loaded\nActiveState=active\nWatchdogUSec=2min\nRestart=on-failure\nNRestarts=0\n"


@pytest.mark.parametrize(
    ("properties", "stays", "failed"),
    [
        (WATCHED, False, []),
        (WATCHED, True, ["brings_back"]),
        (WATCHED.replace("2min", "0"), False, ["is_on"]),
        (WATCHED.replace("on-failure", "no"), False, ["is_on"]),
        (WATCHED.replace("=active", "=failed"), False, ["is_on"]),
    ],
    ids=["well", "stays dead", "no watchdog", "no restart", "not running"],
)
def test_a_box_that_nobody_watches_is_found(
    folder: Path, tmp_path: Path, properties: str, stays: bool, failed: list[str]
) -> None:
    machine, tools = tmp_path / "machine", tmp_path / "tools"
    (machine / "run/systemd/system").mkdir(parents=True)
    tools.mkdir()
    (tools / "properties").write_text(properties)
    (tools / "systemctl").write_text(_SYSTEMCTL)
    (tools / "systemctl").chmod(0o755)
    if stays:
        (tools / "stays").touch()
    out, rig = tmp_path / "out", {"machine": machine, "watchdog": True, "watchdog_s": 0.5}
    path = {"PATH": f"{tools}:{os.environ['PATH']}"}
    report = reported(out, on_a_folder, out, "watchdog", folder, rig, environment=path)
    assert [test for _, test in failures(report)] == failed
