"""Whether, and when, an offer that the peer refused is made again (RFC 3261 14.1 and 14.2)."""

from __future__ import annotations

from collections.abc import Callable

from appliance.lines.sip.codes import REQUEST_PENDING, SERVER_ERROR

# RFC 3261 14.1: after 491 the owner of the Call-ID waits 2.1 to 4 s, the other side 0 to 2 s, both in
# units of 10 ms.
GLARE_OWNER_S = (2.1, 4.0)
GLARE_OTHER_S = (0.0, 2.0)
GLARE_UNIT_S = 0.01
# RFC 3261 14.2: a 500 to a re-INVITE that crosses another carries Retry-After of 0 to 10 s.
MAX_RETRY_AFTER_S = 10.0
# Rounds of glare before we leave the switch to the peer; two ends with these waits need one or two.
MAX_GLARE = 5


class Retries:
    """The offers of one call that are made again.

    ``caller`` says that the call (and its Call-ID) is ours.  ``pick`` returns a number between two
    bounds (``random.uniform``).
    """

    def __init__(self, *, caller: bool, pick: Callable[[float, float], float]) -> None:
        self._bounds_s = GLARE_OWNER_S if caller else GLARE_OTHER_S
        self._pick = pick
        self.rounds = 0  # of offers made again, in this call

    @property
    def exhausted(self) -> bool:
        """Whether no further offer is made in this call."""
        return self.rounds >= MAX_GLARE

    def wait_s(self, code: int, retry_after_s: float | None) -> float | None:
        """Seconds from a refusal with this status to the next offer; None where the refusal is final."""
        if code == REQUEST_PENDING:
            return round(self._pick(*self._bounds_s) / GLARE_UNIT_S) * GLARE_UNIT_S
        if code == SERVER_ERROR and retry_after_s is not None:
            return min(retry_after_s, MAX_RETRY_AFTER_S)
        return None
