"""What lines say of themselves that has no name or time in it, so that it can be said in other languages."""

from __future__ import annotations

from appliance.dispatch.pool import CLOSED, RETIRING

# As ``LineState.sentence`` has them.
LINE_SENTENCES = (
    "The practice line is ready; nothing sent over it leaves the box.",
    "The practice line is stopped.",
    "The line could not be opened.",
    "The line is stopped.",
    "The line has not been started.",
    "Looking for the modem.",
    "A call is up.",
    RETIRING,
    CLOSED,
)
