"""The session timer of a call (RFC 4028), as far as the stack leaves it to us.

The stack refreshes a session when that is its part, once, and ends the call if no refresh gets through; it
does so in the middle of a fax.  So a session that nobody has refreshed is refreshed by us before.
"""

from __future__ import annotations

import re

from appliance.lines.sip import messages

# A share of the session's time.  RFC 4028 7.2: whoever refreshes does it after half of it; 10: the other side
# ends the call a third of it, or 32 s, before its end.
REFRESH_AFTER = 0.6

_REFRESHES = re.compile(r"[0-9]+\s+(?:INVITE|UPDATE)\s*")
_SECONDS = re.compile(r"[0-9]{1,6}")


class SessionTimer:
    """Follows the refreshes of a call; times are seconds of one clock."""

    def __init__(self) -> None:
        self._refresh_at: float | None = None

    def follow(self, message: str, now: float) -> None:
        """Takes a message of the call, sent or received: a 2xx to INVITE or UPDATE sets the timer."""
        if messages.status_code(message) // 100 != 2:
            return
        found = messages.headers(message)
        if _REFRESHES.fullmatch(messages.first(found, "cseq")):
            lasts = _SECONDS.match(messages.first(found, "session-expires"))
            self._refresh_at = None if lasts is None else now + int(lasts[0]) * REFRESH_AFTER

    def take_due(self, now: float) -> bool:
        """Whether we are to refresh the session now; True once for each refresh that was missed."""
        if self._refresh_at is None or now < self._refresh_at:
            return False
        self._refresh_at = None
        return True
