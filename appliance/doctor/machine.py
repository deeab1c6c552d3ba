"""Checks of the machine: clock, disk, memory, temperature, power, GPIO.  ``root``: /, or a folder like it."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from appliance.doctor.findings import Finding, broken, fine, skipped, warning
from appliance.language import said as _
from appliance.panel.settings import I2C_BUS, Display, PanelSettings, clashes
from appliance.settings.units import MB
from appliance.spool.settings import StorageSettings

# A clock that is this far behind the last written time is wrong, seconds.
BEHIND_S = 60.0
# A file of this program, which is older than the present time.
_OURS = Path(__file__)
# Limits for the processor, degrees Celsius: a Raspberry Pi reduces its clock rate at 80.
WARM_C, HOT_C = 70.0, 80.0
# Least available memory, MiB: two documents at once may need more.
MEMORY_MIB = 100
# Tenths of a card's life that are used (JEDEC eMMC 5.1, EXT_CSD 268).
WORN_TENTHS = 9
# Least number of free inodes.
INODES = 1000
# The line of lpstat -p for a paused printer.
_PAUSED = re.compile(r"^printer (\S+) disabled since", re.MULTILINE)
_REFUSING = re.compile(r"^(\S+) not accepting requests since", re.MULTILINE)
# Debian's versions of cupsd that crash at an option with a blank (2.4.2-3+deb12u10, of November 2026).
_CRASHING_CUPS = frozenset({"2.4.2-3+deb12u10"})
# Limits for apt, on a slow card, and for CUPS, seconds.
_APT_S, _CUPS_S = 60.0, 10.0
# Files that apt's answer depends on: installed packages, lists of packages, configuration.
_APT_READS = (
    "var/lib/dpkg/status",
    "var/lib/apt/extended_states",
    "var/lib/apt/lists",
    "etc/apt/sources.list",
    "etc/apt/sources.list.d",
    "etc/apt/preferences",
    "etc/apt/preferences.d",
)
# The most packages that are named.
_NAMED = 5
# vcgencmd get_throttled: bits for "now" and for "since the start".
UNDER_VOLTAGE_NOW, UNDER_VOLTAGE_SEEN = 1 << 0, 1 << 16


def clock(data: Path, now: float, root: Path = Path("/")) -> Iterator[Finding]:
    """Whether the clock is right: not behind the last written time, nor behind the time of this program."""
    newest = max((path.stat().st_mtime for path in (*data.glob("*"), _OURS) if path.is_file()), default=0.0)
    if now < newest - BEHIND_S:
        yield broken(
            _("The clock is behind what the box wrote last, or behind the box's own program."),
            _("Set the time, or connect the box to a network with a time server (timedatectl status)."),
            f"{newest - now:.0f} s",
        )
    elif not (root / "run/systemd/timesync/synchronized").exists() and (root / "run/systemd/system").exists():
        yield warning(
            _("No time server has set the clock since the start."),
            _("Look at timedatectl status; without a network the time of faxes may be wrong."),
        )
    else:
        yield fine(_("The clock is right."))


def disk(data: Path, settings: StorageSettings) -> Iterator[Finding]:
    """Free space, and whether the disk is writable."""
    state = os.statvfs(data)
    free = state.f_bavail * state.f_frsize // MB
    if not os.access(data, os.W_OK) or state.f_flag & os.ST_RDONLY:
        yield broken(
            _("The disk cannot be written to."),
            _("A card that is worn out or damaged turns read-only: copy what is on it and replace it."),
        )
    elif state.f_files and state.f_favail < INODES:
        yield broken(
            _("The disk can take hardly any more files, however much room there is."),
            _("Look for a folder with very many small files (du --inodes -x /), or use another disk."),
            _("{number} files").format(number=state.f_favail),
        )
    elif free < settings.reserve_mb:
        yield broken(
            _("The disk is full: nothing more is accepted."),
            _("Delete old faxes, keep them for fewer days (storage.documents_days), or use a larger disk."),
            f"{free} MB",
        )
    elif free < settings.warn_mb:
        yield warning(
            _("The disk is nearly full."),
            _("Delete old faxes, keep them for fewer days (storage.documents_days), or use a larger disk."),
            f"{free} MB",
        )
    else:
        yield fine(_("There is room on the disk."), detail=f"{free} MB")


def wear(root: Path = Path("/")) -> Iterator[Finding]:
    """How much of the card's life is used."""
    found = [
        int(word, 16)
        for path in root.glob("sys/block/mmcblk*/device/life_time")
        for word in path.read_text().split()
    ]
    if not found:
        yield skipped(_("This disk does not say how worn it is; SD cards never do."))
    elif max(found) >= WORN_TENTHS:
        yield warning(
            _("The card is nearly worn out."),
            _("Make a backup now and replace the card."),
            f"{max(found) * 10} %",
        )
    else:
        yield fine(_("The card is not worn."), detail=f"{max(found) * 10} %")


