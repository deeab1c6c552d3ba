"""The check of a SIP trunk: what a fax sent over it showed, in plain words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from appliance.api.problems import ProblemError
from appliance.api.rest.routes import Answer, Call, Routes
from appliance.api.rest.schemas import array, flag, record, text
from appliance.box import Box
from appliance.language import said
from appliance.lines.settings import LineSettings
from appliance.lines.sip.check_report import TrunkReport, report_afterwards
from appliance.lines.sip.settings import SipTrunk
from appliance.services.causes import STATE_FORBIDS
from appliance.settings.accounts import Scope
from appliance.spool.model import Attempt, Job

# Octets of a trace that are examined; the rest of a longer one is ignored.
_TRACE_OCTETS = 4 << 20


def trunk_report(box: Box, job: Job, attempts: list[Attempt]) -> TrunkReport | None:
    """What the last call of a fax showed; None while it goes on, or when no trunk carried it."""
    if not job.state.ended or not attempts:
        return None
    last = attempts[-1]
    trunks = box.settings.items(LineSettings).values()
    trunk = next((each for each in trunks if each.name == last.line and isinstance(each, SipTrunk)), None)
    if not isinstance(trunk, SipTrunk) or last.cause is None:
        return None
    state = next((each.state for each in box.lines() if each.name == trunk.name), None)
    sentence, error = (state.sentence, state.last_error) if state is not None else ("", "")
    return report_afterwards(
        last.cause,
        pages=last.pages_confirmed,
        facts=last.facts,
        account=_account(box, last.trace_path),
        media=trunk.media,
        before=sentence,
        last_error=error,
    )


def _account(box: Box, path: str) -> Iterator[dict[str, Any]]:
    """The trace of a call, line by line; empty when the box keeps none."""
    if not path:
        return
    try:
        with (box.data / path).open("rb") as file:
            lines = file.read(_TRACE_OCTETS).decode("utf-8", "replace").splitlines()
    except OSError:
        return
    for line in lines:
        try:
            facts = json.loads(line)
        except ValueError:
            continue  # cut off
        if isinstance(facts, dict):
            yield facts


routes = Routes(tag="faxes", scope=Scope.ADMIN)


@routes(
    "GET",
    "/faxes/{id}/trunk-check",
    answer=record(
        {
            "usable": flag("the fax went through"),
            "t38": flag("as T.38"),
            "findings": array(text(2000)),
            "advice": array(text(2000), help="what to change, or to ask the provider"),
        }
    ),
)
def check_trunk(call: Call) -> Answer:
    """Read what the call of a fax shows about the SIP trunk."""
    job, attempts = call.box.faxes.with_attempts(call.arguments["id"], call.caller.sees)
    found = trunk_report(call.box, job, attempts)
    if found is None:
        raise ProblemError(STATE_FORBIDS, "no call over a SIP trunk has ended")
    return Answer(
        {
            "usable": found.usable,
            "t38": found.t38,
            "findings": [said(each) for each in found.findings],
            "advice": [said(each) for each in found.advice],
        }
    )
