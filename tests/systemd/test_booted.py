"""The package on a freshly booted Debian 12 and 13: install, use, kill, stop, purge, upgrade.

Needs root, mmdebstrap and systemd-nspawn, and takes minutes; skipped, with the reason, without them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).parents[2]
BOOT_LIMIT_S = 600
RELEASES = {"bookworm": "debian-12", "trixie": "debian-13"}
# Where `make image` keeps the compilers of Debian 13: a package for it is made with them.
_CACHES = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
TOOLBOX = Path(os.environ.get("FAXBOX_CACHE", _CACHES / "faxbox")) / "image"
# What the box may take with its panel when it has nothing to do.
IDLE_MIB = 80

# The last commit before the index of faxes, the lists and the package itself changed most.
PREVIOUS = "75b9c08bc"

# Each runs inside, as the machine's own service; what it writes is read outside.
_COMMON = r"""
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
first=$(fax)
said first "$(ended $first)"
started=$(systemctl show -p UserspaceTimestampMonotonic --value)
said first_after_s $(($(cut -d. -f1 /proc/uptime) - started / 1000000))
"""
_FRESH = r"""
said timer "$(systemctl is-enabled faxbox-backup.timer) $(systemctl is-active faxbox-backup.timer)"
systemctl restart faxbox.service; said restarted "$(up)"
setpriv --reuid=faxbox --regid=faxbox --clear-groups env GPIOZERO_PIN_FACTORY=mock \
    faxbox panel --data /var/lib/faxbox 2>/root/panel.log &
panel=$!
sleep 40
main=$(systemctl show -p MainPID --value faxbox)
said idle_kib "$(for each in $main $(cat /proc/$main/task/*/children) $panel; do
    echo "$(tr '\0' ' ' </proc/$each/cmdline) $(awk '/^Pss:/ {print $2}' /proc/$each/smaps_rollup)"
done | tr '\n' ';')"
kill $panel
kill -9 "$(systemctl show -p MainPID --value faxbox)"; sleep 3
said after_kill "$(up)"
said restarts "$(systemctl show -p NRestarts --value faxbox)"
last=$(fax)
for _ in $(seq 60); do case $(state $last) in *sending*) break;; esac; sleep 0.5; done
systemctl stop faxbox.service
said stopped "$(systemctl show -p Result --value faxbox)"
systemctl start faxbox.service; said again "$(up)"
said not_lost "$(ended $last)"
apt-get purge -y faxbox >/root/purge.log 2>&1 </dev/null; said purged "$?"
said data_stays "$(ls /var/lib/faxbox | tr '\n' ' ')"
said units_left "$(ls /etc/systemd/system/*/faxbox* 2>/dev/null)"
dpkg -i /root/faxbox.deb >/root/again.log 2>&1; said installed_again "$?"
said there_again "$(up)"
said found_again "$(state $first)"
echo 'faxbox faxbox/delete-data boolean true' | debconf-set-selections
apt-get purge -y faxbox >/root/purge2.log 2>&1 </dev/null; said purged_with_data "$?"
said data_left "$(ls -d /var/lib/faxbox 2>/dev/null)"
systemctl poweroff
"""
_UPGRADE = r"""
as_faxbox faxbox config set station.name Before --data /var/lib/faxbox
waiting=$(api http://127.0.0.1/api/v1/faxes -F to=9990 -F send_at=2040-01-01T00:00:00Z \
    -F file=@/root/letter.txt | grep -o '"id": [0-9]*' | head -1 | tr -dc 0-9)
said version_before "$(faxbox version | head -1)"
schema() {
    python3 -c 'import sqlite3, sys
db = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
print(db.execute("PRAGMA user_version").fetchone()[0])' "$1"
}
said schema_before "$(schema /var/lib/faxbox/spool.sqlite3)"
last=$(fax)
for _ in $(seq 60); do case $(state $last) in *sending*) break;; esac; sleep 0.5; done
dpkg -i /root/faxbox.deb >/root/upgrade.log 2>&1; said upgraded "$?"
said after_upgrade "$(up)"
said version_after "$(faxbox version | head -1)"
said kept "$(state $first)"
said under_way "$(ended $last)"
said later "$(state $waiting)"
said name "$(as_faxbox faxbox config get station.name --data /var/lib/faxbox)"
said next "$(ended $(fax))"
said schema_after "$(schema /var/lib/faxbox/spool.sqlite3)"
said schema_of_copy "$(schema /var/lib/faxbox/copies/before-version-*.sqlite3)"
systemctl poweroff
"""
_UNIT = """[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/bin/bash /root/probe.sh
TimeoutStartSec=550
"""

# Two packages are built and two machines set up: half an hour on a busy one.
pytestmark = [pytest.mark.full, pytest.mark.timeout(3600)]


def run(*words: str, **more: Any) -> None:
    subprocess.run(words, check=True, **more)


@pytest.fixture(name="folder", scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With ``bookworm``, a Debian 12 with nothing of ours, and ``faxbox.deb`` for it."""
    missing = [tool for tool in ("mmdebstrap", "systemd-nspawn", "dpkg-deb") if shutil.which(tool) is None]
    if missing or os.geteuid() != 0:
        pytest.skip(f"needs root and {', '.join(missing) or 'nothing else'}")
    folder = tmp_path_factory.mktemp("booted")
    run(str(PROJECT / "image-build/setup.sh"), "deb")
    run(str(PROJECT / "image-build/deb/build.sh"), "--out", str(folder / "new"))
    (package,) = (folder / "new").glob("faxbox_*.deb")
    package.rename(folder / "faxbox.deb")
    _fresh(folder, "bookworm")
    return folder


def _fresh(folder: Path, release: str) -> None:
    """A machine with this Debian, in a folder of its name."""
    tools = "systemd,systemd-sysv,dbus,udev,curl,ca-certificates"
    run("mmdebstrap", "--variant=minbase", f"--include={tools}", release, str(folder / release))
    run("chroot", str(folder / release), "apt-get", "update", "-qq")


def _for_debian_13() -> Path:
    """The package for Debian 13."""
    if not TOOLBOX.is_dir():
        pytest.skip(f"no compilers of Debian 13 in {TOOLBOX}: run make image first")
    architecture = subprocess.run(
        ["dpkg", "--print-architecture"], check=True, stdout=subprocess.PIPE, text=True
    ).stdout.strip()
    made = subprocess.run(
        [PROJECT / "image-build/image/package.sh"],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "FAXBOX_ARCHITECTURE": architecture},
    )
    return Path(made.stdout.splitlines()[-1])