def memory(root: Path = Path("/")) -> Iterator[Finding]:
    """Available memory."""
    words = dict(line.split(":", 1) for line in (root / "proc/meminfo").read_text().splitlines())
    left = int(words["MemAvailable"].split()[0]) // 1024
    if left < MEMORY_MIB:
        yield warning(
            _("There is little memory left."),
            _("Stop other programs on this machine; the box needs some 80 MB, large documents up to 400 MB."),
            f"{left} MiB",
        )
    else:
        yield fine(_("There is enough memory."), detail=f"{left} MiB")


def temperature(root: Path = Path("/")) -> Iterator[Finding]:
    """Temperature of the hottest part."""
    found = [int(path.read_text()) / 1000 for path in root.glob("sys/class/thermal/thermal_zone*/temp")]
    if not found:
        yield skipped(_("This machine does not tell its temperature."))
        return
    hottest = max(found)
    cooler = _("Give it air, or a cooler; a hot board is slow and does not live long.")
    heat = f"{hottest:.0f} °C"
    if hottest >= HOT_C:
        yield broken(_("The machine is too hot and slows itself down."), cooler, heat)
    elif hottest >= WARM_C:
        yield warning(_("The machine is warm."), cooler, heat)
    else:
        yield fine(_("The machine is cool enough."), detail=heat)


def power(root: Path = Path("/")) -> Iterator[Finding]:
    """Under-voltage as reported by a Raspberry Pi's firmware."""
    try:
        bits = int((root / "sys/devices/platform/soc/soc:firmware/get_throttled").read_text(), 16)
    except OSError:
        yield skipped(_("This machine does not tell how well it is powered."))
        return
    supply = _("Use the power supply that was made for the board, and a short cable.")
    if bits & UNDER_VOLTAGE_NOW:
        yield broken(_("The voltage is too low right now."), supply)
    elif bits & UNDER_VOLTAGE_SEEN:
        yield warning(_("The voltage was too low since the start."), supply)
    else:
        yield fine(_("The power supply is strong enough."))


def gpio(settings: PanelSettings, root: Path = Path("/")) -> Iterator[Finding]:
    """The front panel's pins."""
    wrong = clashes(settings)
    if wrong:
        yield broken(
            _("A pin of the front panel is given to two parts."),
            _("Give one of them another pin (faxbox panel --wiring shows all)."),
            "; ".join(wrong),
        )
        return
    chips = sorted(root.glob("dev/gpiochip*"))
    if not chips:
        yield skipped(_("This machine has no pins for a front panel."))
    elif not os.access(chips[0], os.R_OK | os.W_OK):
        yield broken(
            _("The pins of the front panel may not be used by this user."),
            _("Run this as the box's user (sudo -u faxbox), who belongs to the group gpio."),
            str(chips[0]),
        )
    else:
        yield fine(_("The pins of the front panel can be used."))


def display(settings: PanelSettings, root: Path = Path("/")) -> Iterator[Finding]:
    """The bus of the front panel's display, if the settings have one."""
    if settings.display is Display.NONE:
        return
    bus = root / f"dev/i2c-{I2C_BUS}"
    if not bus.exists():
        yield broken(
            _("The bus of the front panel's display is not switched on."),
            _("On a Raspberry Pi: sudo raspi-config, Interface Options, I2C; then start it again."),
            str(bus),
        )
    elif not os.access(bus, os.R_OK | os.W_OK):
        yield broken(
            _("The bus of the front panel's display may not be used by this user."),
            _("Run this as the box's user (sudo -u faxbox), who belongs to the group i2c."),
            str(bus),
        )
    else:
        yield fine(_("The bus of the front panel's display can be used."))


def updates(root: Path = Path("/")) -> Iterator[Finding]:
    """Whether the system needs a restart, and whether package updates are available."""
    if (root / "run/reboot-required").exists():
        yield warning(
            _("An update of the system wants a restart of the machine."),
            _("Restart it when no fax is on its way; what waits goes afterwards."),
        )
        return
    waiting = _waiting_packages(root)
    if waiting is None:
        yield skipped(_("This system does not say whether updates wait."))
    elif any(safety for _package, safety in waiting):
        yield warning(
            _("Security updates wait to be installed."),
            _("sudo apt upgrade installs them; the package unattended-upgrades does so by itself."),
            _some([package for package, safety in waiting if safety]),
        )
    else:
        yield fine(_("No security update waits."), detail=_some([package for package, _safety in waiting]))


def _waiting_packages(root: Path) -> list[tuple[str, bool]] | None:
    """Each package with an update, and whether that is a security update.  Nothing is downloaded."""
    try:
        return _as_apt_says(shutil.which("apt-get"), tuple(_written_ns(root / name) for name in _APT_READS))
    except (OSError, subprocess.SubprocessError):
        return None


