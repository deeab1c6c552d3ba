"""Checks of the data folder: permissions, index, files, settings, certificate, ports and names."""

from __future__ import annotations

import ipaddress
import os
import socket
import sqlite3
import ssl
import stat
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from appliance.doctor.findings import Finding, broken, fine, skipped, warning
from appliance.language import said as _
from appliance.lines.modem.settings import ClassOneModem
from appliance.lines.settings import LineSettings
from appliance.lines.sip.settings import SIP_PORT, SipTrunk
from appliance.net.settings import HttpSettings
from appliance.settings.store import SettingsStore
from appliance.spool import file_check, identity, rebuild
from appliance.spool.model import DAY_S
from appliance.spool.schema import version_of, versions

# A certificate is reported when it expires within this many days.
CERTIFICATE_DAYS = 14
# Limit for resolving a name, seconds.
NAME_S = 5.0
_OPENSSL_S = 10.0

# Gives the address of a server, and the local one for packets to it; None without a route.
Route = Callable[[str], tuple[str, str] | None]


def permissions(data: Path) -> Iterator[Finding]:
    """Whether the folder is owned and readable by its user alone."""
    state = data.stat()
    open_to = [path.name for path in (data, *data.glob("*")) if stat.S_IMODE(path.lstat().st_mode) & 0o077]
    if state.st_uid != os.geteuid():
        yield warning(
            _("The data folder belongs to another user than the one who looks."),
            _("Run this as the box's user (sudo -u faxbox)."),
            str(data),
        )
    if open_to:
        yield broken(
            _("Others on this machine may read what only the box should."),
            _("chmod -R go= on the data folder takes that right away."),
            ", ".join(open_to[:5]),
        )
    else:
        yield fine(_("Only the box reads its data."))


def index(data: Path, known_id: str = "") -> Iterator[Finding]:
    """Whether the spool's database exists and is not damaged.  ``known_id``: its id in the settings."""
    if identity.is_new(data, known_id):
        yield skipped(_("There is no index of the faxes yet: faxbox serve makes it."))
        return
    try:
        identity.require_files(data)
        advice = "" if rebuild.usable(data) else identity.repair_advice(data)
    except identity.SpoolGoneError as error:
        advice = str(error)
    if advice:
        yield broken(
            _("The index of the faxes is gone or damaged."),
            _("Stop the box, then faxbox spool rebuild; received faxes come back from their files."),
            advice,
        )
    elif (version := _version(data)) > versions():
        yield broken(
            _("The index of the faxes was written by a newer version of the box."),
            _("Install that version again; this one cannot start with it."),
            f"{version} > {versions()}",
        )
    else:
        yield fine(_("The index of the faxes is whole."))


def _version(data: Path) -> int:
    with identity.reading(data) as db:
        return version_of(db)


def files(data: Path) -> Iterator[Finding]:
    """Whether the index and the files agree."""
    try:
        found = file_check.compare(data, time.time())
    except (sqlite3.Error, FileNotFoundError):  # told by ``index``; a file that just went
        return
    if found.lost:
        yield broken(
            _("Files of faxes are gone, empty, not to be read, or something else lies in their place."),
            _("Put them back from a copy of the folder; the other pages of those faxes can be had."),
            _counted(found.lost),
        )
    if found.unknown:
        yield broken(
            _("Pages of received faxes are here that the index does not know: its last changes are lost."),
            _("Stop the box, then faxbox spool rebuild; received faxes come back from their files."),
            _counted(found.unknown),
        )
    if not (found.lost or found.unknown):
        yield fine(_("The files of all faxes are there."))


def _counted(paths: list[str]) -> str:
    return f"{len(paths)}: {', '.join(paths[:5])}"


def settings(store: SettingsStore) -> Iterator[Finding]:
    """What the settings files hold that is not in force."""
    if store.phonebook_gone:
        yield broken(
            _("The phone book is gone."),
            _("Put phonebook.json back from a backup; with the next entry a new one begins."),
        )
    notes = store.notes()
    if notes:
        yield warning(
            _("There are settings that this version does not know."),
            _("They do nothing. faxbox config forget drops one; a newer version may know it."),
            "; ".join(notes[:5]),
        )
    else:
        yield fine(_("Every setting is understood."))


