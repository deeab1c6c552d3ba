"""The image in an emulator: starts, faxes, prints, is updated, survives a broken update and pulled plugs.

Needs root and a base root file system that ``make image`` left in the cache; skipped with a reason otherwise.
"""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image.machine import DIST, IMAGE, PROJECT, Machine, inside, toolbox

MAKE_S = 3600  # for hangs
NOT_CACHED = 75  # of make.sh
# How often the plug is pulled; 50 at full length.
POWER_CUTS = int(os.environ.get("FAXBOX_POWER_CUTS", "3"))
LETTER = base64.b64encode(b"A letter").decode()

pytestmark = pytest.mark.full


@pytest.fixture(name="machine", scope="module")
def _machine() -> Iterator[Machine]:
    if os.geteuid() != 0:
        pytest.skip("needs root")
    made = subprocess.run(
        [IMAGE / "make.sh", "--cached", "--quick"],
        stdout=subprocess.PIPE,
        text=True,
        timeout=MAKE_S,
        check=False,
    )
    if made.returncode == NOT_CACHED:
        pytest.skip("no cached base root file system: run make image first")
    assert made.returncode == 0
    image = Path(made.stdout.strip())
    folder = DIST / f"tested-{os.getpid()}"
    folder.mkdir()
    updates = folder / "updates.img"
    script = inside(PROJECT / "tests/image/updates.sh")
    toolbox("sh", script, inside(image.with_suffix(".ext4")), inside(updates))
    machine = Machine(image, folder, updates)
    machine.start()
    try:
        machine.wait()
        yield machine
    finally:
        machine.pull_the_plug()
        subprocess.run(["rm", "-rf", folder], check=True)


def fax(machine: Machine) -> int:
    made = machine.api("POST", "/faxes", {"to": ["9990"], "files": [{"name": "a.txt", "content": LETTER}]})
    number: int = made["faxes"][0]["id"]
    return number


def states(machine: Machine) -> dict[int, str]:
    return {each["id"]: each["state"] for each in machine.api("GET", "/faxes?limit=500")["faxes"]}


def version(machine: Machine) -> str:
    return machine.shell("sed -n s/^IMAGE_VERSION=//p /usr/lib/os-release").strip()


def slot(machine: Machine) -> str:
    return machine.shell("grep -o 'rauc.slot=.' /proc/cmdline").strip()[-1]


def test_it_starts_from_an_empty_card_with_nothing_broken(machine: Machine) -> None:
    assert machine.shell("cat /run/faxbox-image/data").strip() == "good"
    assert "0 loaded units" in machine.shell("systemctl --failed --no-pager")
    assert machine.shell("findmnt -no FSTYPE /").strip() == "overlay"
    assert "data=journal" in machine.shell("findmnt -no OPTIONS /data")
    grown = int(machine.shell("df --output=size -m /data | tail -1"))
    assert grown > 4000  # the card has 8 GB


def test_it_sends_its_first_fax_and_prints_through_its_own_queue(machine: Machine) -> None:
    sent = fax(machine)
    machine.shell("echo printed >/tmp/a.txt; lp -d Fax -o phone=9990 /tmp/a.txt")
    machine.until(lambda: list(states(machine).values()).count("delivered") == 2)
    assert states(machine)[sent] == "delivered"


def test_a_strangers_update_is_refused(machine: Machine) -> None:
    machine.shell("mkdir -p /run/updates; mount -o ro /dev/vdb /run/updates")
    said = machine.shell("faxbox update /run/updates/stranger.raucb", check=False)
    assert "signature verification failed" in said
    assert "goes on with the version that it has" in said


def test_an_update_is_taken_and_a_broken_one_leads_back_with_all_data(machine: Machine) -> None:
    before, first = states(machine), slot(machine)
    machine.shell(
        "mountpoint -q /run/updates || { mkdir -p /run/updates; mount -o ro /dev/vdb /run/updates; }"
    )
    machine.shell("faxbox update /run/updates/newer.raucb")
    machine.shell("systemctl reboot", check=False)
    machine.until(lambda: machine.health() is None)
    machine.wait()
    second = slot(machine)
    assert (version(machine), second) == ("newer", "B" if first == "A" else "A")
    assert states(machine) == before
    machine.until(lambda: f"BOOT_{second}_LEFT=14" in machine.shell("fw_printenv"))  # proven: 20 starts

    machine.shell(
        "mkdir -p /run/updates; mount -o ro /dev/vdb /run/updates; faxbox update /run/updates/broken.raucb"
    )
    machine.shell("systemctl reboot", check=False)
    machine.until(lambda: machine.health() is None)
    machine.wait()
    assert (version(machine), slot(machine)) == ("newer", second)
    assert states(machine) == before


def test_a_pulled_plug_loses_nothing_that_was_accepted(machine: Machine) -> None:
    accepted = set(states(machine))
    for _ in range(POWER_CUTS):
        accepted |= {fax(machine) for _ in range(3)}
        machine.pull_the_plug()
        machine.start()
        machine.wait()
        assert accepted <= set(states(machine))
    machine.until(lambda: not {"queued", "preparing", "waiting", "sending"} & set(states(machine).values()))
    assert machine.shell("cat /run/faxbox-image/data").strip() == "good"
