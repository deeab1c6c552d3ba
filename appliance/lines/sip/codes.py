"""SIP status codes that the box sends, or acts upon (RFC 3261 section 21)."""

from __future__ import annotations

FORBIDDEN = 403
NOT_FOUND = 404
TIMED_OUT = 408
TEMPORARILY_UNAVAILABLE = 480
BUSY_HERE = 486
NOT_ACCEPTABLE_HERE = 488
REQUEST_PENDING = 491
SERVER_ERROR = 500
DECLINE = 603
# The answers to an offer of T.38 that nobody handles: no answer in time, and unknown call.
NO_PROPER_ANSWER = frozenset({TIMED_OUT, 481})
