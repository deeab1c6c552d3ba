"""The box's key for reports: Ed25519 (RFC 8032).  A report says which key signed it."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from appliance import durable

KEY_FILE = "hardware-test.key"


class KeyDamagedError(Exception):
    """The box's key cannot be read."""


def box_key(data: Path) -> Ed25519PrivateKey:
    """The key of the box in folder ``data``, made at the first call.  Raises KeyDamagedError, OSError."""
    path = data / KEY_FILE
    try:
        found = load_pem_private_key(path.read_bytes(), None)
    except FileNotFoundError:
        made = Ed25519PrivateKey.generate()
        pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        durable.write_file(path, pem)
        path.chmod(0o600)
        return made
    except ValueError as error:
        raise KeyDamagedError(f"{path}: {error}") from error
    if not isinstance(found, Ed25519PrivateKey):
        raise KeyDamagedError(f"{path} is a key of another kind")
    return found


def public_text(key: Ed25519PrivateKey) -> str:
    """The public key in the form of reports."""
    return base64.b64encode(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def signed(document: Mapping[str, Any], key: Ed25519PrivateKey) -> dict[str, Any]:
    """``document`` with ``key`` and ``signature``, which covers everything else."""
    whole = {**document, "key": public_text(key)}
    return {**whole, "signature": base64.b64encode(key.sign(_octets(whole))).decode()}


def signature_of(octets: bytes, key: Ed25519PrivateKey) -> str:
    """The signature of ``octets``."""
    return base64.b64encode(key.sign(octets)).decode()


def is_signed(document: Mapping[str, Any], expected_key: str = "") -> bool:
    """Whether the document is unchanged since it was signed, and signed by ``expected_key`` if that is
    given.
    """
    whole = {name: value for name, value in document.items() if name != "signature"}
    key = str(whole.get("key", ""))
    return key == (expected_key or key) and is_signature(
        _octets(whole), str(document.get("signature", "")), key
    )


def is_signature(octets: bytes, signature: str, key: str) -> bool:
    """Whether ``signature`` is the signature of ``octets`` by ``key``."""
    try:
        public = Ed25519PublicKey.from_public_bytes(base64.b64decode(key, validate=True))
        public.verify(base64.b64decode(signature, validate=True), octets)
    except (InvalidSignature, ValueError):
        return False
    return True


def _octets(document: Mapping[str, Any]) -> bytes:
    """The canonical form of a document, which is signed."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
