"""The image's own scripts, as far as they run on any machine; ``test_booted`` boots the image."""

from __future__ import annotations

import contextlib
import importlib.machinery
import importlib.util
import json
import os
import re
import shutil
import subprocess
from argparse import Namespace
from pathlib import Path
from types import ModuleType

import pytest

from appliance.causes import cause_of
from appliance.commands.update import DONE, REFUSED, USAGE, update
from appliance.image_update import REFUSALS

IMAGE = Path(__file__).parents[2] / "image-build/image"
ROOT = IMAGE / "root"
SECTOR = 512


def piece(path: Path) -> ModuleType:
    """A program of the image as a module, whatever its name ends in."""
    name = path.stem.replace("-", "_")
    loader = importlib.machinery.SourceFileLoader(name, str(path))
    spec = importlib.util.spec_from_loader(name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def shell_scripts() -> list[Path]:
    files = [path for path in IMAGE.rglob("*") if path.is_file()]
    return [path for path in files if path.read_bytes().startswith(b"#!/bin/sh") or path.suffix == ".sh"]


@pytest.mark.parametrize("script", shell_scripts(), ids=lambda path: str(path.relative_to(IMAGE)))
def test_every_script_is_sound_shell_and_may_be_run(script: Path) -> None:
    subprocess.run(["sh", "-n", str(script)], check=True)
    assert script.name in ("common.sh", "layout.sh") or script.stat().st_mode & 0o100


@pytest.mark.skipif(os.geteuid() != 0, reason="the image is made as root")
def test_on_a_machine_that_never_made_an_image_there_is_a_folder_for_the_steps(tmp_path: Path) -> None:
    script = f'. "{IMAGE}/common.sh"; echo text >"$cache/base.log"'
    environment = {**os.environ, "FAXBOX_CACHE": str(tmp_path / "none")}
    subprocess.run(["sh", "-euc", script, IMAGE / "base.sh"], env=environment, check=True)


@pytest.mark.parametrize(
    "unit", sorted((ROOT / "usr/lib/systemd/system").iterdir()), ids=lambda path: path.name
)
def test_every_program_that_a_unit_names_is_there(unit: Path) -> None:
    for line in unit.read_text().splitlines():
        if line.startswith("ExecStart=/usr/lib/faxbox-image/"):
            assert (ROOT / line.removeprefix("ExecStart=/")).exists(), line


def test_no_program_of_the_initial_ram_disk_has_the_name_of_one_that_busybox_brings_along() -> None:
    hook = (ROOT / "etc/initramfs-tools/hooks/faxbox").read_text()
    script = (ROOT / "etc/initramfs-tools/scripts/local-bottom/faxbox").read_text()
    applets = {"mke2fs", "mkfs.ext2", "fsck", "fdisk", "blkid", "losetup", "partprobe", "swapon"}
    copied = {Path(line.split()[-1]).name for line in hook.splitlines() if line.startswith("copy_exec")}
    assert copied == {"make-ext4"}
    listed = re.search(r"for program in (.*);", hook)
    assert listed is not None
    assert not {Path(each).name for each in listed[1].split()} & applets
    assert not re.search(r"(?<![\w-])mke2fs ", script)


def test_the_image_has_the_program_by_which_rauc_reads_the_manifest_of_its_bundles() -> None:
    plain = "bundle-formats=plain" in (ROOT / "etc/rauc/system.conf").read_text()
    packages = (IMAGE / "packages.txt").read_text().split()
    assert not plain or "squashfs-tools" in packages


def test_the_starter_and_the_system_agree_where_the_slots_state_lies() -> None:
    command = (IMAGE / "boot/boot.cmd").read_text()
    disk = (IMAGE / "disk.sh").read_text()
    device, offset, size, sector_size, _ = (ROOT / "etc/fw_env.config").read_text().splitlines()[-1].split()
    found = re.search(r"setenv sector (\S+)", command)
    octets = re.search(r"setenv size (\S+)", command)
    made = re.search(r"STATE_AT=(\d+) STATE_OCTETS=(\d+)", disk)
    first = re.search(r"STATE_MIB=(\d+)", disk)
    assert found is not None
    assert octets is not None
    assert made is not None
    assert first is not None
    assert int(found[1], 16) * SECTOR == int(offset, 16) == int(made[1]) * SECTOR
    assert int(octets[1], 16) == int(size, 16) == int(sector_size, 16) == int(made[2]) == SECTOR
    assert int(offset, 16) + SECTOR <= int(first[1]) << 20  # before the first partition
    assert device.startswith("/run/faxbox-image/")


@pytest.fixture(name="starter")
def _starter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A virtual machine with both slots proven, A first; ``tmp_path`` is its first partition."""
    module = piece(ROOT / "usr/lib/faxbox-image/starter")
    line = tmp_path / "cmdline"
    line.write_text("ro rauc.slot=A faxbox.starter=grub console=tty0\n")
    monkeypatch.setattr(module, "COMMAND_LINE", line)
    monkeypatch.setattr(module, "first_partition", lambda *_options: contextlib.nullcontext(tmp_path))
    (tmp_path / "grub").mkdir()
    (tmp_path / module.BLOCK).write_bytes(b"#" * SECTOR)
    module.write({"ORDER": "A B", "A_LEFT": "x" * 20, "B_LEFT": "x" * 20})
    return module


def test_a_new_slot_goes_first_and_has_three_starts_until_it_is_proven(starter: ModuleType) -> None:
    starter.run("set-state", "B", "bad")  # as RAUC does before it writes into a slot
    assert (starter.run("get-primary"), starter.run("get-state", "B")) == ("A", "bad")
    starter.run("set-primary", "B")
    assert (starter.run("get-primary"), starter.left("B"), starter.left("A")) == ("B", 3, 20)
    starter.run("set-state", "B", "good")
    assert (starter.run("get-primary"), starter.left("B")) == ("B", 20)


def test_the_starters_state_is_one_whole_sector_written_in_place(starter: ModuleType, tmp_path: Path) -> None:
    file = tmp_path / starter.BLOCK
    before = file.stat().st_ino
    starter.run("set-primary", "B")
    block = file.read_bytes()
    assert (file.stat().st_ino, len(block)) == (before, SECTOR)
    assert block.startswith(b"# GRUB Environment Block\nORDER=B A\nA_LEFT=xxxx")
    assert block.endswith(b"B_LEFT=xxx\n" + b"#" * (SECTOR - block.index(b"B_LEFT") - 11))


@pytest.mark.parametrize(
    "damage",
    [b"\0" * SECTOR, b"\xff" * SECTOR, b"# GRUB Environment Block\nORDER=C" + b"=" * 400],
    ids=["zeros", "ones", "nonsense"],
)
def test_a_damaged_state_is_written_anew_by_the_next_mark(
    starter: ModuleType, tmp_path: Path, damage: bytes
) -> None:
    (tmp_path / starter.BLOCK).write_bytes(damage)
    assert starter.run("get-primary") == ""
    starter.run("set-state", "A", "good")
    assert (starter.run("get-primary"), starter.left("A")) == ("A", 20)


def test_rauc_and_the_starter_give_a_slot_equally_many_starts(starter: ModuleType) -> None:
    config = (ROOT / "etc/rauc/system.conf").read_text()
    assert "custom-backend" not in config  # RAUC refuses that word beside U-Boot
    assert f"boot-attempts={starter.PROVEN_STARTS}\n" in config
    assert f"boot-attempts-primary={starter.TRIAL_STARTS}\n" in config


def test_the_firewall_lets_in_what_the_settings_say_and_nothing_else() -> None:
    firewall = piece(ROOT / "usr/lib/faxbox-image/firewall")
    fresh = firewall.rules({}, shell=False)
    assert "policy drop" in fresh
    assert "tcp dport { 80, 443, 631 } accept" in fresh
    assert "udp dport { 4000-4999, 5060 } accept" in fresh
    sip = {"udp_port": None, "tcp_port": 5070, "tls_port": 5061, "media_first": 6000, "media_last": 6099}
    changed = firewall.rules({"sip": sip}, shell=True)
    assert "tcp dport { 80, 443, 631, 5070, 5061, 22 } accept" in changed
    assert "udp dport { 6000-6099 } accept" in changed


@pytest.fixture(name="preset")
def _preset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = piece(ROOT / "usr/lib/faxbox-image/preset")
    keep = tmp_path / "keep"
    (keep / "var/lib/iwd").mkdir(parents=True)
    monkeypatch.setattr(module, "KEEP", keep)
    (tmp_path / "boot").mkdir()
    return module


def test_a_wireless_network_is_taken_over_and_its_password_leaves_the_card(
    preset: ModuleType, tmp_path: Path
) -> None:
    given = tmp_path / "boot/wifi.txt"
    given.write_text("Praxis Weiß\nvery secret words\n", encoding="utf-8")
    assert preset.take(tmp_path / "boot") == ["wifi.txt was taken over"]
    (profile,) = (tmp_path / "keep/var/lib/iwd").iterdir()
    assert bytes.fromhex(profile.name[1:].removesuffix(".psk")).decode() == "Praxis Weiß"
    assert "Passphrase=very secret words" in profile.read_text()
    assert profile.stat().st_mode & 0o077 == 0
    assert not given.exists()


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("wifi.txt", "only a name\n", "two lines"),
        ("wifi.txt", f"{'n' * 33}\nlong enough\n", "two lines"),
        ("wifi.txt", "name\nshort\n", "two lines"),
        ("ssh.pub", "ssh-ed25519 nonsense\n", "public key"),
        ("wifi.txt", "x" * ((1 << 20) + 1), "too large"),
    ],
)
def test_what_cannot_be_taken_over_stays_with_its_reason(
    preset: ModuleType, tmp_path: Path, name: str, content: str, word: str
) -> None:
    given = tmp_path / "boot" / name
    given.write_text(content)
    preset.take(tmp_path / "boot")
    assert given.exists()
    assert word in (tmp_path / "boot" / f"{name}.refused.txt").read_text()


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="no ssh-keygen here")
def test_a_public_key_opens_the_shell_for_its_owner(preset: ModuleType, tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "own")], check=True)
    shutil.copy(tmp_path / "own.pub", tmp_path / "boot/ssh.pub")
    preset.take(tmp_path / "boot")
    kept = tmp_path / "keep/ssh/authorized_keys"
    assert kept.read_bytes() == (tmp_path / "own.pub").read_bytes()
    assert kept.stat().st_mode & 0o077 == 0


def test_the_list_of_what_is_in_the_image_names_every_package_with_its_version(tmp_path: Path) -> None:
    (tmp_path / "var/lib/dpkg").mkdir(parents=True)
    (tmp_path / "var/lib/dpkg/status").write_text(
        "Package: faxbox\nStatus: install ok installed\nArchitecture: arm64\nVersion: 1.2+3.gabc\n\n"
        "Package: gone\nStatus: deinstall ok config-files\nArchitecture: arm64\nVersion: 1\n\n"
    )
    info = tmp_path / "usr/lib/faxbox/lib/python3.13/site-packages/pillow-9.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Name: Pillow\nVersion: 9\nLicense-Expression: MIT-CMU\n\n")
    made = piece(IMAGE / "sbom.py").document(tmp_path)
    assert made["spdxVersion"] == "SPDX-2.3"
    assert [(each["name"], each["versionInfo"]) for each in made["packages"]] == [
        ("faxbox", "1.2+3.gabc"),
        ("python-Pillow", "9"),
    ]
    assert made["packages"][1]["licenseDeclared"] == "MIT-CMU"
    assert json.dumps(made)


# -- faxbox update -------------------------------------------------------------------------------


@pytest.fixture(name="bundle")
def _bundle(tmp_path: Path) -> Path:
    file = tmp_path / "new.raucb"
    file.write_bytes(b"a bundle")
    return file


def installer(tmp_path: Path, code: int) -> Path:
    program = tmp_path / "install"
    program.write_text(f'#!/bin/sh\ntest -s "$1" && exit {code}\n')
    program.chmod(0o755)
    return program


def test_a_machine_that_is_no_image_is_sent_to_its_package(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = Namespace(file=bundle, restart=False, older=False)
    assert update(words, install=tmp_path / "nothing", user=0) == USAGE
    assert "apt install" in capsys.readouterr().err


def test_a_refused_update_says_that_the_box_goes_on(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = Namespace(file=bundle, restart=False, older=False)
    assert update(words, install=installer(tmp_path, 1), user=0) == REFUSED
    assert "goes on with the version that it has" in capsys.readouterr().err


def test_only_root_installs_and_only_a_file_that_is_there(bundle: Path, tmp_path: Path) -> None:
    install = installer(tmp_path, 0)
    assert update(Namespace(file=bundle, restart=False, older=False), install=install, user=1000) == USAGE
    assert (
        update(Namespace(file=tmp_path / "no", restart=False, older=False), install=install, user=0) == USAGE
    )
    assert update(Namespace(file=bundle, restart=False, older=False), install=install, user=0) == DONE


@pytest.mark.parametrize(("running", "step"), [("0.3.0", "kept"), ("0.2.0", "went_back")])
def test_after_an_update_the_pages_are_told_once_how_it_went(tmp_path: Path, running: str, step: str) -> None:
    good = piece(ROOT / "usr/lib/faxbox-image/good")
    good.EXPECTED, good.RUNNING, good.STATE = (
        tmp_path / name for name in ("expected", "release", "state.json")
    )
    good.RUNNING.write_text(f'NAME="Debian"\nIMAGE_VERSION="{running}"\n')
    good.tell_of_the_update()
    assert not good.STATE.exists()
    good.EXPECTED.write_text("0.3.0\n")
    good.tell_of_the_update()
    assert json.loads(good.STATE.read_text()) == {"step": step, "version": "0.3.0"}
    assert not good.EXPECTED.exists()


def rauc(folder: Path, said: str, code: int) -> Path:
    """A RAUC that answers this to ``info``; what it is told to install is noted in ``installed``."""
    (folder / "said").write_text(said)
    program = folder / "rauc"
    program.write_text(
        f'#!/bin/sh\ncase $1 in\ninfo) cat "{folder}/said" >&{1 if not code else 2}; exit {code};;\n'
        f'install) echo "$2" >>"{folder}/installed";;\nstatus) echo \'{{"slots": []}}\';;\nesac\n'
    )
    program.chmod(0o755)
    return program


def manifest(compatible: str, version: str) -> str:
    return json.dumps({"compatible": compatible, "version": version})


# What RAUC 1.13 says of bundles that were cut, changed, signed by a stranger …, by their cause.
REFUSED_BUNDLES = {
    "damaged: cut": ("Invalid bundle format: Signature size (18236478) exceeds bundle size", 1),
    "damaged: changed": (
        "CMS_verify:content verify error:\n"
        "signature verification failed: error:1700009E:CMS routines::verification failure",
        1,
    ),
    "not_signed: a stranger's": (
        "signature verification failed: Verify error: self-signed certificate",
        1,
    ),
    "clock_wrong: no clock": (
        "signature verification failed: Verify error: certificate is not yet valid",
        1,
    ),
    "not_written: a worn card": ("LastError: Failed updating slot rootfs.1: write: Input/output error", 1),
    "refused: who knows": ("Failed to run unsquashfs", 1),
    "for_another_machine: a PC's": (manifest("faxbox-amd64", "0.3.0+2.gab"), 0),
    "older: by its number": (manifest("faxbox-arm64", "0.1.9+900.gab"), 0),
    "older: by its commits": (manifest("faxbox-arm64", "0.2.0+99.gab"), 0),
}


@pytest.mark.parametrize(("why", "said"), REFUSED_BUNDLES.items(), ids=REFUSED_BUNDLES)
def test_each_refusal_of_an_update_has_its_own_cause(tmp_path: Path, why: str, said: tuple[str, int]) -> None:
    script = piece(ROOT / "usr/lib/faxbox-image/update")
    script.RAUC, script.RUNNING, script.SYSTEM = rauc(tmp_path, *said), *_running(tmp_path)
    file = tmp_path / "new.raucb"
    file.write_bytes(b"hsqs and so on")
    assert (
        REFUSALS.get(script.refusal(str(file), False), "update_refused") == f"update_{why.partition(':')[0]}"
    )
    if why.startswith("older"):
        assert script.refusal(str(file), True) == 0
    assert script.refusal(str(ROOT / "usr/lib/faxbox-image/good"), False) == script.NO_UPDATE
    assert REFUSALS[script.NO_UPDATE] == "update_not_one"


@pytest.mark.parametrize("version", ["0.2.0+100.gab", "0.2.0+101.gab", "0.10.0", "newer", ""])
def test_an_update_that_is_not_older_is_taken(tmp_path: Path, version: str) -> None:
    script = piece(ROOT / "usr/lib/faxbox-image/update")
    script.RAUC = rauc(tmp_path, manifest("faxbox-arm64", version), 0)
    script.RUNNING, script.SYSTEM = _running(tmp_path)
    file = tmp_path / "new.raucb"
    file.write_bytes(b"hsqs and so on")
    assert script.refusal(str(file), False) == 0


def _running(folder: Path) -> tuple[Path, Path]:
    running, system = folder / "os-release", folder / "system.conf"
    running.write_text('NAME="Debian"\nIMAGE_VERSION=0.2.0+100.gab\n')
    system.write_text("[system]\n# a board\ncompatible=faxbox-arm64\n")
    return running, system


@pytest.mark.parametrize(("code", "cause"), [*REFUSALS.items(), (1, "update_refused")])
def test_the_command_says_why_an_update_is_refused(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], code: int, cause: str
) -> None:
    words = Namespace(file=bundle, restart=False, older=False)
    assert update(words, install=installer(tmp_path, code), user=0) == REFUSED
    assert cause_of(cause).sentence in capsys.readouterr().err


def test_an_older_version_is_asked_for_by_name(bundle: Path, tmp_path: Path) -> None:
    install = tmp_path / "install"
    install.write_text('#!/bin/sh\ntest "$1" = --older || exit 15\n')
    install.chmod(0o755)
    assert update(Namespace(file=bundle, restart=False, older=False), install=install, user=0) == REFUSED
    assert update(Namespace(file=bundle, restart=False, older=True), install=install, user=0) == DONE


def test_the_version_of_an_update_is_that_of_the_slot_that_does_not_run() -> None:
    update = piece(ROOT / "usr/lib/faxbox-image/update")
    running = {
        "state": "booted",
        "slot_status": {"bundle": {"compatible": "faxbox-arm64", "version": "0.2.0"}},
    }
    other = {
        "state": "inactive",
        "slot_status": {"bundle": {"compatible": "faxbox-arm64", "version": "0.3.0"}},
    }
    assert update.installed({"slots": [{"rootfs.1": other}, {"rootfs.0": running}]}) == "0.3.0"
    assert not update.installed({"slots": [{"rootfs.0": running}]})
    never = {"state": "inactive", "slot_status": {"bundle": {"compatible": None}}}
    assert not update.installed({"slots": [{"rootfs.1": never}]})


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (
            "installing\n100% Installing failed.\nLastError: Compatible mismatch: Expected 'faxbox-arm64' but"
            " bundle manifest has 'faxbox-amd64'\nInstalling `/var/lib/faxbox/update/update.raucb` failed\n",
            "Compatible mismatch: Expected 'faxbox-arm64' but bundle manifest has 'faxbox-amd64'",
        ),
        ("rauc: cannot connect to the bus\n\n", "rauc: cannot connect to the bus"),
        ("", ""),
    ],
)
def test_of_a_refused_update_the_reason_is_told_and_not_that_it_failed(said: str, reason: str) -> None:
    assert piece(ROOT / "usr/lib/faxbox-image/update-asked").reason(said) == reason
