"""Which serial ports may be fax modems: udev's names, USB identities, or the path the owner gave."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from serial.tools import list_ports

# (vendor, product): what it is.  From public id lists and driver notes; not tried on hardware.
KNOWN: dict[tuple[int, int], str] = {
    (0x0BAF, 0x0303): "U.S. Robotics USR5637",
    (0x0BAF, 0x6112): "U.S. Robotics USR5633",
    (0x0572, 0x1321): "Conexant CX93010",
    (0x0572, 0x1324): "Conexant CX93010",
    (0x0572, 0x1328): "Conexant CX93010",
    (0x0572, 0x1329): "Conexant CX93010",
    (0x0572, 0x1340): "Conexant CX93010",
    (0x06E0, 0x0319): "MultiTech MultiModem",
    (0x06E0, 0xF120): "MultiTech MultiModem",
    (0x06E0, 0xF101): "MultiTech MultiModem",
    (0x06E0, 0xF104): "MultiTech MultiModem",
    (0x06E0, 0xF107): "MultiTech MultiModem",
    (0x0803, 0x3095): "Zoom 3095",
    (0x0803, 0x1300): "Zoom V.92",
    (0x0803, 0x9700): "Zoom",
    (0x0ACE, 0x1602): "ZyXEL Omni",
    (0x0ACE, 0x1608): "ZyXEL Omni",
    (0x0ACE, 0x1611): "ZyXEL Omni",
    (0x17EF, 0x7000): "Lenovo USB modem",
}
# Modems whose data pump is host software that does not exist for Linux, or does not work for fax.
UNFIT: dict[tuple[int, int], str] = {
    (0x047E, 0xBAD1): "Agere software modem",
    (0x047E, 0x2892): "Agere software modem",
    (0x0572, 0x1300): "Conexant software modem",
    (0x0483, 0x7554): "SmartLink software modem",
}

STABLE_NAME = "faxmodem*"  # what udev/60-faxbox-modem.rules gives


@dataclass(frozen=True, slots=True)
class Candidate:
    """A port that may have a fax modem.  ``what``: the reason, in words."""

    path: str
    what: str
    fit: bool = True


def candidates(owner_path: str = "", devices: Path = Path("/dev")) -> list[Candidate]:
    """Ports in the order to be tried: the owner's one only, else udev's names, known ids, CDC-ACM.

    Unfit modems come last, with ``fit`` False, so that they can be reported.
    """
    if owner_path:
        return [Candidate(owner_path, "the port named in the settings")]
    found: list[Candidate] = []
    seen: set[str] = set()

    def add(path: str, what: str, fit: bool = True) -> None:
        real = str(Path(path).resolve())
        if real not in seen:
            seen.add(real)
            found.append(Candidate(path, what, fit))

    ports = sorted(list_ports.comports(), key=lambda p: str(p.device))
    unfit = [p for p in ports if (p.vid, p.pid) in UNFIT]
    seen.update(str(Path(p.device).resolve()) for p in unfit)
    for link in sorted(devices.glob(STABLE_NAME)):
        add(str(link), "named by udev as a fax modem")
    for port in ports:
        known = KNOWN.get((port.vid, port.pid))
        if known is not None:
            add(port.device, known)
    for port in ports:
        if str(port.name or "").startswith("ttyACM"):
            add(port.device, port.description or "a CDC-ACM device")
    found += [Candidate(p.device, UNFIT[(p.vid, p.pid)], fit=False) for p in unfit]
    return found
