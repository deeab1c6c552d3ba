"""The udev rules: their ids are those of the program, and every line is of udev's grammar."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from appliance.lines.modem.find import KNOWN, UNFIT, candidates

RULES = Path(__file__).parents[3] / "udev" / "60-faxbox-modem.rules"
_IDS = re.compile(
    r'ENV\{FAXBOX_VENDOR\}=="([0-9a-f]{4})", ENV\{FAXBOX_PRODUCT\}=="([0-9a-f|]+)", '
    r'ENV\{FAXBOX_MODEM\}="([01])"'
)
_TOKEN = re.compile(r'[A-Z_]+(?:\{[A-Za-z0-9_]+\})?(?:==|!=|\+=|=)"[^"]*"')


def ids(fit: str) -> set[tuple[int, int]]:
    return {
        (int(vendor, 16), int(product, 16))
        for vendor, products, flag in _IDS.findall(RULES.read_text())
        if flag == fit
        for product in products.split("|")
    }


def test_the_rules_know_the_modems_that_the_program_knows() -> None:
    assert ids("1") == set(KNOWN)
    assert ids("0") == set(UNFIT)


def test_every_line_is_a_rule() -> None:
    text = RULES.read_text().replace("\\\n", " ")
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            assert all(_TOKEN.fullmatch(part) for part in re.split(r",\s+", line.strip())), line


def test_modem_manager_is_kept_from_every_known_device() -> None:
    found = re.search(r'ATTR\{idVendor\}=="(.*?)".*?ATTR\{idProduct\}=="(.*?)"', RULES.read_text(), re.DOTALL)
    assert found is not None
    vendors, products = (set(group.split("|")) for group in found.groups())
    assert {f"{vendor:04x}" for vendor, _ in KNOWN} == vendors
    assert {f"{product:04x}" for _, product in KNOWN} == products


def test_modem_manager_is_kept_away_and_dialout_let_in() -> None:
    text = RULES.read_text()
    assert 'ENV{ID_MM_DEVICE_IGNORE}="1"' in text
    assert 'GROUP="dialout"' in text
    assert 'SYMLINK+="faxmodem%n"' in text


@pytest.mark.skipif(shutil.which("udevadm") is None, reason="no udevadm here")
def test_udevadm_takes_the_rules() -> None:
    known = subprocess.run(["udevadm", "verify", "--help"], capture_output=True, check=False)
    if known.returncode != 0:
        pytest.skip("udevadm is too old to verify rules (systemd 254 brought it)")
    done = subprocess.run(["udevadm", "verify", str(RULES)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


class _Port:
    def __init__(self, device: str, vid: int | None, pid: int | None, description: str = "") -> None:
        self.device, self.vid, self.pid, self.description = device, vid, pid, description
        self.name = Path(device).name


def test_ports_are_tried_in_the_order_of_trust(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("ttyACM0", "ttyACM1", "ttyACM2", "ttyUSB0", "ttyS0"):
        (tmp_path / name).touch()
    (tmp_path / "faxmodem1").symlink_to(tmp_path / "ttyACM1")
    ports = [
        _Port(str(tmp_path / "ttyS0"), None, None),
        _Port(str(tmp_path / "ttyACM0"), 0x0572, 0x1300),
        _Port(str(tmp_path / "ttyACM1"), 0x1111, 0x2222),
        _Port(str(tmp_path / "ttyACM2"), 0x3333, 0x4444, "Some modem"),
        _Port(str(tmp_path / "ttyUSB0"), 0x0BAF, 0x0303),
    ]
    monkeypatch.setattr("appliance.lines.modem.find.list_ports.comports", lambda: ports)
    found = candidates(devices=tmp_path)
    assert [(Path(c.path).name, c.fit) for c in found] == [
        ("faxmodem1", True),
        ("ttyUSB0", True),
        ("ttyACM2", True),
        ("ttyACM0", False),
    ]
    assert [c.path for c in candidates("/dev/mine", devices=tmp_path)] == ["/dev/mine"]
