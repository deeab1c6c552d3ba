"""The box's certificate: names, validity, fingerprint; replacing it by a new one or a given one."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance import durable
from appliance.api import tls
from appliance.language import said
from appliance.net.settings import HttpSettings
from appliance.settings.store import SettingsStore

# Files of a certificate that was handed in, beside those made here.
_GIVEN = ("given-certificate.pem", "given-key.pem")
_TRIED = ("tried-certificate.pem", "tried-key.pem")


@dataclass(frozen=True, slots=True)
class Certificate:
    """The facts in a certificate.  ``own``: self-signed; ``fingerprint``: SHA-256."""

    names: tuple[str, ...]
    issuer: str
    own: bool
    ends_at: float  # Unix time
    fingerprint: str

    def covers(self, host: str) -> bool:
        """Whether a browser at ``host`` accepts the certificate's names (RFC 9525 6.3)."""
        wanted = host.lower()
        rest = wanted.partition(".")[2]
        names = [name.lower() for name in self.names]
        return wanted in names or (bool(rest) and f"*.{rest}" in names)


class PairError(tls.TlsError):
    """A given certificate or key cannot be used.  ``part``: "certificate" or "key", where the fault is."""

    def __init__(self, part: str, sentence: str) -> None:
        super().__init__(sentence)
        self.part = part


def present(settings: HttpSettings) -> Certificate | None:
    """The certificate in use, None without TLS.  Raises tls.TlsError."""
    from cryptography import x509  # noqa: PLC0415 (loading it takes a while)

    if tls.load(settings) is None:
        return None
    pem = Path(settings.tls_certificate).read_bytes()
    read = x509.load_pem_x509_certificate(pem)
    try:
        found = read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = [str(each.value) for each in found]
    except x509.ExtensionNotFound:
        names = [str(each.value) for each in read.subject]
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(_first(pem.decode()))).hexdigest().upper()
    return Certificate(
        tuple(names),
        read.issuer.rfc4514_string(),
        read.issuer == read.subject,
        read.not_valid_after_utc.timestamp(),
        ":".join(digest[at : at + 2] for at in range(0, len(digest), 2)),
    )


def make(store: SettingsStore, data: Path, names: Sequence[str]) -> Path:
    """Makes a key and a self-signed certificate for ``names``, in use within seconds; returns where it is.

    Raises TlsError.
    """
    certificate, key = tls.make_certificate(data.resolve() / tls.FOLDER, names)
    store.change(HttpSettings, {"tls_certificate": str(certificate), "tls_key": str(key)})
    return certificate


def take(store: SettingsStore, data: Path, certificate: str, key: str) -> None:
    """Installs a certificate (with its intermediates) and its key, PEM.  Raises tls.TlsError."""
    _check(certificate, key)
    folder = data.resolve() / tls.FOLDER
    durable.make_folder(folder)
    tried = [folder / name for name in _TRIED]
    try:
        for path, text in zip(tried, (certificate, key), strict=True):
            durable.write_file(path, text.encode())
        try:
            tls.load(HttpSettings(str(tried[0]), str(tried[1])))
        except tls.TlsError:
            # Without the names of the temporary files.
            raise tls.TlsError(said("the certificate cannot be used by this box")) from None
        for path, name in zip(tried, _GIVEN, strict=True):
            durable.write_file(folder / name, path.read_bytes())
    finally:
        for path in tried:
            path.unlink(missing_ok=True)
    paths = {"tls_certificate": str(folder / _GIVEN[0]), "tls_key": str(folder / _GIVEN[1])}
    store.change(HttpSettings, paths)


def _check(certificate: str, key: str) -> None:
    """Raises PairError unless certificate and key can be used together."""
    from cryptography import x509  # noqa: PLC0415 (as above)
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415

    def public(found: Any) -> bytes:
        made: bytes = found.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return made

    try:
        of_certificate = public(x509.load_pem_x509_certificate(certificate.encode()).public_key())
    except (ValueError, UnsupportedAlgorithm):
        raise PairError("certificate", said("this is no certificate in PEM form")) from None
    try:
        of_key = public(serialization.load_pem_private_key(key.encode(), None).public_key())
    except TypeError:
        raise PairError("key", said("the key has a password: take it off before")) from None
    except (ValueError, UnsupportedAlgorithm):
        raise PairError("key", said("this is no key in PEM form")) from None
    if of_key != of_certificate:
        raise PairError("key", said("the key does not belong to this certificate"))


def _first(pem: str) -> str:
    """The certificate itself, without its intermediates."""
    _before, _header, rest = pem.partition(ssl.PEM_HEADER)
    return ssl.PEM_HEADER + rest.partition(ssl.PEM_FOOTER)[0] + ssl.PEM_FOOTER
