"""TLS of the HTTP server: loads the certificate that the settings name, again when it changes; makes one.

To renew the certificate, replace its files: the next connection uses the new one.  If it cannot be used, that
is logged and the last good one stays; at the start one that the box makes for itself stands in for it.
"""

from __future__ import annotations

import ipaddress
import logging
import re
import socket
import ssl
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from appliance import durable
from appliance.language import said
from appliance.net.settings import HttpSettings
from appliance.settings.store import SettingsStore

_log = logging.getLogger(__name__)

FOLDER = "tls"  # in the data folder
CERTIFICATE_FILE, KEY_FILE = "certificate.pem", "key.pem"
# In FOLDER: a certificate of the box's own, while the one in the settings cannot be used.
STAND_IN = "stand-in"
# The longest validity of a server's certificate that browsers accept, days.
VALID_DAYS = 825
_MAKING_S = 60.0
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")


class TlsError(Exception):
    """A certificate cannot be used or made; the message is for the owner."""


def load(settings: HttpSettings) -> ssl.SSLContext | None:
    """The server's TLS context by the settings, None when they want none.  Raises TlsError."""
    certificate, key = settings.tls_certificate, settings.tls_key
    if not certificate and not key:
        return None
    if not certificate:
        raise TlsError(said("http.tls_key is set, and http.tls_certificate is not"))
    for name in filter(None, (certificate, key)):
        try:
            with Path(name).open("rb"):
                pass
        except OSError as error:
            sentence = said("{name} cannot be read: {reason}")
            raise TlsError(sentence.format(name=name, reason=error.strerror)) from None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    try:
        # Without a password function, OpenSSL would ask at the terminal.
        context.load_cert_chain(certificate, key or None, password=lambda: b"")
    except ssl.SSLError as error:
        sentence = (
            said("the key does not belong to the certificate ({files})")
            if error.reason == "KEY_VALUES_MISMATCH"
            else said("no certificate with an unprotected key in PEM form ({files})")
        )
        raise TlsError(sentence.format(files=", ".join(filter(None, (certificate, key))))) from None
    except OSError as error:
        sentence = said("{name} cannot be read: {reason}")
        raise TlsError(sentence.format(name=certificate, reason=error.strerror)) from None
    return context


class Certificates:
    """Keeps the TLS context up to date with settings and files."""

    def __init__(self, store: SettingsStore, folder: Path) -> None:
        """``folder``: where a certificate that stands in is kept."""
        self._store = store
        self._folder = folder
        self._seen: object = None
        self.context: ssl.SSLContext | None = None
        self.certificate = ""  # the file from which ``context`` was made

    def first(self) -> None:
        """Loads the certificate for the first time.

        A box whose certificate cannot be used must go on to take faxes, and be mended from its pages.  Raises
        TlsError when none can be made that stands in for it.
        """
        settings = self._store.section(HttpSettings)
        self._seen = self._look(settings)
        try:
            self.context = load(settings)
        except TlsError as error:
            settings = stand_in(self._folder)
            self.context = load(settings)
            _log.error("%s; until it is mended a certificate that the box has made stands in for it", error)
        self.certificate = settings.tls_certificate

    def follow(self) -> bool:
        """Loads changes; returns whether there were any that can be used."""
        settings = self._store.section(HttpSettings)
        seen = self._look(settings)
        if seen == self._seen:
            return False
        self._seen = seen
        try:
            self.context = load(settings)
        except TlsError as error:
            _log.error("the certificate stays as it was: %s", error)
            return False
        self.certificate = settings.tls_certificate
        _log.info("the certificate was loaded" if self.context else "TLS is switched off")
        return True

    @staticmethod
    def _look(settings: HttpSettings) -> object:
        stamps = []
        for name in filter(None, (settings.tls_certificate, settings.tls_key)):
            try:
                state = Path(name).stat()
                stamps.append((state.st_ino, state.st_mtime_ns, state.st_size))
            except OSError:
                stamps.append((0, 0, 0))
        return settings.tls_certificate, settings.tls_key, tuple(stamps)


def stand_in(folder: Path) -> HttpSettings:
    """Settings with a certificate in ``folder``, which is made when there is none.  Raises TlsError."""
    settings = HttpSettings(str(folder / CERTIFICATE_FILE), str(folder / KEY_FILE))
    try:
        load(settings)
    except TlsError:
        name = socket.gethostname()
        try:
            make_certificate(folder, [name, f"{name}.local", "localhost", "127.0.0.1", "::1"])
        except OSError as error:
            sentence = said("{name} cannot be written: {reason}")
            raise TlsError(sentence.format(name=folder, reason=error.strerror)) from None
    return settings


def make_certificate(folder: Path, names: Sequence[str]) -> tuple[Path, Path]:
    """Makes a key and a self-signed certificate in ``folder``; returns the files of both, certificate first.

    ``names`` are the host names and addresses of the box, at least one.  Raises TlsError, OSError.
    """
    alternatives = ",".join(_alternative(name) for name in names)
    durable.make_folder(folder)
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        certificate, key = Path(temporary) / CERTIFICATE_FILE, Path(temporary) / KEY_FILE
        command = [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            str(VALID_DAYS),
            "-subj",
            f"/CN={names[0][:64]}",
            "-addext",
            f"subjectAltName={alternatives}",
            "-addext",
            "extendedKeyUsage=serverAuth",
            "-keyout",
            str(key),
            "-out",
            str(certificate),
        ]
        try:
            made = subprocess.run(
                command, capture_output=True, text=True, timeout=_MAKING_S, check=False, umask=0o077
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise TlsError(said("openssl could not be run: {error}").format(error=error)) from None
        if made.returncode:
            sentence = said("openssl could not make it: {error}")
            raise TlsError(sentence.format(error=made.stderr.strip()[-300:]))
        durable.write_file(folder / KEY_FILE, key.read_bytes())
        durable.write_file(folder / CERTIFICATE_FILE, certificate.read_bytes())
    return folder / CERTIFICATE_FILE, folder / KEY_FILE


def _alternative(name: str) -> str:
    try:
        return f"IP:{ipaddress.ip_address(name)}"
    except ValueError:
        if not _NAME.fullmatch(name):
            sentence = said("{name} is neither a host name nor an address")
            raise TlsError(sentence.format(name=repr(name))) from None
        return f"DNS:{name}"
