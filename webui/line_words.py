"""Sentences about the state of lines that contain no names or times, marked for translation."""

from __future__ import annotations

from appliance.dispatch.pool import CLOSED, RETIRING

# As in ``LineState.sentence``.
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