def _booted(folder: Path, name: str, first: Path, then: Path, probe: str) -> dict[str, str]:
    """What ``probe`` said in the machine ``name`` with the package ``first``; ``then`` lies beside it."""
    root = folder / name
    shutil.copy(then, root / "root/faxbox.deb")
    shutil.copy(first, root / "root/first.deb")
    apt = ("apt-get", "install", "-y", "-qq", "--no-install-recommends", "/root/first.deb")
    begun = time.monotonic()
    run("chroot", str(root), *apt, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
    took = time.monotonic() - begun
    (root / "root/probe.sh").write_text(_COMMON + probe)
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
    found = dict(line.split("\t", 1) for line in lines)
    print(f"{name}: installed in {took:.0f} s; {found}")
    return found


@pytest.fixture(name="result", scope="module", params=RELEASES, ids=RELEASES.get)
def _result(folder: Path, request: pytest.FixtureRequest) -> dict[str, str]:
    if request.param == "bookworm":
        run("cp", "-a", str(folder / "bookworm"), str(folder / "debian-12"))
        package = folder / "faxbox.deb"
    else:
        package = _for_debian_13()
        _fresh(folder, request.param)
        (folder / request.param).rename(folder / "debian-13")
    return _booted(folder, RELEASES[request.param], package, package, _FRESH)


@pytest.fixture(name="upgraded", scope="module")
def _upgraded(folder: Path) -> dict[str, str]:
    """A box of an earlier version that works, and becomes this one."""
    sources = folder / "sources"
    run("git", "clone", "-q", "--shared", str(PROJECT), str(sources))
    if subprocess.run(["git", "checkout", "-q", PREVIOUS], cwd=sources, check=False).returncode:
        pytest.skip(f"this clone has no {PREVIOUS}")
    (sources / ".venv").symlink_to(PROJECT / ".venv")
    run(str(sources / "image-build/deb/build.sh"), "--out", str(folder / "old"))
    (package,) = (folder / "old").glob("faxbox_*.deb")
    run("cp", "-a", str(folder / "bookworm"), str(folder / "old-box"))
    return _booted(folder, "old-box", package, folder / "faxbox.deb", _UPGRADE)


def test_the_box_answers_on_port_80_and_delivers_its_first_fax(result: dict[str, str]) -> None:
    assert json.loads(result["health"])["accepting"]
    assert "delivered" in result["first"]


def test_box_and_panel_idle_within_their_memory(result: dict[str, str]) -> None:
    """PSS, which counts what several processes share once; nobody else in this Debian has pages of theirs."""
    taken = [each for each in result["idle_kib"].split(";") if each]
    assert any("panel" in each for each in taken)
    assert sum(int(each.split()[-1]) for each in taken) < IDLE_MIB * 1024, taken


def test_a_killed_box_is_started_again(result: dict[str, str]) -> None:
    assert json.loads(result["after_kill"])["accepting"]
    assert result["restarts"] == "1"


def test_a_stop_with_a_call_up_is_clean_and_the_fax_goes_afterwards(result: dict[str, str]) -> None:
    assert result["stopped"] == "success"
    assert json.loads(result["again"])["accepting"]
    assert "delivered" in result["not_lost"]


def test_the_nightly_backup_waits_for_its_passphrase_alone(result: dict[str, str]) -> None:
    assert result["timer"] == "enabled active"


def test_a_purge_without_an_answer_keeps_the_data_and_nothing_else(result: dict[str, str]) -> None:
    assert result["purged"] == "0"
    assert "spool.sqlite3" in result["data_stays"]
    assert result["units_left"] == ""


def test_a_box_installed_again_finds_what_was_kept(result: dict[str, str]) -> None:
    assert result["installed_again"] == "0"
    assert json.loads(result["there_again"])["accepting"]
    assert "delivered" in result["found_again"]


def test_a_purge_that_was_asked_for_the_data_deletes_it(result: dict[str, str]) -> None:
    assert result["purged_with_data"] == "0"
    assert result["data_left"] == ""


def test_an_upgrade_from_an_earlier_version_keeps_faxes_and_settings(upgraded: dict[str, str]) -> None:
    assert upgraded["upgraded"] == "0"
    assert upgraded["version_before"] != upgraded["version_after"]
    assert json.loads(upgraded["after_upgrade"])["accepting"]
    assert "delivered" in upgraded["kept"]
    assert "delivered" in upgraded["under_way"]
    assert "waiting" in upgraded["later"]
    assert upgraded["name"] == "Before"
    assert "delivered" in upgraded["next"]


def test_an_upgrade_keeps_a_copy_of_the_database_from_before_its_migration(upgraded: dict[str, str]) -> None:
    assert int(upgraded["schema_before"]) < int(upgraded["schema_after"])
    assert upgraded["schema_of_copy"] == upgraded["schema_before"]
