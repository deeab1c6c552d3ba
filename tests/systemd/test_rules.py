"""The udev rules as udev itself reads them: ``udevadm verify``, which Debian has since release 13."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

RULES = Path(__file__).parents[2] / "udev"
# Those that every Debian has (base-passwd).
_DEBIANS_GROUPS = ("dialout",)
UDEVADM = shutil.which("udevadm", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")


def _verifies() -> bool:
    return (
        UDEVADM is not None
        and not subprocess.run([UDEVADM, "verify", "--version"], check=False, capture_output=True).returncode
    )


@pytest.mark.skipif(not _verifies(), reason="no udevadm with the word verify here")
def test_udev_takes_the_rules_without_a_word() -> None:
    """Their groups need not be there: the package makes them."""
    words = [str(UDEVADM), "verify", "--resolve-names=never", *RULES.glob("*.rules")]
    said = subprocess.run(words, check=False, capture_output=True, text=True)
    assert said.returncode == 0, said.stdout + said.stderr


def test_each_group_that_the_rules_name_is_there_where_they_are_installed() -> None:
    """udev leaves a device to root when it does not know the group."""
    named = {
        group for path in RULES.glob("*.rules") for group in re.findall(r'GROUP="(\w+)"', path.read_text())
    }
    made = re.findall(r"^g\s+(\w+)", (RULES.parent / "systemd/faxbox.sysusers").read_text(), re.MULTILINE)
    assert {"gpio", "i2c"} <= named
    assert named <= {*made, *_DEBIANS_GROUPS}


@pytest.fixture(name="trixie", scope="module")
def _trixie(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Debian 13 with udev and the groups that the rules name."""
    if shutil.which("mmdebstrap") is None or os.geteuid() != 0:
        pytest.skip("needs root and mmdebstrap")
    root = tmp_path_factory.mktemp("trixie") / "root"
    subprocess.run(
        ["mmdebstrap", "--quiet", "--variant=minbase", "--include=udev", "trixie", root], check=True
    )
    return root


def verified(root: Path, rules: str) -> subprocess.CompletedProcess[str]:
    shutil.copy(RULES.parent / "systemd/faxbox.sysusers", root / "root/faxbox.conf")
    subprocess.run(["systemd-sysusers", f"--root={root}", str(root / "root/faxbox.conf")], check=True)
    (root / "root/60-faxbox.rules").write_text(rules)
    words = ["chroot", str(root), "udevadm", "verify", "/root/60-faxbox.rules"]
    return subprocess.run(words, check=False, capture_output=True, text=True)


@pytest.mark.full
@pytest.mark.parametrize("name", sorted(path.name for path in RULES.glob("*.rules")))
def test_debian_13s_udev_takes_the_rules_and_not_one_that_is_wrong(trixie: Path, name: str) -> None:
    text = (RULES / name).read_text()
    said = verified(trixie, text)
    assert said.returncode == 0, said.stdout + said.stderr
    assert verified(trixie, text + 'GOTO="nowhere"\n').returncode != 0
