"""The data folder: who may read it, whether its index is whole, what its settings hold, the certificate."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

from appliance.doctor.findings import Finding, State
from appliance.language import said as _
from appliance.lines.modem.settings import ClassOneModem
from appliance.lines.settings import LineSettings
from appliance.lines.sip.settings import SipTrunk
from appliance.net.settings import HttpSettings
from appliance.settings.store import SettingsStore
from appliance.spool import identity, rebuild

# A certificate that ends within so many days is told of.
CERTIFICATE_DAYS = 14
# How long a name may take to resolve, seconds.
NAME_S = 5.0
_OPENSSL_S = 10.0


def permissions(data: Path) -> Iterator[Finding]:
    """Who owns the folder, and who else may read it."""
    state = data.stat()
    open_to = [path.name for path in (data, *data.glob("*")) if stat.S_IMODE(path.lstat().st_mode) & 0o077]
    if state.st_uid != os.geteuid():
        yield Finding(
            "data",
            State.WARNING,
            _("The data folder belongs to another user than the one who looks."),
            _("Run this as the box's user (sudo -u faxbox)."),
            str(data),
        )
    if open_to:
        yield Finding(
            "data",
            State.BROKEN,
            _("Others on this machine may read what only the box should."),
            _("chmod -R go= on the data folder takes that right away."),
            ", ".join(open_to[:5]),
        )
    else:
        yield Finding("data", State.FINE, _("Only the box reads its data."))


def index(data: Path) -> Iterator[Finding]:
    """Whether the spool's database is there and whole."""
    if rebuild.usable(data):
        yield Finding("index", State.FINE, _("The index of the faxes is whole."))
    else:
        yield Finding(
            "index",
            State.BROKEN,
            _("The index of the faxes is gone or damaged."),
            _("Stop the box, then faxbox spool rebuild; received faxes come back from their files."),
            identity.way_back(data),
        )


def settings(store: SettingsStore) -> Iterator[Finding]:
    """What the settings files hold that this version does not know."""
    notes = store.notes()
    if notes:
        yield Finding(
            "settings",
            State.WARNING,
            _("There are settings that this version does not know."),
            _("They do nothing. faxbox config forget drops one; a newer version may know it."),
            "; ".join(notes[:5]),
        )
    else:
        yield Finding("settings", State.FINE, _("Every setting is understood."))


def certificate(http: HttpSettings) -> Iterator[Finding]:
    """Whether there is one, and for how long it is good."""
    if not http.tls_certificate:
        yield Finding(
            "certificate",
            State.WARNING,
            _("The web pages are not encrypted: anybody on the network may read along."),
            _("faxbox certificate NAME-OF-THE-BOX makes a certificate."),
        )
        return
    ends = [
        "openssl",
        "x509",
        "-noout",
        "-checkend",
        str(CERTIFICATE_DAYS * 86400),
        "-in",
        http.tls_certificate,
    ]
    said = subprocess.run(ends, capture_output=True, text=True, timeout=_OPENSSL_S, check=False)
    if said.returncode == 0:
        yield Finding(
            "certificate", State.FINE, _("The certificate is good for the next two weeks and more.")
        )
    elif "will expire" in said.stdout:
        yield Finding(
            "certificate",
            State.WARNING,
            _("The certificate has ended or ends within two weeks."),
            _("faxbox certificate makes a new one; your own must be renewed where it came from."),
        )
    else:
        yield Finding(
            "certificate",
            State.BROKEN,
            _("The certificate cannot be read."),
            _("Look at the settings http.tls_certificate and http.tls_key."),
            said.stderr.strip().splitlines()[0] if said.stderr.strip() else http.tls_certificate,
        )


def ports(store: SettingsStore) -> Iterator[Finding]:
    """Modems are plugged in and may be used."""
    for line in store.items(LineSettings).values():
        if not isinstance(line, ClassOneModem) or not line.device:
            continue
        if not Path(line.device).exists():
            yield Finding(
                "modem",
                State.BROKEN,
                _("The modem is not plugged in, or has another name."),
                _("Look at its cable; faxbox check modem lists what is there."),
                f"{line.name}: {line.device}",
            )
        elif not os.access(line.device, os.R_OK | os.W_OK):
            yield Finding(
                "modem",
                State.BROKEN,
                _("The modem may not be used by this user."),
                _("The box's user must belong to the group dialout."),
                f"{line.name}: {line.device}",
            )
        else:
            yield Finding("modem", State.FINE, _("The modem is there."), detail=f"{line.name}: {line.device}")


def names(store: SettingsStore) -> Iterator[Finding]:
    """The names of the trunks' servers can be resolved."""
    for line in store.items(LineSettings).values():
        if not isinstance(line, SipTrunk) or not line.server:
            continue
        host = line.server.rpartition(":")[0] if line.server.count(":") == 1 else line.server
        if _resolves(host.strip("[]")):
            yield Finding("names", State.FINE, _("The trunk's server has an address."), detail=line.server)
        else:
            yield Finding(
                "names",
                State.BROKEN,
                _("The name of the trunk's server cannot be resolved."),
                _("Look at the spelling, and whether this machine has a network and a name server."),
                f"{line.name}: {line.server}",
            )


def _resolves(host: str) -> bool:
    """Asked in a thread: a resolver may take minutes to say no."""
    found: list[bool] = []

    def ask() -> None:
        try:
            found.append(bool(socket.getaddrinfo(host, None)))
        except OSError:
            found.append(False)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(NAME_S)
    return bool(found and found[0])
