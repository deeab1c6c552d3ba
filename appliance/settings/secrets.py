"""Tokens, passwords and the one-time set-up code: random, stored only as hashes.

Only the set-up code is also stored as it is, in a file of its own, until it is used: the display and the log
show it at every start.  Whoever may read that file may read the keys of the box, too.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from appliance import durable
from appliance.language import said
from appliance.settings.accounts import ApiKey, Scope, User, UserRole
from appliance.settings.fields import SettingError, setting
from appliance.settings.store import SettingsStore

# A token has 256 random bits, so it cannot be guessed and a plain hash is enough.
TOKEN_OCTETS = 32
TOKEN_PREFIX = "fxb_"
# Letters and digits that are not confused when read from a screen or a label.
CODE_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
CODE_LENGTH = 12  # 60 bits; tries are rate-limited
# The file of the valid code in the data folder; backups do not include it.
CODE_FILE = "setup-code"
# scrypt, RFC 7914: 16 MiB and some 50 ms on a small board.
SCRYPT_N, SCRYPT_R, SCRYPT_P = 1 << 14, 8, 1
SALT_OCTETS = 16
DIGEST_OCTETS = 64  # what hashlib.scrypt makes
PASSWORD_MIN = 10
PASSWORD_MAX = 200

# The most passwords that are checked at once: each takes 16 MiB, and strangers may cause many.
PASSWORDS_AT_ONCE = 2
_checking = threading.BoundedSemaphore(PASSWORDS_AT_ONCE)
_redeeming = threading.Lock()  # a code is valid for one user


@dataclass(frozen=True, slots=True)
class SecretSettings:
    """Secrets that the box made at its first start; not to be edited."""

    setup_code_hash: str = setting(
        "", "hash of the one-time set-up code, empty once it was used", secret=True
    )
    session_key: str = setting("", "signs the sessions of the web pages", secret=True)
    webhook_key: str = setting("", "signs webhooks that have no key of their own", secret=True)
    spool_id: str = setting("", "which index of faxes belongs to these settings", secret=True)


def hash_token(token: str) -> str:
    """SHA-256 of a token, in hexadecimal."""
    return hashlib.sha256(token.encode()).hexdigest()


def add_key(
    store: SettingsStore,
    name: str,
    *,
    scopes: tuple[Scope, ...] = (Scope.SEND, Scope.RECEIVE),
    quota: int = 0,
    owner: str = "",
    **more: Any,
) -> tuple[int, str]:
    """Makes an API key; returns its id and its token, which is stored nowhere.

    ``more`` are further fields, as JSON data.  Raises SettingError for a field that is wrong, or a name that
    is taken.
    """

    def check() -> None:
        _require_free("keys.name", name, [key.name for key in store.items(ApiKey).values()])
        require_owner(store, name, owner)

    token = TOKEN_PREFIX + secrets.token_urlsafe(TOKEN_OCTETS)
    key = ApiKey(
        name=name,
        token_hash=hash_token(token),
        owner=owner,
        scopes=scopes,
        pages_per_month=quota,
        webhook_secret=secrets.token_hex(TOKEN_OCTETS),
        created_at=time.time(),
    )
    return store.add(key, more, check=check), token


def require_owner(store: SettingsStore, name: str, owner: str) -> None:
    """Raises SettingError when the key ``name`` would be for a user who does not exist, or, without an
    owner, for the user of the same name.
    """
    if owner and user_named(store, owner) is None:
        raise SettingError("keys.owner", said("there is no such user"))
    if not owner and user_named(store, name) is not None:
        sentence = said(
            "there is a user {name}, whose faxes the key would handle: make it for that user, then"
        )
        raise SettingError("keys.name", sentence.format(name=repr(name)))


def _require_free(path: str, name: str, taken: Iterable[str]) -> None:
    """Raises SettingError for the name of a user or key that is taken, or that looks like another."""
    if name != name.strip():
        raise SettingError(path, said("no blank may stand at its end"))
    for other in taken:
        if other.strip().lower() == name.lower():
            raise SettingError(path, said("there is {name} already").format(name=repr(other)))


def find_key(store: SettingsStore, token: str) -> tuple[int, ApiKey] | None:
    """The key with this token, None when there is none or it is disabled."""
    wanted = hash_token(token)
    for key_id, key in store.items(ApiKey).items():
        if hmac.compare_digest(key.token_hash, wanted):
            return None if key.disabled else (key_id, key)
    return None


def hash_password(password: str) -> str:
    """Salted scrypt hash.  Raises SettingError for a password too short or too long."""
    if not PASSWORD_MIN <= len(password) <= PASSWORD_MAX:
        length = said("{least} to {most} characters").format(least=PASSWORD_MIN, most=PASSWORD_MAX)
        raise SettingError("users.password", length)
    salt = secrets.token_bytes(SALT_OCTETS)
    digest = hashlib.scrypt(password.encode(), salt=salt, n=SCRYPT_N, r=SCRYPT_R, p=SCRYPT_P)
    return _hash_text(salt, digest)


def check_password(password: str, hashed: str) -> bool:
    """Whether this is the password.  Waits while others are checked.

    A text that is not a hash matches no password, and takes as long as a hash.
    """
    if len(password) > PASSWORD_MAX:
        return False
    _, n, r, p, salt, digest = (hashed if hashed.startswith("scrypt$") else NOBODY).split("$")
    with _checking:
        made = hashlib.scrypt(password.encode(), salt=base64.b64decode(salt), n=int(n), r=int(r), p=int(p))
    return hmac.compare_digest(made, base64.b64decode(digest))


def find_user(store: SettingsStore, name: str, password: str) -> tuple[int, User] | None:
    """The user who signs in so, None when name or password is wrong or the user is disabled.

    ``name``: theirs or their e-mail address, as telephones write it: in any case, with a blank behind.
    """
    wanted = name.strip()
    users = store.items(User).items()
    found = next((item for item in users if item[1].name == wanted), None) or next(
        (
            item
            for item in users
            if wanted and wanted.lower() in (item[1].name.lower(), item[1].email.lower())
        ),
        None,
    )
    fits = check_password(password, found[1].password_hash if found is not None else NOBODY)
    return found if found is not None and fits and not found[1].disabled else None


def user_named(store: SettingsStore, name: str) -> User | None:
    """The user of this name, disabled or not."""
    return next((user for user in store.items(User).values() if user.name == name), None)


def add_user(
    store: SettingsStore, name: str, password: str | None, *, role: UserRole = UserRole.USER, **more: Any
) -> int:
    """Adds a user; ``more`` are further fields, as JSON data.  Returns the id.

    Without a password the user cannot sign in.

    Raises SettingError for a name that is taken, a weak password or a field that is wrong.
    """

    def check() -> None:
        _require_free("users.name", name, [user.name for user in store.items(User).values()])
        if any(not key.owner and key.name == name for key in store.items(ApiKey).values()):
            sentence = said("there is a key {name}: this user would see its faxes")
            raise SettingError("users.name", sentence.format(name=repr(name)))

    check()  # before the hash, which takes a while
    hashed = "" if password is None else hash_password(password)
    return store.add(User(name=name, password_hash=hashed, role=role), more, check=check)


def first_start(store: SettingsStore) -> str | None:
    """Makes the box's own keys when they are missing.

    Returns the one-time set-up code if it made one, which it does for a box without user and code.
    """
    made = store.section(SecretSettings)
    values: dict[str, str] = {}
    if not made.session_key:
        values["session_key"] = secrets.token_hex(TOKEN_OCTETS)
    if not made.webhook_key:
        values["webhook_key"] = secrets.token_hex(TOKEN_OCTETS)
    code = None
    if not made.setup_code_hash and not store.items(User):
        code, values["setup_code_hash"] = _new_code(store)
    if values:
        store.change(SecretSettings, values)
    return code


def new_setup_code(store: SettingsStore) -> str:
    """Makes a new set-up code, for an owner who lost the first one or the password."""
    code, hashed = _new_code(store)
    store.change(SecretSettings, {"setup_code_hash": hashed})
    return code


def present_setup_code(store: SettingsStore) -> str:
    """The valid set-up code; empty when there is none or its file is missing."""
    expected = store.section(SecretSettings).setup_code_hash
    try:
        durable.require_file(store.folder / CODE_FILE)
        code = (store.folder / CODE_FILE).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
    return code if expected and hmac.compare_digest(expected, hash_token(_plain_code(code))) else ""


def redeem_setup_code(store: SettingsStore, code: str, name: str, password: str) -> int | None:
    """Makes an administrator and invalidates the code.

    Returns the user's id, None for a wrong code.  Raises SettingError as ``add_user``; then the code stays
    valid.
    """
    with _redeeming:
        expected = store.section(SecretSettings).setup_code_hash
        if not expected or not hmac.compare_digest(expected, hash_token(_plain_code(code))):
            return None
        user_id = add_user(store, name, password, role=UserRole.ADMIN)
        store.change(SecretSettings, {"setup_code_hash": ""})
        (store.folder / CODE_FILE).unlink(missing_ok=True)
    return user_id


def _new_code(store: SettingsStore) -> tuple[str, str]:
    """A new code, written to its file, and its hash, which makes it valid once it is in the settings."""
    plain = "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))
    code = "-".join(plain[at : at + 4] for at in range(0, CODE_LENGTH, 4))
    durable.write_file(store.folder / CODE_FILE, f"{code}\n".encode())
    return code, hash_token(plain)


def _plain_code(code: str) -> str:
    return "".join(letter for letter in code.upper() if letter in CODE_ALPHABET)


def _hash_text(salt: bytes, digest: bytes) -> str:
    parts = (str(SCRYPT_N), str(SCRYPT_R), str(SCRYPT_P), _text(salt), _text(digest))
    return "scrypt$" + "$".join(parts)


def _text(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


# A hash of no password, checked for unknown names, so that they take as long as known ones.
NOBODY = _hash_text(secrets.token_bytes(SALT_OCTETS), secrets.token_bytes(DIGEST_OCTETS))
