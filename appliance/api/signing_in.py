"""Signing in with name and password and, if set up, a code of an authenticator app."""

from __future__ import annotations

import hmac
import logging
import secrets as randomness
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pyotp

from appliance.api.causes import CODE_NEEDED, CODE_WRONG, SETUP_CODE_WRONG, SIGN_IN_REFUSED
from appliance.api.context import Context, address_of
from appliance.api.problems import ProblemError
from appliance.durable import DiskFullError
from appliance.settings import secrets
from appliance.settings.accounts import User
from appliance.settings.store import Items

ISSUER = "faxbox"
# RFC 6238: codes change every 30 s; the one before and the one after are accepted, for clocks that differ.
STEP_S, STEPS_BESIDE = 30, 1
# Codes for a lost telephone, each usable once: 50 bits, tried through a rate limit.
RECOVERY_CODES, RECOVERY_LETTERS = 10, 10

# Time to enter the code after the password, seconds, and how many sign-ins may wait for one.
HALF_WAY_S, HALF_WAYS = 300.0, 200

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session: its user, its token, and its end (Unix time)."""

    user_id: int
    user: User
    token: str
    ends_at: float


def sign_in(context: Context, environ: dict[str, Any], name: str, password: str, code: str = "") -> SignedIn:
    """Starts a session for a user who proves their identity.

    ``code``: of the authenticator app, or a recovery code.  Raises ProblemError: SIGN_IN_REFUSED,
    CODE_NEEDED, CODE_WRONG, SIGN_IN_PAUSED.
    """
    user_id, user = check_password(context, environ, name, password)
    if user.totp_secret:
        if not code:
            raise ProblemError(CODE_NEEDED)
        check_code(context, environ, user_id, code)
    return begin_session(context, environ, user_id)


def check_password(context: Context, environ: dict[str, Any], name: str, password: str) -> tuple[int, User]:
    """The user with this name (or e-mail address) and password.  Raises ProblemError."""
    address = address_of(environ)
    with context.sign_ins.guess(address, time.monotonic()):
        found = secrets.find_user(context.box.settings, name, password)
        if found is None:
            known = secrets.user_named(context.box.settings, name) is not None
            # An unknown name is not logged: people type their password there by mistake.
            _refused(context, address, name if known else "no such name")
            raise ProblemError(SIGN_IN_REFUSED)
    return found


def check_code(context: Context, environ: dict[str, Any], user_id: int, code: str) -> None:
    """Raises ProblemError unless this is a valid code of the user's app, or a recovery code."""
    address = address_of(environ)
    user = context.box.settings.item(User, user_id)
    with context.sign_ins.guess(address, time.monotonic()):
        if not _code_fits(context, user_id, user, code):
            _refused(context, address, user.name)
            raise ProblemError(CODE_WRONG)


