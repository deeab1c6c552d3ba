"""The image for a card in the emulator: its size, the time to its first answer, its memory.

Seconds in an emulator say little: the box's are told beside Debian's own in the same start.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.image.machine import CARD, DIST, Machine, toolbox

MIB = 1 << 20
# The processes of the box and of printing, by their control groups.
OURS = ("faxbox.service", "faxbox-panel.service")
PRINTING = ("cups.service", "cups-browsed.service")


@dataclass(frozen=True, slots=True)
class Measured:
    """``debian_s``: from the kernel's start until Debian is up, ``answer_s``: until the box answers.

    Memory is what is in use of the guest's 512 MiB, and of it what the box and CUPS take.
    """

    image_mib: float  # as it is on a card, without the empty part
    compressed_mib: float
    debian_s: float
    answer_s: float
    used_mib: float
    ours_mib: float
    printing_mib: float


def measure() -> Measured | None:
    """Starts this checkout's image, made from the base in the cache; None without one there."""
    made = CARD.make()
    if made is None:
        return None
    image, _slot = made
    with tempfile.TemporaryDirectory(dir=DIST, prefix="measured-") as name:
        folder = Path(name)
        (folder / "none").write_bytes(b"\0" * MIB)  # the second disk, which holds updates in tests
        machine = Machine(CARD, image, folder, folder / "none")
        machine.start()
        try:
            machine.wait()
            machine.until(
                lambda: machine.shell("systemctl is-active cups.service", check=False) == "active\n"
            )
            return Measured(
                image_mib=image.stat().st_blocks * 512 / MIB,
                compressed_mib=_compressed_mib(image),
                debian_s=_active_s(machine, "basic.target"),
                answer_s=_active_s(machine, "faxbox.service"),
                used_mib=_used_mib(machine),
                ours_mib=_memory_mib(machine, OURS),
                printing_mib=_memory_mib(machine, PRINTING),
            )
        finally:
            machine.pull_the_plug()


def _compressed_mib(image: Path) -> float:
    """The size of the image as it is given away: ``make image`` compresses it so."""
    inside = f"/project/{image.relative_to(DIST.parent)}"
    return int(toolbox("sh", "-c", f"xz --threads=0 -c {inside} | wc -c")) / MIB


def _active_s(machine: Machine, unit: str) -> float:
    """From the kernel's start until ``unit`` was up; the box's is up when it answers (sd_notify(3))."""
    shown = machine.shell(f"systemctl show --property ActiveEnterTimestampMonotonic --value {unit}")
    return int(shown) / 1e6


def _used_mib(machine: Machine) -> float:
    """What programs use, without what the kernel could give back."""
    known = dict(re.findall(r"(\w+): +(\d+) kB", machine.shell("cat /proc/meminfo")))
    return (int(known["MemTotal"]) - int(known["MemAvailable"])) / 1024


def _memory_mib(machine: Machine, units: tuple[str, ...]) -> float:
    """PSS of all processes of the units."""
    groups = " ".join(f"/sys/fs/cgroup/system.slice/{unit}/cgroup.procs" for unit in units)
    words = f"for p in $(cat {groups} 2>/dev/null); do grep ^Pss: /proc/$p/smaps_rollup; done"
    return sum(int(line.split()[1]) for line in machine.shell(words).splitlines()) / 1024
