"""Tickets: how a program that can read the box's folder signs in at the box that runs on it.

A ticket is an end, signed with the box's session key; nothing is stored for it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from appliance.settings.secrets import SecretSettings
from appliance.settings.store import SettingsStore

LOCAL_PREFIX = "fxl_"
# Whoever holds the data folder: the command line, the panel.  May do everything.
LOCAL_NAME = "local"
# A time as a ticket writes it is never longer, digits.
_END_DIGITS = 15


def issue_local_ticket(store: SettingsStore, now: float, lifetime_s: float) -> str:
    """A ticket that is good for ``lifetime_s`` seconds from ``now``, Unix time."""
    end = str(int(now + lifetime_s))
    return f"{LOCAL_PREFIX}{end}.{_signature(store, end)}"


def is_good(store: SettingsStore, ticket: str, now: float) -> bool:
    """Whether ``ticket`` is one of this box's that has not ended."""
    end, _, signature = ticket.removeprefix(LOCAL_PREFIX).partition(".")
    if not end.isdecimal() or len(end) > _END_DIGITS:
        return False
    return hmac.compare_digest(signature, _signature(store, end)) and now < int(end)


def _signature(store: SettingsStore, end: str) -> str:
    key = store.section(SecretSettings).session_key
    if not key:
        raise RuntimeError("the box has no session key: it was never started")
    digest = hmac.new(key.encode(), f"{LOCAL_NAME}|{end}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