def _written_ns(path: Path) -> int:
    """Its modification time, nanoseconds since 1970; 0 if it does not exist."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


@lru_cache(maxsize=1)
def _as_apt_says(program: str | None, _when: tuple[int, ...]) -> list[tuple[str, bool]]:
    """As `_waiting_packages`; apt, which takes seconds, runs again once a file that it reads has changed.

    ``program``: its path.  ``_when``: when these files were changed (`_written_ns`), the key of the cache.

    Raises OSError, subprocess.SubprocessError when there is no answer.
    """
    asked = [program or "apt-get", "--simulate", "--quiet", "-o", "Debug::NoLocking=1", "upgrade"]
    said = subprocess.run(asked, capture_output=True, text=True, timeout=_APT_S, check=True)
    # Inst NAME [OLD] (NEW Debian-Security:13/stable-security [amd64])
    lines = [line.split() for line in said.stdout.splitlines() if line.startswith("Inst ")]
    return [(words[1], "security" in " ".join(words[2:]).lower()) for words in lines if len(words) > 1]


def _some(packages: list[str]) -> str:
    """The first few names, and the number of all."""
    more = f" … ({len(packages)})" if len(packages) > _NAMED else ""
    return ", ".join(packages[:_NAMED]) + more


def printing() -> Iterator[Finding]:
    """Whether CUPS answers, if it is installed."""
    if shutil.which("lpstat") is None:
        yield skipped(_("CUPS is not installed: nothing is printed to or from the box."))
        return
    try:
        said = subprocess.run(["lpstat", "-r"], capture_output=True, text=True, timeout=_CUPS_S, check=False)
        answers = said.returncode == 0 and "not running" not in said.stdout
    except subprocess.TimeoutExpired:
        answers = False
    if answers:
        yield fine(_("CUPS answers."))
        yield from _printers()
        yield from _crashes()
    else:
        yield warning(
            _("CUPS is installed and does not answer: nothing can be printed to or from the box."),
            _("systemctl status cups says why; sudo systemctl start cups starts it."),
        )


def _printers() -> Iterator[Finding]:
    """Printers of CUPS that are paused or reject jobs."""
    words = {**os.environ, "LC_ALL": "C"}  # the output of lpstat is parsed
    try:
        said = subprocess.run(
            ["lpstat", "-p", "-a"], capture_output=True, text=True, timeout=_CUPS_S, check=False, env=words
        ).stdout
    except subprocess.TimeoutExpired:
        return
    for name in _PAUSED.findall(said):
        yield warning(
            _("A printer is paused: what is printed waits in the box."),
            _("Look at the printer, then: sudo cupsenable and its name."),
            name,
        )
    for name in _REFUSING.findall(said):
        yield warning(
            _("A printer takes no more documents."),
            _("sudo cupsaccept and its name lets it take them again."),
            name,
        )


def _crashes() -> Iterator[Finding]:
    """A version of cupsd that crashes at jobs which people print to fax."""
    asked = ["dpkg-query", "--show", "--showformat=${Version}", "cups-daemon"]
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        said = subprocess.run(asked, capture_output=True, text=True, timeout=_CUPS_S, check=False).stdout
        if said in _CRASHING_CUPS:
            yield warning(
                _("This version of CUPS crashes at a print job with a blank in an option, such as 030 1234."),
                _(
                    "Install a newer one as soon as there is one. Until then type numbers without blanks, or "
                    "print to the box's own printers, which do without CUPS."
                ),
                said,
            )


def codes() -> Iterator[Finding]:
    """The library that reads barcodes, for routes of received faxes."""
    if importlib.util.find_spec("zxingcpp"):
        yield fine(_("Barcodes on received faxes can be read."))
    else:
        yield skipped(
            _("Barcodes on received faxes cannot be read."),
            _("If you want it: install zxing-cpp from PyPI where the box is installed."),
            "zxing-cpp",
        )


def helpers() -> Iterator[Finding]:
    """Programs of Debian that some kinds of documents need."""
    programs = (
        ("soffice", _("Office files (DOCX, XLSX, ODT …) can be faxed."), "libreoffice-writer-nogui"),
        ("gs", _("PostScript files can be faxed."), "ghostscript"),
        ("xpstopdf", _("XPS files can be faxed."), "libgxps-utils"),
        ("ddjvu", _("DjVu files can be faxed."), "djvulibre-bin"),
        ("tesseract", _("The text of faxes can be recognised."), "tesseract-ocr"),
    )
    for command, sentence, package in programs:
        if shutil.which(command):
            yield fine(sentence)
        else:
            yield skipped(
                _("A program that some kinds of documents need is not installed."),
                _("If you want it: sudo apt install, and the package that is named."),
                package,
            )
