"""The box's key: loads or makes it, refuses to start without it, and encrypts files from before.

``at-rest.json`` in the data folder has the id of the key that the box encrypts with (never the key), and
whether that is in a file or derived from a passphrase.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

from appliance import at_rest, durable
from appliance.spool.folders import DOCUMENTS, RECEIVED, RENDERED, SET_ASIDE
from appliance.spool.model import PACKETS
from appliance.spool.settings import StorageSettings
from appliance.spool.transaction import Tx

_log = logging.getLogger(__name__)

LOCK_FILE = "at-rest.json"
PREVIEWS = "previews"
# Folders with content of documents.
SEALED_FOLDERS = (DOCUMENTS, RENDERED, RECEIVED, SET_ASIDE, PREVIEWS, PACKETS)
# A file is encrypted later when it was written this recently, seconds: packets of a call may still be added.
QUIET_S = 600.0
# Environment variable with the file of the passphrase; else systemd's credential of that name.
PASSPHRASE_VARIABLE = "FAXBOX_PASSPHRASE_FILE"
CREDENTIAL = "faxbox-passphrase"
PASSPHRASE_MIN = 12
# scrypt, RFC 7914: 128 MiB and about half a second, once at start.
_SCRYPT_N, _SCRYPT_R, _SCRYPT_P = 1 << 17, 8, 1
_SCRYPT_MEMORY = 256 << 20


class KeyLostError(Exception):
    """The key of the stored files is missing or another one.  Nothing was changed."""


def open_vault(data: Path, storage: StorageSettings) -> bool:
    """Loads the key, or makes it, before anything is read or written; returns whether writing is encrypted.

    Raises KeyLostError.
    """
    wanted = storage.encrypt
    known = _read_lock(data)
    if not wanted and known is None:
        at_rest.unlock_folder(data)
        return False
    try:
        key = _find_key(data, storage, known)
    except KeyLostError as error:
        if wanted:
            raise
        _log.warning("%s  What was encrypted cannot be read.", error)
        return False
    if wanted:
        at_rest.lock_folder(data, key)
    else:
        at_rest.unlock_folder(data)
        at_rest.know(key)
    return wanted


def _read_lock(data: Path) -> dict[str, str] | None:
    try:
        durable.require_file(data / LOCK_FILE)
        given = json.loads((data / LOCK_FILE).read_bytes())
        return {"id": str(given["id"]), "salt": str(given["salt"]), "from": str(given["from"])}
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise KeyLostError(
            f"{data / LOCK_FILE} cannot be read ({error}): put it back from a copy of the folder."
        ) from error


def _find_key(data: Path, storage: StorageSettings, known: dict[str, str] | None) -> bytes:
    passphrase = _passphrase()
    by_passphrase = passphrase is not None if known is None else known["from"] == "passphrase"
    if by_passphrase:
        if passphrase is None:
            raise KeyLostError(
                "What is stored is encrypted with a passphrase, and none was given:"
                f" name a file with it in {PASSPHRASE_VARIABLE}, or give systemd's credential {CREDENTIAL}."
            )
        salt = bytes.fromhex(known["salt"]) if known else secrets.token_bytes(16)
        key = hashlib.scrypt(
            passphrase, salt=salt, n=_SCRYPT_N, r=_SCRYPT_R, p=_SCRYPT_P, maxmem=_SCRYPT_MEMORY, dklen=32
        )
        whose = "The passphrase"
    else:
        salt, path = b"", storage.key_path(data)
        key = _key_of_file(path, data, make=known is None)
        whose = f"The key in {path}"
    key_id = at_rest.id_of(key).hex()
    if known is None:
        lock = {"id": key_id, "salt": salt.hex(), "from": "passphrase" if by_passphrase else "file"}
        durable.make_folder(data)
        durable.write_file(data / LOCK_FILE, json.dumps(lock).encode())
    elif key_id != known["id"]:
        raise KeyLostError(
            f"{whose} is not the one that the stored faxes are encrypted with: give the old one."
        )
    return key


def _passphrase() -> bytes | None:
    name = os.environ.get(PASSPHRASE_VARIABLE, "")
    credentials = os.environ.get("CREDENTIALS_DIRECTORY", "")
    path = Path(name) if name else Path(credentials) / CREDENTIAL if credentials else None
    if path is None or (not name and not path.exists()):
        return None
    try:
        given = path.read_bytes().rstrip(b"\r\n")
    except OSError as error:
        raise KeyLostError(f"The passphrase cannot be read: {error}") from error
    if len(given) < PASSPHRASE_MIN:
        raise KeyLostError(f"The passphrase is shorter than {PASSPHRASE_MIN} characters.")
    return given


def _key_of_file(path: Path, data: Path, *, make: bool) -> bytes:
    if path.absolute().resolve().is_relative_to(data.absolute().resolve()):
        raise KeyLostError(
            f"The key file {path} lies in the data folder, so that whoever takes the one has the other:"
            " set storage.key_file to another place."
        )
    try:
        durable.require_file(path)
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except FileNotFoundError:
        if not make:
            raise KeyLostError(
                f"The key of the stored faxes is not in {path}: put it back there, or set storage.key_file."
                " Nothing was changed."
            ) from None
        key = secrets.token_bytes(at_rest.KEY_OCTETS)
        try:
            durable.make_folder(path.parent)
            durable.write_file(path, key.hex().encode() + b"\n")
        except (OSError, durable.DiskFullError) as error:
            raise KeyLostError(
                f"The key cannot be written to {path} ({error}): set storage.key_file to another place."
            ) from error
        _log.warning("a key was made in %s: keep a copy elsewhere, without it stored faxes are lost", path)
    except (OSError, ValueError) as error:
        raise KeyLostError(f"The key file {path} cannot be used: {error}") from error
    if len(key) != at_rest.KEY_OCTETS:
        raise KeyLostError(f"The key file {path} does not hold a key.")
    return key


# -- what was stored before ------------------------------------------------------------------------


def seal_files(data: Path, *, overwrite: bool, quiet_s: float = QUIET_S) -> int:
    """Encrypts the files that are not encrypted yet; returns their number.  May be interrupted at any time.

    ``overwrite``: the box does not run, so the old content is overwritten on the disk.  Raises OSError,
    DiskFullError.
    """
    count, before = 0, time.time() - quiet_s
    if not at_rest.locked(data):
        return 0
    for path in _files(data):
        try:
            if path.stat().st_mtime <= before and not path.name.endswith(durable.PART_SUFFIX):
                count += at_rest.seal_file(path, overwrite=overwrite)
        except FileNotFoundError:
            continue  # it was a temporary file
    return count


def _files(data: Path) -> Iterator[Path]:
    for folder in SEALED_FOLDERS:
        for place, _, names in os.walk(data / folder):
            yield from (Path(place) / name for name in names)


def seal_texts(tx: Tx, data: Path) -> None:
    """Encrypts cover messages and notes in the index, and deletes the recognised text of received faxes."""
    for row in tx.db.execute(
        "SELECT id, json_extract(options, '$.cover.message') AS message FROM submission"
        " WHERE json_extract(options, '$.cover.message') <> ''"
        " AND json_extract(options, '$.cover.message') NOT LIKE 'sealed:%'"
    ).fetchall():
        tx.db.execute(
            "UPDATE submission SET options = json_set(options, '$.cover.message', ?) WHERE id = ?",
            (at_rest.seal_text(data, row["message"]), row["id"]),
        )
    for row in tx.db.execute("SELECT id, text FROM note WHERE text NOT LIKE 'sealed:%'").fetchall():
        sealed = at_rest.seal_text(data, row["text"])
        tx.db.execute("UPDATE note SET text = ? WHERE id = ?", (sealed, row["id"]))
    tx.db.execute("UPDATE received_text SET text = '' WHERE text <> ''")
