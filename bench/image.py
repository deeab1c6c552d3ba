"""The card image in the emulator: its size, the time to its first response, its memory.

Absolute times in an emulator mean little, so Debian's own start-up time in the same run is given too.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.image.machine import CARD, DIST, Machine, toolbox

MIB = 1 << 20
# The units of the box and of printing.
OURS = ("faxbox.service", "faxbox-panel.service")
PRINTING = ("cups.service", "cups-browsed.service")


@dataclass(frozen=True, slots=True)
class Measured:
    """``debian_s``: from the kernel's start until Debian is up; ``answer_s``: until the box responds.

    Memory: what is in use of the guest's 512 MiB, and the parts of the box and of CUPS.
    """

    image_mib: float  # as written to a card, without the empty part
    compressed_mib: float
    debian_s: float
    answer_s: float
    used_mib: float
    ours_mib: float
    printing_mib: float


def measure() -> Measured | None:
    """Starts this checkout's image, made from the base image in the cache; None without a base image."""
    made = CARD.make()
    if made is None:
        return None
    image, _slot = made
    with tempfile.TemporaryDirectory(dir=DIST, prefix="measured-") as name:
        folder = Path(name)
        (folder / "none").write_bytes(b"\0" * MIB)  # the second disk, used for updates in tests
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
    """The size of the image as ``make image`` compresses it, MiB."""
    inside = f"/project/{image.relative_to(DIST.parent)}"
    return int(toolbox("sh", "-c", f"xz --threads=0 -c {inside} | wc -c")) / MIB


def _active_s(machine: Machine, unit: str) -> float:
    """Seconds from the kernel's start until ``unit`` was active; the box then responds (sd_notify(3))."""
    shown = machine.shell(f"systemctl show --property ActiveEnterTimestampMonotonic --value {unit}")
    return int(shown) / 1e6


def _used_mib(machine: Machine) -> float:
    """Memory in use, MiB, without caches that the kernel can release."""
    known = dict(re.findall(r"(\w+): +(\d+) kB", machine.shell("cat /proc/meminfo")))
    return (int(known["MemTotal"]) - int(known["MemAvailable"])) / 1024


def _memory_mib(machine: Machine, units: tuple[str, ...]) -> float:
    """PSS of all processes of the units, MiB."""
    groups = " ".join(f"/sys/fs/cgroup/system.slice/{unit}/cgroup.procs" for unit in units)
    words = f"for p in $(cat {groups} 2>/dev/null); do grep ^Pss: /proc/$p/smaps_rollup; done"
    return sum(int(line.split()[1]) for line in machine.shell(words).splitlines()) / 1024
