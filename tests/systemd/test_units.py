"""The unit files: systemd's tools accept them, and the sandbox is as tight as promised."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).parents[2] / "systemd"
PACKAGE = Path(__file__).parents[2] / "image-build/deb"
PROMISED_SCORE = 2.0

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")


@pytest.fixture(name="placed", scope="module")
def _placed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the units whose command is there, for systemd-analyze looks whether it is."""
    folder = tmp_path_factory.mktemp("units")
    for unit in UNITS.glob("faxbox*.*"):
        text = unit.read_text().replace("/usr/lib/faxbox/bin/faxbox", "/bin/true")
        (folder / unit.name).write_text(text)
    return folder


@needs_systemd
@pytest.mark.parametrize(
    "unit", sorted(path.name for path in UNITS.glob("*.s*") if path.suffix != ".sysusers")
)
def test_systemd_takes_the_unit_without_a_word(placed: Path, unit: str) -> None:
    said = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(placed / unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    about_us = [line for line in said.stderr.splitlines() if "faxbox" in line]
    assert (said.returncode, about_us) == (0, []), said.stderr


@needs_systemd
@pytest.mark.parametrize(
    "unit", ["faxbox.service", "faxbox-panel.service", "faxbox-backup.service", "faxbox-announce.service"]
)
def test_the_fence_is_as_tight_as_promised(placed: Path, unit: str) -> None:
    said = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(placed / unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    score = re.search(r"Overall exposure level for \S+: ([0-9.]+)", said.stdout)
    assert score is not None, said.stderr
    assert float(score[1]) <= PROMISED_SCORE, said.stdout


def test_calls_of_a_box_that_was_killed_have_their_time_to_end() -> None:
    """``mixed`` kills the exchange as soon as the box has died: no DCN, no note of a last confirmation."""
    assert "\nKillMode=control-group\n" in (UNITS / "faxbox.service").read_text()


@needs_systemd
def test_users_and_folders_are_as_systemd_reads_them(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\nlp:x:7:7::/:/bin/false\n")
    (tmp_path / "etc/group").write_text("root:x:0:\nlp:x:7:\ndialout:x:20:\n")
    subprocess.run(["systemd-sysusers", f"--root={tmp_path}", str(UNITS / "faxbox.sysusers")], check=True)
    assert "faxbox:" in (tmp_path / "etc/passwd").read_text()
    for group in ("dialout", "gpio", "i2c"):
        assert re.search(rf"^{group}:.*faxbox", (tmp_path / "etc/group").read_text(), re.MULTILINE)
    subprocess.run(
        ["systemd-tmpfiles", f"--root={tmp_path}", "--create", str(UNITS / "faxbox.tmpfiles")], check=True
    )
    assert (tmp_path / "var/lib/faxbox").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("fails", [False, True], ids=["CUPS runs", "CUPS does not run"])
@pytest.mark.parametrize(("why", "goes"), [("remove", True), ("upgrade", False)])
def test_a_package_that_is_removed_takes_its_printers_with_it(
    tmp_path: Path, why: str, goes: bool, fails: bool
) -> None:
    """A queue without a box would take documents that nobody faxes."""
    backend, called = tmp_path / "backend", tmp_path / "called"
    backend.touch()
    faxbox = tmp_path / "faxbox"
    faxbox.write_text(f'#!/bin/sh\necho "$*" >>{called}\nexit {int(fails)}\n')
    faxbox.chmod(0o755)
    (tmp_path / "deb-systemd-invoke").symlink_to("/bin/true")  # nothing of this machine is stopped
    script = (PACKAGE / "prerm").read_text()
    assert "backend=/usr/lib/cups/backend/faxbox\n" in script
    script = script.replace("backend=/usr/lib/cups/backend/faxbox", f"backend={backend}")
    env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run(["sh", "-c", script, "prerm", why], check=True, env=env)
    assert called.exists() is goes
    if goes:
        assert called.read_text() == "printing remove\n"
        assert backend.exists() is not fails  # the stand-in of the command leaves it


@pytest.mark.parametrize("script", ["postinst", "prerm", "postrm"])
def test_the_package_starts_stops_and_purges_every_unit_that_starts_by_itself(script: str) -> None:
    wanted = {path.name for path in UNITS.glob("faxbox*.*") if "[Install]" in path.read_text()}
    named = set(re.findall(r"faxbox[a-z-]*\.(?:service|socket|path|timer)", (PACKAGE / script).read_text()))
    assert named == wanted
