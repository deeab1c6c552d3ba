"""The message that an iFax style client is sent when a fax ends.  Pure."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

EVENT = "fax.completed"
SIGNATURE_HEADER = "X-iFax-Signature"
# Waits before the further tries of a failed delivery, s.
TIMETABLE: tuple[float, ...] = (300.0, 600.0, 1200.0, 1800.0, 3600.0)


def message(fax: Mapping[str, Any], timestamp: float) -> dict[str, Any]:
    """What is sent of a fax that ended: ``fax`` is its fax object, ``timestamp`` the end, Unix time."""
    return {"event": EVENT, "timestamp": int(timestamp), "data": dict(fax)}


def signature(secret: str, body: bytes) -> str:
    """HMAC-SHA256 of the raw body, in hexadecimal."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
