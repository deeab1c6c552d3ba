"""A fax of a command's, handed to the box that runs beside it.

One account has one process: a second that registers it takes the first one's calls away, and the whole
registration with it when it leaves.
"""

from __future__ import annotations

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
from appliance.t30.parameters import ALL_CARRIERS, CallResult, Progress

_ENDED = frozenset({"delivered", "failed", "cancelled", "unknown"})
# The fax is looked at so often, seconds.
LOOK_S = 0.3


@dataclass(frozen=True, slots=True)
class Through:
    """How the fax went; ``trace`` is the account of its call, line by line."""

    result: CallResult
    pages: int
    seconds: float
    trace: tuple[Progress, ...] = field(default=(), repr=False)


def running_on(data: Path) -> RunningBox | None:
    """The box that answers for this folder, None where none does."""
    try:
        box = RunningBox(data)
        box.get("/health")
    except (BoxUnreachableError, OSError, ValueError):
        return None
    return box


def send_through(box: RunningBox, request: dict[str, Any], show: Callable[[str], None]) -> Through:
    """Hands ``request`` (a NewFax of the REST API) in, tells how its one call goes, and how it went.

    A fax that would have to wait (no line works, a limit is reached) is taken back.  Raises BoxRefusedError,
    BoxUnreachableError.
    """
    account = Account(0, show)
    events = box.events()
    fax = box.post("/faxes", {**request, "max_tries": 1})["faxes"][0]
    watcher = threading.Thread(target=_tell, args=(events, fax["id"], account), daemon=True)
    watcher.start()
    cause = None
    while True:
        fax = box.get(f"/faxes/{fax['id']}")
        if fax["state"] in _ENDED:
            break
        if fax["state"] == "waiting" and fax["result"] is not None and cause is None:
            cause = cause_of(fax["result"]["code"])
            box.post(f"/faxes/{fax['id']}/cancel", {})
        time.sleep(LOOK_S)
    return _through(box, fax, cause)


def _through(box: RunningBox, fax: dict[str, Any], waited_for: Cause | None) -> Through:
    cause = cause_of(fax["result"]["code"]) if fax["result"] is not None else CANCELLED
    if cause is CANCELLED and waited_for is not None:
        cause = waited_for
    attempts = fax["attempts"]
    facts = attempts[-1]["facts"] if attempts else {}
    carrier = next(
        (
            each
            for each in ALL_CARRIERS
            if each.bit_rate == facts.get("bit_rate") and each.modulation.value == facts.get("modulation")
        ),
        None,
    )
    result = CallResult(
        cause, pages_sent=fax["pages_confirmed"], carrier=carrier, ecm=bool(facts.get("ecm", False))
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
    """Tells what happens to the fax, until the box or this process ends."""
    try:
        for event in events:
            if event["fax_id"] == fax_id and event["kind"] == "call.progress":
                facts = dict(event["data"])
                at = datetime.fromisoformat(event["at"]).timestamp()
                account.hear(Progress(at, facts.pop("event"), tuple(facts.items())))
    except (OSError, ValueError):
        return
