"""Sends a command's fax by the running box.

Only one process may register a SIP account: a second one would get the first one's calls, and would remove
the registration when it ends.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from appliance.causes import CANCELLED, Cause, cause_of
from appliance.commands.account import Account
from appliance.commands.running_box import BoxRefusedError, BoxUnreachableError, RunningBox
from appliance.t30.parameters import CallResult, Progress, carrier_of

_ENDED = frozenset({"delivered", "failed", "cancelled", "unknown"})
# Interval of asking for the fax's state, seconds.
LOOK_S = 0.3


@dataclass(frozen=True, slots=True)
class Through:
    """The outcome of the fax; ``trace``: the lines of its call's trace."""

    result: CallResult
    pages: int
    seconds: float
    trace: tuple[Progress, ...] = field(default=(), repr=False)


class InterruptedFaxError(Exception):
    """The person stopped waiting; the fax ``fax_id`` stays in the box."""

    def __init__(self, fax_id: int) -> None:
        super().__init__(f"fax {fax_id} stays in the box and is sent; to stop it: faxbox cancel {fax_id}")
        self.fax_id = fax_id


def running_on(data: Path) -> RunningBox | None:
    """The box that runs on this folder, None when none answers."""
    try:
        box = RunningBox(data)
        with contextlib.suppress(BoxRefusedError):  # it runs, and something is wrong with it
            box.get("/health")
    except (BoxUnreachableError, OSError, ValueError):
        return None
    return box


def send_through(
    box: RunningBox, request: dict[str, Any], show: Callable[[str], None], *, once: bool = True
) -> Through:
    """Submits ``request`` (a NewFax of the REST API), shows the progress of its calls, returns the outcome.

    With ``once`` it has one call, and a fax that would have to wait (no usable line, a limit) is cancelled.
    One that is HELD because something of its document is lost stays so.  Raises BoxRefusedError,
    BoxUnreachableError, and InterruptedFaxError when the person stops waiting.
    """
    account = Account(0, show)
    events = box.events()
    fax = box.post("/faxes", {**request, "max_tries": 1} if once else request)["faxes"][0]
    if not once:
        show(f"It is fax {fax['id']} of the box.")
    try:
        return _follow(box, events, fax["id"], account, once=once)
    except KeyboardInterrupt:
        raise InterruptedFaxError(fax["id"]) from None


def _follow(box: RunningBox, events: Any, fax_id: int, account: Account, *, once: bool) -> Through:
    watcher = threading.Thread(target=_tell, args=(events, fax_id, account), daemon=True)
    watcher.start()
    cause = None
    said = -1  # number of the last reported try
    while True:
        fax = box.get(f"/faxes/{fax_id}")
        if fax["state"] in _ENDED or (fax["state"] == "held" and fax["pages"] is not None):
            for remark in fax["remarks"]:
                account.say(f"{remark['weight']}: {remark['sentence']} {remark['detail']}".rstrip())
            break
        if fax["state"] == "waiting" and fax["result"] is not None:
            if once and cause is None:
                cause = cause_of(fax["result"]["code"])
                box.post(f"/faxes/{fax_id}/cancel", {})
            elif not once and said != fax["tries"]:
                said = fax["tries"]
                account.say(f"{fax['result']['sentence']} The next try is at {_clock(fax['next_try_at'])}.")
        time.sleep(LOOK_S)
    return _through(box, fax, cause)


def _clock(moment: str) -> str:
    return datetime.fromisoformat(moment).astimezone().strftime("%H:%M:%S")


def _through(box: RunningBox, fax: dict[str, Any], waited_for: Cause | None) -> Through:
    cause = cause_of(fax["result"]["code"]) if fax["result"] is not None else CANCELLED
    if cause is CANCELLED and waited_for is not None:
        cause = waited_for
    attempts = fax["attempts"]
    facts = attempts[-1]["facts"] if attempts else {}
    result = CallResult(
        cause, pages_sent=fax["pages_confirmed"], carrier=carrier_of(facts), ecm=bool(facts.get("ecm", False))
    )
    trace = _trace(box, fax["id"], attempts[-1]["number"]) if attempts else ()
    return Through(result, fax["pages"] or 0, fax["seconds_on_line"], trace)


def _trace(box: RunningBox, fax_id: int, attempt: int) -> tuple[Progress, ...]:
    try:
        text = box.read(f"/faxes/{fax_id}/attempts/{attempt}/trace").decode("utf-8", "replace")
    except BoxRefusedError:
        return ()  # the box keeps none
    lines = (json.loads(line) for line in text.splitlines() if line)
    return tuple(
        Progress(line.pop("at"), line.pop("event"), tuple(line.items())) for line in lines if "at" in line
    )


def _tell(events: Any, fax_id: int, account: Account) -> None:
    """Shows the fax's events, until the box or this process ends."""
    try:
        for event in events:
            if event["fax_id"] == fax_id and event["kind"] == "call.progress":
                account.hear_event(event)
    except (OSError, ValueError):
        return
