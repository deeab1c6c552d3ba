"""Progress events of a practice call before it is connected."""

from __future__ import annotations

from appliance.causes import Cause
from appliance.t30.parameters import CallResult, Phase, Progress


def progress(event: str, **facts: str | int) -> Progress:
    """A progress event from before the call is connected, at time 0."""
    return Progress(0.0, event, tuple(facts.items()))


def not_connected(cause: Cause) -> CallResult:
    """The result of a call that nobody answered."""
    return CallResult(cause=cause, phase=Phase.A)