def certificate(http: HttpSettings) -> Iterator[Finding]:
    """Whether there is a certificate, and how long it is valid."""
    if not http.tls_certificate:
        yield warning(
            _("The web pages are not encrypted: anybody on the network may read along."),
            _("faxbox certificate NAME-OF-THE-BOX makes a certificate."),
        )
        return
    said = _still_good(http.tls_certificate, CERTIFICATE_DAYS * int(DAY_S))
    readable = said.returncode == 0 or "will expire" in said.stdout
    if readable and (wrong := _unusable(http.tls_certificate, http.tls_key)):
        yield broken(
            _("The certificate and its key cannot be used together."),
            _("Look at the settings http.tls_certificate and http.tls_key."),
            wrong,
        )
    elif said.returncode == 0:
        yield fine(_("The certificate is good for the next two weeks and more."))
    elif not readable:
        yield broken(
            _("The certificate cannot be read."),
            _("Look at the settings http.tls_certificate and http.tls_key."),
            said.stderr.strip().splitlines()[0] if said.stderr.strip() else http.tls_certificate,
        )
    elif _still_good(http.tls_certificate, 0).returncode == 0:
        yield warning(_("The certificate ends within two weeks."), _renew())
    else:
        yield broken(_("The certificate has ended: browsers and programs refuse the box."), _renew())


def _renew() -> str:
    return _("faxbox certificate makes a new one; your own must be renewed where it came from.")


def _unusable(certificate: str, key: str) -> str:
    """Why a server cannot use this pair; empty when it can."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key or None)
    except OSError as error:  # ssl.SSLError is one
        return str(error)
    return ""


def _still_good(certificate: str, seconds: int) -> subprocess.CompletedProcess[str]:
    """Asks openssl whether the certificate is valid for ``seconds`` from now."""
    words = ["openssl", "x509", "-noout", "-checkend", str(seconds), "-in", certificate]
    return subprocess.run(words, capture_output=True, text=True, timeout=_OPENSSL_S, check=False)


def ports(store: SettingsStore) -> Iterator[Finding]:
    """Whether the modems' ports exist and may be used."""
    for line in store.items(LineSettings).values():
        if not isinstance(line, ClassOneModem) or not line.device:
            continue
        if not Path(line.device).exists():
            yield broken(
                _("The modem is not plugged in, or has another name."),
                _("Look at its cable; faxbox check modem lists what is there."),
                f"{line.name}: {line.device}",
            )
        elif not os.access(line.device, os.R_OK | os.W_OK):
            yield broken(
                _("The modem may not be used by this user."),
                _("The box's user must belong to the group dialout."),
                f"{line.name}: {line.device}",
            )
        else:
            yield fine(_("The modem is there."), detail=f"{line.name}: {line.device}")


def names(store: SettingsStore) -> Iterator[Finding]:
    """Whether the names of the trunks' servers can be resolved."""
    for line in store.items(LineSettings).values():
        if not isinstance(line, SipTrunk) or not line.server:
            continue
        if _resolves(host_of(line.server)):
            yield fine(_("The trunk's server has an address."), detail=line.server)
        else:
            yield broken(
                _("The name of the trunk's server cannot be resolved."),
                _("Look at the spelling, and whether this machine has a network and a name server."),
                f"{line.name}: {line.server}",
            )


def nat(store: SettingsStore, route: Route | None = None) -> Iterator[Finding]:
    """Whether a trunk in the internet knows where to send, when this machine is in a local network."""
    for line in store.items(LineSettings).values():
        if not isinstance(line, SipTrunk) or not line.enabled or not line.server:
            continue
        way = (route or _route)(host_of(line.server))
        if way is None:
            continue  # told by ``names``
        there, here = (ipaddress.ip_address(each) for each in way)
        if there.is_private or not here.is_private:
            yield fine(_("No router changes addresses on the way to the trunk."), detail=line.name)
        elif line.public_address or line.use_stun:
            yield fine(_("The trunk is told the address of your router."), detail=line.name)
        else:
            yield warning(
                _("A router stands between this box and the trunk, and the trunk is not told its address."),
                _("If calls connect and no page comes through, switch on use_stun for the line."),
                f"{line.name}: {here} → {there}",
            )


def _route(host: str) -> tuple[str, str] | None:
    """Addresses by connecting a UDP socket, which sends nothing."""
    try:
        family, kind, _proto, _name, there = socket.getaddrinfo(host, SIP_PORT, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind) as probe:
            probe.connect(there)
            return str(there[0]), str(probe.getsockname()[0])
    except OSError:
        return None


def host_of(server: str) -> str:
    """The host of a server as settings name it, without port and brackets."""
    host = server.rpartition(":")[0] if server.count(":") == 1 else server
    return host.partition("]")[0].strip("[")


def _resolves(host: str) -> bool:
    """Whether a name resolves within ``NAME_S``; in a thread, since a resolver may take minutes."""
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
