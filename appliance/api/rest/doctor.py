"""The doctor: the state of everything the box needs, in the reader's language, and the support bundle."""

from __future__ import annotations

from typing import Any

from appliance.api.rest import mail, system
from appliance.api.rest.content import saved_as
from appliance.api.rest.routes import Answer, Call, Routes
from appliance.api.rest.schemas import array, choice, component, record, text
from appliance.api.rest.views import values
from appliance.doctor import bundle
from appliance.doctor.findings import Finding, State, examine
from appliance.doctor.looks import looks
from appliance.doctor.versions import versions
from appliance.settings.accounts import Scope

_ZIP = "application/zip"
FINDING = component(
    "Finding",
    record(
        {
            "part": text(40, help="what was looked at, such as disk"),
            "state": choice(
                *values(State), help="warning: works, and not for long; skipped: could not be looked at"
            ),
            "sentence": text(500, help="in the language of Accept-Language, as far as the box speaks it"),
            "advice": text(500, help="what to do; empty: nothing"),
            "detail": text(2000, help="what was measured; empty: nothing"),
        }
    ),
)


class _ThisBox:
    """The box itself, in the form in which the doctor asks a box."""

    def __init__(self, call: Call) -> None:
        self._answers = {"/status": system.status, "/lines": system.lines, "/mail": mail.state}
        self._call = call

    def get(self, path: str) -> Any:
        return self._answers[path](self._call).body


def _found(call: Call) -> list[Finding]:
    return list(examine(looks(call.box.data, call.box.settings, _ThisBox(call))))


routes = Routes(tag="system", scope=Scope.ADMIN)


@routes(
    "GET",
    "/doctor",
    "examineBox",
    "Look at everything that the box needs, and say what to do",
    answer=record({"findings": array(FINDING)}),
    help="Takes some seconds: names are resolved, the package manager is asked.",
)
def doctor(call: Call) -> Answer:
    """Checks everything; takes some seconds."""
    return Answer({"findings": [finding.view() for finding in _found(call)]})


@routes(
    "GET",
    "/doctor/bundle",
    "getSupportBundle",
    "The same for somebody who helps, as a ZIP file",
    media=(_ZIP,),
    help="Findings, versions, settings and the log: no secrets, no faxes, numbers down to their last two"
    " digits.",
)
def support_bundle(call: Call) -> Answer:
    """Answers a ZIP file of the doctor's findings, versions, and settings without secrets."""
    views = [finding.view() for finding in _found(call)]
    call.note("doctor.bundle")
    return Answer(
        content=bundle.zipped(views, versions(), call.box.settings.export()),
        headers=saved_as("faxbox-support.zip"),
    )