class HalfWay:
    """Sign-ins with the right password that wait for their code.  Thread-safe, bounded, in memory."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: OrderedDict[str, tuple[int, str, float]] = OrderedDict()

    def begin(self, user_id: int, user: User, now: float) -> str:
        """A token for the form that asks for the code.  ``now``: monotonic, seconds."""
        word = randomness.token_urlsafe(24)
        with self._lock:
            self._waiting[word] = (user_id, user.password_hash, now + HALF_WAY_S)
            while len(self._waiting) > HALF_WAYS:
                self._waiting.popitem(last=False)
        return word

    def user_of(self, word: str, users: Mapping[int, User], now: float) -> int | None:
        """The id of the user with this token, one of ``users``.

        None when it is unknown or too old, the password was changed meanwhile, or the user is disabled.
        """
        with self._lock:
            user_id, proved, until = self._waiting.get(word, (0, "", 0.0))
        user = users.get(user_id)
        if user is None or user.disabled or user.password_hash != proved or now >= until:
            return None
        return user_id

    def done(self, word: str) -> None:
        """Ends the wait for a code."""
        with self._lock:
            self._waiting.pop(word, None)


def set_up(context: Context, environ: dict[str, Any], code: str, name: str, password: str) -> SignedIn:
    """Makes the first administrator, given the one-time set-up code, and starts their session.

    Raises ProblemError (SIGN_IN_REFUSED, SIGN_IN_PAUSED), SettingError for an invalid name or password.
    """
    address = address_of(environ)
    with context.sign_ins.guess(address, time.monotonic()):
        user_id = secrets.redeem_setup_code(context.box.settings, code, name, password)
        if user_id is None:
            raise ProblemError(SETUP_CODE_WRONG)
    context.box.history.audit(f"user:{name}", "set_up", address=address)
    return begin_session(context, environ, user_id)


def begin_session(context: Context, environ: dict[str, Any], user_id: int) -> SignedIn:
    """Starts a session for a user who was authenticated in another way."""
    now, lifetime = context.now(), context.settings.session_hours * 3600
    name = context.box.settings.item(User, user_id).name
    context.box.history.audit(f"user:{name}", "sign_in", address=address_of(environ))
    token = context.sessions.begin(
        user_id,
        now,
        lifetime,
        address=address_of(environ),
        agent=str(environ.get("HTTP_USER_AGENT", "")),
    )
    return SignedIn(user_id, context.box.settings.item(User, user_id), token, now + lifetime)


def _refused(context: Context, address: str, name: str) -> None:
    context.box.history.audit("", "sign_in.refused", address=address, detail=name[:64])


def _code_fits(context: Context, user_id: int, user: User, code: str) -> bool:
    plain = "".join(code.split()).replace("-", "").upper()
    if plain.isascii() and plain.isdecimal():
        step = app_code_step(user.totp_secret, plain, context.now())
        return step is not None and _use_up_step(context, user_id, step)
    digest = secrets.hash_token(plain)
    if not _is_recovery_code(user, digest):
        return False  # and nothing is written for whoever guesses
    left: tuple[str, ...] | None = None

    def use_up(lists: Mapping[type[Any], Items]) -> None:
        nonlocal left
        users = lists[User].items
        present = users.get(user_id)
        # Another may have used it since ``user`` was read.
        if present is not None and _is_recovery_code(present, digest):
            left = tuple(known for known in present.recovery_codes if known != digest)
            users[user_id] = replace(present, recovery_codes=left)

    context.box.settings.revise((User,), use_up)
    if left is None:
        return False
    context.box.history.audit(f"user:{user.name}", "recovery_code.used", detail=f"{len(left)} are left")
    return True


def _use_up_step(context: Context, user_id: int, step: int) -> bool:
    """Whether no code of this step or a later one was used; each code is valid once, restarts included.

    On a disk that cannot be written a right code is taken all the same: the administrator has to get in.
    """
    fresh = False

    def use_up(lists: Mapping[type[Any], Items]) -> None:
        nonlocal fresh
        users = lists[User].items
        present = users.get(user_id)
        # A step far ahead was used while the clock was wrong.
        if present is not None and not step <= present.app_step <= step + 2 * STEPS_BESIDE:
            users[user_id] = replace(present, app_step=step)
            fresh = True

    try:
        context.box.settings.revise((User,), use_up)
    except (OSError, DiskFullError) as error:
        _log.error("a code that was used is not on the disk: %s", error)
    return fresh


def app_code_step(secret: str, code: str, now: float) -> int | None:
    """The step whose code of the app this is at Unix time ``now``; None for a wrong code.

    Raises ValueError for a secret that is not base32.
    """
    totp = pyotp.TOTP(secret, interval=STEP_S)
    present = int(now) // STEP_S
    steps = range(present - STEPS_BESIDE, present + STEPS_BESIDE + 1)
    return next((step for step in steps if hmac.compare_digest(totp.at(step * STEP_S), code)), None)


def new_app_secret(user: User) -> tuple[str, str]:
    """A secret for an authenticator app, and the otpauth URI for its QR code."""
    secret = pyotp.random_base32()
    return secret, pyotp.TOTP(secret, interval=STEP_S).provisioning_uri(name=user.name, issuer_name=ISSUER)


def new_recovery_codes() -> tuple[list[str], list[str]]:
    """New recovery codes in plain text, and their hashes to keep."""
    codes = [
        "".join(randomness.choice(secrets.CODE_ALPHABET) for _ in range(RECOVERY_LETTERS))
        for _ in range(RECOVERY_CODES)
    ]
    # A code of digits alone would be taken for one of the app.
    codes = [f"X{code[1:]}" if code.isdecimal() else code for code in codes]
    return [f"{code[:5]}-{code[5:]}" for code in codes], [secrets.hash_token(code) for code in codes]


def _is_recovery_code(user: User, digest: str) -> bool:
    return any(hmac.compare_digest(digest, known) for known in user.recovery_codes)
