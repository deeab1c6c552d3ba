"""Service files for avahi-daemon (DNS-SD), by which computers find the box's printers; one for each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from xml.sax.saxutils import escape

from appliance import durable
from appliance.api.ipp.description import FORMATS, URF
from appliance.api.ipp.door import PREFIX
from appliance.api.ipp.printers import FaxPrinter, all_printers, printer_uuid
from appliance.printing.settings import IppAccess, IppSettings
from appliance.settings.store import SettingsStore

SERVICES_FOLDER = Path("/etc/avahi/services")
_FILE = "faxbox-{}.service"
# Readable by avahi-daemon, which runs as a user of its own.
_MODE = 0o644
# AirPrint's subtype (Bonjour Printing 1.2.1).
_AIRPRINT = "_universal"


def records(store: SettingsStore, port: int, *, encrypted: bool) -> dict[str, str]:
    """The files by their names; empty while the network printers are off."""
    if store.section(IppSettings).access is IppAccess.OFF:
        return {}
    return {
        _FILE.format(printer.path.strip("/").replace("/", "-")): _record(
            store, printer, port, encrypted=encrypted
        )
        for printer in all_printers(store)
    }


def announce(folder: Path, wanted: Mapping[str, str]) -> None:
    """Makes ``folder`` contain these files of ours and no others; unchanged ones are not written.

    avahi-daemon announces a file again when it is written.  Raises OSError.
    """
    for old in folder.glob(_FILE.format("*")):
        if old.name not in wanted:
            old.unlink()
    for name, content in wanted.items():
        path, octets = folder / name, content.encode()
        if not path.exists() or path.read_bytes() != octets:
            durable.write_file(path, octets, mode=_MODE)


def _record(store: SettingsStore, printer: FaxPrinter, port: int, *, encrypted: bool) -> str:
    users = store.section(IppSettings).access is IppAccess.USERS
    texts = {
        "txtvers": "1",
        "qtotal": "1",
        "rp": f"{PREFIX}{printer.path}".lstrip("/"),
        "ty": "faxbox",
        "product": "(faxbox)",
        "note": "",
        "pdl": ",".join(FORMATS),
        "URF": ",".join(URF),
        "UUID": str(printer_uuid(store, printer)),
        "Color": "F",
        "Duplex": "F",
        "Fax": "T" if printer.is_fax else "F",
        "air": "username,password" if users else "none",
        "TLS": "1.2" if encrypted else "none",
    }
    scheme = "ipps" if encrypted else "ipp"
    kinds = [(f"_{scheme}._tcp", f"{_AIRPRINT}._sub._{scheme}._tcp")]
    if printer.is_fax:
        kinds = [(f"_fax-{scheme}._tcp", "")]
    services = "".join(_service(kind, subtype, port, texts) for kind, subtype in kinds)
    return (
        '<?xml version="1.0" standalone="no"?>\n<!DOCTYPE service-group SYSTEM "avahi-service.dtd">\n'
        f"<service-group>\n  <name>{escape(printer.name)}</name>\n{services}</service-group>\n"
    )


def _service(kind: str, subtype: str, port: int, texts: Mapping[str, str]) -> str:
    lines = [f"    <type>{kind}</type>"]
    if subtype:
        lines.append(f"    <subtype>{subtype}</subtype>")
    lines.append(f"    <port>{port}</port>")
    lines += [f"    <txt-record>{escape(f'{name}={text}')}</txt-record>" for name, text in texts.items()]
    return "  <service>\n" + "\n".join(lines) + "\n  </service>\n"
