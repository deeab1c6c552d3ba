"""The package on a fresh Debian 12 that boots: installed, used, killed, stopped, upgraded, purged.

Needs root, mmdebstrap and systemd-nspawn, and takes minutes; skipped, with the reason, without them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).parents[2]
BOOT_LIMIT_S = 600

# Runs inside, as the machine's own service; what it writes is read outside.
_PROBE = r"""
said() { printf '%s\t%s\n' "$1" "$2" >>/root/result; }
for _ in $(seq 240); do systemctl is-active --quiet faxbox.service && break; sleep 0.5; done
api() { curl -s -m 60 -H "Authorization: Bearer $KEY" "$@"; }
up() { for _ in $(seq 120); do curl -s -m 5 http://127.0.0.1/api/v1/health && return; sleep 1; done; }
fax() {
    api http://127.0.0.1/api/v1/faxes -F to=9990 -F file=@/root/letter.txt |
        grep -o '"id": [0-9]*' | head -1 | tr -dc 0-9
}
state() { api http://127.0.0.1/api/v1/faxes/$1 | grep -o '"state": "[a-z_]*"' | head -1; }
ended() {
    for _ in $(seq 180); do case $(state $1) in *delivered*|*failed*) break;; esac; sleep 1; done
    state $1
}
as_faxbox() { setpriv --reuid=faxbox --regid=faxbox --clear-groups "$@"; }
KEY=$(as_faxbox faxbox key add t --scope admin --data /var/lib/faxbox | awk '{print $NF}')
printf 'A letter' >/root/letter.txt
said health "$(up)"
said first "$(ended $(fax))"
kill -9 "$(systemctl show -p MainPID --value faxbox)"; sleep 3
said after_kill "$(up)"
said restarts "$(systemctl show -p NRestarts --value faxbox)"
last=$(fax)
for _ in $(seq 60); do case $(state $last) in *sending*) break;; esac; sleep 0.5; done
systemctl stop faxbox.service
said stopped "$(systemctl show -p Result --value faxbox)"
systemctl start faxbox.service; said again "$(up)"
said not_lost "$(ended $last)"
dpkg -i /root/newer.deb >/root/upgrade.log 2>&1; said upgraded "$?"
said after_upgrade "$(up)"
said kept "$(ended $last)"
apt-get purge -y faxbox >/root/purge.log 2>&1 </dev/null; said purged "$?"
said data_stays "$(ls /var/lib/faxbox | tr '\n' ' ')"
said units_left "$(ls /etc/systemd/system/*/faxbox* 2>/dev/null)"
systemctl poweroff
"""
_UNIT = """[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/bin/bash /root/probe.sh
TimeoutStartSec=550
"""

pytestmark = pytest.mark.full


def run(*words: str, **more: Any) -> None:
    subprocess.run(words, check=True, **more)


@pytest.fixture(name="result", scope="module")
def _result(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    missing = [tool for tool in ("mmdebstrap", "systemd-nspawn", "dpkg-deb") if shutil.which(tool) is None]
    if missing or os.geteuid() != 0:
        pytest.skip(f"needs root and {', '.join(missing) or 'nothing else'}")
    folder = tmp_path_factory.mktemp("booted")
    root = folder / "root"
    run(str(PROJECT / "image-build/setup.sh"), "deb")
    run(str(PROJECT / "image-build/deb/build.sh"), "--out", str(folder))
    (package,) = folder.glob("faxbox_*.deb")
    tools = "systemd,systemd-sysv,dbus,udev,curl,ca-certificates"
    run("mmdebstrap", "--variant=minbase", f"--include={tools}", "bookworm", str(root))
    shutil.copy(package, root / "root/faxbox.deb")
    _make_newer(package, folder, root / "root/newer.deb")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    inside = ("chroot", str(root), "apt-get")
    run(*inside, "update", "-qq")
    run(
        "chroot",
        str(root),
        "apt-get",
        "install",
        "-y",
        "-qq",
        "--no-install-recommends",
        "/root/faxbox.deb",
        env=quiet,
    )
    (root / "root/probe.sh").write_text(_PROBE)
    (root / "etc/systemd/system/probe.service").write_text(_UNIT)
    wants = root / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(exist_ok=True)
    (wants / "probe.service").symlink_to("../probe.service")
    boot = (
        "systemd-nspawn",
        "-q",
        "-D",
        str(root),
        "--register=no",
        "--keep-unit",
        "-b",
        "--private-network",
    )
    run(*boot, timeout=BOOT_LIMIT_S, stdout=subprocess.DEVNULL)
    lines = (root / "root/result").read_text().splitlines()
    return dict(line.split("\t", 1) for line in lines)


def _make_newer(package: Path, folder: Path, made: Path) -> None:
    """The same package as one commit later."""
    run("dpkg-deb", "-R", str(package), str(folder / "newer"))
    control = folder / "newer/DEBIAN/control"
    text = control.read_text()
    version = next(line for line in text.splitlines() if line.startswith("Version: "))
    control.write_text(text.replace(version, f"{version}.1"))
    run("dpkg-deb", "--root-owner-group", "-Zgzip", "-b", str(folder / "newer"), str(made))


def test_the_box_answers_on_port_80_and_delivers_its_first_fax(result: dict[str, str]) -> None:
    assert json.loads(result["health"])["accepting"]
    assert "delivered" in result["first"]


def test_a_killed_box_is_started_again(result: dict[str, str]) -> None:
    assert json.loads(result["after_kill"])["accepting"]
    assert result["restarts"] == "1"


def test_a_stop_with_a_call_up_is_clean_and_the_fax_goes_afterwards(result: dict[str, str]) -> None:
    assert result["stopped"] == "success"
    assert json.loads(result["again"])["accepting"]
    assert "delivered" in result["not_lost"]


def test_an_upgrade_keeps_what_was_sent(result: dict[str, str]) -> None:
    assert result["upgraded"] == "0"
    assert json.loads(result["after_upgrade"])["accepting"]
    assert "delivered" in result["kept"]


def test_a_purge_without_an_answer_keeps_the_data_and_nothing_else(result: dict[str, str]) -> None:
    assert result["purged"] == "0"
    assert "spool.sqlite3" in result["data_stays"]
    assert result["units_left"] == ""
