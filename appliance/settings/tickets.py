"""Tickets, with which a program that can read the data folder signs in at the box that runs on it.

A ticket is an expiry time, signed with the box's session key; nothing is stored for it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from appliance.settings.secrets import SecretSettings
from appliance.settings.store import SettingsStore

LOCAL_PREFIX = "fxl_"
# The name of a program with access to the data folder: the command line, the panel.  It may do everything.
LOCAL_NAME = "local"
# Longest time in a ticket, digits.
_END_DIGITS = 15


def issue_local_ticket(store: SettingsStore, now: float, lifetime_s: float) -> str:
    """A ticket that is valid for ``lifetime_s`` seconds from ``now``, Unix time."""
    end = str(int(now + lifetime_s))
    return f"{LOCAL_PREFIX}{end}.{_signature(store, end)}"


def is_good(store: SettingsStore, ticket: str, now: float) -> bool:
    """Whether this box made ``ticket`` and it has not expired at ``now``, Unix time."""
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
